"""Where the exporter gets its facts from, on real servers: every source, the change between them, and what it says
when a source does not answer."""

import datetime
import subprocess
import time
import unittest

from lab import apache, faults, load, ports, process, proxy, stack, tls, workspace

import exposition
import watching
from watching import document, measurement, source, status, wait_for_source, wait_for_state, wait_for_status_source

_NOBODY = "name.invalid:2181"

# A source that failed is asked again after a minute at most; so is an AdminServer whose JVM was too cold for its first answer.
_ASKED_AGAIN_S = 70


def listed(*addresses):
    return "--zookeeper=" + ",".join(addresses)


def value(text, name, **labels):
    """The one value of a native sample."""
    found = [one.value for one in exposition.parse(text).samples
             if one.name == name and all(one.labels.get(key) == wanted for key, wanted in labels.items())]
    if len(found) != 1:
        raise AssertionError(f"{name}{labels} has {len(found)} samples")
    return found[0]


class WhitelistOpen(watching.LabTestCase):
    """Three voters and an observer that answer every word, each behind a proxy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 3, 1, client_proxies=True)
        cls.voters = [member.address for member in cls.ensemble.voters]

    def tearDown(self):
        self.ensemble.heal()

    def watch(self, *arguments):
        exporter = self.lab(stack.Exporter, arguments)
        watching.wait_until_visited(exporter)
        return exporter

    def test_mntr_is_the_source_and_its_numbers_are_passed_on(self):
        exporter = self.watch(listed(*self.ensemble.addresses), "--canary=off", "--interval=200ms")
        for member in self.ensemble.members:
            found = document(exporter, member.address)
            self.assertEqual(found["facts"]["status"]["source"], "mntr")
            self.assertEqual(found["facts"]["status"]["version"], "3.8.0")
            self.assertEqual(found["facts"]["status"]["implementation"], "apache")
            self.assertEqual(found["id"], str(member.id))
            self.assertEqual(found["voter"], member.role == "participant")
            self.assertEqual(found["role"], member.mode())
            own = member.mntr()
            self.assertEqual(measurement(found, "znode_count"), float(own["zk_znode_count"]))
            self.assertEqual(measurement(found, "max_file_descriptor_count"),
                             float(own["zk_max_file_descriptor_count"]))
            for word in ("mntr", "srvr", "ruok", "isro", "conf", "cons", "dirs", "wchs"):
                self.assertEqual(source(found, word)["state"], "ok", word)
            self.assertEqual(found["facts"]["configuration"]["entries"]["tickTime"], "500")
            self.assertEqual(len(found["facts"]["configuration"]["membership"]), 4)
        self.assertEqual(status(exporter)["quorum"], {"voters": 3, "majority": 2, "in_sync": 3, "margin": 1})

    def test_a_pause_of_the_exporter_is_nobodys_outage(self):
        exporter = self.watch(listed(*self.ensemble.addresses), "--interval=200ms")
        before = status(exporter)
        for _ in range(2):
            exporter.process.pause()
            time.sleep(8)
            exporter.process.resume()
            time.sleep(6)
        found = status(exporter)
        self.assertTrue(found["serving"])
        self.assertEqual(found["unserved"]["seconds_total"], before["unserved"]["seconds_total"])
        for event in ("member_lost", "leader_lost", "quorum_lost"):
            self.assertEqual(found["events"].get(event, 0), before["events"].get(event, 0), event)

    def test_unlisted_observer_is_offered_as_a_warning_and_not_asked(self):
        observer = self.ensemble.member(4)
        before = observer.client_proxy.accepted
        exporter = self.watch(listed(*self.voters))
        found = status(exporter)
        self.assertEqual(len(found["unlisted_members"]), 1)
        self.assertRegex(found["unlisted_members"][0], r"\b4\b")
        problems = {one["id"]: one for one in found["problems"]}
        self.assertIn("unlisted_member", problems)
        self.assertIn(problems["unlisted_member"]["severity"], ("info", "warning"))
        text = exporter.metrics()
        self.assertEqual(value(text, "watchkeeper_ensemble_unlisted_members", ensemble="default"), 1)
        self.assertEqual(len(found["members"]), 3)
        time.sleep(2)
        self.assertEqual(observer.client_proxy.accepted, before)

    def test_black_holed_port_times_out_within_the_deadline_and_holds_nobody_up(self):
        hidden = self.ensemble.followers()[0]
        exporter = self.watch(listed(*self.voters), "--canary=off")
        hidden.client_proxy.black_hole()
        found, waited = wait_for_source(exporter, hidden.address, "mntr", "timed_out", 5)
        self.assertLess(waited, 3.5)
        self.assertIn("firewalls", found["remedy"])
        wait_for_state(exporter, hidden.address, "unreachable", 5)
        # Before the leader would have dropped it: from then on its count of followers is believed.
        self.assertEqual(status(exporter)["quorum"]["margin"], 0)
        self.assert_polled_steadily(exporter, self.voters, 5)
        found = source(document(exporter, hidden.address), "mntr")
        mean_s = found["duration"]["sum_seconds"] / found["duration"]["count"]
        self.assertLess(mean_s, 1.1)
        hidden.client_proxy.heal()
        wait_for_state(exporter, hidden.address, "serving", 5)

    def test_leader_that_only_the_exporter_cannot_see_is_inferred(self):
        hidden = self.ensemble.leader()
        exporter = self.watch(listed(*self.voters))
        hidden.client_proxy.black_hole()
        wait_for_state(exporter, hidden.address, "unreachable", 5)
        time.sleep(3)
        view = status(exporter)
        self.assertTrue(view["serving"], view["verdict"])
        self.assertTrue(view["leader"]["inferred"])
        self.assertGreaterEqual(view["quorum"]["margin"], 0)
        self.assertEqual(view["events"]["quorum_lost"], 0)

    def test_blocked_port_is_refused(self):
        blocked = self.ensemble.member(3)
        exporter = self.watch(listed(*self.voters), "--canary=off")
        blocked.client_proxy.refuse()
        found, waited = wait_for_source(exporter, blocked.address, "mntr", "refused", 5)
        self.assertLess(waited, 2.5)
        self.assertIn("Nothing listens on the client port", found["remedy"])
        found, _ = wait_for_state(exporter, blocked.address, "unreachable", 3)
        self.assertIn("refuse", found["state_reason"])
        self.assertEqual(value(exporter.metrics(), "watchkeeper_member_source_state", member=blocked.address,
                               source="mntr", state="refused"), 1)
        self.assertEqual(status(exporter)["source_problems"][0]["member"], blocked.address)
        blocked.client_proxy.heal()
        wait_for_state(exporter, blocked.address, "serving", 5)

    def test_unknown_name_is_told_and_others_are_polled_on_time(self):
        exporter = self.watch(listed(*self.voters, _NOBODY), "--canary=off")
        found, _ = wait_for_source(exporter, _NOBODY, "mntr", "unresolved", 5)
        self.assertIn("host name", found["remedy"])
        self.assertEqual(document(exporter, _NOBODY)["state"], "unreachable")
        self.assert_polled_steadily(exporter, [*self.voters, _NOBODY], 5)

    def test_a_name_is_resolved_again_for_each_visit(self):
        member = self.ensemble.member(1)
        folder = workspace.new_folder("hosts")
        self.addCleanup(workspace.remove_folder, folder)
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.9 zk1.test\n", encoding="ascii")
        # The program gets an /etc/hosts of its own.
        program = folder / "exporter"
        program.write_text(f"#!/bin/sh\nexec unshare --map-root-user --mount sh -c 'mount --bind {hosts} /etc/hosts && "
                           f"exec \"$0\" \"$@\"' {stack.exporter_binary()} \"$@\"\n", encoding="ascii")
        program.chmod(0o755)
        if subprocess.run(["unshare", "--map-root-user", "--mount", "mount", "--bind", hosts, "/etc/hosts"],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("this machine lets nobody mount in a namespace of his own (unshare --map-root-user --mount)")
        name = f"zk1.test:{member.client_port}"
        exporter = self.lab(stack.Exporter, [listed(name), "--canary=off"], binary=program)
        wait_for_source(exporter, name, "mntr", "refused", 10)
        hosts.write_text("127.0.0.1 zk1.test\n", encoding="ascii")
        found, waited = wait_for_state(exporter, name, "serving", 5)
        self.assertLess(waited, 3)
        self.assertEqual(found["address"], f"127.0.0.1:{member.client_port}")
        # A name that vanishes takes the member away, whatever address it had.
        hosts.write_text("127.0.0.1 localhost\n", encoding="ascii")
        wait_for_source(exporter, name, "mntr", "unresolved", 10)

    def test_configuration_drift_names_the_key_and_who_has_what(self):
        odd = self.ensemble.followers()[0]
        odd.extra_cfg = {"maxClientCnxns": 61}
        odd.restart()
        self.ensemble.wait_until_serving()
        exporter = self.watch(listed(*self.voters), "--canary=off")

        def drifting():
            return {one["key"]: one["values"] for one in status(exporter)["configuration_drift"]}
        process.wait_for(lambda: len(drifting().get("maxClientCnxns", ())) == 3, 30, "everybody's configuration")
        drift = drifting()
        self.assertEqual({one["member"]: one["value"] for one in drift["maxClientCnxns"]},
                         {address: "61" if address == odd.address else "60" for address in self.voters})
        text = exporter.metrics()
        self.assertEqual(value(text, "watchkeeper_ensemble_configuration_drift", key="maxClientCnxns"), 2)
        self.assertEqual(value(text, "watchkeeper_ensemble_configuration_drifting_keys"), len(drift))
        # Ports and folders belong to each member and must not count.
        self.assertEqual(list(drift), ["maxClientCnxns"])

        odd.extra_cfg = {}
        odd.restart()
        self.ensemble.wait_until_serving()

    def test_two_ensembles_are_kept_apart(self):
        folder = self.ensemble.folder
        path = watching.write_configuration(folder, [{"name": "one", "members": self.voters[:2]},
                                                     {"name": "two", "members": [self.voters[2], _NOBODY]}])
        exporter = self.watch(f"--config.file={path}")
        self.assertEqual([one["member"] for one in status(exporter, "one")["members"]], self.voters[:2])
        self.assertEqual([one["member"] for one in status(exporter, "two")["members"]], [self.voters[2], _NOBODY])


class Probe(watching.LabTestCase):
    """/probe on a standalone server, on nothing, and on servers that do not answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 1)
        cls.member = cls.ensemble.member(1)
        cls.exporter = cls.class_lab(stack.Exporter, [listed(cls.member.address), "--canary=off"])
        wait_for_state(cls.exporter, cls.member.address, "serving", 20)  # A cold JVM is slow at first.

    def probe(self, target, timeout_s=None, query=""):
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(timeout_s)} if timeout_s else None
        return self.exporter.get(f"/probe?target={target}{query}", headers=headers)

    def test_good_target(self):
        for target in (self.member.address, f"localhost:{self.member.port}"):
            answer = self.probe(target)
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(value(answer.text, "watchkeeper_probe_success"), 1)
            self.assertLess(value(answer.text, "watchkeeper_probe_duration_seconds"), 1)
            self.assertEqual(value(answer.text, "watchkeeper_member_serving_state", member=target, state="serving"), 1)
            self.assertEqual(value(answer.text, "watchkeeper_member_znodes", member=target),
                             float(self.member.mntr()["zk_znode_count"]))
            # One visit to one member knows nothing of an ensemble.
            self.assertNotIn("watchkeeper_ensemble_", answer.text)

    def test_dead_target(self):
        port = ports.reserve()
        self.addCleanup(ports.release, port)
        answer = self.probe(f"127.0.0.1:{port}")
        self.assertEqual(answer.status, 200)
        self.assertEqual(value(answer.text, "watchkeeper_probe_success"), 0)
        self.assertEqual(value(answer.text, "watchkeeper_member_source_state", source="mntr", state="refused"), 1)
        self.assertEqual(value(answer.text, "watchkeeper_member_serving_state", state="unreachable"), 1)

    def test_unknown_name(self):
        answer = self.probe(_NOBODY)
        self.assertEqual(answer.status, 200)
        self.assertEqual(value(answer.text, "watchkeeper_probe_success"), 0)
        self.assertEqual(value(answer.text, "watchkeeper_member_source_state", source="mntr", state="unresolved"), 1)

    def test_silent_target_ends_before_prometheus_gives_up(self):
        with faults.HostileServer("silent") as server:
            for timeout_s in (1.0, 2.0):
                answer = self.probe(f"127.0.0.1:{server.port}", timeout_s)
                self.assertEqual(answer.status, 200)
                self.assertEqual(value(answer.text, "watchkeeper_probe_success"), 0)
                self.assertEqual(value(answer.text, "watchkeeper_member_source_state", source="mntr",
                                       state="timed_out"), 1)
                self.assertLess(answer.seconds, timeout_s)
                self.assertGreater(answer.seconds, timeout_s - 0.6)

    def test_bad_target(self):
        self.assertEqual(self.exporter.get("/probe").status, 400)
        for bad in ("a%20b:2181", "host:99999", "host:0", "%22:2181", "a:2181,b:2181", "http://host:2181"):
            answer = self.probe(bad)
            self.assertEqual(answer.status, 400, bad)
            self.assertIn("target", answer.text)
            self.assertEqual(answer.text.count("\n"), 1, answer.text)
        self.assertEqual(self.probe(self.member.address, query="&module=nosuch").status, 404)

    def test_policy(self):
        for policy, listed_status, other_status in (("listed", 200, 403), ("off", 403, 403)):
            with stack.Exporter([listed(self.member.address), "--canary=off", f"--probe={policy}"]) as exporter:
                self.assertEqual(exporter.get(f"/probe?target={self.member.address}").status, listed_status)
                self.assertEqual(exporter.get("/probe?target=127.0.0.1:1").status, other_status)


