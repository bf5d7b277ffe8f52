"""Memory: an idle server keeps nothing of its start, and under steady load nothing grows: the short form of bench/soak.py, and
the limit that finds a leak."""

import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import soak  # noqa: E402  The path has to be set first.
from lab import process, watchkeeperd  # noqa: E402

_SECONDS = 44
_LOOK_S = 0.25
_LEAK_BYTES = 100  # a leak of so much at each short life, or at anything that happens once in it, has to be found
_MB = 1_000_000
_IDLE_BYTES = 10 * _MB  # it is 7.5 on Debian 12, and 14.5 with the pages that only starting touches


def reading(at_s, resident_bytes, descriptors=40, threads=12, data_bytes=5 * _MB):
    return soak.Reading(at_s, resident_bytes, descriptors, threads, data_bytes)


class Judgement(unittest.TestCase):
    def judge(self, readings, allowed=200_000):
        return soak.complaints(soak.compare(readings), allowed)

    def test_noise_is_no_growth(self):
        self.assertEqual(self.judge([reading(at, 20 * _MB + (at % 7) * 50_000) for at in range(100)]), [])

    def test_the_first_quarter_does_not_count(self):
        self.assertEqual(self.judge([reading(at, 20 * _MB if at >= 25 else 10 * _MB) for at in range(100)]), [])

    def test_a_leak_is_found(self):
        said, = self.judge([reading(at, 20 * _MB + at * 5000) for at in range(100)])
        self.assertIn("grew by 250 kB from 20.18 MB in 50 s", said)

    def test_what_the_data_grew_by_is_taken_off(self):
        self.assertEqual(self.judge([reading(at, 20 * _MB + at * 5000, data_bytes=5 * _MB + at * 5000)
                                     for at in range(100)]), [])

    def test_data_that_shrank_excuses_nothing_and_accuses_nobody(self):
        self.assertEqual(self.judge([reading(at, 20 * _MB, data_bytes=50 * _MB - at * 5000) for at in range(100)]), [])

    def test_descriptors_and_threads(self):
        self.assertEqual(self.judge([reading(at, 20 * _MB, descriptors=40 + at) for at in range(100)]),
                         ["descriptors grew from 77 to 127"])
        self.assertEqual(self.judge([reading(at, 20 * _MB, threads=12 + at // 60) for at in range(100)]),
                         ["threads grew from 12 to 13"])

    def test_too_few_readings(self):
        with self.assertRaises(ValueError):
            soak.compare([reading(at, _MB) for at in range(7)])


class Idle(unittest.TestCase):
    @unittest.skipIf(os.environ.get("WK_BUILD_PRESET") in ("asan", "tsan"), "a sanitizer's own memory is many times as much")
    def test_what_only_starting_took_is_given_back(self):
        with watchkeeperd.WatchkeeperEnsemble() as ensemble:
            server = ensemble.members[0].process
            process.wait_for(lambda: server.resident_bytes() < _IDLE_BYTES, 10, f"less than {_IDLE_BYTES / _MB:.0f} MB")


class ShortSoak(unittest.TestCase):
    @unittest.skipIf(os.environ.get("WK_BUILD_PRESET") in ("asan", "tsan"), "sanitizers keep what was freed")
    def test_nothing_grows(self):
        programs = watchkeeperd.find_server().parent
        with soak.Soak(programs) as run:
            readings, done = run.run(_SECONDS, look_s=_LOOK_S)
            errors = [line for line in run.member.log().splitlines() if "ERROR" in line or "WARN" in line]
        found = soak.compare(readings)
        lives_between = done["lives"] * found.seconds / _SECONDS
        print(f"{done}; resident {found.resident_bytes / 1e6:.2f} MB, grown by {found.grown_bytes / 1e3:.0f} kB, the data "
              f"by {found.data_grown_bytes / 1e3:.0f} kB; {found.unexplained_bytes / lives_between:.1f} bytes a life")
        self.assertGreater(lives_between, 2000, "too little happened for a leak to be seen")
        self.assertEqual(soak.complaints(found, _LEAK_BYTES / 2 * lives_between), [])
        self.assertEqual(errors, [])


if __name__ == "__main__":
    unittest.main()
