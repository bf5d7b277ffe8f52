"""Every alert rule is fired by the real fault that it is for: real ZooKeeper or Watchkeeper, exporter and Prometheus.

Rules are the shipped ones with time divided (lab/timescale.py), so that windows of hours last seconds; thresholds are
untouched.  Each scene starts its own processes, shows that the alerts it declares are neither pending nor firing,
causes the fault, and waits until they fire.  A rule that no scene declares and _NOT_FIRED does not name fails the
last test, and so does a scene that did not fire what it declares.

Scenes run side by side: WK_SCENES_AT_ONCE (3) at a time; WK_SCENES=name,name runs only those.
"""

import concurrent.futures
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import re
import resource
import shutil
import struct
import threading
import time
import unittest

import yaml

from lab import apache, faults, load, process, small_disk, stack, timescale, tls, watchkeeperd, workspace

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_RULE_FILES = sorted((_ROOT / "alerts").glob("*.rules.yml"))
_RULES = _ROOT / "alerts" / "watchkeeper.rules.yml"
_FIRE_S = 60.0
_QUIET_S = 30.0
_SETTLE_S = 5.0

# Alerts that no fault on this machine fires, and why.
_NOT_FIRED = {
    "ZooKeeperDiskFilling warning": "needs node_exporter on the ZooKeeper hosts, and a file system to fill",
    "ZooKeeperDiskFilling critical": "needs node_exporter on the ZooKeeper hosts, and a file system to fill",
    "ZooKeeperDataSizeHigh": "needs 2 GiB of data, that is a server with a heap of 5 GiB; its sibling for growth, on "
                             "the same series, is fired",
    "ZooKeeperLimitForecast": "a server tells a time only after ten minutes of steady growth; its sibling LimitNear, on the "
                              "same limits, is fired",
}

_print_mutex = threading.Lock()


def alert_rules():
    """Key -> rule of every alerting rule.  The key is the name; rules that share one add their window or severity."""
    rules = [rule for path in _RULE_FILES for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
             for rule in group["rules"] if "alert" in rule]
    names = [rule["alert"] for rule in rules]
    keyed = {}
    for rule in rules:
        key = rule["alert"]
        if names.count(key) > 1:
            key += " " + rule["labels"].get("long_window", rule["labels"]["severity"])
        if key in keyed:
            raise ValueError(f"two rules are called {key}")
        keyed[key] = rule
    return keyed


class Scene:
    """The processes of one scene, and what it expects of the alerts."""

    def __init__(self, name, factor):
        self.name, self.factor = name, factor
        self.rules = alert_rules()
        self.running = contextlib.ExitStack()
        self.exporter = self.prometheus = self.targets = None
        self.fired = set()

    def tell(self, text):
        with _print_mutex:
            print(f"  {self.name}: {text}", flush=True)

    def ensemble(self, *arguments, **options):
        return self.running.enter_context(apache.ApacheEnsemble(*arguments, **options))

    def server(self, **options):
        """The member of a standalone watchkeeperd that serves; it tells its inside."""
        (member,) = self.running.enter_context(watchkeeperd.WatchkeeperEnsemble(**options)).members
        return member

    def watch(self, *arguments):
        """Starts the exporter with these arguments, and a Prometheus with the scaled rules; waits until both work."""
        (self.exporter,) = self.watch_with(arguments)

    def watch_with(self, *exporters):
        """Starts one exporter per tuple of arguments, and a Prometheus that scrapes them all; waits until all work."""
        started = [self.running.enter_context(stack.Exporter(["--no-family.zk", *arguments])) for arguments in exporters]
        self._scrape(*(exporter.address for exporter in started))
        for exporter in started:
            process.wait_for(lambda exporter=exporter: exporter.get("/readyz").status == 200, 30,
                             "the exporter to know every member", child=exporter.process)
        time.sleep(_SETTLE_S)
        return started

    def watch_server(self, member):
        """Starts a Prometheus with the scaled rules that scrapes a Watchkeeper server itself, without an exporter."""
        self._scrape(f"{member.host}:{member.metrics_port}")
        time.sleep(_SETTLE_S)

    def find(self, *addresses):
        """What service discovery finds from now on.  A target that it does not find has no `up`, which a dead one has."""
        part = self.targets.with_suffix(".part")
        part.write_text(json.dumps([{"targets": list(addresses)}]), "utf-8")
        part.rename(self.targets)

    def _scrape(self, *addresses):
        self.targets = workspace.new_folder(f"targets-{self.name}") / "targets.json"
        self.find(*addresses)
        scaled = workspace.new_folder(f"rules-{self.name}") / "scaled.rules.yml"
        timescale.scale_file(_RULES, scaled, self.factor)
        self.prometheus = self.running.enter_context(stack.Prometheus(
            [{"job_name": "watchkeeper", "file_sd_configs": [{"files": [str(self.targets)], "refresh_interval": "1s"}]}],
            rule_files=[scaled]))
        self.prometheus.wait_for_scrapes()

    def active(self, key, state=None):
        """The alerts of one rule, in any state or in that one."""
        rule = self.rules[key]
        return [alert for alert in self.prometheus.alerts(rule["alert"], state)
                if rule["labels"].items() <= alert["labels"].items()]

    @contextlib.contextmanager
    def fires(self, *keys, deadline_s=_FIRE_S):
        """The alerts are silent before the body, which causes the fault, and fire within the deadline after it.

        Cold processes are slow at first, which is a fault as well; it has to pass before the body runs.
        """
        process.wait_for(lambda: not any(self.active(key) for key in keys), _QUIET_S,
                         f"silence of {', '.join(keys)} before the fault", child=self.prometheus.process)
        begin = time.monotonic()
        yield
        for key in keys:
            left = max(1.0, deadline_s - (time.monotonic() - begin))
            alerts, _ = process.wait_for(lambda key=key: self.active(key, "firing"), left, f"alert {key}",
                                         child=self.prometheus.process)
            self.tell(f"{key} after {time.monotonic() - begin:.1f} s: {alerts[0]['annotations']['summary']}")
            for text in alerts[0]["annotations"].values():
                if re.search(r"<no value>|%!|<error|error (calling|executing|parsing)|\{\{", text):
                    raise AssertionError(f"{key} has a broken annotation: {text}")
            self.fired.add(key)

    def resolves(self, *keys, deadline_s=_FIRE_S):
        """Waits until the alerts are silent again."""
        begin = time.monotonic()
        for key in keys:
            process.wait_for(lambda key=key: not self.active(key), deadline_s, f"{key} to resolve",
                             child=self.prometheus.process)
        self.tell(f"{', '.join(keys)} resolved after {time.monotonic() - begin:.1f} s")

    def status(self):
        return self.exporter.get_json("/api/v1/status")["ensembles"][0]

    def wait_until_margin(self, margin):
        process.wait_for(lambda: self.status()["quorum"]["margin"] == margin, 60, f"a quorum margin of {margin}",
                         child=self.exporter.process)

    def check_rules(self):
        errors = self.prometheus.rule_errors()
        if errors:
            raise AssertionError(f"rules failed to evaluate: {errors}")


