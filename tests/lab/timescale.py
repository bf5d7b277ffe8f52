"""Shrinks time in a Prometheus rules file, so that windows of days can be exercised by a real Prometheus in seconds.

Every duration is divided by one factor: for:, keep_firing_for:, a group's interval:, range selectors and subqueries in
[ ], offset, and the horizon argument of predict_linear.  All else stays: thresholds in seconds (time() - x > 60), the
windows in names of recorded series, labels and annotations.  The caller lists what was raised to the minimum, since
two windows of an SLO rule can become the same in a scaled copy.
"""

import dataclasses
import re

import yaml

_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_WINDOW_SCRAPES = 4
_MIN_MS = 1000

# Strings and comments first, so that brackets and words inside them are left alone.
_TOKEN = re.compile(r"""
    (?P<string>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*`)
  | (?P<comment>\#[^\n]*)
  | (?P<word>[A-Za-z_][A-Za-z0-9_:]*)
  | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![A-Za-z0-9_.]))
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<space>\s+)
  | (?P<mark>.)
""", re.VERBOSE | re.DOTALL)


def parse_duration_ms(text):
    """Milliseconds of a Prometheus duration such as 1h30m; ValueError when it is none."""
    if text == "0":
        return 0
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a Prometheus duration")
    return sum(int(number) * _UNIT_MS[unit] for number, unit in _PART.findall(text))


def format_duration(milliseconds):
    """The shortest exact Prometheus duration of one unit: 90000 -> 90s, 1500 -> 1500ms."""
    milliseconds = int(milliseconds)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


@dataclasses.dataclass
class Scaled:
    """A scaled rules file: the document, and each (where, original, scaled) that hit the minimum."""
    document: dict
    raised: list


class _Scaler:
    def __init__(self, factor, scrape_interval_s):
        if factor < 1:
            raise ValueError(f"the factor must be 1 or more, not {factor}")
        self.factor = factor
        self.window_min_ms = max(_MIN_MS, int(_WINDOW_SCRAPES * scrape_interval_s * 1000))
        self.raised = []
        self.where = ""

    def duration(self, text, minimum_ms):
        """A zero stays zero; everything else is at least minimum_ms, unless it was shorter from the start."""
        original = parse_duration_ms(text)
        if original == 0:
            return text
        scaled = round(original / self.factor)
        floor = min(minimum_ms, original)
        if scaled < floor:
            scaled = floor
            self.raised.append((self.where, text, format_duration(scaled)))
        return format_duration(scaled)

    def expression(self, text):
        tokens = [(match.lastgroup, match.group()) for match in _TOKEN.finditer(text)]
        return "".join(self._walk(tokens))

    def _walk(self, tokens):
        out = []
        brackets = braces = 0
        after_colon = after_offset = False
        # For each open parenthesis: [is predict_linear's, commas seen, index in out where the horizon begins].
        calls = []
        previous_word = ""
        for kind, text in tokens:
            if kind in ("space", "comment"):
                out.append(text)
                continue
            if kind == "duration":
                if brackets and not after_colon:
                    text = self.duration(text, self.window_min_ms)
                elif brackets or after_offset:
                    text = self.duration(text, _MIN_MS)
            elif text == "[":
                brackets, after_colon = brackets + 1, False
            elif text == "]":
                brackets -= 1
            elif text == ":" and brackets:
                after_colon = True
            elif text == "(":
                calls.append([previous_word == "predict_linear", 0, None])
            elif text in "{}":
                braces += 1 if text == "{" else -1
            elif text == "," and calls and not braces:
                calls[-1][1] += 1
                if calls[-1][0] and calls[-1][1] == 1:
                    out.append(text)
                    calls[-1][2] = len(out)
                    previous_word, after_offset = "", False
                    continue
            elif text == ")" and calls:
                is_horizon, _, begin = calls.pop()
                if is_horizon and begin is not None:
                    argument = "".join(out[begin:]).strip()
                    del out[begin:]
                    out.append(f" ({argument}) / {self.factor:g}")
            # "offset -5m" is legal, hence the sign keeps the state.
            after_offset = kind == "word" and text.lower() == "offset" or after_offset and text == "-"
            previous_word = text if kind == "word" else ""
            out.append(text)
        return out


def scale_expression(expression, factor, scrape_interval_s=1.0):
    """One PromQL expression with its durations divided; windows stay at four scrape intervals or more."""
    return _Scaler(factor, scrape_interval_s).expression(expression)


def scale_document(document, factor, scrape_interval_s=1.0):
    """A loaded rules file -> Scaled.  The argument is not changed."""
    scaler = _Scaler(factor, scrape_interval_s)
    groups = []
    for group in document.get("groups") or []:
        copy = dict(group)
        if "interval" in copy:
            scaler.where = f"group {group['name']}: interval"
            copy["interval"] = scaler.duration(str(copy["interval"]), _MIN_MS)
        copy["rules"] = []
        for rule in group.get("rules") or []:
            rule = dict(rule)
            name = rule.get("alert") or rule.get("record")
            scaler.where = f"{name}: expr"
            rule["expr"] = scaler.expression(str(rule["expr"]))
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    scaler.where = f"{name}: {key}"
                    rule[key] = scaler.duration(str(rule[key]), _MIN_MS)
            copy["rules"].append(rule)
        groups.append(copy)
    return Scaled({**document, "groups": groups}, scaler.raised)


def scale_file(source, destination, factor, scrape_interval_s=1.0):
    """Reads a rules file, writes the scaled copy, returns its Scaled."""
    with open(source, encoding="utf-8") as stream:
        scaled = scale_document(yaml.safe_load(stream), factor, scrape_interval_s)
    with open(destination, "w", encoding="utf-8") as stream:
        yaml.safe_dump(scaled.document, stream, sort_keys=False, allow_unicode=True, width=120)
    return scaled
