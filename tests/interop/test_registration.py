"""Registration and discovery with kazoo, as programs of their own (requirements 0-18, 0-19, 0-20)."""

import pathlib
import re
import subprocess
import sys
import threading
import time
import unittest

import servers
from kazoo.client import KazooClient
from lab import process
from server_case import ServerCase

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
TICK_S = 0.5
PATIENCE_S = 30.0


class Registration(ServerCase):
    options = {"tick_ms": int(TICK_S * 1000)}

    def register(self, name, address, timeout_s=10.0):
        """(the program, the path that it printed)."""
        program = subprocess.Popen([sys.executable, "-B", CLIENTS / "register.py", self.ensemble.connect_string, name,
                                    address, str(timeout_s)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        self.addCleanup(program.stdin.close)
        return program, program.stdout.readline().strip()

    def discover(self, name):
        found = subprocess.run([sys.executable, "-B", CLIENTS / "discover.py", self.ensemble.connect_string, name],
                               capture_output=True, text=True, timeout=60, check=True)
        return dict(line.split(" ", 1) for line in found.stdout.splitlines())

    def test_register_and_discover(self):
        name = "web"
        first, first_path = self.register(name, "10.0.0.1:80")
        _, second_path = self.register(name, "10.0.0.2:80")
        self.assertRegex(first_path, r"^/services/web/instance-\d{10}$")
        self.assertEqual((first_path[-10:], second_path[-10:]), ("0000000000", "0000000001"))
        self.assertEqual(self.discover(name), {first_path: "10.0.0.1:80", second_path: "10.0.0.2:80"})
        _, third_path = self.register(name, "10.0.0.3:80")
        first.stdin.close()  # It leaves in good order.
        self.assertEqual(first.wait(PATIENCE_S), 0)
        self.assertEqual(self.discover(name), {second_path: "10.0.0.2:80", third_path: "10.0.0.3:80"})

    def test_a_killed_instance_goes_after_its_timeout(self):
        timeout_s = 2.0
        program, path = self.register("killed", "10.0.0.9:80", timeout_s)
        watcher = KazooClient(hosts=self.ensemble.connect_string)
        watcher.start(timeout=PATIENCE_S)
        self.addCleanup(watcher.close)
        self.addCleanup(watcher.stop)
        events, gone = [], threading.Event()

        def told(event):
            events.append((event.type, event.path, time.monotonic()))
            gone.set()
        self.assertIsNotNone(watcher.exists(path, watch=told))
        begin = time.monotonic()
        program.kill()
        self.assertTrue(gone.wait(PATIENCE_S))
        self.assertIsNone(watcher.exists(path))
        self.assertEqual([event[:2] for event in events], [("DELETED", path)])
        waited = events[0][2] - begin
        # The last ping may be two thirds of the timeout old; the expiry comes at the end of a bucket (one tick).
        self.assertGreater(waited, timeout_s / 3 - 0.2)
        self.assertLess(waited, timeout_s + 2 * TICK_S + 0.5)

    def test_health_script(self):
        """The bash script of requirement 0-25: ruok to every server of a list."""
        for server in self.ensemble.addresses:
            host, port = server.split(":")
            script = f'exec 3<>/dev/tcp/{host}/{port}; printf ruok >&3; cat <&3'
            answer = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=30, check=True)
            self.assertEqual(answer.stdout, "imok")


class RegistrationWithThreeMembers(Registration):
    """The same against an ensemble."""

    n_voters = 3

    def test_survives_the_leader(self):
        _, path = self.register("failover", "10.0.0.5:80")
        leader = self.ensemble.leader()
        leader.kill()
        process.wait_for(lambda: (found := self.ensemble.leader()) and found is not leader, PATIENCE_S, "a new leader")
        self.assertTrue(re.fullmatch(r".*\d{10}", path))
        self.assertEqual(self.discover("failover"), {path: "10.0.0.5:80"})
        leader.start()
        self.ensemble.wait_until_serving()


def load_tests(loader, tests, pattern):
    """watchkeeperd has no ensembles yet: three members are Apache's alone."""
    suite = servers.parametrised(Registration)(loader, tests, pattern)
    with_ensembles = [kind for kind in servers.chosen() if kind.startswith("apache")]
    suite.addTests(servers.parametrised(RegistrationWithThreeMembers, kinds=with_ensembles)(loader, tests, pattern))
    return suite


if __name__ == "__main__":
    unittest.main()