@dataclasses.dataclass(frozen=True)
class Declared:
    """A scene as declared: its function, the factor by which its rules are faster, the alerts that it fires."""
    play: object
    factor: float
    alerts: tuple


SCENES = {}


def scene(*alerts, factor=60.0):
    """Declares a scene: the function gets a Scene."""
    def declare(function):
        SCENES[function.__name__] = Declared(function, factor, alerts)
        return function
    return declare


def run(name):
    """Plays one scene from start to end.  Its processes are gone when this returns or raises."""
    declared = SCENES[name]
    now = Scene(name, declared.factor)
    begin = time.monotonic()
    try:
        with now.running:
            try:
                declared.play(now)
                now.check_rules()
            except Exception as error:
                now.tell(f"FAILED: {error}")
                if now.exporter is not None and now.exporter.process.alive:
                    with contextlib.suppress(OSError, ValueError):
                        status = now.status()
                        now.tell(f"status then: {status['verdict']} "
                                 f"{[problem['summary'] for problem in status['problems']]}")
                raise
    finally:
        now.tell(f"took {time.monotonic() - begin:.0f} s")
    return now.fired


# -- Tools for single scenes -----------------------------------------------------------------------------------------

class BulkSession(load.RawSession):
    """A session that makes many nodes, or sets many watches, with one request."""

    _MULTI, _CREATE, _SET_DATA, _ADD_WATCH, _SET_WATCHES, _SET_WATCHES_XID = 14, 1, 5, 106, 101, -8
    _OPEN_ACL = struct.pack(">ii", 1, 31) + struct.pack(">i5si6s", 5, b"world", 6, b"anyone")

    def create(self, paths, *, data=b"", ephemeral=False):
        """Creates all paths in one transaction."""
        tail = struct.pack(">i", len(data)) + data + self._OPEN_ACL + struct.pack(">i", 1 if ephemeral else 0)
        head = struct.pack(">i?i", self._CREATE, False, -1)
        parts = []
        for path in paths:
            encoded = path.encode()
            parts += (head, struct.pack(">i", len(encoded)), encoded, tail)
        self._xid += 1
        self._send(struct.pack(">ii", self._xid, self._MULTI) + b"".join(parts) + struct.pack(">i?i", -1, True, -1))
        self._check(self._receive())

    def watch(self, paths):
        """Sets a watch for the creation of each path."""
        encoded = b"".join(struct.pack(">i", len(path)) + path.encode() for path in paths)
        self._send(struct.pack(">iiqi", self._SET_WATCHES_XID, self._SET_WATCHES, 0, 0)
                   + struct.pack(">i", len(paths)) + encoded + struct.pack(">i", 0))
        self._check(self._receive())

    def watch_always(self, path):
        """Sets a persistent watch."""
        encoded = path.encode()
        self._xid += 1
        self._send(struct.pack(">iii", self._xid, self._ADD_WATCH, len(encoded)) + encoded + struct.pack(">i", 0))
        self._check(self._receive())

    def set_many(self, path, count):
        """Empties one node `count` times, with as many requests under way as the server takes."""
        encoded = path.encode()
        body = struct.pack(">iii", 1, self._SET_DATA, len(encoded)) + encoded + struct.pack(">ii", -1, -1)
        frames = (struct.pack(">i", len(body)) + body) * 100

        def send():
            with contextlib.suppress(OSError):  # The answers tell why.
                for _ in range(count // 100):
                    self._sock.sendall(frames)
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        for _ in range(count // 100 * 100):
            self._check(self._receive())
        sender.join()

    @staticmethod
    def _check(answer):
        error = struct.unpack_from(">iqi", answer)[2]
        if error != 0:
            raise ConnectionError(f"the server answered with the error {error}")


@contextlib.contextmanager
def frozen_thread(pid, tid):
    """Stops one thread of a child while the others run on, as a thread that hangs in the kernel does (ptrace).

    The kernel binds the stop to the calling thread.
    """
    seize, interrupt, detach, any_thread = 0x4206, 0x4207, 17, 0x40000000
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long

    def ask(request):
        if libc.ptrace(request, tid, None, None) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace request {request:#x} on thread {tid} of {pid}")
    ask(seize)
    ask(interrupt)
    os.waitpid(tid, any_thread)
    try:
        yield
    finally:
        ask(detach)


def busiest_thread(pid):
    """The thread that goes to sleep most often, the first thread aside: the one that polls."""
    def switches():
        found = {}
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found[int(task.name)] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)",
                                                      (task / "status").read_text(), re.MULTILINE).group(1))
        return found
    before = switches()
    time.sleep(3.0)
    after = switches()
    return max((tid for tid in after if tid != pid), key=lambda tid: after[tid] - before.get(tid, 0))


