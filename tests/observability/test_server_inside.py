"""What watchkeeperd tells of its inside is what happened to it: a real server, real clients, planted causes."""

import json
import threading
import time
import unittest
import urllib.parse
import urllib.request

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from lab import lone_client, watchkeeperd

import exposition

_TICK_MS = 500
_SESSION_S = 8.0  # "quiet" lasts a third of it: more than two of the server's seconds
_PUBLISHED_S = 2.5  # a report a second, and a moment to take it in
_SURVEYED_S = 25.0  # the tree is walked every ten seconds
_PATIENCE_S = 20.0


class Inside(unittest.TestCase):
    def setUp(self):
        self.ensemble = watchkeeperd.WatchkeeperEnsemble(tick_ms=_TICK_MS, extra_cfg={
            "minSessionTimeout": "1000", "watchkeeper.slowRequestMs": "200"})
        self.addCleanup(self.ensemble.stop)
        self.ensemble.start()
        self.ensemble.wait_until_serving()
        self.member = self.ensemble.members[0]

    def client(self, timeout=10.0):
        client = KazooClient(self.member.address, timeout=timeout)
        client.start()
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        return client

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.member.metrics_port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def inside(self):
        members = json.loads(self.get("/api/v1/inside"))["members"]
        self.assertEqual(len(members), 1)
        return members[0]["inside"]

    def scrape(self):
        """All samples of the server's own families, checked to be well formed."""
        return exposition.parse(self.get("/metrics"))

    def value(self, scrape, name, **labels):
        found = scrape.select(f"watchkeeper_server_{name}", **labels)
        self.assertEqual(len(found), 1, f"{name} {labels}")
        return found[0].value

    def wait_for(self, what, condition, deadline_s=_PATIENCE_S):
        """The first truthy answer of `condition`."""
        end = time.monotonic() + deadline_s
        while True:
            found = condition()
            if found:
                return found
            if time.monotonic() > end:
                self.fail(f"not within {deadline_s} s: {what}; inside: {json.dumps(self.inside(), indent=1)}")
            time.sleep(0.2)

    def other_client(self, path):
        """(process, session) of a client that is a process of its own, with an ephemeral at `path`."""
        started, session = lone_client.start(self.member.address, _SESSION_S, path)
        self.addCleanup(started.kill)
        return started, session


class Counts(Inside):
    def test_are_what_clients_did(self):
        client = self.client()
        before = self.published()
        for i in range(20):
            client.create(f"/n{i}", b"x" * i)
        for i in range(20):
            for _ in range(5):
                client.get(f"/n{i}")
        for _ in range(7):
            with self.assertRaises(NoNodeError):
                client.set("/none", b"")
        fired = threading.Semaphore(0)
        for i in range(10):
            client.get(f"/n{i}", watch=lambda event: fired.release())
        for i in range(10):
            client.set(f"/n{i}", b"new")
        for _ in range(10):
            self.assertTrue(fired.acquire(timeout=5))
        after = self.published()

        def grown(name, **labels):
            return self.value(after, name, **labels) - self.value(before, name, **labels)
        self.assertEqual(grown("operations_total", operation="create"), 20)
        self.assertEqual(grown("operations_total", operation="getData"), 110)
        self.assertEqual(grown("operations_total", operation="setData"), 17)
        self.assertEqual(grown("operation_errors_total", operation="setData"), 7)
        self.assertEqual(grown("operation_errors_total", operation="getData"), 0)
        self.assertEqual(grown("watch_fan_out_count", event="data_changed"), 10)
        self.assertEqual(grown("watch_fan_out_sum", event="data_changed"), 10)
        self.assertEqual(grown("transactions_total", result="ok"), 30)
        self.assertEqual(grown("transactions_total", result="failed"), 7)
        self.assertEqual(grown("log_batch_transactions_sum"), 37)
        self.assertEqual(self.value(after, "operation_duration_seconds_count", operation="getData"), 110)
        self.assertEqual(self.value(after, "connections", state="open"), 1)
        self.assertEqual(self.value(after, "sessions"), 1)
        # A read on loopback takes microseconds: bounds that begin at 50 µs would see nothing.
        fast = after.select("watchkeeper_server_operation_duration_seconds_bucket", operation="getData", le="0.001")
        self.assertGreater(fast[0].value, 50)

    def published(self):
        time.sleep(_PUBLISHED_S)
        return self.scrape()

    def test_stages_add_up_to_the_total(self):
        client = self.client()
        writers = [client.set_async("/", b"x" * (i % 100)) for i in range(2000)]
        for one in writers:
            one.get(timeout=20)
        time.sleep(_PUBLISHED_S)
        scrape = self.scrape()
        stages = scrape.select("watchkeeper_server_write_stage_duration_seconds_sum")
        self.assertEqual([stage.labels["stage"] for stage in stages],
                         ["prepare", "log_queue", "append", "fsync", "quorum", "apply", "reply"])
        total = self.value(scrape, "write_duration_seconds_sum")
        self.assertGreater(total, 0)
        self.assertAlmostEqual(sum(stage.value for stage in stages), total, delta=total * 1e-9)
        for stage in scrape.select("watchkeeper_server_write_stage_duration_seconds_count"):
            self.assertEqual(stage.value, self.value(scrape, "write_duration_seconds_count"), stage.labels)
        self.assertGreaterEqual(self.value(scrape, "write_duration_seconds_count"), 2001)

    def test_expiry_buckets_in_mntr(self):
        self.client()
        mntr = self.member.mntr()
        self.assertEqual(mntr["zk_session_expiry_buckets"], "1")
        self.assertEqual(mntr["zk_session_expiry_bucket_max"], "1")


