"""Ensembles of Debian's ZooKeeper: start, roles, faults of members, links and disks, sessions and load."""

import os
import time
import unittest

import lab_path  # pylint: disable=unused-import
from lab import apache, faults, process, stack

# For a machine that has a core to spare; a machine with more to do than cores takes that much longer.
_START_LIMIT_S = 15.0


def _number(member, key):
    return float(member.mntr()[key])


class PlainEnsemble(unittest.TestCase):
    """Three voters and an observer, AdminServer on, slow disks, shared by the tests: each leaves it whole."""

    @classmethod
    def setUpClass(cls):
        begin = time.monotonic()
        cls.ensemble = apache.ApacheEnsemble(3, 1, admin=True, slow_disk=True, client_proxies=True,
                                             extra_cfg={"maxClientCnxns": 20})
        cls.addClassCleanup(cls.ensemble.stop)
        cls.ensemble.start()
        cls.ensemble.wait_until_serving()
        cls.start_s = time.monotonic() - begin

    def setUp(self):
        self.addCleanup(self.make_whole)

    def make_whole(self):
        self.ensemble.heal()
        self.ensemble.start()
        self.ensemble.wait_until_serving()

    def test_start_and_roles(self):
        self.assertLess(self.start_s, _START_LIMIT_S * max(1.0, os.getloadavg()[0] / os.cpu_count()))
        modes = sorted(member.mode() for member in self.ensemble.members)
        self.assertEqual(modes, ["follower", "follower", "leader", "observer"])
        self.assertEqual(self.ensemble.member(4).mode(), "observer")
        self.assertEqual(self.ensemble.leader().mntr()["zk_synced_followers"], "2")

    def test_admin_server(self):
        for member in self.ensemble.members:
            document = stack.http_get(f"http://127.0.0.1:{member.admin_port}/commands/monitor").json()
            self.assertEqual(document["server_state"], member.mode())

    def test_killed_leader_has_a_successor_and_comes_back(self):
        old = self.ensemble.leader()
        old.kill()
        self.assertFalse(old.alive)
        fresh, waited = self.ensemble.wait_for_leader(other_than=old)
        self.assertIsNot(fresh, old)
        self.assertLess(waited, 30)
        old.start()
        self.ensemble.wait_until_serving()
        self.assertEqual(old.mode(), "follower")

    def test_two_killed_means_no_service(self):
        leader = self.ensemble.leader()
        last = self.ensemble.followers()[0]
        for member in self.ensemble.voters:
            if member is not last:
                member.kill()
        process.wait_for(lambda: last.mode() is None and "not currently serving" in last.ask("srvr"), 30, "quorum loss")
        self.assertIsNone(self.ensemble.leader())
        self.assertFalse(leader.alive)

    def test_paused_member_stops_answering(self):
        member = self.ensemble.followers()[0]
        member.pause()
        self.assertTrue(member.paused)
        self.assertEqual(faults.read_answer(member.client_port, "srvr", deadline_s=1.0), b"")
        self.assertIsNone(member.mode())
        member.resume()
        self.ensemble.wait_until_serving()
        self.assertIn("Mode: ", member.ask("srvr"))

    def test_client_port_behind_a_proxy(self):
        member = self.ensemble.member(1)
        self.assertIn(b"Mode: ", faults.read_answer(member.port, "srvr"))
        member.client_proxy.truncate(30)
        self.assertEqual(len(faults.read_answer(member.port, "srvr")), 30)
        member.client_proxy.refuse()
        with self.assertRaises(ConnectionRefusedError):
            faults.read_answer(member.port, "srvr")
        self.assertIn("Mode: ", member.ask("srvr"))

    def test_slow_disk_raises_fsynctime(self):
        leader = self.ensemble.leader()
        with faults.LoadGenerator(self.ensemble.connect_string, rate_per_s=50, mix={"set": 1}) as load:
            process.wait_for(lambda: load.counts.succeeded > 50, 30, "the load to run")
            leader.ask("srst")
            time.sleep(1.0)
            normal = _number(leader, "zk_avg_fsynctime")
            for member in self.ensemble.members:
                member.disk.set_delay(150)
            leader.ask("srst")
            process.wait_for(lambda: _number(leader, "zk_cnt_fsynctime") >= 5, 30, "five slow fsyncs")
            self.assertGreaterEqual(_number(leader, "zk_avg_fsynctime"), normal + 100)
            self.assertGreaterEqual(_number(leader, "zk_max_fsynctime"), 150)

    def test_connection_limit(self):
        member = self.ensemble.followers()[0]
        for sessions in (True, False):
            with faults.fill_connections(member.host, member.client_port, 25, sessions=sessions,
                                         source="127.0.0.2") as filled:
                self.assertEqual((len(filled.kept), filled.refused), (20, 5))
                self.assertIn("Mode: ", member.ask("srvr"))
            process.wait_for(lambda: _number(member, "zk_num_alive_connections") < 5, 10, "the connections to end")

    def test_session_storm_expires(self):
        leader = self.ensemble.leader()
        before = _number(leader, "zk_stale_sessions_expired")
        self.assertEqual(faults.session_storm("127.0.0.1", leader.client_port, 15, source="127.0.0.3"), 15)
        process.wait_for(lambda: _number(leader, "zk_stale_sessions_expired") >= before + 15, 20, "15 expired sessions")

    def test_raw_session(self):
        session = faults.RawSession("127.0.0.1", self.ensemble.member(1).client_port, timeout_ms=5000)
        self.assertEqual(session.timeout_ms, 5000)
        self.assertNotEqual(session.session_id, 0)
        session.ping()
        self.assertTrue(session.is_connected())
        session.close()

    def test_load_of_each_kind(self):
        mix = {"get": 3, "set": 1, "create": 1, "create_delete": 1, "watch": 1, "ephemeral": 1}
        load = faults.LoadGenerator(self.ensemble.connect_string, rate_per_s=300, mix=mix).start()
        leader = self.ensemble.leader()
        process.wait_for(lambda: load.counts.succeeded >= 600, 30, "600 operations")
        self.assertGreater(_number(leader, "zk_ephemerals_count"), 20)
        self.assertGreater(_number(leader, "zk_znode_count"), 100)
        self.assertGreater(sum(_number(member, "zk_watch_count") for member in self.ensemble.members), 10)
        counts = load.stop()
        self.assertEqual((counts.failed, counts.last_error), (0, ""))
        process.wait_for(lambda: _number(leader, "zk_ephemerals_count") == 0, 10, "the ephemeral nodes to go")


