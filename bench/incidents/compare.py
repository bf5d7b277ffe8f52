#!/usr/bin/env -S PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
"""Which alerts fire in which incident, and after how long: the ZooKeeper guide's, awesome-prometheus-alerts', and ours.

    bench/incidents/compare.py [--only KEY,…] [--parallel N] [--json FILE] [--markdown FILE] [--record]

Does each incident of catalogue.py to real servers of its own, under a real Prometheus that has all three rule sets, and
prints a table.  --markdown writes docs/INCIDENTS.md; --record writes the series that our rules read into
alerts/tests/incidents/ as promtool tests.  With --json FILE that exists, incidents that are not run again keep their rows.

Exit status: 0 when every alert of ours that the catalogue expects has fired and none of ours was wrong, 1 when not,
2 when the lab is not to be had.  How long and on what it depends: README.md.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "bench")]

from lab import apache, load, process, stack, workspace  # noqa: E402  The path has to be set first.

import machine  # noqa: E402
import catalogue  # noqa: E402
import recording  # noqa: E402
import report  # noqa: E402

_APACHE_VERSION = "3.9.5"
_RULES = (ROOT / "alerts" / "watchkeeper.rules.yml", ROOT / "alerts" / "comparison" / "zookeeper-guide.rules.yml",
          ROOT / "alerts" / "comparison" / "awesome-prometheus-alerts.rules.yml")
_PREFIXES = {"ZooKeeper": "watchkeeper", "Guide": "guide", "Awesome": "awesome"}
_PROVIDER_JOB, _INCUMBENT_JOB = "zookeeper", "dabealu"
_ENSEMBLE_OPTIONS = {"tick_ms": 2000, "init_limit": 10, "sync_limit": 5, "heap_mb": 256}
_INCUMBENT_COMMIT = "9f367d5"
_LOAD_RATE_PER_S = 50
# Long enough that every series has several samples before the fault: rates need two, a test some more.
_WARM_UP_S = 80
_SETTLE_S = 15
# An alert that looks five minutes back is silent after this time.
_SILENCE_DEADLINE_S = 330
_QUICK = {"scrape_interval": 5, "warm_up": 20, "observe": 40, "healed": 15}
_DEADLINE_S = 180

_print_mutex = threading.Lock()


def say(text):
    with _print_mutex:
        print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def our_rules():
    """What identifies the version of our rules: the beginning of their digest."""
    return hashlib.sha256(_RULES[0].read_bytes()).hexdigest()[:12]


class Bench:
    """What all incidents share: programs, versions, options."""

    def __init__(self, options):
        self.options = options
        self.class_path = apache.release(_APACHE_VERSION)
        # A copy, so that a build meanwhile does not change what is measured.
        self.binary = workspace.new_folder("binary") / "watchkeeper-exporter"
        shutil.copy2(stack.exporter_binary(), self.binary)
        self.rules = our_rules()
        self.incumbent, self.incumbent_skipped = self._find_incumbent()

    @staticmethod
    def _find_incumbent():
        path = os.environ.get("WK_INCUMBENT")
        try:
            path = pathlib.Path(path or workspace.fetched("fetch_incumbent.sh", [], "incumbent"))
        except workspace.LabUnavailable as error:
            return None, str(error)
        path = path / "zookeeper-exporter" if path.is_dir() else path
        return (path, None) if os.access(path, os.X_OK) else (None, f"{path} is not a program")

    def versions(self):
        def first_line(*command):
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
            return (done.stdout + done.stderr).splitlines()[0]
        java = first_line(process.find_program("java", "openjdk-17-jre-headless"), "-version")
        prometheus = first_line(process.find_program("prometheus", "prometheus"), "--version")
        incumbent = (f"dabealu/zookeeper-exporter {_INCUMBENT_COMMIT}" if self.incumbent
                     else f"skipped: {self.incumbent_skipped}")
        return {"zookeeper": f"Apache ZooKeeper {_APACHE_VERSION} ({java})",
                "watchkeeper": first_line(self.binary, "--version"), "incumbent": incumbent,
                "prometheus": re.sub(r" \(.*", "", prometheus).replace(", version", "")}


class Site:
    """The servers of one incident and everything that watches them."""

    def __init__(self, bench, incident):
        self._bench, self._incident = bench, incident
        self._stack = contextlib.ExitStack()
        self.ensembles = []
        self.prometheus = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self):
        bench, incident = self._bench, self._incident
        options = {**_ENSEMBLE_OPTIONS, **incident.ensemble_options, "apache_class_path": bench.class_path}
        plain = apache.ApacheEnsemble(3, **options)
        self._stack.callback(plain.stop)
        provider = apache.ApacheEnsemble(3, prometheus=True, **options)
        self._stack.callback(provider.stop)
        self.ensembles = [plain, provider]
        for ensemble in self.ensembles:
            ensemble.start()
        for ensemble in self.ensembles:
            ensemble.wait_until_serving(_DEADLINE_S)
        # Servers that have just started are slow; nobody shall take that for an incident.
        time.sleep(_SETTLE_S)
        exporter = self._stack.enter_context(stack.Exporter(
            [f"--zookeeper={','.join(plain.addresses)}", "--ensemble=demo", "--canary=write", "--no-family.zk"],
            binary=bench.binary))
        targets = {"watchkeeper": [exporter.address],
                   _PROVIDER_JOB: [f"{member.host}:{member.metrics_port}" for member in provider.members]}
        if bench.incumbent:
            watched = provider if incident.incumbent_beside_provider else plain
            incumbent = self._stack.enter_context(stack.IncumbentExporter(watched.addresses, binary=bench.incumbent))
            targets[_INCUMBENT_JOB] = [incumbent.address]
        self.prometheus = self._stack.enter_context(stack.Prometheus(
            targets, rule_files=_RULES, scrape_interval=f"{bench.options.scrape_interval}s"))
        if incident.load_mix:
            for ensemble in self.ensembles:
                self._stack.enter_context(load.LoadGenerator(ensemble.connect_string, rate_per_s=_LOAD_RATE_PER_S,
                                                             mix=incident.load_mix))

    def __exit__(self, *_):
        self._stack.close()


def _intervals(moments):
    """[(first, last)…] of the runs of moments that are a second apart."""
    found = []
    for when in sorted(moments):
        if found and when - found[-1][1] <= 1.5:
            found[-1][1] = when
        else:
            found.append([when, when])
    return [tuple(one) for one in found]


def firing_moments(prometheus, begin, end):
    """(alert name, severity) -> set of the moments, on a grid of one second, in which any such alert fired.

    The guide's alerts count where they are about its own job: its condition for a server that is down would match any
    target of this Prometheus, which an installation of the guide does not have.
    """
    moments = collections.defaultdict(set)
    for labels, points in prometheus.query_range('ALERTS{alertstate="firing"}', begin, end, 1):
        name = labels["alertname"]
        if name.startswith("Guide") and labels.get("job") != _PROVIDER_JOB:
            continue
        moments[name, labels.get("severity", "")] |= {when for when, _ in points}
    return moments


def failed_scrapes(prometheus, fault_at, end):
    """(begin, seconds in all) of the time since the fault in which the incumbent could not be scraped; None if never."""
    moments = sorted(when - fault_at for _, points in prometheus.query_range(
        f'up{{job="{_INCUMBENT_JOB}"}} == 0', fault_at, end, 1) for when, _ in points)
    return (round(moments[0], 1), len(moments)) if moments else None


def _since_fault(moments, fault_at, still_from):
    """[(begin, end)…] in seconds from the fault, without what began before it; the end is None for what still fires."""
    return [(first - fault_at, None if last - fault_at > still_from else last - fault_at)
            for first, last in _intervals(moments) if first >= fault_at]


def describe_alerts(moments, fault_at, still_from):
    """The alerts of a row, by time, and a line for each that fired before the fault."""
    alerts, before = [], []
    for (name, severity), whens in sorted(moments.items()):
        rules = next(key for prefix, key in _PREFIXES.items() if name.startswith(prefix))
        first, last = _intervals(whens)[0]
        if first < fault_at:
            before.append(f"{name} ({rules}) from {first - fault_at:.0f} s to {last - fault_at:.0f} s")
        times = _since_fault(whens, fault_at, still_from)
        if times:
            until = times[-1][1]
            alerts.append({"rules": rules, "name": name, "severity": severity, "after_s": round(times[0][0], 1),
                           "until_s": None if until is None else round(until, 1), "episodes": len(times)})
    return sorted(alerts, key=lambda alert: alert["after_s"]), before


def our_firings(moments, fault_at, still_from):
    """Name of an alert of ours -> when it fired in any severity."""
    together = collections.defaultdict(set)
    for (name, _), whens in moments.items():
        if name.startswith("ZooKeeper"):
            together[name] |= whens
    found = {name: _since_fault(whens, fault_at, still_from) for name, whens in together.items()}
    return {name: times for name, times in found.items() if times}


def run_incident(bench, incident):
    """Does one incident and returns its row."""
    options = bench.options
    warm_up = _QUICK["warm_up"] if options.quick else _WARM_UP_S
    observe = _QUICK["observe"] if options.quick else incident.observe_s
    healed = min(incident.healed_s, _QUICK["healed"]) if options.quick else incident.healed_s
    say(f"{incident.key}: starting")
    with Site(bench, incident) as site:
        prometheus = site.prometheus
        ready_at = time.time()
        time.sleep(warm_up)
        wait_for_silence(incident, prometheus)
        started = datetime.datetime.now(datetime.timezone.utc)
        fault_at = time.time()
        say(f"{incident.key}: fault")
        heal = incident.inject(site.ensembles)
        injected = time.time()
        loads = [os.getloadavg()[0]]
        # A planned work is over when it returns, and observed from there; a fault from its beginning.
        time.sleep(max(0.0, (injected if incident.planned else fault_at) + observe - time.time()))
        loads.append(os.getloadavg()[0])
        repaired_at = time.time()
        heal()
        say(f"{incident.key}: repaired")
        time.sleep(healed)
        loads.append(os.getloadavg()[0])
        end = time.time()
        errors = prometheus.rule_errors()
        row = {"key": incident.key, "title": incident.title, "fault_at": started.isoformat(timespec="seconds"),
               "repaired_at_s": round(repaired_at - fault_at, 1),
               "healed_s": healed, "end_s": round(end - fault_at, 1), "load_average": round(sum(loads) / len(loads), 2),
               "rule_errors": [f"{name}: {error}" for name, error in errors],
               "watchkeeper": bench.versions()["watchkeeper"], "our_rules": bench.rules,
               "incumbent_skipped": bench.incumbent_skipped, "incumbent_failed_scrapes": None}
        if bench.incumbent:
            row["incumbent_failed_scrapes"] = failed_scrapes(prometheus, fault_at, end)
        moments = firing_moments(prometheus, ready_at, end)
        # Younger than two evaluations: still firing.
        still_from = end - fault_at - options.scrape_interval - 2
        row["alerts"], row["already_firing"] = describe_alerts(moments, fault_at, still_from)
        if options.record and incident.recorded:
            row["recording"] = record(bench, incident, prometheus, fault_at, end - fault_at,
                                      our_firings(moments, fault_at, still_from))
    fired = "; ".join(f"{alert['name']} {alert['after_s']:.0f} s" for alert in row["alerts"])
    say(f"{incident.key}: {fired or 'nothing fired'}")
    return row


def wait_for_silence(incident, prometheus):
    """Waits until no alert fires; one that does not end is told in the row as firing before the fault."""
    try:
        process.wait_for(lambda: not prometheus.firing(), _SILENCE_DEADLINE_S, "all alerts to be silent", interval_s=1.0)
    except TimeoutError:
        say(f"{incident.key}: before the fault fire {', '.join(sorted(prometheus.firing()))}")


def record(bench, incident, prometheus, fault_at, end_s, firings):
    """Writes the promtool test; returns its path or why there is none."""
    versions = bench.versions()
    when = datetime.datetime.fromtimestamp(fault_at, datetime.timezone.utc)
    head = [f"# {incident.title}: done to a real ensemble of three voters",
            f"# at second {recording.LEAD_S}, {when:%Y-%m-%d %H:%M} UTC.",
            f"# {versions['zookeeper']}, {versions['watchkeeper']}, {versions['prometheus']}; scraped every"
            f" {bench.options.scrape_interval} s.",
            f"# Written by bench/incidents/compare.py --record --only {incident.key}"]
    try:
        path, problems = recording.write(incident, prometheus.url, fault_at, int(end_s), firings, head,
                                         bench.options.scrape_interval)
    except (recording.RecordingError, recording.series_from_prometheus.ExportError) as error:
        say(f"{incident.key}: not recorded: {error}")
        return f"not recorded: {error}"
    for problem in problems:
        say(f"{incident.key}: recording: {problem}")
    return str(path.relative_to(ROOT))


def failures(rows):
    """What the gate says about our alerts, one line each."""
    incidents = {incident.key: incident for incident in catalogue.INCIDENTS}
    for row in rows:
        incident = incidents[row["key"]]
        ours = {alert["name"] for alert in row["alerts"] if alert["rules"] == "watchkeeper"}
        for name in incident.expected:
            if name not in ours:
                yield f"{row['key']}: {name} did not fire"
        for alert in row["alerts"]:
            if alert["rules"] == "watchkeeper" and alert["name"] in incident.wrong:
                yield f"{row['key']}: {alert['name']} fired and is untrue"
            if alert["rules"] == "watchkeeper" and incident.planned and alert["severity"] == "critical":
                yield f"{row['key']}: {alert['name']} is a false alarm"
        for error in row["rule_errors"]:
            yield f"{row['key']}: rule {error}"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    keys = [incident.key for incident in catalogue.INCIDENTS]
    parser.add_argument("--only", default="", help=f"comma separated: {', '.join(keys)}")
    parser.add_argument("--parallel", type=int, default=4, help="incidents at a time, each with six servers (4)")
    parser.add_argument("--scrape-interval", type=int, default=15, help="seconds (15)")
    parser.add_argument("--quick", action="store_true", help="a smoke run with short windows; its table means nothing")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows here; rows of incidents that are not run are kept")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the page here (docs/INCIDENTS.md)")
    parser.add_argument("--record", action="store_true", help="write promtool tests into alerts/tests/incidents")
    parser.add_argument("--render", action="store_true", help="run nothing: write --markdown from --json")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else keys
    unknown = sorted(set(wanted) - set(keys))
    if unknown:
        parser.error(f"--only: no incident {', '.join(unknown)}; there are {', '.join(keys)}")
    if options.quick and (options.record or options.markdown):
        parser.error("--quick measures nothing: leave out --record and --markdown")
    if options.quick and options.json and options.json.exists():
        parser.error(f"--quick measures nothing, and its rows do not belong into {options.json}: name a new file")
    if options.render and not (options.json and options.json.exists() and options.markdown):
        parser.error("--render needs --markdown and a --json that exists")
    if options.parallel < 1 or options.scrape_interval < 1:
        parser.error("--parallel and --scrape-interval are 1 or more")
    if options.quick:
        options.scrape_interval = _QUICK["scrape_interval"]
    options.incidents = [incident for incident in catalogue.INCIDENTS if incident.key in wanted]
    return options


def machine_line():
    return f"{os.cpu_count()} × {machine.processor()}, Linux {platform.release()}"


def run_all(bench):
    """Rows in the order of the catalogue, and whether each incident could be run."""
    rows, whole = {}, True
    # The longest first, so that no lane is left with a long one at the end.
    order = sorted(bench.options.incidents, key=lambda incident: -(incident.observe_s + incident.healed_s))
    with concurrent.futures.ThreadPoolExecutor(bench.options.parallel) as pool:
        started = {pool.submit(run_incident, bench, incident): incident for incident in order}
        for done in concurrent.futures.as_completed(started):
            try:
                rows[started[done].key] = done.result()
            except Exception:  # One incident that cannot be done must not lose the others' half hour.
                whole = False
                say(f"{started[done].key}: could not be run\n{traceback.format_exc()}")
    return rows, whole


def make_document(bench, rows, previous):
    """What --json holds: `rows`, and those of the `previous` document that were not run again, with its command."""
    options = bench.options
    kept = {row["key"]: row for row in previous.get("incidents", []) if row["key"] not in rows}
    merged = {**kept, **rows}
    ordered = [merged[incident.key] for incident in catalogue.INCIDENTS if incident.key in merged]
    faults = [datetime.datetime.fromisoformat(row["fault_at"]) for row in ordered]
    ends = [fault + datetime.timedelta(seconds=row["end_s"]) for fault, row in zip(faults, ordered)]
    own = {"quick": options.quick, "command": " ".join(["bench/incidents/compare.py", *sys.argv[1:]]),
           "parallel": options.parallel, "scrape_interval_s": options.scrape_interval}
    how = {key: previous[key] for key in own} if kept else own
    return {**how, "started": f"{min(faults):%Y-%m-%d %H:%M}" if faults else "",
            "ended": f"{max(ends):%Y-%m-%d %H:%M}" if ends else "", "machine": machine_line(), "versions": bench.versions(),
            "incidents": ordered}


def main():
    options = parse_arguments()
    if options.render:
        document = json.loads(options.json.read_text(encoding="utf-8"))
        options.markdown.write_text(report.render(document, catalogue.INCIDENTS, our_rules()), encoding="utf-8")
        return 0
    try:
        bench = Bench(options)
    except workspace.LabUnavailable as error:
        print(f"incidents: {error}", file=sys.stderr)
        return 2
    rows, whole = run_all(bench)
    previous = {}
    if options.json and options.json.exists():
        previous = json.loads(options.json.read_text(encoding="utf-8"))
    document = make_document(bench, rows, previous)
    if not document["incidents"]:
        return 1
    if options.json:
        options.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(report.render(document, catalogue.INCIDENTS, our_rules()), encoding="utf-8")
    print(("A smoke run, not a measurement.\n" if options.quick else "") + report.table(document, catalogue.INCIDENTS))
    problems = [] if options.quick else list(failures(rows.values()))
    for problem in problems:
        print(f"FAILED {problem}", file=sys.stderr)
    return 0 if whole and not problems else 1


if __name__ == "__main__":
    sys.exit(main())
