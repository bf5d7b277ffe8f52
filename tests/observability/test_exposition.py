"""The exposition in every family: promtool's linter, a strict parser, golden sets of names, dashboards' names.

golden/<kind>.txt lists the metrics with the names of their labels, not values, for each kind of member (leader,
follower, observer, standalone, looking, unreachable), for ensembles and for the exporter itself; they hold for Debian's
ZooKeeper 3.8.0.  WK_REWRITE_GOLDEN=1 writes them anew.
"""

import contextlib
import difflib
import os
import pathlib
import re
import subprocess
import time
import unittest

import community
import exposition
import metrics_reference

from lab import apache, faults, process, stack, workspace

_GOLDEN = pathlib.Path(__file__).resolve().with_name("golden")
_FAMILIES = ("native", "zk", "zookeeper39")
_KINDS = ("leader", "follower", "observer", "standalone", "looking", "unreachable")
_WRITES = 1500  # More than a thousand: a leader samples ack_latency once in a thousand proposals.

_SERVER_ID = re.compile(r"(?<=_)\d+(?=_(?:learner_handler_qp_|ack_latency))")


class ParserTest(unittest.TestCase):
    """The strict parser refuses what it should: without this, the tests below could not fail."""

    def test_refuses(self):
        bucket = '# TYPE h histogram\nh_bucket{le="1"} %d\nh_bucket{le="+Inf"} %d\nh_sum 1\nh_count %d\n'
        for text, complaint in (
                ("a 1", "no line feed"), ("a 1\n\n", "empty line"), ("a 1\na 1\n", "stands twice"),
                ('a{b="1"} 1\nc 1\na{b="2"} 1\n', "stand together"), ('a{b="x"y"} 1\n', "expected '}'"),
                ('a{b="\\x"} 1\n', "unknown escape"), ('a{b="1",b="2"} 1\n', "stands twice"),
                ('a{b="x\n"} 1\n', "no closing quote"), ("a{b=1} 1\n", "expected '\"'"), ("1a 1\n", "metric name"),
                ("a one\n", "expected a number"), ("a 1 1700000000\n", "follows the value"),
                ("a 1\n# TYPE a gauge\n", "after a sample"), ("# TYPE a gauge\n# TYPE a gauge\na 1\n", "second TYPE"),
                ("# HELP a x\n# HELP a x\na 1\n", "second HELP"), ("# TYPE a gauge\n", "without samples"),
                ("# TYPE a meter\na 1\n", "unknown type"), ("# hello\na 1\n", "neither HELP nor TYPE"),
                ("# TYPE a counter\na -1\n", "negative"), ("# TYPE a summary\na 1\n", "quantile"),
                (bucket % (2, 1, 1), "not cumulative"), (bucket % (1, 2, 3), "differs from _count"),
                (bucket.replace("+Inf", "2") % (1, 2, 2), "no +Inf"),
                (bucket.replace("h_sum 1\n", "") % (1, 2, 2), "one _sum")):
            with self.subTest(text=text), self.assertRaises(exposition.ExpositionError) as raised:
                exposition.parse(text)
            self.assertIn(complaint, str(raised.exception))

    def test_reads(self):
        scrape = exposition.parse('# HELP a what \\n it is\n# TYPE a gauge\n'
                                  'a{b="q\\"\\\\\\n",c="}"} 1.5e3\na{b=""} -Inf\n')
        self.assertEqual(scrape.value("a", c="}"), 1500.0)
        self.assertEqual(scrape.samples[0].labels, {"b": 'q"\\\n', "c": "}"})
        self.assertEqual(scrape.families["a"].help, "what \n it is")


def shape(samples):
    """Sorted "name{label,label}" of samples.  A server id inside of a zk name becomes SID: any voter may lead."""
    return sorted({f"{_SERVER_ID.sub('SID', sample.name)}{{{','.join(sorted(sample.labels))}}}" for sample in samples})


