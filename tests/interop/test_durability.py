"""kill -9 at random moments under load, again and again on the same data: what was acknowledged is there, what is there
was asked for, in order and nothing half done; sessions and their ephemerals survive.

WK_DURABILITY_ROUNDS=N and WK_DURABILITY_SEED=N by hand; a failure names seed and round.
"""

import os
import random
import select
import struct
import time
import unittest

import differential
import servers
import wire
from server_case import ServerCase

_ROUNDS = int(os.environ.get("WK_DURABILITY_ROUNDS", "12"))
_SEED = int(os.environ.get("WK_DURABILITY_SEED", "1"))
_WRITERS = 6
_UNDER_WAY = 16
_SYNC_DELAY_MS = 150


class Writer:
    """One session that does the operations 0, 1, 2 … in order, many under way, in a folder of its own.

    Operation 4n creates n-<4n>; 4n+1 puts its number into `counter`; 4n+2 creates a- and b-<4n+2> together; 4n+3 deletes
    what 4n created.  So the folder tells how many operations were done, and each number stands for one exact state.
    """

    def __init__(self, number, address):
        self.folder = f"/durable/w{number}"
        self.address = address
        self.asked = 0         # operations sent
        self.acknowledged = 0  # of these, answered without an error
        self.session = None
        self.connection = None

    def connect(self):
        """A session, resumed when there is one; the ConnectResponse."""
        self.connection = wire.Connection(self.address)
        known = self.session or {"session_id": 0, "password": bytes(16)}
        answer = self.connection.handshake(30000, known["session_id"], known["password"])
        fresh = self.session is None
        self.session = answer
        if fresh:
            self.connection.call("create", **wire.create_fields("/durable"))
            for path, flags in ((self.folder, wire.PERSISTENT), (f"{self.folder}/counter", wire.PERSISTENT),
                                (f"{self.folder}/alive", wire.EPHEMERAL)):
                reply = self.connection.call("create", **wire.create_fields(path, flags=flags))
                assert reply["error"] == 0, reply
        return answer

    def operation(self, number):
        kind = number % 4
        if kind == 0:
            return "create", wire.create_fields(f"{self.folder}/n-{number}", b"%d" % number)
        if kind == 1:
            return "set_data", {"path": f"{self.folder}/counter", "data": b"%d" % number, "version": -1}
        if kind == 2:
            return "multi", {"parts": [("create", wire.create_fields(f"{self.folder}/{half}-{number}"))
                                       for half in "ab"]}
        return "delete", {"path": f"{self.folder}/n-{number - 3}", "version": 0}

    def pump(self):
        """Sends as many as may be under way."""
        while self.asked - self.acknowledged < _UNDER_WAY:
            self.connection.send(*self.operation(self.asked))
            self.asked += 1

    def take(self):
        """Reads one answer; an error in it is a failure, since nothing here may fail."""
        name, _ = self.operation(self.acknowledged)
        reply = self.connection.read_reply(name)
        assert reply["error"] == 0 and all(part["error"] == 0 for part in reply.get("results", ())), (self.folder, reply)
        self.acknowledged += 1

    def state_after(self, count):
        """(children, data of counter, its version) when so many operations are done."""
        children = {"counter", "alive"}
        for number in range(count):
            if number % 4 == 0:
                children.add(f"n-{number}")
            elif number % 4 == 2:
                children |= {f"a-{number}", f"b-{number}"}
            elif number % 4 == 3:
                children.discard(f"n-{number - 3}")
        sets = [number for number in range(count) if number % 4 == 1]
        return children, b"%d" % sets[-1] if sets else b"", len(sets)

    def verify(self):
        """None, or what is wrong with the folder.  The operations that are done become the acknowledged ones."""
        listed = self.connection.call("get_children", path=self.folder, watch=False)
        counter = self.connection.call("get_data", path=f"{self.folder}/counter", watch=False)
        if listed["error"] or counter["error"]:
            return f"{self.folder}: codes {listed['error']} and {counter['error']}"
        found = (set(listed["children"]), counter["data"], counter["stat"]["version"])
        for count in range(self.acknowledged, self.asked + 1):
            if found == self.state_after(count):
                self.asked = self.acknowledged = count
                alive = self.connection.call("exists", path=f"{self.folder}/alive", watch=False)
                if alive["error"] or alive["stat"]["ephemeral_owner"] != self.session["session_id"]:
                    return f"{self.folder}/alive: {alive}"
                return None
        return (f"{self.folder}: {self.acknowledged} acknowledged, {self.asked} asked; children differ from the "
                f"acknowledged state by {sorted(found[0] ^ self.state_after(self.acknowledged)[0])}, counter "
                f"{found[1:]} instead of {self.state_after(self.acknowledged)[1:]}")


