"""The incidents: how each is done to an ensemble of three voters, for how long it is watched, and what is true of it.

`inject` receives several ensembles, does the same to each, and returns the function that repairs them.  Times are
seconds.  `tells` names the alerts that state this fault, of whichever rule set; `wrong` those that would state something
untrue while it lasts.  An alert in neither is shown without a mark: true, but about a consequence or about something else.
"""

import dataclasses
import time
import typing

from lab import load

_QUOTED_NODE = '/a"b'
_FSYNC_DELAY_MS = 300
_MAX_CLIENT_CONNECTIONS = 60  # What the lab writes into zoo.cfg, and ZooKeeper's default.
_REFUSED_CONNECTIONS = 10
_LEAK_SOURCE = "127.0.0.2"
_STORM_SESSIONS = 150
_STORM_SOURCES = ("127.0.0.3", "127.0.0.4", "127.0.0.5")
_RESTART_PAUSE_S = 20.0

# Series that the alerts about service and members read.  Sources and states that are 0 all the time would be most of the
# bytes, and `x == 1` leaves out exactly what the rules leave out.
_SERVICE = ('{__name__=~"watchkeeper_ensemble_(voters|majority|voters_in_sync|has_leader|serving|quorum_margin|split_brain|'
            'unserved_seconds_total|elections_total|leaders|deposed_leaders)"}',)
_MEMBERS = ("watchkeeper_member_serving_state == 1", "watchkeeper_member_source_state == 1",
            "watchkeeper_member_state_changes_total", "watchkeeper_member_synced_followers")
_BUDGET = ("watchkeeper_canary_rounds_total",)
_EXPORTER = ('up{job="watchkeeper"}', "watchkeeper_exporter_snapshot_age_seconds")


@dataclasses.dataclass(frozen=True)
class Incident:
    """One fault and what to look at.  `expected` are alerts of ours without which the run has failed."""
    key: str
    title: str
    meaning: str
    inject: typing.Callable
    observe_s: float
    healed_s: float
    expected: tuple = ()
    tells: tuple = ()
    wrong: tuple = ()
    silent: tuple = ()  # alerts of ours that the recorded test asserts to stay silent all the time
    ensemble_options: dict = dataclasses.field(default_factory=dict)
    load_mix: dict = None
    planned: bool = False
    incumbent_beside_provider: bool = False
    recorded: tuple = ()


def _leaders(ensembles):
    return [ensemble.wait_for_leader()[0] for ensemble in ensembles]


def _start_all(ensembles):
    for ensemble in ensembles:
        ensemble.start()


def _heal_all(ensembles):
    for ensemble in ensembles:
        ensemble.heal()


def kill_leader(ensembles):
    for leader in _leaders(ensembles):
        leader.kill()
    return lambda: _start_all(ensembles)


def kill_two(ensembles):
    victims = [[leader, leader.ensemble.followers()[0]] for leader in _leaders(ensembles)]
    for pair in victims:
        for member in pair:
            member.kill()
    return lambda: _start_all(ensembles)


def cut_quorum_ports(ensembles):
    for ensemble in ensembles:
        for member in ensemble.members:
            ensemble.isolate(member)
    return lambda: _heal_all(ensembles)


def stop_leader(ensembles):
    for leader in _leaders(ensembles):
        leader.pause()
    return lambda: _heal_all(ensembles)


def isolate_follower(ensembles):
    followers = [ensemble.followers()[0] for ensemble in ensembles]
    for follower in followers:
        follower.ensemble.isolate(follower)
    return lambda: _heal_all(ensembles)


def slow_disks(ensembles):
    for ensemble in ensembles:
        for member in ensemble.members:
            member.disk.set_delay(_FSYNC_DELAY_MS)
    return lambda: _heal_all(ensembles)


def quoted_znode_then_kill_leader(ensembles):
    from kazoo.client import KazooClient  # Only this incident needs the package by itself.
    for ensemble in ensembles:
        client = KazooClient(hosts=ensemble.connect_string)
        client.start(timeout=30)
        client.create(_QUOTED_NODE, b"x")
        client.stop()
        client.close()
    return kill_leader(ensembles)


def fill_connection_limit(ensembles):
    held = []
    for ensemble in ensembles:
        follower = ensemble.followers()[0]
        held.append(load.fill_connections(follower.host, follower.port, _MAX_CLIENT_CONNECTIONS + _REFUSED_CONNECTIONS,
                                          source=_LEAK_SOURCE, timeout_ms=900_000))

    def release():
        for one in held:
            one.close()
    return release