class ExpositionTest(unittest.TestCase):
    """Three ensembles: a whole one of which one follower is killed, one without a majority, and a single server."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as running:
            try:
                whole = running.enter_context(apache.ApacheEnsemble(3, 1))
                single = running.enter_context(apache.ApacheEnsemble(1))
                halved = running.enter_context(apache.ApacheEnsemble(2))
                configuration = workspace.new_folder("configuration") / "exporter.yaml"
                configuration.write_text("ensembles:\n" + "".join(
                    f"- {{name: {name}, members: [{', '.join(repr(address) for address in ensemble.addresses)}], "
                    "detail_interval: 1s, canary: write}\n"
                    for name, ensemble in (("whole", whole), ("single", single), ("halved", halved))), encoding="utf-8")
                cls.exporter = running.enter_context(stack.Exporter(
                    [f"--config.file={configuration}", "--family.zookeeper39"]))
                cls.members = {name: ensemble.addresses for name, ensemble in
                               (("whole", whole), ("single", single), ("halved", halved))}
                with faults.LoadGenerator(whole.connect_string, rate_per_s=300, mix={"set": 4, "get": 1}) as generator:
                    process.wait_for(lambda: generator.counts.succeeded >= _WRITES, 120, "enough writes")
            except workspace.LabUnavailable as reason:
                raise unittest.SkipTest(str(reason)) from None
            cls.addClassCleanup(running.pop_all().close)
        leader, follower, lost = whole.leader(), *whole.followers()
        # The canary's watches have fired everywhere before anything breaks.
        process.wait_for(lambda: all(exposition.parse(cls.exporter.metrics()).select(
            "watchkeeper_canary_watch_delivery_seconds_count", member=member.address) for member in whole.members), 60,
            "the canary's watches to fire")
        halved.members[0].kill()
        lost.kill()
        cls.addresses = {"leader": leader.address, "follower": follower.address,
                         "observer": whole.members[3].address, "standalone": single.members[0].address,
                         "looking": halved.members[1].address, "unreachable": lost.address}

        def settled():
            scrape = exposition.parse(cls.exporter.metrics())
            states = {kind: kind if kind in ("looking", "unreachable") else "serving" for kind in _KINDS}
            return all(scrape.value("watchkeeper_member_serving_state", member=cls.addresses[kind], state=state) == 1
                       for kind, state in states.items()) and scrape.value(
                           "watchkeeper_member_role", member=leader.address, role="leader") == 1
        process.wait_for(settled, 60, "every kind of member to be seen as such", child=cls.exporter.process)
        # Facts of members that ceased to serve stay fresh for ten seconds.
        time.sleep(12.0)
        cls.scrapes = {}
        cls.texts = {}
        for family in (*_FAMILIES, "exporter"):
            cls.texts[family] = cls.exporter.get(f"/metrics?family={family}").text
            cls.scrapes[family] = exposition.parse(cls.texts[family])

    def test_promtool_finds_nothing_in_the_native_family(self):
        done = subprocess.run([process.find_program("promtool", "prometheus"), "check", "metrics"],
                              input=self.texts["native"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_whole_scrape_parses_and_is_the_sum_of_its_families(self):
        answer = self.exporter.get("/metrics")
        self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        whole = exposition.parse(answer.text)
        self.assertEqual(set(whole.families), {name for scrape in self.scrapes.values() for name in scrape.families})
        self.assertEqual(metrics_reference.missing(whole, self.members), [])

    def test_names_and_labels_of_each_family(self):
        for sample in self.scrapes["native"].samples:
            self.assertRegex(sample.name, "^watchkeeper_")
            self.assertLessEqual({"ensemble"}, set(sample.labels))
        for sample in self.scrapes["zk"].samples:
            self.assertRegex(sample.name, "^zk_")
            self.assertLessEqual({"ensemble", "zk_host"}, set(sample.labels))
        for sample in self.scrapes["zookeeper39"].samples:
            # The only jvm_… that ZooKeeper itself counts.
            self.assertNotRegex(sample.name, "^(zk_|watchkeeper_|jvm_(?!pause_time_ms)|process_)")
            self.assertIn("instance", sample.labels)
        for family in self.scrapes["native"].families.values():
            self.assertIsNotNone(family.help, family.name)
            self.assertNotEqual(family.type, "untyped", family.name)
            self.assertEqual(family.type == "counter", family.name.endswith("_total"), family.name)

    def test_golden_sets(self):
        if os.environ.get("WK_APACHE_CLASSPATH"):
            self.skipTest("the golden sets hold for Debian's ZooKeeper; WK_APACHE_CLASSPATH names another")
        label = {"native": "member", "zk": "zk_host", "zookeeper39": "instance"}
        for kind in _KINDS:
            lines = []
            for family in _FAMILIES:
                lines.append(f"# {family}")
                lines += shape(self.scrapes[family].select_all(**{label[family]: self.addresses[kind]}))
            self.compare(kind, lines)
        self.compare("ensemble", shape(sample for sample in self.scrapes["native"].samples
                                       if "member" not in sample.labels))
        self.compare("exporter", shape(self.scrapes["exporter"].samples))

    def compare(self, name, lines):
        path = _GOLDEN / f"{name}.txt"
        text = "\n".join(lines) + "\n"
        if os.environ.get("WK_REWRITE_GOLDEN"):
            _GOLDEN.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with self.subTest(golden=name):
            golden = path.read_text("utf-8")
            self.assertEqual("".join(difflib.unified_diff(golden.splitlines(True), text.splitlines(True), path.name,
                                                          "this scrape", n=0)), "")

    def test_values_tell_the_roles(self):
        zk, native = self.scrapes["zk"], self.scrapes["native"]
        for kind in _KINDS:
            address = self.addresses[kind]
            with self.subTest(kind=kind):
                serves = kind not in ("looking", "unreachable")
                self.assertEqual(zk.value("zk_up", zk_host=address), float(serves))
                self.assertEqual(zk.value("zk_server_leader", zk_host=address), float(kind == "leader"))
                self.assertEqual(zk.value("zk_ruok", zk_host=address), float(kind != "unreachable"))
                role = kind if serves else "unknown"
                self.assertEqual([sample.labels["role"] for sample in
                                  native.select("watchkeeper_member_role", member=address) if sample.value == 1],
                                 [role])
                self.assertEqual(bool(zk.select("zk_znode_count", zk_host=address)), serves)
                self.assertEqual(bool(native.select("watchkeeper_member_znodes", member=address)), serves)

    def test_dashboard_11442_has_all_its_names(self):
        for kind in ("leader", "follower", "observer", "standalone"):
            names = {sample.name for sample in self.scrapes["zk"].select_all(zk_host=self.addresses[kind])}
            self.assertEqual(set(community.GRAFANA_11442) - names, set(), kind)
        for kind in ("looking", "unreachable"):
            names = {sample.name for sample in self.scrapes["zk"].select_all(zk_host=self.addresses[kind])}
            self.assertEqual(set(community.GRAFANA_11442) & names, community.ALWAYS_11442, kind)
        for sample in self.scrapes["zk"].select("zk_version"):
            self.assertRegex(sample.labels["version"], r"^3\.")

    def test_dashboard_10465_has_all_its_names(self):
        expected = set(community.GRAFANA_10465) - community.QUANTILES_OF_THE_PROVIDER
        self.assertEqual(len(community.GRAFANA_10465), 132 - 7)
        for kind in ("leader", "follower", "observer"):
            names = {sample.name for sample in self.scrapes["zookeeper39"].select_all(instance=self.addresses[kind])}
            missing = expected - names
            self.assertEqual(missing, set() if kind == "leader" else community.ONLY_ON_LEADERS, kind)


class ProviderTest(unittest.TestCase):
    """ZooKeeper 3.9 read through its own Prometheus provider."""

    def test_dashboard_10465_has_all_its_names(self):
        try:
            ensemble = self.enterContext(apache.ApacheEnsemble(
                3, 1, prometheus=True, whitelist="none", apache_class_path=apache.release("3.9.5")))
            configuration = workspace.new_folder("configuration") / "exporter.yaml"
            configuration.write_text("ensembles:\n- timeout: 5s\n  members:\n" + "".join(
                f"  - address: '{member.address}'\n"
                f"    prometheus_url: 'http://127.0.0.1:{member.metrics_port}/metrics'\n"
                for member in ensemble.members), encoding="utf-8")
            exporter = self.enterContext(stack.Exporter(
                [f"--config.file={configuration}", "--family.zookeeper39"]))
        except workspace.LabUnavailable as reason:
            self.skipTest(str(reason))
        with faults.LoadGenerator(ensemble.connect_string, rate_per_s=300, mix={"set": 4, "get": 1}) as generator:
            process.wait_for(lambda: generator.counts.succeeded >= _WRITES, 120, "enough writes")
        # What counts the transactions read at a start needs a start with transactions; then the counts of reads, which
        # may have been that member's, need reads again.
        follower = ensemble.followers()[0]
        follower.restart()
        ensemble.wait_until_serving()
        with faults.LoadGenerator(follower.address, mix={"get": 1}) as generator:
            process.wait_for(lambda: generator.counts.succeeded >= 100, 60, "enough reads")

        def missing():
            scrape = exposition.parse(exporter.get("/metrics?family=zookeeper39").text)
            return set(community.GRAFANA_10465) - {sample.name for sample in scrape.samples}
        with contextlib.suppress(TimeoutError):
            process.wait_for(lambda: not missing(), 60, "all names of the dashboard")
        self.assertEqual(missing(), set(), exporter.get_json("/api/v1/status")["ensembles"][0]["source_problems"])
        exposition.parse(exporter.metrics())


if __name__ == "__main__":
    unittest.main()
