"""Every query of every dashboard returns data from a real Prometheus that scrapes a real exporter of real ensembles, and a
Watchkeeper server that tells its inside.

The variables are filled in as Grafana would.  First the ensemble is whole; then its leader is killed and comes back with
another configuration, so that the queries about trouble have some to tell of.  No query is left out; what only some roles
can answer is listed, and checked to be silent on the others.
"""

import contextlib
import math
import re
import time
import unittest

import test_dashboards as static
import yaml

from lab import apache, faults, process, stack, timescale, tls, watchkeeperd, workspace
from observability import community

_FACTOR = 240.0
_WRITES = 1500  # More than a thousand: a leader samples ack_latency once in a thousand proposals.
_DAY_S = 86400

# Queries of the dashboard of one member (patterns) that members of some roles cannot answer.
_ONLY_ON_LEADERS = ("quorum_ack_latency", "_member_ack_latency", "learner_queue_packets", "prep_queue", "prep_duration",
                    "pending_syncs")
_ONLY_ON_FOLLOWERS = ("_member_proposal_latency", "commit_propagation_latency")
_ONLY_WITH_TLS = ("certificate_expiry",)
# What a server tells only after it has seen ten minutes of growth; tests/unit/server/node/forecast_test.cpp has those.
_AFTER_TEN_MINUTES = ("_limit_left_seconds",)
# Queries that tell of trouble: (pattern, the trouble that this test makes).
_AFTER_A_FAULT = (
    (r"ALERTS", "a member is down"),
    (r'state!="serving"|and min without \(state.*== 0', "a member is down"),
    (r"leader_changes_total.*> 0$", "the leader was killed"),
    (r"^1 - .*ensemble_serving.* > 0$", "the leader was killed"),
    (r"restarts_total.*> 0$", "the killed member came back"),
    (r"events_total(?!.*core_stalled)", "all of it makes events"),
    (r'source_polls_total\{.*result!="ok"', "a member is down"),
    (r"configuration_drift\{", "the member came back with another configuration"),
    (r"member_election_duration", "an election was held"),
)
# Names of dashboard 10465 that come from the Java virtual machine's own collectors and not from ZooKeeper: no four-letter
# word tells them, so an exporter beside the server cannot.
_JAVA_10465 = {"jvm_classes_loaded", "jvm_gc_collection_seconds_sum", "jvm_memory_pool_bytes_used", "jvm_threads_current",
               "jvm_threads_deadlocked", "jvm_threads_state"}


class Visitor:
    """A client of one member that touches what the load does not: children, and watches of every kind."""

    _ROOT = "/dashboards"

    def __init__(self, member):
        from kazoo.client import KazooClient  # Only this class needs the package.
        self._client = KazooClient(hosts=member.address, timeout=10.0)
        self._path = f"{self._ROOT}/{member.id}"

    def __enter__(self):
        self._client.start(timeout=30)
        self._client.ensure_path(self._ROOT)
        return self

    def __exit__(self, *_):
        self._client.stop()
        self._client.close()

    def visit(self):
        """Once through the life of a znode, each step watched."""
        def watch(_):
            pass
        self._client.exists(self._path, watch)
        self._client.get_children(self._ROOT, watch, include_data=True)
        self._client.create(self._path, b"1")
        self._client.get_children(self._ROOT, include_data=True)
        self._client.get(self._path, watch)
        self._client.set(self._path, b"2")
        self._client.get(self._path, watch)
        self._client.delete(self._path)


def job_for_names_of_39():
    """The job that the instructions give to those whose dashboards know the names of ZooKeeper 3.9."""
    text = (static.ROOT / "deploy" / "grafana" / "README.md").read_text("utf-8")
    (job,) = yaml.safe_load(re.search(r"```yaml\n(.+?)```", text, re.DOTALL).group(1))
    return job


