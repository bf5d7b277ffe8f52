"""What a scrape costs the process that answers it."""

import http.client
import math
import statistics
import threading
import time

# What Prometheus 2.x sends.
_ACCEPT = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
_WARM_UP = 20
SETTLED_S = 1.1
BATCHES = 10
SLOT_S = 0.05  # a window of a load on whose throughput scrapes are looked for
BETWEEN_S = 0.55  # from a scrape to a moment without one, when there is one a second
_FELT = range(4)  # the windows from a scrape on that may feel it
_BESIDE = (*range(-6, 0), *range(4, 8))


def cpu_seconds(pid):
    """User and system time of a process, from its CPU clock (clock_getcpuclockid(3): ~pid << 3 | CPUCLOCK_SCHED)."""
    return time.clock_gettime((~pid << 3) | 2)


def idle_share(pid, seconds):
    """The share of a core that a process uses while nobody scrapes it."""
    cpu, begin = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - begin)


class Scraper:
    """One kept-alive connection, as Prometheus uses it."""

    def __init__(self, pid, port, path, gzip):
        self._pid = pid
        self._path = path
        self._headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip" if gzip else "identity"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.body_bytes = 0

    def scrape(self):
        self._connection.request("GET", self._path, headers=self._headers)
        answer = self._connection.getresponse()
        self.body_bytes = len(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"{self._path} answered {answer.status}")

    def burst(self, count, idle):
        """CPU milliseconds a scrape: median, lowest, highest of the batches, without the share that `idle` says is used
        anyway."""
        for _ in range(_WARM_UP):
            self.scrape()
        costs = []
        for _ in range(BATCHES):
            cpu, begin = cpu_seconds(self._pid), time.monotonic()
            for _ in range(count // BATCHES):
                self.scrape()
            used = cpu_seconds(self._pid) - cpu - idle * (time.monotonic() - begin)
            costs.append(1000 * used / (count // BATCHES))
        return statistics.median(costs), min(costs), max(costs)

    def paced(self, count):
        """The same for single scrapes about a second apart.  What the process does by itself each second may fall into one;
        the median leaves it out."""
        costs = []
        for _ in range(count):
            time.sleep(SETTLED_S)
            cpu = cpu_seconds(self._pid)
            self.scrape()
            costs.append(1000 * (cpu_seconds(self._pid) - cpu))
        return statistics.median(costs), min(costs), max(costs)


class Scraping:
    """A context manager: scrapes at a steady pace meanwhile.  `failure` is the first that was not answered."""

    def __init__(self, scraper, per_s):
        self._scraper, self._per_s = scraper, per_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failure = None
        self.times = []  # when each began, in seconds since 1970

    @property
    def body_bytes(self):
        return self._scraper.body_bytes

    def _run(self):
        due = time.monotonic()
        try:
            while not self._done.wait(max(0.0, due - time.monotonic())):
                self.times.append(time.time())
                self._scraper.scrape()
                due += 1 / self._per_s
        except (OSError, RuntimeError, http.client.HTTPException) as failure:
            self.failure = failure

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure


def lost_ms(load, moments, offset_s=0.0):
    """How many ms of a load's work are missing around each moment: in the 0.2 s from it on in which it may be felt, against
    the windows before and behind.  Two servers, or one at two times, differ by ten percent and more; windows that are
    neighbours show one ms of a second.

    load: the JSON of wk_load with windows of SLOT_S; moments: seconds since 1970, at least 0.9 s apart.
    """
    operations = [window["operations"] for window in load["windows"]]
    lost = []
    for moment in moments:
        slot = math.floor((moment + offset_s - load["began"]) / SLOT_S)
        if slot + min(_BESIDE) < 0 or slot + max(_BESIDE) >= len(operations):
            continue
        usual = statistics.mean(operations[slot + one] for one in _BESIDE)
        lost.append(sum(1000 * SLOT_S * (1 - operations[slot + one] / usual) for one in _FELT))
    return lost


def operations(load, begin, seconds):
    """How many operations of a load ended in the windows that lie wholly in this span.

    load: the JSON of wk_load with windows of SLOT_S; begin: seconds since 1970.  ValueError where the load does not cover it.
    """
    first = math.ceil((begin - load["began"]) / SLOT_S)
    last = first + math.floor(seconds / SLOT_S) - 1
    windows = load["windows"]
    if first < 0 or last > len(windows):
        raise ValueError(f"the load has {len(windows)} windows; {first} to {last} are asked for")
    return sum(window["operations"] for window in windows[first:last])
