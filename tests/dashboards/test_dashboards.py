"""The Grafana dashboards: output of their source, valid for Grafana, true to the catalogue, the rules and the runbooks.

What needs npm (the generator, Grafana's types) is skipped with the reason where npm or its registry is not to be had.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import promql
import yaml

from lab import npm

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARDS = ROOT / "dashboards"
FILES = sorted(DASHBOARDS.glob("*.json"))
RULES = ROOT / "alerts" / "watchkeeper.rules.yml"
RUNBOOKS = ROOT / "docs" / "runbooks"
GRID_WIDTH = 24


def dashboards():
    """name -> document of each committed dashboard."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in FILES}


def panels(document):
    """Every panel but the headings, those of closed rows too."""
    for panel in document["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def queries(document):
    """(where, expression) of every query that the dashboard makes: panels, annotations and variables."""
    for panel in panels(document):
        for target in panel["targets"]:
            yield f'panel "{panel["title"]}" {target["refId"]}', target["expr"]
    for annotation in document["annotations"]["list"]:
        yield f'annotation "{annotation["name"]}"', annotation["target"]["expr"]
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            selector = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"]).group(1)
            yield f'variable "{variable["name"]}"', selector


def fill(query, **variables):
    """The query as Grafana would send it."""
    windows = {"__rate_interval": "10s", "__range": "1m", "__interval": "15s"}
    filled = re.sub(r"\$(\w+)", lambda match: {**windows, **variables}[match.group(1)], query)
    assert "$" not in filled, filled
    return filled


def runbooks(panel):
    """Names of the runbooks that a panel links; README is the index."""
    return [re.fullmatch(r"\$\{runbooks:raw\}(\w*)", link["url"]).group(1) or "README" for link in panel["links"]]


def catalogue():
    """The families that the dashboards may use: names and types of the running program, units of the reference."""
    listing = os.environ.get("WK_CATALOGUE_NAMES", "")
    if not pathlib.Path(listing).is_file():
        raise AssertionError("WK_CATALOGUE_NAMES must name a file with the exporter's metric names: build the target "
                             f"catalogue_names, which writes build/PRESET/catalogue_names.txt; it is {listing!r} now")
    types = {}
    for line in pathlib.Path(listing).read_text("utf-8").splitlines():
        name, kind, *_ = line.split()
        types[name] = kind
    found = []
    for name, kind, unit in re.findall(r"^\| `((?:watchkeeper|process)_\w+)` \| (\w+) \| (\S+) \|",
                                       (ROOT / "docs" / "METRICS.md").read_text("utf-8"), re.M):
        if types.get(name) != kind:
            raise AssertionError(f"docs/METRICS.md calls {name} a {kind}, the program {types.get(name)}")
        found.append(promql.Family(name, kind, unit))
    return found


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def npm_folder(name, source):
    """A copy of a folder with package.json below the build folder, with its packages; SkipTest without npm."""
    npm.require()
    folder = pathlib.Path(os.environ.get("WK_BIN", ROOT / "build" / "release" / "bin")).parent / "npm" / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name != "node_modules":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    npm.install(folder)
    return folder


def run(*command, cwd):
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=240,
                          check=False)


class Source(unittest.TestCase):
    """The committed files come from the program beside them."""

    def test_the_generator_writes_exactly_what_is_committed(self):
        folder = npm_folder("generator", DASHBOARDS / "generator")
        built = run("npm", "run", "--silent", "build", cwd=folder)
        self.assertEqual(built.returncode, 0, built.stdout + built.stderr)
        output = folder / "written"
        wrote = run("node", "node_modules/.watchkeeper/main.js", output, cwd=folder)
        self.assertEqual(wrote.returncode, 0, wrote.stdout + wrote.stderr)
        self.assertEqual({path.name: path.read_bytes() for path in output.iterdir()},
                         {path.name: path.read_bytes() for path in FILES},
                         "run `npm ci && npm run generate` in dashboards/generator")

    def test_versions_are_exact(self):
        for path in (DASHBOARDS / "generator", ROOT / "tests" / "dashboards" / "schema"):
            package = json.loads((path / "package.json").read_text("utf-8"))
            for name, version in {**package.get("dependencies", {}), **package.get("devDependencies", {})}.items():
                self.assertRegex(version, r"^(npm:@grafana/schema@)?\d+\.\d+\.\d+$", name)
            self.assertTrue((path / "package-lock.json").is_file())


