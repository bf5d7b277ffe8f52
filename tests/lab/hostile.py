"""Servers that answer wrongly on purpose, for everything that reads four-letter-word or HTTP answers.

A connection that starts with "GET " gets the same hostile body behind a correct HTTP header, so that the AdminServer's
and the Prometheus endpoint's readers can be treated the same way.
"""

import socket
import struct
import threading
import time

from . import ports

_REQUEST_TIMEOUT_S = 2.0
_HTTP_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
_NOT_SERVING = b"This ZooKeeper instance is not currently serving requests\n"
_NOT_SERVING_CLICKHOUSE = b"This instance is not currently serving requests"
_NOT_WHITELISTED = b"%s is not executed because it is not in the whitelist.\n"


def _lines(pairs):
    return "".join(f"{key}\t{value}\n" for key, value in pairs).encode()


_MNTR = [
    ("zk_version", "3.9.5-abcdef, built on 2026-01-01 00:00 UTC"), ("zk_server_state", "standalone"),
    ("zk_peer_state", "standalone"), ("zk_ephemerals_count", 0), ("zk_num_alive_connections", 3),
    ("zk_avg_latency", "0.25"), ("zk_max_latency", 9), ("zk_min_latency", 0), ("zk_outstanding_requests", 0),
    ("zk_znode_count", 17), ("zk_watch_count", 1), ("zk_global_sessions", 3), ("zk_local_sessions", 0),
    ("zk_approximate_data_size", 410), ("zk_open_file_descriptor_count", 77), ("zk_max_file_descriptor_count", 1024),
    ("zk_packets_received", 123), ("zk_packets_sent", 124), ("zk_uptime", 60000), ("zk_cnt_fsynctime", 40),
    ("zk_sum_fsynctime", 80), ("zk_avg_fsynctime", "2.0"),
]

_SRVR = (b"Zookeeper version: 3.9.5-abcdef, built on 2026-01-01 00:00 UTC\nLatency min/avg/max: 0/0.25/9\n"
         b"Received: 123\nSent: 124\nConnections: 3\nOutstanding: 0\nZxid: 0x1f\nMode: standalone\nNode count: 17\n")

# A znode /a"b, /c\d, one with a line break (which mntr prints raw) and one that imitates a key of its own.
_QUOTED = _lines(_MNTR + [(f"zk_{kind}_{name}_{way}_per_namespace", value)
                          for name in ('a"b', "c\\d", "new\nline", "{x=\"y\"} 1")
                          for way in ("read", "write")
                          for kind, value in (("avg", "5.0"), ("min", 5), ("max", 5), ("cnt", 2), ("sum", 10))])

_CLICKHOUSE_MNTR = _lines([
    ("zk_version", "v24.8.4.13-lts-53195bc189b"), ("zk_avg_latency", 0), ("zk_max_latency", 12), ("zk_min_latency", 0),
    ("zk_packets_received", 1234), ("zk_packets_sent", 1233), ("zk_num_alive_connections", 2),
    ("zk_outstanding_requests", 0), ("zk_server_state", "leader"), ("zk_znode_count", 40), ("zk_watch_count", 3),
    ("zk_ephemerals_count", 1), ("zk_approximate_data_size", 12345), ("zk_key_arena_size", 4096),
    ("zk_latest_snapshot_size", 2048), ("zk_open_file_descriptor_count", 60), ("zk_max_file_descriptor_count", 1048576),
    ("zk_followers", 2), ("zk_synced_followers", 2),
])

_CLICKHOUSE_SRVR = (b"ClickHouse Keeper version: v24.8.4.13-lts-53195bc189b\nLatency min/avg/max: 0/0/12\n"
                    b"Received: 1234\nSent: 1233\nConnections: 2\nOutstanding: 0\nZxid: 345\nMode: leader\nNode count: 40\n")

