"""What the shipped Alertmanager configuration mutes, asked of a running Alertmanager.

The labels of the alerts are those that the rules really give: they come from the expectations of the promtool tests. A rule
of inhibition whose `equal` names a label that one of the two alerts lacks would never mute anything, and is found here.
"""

import json
import pathlib
import re
import unittest
import urllib.request

import yaml

from lab import process, stack, workspace

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_CONFIGURATION = _ROOT / "deploy" / "prometheus" / "alertmanager.yml"
_SETTLED_S = 20


def real_labels():
    """{alert name: [label sets that the rules gave it in the tests of the rules]}."""
    found = {}
    for path in sorted((_ROOT / "alerts" / "tests").rglob("*.test.yml")):
        for test in yaml.safe_load(path.read_text("utf-8"))["tests"]:
            for case in test.get("alert_rule_test", []):
                for expected in case.get("exp_alerts", []):
                    labels = {"alertname": case["alertname"], **expected["exp_labels"]}
                    found.setdefault(case["alertname"], []).append({name: str(value) for name, value in labels.items()})
    return found


class Matcher:
    """One matcher of an inhibition rule: NAME OPERATOR "VALUE"."""

    def __init__(self, text):
        self.name, self.operator, self.value = re.match(r'(\w+) *(=~|!~|!=|=) *"(.*)"\Z', text).groups()

    def __call__(self, labels):
        value = labels.get(self.name, "")
        same = re.fullmatch(self.value, value) is not None if "~" in self.operator else value == self.value
        return same != self.operator.startswith("!")


def matching(texts, known):
    """Of each alert that the matchers can mean, the first label set that fulfils them all."""
    matchers = [Matcher(text) for text in texts]
    return {name: fitting[0] for name, sets in known.items()
            if (fitting := [labels for labels in sets if all(matcher(labels) for matcher in matchers)])}


def named(texts):
    """The alerts that the matchers list by name, those that they except among them."""
    found = set()
    for matcher in map(Matcher, texts):
        if matcher.name == "alertname" and matcher.value != "ZooKeeper.+":
            group = re.match(r"(\w*)\(([^)]*)\)\Z", matcher.value)
            found |= {group[1] + part for part in group[2].split("|")} if group else {matcher.value}
    return found


class InhibitionTest(unittest.TestCase):
    maxDiff = None

    def test_every_rule_mutes_what_it_names_and_nothing_else(self):
        known = real_labels()
        rules = yaml.safe_load(_CONFIGURATION.read_text("utf-8"))["inhibit_rules"]
        alerts, muted, loud, pairs = [], {}, {}, 0
        for rule in rules:
            sources, targets = (matching(rule[key], known) for key in ("source_matchers", "target_matchers"))
            for texts, found in ((rule["source_matchers"], sources), (rule["target_matchers"], targets)):
                meant = named(text for text in texts if not Matcher(text).operator.startswith("!"))
                self.assertEqual(sorted(meant - set(found)), [], "no test of the rules has such an alert")
            self.assertTrue(sources and targets, rule)
            for source in sources.values():
                for target in targets.values():
                    if "alertname" in rule["equal"] and source["alertname"] != target["alertname"]:
                        continue
                    pairs += 1
                    where = f"{source['alertname']} → {target['alertname']}"
                    equal = [label for label in rule["equal"] if label != "alertname" and (label in source or label in target)]
                    self.assertTrue(equal, where)
                    for label in equal:
                        self.assertTrue(label in source and label in target, f"{where}: only one of them has {label}")
                    shared = {label: f"pair-{pairs}" for label in equal}
                    worse, follows = ({**self.apart(labels, pairs, role), **shared}
                                      for labels, role in ((source, "source"), (target, "target")))
                    here = {"cluster": f"here-{pairs}", "namespace": f"here-{pairs}"}
                    worse_here, follows_here = {**worse, **here}, {**follows, **here}
                    # One label differs, or only one of the two alerts has it.
                    others = [{**follows, label: f"other-{pairs}"} for label in [*equal, *here]]
                    others += [{**follows_here, label: f"other-{pairs}"} for label in here]
                    alerts += [worse, follows, worse_here, follows_here, *others]
                    muted[self.key(follows)] = muted[self.key(follows_here)] = where
                    for heard in (worse, worse_here, *others):
                        loud[self.key(heard)] = where
        print(f"  {pairs} pairs of alerts, {len(alerts)} alerts")
        self.assertGreater(pairs, 60)
        self.check(alerts, muted, loud)

    def test_another_cluster_is_heard(self):
        lost, down = ({"alertname": f"ZooKeeper{name}", "ensemble": "default", "job": "watchkeeper", "instance": "exporter:9141"}
                      for name in ("QuorumLost", "MemberDown"))
        lost_in_a, down_in_a, down_in_b = ({**lost, "cluster": "A"}, *({**down, "member": "zk1", "cluster": cluster} for cluster in "AB"))
        self.check([lost_in_a, down_in_a, down_in_b], {self.key(down_in_a): "MemberDown in A"},
                   {self.key(lost_in_a): "QuorumLost in A", self.key(down_in_b): "MemberDown in B"})

    def test_only_the_ensemble_that_is_not_polled_is_muted(self):
        exporter = {"job": "watchkeeper", "instance": "exporter:9141"}
        stale = {"alertname": "ZooKeeperExporterStale", "ensemble": "hung", **exporter}
        down = [{"alertname": "ZooKeeperMemberDown", "member": "zk1", "ensemble": ensemble, **exporter}
                for ensemble in ("hung", "well")]
        self.check([stale, *down], {self.key(down[0]): "the ensemble that is not polled"},
                   {self.key(stale): "the cause", self.key(down[1]): "another ensemble of the same exporter"})
        # The whole exporter hangs: then both are muted, and another exporter's are not.
        stale = {"alertname": "ZooKeeperExporterStale", **exporter}
        other = {**down[1], "instance": "other:9141"}
        self.check([stale, *down, other], {self.key(one): one["ensemble"] for one in down},
                   {self.key(stale): "the cause", self.key(other): "another exporter"})

    def check(self, alerts, muted, loud):
        """Sends the alerts to a running Alertmanager and sees which it suppresses; muted and loud: {key: what it is}."""
        try:
            receiver = self.enterContext(stack.WebhookReceiver())
            manager = self.enterContext(stack.Alertmanager(
                receiver, configuration=yaml.safe_load(_CONFIGURATION.read_text("utf-8"))))
        except workspace.LabUnavailable as reason:
            self.skipTest(str(reason))
        request = urllib.request.Request(f"{manager.url}/api/v2/alerts", json.dumps(
            [{"labels": labels} for labels in alerts]).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()

        def states():
            return {self.key(one["labels"]): one["status"]["state"] for one in manager.alerts()}
        try:
            process.wait_for(lambda: (found := states()) and all(found.get(key) == "suppressed" for key in muted),
                             _SETTLED_S, "muted alerts")
        except TimeoutError:
            found = states()
            self.assertEqual([where for key, where in muted.items() if found.get(key) != "suppressed"], [])
        found = states()
        self.assertEqual([where for key, where in loud.items() if found.get(key) != "active"], [])

    @staticmethod
    def apart(labels, pair, role):
        """The same alert of another place, so that no other pair mutes it."""
        places = ("ensemble", "member", "instance", "job")
        return {name: f"{role}-{pair}" if name in places else value for name, value in labels.items()}

    @staticmethod
    def key(labels):
        return tuple(sorted(labels.items()))


if __name__ == "__main__":
    unittest.main()
