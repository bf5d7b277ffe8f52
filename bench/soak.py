#!/usr/bin/env -S PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
"""Hours of steady load on watchkeeperd: memory, descriptors and threads stay where they are (M7 of the goals).

    bench/soak.py                        an hour
    bench/soak.py --minutes 600 --json FILE
    bench/soak.py --server FILE          another watchkeeperd than the one of build/release

The load: reads, writes, creates and deletes of ten connections at a steady rate; short lives (sessions that open, make an
ephemeral, watch, hear, close, resume, or vanish and expire); each second mntr, cons, wchs and a scrape.  It does not change
from the first second on, so nothing may grow.  Snapshots and log rolls happen all the time.

Memory is compared between the second and the last quarter, median against median; what the data itself grew by in between
(znodes, watches, the status page's history) is taken off.  The limit is one percent.

Exit status: 0 nothing grew, 1 something did, 2 when something that is needed is missing.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

import machine  # noqa: E402  The path has to be set first.
from lab import stack, watchkeeperd, workspace  # noqa: E402

# Every znode, watch and second of history is taken to need so much; all are upper bounds of what they take.
_ZNODE_BYTES = 112
_WATCH_BYTES = 32
_HISTORY_BYTES_PER_S = 64
_SETTINGS = {"snapCount": 20_000, "preAllocSize": 1024, "maxClientCnxns": 0, "autopurge.snapRetainCount": 3,
             "autopurge.purgeInterval": 1}
_MIX = "get=60,exists=10,set=20,create=5,delete=6"  # more deletes than creates keep the number of znodes down
_CONNECTIONS = 10
_LIVES_AT_ONCE = 50
_LIFE_TIMEOUT_S = 4
_DESCRIPTORS_SLACK = 5  # the clients of one moment beside those of another
_GROWTH_SHARE = 0.01
_GRACE_S = 120.0


@dataclasses.dataclass(frozen=True)
class Reading:
    """The server at one moment; `at_s` counts from the beginning of the load."""
    at_s: float
    resident_bytes: int
    descriptors: int
    threads: int
    data_bytes: int  # what its contents are taken to need


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The second quarter beside the last: medians of their readings."""
    seconds: float          # between the middles of the two
    resident_bytes: float   # of the second quarter
    grown_bytes: float      # of resident memory, less than nothing when it fell
    data_grown_bytes: float
    descriptors: tuple      # (second quarter, last quarter), without the clients' connections
    threads: tuple

    @property
    def unexplained_bytes(self):
        """Growth that the contents do not account for."""
        return self.grown_bytes - max(0.0, self.data_grown_bytes)


def compare(readings):
    """The Comparison of a run; ValueError with fewer than eight readings."""
    if len(readings) < 8:
        raise ValueError(f"{len(readings)} readings are too few for four quarters")
    quarter = len(readings) // 4
    early, late = readings[quarter:2 * quarter], readings[-quarter:]

    def both(name):
        return tuple(statistics.median(getattr(reading, name) for reading in part) for part in (early, late))
    resident, data, at = both("resident_bytes"), both("data_bytes"), both("at_s")
    return Comparison(at[1] - at[0], resident[0], resident[1] - resident[0], data[1] - data[0], both("descriptors"),
                      both("threads"))


def complaints(found, allowed_bytes):
    """What grew, in words; nothing when all is well."""
    said = []
    if found.unexplained_bytes > allowed_bytes:
        said.append(f"resident memory grew by {found.grown_bytes / 1e3:.0f} kB from {found.resident_bytes / 1e6:.2f} MB in "
                    f"{found.seconds:.0f} s, of which the data is {max(0.0, found.data_grown_bytes) / 1e3:.0f} kB; "
                    f"{allowed_bytes / 1e3:.0f} kB are allowed")
    for name, (early, late), slack in (("descriptors", found.descriptors, _DESCRIPTORS_SLACK),
                                       ("threads", found.threads, 0)):
        if late > early + slack:
            said.append(f"{name} grew from {early:g} to {late:g}")
    return said