class Schema(unittest.TestCase):
    """Grafana's own types accept the dashboards, and refuse what is wrong with them."""

    def test_grafanas_types_accept_them_and_refuse_mistakes(self):
        folder = npm_folder("schema", ROOT / "tests" / "dashboards" / "schema")
        checked = run("node", "check.mjs", *FILES, cwd=folder)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        print(checked.stdout.strip())
        self.assertEqual(len(re.findall(rf"parts of {len(FILES)} dashboards checked", checked.stdout)), 3)

        def first(document, kind):
            return next(panel for panel in panels(document) if panel["type"] == kind)
        mistakes = {
            "textmode": lambda document: first(document, "stat")["options"].update(textmode="name"),
            "colorMode": lambda document: first(document, "stat")["options"].update(colorMode="pink"),
            "drawStyle": lambda document: first(document, "timeseries")["fieldConfig"]["defaults"]["custom"].update(
                drawStyle="squiggle"),
            "gridPos": lambda document: first(document, "table")["gridPos"].update(h="8"),
            "expr": lambda document: first(document, "state-timeline")["targets"][0].pop("expr"),
            "no type for this kind": lambda document: first(document, "stat").update(type="graph"),
            "iconColor": lambda document: document["annotations"]["list"][0].pop("iconColor"),
            "refresh": lambda document: document["templating"]["list"][1].update(refresh="always"),
            "schemaVersion": lambda document: document.pop("schemaVersion"),
            "tittle": lambda document: document.update(tittle="x"),
        }
        broken = []
        for number, spoil in enumerate(mistakes.values()):
            document = dashboards()["ensemble"]
            spoil(document)
            broken.append(folder / f"broken-{number}.json")
            broken[-1].write_text(json.dumps(document), encoding="utf-8")
        refused = run("node", "check.mjs", *broken, cwd=folder)
        self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
        for path, word in zip(broken, mistakes, strict=True):
            told = [line for line in refused.stdout.splitlines() if line.startswith(f"{path}:") and word in line]
            for version in ("11.6", "12.4", "13.2"):
                self.assertTrue([line for line in told if f"chema {version}" in line or f"Grafana {version}" in line],
                                f"{word} in {version}: {refused.stdout}")


class Parser(unittest.TestCase):
    """The reader of queries refuses what it should: without this, the tests of queries could not fail."""

    judge = promql.Judge([promql.Family("wk_bytes_total", "counter", "bytes"), promql.Family("wk_g", "gauge", "–"),
                          promql.Family("wk_s_seconds", "summary", "seconds"), promql.Family("wk_q", "summary", "–"),
                          promql.Family("wk_h_seconds", "histogram", "seconds"), promql.Family("wk_r", "gauge", "ratio")],
                         {"a:wk:b": "rate(wk_bytes_total[5m])"})

    def test_units(self):
        for query, unit in {
                "max without (a, b) (rate(wk_bytes_total{x=\"}(\"}[1m])) > 2": {"bytes": 1, "seconds": -1},
                "sum by (x) (wk_g) / sum(wk_g)": {}, "count(wk_s_seconds{quantile=\"0.5\"}) or vector(0)": {"count": 1},
                "rate(wk_s_seconds_sum[5m]) / rate(wk_s_seconds_count[5m])": {"seconds": 1},
                "rate(wk_q_sum[5m]) / rate(wk_q_count[5m])": {"count": 1}, "rate(wk_s_seconds_sum[5m])": {},
                "wk_s_seconds_sum / (wk_s_seconds_count > 0)": {"seconds": 1},
                "histogram_quantile(0.9, sum by (le) (rate(wk_h_seconds_bucket[5m])))": {"seconds": 1},
                "rate(wk_h_seconds_bucket[5m])": {"count": 1, "seconds": -1}, "a:wk:b": {"bytes": 1, "seconds": -1},
                "1 - wk_r": {}, "2 * (wk_g == 1) or on (x) -wk_g": {"count": 1}, "increase(wk_bytes_total[1h])": {"bytes": 1},
                "wk_g + 0.5 * (wk_r == bool 1) * (wk_g > bool 0)": {"count": 1},
                "1000 * ALERTS_FOR_STATE * on (a) group_right () max by (b) (ALERTS)": {"timestamp": 1}, "7": None}.items():
            with self.subTest(query=query):
                self.assertEqual(self.judge.result(promql.parse(query)), unit)

    def test_refuses(self):
        for query, complaint in {
                "wk_bytes_total": "without a rate", "rate(wk_g[5m])": "no counter", "wk_none": "not in the catalogue",
                "rate(wk_bytes_total)": "needs a range", "wk_g + wk_r": "different units", "b:wk:c": "recorded by no rule",
                "histogram_quantile(0.9, rate(wk_s_seconds_sum[5m]))": "not the buckets", "wk_q_bucket": "not in the catalogue",
                "rate(wk_s_seconds[5m])": "no counter", "wk_s_seconds_sum / wk_q_count": "without a rate",
                "mystery(wk_g)": "not known", "wk_g wk_g": "does not fit", "(wk_g": "expected ')'",
                "wk_g{": "cannot read", "wk_r or wk_g": "different units"}.items():
            with self.subTest(query=query), self.assertRaises(promql.QueryError) as raised:
                self.judge.result(promql.parse(query))
            if complaint not in str(raised.exception):
                self.fail(f"{query}: {raised.exception}")

    def test_fitting(self):
        self.assertTrue(promql.fits("s", {"seconds": 1}) and promql.fits("percentunit", {}) and promql.fits("none", None))
        for unit, measured in (("ms", {"seconds": 1}), ("s", {"count": 1}), ("percentunit", {"count": 1}), ("short", {}),
                               ("ops", {"count": 1}), ("bytes", {"bytes": 1, "seconds": -1})):
            self.assertFalse(promql.fits(unit, measured), unit)


