"""P1, P1b, P2, P6, P7: what an operation costs, and how many there are at every number of clients."""

import os
import statistics
import time

from .contenders import say
from .table import Row, overlap, sample

ROWS = ("P1", "P1b", "P2", "P7", "P6")
_CASES = {  # name: (goal id, connections, outstanding, mix, goal, gate)
    "getData, 10 × 100": ("P1", 10, 100, "get", 1 / 20, 1 / 8),
    "getData, 50 × 1": ("P1b", 50, 1, "get", 1 / 5, 1 / 3),
    "setData, 10 × 100": ("P2", 10, 100, "set", 1 / 10, 1 / 4),
    "create, 10 × 100": ("P2", 10, 100, "create", 1 / 10, 1 / 4),
}
_CLIENT_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
_MIXES = {"reads": "get", "writes": "set", "90 % reads": "get=90,set=10"}
_SYNC_PROBES = 2000
_SYNC_BYTES = 180


def cpu_rows(bench, members, wanted):
    rows = []
    for name, (goal_id, connections, outstanding, mix, goal, gate) in _CASES.items():
        if goal_id not in wanted:
            continue
        say(f"{goal_id}: {name}")
        found = bench.alternate(members, connections=connections, outstanding=outstanding, mix=mix)
        cost = {one: sample(windows, "server_cpu_us_per_operation") for one, windows in found.items()}
        rate = {one: sample(windows, "operations_per_s").median for one, windows in found.items()}
        own = sample(found["watchkeeper"], "own_cpu_us_per_operation").median
        rows.append(Row(goal_id, f"server CPU per {name}, µs", cost["watchkeeper"].show(2), cost["apache"].show(2),
                        cost["watchkeeper"].median / cost["apache"].median, goal, gate,
                        f"{rate['watchkeeper'] / 1000:.0f} k and {rate['apache'] / 1000:.0f} k operations/s; generator "
                        f"{own:.2f} µs"))
    return rows


def floor_lines(bench):
    """What the generator and sockets alone cost."""
    lines = []
    with bench.null_server() as member:
        for name, (_, connections, outstanding, mix, *_rest) in _CASES.items():
            window, = bench.load(member, connections=connections, outstanding=outstanding, mix=mix, warm_up_s=0.3)["windows"]
            lines.append(f"{name}: {window['operations_per_s'] / 1000:.0f} k operations/s, generator "
                         f"{window['own_cpu_us_per_operation']:.2f} µs, null server "
                         f"{window['server_cpu_us_per_operation']:.2f} µs an operation")
    return lines


def count_rows(bench, members):
    """P6: throughput and p99 at every number of clients."""
    rows = []
    for kind, mix in _MIXES.items():
        for count in _CLIENT_COUNTS:
            say(f"P6: {kind}, {count} clients")
            found = bench.alternate(members, connections=count, outstanding=1, mix=mix,
                                    window_s=bench.arguments.window / 2)
            rate = {one: sample(windows, "operations_per_s") for one, windows in found.items()}
            slow = {one: sample(windows, "latency_us", "p99") for one, windows in found.items()}
            throughput = rate["apache"].median / rate["watchkeeper"].median
            latency = slow["watchkeeper"].median / slow["apache"].median
            worse = [1.0 if overlap(one, other) and ratio > 1 else ratio for ratio, one, other in (
                (throughput, rate["apache"], rate["watchkeeper"]), (latency, slow["watchkeeper"], slow["apache"]))]
            rows.append(Row("P6", f"{kind}, {count} clients: operations/s; p99 µs",
                            f"{rate['watchkeeper'].median:.0f}; {slow['watchkeeper'].median:.0f}",
                            f"{rate['apache'].median:.0f}; {slow['apache'].median:.0f}", max(worse), 1.0, 1.0,
                            f"{1 / throughput:.2f} × the throughput, {latency:.2f} × the p99"))
    return rows


def raw_sync_us(folder):
    """The p50 of writing as much and fdatasync on the same disk, over zeros that are there: nothing can be faster."""
    path = folder / "sync-probe"
    times = []
    with open(path, "wb", buffering=0) as file:
        file.write(bytes(_SYNC_PROBES * _SYNC_BYTES))
        os.fsync(file.fileno())
        for number in range(_SYNC_PROBES):
            begin = time.perf_counter_ns()
            os.pwrite(file.fileno(), b"x" * _SYNC_BYTES, number * _SYNC_BYTES)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter_ns() - begin) / 1000)
    path.unlink()
    return statistics.median(times)


def synchronous_row(bench, members):
    say("P7: one client, synchronous setData")
    raw, null, found = [], [], {name: [] for name in members}
    case = {"connections": 1, "outstanding": 1, "mix": "set"}
    with bench.null_server() as nothing:
        for _ in range(bench.arguments.repetitions):
            raw.append(raw_sync_us(members["watchkeeper"].folder))
            null += bench.load(nothing, **case)["windows"]
            for name, member in members.items():
                found[name] += bench.load(member, **case)["windows"]
    p50 = {name: sample(windows, "latency_us", "p50") for name, windows in found.items()}
    above = p50["watchkeeper"].median - statistics.median(raw)
    gate = min(30.0, p50["apache"].median - statistics.median(raw))
    return Row("P7", "one client, setData p50 above fdatasync, µs", p50["watchkeeper"].show(0), p50["apache"].show(0),
               above, 15.0, gate, f"fdatasync p50 {statistics.median(raw):.0f} µs; {above:.0f} and "
                                  f"{p50['apache'].median - statistics.median(raw):.0f} µs above it; a server that does "
                                  f"nothing answers after {sample(null, 'latency_us', 'p50').median:.0f} µs")


def measure(bench, wanted):
    """The rows, each as soon as it is known."""
    with bench.pair() as members:
        yield from cpu_rows(bench, members, wanted)
        if "P7" in wanted:
            yield synchronous_row(bench, members)
        if "P6" in wanted:
            yield from count_rows(bench, members)
