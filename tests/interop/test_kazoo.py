"""kazoo as Debian ships it, unchanged: sessions, data, watches, transactions, ACLs and every recipe."""

import collections
import concurrent.futures
import datetime
import threading
import time
import unittest

import servers
from kazoo import client as kazoo_client
from kazoo import exceptions
from kazoo.protocol import states
from kazoo.recipe import partitioner
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch
from kazoo.security import make_acl, make_digest_acl
from lab import process, proxy
from server_case import ServerCase

PATIENCE_S = 20.0


def wait_for(condition, what):
    return process.wait_for(condition, PATIENCE_S, what, interval_s=0.02)[0]


class KazooCase(ServerCase):
    """Each test has a root of its own."""

    options = {"tick_ms": 500}

    def setUp(self):
        self.root = f"/{self.id().rpartition('.')[2]}"
        self.client = self.connect()
        self.client.ensure_path(self.root)

    def connect(self, **options):
        client = kazoo_client.KazooClient(**{"hosts": self.ensemble.connect_string, "timeout": 8.0, **options})
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        client.start(timeout=PATIENCE_S)
        return client

    def in_threads(self, work, count):
        """work(number, client) in threads with a client each; the results in order."""
        clients = [self.connect() for _ in range(count)]
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            futures = [pool.submit(work, number, client) for number, client in enumerate(clients)]
            return [future.result(PATIENCE_S) for future in futures]


class Sessions(KazooCase):
    def test_session_survives_a_cut_connection(self):
        seen = []
        self.client.add_listener(seen.append)
        path = self.client.create(f"{self.root}/e", b"", ephemeral=True)
        before = self.client.client_id
        self.client._connection._socket.shutdown(2)
        wait_for(lambda: states.KazooState.SUSPENDED in seen and seen[-1] == states.KazooState.CONNECTED,
                 "the client to be back")
        self.assertEqual(self.client.client_id, before)
        self.assertNotIn(states.KazooState.LOST, seen)
        self.assertEqual(self.client.exists(path).ephemeralOwner, before[0])

    def test_wrong_password_means_a_lost_session(self):
        session_id, password = self.client.client_id
        self.assertEqual(len(password), 16)
        other = kazoo_client.KazooClient(hosts=self.ensemble.connect_string, timeout=8.0,
                                         client_id=(session_id, b"\0" * 16))
        self.addCleanup(other.close)
        self.addCleanup(other.stop)
        seen = []
        other.add_listener(seen.append)
        other.start_async()
        wait_for(lambda: states.KazooState.CONNECTED in seen, "a new session")
        self.assertNotEqual(other.client_id[0], session_id)
        self.assertNotEqual(other.client_id[0], 0)

    def test_ephemerals_vanish_with_the_session(self):
        owner = self.connect()
        path = owner.create(f"{self.root}/e", b"", ephemeral=True)
        gone = threading.Event()
        self.client.exists(path, watch=lambda event: gone.set() if event.type == "DELETED" else None)
        owner.stop()
        self.assertTrue(gone.wait(PATIENCE_S))
        self.assertIsNone(self.client.exists(path))

    def test_an_expired_session_is_lost(self):
        seen = []
        with proxy.TcpProxy(self.member.client_port) as between:
            client = self.connect(hosts=f"127.0.0.1:{between.port}", timeout=1.0)
            client.add_listener(seen.append)
            path = client.create(f"{self.root}/e", b"", ephemeral=True)
            before = client.client_id[0]
            between.black_hole()
            wait_for(lambda: self.client.exists(path) is None, "the ephemeral to vanish")
            between.heal()
            wait_for(lambda: states.KazooState.LOST in seen and seen[-1] == states.KazooState.CONNECTED,
                     "a new session")
            self.assertNotEqual(client.client_id[0], before)
            client.stop()

    def test_timeouts_are_negotiated(self):
        """kazoo asks for less than the server allows and must not be refused; `cons` tells what was agreed."""
        for wanted_s, given_ms in ((0.8, 1000), (3.0, 3000), (1000.0, 10000)):
            client = self.connect(timeout=wanted_s)
            line = next(line for line in self.member.ask("cons").splitlines()
                        if f"sid=0x{client.client_id[0]:x}," in line)
            self.assertIn(f",to={given_ms},", line)
            client.stop()

    def test_many_sessions(self):
        clients = [self.connect() for _ in range(30)]
        self.assertEqual(len({client.client_id[0] for client in clients}), 30)

    def test_commands(self):
        self.assertEqual(self.client.command(b"ruok"), "imok")
        self.assertIn("Mode: standalone", self.client.command(b"srvr"))
        self.assertGreaterEqual(self.client.server_version(), (3, 5))


