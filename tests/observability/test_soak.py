"""Five ensembles, an hour of polls at one a second compressed into minutes: memory and descriptors stay flat.

What grows with wall time and not with polls, the history, is bounded by its rings: 48 bytes a member and second.
"""

import statistics
import time
import unittest
from concurrent import futures

from lab import apache, process, stack

import exposition
import watching

_POLLS = 3600
_LIMIT_S = 240.0
_WARM_UP_POLLS = 600
_WARM_UP_LOOKS = 400
_WARM_UP_CLIENTS = 12
_SAMPLE_S = 0.5
_GROWTH_BYTES = 300_000
_GROWTH_SHARE = 0.02
_MEMBERS = 7
_HISTORY_BYTES_PER_S = _MEMBERS * 48 + 5 * 16


class Soak(watching.LabTestCase):
    """One ensemble of three and four standalone servers, canary in each."""

    def test_an_hour_of_polls_leaves_nothing_behind(self):
        ensembles = [self.lab(apache.ApacheEnsemble, count, heap_mb=64) for count in (3, 1, 1, 1, 1)]
        path = watching.write_configuration(ensembles[0].folder, [
            {"name": f"e{number}", "members": one.addresses, "interval": "20ms", "timeout": "1s", "canary": "read"}
            for number, one in enumerate(ensembles)], families=["native", "zk", "zookeeper39"])
        exporter = self.lab(stack.Exporter, [f"--config.file={path}", "--log.level=warn"])
        watching.wait_until_visited(exporter)
        members = [(f"e{number}", address) for number, one in enumerate(ensembles) for address in one.addresses]
        self.assertEqual(len(members), _MEMBERS)

        def polls():
            scrape = exposition.parse(exporter.get("/metrics?family=native").text)
            return min(scrape.value("watchkeeper_member_polls_total", ensemble=ensemble, member=member)
                       for ensemble, member in members)
        def look():
            for page in ("/metrics", "/", "/api/v1/status", "/api/v1/history?since=-60s&ensemble=e0"):
                self.assertEqual(exporter.get(page, headers={"Accept-Encoding": "gzip"}).status, 200)
        # The allocator needs some rounds until it owns what the largest answers take, and every HTTP thread has to have
        # served one: its stack is touched then and stays.
        with futures.ThreadPoolExecutor(_WARM_UP_CLIENTS) as clients:
            list(clients.map(lambda _: look(), range(_WARM_UP_LOOKS)))
        process.wait_for(lambda: polls() >= _WARM_UP_POLLS, _LIMIT_S / 3, "the warm-up", interval_s=1.0)
        first, begin = polls(), time.monotonic()
        resident, descriptors, done = [], [], first
        while done < first + _POLLS:
            self.assertLess(time.monotonic() - begin, _LIMIT_S, f"{done - first:.0f} of {_POLLS} polls are done")
            time.sleep(_SAMPLE_S)
            resident.append(exporter.process.resident_bytes())
            descriptors.append(exporter.process.open_descriptors())
            if len(resident) % 10 == 0:
                look()
                done = polls()
        seconds = time.monotonic() - begin

        quarter = len(resident) // 4
        self.assertGreaterEqual(quarter, 10)
        early = statistics.median(resident[quarter:2 * quarter])
        late = statistics.median(resident[-quarter:])
        # Between the middles of the two quarters half of the time passes, and the history grows by rows.
        grown = late - early - _HISTORY_BYTES_PER_S * seconds / 2
        print(f"{done - first:.0f} polls a member in {seconds:.0f} s; resident {early / 1e6:.2f} MB, then "
              f"{late / 1e6:.2f} MB; descriptors {min(descriptors)} to {max(descriptors)}")
        self.assertLess(grown, max(_GROWTH_BYTES, _GROWTH_SHARE * early))
        self.assertLessEqual(statistics.median(descriptors[-quarter:]) - statistics.median(
            descriptors[quarter:2 * quarter]), 2)
        self.assertLess(max(descriptors), 150)

        for number, one in enumerate(ensembles):
            view = watching.status(exporter, f"e{number}")
            self.assertTrue(view["serving"])
            self.assertEqual(view["leader_changes"], 0)
            self.assertEqual(view["quorum"]["in_sync"], len(one.members))
            self.assertGreater(view["canary"]["rounds_ok"], 0.8 * seconds, "about one round a second")
            self.assertEqual(view["canary"]["rounds_failed"], 0)
            for event in ("member_lost", "member_state_changed", "member_restarted", "leader_lost", "quorum_lost",
                          "split_brain", "canary_failed", "configuration_changed"):
                self.assertEqual(view["events"][event], 0, event)
        self.assertEqual(exporter.stop_process(5), 0)
        print(exporter.stderr(), end="")


if __name__ == "__main__":
    unittest.main()
