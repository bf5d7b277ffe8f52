"""Proxies and hostile servers do what they say."""

import socket
import threading
import time
import unittest

import lab_path  # pylint: disable=unused-import
from lab import faults, ports, process, stack


class _Echo:
    """Sends everything back, then closes when the client has."""

    def __init__(self):
        self.port = ports.reserve()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock:
                while data := sock.recv(65536):
                    sock.sendall(data)
        except OSError:
            pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        ports.release(self.port)


class Proxies(unittest.TestCase):
    """TcpProxy before an echo server."""

    def setUp(self):
        echo = _Echo()
        self.addCleanup(echo.close)
        self.proxy = faults.TcpProxy(echo.port)
        self.addCleanup(self.proxy.close)

    def connect(self, timeout_s=5.0):
        sock = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=timeout_s)
        self.addCleanup(sock.close)
        return sock

    def round_trip(self, sock, data=b"hello"):
        begin = time.monotonic()
        sock.sendall(data)
        answer = b""
        while len(answer) < len(data):
            part = sock.recv(65536)
            if not part:
                break
            answer += part
        self.assertEqual(answer, data)
        return time.monotonic() - begin

    def test_pass(self):
        sock = self.connect()
        self.round_trip(sock, b"x" * 1_000_000)
        # The proxy counts what it has sent.
        process.wait_for(lambda: (self.proxy.bytes_up, self.proxy.bytes_down, self.proxy.accepted)
                         == (1_000_000, 1_000_000, 1), 5, "exact counts", interval_s=0.01)
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(sock.recv(1), b"")

    def test_delay(self):
        sock = self.connect()
        self.proxy.delay(150)
        self.assertGreaterEqual(self.round_trip(sock), 0.3)
        self.proxy.delay(0, "up")
        one_way = self.round_trip(sock)
        self.assertGreaterEqual(one_way, 0.15)
        self.proxy.heal()
        self.assertLess(min(self.round_trip(sock) for _ in range(5)), 0.1)  # A delay would delay each of them.

    def test_delay_does_not_limit_throughput(self):
        sock = self.connect()
        self.proxy.delay(200, "down")
        self.assertLess(self.round_trip(sock, b"x" * 2_000_000), 2.0)

    def test_mute_holds_and_heal_delivers(self):
        sock = self.connect()
        self.round_trip(sock)
        self.proxy.mute()
        sock.sendall(b"late")
        sock.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            sock.recv(10)
        fresh = self.connect(0.3)
        fresh.sendall(b"new")
        with self.assertRaises(socket.timeout):
            fresh.recv(10)
        self.proxy.heal()
        for one, expected in ((sock, b"late"), (fresh, b"new")):
            one.settimeout(5)
            self.assertEqual(one.recv(10), expected)

    def test_black_hole_makes_connect_time_out(self):
        sock = self.connect()
        self.round_trip(sock)
        self.proxy.black_hole()
        for _ in range(3):
            with self.assertRaises(socket.timeout):
                socket.create_connection(("127.0.0.1", self.proxy.port), timeout=0.3)
        sock.sendall(b"late")
        sock.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            sock.recv(10)
        self.proxy.heal()
        sock.settimeout(5)
        self.assertEqual(sock.recv(10), b"late")
        self.round_trip(self.connect())

    def test_refuse(self):
        sock = self.connect()
        self.round_trip(sock)
        self.proxy.refuse(cut=False)
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.round_trip(sock)
        self.proxy.refuse()
        with self.assertRaises(ConnectionResetError):
            sock.recv(1)
        self.proxy.heal()
        self.round_trip(self.connect())

    def test_cut(self):
        sock = self.connect()
        self.round_trip(sock)
        self.assertEqual(self.proxy.cut(), 1)
        with self.assertRaises(ConnectionResetError):
            sock.recv(1)
        self.round_trip(self.connect())

    def test_truncate(self):
        self.proxy.truncate(10)
        sock = self.connect()
        sock.sendall(b"0123456789abcdef")
        answer = b""
        while True:
            try:
                part = sock.recv(100)
            except ConnectionResetError:
                break
            if not part:
                break
            answer += part
        self.assertEqual(answer, b"0123456789")

    def test_throttle(self):
        self.proxy.throttle(10_000)
        self.assertGreaterEqual(self.round_trip(self.connect(), b"x" * 10_000), 0.9)

    def test_target_that_is_down(self):
        dead = ports.reserve()
        with faults.TcpProxy(dead) as proxy:
            with self.assertRaises(ConnectionResetError):
                with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as sock:
                    sock.recv(1)
        ports.release(dead)

    def test_close_frees_everything(self):
        self.connect()
        self.proxy.close()
        self.assertEqual(self.proxy.open_connections, 0)
        self.assertNotIn(self.proxy.port, ports.held())


