"""The measured incidents as docs/INCIDENTS.md."""

import re
import textwrap

_WIDTH = 120
_COLUMNS = (("guide", "Guide", "ZooKeeper guide's rules"),
            ("awesome", "Awesome", "awesome-prometheus-alerts, incumbent exporter"),
            ("watchkeeper", "ZooKeeper", "Watchkeeper"))


def _name(alert):
    if alert["rules"] == "watchkeeper":
        return f"`{alert['name'].removeprefix('ZooKeeper')}`"
    prefix = dict((key, prefix) for key, prefix, _ in _COLUMNS)[alert["rules"]]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", alert["name"].removeprefix(prefix)).lower()


def _cell(row, rules, incident):
    if rules == "awesome" and row.get("incumbent_skipped"):
        return "skipped (see above)"
    parts = []
    alerts = [alert for alert in row["alerts"] if alert["rules"] == rules]
    critical = {(alert["name"], alert["after_s"]) for alert in alerts if alert["severity"] == "critical"}
    for alert in alerts:
        # An alert of two severities that begin together is one line.
        if alert["severity"] != "critical" and (alert["name"], alert["after_s"]) in critical:
            continue
        late = " (after the repair)" if row["healed_s"] and alert["after_s"] > row["repaired_at_s"] else ""
        text = f"{_name(alert)} {alert['after_s']:.0f} s{late}"
        if alert["severity"] == "critical":
            text = f"**{text}**"
        if alert["name"] in incident.wrong:
            text = f"✗ WRONG: {text}"
        elif incident.planned and alert["severity"] == "critical":
            text = f"✗ FALSE ALARM: {text}"
        elif alert["name"] in incident.tells:
            text = f"✓ {text}"
        parts.append(text)
    if rules == "awesome" and row["incumbent_failed_scrapes"]:
        begin, seconds = row["incumbent_failed_scrapes"]
        parts = parts or ["nothing"]
        parts.append(f"(its exporter could not be scraped for {seconds:.0f} s, from {begin:.0f} s on)")
    return "<br>".join(parts) or ("nothing ✓" if incident.planned else "nothing")


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


def table(document, incidents):
    """The Markdown table, one row an incident; what an alert says of the incident is judged by the catalogue."""
    rows = {row["key"]: row for row in document["incidents"]}
    lines = ["| Incident | " + " | ".join(title for _, _, title in _COLUMNS) + " | silent again after repair, s |",
             "|---|---|---|---|---|"]
    for incident in incidents:
        row = rows.get(incident.key)
        if row is None:
            continue
        cells = [_cell(row, key, incident) for key, _, _ in _COLUMNS]
        lines.append(f"| {incident.title} | " + " | ".join(cells) + f" | {_silent_cell(row)} |")
    return "\n".join(lines)


def _before(document):
    return list(dict.fromkeys(f"- {row['title']}: {alert}" for row in document["incidents"]
                              for alert in row["already_firing"]))


def _paragraph(text):
    return [*textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False), ""]


def render(document, incidents, our_rules):
    """The whole page.  `incidents` are the catalogue's, for the meanings and for what was not run; `our_rules` identifies
    the present version of our rules, so that rows of an earlier one are named."""
    rows = {row["key"]: row for row in document["incidents"]}
    missing = [one.title for one in incidents if one.key not in rows]
    versions = document["versions"]
    loads = [row["load_average"] for row in document["incidents"]]
    out = ["# Incidents: which alerts fired", ""]
    out += _paragraph(
        "Written by `bench/incidents/compare.py`; do not edit. Each row is one real fault done to real servers and watched "
        "by three rule sets at the same time.")
    if document["quick"]:
        out += ["> **A quick run: a smoke test with shortened windows, not a measurement.**", ""]
    out += [
        f"- Measured {document['started']} to {document['ended']} (UTC), up to {document['parallel']} incidents at a time, on",
        f"  {document['machine']}; load average, other work on that machine included, {min(loads):.0f} to {max(loads):.0f}.",
        f"- {versions['zookeeper']}; tickTime 2000, initLimit 10, syncLimit 5.",
        f"- {'; '.join(sorted({row['watchkeeper'] for row in document['incidents']}))}; incumbent: {versions['incumbent']}; {versions['prometheus']}.",
        f"- Scrapes and evaluations every {document['scrape_interval_s']:g} s; our group `watchkeeper-service` sets its own 5 s.",
        "", "```sh", document["command"], "```", ""]
    out += _paragraph(
        "Seconds count from the fault until the alert fires, `for:` included. **Bold** is critical: it pages somebody. "
        "✓ tells of this fault; ✗ states something untrue, or pages for planned work; without a mark: true, but about a "
        "consequence or about the load of the machine. The last column tells how long after the repair the last alert of each set fired on, in the order of "
        "the columns; `>` where the observation ended before.")
    out += [table(document, incidents), ""]
    before = _before(document)
    if before:
        out += ["Firing already before the fault, and therefore not counted:", "", *before, ""]
    earlier = [f"`{one.key}`" for one in incidents if one.key in rows and rows[one.key]["our_rules"] != our_rules]
    if earlier:
        out += _paragraph("Measured with an earlier version of our rules than the one in this tree (`--only` runs them again): "
                          + ", ".join(earlier) + ".")
    if missing:
        out += ["Not run: " + "; ".join(missing) + ".", ""]
    out += ["## What each row means", ""]
    for one in incidents:
        if one.key in rows:
            row = rows[one.key]
            out += _paragraph(f"**{one.title}.** {one.meaning} (Measured {row['fault_at'][11:16]}, load average "
                              f"{row['load_average']:.0f}, {row['watchkeeper']}.)")
    out += ["## How it is measured", ""]
    out += _paragraph(
        "Each incident has two ensembles of three Apache members of its own, and the same is done to both at once: one with "
        "the servers' Prometheus provider, which the guide's rules read, and one without, which the incumbent and Watchkeeper "
        "watch. The incumbent damages the labels of servers whose provider is on (that has a row of its own), which must not "
        "count against it in the others. Watchkeeper runs with `--canary=write` and without its `zk_` family, so that the rules for the "
        "incumbent see the incumbent alone. The incumbent gets a timeout of 2 s: with its default of 30 s every scrape of a "
        "stopped server would fail.")
    out += _paragraph(
        "A fault is done only when no alert fires any more from the start of the servers; what fired on is listed. Rows that are "
        "run again with `--only` replace the earlier ones. "
        "One Prometheus for each incident loads all three rule sets; when an alert began and ended is read from its `ALERTS` "
        "series. The guide's alerts count where they are about the servers. `alerts/comparison/` has the conditions of the "
        "other two sets, thresholds and durations unchanged.")
    out += _paragraph(
        "The series of most incidents are kept as promtool tests in `alerts/tests/incidents/`, so that every `tests/run` "
        "checks our alerts against them again.")
    return "\n".join(out)
