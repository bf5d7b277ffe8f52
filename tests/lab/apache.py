"""Ensembles of Apache ZooKeeper as real processes on loopback ports, and the ways to break their members.

Class path: WK_APACHE_CLASSPATH (a Java class path, or a folder of jars, or an unpacked distribution with lib/), else
Debian's zookeeper package.  The manifest of Debian's jar names most dependencies, but three groups have to be added:
servlet-api.jar, without which AdminServer is left out with "Unable to load jetty" (NoClassDefFoundError
javax/servlet/Servlet); the netty jars codec, resolver and transport-native-unix-common, without which the TLS port does
not start; and a logger.
"""

import dataclasses
import glob
import os
import re
import socket
import time
import zipfile

from . import ports, process, proxy, slow_disk, workspace

_DEBIAN_JAR = "/usr/share/java/zookeeper.jar"
_DEBIAN_EXTRA = {"servlet-api.jar": "libservlet-api-java", "netty-codec.jar": "libnetty-java",
                 "netty-resolver.jar": "libnetty-java", "netty-transport-native-unix-common.jar": "libnetty-java",
                 "slf4j-simple.jar": "libslf4j-java"}
_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
_PROMETHEUS = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"
_ANSWER_LIMIT_BYTES = 16 << 20
_ELECTION_PROTOCOLS = (-65536, -65535)
_ELECTION_HEAD_BYTES = 20
_QUORUM_PATIENCE_S = 1.0
_ELECTION_ADDRESS_LIMIT_BYTES = 4096

_LOGBACK = """\
<configuration>
  <appender name="FILE" class="ch.qos.logback.core.FileAppender">
    <file>{log}</file>
    <encoder><pattern>%d{{ISO8601}} %-5p [%t:%C{{1}}] %m%n</pattern></encoder>
  </appender>
  <root level="{level}"><appender-ref ref="FILE"/></root>
</configuration>
"""


def _debian_class_path():
    if not os.path.exists(_DEBIAN_JAR):
        raise workspace.LabUnavailable(f"{_DEBIAN_JAR} is missing; install the Debian package zookeeper, or set "
                                       "WK_APACHE_CLASSPATH to a folder made by tests/lab/fetch_apache.sh")
    with zipfile.ZipFile(_DEBIAN_JAR) as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode("utf-8")
    # A manifest line is broken after 72 bytes; the rest follows after one blank.
    named = re.search(r"^Class-Path: (.*)$", re.sub(r"\r?\n ", "", manifest), re.MULTILINE)
    jars = [_DEBIAN_JAR] + (named.group(1).split() if named else [])
    for name, package in _DEBIAN_EXTRA.items():
        path = f"/usr/share/java/{name}"
        if not os.path.exists(path):
            raise workspace.LabUnavailable(f"{path} is missing; install the Debian package {package}")
        jars.append(path)
    return ":".join(jars)


def class_path(given=None):
    """The class path to use: `given`, else WK_APACHE_CLASSPATH, else Debian's.  Folders are expanded to their jars."""
    given = given or os.environ.get("WK_APACHE_CLASSPATH")
    if not given:
        return _debian_class_path()
    if ":" not in given and os.path.isdir(given):
        for folder in (os.path.join(given, "lib"), given):
            if glob.glob(os.path.join(folder, "zookeeper-[0-9]*.jar")):
                return os.path.join(folder, "*")
        raise workspace.LabUnavailable(f"WK_APACHE_CLASSPATH: no zookeeper-*.jar in {given} nor in its lib/; fill it "
                                       "with tests/lab/fetch_apache.sh VERSION DIR")
    return given


def release(version):
    """A class path for `apache_class_path=` with this release and its Prometheus provider, fetched when needed."""
    return str(workspace.fetched("fetch_apache.sh", [version], f"apache-{version}"))


