"""Every query of every rule returns data on a healthy ensemble and a healthy Watchkeeper server, so that a rule is never
silent for want of a series.

What a rule compares is what is asked: an expression is split at its set operators (and, or, unless), in an alert also at
those inside an aggregation, which are its condition there, and comparisons become `bool`, which keeps every element on the left whether or not it is above the threshold.  Windows are shortened
(lab/timescale.py), so that three hours of history are there after a minute.
"""

import pathlib
import re
import unittest

import yaml

from lab import apache, faults, process, stack, timescale, watchkeeperd, workspace

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_RULE_FILES = sorted((_ROOT / "alerts").glob("*.rules.yml"))
_RULES = _ROOT / "alerts" / "watchkeeper.rules.yml"
_FACTOR = 240.0
_HISTORY_S = 120.0  # 3 h / 240 of history, and time for a busy machine.

# Queries that need a part that is absent here: (pattern of the query, why).
_ABSENT_PARTS = (
    (r"\bnode_filesystem_", "node_exporter does not run on this machine"),
    (r"certificate_expiry_timestamp", "this ensemble speaks no TLS; test_alerts_by_fault.py has one that does"),
    (r"_limit_left_seconds", "a server foretells after ten minutes of growth; tests/unit/server/node/forecast_test.cpp has those"),
    (r'last_purge_timestamp_seconds\{result="failed"\}',
     "no purge has failed here; test_alerts_by_fault.py makes one fail"),
    (r"^absent\(", "absent() gives something only while its argument gives nothing"),
)

_TOKEN = re.compile(r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<word>[A-Za-z_:][A-Za-z0-9_:]*)"""
                    r"""|(?P<compare>==|!=|<=|>=|<|>)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<other>.)""", re.DOTALL)
_SET_OPERATORS = ("and", "or", "unless")
_BOOL = re.compile(r"\s*bool\b")
_AGGREGATION = re.compile(r"(?:group|count|sum|min|max)\s+(?:by|without)\s*\([^)]*\)\s*\((.*)\)\Z", re.DOTALL)
_MATCHING = re.compile(r"\s*(on|ignoring)\s*\([^)]*\)(\s*group_(left|right)\s*(\([^)]*\))?)?")


def operands(expression):
    """The parts of an expression that its outermost set operators combine."""
    parts, depth = [""], 0
    for token in _TOKEN.finditer(expression):
        depth += (token["open"] is not None) - (token["close"] is not None)
        if depth == 0 and token["word"] in _SET_OPERATORS:
            parts.append("")
        else:
            parts[-1] += token.group()
    # What follows a set operator may begin with its matching clause.
    return [parts[0].strip()] + [_MATCHING.sub("", part, count=1).strip() if _MATCHING.match(part) else part.strip()
                                 for part in parts[1:]]


def conditions(expression):
    """The operands of an alert's expression, those inside an aggregation of several among them."""
    found = []
    for part in operands(expression):
        aggregated = _AGGREGATION.match(part)
        inner = operands(aggregated[1].strip()) if aggregated else []
        found += inner if len(inner) > 1 else [part]
    return found


def without_thresholds(expression):
    """The expression with each comparison outside of selectors turned into one that filters nothing."""
    out, braces = [], 0
    for token in _TOKEN.finditer(expression):
        braces += (token.group() == "{") - (token.group() == "}")
        filters = token["compare"] is not None and not braces and not _BOOL.match(expression, token.end())
        out.append(token.group() + (" bool" if filters else ""))
    return "".join(out)


