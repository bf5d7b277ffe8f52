#!/usr/bin/env -S PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
"""The same steps, one by one, against two fresh servers; every field of every answer compared.

    tests/interop/differential.py --seed 7 --steps 3000                    Apache 3.9.5 against watchkeeperd
    tests/interop/differential.py --right apache-3.9.5 --seed 7            the suite against itself
    tests/interop/differential.py --replay FILE [--shrink]                 a sequence that failed, and its shortest form

After each step every connected client sends a ping and reads up to its answer, so that what a watch has to say is known
at a definite moment.  Not compared as such are only: times (each must be near now), session ids (each becomes the
number of its session) and passwords (each must be the one that belongs to its id), the order of children, ephemerals
and identities, the order of ids that one `auth` entry of an ACL stands for, and the order of events of a session's end.
Bodies behind an error are ignored, as clients do.

Exit status: 0 equal, 1 different, 2 a server is not to be had.
"""

import argparse
import collections
import contextlib
import json
import pathlib
import re
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parent)]

import beginning  # noqa: E402  The path has to be set first.
import servers    # noqa: E402
import steps      # noqa: E402
import wire       # noqa: E402

from lab import process  # noqa: E402

TICK_MS = 500
_SETTLED_S = 0.45            # three rounds of the reaper and a little
_CHECK_INTERVAL_MS = 100
_PATIENCE_S = 20.0
_CLOCK_SLACK_MS = 5000
_NEVER_CHECK_MS = 3_600_000
_UNIMPLEMENTED = -6
_TIMES = ("ctime", "mtime")
_UNORDERED = ("children", "ephemerals", "identities")
_ENDS = ("close", "expire", "cut", "restart")
_MNTR = ("zk_znode_count", "zk_watch_count", "zk_ephemerals_count", "zk_approximate_data_size", "zk_global_sessions",
         "zk_server_state", "zk_num_alive_connections")


class Difference(Exception):
    """The two servers answered differently; `number` is the step's."""

    def __init__(self, number, step, where, left, right):
        super().__init__(f"step {number} {to_json(step)}\n  at {where}\n  left:  {left!r}\n  right: {right!r}")
        self.number, self.step, self.where, self.left, self.right = number, step, where, left, right


