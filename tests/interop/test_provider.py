"""With Apache's Prometheus provider in zoo.cfg: /metrics, mntr and monitor have Apache's names, types, labels and spelling.

The same clients do the same things to both servers before they are asked.
"""

import json
import re
import unittest
import urllib.request

import servers
from lab import process
from server_case import ServerCase
from test_words import busy_clients

_PATIENCE_S = 10.0

REFERENCE = "apache-3.9.5"
OPTIONS = {"admin": True, "prometheus": True, "tick_ms": 2000, "extra_cfg": {"preAllocSize": 1024, "maxSessionTimeout": 600_000}}
_SAMPLE = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*?),?\})? (\S+)$")
# Apache has jvm_… beside, of which only jvm_pause_time_ms is ZooKeeper's own; we have these beside:
ONLY_OURS = {("process_threads", "")}
# Labels of Apache that have no counterpart: a median of every namespace would cost memory that clients choose.
WITHOUT_MEDIAN = {"read_per_namespace", "write_per_namespace"}


def scrape(port, query=""):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics{query}", timeout=10) as response:
        return response.read().decode()


def samples(text):
    """{(name, labels): value text} and {family: type} of an exposition, without our own families."""
    found, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            if not family.startswith("watchkeeper_"):
                types[family] = kind
        elif line and not line.startswith("#"):
            name, labels, value = _SAMPLE.match(line).groups()
            if not name.startswith("watchkeeper_"):
                found[name, labels or ""] = value
    return found, types


def ours(name):
    """Whether a sample of Apache is expected from us."""
    return not name.startswith("jvm_") or name.startswith("jvm_pause_time_ms")


def expected_names(names):
    """Of (name, labels), those that are expected from us."""
    return {(name, labels) for name, labels in names
            if ours(name) and not (name in WITHOUT_MEDIAN and "quantile" in labels)}


class Provider(ServerCase):
    kind = "watchkeeperd"
    options = OPTIONS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = cls.enterClassContext(servers.make(REFERENCE, **OPTIONS))
        cls.members = [cls.reference.members[0], cls.ensemble.members[0]]
        for member in cls.members:
            for client in busy_clients(member):
                cls.addClassCleanup(client.close)

    def fresh(self, member):
        """A scrape that shows all that the clients did: the server counts for it once a second, perhaps in their midst."""
        live = member.mntr()

        def seen():
            text = scrape(member.metrics_port)
            found, _ = samples(text)
            whole = all(float(found.get((name, ""), "nan")) == float(live[f"zk_{name}"])
                        for name in ("ephemerals_count", "watch_count", "commit_count"))
            return text if whole and float(found["num_alive_connections", ""]) == 3 else None
        return process.wait_for(seen, _PATIENCE_S, "all that the clients did in the scrape")[0]

    def test_names_labels_and_types(self):
        (expected, expected_types), (found, found_types) = (samples(self.fresh(member)) for member in self.members)
        self.assertEqual(set(found) - ONLY_OURS, expected_names(expected))
        families = {name for name, _ in expected_names(expected)}
        for family in found_types.keys() - {name for name, _ in ONLY_OURS}:
            self.assertEqual(found_types[family], expected_types[family], family)
        # Apache has a TYPE for sets without children, too.
        self.assertEqual({family for family in expected_types if ours(family)} - set(found_types),
                         {family for family in expected_types
                          if ours(family) and not any(name == family or name.startswith(f"{family}_") for name in families)})

    def test_values_that_the_clients_made(self):
        (expected, _), (found, _) = (samples(self.fresh(member)) for member in self.members)
        for name in ("znode_count", "ephemerals_count", "watch_count", "global_sessions", "approximate_data_size",
                     "num_alive_connections", "connection_request_count", "jvm_pause_time_ms_count", "commit_count"):
            self.assertEqual(float(found[name, ""]), float(expected[name, ""]), name)
        # A quantile of nothing.
        self.assertEqual(expected["quorum_ack_latency", 'quantile="0.99"'], "NaN")
        self.assertEqual(found["quorum_ack_latency", 'quantile="0.99"'], "NaN")
        self.assertNotEqual(found["fsynctime", 'quantile="0.5"'], "NaN")

    def test_mntr_and_monitor(self):
        def keys(names):
            return {name for name in names if ours(name.removeprefix("zk_"))
                    and not (re.match(r"(zk_)?(read|write)_per_namespace\{.*quantile", name))}
        expected, found = (member.mntr() for member in self.members)
        self.assertEqual(set(found), keys(expected))
        for name in ("zk_znode_count", "zk_ephemerals_count", "zk_server_state", "zk_commit_count",
                     'zk_quorum_ack_latency{quantile="0.5"}', "zk_connection_drop_probability"):
            self.assertEqual(found[name], expected[name], name)
        monitors = []
        for member in self.members:
            with urllib.request.urlopen(f"http://127.0.0.1:{member.admin_port}/commands/monitor", timeout=10) as response:
                monitors.append(json.load(response))
        self.assertEqual(set(monitors[1]), keys(monitors[0]))
        self.assertEqual(monitors[1]["znode_count"], 9.0)
        self.assertEqual(monitors[1]['quorum_ack_latency{quantile="0.5"}'], "NaN")


class Families(ServerCase):
    """Without the provider."""
    kind = "watchkeeperd"
    options = {"extra_cfg": {"watchkeeper.metricFamilies": "zk"}}

    def test_a_key_of_our_own_chooses(self):
        text = scrape(self.member.metrics_port)
        self.assertIn("\nzk_znode_count{", text)
        self.assertNotIn("\nznode_count ", text)
        self.assertNotIn("\nwatchkeeper_member_", text)
        self.assertIn("\nznode_count ", scrape(self.member.metrics_port, "?family=zookeeper39"))

    def test_mntr_is_the_plain_one(self):
        self.assertEqual(self.member.mntr()["zk_znode_count"], "5")


def load_tests(loader, _tests, _pattern):
    suite = loader.suiteClass()
    if "watchkeeperd" in servers.chosen():
        for case in (Provider, Families):
            suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main()
