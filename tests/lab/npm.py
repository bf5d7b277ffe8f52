"""Packages of npm's registry for the tests that need them; what cannot be had here is said by unittest.SkipTest."""

import re
import shutil
import subprocess
import unittest

_DEADLINE_S = 240
# Messages of npm that mean "not to be had here", as opposed to a mistake in package.json or its lock.
_NO_REGISTRY = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E40[137]|"
                          r"E5\d\d|ERR_SOCKET_TIMEOUT|SELF_SIGNED_CERT_IN_CHAIN)\b")


def require():
    """Skips the test where node or npm is missing."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise unittest.SkipTest("npm and node are not here; Debian's packages nodejs and npm have them")


def install(folder):
    """`npm ci` in `folder`, which has package.json and its lock. Skips the test where the registry is not to be had."""
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True,
                          text=True, timeout=_DEADLINE_S, check=False)
    if done.returncode == 0:
        return
    refused = next((line for line in done.stderr.splitlines() if _NO_REGISTRY.search(line)), None)
    if refused is not None:
        raise unittest.SkipTest(f"npm's registry is not to be had here: {refused}")
    raise AssertionError(f"npm ci in {folder} failed:\n{done.stdout}{done.stderr}")
