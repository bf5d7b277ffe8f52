#!/usr/bin/env python3
"""Writes the series of a real incident as `input_series` of a promtool rule test.

Asks a Prometheus for every series that matches, over the time of the incident, and prints the YAML that
`promtool test rules` reads. The result goes into alerts/tests/incidents/ (see the README there).

    series_from_prometheus.py --url http://127.0.0.1:9090 --match '{__name__=~"watchkeeper_.*"}' \\
        --start 2026-11-21T10:00:00Z --end 2026-11-21T10:15:00Z --step 15 > incident.yml

Sample number i of the test is the value that Prometheus knew at start + i * step, so rules see in the test what they
saw then. Where a series ends or pauses, `stale` is written and then `_`: promtool, as Prometheus, would otherwise go on
using the last value for five minutes.

Only the standard library is used. Exit status 0, or 1 with one line on stderr that says what to do.
"""

import argparse
import datetime
import json
import math
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

# Prometheus refuses queries with more points than this for each series.
POINTS_MAX = 11000
# A test file that nobody can review is of no use; the limit also stops a match of everything.
SERIES_MAX = 2000
ANSWER_BYTES_MAX = 256 * 1024 * 1024
# Floats hold integers exactly up to here, so that adding a step n times gives the recorded value again.
EXACT_INTEGER_MAX = 2**53

_INTEGER = re.compile(r"-?[0-9]+\Z")


class ExportError(Exception):
    """What went wrong and what to do about it, in one line."""


def parse_time(text):
    """Seconds since the epoch from a number or an RFC 3339 time; a time without zone is UTC."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ExportError(f"cannot read the time {text!r}: write seconds since the epoch or 2026-11-21T10:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


def series_notation(labels):
    """`name{a="1",b="2"}` with labels sorted and escaped, as promtool parses it."""
    name = labels.get("__name__", "")
    pairs = []
    for key in sorted(labels):
        if key == "__name__":
            continue
        value = labels[key].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        pairs.append(f'{key}="{value}"')
    return f"{name}{{{','.join(pairs)}}}" if pairs or not name else name


def _token(value):
    """One sample in promtool's notation from one in the notation of Prometheus' API."""
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Inf" if number > 0 else "-Inf"
    return value


def values_notation(values):
    """promtool's `values` for a list of samples (strings of the API, None where there is none).

    Runs of equal values and of integers with an equal step become `a+bxn`; everything else is written out, because
    promtool adds the step up in floating point.
    """
    parts = []
    i = 0
    present_before = False
    while i < len(values):
        if values[i] is None:
            run = 1
            while i + run < len(values) and values[i + run] is None:
                run += 1
            gap = run
            if present_before:
                parts.append("stale")
                gap -= 1
            if gap == 1:
                parts.append("_")
            elif gap > 1:
                parts.append(f"_x{gap}")
            i += run
            present_before = False
            continue
        present_before = True
        run, step = _run_at(values, i)
        token = _token(values[i])
        if run >= 3:
            parts.append(f"{token}{'+' if step >= 0 else '-'}{abs(step)}x{run - 1}")
            i += run
        else:
            parts.append(token)
            i += 1
    return " ".join(parts)


def _run_at(values, start):
    """Length and step of the longest run from `start` that promtool reproduces exactly; (1, 0) when there is none."""
    first = values[start]
    if not math.isfinite(float(first)):
        return 1, 0
    following = start + 1
    if following >= len(values) or values[following] is None:
        return 1, 0
    if values[following] == first:
        step = 0
    elif _INTEGER.match(first) and _INTEGER.match(values[following]):
        step = int(values[following]) - int(first)
    else:
        return 1, 0
    run = 1
    while start + run < len(values) and values[start + run] is not None:
        value = values[start + run]
        if step == 0:
            if value != first:
                break
        else:
            expected = int(first) + step * run
            if not _INTEGER.match(value) or int(value) != expected or abs(expected) > EXACT_INTEGER_MAX:
                break
        run += 1
    return run, step


def samples_on_grid(points, start, step, count):
    """The API's [[time, value], …] as a list of `count` values, None where the grid has no point."""
    grid = [None] * count
    for when, value in points:
        index = round((float(when) - start) / step)
        if 0 <= index < count:
            grid[index] = value
    return grid