class WhatStandsOut(Inside):
    def test_hot_znodes(self):
        client = self.client()
        for i in range(50):
            client.create(f"/n{i}", b"")
        reads = [client.get_async("/n7" if i % 2 else f"/n{i % 50}") for i in range(4000)]
        writes = [client.set_async("/n3" if i % 3 else f"/n{i % 50}", b"") for i in range(900)]
        for one in reads + writes:
            one.get(timeout=20)
        time.sleep(_PUBLISHED_S)
        requests = self.inside()["requests"]
        self.assertEqual(requests["hottest_reads"][0]["path"], "/n7")
        self.assertAlmostEqual(requests["hottest_reads"][0]["share"], 0.51, delta=0.1)
        self.assertEqual(requests["hottest_writes"][0]["path"], "/n3")
        self.assertLessEqual(len(requests["hottest_reads"]), 20)
        self.assertGreater(requests["reads_a_second"], 10)
        self.assertNotIn("/n7", self.get("/metrics"), "a path in a label")

    def test_a_herd_and_its_watchers(self):
        client = self.client()
        client.create("/herd", b"")
        fired = threading.Semaphore(0)
        crowd = [self.client() for _ in range(12)]
        for one in crowd:
            one.get("/herd", watch=lambda event: fired.release())

        def watched():
            rows = self.inside()["watches"]["most_watched"]
            return rows and rows[0]["path"] == "/herd" and rows[0]["watchers"] == 12
        self.wait_for("twelve watchers on /herd", watched, _SURVEYED_S)
        client.set("/herd", b"x")
        for _ in crowd:
            self.assertTrue(fired.acquire(timeout=5))

        def herd():
            rows = self.inside()["watches"]["largest_fan_outs"]
            return rows and rows[0]
        row = self.wait_for("the herd", herd)
        self.assertEqual((row["path"], row["event"], row["watchers"], row["times"]), ("/herd", "data_changed", 12, 1))

    def test_locks_large_znodes_and_talkers(self):
        client = self.client()
        client.create("/large", b"x" * 300_000)
        client.create("/wide", b"")
        for i in range(300):
            client.create_async(f"/wide/child-{i:04}", b"")
        client.create("/lock", b"")
        contenders = [self.client() for _ in range(4)]
        for one in contenders:
            one.create("/lock/lock-", ephemeral=True, sequence=True)
        holder = hex(contenders[0].client_id[0])

        def surveyed():
            # The client goes on talking while the survey is waited for.
            for _ in range(50):
                client.get("/wide")
            found = self.inside()
            # Who talks most is known after two walks over the connections.
            return found["znodes"]["locks"] and found["clients"]["busiest_by_requests"] and found
        found = self.wait_for("the survey of the tree", surveyed, _SURVEYED_S)
        znodes = found["znodes"]
        self.assertEqual(znodes["locks"][0]["path"], "/lock")
        self.assertEqual(znodes["locks"][0]["contenders"], 4)
        self.assertEqual(znodes["locks"][0]["holder"], holder)
        self.assertEqual((znodes["largest"][0]["path"], znodes["largest"][0]["bytes"]), ("/large", 300_000))
        self.assertEqual((znodes["largest_child_lists"][0]["path"], znodes["largest_child_lists"][0]["children"]),
                         ("/wide", 300))
        self.assertEqual(znodes["largest_child_lists"][0]["reply_bytes"], 4 + 300 * (4 + len("child-0000")))
        self.assertLess(znodes["survey"]["age_seconds"], _SURVEYED_S)
        self.assertEqual(found["clients"]["busiest_by_requests"][0]["session"], hex(client.client_id[0]))
        scrape = self.scrape()
        self.assertEqual(self.value(scrape, "longest_lock_queue"), 4)
        self.assertEqual(self.value(scrape, "largest_znode_bytes"), 300_000)