class Panels(unittest.TestCase):
    """Every panel can be understood, and what it claims fits the catalogue, the rules and the runbooks."""

    @classmethod
    def setUpClass(cls):
        cls.documents = dashboards()
        cls.recorded = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
        cls.judge = promql.Judge(catalogue(), cls.recorded)

    def each(self, check):
        """check(document, panel) for every panel of every dashboard; returns the sum of what it counted."""
        counted = 0
        for name, document in self.documents.items():
            for panel in panels(document):
                with self.subTest(dashboard=name, panel=panel["title"]):
                    counted += check(document, panel) or 0
        return counted

    def test_the_four_dashboards_and_their_variables(self):
        self.assertEqual({name: document["uid"] for name, document in self.documents.items()},
                         {name: f"watchkeeper-{name}" for name in ("overview", "ensemble", "member", "inside")})
        common = ["datasource", "job", "instance", "ensemble"]
        for name, document in self.documents.items():
            variables = {variable["name"]: variable for variable in document["templating"]["list"]}
            self.assertEqual(list(variables), common + (["member"] if name in ("member", "inside") else []) + ["runbooks"])
            self.assertEqual(variables["datasource"]["query"], "prometheus")
            for variable in variables.values():
                self.assertTrue(variable["label"] and variable["description"].endswith("."), variable["name"])
            self.assertTrue(document["description"])
            self.assertGreater(sum(1 for _ in panels(document)), 25)

    def test_every_query_reads_what_exists_in_a_way_that_means_something(self):
        counted = 0
        for name, document in self.documents.items():
            for where, query in queries(document):
                with self.subTest(dashboard=name, where=where):
                    counted += 1
                    try:
                        self.judge.result(promql.parse(query))
                    except promql.QueryError as wrong:
                        self.fail(f"{wrong}: {query}")
        self.assertGreater(counted, 200)

    def test_every_query_obeys_the_variables(self):
        for name, document in self.documents.items():
            for where, query in queries(document):
                tree = promql.parse(query)
                for one in re.finditer(r"([A-Za-z_:][\w:]*)\{([^}]*)\}", query):
                    with self.subTest(dashboard=name, where=where, series=one.group(1)):
                        series, labels = one.groups()
                        if series.startswith("ALERTS"):
                            self.assertIn('alertname=~"ZooKeeper.+"', labels)
                            continue
                        self.assertIn('job="$job"', labels)
                        if ":" in series:  # Recorded series drop the label instance.
                            continue
                        if where != 'variable "instance"':
                            self.assertIn('instance=~"$instance"', labels)
                        wanted = {"overview": 'ensemble=~"$ensemble"'}.get(name, 'ensemble="$ensemble"')
                        of_exporter = re.match(r"(process_|watchkeeper_(exporter|build)_|up$)", series)
                        if not of_exporter and not where.startswith("variable"):
                            self.assertIn(wanted, labels)
                        if name in ("member", "inside") and re.match("watchkeeper_(member|server|canary)_", series) and (
                                where.startswith("panel")):
                            self.assertIn('member="$member"', labels)
                bare = {one.text for one in promql.selectors(tree)}
                self.assertLessEqual({series for series in bare if f"{series}{{" not in query},
                                     {"watchkeeper_build_info"} if where == 'variable "job"' else set(), query)

    def units_of(self, panel):
        """(expression, Grafana's unit) of each query whose value is shown."""
        default = panel["fieldConfig"]["defaults"]["unit"]
        by_query, by_name = {}, {}
        for override in panel["fieldConfig"]["overrides"]:
            for wanted in override["properties"]:
                if wanted["id"] == "unit":
                    matcher = override["matcher"]
                    {"byFrameRefID": by_query, "byName": by_name}[matcher["id"]][matcher["options"]] = wanted["value"]
        organise = next((step["options"] for step in panel.get("transformations", []) if step["id"] == "organize"), None)
        for target in panel["targets"]:
            if organise is None:
                yield target["expr"], by_query.pop(target["refId"], default)
                continue
            column = "Value" if len(panel["targets"]) == 1 else f"Value #{target['refId']}"
            if not organise["excludeByName"].get(column):
                yield target["expr"], by_name.pop(organise["renameByName"][column])
        self.assertEqual((by_query, by_name), ({}, {}), "units for what the panel does not have")

    def test_every_unit_fits_its_query(self):
        def check(_, panel):
            shown = list(self.units_of(panel))
            for expression, unit in shown:
                tree = promql.parse(expression)
                measured = self.judge.result(tree)
                if panel["type"] == "heatmap":  # The axis shows the buckets' unit; the cells count.
                    self.assertEqual(measured, {"count": 1, "seconds": -1})
                    self.assertEqual((panel["options"]["yAxis"]["unit"], panel["options"]["cellValues"]["unit"]),
                                     (unit, "cps"))
                    family, part = self.judge.family(next(promql.selectors(tree)).text)
                    self.assertEqual((part, family.unit, unit), ("bucket", "seconds", "s"))
                    continue
                self.assertTrue(promql.fits(unit, measured), f"{unit} does not fit {measured}: {expression}")
                if unit == "dateTimeFromNow":
                    self.assertTrue(expression.startswith("1000 * "), "Grafana takes times in milliseconds")
            return len(shown)
        self.assertGreater(self.each(check), 180)

    def test_every_panel_says_what_it_is(self):
        def check(document, panel):
            self.assertRegex(panel["description"], r"(?s)\A[A-Z\"'].{8,}[.]\Z")
            self.assertTrue(panel["fieldConfig"]["defaults"]["noValue"])
            self.assertEqual([one["title"] for one in panels(document)].count(panel["title"]), 1)
            self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"})
            for target in panel["targets"]:
                self.assertEqual(target["datasource"], panel["datasource"])
                # A single number must be of this moment, not the last one of the range.
                self.assertEqual(target["instant"], panel["type"] in ("stat", "table"))
            return 1
        self.assertGreater(self.each(check), 100)

    def test_every_panel_leads_to_a_runbook_that_exists(self):
        pages = {path.stem for path in RUNBOOKS.glob("*.md")}
        linked = set()

        def check(_, panel):
            names = runbooks(panel)
            self.assertTrue(names)
            self.assertLessEqual(set(names), pages)
            linked.update(names)
        self.each(check)
        # Every alert's runbook is reached from some panel, so that no alert is without its graph.
        self.assertEqual(pages - linked, {"ZooKeeperAverageLatencyHigh", "ZooKeeperCanaryStalled"})

    def test_thresholds_are_those_of_the_alerts(self):
        numbers = {}
        for rule in rules():
            if "alert" in rule:
                numbers.setdefault(rule["alert"], set()).update(constants(rule["expr"]))
        # 0 and 1 stand for "none" and "any", and for flags; availability is what the error budget leaves.
        always = {0.0, 1.0, 1 - 0.0001}

        def check(_, panel):
            linked = runbooks(panel)
            found = 0
            for column, steps in thresholds(panel):
                # A column of a table may be that of any alert; a panel names its own.
                known = always.union(*(numbers.get(alert, set()) for alert in (linked if column is None else numbers)))
                for value in (step["value"] for step in steps if step["value"] is not None):
                    self.assertTrue(any(abs(value - one) <= 1e-9 * max(1, abs(one)) for one in known),
                                    f"{column or 'the panel'}: {value} is in no rule of {linked}")
                    found += value not in (0, 1)
            return found
        self.assertGreater(self.each(check), 40)

    def test_the_grid_has_no_gaps(self):
        for name, document in self.documents.items():
            ids = [panel["id"] for panel in document["panels"]] + [
                panel["id"] for row in document["panels"] for panel in row.get("panels", [])]
            self.assertEqual(len(ids), len(set(ids)), name)
            lines = {}
            for panel in panels(document):
                lines.setdefault(panel["gridPos"]["y"], []).append(panel["gridPos"])
            for y, line in lines.items():
                with self.subTest(dashboard=name, y=y):
                    line.sort(key=lambda place: place["x"])
                    self.assertEqual([place["x"] for place in line],
                                     [sum(place["w"] for place in line[:count]) for count in range(len(line))])
                    self.assertEqual(sum(place["w"] for place in line), GRID_WIDTH)
                    self.assertEqual(len({place["h"] for place in line}), 1)

    def test_links_lead_to_dashboards_that_exist(self):
        uids = {document["uid"] for document in self.documents.values()}
        for name, document in self.documents.items():
            text = json.dumps(document)
            found = set(re.findall(r'"/d/([\w-]+)', text))
            self.assertLessEqual(found, uids, name)
            self.assertEqual(found, {"overview": {"watchkeeper-ensemble", "watchkeeper-member"},
                                     "ensemble": {"watchkeeper-member"}, "member": set(), "inside": set()}[name])
            self.assertEqual([(link["type"], link["tags"], link["includeVars"], link["keepTime"])
                              for link in document["links"]], [("dashboards", ["watchkeeper"], True, True)])
            self.assertIn("watchkeeper", document["tags"])
            variables = set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__range", "__interval"}
            known = {variable["name"] for variable in document["templating"]["list"]}
            self.assertLessEqual({one for one in variables if not one.startswith("__")}, known, name)

    def test_changes_of_the_leader_are_annotated(self):
        for name, document in self.documents.items():
            with self.subTest(dashboard=name):
                by_name = {one["name"]: one for one in document["annotations"]["list"]}
                self.assertEqual(list(by_name), ["Leader changes", "Outages", "Member restarts"])
                self.assertIn("watchkeeper_ensemble_leader_changes_total", by_name["Leader changes"]["target"]["expr"])
                self.assertTrue(all(one["enable"] for one in by_name.values()))


