"""Tests of series_from_prometheus.py on canned answers of Prometheus; the notation is read back by promtool."""

import contextlib
import http.client
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import series_from_prometheus as exporter  # noqa: E402


def answer(results):
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": results}}).encode()


class CannedPrometheus:
    """Stands in for urlopen: one answer, and the addresses that were asked for."""

    def __init__(self, body):
        self.body = body
        self.addresses = []

    def __call__(self, address, timeout):
        self.addresses.append(address)
        return contextlib.closing(io.BytesIO(self.body))


class ValuesNotation(unittest.TestCase):
    def test_constant_run(self):
        self.assertEqual(exporter.values_notation(["1", "1", "1", "1"]), "1+0x3")

    def test_integer_ramps(self):
        self.assertEqual(exporter.values_notation(["0", "15", "30", "45"]), "0+15x3")
        self.assertEqual(exporter.values_notation(["9", "6", "3", "0", "-3"]), "9-3x4")

    def test_fractions_are_written_out_unless_constant(self):
        self.assertEqual(exporter.values_notation(["0.1", "0.2", "0.3"]), "0.1 0.2 0.3")
        self.assertEqual(exporter.values_notation(["0.25", "0.25", "0.25"]), "0.25+0x2")

    def test_two_samples_are_no_run(self):
        self.assertEqual(exporter.values_notation(["7", "7"]), "7 7")

    def test_gap_in_the_middle_is_stale_then_missing(self):
        self.assertEqual(exporter.values_notation(["1", None, "1"]), "1 stale 1")
        self.assertEqual(exporter.values_notation(["1", None, None, "1"]), "1 stale _ 1")
        self.assertEqual(exporter.values_notation(["1", None, None, None, "1"]), "1 stale _x2 1")

    def test_gap_before_the_first_sample_is_only_missing(self):
        self.assertEqual(exporter.values_notation([None, None, "5"]), "_x2 5")

    def test_special_numbers(self):
        self.assertEqual(exporter.values_notation(["NaN", "NaN", "+Inf", "-Inf", "1e-07"]), "NaN NaN Inf -Inf 1e-07")

    def test_integers_beyond_exact_floats_are_written_out(self):
        big = 2**53
        self.assertEqual(exporter.values_notation([str(big - 1), str(big + 1), str(big + 3)]),
                         f"{big - 1} {big + 1} {big + 3}")


class SeriesNotation(unittest.TestCase):
    def test_labels_are_sorted_and_escaped(self):
        self.assertEqual(exporter.series_notation({"__name__": "m", "b": 'x"y', "a": "c\\d\ne"}),
                         'm{a="c\\\\d\\ne",b="x\\"y"}')

    def test_no_labels(self):
        self.assertEqual(exporter.series_notation({"__name__": "up"}), "up")


class Export(unittest.TestCase):
    def test_asks_for_the_range_and_renders(self):
        prometheus = CannedPrometheus(answer([
            {"metric": {"__name__": "up", "job": "watchkeeper", "instance": "a:1"},
             "values": [[1000, "1"], [1015, "1"], [1045, "0"]]},
            {"metric": {"__name__": "n", "job": "it's"}, "values": [[1015, "2.5"]]},
        ]))
        text = exporter.export("http://p:9090/", ["up"], 1000.0, 1045.0, 15.0, ["instance"], prometheus)
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(prometheus.addresses[0]).query)
        self.assertEqual(prometheus.addresses[0].split("?")[0], "http://p:9090/api/v1/query_range")
        self.assertEqual(query, {"query": ["up"], "start": ["1000.0"], "end": ["1045.0"], "step": ["15.0"]})
        self.assertEqual(text, (
            "# Recorded from Prometheus at 1970-01-01T00:16:40+00:00; sample i is the value at i * 15 s after that.\n"
            "interval: 15s\n"
            "input_series:\n"
            "  - series: 'n{job=\"it''s\"}'\n"
            "    values: '_ 2.5 stale _'\n"
            "  - series: 'up{job=\"watchkeeper\"}'\n"
            "    values: '1 1 stale 0'\n"))

    def test_dropping_a_label_must_not_merge_series(self):
        prometheus = CannedPrometheus(answer([
            {"metric": {"__name__": "up", "instance": "a"}, "values": [[0, "1"]]},
            {"metric": {"__name__": "up", "instance": "b"}, "values": [[0, "1"]]}]))
        with self.assertRaisesRegex(exporter.ExportError, "two series become up when labels are dropped"):
            exporter.export("http://p", ["up"], 0.0, 15.0, 15.0, ["instance"], prometheus)

    def test_refusals_name_the_cause(self):
        cases = [
            (b"<html>", "does not answer as Prometheus does"),
            (answer([]), "no series matches up"),
            (json.dumps({"status": "error", "error": "parse error"}).encode(), "refuses up: parse error"),
            (json.dumps({"status": "success", "data": {"resultType": "scalar", "result": []}}).encode(),
             "does not select series"),
        ]
        for body, expected in cases:
            with self.subTest(expected=expected), self.assertRaisesRegex(exporter.ExportError, expected):
                exporter.export("http://p", ["up"], 0.0, 15.0, 15.0, (), CannedPrometheus(body))

    def test_too_many_points(self):
        with self.assertRaisesRegex(exporter.ExportError, "11001 samples a series are more than 11000"):
            exporter.export("http://p", ["up"], 0.0, 11000.0, 1.0, (), CannedPrometheus(answer([])))

    def test_http_error_and_refused_connection(self):
        def refuse(address, timeout):
            raise urllib.error.URLError("refused")

        def bad_request(address, timeout):
            raise urllib.error.HTTPError(address, 400, "Bad Request", http.client.HTTPMessage(), io.BytesIO(b"bad selector"))

        with self.assertRaisesRegex(exporter.ExportError, "cannot reach Prometheus at http://p"):
            exporter.export("http://p", ["up"], 0.0, 15.0, 15.0, (), refuse)
        with self.assertRaisesRegex(exporter.ExportError, "answers 400: bad selector"):
            exporter.export("http://p", ["up"], 0.0, 15.0, 15.0, (), bad_request)


class Time(unittest.TestCase):
    def test_forms(self):
        self.assertEqual(exporter.parse_time("12.5"), 12.5)
        self.assertEqual(exporter.parse_time("1970-01-01T00:01:00Z"), 60.0)
        self.assertEqual(exporter.parse_time("1970-01-01T01:01:00+01:00"), 60.0)
        self.assertEqual(exporter.parse_time("1970-01-01T00:01:00"), 60.0)
        with self.assertRaisesRegex(exporter.ExportError, "cannot read the time 'noon'"):
            exporter.parse_time("noon")


class Promtool(unittest.TestCase):
    def test_reads_the_same_values_back(self):
        values = ["3", "3", "3", None, None, "5", "0.1", "0.30000000000000004", "10", "20", "30", "1e-07"]
        with tempfile.TemporaryDirectory() as folder:
            checks = []
            for index, value in enumerate(values):
                samples = [] if value is None else [{"labels": 'm{quote="a\\"b"}', "value": float(value)}]
                checks.append({"expr": "m", "eval_time": f"{index * 15}s", "exp_samples": samples})
            test = {
                "evaluation_interval": "15s",
                "tests": [{
                    "interval": "15s",
                    "input_series": [{"series": exporter.series_notation({"__name__": "m", "quote": 'a"b'}),
                                      "values": exporter.values_notation(values)}],
                    "promql_expr_test": checks}]}
            path = pathlib.Path(folder) / "round_trip.yml"
            path.write_text(json.dumps(test))  # JSON is YAML.
            done = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
