"""A disk that is full (R5): reads go on, writes are refused with a code and never done, killing the server changes
nothing, and when there is room again it serves as before by itself.

The data directory is a small file system of its own: a tmpfs, and ext4 in a file where loop devices are to be had.
Mounting needs root; without it the tests are skipped with the reason.
"""

import pathlib
import time
import unittest

import servers
import wire
from lab import process, small_disk

_NOT_READ_ONLY = -119
_DATA = b"d" * 4000
_PATIENCE_S = 30.0


def setUpModule():
    small_disk.own_mounts()


class DiskFull(unittest.TestCase):
    file_system = None

    def setUp(self):
        try:
            self.ensemble = servers.make("watchkeeperd", tick_ms=1000, extra_cfg={"snapCount": 200})
        except servers.Unavailable as missing:
            self.skipTest(str(missing))
        self.member = self.ensemble.members[0]
        self.disk = small_disk.SmallDisk(self.file_system, self.member.data_dir,
                                         pathlib.Path(self.ensemble.folder) / "disk.img")
        self.addCleanup(self.disk.unmount)
        self.addCleanup(self.ensemble.stop)
        self.start()
        self.session = None
        self.present, self.absent, self.tried = set(), set(), 0

    def start(self):
        self.member.start()
        self.ensemble.wait_until_serving()

    def connect(self):
        """The session of this test, resumed when there is one: that writes nothing."""
        connection = wire.Connection(self.member.address)
        self.addCleanup(connection.close)
        known = self.session or {"session_id": 0, "password": bytes(16)}
        answer = connection.handshake(20000, known["session_id"], known["password"])
        self.assertNotEqual(answer["session_id"], 0)
        if self.session is not None:
            self.assertEqual(answer["session_id"], self.session["session_id"], "the session was lost")
        self.session = answer
        return connection

    def write(self, connection, count):
        """Creates znodes, all under way at once; the codes of their answers.  Each is told in `present` or `absent`."""
        paths = [f"/n{self.tried + number:05d}" for number in range(count)]
        self.tried += count
        for path in paths:
            connection.send("create", wire.create_fields(path, _DATA))
        codes = []
        for path in paths:
            reply = connection.read_reply("create")
            codes.append(reply["error"])
            (self.absent if reply["error"] else self.present).add(path)
        return codes

    def write_until_refused(self, connection, meanwhile=lambda: None):
        for _ in range(400):
            codes = self.write(connection, 20)
            meanwhile()
            if any(codes):
                break
        self.assertEqual(set(codes) | {0}, {0, _NOT_READ_ONLY})
        self.assertEqual(codes, sorted(codes, reverse=True), "a write was done behind one that was refused")

    def write_until_done(self, connection):
        """Seconds until a write is accepted."""
        return process.wait_for(lambda: self.write(connection, 1) == [0], _PATIENCE_S, "a write to be accepted",
                                interval_s=0.1)[1]

    def assert_exact(self, connection):
        """What was acknowledged is there with its data, what was refused is not."""
        children = {f"/{name}" for name in connection.call("get_children", path="/", watch=False)["children"]}
        self.assertEqual(children & (self.present | self.absent), self.present)
        for path in sorted(self.present)[::7]:
            self.assertEqual(connection.call("get_data", path=path, watch=False)["data"], _DATA)

    def wait_for_line(self, text):
        """The log is written by a thread of its own."""
        process.wait_for(lambda: text in self.member.log(), _PATIENCE_S, f"a line of the log with: {text}")

    def test_reads_go_on_and_writes_come_back(self):
        connection = self.connect()
        self.assertEqual(connection.call("create", **wire.create_fields("/mine", flags=wire.EPHEMERAL))["error"], 0)
        self.write(connection, 50)
        self.disk.fill()
        self.write_until_refused(connection)
        self.wait_for_line("no space left for the transaction log")

        for name, fields in (("create", wire.create_fields("/n")), ("set_data", {"path": "/mine", "data": b"", "version": -1}),
                             ("delete", {"path": "/mine", "version": -1}), ("multi", {"parts": []})):
            self.assertEqual(connection.call(name, **fields)["error"], _NOT_READ_ONLY, name)
        self.assert_exact(connection)
        self.assertEqual(connection.call("exists", path="/later", watch=True)["error"], -101)
        self.assertEqual(self.member.ask("ruok"), "imok")
        self.assertIn("Mode: standalone", self.member.ask("srvr"))
        with wire.Connection(self.member.address) as newcomer, self.assertRaises(wire.Closed):
            newcomer.handshake()  # a session is a transaction
        # Nor does a session end while that cannot be written, however long it is silent.
        self.assertEqual(connection.call("exists", path="/mine", watch=False)["error"], 0)

        self.disk.free()
        self.assertLess(self.write_until_done(connection), 10.0)
        self.assertEqual(connection.call("create", **wire.create_fields("/later"))["error"], 0)
        self.assertEqual([event["path"] for event in connection.events], ["/later"])
        self.assert_exact(connection)
        self.wait_for_line("the log has room again")
        with wire.Connection(self.member.address) as newcomer:
            self.assertNotEqual(newcomer.handshake()["session_id"], 0)

        self.member.kill()
        self.start()
        connection = self.connect()
        self.assert_exact(connection)
        self.assertEqual(connection.call("exists", path="/mine", watch=False)["error"], 0)

    def test_killed_while_it_is_full(self):
        connection = self.connect()
        for round_number in range(3):
            self.write(connection, 30)
            self.disk.fill()
            self.write_until_refused(connection)
            if round_number == 2:
                time.sleep(1.0)  # the search for room has gone on for a while
            self.member.kill()
            self.start()
            connection = self.connect()
            self.assert_exact(connection)
            self.write_until_refused(connection)
            self.assert_exact(connection)
            self.disk.free()
            self.assertLess(self.write_until_done(connection), 10.0)
            self.assert_exact(connection)
        self.member.kill()
        self.start()
        self.assert_exact(self.connect())

    def test_killed_at_the_moment_of_filling_and_of_freeing(self):
        connection = self.connect()
        for round_number in range(6):
            self.disk.fill()
            self.write(connection, 40 + 13 * round_number)
            if round_number % 2:
                self.disk.free()
                time.sleep(0.15 * round_number)
            self.member.kill()
            self.disk.free()
            self.start()
            connection = self.connect()
            self.assert_exact(connection)
            self.assertEqual(set(self.write(connection, 10)), {0})

    def test_a_session_that_ran_out_meanwhile_ends_when_there_is_room(self):
        connection = self.connect()
        with wire.Connection(self.member.address) as other:
            other.handshake(6000)
            self.assertEqual(other.call("create", **wire.create_fields("/others", flags=wire.EPHEMERAL))["error"], 0)
            self.disk.fill()
            self.write_until_refused(connection, lambda: other.call("ping"))
        time.sleep(8.5)
        self.assertEqual(connection.call("exists", path="/others", watch=True)["error"], 0)
        self.disk.free()
        process.wait_for(lambda: connection.call("exists", path="/others", watch=False)["error"] == -101, _PATIENCE_S,
                         "the ephemeral znode to go", interval_s=0.1)
        self.assertEqual([event["path"] for event in connection.events], ["/others"])


class OnTmpfs(DiskFull):
    file_system = "tmpfs"


class OnExt4(DiskFull):
    file_system = "ext4"


def load_tests(loader, _tests, _pattern):
    suite = loader.suiteClass()
    for case in (OnTmpfs, OnExt4):
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main()
