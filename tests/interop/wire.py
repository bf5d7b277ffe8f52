"""ZooKeeper's client protocol, field by field: nothing is hidden, repaired or retried.

A record is a tuple of (field name, type) pairs; the tables below hold the request and the reply record of each
operation.  Types: "bool", "int", "long", "buffer" (bytes or None), "string" (str, bytes for text that is not UTF-8, or
None), "acl" (list of (permissions, scheme, id) or None), "strings", "stat", "identities".
"""

import select
import socket
import struct
import time

PERSISTENT, EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL, CONTAINER, TTL, TTL_SEQUENTIAL = range(7)
READ, WRITE, CREATE, DELETE, ADMIN, ALL = 1, 2, 4, 8, 16, 31
OPEN_ACL = [(ALL, "world", "anyone")]

EVENT_XID, PING_XID, AUTH_XID, SET_WATCHES_XID = -1, -2, -4, -8
FRAME_LIMIT_BYTES = 64 << 20

_PATH_WATCH = (("path", "string"), ("watch", "bool"))
_PATH = (("path", "string"),)
_CREATE = (("path", "string"), ("data", "buffer"), ("acl", "acl"), ("flags", "int"))
_WATCHES = (("relative_zxid", "long"), ("data", "strings"), ("exist", "strings"), ("child", "strings"))
_PATH_STAT = (("path", "string"), ("stat", "stat"))
_DATA_STAT = (("data", "buffer"), ("stat", "stat"))
_STAT = (("stat", "stat"),)

# name: (code, request record, reply record).  multi and multi_read are nested and have functions of their own.
OPERATIONS = {
    "create": (1, _CREATE, _PATH),
    "delete": (2, (("path", "string"), ("version", "int")), ()),
    "exists": (3, _PATH_WATCH, _STAT),
    "get_data": (4, _PATH_WATCH, _DATA_STAT),
    "set_data": (5, (("path", "string"), ("data", "buffer"), ("version", "int")), _STAT),
    "get_acl": (6, _PATH, (("acl", "acl"), ("stat", "stat"))),
    "set_acl": (7, (("path", "string"), ("acl", "acl"), ("version", "int")), _STAT),
    "get_children": (8, _PATH_WATCH, (("children", "strings"),)),
    "sync": (9, _PATH, _PATH),
    "ping": (11, (), ()),
    "get_children2": (12, _PATH_WATCH, (("children", "strings"), ("stat", "stat"))),
    "check": (13, (("path", "string"), ("version", "int")), ()),
    "multi": (14, None, None),
    "create2": (15, _CREATE, _PATH_STAT),
    "reconfig": (16, (("joining", "string"), ("leaving", "string"), ("members", "string"), ("version", "long")),
                 _DATA_STAT),
    "check_watches": (17, (("path", "string"), ("type", "int")), ()),
    "remove_watches": (18, (("path", "string"), ("type", "int")), ()),
    "create_container": (19, _CREATE, _PATH_STAT),
    "create_ttl": (21, _CREATE + (("ttl", "long"),), _PATH_STAT),
    "multi_read": (22, None, None),
    "auth": (100, (("type", "int"), ("scheme", "string"), ("auth", "buffer")), ()),
    "set_watches": (101, _WATCHES, ()),
    "get_ephemerals": (103, _PATH, (("ephemerals", "strings"),)),
    "get_all_children_number": (104, _PATH, (("number", "int"),)),
    "set_watches2": (105, _WATCHES + (("persistent", "strings"), ("recursive", "strings")), ()),
    "add_watch": (106, (("path", "string"), ("mode", "int")), (("code", "int"),)),
    "who_am_i": (107, (), (("identities", "identities"),)),
    "close_session": (-11, (), ()),
}
CODES = {code: name for name, (code, _, _) in OPERATIONS.items()}
_MULTI_RESULTS = {1: _PATH, 15: _PATH_STAT, 2: (), 5: _STAT, 13: (), 4: _DATA_STAT, 8: (("children", "strings"),),
                  -1: (("code", "int"),)}
_FIXED_XIDS = {"ping": PING_XID, "auth": AUTH_XID, "set_watches": SET_WATCHES_XID, "set_watches2": SET_WATCHES_XID}
STAT_FIELDS = ("czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion", "ephemeral_owner", "data_length",
               "num_children", "pzxid")
_STAT_FORMAT = struct.Struct(">qqqqiiiqiiq")
_NUMBERS = {"int": struct.Struct(">i"), "long": struct.Struct(">q"), "bool": struct.Struct(">?")}


class Malformed(Exception):
    """A reply that does not hold what its record says."""


def _pack_blob(value):
    if value is None:
        return b"\xff\xff\xff\xff"
    data = value.encode("utf-8") if isinstance(value, str) else value
    return struct.pack(">i", len(data)) + data