class Side:
    """One server and everything that its clients see."""

    def __init__(self, ensemble):
        self.member = ensemble.members[0]
        self.began_ms = time.time() * 1000
        self.connections = {}                 # client: wire.Connection
        self.sessions = {}                    # client: (session id, password)
        self._names = {0: 0}                  # session id: its number here, as text
        self._seen = collections.Counter()    # client: highest zxid of a reply

    # Steps in two halves, so that both servers work at the same time.

    def begin(self, step):
        name = step["do"]
        connection = self.connections.get(step.get("client"))
        if name == "request":
            connection.send(step["op"], step["fields"])
        elif name == "pipeline":
            for operation, fields in step["requests"]:
                connection.send(operation, fields)
        elif name == "raw":
            connection.send_frame(step["payload"])
        elif name == "close":
            connection.send("close_session", {})

    def finish(self, step):
        return getattr(self, "_do_" + step["do"])(step)

    def _do_request(self, step):
        return self._reply(step["client"], step["op"])

    def _do_pipeline(self, step):
        return [self._reply(step["client"], operation) for operation, _ in step["requests"]]

    def _reply(self, client, operation):
        connection = self.connections[client]
        try:
            reply = connection.read_reply(operation)
        except wire.Closed:
            self._lose(client)
            return "closed"
        self._seen[client] = max(self._seen[client], reply["zxid"])
        if operation == "auth" and reply["error"]:
            reply["then"] = self._closed_after(client)
        return reply

    def _closed_after(self, client):
        try:
            frames = self.connections[client].drain_until_closed()
        except TimeoutError:
            return "stays open"
        self._lose(client)
        return ["closed", [frame.hex() for frame in frames]]

    def _do_raw(self, step):
        """Whatever the bytes are, the server answers once or closes; after some answers it closes, too."""
        client = step["client"]
        code = int.from_bytes(step["payload"][4:8], "big", signed=True)
        reply = self._reply(client, wire.CODES.get(code, ""))
        if reply != "closed" and reply["error"] == _UNIMPLEMENTED:
            reply["then"] = self._closed_after(client)
        return reply

    def _do_connect(self, step):
        return self._shake_hands(step["client"], step, 0, bytes(16), 0)

    def _do_resume(self, step):
        client = step["client"]
        session_id, password = self.sessions[client]
        if step.get("wrong_password"):
            with wire.Connection(self.member.address) as connection:
                answer = connection.handshake(session_id=session_id, password=b"wrong" + bytes(11))
                return [self._hello(answer), [frame.hex() for frame in connection.drain_until_closed()]]
        seen = 0 if step.get("behind") else self._seen[client]
        return self._shake_hands(client, step, session_id, password, seen)

    def _shake_hands(self, client, step, session_id, password, seen):
        connection = wire.Connection(self.member.address)
        try:
            answer = connection.handshake(step["timeout_ms"], session_id, password, seen, step.get("read_only", False))
        except wire.Closed:
            connection.close()
            return "closed"
        if answer["session_id"]:
            self._names.setdefault(answer["session_id"], f"session {len(self._names)}")
            self.connections[client] = connection
            self.sessions[client] = (answer["session_id"], answer["password"])
        else:
            connection.close()
        return self._hello(answer)

    def _hello(self, answer):
        right = wire.session_password(answer["session_id"]) if answer["session_id"] else bytes(16)
        return {**answer, "session_id": self._names.get(answer["session_id"], answer["session_id"]),
                "password": "right" if answer["password"] == right else answer["password"].hex()}

    def _do_close(self, step):
        client = step["client"]
        reply = self._reply(client, "close_session")
        if reply == "closed":
            return reply
        reply["then"] = self._closed_after(client)
        self.sessions.pop(client, None)
        self._seen.pop(client, None)
        return reply

    def _do_cut(self, step):
        self.connections.pop(step["client"]).close()
        return None

    def _do_expire(self, step):
        """The session comes back with the shortest timeout, is left alone, and is gone one transaction later."""
        client = step["client"]
        self.connections.pop(client).close()
        before = self.zxid()  # A session that is resumed writes nothing.
        answer = self._shake_hands(client, {"timeout_ms": 1}, *self.sessions[client], 0)
        self.connections.pop(client).close()

        def expired():
            self.keep_alive()
            return self.zxid() != before
        process.wait_for(expired, _PATIENCE_S, "a session to expire", interval_s=0.1)
        with wire.Connection(self.member.address) as connection:
            late = connection.handshake(30000, *self.sessions[client])
            ending = [frame.hex() for frame in connection.drain_until_closed()]
        self.sessions.pop(client)
        self._seen.pop(client, None)
        return [answer, self._hello(late), ending]

    def _do_restart(self, step):
        for connection in self.connections.values():
            connection.close()
        self.connections = {}
        if step["how"] == "kill":
            self.member.kill()
        else:
            self.member.stop()
        self.member.start()
        self.member.ensemble.wait_until_serving()
        return None

    def _do_probe(self, step):
        kind = step["kind"]
        timeout, session_id, password, seen = 30000, 0, bytes(16), 0
        if kind == "timeout":
            timeout = step["timeout_ms"]
        elif kind == "unknown":
            session_id, password = 0x7abc000000000001, wire.session_password(0x7abc000000000001)
        elif kind == "password":
            password = None
        elif kind == "long password":
            password = bytes(40)
        elif kind == "ahead":
            seen = 2 ** 62
        with wire.Connection(self.member.address) as connection:
            if kind == "garbage":
                connection.send_frame(step["payload"])
            else:
                connection.send_handshake(timeout, session_id, password, seen, step["read_only"])
            try:
                answer = connection.read_handshake()
            except wire.Closed:
                return "closed"
            if answer["session_id"]:
                self._names.setdefault(answer["session_id"], f"session {len(self._names)}")
                ending = [connection.call("close_session"),
                          [frame.hex() for frame in connection.drain_until_closed()]]
            else:
                ending = [frame.hex() for frame in connection.drain_until_closed()]
            return [self._hello(answer), ending]

    def _do_checkpoint(self, _step):
        return {"tree": self.walk(), "words": self._words()}

    # What is seen besides the replies.

    def zxid(self):
        return int(re.search(r"^Zxid: 0x([0-9a-f]+)$", self.member.ask("srvr"), re.M).group(1), 16)

    def barrier(self):
        """Every client's ping and the events before its answer; a connection that the server closed is left out."""
        found = {}
        for client, connection in sorted(self.connections.items()):
            with contextlib.suppress(wire.Closed):
                connection.send("ping", {})
        for client in sorted(self.connections):
            connection = self.connections[client]
            try:
                answer = connection.read_reply("ping")
            except wire.Closed:
                answer = "closed"
            found[client] = {"events": list(connection.events), "ping": answer}
            connection.events.clear()
            if answer == "closed":
                self._lose(client)
        return found

    def _lose(self, client):
        self.connections.pop(client).close()

    def keep_alive(self):
        """One ping of every client, so that a session does not expire while a step waits."""
        for connection in self.connections.values():
            connection.send("ping", {})
        for connection in self.connections.values():
            connection.read_reply("ping")

    def walk(self):
        """Every node with its data, ACL and Stat as the super user sees it; None when no client is connected."""
        client = next(iter(self.connections), None)
        if client is None:
            return None
        tree, waiting = {}, ["/"]
        connection = self.connections[client]
        super_user = connection.call("auth", type=0, scheme="digest", auth=b"super:test")
        if super_user["error"]:
            return super_user
        while waiting:
            path = waiting.pop()
            node = {name: connection.call(name, path=path, watch=False) if name != "get_acl" else
                    connection.call(name, path=path) for name in ("get_data", "get_acl", "get_children2")}
            for reply in node.values():
                del reply["xid"]
            tree[path] = node
            waiting += [f"{path if path != '/' else ''}/{name}" for name in node["get_children2"].get("children", ())]
        return tree

    def _words(self):
        mntr = self.member.mntr()
        srvr = self.member.ask("srvr")
        found = {name: mntr.get(name) for name in _MNTR}
        found["srvr"] = re.findall(r"^(?:Zxid|Mode|Node count): .*$", srvr, re.M)
        found["wchs"] = self.member.ask("wchs")
        found["wchp"] = self._watches_of("wchp")
        ephemerals = self.member.ask("dump").partition("Sessions with Ephemerals ")[2].partition("Connections dump")[0]
        found["ephemerals"] = self._groups(ephemerals)
        found["isro"], found["ruok"] = self.member.ask("isro"), self.member.ask("ruok")
        return found

    def _watches_of(self, word):
        return self._groups(self.member.ask(word))

    def _groups(self, text):
        """A four-letter word's groups of a head line and tab-indented lines, sessions by number, order left out."""
        def named(line):
            return re.sub(r"0x([0-9a-f]+)", lambda match: str(self._names.get(_signed(int(match[1], 16)), match[0])),
                          line.strip())
        groups = []
        for line in text.split("\n"):
            if line.startswith("\t"):
                groups[-1][1].append(named(line))
            else:  # An empty path is a head line, too.
                groups.append((named(line), []))
        return sorted((head, sorted(lines)) for head, lines in groups if head or lines)

    def plain(self, value, key=None):
        """A value as it is compared; see the text at the top."""
        if isinstance(value, dict):
            if value.get("error") and "xid" in value:
                return {name: self.plain(value[name], name) for name in ("xid", "zxid", "error", "then")
                        if name in value}
            return {name: self.plain(part, name) for name, part in value.items()}
        if key in _TIMES:
            return self._plain_time(value)
        if key == "ephemeral_owner":
            return self._names.get(value, value)
        if key == "acl" and value is not None:
            return _plain_acl(value)
        if key in _UNORDERED and value is not None:
            return sorted(value)
        if isinstance(value, (list, tuple)):
            return [self.plain(part) for part in value]
        return value

    def _plain_time(self, value):
        now = time.time() * 1000
        return ("now" if self.began_ms - _CLOCK_SLACK_MS <= value <= now + _CLOCK_SLACK_MS else value)

    def close(self):
        for connection in self.connections.values():
            connection.close()


