"""Nothing outlives a test: ports, processes and folders are given back at each kind of end."""

import pathlib
import signal
import subprocess
import sys
import time
import unittest

import lab_path
from lab import ports, process, workspace

_SCRIPT = """\
import signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background job starts with SIGINT ignored.
sys.path.insert(0, sys.argv[1])
from lab import apache, ports, process, workspace
found = []
def begin():
    found.append(process.Process("sleeper", ["sleep", "600"]))
    found.append(process.Process("stopped", ["sleep", "600"]))
    found[1].pause()
    if sys.argv[2] == "ensemble":
        ensemble = apache.ApacheEnsemble(3, 1)
        ensemble.start()
        ensemble.wait_until_serving()
        found.extend(member.process for member in ensemble.members)
thread = threading.Thread(target=begin)
thread.start()
thread.join()
print(workspace.run_folder(), ports.reserve(), *(one.pid for one in found), flush=True)
if sys.argv[3] == "raise":
    raise SystemError("as asked")
if sys.argv[3] == "wait":
    time.sleep(600)
"""


def _is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as source:
            return source.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


class Ends(unittest.TestCase):
    """A lab process that ends in different ways."""

    def begin(self, what, then):
        child = subprocess.Popen([sys.executable, "-c", _SCRIPT, str(lab_path.TESTS), what, then],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        folder, port, *pids = child.stdout.readline().split()
        return child, pathlib.Path(folder), int(port), [int(pid) for pid in pids]

    def assert_all_end(self, pids):
        process.wait_for(lambda: not any(_is_running(pid) for pid in pids), 10, f"the end of {pids}")

    def test_normal_end_and_exception(self):
        for then, status in (("return", 0), ("raise", 1)):
            with self.subTest(then):
                child, folder, _, pids = self.begin("sleepers", then)
                self.assertEqual(len(pids), 2)
                self.assertEqual(child.wait(20), status)
                self.assert_all_end(pids)
                self.assertFalse(folder.exists())

    def test_signals(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                child, folder, port, pids = self.begin("sleepers", "wait")
                self.assertTrue(all(_is_running(pid) for pid in pids))
                child.send_signal(number)
                child.wait(20)
                self.assert_all_end(pids)
                workspace.sweep()
                self.assertFalse(folder.exists())
                self.assertTrue((workspace.shared_folder("ports") / f"{port}.lock").exists())

    def test_killed_test_takes_its_ensemble_along(self):
        child, _, _, pids = self.begin("ensemble", "wait")
        self.assertEqual(len(pids), 6)
        commands = [pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids[2:]]
        self.assertTrue(all(b"QuorumPeerMain" in command for command in commands))
        child.kill()
        child.wait()
        self.assert_all_end(pids)


class Ports(unittest.TestCase):
    """reserve() and release()."""

    def test_numbers_differ_also_between_processes(self):
        script = ("import sys, time; sys.path.insert(0, sys.argv[1]); from lab import ports; "
                  "print(*(ports.reserve() for _ in range(200)), flush=True); sys.stdin.read()")
        children = [subprocess.Popen([sys.executable, "-c", script, str(lab_path.TESTS)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True) for _ in range(3)]
        numbers = [number for child in children for number in child.stdout.readline().split()]
        for child in children:
            child.communicate()
        self.assertEqual(len(numbers), 600)
        self.assertEqual(len(set(numbers)), 600)

    def test_a_port_that_listens_is_skipped_and_release_gives_back(self):
        port = ports.reserve()
        self.assertIn(port, ports.held())
        ports.release(port)
        self.assertNotIn(port, ports.held())
        ports.release(port)


class Processes(unittest.TestCase):
    """process.Process."""

    def test_pause_and_terminate(self):
        child = process.Process("sleeper", ["sleep", "600"])
        child.pause()
        process.wait_for(lambda: pathlib.Path(f"/proc/{child.pid}/stat").read_text("ascii").split()[2] == "T", 5,
                         "the stop")
        begin = time.monotonic()
        self.assertEqual(child.terminate(), -signal.SIGTERM)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertFalse(child.alive)

    def test_a_child_that_ends_early_is_told_with_its_words(self):
        log = workspace.new_folder("early") / "err"
        child = process.Process("early", ["sh", "-c", "echo the reason >&2; exit 7"], stderr=log)
        with self.assertRaisesRegex(RuntimeError, "early ended with status 7(.|\n)*the reason"):
            process.wait_for(lambda: False, 10, "nothing", child=child)

    def test_missing_program(self):
        with self.assertRaisesRegex(workspace.LabUnavailable, "install the Debian package nothing"):
            process.find_program("no-such-program-here", "nothing")


if __name__ == "__main__":
    unittest.main()
