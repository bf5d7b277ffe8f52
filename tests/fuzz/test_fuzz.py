"""Runs every fuzz target for a bounded time, as many at once as there are processors, from golden files where they fit.

Needs the programs of the "fuzz" preset in build/fuzz/bin (tests/run builds them). WK_FUZZ_SECONDS (default 20) is the
time of each. An input that breaks a target is left in build/fuzz/findings.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "build" / "fuzz" / "bin"
TARGETS = sorted(path.stem for path in (ROOT / "tests" / "fuzz").glob("*_fuzz.cpp"))
SECONDS = int(os.environ.get("WK_FUZZ_SECONDS", "20"))
SEED_LIMIT_BYTES = 64 * 1024


def seed(target, folder):
    """Golden answers behind every selector byte for the parsers; documents for the configuration."""
    if target == "sources_fuzz":
        files = [path for path in (ROOT / "tests" / "golden").rglob("*") if path.is_file()]
        for number, path in enumerate(files):
            content = path.read_bytes()[:SEED_LIMIT_BYTES]
            (folder / f"{number}-{path.name}").write_bytes(bytes([number % 32]) + content)
    if target == "zoo_cfg_fuzz":
        (folder / "zoo.cfg").write_text(
            "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/data\nclientPort=2181\n4lw.commands.whitelist=*\n"
            "server.1=a:2888:3888:participant;2181\nserver.2=b:2888:3888|c:2888:3888\nautopurge.snapRetainCount=3\n",
            encoding="ascii")
        (folder / "dynamic").write_bytes(b"dataDir=/data\ndynamicConfigFile=/dyn\n\0server.1=a:2888:3888;2181\n")
    if target == "client_bytes_fuzz":
        path = b"\0\0\0\2/a"
        create = b"\0\0\0\1\0\0\0\1" + path + b"\0\0\0\1d" + (
            b"\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone" + b"\0\0\0\0")
        get = b"\0\0\0\2\0\0\0\4" + path + b"\1"
        steps = b"".join(b"\4" + bytes([len(frame)]) + frame for frame in (create, get))
        (folder / "session").write_bytes(steps + b"\2" + b"\3\xff")
    if target == "config_fuzz":
        text = "ensembles:\n  - name: a\n    members: [zk1:2181, {address: zk2:2181, timeout: 2s}]\n    canary: {mode: write}\n"
        (folder / "document").write_text(text, encoding="utf-8")


class Fuzz(unittest.TestCase):
    def test_targets_exist(self):
        self.assertGreaterEqual(len(TARGETS), 4)
        for target in TARGETS:
            self.assertTrue((PROGRAMS / target).exists(), f"build the fuzz preset first: {target} is missing")

    def run_target(self, target, findings):
        corpus = pathlib.Path(tempfile.mkdtemp(prefix=f"wk-{target}-"))
        self.addCleanup(shutil.rmtree, corpus, ignore_errors=True)
        seed(target, corpus)
        return subprocess.run(
            [PROGRAMS / target, f"-max_total_time={SECONDS}", "-rss_limit_mb=1024", "-timeout=10",
             f"-artifact_prefix={findings}/{target}-", "-print_final_stats=1", corpus],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
            timeout=SECONDS + 120)

    def test_each_target_survives(self):
        findings = ROOT / "build" / "fuzz" / "findings"
        findings.mkdir(parents=True, exist_ok=True)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = {target: pool.submit(self.run_target, target, findings) for target in TARGETS}
        for target, started in runs.items():
            with self.subTest(target=target):
                run = started.result()
                self.assertEqual(run.returncode, 0, f"{target}: {run.stdout[-4000:]}")
                executed = [line for line in run.stdout.splitlines() if "number_of_executed_units" in line]
                self.assertTrue(executed, f"{target} ran nothing: {run.stdout[-1000:]}")
                print(f"{target}: {executed[0].split(':')[-1].strip()} inputs in {SECONDS} s")
                self.assertGreater(int(executed[0].split(":")[-1]), 100)


if __name__ == "__main__":
    unittest.main()
