"""Whole incidents in real time: three voters and an observer, the rules as shipped, Prometheus at the documented
interval of 15 s, Alertmanager, a webhook receiver.

Through everything, a thread scrapes /metrics twice a second and checks every sample: exposition, presence, one serving
state for each member, unserved time that never falls.

The incidents are the methods, run in the order of their names; each leaves a healthy ensemble to the next.  The rolling
restart comes first, since it must page nobody, and an error budget that an outage has burnt stays burnt.
"""

import contextlib
import pathlib
import re
import threading
import time
import unittest

import exposition
import metrics_reference

from lab import apache, process, stack, workspace

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_RULES = _ROOT / "alerts" / "watchkeeper.rules.yml"
_SCRAPE_S = 15.0
_SAMPLE_S = 0.5
_STATES = {"serving", "read_only", "looking", "syncing", "not_serving", "unreachable"}
_OUTAGE_ERROR_S = 2.0  # An interval at the beginning and one at the end.
_SPLIT_BRAIN_FOR_S = 20.0  # `for` of ZooKeeperSplitBrain.


class Sampler(threading.Thread):
    """Scrapes twice a second and keeps what is wrong with any sample, and the numbers of all."""

    def __init__(self, exporter, members):
        super().__init__(name="sampler", daemon=True)
        self._exporter, self._members = exporter, members
        self._stopping = threading.Event()
        self._unserved = 0.0
        self.violations = []
        self.taken = []  # (time.monotonic(), Exposition)
        self.slowest_s = 0.0

    def run(self):
        while not self._stopping.wait(_SAMPLE_S):
            begin = time.monotonic()
            try:
                answer = self._exporter.get("/metrics")
                self.slowest_s = max(self.slowest_s, answer.seconds)
                scrape = exposition.parse(answer.text)
            except (OSError, exposition.ExpositionError) as error:
                self._complain(f"{type(error).__name__}: {error}")
                continue
            self.taken.append((begin, scrape))
            self._check(scrape)

    def stop(self):
        self._stopping.set()
        self.join()

    def since(self, moment):
        """The scrapes that began after time.monotonic() was `moment`."""
        return [scrape for at, scrape in self.taken if at >= moment]

    def _complain(self, what):
        self.violations.append(f"sample {len(self.taken)}: {what}")

    def _check(self, scrape):
        for what in metrics_reference.missing(scrape, {"default": self._members}, ("always", "while the canary is on")):
            # Without a successful round there is no time since the newest one.
            if "canary_last_success_age_seconds" not in what:
                self._complain(what)
        for member in self._members:
            states = scrape.select("watchkeeper_member_serving_state", member=member)
            if {sample.labels["state"] for sample in states} != _STATES or len(states) != len(_STATES):
                self._complain(f"{member} has the states {[sample.labels['state'] for sample in states]}")
            if sorted(sample.value for sample in states) != [0.0] * (len(_STATES) - 1) + [1.0]:
                self._complain(f"not exactly one serving state of {member} is 1: {states}")
            roles = [sample.value for sample in scrape.select("watchkeeper_member_role", member=member)]
            if sorted(roles)[-1:] != [1.0] or sum(roles) != 1.0:
                self._complain(f"not exactly one role of {member} is 1: {roles}")
        unserved = scrape.value("watchkeeper_ensemble_unserved_seconds_total")
        if unserved < self._unserved:
            self._complain(f"unserved seconds fell from {self._unserved} to {unserved}")
        self._unserved = unserved
        if any(sample.value != sample.value for sample in scrape.samples):
            self._complain("a value is NaN")


