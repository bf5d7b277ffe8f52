"""O1, O2, O3: what it costs the server to be looked at."""

import contextlib
import socket
import statistics
import subprocess
import time
import urllib.request

import scrapes
from lab import process

from .contenders import say
from .table import Row, Sample, mean_interval, median_interval

ROWS = ("O1", "O2", "O3")
_BURST, _QUICK_BURST = 1000, 200
_IDLE_S = 5.0
_GROWTH_ZNODES = 100_000
_GROWTH_SESSIONS = 2000
_GROWTH_WATCHES = 100
_GROWTH_GATE = 1.25  # no growth, within the noise of a busy machine
_SLOTS = 600  # windows of one load
_LOADS, _QUICK_LOADS = 10, 2
_PAIRS, _QUICK_PAIRS = 30, 12  # six is the least for an interval
_PAIR_S = 1.0
_PACES = (1, 10)  # scrapes a second
_PACE = 1.03  # scrapes a second: not in step with what the server does each second
_OBSERVING = ("watchkeeper_server_publish_duration_seconds_sum{", "watchkeeper_server_survey_busy_seconds_total{")
_WORDS = 300
_EVERYTHING, _OPERATIONS = "get,exists,set,create,delete,sync", 6000
_PATIENCE_S = 120.0


def _scraper(member, gzip):
    return scrapes.Scraper(member.pid, member.metrics_port, "/metrics", gzip)


@contextlib.contextmanager
def _crowd_on(bench, member):
    """Sessions with watches that stay meanwhile."""
    words = bench.scenario_words("hold", member, sessions=_GROWTH_SESSIONS, watches=_GROWTH_WATCHES, session_timeout=100,
                                 window=1, windows=100_000)
    child = subprocess.Popen([str(word) for word in (bench.programs / "wk_load", *words)], stdout=subprocess.DEVNULL)
    try:
        def watched():
            if child.poll() is not None:
                raise RuntimeError(f"wk_load hold ended with status {child.returncode}")
            return int(member.mntr()["zk_watch_count"]) == _GROWTH_SESSIONS * _GROWTH_WATCHES
        process.wait_for(watched, _PATIENCE_S, "all watches")
        yield
    finally:
        child.kill()
        child.wait()


def _scrape_rows(bench):
    """O1: CPU per scrape of an empty server, and of one that keeps much."""
    count = _QUICK_BURST if bench.arguments.quick else _BURST
    rows, plain = [], {}
    with bench.make("watchkeeper") as ensemble:
        member = ensemble.members[0]
        idle = scrapes.idle_share(member.pid, _IDLE_S)
        for gzip in (False, True):
            say(f"O1: CPU per scrape{', gzip' if gzip else ''}")
            scraper = _scraper(member, gzip)
            cost = scraper.burst(count, idle)
            plain[gzip] = cost[0]
            rows.append(Row("O1", f"CPU per scrape of /metrics{', gzip' if gzip else ''}, ms",
                            f"{cost[0]:.2f} ({cost[1]:.2f}–{cost[2]:.2f})", "–", cost[0], 0.5, 2.0,
                            f"{scraper.body_bytes / 1000:.0f} kB"))
        paced = _scraper(member, True).paced(5 if bench.arguments.quick else 30)
        rows.append(Row("O1", "CPU per scrape, gzip, one a second, ms", f"{paced[0]:.2f} ({paced[1]:.2f}–{paced[2]:.2f})",
                        "–", paced[0], 0.5, 2.0, "no scrape before it in the same second"))
        say("O1: growth")
        bench.load(member, connections=10, outstanding=100, mix="create", operations=_GROWTH_ZNODES)
        with _crowd_on(bench, member):
            idle = scrapes.idle_share(member.pid, _IDLE_S)
            grown = _scraper(member, False).burst(count, idle)[0]
        rows.append(Row("O1", f"the same plain with {_GROWTH_ZNODES:,} znodes, {_GROWTH_SESSIONS:,} sessions and "
                              f"{_GROWTH_SESSIONS * _GROWTH_WATCHES:,} watches, divided by without",
                        f"{grown / plain[False]:.2f}", "–", grown / plain[False], 1.0, _GROWTH_GATE,
                        f"{plain[False]:.2f} → {grown:.2f} ms"))
    return rows


def _observing_s(member):
    """Seconds of the core thread that copies and walks for observers have taken since the start."""
    text = urllib.request.urlopen(f"http://{member.host}:{member.metrics_port}/metrics", timeout=10).read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(_OBSERVING))


