"""M2, M4, P8, S2: a server with a million znodes."""

import contextlib
import shutil
import statistics
import time

from . import snapshots, start
from .contenders import MB, NAMES, resident_mb, say, unstarted
from .table import Row, Sample, undecided

ROWS = ("M2", "M4", "P8", "S2")
_DATA_BYTES = 100
_NAME_BYTES = 19  # as wk_load names what create makes
_WARM_UP_CREATES = 20_000
_SETTLED_S = 5.0
_SNAPSHOT_EVERY_S = 15  # at most; the servers draw the moment from the second half of it
_CALIBRATION_S = 3.0
_WINDOW_S = 0.1
_RUN_WINDOWS = 150
_RUNS_MAX = 80
_SNAPSHOTS = {"watchkeeper": 24, "apache": 8}  # the gate is ours, and single snapshots differ by more than it allows
_MARGIN_S = 0.3
_REACH_S = 3.0
_OPEN_LOOP_PER_S = 8000
_START_PATIENCE_S = 300.0


def _fill(bench, ensembles, wanted):
    """Starts and fills the servers; their resident memory in MB: {name: (before, after)}."""
    znodes, memory = bench.arguments.znodes, {}
    for name, ensemble in ensembles.items():
        if name == "watchkeeper" and not wanted & {"M2", "M4", "P8"}:
            continue
        say(f"{znodes} znodes into {name}")
        ensemble.start()
        ensemble.wait_until_serving()
        member = ensemble.members[0]
        case = {"connections": 10, "outstanding": 100, "mix": "create"}
        bench.load(member, operations=_WARM_UP_CREATES, **case)
        before = resident_mb(member.pid)
        bench.load(member, operations=znodes, **case)
        time.sleep(_SETTLED_S)
        memory[name] = before, resident_mb(member.pid)
    return memory


def _memory_rows(bench, memory, wanted):
    znodes, rows = bench.arguments.znodes, []
    if "M2" in wanted:
        ours, theirs = memory["watchkeeper"][1], memory["apache"][1]
        rows.append(Row("M2", f"{znodes:,} znodes of {_DATA_BYTES} bytes, resident, MB", f"{ours:.0f}", f"{theirs:.0f}",
                        ours / theirs, 1 / 8, 1 / 5, f"{MB * ours / znodes:.0f} bytes a znode here, all included"))
    if "M4" in wanted:
        fixed = {name: MB * (after - before) / znodes - _NAME_BYTES - _DATA_BYTES
                 for name, (before, after) in memory.items()}
        rows.append(Row("M4", "bytes per znode beside name and data", f"{fixed['watchkeeper']:.0f}",
                        f"{fixed['apache']:.0f}", fixed["watchkeeper"], 80, 112,
                        f"growth of resident memory by {znodes:,} znodes; Apache's holds garbage, too"))
    return rows


def _snapshot_often(bench, ensembles, write_share, **case):
    """Restarts the servers so that each takes a snapshot as often as the other under this load, however fast it is."""
    for name, ensemble in ensembles.items():
        member = ensemble.members[0]
        window, = bench.load(member, window_s=_CALIBRATION_S, **case)["windows"]
        member.stop()
        member.extra_cfg = {"snapCount": max(2, int(_SNAPSHOT_EVERY_S * write_share * window["operations_per_s"]))}
        member.start()
        ensemble.wait_until_serving(deadline_s=_START_PATIENCE_S)
    bench.warm_up(ensembles["apache"].members[0])


def _under_snapshots(bench, ensembles, **case):
    """Windows of a load inside snapshots and beside them: {name: [(during, quiet), …]}, one pair a snapshot."""
    found = {name: [] for name in ensembles}
    for _ in range(_RUNS_MAX):
        for name, ensemble in ensembles.items():
            if len(found[name]) >= _SNAPSHOTS[name]:
                continue
            member = ensemble.members[0]
            with snapshots.SnapshotWatch(member.data_dir) as watch:
                loaded = bench.load(member, window_s=_WINDOW_S, windows=_RUN_WINDOWS, **case)
            found[name] += snapshots.pairs(loaded, watch.spans, _MARGIN_S, _REACH_S)
        if all(len(pairs) >= _SNAPSHOTS[name] for name, pairs in found.items()):
            return found
    seen = ", ".join(f"{name}: {len(pairs)}" for name, pairs in found.items())
    raise RuntimeError(f"in {_RUNS_MAX} runs there were too few snapshots to tell of ({seen})")


