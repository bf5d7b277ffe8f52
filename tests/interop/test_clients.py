"""The clients of Debian's packages, unchanged: Apache's Java client, zkCli.sh, the C client and cli_mt.

clients/*.expected hold what the programs of clients/ print; they were recorded with Apache 3.9.5, which is one of the
servers that the tests run against.
"""

import difflib
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import servers
from lab import apache, process, workspace
from server_case import ServerCase

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
ZKCLI = pathlib.Path("/usr/share/zookeeper/bin/zkCli.sh")
CLI_MT = pathlib.Path("/usr/lib/zookeeper/bin/cli_mt")
HEADER = pathlib.Path("/usr/include/zookeeper/zookeeper.h")
SIMPLE_LOGGER = "/usr/share/java/slf4j-nop.jar"
TIMEOUT_S = 120


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


class ClientCase(ServerCase):
    maxDiff = None

    def assert_expected(self, found, name):
        expected = lines((CLIENTS / name).read_text(encoding="utf-8"))
        if found != expected:
            self.fail(f"{name}:\n" + "\n".join(difflib.unified_diff(expected, found, "expected", "found", lineterm="")))

    def need(self, path, package):
        if not path.exists():
            self.skipTest(f"{path} is missing; install the Debian package {package}")


class JavaClient(ClientCase):
    def run_with(self, class_path):
        try:
            java = process.find_program("java", "default-jdk-headless")
            process.find_program("javac", "default-jdk-headless")
        except workspace.LabUnavailable as missing:
            self.skipTest(str(missing))
        silent = self.ensemble.folder / "silent.xml"
        silent.write_text('<configuration><root level="OFF"/></configuration>\n', encoding="ascii")
        found = subprocess.run([java, "-XX:TieredStopAtLevel=1", f"-Dlogback.configurationFile={silent}", "-cp",
                                f"{class_path}:{SIMPLE_LOGGER}", CLIENTS / "JavaClient.java",
                                self.ensemble.connect_string], capture_output=True, text=True, timeout=TIMEOUT_S,
                               check=False)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)
        self.assert_expected(lines(found.stdout), "java_client.expected")

    def test_debians_release(self):
        self.run_with(apache.class_path())


class NewerJavaClient(JavaClient):
    test_debians_release = None

    def test_3_9_5(self):
        try:
            jars = apache.class_path(apache.release("3.9.5"))
        except workspace.LabUnavailable as missing:
            self.skipTest(str(missing))
        self.run_with(jars)


class CClient(ClientCase):
    def test_program(self):
        self.need(HEADER, "libzookeeper-mt-dev")
        program = self.ensemble.folder / "c_client"
        built = subprocess.run([shutil.which("gcc") or "gcc", "-std=c99", "-D_GNU_SOURCE", "-DTHREADED", "-Wall",
                                "-Wextra", "-Werror", "-o", program, CLIENTS / "c_client.c", "-lzookeeper_mt", "-lpthread"],
                               capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(built.returncode, 0, built.stderr)
        found = subprocess.run([program, self.ensemble.connect_string], capture_output=True, text=True,
                               timeout=TIMEOUT_S, check=False)
        self.assertEqual(found.returncode, 0, found.stdout + found.stderr)
        self.assert_expected(lines(found.stdout), "c_client.expected")

    def test_cli_mt(self):
        self.need(CLI_MT, "zookeeper-bin")

        def run(command):
            return subprocess.run([CLI_MT, "-h", self.ensemble.connect_string, "-c", command], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False).stdout
        self.assertIn("rc = 0", run("create /cli_mt"))
        self.assertIn("rc = -110", run("create /cli_mt"))
        self.assertIn("cli_mt", run("ls /"))


class ZkCli(ClientCase):
    def run_script(self, script):
        """(standard output, standard error, events) as lines, without what is different in every run."""
        log = self.ensemble.folder / "cli-log"
        log.mkdir(exist_ok=True)
        environment = {**os.environ, "CLIENT_JVMFLAGS": "-XX:TieredStopAtLevel=1", "ZOO_LOG_DIR": str(log)}
        found = subprocess.run([ZKCLI, "-server", self.ensemble.connect_string], input=script, capture_output=True,
                               text=True, timeout=TIMEOUT_S, check=False, env=environment)
        out = found.stdout.replace(self.ensemble.connect_string, "HOSTS")
        # zkCli.sh ends while its event thread tells of the closing: it may be told, in part, or not at all.
        out = re.sub(r"\nWATCHER::\n*(WatchedEvent state:Closed .*\n?)?\Z", "", out)
        # The two lines of an event are printed one by one: an answer may stand between them.
        events = re.findall(r"^WatchedEvent .*$", out, flags=re.M)
        out = re.sub(r"\n(?:WATCHER::|WatchedEvent .*)\n", "", out)
        out = re.sub(r"^([cm]time) = .*$", r"\1 = TIME", out, flags=re.M)
        out = re.sub(r"^ephemeralOwner = 0x[1-9a-f]\w+$", "ephemeralOwner = SESSION", out, flags=re.M)
        # Identities have no order.
        out = re.sub(r"(?<=User\n)((?:\w+: \S+\n)+)",
                     lambda match: "\n".join(sorted(match[0].splitlines())) + "\n", out)
        return lines(out), [line for line in lines(found.stderr) if not line.startswith("SLF4J")], events

    def test_commands(self):
        self.need(ZKCLI, "zookeeper")
        script = (CLIENTS / "zkcli.txt").read_text(encoding="utf-8")
        out, errors, events = self.run_script(script)
        self.assert_expected([*out, "-- errors", *errors, "-- events", *sorted(events)], "zkcli.expected")


load_tests = servers.parametrised(JavaClient, NewerJavaClient, CClient, ZkCli)

if __name__ == "__main__":
    unittest.main()