class Data(KazooCase):
    def test_null_and_empty_data(self):
        self.client.create(f"{self.root}/empty", b"")
        self.assertEqual(self.client.get(f"{self.root}/empty")[0], b"")
        self.client.set(f"{self.root}/empty", None)
        self.assertIsNone(self.client.get(f"{self.root}/empty")[0])

    def test_sizes(self):
        big = b"\xab" * (512 << 10)
        self.client.create(f"{self.root}/big", big)
        self.assertEqual(self.client.get(f"{self.root}/big")[0], big)
        with self.assertRaises(exceptions.ConnectionLoss):
            self.client.create(f"{self.root}/huge", b"x" * (2 << 20))
        self.assertTrue(wait_for(lambda: self.client.connected and self.client.exists(self.root), "the client back"))
        self.assertIsNone(self.client.exists(f"{self.root}/huge"))

    def test_stat_and_versions(self):
        path, stat = self.client.create(f"{self.root}/n", b"one", include_data=True)
        self.assertEqual(self.client.get(path), (b"one", stat))
        later = self.client.set(path, b"three", version=0)
        self.assertEqual((later.version, later.dataLength, later.czxid), (1, 5, stat.czxid))
        self.assertGreater(later.mzxid, stat.mzxid)
        for call in (lambda: self.client.set(path, b"", version=0), lambda: self.client.delete(path, version=5)):
            with self.assertRaises(exceptions.BadVersionError):
                call()

    def test_sequences(self):
        paths = [self.client.create(f"{self.root}/s/n-", b"", sequence=True, makepath=True) for _ in range(3)]
        self.assertEqual(paths, [f"{self.root}/s/n-{number:010d}" for number in range(3)])
        self.assertEqual(self.client.create(f"{self.root}/s/", b"", sequence=True), f"{self.root}/s/0000000003")

    def test_errors(self):
        with self.assertRaises(exceptions.NoNodeError):
            self.client.create(f"{self.root}/no/parent")
        with self.assertRaises(exceptions.NodeExistsError):
            self.client.create(self.root)
        ephemeral = self.client.create(f"{self.root}/e", ephemeral=True)
        with self.assertRaises(exceptions.NoChildrenForEphemeralsError):
            self.client.create(f"{ephemeral}/child", ephemeral=True)
        self.client.create(f"{self.root}/p/c", makepath=True)
        with self.assertRaises(exceptions.NotEmptyError):
            self.client.delete(f"{self.root}/p")
        for bad in ("\x00", "\x1e"):
            with self.assertRaises(exceptions.BadArgumentsError):
                self.client.create(f"{self.root}/b{bad}")
        self.client.delete(f"{self.root}/p", recursive=True)
        self.assertIsNone(self.client.exists(f"{self.root}/p"))

    def test_children_with_stat(self):
        for name in "cab":
            self.client.create(f"{self.root}/{name}")
        children, stat = self.client.get_children(self.root, include_data=True)
        self.assertEqual((sorted(children), stat.numChildren, stat.cversion), (["a", "b", "c"], 3, 3))

    def test_sync_of_a_missing_path(self):
        self.assertEqual(self.client.sync(f"{self.root}/missing"), f"{self.root}/missing")

    def test_transactions(self):
        good = self.client.transaction()
        good.create(f"{self.root}/t", b"v")
        good.set_data(f"{self.root}/t", b"w", version=0)
        good.check(f"{self.root}/t", version=1)
        good.delete(f"{self.root}/t", version=1)
        results = good.commit()
        self.assertEqual((results[0], results[1].version, results[2], results[3]), (f"{self.root}/t", 1, True, True))
        bad = self.client.transaction()
        bad.create(f"{self.root}/u")
        bad.delete(f"{self.root}/missing")
        bad.create(f"{self.root}/v")
        results = bad.commit()
        self.assertEqual([type(result) for result in results],
                         [exceptions.RolledBackError, exceptions.NoNodeError, exceptions.RuntimeInconsistency])
        self.assertIsNone(self.client.exists(f"{self.root}/u"))

    def test_a_thousand_requests_under_way(self):
        created = [self.client.create_async(f"{self.root}/{number}", b"x") for number in range(1000)]
        self.assertEqual([result.get(PATIENCE_S) for result in created],
                         [f"{self.root}/{number}" for number in range(1000)])
        read = [self.client.get_async(f"{self.root}/{number}") for number in range(1000)]
        self.assertEqual({result.get(PATIENCE_S)[0] for result in read}, {b"x"})
        self.assertEqual(len(self.client.get_children(self.root)), 1000)