def steady(value):
    """Ten minutes of a series, in promtool's words, with a scrape each 15 s."""
    return growing(0, value)


def growing(step, start=0):
    return f"{start}+{step}x40"


class Meaning(unittest.TestCase):
    """What queries conclude, from series that were made up; promtool evaluates them."""

    _VARIABLES = {"job": "watchkeeper", "instance": ".*", "ensemble": "prod", "member": "zk1", "__rate_interval": "1m",
                  "__range": "5m", "__interval": "15s"}

    @classmethod
    def setUpClass(cls):
        cls.documents = dashboards()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def expression(self, name, title, column=None):
        """The only query of a panel, or that of a column of a table."""
        (panel,) = [one for one in panels(self.documents[name]) if one["title"] == title]
        if column is None:
            (target,) = panel["targets"]
            return target["expr"]
        (organise,) = [step["options"]["renameByName"] for step in panel["transformations"] if step["id"] == "organize"]
        (source,) = [source for source, shown in organise.items() if shown == column]
        return next(target["expr"] for target in panel["targets"] if source == f"Value #{target['refId']}")

    def check(self, cases):
        """cases: [(expression, {series: its values in promtool's words}, {labels: expected value})], after five minutes."""
        tests = [{"interval": "15s",
                  "input_series": [{"series": one, "values": values} for one, values in series.items()],
                  "promql_expr_test": [{"expr": fill(expression, **self._VARIABLES), "eval_time": "5m", "exp_samples": [
                      {"labels": labels, "value": value} for labels, value in expected.items()]}]}
                 for expression, series, expected in cases]
        path = self.folder / "cases.yml"
        path.write_text(yaml.safe_dump({"evaluation_interval": "15s", "tests": tests}), encoding="utf-8")
        done = run("promtool", "test", "rules", path, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def of_ensemble(self, serving, margin, in_sync, voters, instance="a"):
        labels = f'{{job="watchkeeper", instance="{instance}", ensemble="prod"}}'
        return {f"watchkeeper_ensemble_{name}{labels}": steady(value) for name, value in (
            ("serving", serving), ("quorum_margin", margin), ("voters_in_sync", in_sync), ("voters", voters))}

    def test_no_service_is_shown_as_such_whatever_the_margin_is(self):
        service = self.expression("overview", "Service")
        (panel,) = [one for one in panels(self.documents["overview"]) if one["title"] == "Service"]
        words = {float(value): shown["text"] for value, shown in panel["fieldConfig"]["defaults"]["mappings"][0]["options"].items()}
        prod = '{ensemble="prod", job="watchkeeper"}'
        cases = []
        for serving, margin, in_sync, voters, text in (
                (1, 1, 3, 3, "one may fail"), (0, 1, 3, 3, "no service"), (1, 0, 2, 3, "next failure stops service"),
                (0, 0, 2, 3, "no service"), (0, -1, 1, 3, "no service"), (1, 3, 7, 7, "two or more may fail"),
                (0, 3, 7, 7, "no service"), (1, 0, 1, 1, "whole, but has no voter to spare"), (0, 0, 1, 1, "no service")):
            (value,) = [value for value, shown in words.items() if shown == text]
            cases.append((service, self.of_ensemble(serving, margin, in_sync, voters), {prod: value}))
        # The worse opinion of two exporters: one of them gets nothing done.
        (down,) = [value for value, shown in words.items() if shown == "no service"]
        cases.append((service, {**self.of_ensemble(1, 1, 3, 3), **self.of_ensemble(0, 1, 3, 3, "b")}, {prod: down}))
        self.check(cases)

    def test_a_pair_that_serves_nobody_counts_in_the_smallest_margin(self):
        smallest = self.expression("overview", "Smallest quorum margin")
        self.check([(smallest, self.of_ensemble(1, 0, 2, 2), {}), (smallest, self.of_ensemble(0, 0, 2, 2), {"{}": 0}),
                    (smallest, self.of_ensemble(1, 1, 3, 3), {"{}": 1})])

    def test_what_serves_nobody_stands_on_top(self):
        (table,) = [one for one in panels(self.documents["overview"]) if one["title"] == "Ensembles"]
        self.assertEqual([(one["displayName"], one["desc"]) for one in table["options"]["sortBy"]],
                         [("Serves", False), ("Margin", False)])

    def test_two_exporters_do_not_double_a_distribution(self):
        cases = []
        for name, document in self.documents.items():
            for panel in panels(document):
                if panel["type"] != "heatmap":
                    continue
                (target,) = panel["targets"]
                metric = re.search(r"watchkeeper_\w+_bucket", target["expr"]).group(0)
                self.assertTrue(name in ("ensemble", "inside"), name)
                labels = 'operation="sync", ' if "canary" in metric else ""
                series = {f'{metric}{{job="watchkeeper", instance="{instance}", ensemble="prod", member="{member}", {labels}le="1"}}':
                          growing(15 * pace) for instance, member, pace in (
                              ("a", "zk1", 2), ("b", "zk1", 2), ("a", "zk2", 3), ("b", "zk2", 3))}
                cases.append((target["expr"], series, {'{le="1"}': 5 if name == "ensemble" else 2}))
        self.assertEqual(len(cases), 3)
        self.check(cases)

    def test_an_answer_is_as_old_as_the_worse_exporter_says(self):
        series = {f'watchkeeper_member_source_age_seconds{{job="watchkeeper", instance="{instance}", ensemble="prod", '
                  f'member="zk1", source="{source}"}}': steady(age)
                  for instance, source, age in (("a", "ruok", 1), ("a", "conf", 9), ("b", "ruok", 100), ("b", "conf", 140))}
        down = {'watchkeeper_member_serving_state{job="watchkeeper", instance="a", ensemble="prod", member="zk1", '
                'state="serving"}': steady(0)}
        expected = {'{ensemble="prod", job="watchkeeper", member="zk1"}': 100}
        self.check([(self.expression("member", "Last good answer"), series, expected),
                    (self.expression("ensemble", "Members", "Last answer"), series, expected),
                    (self.expression("overview", "Which members do not serve", "Last good answer"), {**series, **down}, expected)])

    def test_one_target_of_two_that_is_down_is_told(self):
        series = {f'up{{job="watchkeeper", instance="{instance}"}}': steady(up)
                  for instance, up in (("a", 1), ("b", 0))}
        cases = []
        for name in ("overview", "ensemble"):
            down = self.expression(name, "Targets down")
            cases += [(down, series, {"{}": 1}), (down, {key: steady(1) for key in series}, {"{}": 0}),
                      (self.expression(name, "Targets"), series, {"{}": 2})]
            (panel,) = [one for one in panels(self.documents[name]) if one["title"] == "Targets down"]
            self.assertEqual([step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]], [None, 1])
        self.check(cases)

    def test_the_first_line_tells_how_old_all_is(self):
        rule = next(rule["expr"] for rule in rules() if rule.get("alert") == "ZooKeeperExporterStale")
        ages = {"watchkeeper_exporter_snapshot_age_seconds": "", "watchkeeper_member_last_poll_age_seconds": ""}
        for metric in ages:
            ages[metric] = float(re.search(rf"{metric}\)? > (\d+)", rule).group(1))
        for name, document in self.documents.items():
            with self.subTest(dashboard=name):
                # Those that stand by themselves are open; a closed row holds its panels.
                line = [panel for panel in document["panels"] if panel["type"] == "stat" and panel["gridPos"]["y"] == min(
                    one["gridPos"]["y"] for one in document["panels"] if one["type"] != "row")]
                (panel,) = [panel for panel in line if "ZooKeeperExporterStale" in runbooks(panel)
                            and any(metric in panel["targets"][0]["expr"] for metric in ages)]
                (metric,) = [metric for metric in ages if metric in panel["targets"][0]["expr"]]
                self.assertEqual(metric, list(ages)[name == "inside"])
                self.assertEqual([(step["value"], step["color"]) for step in
                                  panel["fieldConfig"]["defaults"]["thresholds"]["steps"]],
                                 [(None, "green"), (ages[metric], "red")])
        series = {}
        for instance, ensemble, age in (("a", "prod", 1), ("b", "prod", 40), ("c", "other", 90)):
            labels = f'job="watchkeeper", instance="{instance}"'
            series[f"watchkeeper_exporter_snapshot_age_seconds{{{labels}}}"] = steady(age)
            series[f'watchkeeper_ensemble_serving{{{labels}, ensemble="{ensemble}"}}'] = steady(1)
            series[f'watchkeeper_member_last_poll_age_seconds{{{labels}, ensemble="{ensemble}", member="zk1"}}'] = (
                steady(age))
        self.check([(self.expression("overview", "Age of view"), series, {"{}": 90}),
                    (self.expression("ensemble", "Age of view"), series, {"{}": 40}),
                    (self.expression("member", "Age of view"), series, {"{}": 40}),
                    (self.expression("inside", "Age of view"), series,
                     {'{ensemble="prod", job="watchkeeper", member="zk1"}': 40})])

    def test_a_member_without_writes_leaves_its_cells_empty(self):
        cases = []
        for column, metric in (("Writes", "update_latency"), ("fsync", "fsync_duration")):
            name = f"watchkeeper_member_{metric}_seconds"
            labels = '{job="watchkeeper", instance="a", ensemble="prod", member="zk1"}'
            expression = self.expression("ensemble", "Members", column)
            idle = {f"{name}_sum{labels}": steady(7), f"{name}_count{labels}": steady(9)}
            busy = {f"{name}_sum{labels}": growing(3, 7), f"{name}_count{labels}": growing(6, 9)}
            cases += [(expression, idle, {}),
                      (expression, busy, {'{ensemble="prod", job="watchkeeper", member="zk1"}': 0.5})]
        bucket = ('watchkeeper_canary_operation_duration_seconds_bucket{job="watchkeeper", instance="a", ensemble="prod", '
                  'member="zk1", operation="sync", le="%s"}')
        cases.append((self.expression("overview", "Ensembles", "Canary p95"),
                      {bucket % le: steady(3) for le in ("1", "+Inf")}, {}))
        self.check(cases)

    def test_no_cell_and_no_single_number_can_be_nan(self):
        def unguarded(tree, guarded=False):
            """Parts that are NaN where nothing was counted."""
            if tree.kind == "binary" and tree.text == "/":
                divisor = tree.arguments[1]
                if not guarded and divisor.kind != "number" and not (
                        divisor.kind == "binary" and divisor.text == ">" and divisor.arguments[1] == promql.Node("number", "0")):
                    yield "a divisor that may be 0"
            if tree.kind == "call" and tree.text == "histogram_quantile" and not guarded:
                yield "a percentile of what may be empty"
            guards = tree.kind == "binary" and tree.text in (">", ">=")
            for argument in tree.arguments:
                yield from unguarded(argument, guarded or guards)
        self.assertEqual(len(list(unguarded(promql.parse("1 - a / b + c / (d > 0) + (histogram_quantile(0.9, e) >= 0)")))), 1)
        for name, document in self.documents.items():
            for panel in panels(document):
                for target in panel["targets"] if panel["type"] in ("stat", "table") else []:
                    with self.subTest(dashboard=name, panel=panel["title"], query=target["expr"]):
                        self.assertEqual(list(unguarded(promql.parse(target["expr"]))), [])


