"""The shipped alert rules: valid, tested, documented, and built only on metrics that the exporter has.

Needs promtool and PyYAML. WK_CATALOGUE_NAMES is a file with one metric name a line, as `wk_catalogue_dump --names` prints them:
    build/debug/bin/wk_catalogue_dump --names > names.txt && WK_CATALOGUE_NAMES=names.txt python3 -m unittest discover -s tests/alerts
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import test_inhibition as inhibition
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "alerts"
RUNBOOKS = ROOT / "docs" / "runbooks"
MAIN_RULES = ALERTS / "watchkeeper.rules.yml"
OPTIONAL_RULES = ALERTS / "optional-node-exporter.rules.yml"
TESTS = sorted(ALERTS.glob("tests/**/*.test.yml"))
SEVERITIES = {"critical", "warning", "info"}
# Made by Prometheus itself for each target.
PROMETHEUS_OWN = {"up"}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def run(*command, cwd=ROOT):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd, timeout=900)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules(path):
    return [rule for group in load(path)["groups"] for rule in group["rules"]]


def alerting(*paths):
    return [rule for path in paths for rule in rules(path) if "alert" in rule]


def seconds(text):
    parts = re.findall(r"(\d+)([smhd])", str(text))
    return sum(int(number) * SECONDS[unit] for number, unit in parts)


def metric_names(expression):
    """Names of the series that an expression reads; label names, strings, durations and functions are no names."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}", "{}", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    names = set()
    for match in re.finditer(r"[A-Za-z_:][A-Za-z0-9_:]*(?=\s*(\()?)", bare):
        word = match.group(0)
        if match.group(1) is None and word not in {"and", "or", "unless", "bool", "offset", "by", "without"} and (
                not bare[:match.start()][-1:].isdigit()):
            names.add(word)
    return names


def template_queries(rule):
    """Queries inside annotations; the printf forms are quoted strings that begin with a metric."""
    found = []
    for text in rule.get("annotations", {}).values():
        found += re.findall(r'printf\s+"((?:\\.|[^"\\])*)"', text)
    return [query for query in found if "{" in query]