class Soak:
    """A server under steady load.  A context manager; run() once."""

    def __init__(self, programs, server=None):
        self._programs = programs
        self._ensemble = watchkeeperd.WatchkeeperEnsemble(1, program=server or programs, extra_cfg=_SETTINGS, tick_ms=1000)
        self._children = []

    def __enter__(self):
        self._ensemble.__enter__()
        return self

    def __exit__(self, *_):
        for child in self._children:
            child.kill()
            child.wait()
        self._ensemble.stop()

    @property
    def member(self):
        return self._ensemble.members[0]

    def run(self, seconds, *, rate_per_s=None, lives_per_s=0, look_s=1.0, say=lambda text: None):
        """Readings of so many seconds, and what was done meanwhile: {"operations": …, "lives": …}.

        rate_per_s None, lives_per_s 0: as fast as it goes.
        """
        load = self._start("-q", "-j", "-", "-c", _CONNECTIONS, "-o", 10, "-m", _MIX, "--warm-up", 0, "--window", seconds,
                           "-w", 1, *(("-r", rate_per_s) if rate_per_s else ()))
        lives = self._start("--sessions", _LIVES_AT_ONCE, "--session-timeout", _LIFE_TIMEOUT_S, "--window", seconds, "-w", 1,
                            "--rate", lives_per_s, scenario="churn")
        readings, begin, told = [], time.monotonic(), 0.0
        while (elapsed := time.monotonic() - begin) < seconds:
            readings.append(self._look(elapsed))
            if elapsed - told >= 60:
                told = elapsed
                say(f"{elapsed / 60:.0f} min: {readings[-1].resident_bytes / 1e6:.2f} MB, {readings[-1].descriptors} "
                    f"descriptors, {readings[-1].threads} threads")
            for child in (load, lives):
                if child.poll():
                    raise RuntimeError(f"wk_load ended with status {child.returncode}: {child.communicate()[1]}")
            time.sleep(max(0.0, look_s - (time.monotonic() - begin - elapsed)))
        done = [self._finish(child) for child in (load, lives)]
        return readings, {"operations": done[0]["latency_us"]["count"], "lives": done[1]["lives"],
                          "events": done[1]["events"]}

    def _start(self, *words, scenario=None):
        command = [self._programs / "wk_load", *([scenario] if scenario else []), self.member.address, *words]
        child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self._children.append(child)
        return child

    @staticmethod
    def _finish(child):
        output, errors = child.communicate(timeout=_GRACE_S)
        # 1: some requests were answered with an error; a create may meet a name that a delete has not freed yet.
        if child.returncode != 0:
            raise RuntimeError(f"wk_load ended with status {child.returncode}: {errors}{output[-500:]}")
        return json.loads(output)

    def _look(self, elapsed):
        """Asks everything that is asked of a server in production, and reads what it uses."""
        member = self.member
        answer = stack.http_get(f"http://{member.host}:{member.metrics_port}/metrics")
        if answer.status != 200:
            raise RuntimeError(f"/metrics answered {answer.status}")
        for word in ("cons", "wchs"):
            member.ask(word)
        told = member.mntr()
        data = (int(told["zk_approximate_data_size"]) + _ZNODE_BYTES * int(told["zk_znode_count"]) +
                _WATCH_BYTES * int(told["zk_watch_count"]) + int(_HISTORY_BYTES_PER_S * elapsed))
        return Reading(elapsed, member.process.resident_bytes(),
                       member.process.open_descriptors() - int(told["zk_num_alive_connections"]),
                       self._threads(), data)

    def _threads(self):
        return len(list(pathlib.Path(f"/proc/{self.member.pid}/task").iterdir()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[1] / "build" /
                        "release" / "bin", help="folder of the programs")
    parser.add_argument("--server", help="another watchkeeperd than the one in that folder")
    parser.add_argument("--rate", type=float, default=4000, help="requests a second")
    parser.add_argument("--lives", type=float, default=100, help="short lives that begin each second")
    parser.add_argument("--json", type=pathlib.Path, help="write every reading to this file")
    arguments = parser.parse_args()
    if arguments.minutes <= 0:
        parser.error("--minutes must be positive")
    before = machine.now()
    try:
        with Soak(arguments.bin, arguments.server) as soak:
            readings, done = soak.run(60 * arguments.minutes, rate_per_s=arguments.rate, lives_per_s=arguments.lives,
                                      say=lambda text: print(text, file=sys.stderr, flush=True))
    except (workspace.LabUnavailable, FileNotFoundError) as missing:
        print(f"soak: {missing}", file=sys.stderr)
        return 2
    found = compare(readings)
    said = complaints(found, _GROWTH_SHARE * found.resident_bytes)
    print(f"{before['date']}, {before['cores']} cores ({before['processor']}); {arguments.minutes:g} minutes, "
          f"{done['operations']:,} operations, {done['lives']:,} short lives, {done['events']:,} events")
    print(f"resident {found.resident_bytes / 1e6:.2f} MB in the second quarter, "
          f"{(found.resident_bytes + found.grown_bytes) / 1e6:.2f} MB in the last; the data grew by "
          f"{found.data_grown_bytes / 1e3:.0f} kB; descriptors {found.descriptors[0]:g} and {found.descriptors[1]:g}; "
          f"threads {found.threads[0]:g} and {found.threads[1]:g}")
    print("\n".join(said) if said else "M7 held: nothing grew by more than 1 %")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": before, "done": done, "comparison": dataclasses.asdict(found),
                                              "complaints": said,
                                              "readings": [dataclasses.asdict(reading) for reading in readings]},
                                             indent=1) + "\n", encoding="utf-8")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