def constants(expression):
    """Numbers of a rule, products of numbers taken together: 14.4 * 0.0001."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\[[^\]]*\]|offset \w+|(?<![\w.])[A-Za-z_:][\w:]*', " ", expression)
    found = set()
    for product in re.findall(r"\d+(?:\.\d+)?(?:e\d+)?(?:\s*\*\s*\d+(?:\.\d+)?(?:e\d+)?)*", bare):
        value = 1.0
        for factor in product.split("*"):
            value *= float(factor)
        found.add(value)
    return found


def thresholds(panel):
    """(column or None for the panel, steps) of each list of thresholds."""
    yield None, panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    for override in panel["fieldConfig"]["overrides"]:
        for wanted in override["properties"]:
            if wanted["id"] == "thresholds":
                yield override["matcher"]["options"], wanted["value"]["steps"]


class Provisioning(unittest.TestCase):
    """What deploy/ tells people to copy works from where it lies."""

    def test_grafana(self):
        folder = ROOT / "deploy" / "grafana" / "provisioning"
        source = yaml.safe_load((folder / "datasources" / "watchkeeper.yml").read_text("utf-8"))
        self.assertEqual(source["apiVersion"], 1)
        self.assertEqual([(one["type"], one["url"], one["access"], one["jsonData"]["timeInterval"])
                          for one in source["datasources"]], [("prometheus", "http://127.0.0.1:9090", "proxy", "15s")])
        provider = yaml.safe_load((folder / "dashboards" / "watchkeeper.yml").read_text("utf-8"))
        self.assertEqual(provider["apiVersion"], 1)
        (one,) = provider["providers"]
        self.assertEqual((one["type"], one["options"]["path"]), ("file", "/etc/watchkeeper/dashboards"))
        # The interval of the data source is that of the scrapes, since $__rate_interval is made from it.
        prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text("utf-8"))
        self.assertEqual(prometheus["global"]["scrape_interval"], "15s")

    def test_paths_in_the_instructions_exist(self):
        for readme in (ROOT / "deploy" / "grafana" / "README.md", DASHBOARDS / "README.md"):
            text = readme.read_text("utf-8")
            named = re.findall(r"(?<![\w/.])((?:alerts|dashboards|deploy|docs|tests)/[\w./-]*\w)", text)
            self.assertGreater(len(named), 4, readme)
            for path in named:
                self.assertTrue((ROOT / path).exists(), f"{readme.name}: {path}")
            for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
                self.assertTrue((readme.parent / target).exists(), f"{readme.name}: {target}")
        text = (ROOT / "deploy" / "grafana" / "README.md").read_text("utf-8")
        self.assertEqual(set(re.findall(r"/etc/watchkeeper/[\w/-]*\w", text)), {"/etc/watchkeeper/dashboards"})
        # The command that moves the runbooks finds what it is to replace.
        base = re.search(r"sed -i 's\|([^|]+)\|", text).group(1)
        for document in dashboards().values():
            (variable,) = [one for one in document["templating"]["list"] if one["name"] == "runbooks"]
            self.assertEqual((variable["query"], variable["current"]["value"]), (base, base))


if __name__ == "__main__":
    unittest.main()