class Links(unittest.TestCase):
    """Members that reach each other through proxies only."""

    @classmethod
    def setUpClass(cls):
        cls.ensemble = apache.ApacheEnsemble(3, 1, link_proxies=True)
        cls.addClassCleanup(cls.ensemble.stop)
        cls.ensemble.start()
        cls.ensemble.wait_until_serving()

    def setUp(self):
        self.addCleanup(self.ensemble.wait_until_serving)
        self.addCleanup(self.ensemble.heal)

    def test_isolated_leader_loses_its_office(self):
        old = self.ensemble.leader()
        self.ensemble.isolate(old)
        fresh, _ = self.ensemble.wait_for_leader(other_than=old)
        process.wait_for(lambda: old.mode() is None, 30, "the old leader to step down")
        self.assertIn(fresh.role, "participant")
        self.ensemble.heal()
        self.ensemble.wait_until_serving()
        self.assertEqual(old.mode(), "follower")

    def test_delayed_link_makes_one_follower_lag(self):
        leader = self.ensemble.leader()
        slow, fast = self.ensemble.followers()
        with faults.LoadGenerator(f"127.0.0.1:{leader.client_port}", rate_per_s=100, mix={"set": 1}) as load:
            process.wait_for(lambda: load.counts.succeeded > 50, 30, "the load to run")
            self.ensemble.delay_link(slow, leader, 600)

            def zxid(member):
                line = next(line for line in member.ask("srvr").splitlines() if line.startswith("Zxid: "))
                return int(line.split()[1], 16)
            # Read in this order, the slow one gains by the gap between the questions.
            process.wait_for(lambda: zxid(fast) - zxid(slow) >= 20, 20, "the slow one to lag")
            self.assertEqual(self.ensemble.leader(), leader)


class Configurations(unittest.TestCase):
    """What a test can choose."""

    def test_standalone_with_the_default_whitelist(self):
        with apache.ApacheEnsemble(1, whitelist="none") as ensemble:
            member = ensemble.member(1)
            self.assertEqual(member.mode(), "standalone")
            self.assertEqual(member.ask("mntr"), "mntr is not executed because it is not in the whitelist.\n")

    def test_whitelist_and_one_members_own_setting(self):
        with apache.ApacheEnsemble(1, whitelist=["ruok", "conf"]) as ensemble:
            member = ensemble.member(1)
            self.assertEqual(member.ask("ruok"), "imok")
            member.extra_cfg["maxClientCnxns"] = 7
            member.restart()
            ensemble.wait_until_serving()
            self.assertIn("maxClientCnxns=7\n", member.ask("conf"))

    def test_a_member_that_cannot_start_tells_why(self):
        ensemble = apache.ApacheEnsemble(1, extra_cfg={"tickTime": "soon"})
        self.addCleanup(ensemble.stop)
        ensemble.start()
        with self.assertRaisesRegex(RuntimeError, "member 1 ended with status 2"):
            ensemble.wait_until_serving()

    def test_stop_removes_processes_ports_and_files(self):
        ensemble = apache.ApacheEnsemble(1)
        ensemble.start()
        ensemble.wait_until_serving()
        pid = ensemble.member(1).pid
        self.assertIn(pid, process.live_pids())
        ensemble.stop()
        self.assertNotIn(pid, process.live_pids())
        self.assertFalse(ensemble.folder.exists())


if __name__ == "__main__":
    unittest.main()
