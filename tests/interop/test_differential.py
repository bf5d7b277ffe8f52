"""The same random steps against two servers, every field compared (differential.py): first Apache against Apache, which
shows that the suite raises no false alarm, then Apache against watchkeeperd.

WK_DIFFERENTIAL_SEEDS=FIRST:COUNT and WK_DIFFERENTIAL_STEPS=N make it longer.  A sequence that differs is kept in
build/interop/ with the command that plays it again.
"""

import os
import pathlib
import unittest

import differential
import servers
import steps

_KEPT = pathlib.Path(__file__).resolve().parents[2] / "build" / "interop"
_FIRST, _COUNT = (int(word) for word in os.environ.get("WK_DIFFERENTIAL_SEEDS", "1:3").split(":"))
_SEEDS = range(_FIRST, _FIRST + _COUNT)
_STEPS = int(os.environ.get("WK_DIFFERENTIAL_STEPS", "800"))
_REAPING_STEPS = min(_STEPS, 60)


class _Differential(unittest.TestCase):
    left = "apache-3.9.5"
    right = "apache-3.9.5"

    def compare(self, seed, count, **options):
        recorded = []
        try:
            run = differential.play_random(self.left, self.right, seed, count, recorded=recorded, **options)
        except servers.Unavailable as missing:
            self.skipTest(str(missing))
        except differential.Difference as difference:
            path = _KEPT / f"{self.right}-seed-{seed}.jsonl"
            differential.save(recorded, path)
            reaping = " --reaping" if options.get("reaping") else ""
            self.fail(f"seed {seed}: {difference}\nagain: tests/interop/differential.py --left {self.left} --right "
                      f"{self.right}{reaping} --replay {path} --shrink")
        print(f"{self.right}: seed {seed}, {run.number} steps equal")
        self.assertEqual(run.number, count + 1)
        return run


class ApacheAgainstItself(_Differential):
    def test_no_false_alarm(self):
        run = self.compare(_FIRST, _STEPS, restarts=True)
        for name in ("create", "create2", "create_ttl", "create_container", "delete", "set_data", "set_acl", "multi",
                     "multi_read", "get_acl", "auth", "add_watch", "remove_watches", "set_watches", "pipeline", "raw",
                     "close", "cut", "resume", "connect", "checkpoint"):
            self.assertGreater(run.counts[name], 0, f"no {name} among the steps")

    def test_a_difference_is_found(self):
        """Without extended types the second server refuses TTL nodes: the suite must notice, and say where."""
        sequence = [{"do": "connect", "client": 0, "timeout_ms": 30000, "read_only": False},
                    {"do": "request", "client": 0, "op": "create_ttl",
                     "fields": {"path": "/t", "data": b"", "acl": [[31, "world", "anyone"]], "flags": 5,
                                "ttl": 3600000}}]
        try:
            with servers.running(self.left, jvm_flags=servers.FLAGS) as one, \
                    servers.running(self.right, jvm_flags=()) as other:
                run = differential.Run((one, other), steps.Feedback())
                run.take(sequence[0])
                with self.assertRaises(differential.Difference) as caught:
                    run.take(sequence[1])
                run.close()
        except servers.Unavailable as missing:
            self.skipTest(str(missing))
        self.assertEqual(caught.exception.number, 2)
        self.assertIn("error", caught.exception.where)
        self.assertEqual((caught.exception.left, caught.exception.right), (0, -6))


class WatchkeeperAgainstApache(_Differential):
    right = "watchkeeperd"

    def test_random_steps(self):
        for seed in _SEEDS:
            with self.subTest(seed=seed):
                self.compare(seed, _STEPS)

    def test_with_restarts(self):
        for seed in _SEEDS:
            with self.subTest(seed=seed):
                self.compare(1000 + seed, _STEPS, restarts=True)

    def test_containers_and_ttl_nodes_go_away(self):
        self.compare(2000 + _FIRST, _REAPING_STEPS, reaping=True)


if __name__ == "__main__":
    unittest.main()