class IncidentTest(unittest.TestCase):
    """Each incident is seen, told and over."""

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as running:
            try:
                cls.ensemble = running.enter_context(apache.ApacheEnsemble(3, 1, admin=True))
                cls.receiver = running.enter_context(stack.WebhookReceiver())
                cls.alertmanager = running.enter_context(stack.Alertmanager(cls.receiver))
                cls.exporter = running.enter_context(stack.Exporter(
                    ["--zookeeper", cls.ensemble.connect_string, "--canary=write"]))
                cls.sampler = Sampler(cls.exporter, cls.ensemble.addresses)
                cls.sampler.start()
                running.callback(cls.sampler.stop)
                cls.prometheus = running.enter_context(stack.Prometheus(
                    {"watchkeeper": [cls.exporter.address]}, rule_files=[_RULES], scrape_interval=f"{_SCRAPE_S:.0f}s",
                    scrape_timeout="10s", alertmanager=cls.alertmanager))
            except workspace.LabUnavailable as reason:
                raise unittest.SkipTest(str(reason)) from None
            running.callback(lambda: print(f"  {len(cls.sampler.taken)} scrapes checked, the slowest took "
                                           f"{cls.sampler.slowest_s * 1000:.0f} ms", flush=True))
            cls.addClassCleanup(running.pop_all().close)
        cls.started = time.time()

    def setUp(self):
        self.seen_violations = len(self.sampler.violations)
        # An incident begins with everybody there, also after one that failed half way.
        fallen = [member for member in self.ensemble.members if not member.alive]
        for member in fallen:
            member.start()
        if fallen:
            self.wait_until_healthy()

    def tearDown(self):
        self.assertEqual(self.sampler.violations[self.seen_violations:][:10], [])

    # -- what the incidents ask ---------------------------------------------------------------------------------

    def told(self, what, seconds):
        print(f"  {what}: {seconds:.2f} s", flush=True)

    def value(self, name, **labels):
        return exposition.parse(self.exporter.metrics()).value(name, **labels)

    def status(self):
        return self.exporter.get_json("/api/v1/status")["ensembles"][0]

    def last_event(self):
        return self.exporter.get_json("/api/v1/events?limit=1")["last_id"]

    def wait_for_event(self, kind, after, deadline_s):
        """The first event of the kind after that id, with the seconds waited."""
        def seen():
            events = self.exporter.get_json(f"/api/v1/events?after={after}&limit=5000")["events"]
            return next((event for event in events if event["type"] == kind), None)
        return process.wait_for(seen, deadline_s, f"event {kind}", interval_s=0.05, child=self.exporter.process)

    def wait_until(self, condition, deadline_s, what):
        return process.wait_for(condition, deadline_s, what, interval_s=0.05, child=self.exporter.process)[1]

    def safe_to_stop(self, member):
        """(status, reason) of /api/v1/safe-to-stop."""
        answer = self.exporter.get(f"/api/v1/safe-to-stop?member={member.address}")
        return answer.status, answer.json()["reason"]

    def wait_until_healthy(self):
        self.ensemble.wait_until_serving()

        def healthy():
            ensemble = self.status()
            return ensemble["quorum"]["margin"] == 1 and all(
                member["state"] == "serving" for member in ensemble["members"])
        try:
            self.wait_until(healthy, 60, "the exporter to find everything healthy")
        except TimeoutError as error:
            raise AssertionError(f"{error}: {self.status()['verdict']}; the members themselves say "
                                 f"{[member.mode() for member in self.ensemble.members]}") from None

    def wait_for_evaluations(self):
        """Two scrapes and the evaluation after them: what was going to become an alert without `for` is one."""
        time.sleep(2 * _SCRAPE_S + 5)

    def critical_notifications(self, since=0.0):
        return [one for one in self.receiver.notifications(status="firing")
                if one.labels.get("severity") == "critical" and one.received_at > since]

    def check_annotations(self, notification):
        for text in notification.annotations.values():
            for sign in ("<no value>", "%!", "<error", "error calling"):
                self.assertNotIn(sign, text)
        self.assertTrue((_ROOT / notification.annotations["runbook_url"]).is_file(),
                        notification.annotations["runbook_url"])

    # -- incidents ----------------------------------------------------------------------------------------------

    def test_1_healthy_is_silent(self):
        self.wait_until_healthy()
        self.prometheus.wait_for_scrapes()
        self.wait_for_evaluations()
        # Latency alerts may be pending where others use the machine; nothing else may.
        active = {(alert["labels"]["alertname"], alert["state"]) for alert in self.prometheus.alerts()}
        self.assertEqual(active - {("ZooKeeperCanaryLatencyHigh", "pending"),
                                   ("ZooKeeperRequestLatencyHigh", "pending")}, set())
        self.assertEqual(self.prometheus.rule_errors(), [])
        status = self.status()
        self.assertEqual((status["status"], status["problems"], status["source_problems"]), ("ok", [], []))
        self.assertEqual(self.value("watchkeeper_ensemble_unserved_seconds_total"), 0.0)

    def test_2_rolling_restart_pages_nobody(self):
        leader = self.ensemble.leader()
        voters = [member for member in self.ensemble.voters if member is not leader] + [leader]
        observer = self.ensemble.members[3]
        for member in voters:
            self.wait_until(lambda: self.safe_to_stop(member)[0] == 200, 30, f"member {member.id} to be safe to stop")
            others = [other for other in self.ensemble.voters if other is not member]
            member.stop()
            waited = self.wait_until(lambda: all(self.safe_to_stop(other)[0] == 409 for other in others), 2.0,
                                     "safe-to-stop to protect the members that are left")
            self.told(f"member {member.id} stopped; safe-to-stop says 409 for the other voters after", waited)
            if member is not leader:
                for other in others:
                    self.assertEqual(self.safe_to_stop(other), (409, "would leave 1 of 3 voters in sync; 2 are needed"))
                self.assertEqual(self.safe_to_stop(observer)[0], 200)
            # Protection lasts as long as the member is away.
            end = time.monotonic() + 2.0
            while time.monotonic() < end:
                self.assertEqual([self.safe_to_stop(other)[0] for other in others], [409, 409])
                time.sleep(0.1)
            member.start()
            self.ensemble.wait_until_serving()
        self.wait_until_healthy()
        self.wait_for_evaluations()
        self.assertEqual({one.name for one in self.receiver.notifications()} - {"ZooKeeperServiceInterrupted"}, set())
        # A JVM that has just started may miss a visit, and is then lost and regained once more.
        events = self.exporter.get_json("/api/v1/events?limit=5000")["events"]
        lost, regained = (sorted(one["member"] for one in events if one["type"] == kind)
                          for kind in ("member_lost", "member_regained"))
        self.assertEqual(set(lost), {member.address for member in voters})
        self.assertEqual(regained, lost)
        self.assertEqual(self.value("watchkeeper_ensemble_events_total", type="member_lost"), len(lost))
        self.assertGreater(self.value("watchkeeper_ensemble_unserved_seconds_total"), 0.0)

    def test_3_leader_killed(self):
        before = {name: self.value(name) for name in ("watchkeeper_ensemble_leader_changes_total",
                                                      "watchkeeper_ensemble_elections_total",
                                                      "watchkeeper_ensemble_election_duration_seconds_count",
                                                      "watchkeeper_ensemble_epoch")}
        lost_before = self.value("watchkeeper_ensemble_events_total", type="leader_lost")
        last = self.last_event()
        leader = self.ensemble.leader()
        begin = time.monotonic()
        leader.kill()
        event, waited = self.wait_for_event("leader_lost", last, 2.0)
        self.told("SIGKILL of the leader; leader_lost in /api/v1/events after", waited)
        self.assertEqual(event["member"], leader.address)
        self.assertEqual(event["severity"], "critical")
        self.assertIn(leader.address, event["text"])
        self.assertEqual(self.value("watchkeeper_ensemble_events_total", type="leader_lost"), lost_before + 1)
        counted = time.monotonic() - begin
        self.told("leader_lost in the counters after", counted)
        self.assertLess(counted, 2.0)

        successor, _ = self.ensemble.wait_for_leader(other_than=leader)
        seen_by_lab = time.monotonic() - begin
        self.told("the new leader serves after", seen_by_lab)
        elected, waited = self.wait_for_event("leader_elected", last, 2.0)
        self.told("leader_elected in /api/v1/events later by", waited)
        self.assertEqual(elected["member"], successor.address)
        self.assertNotIn("as before", elected["text"])
        self.assertGreater(elected["duration_seconds"], 0.0)
        self.assertLess(elected["duration_seconds"], seen_by_lab + 2.0)
        self.wait_until(lambda: self.value("watchkeeper_ensemble_leader_changes_total")
                        == before["watchkeeper_ensemble_leader_changes_total"] + 1, 2.0, "leader_changes_total to rise")
        epochs = self.value("watchkeeper_ensemble_epoch") - before["watchkeeper_ensemble_epoch"]
        self.assertGreaterEqual(epochs, 1.0)
        self.assertEqual(self.value("watchkeeper_ensemble_elections_total")
                         - before["watchkeeper_ensemble_elections_total"], epochs)
        self.assertEqual(self.value("watchkeeper_ensemble_election_duration_seconds_count"),
                         before["watchkeeper_ensemble_election_duration_seconds_count"] + 1)
        self.assertEqual(self.value("watchkeeper_ensemble_leader_id"), float(successor.id))
        lost, _ = self.wait_for_event("member_lost", last, 3.0)
        self.assertEqual(lost["member"], leader.address)
        self.assertEqual(
            self.value("watchkeeper_member_serving_state", member=leader.address, state="unreachable"), 1.0)
        # The other follower joins its new leader after that one serves, and is visited within a second of that.
        self.wait_until(lambda: self.value("watchkeeper_ensemble_quorum_margin") == 0.0, 5.0, "the margin to be 0")

        leader.start()
        regained, waited = self.wait_for_event("member_regained", last, 60)
        self.assertEqual(regained["member"], leader.address)
        self.told("restarted; member_regained after", waited)
        self.wait_until_healthy()
        self.assertEqual(self.value("watchkeeper_ensemble_quorum_margin"), 1.0)

    def test_4_two_killed(self):
        killed = self.ensemble.followers()[:1] + [self.ensemble.leader()]
        begin_wall, begin, last = time.time(), time.monotonic(), self.last_event()
        for member in killed:
            member.kill()
        event, waited = self.wait_for_event("quorum_lost", last, 2.0)
        self.told("SIGKILL of two voters; quorum_lost in /api/v1/events after", waited)
        self.assertEqual(event["severity"], "critical")

        self.wait_until(lambda: not self.status()["serving"] and self.status()["unserved"]["seconds_running"] > 3, 20,
                        "the outage to last")
        first, first_at = self.value("watchkeeper_ensemble_unserved_seconds_total"), time.monotonic()
        time.sleep(3.0)
        second, second_at = self.value("watchkeeper_ensemble_unserved_seconds_total"), time.monotonic()
        self.assertAlmostEqual(second - first, second_at - first_at, delta=1.5)
        status = self.status()
        self.assertEqual(status["status"], "critical")
        for member in killed:
            self.assertIn(member.address, status["verdict"])
        self.assertEqual(status["problems"][0]["severity"], "critical")
        self.assertEqual({problem["id"] for problem in status["problems"]} & {"quorum_lost", "no_leader"},
                         {"quorum_lost"})
        self.assertLess(self.value("watchkeeper_ensemble_quorum_margin"), 0.0)
        self.assertEqual({self.safe_to_stop(member)[0] for member in self.ensemble.voters}, {409})
        for member in self.ensemble.members:
            self.assertEqual(self.value("zk_server_leader", zk_host=member.address), 0.0)

        notice = self.receiver.wait_for("ZooKeeperQuorumLost", "firing", 60 - (time.monotonic() - begin), begin_wall)
        self.told("ZooKeeperQuorumLost at the webhook after", notice.received_at - begin_wall)
        self.assertLess(notice.received_at - begin_wall, 60.0)
        self.assertEqual(notice.labels["severity"], "critical")
        self.assertRegex(notice.annotations["summary"], r"lost its quorum: [01] of 3 voters in sync, 2 needed")
        self.check_annotations(notice)
        no_leader = self.receiver.wait_for("ZooKeeperNoLeader", "firing", 30, begin_wall)
        self.check_annotations(no_leader)

        restarted = time.time()
        for member in killed:
            member.start()
        self.ensemble.wait_until_serving(members=self.ensemble.voters)
        served = time.time()
        regained, _ = self.wait_for_event("quorum_regained", last, 10)
        self.assertGreater(regained["duration_seconds"], 3.0)
        resolved = self.receiver.wait_for("ZooKeeperQuorumLost", "resolved", 60, restarted)
        self.told("restarted; the voters serve after", served - restarted)
        self.told("ZooKeeperQuorumLost resolved at the webhook after", resolved.received_at - served)
        self.wait_until_healthy()
        settled = self.value("watchkeeper_ensemble_unserved_seconds_total")
        time.sleep(2.0)
        self.assertEqual(self.value("watchkeeper_ensemble_unserved_seconds_total"), settled)
        self.assertAlmostEqual(settled - first, served - begin_wall - (first_at - begin), delta=4.0)

    def test_5_leader_stopped(self):
        leader = self.ensemble.leader()
        unserved, last = self.value("watchkeeper_ensemble_unserved_seconds_total"), self.last_event()
        begin = time.monotonic()
        leader.pause()
        try:
            event, waited = self.wait_for_event("leader_lost", last, 10.0)
            self.told("SIGSTOP of the leader; leader_lost in /api/v1/events after", waited)
            self.assertEqual(event["member"], leader.address)
            successor, waited = self.ensemble.wait_for_leader(deadline_s=60, other_than=leader)
            leaderless_s = time.monotonic() - begin
            self.told("the new leader serves after", leaderless_s)
            elected, _ = self.wait_for_event("leader_elected", last, 3.0)
            self.assertEqual(elected["member"], successor.address)
            self.wait_until(lambda: self.status()["serving"], 5.0, "service to be seen again")
            # Nobody could write from the moment of the signal. The exporter knows this within a visit or a canary round
            # and counts back to what was first asked in vain.
            outage = self.value("watchkeeper_ensemble_unserved_seconds_total") - unserved
            self.told("outage counted by the exporter", outage)
            self.assertAlmostEqual(outage, leaderless_s, delta=_OUTAGE_ERROR_S)
            self.wait_until(lambda: self.value("watchkeeper_member_serving_state", member=leader.address,
                                               state="unreachable") == 1.0, 5.0, "the stopped member to be unreachable")
        finally:
            leader.resume()
        resumed = time.monotonic()
        self.wait_until_healthy()
        self.told("SIGCONT; healthy after", time.monotonic() - resumed)
        self.wait_for_evaluations()
        split = [scrape.value("watchkeeper_ensemble_split_brain") for scrape in self.sampler.since(begin)]
        self.assertLess(sum(split) * _SAMPLE_S, _SPLIT_BRAIN_FOR_S / 2)
        self.assertEqual(split[-1], 0.0)
        self.assertEqual([one for one in self.receiver.notifications() if one.name == "ZooKeeperSplitBrain"], [])
        self.assertEqual([alert for alert in self.prometheus.alerts("ZooKeeperSplitBrain", "firing")], [])
        self.assertEqual(self.value("watchkeeper_ensemble_deposed_leaders"), 0.0)

    def test_6_every_notification_is_complete(self):
        for notification in self.receiver.notifications(status="firing"):
            with self.subTest(alert=notification.name):
                self.check_annotations(notification)
                self.assertIn(notification.labels["severity"], ("critical", "warning", "info"))
                self.assertIsNone(re.search(r"\{\{|\}\}", notification.annotations["summary"]))


if __name__ == "__main__":
    unittest.main()