class Acls(KazooCase):
    def test_digest(self):
        acl = [make_digest_acl("user", "secret", all=True)]
        self.client.create(f"{self.root}/mine", b"v", acl=acl)
        with self.assertRaises(exceptions.NoAuthError):
            self.client.get(f"{self.root}/mine")
        self.client.add_auth("digest", "user:wrong")
        with self.assertRaises(exceptions.NoAuthError):
            self.client.set(f"{self.root}/mine", b"w")
        other = self.connect(auth_data=[("digest", "user:secret")])
        self.assertEqual(other.get(f"{self.root}/mine")[0], b"v")
        self.assertEqual(other.get_acls(f"{self.root}/mine")[0], acl)

    def test_lists(self):
        with self.assertRaises(exceptions.InvalidACLError):
            self.client.set_acls(self.root, [])
        with self.assertRaises(exceptions.NoNodeError):
            self.client.set_acls(f"{self.root}/missing", [make_acl("world", "anyone", all=True)])
        entry = make_acl("world", "anyone", all=True)
        self.client.create(f"{self.root}/twice", acl=[entry, entry])
        self.assertEqual(self.client.get_acls(f"{self.root}/twice")[0], [entry])

    def test_creator(self):
        self.client.add_auth("digest", "a:b")
        self.client.create(f"{self.root}/c", acl=[make_acl("auth", "", all=True)])
        acl = self.client.get_acls(f"{self.root}/c")[0]
        self.assertEqual([(entry.id.scheme, entry.id.id.partition(":")[0]) for entry in acl], [("digest", "a")])

    def test_unknown_scheme(self):
        with self.assertRaises(exceptions.AuthFailedError):
            self.client.add_auth("nobody", "x")