def expire_sessions(ensembles):
    for ensemble in ensembles:
        for member, source in zip(ensemble.members, _STORM_SOURCES):
            load.session_storm(member.host, member.port, _STORM_SESSIONS // len(_STORM_SOURCES), source=source)
    return lambda: None


def rolling_restart(ensembles):
    """Followers first, the leader last, each back and serving for a while before the next: as a careful operator does."""
    order = [[*leader.ensemble.followers(), leader] for leader in _leaders(ensembles)]
    for members in zip(*order):
        for member in members:
            member.restart()
        for member in members:
            member.ensemble.wait_until_serving()
        time.sleep(_RESTART_PAUSE_S)
    return lambda: None


_LEADER_GONE = ("ZooKeeperMemberDown", "ZooKeeperQuorumMarginZero", "ZooKeeperServiceInterrupted", "GuideServerDown",
                "GuideElectionInProgress", "AwesomeDown")
_NO_QUORUM = ("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "AwesomeMissingLeader")
_TWO_LEADERS = ("ZooKeeperSplitBrain", "AwesomeTooManyLeaders")

INCIDENTS = (
    Incident(
        "leader-killed", "Leader killed (SIGKILL)",
        "One of three processes is gone; the others elect a leader within a second or two and serve on.\n"
        "What matters for the next hours: one more failure stops service.",
        kill_leader, 345, 100, expected=("ZooKeeperMemberDown", "ZooKeeperQuorumMarginZero", "ZooKeeperServiceInterrupted"),
        tells=_LEADER_GONE, wrong=_TWO_LEADERS,
        silent=("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperSplitBrain"), recorded=_SERVICE + _MEMBERS),
    Incident(
        "two-killed", "Two of three killed (leader and a follower)",
        "No majority: nobody can read consistently, write or open a session. The third process runs and says `imok`.\n"
        "An alert that also comes with one killed process does not tell this apart from a harmless restart.",
        kill_two, 250, 330, expected=("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperMemberDown"),
        tells=_NO_QUORUM + ("ZooKeeperServiceInterrupted",), wrong=_TWO_LEADERS, silent=("ZooKeeperSplitBrain",), recorded=_SERVICE + _MEMBERS + _BUDGET),
    Incident(
        "quorum-ports-cut", "Quorum ports cut between all members, all processes up",
        "A firewall or network policy drops the traffic of the quorum and election ports; client ports and processes look\n"
        "well. Nobody is served for as long as it lasts.",
        cut_quorum_ports, 390, 120, expected=("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperMemberNotServing"),
        tells=_NO_QUORUM + ("ZooKeeperServiceInterrupted",), wrong=_TWO_LEADERS, silent=("ZooKeeperSplitBrain", "ZooKeeperMemberDown"),
        ensemble_options={"link_proxies": True}, recorded=_SERVICE + _MEMBERS + _BUDGET),
    Incident(
        "leader-stopped", "Leader stopped (SIGSTOP)",
        "The process keeps its sockets and answers nothing, as with a frozen virtual machine or a hung disk. The others need\n"
        "syncLimit (here 10 s) to give it up; after that one of three is missing.",
        stop_leader, 345, 60, expected=("ZooKeeperMemberDown", "ZooKeeperQuorumMarginZero", "ZooKeeperServiceInterrupted"),
        tells=_LEADER_GONE, wrong=_TWO_LEADERS, silent=("ZooKeeperSplitBrain",),
        recorded=_SERVICE + _MEMBERS),
    Incident(
        "follower-isolated", "One member cut off from the quorum, its process up",
        "Its clients are refused, its port and `ruok` are well; the other two serve. One more failure stops service.\n"
        "A rule that looks at processes cannot see it.",
        isolate_follower, 390, 60, expected=("ZooKeeperMemberNotServing", "ZooKeeperQuorumMarginZero"),
        tells=("ZooKeeperMemberNotServing", "ZooKeeperQuorumMarginZero", "ZooKeeperTooFewSyncedFollowers"),
        wrong=_TWO_LEADERS + ("AwesomeMissingLeader",), silent=("ZooKeeperQuorumLost", "ZooKeeperSplitBrain"),
        ensemble_options={"link_proxies": True}, recorded=_SERVICE + _MEMBERS),
    Incident(
        "slow-disks", f"Slow disks (each fsync {_FSYNC_DELAY_MS} ms longer) under load",
        "Every write waits for the disks of a majority. Nothing is down; clients see a third of a second and more per\n"
        "write. The ensembles get a steady load of 50 operations a second, half of them writes.",
        slow_disks, 270, 45, expected=("ZooKeeperFsyncSlow",),
        tells=("ZooKeeperFsyncSlow", "ZooKeeperRequestLatencyHigh", "ZooKeeperCanaryLatencyHigh", "GuideFsyncTooLong",
               "GuideAverageLatency", "ZooKeeperAverageLatencyHigh"),
        wrong=_TWO_LEADERS + _NO_QUORUM + ("ZooKeeperServiceInterrupted",), ensemble_options={"slow_disk": True}, load_mix={"get": 1, "set": 1},
        recorded=('{__name__=~"watchkeeper_member_fsync_duration_seconds_(sum|count)"}',
                  '{__name__=~"watchkeeper_member_update_latency_seconds_(sum|count)"}',
                  '{__name__=~"watchkeeper_member_(latency_average_seconds|outstanding_requests)"}')),
    Incident(
        "quoted-znode", "A client creates the node `/a\"b`, then the leader is killed",
        "ZooKeeper counts bytes by top-level node, so the name reaches `mntr`. An exporter that copies it without escaping\n"
        "makes its whole page unreadable for Prometheus, and every rule on it silent: the killed leader included.",
        quoted_znode_then_kill_leader, 225, 60, expected=("ZooKeeperMemberDown",), tells=_LEADER_GONE, wrong=_TWO_LEADERS,
        silent=("ZooKeeperExporterDown",), recorded=_SERVICE + _MEMBERS + _EXPORTER),
    Incident(
        "provider-on", "The servers' own Prometheus provider is on (as the guide asks for), then the leader is killed",
        "The only row in which the incumbent watches the servers that the guide's rules need. It rewrites their `mntr` labels\n"
        "wrongly (`key=\"1\"_quantile=…`): promtool rejects the page, Prometheus 2.42 reads it with damaged label names.",
        kill_leader, 225, 60, expected=("ZooKeeperMemberDown",), tells=_LEADER_GONE, wrong=_TWO_LEADERS,
        incumbent_beside_provider=True),
    Incident(
        "connection-limit", "One client host fills maxClientCnxns (60) on one member and is refused",
        "A client that leaks sessions: its further connections are closed without an answer, all others work.\n"
        "The guide's rule looks at a fixed 50 connections in all, whatever the limit is.",
        fill_connection_limit, 180, 330, expected=("ZooKeeperConnectionsNearLimit", "ZooKeeperConnectionsRejected"),
        tells=("ZooKeeperConnectionsNearLimit", "ZooKeeperConnectionsRejected", "GuideTooManyConnections"),
        wrong=_TWO_LEADERS + _NO_QUORUM, ensemble_options={"extra_cfg": {"maxSessionTimeout": 1_000_000}},
        recorded=('{__name__=~"watchkeeper_member_(connections_from_busiest_address|max_client_connections|'
                  'connections_rejected_total)"}',)),
    Incident(
        "session-storm", f"Session expiry storm ({_STORM_SESSIONS} sessions vanish at once)",
        "Clients lost their network for longer than their session timeout: locks are released, services deregistered.\n"
        "The ensemble itself is well.",
        expire_sessions, 390, 0, expected=("ZooKeeperSessionExpiryStorm",), tells=("ZooKeeperSessionExpiryStorm",),
        wrong=_TWO_LEADERS + _NO_QUORUM,
        recorded=('{__name__=~"watchkeeper_member_(sessions_expired_total|global_sessions)"}',)),
    Incident(
        "rolling-restart", "Rolling restart by a careful operator (planned; nothing critical should fire)",
        "Followers first, the leader last, each serving again 20 s before the next: two to four minutes of ordinary work.\n"
        "Every critical alert here is a false alarm that wakes somebody.",
        rolling_restart, 390, 0, tells=("ZooKeeperServiceInterrupted", "GuideElectionInProgress"), wrong=_TWO_LEADERS,
        planned=True, silent=("ZooKeeperQuorumLost", "ZooKeeperNoLeader", "ZooKeeperQuorumMarginZero", "ZooKeeperMemberDown",
                              "ZooKeeperSplitBrain", "ZooKeeperLeaderFlapping", "ZooKeeperErrorBudgetBurn"),
        recorded=_SERVICE + _MEMBERS + _BUDGET),
)
