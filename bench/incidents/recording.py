"""Turns what Prometheus recorded during an incident into a promtool test of our rules.

The times of the checks come from the live run: silent at the moment of the fault and shortly before the alert fired,
firing where it fired, silent where it had resolved.  The annotations, whose numbers nobody can foresee, are those that
promtool itself renders from the recorded series; what fires and when is not taken from it.  Where promtool and the live
run differ, the check is left out and said.
"""

import json
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "alerts"))

import series_from_prometheus  # noqa: E402  The path has to be set first.

RULES = ROOT / "alerts" / "watchkeeper.rules.yml"
FOLDER = ROOT / "alerts" / "tests" / "incidents"
SIZE_MAX_BYTES = 60_000
# From the fault back to the first sample.
LEAD_S = 60
# The live run and the test sample and evaluate at different moments of the interval: a check keeps this distance from
# the second in which the alert began or ended.
_SLACK_S = 35
_GRID_S = 5
_SILENT_CHECK_EVERY_S = 60

_FAILED = re.compile(r"alertname: ?(\S+), time: ?(\S+?),[^\n]*\n(.*?)(?=\n\s*alertname:|\Z)", re.DOTALL)
_GOT = re.compile(r"Labels:\{(.*?)\}\s*\n\s*Annotations:\{(.*)\}")
_PAIR = re.compile(r'([A-Za-z_]\w*)="((?:\\.|[^"\\])*)"')


class RecordingError(Exception):
    """Why there is no test of this incident."""


def _seconds(text):
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def _grid(seconds):
    return -(-int(seconds) // _GRID_S) * _GRID_S


def _group_order():
    """Recording rules before those that read them; promtool evaluates groups in random order otherwise."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    recording = [group["name"] for group in groups if all("record" in rule for rule in group["rules"])]
    return recording + [group["name"] for group in groups if group["name"] not in recording]


def plan_checks(incident, firings, end_s):
    """[(second of the test, alert name, whether it fires)…].

    `firings` maps the names of alerts to [(begin, end)…] in seconds since the fault; the end is None for what still fires.
    """
    checks = set()
    for name in sorted({*firings, *incident.silent}):
        times = firings.get(name, [])
        if not times:
            if name in incident.silent:
                checks |= {(at, name, False) for at in range(LEAD_S, int(end_s) + LEAD_S + 1, _SILENT_CHECK_EVERY_S)}
            continue
        begin, until = times[0]
        checks.add((LEAD_S, name, False))
        before = _grid(LEAD_S + begin - _SLACK_S)
        if before > LEAD_S:
            checks.add((before, name, False))
        fired = _grid(LEAD_S + begin + _SLACK_S)
        last = LEAD_S + (until if until is not None else end_s)
        if fired < last - (_SLACK_S if until is not None else 0):
            checks.add((fired, name, True))
        resolved = _grid(last + _SLACK_S)
        if until is not None and len(times) == 1 and resolved <= LEAD_S + end_s:
            checks.add((resolved, name, False))
    return sorted(checks)


def _quoted(text):
    return json.dumps(text, ensure_ascii=False)


def _render(head, order, name, series, checks, rendered):
    lines = [*head, "rule_files:", "  - ../../watchkeeper.rules.yml", f"evaluation_interval: {_GRID_S}s",
             "# promtool evaluates groups in random order; here recording rules come first.", "group_eval_order:",
             *(f"  - {group}" for group in order), "", "tests:", f"  - name: {_quoted(name)}"]
    lines += ["    " + line for line in series.splitlines()]
    lines.append("    alert_rule_test:")
    for at, alert, fires in checks:
        lines += [f"      - eval_time: {at}s", f"        alertname: {alert}"]
        alerts = rendered.get((at, alert), []) if fires else []
        lines.append("        exp_alerts:" + ("" if alerts else " []"))
        for labels, annotations in alerts:
            lines.append("          - exp_labels:")
            lines += [f"              {key}: {_quoted(value)}" for key, value in sorted(labels.items())
                      if key != "alertname"]
            lines.append("            exp_annotations:")
            lines += [f"              {key}: {_quoted(value)}" for key, value in sorted(annotations.items())]
    return "\n".join(lines) + "\n"


def _pairs(text):
    return {key: json.loads(f'"{value}"') for key, value in _PAIR.findall(text)}


def _promtool(path):
    return subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False, timeout=300)


def _got(output):
    """(second, alert) -> [(labels, annotations)…] as promtool found them where nothing was expected."""
    found = {}
    for alert, at, text in _FAILED.findall(output):
        found[_seconds(at), alert] = [(_pairs(labels), _pairs(annotations))
                                      for labels, annotations in _GOT.findall(text.partition("got:")[2])]
    return found


def write(incident, prometheus_url, fault_at, end_s, firings, head, step_s):
    """Writes FOLDER/<key>.test.yml; returns its path and the differences between promtool and the live run."""
    text = series_from_prometheus.export(prometheus_url, incident.recorded, fault_at - LEAD_S, fault_at + end_s, step_s)
    series = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return assemble(incident, series, end_s, firings, head)


def assemble(incident, series, end_s, firings, head):
    """As write(), from `series`: the YAML of interval and input_series."""
    checks = plan_checks(incident, firings, end_s)
    if not checks:
        raise RecordingError("no alert fired that could be tested")
    order = _group_order()
    path = FOLDER / f"{incident.key}.test.yml"
    path.write_text(_render(head, order, incident.title, series, checks, {}), encoding="utf-8")
    done = _promtool(path)
    rendered = _got(done.stdout + done.stderr)
    wanted = {(at, alert) for at, alert, fires in checks if fires}
    unforeseen, absent = set(rendered) - wanted, wanted - set(rendered)
    problems = ([f"{alert} fires in promtool at {at} s, not in the live run" for at, alert in sorted(unforeseen)]
                + [f"{alert} fired in the live run, not in promtool at {at} s" for at, alert in sorted(absent)])
    # An alert that reads series which are not recorded cannot be replayed; it is left out, and said.
    left_out = {alert for _, alert in absent}
    checks = [check for check in checks if check[1] not in left_out and check[:2] not in unforeseen]
    # Silence proves something only of an alert that fires in the same test, or that could with the recorded series.
    replayed = {alert for _, alert, fires in checks if fires}
    checks = [check for check in checks if check[1] in replayed or check[1] in incident.silent]
    path.write_text(_render(head, order, incident.title, series, checks, rendered), encoding="utf-8")
    done = _promtool(path)
    if done.returncode != 0:
        path.unlink()
        raise RecordingError(f"promtool does not accept it: {(done.stdout + done.stderr)[-1500:]}")
    if path.stat().st_size > SIZE_MAX_BYTES:
        size = path.stat().st_size
        path.unlink()
        raise RecordingError(f"{size} bytes are more than {SIZE_MAX_BYTES}: record fewer series")
    return path, problems
