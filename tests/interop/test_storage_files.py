"""Data folders of Apache ZooKeeper, read and written anew by our storage library, byte for byte, and started from again.

The tree is filled through a real server with every kind of transaction that one client can cause. Then the server is
killed, its folder is read by our readers and written by our writers (storage_probe), the files are compared, and the
server starts from ours: same tree, same stats, same ACLs, no digest mismatch.
"""

import gzip
import os
import pathlib
import random
import shutil
import subprocess
import time
import unittest

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import make_digest_acl

from lab import apache

PROBE = pathlib.Path(os.environ["WK_BIN"]) / "storage_probe"
PREALLOCATION_KB = 1024
SNAP_COUNT = 60


def fill(client, seed):
    """Random operations, failing ones among them; every answer is awaited, so the server flushes each record."""
    chance = random.Random(seed)
    paths = []
    for number in range(250):
        path = f"/n{number % 40}" + (f"/c{number}" if number % 3 else "")
        try:
            match number % 8:
                case 0:
                    client.ensure_path(f"/n{number % 40}")
                case 1:
                    client.create(path, chance.randbytes(chance.randrange(300)), makepath=True)
                    paths.append(path)
                case 2:
                    client.create(path, bytes(chance.randrange(6000)), acl=[make_digest_acl("u", "p", all=True)],
                                  makepath=True)
                case 3:
                    client.create("/seq-", b"", sequence=True, ephemeral=number % 2 == 0)
                case 4:
                    client.set(chance.choice(paths or ["/"]), "ünï€".encode() * chance.randrange(20))
                case 5:
                    client.delete(chance.choice(paths or ["/none"]))
                case 6:
                    transaction = client.transaction()
                    transaction.create(f"/multi{number}", b"m")
                    transaction.set_data(f"/multi{number}", b"n")
                    transaction.check(f"/multi{number}", 1 if chance.random() < 0.7 else 9)
                    transaction.commit()
                case 7:
                    client.set_acls(chance.choice(paths or ["/"]), client.get_acls("/")[0])
        except KazooException:
            pass
    client.create("/large", chance.randbytes(900_000))


def tree(client, path="/"):
    """Every znode that outlives its session: path → data, stat, ACL."""
    found = {}
    for name in sorted(client.get_children(path)):
        below = path.rstrip("/") + "/" + name
        data, stat = client.get(below)
        if stat.ephemeralOwner == 0 and not below.startswith("/zookeeper"):
            found[below] = (data, stat, client.get_acls(below)[0])
            found.update(tree(client, below))
    return found


def look(ensemble, action):
    client = KazooClient(ensemble.connect_string, timeout=20)
    client.start(timeout=30)
    try:
        client.add_auth("digest", "u:p")
        return action(client)
    finally:
        client.stop()
        client.close()


def wait_until_snapshots_are_whole(member):
    """Snapshots are written beside the requests that follow: as many must be done as there are files, twice in a row."""
    def under_way():
        files = sum(path.name.startswith("snapshot.") for path in (member.data_dir / "version-2").iterdir())
        return files - int(float(member.mntr()["zk_cnt_snapshottime"]))
    until = time.monotonic() + 30
    calm = 0
    while calm < 2:
        left = under_way()
        calm = calm + 1 if left == 0 else 0
        if time.monotonic() > until:
            raise AssertionError(f"{left} snapshots are not done after 30 s")
        time.sleep(0.2)


class StorageFiles(unittest.TestCase):
    def recode(self, source, target):
        target.mkdir(parents=True)
        run = subprocess.run([PROBE, "recode", source, target, str(PREALLOCATION_KB << 10)], capture_output=True,
                             text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertNotIn("finding", run.stdout)
        return run.stdout

    def compare(self, theirs, ours, compression):
        names = sorted(path.name for path in theirs.iterdir() if path.name.startswith(("log.", "snapshot.")))
        self.assertEqual(names, sorted(path.name for path in ours.iterdir()))
        self.assertGreaterEqual(sum(name.startswith("log.") for name in names), 3, names)
        self.assertGreaterEqual(sum(name.startswith("snapshot.") for name in names), 3, names)
        for name in names:
            their_bytes, our_bytes = (theirs / name).read_bytes(), (ours / name).read_bytes()
            if name.endswith(".gz"):
                their_bytes, our_bytes = gzip.decompress(their_bytes), gzip.decompress(our_bytes)
            if name.endswith(".snappy"):
                self.assertEqual(their_bytes[:16], our_bytes[:16], name)
                continue
            self.assertEqual(len(their_bytes), len(our_bytes), name)
            self.assertTrue(their_bytes == our_bytes, f"{name}: contents differ")
        if compression:
            self.assertTrue(any(name.endswith("." + compression) for name in names), names)

    def cycle(self, version, compression="", digest=True):
        settings = {"preAllocSize": PREALLOCATION_KB, "snapCount": SNAP_COUNT}
        if compression:
            settings["snapshot.compression.method"] = compression
        if not digest:
            settings["digest.enabled"] = "false"
        path = apache.release(version) if version else None
        with apache.ApacheEnsemble(1, extra_cfg=settings, apache_class_path=path, heap_mb=128) as ensemble:
            ensemble.wait_until_serving()
            member = ensemble.members[0]
            look(ensemble, lambda client: fill(client, version or "debian"))
            before = look(ensemble, tree)
            self.assertGreater(len(before), 60)
            wait_until_snapshots_are_whole(member)
            member.kill()
            theirs = member.data_dir / "version-2"
            ours = member.data_dir / "ours"
            told = self.recode(theirs, ours)
            self.assertRegex(told, r"log \d{3,} records, last 0x")
            self.compare(theirs, ours, compression)
            shutil.rmtree(theirs)
            ours.rename(theirs)
            member.start()
            ensemble.wait_until_serving()
            self.assertEqual(look(ensemble, tree), before)
            if digest:
                self.assertEqual(float(member.mntr().get("zk_digest_mismatches_count", 0)), 0)

    def test_debian(self):
        self.cycle(None)

    def test_debian_gzip(self):
        self.cycle(None, "gz")

    def test_3_9_5(self):
        self.cycle("3.9.5")

    def test_3_9_5_snappy(self):
        self.cycle("3.9.5", "snappy")

    def test_3_9_5_without_digests(self):
        self.cycle("3.9.5", digest=False)


if __name__ == "__main__":
    unittest.main()