# -- Scenes, the longest first ---------------------------------------------------------------------------------------

# Growth rules look at 3 h of history plus 1 h of `for`, and a day ahead: the load has to get to a sixth of each
# threshold.  The faster time is, the steeper the load.
@scene("ZooKeeperZnodeCountGrowth", "ZooKeeperDataSizeGrowth", "ZooKeeperEphemeralsGrowth", "ZooKeeperWatchCountGrowth",
       "ZooKeeperWatchCountHigh", "ZooKeeperZnodeCountHigh", factor=240.0)
def growth(now):
    ensemble = now.ensemble(1, heap_mb=3000, tick_ms=5000, extra_cfg={"maxClientCnxns": 0})
    member = ensemble.members[0]
    day_s = 86400 / now.factor
    session = BulkSession(member.host, member.port, timeout_ms=100000, deadline_s=60.0)
    session.create(["/grow", "/live"])
    now.watch("--zookeeper", member.address, "--timeout=5s")
    session.create(["/more"])

    batch = 400
    value = b"x" * 1200
    nodes_per_s, ephemerals_per_s, watches_per_s = (1.5 * threshold / day_s for threshold in (2e6, 1e5, 5e5))
    made, live, watched = 0, 0, 0
    with now.fires("ZooKeeperZnodeCountGrowth", "ZooKeeperDataSizeGrowth", "ZooKeeperEphemeralsGrowth",
                   "ZooKeeperWatchCountGrowth", deadline_s=150):
        begin = time.monotonic()
        pending = {"ZooKeeperZnodeCountGrowth", "ZooKeeperDataSizeGrowth", "ZooKeeperEphemeralsGrowth",
                   "ZooKeeperWatchCountGrowth"}
        look = begin
        while pending and time.monotonic() - begin < 120:
            gone = time.monotonic() - begin
            if made >= nodes_per_s * gone:
                time.sleep(0.02)
            else:
                session.create([f"/grow/{number:07d}" for number in range(made, made + batch)], data=value)
                made += batch
            if live < ephemerals_per_s * gone:
                session.create([f"/live/{number:07d}" for number in range(live, live + batch)], ephemeral=True)
                live += batch
            if watched < watches_per_s * gone:
                session.watch([f"/wait/{number:07d}" for number in range(watched, watched + 5 * batch)])
                watched += 5 * batch
            if time.monotonic() > look:
                pending -= {key for key in pending if now.active(key, "firing")}
                look = time.monotonic() + 2
    now.tell(f"{made} nodes, {live} ephemerals, {watched} watches made")
    with now.fires("ZooKeeperWatchCountHigh", deadline_s=60):
        while watched < 6e5:
            session.watch([f"/wait/{number:07d}" for number in range(watched, watched + 60000)])
            watched += 60000
    begin = time.monotonic()
    with now.fires("ZooKeeperZnodeCountHigh", deadline_s=300):
        more = 0
        while made + live + more < 2.05e6:
            session.create([f"/more/{number:07d}" for number in range(more, more + 10 * batch)])
            more += 10 * batch
        now.tell(f"2 million nodes after {time.monotonic() - begin:.0f} s more")
    session.vanish()


@scene("ZooKeeperMemberDown", "ZooKeeperQuorumMarginZero", "ZooKeeperTooFewSyncedFollowers",
       "ZooKeeperMemberNotServing", "ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperServiceInterrupted",
       "ZooKeeperErrorBudgetBurn 1h", "ZooKeeperErrorBudgetBurn 6h", "ZooKeeperErrorBudgetBurn 1d",
       "ZooKeeperErrorBudgetBurn 3d")
