"""Random sequences of what clients do to a server, the same for the same seed and the same answers.

A step is a dict that JSON can hold (bytes as {"hex": …}), with "do" and, but for a few, "client".  What a step does is
told by Side in differential.py.

Left out on purpose, because 3.9.5 misbehaves and Watchkeeper deliberately does not (each has a test of its own):
createTTL without a TTL mode and a negative ttl; quota nodes; deleteContainer and createSession from a client;
createContainer with an ephemeral mode; create with mode 4 outside multi; null paths and null ACLs inside multi.  The
nodes of beginning.py are not written to in a pipeline: what 3.9.5 makes of a counter that overflows depends on whether
the change before has been applied.  In a pipeline nothing follows setACL: 3.9.5 judges what does by the old list or by the new one, as its threads happen to run
(PrepRequestProcessor puts no ACL into the outstanding change; seen as two Apache servers that disagree).  Nor has a
pipeline pings: those of Watchkeeper overtake, so that a slow disk does not look like a dead server.
"""

import collections
import random
import struct

import beginning
import wire

_NAMES = ("a", "b", "c", "d")
_ODD_NAMES = ("é", "名前", "a b", "...", "a.", ".a", "..a", "A" * 300, "\ud7ff", "\uffef", "%20", "0000000001")
_BAD_PATHS = ("", "a", "//", "/a//b", "/a/", "/a/.", "/./a", "/a/..", "/a/../b", "/a\0", "/\0", "/a\x01b", "/a\x1f",
              "/\x7f", "/\x9f", "/\ue000", "/\uf8ff", "/\ufff0", "/\uffff", "/x\U0001f600", b"/\xff\xfe", b"/a/\xc0\x80")
_RESERVED = ("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config")
_DIGESTS = ("u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=", "v:other=", ":b", "a:b:")
_CREDENTIALS = (b"u:p", b"v:w", b"super:test", b"without colon", b"", b"u:p:q", "ü:ß".encode())
_LONG_TTLS = (3_600_000, 2 ** 40 - 1, 2 ** 40, 0, -1, -5, 2 ** 62, -2 ** 63)
_ODD_ENTRIES = ((31, "world", None), (31, None, None), (1, None, "x"), (31, "auth", None), (31, "digest", None),
                (31, "ip", None), (31, "super", None), (31, "sasl", None), (31, "x509", "CN=a"), (31, "World", "anyone"),
                (-1, "world", "anyone"), (64, "world", "anyone"), (31, "digest", b"u\xff:p"), (31, "digest", "::"),
                (31, "digest", "a:b::"), (31, "digest", "\U0001f600:x"), (31, "ip", "127.0.0.1/0"), (31, "ip", "127.0.0.1/"),
                (31, "ip", "/8"), (31, "ip", "127.0.0.1/+8"), (31, "ip", "127.0.0.01"), (31, "ip", "127.0.0.256"),
                (31, "ip", "::"), (31, "ip", "1::2::3"), (31, "ip", "::1/129"), (31, "ip", "::ffff:1.2.3.4"), (31, "ip", ""))
_LENGTHS = (0, 1, 2, 100, 2 ** 16, 2 ** 30, 2 ** 31 - 1, -1, -2, -5, -2 ** 31)
_DECODED_CODES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15, 16, 17, 18, 19, 21, 22, 100, 101, 102, 103, 104, 105, 106, 107)
_UNKNOWN_CODES = (0, -1, 10, 13, 23, 50, 99, 108, 888, -2, 2 ** 31 - 1, -2 ** 31)

READS = {"exists": 6, "get_data": 8, "get_acl": 4, "get_children": 4, "get_children2": 4, "sync": 1, "ping": 1,
         "get_ephemerals": 1, "get_all_children_number": 2, "who_am_i": 1, "multi_read": 2}
WRITES = {"create": 14, "create2": 8, "create_container": 2, "create_ttl": 3, "delete": 12, "set_data": 8, "set_acl": 3,
          "multi": 8, "reconfig": 0.2}
