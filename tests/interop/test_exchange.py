"""Data directories written by one server and read by another, there and back, after a clean stop and after kill -9.

Random steps (steps.py) fill the tree, with a small snapCount so that there are snapshots and logs of every age.  Then the
other server starts on a copy: every node, every Stat field, every ACL and every session must be there, and what it
writes must be readable for the first one again.

Where 3.8.0 takes part no multi holds a create2: 3.9.5 and Watchkeeper log it as such, and 3.8.0, which logs a create
instead, silently leaves the transaction out when it reads that back (seen from 3.9.5 to 3.8.0, too).
"""

import contextlib
import os
import shutil
import unittest

import differential
import servers
import steps

_SEED = int(os.environ.get("WK_EXCHANGE_SEED", "1"))
_STEPS = int(os.environ.get("WK_EXCHANGE_STEPS", "250"))
_OPTIONS = {"tick_ms": differential.TICK_MS, "extra_cfg": {"maxSessionTimeout": 60000, "snapCount": 100},
            "jvm_flags": [*servers.FLAGS, "-Dznode.container.checkIntervalMs=3600000"]}
_OTHERS = ("apache-3.9.5", "apache-3.8.0", "watchkeeperd")


def tree_of(side):
    """The whole tree, times and transaction numbers included; only what has no order is sorted."""
    return differential.sorted_lists(side.walk())


def move(source, target):
    """Copies the data of a member that does not run."""
    shutil.rmtree(target.data_dir)
    shutil.copytree(source.data_dir, target.data_dir)


@contextlib.contextmanager
def stopped_at_the_end(ensemble):
    """Starts nothing."""
    try:
        yield
    finally:
        ensemble.stop()


class Exchange(unittest.TestCase):
    kind = None

    def exchange(self, first_kind, second_kind, ending, seed):
        try:
            first, second = servers.make(first_kind, **_OPTIONS), servers.make(second_kind, **_OPTIONS)
        except servers.Unavailable as missing:
            self.skipTest(str(missing))
        with first, stopped_at_the_end(second):
            generator = steps.Generator(seed, clients=5, create2_in_multi="apache-3.8.0" not in (first_kind, second_kind))
            run = differential.Run([first], generator.feedback)
            self.addCleanup(run.close)
            owner = first
            for target in (second, first, second):
                for _ in range(_STEPS):
                    run.take(generator.next_step())
                self.hand_over(run, owner, target, ending, generator)
                owner = target

    def hand_over(self, run, owner, target, ending, generator):
        side, = run.sides
        while not side.connections:
            run.take(generator.next_step())
        before, zxid = tree_of(side), side.zxid()
        self.assertGreater(len(before), 8)
        for connection in side.connections.values():
            connection.close()
        side.connections.clear()
        (owner.members[0].stop if ending == "stop" else owner.members[0].kill)()
        move(owner.members[0], target.members[0])
        target.members[0].start()
        target.wait_until_serving()
        side.member = target.members[0]
        run.refresh()
        self.assertEqual(side.zxid(), zxid)
        for client in sorted(side.sessions):
            answer = side.plain(side.finish({"do": "resume", "client": client, "timeout_ms": 30000}))
            self.assertIsInstance(answer, dict, f"the session of client {client} is gone")
            self.assertEqual((answer["timeout_ms"], answer["password"]), (30000, "right"))
        run.refresh()
        after = tree_of(side)
        found = differential.first_difference(before, after, "tree")
        self.assertIsNone(found, f"seed {generator.seed}: {owner.members[0].id} → {target.members[0].id}: {found}")

    def test_there_and_back(self):
        for other in _OTHERS:
            if self.kind in (other, "apache-3.8.0") or (self.kind.startswith("apache") and other == "watchkeeperd"):
                continue
            for ending in ("stop", "kill"):
                for one, two in ((self.kind, other), (other, self.kind)):
                    with self.subTest(first=one, second=two, ending=ending, seed=_SEED):
                        self.exchange(one, two, ending, _SEED)


load_tests = servers.parametrised(Exchange)

if __name__ == "__main__":
    unittest.main()
