"""Limits of the protocol, the same on both servers; and the inputs on which Apache 3.9.5 misbehaves and Watchkeeper does
not (reference "Inputs on which 3.9.5 misbehaves"), which the differential suite leaves out."""

import struct
import time
import unittest

import servers
import wire
from lab import process
from server_case import ServerCase

FRAME_MAX_BYTES = 1_048_575
BAD_ARGUMENTS, UNIMPLEMENTED, MARSHALLING_ERROR = -8, -6, -5
PATIENCE_S = 20.0


class EdgeCase(ServerCase):
    options = {"tick_ms": 500}

    def session(self, **options):
        connection = wire.Connection(self.member.address)
        self.addCleanup(connection.close)
        connection.handshake(**options)
        return connection

    def raw_request(self, connection, code, body, xid=5):
        connection.send_frame(struct.pack(">ii", xid, code) + body)

    def assert_serves(self):
        self.assertEqual(self.session().call("exists", path="/", watch=False)["error"], 0)


class Limits(EdgeCase):
    def test_largest_frame(self):
        empty = len(wire.pack_body("create", wire.create_fields("/large"))) + 8
        fits = self.session()
        self.assertEqual(fits.call("create", **wire.create_fields("/large", bytes(FRAME_MAX_BYTES - empty)))["error"], 0)
        self.assertEqual(len(fits.call("get_data", path="/large", watch=False)["data"]), FRAME_MAX_BYTES - empty)
        too_large = self.session()
        with self.assertRaises(wire.Closed):
            too_large.call("create", **wire.create_fields("/larger", bytes(FRAME_MAX_BYTES - empty + 1)))
        self.assertEqual(fits.call("exists", path="/larger", watch=False)["error"], -101)

    def test_lengths_that_no_frame_has(self):
        for length in (-1, -2 ** 31, 2 ** 31 - 1, FRAME_MAX_BYTES + 1, 0):
            with self.subTest(length=length):
                for greeted in (False, True):
                    connection = self.session() if greeted else wire.Connection(self.member.address)
                    connection.send_raw(struct.pack(">i", length))
                    self.assertEqual(connection.drain_until_closed(), [])
                    connection.close()
        self.assert_serves()

    def test_byte_by_byte(self):
        connection = wire.Connection(self.member.address)
        self.addCleanup(connection.close)
        hello = struct.pack(">iqiqi", 0, 0, 30000, 0, 16) + bytes(16) + b"\0"
        ask = struct.pack(">ii", 1, 3) + wire.pack_body("exists", {"path": "/", "watch": False})
        for frame in (hello, ask):
            for byte in struct.pack(">i", len(frame)) + frame:
                connection.send_raw(bytes([byte]))
        self.assertNotEqual(connection.read_handshake()["session_id"], 0)
        self.assertEqual(connection.read_reply("exists")["xid"], 1)

    def test_requests_behind_the_handshake_are_kept(self):
        connection = wire.Connection(self.member.address)
        self.addCleanup(connection.close)
        connection.send_handshake()
        xids = [connection.send("exists", {"path": "/", "watch": False}) for _ in range(50)]
        self.assertNotEqual(connection.read_handshake()["session_id"], 0)
        self.assertEqual([connection.read_reply("exists")["xid"] for _ in xids], xids)

    def test_connections_of_one_address(self):
        with servers.running(self.kind, extra_cfg={"maxClientCnxns": 3}) as ensemble:
            member = ensemble.members[0]
            open_ones = [wire.Connection(member.address) for _ in range(3)]
            for one in open_ones:
                one.handshake()
            with self.assertRaises(wire.Closed), wire.Connection(member.address) as fourth:
                fourth.handshake()
            open_ones.pop().close()

            def comes_in():
                try:
                    with wire.Connection(member.address) as one:
                        return one.handshake()["session_id"] != 0
                except wire.Closed:
                    return False
            process.wait_for(comes_in, PATIENCE_S, "a free place", interval_s=0.05)
            for one in open_ones:
                one.close()

    def test_ten_thousand_children(self):
        connection = self.session()
        connection.call("create", **wire.create_fields("/many"))
        names = [f"{number:05d}" + "n" * 395 for number in range(10_000)]
        for begin in range(0, len(names), 500):
            for name in names[begin:begin + 500]:
                connection.send("create", wire.create_fields(f"/many/{name}"))
            for _ in range(500):
                self.assertEqual(connection.read_reply("create")["error"], 0)
        self.assertEqual(sorted(connection.call("get_children", path="/many", watch=False)["children"]), names)

    def test_a_client_that_does_not_read(self):
        """It asks for a gigabyte and reads nothing; the others are served, and the server's memory stays bounded."""
        owner = self.session()
        owner.call("create", **wire.create_fields("/bulk", bytes(1_000_000)))
        deaf = self.session()
        deaf.socket.settimeout(1.0)
        ask = struct.pack(">ii", 1, 4) + wire.pack_body("get_data", {"path": "/bulk", "watch": False})
        sent = 0
        try:
            for _ in range(1000):
                deaf.send_raw(struct.pack(">i", len(ask)) + ask)
                sent += 1
        except wire.Closed:
            pass
        time.sleep(1.0)
        begin = time.monotonic()
        self.assertEqual(owner.call("exists", path="/bulk", watch=False)["error"], 0)
        self.assertLess(time.monotonic() - begin, 10.0)
        if not self.kind.startswith("apache"):
            self.assertLess(self.member.process.resident_bytes(), 400 << 20)
        self.assertGreater(sent, 0)


    def test_huge_replies_behind_a_write(self):
        """Two hundred reads of a megabyte wait for a write in front of them: a client that is slow to take the answers
        gets all of them in order, the others are served, and the server's memory stays bounded."""
        owner, slow = self.session(), self.session()
        owner.call("create", **wire.create_fields("/heavy"))
        slow.send("set_data", {"path": "/heavy", "data": bytes(1_000_000), "version": -1})
        for _ in range(200):
            slow.send("get_data", {"path": "/heavy", "watch": False})
        slow.send("set_data", {"path": "/heavy", "data": b"light", "version": -1})
        slow.send("get_data", {"path": "/heavy", "watch": False})
        largest = 0

        def others_are_served():
            nonlocal largest
            begin = time.monotonic()
            self.assertEqual(owner.call("exists", path="/", watch=False)["error"], 0)
            self.assertLess(time.monotonic() - begin, 10.0)
            largest = max(largest, self.member.process.resident_bytes())

        others_are_served()
        time.sleep(1.0)
        others_are_served()
        self.assertEqual(slow.read_reply("set_data")["stat"]["version"], 1)
        for number in range(200):
            reply = slow.read_reply("get_data")
            self.assertEqual((len(reply["data"]), reply["stat"]["version"]), (1_000_000, 1), number)
            if number % 20 == 0:
                time.sleep(0.05)
                others_are_served()
        self.assertEqual(slow.read_reply("set_data")["stat"]["version"], 2)
        self.assertEqual(slow.read_reply("get_data")["data"], b"light")
        if not self.kind.startswith("apache"):
            self.assertLess(largest, 200 << 20)