def _signed(number):
    return number - (1 << 64) if number >> 63 else number


def _plain_acl(acl):
    """Neighbours of one scheme and one set of permissions by id: what `auth` stands for has no order."""
    found = []
    for entry in map(tuple, acl):
        start = len(found)
        while start and found[start - 1][:2] == entry[:2]:
            start -= 1
        found[start:] = sorted(found[start:] + [entry])
    return found


def first_difference(left, right, where="answer"):
    """(where, left, right) of the first place at which two plain values differ, or None."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in [*left, *(key for key in right if key not in left)]:
            if key not in left or key not in right:
                return f"{where}.{key}", left.get(key, "absent"), right.get(key, "absent")
            found = first_difference(left[key], right[key], f"{where}.{key}")
            if found:
                return found
        return None
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        for index, (one, other) in enumerate(zip(left, right)):
            found = first_difference(one, other, f"{where}[{index}]")
            if found:
                return found
        return None if len(left) == len(right) else (f"{where}, number of elements", left, right)
    return None if left == right and type(left) is type(right) else (where, left, right)


def sorted_lists(value, key=None):
    """A value in which every list without order is sorted, and all else is as it was."""
    if isinstance(value, dict):
        return {name: sorted_lists(part, name) for name, part in value.items()}
    return sorted(value) if key in _UNORDERED and value is not None else value


class Run:
    """Sides (two, or one that is only driven) and the feedback that they agree about."""

    def __init__(self, ensembles, feedback, reaping=False):
        self.sides = tuple(map(Side, ensembles))
        self.feedback = feedback
        self.reaping = reaping
        self.number = 0
        self.counts = collections.Counter()

    def take(self, step):
        """One step on each side; Difference when they do not agree."""
        self.number += 1
        self.counts[step["op"] if step["do"] == "request" else step["do"]] += 1
        for side in self.sides:
            with contextlib.suppress(wire.Closed):  # Seen again, and told, when the answer is read.
                side.begin(step)
        answers = [side.finish(step) for side in self.sides]
        plain = [side.plain(answer) for side, answer in zip(self.sides, answers)]
        if step["do"] == "checkpoint":
            plain = self._patient(plain)
        self._compare(step, plain, "answer")
        if self.reaping:
            self._settle(step)
        barriers = [side.plain(side.barrier()) for side in self.sides]
        if step["do"] in _ENDS or self.reaping:
            for barrier in barriers:
                for seen in barrier.values():
                    seen["events"].sort(key=lambda event: (event["zxid"], event["path"], event["type"]))
        self._compare(step, barriers, "clients")
        self._learn(step, plain[0], barriers[0])

    def _settle(self, step):
        """Waits until the reapers find nothing more; both have then made the same number of transactions."""
        last, since, looks = None, 0.0, 0

        def still():
            nonlocal last, since, looks
            now, zxids = time.monotonic(), [side.zxid() for side in self.sides]
            if zxids != last:
                last, since, looks = zxids, now, 0
            looks += 1
            for side in self.sides:
                side.keep_alive()
            return len(set(zxids)) == 1 and now - since >= _SETTLED_S and looks >= 8
        with contextlib.suppress(TimeoutError):  # They never agree: told below.
            process.wait_for(still, _PATIENCE_S, "the reapers to end", interval_s=0.05)
        self._compare(step, last, "zxid after the reaper")

    def _patient(self, plain):
        """A server learns of a cut connection a little later; its counts may be asked for again."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and any(one["words"] != plain[0]["words"] for one in plain):
            time.sleep(0.05)
            for one, side in zip(plain, self.sides):
                one["words"] = side.plain(side._words())
        return plain

    def _compare(self, step, values, where):
        for other in values[1:]:
            found = first_difference(values[0], other, where)
            if found:
                raise Difference(self.number, step, *found)

    def refresh(self):
        """Tells the generator which clients are connected now."""
        states, side = self.feedback.states, self.sides[0]
        for client in set(side.sessions) | set(states):
            if client in side.connections:
                states[client] = "live"
            elif client in side.sessions:
                states[client] = "cut"
            else:
                states.pop(client, None)

    def _learn(self, step, answer, barrier):
        feedback = self.feedback
        self.refresh()
        for seen in barrier.values():
            if seen["ping"] != "closed":
                feedback.zxid = max(feedback.zxid, seen["ping"]["zxid"])
        requests = [(step.get("op"), step.get("fields"), answer)] if step["do"] == "request" else \
            [(name, fields, one) for (name, fields), one in zip(step["requests"], answer)] \
            if step["do"] == "pipeline" else []
        for name, fields, reply in requests:
            self._learn_reply(name, fields, reply)

    def _learn_reply(self, name, fields, reply):
        if not isinstance(reply, dict) or reply["error"]:
            return
        for part in reply.get("results", [reply]):
            if name.startswith(("create", "multi")) and part.get("path"):
                self.feedback.paths.append(part["path"])
        if "stat" in reply and isinstance(fields.get("path"), str):
            self.feedback.versions[fields["path"]] = reply["stat"]["version"]

    def close(self):
        for side in self.sides:
            side.close()


