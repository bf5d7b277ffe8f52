"""deploy/bin: zkServer.sh, zkCli.sh and zkCleanup.sh with the arguments, messages and exit codes of Apache ZooKeeper's;
deploy/systemd: what the units must not say."""

import configparser
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from kazoo.client import KazooClient

from lab import ports, process, watchkeeperd

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "bin"
UNIT = SCRIPTS.parent / "systemd" / "watchkeeperd.service"
PATIENCE_S = 20


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Scripts(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wk-scripts-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"
        self.pid_file = self.data / "zookeeper_server.pid"
        self.port, http_port = ports.reserve(), ports.reserve()
        self.addCleanup(ports.release, self.port)
        self.addCleanup(ports.release, http_port)
        self.lines = [f"dataDir={self.data}", f"clientPort={self.port}", "clientPortAddress=127.0.0.1",
                      "metricsProvider.httpHost=127.0.0.1", f"metricsProvider.httpPort={http_port}"]
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("ZOO", "JVM", "SERVER_JVM", "CLIENT_JVM", "JAVA", "CLASSPATH"))}
        self.environment |= {"ZOOCFGDIR": str(self.folder), "ZOO_LOG_DIR": str(self.folder / "logs"),
                             "WK_BIN": str(watchkeeperd.find_server().parent), "USER": "somebody", "HOSTNAME": "here"}
        self.configure()
        self.addCleanup(self.kill)

    def configure(self, *lines, name="zoo.cfg"):
        (self.folder / name).write_text("\n".join([*self.lines, *lines]) + "\n", encoding="ascii")

    def run_script(self, script, *arguments, **environment):
        return subprocess.run([SCRIPTS / script, *arguments], env={**self.environment, **environment}, cwd="/",
                              capture_output=True, text=True, check=False, timeout=60)

    def server(self, *arguments, **environment):
        return self.run_script("zkServer.sh", *arguments, **environment)

    def pid(self):
        return int(self.pid_file.read_text(encoding="ascii"))

    @staticmethod
    def kill_group(leader):
        try:
            os.killpg(leader, signal.SIGKILL)
        except OSError:
            pass

    def kill(self):
        try:
            os.kill(self.pid(), signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def assert_run(self, run, code, stdout):
        self.assertEqual((run.returncode, run.stdout), (code, stdout), run.stderr)

    def assert_started(self, run):
        self.assert_run(run, 0, "Starting zookeeper ... STARTED\n")
        # The script waits a second for a process that fails at once, not for one that serves.
        with socket.socket() as probe:
            process.wait_for(lambda: probe.connect_ex(("127.0.0.1", self.port)) == 0, PATIENCE_S, "the client port")

    def assert_stopped(self, run):
        self.assert_run(run, 0, "Stopping zookeeper ... STOPPED\n")


class Server(Scripts):
    def test_start_status_stop(self):
        started = self.server("start")
        self.assert_started(started)
        self.assertEqual(started.stderr, f"Using config: {self.folder}/zoo.cfg\n")
        pid = self.pid()
        self.assertEqual(self.pid_file.read_text(encoding="ascii"), str(pid), "a line feed in the pid file")
        self.assert_run(self.server("status"), 0, f"Client port found: {self.port}. Client address: 127.0.0.1. "
                                                  "Client SSL: false.\nMode: standalone\n")
        self.assert_run(self.server("start"), 1, f"Starting zookeeper ... already running as process {pid}.\n")
        self.assert_stopped(self.server("stop"))
        self.assertFalse(alive(pid), "it still runs")
        self.assertFalse(self.pid_file.exists())
        self.assert_run(self.server("stop"), 0,
                        f"Stopping zookeeper ... no zookeeper to stop (could not find file {self.pid_file})\n")
        self.assert_run(self.server("status"), 1, f"Client port found: {self.port}. Client address: 127.0.0.1. Client "
                                                  "SSL: false.\nError contacting service. It is probably not running.\n")
        log = (self.folder / "logs" / "zookeeper-somebody-server-here.out").read_text(encoding="utf-8")
        self.assertIn("serving", log)

    def test_restart_is_another_process_with_the_same_data(self):
        self.assert_started(self.server("start"))
        first = self.pid()
        client = KazooClient(hosts=f"127.0.0.1:{self.port}")
        client.start(timeout=PATIENCE_S)
        client.create("/kept", b"value")
        client.stop()
        client.close()
        self.assert_run(self.server("restart"), 0,
                        "Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n")
        self.assertNotEqual(self.pid(), first)
        client = KazooClient(hosts=f"127.0.0.1:{self.port}")
        client.start(timeout=PATIENCE_S)
        self.assertEqual(client.get("/kept")[0], b"value")
        client.stop()
        client.close()
        log = (self.folder / "logs" / "zookeeper-somebody-server-here.out").read_text(encoding="utf-8")
        self.assertEqual(log.count("serving: client port"), 2, "the log of the first start is gone")

    def test_failing_start_tells_why(self):
        self.configure("tickTime=soon")
        run = self.server("start")
        self.assert_run(run, 1, "Starting zookeeper ... FAILED TO START\n")
        self.assertIn("tickTime", run.stderr)
        (self.folder / "zoo.cfg").write_text("clientPort=2181\n", encoding="ascii")
        run = self.server("start")
        self.assert_run(run, 1, "Starting zookeeper ... FAILED TO START\n")
        self.assertIn("dataDir is not set", run.stderr)

    def test_a_pid_file_of_another_program_is_not_believed(self):
        with subprocess.Popen(["/bin/sleep", "600"]) as other:
            try:
                self.data.mkdir()
                self.pid_file.write_text(str(other.pid), encoding="ascii")
                self.assert_stopped(self.server("stop"))
                self.assertIsNone(other.poll(), "zkServer.sh stop has killed another program")
                self.pid_file.write_text(str(other.pid), encoding="ascii")
                self.assert_started(self.server("start"))
                self.assertNotEqual(self.pid(), other.pid)
                self.assert_stopped(self.server("stop"))
            finally:
                other.kill()

    def start_in_foreground(self, **environment):
        process = subprocess.Popen([SCRIPTS / "zkServer.sh", "start-foreground"], cwd="/",
                                   env={**self.environment, **environment}, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(self.kill_group, process.pid)
        deadline = time.monotonic() + PATIENCE_S
        while self.server("status").returncode != 0:
            self.assertLess(time.monotonic(), deadline, "it does not serve")
            time.sleep(0.05)
        return process

    def test_foreground_becomes_the_server(self):
        process = self.start_in_foreground()
        self.assertEqual(pathlib.Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii").strip(), "watchkeeperd")
        self.assertFalse(self.pid_file.exists())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_foreground_as_a_child(self):
        process = self.start_in_foreground(ZOO_NOEXEC="1")
        self.assertNotEqual(pathlib.Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii").strip(), "watchkeeperd")
        child = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        os.kill(int(child[0]), signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_properties_reach_the_server_and_jvm_flags_do_not(self):
        flags = {"SERVER_JVMFLAGS": "-Xmx1g -Dzookeeper.4lw.commands.whitelist=ruok,srvr",
                 "JVMFLAGS": "-verbose:gc -Dcom.sun.management.jmxremote -Dzookeeper.maxCnxns=7 -Djute.maxbuffer=4096"}
        command = self.server("print-cmd", **flags)
        self.assertEqual(command.returncode, 0)
        self.assertEqual(re.findall(r'"(-[^"]*)"', command.stdout),
                         ["-Dzookeeper.4lw.commands.whitelist=ruok,srvr", "-Dzookeeper.maxCnxns=7", "-Djute.maxbuffer=4096"])
        self.assertTrue(command.stdout.endswith(
            f'"{self.folder}/zoo.cfg" >> "{self.folder}/logs/zookeeper-somebody-server-here.out" 2>&1 < /dev/null\n'))
        self.assert_started(self.server("start", **flags))
        answer = subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{self.port}; printf mntr >&3; cat <&3"],
                                capture_output=True, text=True, check=True, timeout=PATIENCE_S)
        self.assertEqual(answer.stdout, "mntr is not executed because it is not in the whitelist.\n")
        self.assert_stopped(self.server("stop"))

    def test_places_of_configuration_pid_and_environment(self):
        self.configure(name="other.cfg")
        (self.folder / "zoo.cfg").unlink()
        # As people write it: JVMFLAGS need not be set before.
        (self.folder / "java.env").write_text('export JVMFLAGS="-Xms512m $JVMFLAGS"\n'
                                              'export JVMFLAGS="-Dzookeeper.maxCnxns=9 $JVMFLAGS"\n', encoding="ascii")
        (self.folder / "zookeeper-env.sh").write_text(f"ZOOPIDFILE={self.folder}/run/pid\n", encoding="ascii")
        using = f"Using config: {self.folder}/other.cfg\n"
        bare = {"ZOOCFGDIR": ""}
        for run in (self.server("print-cmd", "other.cfg"), self.server("print-cmd", ZOOCFG="other.cfg"),
                    self.server("--config", str(self.folder), "print-cmd", "other.cfg", **bare)):
            self.assertEqual((run.returncode, run.stderr), (0, using))
            self.assertIn('"-Dzookeeper.maxCnxns=9"', run.stdout)
        elsewhere = self.server("print-cmd", str(self.folder / "other.cfg"), ZOOCFGDIR="/nonexistent")
        self.assertEqual((elsewhere.returncode, elsewhere.stderr), (0, using))
        self.assert_started(self.server("start", "other.cfg"))
        self.assertTrue((self.folder / "run" / "pid").exists())
        self.assertFalse(self.pid_file.exists())
        self.assert_stopped(self.server("stop", "other.cfg"))

    def test_status_finds_the_port_where_apache_does(self):
        self.assert_started(self.server("start"))
        found = "Client port found: {}. Client address: {}. Client SSL: false.\nMode: standalone\n"
        (self.data / "myid").write_text("1\n", encoding="ascii")
        cases = {
            "clientPort = {port}": found.format(self.port, "localhost"),
            "clientPort:1\nclientPort={port}": found.format(self.port, "localhost"),
            "server.1=localhost:2888:3888;{port}": found.format(self.port, "localhost"),
            "server.1=localhost:2888:3888:participant;127.0.0.1:{port}": found.format(self.port, "127.0.0.1"),
            "dynamicConfigFile={folder}/dynamic": "Client port not found in static config file. Looking in dynamic config "
                                                  "file.\n" + found.format(self.port, "127.0.0.1")}
        (self.folder / "dynamic").write_text(f"server.1=localhost:2888:3888;127.0.0.1:{self.port}\n", encoding="ascii")
        for number, (line, expected) in enumerate(cases.items()):
            (self.folder / f"{number}.cfg").write_text(
                f"dataDir={self.data}\n" + line.format(port=self.port, folder=self.folder) + "\n", encoding="ascii")
            with self.subTest(line=line):
                self.assert_run(self.server("status", f"{number}.cfg"), 0, expected)
        (self.folder / "none.cfg").write_text("dataDir=/nonexistent\n", encoding="ascii")
        self.assert_run(self.server("status", "none.cfg"), 1,
                        "myid could not be determined, will not able to locate clientPort in the server configs.\n"
                        "Client port not found. Looking for secureClientPort in the static config.\n"
                        "Unable to find either secure or unsecure client port in any configs. Terminating.\n")
        self.assert_stopped(self.server("stop"))

    def test_status_of_a_server_that_hangs(self):
        self.assert_started(self.server("start"))
        os.kill(self.pid(), signal.SIGSTOP)
        begin = time.monotonic()
        status = self.server("status")
        self.assertEqual(status.returncode, 1)
        self.assertIn("Error contacting service.", status.stdout)
        self.assertLess(time.monotonic() - begin, 15)
        os.kill(self.pid(), signal.SIGCONT)
        self.assert_stopped(self.server("stop"))

    def test_a_server_that_does_not_end_is_not_stopped(self):
        self.assert_started(self.server("start"))
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            for verb in ("stop", "restart"):
                run = self.server(verb, WK_STOP_SECONDS="1")
                self.assert_run(run, 1, "Stopping zookeeper ... FAILED TO STOP\n")
                self.assertIn(f"process {pid} still runs after 1 s; {self.pid_file} still names it\n", run.stderr)
                self.assertEqual(self.pid(), pid)
                self.assertTrue(alive(pid))
        finally:
            os.kill(pid, signal.SIGCONT)
        # The SIGTERM of above is carried out now.
        process.wait_for(lambda: not alive(pid), PATIENCE_S, "the server to end")
        self.assert_stopped(self.server("stop"))
        self.assertFalse(self.pid_file.exists())

    def test_a_start_that_fails_leaves_no_pid_file(self):
        self.assert_started(self.server("start"))
        pid = self.pid()
        # As after somebody has removed the file: the second server finds the data folder locked.
        self.pid_file.unlink()
        self.assert_run(self.server("start"), 1, "Starting zookeeper ... FAILED TO START\n")
        self.assertFalse(self.pid_file.exists())
        self.pid_file.write_text(str(pid), encoding="ascii")
        self.assert_stopped(self.server("stop"))

    def test_missing_data_folder_without_autocreate(self):
        run = self.server("start", ZOO_DATADIR_AUTOCREATE_DISABLE="1")
        self.assert_run(run, 1,
                        f"ZooKeeper data directory is missing at {self.data} fix the path or run initialize\n")
        (self.data / "version-2").mkdir(parents=True)
        self.assertIn('"-Dzookeeper.datadir.autocreate=false"',
                      self.server("print-cmd", ZOO_DATADIR_AUTOCREATE_DISABLE="1").stdout)

    def test_version_and_usage(self):
        version = self.server("version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout,
                         r"^Watchkeeper, version 3\.9\.5-watchkeeper-\S+, built on \d\d/\d\d/\d{4} \d\d:\d\d GMT\n$")
        for arguments in ([], ["upgrade"]):
            usage = self.server(*arguments)
            self.assertEqual((usage.returncode, usage.stdout), (0, ""))
            self.assertTrue(usage.stderr.endswith(
                " [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}\n"), usage.stderr)

    def test_missing_program(self):
        bare = self.folder / "bin"
        shutil.copytree(SCRIPTS, bare)
        run = subprocess.run([bare / "zkServer.sh", "start"], env={**self.environment, "WK_BIN": "/nonexistent"},
                             capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, 1)
        self.assertIn("watchkeeperd is neither in WK_BIN (/nonexistent)", run.stderr)


class CleanUp(Scripts):
    def test_usage(self):
        for arguments in ([], ["-n"], ["-n", "2"], ["-n", "x"], ["3"], ["-n", "3", "4"]):
            run = self.run_script("zkCleanup.sh", *arguments)
            self.assertEqual(run.returncode, 1, arguments)
            self.assertIn("value should be greater than or equal to 3", run.stderr)

    def test_keeps_the_newest_beside_a_running_server(self):
        self.configure("snapCount=10")
        self.assert_started(self.server("start"))
        client = KazooClient(hosts=f"127.0.0.1:{self.port}")
        client.start(timeout=PATIENCE_S)
        version_2 = self.data / "version-2"

        def files(kind):
            return sorted((path.name for path in version_2.glob(kind + ".*")), key=lambda name: int(name.split(".")[1], 16))

        client.create("/count")
        number = 0
        deadline = time.monotonic() + 60
        while len(files("snapshot")) < 6 and time.monotonic() < deadline:
            client.set("/count", str(number := number + 1).encode())
        snapshots = files("snapshot")
        self.assertGreaterEqual(len(snapshots), 6)
        run = self.run_script("zkCleanup.sh", "-n", "3")
        self.assertEqual(run.returncode, 0, run.stderr)
        removed = re.findall(r"^Removing file: (.*)$", run.stdout, re.MULTILINE)
        self.assertEqual(len(removed), len(run.stdout.splitlines()))
        self.assertIn(str(version_2 / snapshots[0]), removed)
        # One more may have come to its end meanwhile, and is one of the newest.
        left = files("snapshot")
        gone = [name for name in snapshots if name not in left]
        self.assertEqual(gone, snapshots[:len(gone)], "an older one was kept")
        self.assertIn(len(left), (3, 4))
        self.assertEqual([path for path in removed if pathlib.Path(path).exists()], [])
        client.set("/count", b"last")
        client.stop()
        client.close()
        self.assert_run(self.server("restart"), 0,
                        "Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n")
        client = KazooClient(hosts=f"127.0.0.1:{self.port}")
        client.start(timeout=PATIENCE_S)
        self.assertEqual(client.get("/count")[0], b"last")
        client.stop()
        client.close()
        self.assert_stopped(self.server("stop"))

    def test_missing_folder(self):
        run = self.run_script("zkCleanup.sh", "-n", "3")
        self.assertEqual((run.returncode, run.stdout), (3, ""))
        self.assertIn(str(self.data), run.stderr)


class Client(Scripts):
    def test_without_java_it_says_what_to_install(self):
        run = self.run_script("zkCli.sh", "-server", f"127.0.0.1:{self.port}", "ls", "/", JAVA_HOME="/nonexistent")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("libzookeeper-java", run.stderr)

    def test_one_shot_commands(self):
        if not shutil.which("java") or not pathlib.Path("/usr/share/java/zookeeper.jar").exists():
            self.skipTest("Apache's client (java, libzookeeper-java) is not installed")
        self.assert_started(self.server("start"))
        place = ["-server", f"127.0.0.1:{self.port}"]
        created = self.run_script("zkCli.sh", *place, "create", "/from-the-shell", "hello")
        self.assertEqual(created.returncode, 0, created.stderr)
        self.assertIn("Created /from-the-shell", created.stderr)
        read = self.run_script("zkCli.sh", *place, "get", "/from-the-shell")
        self.assertEqual(read.returncode, 0, read.stderr)
        # The thread that tells of the connection prints when it comes to it, perhaps behind the answer.
        self.assertIn("hello", read.stdout.splitlines())
        missing = self.run_script("zkCli.sh", *place, "get", "/nothing")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("Node does not exist: /nothing", missing.stderr)
        self.assert_stopped(self.server("stop"))


class Unit(unittest.TestCase):
    @staticmethod
    def service_of(name):
        unit = configparser.RawConfigParser(strict=False)
        unit.read(UNIT.with_name(name), encoding="ascii")
        return unit["Service"]

    def setUp(self):
        self.service = self.service_of(UNIT.name)

    def test_whatever_ended_it_but_systemctl_is_mended(self):
        # systemd takes SIGHUP, SIGINT, SIGTERM and SIGPIPE for a clean end, after which on-failure leaves a member down.
        for name in (UNIT.name, "watchkeeper-exporter.service"):
            self.assertEqual(self.service_of(name)["Restart"], "always", name)

    def test_data_below_tmp_is_refused_and_not_lost(self):
        self.assertFalse(self.service.getboolean("PrivateTmp", fallback=False))
        self.assertEqual(self.service["ProtectSystem"], "strict")

    def test_a_name_that_cannot_be_resolved_at_boot_is_tried_again(self):
        self.assertEqual(self.service["Restart"], "always")
        self.assertNotIn("2", self.service.get("RestartPreventExitStatus", fallback="").split())


if __name__ == "__main__":
    unittest.main()