def has_prometheus_provider(path):
    """Whether a class path (as class_path() returns it) has the Prometheus metrics provider."""
    entries = []
    for entry in path.split(":"):
        entries += glob.glob(entry + ".jar") if entry.endswith("*") else [entry]
    return any(os.path.basename(entry).startswith("zookeeper-prometheus-metrics") for entry in entries)


def _free_of_election_address(real_port, proxy_port):
    """A rewriter for the first message on an election connection, which announces the sender's election address.

    The receiver may connect back to that address (when its own id is higher), and would thereby go round the proxy.
    Layout: protocol version (8 bytes), server id (8), length (4), "host:port" (several are joined by "|").
    """
    def rewrite(head):
        if len(head) < _ELECTION_HEAD_BYTES:
            return None
        if int.from_bytes(head[:8], "big", signed=True) not in _ELECTION_PROTOCOLS:
            return head
        size = int.from_bytes(head[16:20], "big")
        if size > _ELECTION_ADDRESS_LIMIT_BYTES:
            return head
        end = _ELECTION_HEAD_BYTES + size
        if len(head) < end:
            return None
        address = head[_ELECTION_HEAD_BYTES:end].replace(b":%d" % real_port, b":%d" % proxy_port)
        return head[:16] + len(address).to_bytes(4, "big") + address + head[end:]
    return rewrite


@dataclasses.dataclass(frozen=True)
class Link:
    """The two proxies through which one member reaches another's quorum port and election port."""
    quorum: proxy.TcpProxy
    election: proxy.TcpProxy

    def each(self):
        return (self.quorum, self.election)


class Member:
    """One server of an ensemble.  Made by ApacheEnsemble; `extra_cfg` may be changed between stop() and start()."""

    host = "127.0.0.1"

    def __init__(self, ensemble, number, role):
        self.ensemble = ensemble
        self.id = number
        self.role = role  # "participant" or "observer"
        self.folder = ensemble.folder / f"member-{number}"
        self.data_dir = self.folder / "data"
        self.data_dir.mkdir(parents=True)
        self.log_path = self.folder / "server.log"
        self.config_path = self.folder / "zoo.cfg"
        self.output_path = self.folder / "output.txt"
        self.extra_cfg = {}
        plain = ensemble.tls is None or ensemble.tls.plain_port
        self.client_port = ports.reserve() if plain else None
        self.secure_port = ports.reserve() if ensemble.tls is not None else None
        self.quorum_port = ports.reserve()
        self.election_port = ports.reserve()
        self.admin_port = ports.reserve() if ensemble.admin else None
        self.metrics_port = ports.reserve() if ensemble.prometheus else None
        self.client_proxy = (proxy.TcpProxy(self.client_port or self.secure_port) if ensemble.client_proxies else None)
        self.disk = slow_disk.SlowDisk(self.folder) if ensemble.slow_disk else None
        self.process = None
        self.wanted = False  # started, and neither stopped nor killed since

    @property
    def pid(self):
        return self.process.pid if self.process is not None else None

    @property
    def alive(self):
        return self.process is not None and self.process.alive

    @property
    def paused(self):
        return self.alive and self.process.paused

    @property
    def port(self):
        """The port that a client should use: the proxy's when there is one."""
        return self.client_proxy.port if self.client_proxy is not None else self.client_port or self.secure_port

    @property
    def address(self):
        """host:port of `port`."""
        return f"{self.host}:{self.port}"

    def start(self):
        """Writes the configuration and starts the server; does not wait until it serves."""
        if self.alive:
            raise RuntimeError(f"member {self.id} runs already (pid {self.pid})")
        self.ensemble.write_configuration(self)
        self.process = process.Process(
            f"member {self.id}", self.ensemble.command(self), cwd=self.folder, stdout=self.output_path,
            stderr=self.output_path, env=self.disk.environment() if self.disk is not None else None)
        self.wanted = True

    def stop(self):
        """SIGTERM, and SIGKILL after ten seconds."""
        self.wanted = False
        if self.process is not None:
            self.process.terminate()

    def kill(self):
        """SIGKILL."""
        self.wanted = False
        if self.process is not None:
            self.process.kill()

    def pause(self):
        """SIGSTOP: connections stay, nothing is answered."""
        self.process.pause()

    def resume(self):
        self.process.resume()

    def restart(self):
        self.stop()
        self.start()

    def ask(self, word, deadline_s=5.0):
        """The answer to a four-letter word, asked at the real port (not the proxy's); OSError when there is none."""
        end = time.monotonic() + deadline_s
        with socket.create_connection((self.host, self.client_port or self.secure_port), timeout=deadline_s) as plain:
            sock = plain if self.client_port else self.ensemble.tls.client_context().wrap_socket(plain)
            with sock:
                sock.sendall(word.encode("ascii"))
                answer = b""
                while len(answer) < _ANSWER_LIMIT_BYTES:
                    sock.settimeout(max(0.001, end - time.monotonic()))
                    part = sock.recv(65536)
                    if not part:
                        break
                    answer += part
        return answer.decode("utf-8", "replace")

    def mode(self, deadline_s=2.0):
        """leader, follower, observer, standalone, read-only; None when the member does not serve or answer."""
        if not self.alive or self.paused:
            return None
        try:
            found = re.search(r"^Mode: (\S+)", self.ask("srvr", deadline_s), re.MULTILINE)
        except OSError:
            return None
        return found.group(1) if found else None

    def mntr(self, deadline_s=5.0):
        """mntr as a dict of texts (needs mntr in the whitelist)."""
        return dict(line.rsplit("\t", 1) for line in self.ask("mntr", deadline_s).splitlines() if "\t" in line)

    def log(self):
        """Everything that the server wrote to its log and to its standard output."""
        return "".join(path.read_text("utf-8", "replace") for path in (self.output_path, self.log_path)
                       if path.exists())