def to_json(step):
    return json.dumps(step, default=lambda value: {"hex": value.hex()}, ensure_ascii=True)


def from_json(text):
    return json.loads(text, object_hook=lambda value: bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value)


@contextlib.contextmanager
def pair(left, right, reaping=False):
    """Two fresh servers of these kinds, with the same tree to begin with."""
    interval = _CHECK_INTERVAL_MS if reaping else _NEVER_CHECK_MS
    options = {"tick_ms": TICK_MS, "extra_cfg": {"maxSessionTimeout": 60000},
               "jvm_flags": [*servers.FLAGS, f"-Dznode.container.checkIntervalMs={interval}"]}
    ensembles = servers.make(left, **options), servers.make(right, **options)
    for ensemble in ensembles:
        beginning.lay_down(ensemble)
    with ensembles[0] as one, ensembles[1] as other:
        yield one, other


def play(left, right, source, feedback, reaping=False, recorded=None):
    """Takes each step of `source`; returns the Run.  Steps are appended to `recorded` before they are taken."""
    with pair(left, right, reaping) as ensembles:
        run = Run(ensembles, feedback, reaping)
        try:
            for step in source:
                if recorded is not None:
                    recorded.append(step)
                run.take(step)
        finally:
            run.close()
        return run


def play_random(left, right, seed, count, *, clients=4, reaping=False, restarts=False, recorded=None):
    """`count` steps of a seed, then a checkpoint."""
    generator = steps.Generator(seed, clients, reaping, restarts)

    def source():
        for _ in range(count):
            yield generator.next_step()
        yield {"do": "checkpoint"}
    return play(left, right, source(), generator.feedback, reaping, recorded)


