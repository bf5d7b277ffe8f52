"""Durations are found where PromQL has them, and nowhere else."""

import pathlib
import subprocess
import tempfile
import unittest

import lab_path  # pylint: disable=unused-import
from lab import process, timescale


class Expressions(unittest.TestCase):
    """scale_expression()."""

    def check(self, source, expected, factor=60, scrape_interval_s=1.0):
        self.assertEqual(timescale.scale_expression(source, factor, scrape_interval_s), expected)

    def test_range_selector(self):
        self.check("rate(x_total[1h])", "rate(x_total[60s])")

    def test_compound_duration(self):
        self.check("rate(x_total[1h30m])", "rate(x_total[90s])")

    def test_window_stays_at_four_scrapes(self):
        self.check("rate(x_total[1m])", "rate(x_total[4s])")
        self.check("rate(x_total[1h])", "rate(x_total[4s])", factor=3600)
        self.check("rate(x_total[1h])", "rate(x_total[2s])", factor=3600, scrape_interval_s=0.5)

    def test_short_window_is_never_lengthened(self):
        self.check("rate(x_total[2s])", "rate(x_total[2s])")

    def test_fraction_of_a_second(self):
        self.check("rate(x[5m])", "rate(x[7500ms])", factor=40)

    def test_offset(self):
        self.check("x offset 1d", "x offset 14400ms", factor=6000)
        self.check("x offset -2h + y", "x offset -120s + y")
        self.check("rate(x[1h] OFFSET 1h)", "rate(x[60s] OFFSET 60s)")

    def test_offset_does_not_reach_further(self):
        self.check("x offset 1h > 5", "x offset 60s > 5")

    def test_subquery(self):
        self.check("max_over_time(rate(x[10m])[1d:5m])", "max_over_time(rate(x[10s])[1440s:5s])")
        self.check("max_over_time(x[1d:])", "max_over_time(x[1440s:])")

    def test_predict_linear_horizon(self):
        self.check("predict_linear(x[6h], 4 * 3600) < 0", "predict_linear(x[360s], (4 * 3600) / 60) < 0")
        self.check("predict_linear(rate(x[1h])[1d:1h], (86400))",
                   "predict_linear(rate(x[60s])[1440s:60s], ((86400)) / 60)")

    def test_predict_linear_with_commas_in_its_vector(self):
        self.check('predict_linear(x{a="1",b!~"c"}[1h], 60)', 'predict_linear(x{a="1",b!~"c"}[60s], (60) / 60)')
        self.check('predict_linear(label_replace(x, "a", "b", "c", "d")[1h:], 60)',
                   'predict_linear(label_replace(x, "a", "b", "c", "d")[60s:], (60) / 60)')

    def test_strings_comments_names_and_numbers_stay(self):
        self.check('x{window="[1h]", a=~\'5m\', b=`offset 1d`} > 3600 # over [5m] offset 1h',
                   'x{window="[1h]", a=~\'5m\', b=`offset 1d`} > 3600 # over [5m] offset 1h')
        self.check("job:errors:rate5m / on (offset) y > 1e3", "job:errors:rate5m / on (offset) y > 1e3")
        self.check(r'x{a="\"[1h]"}', r'x{a="\"[1h]"}')

    def test_factor_below_one_is_refused(self):
        with self.assertRaisesRegex(ValueError, "factor must be 1 or more"):
            timescale.scale_expression("x", 0.5)


class Durations(unittest.TestCase):
    """Parsing and printing."""

    def test_parse(self):
        self.assertEqual(timescale.parse_duration_ms("1w2d3h4m5s6ms"), 788_645_006)
        self.assertEqual(timescale.parse_duration_ms("0"), 0)
        for wrong in ("", "5", "m", "5x", "1.5h", "-5m"):
            with self.assertRaises(ValueError, msg=wrong):
                timescale.parse_duration_ms(wrong)

    def test_format(self):
        self.assertEqual(timescale.format_duration(90_000), "90s")
        self.assertEqual(timescale.format_duration(1_500), "1500ms")


_RULES = """\
groups:
  - name: slo
    interval: 30s
    rules:
      - record: job:ratio:rate5m
        expr: rate(bad_total[5m]) / rate(all_total[5m])
      - alert: Burn
        expr: job:ratio:rate5m > 0.1 and rate(bad_total[1d]) > 0
        for: 10m
        labels: {window: 5m}
        annotations: {summary: "burns since {{ $value }} [5m]"}
      - alert: AtOnce
        expr: predict_linear(free[6h], 86400) < 0
        for: 0s
"""


class Files(unittest.TestCase):
    """scale_file(), judged by promtool."""

    def test_a_whole_file(self):
        promtool = process.find_program("promtool", "prometheus")
        with tempfile.TemporaryDirectory() as folder:
            source, copy = pathlib.Path(folder, "rules.yml"), pathlib.Path(folder, "scaled.yml")
            source.write_text(_RULES, encoding="utf-8")
            scaled = timescale.scale_file(source, copy, 120)
            subprocess.run([promtool, "check", "rules", copy], check=True, capture_output=True)
        group = scaled.document["groups"][0]
        record, burn, at_once = group["rules"]
        self.assertEqual(group["interval"], "1s")
        self.assertEqual(record["expr"], "rate(bad_total[4s]) / rate(all_total[4s])")
        self.assertEqual(burn["expr"], "job:ratio:rate5m > 0.1 and rate(bad_total[720s]) > 0")
        self.assertEqual(burn["for"], "5s")
        self.assertEqual(burn["labels"], {"window": "5m"})
        self.assertEqual(burn["annotations"], {"summary": "burns since {{ $value }} [5m]"})
        self.assertEqual(at_once["for"], "0s")
        self.assertEqual(scaled.raised, [("group slo: interval", "30s", "1s"), ("job:ratio:rate5m: expr", "5m", "4s"),
                                         ("job:ratio:rate5m: expr", "5m", "4s")])


if __name__ == "__main__":
    unittest.main()
