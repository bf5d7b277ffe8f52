#!/usr/bin/env -S PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
"""What the exporter costs: CPU per polled target, resident memory, CPU per scrape (O1 and O4 of the goals).

    bench/exporter_cost.py [--seconds 60] [--scrapes 1000] [--json FILE]

Watches one real ensemble of three Apache members on loopback; "15 targets" are the same three in five ensembles, "70
targets" are seven members in ten.
CPU is user and system time of all threads, threads that have ended included, read from the kernel's clock of the
process, which counts nanoseconds.  Polling is divided into windows and scraping into batches: the table shows the
median and, in brackets, the smallest and the largest.  A burst of scrapes could be served from something remembered;
the row "one a second" cannot, since polls change the answer in between.

Exit status: 0 when every gate is held, 1 when one is not, 2 when the lab is not to be had.
"""

import argparse
import collections
import contextlib
import dataclasses
import json
import math
import pathlib
import statistics
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

import machine  # noqa: E402
import scrapes  # noqa: E402
from lab import apache, stack, workspace  # noqa: E402  The path has to be set first.

_WINDOWS = 6
_WARM_UP_S = 8.0
_HISTORY_ROWS = {"an hour": 3600 + 360 + 60, "a day": 3600 + 1080 + 1440}
_CHUNK_ROWS = 60                  # packed together; exporter/view/packed_rows.h
_PLAIN_ROWS = 3 * _CHUNK_ROWS     # the newest of each resolution are not packed
_CHUNK_OWN_BYTES = 40             # of the vector that holds a chunk, and of the allocator
_KIND_BITS, _PATTERN_BITS, _CODE_HEAD_BITS = 2, 32, 45  # of a column of a chunk
_NUMBER_BYTES = 4
_GROWTH_ZNODES = 10000
_GROWTH_SESSIONS = 50

_POLL_GOAL, _POLL_GATE = 0.2, 0.5          # percent of a core a target, O4
_MEMORY_GOAL, _MEMORY_GATE = 10.0, 20.0    # MB, O4
_SCRAPE_GOAL, _SCRAPE_GATE = 0.5, 2.0      # ms, O1
_GROWTH_GATE = 1.25                        # no growth, within the noise of a busy machine


@dataclasses.dataclass
class Row:
    """One line of the table."""
    goal_id: str
    measure: str
    unit: str
    value: float
    low: float = None
    high: float = None
    goal: float = None
    gate: float = None
    note: str = ""

    def verdict(self):
        if self.gate is None:
            return ""
        return "goal met" if self.value <= self.goal else "gate held" if self.value <= self.gate else "GATE MISSED"


def _counted(targets):
    return f"{targets} target{'' if targets == 1 else 's'}"


def status_megabytes(pid):
    """VmRSS, RssAnon and RssFile of a process in MB (1,000,000 bytes)."""
    found = {}
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as source:
        for line in source:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "RssAnon", "RssFile"):
                found[name] = int(value.split()[0]) * 1024 / 1e6
    return found


def configuration(folder, addresses, ensembles, canary):
    """A file with the same members in several ensembles."""
    path = folder / f"exporter-{ensembles}-{canary}.yaml"
    path.write_text(json.dumps({"ensembles": [{"name": f"e{number}", "members": list(addresses), "canary": canary}
                                              for number in range(ensembles)]}), encoding="utf-8")
    return path


@contextlib.contextmanager
def watching(folder, addresses, *, ensembles=1, canary="read"):
    """An exporter that has visited everything and has warmed up."""
    path = configuration(folder, addresses, ensembles, canary)
    with stack.Exporter([f"--config.file={path}", "--log.level=warn"]) as exporter:
        time.sleep(_WARM_UP_S)
        ready = exporter.get("/readyz")
        if ready.status != 200:
            raise RuntimeError(f"the exporter is not ready: {ready.text}")
        yield exporter


def measure_polling(exporter, targets, seconds):
    """Percent of a core per target: median, lowest, highest of the windows."""
    shares = []
    for _ in range(_WINDOWS):
        cpu, begin = scrapes.cpu_seconds(exporter.process.pid), time.monotonic()
        time.sleep(seconds / _WINDOWS)
        shares.append(100 * (scrapes.cpu_seconds(exporter.process.pid) - cpu) / (time.monotonic() - begin) / targets)
    return statistics.median(shares), min(shares), max(shares), statistics.mean(shares)


def scraper_of(exporter, path, gzip):
    return scrapes.Scraper(exporter.process.pid, exporter.port, path, gzip)