class Forensics(Inside):
    def expired(self, session):
        def found():
            return [row for row in self.inside()["sessions"]["expired"] if row["session"] == session]
        return self.wait_for(f"the end of {session}", found)[0]

    def test_a_stopped_client(self):
        stopped, session = self.other_client("/e/stopped")
        stopped.pause()

        def quiet():
            return [row for row in self.inside()["sessions"]["quiet"] if row["session"] == session]
        row = self.wait_for("a session that is about to expire", quiet, _SESSION_S * 2)[0]
        self.assertGreater(row["silence_seconds"], _SESSION_S * 2 / 3)
        record = self.expired(session)
        self.assertEqual(record["cause"], "nothing_heard")
        self.assertIn("client or network: nothing was heard for", record["conclusion"])
        self.assertGreaterEqual(record["silence_seconds"], _SESSION_S)
        self.assertEqual(record["timeout_seconds"], _SESSION_S)
        self.assertEqual(record["address"], "127.0.0.1")
        self.assertEqual(record["ephemerals_removed"], 1)
        self.assertLess(record["server_stood_still_seconds"], _SESSION_S / 4)
        scrape = self.scrape()
        self.assertEqual(self.value(scrape, "session_expiries_total", cause="nothing_heard"), 1)
        self.assertEqual(self.value(scrape, "session_changes_total", change="expired"), 1)

    def test_a_killed_client(self):
        killed, session = self.other_client("/e/killed")
        killed.kill()
        record = self.expired(session)
        self.assertEqual(record["cause"], "not_back")
        self.assertGreater(record["without_connection_seconds"], 0)
        self.assertIn("did not come back", record["conclusion"])

    def test_a_server_that_stood_still(self):
        paused, session = self.other_client("/e/there")
        self.member.pause()
        # The client must not have found out and left before its time is over.
        paused.pause()
        time.sleep(_SESSION_S * 2)
        self.member.resume()
        record = self.expired(session)
        self.assertEqual(record["cause"], "server_stood_still")
        self.assertGreater(record["server_stood_still_seconds"], _SESSION_S)
        self.assertIn("this server stood still for", record["conclusion"])


class Name(unittest.TestCase):
    def test_two_servers_of_their_own_are_two_ensembles(self):
        """As several standalone servers that one Prometheus scrapes: by default all are called alike."""
        for configured, name in (({"watchkeeper.ensemble": "locks eu-1"}, "locks eu-1"), ({}, "default")):
            with self.subTest(name=name), watchkeeperd.WatchkeeperEnsemble(extra_cfg=configured) as ensemble:
                port = ensemble.members[0].metrics_port

                def get(path, port=port):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                        return answer.read().decode()
                scrape = exposition.parse(get("/metrics"))
                named = [sample for sample in scrape.samples if "ensemble" in sample.labels]
                self.assertGreater(len(named), 100)
                self.assertEqual({sample.labels["ensemble"] for sample in named}, {name})
                self.assertEqual(scrape.select("watchkeeper_ensemble_serving", ensemble=name)[0].value, 1)
                status = json.loads(get("/api/v1/status"))
                self.assertEqual([one["name"] for one in status["ensembles"]], [name])
                page = json.loads(get(f"/ensemble/{urllib.parse.quote(name)}.json"))
                self.assertEqual(page["ensemble"]["name"], name)


class SlowDisk(unittest.TestCase):
    def test_a_slow_write_tells_its_stage(self):
        with watchkeeperd.WatchkeeperEnsemble(tick_ms=_TICK_MS, slow_disk=True,
                                              extra_cfg={"watchkeeper.slowRequestMs": "200"}) as ensemble:
            member = ensemble.members[0]
            client = KazooClient(member.address)
            client.start()
            try:
                client.create("/slow", b"")
                member.disk.set_delay(400)
                client.set("/slow", b"x")
                member.disk.set_delay(0)
                time.sleep(_PUBLISHED_S)
                with urllib.request.urlopen(f"http://127.0.0.1:{member.metrics_port}/api/v1/inside", timeout=5) as answer:
                    inside = json.loads(answer.read())["members"][0]["inside"]
            finally:
                client.stop()
                client.close()
            slowest = inside["requests"]["slowest"][0]
            self.assertEqual((slowest["operation"], slowest["path"]), ("setData", "/slow"))
            self.assertGreaterEqual(slowest["latency_seconds"], 0.4)
            self.assertGreaterEqual(slowest["stages_seconds"]["fsync"], 0.4)
            self.assertAlmostEqual(sum(slowest["stages_seconds"].values()), slowest["latency_seconds"], places=6)
            self.assertIn("slow request: setData /slow of session", member.log())


if __name__ == "__main__":
    unittest.main()
