"""M5, M6, C1, C2, C3, W1, W2: many sessions and many watches."""

import statistics

from .contenders import NAMES, say
from .table import Row, Sample

ROWS = ("M5", "M6", "C3", "W1", "W2", "C1", "C2")
_CROWD = 10_000
_IDLE_SESSIONS = 50_000
_IDLE_TIMEOUT_S = 30
_WATCHES = 1_000_000
_OTHERS_PER_S = 1000
_EXPIRY_TIMEOUT_S = 10
_ROUNDS = 3


def _kb(count):
    return f"{count / 1000:.2f}"


def _floor_ms(bench, scenario, key, options):
    """When the last one was served by a server that does nothing: what sockets and the generator take, ms."""
    with bench.null_server() as member:
        told = bench.scenario(scenario, member, **options)
    return statistics.median(one["max"] / 1000 for one in told[key])


def _cpu_s(found):
    """Median of the server's CPU in a round, for a note: ours and Apache's."""
    each = {name: statistics.median(one for run in runs for one in run["server_cpu_s"]) for name, runs in found.items()}
    return f"server CPU {each['watchkeeper']:.3f} and {each['apache']:.3f} s"


def _watch_rows(bench):
    """M5: on fresh servers, so that nothing but the watches makes them grow."""
    rows = []
    total = bench.arguments.watches
    shapes = (("1,000 sessions on the same znodes", 1000, total // 1000, {}, 16, 32),
              ("100 sessions, each watch on a path of its own, its text included", 100, total // 100,
               {"own_paths": True}, None, None))
    for title, sessions, each, options, goal, gate in shapes:
        found = {}
        for name in NAMES:
            say(f"M5: {title}: {name}")
            with bench.make(name) as ensemble:
                told = bench.scenario("hold", ensemble.members[0], sessions=sessions, watches=each, windows=0, **options)
            memory = told["resident_bytes"]
            found[name] = (memory["watches"] - memory["sessions"]) / told["watches"]
        rows.append(Row("M5", f"bytes per watch, {total:,} watches: {title}", f"{found['watchkeeper']:.1f}",
                        f"{found['apache']:.1f}", found["watchkeeper"], goal, gate, "growth of resident memory"))
    return rows


def _idle_rows(bench, wanted):
    """M6 and C3: sessions that only ping, on fresh servers."""
    sessions = min(_IDLE_SESSIONS, bench.clients_max)
    # Fewer sessions ping as often together as all would.
    timeout_s = _IDLE_TIMEOUT_S * sessions / _IDLE_SESSIONS
    case = {"sessions": sessions, "session_timeout": timeout_s, "window": 10, "windows": 2 if bench.arguments.quick else 6}
    found = {}
    for name in NAMES:
        say(f"M6, C3: {sessions} sessions on {name}")
        with bench.make(name) as ensemble:
            found[name] = bench.scenario("hold", ensemble.members[0], **case)
    say(f"C3: {sessions} sessions on a server that does nothing")
    with bench.null_server() as member:
        floor = bench.scenario("hold", member, **case)
    rows = []
    limit = "" if sessions == _IDLE_SESSIONS else (
        f"measured with {sessions:,}, as many as `ulimit -Hn` allows here, that ping as often as {_IDLE_SESSIONS:,}; ")
    if "M6" in wanted:
        each = {name: (told["resident_bytes"]["sessions"] - told["resident_bytes"]["before"]) / sessions
                for name, told in found.items()}
        rows.append(Row("M6", "resident per idle connection, kB", _kb(each["watchkeeper"]), _kb(each["apache"]),
                        each["watchkeeper"] / 1000, 2.0, 8.0, f"of {sessions:,}"))
    if "C3" in wanted:
        def percent(told, key):
            return Sample(tuple(100 * window[key] for window in told["windows"]))
        share = {name: percent(told, "server_cpu_share") for name, told in found.items()}
        own = percent(found["watchkeeper"], "own_cpu_share").median
        least = percent(floor, "server_cpu_share").median
        pings = statistics.median(window["pings"] / window["seconds"] for window in found["watchkeeper"]["windows"])
        rows.append(Row("C3", f"{_IDLE_SESSIONS:,} idle sessions pinging, % of a core", share["watchkeeper"].show(1),
                        share["apache"].show(1), share["watchkeeper"].median, 2.0, 5.0,
                        f"{limit}{pings:.0f} pings/s, one a session each {timeout_s / 3:.1f} s; a server that does nothing {least:.1f} %, "
                        f"the generator {own:.1f} %"))
    return rows


def _watcher_rows(bench, members, wanted):
    crowd = min(_CROWD, bench.clients_max)
    say(f"W1, W2: {crowd} watchers on one znode")
    options = {"sessions": crowd, "rounds": _ROUNDS, "pause": 3}
    found = bench.alternate_scenario("watchers", members, others_rate=_OTHERS_PER_S, others_mix="get", **options)
    rows = []
    if "W1" in wanted:
        floor = _floor_ms(bench, "watchers", "notified_us", options)
        last = {name: Sample(tuple(one["max"] / 1000 for run in runs for one in run["notified_us"]))
                for name, runs in found.items()}
        half = {name: statistics.median(one["p50"] / 1000 for run in runs for one in run["notified_us"])
                for name, runs in found.items()}
        rows.append(Row("W1", f"{crowd:,} watchers on one znode: last notification delivered, ms",
                        last["watchkeeper"].show(1), last["apache"].show(0),
                        last["watchkeeper"].median / last["apache"].median, 1 / 10, 1 / 4,
                        f"half of them after {half['watchkeeper']:.1f} and {half['apache']:.1f} ms; {_cpu_s(found)}; a server "
                        f"that does nothing takes {floor:.1f} ms"))
    if "W2" in wanted:
        p99 = {name: {when: Sample(tuple(run["others_us"][when]["p99"] for run in runs)) for when in ("quiet", "during")}
               for name, runs in found.items()}
        growth = {name: one["during"].median / one["quiet"].median for name, one in p99.items()}
        def told(name):
            return f"{growth[name]:.1f} ({p99[name]['quiet'].median:.0f} → {p99[name]['during'].median:.0f} µs)"
        rows.append(Row("W2", "… p99 of unrelated reads in the second from the change on, × of quiet",
                        told("watchkeeper"), told("apache"), growth["watchkeeper"], 2.0, 5.0,
                        f"open loop, {_OTHERS_PER_S} a second"))
    return rows


def _comeback_rows(bench, members):
    crowd = min(_CROWD, bench.clients_max)
    say(f"C1: {crowd} clients are cut off and come back")
    options = {"sessions": crowd, "rounds": _ROUNDS, "at_once": crowd}
    found = bench.alternate_scenario("comeback", members, **options)
    floor = _floor_ms(bench, "comeback", "back_us", options) / 1000
    last = {name: Sample(tuple(one["max"] / 1e6 for run in runs for one in run["back_us"])) for name, runs in found.items()}
    lost = {name: sum(run["wrongly_expired"] for run in runs) for name, runs in found.items()}
    return [Row("C1", f"{crowd:,} clients are cut and all return: last one back, s", last["watchkeeper"].show(2),
                last["apache"].show(2), last["watchkeeper"].median / last["apache"].median, 1 / 5, 1 / 2,
                f"all at the same moment; {_cpu_s(found)}; a server that does nothing takes {floor:.2f} s"),
            Row("C1", "… wrong expiries", str(lost["watchkeeper"]), str(lost["apache"]), lost["watchkeeper"], 0, 0,
                f"in {_ROUNDS * bench.arguments.repetitions} returns")]


def _expiry_row(bench, members):
    crowd = min(_CROWD, bench.clients_max)
    say(f"C2: {crowd} sessions expire together")
    found = bench.alternate_scenario("expiry", members, sessions=crowd, ephemerals=10, session_timeout=_EXPIRY_TIMEOUT_S,
                                     others_rate=_OTHERS_PER_S, others_mix="get=90,set=10", pause=3)
    p99 = {name: Sample(tuple(run["others_us"]["during"]["p99"] / 1000 for run in runs)) for name, runs in found.items()}
    took = {name: statistics.median(run["last_gone_s"] - run["first_gone_s"] for run in runs)
            for name, runs in found.items()}
    quiet = statistics.median(run["others_us"]["quiet"]["p99"] / 1000 for run in found["watchkeeper"])
    return Row("C2", f"{crowd:,} sessions with ten ephemerals each expire together: p99 of others, ms",
               p99["watchkeeper"].show(1), p99["apache"].show(1), p99["watchkeeper"].median, 20.0, 100.0,
               f"all gone within {took['watchkeeper']:.2f} and {took['apache']:.2f} s; {quiet:.1f} ms when quiet; "
               f"90 % reads, open loop, {_OTHERS_PER_S} a second")


def measure(bench, wanted):
    """The rows, each as soon as it is known."""
    if "M5" in wanted:
        yield from _watch_rows(bench)
    if wanted & {"M6", "C3"}:
        yield from _idle_rows(bench, wanted)
    if wanted & {"W1", "W2", "C1", "C2"}:
        with bench.pair() as members:
            if wanted & {"W1", "W2"}:
                yield from _watcher_rows(bench, members, wanted)
            if "C1" in wanted:
                yield from _comeback_rows(bench, members)
            if "C2" in wanted:
                yield _expiry_row(bench, members)
