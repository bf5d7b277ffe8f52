"""Data folders of Apache ZooKeeper, read and written anew by our storage library, byte for byte, and started from again.

The tree is filled through a real server with every kind of transaction that one client can cause. Then the server is
killed, its folder is read by our readers and written by our writers (storage_probe), the files are compared, and the
server starts from ours: same tree, same stats, same ACLs, no digest mismatch.

And folders in which files of watchkeeperd are damaged or missing: what was acknowledged does not go away in silence.
"""

import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import time
import unittest
import urllib.request

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.security import make_digest_acl

from lab import apache, process, watchkeeperd

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


class DamagedFiles(unittest.TestCase):
    def make(self, **settings):
        ensemble = watchkeeperd.WatchkeeperEnsemble(1, extra_cfg={"preAllocSize": 64, **settings})
        self.ensemble = self.enterContext(ensemble)
        self.member, = ensemble.members
        self.folder = self.member.data_dir / "version-2"
        ensemble.wait_until_serving()

    def numbers(self, kind):
        """The numbers in the names of the logs or snapshots, rising."""
        return sorted(int(path.suffix[1:], 16) for path in self.folder.glob(f"{kind}.*"))

    def path(self, kind, number):
        return self.folder / f"{kind}.{number:x}"

    def zxid(self):
        return int(self.member.ask("srvr").split("Zxid: ")[1].split()[0], 16)

    def create(self, *paths, data=b""):
        look(self.ensemble, lambda client: [client.create(path, data) for path in paths])

    def names(self):
        return set(look(self.ensemble, lambda client: client.get_children("/")))

    def start(self, *flags):
        self.ensemble.flags = list(flags)
        self.member.start()
        self.ensemble.wait_until_serving()

    def contents(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.name != "watchkeeper.lock"}

    def refused(self, says):
        """Starts, which must end with status 1, tell `says` and name the way out, and change nothing."""
        before = self.contents()
        length = len(self.member.log())
        self.ensemble.flags = []
        self.member.start()
        self.assertEqual(self.member.process.wait(30), 1)
        told = self.member.log()[length:]
        self.assertRegex(told, says)
        self.assertIn("start once with --accept-loss", told)
        self.assertEqual(self.contents(), before)

    def accepted(self, kept):
        """Starts with the order, then without it: there are these znodes, and writes are taken."""
        self.start("--accept-loss")
        self.assertEqual(self.names() - {"zookeeper"}, kept)
        url = f"http://127.0.0.1:{self.member.metrics_port}/api/v1/events"
        with urllib.request.urlopen(url, timeout=5) as response:
            started = [event for event in json.load(response)["events"] if event["type"] == "server_started"][-1]
        self.assertEqual(started["severity"], "critical")
        self.assertIn(". Lost: ", started["text"])
        self.create("/after")
        self.member.kill()
        self.start()
        self.assertEqual(self.names() - {"zookeeper"}, kept | {"after"})

    def fill_with_snapshots(self):
        """Two snapshots or more behind snapshot.0, and a log behind each; every znode with the zxid that created it."""
        self.make(snapCount=12)
        created = {}
        while len(self.numbers("snapshot")) < 3 or self.zxid() == self.numbers("snapshot")[-1]:
            name = f"n{len(created)}"
            self.create(f"/{name}")
            created[name] = look(self.ensemble, lambda client, path=f"/{name}": client.exists(path).czxid)
        process.wait_for(lambda: not list(self.folder.glob("tmp.*")), 10, "the snapshots")
        self.member.kill()
        return created

    @staticmethod
    def damage(path, at=None):
        data = bytearray(path.read_bytes())
        data[len(data) // 2 if at is None else at] ^= 1
        path.write_bytes(data)

    def test_a_flipped_byte_of_the_log(self):
        self.make()
        self.create("/a")
        self.create("/victim")
        self.create("/b")
        self.member.kill()
        log, = self.folder.glob("log.*")
        self.damage(log, log.read_bytes().index(b"/victim"))
        damaged = log.read_bytes()
        self.refused(rf"{log.name} at byte \d+: the checksum of the record does not match its bytes \(one byte is wrong\)")
        self.accepted({"a"})
        self.assertEqual((self.folder / f"lost.{log.name}").read_bytes(), damaged)

    def test_a_log_file_that_is_missing_behind_the_snapshot(self):
        self.fill_with_snapshots()
        for number in self.numbers("snapshot")[1:]:
            self.damage(self.path("snapshot", number))
        first, second, *_ = self.numbers("log")
        self.path("log", first).unlink()
        self.refused(f"log.{second:x} at byte 16: it goes on with transaction 0x{second:x}, but what stands before it ends "
                     f"with 0x0: transactions 0x1 to 0x{second - 1:x} are missing")
        self.accepted(set())

    def test_a_damaged_snapshot_that_the_log_does_not_reach(self):
        created = self.fill_with_snapshots()
        *_, older, newest = self.numbers("snapshot")
        self.damage(self.path("snapshot", newest))
        for number in self.numbers("log"):
            if number > older:
                self.path("log", number).unlink()
        self.refused(f"transactions 0x{older + 1:x} to 0x{newest:x} are missing: .*snapshot.{newest:x} tells by its name")
        kept = {name for name, zxid in created.items() if zxid <= older}
        self.assertTrue(0 < len(kept) < len(created))
        self.accepted(kept)
        self.assertTrue((self.folder / f"lost.snapshot.{newest:x}").exists())

    def test_the_empty_file_of_a_crash_behind_a_long_record(self):
        self.make(**{"jute.maxbuffer": 8_000_000})
        self.create("/long", data=bytes(3_000_000))
        path = self.path("log", self.zxid() + 1)
        self.member.kill()
        path.write_bytes(next(self.folder.glob("log.*")).read_bytes()[:16] + bytes(65536))
        for name in ("first", "second"):
            self.start()
            self.create(f"/{name}")
            self.member.kill()
        self.start()
        self.assertLessEqual({"long", "first", "second"}, self.names())


if __name__ == "__main__":
    unittest.main()
