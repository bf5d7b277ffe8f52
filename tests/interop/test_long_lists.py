"""Words that list watches and ephemerals: ten thousand entries are listed, one more is refused with where to look instead."""

import re
import unittest

import wire
from lab import watchkeeperd

_LISTED_MAX = 10_000
_BATCH = 500


class LongLists(unittest.TestCase):
    def setUp(self):
        ensemble = self.enterContext(watchkeeperd.WatchkeeperEnsemble(1))
        self.member = ensemble.members[0]
        self.client = wire.Connection(self.member.address)
        self.addCleanup(self.client.close)
        self.client.handshake(30000)

    def pipeline(self, operation, requests):
        """Many requests of one kind, in batches; each is answered, whatever the answer."""
        for begin in range(0, len(requests), _BATCH):
            batch = requests[begin:begin + _BATCH]
            for fields in batch:
                self.client.send(operation, fields)
            for _ in batch:
                self.client.read_reply(operation)

    def assert_refused(self, word, what, instead):
        self.assertRegex(self.member.ask(word), rf"^{_LISTED_MAX + 1} {what} are more than the {_LISTED_MAX} that one answer "
                         rf"lists; [^\n]*{instead}[^\n]*\n$")

    def test_watches(self):
        def watch(numbers):
            self.pipeline("exists", [{"path": f"/w{number}", "watch": True} for number in numbers])
        watch(range(_LISTED_MAX))
        for word in ("wchp", "wchc"):
            self.assertEqual(len(re.findall(r"^\s*/w\d+$", self.member.ask(word), re.M)), _LISTED_MAX, word)
        watch([_LISTED_MAX])
        for word in ("wchp", "wchc"):
            self.assert_refused(word, "watches", "wchs tells")
        self.assertIn(f"Total watches:{_LISTED_MAX + 1}", self.member.ask("wchs"))

    def test_ephemerals(self):
        def own(numbers):
            self.pipeline("create", [wire.create_fields(f"/e{number}", flags=wire.EPHEMERAL) for number in numbers])
        own(range(_LISTED_MAX - 1))  # The session is an entry, too.
        self.assertEqual(len(re.findall(r"^\s*/e\d+$", self.member.ask("dump"), re.M)), _LISTED_MAX - 1)
        own([_LISTED_MAX - 1])
        self.assert_refused("dump", "sessions and ephemeral znodes", "ephemerals_count")
        self.assertEqual(self.member.mntr()["zk_ephemerals_count"], str(_LISTED_MAX))


if __name__ == "__main__":
    unittest.main()
