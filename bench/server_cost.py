#!/usr/bin/env -S PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
"""watchkeeperd beside Apache ZooKeeper: CPU per operation, throughput, latency, memory, start, crowds of sessions and
watches, and what it costs to be observed (the goals' rows P1 to P8 of one server, M, S1, S2, W, C and O1 to O3).

    bench/server_cost.py                         everything, with a minute of warm-up for the JVM: a bit more than an hour
    bench/server_cost.py --quick P1 P1b P2       some rows, short windows, for a look while working
    bench/server_cost.py --bin build/release/bin --json FILE

Both servers run on this machine at the same time, each with its own data on the same disk, forceSync on, preallocation,
listen backlog and data sizes alike, logging at WARN; the load alternates between them: A, B, A, B …  Apache is Debian's
package on the default JVM with its default heap (`--heap 256` asks for the other profile, a small heap with the same
collector).

`--keep-awake` keeps the processors from sleeping meanwhile.  On a virtual machine, what a sleeping processor takes to wake
up is most of a round trip, and each write to a client that waits pays for it: without, rows of single requests (P7) and of
many small writes (W1, C1, C3) are rows of the machine; with it, of the servers.

The load comes from wk_load, which reads the servers' CPU clocks itself.  What it costs is shown against a server that does
nothing (wk_null_server).  Each value is the median of the repetitions, with the smallest and the largest in brackets.  A
row is lost ("GATE MISSED") when the median misses the gate; P6 compares medians, and calls a pair even when the ranges of
the repetitions overlap.  A row that needs more open files than the system allows says with how many it was measured;
`ulimit -Hn 120000` before the command lets all 50,000 sessions of C3 in.

Exit status: 0 when every gate is held, 1 when one is not or a row could not be measured, 2 when something that is needed is
missing.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

import machine  # noqa: E402  The path has to be set first.
from lab import workspace  # noqa: E402
from server_cost import contenders, crowds, million, observation, operations, start  # noqa: E402
from server_cost.table import table  # noqa: E402

_REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
_GROUPS = (operations, start, million, crowds, observation)
_ROWS = tuple(row for group in _GROUPS for row in group.ROWS)


def measure(bench, wanted):
    """The rows, and what went wrong: a group that fails (a server or a load that ends) takes no other with it, and not
    the rows that it has told."""
    rows, failures = [], []
    for group in _GROUPS:
        asked = [row for row in group.ROWS if row in wanted]
        try:
            for row in group.measure(bench, wanted) if asked else ():
                rows.append(row)
        except (RuntimeError, TimeoutError, OSError) as failure:
            failures.append(f"{', '.join(asked)}: {failure}")
            contenders.say(f"FAILED {failures[-1]}")
    return rows, failures


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(_ROWS)}; default: all")
    parser.add_argument("--bin", default=_REPOSITORY / "build" / "release" / "bin", help="folder of the programs")
    parser.add_argument("--server", help="another watchkeeperd than the one in that folder")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--window", type=float, default=4.0, help="seconds measured in one repetition")
    parser.add_argument("--settle", type=float, default=1.0, help="seconds of load before each window")
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds of load on Apache before everything")
    parser.add_argument("--heap", type=int, help="Apache's -Xmx in MB instead of the JVM's default")
    parser.add_argument("--znodes", type=int, default=1_000_000, help="of M2, M4, P8 and S2")
    parser.add_argument("--watches", type=int, default=1_000_000, help="of M5, a multiple of 1,000")
    parser.add_argument("--quick", action="store_true", help="three short repetitions after ten seconds of warm-up")
    parser.add_argument("--keep-awake", action="store_true", help="processors do not sleep meanwhile; needs root")
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows to this file")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.rows) - set(_ROWS)):
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(_ROWS)}")
    if arguments.quick:
        arguments.repetitions, arguments.window, arguments.settle, arguments.warm_up = 3, 1.0, 0.5, 10.0
    return arguments


def main():
    arguments = parse()
    before = machine.now()
    try:
        bench = contenders.Bench(arguments)
        with machine.kept_awake() if arguments.keep_awake else contextlib.nullcontext():
            floor = operations.floor_lines(bench)
            rows, failures = measure(bench, set(arguments.rows or _ROWS))
    except (workspace.LabUnavailable, FileNotFoundError, PermissionError) as missing:
        print(f"server_cost: {missing}", file=sys.stderr)
        return 2
    after = machine.now()
    print(f"{before['date']}, {before['cores']} cores ({before['processor']}), Linux {before['kernel']}; load average "
          f"{before['load_average'][0]:.1f} before and {after['load_average'][0]:.1f} after; {arguments.repetitions} "
          f"repetitions of {arguments.window:g} s; Apache's heap: "
          f"{f'{arguments.heap} MB' if arguments.heap else 'the default'}"
          f"{'; processors kept awake' if arguments.keep_awake else ''}.\n")
    print("Against a server that does nothing:\n" + "".join(f"- {line}\n" for line in floor))
    print(table(rows))
    if failures:
        print("\nNot measured:\n" + "".join(f"- {failure}\n" for failure in failures))
    if arguments.json:
        document = {"machine": before, "kept_awake": arguments.keep_awake, "load_average_after": after["load_average"],
                    "floor": floor, "failures": failures,
                    "rows": [{**dataclasses.asdict(row), "verdict": row.verdict()} for row in rows]}
        arguments.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 1 if failures or any(row.is_lost() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
