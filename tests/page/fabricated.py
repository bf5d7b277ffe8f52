"""An exporter made up for the page: it serves the real program's page, and documents of the real API's form about
ensembles that do not exist, as many and with as long a past as a test asks for.

What is tested with it is the page. That the documents have the form of the real ones is tested, too (form()).
"""

import datetime
import http.server
import itertools
import json
import math
import threading
import time
import urllib.parse

_KEPT_S = {1: 3600, 10: 10_800, 60: 86_400}
_MEMBER_SERIES = {"latency_average_ms": (2, 30), "canary_latency_ms": (4, 12), "requests_per_second": (800, 700),
                  "outstanding_requests": (3, 3), "connections": (120, 20), "sessions": (110, 20), "znodes": (50_000, 800),
                  "watches": (9000, 500), "fsync_ms": (3, 9), "lag_transactions": (4, 4), "data_size_bytes": (8e6, 1e5)}
_ENSEMBLE_SERIES = ("quorum_margin", "serving", "canary_ok_ratio", "writes_per_second")
_STREAM_POLL_S = 0.05
_HISTORY_POINTS_MAX = 250_000


def iso(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def form(document):
    """The form of a document: names and kinds of its values, lists by their first element; null fits everything."""
    if isinstance(document, dict):
        return {key: form(value) for key, value in document.items()}
    if isinstance(document, list):
        return [form(document[0])] if document else []
    return {str: "text", bool: "truth", int: "number", float: "number", type(None): None}[type(document)]


_STAGES = {"prepare": 0.00002, "log_queue": 0.0003, "append": 0.0001, "fsync": 0.0031, "quorum": 0.00005, "apply": 0.00004,
           "reply": 0.00001}
_ROWS = 20
_EXPIRED = 100


def _survey(age):
    return {"age_seconds": age, "took_seconds": 0.25, "longest_slice_seconds": 0.0001}


def _session(number):
    return f"0x1000{number:08x}"


def limits():
    """Every limit there is: one to act on, two to look at, one that does not grow."""
    def limit(word, used, bound, unit="", about=None, left=None):
        return {"limit": word, "used": used, "bound": bound, "unit": unit, "share": used / bound, "about": about,
                "seconds_left": left}
    return [limit("znode_data", 300_000, 1_048_575, "bytes", "/large"),
            limit("child_list_reply", 1_020_000, 1_048_575, "bytes", "/queue", 1500),
            limit("memory", 900e6, 4e9, "bytes", None, 90_000), limit("log_disk", 92e9, 100e9, "bytes", "/var/lib/log"),
            limit("snapshot_disk", 20e9, 100e9, "bytes", "/var/lib/data"), limit("descriptors", 300, 1024),
            limit("connections", 210, 10_000), limit("connections_of_address", 33, 60, "", "10.0.0.7", 7200),
            limit("outstanding_requests", 12, 1000), limit("zxid_counter", 1 << 20, (1 << 32) - 1, "", None, 9e7)]


def inside(age_s, seen):
    """What a server tells of its inside `age_s` after its start, all lists full of what happened until `seen`: 800 writes a
    second, of which most of the time is the sync's."""
    writes = int(800 * age_s)

    def slow(number):
        latency = 2.0 / number
        stages = {word: latency * 0.01 for word in _STAGES} | {"fsync": latency * 0.94} if number % 4 else {}
        return {"operation": "setData" if stages else "getChildren", "path": f"/slow/znode-{number:02}", "session": _session(number),
                "zxid": f"0x{number:x}" if stages else None, "answered": iso(seen - 20 * number), "latency_seconds": latency,
                "stages_seconds": stages, "transactions_before": 3 * number, "during_snapshot": number % 3 == 0,
                "during_purge": number % 5 == 0}

    def hot(kind):
        return [{"path": f"/hot/{kind}-{number:02}", "a_second": 900.5 / number, "share": 0.6 / number}
                for number in range(1, _ROWS + 1)]

    def talker(number):
        return {"address": f"10.0.0.{number}", "port": 40_000 + number, "session": _session(number),
                "requests_a_second": 500.0 / number, "bytes_a_second": 12_345.6 * number}

    def expired(number):
        return {"session": _session(0x800 + number), "address": f"10.0.1.{number}", "expired": iso(seen - 60 * number),
                "timeout_seconds": 30.0, "silence_seconds": 30.5, "longest_gap_before_seconds": 10.1, "last_operation": "PING",
                "ephemerals_removed": number, "without_connection_seconds": 4.5 if number % 2 else None,
                "server_stood_still_seconds": 0.0, "longest_slow_sync_seconds": 0.2,
                "cause": "not_back" if number % 2 else "nothing_heard",
                "conclusion": "client or network: nothing was heard for 30.5 s over a connection that was open"}
    numbers = range(1, _ROWS + 1)
    return {
        "requests": {"writes": writes, "write_seconds": writes * sum(_STAGES.values()),
                     "write_stages_seconds": {word: writes * mean for word, mean in _STAGES.items()},
                     "reads_a_second": 1500.5, "changes_a_second": 800.0, "hottest_reads": hot("read"),
                     "hottest_writes": hot("changed"), "slow_from_seconds": 0.1, "slowest": [slow(number) for number in numbers]},
        "sessions": {"survey": _survey(1.5), "alive": 210, "by_timeout_used": {"one_third": 180, "two_thirds": 9, "whole": 20, "overdue": 1},
                     "near_misses": 31, "expiry_buckets": 12, "expiry_bucket_most": 90,
                     "quiet": [{"session": _session(0x400 + number), "address": f"10.0.2.{number}", "timeout_seconds": 30.0,
                                "silence_seconds": 29.9 - number / 4} for number in numbers],
                     "expiries": {"server_stood_still": 0, "nothing_heard": 50, "not_back": 50, "closed_by_server": 0, "never_seen": 0},
                     "expired": [expired(number) for number in range(1, _EXPIRED + 1)]},
        "clients": {"survey": _survey(4.0), "by_state": {"fresh": 0, "opening": 1, "open": 209, "finishing": 0},
                    "busiest_by_requests": [talker(number) for number in numbers],
                    "busiest_by_bytes": [talker(number) for number in range(30, 30 - _ROWS, -1)]},
        "watches": {"survey": _survey(8.0),
                    "most_watched": [{"path": f"/watched/{number:02}", "kind": "data" if number % 2 else "child", "watchers": 4000 // number}
                                     for number in numbers],
                    "largest_fan_outs": [{"path": f"/herd/{number:02}", "event": "data_changed", "watchers": 3000 // number,
                                          "times": number, "at": iso(seen - 100 * number)} for number in numbers]},
        "znodes": {"survey": _survey(700.0), "packet_max_bytes": 1_048_575,
                   "largest": [{"path": f"/large/{number:02}", "bytes": 900_000 // number} for number in numbers],
                   "largest_child_lists": [{"path": f"/queue/{number:02}", "children": 60_000 // number, "reply_bytes": 1_020_000 // number}
                                           for number in numbers],
                   "largest_subtrees": [{"path": f"/tree/{number:02}", "znodes": 500_000 // number} for number in numbers],
                   "locks": [{"path": f"/locks/{number:02}", "contenders": 50 - number, "holder": _session(number),
                              "held_since": iso(seen - 30 * number)} for number in numbers]},
        "limits": limits(),
        "limits_hit": {"outstanding_requests": 3, "unsent_bytes": 0, "log_space": 0, "namespaces": 0},
        "memory_bytes": {"znode_records": 30_000_000, "znode_index": 9_000_000, "znode_names_and_data": 80_000_000, "watches": 1_000_000,
                         "sessions": 300_000, "transactions_in_flight": 4096, "connections": 900_000},
        "longest_wake_up_seconds": 0.012}


class TooMuch(Exception):
    """More is asked for than one answer may hold."""


class Fleet:
    """Documents about `ensembles` × `members`. One ensemble of ten lacks a member, the others are well. With `inside`, the
    first member of each tells of its inside, all lists of it full."""

    def __init__(self, ensembles=10, members=7, events=800, inside=False):
        self.inside = inside
        self.status_word = "warning"
        self.seen = time.time()
        self.started = self.seen - 86_400
        self.names = [f"ensemble-{number:02}" for number in range(1, ensembles + 1)]
        self.members = {name: [f"zk{number}.{name}.example.org:2181" for number in range(1, members + 1)] for name in self.names}
        self.log = {name: [self._event(name, number, time.time() - 80_000 + number * 80_000 / events)
                           for number in range(1, events + 1)] for name in self.names}

    # What is so.

    def _down(self, ensemble, member):
        return ensemble == self.names[-1] and member == self.members[ensemble][-1]

    def _role(self, ensemble, member):
        return "unknown" if self._down(ensemble, member) else "leader" if member == self.members[ensemble][0] else "follower"

    def value(self, series, ensemble, member, at):
        """A number that looks like one of a busy member: two waves and a pinch of noise, the same at each asking."""
        if self._down(ensemble, member):
            return 5 if series == "state" else None
        if series == "state":
            return 0
        base, swing = _MEMBER_SERIES[series]
        seed = hash((series, ensemble, member)) % 997
        value = base + swing * abs(math.sin(at / 300 + seed) * math.sin(at / 17 + seed) + ((int(at) * 7919 + seed) % 13) / 40)
        return round(value, 3) if series.endswith(("_ms", "_per_second")) else int(value)

    def _event(self, ensemble, number, at):
        kinds = [("member_lost", "warning"), ("member_regained", "info"), ("slow_fsync", "warning"), ("role_changed", "info"),
                 ("leader_elected", "info"), ("source_failed", "info")]
        kind, severity = kinds[number % len(kinds)]
        return {"id": number, "time": iso(at), "type": kind, "severity": severity, "ensemble": ensemble,
                "member": self.members[ensemble][number % len(self.members[ensemble])],
                "text": f"what happened as number {number}, told in a sentence of the usual length", "duration_seconds": None}

    def add_events(self, ensemble, count):
        known = self.log[ensemble]
        for _ in range(count):
            known.append(self._event(ensemble, known[-1]["id"] + 1, time.time()))

    # The documents.

    def status(self):
        now = time.time()
        return {"time": iso(now), "status": self.status_word, "verdict": f"1 of {len(self.names)} ensembles has a problem.",
                "snapshot": {"sequence": int(now), "time": iso(now), "age_seconds": 0.01, "stale": False},
                "exporter": {"version": "0.1.0", "revision": "fabricated", "started": iso(self.started), "events_dropped": 0,
                             "poll_rounds_skipped": 0, "samples_dropped": 0},
                "ensembles": [self._ensemble(name) for name in self.names]}

    def _ensemble(self, name):
        members = self.members[name]
        down = [member for member in members if self._down(name, member)]
        in_sync, majority = len(members) - len(down), len(members) // 2 + 1
        sentence = f"Serving; tolerates {in_sync - majority} more failures ({in_sync} of {len(members)} voters in sync, {majority} needed)."
        return {
            "name": name, "status": "warning" if down else "ok", "verdict": sentence, "serving": True, "standalone": False,
            "quorum": {"voters": len(members), "majority": majority, "in_sync": in_sync, "margin": in_sync - majority},
            "leader": {"member": members[0], "id": "1", "epoch": 7, "inferred": False}, "leaders": 1, "deposed_leaders": 0,
            "split_brain": False, "leader_changes": 3, "elections": 3,
            "unserved": {"since": None, "seconds_running": None, "seconds_total": 1.5},
            "problems": [{"id": "member_unreachable", "severity": "warning", "summary": f"{member} has been unreachable for 9 h",
                          "cause": f"{member} refuses connections on its client port",
                          "remedy": "Start the process; look into its log first.", "runbook": "ZooKeeperMemberUnreachable",
                          "members": [member]} for member in down],
            "limited_by": {"what": "nothing", "reason": "no limit shows in the members' numbers"},
            "canary": {"mode": "read", "rounds_ok": 500_000, "rounds_failed": 12}, "digest_mismatches": 0,
            "configuration_drift": [], "unlisted_members": [], "connection_imbalance": 1.1, "session_imbalance": 1.1,
            "members": [{"member": member, "id": str(number), "state": "unreachable" if member in down else "serving",
                         "state_reason": "refuses connections" if member in down else f"serves as {self._role(name, member)}",
                         "role": self._role(name, member), "voter": True, "in_sync": member not in down,
                         "lag_transactions": self.value("lag_transactions", name, member, time.time()),
                         "safe_to_stop": {"safe": member not in down, "reason": "leaves enough voters in sync"},
                         "inside": self.inside and number == 1}
                        for number, member in enumerate(members, 1)],
            "source_problems": [{"member": member, "source": "mntr", "state": "refused", "detail": "connection refused",
                                 "remedy": "Start the process.", "last_ok": iso(time.time() - 32_400)} for member in down],
            "events": {"exporter_started": 1, "member_lost": 100},
        }

    def members_table(self, name):
        now = time.time()
        known = {member["member"]: member for member in self._ensemble(name)["members"]}

        def compact(member):
            down = self._down(name, member)
            def number(series):
                return self.value(series, name, member, now)
            return {
                **{key: known[member][key] for key in ("member", "id")}, "address": member,
                **{key: known[member][key] for key in ("state", "state_reason")}, "state_since": iso(self.started),
                **{key: known[member][key] for key in ("role", "voter", "in_sync")}, "zxid": None if down else f"0x7{int(now):08x}",
                "epoch": None if down else 7, "lag_transactions": known[member]["lag_transactions"], "implementation": "apache",
                "version": "3.9.5", "safe_to_stop": known[member]["safe_to_stop"], "fresh": not down,
                "last_answer": iso(now - (32_400 if down else 0.4)), "age_seconds": 32_400 if down else 0.4, "severity": None,
                "trouble": None, "remedy": None, "runbook": None, "latency_average_ms": number("latency_average_ms"),
                **{series: number(series) for series in ("requests_per_second", "outstanding_requests", "connections", "sessions",
                                                         "znodes", "watches", "data_size_bytes", "fsync_ms")},
                "packets_received": None if down else int(now), "packets_sent": None if down else int(now), "restarts": 0,
                "canary": {"connected": not down, "last_ok_age_seconds": 0.5, "latency_ms": number("canary_latency_ms"),
                           "last_error": None}}
        return {"ensemble": name, "time": iso(now), "members": [compact(member) for member in self.members[name]]}

    def row(self, name, at):
        return {"ensemble": name, "time": at,
                "members": {member: {series: self.value(series, name, member, at) for series in (*_MEMBER_SERIES, "state")}
                            for member in self.members[name]},
                "series": {series: 1 for series in _ENSEMBLE_SERIES}}

    def events(self, name, after=0, limit=100):
        found = [one for one in self.log[name] if one["id"] > after]
        return {"events": found[-limit:], "last_id": self.log[name][-1]["id"], "skipped": max(0, len(found) - limit),
                "exporter_started": iso(self.started)}

    def history(self, name, step, seconds, wanted, only=None):
        end = int(time.time()) // step * step
        count = min(seconds, _KEPT_S[step]) // step
        first = end - (count - 1) * step
        return {"step": step, "series": [
            {"ensemble": name, "member": member, "series": series, "first": first,
             "points": [self.value(series, name, member, first + i * step) for i in range(count)]}
            for member in self.members[name] if only in (None, member) for series in wanted if series in _MEMBER_SERIES or series == "state"]}

    def connections_table(self, name):
        now = time.time()
        return {"ensemble": name, "time": iso(now),
                "members": [{"member": member, "age_seconds": 2.0, "connections": 120, "with_session": 110}
                            for member in self.members[name]],
                "addresses": [{"member": member, "age_seconds": 2.0, "address": f"10.0.{n}.{m}", "connections": 10 * m}
                              for n, member in enumerate(self.members[name]) for m in range(1, 13)],
                "connections": [{"member": member, "age_seconds": 2.0, "address": f"10.0.{n}.{m}", "port": 40_000 + m,
                                 "session": f"0x{n}00000{m:04x}", "queued": m % 3, "received": int(now) % 10_000 + m, "sent": 90 + m,
                                 "latency_average_ms": 0.5, "latency_maximum_ms": 40, "session_timeout_ms": 30_000,
                                 "last_operation": "PING"}
                                for n, member in enumerate(self.members[name]) for m in range(1, 21)]}

    def configuration_table(self, name):
        members = self.members[name]
        return {"ensemble": name, "time": iso(time.time()), "members": [{"member": one, "age_seconds": 3.0, "fresh": True} for one in members],
                "keys": [{"key": f"key.number.{n:02}", "differs": n % 9 == 0, "drift": n % 9 == 0,
                          "values": {one: str(n + (n % 9 == 0 and one == members[0])) for one in members}} for n in range(60)]}

    def inside_table(self, name):
        now = time.time()
        return {"ensemble": name, "time": iso(now),
                "members": [{"member": self.members[name][0], "age_seconds": 0.4, "inside": inside(now - self.started, self.seen)}]
                if self.inside else []}

    def answer(self, path, query):
        """The document at a path of the API; None for every other path."""
        query = {key: values[-1] for key, values in query.items()}
        parts = [urllib.parse.unquote(part) for part in path.strip("/").split("/")]
        if path == "/api/v1/status":
            return self.status()
        if path == "/api/v1/events":
            return self.events(query["ensemble"], int(query.get("after", 0)), int(query.get("limit", 100)))
        if path == "/api/v1/history":
            name, step, seconds = query["ensemble"], int(query.get("step", 1)), int(query.get("since", "-600s")[1:-1])
            wanted = query.get("series", ",".join((*_MEMBER_SERIES, "state"))).split(",")
            members = 1 if "member" in query else len(self.members[name])
            if min(seconds, _KEPT_S[step]) // step * len(wanted) * members > _HISTORY_POINTS_MAX:
                raise TooMuch
            return self.history(name, step, seconds, wanted, query.get("member"))
        if len(parts) == 3 and parts[0] == "ensemble" and parts[1] in self.names and parts[2].endswith(".json"):
            table = {"members.json": self.members_table, "connections.json": self.connections_table,
                     "configuration.json": self.configuration_table, "events.json": self.events,
                     "inside.json": self.inside_table}.get(parts[2])
            return table(parts[1]) if table else None
        return None


class FabricatedExporter:
    """Serves a fleet; the page and its files come from `real`, a running exporter. A context manager."""

    def __init__(self, fleet, real):
        self.fleet = fleet
        self.down = False       # Nobody answers, and streams end.
        self.instead = {}       # What answers in its place: the beginning of a path → (status, content type)
        self.stream = "told"    # "held": its head alone comes; "mute": not even that; "hangs": a word every ten seconds
        self.answered_instead = []
        self._assets = {}
        self._stopping = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                query = urllib.parse.parse_qs(url.query)
                if outer.down:
                    self.close_connection = True
                    return
                for beginning, (status, kind) in list(outer.instead.items()):
                    if url.path.startswith(beginning):
                        outer.answered_instead.append(self.path)
                        self._send(status, {"content-type": kind}, b"<!doctype html><title>Somebody else</title>")
                        return
                if url.path == "/api/v1/stream":
                    outer._stream(self, query.get("ensemble", [None])[-1])
                    return
                try:
                    document = outer.fleet.answer(url.path, query)
                except TooMuch:
                    self._send(400, {"content-type": "application/json"}, b"{}")
                    return
                if document is not None:
                    self._send(200, {"content-type": "application/json"}, json.dumps(document).encode())
                    return
                view = url.path.startswith(("/ensemble/", "/ensembles"))
                self._send(*outer._asset(real, "/" if view else url.path))

            def _send(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except ConnectionError:
                    pass  # A page that goes elsewhere takes no more of it.

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _asset(self, real, path):
        if path not in self._assets:
            answer = real.get(path)
            kept = ("content-type", "content-security-policy", "x-content-type-options", "cache-control")
            self._assets[path] = (answer.status, {name: answer.headers[name] for name in kept if name in answer.headers}, answer.body)
        return self._assets[path]

    def _stream(self, handler, ensemble):
        """As the real one: everything at once, then each second on the second. It knows no Last-Event-ID, as if the one that
        the page follows were a new one each time."""
        kind = self.stream
        if kind == "mute":
            self._wait_for_end()
            handler.close_connection = True
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Cache-Control", "no-store")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True

        def tell(name, document, identity=None):
            head = f"event: {name}\n" + (f"id: {identity}\n" if identity else "")
            handler.wfile.write(f"{head}data: {json.dumps(document)}\n\n".encode())
        if kind == "held":
            handler.wfile.flush()
            self._wait_for_end()
            return
        told, last = 0, 0
        every = 10 if kind == "hangs" else 1
        try:
            for _ in itertools.count():
                if int(time.time()) >= last + every:
                    last = int(time.time())
                    tell("status", self.fleet.status())
                    if ensemble in self.fleet.names:
                        tell("members", self.fleet.members_table(ensemble))
                        tell("row", self.fleet.row(ensemble, last))
                if ensemble in self.fleet.names and self.fleet.log[ensemble][-1]["id"] > told:
                    events = self.fleet.events(ensemble, told)
                    tell("events", {**events, "ensemble": ensemble, "resumed": told > 0}, events["last_id"])
                    told = events["last_id"]
                if self._stopping.wait(_STREAM_POLL_S) or self.down:
                    return
        except OSError:
            pass

    def _wait_for_end(self):
        while not self.down and not self._stopping.wait(_STREAM_POLL_S):
            pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
