"""Four-letter words byte by byte: the same clients do the same things to two servers, then the answers are compared with
only numbers of time, memory and port, session ids and names of the environment left out.
"""

import contextlib
import re
import select
import socket
import struct
import unittest

import servers
import wire
from server_case import ServerCase

REFERENCE = "apache-3.9.5"
OPTIONS = {"tick_ms": 2000, "extra_cfg": {"preAllocSize": 1024, "maxSessionTimeout": 600_000}}
NOT_ALLOWED = "{} is not executed because it is not in the whitelist.\n"
# What Watchkeeper has in every answer must be what Apache has; it may have more of these.
MAY_HAVE_MORE = {"mntr", "envi", "conf"}


def read_to_end(connection):
    """All bytes until the server closes; a reset ends them, too."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.socket.recv(4096):
            data += part
    return data


def busy_clients(member):
    """Three sessions: watches of every kind, ephemerals, an error.  They stay connected."""
    clients = [wire.Connection(member.address) for _ in range(3)]
    for client in clients:
        client.handshake(600_000)  # Nobody pings.
    one, two, three = clients
    one.call("create", **wire.create_fields("/a", b"data"))
    one.call("create", **wire.create_fields("/a/e1", flags=wire.EPHEMERAL))
    one.call("create", **wire.create_fields("/a/e2", flags=wire.EPHEMERAL))
    two.call("create", **wire.create_fields("/a/e3", flags=wire.EPHEMERAL))
    # `dump` lists a session whose last ephemeral is gone.
    three.call("create", **wire.create_fields("/a/e4", flags=wire.EPHEMERAL))
    three.call("delete", path="/a/e4", version=-1)
    two.call("get_data", path="/a", watch=True)
    two.call("get_children", path="/a", watch=True)
    three.call("exists", path="/missing", watch=True)
    three.call("add_watch", path="/a", mode=0)
    three.call("add_watch", path="/a/e1", mode=1)
    three.call("delete", path="/missing", version=-1)
    return clients


def watch_nothing(client):
    """A null path may be watched, and is "null" where words list watches.  (In Apache's JSON it is no JSON.)"""
    client.call("add_watch", path=None, mode=1)


def plain(word, text, sessions):
    """An answer without what is another one in every run."""
    for number, session in enumerate(sessions):
        text = text.replace(f"0x{session & (1 << 64) - 1:x}", f"SESSION-{number}")
    text = re.sub(r"/127\.0\.0\.1:\d+", "/127.0.0.1:PORT", text)
    if word in ("srvr", "stat"):
        text = re.sub(r"^Zookeeper version: .*, built on .*$", "Zookeeper version: V, built on D", text, flags=re.M)
        text = re.sub(r"^Latency min/avg/max: \d+/\d+(\.\d+(E-\d+)?)?/\d+$", "Latency min/avg/max: N/N/N", text,
                      flags=re.M)
        text = re.sub(r"^(Received|Sent): \d+$", r"\1: N", text, flags=re.M)
    if word in ("cons", "dump", "stat"):
        text = re.sub(r"\b(est|lresp|llat|minlat|avglat|maxlat)=-?[\d.E-]+", r"\1=N", text)
        text = re.sub(r"expire at .*:$", "expire at DATE:", text, flags=re.M)
        text = re.sub(r"recved=\d+,sent=\d+(?=\)$)", "recved=N,sent=N", text, flags=re.M)  # the asker's own line
    if word == "dump":
        text = re.sub(r"^(Connections Sets|Session Sets) \(\d+\)", r"\1 (N)", text, flags=re.M)
        text = re.sub(r"^\d+ expire", "N expire", text, flags=re.M)
    if word in ("conf", "envi", "mntr", "dirs"):
        separator = "\t" if word == "mntr" else "=" if word != "dirs" else ": "
        text = "\n".join(line.split(separator)[0] for line in text.splitlines())
    return text


def unordered(word, text):
    """Connections, sessions and paths come in no order, and sessions fall into one expiry bucket or into two."""
    lines = text.splitlines()
    if word == "dump":
        buckets = [line for line in lines if line.startswith("N expire at")]
        lines = [line for line in lines if line not in buckets] + buckets[:1]
    return sorted(lines) if word in ("cons", "dump", "wchp", "wchc", "stat", "mntr", "envi") else lines


class Words(ServerCase):
    options = OPTIONS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = cls.enterClassContext(servers.make(REFERENCE, **OPTIONS))
        cls.members = [cls.reference.members[0], cls.ensemble.members[0]]
        cls.clients = [busy_clients(member) for member in cls.members]
        for clients in cls.clients:
            watch_nothing(clients[2])
        for clients in cls.clients:
            for client in clients:
                cls.addClassCleanup(client.close)

    def compare(self, word):
        answers = []
        for member, clients in zip(self.members, self.clients):
            sessions = [client.session["session_id"] for client in clients]
            answers.append(unordered(word, plain(word, member.ask(word), sessions)))
        expected, found = answers
        if word in MAY_HAVE_MORE:
            self.assertEqual([line for line in expected if line not in found], [], word)
        else:
            self.assertEqual(found, expected, word)

    def test_fixed_answers(self):
        self.assertEqual(self.member.ask("ruok"), "imok")
        self.assertEqual(self.member.ask("isro"), "rw")
        self.assertEqual(self.member.ask("gtmk"), "306")

    def test_numbers_are_those_of_the_clients(self):
        mntr = self.member.mntr()
        self.assertEqual({name: mntr[f"zk_{name}"] for name in (
            "server_state", "znode_count", "ephemerals_count", "watch_count", "global_sessions")},
            {"server_state": "standalone", "znode_count": "9", "ephemerals_count": "3", "watch_count": "7",
             "global_sessions": "3"})

    def test_trace_mask(self):
        """stmk takes the eight bytes that come with the word; later ones come too late, on both servers."""
        for mask in (1, -2, 306):
            with wire.Connection(self.member.address) as connection:
                connection.send_raw(b"stmk" + struct.pack(">q", mask))
                self.assertEqual(read_to_end(connection), str(mask).encode())
            self.assertEqual(self.member.ask("gtmk"), str(mask))
        for first, later in ((b"", struct.pack(">q", 5)), (bytes(4), struct.pack(">i", 5)), (b"\0\0\0", b"")):
            with self.subTest(first=first), wire.Connection(self.member.address) as connection:
                connection.send_raw(b"stmk" + first)
                # It ends the connection without waiting for the rest, which therefore comes too late.
                self.assertTrue(select.select([connection.socket], [], [], 10)[0])
                with contextlib.suppress(wire.Closed):
                    connection.send_raw(later)
                self.assertEqual(read_to_end(connection), b"")
            self.assertEqual(self.member.ask("gtmk"), "306")

    def test_a_forgotten_session_is_not_dumped(self):
        with servers.running(self.kind) as ensemble, wire.Connection(ensemble.members[0].address) as client:
            member = ensemble.members[0]
            client.handshake(30000)
            name = f"0x{client.session['session_id'] & (1 << 64) - 1:x}:\n"
            client.call("create", **wire.create_fields("/brief", flags=wire.EPHEMERAL))
            self.assertIn(name + "\t/brief\n", member.ask("dump"))
            client.call("delete", path="/brief", version=-1)
            self.assertIn(name, member.ask("dump"))
            client.call("close_session")
            self.assertNotIn(name, member.ask("dump"))

    def test_unknown_word_and_telnets_goodbye(self):
        with wire.Connection(self.member.address) as connection:
            connection.send_raw(b"nope")
            self.assertEqual(connection.drain_until_closed(), [])

    def test_words_are_refused_without_a_whitelist(self):
        with servers.running(self.kind, whitelist=["ruok"]) as ensemble:
            for word in ("mntr", "wchp", "crst"):
                self.assertEqual(ensemble.members[0].ask(word), NOT_ALLOWED.format(word))
            self.assertEqual(ensemble.members[0].ask("ruok"), "imok")
            self.assertIn("Mode: standalone", ensemble.members[0].ask("srvr"))

    def test_ip6_addresses_stand_in_brackets(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("this machine has no loopback address of IPv6")
        ensemble = servers.make(self.kind, jvm_flags=[*servers.FLAGS, "-Djava.net.preferIPv4Stack=false"],
                                extra_cfg={"clientPortAddress": "::1", "metricsProvider.httpHost": "127.0.0.1"})
        member = ensemble.members[0]
        member.host = "::1"
        with ensemble, wire.Connection(member.address) as client:
            client.handshake(30000)
            place = r"/\[0:0:0:0:0:0:0:1\]:\d+"
            for word, line in (("stat", rf"^ {place}\["), ("cons", rf"^ {place}\["),
                               ("dump", rf"^\tip: {place} sessionId: 0x")):
                self.assertRegex(member.ask(word), re.compile(line, re.M), word)

    def test_resets(self):
        self.assertEqual(self.member.ask("crst"), "Connection stats reset.\n")
        self.assertEqual(self.member.ask("srst"), "Server stats reset.\n")
        self.assertRegex(self.member.ask("srvr"), r"\nReceived: [0-3]\n")
        self.assertRegex(self.member.ask("mntr"), r"\nzk_cnt_fsynctime\t0\n")


def _add(word):
    def test(self):
        self.compare(word)
    setattr(Words, f"test_{word}", test)


for _word in ("srvr", "stat", "cons", "conf", "envi", "dump", "wchs", "wchp", "wchc", "dirs", "mntr", "hash"):
    _add(_word)

load_tests = servers.parametrised(Words)

if __name__ == "__main__":
    unittest.main()