WATCHES = {"add_watch": 3, "check_watches": 1, "remove_watches": 2, "set_watches": 1, "set_watches2": 1}
SPECIAL = {"auth": 1.5, "raw": 2.5, "close": 0.6, "cut": 0.8, "expire": 0.05, "probe": 0.5, "checkpoint": 0.2,
           "faulty": 3, "edge": 1.5, "crowd": 0.15}


class Feedback:
    """What the answers so far told: read by the generator, kept by the runner."""

    def __init__(self):
        self.paths = []       # created, newest last
        self.zxid = 0
        self.states = {}      # client: "live", "cut" (the session may be resumed) or absent (no session)
        self.versions = {}    # path: version last seen


class Generator:
    """Steps for `clients` clients; next_step() looks at the feedback, otherwise only at its seed."""

    def __init__(self, seed, clients=4, reaping=False, restarts=False, pipelining=0.15, create2_in_multi=True):
        self.seed = seed
        self._create2_in_multi = create2_in_multi
        self._random = random.Random(seed)
        self._clients = clients
        self._reaping = reaping
        self._pipelining = pipelining
        table = {**READS, **WRITES, **WATCHES, **SPECIAL}
        if reaping:
            table.update({"create_container": 12, "create_ttl": 12, "delete": 20, "expire": 0, "multi": 2, "raw": 0,
                          "probe": 0, "crowd": 0})
        if restarts:
            table["restart"] = 0.5
        self._names, self._weights = list(table), list(table.values())
        self.feedback = Feedback()
        self._planned = collections.deque()  # steps of live clients that are to come before any other

    def next_step(self):
        while self._planned:
            step = self._planned.popleft()
            if self.feedback.states.get(step["client"]) == "live":
                return step
        client = self._random.randrange(self._clients)
        state = self.feedback.states.get(client)
        if state is None:
            return {"do": "connect", "client": client, "timeout_ms": self._random.choice((30000, 40000, 10 ** 6)),
                    "read_only": self._random.choice((False, True, None))}
        if state == "cut":
            return self._return_of(client)
        name = self._random.choices(self._names, self._weights)[0]
        if name in wire.OPERATIONS:
            if name not in ("auth", "set_watches", "set_watches2") and self._random.random() < self._pipelining:
                return self._pipeline(client, name)
            return {"do": "request", "client": client, "op": name, "fields": self._fields(name)}
        return getattr(self, "_" + name)(client)

    # Paths, data and lists.

    def _path(self, bad=0.02):
        chance = self._random.random()
        if chance < bad:
            return self._random.choice(_BAD_PATHS)
        if chance < bad + 0.03:
            return self._random.choice(_RESERVED)
        if chance < 0.3 and self.feedback.paths:
            return self._random.choice(self.feedback.paths[-200:])
        depth = self._random.choices((1, 2, 3, 4), (4, 4, 2, 1))[0]
        return "".join("/" + self._name() for _ in range(depth))

    def _name(self):
        return self._random.choice(_ODD_NAMES if self._random.random() < 0.04 else _NAMES)

    def _paths(self):
        return None if self._random.random() < 0.03 else [self._nullable_path() for _ in range(self._random.randrange(5))]

    def _nullable_path(self):
        return None if self._random.random() < 0.015 else self._path()

    def _data(self):
        kind = self._random.random()
        if kind < 0.1:
            return None
        if kind < 0.2:
            return b""
        size = 100 if kind < 0.95 else 5000 if kind < 0.998 else 300_000
        return self._random.randbytes(self._random.randrange(size))

    def _version(self, path):
        kind = self._random.random()
        if kind < 0.55:
            return -1
        if kind < 0.85:
            return self.feedback.versions.get(path, 0) if isinstance(path, str) else 0
        return self._random.choice((0, 1, 2, 3, -2, 2 ** 31 - 1, -2 ** 31))

    def _acl(self, null=0.01):
        kind = self._random.random()
        if kind < 0.65:
            return [[wire.ALL, "world", "anyone"]]
        if kind < 0.65 + null:
            return None
        if kind < 0.69:
            return []
        return [self._acl_entry() for _ in range(self._random.choices((1, 2, 3), (6, 3, 1))[0])]

    def _acl_entry(self):
        if self._random.random() < 0.04:
            return list(self._random.choice(_ODD_ENTRIES))
        perms = self._random.choice((wire.ALL, wire.ALL, wire.READ, wire.READ | wire.CREATE, wire.ALL ^ wire.READ,
                                     wire.ADMIN, 0, wire.READ | wire.WRITE | wire.DELETE))
        scheme = self._random.choices(("world", "auth", "digest", "ip", "bad"), (8, 4, 4, 3, 1))[0]
        if scheme == "world":
            return [perms, "world", "anyone" if self._random.random() < 0.97 else "other"]
        if scheme == "auth":
            return [perms, "auth", self._random.choice(("", "x", None))]
        if scheme == "digest":
            return [perms, "digest", self._random.choice(_DIGESTS + ("a", "a:", "") if self._random.random() < 0.1
                                                         else _DIGESTS)]
        if scheme == "ip":
            return [perms, "ip", self._random.choice(("127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "::1", "127.0.0.1/33",
                                                      "1.2.3", "0.0.0.0/0", "fe80::/10"))]
        return [perms, self._random.choice(("super", "sasl", "x509", "nobody", "", None)), "x"]

    # The record of each operation.

    def _fields(self, name):
        make = getattr(self, "_fields_of_" + name, None)
        if make is not None:
            return make()
        record = wire.OPERATIONS[name][1]
        fields = {}
        for field, kind in record:
            fields[field] = self._nullable_path() if field == "path" else self._random.random() < 0.35
            assert kind in ("string", "bool"), f"{name}.{field}"
        return fields

    def _create(self, flags, path=None, null=0.01):
        path = self._path() if path is None else path
        if flags in (2, 3, 6) and self._random.random() < 0.1 and isinstance(path, str):
            path += "/"
        return {"path": path, "data": self._data(), "acl": self._acl(null), "flags": flags}

    def _fields_of_create(self):
        flags = self._random.choices((0, 1, 2, 3, 5, 6, 7, -1), (50, 18, 14, 14, 1, 1, 1, 1))[0]
        return self._create(flags, self._nullable_path())

    _fields_of_create2 = _fields_of_create

    def _fields_of_create_container(self):
        return self._create(self._random.choices((4, 0, 2, 9), (20, 2, 2, 1))[0])

    def _ttl(self):
        if self._reaping:
            return self._random.choices((1, 50) + _LONG_TTLS, (40, 10) + (1,) * len(_LONG_TTLS))[0]
        return self._random.choices(_LONG_TTLS, (60,) + (3,) * (len(_LONG_TTLS) - 1))[0]

    def _fields_of_create_ttl(self):
        if self._random.random() < 0.05:
            return {**self._create(self._random.choice((0, 1, 2, 3, 4))), "ttl": self._random.choice((0, 1, 10 ** 6))}
        return {**self._create(self._random.choice((5, 5, 6))), "ttl": self._ttl()}

    def _fields_of_delete(self):
        path = self._nullable_path()
        return {"path": path, "version": self._version(path)}

    _fields_of_check = _fields_of_delete

    def _fields_of_set_data(self):
        path = self._nullable_path()
        return {"path": path, "data": self._data(), "version": self._version(path)}

    def _fields_of_set_acl(self):
        path = self._nullable_path()
        # A closed root would turn all that follows into one error.
        acl = [[wire.ALL, "world", "anyone"]] if path in ("", "/") else self._acl()
        return {"path": path, "acl": acl, "version": self._random.choice((-1, -1, -1, 0, 1))}

    def _fields_of_reconfig(self):
        return {"joining": None, "leaving": "1", "members": None, "version": -1}

    def _watch_type(self):
        return self._random.choices((1, 2, 3, 4, 5, 0, 6), (8, 8, 8, 8, 8, 1, 1))[0]

    def _fields_of_check_watches(self):
        return {"path": self._nullable_path(), "type": self._watch_type()}

    _fields_of_remove_watches = _fields_of_check_watches

    def _fields_of_add_watch(self):
        return {"path": self._nullable_path(), "mode": self._random.choices((0, 1, 2, -1), (20, 20, 1, 1))[0]}

    def _fields_of_set_watches(self):
        zxid = self._random.choice((0, self.feedback.zxid, max(0, self.feedback.zxid - 5), self.feedback.zxid - 50,
                                    2 ** 62, -1))
        return {"relative_zxid": zxid, "data": self._paths(), "exist": self._paths(), "child": self._paths()}

    def _fields_of_set_watches2(self):
        return {**self._fields_of_set_watches(), "persistent": self._paths(), "recursive": self._paths()}

    def _fields_of_auth(self):
        if self._random.random() < 0.9:
            return {"type": 0, "scheme": "digest", "auth": self._random.choice(_CREDENTIALS)}
        return {"type": 0, "scheme": self._random.choice(("ip", "world", "auth", "nobody", "sasl", "", "digest")),
                "auth": self._random.choice((b"", b"x", None))}

    def _part(self):
        name = self._random.choices(("create", "create2", "create_container", "create_ttl", "delete", "set_data",
                                     "check"), (10, 6, 2, 2, 8, 6, 6))[0]
        path = self._path()
        if name == "create2" and not self._create2_in_multi:
            name = "create"
        if name in ("create", "create2"):
            flags = self._random.choices((0, 1, 2, 3, 4, 7, 5), (60, 15, 15, 15, 3, 0.5, 0.5))[0]
            return [name, self._create(flags, path, null=0)]
        if name == "create_container":
            return [name, self._create(self._random.choices((4, 0, 2), (20, 1, 1))[0], path, null=0)]
        if name == "create_ttl":
            flags = self._random.choices((5, 6, 0, 7), (20, 5, 1, 1))[0]
            return [name, {**self._create(flags, path, null=0), "ttl": self._random.choice(_LONG_TTLS[:3])}]
        if name == "set_data":
            return [name, {"path": path, "data": self._data(), "version": self._version(path)}]
        return [name, {"path": path, "version": self._version(path)}]

    def _fields_of_multi(self):
        parts = [self._part() for _ in range(self._random.choices((0, 1, 2, 3, 4, 8), (1, 4, 6, 4, 3, 1))[0])]
        if parts and self._random.random() < 0.06:
            name = self._random.choice(("get_data", "get_children", "set_acl", "exists", "sync", "get_acl"))
            parts[self._random.randrange(len(parts))] = [name, self._fields(name)]
        return {"parts": parts, "closed": self._random.random() > 0.02}

    def _fields_of_multi_read(self):
        parts = [[self._random.choice(("get_data", "get_children")),
                  {"path": self._path(), "watch": self._random.random() < 0.3}]
                 for _ in range(self._random.randrange(6))]
        if parts and self._random.random() < 0.04:
            parts[self._random.randrange(len(parts))] = ["delete", {"path": "/a", "version": -1}]
        return {"parts": parts}

    # What is more than one request on a live connection.

    def _pipeline(self, client, first):
        table = {**READS, **WRITES}
        names = [first] + self._random.choices(list(table), list(table.values()), k=self._random.randrange(1, 25))
        if "set_acl" in names:
            del names[names.index("set_acl") + 1:]
        names = [name for name in names if name != "ping"] or ["exists"]
        return {"do": "pipeline", "client": client, "requests": [[name, self._fields(name)] for name in names]}

    def _raw(self, client):
        kind = self._random.randrange(10)
        if kind >= 6:
            payload = _header(79, self._random.choice(_DECODED_CODES)) + self._odd_body()
        elif kind == 0:
            code = self._random.choice(_UNKNOWN_CODES)
            payload = _header(77, code) + self._random.randbytes(self._random.randrange(8))
        elif kind == 1:
            payload = self._random.randbytes(self._random.randrange(8))  # shorter than a header
        else:
            name = self._random.choice(("create", "create2", "delete", "set_data", "get_data", "exists", "get_children2",
                                        "get_acl", "set_acl", "sync", "add_watch", "remove_watches", "who_am_i",
                                        "create_ttl"))
            body = wire.pack_body(name, self._fields(name))
            if kind < 5:
                body = body[:self._random.randrange(len(body) + 1)]
            else:
                body += self._random.randbytes(self._random.randrange(1, 9))
            payload = _header(78, wire.OPERATIONS[name][0]) + body
        return {"do": "raw", "client": client, "payload": payload}

    def _odd_body(self):
        """What no client writes: lengths and numbers that fit nothing, behind a path or at once."""
        body = wire.pack_record((("path", "string"),), {"path": self._path()}) if self._random.random() < 0.6 else b""
        for _ in range(self._random.randrange(4)):
            body += struct.pack(">i", self._random.choice(_LENGTHS))
        return body + self._random.choice((b"", b"\0", b"\xff", b"\xff" * 3, bytes(5)))

    def _faulty(self, client):
        """A request with more than one fault: which one is told?"""
        name = self._random.choice(("create", "create2", "create_container", "create_ttl", "set_acl", "set_data", "delete",
                                    "multi"))
        faults = self._faults()
        if name == "multi":
            part = self._random.choice(("create", "set_data", "delete", "check"))
            fields = {"parts": [self._part(), [part, {key: faults[key] for key, _ in wire.OPERATIONS[part][1]}],
                                self._part()]}
            fields["parts"][1][1]["path"] = faults["path"] or ""
            if fields["parts"][1][1].get("acl", ()) is None:
                fields["parts"][1][1]["acl"] = []
        else:
            fields = {key: faults[key] for key, _ in wire.OPERATIONS[name][1]}
            if name == "create_container":
                fields["flags"] = self._random.choice((4, 0, 2, 9))
            if name == "create_ttl":
                fields["flags"] = self._random.choice((5, 6))
        return {"do": "request", "client": client, "op": name, "fields": fields}

    def _faults(self):
        below = self.feedback.paths[-1 - self._random.randrange(min(50, len(self.feedback.paths)))] + "/x" \
            if self.feedback.paths else "/x"
        return {"path": self._random.choice((None, "", "x", "/missing/x", "/zookeeper", "/zookeeper/config", "/", "/a", below,
                                             below, self._path(), self._random.choice(_BAD_PATHS))),
                "data": self._data(),
                "acl": self._random.choice((None, [], [list(self._random.choice(_ODD_ENTRIES))],
                                            [[31, "world", "anyone"], list(self._random.choice(_ODD_ENTRIES))],
                                            [[0, "world", "anyone"]], [[31, "auth", ""]], [[31, "world", "anyone"]])),
                "flags": self._random.choice((0, 1, 2, 3, 5, 7, -1, 99)),
                "version": self._random.choice((-1, 0, 7, -2)),
                "ttl": self._random.choice((0, 1, 3_600_000, 2 ** 40, 2 ** 62))}

    def _edge(self, client):
        """Counters at the end of what 32 bits hold."""
        path = self._random.choice(list(beginning.EDGES))
        child = f"{path}/{self._random.choice(('s-', 't-', 'x', 'y', ''))}"
        name = self._random.choice(("set_data", "set_data", "set_acl", "create", "create", "create2", "delete", "multi",
                                    "get_children2", "get_data", "get_acl"))
        if name in ("create", "create2"):
            fields = {"path": child, "data": b"", "acl": _open_acl(), "flags": self._random.choice((0, 2, 2, 3))}
        elif name == "set_acl":
            fields = {"path": path, "acl": _open_acl(),
                      "version": self._random.choice((-1, -1, -1, 2 ** 31 - 1, -2 ** 31, -2))}
        elif name == "set_data":
            fields = {"path": path, "data": b"e",
                      "version": self._random.choice((-1, -1, -1, 2 ** 31 - 1, -2 ** 31, -2))}
        elif name == "delete":
            children = [known for known in self.feedback.paths if known.startswith("/edge/")]
            fields = {"path": self._random.choice(children or ["/edge/none"]), "version": -1}
        elif name == "multi":
            fields = {"parts": [["create", {"path": child, "data": b"", "acl": _open_acl(), "flags": 2}],
                                ["set_data", {"path": path, "data": b"m", "version": -1}],
                                ["create2", {"path": child, "data": b"", "acl": _open_acl(), "flags": 2}],
                                ["check", {"path": path, "version": self._random.choice((-1, -2 ** 31, -2, 0))}]]}
        else:
            fields = {"path": path, "watch": False} if name != "get_acl" else {"path": path}
        return {"do": "request", "client": client, "op": name, "fields": fields}

    def _crowd(self, client):
        """Many children at once, then what lists and counts them, then some go and others come."""
        parent = self._path(bad=0)
        names = [f"{parent}/{'n' * self._random.randrange(1, 60)}{number}" for number in
                 range(self._random.randrange(20, 200))]
        flags = self._random.choice((0, 1, 2))
        requests = [["create", {"path": parent, "data": b"", "acl": _open_acl(), "flags": 0}]]
        requests += [["create", {"path": name, "data": b"", "acl": _open_acl(), "flags": flags}] for name in names]
        requests += [["delete", {"path": name, "version": -1}] for name in names[::2]]
        listings = [["get_children2", {"path": parent, "watch": True}], ["get_all_children_number", {"path": "/"}],
                    ["get_ephemerals", {"path": parent}]]
        for name, fields in listings:
            self._planned.append({"do": "request", "client": client, "op": name, "fields": fields})
        return {"do": "pipeline", "client": client, "requests": requests}

    def _auth(self, client):
        return {"do": "request", "client": client, "op": "auth", "fields": self._fields_of_auth()}

    def _close(self, client):
        return {"do": "close", "client": client}

    def _cut(self, client):
        return {"do": "cut", "client": client}

    def _expire(self, client):
        return {"do": "expire", "client": client}

    def _restart(self, _client):
        return {"do": "restart", "how": self._random.choice(("stop", "kill"))}

    def _checkpoint(self, _client):
        return {"do": "checkpoint"}

    def _probe(self, client):
        kind = self._random.choice(("timeout", "unknown", "password", "ahead", "long password", "garbage"))
        step = {"do": "probe", "kind": kind, "client": client,
                "read_only": self._random.choice((False, True, None))}
        if kind == "timeout":
            step["timeout_ms"] = self._random.choice((0, -5, 1, 2 ** 31 - 1, -2 ** 31, 1500, 30000))
        if kind == "garbage":
            step["payload"] = self._random.randbytes(self._random.randrange(30))
        return step

    def _return_of(self, client):
        if self._random.random() < 0.15:
            return {"do": "resume", "client": client, "wrong_password": True}
        # What libraries do once they are back: their watches, as of what they had seen.
        for _ in range(self._random.randrange(3)):
            fields = self._fields_of_set_watches2()
            fields["relative_zxid"] = max(0, self.feedback.zxid - self._random.randrange(40))
            self._planned.append({"do": "request", "client": client, "op": "set_watches2", "fields": fields})
        return {"do": "resume", "client": client, "timeout_ms": self._random.choice((30000, 40000, 10 ** 6)),
                "behind": self._random.random() < 0.3}


def _open_acl():
    return [list(entry) for entry in wire.OPEN_ACL]


def _header(xid, code):
    return xid.to_bytes(4, "big", signed=True) + code.to_bytes(4, "big", signed=True)
