"""A TCP proxy that breaks a connection in a chosen way: port blocking, delay and cuts without root.

All proxies of a process run in one asyncio loop in a thread of its own; the public methods may be called from any
thread and have taken effect when they return.

What a client of the proxy sees that it would not see without one: when the *target* is down, the connection is
accepted and then reset instead of refused.  Use refuse() for a true refusal.
"""

import asyncio
import socket
import struct
import threading

from . import ports

_CHUNK_BYTES = 16 * 1024
_QUEUE_CHUNKS = 512
_BACKLOG = 256
_PACE_S = 0.05
_FILLERS_MAX = 8

_mutex = threading.Lock()
_loop = None


def _shared_loop():
    global _loop
    with _mutex:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="lab-proxies", daemon=True).start()
        return _loop


def _abort(sock):
    """Closes with RST, as a crashed host or a firewall's reject does."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


class _Connection:
    """One proxied connection.  Lives in the loop."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.client = client
        self.server = None
        self.tasks = []
        self.answered = 0

    async def run(self):
        loop = asyncio.get_running_loop()
        try:
            await self.proxy.flowing.wait()
            await self._connect()
            for sock in (self.client, self.server):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.tasks = [asyncio.ensure_future(self._direction(self.client, self.server, up=True)),
                          asyncio.ensure_future(self._direction(self.server, self.client, up=False))]
            await asyncio.gather(*self.tasks)
            self.client.close()
            self.server.close()
        except (OSError, asyncio.CancelledError):
            # The tasks end before the sockets close: the loop must forget a descriptor before its number is used again.
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            for sock in (self.client, self.server):
                if sock is not None:
                    _abort(sock)

    async def _connect(self):
        loop = asyncio.get_running_loop()
        end = loop.time() + self.proxy.patience_s
        while True:
            self.server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.server.setblocking(False)
            try:
                return await loop.sock_connect(self.server, self.proxy.target)
            except ConnectionRefusedError:
                if loop.time() >= end:
                    raise
            self.server.close()
            await asyncio.sleep(_PACE_S)

    async def _direction(self, source, sink, up):
        chunks = asyncio.Queue(_QUEUE_CHUNKS)
        writer = asyncio.ensure_future(self._write(chunks, sink, up))
        try:
            await self._read(chunks, source, up)
            await writer
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _read(self, chunks, source, up):
        loop = asyncio.get_running_loop()
        head = self.proxy.rewrite_head if up else None
        held = b""
        while True:
            data = await loop.sock_recv(source, _CHUNK_BYTES)
            if head is not None:
                held += data
                rewritten = head(held) if data else held
                if rewritten is None:
                    continue
                data, head, held = rewritten, None, b""
                if not data:
                    await chunks.put((0.0, b""))
                    return
            delay = self.proxy.delay_up_s if up else self.proxy.delay_down_s
            await chunks.put((loop.time() + delay if delay else 0.0, data))
            if not data:
                return

    async def _write(self, chunks, sink, up):
        loop = asyncio.get_running_loop()
        while True:
            due, data = await chunks.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            await self.proxy.flowing.wait()
            if not data:
                sink.shutdown(socket.SHUT_WR)
                return
            limit = self.proxy.truncate_bytes
            last = False
            if not up and limit is not None and self.answered + len(data) >= limit:
                data, last = data[:max(0, limit - self.answered)], True
            await self._send_paced(sink, data, up)
            if not up:
                self.answered += len(data)
            if last:
                sink.shutdown(socket.SHUT_WR)
                raise ConnectionAbortedError("truncated as asked")

    async def _send_paced(self, sink, data, up):
        loop = asyncio.get_running_loop()
        view = memoryview(data)
        while view:
            rate = self.proxy.bytes_per_s
            piece = view[:max(1, int(rate * _PACE_S))] if rate else view
            await loop.sock_sendall(sink, piece)
            if up:
                self.proxy.bytes_up += len(piece)
            else:
                self.proxy.bytes_down += len(piece)
            view = view[len(piece):]
            if rate:
                await asyncio.sleep(len(piece) / rate)
                await self.proxy.flowing.wait()


