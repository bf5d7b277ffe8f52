"""The tree that both servers of a differential run start from: beside the reserved nodes a few under /edge whose counters
stand where no client could bring them in a lifetime, just in front of the end of 32 bits and of -1.

It is written as a snapshot of zxid 0 in Apache's format (reference storage-formats, section 4) without digests, as 3.5
wrote it, which every version reads.
"""

import struct
import zlib

INT_MAX = 2 ** 31 - 1
# path: (version, cversion, aversion).  On disk cversion counts children ever created.
EDGES = {"/edge": (0, 5, 0),
         "/edge/data": (INT_MAX - 3, 0, 0),
         "/edge/data-minus": (-4, 0, 0),
         "/edge/acl": (0, 0, INT_MAX - 3),
         "/edge/acl-minus": (0, 0, -4),
         "/edge/children": (0, INT_MAX - 4, 0),
         "/edge/children-minus": (0, -4, 0)}

_OPEN_ACL, _READ_ACL = -1, 1


def _text(text):
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def _node(path, acl=_OPEN_ACL, version=0, cversion=0, aversion=0):
    return _text(path) + struct.pack(">iqqqqqiiiqq", 0, acl, 0, 0, 0, 0, version, cversion, aversion, 0, 0)


def snapshot():
    """The bytes of the file."""
    body = struct.pack(">4siq", b"ZKSN", 2, -1) + struct.pack(">i", 0)
    body += struct.pack(">iqii", 1, _READ_ACL, 1, 1) + _text("world") + _text("anyone")
    body += _node("") + _node("/zookeeper") + _node("/zookeeper/config", acl=_READ_ACL, aversion=-1)
    body += _node("/zookeeper/quota")
    for path, (version, cversion, aversion) in EDGES.items():
        body += _node(path, version=version, cversion=cversion, aversion=aversion)
    body += _text("/")
    return body + struct.pack(">q", zlib.adler32(body)) + _text("/")


def lay_down(ensemble):
    """Into the folders of members that have not started yet."""
    for member in ensemble.members:
        folder = member.data_dir / "version-2"
        folder.mkdir(exist_ok=True)
        (folder / "snapshot.0").write_bytes(snapshot())
