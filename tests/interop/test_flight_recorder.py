"""The time line of watchkeeperd across restarts: how the process before ended, and what happened then."""

import datetime
import json
import os
import re
import signal
import time
import unittest
import urllib.request

import servers
import wire
from lab import process

FILE = "watchkeeper-events.jsonl"


class FlightRecorder(unittest.TestCase):
    def setUp(self):
        self.ensemble = self.enterContext(servers.make("watchkeeperd", extra_cfg={"snapCount": 20, "preAllocSize": 1024}))
        self.member = self.ensemble.members[0]

    def events(self):
        url = f"http://127.0.0.1:{self.member.metrics_port}/api/v1/events"
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)["events"]

    def starts(self):
        return [event for event in self.events() if event["type"] == "server_started"]

    @staticmethod
    def last_sign_of_life(start):
        told = start["text"].split("its last sign of life was at ")[1].split("Z")[0]
        return datetime.datetime.fromisoformat(told).replace(tzinfo=datetime.timezone.utc).timestamp()

    def start_again(self):
        self.member.start()
        self.ensemble.wait_until_serving()

    def wait_for(self, event_type):
        for _ in range(100):
            found = [event for event in self.events() if event["type"] == event_type]
            if found:
                return found
            time.sleep(0.1)
        self.fail(f"no event {event_type}: {self.events()}")

    def test_a_stop_is_told(self):
        self.assertEqual([event["text"] for event in self.starts()], ["The server started; nothing is known of an earlier start."])
        self.member.stop()
        self.start_again()
        last = self.starts()[-1]
        self.assertRegex(last["text"], r"^The server started\. It had been stopped at 20\d\d-.*Z: asked to stop$")
        self.assertEqual(last["severity"], "info")
        events = self.events()
        kinds = [event["type"] for event in events]
        self.assertEqual(kinds.count("server_started"), 2)
        self.assertLess(kinds.index("server_stopped"), len(kinds) - kinds[::-1].index("server_started"))
        self.assertEqual([event["id"] for event in events], list(range(1, len(kinds) + 1)))

    def test_a_kill_is_told_with_the_last_sign_of_life(self):
        time.sleep(3)  # The time of death must be told by a sign of life, not by the start.
        self.member.kill()
        killed = time.time()
        self.start_again()
        last = self.starts()[-1]
        self.assertEqual(last["severity"], "warning")
        self.assertRegex(last["text"], r"ended without a word; its last sign of life was at 20.*Z\. What ended it could not be told: SIGKILL, ")
        self.assertGreater(self.last_sign_of_life(last), killed - 2)
        process.wait_for(lambda: last["text"] in self.member.log(), 10, "the line of the log")

    def test_a_process_that_stood_still_before_the_kill_is_told_with_what_was_seen_of_it(self):
        time.sleep(2)
        self.member.pause()
        stopped = time.time()
        time.sleep(4)
        self.member.kill()
        self.start_again()
        last = self.starts()[-1]
        self.assertLess(self.last_sign_of_life(last), stopped + 0.1)
        # When it ended nobody knows, and nothing is said of it.
        self.assertNotIn("at most", last["text"])

    @unittest.skipIf(os.environ.get("WK_BUILD_PRESET") in ("asan", "tsan"), "sanitizers handle fatal signals themselves")
    def test_a_crash_is_told_with_its_signal(self):
        os.kill(self.member.pid, signal.SIGSEGV)
        self.member.process.wait(10)
        self.start_again()
        self.assertRegex(self.starts()[-1]["text"], r"It had crashed with SIGSEGV at 20.*Z; look for a core dump")

    def test_what_happened_before_the_restart_is_in_the_time_line(self):
        with wire.Connection(self.member.address) as client:
            client.handshake(30000)
            for number in range(60):
                client.call("create", **wire.create_fields(f"/n{number}"))
        written = self.wait_for("snapshot_written")[-1]
        self.assertRegex(written["text"], r"^snapshot snapshot\.[0-9a-f]+ of \d+ znodes was written: \d+ bytes$")
        process.wait_for(lambda: written["text"] in (self.member.data_dir / FILE).read_text(), 10, "its line in the file")
        self.member.kill()
        self.start_again()
        self.assertIn((written["time"], written["text"]), [(event["time"], event["text"]) for event in self.events()])

    def test_a_held_up_core_is_told(self):
        begin = time.monotonic()
        self.member.pause()
        time.sleep(2)
        self.member.resume()
        outside_ms = (time.monotonic() - begin) * 1000
        text = self.wait_for("core_stalled")[0]["text"]
        told = re.match(r"the core thread was held up for (\d+) ms: ", text)
        self.assertTrue(told, text)
        self.assertTrue(1500 <= int(told[1]) <= outside_ms + 1000, (text, outside_ms))

    def test_damage_and_a_file_that_cannot_be_written_are_no_fault(self):
        self.member.kill()
        path = self.member.data_dir / FILE
        with open(path, "ab") as file:
            file.write(b'\xff\x00{"unix_ms":17000')
        self.start_again()
        self.assertEqual(len(self.starts()), 2)
        self.member.stop()
        path.unlink()
        path.mkdir()
        self.start_again()
        process.wait_for(lambda: f"{path} cannot be opened" in self.member.log(), 10, "the line about the file")
        self.assertEqual(self.member.ask("ruok"), "imok")

    def test_apache_passes_over_the_file(self):
        self.member.stop()
        try:
            apache = self.enterContext(servers.make("apache-3.9.5", extra_cfg={"dataDir": self.member.data_dir}))
        except servers.Unavailable as missing:
            self.skipTest(str(missing))
        self.assertEqual(apache.members[0].mode(), "standalone")
        self.assertTrue((self.member.data_dir / FILE).exists())


class LogLines(unittest.TestCase):
    def test_json_lines(self):
        with servers.running("watchkeeperd", extra_cfg={"watchkeeper.logFormat": "json"}) as ensemble:
            ensemble.members[0].stop()
            lines = ensemble.members[0].log().splitlines()
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertEqual(list(json.loads(line)), ["time", "level", "message"])
        self.assertIn("SIGTERM: stopping", [json.loads(line)["message"] for line in lines])

    def test_without_observation_there_is_no_http(self):
        with servers.running("watchkeeperd", extra_cfg={"watchkeeper.observe": "false"}) as ensemble:
            member = ensemble.members[0]
            self.assertEqual(member.ask("ruok"), "imok")
            with self.assertRaisesRegex(wire.Closed, "refused"):
                wire.Connection(f"127.0.0.1:{member.metrics_port}")
            self.assertFalse((member.data_dir / FILE).exists())
            self.assertIn("only to measure what they cost", member.log())


def load_tests(loader, _tests, _pattern):
    suite = loader.suiteClass()
    if "watchkeeperd" in servers.chosen():
        for case in (FlightRecorder, LogLines):
            suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main()
