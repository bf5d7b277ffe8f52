"""Prometheus, Alertmanager, the webhook receiver, the fetched release and the incumbent."""

import http.server
import pathlib
import subprocess
import threading
import unittest

import lab_path
from lab import apache, ports, stack, workspace

_RULES = """\
groups:
  - name: lab
    rules:
      - alert: TooHigh
        expr: lab_value > 5
        for: 2s
        labels: {severity: page}
        annotations: {summary: "value is {{ $value }}"}
"""


class _Gauge:
    """Exposes one gauge that the test sets."""

    def __init__(self):
        self.value = 1
        self.port = ports.reserve()
        gauge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Answers every GET with the gauge."""

            def do_GET(self):  # The base class prescribes the name.
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(f"# TYPE lab_value gauge\nlab_value {gauge.value}\n".encode())

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        ports.release(self.port)


class Monitoring(unittest.TestCase):
    """An alert on its whole way."""

    def test_alert_fires_arrives_and_resolves(self):
        gauge = _Gauge()
        self.addCleanup(gauge.close)
        rules = workspace.new_folder("rules") / "rules.yml"
        rules.write_text(_RULES, encoding="utf-8")
        with stack.WebhookReceiver() as receiver, stack.Alertmanager(receiver) as alertmanager, \
                stack.Prometheus({"lab": [f"127.0.0.1:{gauge.port}"]}, rule_files=[rules],
                                 alertmanager=alertmanager) as prometheus:
            prometheus.wait_for_scrapes()
            self.assertEqual(prometheus.value("lab_value"), 1.0)
            self.assertTrue(prometheus.has_series('lab_value{job="lab"}'))
            self.assertFalse(prometheus.has_series("no_such_series"))
            self.assertEqual(prometheus.rule_errors(), [])
            self.assertEqual(prometheus.firing(), set())
            gauge.value = 9
            alerts, waited = prometheus.wait_for_alert("TooHigh", 30)
            self.assertGreaterEqual(waited, 2)
            self.assertEqual(alerts[0]["annotations"]["summary"], "value is 9")
            notification = receiver.wait_for("TooHigh", "firing", 30)
            self.assertEqual(notification.labels["severity"], "page")
            gauge.value = 2
            prometheus.wait_until_silent("TooHigh", 30)
            resolved = receiver.wait_for("TooHigh", "resolved", 30)
            self.assertGreater(resolved.received_at, notification.received_at)
            with self.assertRaisesRegex(ValueError, "bad_data"):
                prometheus.query("lab_value >")


class Exporter(unittest.TestCase):
    """The driver of watchkeeper-exporter; the program itself has its own tests."""

    def test_missing_binary_is_told(self):
        with self.assertRaisesRegex(FileNotFoundError, "/nowhere/watchkeeper-exporter is not there"):
            stack.Exporter([], binary="/nowhere/watchkeeper-exporter")

    def test_start_and_arguments(self):
        program = workspace.new_folder("exporter") / "watchkeeper-exporter"
        program.write_text("""#!/usr/bin/python3
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404 if self.path == "/api/v1/none" else 200)
        self.end_headers()
        self.wfile.write(json.dumps(sys.argv[1:] + [self.path]).encode())
host, port = sys.argv[1].removeprefix("--listen-address=").split(":")
print("said on stderr", file=sys.stderr, flush=True)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
""", encoding="utf-8")
        program.chmod(0o755)
        with stack.Exporter(["--zookeeper", "a:1"], binary=program) as exporter:
            self.assertEqual(exporter.get_json("/api/v1/none"),
                             [f"--listen-address={exporter.address}", "--zookeeper", "a:1", "/api/v1/none"])
            self.assertEqual(exporter.get("/api/v1/none").status, 404)
            self.assertIn("/metrics", exporter.metrics())
            self.assertIn("said on stderr", exporter.stderr())
            pid = exporter.process.pid
        self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())


class Fetched(unittest.TestCase):
    """What comes from registries; skipped with the scripts' own reason where it cannot be had."""

    def test_release_with_prometheus_provider_and_admin_server(self):
        try:
            path = apache.release("3.9.5")
        except workspace.LabUnavailable as reason:
            self.skipTest(str(reason))
        with apache.ApacheEnsemble(3, 0, apache_class_path=path, admin=True, prometheus=True) as ensemble:
            for member in ensemble.members:
                self.assertIn("Zookeeper version: 3.9.5", member.ask("srvr"))
                page = stack.http_get(f"http://127.0.0.1:{member.metrics_port}/metrics")
                self.assertEqual(page.status, 200)
                self.assertIn("\nznode_count ", page.text)
                monitor = stack.http_get(f"http://127.0.0.1:{member.admin_port}/commands/monitor").json()
                self.assertIsNone(monitor["error"])

    def test_incumbent(self):
        try:
            with apache.ApacheEnsemble(1) as ensemble:
                with stack.IncumbentExporter(ensemble.addresses) as incumbent:
                    self.assertIn(f'zk_up{{zk_host="{ensemble.addresses[0]}"}} 1', incumbent.get("/metrics").text)
        except workspace.LabUnavailable as reason:
            self.skipTest(str(reason))

    def test_scripts_refuse_wrong_use(self):
        for script in ("fetch_apache.sh", "fetch_incumbent.sh"):
            done = subprocess.run([lab_path.TESTS / "lab" / script], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(f"usage: {script} "))


if __name__ == "__main__":
    unittest.main()
