"""deploy/quickstart as a stranger uses it: in the background, with everything, then stopped."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from lab import stack

ROOT = pathlib.Path(__file__).resolve().parents[1]


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
    def test_background_ensemble_and_stop(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="wk-quickstart-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        state = folder / "state"
        environment = {**os.environ, "WK_QUICKSTART_DIR": str(state)}

        def quickstart(*arguments):
            return subprocess.run([ROOT / "deploy" / "quickstart", *arguments], env=environment, cwd="/",
                                  capture_output=True, text=True, timeout=900, check=False)

        started = quickstart("--ensemble", "--background")
        self.assertEqual(started.returncode, 0, started.stdout + started.stderr)
        try:
            exporter = re.search(r"metrics\s+(http://127\.0\.0\.1:\d+)/metrics", started.stdout).group(1)
            prometheus = re.search(r"Prometheus\s+(http://127\.0\.0\.1:\d+)/", started.stdout).group(1)
            member = re.search(r"safe-to-stop\?member=([^']+)'", started.stdout).group(1)
            metrics = stack.http_get(exporter + "/metrics").text
            self.assertIn('watchkeeper_ensemble_quorum_margin{ensemble="quickstart"} 1', metrics)
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
                if found["data"]["result"] or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            self.assertEqual(found["data"]["result"][0]["value"][1], "1", json.dumps(found))
            again = quickstart("--background")
            self.assertEqual(again.returncode, 1)
            self.assertIn("it runs already", again.stderr)
        finally:
            stopped = quickstart("--stop")
        self.assertEqual(stopped.returncode, 0, stopped.stdout + stopped.stderr)
        self.assertEqual(running(state), [])
        self.assertEqual(quickstart("--stop").returncode, 1)

    def test_unknown_option(self):
        run = subprocess.run([ROOT / "deploy" / "quickstart", "--nope"], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--nope", run.stderr)


if __name__ == "__main__":
    unittest.main()
