"""The load generator of bench/: it counts right, costs little, and says what went wrong."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import unittest

import server_case
import servers
from lab import apache, ports, process, workspace

BIN = pathlib.Path(os.environ.get("WK_BIN", pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "bin"))


def run(*words):
    return subprocess.run([BIN / "wk_load", *map(str, words)], capture_output=True, text=True, timeout=120, check=False)


class AgainstTheNullServer(unittest.TestCase):
    def setUp(self):
        port = ports.reserve()
        self.addCleanup(ports.release, port)
        self.server = process.Process("null server", [BIN / "wk_null_server", port])
        self.addCleanup(self.server.terminate)
        self.address = f"127.0.0.1:{port}"

        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        process.wait_for(answers, 10, "the null server", child=self.server)

    def test_exactly_so_many_operations(self):
        found = run(self.address, "-n", 12345, "-c", 7, "-o", 13, "-m", "get=1,set=1,create=1,delete=1", "-p",
                    self.server.pid, "-q", "-j", "-")
        self.assertEqual(found.returncode, 0, found.stderr)
        document = json.loads(found.stdout)
        self.assertEqual(sum(kind["count"] for kind in document["by_operation"].values()), 12345)
        self.assertEqual(document["latency_us"]["count"], 12345)
        self.assertEqual(sorted(document["by_operation"]), ["create", "delete", "get", "set"])
        self.assertEqual(document["errors"], {})
        self.assertGreater(document["windows"][0]["server_cpu_us_per_operation"], 0)

    def test_every_watcher_is_told_once_a_round(self):
        found = run("watchers", self.address, "-c", 50, "--rounds", 2, "--pause", 0.1)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertEqual([round_["count"] for round_ in json.loads(found.stdout)["notified_us"]], [50, 50])

    def test_several_threads_share_the_work(self):
        found = run(self.address, "-n", 10000, "-c", 9, "-t", 3, "-q", "-j", "-")
        self.assertEqual(json.loads(found.stdout)["latency_us"]["count"], 10000)

    @unittest.skipIf(os.environ.get("WK_BUILD_PRESET") in ("asan", "tsan"), "a sanitizer costs more than the generator")
    def test_costs_next_to_nothing(self):
        found = run(self.address, "-c", 10, "-o", 100, "--warm-up", 0.2, "--window", 0.5, "-w", 2, "-q", "-j", "-")
        for window in json.loads(found.stdout)["windows"]:
            self.assertLess(window["own_cpu_us_per_operation"], 1.0)  # Apache's cheapest operation costs it ten.

    def test_open_loop_keeps_its_rate(self):
        found = run(self.address, "-c", 4, "-o", 50, "-r", 2000, "--warm-up", 0.2, "--window", 2, "-w", 1, "-q", "-j",
                    "-")
        window, = json.loads(found.stdout)["windows"]
        self.assertAlmostEqual(window["operations_per_s"], 2000, delta=250)

    def test_open_loop_charges_a_stalled_server(self):
        """A server that stands still for half a second is late for every request of that time."""
        def stall():
            time.sleep(0.6)
            self.server.pause()
            time.sleep(0.5)
            self.server.resume()
        stalling = threading.Thread(target=stall)
        stalling.start()
        self.addCleanup(stalling.join)
        found = run(self.address, "-c", 4, "-o", 10, "-r", 1000, "--arrivals", "even", "--warm-up", 0, "--window", 2,
                    "-w", 1, "-q", "-j", "-")
        document = json.loads(found.stdout)
        self.assertGreater(document["latency_us"]["p90"], 100_000)
        self.assertGreater(document["latency_us"]["max"], 400_000)
        self.assertGreater(document["backlog_max"], 100)

    def test_table(self):
        found = run(self.address, "-n", 100)
        self.assertEqual(found.returncode, 0)
        self.assertIn("closed loop, 10 connections, at most 100 outstanding on each, get", found.stdout)


class Mistakes(unittest.TestCase):
    def test_bad_flags(self):
        for words, said in ((("127.0.0.1:1", "-m", "gte"), "there is no operation"), (("nonsense",), "is not host:port"),
                            ((), "servers"), (("127.0.0.1:1", "-r", "5", "-n", "5"), "excludes"),
                            (("hold",), "servers"), (("hold", "nonsense"), "is not host:port"),
                            (("churn", "127.0.0.1:1", "--window", "-1"), "--window"),
                            (("expiry", "127.0.0.1:1", "-c", "0"), "--sessions")):
            with self.subTest(words=words):
                found = run(*words)
                self.assertEqual(found.returncode, 2)
                self.assertIn(said, found.stderr + found.stdout)

    def test_nobody_listens(self):
        port = ports.reserve()
        self.addCleanup(ports.release, port)
        found = run(f"127.0.0.1:{port}")
        self.assertEqual(found.returncode, 2)
        self.assertIn(f"127.0.0.1:{port}: cannot connect: Connection refused", found.stderr)

    def test_a_server_that_hangs_up(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(30)

            def hang_up():
                server.accept()[0].close()
            thread = threading.Thread(target=hang_up)
            thread.start()
            found = run("127.0.0.1:%d" % server.getsockname()[1], "-c", 1)
            thread.join()
        self.assertEqual(found.returncode, 2)
        self.assertRegex(found.stderr, r"wk_load: 127\.0\.0\.1:\d+: (the server closed the connection|no answer)")


class Scenarios(server_case.ServerCase):
    """Crowds of sessions, against both servers; what is counted is exact, times are only sane."""

    options = {"extra_cfg": {"maxClientCnxns": 0}, "tick_ms": 500}

    def scenario(self, name, *words):
        found = run(name, self.ensemble.connect_string, "-p", self.member.pid, "--root", f"/{self._testMethodName}", *words)
        self.assertEqual(found.returncode, 0, found.stderr)
        return json.loads(found.stdout)

    def number(self, key):
        return int(self.member.mntr()[key])

    def test_hold(self):
        told = self.scenario("hold", "-c", 60, "--watches", 150, "--window", 1, "-w", 2, "--session-timeout", 3)
        self.assertEqual((told["sessions"], told["watches"], told["session_timeout_s"]), (60, 9000, 3.0))
        self.assertEqual(sorted(told["resident_bytes"]), ["before", "sessions", "watches"])
        for window in told["windows"]:
            self.assertAlmostEqual(window["pings"], 60, delta=30)  # Each once a second.
            self.assertGreater(window["server_cpu_share"], 0)
        self.assertGreater(told["ping_us"]["count"], 60)
        self.assertEqual(self.number("zk_watch_count"), 0, "everybody has left")

    def test_hold_sets_the_watches_that_it_tells(self):
        for words, paths in (((), 20), (("--own-paths",), 200)):
            child = process.Process("wk_load", [BIN / "wk_load", "hold", self.ensemble.connect_string, "-c", 10, "--watches",
                                                20, "--window", 60, *words])
            self.addCleanup(child.kill)
            process.wait_for(lambda: self.number("zk_watch_count") == 200, 20, "the watches", child=child)
            self.assertIn(f"10 connections watching {paths} paths", self.member.ask("wchs"))
            child.kill()
            process.wait_for(lambda: self.number("zk_watch_count") == 0, 20, "the watches to go")

    def test_watchers(self):
        told = self.scenario("watchers", "-c", 80, "--rounds", 3, "--pause", 0.5, "--others-rate", 500)
        self.assertEqual([one["count"] for one in told["notified_us"]], [80, 80, 80])
        self.assertEqual([0 < one < 5 for one in told["server_cpu_s"]], [True] * 3, told["server_cpu_s"])
        self.assertAlmostEqual(told["others_us"]["quiet"]["count"], 250, delta=80)
        self.assertAlmostEqual(told["others_us"]["during"]["count"], 1500, delta=200)

    def test_comeback(self):
        told = self.scenario("comeback", "-c", 90, "--rounds", 2, "--pause", 0.2, "--at-once", 90)
        self.assertEqual([one["count"] for one in told["back_us"]], [90, 90])
        self.assertEqual([0 < one < 5 for one in told["server_cpu_s"]], [True] * 2, told["server_cpu_s"])
        self.assertEqual(told["wrongly_expired"], 0)

    def test_expiry(self):
        told = self.scenario("expiry", "-c", 40, "--ephemerals", 3, "--session-timeout", 2, "--pause", 0.5, "--others-rate",
                             500)
        self.assertEqual((told["sessions"], told["ephemerals"], told["session_timeout_s"]), (40, 120, 2.0))
        self.assertGreater(told["first_gone_s"], 1.5)
        self.assertLess(told["last_gone_s"], 6.0)
        self.assertEqual(self.number("zk_ephemerals_count"), 0)

    def test_churn(self):
        told = self.scenario("churn", "-c", 8, "--window", 2, "-w", 1, "--session-timeout", 2)
        self.assertEqual(told["closed"] + told["vanished"], told["lives"])
        self.assertGreater(told["lives"], 100)
        self.assertAlmostEqual(told["vanished"], told["lives"] / 16, delta=2)
        self.assertAlmostEqual(told["resumed"], told["lives"] / 8, delta=2)
        self.assertEqual(told["events"], told["closed"])
        self.wait_until_all_expired()

    def test_churn_at_a_rate(self):
        told = self.scenario("churn", "-c", 8, "--window", 2, "-w", 1, "--rate", 50, "--session-timeout", 2)
        self.assertAlmostEqual(told["lives"], 100, delta=10)
        self.wait_until_all_expired()

    def wait_until_all_expired(self):
        process.wait_for(lambda: self.number("zk_ephemerals_count") == 0, 20, "those that vanished to expire")

    def test_a_server_that_dies(self):
        with servers.running(self.kind, **self.options) as ensemble:
            child = subprocess.Popen([BIN / "wk_load", "hold", ensemble.connect_string, "-c", "20", "--watches", "1",
                                      "--window", "60"], stderr=subprocess.PIPE, text=True)
            self.addCleanup(child.kill)
            member = ensemble.members[0]
            # Watches are asked for when the last session has its reply: from then on nobody connects.
            process.wait_for(lambda: int(member.mntr()["zk_watch_count"]) >= 1, 20, "the watches")
            member.kill()
            said = child.communicate(timeout=20)[1]
        self.assertEqual(child.returncode, 2)
        self.assertRegex(said, r"wk_load hold: session \d+ of the crowd: the server closed the connection")


class AgainstApache(unittest.TestCase):
    def test_every_operation(self):
        try:
            ensemble = apache.ApacheEnsemble(1)
        except workspace.LabUnavailable as missing:
            self.skipTest(str(missing))
        with ensemble:
            mix = "get=4,exists=2,set=2,create=2,delete=1,sync=1"
            for _ in range(2):  # The second time the znodes are there already.
                found = run(ensemble.connect_string, "-n", 5000, "-m", mix, "-d", 50, "-k", 30, "-q", "-j", "-")
                self.assertEqual(found.returncode, 0, found.stderr + found.stdout)
                self.assertEqual(json.loads(found.stdout)["latency_us"]["count"], 5000)
            count = int(ensemble.members[0].mntr()["zk_znode_count"])
            self.assertGreater(count, 5 + 1 + 30 + 10 + 500)


def load_tests(loader, tests, pattern):
    """Scenarios once for each kind of server; the other cases as they are."""
    suite = servers.parametrised(Scenarios)(loader, tests, pattern)
    for case in (AgainstTheNullServer, Mistakes, AgainstApache):
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main()