class Standalone(watching.LabTestCase):
    """A server that belongs to no quorum."""

    def test_serves_alone(self):
        ensemble = self.lab(apache.ApacheEnsemble, 1)
        address = ensemble.member(1).address
        exporter = self.lab(stack.Exporter, [listed(address)])
        found, _ = wait_for_state(exporter, address, "serving", 10)
        self.assertEqual(found["role"], "standalone")
        view = status(exporter)
        self.assertTrue(view["standalone"])
        self.assertTrue(view["serving"])
        self.assertEqual(view["quorum"], {"voters": 1, "majority": 1, "in_sync": 1, "margin": 0})
        self.assertEqual(exporter.get(f"/api/v1/safe-to-stop?member={address}").status, 409)
        ensemble.member(1).kill()
        wait_for_state(exporter, address, "unreachable", 5)
        view = status(exporter)
        self.assertFalse(view["serving"])
        self.assertEqual(view["quorum"]["margin"], -1)

    def test_connection_limit_is_told(self):
        ensemble = self.lab(apache.ApacheEnsemble, 1, extra_cfg={"maxClientCnxns": 12})
        member = ensemble.member(1)
        exporter = self.lab(stack.Exporter, [listed(member.address), "--canary=off"])
        wait_for_state(exporter, member.address, "serving", 10)
        # Tried so often that the place of a connection which the exporter has just then is taken, too.
        with load.fill_connections(member.host, member.port, 60):
            found, _ = wait_for_source(exporter, member.address, "mntr", "closed", 8)
            self.assertIn("maxClientCnxns", found["remedy"])
            problem = next(one for one in status(exporter)["source_problems"] if one["source"] == "mntr")
            self.assertEqual(problem["state"], "closed")
            self.assertIn("maxClientCnxns", problem["remedy"])
        wait_for_source(exporter, member.address, "mntr", "ok", 8)