def _cost_row(bench):
    """O2: what the load loses around each scrape, and the core's time for what is scraped.

    Two servers side by side cannot show one percent: two that are alike differ by ten from one second to the next.
    """
    case = {"connections": 10, "outstanding": 100, "mix": "get=90,set=10", "window_s": scrapes.SLOT_S, "windows": _SLOTS}
    loads = _QUICK_LOADS if bench.arguments.quick else _LOADS
    say(f"O2: {loads * _SLOTS * scrapes.SLOT_S:.0f} s under load, scraped once a second")
    with bench.make("watchkeeper") as ensemble:
        member = ensemble.members[0]
        bench.load(member, **case)  # warms up, and writes the znodes
        busy, begin = _observing_s(member), time.monotonic()
        with scrapes.Scraping(_scraper(member, True), _PACE) as scraping:
            told = [bench.load(member, **case) for _ in range(loads)]
        own = 100 * (_observing_s(member) - busy) / (time.monotonic() - begin)
    lost = [one for load in told for one in scrapes.lost_ms(load, scraping.times)]
    between = [one for load in told for one in scrapes.lost_ms(load, scraping.times, scrapes.BETWEEN_S)]
    loss, (low, high) = statistics.mean(lost), mean_interval(lost)
    control = "{:.2f} ({:.2f}–{:.2f})".format(statistics.mean(between), *mean_interval(between))
    pace = statistics.median(window["operations_per_s"] for load in told for window in load["windows"])
    # A millisecond a second is a tenth of a percent.
    least, most = own + 0.1 * low, own + 0.1 * high
    return Row("O2", "throughput cost of all metrics on, scraped once a second, %",
               f"{own + 0.1 * loss:.2f} ({least:.2f}–{most:.2f})", "–", own + 0.1 * loss, 0.0, 1.0,
               f"{own:.3f} % of the core's time for copies and walks, and {loss:.2f} ms of the load's work a scrape (95 %: "
               f"{low:.2f}–{high:.2f}, {len(lost)} scrapes); at moments between scrapes {control}; {pace / 1000:.0f} k "
               "operations/s", "the machine is too busy" if least <= 1.0 < most else "")


def _paired_rows(bench):
    """O2 as users would look at it: a server that is scraped beside one that has all of it turned off, in turn.

    Two controls stand beside them.  Two servers of which neither is looked at: what they differ by is what such pairs can
    show.  The same while a third, idle one is scraped: what the scraper takes from load and server where processors are few.
    """
    pairs = _QUICK_PAIRS if bench.arguments.quick else _PAIRS
    case = {"connections": 10, "outstanding": 100, "mix": "get=90,set=10", "window_s": _PAIR_S, "warm_up_s": 0.3}
    say(f"O2: {pairs} pairs, all metrics on and scraped, and off")
    with contextlib.ExitStack() as servers:
        def started(**settings):
            return servers.enter_context(bench.make("watchkeeper", **settings)).members[0]
        on, off, alike = started(), *(started(**{"watchkeeper.observe": "false"}) for _ in range(2))
        for member in (on, off, alike):
            bench.load(member, **case)

        def operations_per_s(member, scrapes_per_s):
            scraping = scrapes.Scraping(_scraper(on, True), scrapes_per_s) if scrapes_per_s else contextlib.nullcontext()
            with scraping:
                return bench.load(member, **case)["windows"][0]["operations_per_s"]
        cases = [(on, pace) for pace in _PACES] + [(alike, 0), (alike, max(_PACES))]
        losses = [[] for _ in cases]
        for pair in range(pairs):
            for (member, pace), lost in zip(cases, losses):
                # First or second by turns.
                order = ((off, 0), (member, pace)) if pair % 2 else ((member, pace), (off, 0))
                seen = {asked is off: operations_per_s(asked, at) for asked, at in order}
                lost.append(100 * (1 - seen[False] / seen[True]))
    told = [(statistics.median(each), "{:.1f} ({:.1f}–{:.1f})".format(statistics.median(each), *median_interval(each)))
            for each in losses]
    return [Row("O2", f"the same in {pairs} pairs: all on, scraped {'once' if pace == 1 else f'{pace} times'} a second, against "
                      "watchkeeper.observe=false, %", shown, "–", median, None, None,
                f"pairs of two that are both off: {told[-2][1]}; the same while an idle third is scraped {max(_PACES)} times a "
                f"second: {told[-1][1]}") for pace, (median, shown) in zip(_PACES, told)]


def _ask_ms(member, word):
    begin = time.perf_counter()
    with socket.create_connection((member.host, member.client_port), timeout=10) as sock:
        sock.sendall(word)
        while sock.recv(1 << 16):
            pass
    return 1000 * (time.perf_counter() - begin)


def _words_rows(bench):
    """O3: mntr of both, its keys and how long it takes."""
    say("O3: mntr")
    with bench.pair() as members:
        times = {name: [] for name in members}
        for _ in range(_WORDS):  # The JVM compiles it meanwhile.
            _ask_ms(members["apache"], b"mntr")
        for _ in range(bench.arguments.repetitions):
            for name, member in members.items():
                asked = [_ask_ms(member, b"mntr") for _ in range(_WORDS)]
                times[name].append(statistics.quantiles(asked, n=100)[98])
        for member in members.values():  # Some keys only appear with the first operation of their kind.
            bench.load(member, connections=10, outstanding=10, mix=_EVERYTHING, operations=_OPERATIONS)
        keys = {name: set(member.mntr()) for name, member in members.items()}
    missing = sorted(keys["apache"] - keys["watchkeeper"])
    p99 = {name: Sample(tuple(values)) for name, values in times.items()}
    return [Row("O3", "keys of Apache's mntr that are missing", str(len(missing)), "0", len(missing), 0, 0,
                f"{len(keys['watchkeeper'])} and {len(keys['apache'])} keys" +
                (f"; missing: {', '.join(missing[:10])}" if missing else "")),
            Row("O3", "mntr, from connecting to the last byte, p99, ms", p99["watchkeeper"].show(2), p99["apache"].show(2),
                p99["watchkeeper"].median / p99["apache"].median, 1 / 10, None, f"{_WORDS} a repetition")]


def measure(bench, wanted):
    """The rows, each as soon as it is known."""
    if "O1" in wanted:
        yield from _scrape_rows(bench)
    if "O2" in wanted:
        yield _cost_row(bench)
        yield from _paired_rows(bench)
    if "O3" in wanted:
        yield from _words_rows(bench)