_RAFTKEEPER_MNTR = _lines([
    ("zk_version", "RaftKeeper v2.1.0"), ("zk_compatible_mode", "zookeeper"), ("zk_is_leader", 1),
    ("zk_server_state", "leader"), ("zk_avg_latency", 1), ("zk_max_latency", 20), ("zk_min_latency", 0),
    ("zk_packets_received", 500), ("zk_packets_sent", 499), ("zk_num_alive_connections", 4),
    ("zk_outstanding_requests", 1), ("zk_znode_count", 12), ("zk_watch_count", 0), ("zk_ephemerals_count", 0),
    ("zk_approximate_data_size", 900), ("zk_snap_count", 2), ("zk_snap_time_ms", 7), ("zk_snap_blocking_time_ms", 0),
    ("zk_in_snapshot", 0), ("zk_p50_readlatency", 0), ("zk_p90_readlatency", 1), ("zk_p99_readlatency", 2),
    ("zk_p999_readlatency", 9), ("zk_cnt_readlatency", 300), ("zk_sum_readlatency", 120),
    ("zk_p50_updatelatency", 1), ("zk_p90_updatelatency", 2), ("zk_p99_updatelatency", 6),
    ("zk_p999_updatelatency", 20), ("zk_cnt_updatelatency", 199), ("zk_sum_updatelatency", 300),
    ("zk_open_file_descriptor_count", 44), ("zk_max_file_descriptor_count", 65536), ("zk_followers", 2),
    ("zk_synced_followers", 2),
])

_RAFTKEEPER_SRVR = (b"RaftKeeper version: v2.1.0\nLatency min/avg/max: 0/1/20\nReceived: 500\nSent: 499\n"
                    b"Connections: 4\nOutstanding: 1\nZxid: 88\nMode: leader\nNode count: 12\n")

_HTML = (b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n<body><h1>502 Bad Gateway</h1>"
         b"<p>zk_version\t3.9.5</p></body></html>\n")

_BINARY = bytes(range(256)) * 64 + b"zk_avg_latency\t\xff\xfe\x00\nzk_\x00\x01\t1\n" + b"\xc3\x28" * 1000


def _by_word(table, other=_NOT_WHITELISTED):
    def answer(word):
        return table.get(word, other % word if b"%s" in other else other)
    return answer


_ANSWERS = {
    "truncated_mntr": _by_word({b"mntr": _lines(_MNTR)[:157], b"srvr": _SRVR[:60], b"ruok": b"im"}),
    "quoted_namespace": _by_word({b"mntr": _QUOTED, b"srvr": _SRVR, b"ruok": b"imok", b"isro": b"rw"}),
    "clickhouse": _by_word({b"mntr": _CLICKHOUSE_MNTR, b"srvr": _CLICKHOUSE_SRVR, b"ruok": b"imok", b"isro": b"rw"},
                           b""),
    "clickhouse_not_serving": _by_word({b"ruok": b"imok"}, _NOT_SERVING_CLICKHOUSE),
    "not_serving": _by_word({b"ruok": b"imok", b"isro": b"null"}, _NOT_SERVING),
    "raftkeeper": _by_word({b"mntr": _RAFTKEEPER_MNTR, b"srvr": _RAFTKEEPER_SRVR, b"ruok": b"imok", b"isro": b"rw"},
                           b""),
    "html": lambda word: _HTML,
    "binary": lambda word: _BINARY,
    "nothing_whitelisted": _by_word({}),
    "closes_at_once": lambda word: b"",
}

_STREAMS = ("endless", "endless_line", "slow", "huge", "silent", "resets")

MODES = tuple(sorted(_ANSWERS)) + _STREAMS