def quorum(now):
    ensemble = now.ensemble(3, link_proxies=True)
    now.watch("--zookeeper", ensemble.connect_string)
    killed, cut = ensemble.followers()
    with now.fires("ZooKeeperMemberDown", "ZooKeeperQuorumMarginZero", "ZooKeeperTooFewSyncedFollowers"):
        killed.kill()
    killed.start()
    now.wait_until_margin(1)
    now.resolves("ZooKeeperMemberDown", "ZooKeeperQuorumMarginZero", "ZooKeeperTooFewSyncedFollowers")
    with now.fires("ZooKeeperMemberNotServing"):
        ensemble.isolate(cut)
    ensemble.heal()
    now.wait_until_margin(1)
    now.resolves("ZooKeeperMemberNotServing")
    with now.fires("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperServiceInterrupted",
                   "ZooKeeperErrorBudgetBurn 1h", "ZooKeeperErrorBudgetBurn 6h", "ZooKeeperErrorBudgetBurn 1d",
                   "ZooKeeperErrorBudgetBurn 3d", deadline_s=90):
        for member in ensemble.members:
            ensemble.isolate(member)
    ensemble.heal()
    now.wait_until_margin(1)
    now.resolves("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperServiceInterrupted")


@scene("ZooKeeperExporterDown critical", "ZooKeeperExporterBlind", "ZooKeeperExporterStale", "ZooKeeperCanaryStalled",
       "ZooKeeperConfigurationDrift", "ZooKeeperUnlistedMember", "ZooKeeperCanaryFailing")
def exporter_and_configuration(now):
    ensemble = now.ensemble(3, 1)
    now.watch("--zookeeper", ensemble.connect_string, "--detail-interval=1s")
    one, other = ensemble.followers()
    with now.fires("ZooKeeperConfigurationDrift"):
        one.stop()
        one.extra_cfg = {"tickTime": 600}
        one.start()
    # From now on the member withholds its configuration: the one that it had is no longer known, nor a drift.
    one.stop()
    with now.fires("ZooKeeperExporterBlind"):
        one.extra_cfg = {"4lw.commands.whitelist": "srvr"}
        one.start()
    now.resolves("ZooKeeperConfigurationDrift")
    with now.fires("ZooKeeperCanaryFailing"):
        other.stop()
        other.extra_cfg = {"enforce.auth.enabled": "true", "enforce.auth.schemes": "digest"}
        other.start()
    for member in (one, other):
        member.stop()
        member.extra_cfg = {}
        member.start()
        ensemble.wait_until_serving()
    now.wait_until_margin(1)
    now.resolves("ZooKeeperExporterBlind", "ZooKeeperCanaryFailing")

    thread = busiest_thread(now.exporter.process.pid)
    with now.fires("ZooKeeperExporterStale", "ZooKeeperCanaryStalled", deadline_s=90):
        freezing = contextlib.ExitStack()
        freezing.enter_context(frozen_thread(now.exporter.process.pid, thread))
        begin = time.monotonic()
        process.wait_for(lambda: now.exporter.get("/livez").status == 503, 60, "/livez to say that the exporter hangs",
                         child=now.exporter.process)
        now.tell(f"/livez answers 503 after {time.monotonic() - begin:.1f} s")
        now.running.push(freezing)
    if not now.exporter.get_json("/api/v1/status")["snapshot"]["stale"]:
        raise AssertionError("the status of a hanging exporter is not marked as stale")
    freezing.close()
    now.resolves("ZooKeeperExporterStale", "ZooKeeperCanaryStalled")

    with now.fires("ZooKeeperExporterDown critical"):
        now.exporter.stop_process()
    with now.fires("ZooKeeperUnlistedMember"):
        place = now.exporter.arguments.index(ensemble.connect_string)
        now.exporter.arguments[place] = ",".join(member.address for member in ensemble.voters)
        now.exporter.start()
        now.exporter.wait_ready()
    now.resolves("ZooKeeperExporterDown critical")


@scene("ZooKeeperExporterDown warning", "ZooKeeperEnsembleUnwatched")
def one_of_two_exporters(now):
    """Two exporters share the job; what only the dead one watched is nobody's, what both watched is not.

    Then the same for one that service discovery does not find any more, and for both, beside a server that tells of itself.
    """
    server = now.server()
    inside = f"{server.host}:{server.metrics_port}"
    folder = workspace.new_folder("two-exporters")
    both = folder / "both.yml"
    both.write_text("".join(["ensembles:\n"] + [f"  - name: {name}\n    members: [\"{server.address}\"]\n"
                                              for name in ("alone", "shared")]), "utf-8")
    first, second = now.watch_with((f"--config.file={both}",), ("--zookeeper", server.address, "--ensemble=shared"))
    with now.fires("ZooKeeperExporterDown warning", "ZooKeeperEnsembleUnwatched"):
        first.stop_process()
    expect_unwatched(now, "ZooKeeperExporterDown warning")
    first.start()
    now.resolves("ZooKeeperExporterDown warning", "ZooKeeperEnsembleUnwatched")

    now.find(first.address, second.address, inside)
    process.wait_for(lambda: now.prometheus.value('sum(up{job="watchkeeper"})') == 3, 30, "all three targets")
    with now.fires("ZooKeeperEnsembleUnwatched"):
        now.find(second.address, inside)
    expect_unwatched(now)
    now.find(inside)
    process.wait_for(lambda: now.active("ZooKeeperExporterDown critical", "firing"), _FIRE_S, "the page that nobody watches",
                     child=now.prometheus.process)
    now.find(first.address, second.address, inside)
    now.resolves("ZooKeeperExporterDown critical", "ZooKeeperEnsembleUnwatched")


