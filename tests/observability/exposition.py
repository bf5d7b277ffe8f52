"""A strict reader of the Prometheus text format 0.0.4, for tests: what it accepts, every consumer accepts.

Stricter than Prometheus itself: the lines of a family stand together, HELP and TYPE come once and before the samples,
no series appears twice, label names are unique, only the escapes of the format occur, counters end in _total where
asked for, histogram buckets ascend, are cumulative and end in +Inf, which equals _count.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format 0.0.4).
"""

import dataclasses
import math
import re

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?Inf|NaN")
_TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
_ESCAPES = {"\\": "\\", "n": "\n", '"': '"'}
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}


class ExpositionError(Exception):
    """The text breaks a rule of the format; names line and rule."""


@dataclasses.dataclass(frozen=True)
class Sample:
    """One line with a value.  labels is a dict in the order of the line."""
    name: str
    labels: dict
    value: float

    @property
    def key(self):
        return self.name, frozenset(self.labels.items())


@dataclasses.dataclass
class Family:
    """All samples below one TYPE."""
    name: str
    type: str = "untyped"
    help: str = None
    samples: list = dataclasses.field(default_factory=list)


class Exposition:
    """A parsed scrape: families by name, and questions that tests ask."""

    def __init__(self, families):
        self.families = families

    @property
    def samples(self):
        return [sample for family in self.families.values() for sample in family.samples]

    def select(self, name, **labels):
        """The samples of this name that carry these labels."""
        return [sample for sample in self._named(name)
                if all(sample.labels.get(label) == value for label, value in labels.items())]

    def select_all(self, **labels):
        """The samples of any name that carry these labels."""
        return [sample for sample in self.samples if labels.items() <= sample.labels.items()]

    def value(self, name, **labels):
        """The value of the one sample that fits; KeyError when there is none or more than one."""
        found = self.select(name, **labels)
        if len(found) != 1:
            raise KeyError(f"{len(found)} samples of {name} with {labels}")
        return found[0].value

    def _named(self, name):
        for family in (name, *(name[:-len(suffix)] for suffix in ("_bucket", "_sum", "_count")
                               if name.endswith(suffix))):
            if family in self.families:
                found = [sample for sample in self.families[family].samples if sample.name == name]
                if found:
                    return found
        return []


class _Line:
    """A cursor over one line."""

    def __init__(self, text, number):
        self.text, self.number, self.at = text, number, 0

    def fail(self, what):
        raise ExpositionError(f"line {self.number}, column {self.at + 1}: {what}: {self.text[:200]!r}")

    def match(self, pattern, what):
        found = pattern.match(self.text, self.at)
        if not found:
            self.fail(f"expected {what}")
        self.at = found.end()
        return found.group()

    def take(self, mark):
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def expect(self, mark):
        if not self.take(mark):
            self.fail(f"expected {mark!r}")

    def quoted(self):
        self.expect('"')
        out = []
        while True:
            if self.at >= len(self.text):
                self.fail("the label value has no closing quote")
            char = self.text[self.at]
            self.at += 1
            if char == '"':
                return "".join(out)
            if char == "\\":
                escape = self.text[self.at:self.at + 1]
                if escape not in _ESCAPES:
                    self.fail(f"unknown escape \\{escape}")
                self.at += 1
                char = _ESCAPES[escape]
            out.append(char)


def _unescape_help(line, text):
    out = []
    chars = iter(text)
    for char in chars:
        if char == "\\":
            escape = next(chars, "")
            if escape not in ("\\", "n"):
                line.fail(f"unknown escape \\{escape} in HELP")
            char = _ESCAPES[escape]
        out.append(char)
    return "".join(out)


def _parse_sample(line):
    name = line.match(_NAME, "a metric name")
    labels = {}
    if line.take("{"):
        while not line.take("}"):
            label = line.match(_LABEL_NAME, "a label name")
            line.expect("=")
            if label in labels:
                line.fail(f"label {label} stands twice")
            labels[label] = line.quoted()
            if not line.take(","):
                line.expect("}")
                break
    line.expect(" ")
    value = float(line.match(_NUMBER, "a number").replace("Inf", "inf"))
    if line.at != len(line.text):
        line.fail("something follows the value (timestamps are not used here)")
    return Sample(name, labels, value)