class Durability(ServerCase):
    options = {"tick_ms": differential.TICK_MS, "extra_cfg": {"maxSessionTimeout": 60000, "snapCount": 400}}

    def test_nothing_acknowledged_is_lost(self):
        chance = random.Random(_SEED)
        writers = [Writer(number, self.member.address) for number in range(_WRITERS)]
        done = 0
        for number in range(_ROUNDS):
            where = f"seed {_SEED}, round {number}"
            for writer in writers:
                known = writer.session
                answer = writer.connect()
                if known is not None:
                    self.assertEqual(answer["session_id"], known["session_id"], f"{where}: a session was lost")
                    self.assertIsNone(writer.verify(), where)
            self.load(writers, chance.uniform(0.02, 0.5))
            self.member.kill()
            for writer in writers:
                self.read_the_rest(writer)
                writer.connection.close()
            done = sum(writer.acknowledged for writer in writers)
            if chance.random() < 0.3:  # Killed again while it reads its files, perhaps.
                self.member.start()
                time.sleep(chance.uniform(0.0, 0.4))
                self.member.kill()
            self.member.start()
            self.ensemble.wait_until_serving()
        for writer in writers:
            writer.connect()
            self.assertIsNone(writer.verify(), f"seed {_SEED}, after {_ROUNDS} rounds")
            writer.connection.close()
        print(f"{self.kind}: seed {_SEED}, {_ROUNDS} rounds, {done} acknowledged writes")
        self.assertGreater(done, _ROUNDS * 20)

    def load(self, writers, seconds):
        end = time.monotonic() + seconds
        for writer in writers:
            writer.pump()
        while (left := end - time.monotonic()) > 0:
            by_socket = {writer.connection.socket: writer for writer in writers}
            for ready in select.select(list(by_socket), [], [], left)[0]:
                writer = by_socket[ready]
                writer.take()
                while writer.connection.holds_frame():
                    writer.take()
                writer.pump()

    def read_the_rest(self, writer):
        """Answers that were on their way when the server died are acknowledgements, too."""
        while True:
            try:
                writer.take()
            except (wire.Closed, TimeoutError):
                return

    def test_killed_right_after_the_first_write_ever(self):
        """Whatever a fresh server has on disk when it answers for the first time, it starts again from it."""
        for number in range(6):
            with self.subTest(number=number), servers.running(self.kind, tick_ms=2000) as ensemble:
                member = ensemble.members[0]
                with wire.Connection(member.address) as client:
                    session = client.handshake()
                    self.assertEqual(client.call("create", **wire.create_fields("/first"))["error"], 0)
                    member.kill()
                member.start()
                ensemble.wait_until_serving()
                with wire.Connection(member.address) as client:
                    answer = client.handshake(30000, session["session_id"], session["password"])
                    self.assertEqual(answer["session_id"], session["session_id"])
                    self.assertEqual(client.call("exists", path="/first", watch=False)["error"], 0)

    def test_acknowledged_only_when_synced(self):
        """With a slow disk a write waits for it, and reads and pings of other sessions do not."""
        with servers.running(self.kind, slow_disk=True, tick_ms=2000) as ensemble:
            member = ensemble.members[0]
            with wire.Connection(member.address) as writer, wire.Connection(member.address) as reader:
                writer.handshake()
                reader.handshake()
                self.assertEqual(writer.call("create", **wire.create_fields("/slow"))["error"], 0)
                member.disk.set_delay(_SYNC_DELAY_MS)
                waits = []
                for name, fields in (("set_data", {"path": "/slow", "data": b"x", "version": -1}),
                                     ("create", wire.create_fields("/slow/a")),
                                     ("delete", {"path": "/slow/missing", "version": -1})):
                    begin = time.monotonic()
                    writer.send(name, fields)
                    self.assertEqual(writer.read_reply(name)["error"], -101 if name == "delete" else 0)
                    waits.append(time.monotonic() - begin)
                self.assertGreaterEqual(min(waits), _SYNC_DELAY_MS / 1000)
                if self.kind.startswith("apache"):
                    return  # One thread of Apache's writes and forwards reads: a write stalls the reads behind it.
                member.disk.set_delay(2000)  # So long that only waiting for it is felt.
                writer.send("set_data", {"path": "/slow", "data": b"y", "version": -1})
                begin = time.monotonic()
                self.assertEqual(reader.call("get_data", path="/slow", watch=False)["data"], b"x")
                self.assertLess(time.monotonic() - begin, 1.0)
                self.assertEqual(writer.read_reply("set_data")["error"], 0)
                self.assertEqual(reader.call("get_data", path="/slow", watch=False)["data"], b"y")

    def test_sync_waits_for_the_writes_of_all_and_resuming_a_session_for_none(self):
        """A client dies with a write under way: whoever syncs and looks sees it, and who comes back does not wait."""
        with servers.running(self.kind, slow_disk=True, tick_ms=2000) as ensemble:
            member = ensemble.members[0]
            with wire.Connection(member.address) as writer, wire.Connection(member.address) as reader, \
                    wire.Connection(member.address) as again:
                session = writer.handshake()
                reader.handshake()
                self.assertEqual(writer.call("create", **wire.create_fields("/before"))["error"], 0)
                member.disk.set_delay(4000)  # So long that only waiting for it is felt.
                writer.send("create", wire.create_fields("/late"))
                time.sleep(0.5)  # The write is on its way to the disk.
                begin = time.monotonic()
                resumed = again.handshake(30000, session["session_id"], session["password"])
                self.assertEqual(resumed["session_id"], session["session_id"])
                self.assertLess(time.monotonic() - begin, 2.0)
                self.assertEqual(reader.call("sync", path="/late")["error"], 0)
                self.assertEqual(reader.call("exists", path="/late", watch=False)["error"], 0)
                self.assertEqual(again.call("exists", path="/late", watch=False)["error"], 0)

    def test_a_cut_record_at_the_end_is_forgiven(self):
        """The last record of the log torn at any place: the server starts, without that transaction."""
        chance = random.Random(_SEED)
        with servers.running(self.kind, tick_ms=differential.TICK_MS) as ensemble:
            member = ensemble.members[0]
            for number in range(5):
                with wire.Connection(member.address) as client:
                    client.handshake()
                    client.call("create", **wire.create_fields(f"/t{number}"))
                    client.call("create", **wire.create_fields(f"/t{number}/last", b"z" * 64))
                member.kill()
                log = max((member.data_dir / "version-2").glob("log.*"), key=lambda path: int(path.suffix[1:], 16))
                data = log.read_bytes().rstrip(b"\0")
                cut = len(data) - chance.randrange(1, 60)
                log.write_bytes(data[:cut] + (b"" if number % 2 else bytes(struct.calcsize("q") * 64)))
                member.start()
                ensemble.wait_until_serving()
                with wire.Connection(member.address) as client:
                    client.handshake()
                    self.assertEqual(client.call("exists", path=f"/t{number}", watch=False)["error"], 0)
                    last = client.call("exists", path=f"/t{number}/last", watch=False)["error"]
                    self.assertEqual(last, -101, f"cut {len(data) - cut} bytes before the end")
                    self.assertEqual(client.call("create", **wire.create_fields(f"/t{number}/last"))["error"], 0)


load_tests = servers.parametrised(Durability)

if __name__ == "__main__":
    unittest.main()