class WhitelistClosed(watching.LabTestCase):
    """What a default configuration allows: srvr alone, and AdminServer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 3, whitelist="none", admin=True)

    def test_srvr_alone_keeps_the_view_whole(self):
        exporter = self.lab(stack.Exporter, [listed(*self.ensemble.addresses)])
        watching.wait_until_visited(exporter)
        for member in self.ensemble.members:
            found = document(exporter, member.address)
            self.assertEqual(found["state"], "serving")
            self.assertEqual(found["role"], member.mode())
            self.assertEqual(found["facts"]["status"]["source"], "srvr")
            self.assertEqual(found["facts"]["status"]["version"], "3.8.0")
            closed = source(found, "mntr")
            self.assertEqual(closed["state"], "not_whitelisted")
            self.assertIn("Add mntr to 4lw.commands.whitelist in zoo.cfg", closed["remedy"])
            self.assertIn("znode_count", [one["name"] for one in found["facts"]["status"]["measurements"]])
        view = status(exporter)
        self.assertTrue(view["serving"])
        self.assertEqual(view["leader"]["member"], self.ensemble.leader().address)
        self.assertEqual(view["quorum"]["margin"], 1)
        self.assertIn("4lw.commands.whitelist", exporter.get("/ensemble/default/sources.json").text)
        # A source that will not tell is left alone, not asked each second.
        before = source(document(exporter, self.ensemble.addresses[0]), "mntr")["results"]["not_whitelisted"]
        time.sleep(3)
        self.assertEqual(source(document(exporter, self.ensemble.addresses[0]), "mntr")["results"]["not_whitelisted"],
                         before)

    def test_admin_server_tells_the_same_and_more(self):
        path = watching.write_configuration(self.ensemble.folder, [{
            "name": "default", "canary": "off",
            "members": [{"address": member.address, "admin_url": f"http://{member.host}:{member.admin_port}/commands"}
                        for member in self.ensemble.members]}])
        exporter = self.lab(stack.Exporter, [f"--config.file={path}"])
        watching.wait_until_visited(exporter)
        for member in self.ensemble.members:
            found, _ = wait_for_status_source(exporter, member.address, "admin_monitor", _ASKED_AGAIN_S)
            self.assertEqual(found["state"], "serving")
            self.assertEqual(found["role"], member.mode())
            self.assertEqual(source(found, "mntr")["state"], "not_whitelisted")
            told = dict(line.split(": ", 1) for line in member.ask("srvr").splitlines() if ": " in line)
            self.assertEqual(measurement(found, "znode_count"), float(told["Node count"]))
            self.assertEqual(found["zxid"], told["Zxid"])
            self.assertIsNotNone(measurement(found, "max_file_descriptor_count"))
            self.assertEqual(found["facts"]["configuration"]["entries"]["tickTime"], "500")
            self.assertEqual(found["id"], str(member.id))
        self.assertEqual(status(exporter)["quorum"], {"voters": 3, "majority": 2, "in_sync": 3, "margin": 1})

    def test_admin_server_goes_and_comes_back(self):
        member = self.ensemble.member(1)
        with proxy.TcpProxy(member.admin_port) as admin:
            exporter = self.lab(stack.Exporter, [listed(member.address), f"--admin-port={admin.port}", "--canary=off"])
            wait_for_status_source(exporter, member.address, "admin_monitor", _ASKED_AGAIN_S)
            admin.refuse()
            found, waited = wait_for_status_source(exporter, member.address, "srvr", 10)
            self.assertLess(waited, 3.5)
            self.assertEqual(found["state"], "serving")
            refused = source(found, "admin_monitor")
            self.assertEqual(refused["state"], "refused")
            self.assertIn("admin.enableServer", refused["remedy"])
            tries = refused["results"]["refused"]
            time.sleep(3)
            self.assertEqual(source(document(exporter, member.address), "admin_monitor")["results"]["refused"], tries,
                             "what is refused is left alone while srvr answers")
            admin.heal()
            wait_for_status_source(exporter, member.address, "admin_monitor", _ASKED_AGAIN_S)
            self.assertEqual(source(document(exporter, member.address), "admin_monitor")["state"], "ok")

    def test_admin_server_is_asked_at_once_after_the_member_came_back(self):
        member = self.ensemble.followers()[0]
        with proxy.TcpProxy(member.admin_port) as admin, proxy.TcpProxy(member.port) as client:
            exporter = self.lab(stack.Exporter, [listed(f"127.0.0.1:{client.port}"), f"--admin-port={admin.port}",
                                                 "--canary=off"])
            name = f"127.0.0.1:{client.port}"
            wait_for_status_source(exporter, name, "admin_monitor", _ASKED_AGAIN_S)
            admin.refuse()
            wait_for_status_source(exporter, name, "srvr", 10)
            client.refuse()
            wait_for_state(exporter, name, "unreachable", 5)
            admin.heal()
            client.heal()
            wait_for_state(exporter, name, "serving", 5)
            wait_for_status_source(exporter, name, "admin_monitor", 5)


class PrometheusProvider(watching.LabTestCase):
    """Apache 3.9 with its Prometheus provider and no four-letter word but srvr."""

    def test_provider_is_the_source(self):
        try:
            class_path = apache.release("3.9.5")
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None
        ensemble = self.lab(apache.ApacheEnsemble, 3, whitelist="none", prometheus=True, apache_class_path=class_path)
        path = watching.write_configuration(ensemble.folder, [{
            "name": "default", "canary": "off",
            "members": [{"address": member.address,
                         "prometheus_url": f"http://{member.host}:{member.metrics_port}/metrics"}
                        for member in ensemble.members]}])
        exporter = self.lab(stack.Exporter, [f"--config.file={path}"])
        for member in ensemble.members:
            found, _ = wait_for_status_source(exporter, member.address, "prometheus", _ASKED_AGAIN_S)
            self.assertEqual(found["state"], "serving")
            self.assertEqual(found["role"], member.mode())
            self.assertEqual(source(found, "mntr")["state"], "not_whitelisted")
            told = dict(line.split(": ", 1) for line in member.ask("srvr").splitlines() if ": " in line)
            self.assertEqual(measurement(found, "znode_count"), float(told["Node count"]))
            self.assertEqual(found["zxid"], told["Zxid"])
            self.assertTrue(told["Zookeeper version"].startswith("3.9.5"))
            self.assertEqual(found["facts"]["status"]["version"], "3.9.5")
        self.assertEqual(status(exporter)["quorum"], {"voters": 3, "majority": 2, "in_sync": 3, "margin": 1})


class TlsClientPort(watching.LabTestCase):
    """The client port with TLS: a standalone server with a plain and a secure port."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.authority = tls.CertificateAuthority()
            cls.bundle = cls.authority.issue("server", valid_s=20 * 86400)
        except workspace.LabUnavailable as missing:
            raise unittest.SkipTest(str(missing)) from None
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 1, tls=tls.ServerTls(cls.authority, cls.bundle))
        cls.member = cls.ensemble.member(1)
        cls.secure = f"127.0.0.1:{cls.member.secure_port}"

    def watch(self, *arguments):
        exporter = self.lab(stack.Exporter, arguments)
        watching.wait_until_visited(exporter)
        return exporter

    def test_good_authority(self):
        exporter = self.watch(listed(self.secure), f"--tls.ca-file={self.authority.certificate}")
        wait_for_state(exporter, self.secure, "serving", 10)
        # The first TLS of a cold JVM may take longer than the question has.
        found, _ = wait_for_status_source(exporter, self.secure, "mntr", _ASKED_AGAIN_S)
        self.assertEqual(datetime.datetime.fromisoformat(found["certificate_not_after"]), self.bundle.not_after)
        self.assertEqual(value(exporter.metrics(), "watchkeeper_member_certificate_expiry_timestamp_seconds",
                               member=self.secure), self.bundle.not_after.timestamp())
        process.wait_for(lambda: document(exporter, self.secure)["canary"]["operations"]["sync"]["results"]["ok"] >= 1, 20,
                         "a sync of the canary")
        canary = document(exporter, self.secure)["canary"]
        self.assertTrue(canary["connected"], canary["last_error"])
        self.assertGreaterEqual(canary["operations"]["sync"]["results"]["ok"], 1)

    def test_wrong_authority(self):
        other = tls.CertificateAuthority("Somebody else")
        exporter = self.watch(listed(self.secure), f"--tls.ca-file={other.certificate}")
        found, _ = wait_for_source(exporter, self.secure, "mntr", "tls_failure", 5)
        self.assertIn("ca_file", found["remedy"])
        self.assertIn("certificate", found["detail"].lower())
        self.assertEqual(document(exporter, self.secure)["state"], "unreachable")

    def test_wrong_name(self):
        exporter = self.watch(listed(self.secure), f"--tls.ca-file={self.authority.certificate}",
                              "--tls.server-name=zk1.example.org")
        found, _ = wait_for_source(exporter, self.secure, "mntr", "tls_failure", 5)
        self.assertIn("names match", found["remedy"])

    def test_plain_exporter_on_a_secure_port(self):
        exporter = self.watch(listed(self.secure))
        time.sleep(2.5)
        found = source(document(exporter, self.secure), "mntr")
        # Netty waits for more bytes or closes, as its version likes.
        self.assertIn(found["state"], ("closed", "timed_out"))
        self.assertIn("the port speaks TLS", found["remedy"])

    def test_secure_exporter_on_a_plain_port(self):
        plain = f"127.0.0.1:{self.member.client_port}"
        exporter = self.watch(listed(plain), f"--tls.ca-file={self.authority.certificate}")
        found, _ = wait_for_source(exporter, plain, "mntr", "tls_failure", 5)
        self.assertIn("Check that this port speaks TLS", found["remedy"])

    def test_expired_certificate_is_refused_and_skipping_the_check_is_possible(self):
        expired = self.authority.issue("expired", valid_s=-60.0)
        ensemble = self.lab(apache.ApacheEnsemble, 1, tls=tls.ServerTls(self.authority, expired))
        secure = f"127.0.0.1:{ensemble.member(1).secure_port}"
        exporter = self.watch(listed(secure), f"--tls.ca-file={self.authority.certificate}")
        found, _ = wait_for_source(exporter, secure, "mntr", "tls_failure", 5)
        self.assertIn("expired", found["detail"])
        lax = self.watch(listed(secure), "--tls.insecure-skip-verify")
        found, _ = wait_for_state(lax, secure, "serving", 10)
        self.assertEqual(datetime.datetime.fromisoformat(found["certificate_not_after"]), expired.not_after)
        self.assertIn("not verified", lax.stderr())


class ReadOnlyMember(watching.LabTestCase):
    """With readonlymode.enabled, a member without a quorum serves reads to clients that ask for no more."""

    def test_state_is_read_only(self):
        ensemble = self.lab(apache.ApacheEnsemble, 3, jvm_flags=["-Dreadonlymode.enabled=true"])
        exporter = self.lab(stack.Exporter, [listed(*ensemble.addresses)])
        watching.wait_until_visited(exporter)
        last = ensemble.followers()[0]
        for member in ensemble.members:
            if member is not last:
                member.kill()
        found, _ = wait_for_state(exporter, last.address, "read_only", 30)
        self.assertEqual(found["role"], "read_only")
        view = status(exporter)
        self.assertFalse(view["serving"])
        self.assertLess(view["quorum"]["margin"], 0)
        self.assertEqual(value(exporter.metrics(), "watchkeeper_member_serving_state", member=last.address,
                               state="read_only"), 1)
        for member in ensemble.members:
            if not member.alive:
                member.start()
        wait_for_state(exporter, last.address, "serving", 40)


if __name__ == "__main__":
    unittest.main()