def expect_unwatched(now, *down):
    """Only the ensemble "alone" is told to be unwatched, and of ExporterDown only the rules that are named are active."""
    unwatched = {alert["labels"]["ensemble"] for alert in now.active("ZooKeeperEnsembleUnwatched")}
    found = [key for key in ("ZooKeeperExporterDown warning", "ZooKeeperExporterDown critical") if now.active(key)]
    if unwatched != {"alone"} or found != list(down):
        raise AssertionError(f"unwatched are {unwatched}; down: {now.prometheus.alerts('ZooKeeperExporterDown')}")


@scene("ZooKeeperAverageLatencyHigh", "ZooKeeperRequestLatencyHigh", "ZooKeeperCanaryLatencyHigh", "ZooKeeperFsyncSlow",
       "ZooKeeperOutstandingRequestsHigh")
def slow_disks(now):
    ensemble = now.ensemble(3, slow_disk=True)
    now.watch("--zookeeper", ensemble.connect_string, "--canary=write")
    with faults.LoadGenerator(ensemble.connect_string, rate_per_s=400, mix={"set": 1}):
        time.sleep(_SETTLE_S)
        with now.fires("ZooKeeperFsyncSlow", "ZooKeeperRequestLatencyHigh", "ZooKeeperCanaryLatencyHigh",
                       "ZooKeeperOutstandingRequestsHigh", "ZooKeeperAverageLatencyHigh", deadline_s=120):
            for member in ensemble.members:
                member.disk.set_delay(200)
    ensemble.heal()
    now.resolves("ZooKeeperFsyncSlow", "ZooKeeperRequestLatencyHigh", "ZooKeeperCanaryLatencyHigh",
                 "ZooKeeperOutstandingRequestsHigh")


@scene("ZooKeeperConnectionsNearLimit", "ZooKeeperConnectionsRejected", "ZooKeeperFileDescriptorsNearLimit",
       "ZooKeeperSessionExpiryStorm", "ZooKeeperThrottling")