class Hostile(unittest.TestCase):
    """HostileServer, mode by mode."""

    def server(self, mode, **options):
        server = faults.HostileServer(mode, **options)
        self.addCleanup(server.close)
        return server

    def mntr(self, mode, deadline_s=5.0, **options):
        return faults.read_answer(self.server(mode, **options).port, "mntr", deadline_s=deadline_s)

    def test_truncated_mntr_ends_inside_a_line(self):
        answer = self.mntr("truncated_mntr")
        self.assertEqual(len(answer), 157)
        self.assertFalse(answer.endswith(b"\n"))
        self.assertTrue(answer.startswith(b"zk_version\t3.9.5"))

    def test_quoted_namespace(self):
        answer = self.mntr("quoted_namespace")
        self.assertIn(b'zk_avg_a"b_read_per_namespace\t5.0\n', answer)
        self.assertIn(b"zk_cnt_c\\d_write_per_namespace\t2\n", answer)
        self.assertIn(b'zk_sum_{x="y"} 1_read_per_namespace\t10\n', answer)

    def test_endless(self):
        server = self.server("endless")
        answer = faults.read_answer(server.port, "mntr", limit_bytes=3_000_000)
        self.assertEqual(len(answer), 3_000_000)
        self.assertGreater(answer.count(b"\n"), 1000)

    def test_endless_line(self):
        answer = faults.read_answer(self.server("endless_line").port, "mntr", limit_bytes=500_000)
        self.assertEqual((len(answer), answer.count(b"\n")), (500_000, 0))

    def test_slow_sends_one_byte_a_second(self):
        begin = time.monotonic()
        answer = faults.read_answer(self.server("slow").port, "mntr", deadline_s=30.0, limit_bytes=3)
        self.assertEqual(answer, b"zk_")
        self.assertGreaterEqual(time.monotonic() - begin, 1.9)

    def test_huge_is_as_large_as_told(self):
        server = self.server("huge")
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
            sock.sendall(b"mntr")
            received = 0
            while part := sock.recv(1 << 20):
                received += len(part)
        self.assertEqual(received, 104_857_600)

    def test_binary_and_html(self):
        self.assertIn(b"\x00\x01\x02", self.mntr("binary"))
        self.assertTrue(self.mntr("html").startswith(b"<!DOCTYPE html>"))

    def test_silent_keeps_the_connection(self):
        server = self.server("silent")
        self.assertEqual(faults.read_answer(server.port, "mntr", deadline_s=0.5), b"")
        process.wait_for(lambda: server.words == [b"mntr"], 5, "the word", interval_s=0.01)

    def test_closes_and_resets(self):
        with socket.create_connection(("127.0.0.1", self.server("closes_at_once").port), timeout=5) as sock:
            self.assertEqual(sock.recv(1), b"")
        with self.assertRaises(ConnectionResetError):
            with socket.create_connection(("127.0.0.1", self.server("resets").port), timeout=5) as sock:
                sock.recv(1)

    def test_dialects(self):
        clickhouse, raftkeeper = self.mntr("clickhouse"), self.mntr("raftkeeper")
        self.assertIn(b"zk_key_arena_size\t4096\n", clickhouse)
        self.assertIn(b"zk_avg_latency\t0\n", clickhouse)
        self.assertIn(b"zk_p90_readlatency\t1\n", raftkeeper)
        self.assertIn(b"zk_is_leader\t1\n", raftkeeper)
        self.assertEqual(self.mntr("clickhouse_not_serving"), b"This instance is not currently serving requests")
        self.assertEqual(self.mntr("not_serving"), b"This ZooKeeper instance is not currently serving requests\n")
        self.assertEqual(self.mntr("nothing_whitelisted"),
                         b"mntr is not executed because it is not in the whitelist.\n")

    def test_http_gets_a_header(self):
        answer = stack.http_get(f"http://127.0.0.1:{self.server('html').port}/commands/monitor")
        self.assertEqual(answer.status, 200)
        self.assertIn("502 Bad Gateway", answer.text)

    def test_every_mode_starts_and_unknown_ones_are_refused(self):
        for mode in faults.HOSTILE_MODES:
            faults.HostileServer(mode).close()
        with self.assertRaisesRegex(ValueError, "unknown mode 'kind'"):
            faults.HostileServer("kind")


if __name__ == "__main__":
    unittest.main()