class Watches(KazooCase):
    def test_one_shot_watches(self):
        events = []
        self.client.exists(f"{self.root}/n", watch=events.append)
        self.client.get_children(self.root, watch=events.append)
        writer = self.connect()
        writer.create(f"{self.root}/n")
        writer.set(f"{self.root}/n", b"unseen")
        wait_for(lambda: len(events) == 2, "two events")
        self.assertEqual([(event.type, event.path) for event in events],
                         [("CREATED", f"{self.root}/n"), ("CHILD", self.root)])

    def test_data_watch(self):
        seen = []
        self.client.DataWatch(f"{self.root}/n", lambda data, stat: seen.append((data, stat and stat.version)))
        for change in (lambda: self.client.create(f"{self.root}/n", b"a"), lambda: self.client.set(f"{self.root}/n", b"b"),
                       lambda: self.client.delete(f"{self.root}/n")):
            count = len(seen)
            change()
            wait_for(lambda count=count: len(seen) > count, "the watch")
        self.assertEqual(seen, [(None, None), (b"a", 0), (b"b", 1), (None, None)])

    def test_children_watch(self):
        seen = []
        self.client.ChildrenWatch(self.root, lambda children: seen.append(sorted(children)))
        for name in "ab":
            self.client.create(f"{self.root}/{name}")
            wait_for(lambda name=name: seen[-1][-1:] == [name], "the watch")
        self.client.delete(f"{self.root}/a")
        wait_for(lambda: seen[-1] == ["b"], "the watch")
        self.assertEqual(seen, [[], ["a"], ["a", "b"], ["b"]])

    def test_patient_children_watch(self):
        watch = PatientChildrenWatch(self.client, self.root, time_boundary=0.3)
        self.client.create(f"{self.root}/a")
        children, _ = watch.start().get(PATIENCE_S)
        self.assertEqual(children, ["a"])

    def test_tree_cache(self):
        cache, seen = TreeCache(self.client, self.root), collections.Counter()
        ready = threading.Event()

        def listen(event):
            seen[event.event_type] += 1
            if event.event_type == TreeEvent.INITIALIZED:
                ready.set()
        cache.listen(listen)
        self.client.create(f"{self.root}/a/b", b"deep", makepath=True)
        cache.start()
        self.addCleanup(cache.close)
        self.assertTrue(ready.wait(PATIENCE_S))
        self.assertEqual(cache.get_data(f"{self.root}/a/b").data, b"deep")
        self.client.set(f"{self.root}/a/b", b"new")
        self.client.create(f"{self.root}/a/c", b"later")
        wait_for(lambda: (data := cache.get_data(f"{self.root}/a/c")) and data.data == b"later", "the new node")
        self.assertEqual(cache.get_data(f"{self.root}/a/b").data, b"new")
        self.client.delete(f"{self.root}/a", recursive=True)
        wait_for(lambda: cache.get_data(f"{self.root}/a") is None, "the removal")
        # The cache forgets a node before it tells its listeners.
        wait_for(lambda: seen[TreeEvent.NODE_REMOVED] >= 3, "the events of the removal")
        self.assertEqual((seen[TreeEvent.NODE_REMOVED], seen[TreeEvent.NODE_ADDED]), (3, 4))

    def test_watches_return_after_a_restart(self):
        seen = []
        self.client.DataWatch(f"{self.root}/n", lambda data, stat: seen.append(data))
        self.client.create(f"{self.root}/n", b"before")
        wait_for(lambda: b"before" in seen, "the first change")
        self.member.kill()
        self.member.start()
        self.ensemble.wait_until_serving()
        wait_for(lambda: self.client.connected, "the client back")
        self.client.retry(self.client.set, f"{self.root}/n", b"after")
        wait_for(lambda: b"after" in seen, "the change behind the restart")
        self.assertEqual(self.client.get(f"{self.root}/n")[0], b"after")


