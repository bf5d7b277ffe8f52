"""Scraping a server while it is under load does not move its throughput beyond noise.

Once a second: how much of the load's work is missing in the moments of the scrapes, against the moments beside them, with
the interval of 95 % of the mean.  Ten times a second no moment is free of scrapes: spans with and without them in pairs, with
the interval of 95 % of the median.  The exact cost is the row O2 of bench/server_cost.py.  That each check can fail is shown
by a planted loss, found by the same means.
"""

import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import scrapes  # noqa: E402
from lab import watchkeeperd  # noqa: E402
from server_cost import table  # noqa: E402

_BIN = pathlib.Path(os.environ.get("WK_BIN", pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "bin"))
_SCRAPES_PER_S = 1.03  # not in step with what the server does each second
_LOAD_S = 40
_NOISE_MS = 10.0  # of the work of a second: one percent
_STANDSTILL_S = 0.05
_OFTEN_PER_S = 10
_PAIRS = 20
_SPAN_S = 0.7
_NOISE = 0.05  # of the throughput: spans that lie beside each other differ by that and more
_OFTEN_STANDSTILL_S = 0.03


class Standstills:
    """Stops the server at a steady pace for a while, as a scrape on its core thread would; `times` as of scrapes.Scraping."""

    def __init__(self, pid, per_s, still_s):
        self._pid, self._still_s = pid, still_s
        self._running_s = 1 / per_s - still_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.times = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _run(self):
        while not self._ended.wait(self._running_s):
            self.times.append(time.time())
            os.kill(self._pid, signal.SIGSTOP)
            time.sleep(self._still_s)
            os.kill(self._pid, signal.SIGCONT)


@unittest.skipIf(os.environ.get("WK_BUILD_PRESET") in ("asan", "tsan"), "a sanitizer makes a scrape ten times as dear")
class ScrapeCost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ensemble = cls.enterClassContext(watchkeeperd.WatchkeeperEnsemble(1, log_level="WARN"))
        cls.member = ensemble.members[0]

    @contextlib.contextmanager
    def load(self, seconds):
        """A load for so long; gives a function that waits for its end and returns the JSON of wk_load."""
        command = [_BIN / "wk_load", self.member.address, "-c", "10", "-o", "100", "-m", "get=90,set=10", "--warm-up", "1",
                   "--window", str(scrapes.SLOT_S), "-w", str(round(seconds / scrapes.SLOT_S)), "-q", "-j", "-"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        def told():
            out, _ = child.communicate(timeout=120)
            self.assertEqual(child.returncode, 0)
            return json.loads(out)
        try:
            yield told
        finally:
            child.kill()
            child.communicate()

    def lost_ms(self, disturbing):
        """The work that is surely missing at each of the disturbances: the lower end of the interval, in ms."""
        with self.load(_LOAD_S) as told, disturbing:
            lost = scrapes.lost_ms(told(), disturbing.times)
        self.assertGreater(len(lost), _LOAD_S / 2)
        low, high = table.mean_interval(lost)
        print(f"  {len(lost)} times, {low:+.1f} to {high:+.1f} ms of the work of a second")
        return low

    def lost_share(self, make_disturbing):
        """The share of the throughput that surely is missing in the spans with a disturbance, against those beside them."""
        pairs = []
        with self.load(1 + _PAIRS * 2 * (_SPAN_S + 0.1)) as told:
            time.sleep(1.5)  # wk_load warms up.
            for _ in range(_PAIRS):
                begun = {}
                for disturbed in random.sample((False, True), 2):
                    with make_disturbing() if disturbed else contextlib.nullcontext():
                        begun[disturbed] = time.time()
                        time.sleep(_SPAN_S)
                pairs.append(begun)
            load = told()
        lost = [1 - scrapes.operations(load, pair[True], _SPAN_S) / scrapes.operations(load, pair[False], _SPAN_S) for pair in pairs]
        low, high = table.median_interval(lost)
        print(f"  {len(lost)} pairs, {100 * low:+.1f} to {100 * high:+.1f} % of the throughput")
        return low

    def scraping(self, per_s):
        return scrapes.Scraping(scrapes.Scraper(self.member.pid, self.member.metrics_port, "/metrics", gzip=True), per_s)

    def test_scraping_is_not_felt(self):
        scraping = self.scraping(_SCRAPES_PER_S)
        self.assertLess(self.lost_ms(scraping), _NOISE_MS)
        self.assertGreater(scraping.body_bytes, 10_000)

    def test_a_planted_loss_is_found(self):
        self.assertGreater(self.lost_ms(Standstills(self.member.pid, _SCRAPES_PER_S, _STANDSTILL_S)), _NOISE_MS)

    def test_scraping_ten_times_a_second_is_not_felt(self):
        all_times = []

        @contextlib.contextmanager
        def scraping():
            with self.scraping(_OFTEN_PER_S) as one:
                yield
            all_times.extend(one.times)
        self.assertLess(self.lost_share(scraping), _NOISE)
        self.assertGreater(len(all_times), 0.9 * _PAIRS * _SPAN_S * _OFTEN_PER_S)

    def test_a_planted_loss_ten_times_a_second_is_found(self):
        self.assertGreater(self.lost_share(lambda: Standstills(self.member.pid, _OFTEN_PER_S, _OFTEN_STANDSTILL_S)), _NOISE)


if __name__ == "__main__":
    unittest.main()
