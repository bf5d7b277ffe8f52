"""deploy/quickstart as a stranger uses it: one server, in the background and in the foreground; everything; stopped."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from kazoo.client import KazooClient

from lab import process, stack

ROOT = pathlib.Path(__file__).resolve().parents[1]
MARK = ".made-by-watchkeeper-quickstart"


def running(state):
    """Command lines of processes that work in the state folder."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(state) in line and "quickstart_test" not in line:
            found.append(line)
    return found


class Quickstart(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="wk-quickstart-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.state = folder / "state"
        self.environment = {**os.environ, "WK_QUICKSTART_DIR": str(self.state)}

    def quickstart(self, *arguments):
        return subprocess.run([ROOT / "deploy" / "quickstart", *arguments], env=self.environment, cwd="/",
                              capture_output=True, text=True, timeout=1800, check=False)

    def assert_stopped(self, run):
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(running(self.state), [])
        self.assertEqual(self.quickstart("--stop").returncode, 1)

    def test_background_server_and_stop(self):
        started = self.quickstart("--background")
        self.assertEqual(started.returncode, 0, started.stdout + started.stderr)
        try:
            page = re.search(r"metrics\s+(http://127\.0\.0\.1:\d+)/metrics", started.stdout).group(1)
            member = re.search(r"-server (127\.0\.0\.1:\d+)", started.stdout).group(1)
            self.assertIn("zk_znode_count", stack.http_get(page + "/metrics").text)
            self.assertIn('data-part="verdict"', stack.http_get(page + "/").text)
            self.assertEqual(stack.http_get(page + "/readyz").status, 200)
            client = KazooClient(hosts=member)
            client.start(timeout=20)
            client.create("/hello", b"world")
            self.assertEqual(client.get("/hello")[0], b"world")
            client.stop()
            client.close()
            four_letters = re.search(r"four letters\s+(.*)", started.stdout).group(1)
            answer = subprocess.run(four_letters, shell=True, capture_output=True, text=True, check=True, timeout=20)
            self.assertIn("Mode: standalone", answer.stdout)
            self.assertEqual([line for line in running(self.state) if "java" in line], [])
            # All that it writes is in one folder that is nobody else's.
            self.assertEqual([one.name for one in self.state.parent.iterdir()], ["state"])
            self.assertEqual(self.state.stat().st_mode & 0o777, 0o700)
        finally:
            stopped = self.quickstart("--stop")
        self.assert_stopped(stopped)
        self.assertIn("SIGTERM: stopping", (self.state / "watchkeeperd.log").read_text(encoding="utf-8"))

    def test_foreground_ends_cleanly_on_interrupt(self):
        self.state.mkdir(mode=0o755)
        (self.state / MARK).touch()
        (self.state / "of-an-earlier-start").touch()
        process = subprocess.Popen([ROOT / "deploy" / "quickstart"], env=self.environment, cwd="/",
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        else:
            self.fail("".join(lines) + process.stderr.read())
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, rest + errors)
        self.assertEqual(running(self.state), [])
        self.assertFalse((self.state / "of-an-earlier-start").exists())
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o700)

    def test_background_ensemble_and_stop(self):
        self.state.mkdir()  # Empty: nothing is lost.
        quickstart = self.quickstart
        started = quickstart("--ensemble", "--background")
        self.assertEqual(started.returncode, 0, started.stdout + started.stderr)
        try:
            exporter = re.search(r"metrics\s+(http://127\.0\.0\.1:\d+)/metrics", started.stdout).group(1)
            prometheus = re.search(r"Prometheus\s+(http://127\.0\.0\.1:\d+)/", started.stdout).group(1)
            member = re.search(r"safe-to-stop\?member=([^']+)'", started.stdout).group(1)
            margin = 'watchkeeper_ensemble_quorum_margin{ensemble="quickstart"} 1'
            process.wait_for(lambda: margin in stack.http_get(exporter + "/metrics").text, 10, margin)
            safe = stack.http_get(f"{exporter}/api/v1/safe-to-stop?member={member}")
            self.assertEqual((safe.status, safe.json()["safe"]), (200, True), safe.text)
            self.assertIn('data-part="verdict"', stack.http_get(exporter + "/").text)
            self.assertEqual([one["name"] for one in stack.http_get(exporter + "/ensembles.json").json()["ensembles"]],
                             ["quickstart"])
            rules = stack.http_get(prometheus + "/api/v1/rules").json()
            names = {rule["name"] for group in rules["data"]["groups"] for rule in group["rules"]}
            self.assertIn("ZooKeeperQuorumLost", names)
            deadline = time.monotonic() + 60
            while True:
                found = stack.http_get(prometheus + "/api/v1/query?query=watchkeeper_ensemble_serving").json()
                # What was scraped while the members still looked for a leader is 0.
                values = [one["value"][1] for one in found["data"]["result"]]
                if values == ["1"] or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            self.assertEqual(values, ["1"], json.dumps(found))
            again = quickstart("--background")
            self.assertEqual(again.returncode, 1)
            self.assertIn("it runs already", again.stderr)
        finally:
            stopped = quickstart("--stop")
        self.assert_stopped(stopped)

    def refused(self, reason, *arguments):
        """Before anything is installed, built or removed."""
        begin = time.monotonic()
        run = self.quickstart(*arguments)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertRegex(run.stderr, rf"^quickstart: {re.escape(str(self.state))} {reason}.*; remove it, or name another "
                                     r"folder in WK_QUICKSTART_DIR\n$")
        self.assertLess(time.monotonic() - begin, 10)

    def test_a_folder_that_it_did_not_make_is_left_alone(self):
        self.state.mkdir()
        precious = self.state / "precious"
        precious.write_text("mine", encoding="ascii")
        with subprocess.Popen(["/bin/sleep", "600"]) as other:
            self.addCleanup(other.kill)
            (self.state / "pid").write_text(str(other.pid), encoding="ascii")
            for arguments in ([], ["--background"], ["--ensemble"], ["--stop"]):
                self.refused("holds what the quick start has not made", *arguments)
            self.assertIsNone(other.poll(), "--stop has killed what a stranger's file named")
            other.kill()
        self.assertEqual(precious.read_text(encoding="ascii"), "mine")

    def test_a_link_is_not_followed(self):
        target = self.state.with_name("target")
        target.mkdir()
        (target / MARK).touch()
        self.state.symlink_to(target)
        self.refused("is a symbolic link")
        self.environment["WK_QUICKSTART_DIR"] = f"{self.state}//"
        self.refused("is a symbolic link")
        self.assertTrue((target / MARK).exists())

    def test_a_folder_of_somebody_else_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a folder away")
        self.state.mkdir()
        (self.state / MARK).touch()
        os.chown(self.state, 12345, 12345)
        self.refused("belongs to another user")

    def test_unknown_option(self):
        run = subprocess.run([ROOT / "deploy" / "quickstart", "--nope"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--nope", run.stderr)


if __name__ == "__main__":
    unittest.main()
