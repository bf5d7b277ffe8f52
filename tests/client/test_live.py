"""The C++ client against real Apache ZooKeeper: standalone, an ensemble, and TLS to the client port."""

import os
import pathlib
import subprocess
import unittest

from lab import apache

PROGRAM = pathlib.Path(os.environ["WK_BIN"]) / "client_live_test"


def run(servers):
    return subprocess.run([PROGRAM, servers], capture_output=True, text=True, timeout=120, check=False)


class Live(unittest.TestCase):
    def check(self, result):
        self.assertEqual(result.returncode, 0, result.stdout[-4000:] + result.stderr[-2000:])
        self.assertIn("[  PASSED  ]", result.stdout)
        self.assertNotIn("[  SKIPPED ]", result.stdout)

    def test_standalone(self):
        with apache.ApacheEnsemble(1) as ensemble:
            ensemble.wait_until_serving()
            self.check(run(ensemble.connect_string))

    def test_ensemble(self):
        with apache.ApacheEnsemble(3) as ensemble:
            ensemble.wait_until_serving()
            self.check(run(ensemble.connect_string))


if __name__ == "__main__":
    unittest.main()
