"""The two servers and the load on them."""

import contextlib
import dataclasses
import datetime
import json
import pathlib
import resource
import socket
import subprocess
import sys

from lab import apache, ports, process, watchkeeperd

NAMES = ("apache", "watchkeeper")
MB = 1e6
_SETTINGS = {"preAllocSize": 65536, "maxClientCnxns": 0, "maxSessionTimeout": 120000, "clientPortListenBacklog": 4096}
_WARM_UP_MIX = "get=50,set=40,create=10"
_DESCRIPTORS_WANTED = 120_000
_DESCRIPTORS_OF_OTHERS = 500  # what a process has open beside its clients, generously


class ShippedApache(apache.ApacheEnsemble):
    """Apache as its package starts it: the default JVM, collector and heap; or a smaller heap when asked."""

    def __init__(self, heap_mb=None, **options):
        self._wanted_heap_mb = heap_mb
        super().__init__(1, **options)

    def command(self, member):
        heap = [f"-Xmx{self._wanted_heap_mb}m"] if self._wanted_heap_mb else []
        return [self.java, *heap, f"-Dorg.slf4j.simpleLogger.logFile={member.log_path}",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                f"-Dlogback.configurationFile={member.folder / 'logback.xml'}", "-cp", self.class_path,
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(member.config_path)]


@dataclasses.dataclass(frozen=True)
class NullMember:
    """Where the server that does nothing is."""
    address: str
    pid: int


class Bench:
    """Makes the contenders and runs the load generator."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.programs = pathlib.Path(arguments.bin).resolve()
        for name in ("wk_load", "wk_null_server"):
            if not (self.programs / name).is_file():
                raise FileNotFoundError(f"{self.programs / name} is not there; build it, or set --bin")
        watchkeeperd.find_server(arguments.server or self.programs)
        self.clients_max = _allow_descriptors() - _DESCRIPTORS_OF_OTHERS

    def make(self, name, **settings):
        """A server that has not been started; settings are keys of its zoo.cfg."""
        options = {"tick_ms": 2000, "extra_cfg": {**_SETTINGS, **settings}, "log_level": "WARN"}
        if name == "apache":
            return ShippedApache(self.arguments.heap, **options)
        return watchkeeperd.WatchkeeperEnsemble(1, program=self.arguments.server or self.programs, **options)

    @contextlib.contextmanager
    def pair(self):
        """Both servers at once, as {name: member}; Apache has been under load for a while."""
        with self.make("apache") as theirs, self.make("watchkeeper") as ours:
            members = {"apache": theirs.members[0], "watchkeeper": ours.members[0]}
            self.warm_up(members["apache"])
            yield members

    def warm_up(self, member):
        """Some time under load, for the JVM."""
        if self.arguments.warm_up > 0:
            say(f"warming up for {self.arguments.warm_up:g} s")
            self.load(member, connections=20, outstanding=20, mix=_WARM_UP_MIX, warm_up_s=0,
                      window_s=self.arguments.warm_up)

    @contextlib.contextmanager
    def null_server(self):
        """A server that answers and does nothing else, with the face of a member as far as a load needs it."""
        port = ports.reserve()
        server = process.Process("null server", [self.programs / "wk_null_server", port])
        try:
            wait_for_port(port)
            yield NullMember(f"127.0.0.1:{port}", server.pid)
        finally:
            server.terminate()
            ports.release(port)

    def load(self, member, *, connections, outstanding, mix, operations=None, window_s=None, windows=1, warm_up_s=None,
             rate_per_s=None):
        """The JSON of one run of wk_load."""
        words = [member.address, "-c", connections, "-o", outstanding, "-m", mix, "-p", member.pid, "-q", "-j", "-",
                 "--session-timeout", 100]
        if operations:
            words += ["-n", operations]
        else:
            words += ["--warm-up", self.arguments.settle if warm_up_s is None else warm_up_s, "--window",
                      window_s or self.arguments.window, "-w", windows]
        if rate_per_s:
            words += ["-r", rate_per_s]
        return self._run(words)

    def scenario(self, name, member, **options):
        """The JSON of one scenario of wk_load; options are its flags, with _ for -, and True for those without a value."""
        return self._run(self.scenario_words(name, member, **options))

    def scenario_words(self, name, member, **options):
        words = [name, member.address, "-p", member.pid]
        # Scenarios leave some of their znodes, and expiry wants a root that is empty.
        for key, value in {"root": f"/wk-{name}", **options}.items():
            words += [f"--{key.replace('_', '-')}"] + ([] if value is True else [value])
        return words

    def alternate(self, members, **case):
        """Repetitions of one load, in turn; {name: [window of wk_load, …]}."""
        found = {name: [] for name in members}
        for _ in range(self.arguments.repetitions):
            for name, member in members.items():
                found[name] += self.load(member, **case)["windows"]
        return found

    def alternate_scenario(self, scenario, members, **options):
        """Repetitions of a scenario, in turn, after one of each that does not count; {name: [JSON, …]}."""
        found = {name: [] for name in members}
        for repetition in range(-1, self.arguments.repetitions):
            for name, member in members.items():
                told = self.scenario(scenario, member, **options)
                if repetition >= 0:
                    found[name].append(told)
        return found

    def _run(self, words):
        command = [str(word) for word in (self.programs / "wk_load", *words)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {ran.stderr}{ran.stdout[-500:]}")
        return json.loads(ran.stdout)


def _allow_descriptors():
    """Raises the limit of open files, which children inherit, as far as it goes; the limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, _DESCRIPTORS_WANTED), hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def say(text):
    print(f"{datetime.datetime.now(datetime.timezone.utc):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as source:
        for line in source:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / MB
    raise ProcessLookupError(f"process {pid} has ended")


def wait_for_port(port):
    def answers():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False
    process.wait_for(answers, 10, f"port {port}", interval_s=0.02)


@contextlib.contextmanager
def unstarted(ensemble):
    """A server that is started and stopped by hand, and gone in the end."""
    try:
        yield ensemble
    finally:
        ensemble.stop()
