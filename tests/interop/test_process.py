"""watchkeeperd as a process of its machine: how containers configure it, what it says of its ports, signals, closed
descriptors."""

import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from lab import ports, process, watchkeeperd

PATIENCE_S = 20


class Process(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wk-process-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"
        self.log_file = self.folder / "log"
        self.port, self.http_port = ports.reserve(), ports.reserve()
        self.addCleanup(ports.release, self.port)
        self.addCleanup(ports.release, self.http_port)
        self.program = watchkeeperd.find_server()
        self.http = ("metricsProvider.httpHost=127.0.0.1", f"metricsProvider.httpPort={self.http_port}")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("ZOO")}

    def configure(self, *lines):
        path = self.folder / "zoo.cfg"
        path.write_text("\n".join([f"dataDir={self.data}", "tickTime=2000", *lines]) + "\n", encoding="ascii")
        return str(path)

    def start(self, *arguments, environment=None, **options):
        log = self.log_file.open("ab")
        self.addCleanup(log.close)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": log, **options}
        server = subprocess.Popen([self.program, *arguments], cwd="/", env={**self.environment, **(environment or {})},
                                  **options)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server

    def log(self):
        return self.log_file.read_text(encoding="utf-8")

    def wait_for_log(self, text, count=1):
        process.wait_for(lambda: self.log().count(text) >= count, PATIENCE_S, f"\"{text}\" in the log")

    def wait_for_port(self, port):
        def open_():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        process.wait_for(open_, PATIENCE_S, f"port {port}")

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def check(self, *arguments, environment=None):
        return subprocess.run([self.program, "--check", *arguments], env={**self.environment, **(environment or {})},
                              capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(PATIENCE_S), 0)


class Container(Process):
    """What the entry point of the official image makes of its variables."""

    def variables(self, **more):
        return {"ZOO_DATA_DIR": str(self.data), "ZOO_TICK_TIME": "2000", "ZOO_CFG_EXTRA": " ".join(self.http),
                "ZOO_SERVERS": f"server.1=localhost:2888:3888;127.0.0.1:{self.port}", **more}

    def test_the_line_of_its_id_gives_the_client_port(self):
        for number, my_id in enumerate(({"ZOO_MY_ID": "1"}, {}), 1):
            server = self.start("--environment", environment=self.variables(**my_id))
            self.wait_for_log(f"serving: client port {self.port}, http://127.0.0.1:{self.http_port}/", number)
            self.wait_for_port(self.port)
            self.assertEqual(self.get("/readyz"), (200, "ready\n"))
            self.stop(server)
        self.assertFalse((self.data / "myid").exists())

    def test_the_file_wins_over_the_variable_and_stays(self):
        self.data.mkdir()
        (self.data / "myid").write_text("1\n", encoding="ascii")
        checked = self.check("--environment", environment=self.variables(ZOO_MY_ID="5"))
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertIn(f'environment variable ZOO_MY_ID: warning: it is "5", and {self.data}/myid says 1, which counts',
                      checked.stdout)
        self.assertNotIn("no client can connect", checked.stdout)

    def test_without_any_port_it_is_that_of_the_image(self):
        checked = self.check("--environment", environment=self.variables(ZOO_SERVERS=""))
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertIn("environment: note: clientPort: not set; 2181 is used, as in the container image\n", checked.stdout)


class Ports(Process):
    def test_without_a_client_port_it_is_not_ready(self):
        config = self.configure("server.1=localhost:2888:3888;32199", *self.http)
        checked = self.check(config)
        self.assertEqual(checked.returncode, 0)
        self.assertIn(f"{self.data}/myid: warning: cannot be read, so the client port 32199 of the line server.1 is not used",
                      checked.stdout)
        self.assertIn("clientPort: not set: no client can connect to this server; add, for example, clientPort=2181",
                      checked.stdout)
        server = self.start(config)
        self.wait_for_log("serves nobody: no client port is configured; set clientPort")
        self.assertNotIn("serving", self.log())
        process.wait_for(lambda: "starting" not in self.get("/readyz")[1], PATIENCE_S, "the first report")
        status, reason = self.get("/readyz")
        self.assertEqual((status, reason), (503, "the server does not serve clients: has no client port, so that no client "
                                                 "can connect: set clientPort\nnot ready\n"))
        self.assertEqual(self.get("/livez")[0], 200)
        verdict = json.loads(self.get("/api/v1/status")[1])["verdict"]
        self.assertTrue(verdict.startswith("Not serving"), verdict)
        self.assertIn('watchkeeper_ensemble_serving{ensemble="default"} 0\n', self.get("/metrics")[1])
        self.stop(server)

    def test_http_on_every_address_is_told(self):
        config = self.configure(f"clientPort={self.port}", "clientPortAddress=127.0.0.1",
                                f"metricsProvider.httpPort={self.http_port}")
        server = self.start(config)
        self.wait_for_log(f"serving: client port {self.port}, http://0.0.0.0:{self.http_port}/ on every address "
                          "(metricsProvider.httpHost restricts it)")
        self.stop(server)


class Signals(Process):
    def start_serving(self, **options):
        server = self.start(self.configure(f"clientPort={self.port}", "clientPortAddress=127.0.0.1", *self.http), **options)
        self.wait_for_log("serving: client port")
        return server

    def test_a_hangup_is_told_and_nothing_more(self):
        server = self.start_serving()
        for count in (1, 2):
            server.send_signal(signal.SIGHUP)
            self.wait_for_log("SIGHUP: there is nothing to reload by it; a changed configuration takes a restart", count)
        self.assertEqual(self.get("/readyz")[0], 200)
        self.stop(server)

    def test_a_hangup_of_its_terminal_is_an_orderly_stop(self):
        terminal, its_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        server = self.start_serving(stdin=its_end)
        os.close(its_end)
        server.send_signal(signal.SIGHUP)
        self.assertEqual(server.wait(PATIENCE_S), 0)
        self.assertIn("SIGHUP: stopping", self.log())

    def test_nohup_on_a_terminal_is_heeded(self):
        terminal, its_end = pty.openpty()
        self.addCleanup(os.close, terminal)
        server = self.start_serving(stdin=its_end, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        os.close(its_end)
        server.send_signal(signal.SIGHUP)
        self.wait_for_log("SIGHUP: there is nothing to reload by it")
        self.stop(server)


class ClosedDescriptors(Process):
    def test_no_file_gets_the_number_of_standard_error(self):
        config = self.configure(f"clientPort={self.port}", "clientPortAddress=127.0.0.1", *self.http)

        def close_all():
            for number in (0, 1, 2):
                os.close(number)
        server = self.start(config, stdin=None, stdout=None, stderr=None, preexec_fn=close_all)
        self.wait_for_port(self.port)
        for number in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{server.pid}/fd/{number}"), "/dev/null")
        lock = self.data / "version-2" / "watchkeeper.lock"
        self.assertEqual(lock.read_text(encoding="ascii"), str(server.pid), "something else than its process was written")
        self.stop(server)
        self.assertEqual(lock.read_text(encoding="ascii"), str(server.pid))


if __name__ == "__main__":
    unittest.main()