def _belongs(family, sample):
    return sample.name in [family.name + suffix for suffix in _SUFFIXES.get(family.type, ("",))]


def _check_histogram(family):
    groups = {}
    for sample in family.samples:
        rest = frozenset((label, value) for label, value in sample.labels.items() if label != "le")
        groups.setdefault(rest, []).append(sample)
    for labels, samples in groups.items():
        where = f"{family.name}{dict(labels)}"
        buckets = [(sample.labels.get("le"), sample.value) for sample in samples
                   if sample.name == family.name + "_bucket"]
        if any(le is None for le, _ in buckets):
            raise ExpositionError(f"{where}: a bucket without le")
        bounds = [float(le.replace("Inf", "inf")) for le, _ in buckets]
        if bounds != sorted(set(bounds)):
            raise ExpositionError(f"{where}: bucket bounds do not ascend: {bounds}")
        if not bounds or bounds[-1] != math.inf:
            raise ExpositionError(f"{where}: no +Inf bucket")
        counts = [value for _, value in buckets]
        if counts != sorted(counts):
            raise ExpositionError(f"{where}: buckets are not cumulative: {counts}")
        totals = [sample.value for sample in samples if sample.name == family.name + "_count"]
        sums = [sample.value for sample in samples if sample.name == family.name + "_sum"]
        if len(totals) != 1 or len(sums) != 1:
            raise ExpositionError(f"{where}: needs one _count and one _sum")
        if totals[0] != counts[-1]:
            raise ExpositionError(f"{where}: the +Inf bucket {counts[-1]} differs from _count {totals[0]}")


def _check_summary(family):
    for sample in family.samples:
        quantile = sample.labels.get("quantile")
        if (sample.name == family.name) != (quantile is not None):
            raise ExpositionError(f"{family.name}: quantile and the bare name belong together: {sample}")
        if quantile is not None and not 0 <= float(quantile) <= 1:
            raise ExpositionError(f"{family.name}: quantile {quantile} is not between 0 and 1")


def parse(text):
    """The Exposition of a text, or ExpositionError."""
    if text and not text.endswith("\n"):
        raise ExpositionError("the last line has no line feed")
    families, seen, current = {}, set(), None
    for number, content in enumerate(text.split("\n")[:-1], 1):
        line = _Line(content, number)
        if content == "":
            line.fail("empty line")
        if content.startswith("#"):
            keyword = next((word for word in ("# HELP ", "# TYPE ") if line.take(word)), None)
            if keyword is None:
                line.fail("a comment that is neither HELP nor TYPE")
            name = line.match(_NAME, "a metric name")
            line.expect(" ")
            rest = content[line.at:]
            if current is None or current.name != name:
                if name in families:
                    line.fail(f"the lines of {name} do not stand together")
                current = families[name] = Family(name)
            if current.samples:
                line.fail("HELP or TYPE after a sample")
            if keyword == "# HELP ":
                if current.help is not None:
                    line.fail("a second HELP")
                current.help = _unescape_help(line, rest)
            else:
                if f"TYPE {name}" in seen:
                    line.fail("a second TYPE")
                seen.add(f"TYPE {name}")
                if rest not in _TYPES:
                    line.fail(f"unknown type {rest!r}")
                current.type = rest
            continue
        sample = _parse_sample(line)
        if current is None or not _belongs(current, sample):
            if sample.name in families:
                line.fail(f"the lines of {sample.name} do not stand together")
            current = families[sample.name] = Family(sample.name)
        if sample.key in seen:
            line.fail("this series stands twice")
        seen.add(sample.key)
        current.samples.append(sample)
    owners = {}
    for family in families.values():
        if not family.samples:
            raise ExpositionError(f"{family.name}: TYPE without samples")
        for sample in family.samples:
            if owners.setdefault(sample.name, family.name) != family.name:
                raise ExpositionError(f"{sample.name} belongs to {family.name} and to {owners[sample.name]}")
        if family.type == "histogram":
            _check_histogram(family)
        elif family.type == "summary":
            _check_summary(family)
        elif family.type == "counter" and any(not sample.value >= 0 for sample in family.samples):
            raise ExpositionError(f"{family.name}: a counter that is negative or no number")
    return Exposition(families)