class Rules(unittest.TestCase):
    def test_promtool_accepts_the_rules(self):
        done = run("promtool", "check", "rules", MAIN_RULES, OPTIONAL_RULES, *sorted(ALERTS.glob("comparison/*.rules.yml")))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_tests_pass(self):
        self.assertTrue(TESTS, "no test files below alerts/tests")
        with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
            for path, done in zip(TESTS, pool.map(lambda path: run("promtool", "test", "rules", path), TESTS)):
                with self.subTest(path=path.name):
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_alert_is_described(self):
        for rule in alerting(MAIN_RULES, OPTIONAL_RULES):
            with self.subTest(alert=rule["alert"]):
                self.assertRegex(rule["alert"], r"\AZooKeeper[A-Z][A-Za-z]+\Z")
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                self.assertEqual(set(rule["annotations"]), {"summary", "description", "runbook_url"})
                self.assertIn("{{", rule["annotations"]["summary"], "the summary tells which and how much")
                self.assertGreater(len(rule["annotations"]["description"]), 80)
                self.assertEqual(rule["annotations"]["runbook_url"], f"docs/runbooks/{rule['alert']}.md")

    def test_annotations_ask_for_the_ensemble_of_their_own_cluster_and_namespace(self):
        asked = [(rule, query) for rule in alerting(MAIN_RULES) for query in template_queries(rule) if "ensemble=%q" in query]
        self.assertGreater(len(asked), 25)
        for rule, query in asked:
            with self.subTest(alert=rule["alert"], query=query):
                self.assertIn("cluster=%q,namespace=%q,ensemble=%q", query)
                arguments = re.escape(query) + r'" (\$labels\.job )?\$labels\.cluster \$labels\.namespace \$labels\.ensemble\b'
                self.assertRegex(" ".join(rule["annotations"].values()), arguments)

    def test_runbooks_and_alerts_match(self):
        alerts = {rule["alert"] for rule in alerting(MAIN_RULES, OPTIONAL_RULES)}
        pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
        self.assertEqual(alerts, pages)
        index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
        for alert in alerts:
            self.assertIn(f"[{alert}]({alert}.md)", index)

    def test_every_alert_is_seen_firing_and_silent(self):
        firing, silent = set(), set()
        severities = {}
        for path in TESTS:
            for case in load(path)["tests"]:
                for check in case.get("alert_rule_test") or []:
                    (firing if check["exp_alerts"] else silent).add(check["alertname"])
                    for alert in check["exp_alerts"]:
                        severities.setdefault(check["alertname"], set()).add(alert["exp_labels"]["severity"])
        for rule in alerting(MAIN_RULES, OPTIONAL_RULES):
            with self.subTest(alert=rule["alert"]):
                self.assertIn(rule["alert"], firing)
                self.assertIn(rule["alert"], silent)
                self.assertIn(rule["labels"]["severity"], severities[rule["alert"]])

    def test_each_alert_resolves_in_some_test(self):
        resolving = set()
        for path in TESTS:
            for case in load(path)["tests"]:
                fired = set()
                for check in sorted(case.get("alert_rule_test") or [], key=lambda check: seconds(check["eval_time"])):
                    if check["exp_alerts"]:
                        fired.add(check["alertname"])
                    elif check["alertname"] in fired:
                        resolving.add(check["alertname"])
        self.assertEqual({rule["alert"] for rule in alerting(MAIN_RULES, OPTIONAL_RULES)} - resolving, set())

    def test_lost_service_is_told_within_sixty_seconds(self):
        poll, scrape = 2, 15
        for group in load(MAIN_RULES)["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") in {"ZooKeeperNoLeader", "ZooKeeperQuorumLost"}:
                    with self.subTest(alert=rule["alert"]):
                        self.assertGreater(seconds(rule["for"]), scrape, "one bad sample must not fire")
                        # Two evaluations may be missed: one before the first bad sample is seen, one by rounding `for` up.
                        self.assertLessEqual(poll + scrape + 2 * seconds(group["interval"]) + seconds(rule["for"]), 60)

    def test_lifetime_means_have_a_rate_based_sibling(self):
        lifetime = [rule["alert"] for rule in alerting(MAIN_RULES) if re.search(r"_average_seconds|_maximum_seconds", rule["expr"])]
        self.assertEqual(lifetime, ["ZooKeeperAverageLatencyHigh"])
        self.assertIn("ZooKeeperRequestLatencyHigh", {rule["alert"] for rule in alerting(MAIN_RULES)})


class Names(unittest.TestCase):
    def test_extraction(self):
        self.assertEqual(metric_names('max without (state) (a_b{state=~"x|y"}) == 1 unless ignoring (s) r:c:d5m offset 3h > 2e6'),
                         {"a_b", "r:c:d5m"})
        self.assertEqual(metric_names("increase(x_total[5m]) > bool 14.4 * 0.0001 and on (a) y"), {"x_total", "y"})

    def test_recorded_names_are_read_and_read_names_are_recorded(self):
        recorded = {rule["record"] for rule in rules(MAIN_RULES) if "record" in rule}
        read = set()
        for rule in rules(MAIN_RULES):
            for expression in [rule["expr"], *template_queries(rule)]:
                read |= {name for name in metric_names(expression) if ":" in name}
        self.assertEqual(read - recorded, set())
        # Shown on dashboards and in the runbook, not read by a rule.
        self.assertEqual(recorded - read, {"ensemble:watchkeeper_error_budget_remaining:ratio30d"})

    def test_every_name_is_in_the_catalogue(self):
        listing = os.environ.get("WK_CATALOGUE_NAMES")
        if not listing or not pathlib.Path(listing).is_file():
            self.fail("WK_CATALOGUE_NAMES must name a file with the exporter's metric names: build the target wk_catalogue_dump, "
                      "run `build/PRESET/bin/wk_catalogue_dump --names > names.txt` and set WK_CATALOGUE_NAMES=names.txt; "
                      f"it is {listing!r} now")
        known = {line.split()[0] for line in pathlib.Path(listing).read_text(encoding="utf-8").splitlines() if line.strip()}
        known |= PROMETHEUS_OWN
        for rule in rules(MAIN_RULES):
            for expression in [rule["expr"], *template_queries(rule)]:
                for name in metric_names(expression):
                    if ":" in name:
                        continue
                    with self.subTest(rule=rule.get("alert") or rule.get("record"), name=name):
                        family = re.sub(r"_(bucket|sum|count)\Z", "", name)
                        self.assertTrue(name in known or family in known, f"{name} is not exported")


