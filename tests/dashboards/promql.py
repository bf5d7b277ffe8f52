"""Reads PromQL and tells what a query yields: names, misuse of types, and the unit of its result.

A unit is a mapping of base quantities to exponents: {"seconds": 1}, {"bytes": 1, "seconds": -1}; {} is a ratio. What is
counted has the quantity "count", so that requests a second differ from a share of the time; how often a summary was
observed is "observation", so that sum by count has the unit of one observation.  None is the unit of a plain number, which
fits every other.  The grammar is what queries of dashboards and rules use; anything else raises QueryError.
"""

import dataclasses
import re


class QueryError(Exception):
    """The query cannot be read, or cannot be meant; the text says why."""


@dataclasses.dataclass(frozen=True)
class Node:
    """kind: number, string, selector, call, aggregation, binary, negation."""
    kind: str
    text: str = ""           # number, string; name of metric, function or operator
    arguments: tuple = ()
    range: str | None = None  # of a selector


_TOKEN = re.compile(r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w:]))
  | (?P<word>[A-Za-z_:][\w:]*)
  | (?P<string>"(?:\\.|[^"\\])*")
  | (?P<labels>\{(?:"(?:\\.|[^"\\])*"|[^"}])*\})
  | (?P<range>\[[^\]]*\])
  | (?P<operator>==|!=|<=|>=|[-+*/%^<>(),])
)""", re.VERBOSE)
_PRECEDENCE = ({"or"}, {"and", "unless"}, {"==", "!=", "<", ">", "<=", ">="}, {"+", "-"}, {"*", "/", "%"}, {"^"})
_COMPARISONS = _PRECEDENCE[2]
_AGGREGATIONS = {"sum", "min", "max", "avg", "count", "topk", "bottomk", "group"}


def parse(query):
    """The tree of a query."""
    return _Parser(query).whole()


class _Parser:
    def __init__(self, query):
        self._tokens, position = [], 0
        while query[position:].strip():
            match = _TOKEN.match(query, position)
            if match is None:
                raise QueryError(f"cannot read {query[position:position + 30]!r}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        self._next = 0

    def whole(self):
        tree = self._binary(0)
        if self._next != len(self._tokens):
            raise QueryError(f"{self._peek()[1]!r} does not fit there")
        return tree

    def _peek(self):
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _take(self, text=None):
        kind, found = self._peek()
        if text is not None and found != text:
            raise QueryError(f"expected {text!r}, found {found!r}")
        self._next += 1
        return kind, found

    def _binary(self, level):
        if level == len(_PRECEDENCE):
            return self._unary()
        left = self._binary(level + 1)
        while self._peek()[1] in _PRECEDENCE[level] and self._peek()[0] in ("operator", "word"):
            operator = self._take()[1]
            if self._peek()[1] == "bool":
                self._take()
                operator += " bool"
            for words in (("on", "ignoring"), ("group_left", "group_right")):
                if self._peek()[1] in words:
                    self._take()
                    if self._peek()[1] == "(":
                        self._label_list()
            left = Node("binary", operator, (left, self._binary(level + 1)))
        return left

    def _label_list(self):
        self._take("(")
        while self._take()[1] != ")":
            pass

    def _unary(self):
        if self._peek()[1] == "-":
            self._take()
            return Node("negation", arguments=(self._unary(),))
        kind, text = self._take()
        if text == "(":
            inner = self._binary(0)
            self._take(")")
            return inner
        if kind in ("number", "string"):
            return Node(kind, text)
        if kind != "word":
            raise QueryError(f"{text!r} does not begin an expression")
        if text in _AGGREGATIONS:
            return self._aggregation(text)
        if self._peek()[1] == "(":
            return Node("call", text, self._arguments())
        if self._peek()[0] == "labels":
            self._take()
        found_range = self._take()[1][1:-1] if self._peek()[0] == "range" else None
        if self._peek()[1] == "offset":
            self._take()
            self._take()
        return Node("selector", text, range=found_range)

    def _aggregation(self, name):
        for _ in range(2):  # The clause stands before or after the arguments.
            if self._peek()[1] in ("by", "without"):
                self._take()
                self._label_list()
            elif self._peek()[1] == "(" and _ == 0:
                arguments = self._arguments()
                if self._peek()[1] in ("by", "without"):
                    self._take()
                    self._label_list()
                return Node("aggregation", name, arguments)
        return Node("aggregation", name, self._arguments())

    def _arguments(self):
        self._take("(")
        found = []
        while self._peek()[1] != ")":
            found.append(self._binary(0))
            if self._peek()[1] == ",":
                self._take()
        self._take(")")
        return tuple(found)


def selectors(tree):
    """Every selector of a tree."""
    if tree.kind == "selector":
        yield tree
    for argument in tree.arguments:
        yield from selectors(argument)


@dataclasses.dataclass(frozen=True)
class Family:
    """What the catalogue says of a metric."""
    name: str
    type: str  # counter, gauge, histogram, summary
    unit: str  # seconds, bytes, ratio, or a dash for what is counted


class Judge:
    """Judges trees against a catalogue.  recorded: name of a recorded series -> its expression."""

    _OF_COUNTERS = {"rate", "irate", "increase", "resets"}
    _KEEP = {"round", "clamp", "clamp_min", "clamp_max", "abs", "floor", "ceil", "sort", "sort_desc", "delta", "max_over_time",
             "min_over_time", "avg_over_time", "last_over_time"}

    def __init__(self, families, recorded):
        self._families = {family.name: family for family in families}
        self._recorded = recorded

    def family(self, series):
        """The family of a series and the part it is: "", "sum", "count" or "bucket"."""
        if series in self._families:
            return self._families[series], ""
        name, _, part = series.rpartition("_")
        family = self._families.get(name)
        parts = {"summary": ("sum", "count"), "histogram": ("sum", "count", "bucket")}
        if family is None or part not in parts.get(family.type, ()):
            raise QueryError(f"{series} is not in the catalogue")
        return family, part

    def _series_unit(self, series):
        if series == "up":
            return {"count": 1}
        if series == "ALERTS":
            return None  # 1 for each alert: what multiplies by it, or counts it, keeps its own meaning.
        if series == "ALERTS_FOR_STATE":
            return {"timestamp": 1}
        if ":" in series:
            if series not in self._recorded:
                raise QueryError(f"{series} is recorded by no rule")
            return self.result(parse(self._recorded[series]))
        family, part = self.family(series)
        unit = {"seconds": {"seconds": 1}, "bytes": {"bytes": 1}, "ratio": {}, "–": {"count": 1}}[family.unit]
        if series.endswith(("_timestamp_seconds", "_start_time_seconds")):
            return {"timestamp": 1}
        return {"observation": 1} if part in ("count", "bucket") else unit

    def _is_counter(self, series):
        if series in ("up", "ALERTS", "ALERTS_FOR_STATE") or ":" in series:
            return False
        family, part = self.family(series)
        return family.type == "counter" or part != ""

    def result(self, tree):
        """The unit of what a query shows; QueryError when types or units do not go together."""
        unit = self.unit(tree)
        if unit is None or "observation" not in unit:
            return unit
        # Per observation is the unit of one; observations themselves are a count.
        observations = unit["observation"]
        rest = {name: exponent for name, exponent in unit.items() if name != "observation"}
        return _product(rest, {"count": observations}) if observations > 0 else rest

    def unit(self, tree, inside_rate=False):
        """As result(), for a part of a query."""
        if tree.kind == "number":
            return None
        if tree.kind == "negation":
            return self.unit(tree.arguments[0])
        if tree.kind == "selector":
            counter = self._is_counter(tree.text)
            if inside_rate and not counter:
                raise QueryError(f"{tree.text} is no counter, so that a rate of it means nothing")
            if counter and not inside_rate:
                raise QueryError(f"{tree.text} is a counter, whose value says nothing without a rate")
            if (tree.range is not None) != inside_rate:
                raise QueryError(f"{tree.text} needs a range exactly inside of a rate")
            return self._series_unit(tree.text)
        if tree.kind == "aggregation":
            inner = self.unit(tree.arguments[-1])
            return {"count": 1} if tree.text in ("count", "group") else inner
        if tree.kind == "call":
            return self._call(tree)
        return self._binary(tree)

    def _call(self, tree):
        name = tree.text
        if name in self._OF_COUNTERS:
            unit = self.unit(tree.arguments[0], inside_rate=True)
            return _product(unit, {"seconds": -1}) if name in ("rate", "irate") else unit
        if name == "histogram_quantile":
            buckets = [one.text for one in selectors(tree.arguments[1])]
            found = [self.family(series) for series in buckets]
            if len(found) != 1 or found[0][1] != "bucket":
                raise QueryError(f"histogram_quantile() of {buckets}, which are not the buckets of one histogram")
            self.unit(tree.arguments[1])
            return self._series_unit(found[0][0].name)
        if name == "time":
            return {"timestamp": 1}
        if name in ("vector", "scalar"):
            return None
        if name in self._KEEP:
            return self.unit(tree.arguments[0])
        raise QueryError(f"{name}() is not known here")

    def _binary(self, tree):
        left_tree, right_tree = tree.arguments
        operator = tree.text
        if operator == "/" and self._lifetime_mean(left_tree, right_tree):
            family, _ = self.family(next(selectors(left_tree)).text)
            return self._series_unit(family.name)
        left, right = self.unit(left_tree), self.unit(right_tree)
        if operator in ("and", "unless"):
            return left
        if operator.split()[0] in _COMPARISONS:
            self._same(left, right, operator)
            return None if operator.endswith("bool") else left  # 0 or 1, to multiply with.
        if operator in ("+", "or"):
            return self._same(left, right, operator)
        if operator == "-":
            if left == right == {"timestamp": 1}:
                return {"seconds": 1}
            return self._same(left, right, operator)
        if operator == "*":
            return _product(left or {}, right or {}) if left is not None or right is not None else None
        if operator == "/":
            if left is None and right is None:
                return None
            return _product(left or {}, {name: -exponent for name, exponent in (right or {}).items()})
        raise QueryError(f"operator {operator} is not known here")

    def _lifetime_mean(self, left, right):
        """sum / count of one family without rates: a mean since the process began, said on purpose."""
        series = [one.text for side in (left, right) for one in selectors(side)]
        return (left.kind == "selector" and len(series) == 2 and left.range is None
                and series[0].endswith("_sum") and series[1] == series[0][:-len("sum")] + "count")

    @staticmethod
    def _same(left, right, operator):
        if left is None or right is None or left == right:
            return right if left is None else left
        raise QueryError(f"{left} {operator} {right}: different units")


def _product(left, right):
    found = dict(left)
    for name, exponent in right.items():
        found[name] = found.get(name, 0) + exponent
    return {name: exponent for name, exponent in found.items() if exponent}


# Grafana's name of a unit -> the units of queries that it shows truly.
_FITTING = {
    "s": ({"seconds": 1},),
    "dtdurations": ({"seconds": 1},),
    "dateTimeFromNow": ({"timestamp": 1},),
    "percentunit": ({},),
    "bytes": ({"bytes": 1},),
    "binBps": ({"bytes": 1, "seconds": -1},),
    "ops": ({"count": 1, "seconds": -1},),
    "pps": ({"count": 1, "seconds": -1},),
    "cps": ({"count": 1, "seconds": -1},),
    "short": ({"count": 1},),
    "none": ({"count": 1},),
}


def fits(grafana_unit, unit):
    """Whether Grafana's unit shows a query of this unit truly."""
    return grafana_unit in _FITTING and (unit is None or unit in _FITTING[grafana_unit])