class Recipes(KazooCase):
    def test_lock_excludes(self):
        inside, most, order = [], [], []

        def work(number, client):
            for _ in range(5):
                with client.Lock(f"{self.root}/lock", f"id-{number}"):
                    inside.append(number)
                    most.append(len(inside))
                    order.append(number)
                    time.sleep(0.002)
                    inside.remove(number)
        self.in_threads(work, 4)
        self.assertEqual((max(most), len(order)), (1, 20))

    def test_lock_contenders_and_timeout(self):
        lock = self.client.Lock(f"{self.root}/lock", "first")
        self.assertTrue(lock.acquire())
        other = self.connect().Lock(f"{self.root}/lock", "second")
        self.assertFalse(other.acquire(blocking=False))
        with self.assertRaises(exceptions.LockTimeout):
            other.acquire(timeout=0.3)
        self.assertEqual(lock.contenders(), ["first"])
        lock.release()
        self.assertTrue(other.acquire(timeout=PATIENCE_S))

    def test_lock_passes_on_when_the_holder_dies(self):
        holder = self.connect(timeout=1.0)
        self.assertTrue(holder.Lock(f"{self.root}/lock").acquire())
        waiting = self.client.Lock(f"{self.root}/lock")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            got = pool.submit(waiting.acquire, timeout=PATIENCE_S)
            holder.stop()
            self.assertTrue(got.result(PATIENCE_S))

    def test_read_write_lock(self):
        readers = [self.connect().ReadLock(f"{self.root}/rw") for _ in range(2)]
        self.assertEqual([reader.acquire(timeout=PATIENCE_S) for reader in readers], [True, True])
        writer = self.client.WriteLock(f"{self.root}/rw")
        self.assertFalse(writer.acquire(blocking=False))
        for reader in readers:
            reader.release()
        self.assertTrue(writer.acquire(timeout=PATIENCE_S))

    def test_semaphore(self):
        inside, most = [], []

        def work(number, client):
            with client.Semaphore(f"{self.root}/semaphore", max_leases=2):
                inside.append(number)
                most.append(len(inside))
                time.sleep(0.05)
                inside.remove(number)
        self.in_threads(work, 5)
        self.assertLessEqual(max(most), 2)
        self.assertEqual(len(most), 5)

    def test_election(self):
        led, leading, most = [], [], []

        def work(number, client):
            def lead():
                leading.append(number)
                most.append(len(leading))
                led.append(number)
                leading.remove(number)
            client.Election(f"{self.root}/election", f"id-{number}").run(lead)
        self.in_threads(work, 4)
        self.assertEqual((sorted(led), max(most)), ([0, 1, 2, 3], 1))

    def test_barrier(self):
        barrier = self.client.Barrier(f"{self.root}/barrier")
        barrier.create()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waits = pool.submit(self.connect().Barrier(f"{self.root}/barrier").wait, PATIENCE_S)
            with self.assertRaises(concurrent.futures.TimeoutError):
                waits.result(0.2)
            barrier.remove()
            self.assertTrue(waits.result(PATIENCE_S))

    def test_double_barrier(self):
        inside, seen = [], []

        def work(number, client):
            barrier = client.DoubleBarrier(f"{self.root}/double", 3, f"id-{number}")
            barrier.enter()
            inside.append(number)
            wait_for(lambda: len(inside) == 3, "all to be in")
            seen.append(barrier.participating)
            barrier.leave()
        self.in_threads(work, 3)
        self.assertEqual((sorted(inside), seen), ([0, 1, 2], [True] * 3))

    def test_queue(self):
        queue = self.client.Queue(f"{self.root}/queue")
        for number in range(10):
            queue.put(b"%d" % number, priority=200 if number == 0 else 100)
        self.assertEqual(len(queue), 10)

        def work(_, client):
            mine, taken = client.Queue(f"{self.root}/queue"), []
            while (entry := mine.get()) is not None:
                taken.append(entry)
            return taken
        taken = self.in_threads(work, 3)
        self.assertEqual(sorted(entry for some in taken for entry in some), sorted(b"%d" % n for n in range(10)))

    def test_locking_queue(self):
        queue = self.client.LockingQueue(f"{self.root}/locking")
        queue.put_all([b"one", b"two"])
        self.assertEqual(queue.get(PATIENCE_S), b"one")
        other = self.connect().LockingQueue(f"{self.root}/locking")
        self.assertEqual(other.get(PATIENCE_S), b"two")
        self.assertTrue(queue.consume())
        self.assertTrue(other.consume())
        self.assertEqual(len(queue), 0)

    def test_counter(self):
        def work(_, client):
            counter = client.Counter(f"{self.root}/counter")
            for _ in range(25):
                counter += 1
        self.in_threads(work, 4)
        self.assertEqual(self.client.Counter(f"{self.root}/counter").value, 100)

    def test_party(self):
        parties = [self.connect().Party(f"{self.root}/party", f"id-{number}") for number in range(3)]
        for party in parties:
            party.join()
        self.assertEqual(sorted(self.client.Party(f"{self.root}/party")), ["id-0", "id-1", "id-2"])
        parties[1].leave()
        self.assertEqual(sorted(parties[0]), ["id-0", "id-2"])
        shallow = self.client.ShallowParty(f"{self.root}/shallow", identifier="me")
        shallow.join()
        self.assertEqual(list(shallow), ["me"])

    def test_set_partitioner(self):
        states_of = [self.connect().SetPartitioner(f"{self.root}/set", set=tuple(range(6)), time_boundary=0.3,
                                                    identifier=f"id-{number}") for number in range(2)]

        def both_acquired():
            for one in states_of:
                if one.state == partitioner.PartitionState.RELEASE:
                    one.release_set()
            return all(one.acquired for one in states_of) and sum(len(list(one)) for one in states_of) == 6
        wait_for(both_acquired, "the set to be divided")
        self.assertEqual(sorted(set(states_of[0]) | set(states_of[1])), list(range(6)))
        for one in states_of:
            one.finish()

    def test_lease(self):
        lease = self.client.NonBlockingLease(f"{self.root}/lease", datetime.timedelta(seconds=30), identifier="me")
        self.assertTrue(lease)
        self.assertFalse(self.connect().NonBlockingLease(f"{self.root}/lease", datetime.timedelta(seconds=30),
                                                         identifier="other"))


load_tests = servers.parametrised(Sessions, Data, Acls, Watches, Recipes)

if __name__ == "__main__":
    unittest.main()