def scrape_rows(exporter, targets, count, idle_share):
    """CPU per scrape of one exporter, for each choice of families and compression."""
    rows = []
    for families, path in (("native", "/metrics?family=native,exporter"), ("native + zk", "/metrics")):
        for gzip in (False, True):
            scraper = scraper_of(exporter, path, gzip)
            value, low, high = scraper.burst(count, idle_share)
            rows.append(Row("O1", f"CPU per scrape, {targets} targets, {families}{', gzip' if gzip else ''}", "ms",
                            value, low, high, _SCRAPE_GOAL, _SCRAPE_GATE, f"{scraper.body_bytes / 1000:.0f} kB"))
    return rows


def pattern(value):
    """The bits of a number as exporter/view/packed_rows.cpp keeps them; None when it is unknown."""
    if value is None:
        return None
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return bits if value == math.trunc(value) else (bits + 0x1FFF) & ~0x3FFF


def coded_bits(patterns):
    """Bits of a code for each of these patterns, and of what precedes the codes."""
    known = [each for each in patterns if each]
    shift = min(((each & -each).bit_length() - 1 for each in known), default=0)
    codes = (None in patterns) + (0 in patterns) + ((max(known) >> shift) - (min(known) >> shift) + 1 if known else 0)
    return _CODE_HEAD_BITS + len(patterns) * (codes - 1).bit_length()


def packed_row_bytes(columns):
    """Bytes a row takes once packed, as exporter/view/packed_rows.cpp does it, judged by the newest rows, a chunk at most."""
    bits = 0
    for column in columns:
        patterns = [pattern(value) for value in column[-_CHUNK_ROWS:]]
        common = collections.Counter(patterns).most_common(1)[0][0]
        others = [each for each in patterns if each != common]
        bits += _KIND_BITS
        if others:
            bits += min(coded_bits(patterns), _PATTERN_BITS + _CHUNK_ROWS + coded_bits(others))
        else:
            bits += _PATTERN_BITS
    return (bits / 8 + _CHUNK_OWN_BYTES) / _CHUNK_ROWS


def history_megabytes(exporter):
    """Memory that the history will have taken when it is an hour and a day old, beside what it takes now."""
    owners = collections.defaultdict(list)
    for series in json.loads(exporter.get(f"/api/v1/history?step=1&since=-{_CHUNK_ROWS}s").body)["series"]:
        owners[series["ensemble"], series["member"]].append(series["points"])
    spans = dict.fromkeys(_HISTORY_ROWS, 0.0)
    for columns in owners.values():
        packed, plain = packed_row_bytes(columns), len(columns) * _NUMBER_BYTES
        held = min(len(columns[0]), _CHUNK_ROWS)
        for span, rows in _HISTORY_ROWS.items():
            spans[span] += ((rows - _PLAIN_ROWS) * packed + (_PLAIN_ROWS - held) * plain) / 1e6
    return spans


def fleet_rows(arguments):
    """Ten ensembles of seven members: one of seven real servers, watched ten times."""
    with apache.ApacheEnsemble(7, extra_cfg={"maxClientCnxns": 500}) as ensemble:
        with watching(ensemble.folder, ensemble.addresses, ensembles=10) as exporter:
            share, low, high, mean = measure_polling(exporter, 70, arguments.seconds)
            rows = [Row("O4", f"CPU per target polled each second, {_counted(70)}, canary read", "% of a core", share, low,
                        high, _POLL_GOAL, _POLL_GATE, f"mean {mean:.3f}")]
            rows += memory_rows(exporter, 70, "read")
            scraper_of(exporter, "/metrics", True).paced(min(arguments.paced, 10))
            return rows + [after_scrapes_row(exporter, 70)]


def after_scrapes_row(exporter, targets):
    found = status_megabytes(exporter.process.pid)
    return Row("O4", f"resident, {targets} targets, after these scrapes", "MB", found["VmRSS"], None, None, _MEMORY_GOAL,
               _MEMORY_GATE, f"{found['RssAnon']:.1f} own, {found['RssFile']:.1f} files")


def memory_rows(exporter, targets, canary):
    """Resident memory now, and with the history that is still to come."""
    found = status_megabytes(exporter.process.pid)
    split = f"{found['RssAnon']:.1f} own, {found['RssFile']:.1f} of files: the program and its libraries"
    rows = [Row("O4", f"resident, {_counted(targets)}, canary {canary}, before the first scrape", "MB", found["VmRSS"],
                None, None, _MEMORY_GOAL, _MEMORY_GATE, split)]
    rows += [Row("O4", f"… with the history of {span}, extrapolated", "MB", found["VmRSS"] + more, None, None,
                 _MEMORY_GOAL, _MEMORY_GATE, f"{more:.2f} MB of history to come")
             for span, more in history_megabytes(exporter).items()]
    return rows