class LiveTest(unittest.TestCase):
    """An ensemble of three voters and an observer, a single server that speaks TLS, and a Watchkeeper server."""

    maxDiff = None
    trouble_at = None  # when the ensemble was broken

    @classmethod
    def setUpClass(cls):
        try:
            cls.folder = workspace.new_folder("dashboards")
            authority = tls.CertificateAuthority()
            cls.whole = cls.enterClassContext(apache.ApacheEnsemble(3, 1))
            cls.secure = cls.enterClassContext(apache.ApacheEnsemble(1, tls=tls.ServerTls(
                authority, authority.issue("secure", valid_s=90 * _DAY_S), plain_port=False)))
            (cls.server,) = cls.enterClassContext(watchkeeperd.WatchkeeperEnsemble()).members
            configuration = cls.folder / "exporter.yaml"
            configuration.write_text(
                f"ensembles:\n- {{name: whole, members: {cls.whole.addresses}, canary: write, detail_interval: 1s}}\n"
                f"- {{name: secure, members: {cls.secure.addresses}, tls: {{ca_file: '{authority.certificate}'}}}}\n",
                encoding="utf-8")
            cls.exporter = cls.enterClassContext(stack.Exporter(
                [f"--config.file={configuration}", "--family.zookeeper39"]))
            scaled = cls.folder / static.RULES.name
            timescale.scale_file(static.RULES, scaled, _FACTOR)
            target = {"static_configs": [{"targets": [cls.exporter.address]}]}
            cls.prometheus = cls.enterClassContext(stack.Prometheus([
                {"job_name": "watchkeeper", "params": {"family": ["native", "zk", "exporter"]}, "static_configs": [
                    *target["static_configs"], {"targets": [f"{cls.server.host}:{cls.server.metrics_port}"]}]},
                {**job_for_names_of_39(), **target}], rule_files=[scaled]))
            cls.load = cls.enterClassContext(faults.LoadGenerator(
                cls.whole.connect_string, rate_per_s=200, mix={"set": 6, "get": 2, "create": 1, "watch": 1, "ephemeral": 1}))
            cls.enterClassContext(faults.LoadGenerator(cls.server.address, mix={"set": 6, "get": 2, "watch": 1}))
            process.wait_for(lambda: cls.load.counts.succeeded >= _WRITES, 120, "enough writes")
            cls.prometheus.wait_for_scrapes()
        except workspace.LabUnavailable as reason:
            raise unittest.SkipTest(str(reason)) from None

    def fillings(self, member):
        """What the variables may be: the whole ensemble with this member, the one with TLS, or the Watchkeeper server."""
        return {
            "whole": {"job": "watchkeeper", "instance": ".*", "ensemble": "whole", "member": member.address},
            "secure": {"job": "watchkeeper", "instance": ".*", "ensemble": "secure",
                       "member": self.secure.members[0].address},
            "inside": {"job": "watchkeeper", "instance": ".*", "ensemble": "default", "member": self.server.address},
        }

    def answers(self, query, variables):
        """Whether the filled query has a value that is a number, now, in the last minute or since the trouble."""
        text = static.fill(query, **variables)
        end = time.time()
        begin = min(end - 60, self.trouble_at or end)
        return any(not math.isnan(value) for _, value in self.prometheus.query(text)) or any(
            not math.isnan(value) for _, points in self.prometheus.query_range(text, begin, end, 1) for _, value in points)

    def test_every_query_returns_data(self):
        leader, follower = self.whole.leader(), self.whole.followers()[0]
        asked = {}
        for name, document in static.dashboards().items():
            for where, query in static.queries(document):
                asked[name, where] = query
        self.assertGreater(len(asked), 200)

        def of_trouble(query):
            return any(re.search(pattern, query) for pattern, _ in _AFTER_A_FAULT)

        forecasts = {key for key, query in asked.items() if re.search("|".join(_AFTER_TEN_MINUTES), query)}
        self.assertEqual({name for name, _ in forecasts}, {"inside"})
        waiting = {key: query for key, query in asked.items() if not of_trouble(query) and key not in forecasts}

        def all_answer(fillings):
            for key, query in list(waiting.items()):
                if any(self.answers(query, variables) for variables in fillings):
                    del waiting[key]
            return not waiting
        whole = [*self.fillings(leader).values(), *self.fillings(follower).values()]
        with Visitor(leader) as of_leader, Visitor(follower) as of_follower:
            def visited_and_answered():
                of_leader.visit()
                of_follower.visit()
                return all_answer(whole)
            self.wait(visited_and_answered, waiting, 150)
            print(f"  {sum(not of_trouble(query) for query in asked.values()) - len(forecasts)} queries of a healthy ensemble "
                  "return data")
            of_member = {key: query for key, query in asked.items()
                         if key[0] == "member" and "$member" in query and not of_trouble(query)}
            for member, lacking in ((leader, _ONLY_ON_FOLLOWERS), (follower, _ONLY_ON_LEADERS)):
                with self.subTest(leads=member is leader):
                    variables = self.fillings(member)["whole"]
                    expected = sorted(key for key, query in of_member.items()
                                      if any(re.search(pattern, query) for pattern in lacking + _ONLY_WITH_TLS))

                    def silent(variables=variables):
                        return sorted(key for key, query in of_member.items() if not self.answers(query, variables))
                    # Somebody answered each; this member's own visit and scrape may still come.
                    with contextlib.suppress(TimeoutError):
                        process.wait_for(lambda expected=expected, silent=silent: silent() == expected, 30, "both members",
                                         interval_s=1.0)
                    self.assertEqual(silent(), expected)

        # Trouble: the leader dies, and comes back with another configuration once its alert fires. Another voter goes with it
        # for a while: an election alone may be over between two scrapes.
        self.trouble_at = time.time()
        second = next(member for member in self.whole.followers() if member is not follower)
        leader.kill()
        second.kill()
        process.wait_for(lambda: self.prometheus.query('watchkeeper_ensemble_serving{ensemble="whole"} == 0'), 30,
                         "the outage in Prometheus")
        second.start()
        self.whole.wait_for_leader(other_than=leader)
        self.prometheus.wait_for_alert("ZooKeeperMemberDown", 60)
        waiting.update({key: query for key, query in asked.items() if of_trouble(query)})
        self.assertGreater(len(waiting), 15)
        down = list(self.fillings(leader).values())
        self.wait(lambda: all_answer(down) or all(
            re.search(r"restarts_total|configuration_drift\{|election_duration", query) for query in waiting.values()),
            waiting, 150)
        leader.extra_cfg["maxClientCnxns"] = 61
        leader.start()
        self.whole.wait_until_serving()
        self.wait(lambda: all_answer(down), waiting, 150)
        # Grafana draws a mark for values above 0 only.
        for document in static.dashboards().values():
            for annotation in document["annotations"]["list"]:
                with self.subTest(annotation=annotation["name"]):
                    # The steps of the range may all lie before the scrape that answered above, by less than one step.
                    text = static.fill(annotation["target"]["expr"], **down[0])
                    found, _ = process.wait_for(
                        lambda text=text: self.prometheus.query_range(text, self.trouble_at, time.time(), 1), 30, text)
                    self.assertEqual([value for _, points in found for _, value in points if not value > 0], [])
                    for labels, _ in found:
                        wanted = re.findall(r"\{\{(\w+)\}\}", annotation["textFormat"])
                        self.assertEqual([name for name in wanted if not labels.get(name)], [])
        print(f"  {sum(of_trouble(query) for query in asked.values())} queries about trouble return data once there is some")

        for pattern, trouble in _AFTER_A_FAULT:
            self.assertTrue(any(re.search(pattern, query) for query in asked.values()), f"no query waits until {trouble}")
        self.assertEqual(self.prometheus.rule_errors(), [])

    def wait(self, condition, waiting, deadline_s):
        try:
            process.wait_for(condition, deadline_s, "every query to return data", interval_s=1.0,
                             child=self.prometheus.process)
        except TimeoutError:
            self.fail("without data:\n" + "\n".join(f"{name}: {where}: {query}" for (name, where), query in waiting.items()))

    def test_every_linked_runbook_is_served(self):
        linked = {name for document in static.dashboards().values() for panel in static.panels(document)
                  for name in static.runbooks(panel)}
        self.assertGreater(len(linked), 30)
        for name in linked:
            with self.subTest(runbook=name):
                answer = self.exporter.get("/runbooks/" + ("" if name == "README" else name))
                self.assertEqual((answer.status, answer.headers["content-type"].split(";")[0]), (200, "text/html"))
                self.assertIn(name if name != "README" else "ZooKeeperQuorumLost", answer.text)

    def test_dashboard_10465_finds_its_names_by_member(self):
        """Through Prometheus, whose own label instance must give way to the member's."""
        self.assertEqual(len(community.GRAFANA_10465) + len(_JAVA_10465 | {"jvm_pause_time_ms_sum"}), 132)
        expected = set(community.GRAFANA_10465) - community.QUANTILES_OF_THE_PROVIDER | {"jvm_pause_time_ms_sum"}
        for role in ("leader", "follower", "observer"):
            with self.subTest(role=role):
                member = {"leader": self.whole.leader, "follower": lambda: self.whole.followers()[0],
                          "observer": lambda: self.whole.members[3]}[role]()
                lacking = set() if role == "leader" else community.ONLY_ON_LEADERS

                def names(member=member):
                    return {labels["__name__"] for labels, _ in self.prometheus.query(
                        f'{{job="zookeeper", instance="{member.address}"}}')}
                with contextlib.suppress(TimeoutError):
                    process.wait_for(lambda lacking=lacking, names=names: expected - lacking <= names(), 30, "every name")
                found = names()
                self.assertEqual(expected - found, lacking)
                self.assertEqual(found & _JAVA_10465, set())

    def test_dashboard_11442_finds_its_names_by_member(self):
        for member in self.whole.members:
            names = {labels["__name__"] for labels, _ in self.prometheus.query(
                f'{{job="watchkeeper", zk_host="{member.address}", __name__=~"zk_.+"}}')}
            self.assertEqual(set(community.GRAFANA_11442) - names, set(), member.address)
        # Its variables come from zk_up: job and instance.
        labels = [labels for labels, _ in self.prometheus.query('zk_up{ensemble="whole"}')]
        self.assertEqual({(one["job"], one["instance"]) for one in labels}, {("watchkeeper", self.exporter.address)})
        self.assertEqual(self.prometheus.value('sum(zk_server_leader{ensemble="whole"})'), 1)


if __name__ == "__main__":
    unittest.main()
