"""Sessions and load: raw sessions that cost one socket each, connection fillers, session storms, a paced generator."""

import dataclasses
import random
import socket
import struct
import threading
import time

PING = 11
_PING_XID = -2
_CLOSE = -11
_MAX_FRAME_BYTES = 1 << 20
_PROBE_SOURCE = "127.0.0.254"


class RawSession:
    """A ZooKeeper session over one plain socket, without a thread: it pings only when told to.

    Raises ConnectionError when the server closes instead of answering (connection limit, not serving).
    """

    def __init__(self, host, port, *, timeout_ms=30000, source=None, deadline_s=10.0):
        """source: a loopback address such as 127.0.0.2 to appear as another client host to maxClientCnxns."""
        self._sock = socket.create_connection((host, port), timeout=deadline_s,
                                              source_address=(source, 0) if source else None)
        self._deadline_s = deadline_s
        self._xid = 0
        try:
            self._send(struct.pack(">iqiqi16s?", 0, 0, timeout_ms, 0, 16, bytes(16), False))
            answer = self._receive()
            _, self.timeout_ms, self.session_id = struct.unpack_from(">iiq", answer)
        except BaseException:
            self._sock.close()
            raise

    def ping(self):
        """Keeps the session alive; returns when the server has answered."""
        self._send(struct.pack(">ii", _PING_XID, PING))
        self._receive()

    def close(self):
        """Ends the session in order."""
        try:
            self._xid += 1
            self._send(struct.pack(">ii", self._xid, _CLOSE))
            self._receive()
        except OSError:
            pass
        self._sock.close()

    def vanish(self):
        """Drops the socket with RST and leaves the session to expire."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def is_connected(self):
        """False once the server has closed its end."""
        closed = _is_closed_by_peer(self._sock)
        self._sock.settimeout(self._deadline_s)
        return not closed

    def _send(self, body):
        self._sock.sendall(struct.pack(">i", len(body)) + body)

    def _receive(self):
        size = struct.unpack(">i", self._receive_exactly(4))[0]
        if not 0 <= size <= _MAX_FRAME_BYTES:
            raise ConnectionError(f"the server announced a frame of {size} bytes")
        return self._receive_exactly(size)

    def _receive_exactly(self, size):
        data = b""
        while len(data) < size:
            part = self._sock.recv(size - len(data))
            if not part:
                raise ConnectionError("the server closed the connection instead of answering")
            data += part
        return data


class FilledConnections:
    """What fill_connections() opened; close() or the end of a with block lets go of it."""

    def __init__(self):
        self.kept = []
        self.refused = 0

    def close(self):
        for item in self.kept:
            item.close()
        self.kept = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _wait_until_accepted(host, port):
    try:
        with socket.create_connection((host, port), timeout=10.0, source_address=(_PROBE_SOURCE, 0)) as probe:
            probe.sendall(b"srvr")
            while probe.recv(4096):
                pass
    except OSError:
        pass  # Refused by a limit on all connections, or no answer at all: nothing more to learn.


def _is_closed_by_peer(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def fill_connections(host, port, count, *, sessions=True, source=None, timeout_ms=40000):
    """Opens `count` sessions (or bare sockets) and keeps them; those that the server refuses are counted in `refused`.

    ZooKeeper registers a connection a moment after it has accepted it, so a burst of bare sockets overshoots its limit.
    Therefore each bare socket is followed by a question from another source address, which is answered after that
    moment; by then a socket above the limit is closed.
    """
    filled = FilledConnections()
    for _ in range(count):
        try:
            if sessions:
                filled.kept.append(RawSession(host, port, timeout_ms=timeout_ms, source=source))
                continue
            sock = socket.create_connection((host, port), timeout=10.0, source_address=(source, 0) if source else None)
        except OSError:
            filled.refused += 1
            continue
        _wait_until_accepted(host, port)
        if _is_closed_by_peer(sock):
            sock.close()
            filled.refused += 1
        else:
            filled.kept.append(sock)
    return filled


def session_storm(host, port, count, *, timeout_ms=1000, source=None):
    """Opens `count` sessions with a short timeout and drops them all: each expires on the server soon after.

    The server raises timeout_ms to its minSessionTimeout (two ticks by default).  Returns how many were opened.
    """
    opened = []
    for _ in range(count):
        try:
            opened.append(RawSession(host, port, timeout_ms=timeout_ms, source=source))
        except OSError:
            pass
    for session in opened:
        session.vanish()
    return len(opened)


@dataclasses.dataclass
class LoadCounts:
    """What a LoadGenerator did so far."""
    succeeded: int = 0
    failed: int = 0
    slowest_s: float = 0.0
    last_error: str = ""


class LoadGenerator:
    """Sends a mix of operations at a steady rate through one kazoo session until stop().

    mix maps operation names to weights: get, set, create (sequential, accumulates), create_delete, watch (registers a
    watch on a random key), ephemeral (sequential ephemeral, accumulates until stop()).  Operations are pipelined; at
    most max_in_flight wait for answers, and ticks beyond that are skipped, so an outage builds up no backlog.
    """

    _OPERATIONS = ("get", "set", "create", "create_delete", "watch", "ephemeral")

    def __init__(self, connect_string, *, rate_per_s=100.0, mix=None, value_bytes=100, keys=50, root="/lab-load",
                 max_in_flight=200, session_timeout_s=10.0, seed=1):
        self.mix = dict(mix or {"get": 8, "set": 2})
        unknown = sorted(set(self.mix) - set(self._OPERATIONS))
        if unknown:
            raise ValueError(f"unknown operations {unknown}; there are {self._OPERATIONS}")
        self.rate_per_s = rate_per_s
        self.counts = LoadCounts()
        self._connect_string = connect_string
        self._value = b"x" * value_bytes
        self._keys = keys
        self._root = root
        self._slots = threading.BoundedSemaphore(max_in_flight)
        self._session_timeout_s = session_timeout_s
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._mutex = threading.Lock()
        self._client = None
        self._thread = None

    def start(self, deadline_s=30.0):
        """Connects, makes the keys, starts the load."""
        from kazoo.client import KazooClient  # Only this class needs the package.
        self._client = KazooClient(hosts=self._connect_string, timeout=self._session_timeout_s)
        self._client.start(timeout=deadline_s)
        self._client.ensure_path(self._root)
        for number in range(self._keys):
            self._client.ensure_path(f"{self._root}/key-{number}")
        self._thread = threading.Thread(target=self._run, name="lab-load", daemon=True)
        self._thread.start()
        return self

    def stop(self):
        """Ends the load and the session; returns the counts."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._client is not None:
            self._client.stop()
            self._client.close()
            self._client = None
        return self.counts

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _run(self):
        due = time.monotonic()
        names, weights = list(self.mix), list(self.mix.values())
        while not self._stopping.is_set():
            due += 1.0 / self.rate_per_s
            pause = due - time.monotonic()
            if pause > 0:
                self._stopping.wait(pause)
            elif pause < -1.0:
                due = time.monotonic()
            if self._slots.acquire(blocking=False):
                self._submit(self._random.choices(names, weights)[0])

    def _submit(self, operation):
        key = f"{self._root}/key-{self._random.randrange(self._keys)}"
        begin = time.monotonic()
        try:
            if operation == "get":
                pending = self._client.get_async(key)
            elif operation == "set":
                pending = self._client.set_async(key, self._value)
            elif operation == "watch":
                pending = self._client.get_async(key, watch=lambda event: None)
            elif operation == "create":
                pending = self._client.create_async(f"{self._root}/node-", self._value, sequence=True)
            elif operation == "ephemeral":
                pending = self._client.create_async(f"{self._root}/live-", self._value, ephemeral=True, sequence=True)
            else:
                pending = self._client.create_async(f"{self._root}/brief-", self._value, sequence=True)
        except Exception as error:  # kazoo raises many kinds here; all of them mean a failed operation.
            self._finish(begin, error)
            return
        pending.rawlink(lambda result: self._finished(operation, begin, result))

    def _finished(self, operation, begin, result):
        if operation == "create_delete" and result.exception is None and not self._stopping.is_set():
            try:
                self._client.delete_async(result.value)
            except Exception as error:  # As above.
                self._finish(begin, error)
                return
        self._finish(begin, result.exception)

    def _finish(self, begin, error):
        self._slots.release()
        with self._mutex:
            self.counts.slowest_s = max(self.counts.slowest_s, time.monotonic() - begin)
            if error is None:
                self.counts.succeeded += 1
            else:
                self.counts.failed += 1
                self.counts.last_error = f"{type(error).__name__}: {error}"