def fill(ensemble):
    """Znodes, watches and sessions, which must not make a scrape dearer."""
    from kazoo.client import KazooClient  # Only this part needs the package.
    client = KazooClient(hosts=ensemble.connect_string, timeout=30)
    client.start(timeout=30)
    client.ensure_path("/bench")
    pending = [client.create_async(f"/bench/{number}", b"x" * 100) for number in range(_GROWTH_ZNODES)]
    pending += [client.exists_async(f"/bench/{number}", watch=lambda event: None) for number in range(_GROWTH_ZNODES)]
    for one in pending:
        one.get(timeout=60)
    sessions = [KazooClient(hosts=ensemble.connect_string, timeout=30) for _ in range(_GROWTH_SESSIONS)]
    for session in sessions:
        session.start(timeout=30)
    return [client, *sessions]


def measure(arguments):
    rows = []
    with apache.ApacheEnsemble(3, extra_cfg={"maxClientCnxns": 500}) as ensemble:
        folder = ensemble.folder
        plans = [(1, 1, "read"), (3, 1, "read"), (15, 5, "read"), (3, 1, "off")]
        for targets, ensembles, canary in plans:
            addresses = ensemble.addresses[:min(targets, 3)]
            with watching(folder, addresses, ensembles=ensembles, canary=canary) as exporter:
                share, low, high, mean = measure_polling(exporter, targets, arguments.seconds)
                rows.append(Row("O4", f"CPU per target polled each second, {_counted(targets)}, canary {canary}",
                                "% of a core", share, low, high, _POLL_GOAL, _POLL_GATE, f"mean {mean:.3f}"))
                rows += memory_rows(exporter, targets, canary)
                if canary != "read" or targets == 1:
                    continue
                idle_share = mean * targets / 100
                rows += scrape_rows(exporter, targets, arguments.scrapes, idle_share)
                value, low, high = scraper_of(exporter, "/metrics", True).paced(arguments.paced)
                rows.append(Row("O1", f"CPU per scrape, {targets} targets, native + zk, gzip, one a second", "ms",
                                value, low, high, _SCRAPE_GOAL, _SCRAPE_GATE, "no scrape before it in the same second"))
                if targets == 3:
                    before = scraper_of(exporter, "/metrics", False).burst(arguments.scrapes, idle_share)[0]
                    sessions = fill(ensemble)
                    time.sleep(2 * scrapes.SETTLED_S)
                    after = scraper_of(exporter, "/metrics", False).burst(arguments.scrapes, idle_share)[0]
                    rows.append(Row("O1", f"the same with {_GROWTH_ZNODES:,} znodes, {_GROWTH_ZNODES:,} watches and "
                                          f"{_GROWTH_SESSIONS} sessions, divided by without", "ratio", after / before,
                                    None, None, 1.0, _GROWTH_GATE, f"{before:.2f} → {after:.2f} ms"))
                    for session in sessions:
                        session.stop()
                        session.close()
                rows.append(after_scrapes_row(exporter, targets))
    return rows + fleet_rows(arguments)


def _number(value, unit):
    return f"{value:.3f}" if unit == "% of a core" else f"{value:.2f}" if unit in ("ms", "ratio") else f"{value:.1f}"


def table(rows):
    lines = ["| goal | measure | value | goal | gate | | note |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        value = f"{_number(row.value, row.unit)} {row.unit if row.unit != 'ratio' else '×'}"
        if row.low is not None:
            value += f" ({_number(row.low, row.unit)}–{_number(row.high, row.unit)})"
        lines.append(f"| {row.goal_id} | {row.measure} | {value} | {row.goal:g} | {row.gate:g} | {row.verdict()} | "
                     f"{row.note} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of polling measured for each number of targets")
    parser.add_argument("--scrapes", type=int, default=1000, help="of each burst")
    parser.add_argument("--paced", type=int, default=30, help="scrapes of the row with one a second")
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    if arguments.scrapes < scrapes.BATCHES or arguments.seconds <= 0 or arguments.paced < 1:
        parser.error(f"--scrapes must be {scrapes.BATCHES} or more, --seconds positive, --paced 1 or more")
    before = machine.now()
    try:
        rows = measure(arguments)
    except workspace.LabUnavailable as missing:
        print(f"exporter_cost: {missing}", file=sys.stderr)
        return 2
    after = machine.now()
    print(f"{before['date']}, {before['cores']} cores ({before['processor']}), Linux {before['kernel']}; load average "
          f"{before['load_average'][0]:.1f} before and {after['load_average'][0]:.1f} after.\n")
    print(table(rows))
    if arguments.json:
        document = {"machine": before, "load_average_after": after["load_average"],
                    "rows": [{**dataclasses.asdict(row), "verdict": row.verdict()} for row in rows]}
        arguments.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if any(row.verdict() == "GATE MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