def render(results, start, step, count, drop_labels=()):
    """YAML of `input_series` for the results of query_range, sorted by series."""
    rows = {}
    for result in results:
        labels = {key: value for key, value in result["metric"].items() if key not in drop_labels}
        notation = series_notation(labels)
        if notation in rows:
            raise ExportError(f"two series become {notation} when labels are dropped: drop fewer")
        rows[notation] = values_notation(samples_on_grid(result["values"], start, step, count))
    lines = ["input_series:"]
    for notation in sorted(rows):
        quoted = notation.replace("'", "''")
        lines.append(f"  - series: '{quoted}'")
        lines.append(f"    values: '{rows[notation]}'")
    return "\n".join(lines) + "\n"


def query_range(url, match, start, end, step, opener=urllib.request.urlopen):
    """Results of one query_range; `opener` is urlopen or stands in for it."""
    query = urllib.parse.urlencode({"query": match, "start": repr(start), "end": repr(end), "step": repr(step)})
    address = f"{url.rstrip('/')}/api/v1/query_range?{query}"
    try:
        with opener(address, timeout=60) as response:
            body = response.read(ANSWER_BYTES_MAX + 1)
    except urllib.error.HTTPError as error:
        raise ExportError(f"{url} answers {error.code}: {error.read(300).decode('utf-8', 'replace')}") from None
    except (urllib.error.URLError, OSError) as error:
        raise ExportError(f"cannot reach Prometheus at {url}: {error}") from None
    if len(body) > ANSWER_BYTES_MAX:
        raise ExportError(f"the answer to {match} is longer than {ANSWER_BYTES_MAX} bytes: match fewer series")
    try:
        answer = json.loads(body)
        if answer["status"] != "success":
            raise ExportError(f"Prometheus refuses {match}: {answer.get('error', 'no reason given')}")
        if answer["data"]["resultType"] != "matrix":
            raise ExportError(f"{match} does not select series: give a selector such as watchkeeper_ensemble_serving")
        return answer["data"]["result"]
    except (ValueError, KeyError, TypeError):
        raise ExportError(f"{url} does not answer as Prometheus does: is it the base URL?") from None


def export(url, matches, start, end, step, drop_labels=(), opener=urllib.request.urlopen):
    """The whole YAML text, its head telling where it is from."""
    if step <= 0 or end <= start:
        raise ExportError("the end must be after the start and the step above 0")
    count = int((end - start) / step + 1e-9) + 1
    if count > POINTS_MAX:
        raise ExportError(f"{count} samples a series are more than {POINTS_MAX}: take a shorter time or a longer step")
    results = {}
    for match in matches:
        for result in query_range(url, match, start, end, step, opener):
            results[series_notation(result["metric"])] = result
    if not results:
        raise ExportError(f"no series matches {' '.join(matches)} in that time")
    if len(results) > SERIES_MAX:
        raise ExportError(f"{len(results)} series match, more than {SERIES_MAX}: match fewer")
    begin = datetime.datetime.fromtimestamp(start, datetime.timezone.utc).isoformat()
    head = f"# Recorded from Prometheus at {begin}; sample i is the value at i * {step:g} s after that.\ninterval: {step:g}s\n"
    return head + render(results.values(), start, step, count, drop_labels)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", required=True, help="base URL of Prometheus, for example http://127.0.0.1:9090")
    parser.add_argument("--match", required=True, action="append", help="series selector; may be given several times")
    parser.add_argument("--start", required=True, help="seconds since the epoch or 2026-11-21T10:00:00Z")
    parser.add_argument("--end", required=True)
    parser.add_argument("--step", type=float, default=15.0, help="seconds between samples; the scrape interval (15)")
    parser.add_argument("--drop-label", action="append", default=[], help="label to leave out, for example instance")
    options = parser.parse_args(arguments)
    try:
        text = export(options.url, options.match, parse_time(options.start), parse_time(options.end), options.step,
                      options.drop_label)
    except ExportError as error:
        print(f"series_from_prometheus: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