class HostileServer:
    """Listens on a reserved loopback port and misbehaves in one mode; `mode` may be changed while it runs.

    Modes with an answer: truncated_mntr (cut in the middle of a line), quoted_namespace, clickhouse, raftkeeper,
    not_serving, clickhouse_not_serving, nothing_whitelisted, html, binary, closes_at_once.
    Modes that are streams: endless (valid lines for ever), endless_line (one line without end), slow (a correct mntr at
    bytes_per_s), huge (huge_bytes of valid lines, then the end), silent (accepts, reads, says nothing), resets.
    """

    def __init__(self, mode, *, bytes_per_s=1.0, huge_bytes=100 * 1024 * 1024):
        self.mode = mode
        self.bytes_per_s = bytes_per_s
        self.huge_bytes = huge_bytes
        self.connections = 0
        self.bytes_sent = 0
        self.words = []
        self._stopping = threading.Event()
        self._mutex = threading.Lock()
        self._open = set()
        self.port = ports.reserve()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept_forever, name=f"hostile-{mode}", daemon=True).start()

    @property
    def mode(self):
        return self._mode

    @mode.setter
    def mode(self, value):
        if value not in MODES:
            raise ValueError(f"unknown mode {value!r}; there are {', '.join(MODES)}")
        self._mode = value

    @property
    def open_connections(self):
        with self._mutex:
            return len(self._open)

    def close(self):
        self._stopping.set()
        # close() alone does not wake a thread that is inside accept().
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        with self._mutex:
            remaining = list(self._open)
        for sock in remaining:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        ports.release(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept_forever(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._mutex:
                self._open.add(sock)
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with sock:
                self._answer(sock)
        except OSError:
            pass
        finally:
            with self._mutex:
                self._open.discard(sock)

    def _answer(self, sock):
        mode = self.mode
        if mode == "closes_at_once":
            return
        if mode == "resets":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        word = self._read_word(sock)
        if mode == "silent":
            self._stopping.wait()
            return
        if word == b"GET ":
            self._send(sock, _HTTP_HEAD)
        if mode in _ANSWERS:
            self._send(sock, _ANSWERS[mode](b"mntr" if word == b"GET " else word))
            # Unread request bytes would turn the close into a reset that can destroy the answer on its way.
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(_REQUEST_TIMEOUT_S)
            while sock.recv(4096):
                pass
        elif mode == "slow":
            for byte in _lines(_MNTR):
                self._send(sock, bytes([byte]))
                if self._stopping.wait(1.0 / self.bytes_per_s):
                    return
        elif mode == "endless_line":
            self._send(sock, b"zk_")
            while not self._stopping.is_set():
                self._send(sock, b"a" * 65536)
        else:
            self._send_lines(sock, None if mode == "endless" else self.huge_bytes)

    def _send_lines(self, sock, limit):
        self._send(sock, _lines(_MNTR))
        sent = len(_lines(_MNTR))
        number = 0
        while (limit is None or sent < limit) and not self._stopping.is_set():
            block = "".join(f"zk_padding_{number + i}\t{i}\n" for i in range(2000)).encode()
            block = block if limit is None else block[:limit - sent]
            self._send(sock, block)
            sent += len(block)
            number += 2000

    def _read_word(self, sock):
        sock.settimeout(_REQUEST_TIMEOUT_S)
        word = b""
        try:
            while len(word) < 4:
                part = sock.recv(4 - len(word))
                if not part:
                    break
                word += part
        except socket.timeout:
            pass
        sock.settimeout(None)
        with self._mutex:
            self.words.append(word)
        return word

    def _send(self, sock, data):
        sock.sendall(data)
        with self._mutex:
            self.bytes_sent += len(data)


def read_answer(port, word, *, host="127.0.0.1", deadline_s=5.0, limit_bytes=1 << 20):
    """Sends a four-letter word and returns what came until the end, the limit or the deadline, whichever was first."""
    end = time.monotonic() + deadline_s
    answer = b""
    with socket.create_connection((host, port), timeout=deadline_s) as sock:
        sock.sendall(word.encode("ascii"))
        while len(answer) < limit_bytes:
            left = end - time.monotonic()
            if left <= 0:
                break
            sock.settimeout(left)
            try:
                part = sock.recv(min(65536, limit_bytes - len(answer)))
            except socket.timeout:
                break
            if not part:
                break
            answer += part
    return answer