class QueriesTest(unittest.TestCase):
    """One healthy ensemble and one healthy server for all queries."""

    maxDiff = None

    def test_expressions_are_taken_apart(self):
        self.assertEqual(operands('a == 1 and ignoring (state) group_left () b{x="or"} > 2 or absent(c and d)'),
                         ["a == 1", 'b{x="or"} > 2', "absent(c and d)"])
        self.assertEqual(conditions("group by (x) (\n  a\n  unless on (x, y) b) and max by (x) (c) or d"),
                         ["a", "b", "max by (x) (c)", "d"])
        self.assertEqual(without_thresholds('max(a{b!="1"} == 1) > 2'), 'max(a{b!="1"} == bool 1) > bool 2')
        self.assertEqual(without_thresholds("a >= bool 0 < b"), "a >= bool 0 < bool b")

    def test_every_query_returns_data(self):
        try:
            folder = workspace.new_folder("rules")
            ensemble = self.enterContext(apache.ApacheEnsemble(3, 1))
            (server,) = self.enterContext(watchkeeperd.WatchkeeperEnsemble()).members
            # A source has the states that it was in: one that answers with rubbish has to be there for its rule.
            rubbish = self.enterContext(faults.HostileServer("truncated_mntr"))
            configuration = folder / "exporter.yaml"
            configuration.write_text(
                f"ensembles:\n- {{name: whole, members: {ensemble.addresses}, canary: write, detail_interval: 2s}}\n"
                f"- {{name: rubbish, members: ['127.0.0.1:{rubbish.port}'], canary: 'off'}}\n", encoding="utf-8")
            exporter = self.enterContext(stack.Exporter([f"--config.file={configuration}"]))
            scaled, queries = [], []
            for path in _RULE_FILES:
                document = original = yaml.safe_load(path.read_text("utf-8"))
                if path == _RULES:
                    scaled.append(folder / path.name)
                    document = timescale.scale_file(path, scaled[-1], _FACTOR).document
                else:
                    scaled.append(path)  # Nothing here feeds the optional rules, so that their windows do not matter.
                for group, fast_group in zip(original["groups"], document["groups"], strict=True):
                    for rule, fast in zip(group["rules"], fast_group["rules"], strict=True):
                        split = conditions if "alert" in rule else operands
                        queries += [(rule.get("alert") or rule["record"], whole, part)
                                    for whole, part in zip(split(rule["expr"]), split(fast["expr"]), strict=True)]
            prometheus = self.enterContext(stack.Prometheus(
                {"watchkeeper": [exporter.address, f"{server.host}:{server.metrics_port}"]}, rule_files=scaled))
            for address in (ensemble.connect_string, server.address):
                self.enterContext(faults.LoadGenerator(address, rate_per_s=50,
                                                       mix={"get": 5, "set": 5, "create": 1, "watch": 1, "ephemeral": 1}))
        except workspace.LabUnavailable as reason:
            self.skipTest(str(reason))
        self.assertGreater(len(queries), 80)
        prometheus.wait_for_scrapes()

        # The longest look back of any rule decides when all of them can know something.
        waiting, waited = {}, 0.0
        for name, original, part in queries:
            if not any(re.search(pattern, part) for pattern, _ in _ABSENT_PARTS):
                waiting[without_thresholds(part)] = (name, original)

        def all_answer():
            for query in list(waiting):
                if prometheus.query(query):
                    del waiting[query]
            return not waiting
        try:
            _, waited = process.wait_for(all_answer, _HISTORY_S, "every query to return data", interval_s=1.0,
                                         child=prometheus.process)
        except TimeoutError:
            self.fail("without data:\n" + "\n".join(f"{name}: {original}" for name, original in waiting.values()))
        absent = {(pattern, why) for pattern, why in _ABSENT_PARTS
                  if any(re.search(pattern, part) for _, _, part in queries)}
        self.assertEqual(absent, set(_ABSENT_PARTS), "a reason for a query that no rule has any more")
        silent = sum(any(re.search(pattern, part) for pattern, _ in _ABSENT_PARTS) for _, _, part in queries)
        print(f"  {len(queries) - silent} queries of {len({name for name, _, _ in queries})} rules return data; the "
              f"last one after {waited:.0f} s")
        for name, original, part in queries:
            for pattern, why in _ABSENT_PARTS:
                if re.search(pattern, part):
                    print(f"  without data: {name}: {' '.join(original.split())}: {why}")

        rules = prometheus.rules()
        self.assertEqual({rule["health"] for rule in rules}, {"ok"})
        self.assertEqual(prometheus.rule_errors(), [])
        self.assertEqual(len(rules), sum(len(group["rules"]) for path in _RULE_FILES
                                         for group in yaml.safe_load(path.read_text("utf-8"))["groups"]))
        # Windows of days are seconds here, but a healthy ensemble has no alert in any of them.
        firing = [(alert["labels"]["alertname"], alert["annotations"]["summary"])
                  for alert in prometheus.alerts(state="firing")
                  if alert["labels"].get("ensemble") in ("whole", "default")]
        self.assertEqual([one for one in firing if one[0] not in _OF_THE_LOAD_AND_THE_MACHINE], [])


# The load makes nodes, and a shortened day makes its growth steep; windows of seconds show how busy the machine is.
_OF_THE_LOAD_AND_THE_MACHINE = (
    "ZooKeeperZnodeCountGrowth", "ZooKeeperEphemeralsGrowth", "ZooKeeperDataSizeGrowth", "ZooKeeperWatchCountGrowth",
    "ZooKeeperCanaryLatencyHigh", "ZooKeeperRequestLatencyHigh", "ZooKeeperAverageLatencyHigh", "ZooKeeperFsyncSlow")


if __name__ == "__main__":
    unittest.main()
