"""Targets that answer wrongly on purpose, beside healthy ones: nothing that they send breaks the exposition, holds
other members up, or makes the exporter grow."""

import statistics
import subprocess
import time
import unittest

from lab import apache, faults, process, stack

import exposition
import watching
from watching import document, measurement, source, status

_HEALTHY = "healthy"
_BIG_MODES = ("endless", "endless_line", "huge", "binary", "html", "quoted_namespace", "slow", "silent")
_HUGE_BYTES = 100 * 1024 * 1024
_WARM_UP_POLLS = 80
_POLLS = 100

# What the newest question to mntr came to, and the member's state.
_EXPECTED = {
    "truncated_mntr": ({"truncated"}, {"not_serving"}),
    "not_serving": ({"not_serving"}, {"not_serving"}),
    "clickhouse_not_serving": ({"not_serving"}, {"not_serving"}),
    "nothing_whitelisted": ({"not_whitelisted"}, {"not_serving"}),
    "html": ({"malformed"}, {"not_serving"}),
    "binary": ({"malformed"}, {"not_serving"}),
    "closes_at_once": ({"closed"}, {"not_serving"}),
    "resets": ({"closed", "refused"}, {"not_serving", "unreachable"}),
    "endless": ({"too_large"}, {"not_serving"}),
    "endless_line": ({"too_large"}, {"not_serving"}),
    "huge": ({"too_large"}, {"not_serving"}),
    "slow": ({"timed_out"}, {"unreachable"}),
    "silent": ({"timed_out"}, {"unreachable"}),
    "quoted_namespace": ({"ok"}, {"serving"}),
    "clickhouse": ({"ok"}, {"serving"}),
    "raftkeeper": ({"ok"}, {"serving"}),
}