def _pack_vector(values, pack):
    return b"\xff\xff\xff\xff" if values is None else struct.pack(">i", len(values)) + b"".join(map(pack, values))


def _pack(kind, value):
    if kind in _NUMBERS:
        return _NUMBERS[kind].pack(value)
    if kind in ("buffer", "string"):
        return _pack_blob(value)
    if kind == "strings":
        return _pack_vector(value, _pack_blob)
    if kind == "acl":
        return _pack_vector(value, lambda entry: struct.pack(">i", entry[0]) + _pack_blob(entry[1]) +
                            _pack_blob(entry[2]))
    raise ValueError(f"no request has a field of type {kind}")


def pack_record(record, fields):
    """The bytes of a record; `fields` holds a value for each of its names."""
    return b"".join(_pack(kind, fields[name]) for name, kind in record)


def pack_multi(parts, closed=True):
    """The body of multi or multi_read; parts are (operation name, fields).  closed=False leaves out the last header."""
    body = b""
    for name, fields in parts:
        code, record, _ = OPERATIONS[name]
        body += struct.pack(">i?i", code, False, -1) + pack_record(record, fields)
    return body + (struct.pack(">i?i", -1, True, -1) if closed else b"")


def pack_body(name, fields):
    """The request record of an operation, multi included (fields["parts"])."""
    if name in ("multi", "multi_read"):
        return pack_multi(fields["parts"], fields.get("closed", True))
    return pack_record(OPERATIONS[name][1], fields)


class Reader:
    """Takes fields off the front of a payload."""

    def __init__(self, payload):
        self._payload = payload
        self._at = 0

    def take(self, count):
        if count < 0 or self._at + count > len(self._payload):
            raise Malformed(f"{count} bytes wanted at {self._at} of {len(self._payload)}")
        self._at += count
        return self._payload[self._at - count:self._at]

    def rest(self):
        return self.take(len(self._payload) - self._at)

    def number(self, kind):
        form = _NUMBERS[kind]
        return form.unpack(self.take(form.size))[0]

    def blob(self):
        size = self.number("int")
        return None if size == -1 else self.take(size)

    def string(self):
        """Text; a character beyond U+FFFF in the two forms that servers send (Apache: two halves, three bytes each) is
        one and the same.  Other bytes that are not UTF-8 become lone surrogates."""
        data = self.blob()
        if data is None:
            return None
        try:
            return data.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeError:
            return data.decode("utf-8", "surrogateescape")

    def vector(self, read):
        count = self.number("int")
        if count < -1 or count > len(self._payload):
            raise Malformed(f"a vector of {count} elements")
        return None if count == -1 else [read() for _ in range(count)]

    def field(self, kind):
        if kind in _NUMBERS:
            return self.number(kind)
        if kind == "buffer":
            return self.blob()
        if kind == "string":
            return self.string()
        if kind == "strings":
            return self.vector(self.string)
        if kind == "acl":
            return self.vector(lambda: (self.number("int"), self.string(), self.string()))
        if kind == "identities":
            return self.vector(lambda: (self.string(), self.string()))
        return dict(zip(STAT_FIELDS, _STAT_FORMAT.unpack(self.take(_STAT_FORMAT.size))))

    def record(self, record):
        return {name: self.field(kind) for name, kind in record}


def _unpack_multi(reader):
    results = []
    while True:
        kind, done, error = reader.number("int"), reader.number("bool"), reader.number("int")
        if done:
            return {"results": results, "end": (kind, error)}
        if kind not in _MULTI_RESULTS:
            raise Malformed(f"a multi result of type {kind}")
        results.append({"type": kind, "error": error, **reader.record(_MULTI_RESULTS[kind])})


def unpack_reply(name, payload):
    """{"xid", "zxid", "error", fields of the reply record when error is 0, "rest": bytes that are left over}."""
    reader = Reader(payload)
    reply = {"xid": reader.number("int"), "zxid": reader.number("long"), "error": reader.number("int")}
    if reply["error"] == 0:
        if name in ("multi", "multi_read"):
            reply.update(_unpack_multi(reader))
        else:
            reply.update(reader.record(OPERATIONS[name][2] if name in OPERATIONS else ()))
    reply["rest"] = reader.rest()
    return reply


def unpack_event(payload):
    """{"zxid", "error", "type", "state", "path", "rest"} of a frame with xid -1."""
    reader = Reader(payload)
    reader.number("int")
    return {"zxid": reader.number("long"), "error": reader.number("int"), "type": reader.number("int"),
            "state": reader.number("int"), "path": reader.string(), "rest": reader.rest()}


def session_password(session_id):
    """The 16 bytes that belong to a session id on every server."""
    state = ((session_id ^ 0xB3415C00) & (1 << 64) - 1 ^ 0x5DEECE66D) & (1 << 48) - 1
    words = b""
    for _ in range(4):
        state = (state * 0x5DEECE66D + 0xB) & (1 << 48) - 1
        words += struct.pack("<I", state >> 16 & 0xFFFFFFFF)
    return words