class ApacheEnsemble:
    """Voters 1…n, then observers.  A context manager: entering starts all members and waits until they serve.

    extra_cfg      keys for every zoo.cfg; member.extra_cfg adds to it for one member.
    whitelist      "*", "none" (only srvr is left, as in a default configuration) or a list of words.
    tls            a tls.ServerTls.
    admin          AdminServer on member.admin_port;  prometheus: the provider on member.metrics_port.
    client_proxies a TcpProxy before each client port (member.client_proxy; member.address is the proxy's).
    link_proxies   two proxies for each ordered pair of members (links[a, b]): isolate(), partition(), delay of one
                   follower.  A follower's traffic with the leader flows through links[follower, leader].quorum.
    slow_disk      member.disk.set_delay(milliseconds).
    One voter without observers is a standalone server.
    """

    def __init__(self, n_voters=3, observers=0, *, extra_cfg=None, jvm_flags=(), admin=False, whitelist="*", tls=None,
                 tick_ms=500, init_limit=20, sync_limit=6, prometheus=False, client_proxies=False, link_proxies=False,
                 slow_disk=False, apache_class_path=None, heap_mb=96, log_level="WARN"):
        if n_voters < 1 or (n_voters == 1 and observers):
            raise ValueError("an ensemble has two or more voters, or one voter and no observer (standalone)")
        self._find_program(apache_class_path, prometheus)
        self.extra_cfg = dict(extra_cfg or {})
        self.jvm_flags = list(jvm_flags)
        self.admin, self.whitelist, self.tls, self.prometheus = admin, whitelist, tls, prometheus
        self.provider = prometheus  # whether the provider is named in zoo.cfg
        self.client_proxies, self.slow_disk = client_proxies, slow_disk
        self.tick_ms, self.init_limit, self.sync_limit = tick_ms, init_limit, sync_limit
        self.heap_mb, self.log_level = heap_mb, log_level
        self.folder = workspace.new_folder("apache")
        self.members = []
        self.links = {}
        try:
            for number in range(1, n_voters + observers + 1):
                self.members.append(Member(self, number, "participant" if number <= n_voters else "observer"))
            if link_proxies:
                self._make_links()
        except BaseException:
            self.stop()
            raise

    def _find_program(self, apache_class_path, prometheus):
        self.java = process.find_program("java", "openjdk-17-jre-headless")
        self.class_path = class_path(apache_class_path)
        if prometheus and not has_prometheus_provider(self.class_path):
            raise workspace.LabUnavailable(
                "the class path has no zookeeper-prometheus-metrics jar (Debian ships none); fetch one with "
                "tests/lab/fetch_apache.sh VERSION DIR and set WK_APACHE_CLASSPATH=DIR")

    def _make_links(self):
        # Both election proxies of a pair must exist before either can rewrite addresses.
        # A follower tries a refused quorum port again, but gives its leader up after a reset; hence the patience.
        quorum = {(a.id, b.id): proxy.TcpProxy(b.quorum_port, patience_s=_QUORUM_PATIENCE_S)
                  for a in self.members for b in self.members if a is not b}
        election = {(a.id, b.id): proxy.TcpProxy(b.election_port)
                    for a in self.members for b in self.members if a is not b}
        for (a, b), one in election.items():
            one.rewrite_head = _free_of_election_address(self.member(a).election_port, election[b, a].port)
            self.links[a, b] = Link(quorum[a, b], one)

    def member(self, number):
        """The member with this server id."""
        return self.members[number - 1]

    @property
    def voters(self):
        return [member for member in self.members if member.role == "participant"]

    @property
    def addresses(self):
        """host:port of each member, for an exporter's target list."""
        return [member.address for member in self.members]

    @property
    def connect_string(self):
        return ",".join(self.addresses)

    def write_configuration(self, member):
        """Writes zoo.cfg, myid and the logger's file of one member."""
        settings = {"tickTime": self.tick_ms, "initLimit": self.init_limit, "syncLimit": self.sync_limit,
                    "dataDir": member.data_dir, "preAllocSize": 1024, "maxClientCnxns": 60,
                    "admin.enableServer": "true" if self.admin else "false"}
        if member.client_port:
            settings.update({"clientPort": member.client_port, "clientPortAddress": member.host})
        if self.admin:
            settings.update({"admin.serverPort": member.admin_port, "admin.serverAddress": member.host})
        if self.tls is not None:
            settings.update(self.tls.server_settings())
            settings.update({"secureClientPort": member.secure_port, "secureClientPortAddress": member.host})
        if self.prometheus:
            settings.update({"metricsProvider.httpHost": member.host, "metricsProvider.httpPort": member.metrics_port})
        if self.provider:
            settings["metricsProvider.className"] = _PROMETHEUS
        if self.whitelist != "none":
            words = self.whitelist if isinstance(self.whitelist, str) else ",".join(self.whitelist)
            settings["4lw.commands.whitelist"] = words
        if len(self.members) > 1:
            settings.update({f"server.{other.id}": self._server_line(member, other) for other in self.members})
            if member.role == "observer":
                settings["peerType"] = "observer"
            (member.data_dir / "myid").write_text(f"{member.id}\n", encoding="ascii")
        settings.update(self.extra_cfg)
        settings.update(member.extra_cfg)
        member.config_path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()), encoding="utf-8")
        (member.folder / "logback.xml").write_text(_LOGBACK.format(log=member.log_path, level=self.log_level),
                                                   encoding="utf-8")

    def _server_line(self, viewer, other):
        quorum, election = other.quorum_port, other.election_port
        if viewer is not other and self.links:
            link = self.links[viewer.id, other.id]
            quorum, election = link.quorum.port, link.election.port
        return f"{other.host}:{quorum}:{election}" + (":observer" if other.role == "observer" else "")

    def command(self, member):
        """The command line of one member; jvm_flags may be changed between stop() and start()."""
        return [self.java, f"-Xmx{self.heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                "-Djava.net.preferIPv4Stack=true",
                f"-Dlogback.configurationFile={member.folder / 'logback.xml'}",
                f"-Dorg.slf4j.simpleLogger.logFile={member.log_path}",
                f"-Dorg.slf4j.simpleLogger.defaultLogLevel={self.log_level.lower()}",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                *self.jvm_flags, "-cp", self.class_path, _MAIN, str(member.config_path)]

    def start(self):
        """Starts every member that does not run; does not wait."""
        for member in self.members:
            if not member.alive:
                member.start()

    def wait_until_serving(self, deadline_s=60.0, members=None):
        """Waits until srvr names a mode on each of `members` (default: all that should run, paused ones aside).

        Returns the seconds that it took.  RuntimeError with the log when a member has ended by itself.
        """
        wanted = members or [member for member in self.members if member.wanted and not member.paused]

        def all_serve():
            ended = [member for member in wanted if not member.alive]
            if ended:
                raise RuntimeError(f"member {ended[0].id} ended with status {ended[0].process.exit_status}:\n"
                                   f"{ended[0].log()[-3000:]}")
            return all(member.mode() is not None for member in wanted)
        try:
            return process.wait_for(all_serve, deadline_s, "the ensemble to serve", interval_s=0.1)[1]
        except TimeoutError as error:
            states = ", ".join(f"{member.id}: {member.mode()}" for member in wanted)
            raise TimeoutError(f"{error} ({states}); logs are in {self.folder}") from None

    def leader(self):
        """The member that says it leads, or None.  Paused members are not asked."""
        return next((member for member in self.members if member.mode() == "leader"), None)

    def followers(self):
        """The members that say they follow (observers are not among them)."""
        return [member for member in self.members if member.mode() == "follower"]

    def wait_for_leader(self, deadline_s=60.0, other_than=None):
        """Waits for a leader other than that member; returns (leader, seconds waited)."""
        def found():
            leader = self.leader()
            return leader if leader is not other_than else None
        return process.wait_for(found, deadline_s, "a leader", interval_s=0.05)

    def isolate(self, member):
        """Cuts one member off from all others, as a firewall that drops would (needs link_proxies)."""
        self.partition([member], [other for other in self.members if other is not member])

    def partition(self, one_side, other_side):
        """No packet passes between the two groups any more; within each all is well (needs link_proxies)."""
        for link in self._links_between(one_side, other_side):
            for one in link.each():
                one.black_hole()

    def delay_link(self, follower, leader, milliseconds):
        """Delays the traffic between two members in each direction, whichever of them opened the connection."""
        for link in self._links_between([follower], [leader]):
            for one in link.each():
                one.delay(milliseconds)

    def heal(self):
        """Takes all faults off all proxies and links, lets paused members run and disks be fast again."""
        for one in self._proxies():
            one.heal()
        for member in self.members:
            if member.paused:
                member.resume()
            if member.disk is not None:
                member.disk.set_delay(0)

    def _links_between(self, one_side, other_side):
        if not self.links:
            raise RuntimeError("this ensemble was made without link_proxies=True")
        return [self.links[pair] for a in one_side for b in other_side for pair in ((a.id, b.id), (b.id, a.id))]

    def _proxies(self):
        found = [one for link in self.links.values() for one in link.each()]
        return found + [member.client_proxy for member in self.members if member.client_proxy is not None]

    def stop(self):
        """Ends all members (SIGKILL: the data is thrown away anyway), the proxies, and removes the files."""
        for member in self.members:
            member.kill()
        for one in self._proxies():
            one.close()
        for member in self.members:
            for port in (member.client_port, member.secure_port, member.quorum_port, member.election_port,
                         member.admin_port, member.metrics_port):
                ports.release(port)
        self.links = {}
        workspace.remove_folder(self.folder)

    def __enter__(self):
        try:
            self.start()
            self.wait_until_serving()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