def _snapshot_rows(bench, ensembles):
    say("P8: throughput while snapshots are written")
    case = {"connections": 10, "outstanding": 100, "mix": "get=90,set=10"}
    _snapshot_often(bench, ensembles, 0.1, **case)
    closed = _under_snapshots(bench, ensembles, **case)
    loss = {name: Sample(tuple(100 * (1 - _mean_rate(during) / _mean_rate(quiet)) for during, quiet in pairs))
            for name, pairs in closed.items()}
    beside = {name: statistics.median(_mean_rate(quiet) for _, quiet in pairs) / 1000 for name, pairs in closed.items()}
    rows = [Row("P8", f"a snapshot of {bench.arguments.znodes:,} znodes is written: throughput loss, %",
                loss["watchkeeper"].show(1), loss["apache"].show(1), loss["watchkeeper"].median, 5.0, 15.0,
                f"90 % reads, 10 × 100; {len(closed['watchkeeper'])} and {len(closed['apache'])} snapshots, each beside the "
                f"seconds around it: {beside['watchkeeper']:.0f} k and {beside['apache']:.0f} k operations/s",
                undecided(loss["watchkeeper"].values, 15.0))]
    say("P8: latency while snapshots are written")
    case = {"connections": 20, "outstanding": 200, "mix": "get=20,set=80", "rate_per_s": _OPEN_LOOP_PER_S}
    _snapshot_often(bench, ensembles, 0.8, **case)
    opened = _under_snapshots(bench, ensembles, **case)
    growth = {name: Sample(tuple(_p99(during) / _p99(quiet) for during, quiet in pairs))
              for name, pairs in opened.items()}
    calm = {name: statistics.median(_p99(quiet) for _, quiet in pairs) for name, pairs in opened.items()}
    rows.append(Row("P8", "… p99 growth, ×", growth["watchkeeper"].show(2), growth["apache"].show(2),
                    growth["watchkeeper"].median, 1.2, 2.0,
                    f"open loop, {_OPEN_LOOP_PER_S} a second, 80 % writes; {len(opened['watchkeeper'])} and "
                    f"{len(opened['apache'])} snapshots; p99 beside them {calm['watchkeeper']:.0f} and "
                    f"{calm['apache']:.0f} µs", undecided(growth["watchkeeper"].values, 2.0)))
    return rows


def _mean_rate(windows):
    return statistics.mean(window["operations_per_s"] for window in windows)


def _p99(windows):
    """The median of the windows' p99."""
    return statistics.median(window["latency_us"]["p99"] for window in windows)


def _start_row(bench, ensembles):
    """Both start from the same files, which Apache wrote: one snapshot and an empty log behind it."""
    theirs, ours = ensembles["apache"].members[0], ensembles["watchkeeper"].members[0]
    ours.stop()
    theirs.stop()
    theirs.start()  # Apache writes a snapshot when it has started.
    ensembles["apache"].wait_until_serving()
    theirs.stop()
    shutil.rmtree(ours.data_dir)
    shutil.copytree(theirs.data_dir, ours.data_dir)
    times = {name: [] for name in NAMES}
    for _ in range(bench.arguments.repetitions):
        for name, ensemble in ensembles.items():
            say(f"S2: start of {name}")
            times[name].append(start.seconds_to_first_answer(ensemble))
    found = {name: Sample(tuple(values)) for name, values in times.items()}
    return Row("S2", f"start with {bench.arguments.znodes:,} znodes in a snapshot, s", found["watchkeeper"].show(2),
               found["apache"].show(2), found["watchkeeper"].median / found["apache"].median, 1 / 15, 1 / 5)


def measure(bench, wanted):
    """The rows, each as soon as it is known."""
    with contextlib.ExitStack() as stack:
        ensembles = {name: stack.enter_context(unstarted(bench.make(name))) for name in NAMES}
        memory = _fill(bench, ensembles, wanted)
        yield from _memory_rows(bench, memory, wanted)
        if "P8" in wanted:
            yield from _snapshot_rows(bench, ensembles)
        if "S2" in wanted:
            yield _start_row(bench, ensembles)