def fitting(sequence):
    """The steps that still make sense when others have been left out."""
    states, kept = {}, []
    for step in sequence:
        client, name = step.get("client"), step["do"]
        state = states.get(client)
        wanted = {"connect": (None,), "resume": ("cut",), "probe": (None, "live", "cut")}.get(name, ("live",))
        if client is not None and state not in wanted:
            continue
        kept.append(step)
        if name in ("connect", "resume") and not step.get("wrong_password"):
            states[client] = "live"
        elif name == "cut":
            states[client] = "cut"
        elif name in ("close", "expire"):
            states.pop(client)
        elif name == "restart":
            states.update(dict.fromkeys(states, "cut"))
    return kept


def fails(left, right, sequence, reaping):
    """The Difference of a recorded sequence, or None."""
    try:
        play(left, right, sequence, steps.Feedback(), reaping)
    except Difference as difference:
        return difference
    except (KeyError, AttributeError):  # A step without the connection that it is about: not the failure looked for.
        return None
    return None


def shrink(left, right, sequence, reaping, report=print):
    """A shorter sequence that still fails in the same place of an answer, by leaving out ever smaller parts."""
    wanted = fails(left, right, sequence, reaping)
    if wanted is None:
        return None
    sequence = sequence[:wanted.number]
    size = len(sequence) // 2
    while size >= 1:
        start = 0
        while start < len(sequence):
            shorter = fitting(sequence[:start] + sequence[start + size:])
            found = fails(left, right, shorter, reaping) if shorter else None
            if found and found.where == wanted.where:
                sequence = shorter[:found.number]
                report(f"  {len(sequence)} steps")
            else:
                start += size
        size //= 2
    return sequence


def save(sequence, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(to_json(step) + "\n" for step in sequence), encoding="ascii")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--left", default="apache-3.9.5", help=f"one of {', '.join(servers.KINDS)}")
    parser.add_argument("--right", default="watchkeeperd", help="the same; watchkeeperd=FILE names a program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many seeds, one after the other")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--reaping", action="store_true", help="containers and TTL nodes that go away, waited for")
    parser.add_argument("--restarts", action="store_true", help="both servers are stopped or killed now and then")
    parser.add_argument("--replay", type=pathlib.Path, help="steps from this file instead of a seed")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter sequence when the servers differ")
    parser.add_argument("--save", type=pathlib.Path, help="write the steps of a difference to this file")
    arguments = parser.parse_args()
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        recorded = []
        begin = time.monotonic()
        try:
            if arguments.replay:
                recorded = [from_json(line) for line in arguments.replay.read_text(encoding="ascii").splitlines()]
                run = play(arguments.left, arguments.right, recorded, steps.Feedback(), arguments.reaping)
            else:
                run = play_random(arguments.left, arguments.right, seed, arguments.steps, clients=arguments.clients,
                                  reaping=arguments.reaping, restarts=arguments.restarts, recorded=recorded)
        except (servers.Unavailable, FileNotFoundError) as missing:
            print(f"differential: {missing}", file=sys.stderr)
            return 2
        except Difference as difference:
            print(f"seed {seed}: {difference}")
            if arguments.shrink:
                shorter = shrink(arguments.left, arguments.right, recorded, arguments.reaping)
                if shorter:
                    recorded = shorter
                    print("the shortest sequence found:\n" + "\n".join(map(to_json, shorter)))
            if arguments.save:
                save(recorded, arguments.save)
            return 1
        print(f"seed {seed}: {run.number} steps equal in {time.monotonic() - begin:.1f} s; "
              f"{', '.join(f'{name} {count}' for name, count in sorted(run.counts.items()))}")
        if arguments.replay:
            break
    return 0


if __name__ == "__main__":
    sys.exit(main())