class Closed(Exception):
    """The server has closed the connection, or nothing listens."""


class Connection:
    """One TCP connection.  Single-threaded; every wait has a deadline; TimeoutError when it passes."""

    def __init__(self, address, deadline_s=30.0, source=None):
        host, port = address.rsplit(":", 1)
        self.deadline_s = deadline_s
        self._buffer = b""
        self.next_xid = 1
        self.session = None
        self.events = []  # as unpack_event() returns them, in the order of arrival; the owner clears it
        try:
            self._sock = socket.create_connection((host, int(port)), timeout=deadline_s,
                                                  source_address=(source, 0) if source else None)
        except OSError as error:
            raise Closed(f"{address}: {error}") from None
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_raw(self, data):
        """Bytes as they are."""
        try:
            self._sock.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from None

    def send_frame(self, payload):
        self.send_raw(struct.pack(">i", len(payload)) + payload)

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._sock], [], [], left)[0]:
            raise TimeoutError("the server does not answer")
        try:
            part = self._sock.recv(1 << 18)
        except OSError as error:
            raise Closed(str(error)) from None
        if not part:
            raise Closed("end of stream")
        self._buffer += part

    def read_frame(self, deadline_s=None):
        """The next payload; Closed or TimeoutError when none comes."""
        deadline = time.monotonic() + (self.deadline_s if deadline_s is None else deadline_s)
        while len(self._buffer) < 4:
            self._fill(deadline)
        size = struct.unpack_from(">i", self._buffer)[0]
        if not 0 <= size <= FRAME_LIMIT_BYTES:
            raise Malformed(f"a frame of {size} bytes")
        while len(self._buffer) < 4 + size:
            self._fill(deadline)
        payload, self._buffer = self._buffer[4:4 + size], self._buffer[4 + size:]
        return payload

    def handshake(self, timeout_ms=30000, session_id=0, password=bytes(16), last_zxid=0, read_only=False):
        """Connects a session; the fields of the ConnectResponse.  read_only=None leaves the optional byte out."""
        self.send_handshake(timeout_ms, session_id, password, last_zxid, read_only)
        return self.read_handshake()

    def send_handshake(self, timeout_ms=30000, session_id=0, password=bytes(16), last_zxid=0, read_only=False):
        self.send_frame(struct.pack(">iqiq", 0, last_zxid, timeout_ms, session_id) + _pack_blob(password) +
                        (b"" if read_only is None else struct.pack(">?", read_only)))

    def read_handshake(self):
        reader = Reader(self.read_frame())
        found = reader.record((("version", "int"), ("timeout_ms", "int"), ("session_id", "long"),
                               ("password", "buffer")))
        found["rest"] = reader.rest()
        self.session = found
        return found

    def send(self, name, fields, xid=None):
        """Sends one request without waiting; returns the xid that its reply will have."""
        if xid is None:
            xid = _FIXED_XIDS.get(name)
        if xid is None:
            xid = self.next_xid
            self.next_xid += 1
        self.send_frame(struct.pack(">ii", xid, OPERATIONS[name][0]) + pack_body(name, fields))
        return xid

    def read_reply(self, name, deadline_s=None):
        """The next reply; events that come before it go to `events`."""
        while True:
            payload = self.read_frame(deadline_s)
            if len(payload) >= 4 and payload[:4] == b"\xff\xff\xff\xff":
                self.events.append(unpack_event(payload))
                continue
            return unpack_reply(name, payload)

    def call(self, name, **fields):
        """One request and its reply."""
        self.send(name, fields)
        return self.read_reply(name)

    def drain_until_closed(self, deadline_s=5.0):
        """Reads frames until the server closes; what came.  TimeoutError when it does not close."""
        frames = []
        deadline = time.monotonic() + deadline_s
        while True:
            try:
                frames.append(self.read_frame(max(0.0, deadline - time.monotonic())))
            except Closed:
                return frames

    @property
    def socket(self):
        """For select(); see holds_frame()."""
        return self._sock

    def holds_frame(self):
        """Whether a whole frame has been read from the socket and waits here."""
        return len(self._buffer) >= 4 and len(self._buffer) >= 4 + struct.unpack_from(">i", self._buffer)[0]

    def is_open(self):
        """False when the server has closed and nothing is left to read."""
        if self._buffer or not select.select([self._sock], [], [], 0)[0]:
            return True
        try:
            return bool(self._sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


def create_fields(path, data=b"", acl=None, flags=PERSISTENT, **more):
    """The fields of the create family with the usual values."""
    return {"path": path, "data": data, "acl": OPEN_ACL if acl is None else acl, "flags": flags, **more}