def promtool_complaints(text):
    """What promtool check metrics says about a text."""
    program = process.find_program("promtool", "prometheus")
    done = subprocess.run([program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60,
                          check=False)
    return f"{done.stdout}{done.stderr}" if done.returncode != 0 else ""


class Hostile(watching.LabTestCase):
    """Every mode as an ensemble of its own, in one exporter with a healthy ensemble of three."""

    def test_the_table_has_every_mode(self):
        self.assertEqual(sorted(_EXPECTED), sorted(faults.HOSTILE_MODES))

    def watch_all(self, modes=faults.HOSTILE_MODES, **settings):
        """(ensemble, {mode: server}, exporter)."""
        ensemble = self.lab(apache.ApacheEnsemble, 3)
        servers = {mode: self.enterContext(faults.HostileServer(mode, huge_bytes=_HUGE_BYTES))
                   for mode in modes}
        configured = [{"name": _HEALTHY, "members": ensemble.addresses, **settings}]
        # The endpoints for HTTP are hostile in the same way.
        configured += [{"name": mode, **settings,
                        "members": [{"address": f"127.0.0.1:{server.port}",
                                     "admin_url": f"http://127.0.0.1:{server.port}/commands",
                                     "prometheus_url": f"http://127.0.0.1:{server.port}/metrics"}]}
                       for mode, server in servers.items()]
        path = watching.write_configuration(ensemble.folder, configured, families=["native", "zk", "zookeeper39"])
        exporter = self.lab(stack.Exporter, [f"--config.file={path}", "--log.level=error"])
        watching.wait_until_visited(exporter, 30)
        return ensemble, servers, exporter

    def assert_exposition_is_sound(self, exporter):
        for family in ("native", "zk", "zookeeper39", "exporter"):
            exposition.parse(exporter.get(f"/metrics?family={family}").text)
        exposition.parse(exporter.metrics())
        self.assertEqual(promtool_complaints(exporter.get("/metrics?family=native").text), "")

    def settled(self, exporter, member, mode):
        """The member's document once it tells what is expected; one visit may be late on a busy machine."""
        answers, states = _EXPECTED[mode]

        def told():
            found = document(exporter, member, mode)
            return found if source(found, "mntr")["state"] in answers and found["state"] in states else None
        try:
            return process.wait_for(told, 30, f"{mode} to be told", child=exporter.process)[0]
        except TimeoutError:
            return document(exporter, member, mode)  # What it is instead, for the assertions.

    def test_every_mode_is_told_and_none_disturbs_the_others(self):
        ensemble, servers, exporter = self.watch_all()
        self.assert_exposition_is_sound(exporter)
        for mode, server in servers.items():
            with self.subTest(mode=mode):
                member = f"127.0.0.1:{server.port}"
                found = self.settled(exporter, member, mode)
                answers, states = _EXPECTED[mode]
                mntr = source(found, "mntr")
                self.assertIn(mntr["state"], answers, mntr)
                self.assertIn(found["state"], states, found["state_reason"])
                self.assertEqual(bool(mntr["remedy"]), mntr["state"] != "ok")
                self.assertTrue(all(" " <= char for char in mntr["detail"]), mntr["detail"])
                self.assertLessEqual(len(mntr["detail"]), 256)
                parsed = exposition.parse(exporter.metrics())
                states = parsed.select("watchkeeper_member_serving_state", ensemble=mode, member=member)
                self.assertEqual((len(states), sum(one.value for one in states)), (6, 1))
        healthy = status(exporter, _HEALTHY)
        self.assertEqual(healthy["quorum"], {"voters": 3, "majority": 2, "in_sync": 3, "margin": 1})
        self.assert_polled_steadily(exporter, ensemble.addresses, 6)

    def test_dialects_serve_and_tell_their_numbers(self):
        _, servers, exporter = self.watch_all()
        for mode, implementation, znodes, connections in (("clickhouse", "clickhouse_keeper", 40, 2),
                                                          ("raftkeeper", "raftkeeper", 12, 4)):
            member = f"127.0.0.1:{servers[mode].port}"
            found = self.settled(exporter, member, mode)
            self.assertEqual(found["state"], "serving")
            self.assertEqual(found["role"], "leader")
            self.assertEqual(found["facts"]["status"]["implementation"], implementation)
            self.assertEqual(measurement(found, "znode_count"), znodes)
            parsed = exposition.parse(exporter.metrics())
            self.assertEqual(parsed.value("watchkeeper_member_connections", ensemble=mode), connections)
            self.assertEqual(parsed.value("zk_znode_count", zk_host=member), znodes)
            self.assertEqual(parsed.value("zk_up", zk_host=member), 1)
            self.assertEqual(parsed.value("zk_server_leader", zk_host=member), 1)

    def test_members_of_one_ensemble_do_not_suffer_from_a_hostile_one(self):
        ensemble = self.lab(apache.ApacheEnsemble, 3)
        modes = ("endless", "slow", "silent", "binary", "huge", "html", "truncated_mntr")
        servers = [self.enterContext(faults.HostileServer(mode)) for mode in modes]
        hostile = [f"127.0.0.1:{server.port}" for server in servers]
        exporter = self.lab(stack.Exporter, [f"--zookeeper={','.join(ensemble.addresses + hostile)}"])
        watching.wait_until_visited(exporter)
        self.assert_polled_steadily(exporter, ensemble.addresses, 6)
        found = status(exporter)
        self.assertTrue(found["serving"])
        self.assertEqual(found["leader"]["member"], ensemble.leader().address)
        # The membership is known from the real members: strangers are not voters.
        self.assertEqual(found["quorum"], {"voters": 3, "majority": 2, "in_sync": 3, "margin": 1})
        self.assertEqual({one["member"]: one["state"] for one in found["members"][:3]},
                         {address: "serving" for address in ensemble.addresses})
        self.assert_exposition_is_sound(exporter)

    def test_memory_stays_flat_over_many_hostile_answers(self):
        _, servers, exporter = self.watch_all(_BIG_MODES, interval="200ms", timeout="500ms", canary="off")
        member = f"127.0.0.1:{servers['huge'].port}"

        def rounds():
            return document(exporter, member, "huge")["polls"]
        def sample_until(polls):
            samples = []
            while rounds() < polls:
                time.sleep(0.25)
                exporter.metrics()
                samples.append(exporter.process.resident_bytes())
            return samples
        # Megabytes come and go in many connections at a time, and the allocator needs some rounds until it owns what
        # they take together at their worst.  The troughs between the answers tell what stays.
        sample_until(_WARM_UP_POLLS)
        samples = sample_until(_WARM_UP_POLLS + _POLLS)
        third = len(samples) // 3
        early, late = (statistics.quantiles(part, n=10)[0] for part in (samples[:third], samples[-third:]))
        print(f"{_POLLS} polls; resident {early / 1e6:.2f} MB, then {late / 1e6:.2f} MB; peak "
              f"{exporter.process.peak_resident_bytes() / 1e6:.2f} MB")
        # Of the hundreds of megabytes that came, not even three answers at their limit stay.
        self.assertLess(late - early, 3e6, [round(one / 1e6, 1) for one in samples])
        # One answer at its limit each, not the 100 MB.
        self.assertLess(exporter.process.peak_resident_bytes(), early + 20e6)
        self.assertLess(servers["huge"].bytes_sent / servers["huge"].connections, 8 << 20)
        self.assert_exposition_is_sound(exporter)
        self.assertLess(exporter.process.open_descriptors(), 300)


class QuotedZnode(watching.LabTestCase):
    """A real server with top-level znodes whose names are not fit for a label."""

    def test_names_of_znodes_do_not_break_the_exposition(self):
        try:
            from kazoo.client import KazooClient  # Only this test needs the package.
        except ImportError:
            self.skipTest("install the Debian package python3-kazoo")
        ensemble = self.lab(apache.ApacheEnsemble, 3)
        client = KazooClient(hosts=ensemble.connect_string, timeout=10)
        client.start(timeout=20)
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        names = ['a"b', "c\\d", "{x=\"y\"} 1", "zk_up 1", "# EOF", "ünïcode", "a" * 300]
        for name in names:
            client.create(f"/{name}")
            for _ in range(3):
                client.set(f"/{name}", b"x")
                client.get(f"/{name}")
        path = watching.write_configuration(ensemble.folder, [{"name": "default", "members": ensemble.addresses}],
                                            families=["native", "zk", "zookeeper39"])
        exporter = self.lab(stack.Exporter, [f"--config.file={path}"])
        watching.wait_until_visited(exporter)
        time.sleep(1.5)
        for one in ensemble.members:
            self.assertIn('a"b', one.ask("mntr"))
            self.assertEqual(document(exporter, one.address)["facts"]["status"]["source"], "mntr")
        for family in ("native", "zk", "zookeeper39"):
            text = exporter.get(f"/metrics?family={family}").text
            parsed = exposition.parse(text)
            self.assertGreater(len(parsed.samples), 100, family)
            self.assertEqual({sample.labels["member"] for sample in parsed.samples if "member" in sample.labels}
                             - set(ensemble.addresses), set())
        self.assertEqual(promtool_complaints(exporter.get("/metrics?family=native").text), "")
        # No label that a client can choose.
        self.assertNotIn('a\\"b', exporter.get("/metrics?family=native").text)
        for path in ("/api/v1/members", "/api/v1/status"):
            exporter.get_json(path)
        exposition.parse(exporter.metrics())
        self.assertTrue(status(exporter)["serving"])


if __name__ == "__main__":
    unittest.main()
