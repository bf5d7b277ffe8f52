"""Scraping a server once a second while it is under load does not move its throughput beyond noise.

How much of the load's work is missing in the moments of the scrapes, against the moments beside them, with the interval of
95 % of the mean; the exact cost is the row O2 of bench/server_cost.py.  That the check can fail is shown by a planted loss,
found by the same means.
"""

import json
import os
import pathlib
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


class Standstills:
    """Stops the server once a second for a while, as a scrape on its core thread would; `times` as of scrapes.Scraping."""

    def __init__(self, pid):
        self._pid = pid
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
        while not self._ended.wait(1 / _SCRAPES_PER_S - _STANDSTILL_S):
            self.times.append(time.time())
            os.kill(self._pid, signal.SIGSTOP)
            time.sleep(_STANDSTILL_S)
            os.kill(self._pid, signal.SIGCONT)


@unittest.skipIf(os.environ.get("WK_BUILD_PRESET") in ("asan", "tsan"), "a sanitizer makes a scrape ten times as dear")
class ScrapeCost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        ensemble = cls.enterClassContext(watchkeeperd.WatchkeeperEnsemble(1, log_level="WARN"))
        cls.member = ensemble.members[0]

    def lost_ms(self, disturbing):
        """The work that is surely missing at each of the disturbances: the lower end of the interval, in ms."""
        with disturbing:
            told = subprocess.run([_BIN / "wk_load", self.member.address, "-c", "10", "-o", "100", "-m", "get=90,set=10",
                                   "--warm-up", "1", "--window", str(scrapes.SLOT_S), "-w", str(round(_LOAD_S / scrapes.SLOT_S)),
                                   "-q", "-j", "-"], stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout
        lost = scrapes.lost_ms(json.loads(told), disturbing.times)
        self.assertGreater(len(lost), _LOAD_S / 2)
        low, high = table.mean_interval(lost)
        print(f"  {len(lost)} times, {low:+.1f} to {high:+.1f} ms of the work of a second")
        return low

    def test_scraping_is_not_felt(self):
        scraper = scrapes.Scraper(self.member.pid, self.member.metrics_port, "/metrics", gzip=True)
        self.assertLess(self.lost_ms(scrapes.Scraping(scraper, _SCRAPES_PER_S)), _NOISE_MS)
        self.assertGreater(scraper.body_bytes, 10_000)

    def test_a_planted_loss_is_found(self):
        self.assertGreater(self.lost_ms(Standstills(self.member.pid)), _NOISE_MS)


if __name__ == "__main__":
    unittest.main()
