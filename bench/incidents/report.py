"""The measured incidents as docs/INCIDENTS.md."""

import re

_COLUMNS = (("guide", "Guide", "ZooKeeper guide's rules"), ("awesome", "Awesome", "awesome-prometheus-alerts, incumbent exporter"),
            ("watchkeeper", "ZooKeeper", "Watchkeeper"))


def _name(alert):
    if alert["rules"] == "watchkeeper":
        return f"`{alert['name'].removeprefix('ZooKeeper')}`"
    prefix = dict((key, prefix) for key, prefix, _ in _COLUMNS)[alert["rules"]]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", alert["name"].removeprefix(prefix)).lower()


def _cell(row, rules):
    if rules == "awesome" and row.get("incumbent_skipped"):
        return f"skipped: {row['incumbent_skipped']}"
    parts = []
    for alert in row["alerts"]:
        if alert["rules"] != rules:
            continue
        text = f"{_name(alert)} {alert['after_s']:.0f} s"
        if alert["severity"] == "critical":
            text = f"**{text}**"
        if alert["wrong"]:
            text = f"✗ WRONG: {text}"
        elif row["planned"] and alert["severity"] == "critical":
            text = f"✗ FALSE ALARM: {text}"
        elif alert["tells"]:
            text = f"✓ {text}"
        parts.append(text)
    if rules == "awesome" and row.get("incumbent_unreadable_after_s") is not None:
        parts.append(f"(exporter's page unreadable for Prometheus from {max(0, row['incumbent_unreadable_after_s']):.0f} s on)")
        if len(parts) == 1:
            parts.insert(0, "nothing")
    return "<br>".join(parts) or ("nothing ✓" if row["planned"] else "nothing")


def _silent_cell(row):
    if not row["healed_s"]:
        return "–"
    found = []
    for key, _, _ in _COLUMNS:
        alerts = [alert for alert in row["alerts"] if alert["rules"] == key]
        if key == "awesome" and row.get("incumbent_skipped"):
            found.append("skipped")
        elif not alerts:
            found.append("–")
        elif any(alert["until_s"] is None for alert in alerts):
            found.append(f"> {row['end_s'] - row['repaired_at_s']:.0f}")
        else:
            found.append(f"{max(0, max(alert['until_s'] for alert in alerts) - row['repaired_at_s']):.0f}")
    return " / ".join(found)


def table(document):
    """The Markdown table, one row an incident."""
    lines = ["| Incident | " + " | ".join(title for _, _, title in _COLUMNS) + " | silent again after repair, s |",
             "|---|---|---|---|---|"]
    for row in document["incidents"]:
        cells = [_cell(row, key) for key, _, _ in _COLUMNS]
        lines.append(f"| {row['title']} | " + " | ".join(cells) + f" | {_silent_cell(row)} |")
    return "\n".join(lines)


def _before(document):
    lines = []
    for row in document["incidents"]:
        for alert in row["already_firing"]:
            lines.append(f"- {row['title']}: {alert}")
    return lines


def render(document, incidents):
    """The whole page.  `incidents` are the catalogue's, for the meanings and for what was not run."""
    rows = {row["key"]: row for row in document["incidents"]}
    missing = [one.title for one in incidents if one.key not in rows]
    versions = document["versions"]
    loads = [row["load_average"] for row in document["incidents"]]
    out = ["# Incidents: which alerts fired", "",
           "Written by `bench/incidents/compare.py`; do not edit. Each row is one real fault done to real servers, watched at the",
           "same time by three rule sets as they are published, every 15 seconds as most installations scrape.", ""]
    if document["quick"]:
        out += ["> **A quick run: a smoke test with shortened windows, not a measurement.**", ""]
    out += [f"- Measured {document['started']} to {document['ended']} (UTC) on {document['machine']}, {document['parallel']} incidents at a time;",
            f"  load average while they ran {min(loads):.1f} to {max(loads):.1f}.",
            f"- Versions: {versions['zookeeper']}; {versions['watchkeeper']}; incumbent: {versions['incumbent']}; {versions['prometheus']}.",
            f"- Scrape and evaluation interval {document['scrape_interval_s']:g} s (our group `watchkeeper-service` sets its own 5 s);"
            " tickTime 2000, initLimit 10, syncLimit 5.",
            "- Command:", "", "  ```sh", f"  {document['command']}", "  ```", "",
            "Seconds count from the fault to the alert firing, `for:` included. **Bold** is critical (pages somebody), ✓ tells of this",
            "fault, ✗ states something untrue or pages without need, no mark: true, but of a consequence. The last column is how long",
            "after the repair the last alert of each set (in the order of the columns) was still firing; `>` where the observation ended first.", "",
            table(document), ""]
    before = _before(document)
    if before:
        out += ["Firing already before the fault, hence not counted:", "", *before, ""]
    if missing:
        out += ["Not run: " + "; ".join(missing) + ".", ""]
    out += ["## What each row means", ""]
    for one in incidents:
        if one.key in rows:
            out += [f"**{one.title}.** {one.meaning}", ""]
    out += ["## How it is measured", "",
            "Each incident has two ensembles of three Apache members of its own, and the same is done to both at once: one with the",
            "servers' Prometheus provider, which the guide's rules read, and one without, which the incumbent and Watchkeeper watch.",
            "Two are needed because the incumbent's page cannot be read at all when the servers' provider is on (it has a row of its",
            "own). Watchkeeper runs with `--canary=write` and without its `zk_` family, so that the rules for the incumbent see the",
            "incumbent alone. Prometheus loads all three rule sets and keeps the series; when alerts began and ended is read from its",
            "own `ALERTS` series. The guide's alerts count where they are about the servers. The conditions of the other sets are in",
            "`alerts/comparison/`; the incumbent gets a timeout of 2 s, since with its default of 30 s every scrape of a stopped server",
            "would fail.", "",
            "The series of most incidents are kept as promtool tests in `alerts/tests/incidents/`, so the alerts of the last column are",
            "checked against them with every `tests/run`.", ""]
    return "\n".join(out)