class BetterThanApache(EdgeCase):
    """Only for watchkeeperd."""

    def test_a_session_lives_while_its_client_fetches_slowly(self):
        """One answer of 16 MB takes three times the session's timeout; the client pings all the while. Apache reads
        those pings; with the heap of these tests it ends at such an answer."""
        self.session().call("create", **wire.create_fields("/slow", bytes(1_000_000)))
        slow = self.session(timeout_ms=2000)
        slow.send("multi_read", {"parts": [("get_data", {"path": "/slow", "watch": False})] * 16})
        begin, got = time.monotonic(), 0
        while got < 16_000_000:
            slow.send_frame(struct.pack(">ii", -2, 11))
            part = len(slow.socket.recv(250_000))
            self.assertGreater(part, 0, f"closed after {got} bytes")
            got += part
            time.sleep(part / 2_500_000)
        self.assertGreater(time.monotonic() - begin, 6.0)
        with wire.Connection(self.member.address) as again:
            resumed = again.handshake(2000, slow.session["session_id"], slow.session["password"])
        self.assertEqual(resumed["session_id"], slow.session["session_id"])

    def test_an_access_list_that_outgrows_every_string_is_refused(self):
        """Each malformed byte becomes three.  Logged, it could not be read again."""
        too_long = b"\xff" * 700_000 + b":x"
        acl = struct.pack(">i", 2) + b"".join(
            struct.pack(">ii", 31, len(scheme)) + scheme + struct.pack(">i", len(who)) + who
            for scheme, who in ((b"digest", too_long), (b"world", b"anyone")))
        connection = self.session()
        connection.send_frame(struct.pack(">iii", 1, 1, 9) + b"/too-long" + struct.pack(">i", 0) + acl + struct.pack(">i", 0))
        self.assertEqual(connection.read_reply("create")["error"], -114)
        self.assertEqual(connection.call("create", **wire.create_fields("/behind"))["error"], 0)
        self.member.kill()
        self.member.start()
        self.ensemble.wait_until_serving()
        self.assertEqual(self.session().call("exists", path="/behind", watch=False)["error"], 0)

    def test_ttl_operation_without_a_ttl_mode(self):
        connection = self.session()
        for flags in (0, 1, 2, 3, 4):
            reply = connection.call("create_ttl", **wire.create_fields("/ttl", flags=flags, ttl=-1))
            self.assertEqual(reply["error"], BAD_ARGUMENTS)
        self.assert_serves()

    def test_internal_operations_are_refused(self):
        self.session().call("create", **wire.create_fields("/kept"))
        for code, body in ((20, wire.pack_record((("path", "string"),), {"path": "/kept"})), (-10, bytes(4))):
            connection = self.session()
            self.raw_request(connection, code, body)
            reply = connection.read_reply("")
            self.assertEqual((reply["xid"], reply["zxid"], reply["error"]), (5, -1, UNIMPLEMENTED))
            self.assertEqual(connection.drain_until_closed(), [])
        self.assertEqual(self.session().call("exists", path="/kept", watch=False)["error"], 0)

    def test_container_with_an_ephemeral_mode(self):
        for flags in (1, 3):
            reply = self.session().call("create_container", **wire.create_fields("/container", flags=flags))
            self.assertEqual(reply["error"], BAD_ARGUMENTS)

    def test_container_mode_outside_multi_is_a_container(self):
        with servers.running(self.kind, jvm_flags=[*servers.FLAGS, "-Dznode.container.checkIntervalMs=50"]) as ensemble, \
                wire.Connection(ensemble.members[0].address) as connection:
            connection.handshake()
            connection.call("create", **wire.create_fields("/box", flags=wire.CONTAINER))
            connection.call("create", **wire.create_fields("/box/thing"))
            connection.call("delete", path="/box/thing", version=-1)
            process.wait_for(lambda: connection.call("exists", path="/box", watch=False)["error"] == -101, PATIENCE_S,
                             "the empty container to go", interval_s=0.05)

    def test_a_multi_read_that_asks_for_too_much_is_refused(self):
        """Three hundred kilobytes that ask for ten gigabytes."""
        connection = self.session()
        connection.call("create", **wire.create_fields("/bulk", bytes(1_000_000)))
        part = ("get_data", {"path": "/bulk", "watch": False})
        self.assertEqual(connection.call("multi_read", parts=[part] * 10_000)["error"], MARSHALLING_ERROR)
        self.assertEqual(len(connection.call("multi_read", parts=[part] * 20)["results"]), 20)
        self.assertLess(self.member.process.resident_bytes(), 400 << 20)

    def test_a_wrong_password_does_not_disturb_the_owner(self):
        owner = self.session()
        with wire.Connection(self.member.address) as stranger:
            answer = stranger.handshake(session_id=owner.session["session_id"], password=b"wrong" + bytes(11))
            self.assertEqual((answer["session_id"], answer["timeout_ms"], answer["password"]), (0, 0, bytes(16)))
        self.assertEqual(owner.call("exists", path="/", watch=False)["error"], 0)

    def test_null_inside_multi_takes_a_zxid_of_its_own(self):
        # On a server of its own: sessions that other tests left behind expire, and take zxids.
        with servers.running(self.kind) as ensemble, wire.Connection(ensemble.members[0].address) as connection:
            connection.handshake()
            for part in (("create", wire.create_fields(None)), ("create", {**wire.create_fields("/null"), "acl": None}),
                         ("delete", {"path": None, "version": -1})):
                before = connection.call("create", **wire.create_fields("/once"))["zxid"]
                reply = connection.call("multi", parts=[part])
                self.assertEqual((reply["error"], reply["zxid"]), (MARSHALLING_ERROR, before + 1))

    def test_counts_beyond_the_payload(self):
        """A vector that promises two thousand million elements costs an answer and no memory."""
        for code, body in ((101, bytes(8) + struct.pack(">i", 2 ** 31 - 1)),
                           (1, wire.pack_record((("path", "string"), ("data", "buffer")), {"path": "/v", "data": b""}) +
                            struct.pack(">i", 2 ** 31 - 1))):
            connection = self.session()
            before = self.member.process.resident_bytes()
            self.raw_request(connection, code, body)
            self.assertEqual(connection.read_reply("")["error"], MARSHALLING_ERROR)
            self.assertLess(self.member.process.resident_bytes() - before, 16 << 20)

    def test_visitors_of_another_protocol_are_named_in_the_log(self):
        for hello, said in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
                            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), "TLS")):
            with wire.Connection(self.member.address) as visitor:
                visitor.send_raw(hello)
                self.assertEqual(visitor.drain_until_closed(), [])
            lines = process.wait_for(lambda said=said: [line for line in self.member.log().splitlines() if said in line],
                                     PATIENCE_S, f"a line about {said}")[0]
            self.assertEqual(len(lines), 1, lines)
            self.assertIn("127.0.0.1", lines[0])


def load_tests(loader, tests, pattern):
    suite = servers.parametrised(Limits)(loader, tests, pattern)
    ours = [kind for kind in servers.chosen() if kind.startswith("watchkeeperd")]
    suite.addTests(servers.parametrised(BetterThanApache, kinds=ours)(loader, tests, pattern))
    return suite


if __name__ == "__main__":
    unittest.main()