class TcpProxy:
    """Listens on a reserved loopback port and passes everything to the target until told otherwise.

    Faults add up (a delay and a throttle, say) until heal() takes all of them away.
    """

    def __init__(self, target_port, *, target_host="127.0.0.1", rewrite_head=None, patience_s=0.0):
        """rewrite_head(first bytes of the client) returns the bytes to send instead, or None while it needs more.

        patience_s is how long a connection waits for a target that does not listen yet before it is reset.
        """
        self.patience_s = patience_s
        self.target = (target_host, target_port)
        self.rewrite_head = rewrite_head
        self.port = ports.reserve()
        self.accepted = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self.delay_up_s = 0.0
        self.delay_down_s = 0.0
        self.bytes_per_s = None
        self.truncate_bytes = None
        self.flowing = None
        self._connections = {}
        self._listener = None
        self._acceptor = None
        self._fillers = []
        self._loop = _shared_loop()
        self._call(self._open)

    @property
    def open_connections(self):
        return len(self._connections)

    def heal(self):
        """Passes everything again.  Connections that were held carry on with what they held back."""
        self._call(self._heal)

    def delay(self, milliseconds, direction="both"):
        """Each chunk arrives later by this time; throughput stays.  direction: up (to the target), down or both."""
        if direction not in ("up", "down", "both"):
            raise ValueError(f"direction must be up, down or both, not {direction!r}")

        async def act():
            if direction != "down":
                self.delay_up_s = milliseconds / 1000.0
            if direction != "up":
                self.delay_down_s = milliseconds / 1000.0
        self._call(act)

    def throttle(self, bytes_per_s):
        """Limits each direction of each connection to this rate."""
        if bytes_per_s <= 0:
            raise ValueError("bytes_per_s must be positive; mute() passes nothing at all")

        async def act():
            self.bytes_per_s = bytes_per_s
        self._call(act)

    def truncate(self, answer_bytes):
        """Ends each connection after this many bytes of the target's answer, without an error (FIN)."""
        async def act():
            self.truncate_bytes = answer_bytes
        self._call(act)

    def mute(self):
        """Accepts new connections; no byte passes any more, on old connections neither."""
        async def act():
            self.flowing.clear()
        self._call(act)

    def black_hole(self):
        """As a firewall that drops: old connections hang, a new connect() gets no answer and times out."""
        self._call(self._black_hole)

    def refuse(self, cut=True):
        """New connections are refused; with cut, the old ones are reset."""
        async def act():
            await self._stop_listening()
            if cut:
                await self._cut()
        self._call(act)

    def cut(self):
        """Resets all connections of this moment; new ones are accepted as before.  Returns how many were cut."""
        return self._call(self._cut)

    def close(self):
        """Ends the proxy and gives the port back."""
        async def act():
            await self._stop_listening()
            await self._cut()
        self._call(act)
        ports.release(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _call(self, function):
        return asyncio.run_coroutine_threadsafe(function(), self._loop).result(timeout=30)

    async def _open(self):
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._listen()

    def _listen(self):
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(_BACKLOG)
        self._acceptor = asyncio.ensure_future(self._accept_forever())

    async def _accept_forever(self):
        loop = asyncio.get_running_loop()
        while True:
            client, peer = await loop.sock_accept(self._listener)
            if peer in self._fillers:
                client.close()
                continue
            self.accepted += 1
            connection = _Connection(self, client)
            task = asyncio.ensure_future(connection.run())
            self._connections[task] = connection
            task.add_done_callback(self._forget)

    def _forget(self, task):
        # A task that is cancelled before its first step has not closed its socket.
        self._connections.pop(task).client.close()

    async def _stop_accepting(self):
        if self._acceptor is not None:
            self._acceptor.cancel()
            await asyncio.gather(self._acceptor, return_exceptions=True)
            self._acceptor = None

    async def _stop_listening(self):
        await self._stop_accepting()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _cut(self):
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    async def _black_hole(self):
        """The kernel drops a SYN when the queue of unaccepted connections is full: that queue is made tiny and full."""
        self.flowing.clear()
        if self._listener is None:
            self._listen()
        await self._stop_accepting()
        self._listener.listen(0)
        fillers = []
        loop = asyncio.get_running_loop()
        try:
            for _ in range(_FILLERS_MAX):
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                sock.setblocking(False)
                fillers.append(sock)
                await asyncio.wait_for(loop.sock_connect(sock, ("127.0.0.1", self.port)), 0.1)
                self._fillers.append(sock.getsockname())
        except asyncio.TimeoutError:
            fillers.pop().close()
        finally:
            # A closed filler stays in the kernel's queue until it is accepted.
            for sock in fillers:
                sock.close()

    async def _heal(self):
        self.delay_up_s = self.delay_down_s = 0.0
        self.bytes_per_s = self.truncate_bytes = None
        self.flowing.set()
        if self._listener is None:
            self._listen()
        elif self._acceptor is None:
            self._listener.listen(_BACKLOG)
            self._acceptor = asyncio.ensure_future(self._accept_forever())