def limits(now):
    # The sessions that fill the limits send no pings, and have to outlast what is waited for.
    ensemble = now.ensemble(1, slow_disk=True, jvm_flags=["-Dzookeeper.request_throttle_max_requests=20"],
                            extra_cfg={"maxSessionTimeout": 120000})
    member = ensemble.members[0]
    now.watch("--zookeeper", member.address, "--detail-interval=1s")
    with now.fires("ZooKeeperConnectionsNearLimit"):
        filled = faults.fill_connections(member.host, member.port, 55, source="127.0.0.2", timeout_ms=120000)
    with now.fires("ZooKeeperConnectionsRejected"):
        overflow = faults.fill_connections(member.host, member.port, 20, source="127.0.0.2", timeout_ms=120000)
    if overflow.refused != 15:
        raise AssertionError(f"{overflow.refused} of 20 connections were refused; the limit is 60")
    time.sleep(_SETTLE_S)  # The server closes what it refused, one by one.
    with now.fires("ZooKeeperFileDescriptorsNearLimit"):
        before = resource.prlimit(member.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(member.pid, resource.RLIMIT_NOFILE,
                         (int(member.process.open_descriptors() / 0.95), before[1]))
    resource.prlimit(member.pid, resource.RLIMIT_NOFILE, before)
    filled.close()
    overflow.close()
    now.resolves("ZooKeeperConnectionsNearLimit", "ZooKeeperFileDescriptorsNearLimit")
    with now.fires("ZooKeeperSessionExpiryStorm"):
        opened = faults.session_storm(member.host, member.port, 55, source="127.0.0.3")
    if opened != 55:
        raise AssertionError(f"only {opened} of 55 sessions were opened")
    with faults.LoadGenerator(member.address, rate_per_s=400, mix={"set": 1}), now.fires("ZooKeeperThrottling"):
        member.disk.set_delay(200)
    ensemble.heal()
    now.resolves("ZooKeeperConnectionsRejected", "ZooKeeperThrottling", "ZooKeeperSessionExpiryStorm")


@scene("ZooKeeperCertificateExpiring warning", "ZooKeeperCertificateExpiring critical", "ZooKeeperZxidCounterHeadroom")
def certificate_and_zxid(now):
    authority = tls.CertificateAuthority()
    day_s = 86400

    def server_tls(days):
        return tls.ServerTls(authority, authority.issue(f"{days}-days", valid_s=days * day_s), plain_port=False)
    ensemble = now.ensemble(1, tls=server_tls(90))
    member = ensemble.members[0]
    now.watch("--zookeeper", member.address, f"--tls.ca-file={authority.certificate}")

    def renew(days):
        ensemble.tls = server_tls(days)
        member.restart()
        ensemble.wait_until_serving()
    with now.fires("ZooKeeperCertificateExpiring warning"):
        renew(10)
    with now.fires("ZooKeeperCertificateExpiring critical"):
        renew(1)
    now.resolves("ZooKeeperCertificateExpiring warning")
    renew(90)
    now.resolves("ZooKeeperCertificateExpiring critical")

    with now.fires("ZooKeeperZxidCounterHeadroom"):
        # The name of a snapshot tells the zxid up to which it reaches.
        member.stop()
        version_2 = member.data_dir / "version-2"
        newest = max(version_2.glob("snapshot.*"), key=lambda path: int(path.suffix[1:], 16))
        newest.rename(version_2 / "snapshot.f0000000")
        for path in version_2.glob("*.*"):
            if path.name != "snapshot.f0000000":
                path.unlink()
        member.start()
        ensemble.wait_until_serving()


@scene("ZooKeeperFollowerLag")
def lag(now):
    # A link that is slow, not dead: the leader has the patience to keep its follower.
    ensemble = now.ensemble(3, link_proxies=True, sync_limit=200, init_limit=200)
    now.watch("--zookeeper", ensemble.connect_string)
    slow, quick = ensemble.followers()
    with faults.LoadGenerator(quick.address, rate_per_s=300, mix={"set": 1}):
        time.sleep(_SETTLE_S)
        with now.fires("ZooKeeperFollowerLag", deadline_s=90):
            ensemble.delay_link(slow, ensemble.leader(), 20000)
        ensemble.heal()
    now.resolves("ZooKeeperFollowerLag")


@scene("ZooKeeperMemberFlapping", "ZooKeeperLeaderFlapping", factor=30.0)
def flapping(now):
    ensemble = now.ensemble(3)
    now.watch("--zookeeper", ensemble.connect_string, "--interval=200ms")
    with now.fires("ZooKeeperMemberFlapping", "ZooKeeperLeaderFlapping"):
        for _ in range(15):
            leader, _ = ensemble.wait_for_leader()
            leader.kill()
            ensemble.wait_for_leader(other_than=leader)
            leader.start()
            ensemble.wait_until_serving()
            if now.active("ZooKeeperMemberFlapping", "firing") and now.active("ZooKeeperLeaderFlapping", "firing"):
                break
    now.resolves("ZooKeeperMemberFlapping", "ZooKeeperLeaderFlapping", deadline_s=90)


@scene("ZooKeeperSplitBrain")
def split_brain(now):
    # A leader of great patience (a syncLimit of 100 s) goes on leading after it was cut off; its followers do not wait.
    ensemble = now.ensemble(3, link_proxies=True)
    patient = ensemble.member(3)
    patient.stop()
    patient.extra_cfg = {"syncLimit": 200}
    patient.start()
    ensemble.wait_until_serving()
    # Of members that know the same transactions the highest id wins; whoever leads falls until that is the patient one.
    while ensemble.wait_for_leader()[0] is not patient:
        ensemble.leader().restart()
        ensemble.wait_until_serving()
    now.watch("--zookeeper", ensemble.connect_string)
    with now.fires("ZooKeeperSplitBrain"):
        ensemble.isolate(patient)
        successor, _ = ensemble.wait_for_leader(other_than=patient)
        now.tell(f"member {patient.id} answers as {patient.mode()}, member {successor.id} as {successor.mode()}")
    leaders = [member["member"] for member in now.status()["members"] if member["role"] == "leader"]
    if sorted(leaders) != sorted([patient.address, successor.address]):
        raise AssertionError(f"the exporter sees the leaders {leaders}")
    ensemble.heal()
    patient.kill()
    now.resolves("ZooKeeperSplitBrain")


@scene("ZooKeeperDigestMismatch")
def digest(now):
    # A follower that ran alone for a moment has used zxids that the others used for something else.
    ensemble = now.ensemble(3)
    now.watch("--zookeeper", ensemble.connect_string, "--canary=off", "--detail-interval=1s")
    stray = ensemble.followers()[0]
    leader = ensemble.leader()

    def zxid(member):
        return re.search(r"^Zxid: (\S+)", member.ask("srvr"), re.MULTILINE).group(1)

    def write(member, path):
        # A session of its own costs the same three transactions on any server.
        with contextlib.closing(BulkSession(member.host, member.client_port, deadline_s=60.0)) as session:
            session.create([path])
    write(leader, "/common")
    process.wait_for(lambda: zxid(stray) == zxid(leader), 20, "the follower to have everything")
    with now.fires("ZooKeeperDigestMismatch"):
        stray.stop()
        write(leader, "/ours")
        alone = stray.folder / "alone.cfg"
        alone.write_text(f"tickTime=500\ndataDir={stray.data_dir}\nclientPort={stray.client_port}\n"
                         f"clientPortAddress={stray.host}\nadmin.enableServer=false\n4lw.commands.whitelist=*\n",
                         encoding="utf-8")
        server = process.Process("stray", ensemble.command(stray)[:-1] + [alone], cwd=stray.folder)
        try:
            def serves():
                with contextlib.suppress(OSError):
                    return "Mode: standalone" in stray.ask("srvr", 2.0)
                return False
            process.wait_for(serves, 60, "the stray member to serve alone", child=server)
            write(stray, "/mine")
            if zxid(stray) != zxid(leader):
                raise AssertionError(f"zxids differ: {zxid(stray)} alone, {zxid(leader)} together")
        finally:
            server.terminate()
        stray.start()
        ensemble.wait_until_serving()
        for number in range(300):  # One transaction in 128 has its digest shown.
            write(leader, f"/after-{number}")
    mismatching = [member["member"] for member in now.exporter.get_json("/api/v1/members")["members"]
                   if member.get("digest_mismatch")]
    now.tell(f"members that differ: {mismatching}; diverged for real: {stray.address}")
    # The stray member loads a fresh copy, as the runbook says.
    stray.stop()
    shutil.rmtree(stray.data_dir / "version-2")
    stray.start()
    ensemble.wait_until_serving()


# -- Scenes of a Watchkeeper server, scraped itself: what only its inside knows -------------------------------------------

# Six hours of transactions without a snapshot have to pass.
@scene("ZooKeeperSnapshotFailing", "ZooKeeperSnapshotOverdue", "ZooKeeperLogDiskFull", "ZooKeeperPurgeFailing", factor=240.0)
def server_disks(now):
    ensemble = watchkeeperd.WatchkeeperEnsemble(extra_cfg={"snapCount": 20000, "autopurge.purgeInterval": 1})
    (member,) = ensemble.members
    logs = member.folder / "logs"
    logs.mkdir()
    ensemble.extra_cfg["dataLogDir"] = logs
    try:
        snapshot_disk = faults.SmallDisk("tmpfs", member.data_dir)
        now.running.callback(snapshot_disk.unmount)
        log_disk = faults.SmallDisk("tmpfs", logs, size_mb=192)
        now.running.callback(log_disk.unmount)
    finally:
        now.running.enter_context(ensemble)
    now.watch_server(member)
    session = BulkSession(member.host, member.port, timeout_ms=10000, deadline_s=60.0)
    session.create(["/busy"])
    with now.fires("ZooKeeperSnapshotFailing", "ZooKeeperSnapshotOverdue", deadline_s=90):
        snapshot_disk.fill()
        begin = time.monotonic()
        session.set_many("/busy", 310_000)
        now.tell(f"310000 transactions in {time.monotonic() - begin:.1f} s")
    snapshot_disk.free()
    session.set_many("/busy", 80_000)
    now.resolves("ZooKeeperSnapshotOverdue")

    with now.fires("ZooKeeperLogDiskFull"):
        log_disk.fill()
        try:
            session.set_many("/busy", 400_000)
            raise AssertionError("a full disk took 400000 transactions")
        except ConnectionError as error:
            now.tell(f"a write: {error}")
    session.vanish()
    log_disk.free()
    now.resolves("ZooKeeperLogDiskFull")

    # Autopurge runs at the start and finds more than the three snapshots that it keeps.
    with small_disk.irremovable(member.data_dir / "version-2" / "snapshot.0"):
        with now.fires("ZooKeeperPurgeFailing"):
            member.restart()
            ensemble.wait_until_serving()
        member.stop()
    member.start()
    ensemble.wait_until_serving()
    now.resolves("ZooKeeperPurgeFailing")


@scene("ZooKeeperServerStalled", "ZooKeeperSessionsExpiredByServer", "ZooKeeperSessionsNearTimeout", factor=20.0)
def server_sessions(now):
    member = now.server()
    now.watch_server(member)
    sessions = [faults.RawSession(member.host, member.port, timeout_ms=10_000) for _ in range(20)]
    with now.fires("ZooKeeperSessionsNearTimeout"):
        for _ in range(6):
            time.sleep(7.2)  # above two thirds of the timeout
            for session in sessions:
                session.ping()
    # The sessions were heard of just now: only the pause of the server makes them expire.
    with now.fires("ZooKeeperServerStalled", "ZooKeeperSessionsExpiredByServer"):
        for session in sessions:
            session.ping()
        member.pause()
        time.sleep(13.0)
        member.resume()
    now.resolves("ZooKeeperServerStalled", "ZooKeeperSessionsExpiredByServer", "ZooKeeperSessionsNearTimeout")


@scene("ZooKeeperWritesSlow", "ZooKeeperFsyncStalls")
def server_slow_disk(now):
    member = now.server(slow_disk=True)
    now.watch_server(member)
    with faults.LoadGenerator(member.address, rate_per_s=400, mix={"set": 1}):
        time.sleep(_SETTLE_S)
        with now.fires("ZooKeeperWritesSlow", "ZooKeeperFsyncStalls"):
            member.disk.set_delay(300)
        stages = [alert["annotations"]["summary"] for alert in now.active("ZooKeeperWritesSlow")]
        if not stages or "the stage fsync" not in stages[0]:
            raise AssertionError(f"the stage is not named: {stages}")
        member.disk.set_delay(0)
        now.resolves("ZooKeeperWritesSlow", "ZooKeeperFsyncStalls")


@scene("ZooKeeperChildListNearLimit", "ZooKeeperLimitNear", "ZooKeeperWatchHerd", "ZooKeeperLockQueueGrowing",
       "ZooKeeperClientsNotReading")
def server_contents(now):
    member = now.server(extra_cfg={"maxClientCnxns": 0, "maxSessionTimeout": 300000})
    now.watch_server(member)
    session = BulkSession(member.host, member.port, timeout_ms=300000, deadline_s=60.0)
    with now.fires("ZooKeeperLimitNear"):
        session.create(["/large"], data=b"x" * 900_000)
    with now.fires("ZooKeeperChildListNearLimit"):
        session.create(["/wide"])
        name = "n" * 110
        for first in range(0, 8000, 400):
            session.create([f"/wide/{name}{number:010d}" for number in range(first, first + 400)])

    changes = [f"/herd-{number}" for number in range(3)]
    crowd = [BulkSession(member.host, member.port, timeout_ms=300000, deadline_s=60.0) for _ in range(1100)]
    with now.fires("ZooKeeperWatchHerd"):
        for one in crowd:
            one.watch(changes)
        for path in changes:
            session.create([path])
    for one in crowd:
        one.vanish()

    with now.fires("ZooKeeperClientsNotReading"):
        path = "/" + "p" * 1000
        session.create([path])
        deaf = BulkSession(member.host, member.port, timeout_ms=300000, deadline_s=60.0)
        deaf.watch_always(path)
        session.set_many(path, 90_000)
    deaf.vanish()

    session.create(["/lock"])
    with now.fires("ZooKeeperLockQueueGrowing", deadline_s=60):
        made, length = 0, 10.0
        begin = time.monotonic()
        while not now.active("ZooKeeperLockQueueGrowing", "firing") and time.monotonic() - begin < 90:
            session.create([f"/lock/lock-{number:010d}" for number in range(made, int(length))], ephemeral=True)
            made = int(length)
            length *= 1.1
            time.sleep(2.0)
        now.tell(f"{made} contenders after {time.monotonic() - begin:.0f} s")
    session.vanish()


@scene()
def server_in_good_health(now):
    """Load, a restart, a member that is not scraped for a while: nothing is said of its inside."""
    ensemble = watchkeeperd.WatchkeeperEnsemble()
    (member,) = ensemble.members
    try:  # The disk of this machine, to which the other scenes write, is not what is judged.
        disk = faults.SmallDisk("tmpfs", member.data_dir, size_mb=192)
        now.running.callback(disk.unmount)
    finally:
        now.running.enter_context(ensemble)
    now.watch_server(member)
    inside = [rule["alert"] for group in yaml.safe_load(_RULES.read_text("utf-8"))["groups"]
              if group["name"] == "watchkeeper-inside" for rule in group["rules"]]
    seen = set()
    with faults.LoadGenerator(member.address, rate_per_s=200, mix={"set": 2, "get": 2, "create": 1, "watch": 1, "ephemeral": 1}):
        begin = time.monotonic()
        restarted = False
        while time.monotonic() - begin < 30:
            if not restarted and time.monotonic() - begin > 12:
                member.stop()
                time.sleep(3.0)
                member.start()
                restarted = True
            seen |= {alert["labels"]["alertname"] for alert in now.prometheus.alerts()} & set(inside)
            time.sleep(0.5)
    if seen:
        raise AssertionError(f"pending or firing: {sorted(seen)}")


class AlertsByFaultTest(unittest.TestCase):
    """One test for each scene, added below; the scenes themselves run side by side from the beginning."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        chosen = os.environ.get("WK_SCENES")
        cls.chosen = chosen.split(",") if chosen else list(SCENES)
        at_once = int(os.environ.get("WK_SCENES_AT_ONCE", "3"))
        try:
            stack.exporter_binary()
            process.find_program("prometheus", "prometheus")
            apache.class_path()
        except workspace.LabUnavailable as reason:
            raise unittest.SkipTest(str(reason)) from None
        with contextlib.suppress(workspace.LabUnavailable):  # The scene that needs it says so.
            small_disk.own_mounts()
        cls.pool = concurrent.futures.ThreadPoolExecutor(at_once, thread_name_prefix="scene")
        cls.addClassCleanup(cls.pool.shutdown, cancel_futures=True)
        cls.played = {name: cls.pool.submit(run, name) for name in cls.chosen}

    def play(self, name):
        if name not in self.chosen:
            self.skipTest("WK_SCENES does not name it")
        try:
            fired = self.played[name].result()
        except workspace.LabUnavailable as reason:
            self.skipTest(str(reason))
        self.assertEqual(fired, set(SCENES[name].alerts))

    def test_every_alert_has_a_scene_or_a_reason(self):
        declared = [key for declared in SCENES.values() for key in declared.alerts]
        self.assertEqual(sorted(declared + list(_NOT_FIRED)), sorted(alert_rules()))


for _name in SCENES:
    setattr(AlertsByFaultTest, f"test_{_name}", lambda self, name=_name: self.play(name))


if __name__ == "__main__":
    unittest.main()
