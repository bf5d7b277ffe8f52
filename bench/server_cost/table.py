"""Measurements as rows of a table, each beside its goal and its gate."""

import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Sample:
    """Repetitions of one measurement."""
    values: tuple

    @property
    def median(self):
        return statistics.median(self.values)

    def show(self, digits):
        return f"{self.median:.{digits}f} ({min(self.values):.{digits}f}–{max(self.values):.{digits}f})"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table; `value` is what goal and gate are about (a ratio, or an absolute number).

    gate None: the goals name none, and the row cannot be lost.  undecided: why nobody can tell whether the gate is held.
    """
    goal_id: str
    measure: str
    ours: str
    theirs: str
    value: float
    goal: float = None
    gate: float = None
    note: str = ""
    undecided: str = ""

    def verdict(self):
        if self.undecided:
            return f"not decided: {self.undecided}"
        if self.goal is not None and self.value <= self.goal:
            return "goal met"
        if self.gate is None:
            return "" if self.goal is None else "goal missed"
        return "gate held" if self.value <= self.gate else "GATE MISSED"

    def is_lost(self):
        return self.verdict() == "GATE MISSED"


def sample(windows, *keys):
    """The Sample of one number of each window of wk_load."""
    def value(window):
        for key in keys:
            window = window[key]
        return window
    return Sample(tuple(value(window) for window in windows))


def overlap(one, other):
    """Whether the ranges of two samples have something in common."""
    return min(one.values) <= max(other.values) and min(other.values) <= max(one.values)


def median_interval(values):
    """The 95 % confidence interval of the median: the order statistics between which it lies, whatever the distribution."""
    ordered, count = sorted(values), len(values)
    tail, rank = 0.0, 0
    while tail + math.comb(count, rank) / 2 ** count <= 0.025:
        tail += math.comb(count, rank) / 2 ** count
        rank += 1
    if rank == 0:
        raise ValueError(f"{count} values are too few for an interval of 95 %")
    return ordered[rank - 1], ordered[-rank]


def mean_interval(values):
    """The 95 % confidence interval of the mean of many values that do not depend on each other."""
    mean, half = statistics.mean(values), 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half


def undecided(values, gate):
    """Why a row of these repetitions does not say whether the gate is held; nothing when it does."""
    low, high = median_interval(values)
    return "the machine is too busy" if low <= gate < high else ""


def _number(value):
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"


def _bound(value):
    if value is None:
        return "–"
    return f"1/{1 / value:.0f}" if 0.01 < value < 0.9 else f"{value:g}"


def table(rows):
    """The rows in Markdown."""
    lines = ["| goal | measure | Watchkeeper | Apache | value | goal | gate | | note |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row.goal_id} | {row.measure} | {row.ours} | {row.theirs} | {_number(row.value)} | "
                     f"{_bound(row.goal)} | {_bound(row.gate)} | {row.verdict()} | {row.note} |")
    return "\n".join(lines)