class Deployment(unittest.TestCase):
    def test_kubernetes_objects_are_current(self):
        done = run(ALERTS / "generate_kubernetes.py", "--check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_kubernetes_objects_hold_the_same_groups(self):
        for source, target in ((MAIN_RULES, "prometheusrule.yaml"), (OPTIONAL_RULES, "prometheusrule-node-exporter.yaml")):
            document = load(ROOT / "deploy" / "kubernetes" / target)
            self.assertEqual((document["apiVersion"], document["kind"]), ("monitoring.coreos.com/v1", "PrometheusRule"))
            self.assertEqual(document["spec"], load(source))

    def test_runbooks_can_be_rebased(self):
        done = run(ALERTS / "generate_kubernetes.py", "--stdout", "--runbook-base", "https://h/r/")
        self.assertEqual(done.returncode, 0, done.stderr)
        for document in yaml.safe_load_all(done.stdout):
            for group in document["spec"]["groups"]:
                for rule in group["rules"]:
                    if "alert" in rule:
                        self.assertEqual(rule["annotations"]["runbook_url"], f"https://h/r/{rule['alert']}.md")

    def test_prometheus_configuration(self):
        done = run("promtool", "check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_installed_configuration_loads_the_rules_as_the_read_me_says(self):
        folder = ROOT / "deploy" / "prometheus"
        text = (folder / "README.md").read_text(encoding="utf-8")
        self.assertIn(f'"SUCCESS: {len(rules(MAIN_RULES))} rules found"', text)
        groups = len(load(MAIN_RULES)["groups"])
        self.assertIn(f"another number than {groups}\ngroups", text)
        self.assertIn(f"| length'     # {groups}\n", text)
        place, wanted = re.search(r"sed 's\|(\S+)\|(\S+)\|' deploy/prometheus/prometheus.yml", text).groups()
        with tempfile.TemporaryDirectory() as installed:
            copied = (folder / "prometheus.yml").read_text(encoding="utf-8")
            path = pathlib.Path(installed) / "prometheus.yml"
            path.write_text(copied, encoding="utf-8")
            self.assertNotEqual(run("promtool", "check", "config", path).returncode, 0, "a copy without the rules is wrong")
            (path.parent / "rules").mkdir()
            (path.parent / "rules" / MAIN_RULES.name).write_bytes(MAIN_RULES.read_bytes())
            path.write_text(re.sub(place, wanted.replace("/etc/prometheus", installed), copied), encoding="utf-8")
            done = run("promtool", "check", "config", path)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn(f"SUCCESS: {len(rules(MAIN_RULES))} rules found", done.stdout)

    def test_service_monitor_gives_the_job_that_the_rules_expect(self):
        endpoint = load(ROOT / "deploy" / "kubernetes" / "servicemonitor.yaml")["spec"]["endpoints"][0]
        self.assertIn({"targetLabel": "job", "replacement": "watchkeeper"}, endpoint["relabelings"])

    def test_alertmanager_configuration_names_real_alerts(self):
        path = ROOT / "deploy" / "prometheus" / "alertmanager.yml"
        done = run("amtool", "check-config", path)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        alerts = {rule["alert"] for rule in alerting(MAIN_RULES, OPTIONAL_RULES)}
        for rule in load(path)["inhibit_rules"]:
            self.assertEqual(inhibition.named(rule["source_matchers"] + rule["target_matchers"]) - alerts, set())


if __name__ == "__main__":
    unittest.main()
