"""What the page says before, during and after each fault of a real ensemble, on four pages at once: wide and phone, light
and dark, and one whose browser's clock is an hour wrong."""

import datetime
import re
import time
import unittest

from lab import stack
from observability import watching

import fabricated
import page_case

_HOUR_MS = 3_600_000
_ROUNDS = 3
_AGE = re.compile(r"(?:last answer |no numbers for )(now|\d+(?:\.\d+)? s)")
# A page shows within this what the exporter knows; the rest of a deadline is the exporter's and the ensemble's.
_CHARTS = {"latency": "ms", "throughput": "requests/s", "outstanding": "count", "connections": "count", "sessions": "count",
           "znodes": "count", "watches": "count", "fsync": "ms"}
# Of these every member of this ensemble tells a value each second; latency and fsync need requests and writes.
_ALWAYS_KNOWN = ("throughput", "outstanding", "connections", "znodes", "watches")
# Columns of the members' table that must not be of yesterday.
_NUMBERS = ("lag", "latency", "requests", "outstanding", "connections", "sessions", "znodes", "watches", "fsync", "canary",
            "zxid", "in_sync")
# Charts are drawn where they can be seen. These pages begin with some, or are as tall as all.
_WITH_CHARTS = {"wide": {"latency", "throughput", "outstanding"}, "tall, hour behind": set(_CHARTS)}


def seconds(ago):
    """The seconds of a relative time."""
    if ago == "now":
        return 0
    amount, unit = re.fullmatch(r"(\d+) (s|min|h|d) ago", ago).groups()
    return int(amount) * {"s": 1, "min": 60, "h": 3600, "d": 86400}[unit]


def unix(iso):
    """Seconds since 1970 of a time of a document."""
    return datetime.datetime.fromisoformat(iso.replace("Z", "+00:00")).timestamp()


def off_by(clock, now, period):
    """By how many seconds a clock of "hh:mm:ss" is ahead of a time in seconds since 1970 (behind: negative), where only
    what is left of both after whole periods counts."""
    hours, minutes, seconds_ = map(int, clock.split(":"))
    return (hours * 3600 + minutes * 60 + seconds_ - now + period / 2) % period - period / 2


def rows(seen, table="members"):
    return {row["member"]: row for row in seen["tables"][table]["rows"]}


def drawn(seen):
    """The charts that have been drawn, by name."""
    return {key: chart for key, chart in seen["charts"].items() if chart["legend"]}


def types(seen):
    return [event["type"] for event in seen["events"]]


class Faults(page_case.EnsemblePageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.heal()
        cls.open("wide", cls.exporter.url, width=1920, height=1080)
        cls.open("phone", cls.exporter.url, width=390, height=844, scheme="dark")
        cls.open("hour ahead", cls.exporter.url, clock_wrong_by_ms=_HOUR_MS, zone="Australia/Sydney")
        cls.open("tall, hour behind", cls.exporter.url, width=1440, height=2600, clock_wrong_by_ms=-_HOUR_MS)

    stale_pages = False  # What a scene may have left on the pages is not to be judged with the next one.

    def setUp(self):
        self.heal()
        if self.stale_pages:
            for page in self.pages:
                page.reload()
            type(self).stale_pages = False
        self.names = {member.id: member.address for member in self.ensemble.members}
        self.expect_healthy()
        time.sleep(2.5)  # What belongs to the opening of a page is not judged with the fault.
        self.settle()

    # What must hold in a state, on every page.

    def expect_healthy(self, deadline_s=30.0):
        leader = self.ensemble.wait_for_leader()[0]
        followers = [member for member in self.ensemble.members if member is not leader]

        def healthy(seen):
            nodes, table = seen["picture"]["members"], rows(seen)
            return (seen["link"] == "live" and seen["verdict"]["severity"] == "ok"
                    and seen["verdict"]["sentence"].startswith("Serving; tolerates 1 more failure (3 of 3 voters in sync")
                    and seen["verdict"]["problems"] == [] and seen["verdict"]["runbook"] is None
                    and seen["margin"]["value"] == "1" and seen["margin"]["count"] == "3 of 3 voters in sync, 2 needed"
                    and set(nodes) == set(table) == set(self.names.values())
                    and all(node["serving"] == "serving" and node["safe"] == "true" and not node["stale"]
                            for node in nodes.values())
                    and nodes[leader.address]["role"] == "leader"
                    and all(nodes[one.address]["role"] == "follower" for one in followers)
                    and seen["picture"]["edges"] == sorted(f"{one.address}>{leader.address}" for one in followers)
                    and all(not row["stale"] and row["cells"]["state"] == "Serving" and row["cells"]["in_sync"] == "yes"
                            and row["cells"]["znodes"].isdigit() for row in table.values())
                    and table[leader.address]["cells"]["role"] == "Leader"
                    and all(chart["legend"].get(name) != "—" for key, chart in drawn(seen).items() if key in _ALWAYS_KNOWN
                            for name in table))
        looks = self.each(healthy, "three serving members", deadline_s)
        for page in self.pages:
            page.wait(lambda seen, charts=_WITH_CHARTS.get(page.name, set()): charts <= set(drawn(seen)), 10, "its charts")
        return looks

    def expect(self, severity, margin, serving, sentence, deadline_s=25.0, unsafe=None):
        """The verdict, the margin, and the state of each member in picture and table: serving maps address to state."""
        def told(seen):
            nodes, table = seen["picture"]["members"], rows(seen)
            return (seen["verdict"]["severity"] == severity and re.search(sentence, seen["verdict"]["sentence"])
                    and seen["margin"]["value"] == margin
                    and all(nodes[name]["serving"] in states and nodes[name]["stale"] == ("serving" not in states)
                            and table[name]["stale"] == nodes[name]["stale"] for name, states in serving.items())
                    and all(nodes[name]["safe"] == "false" for name in unsafe or ()))
        return self.each(told, f"{severity}, margin {margin}, {serving}, /{sentence}/", deadline_s)

    def expect_explained(self, seen, *words):
        """The problem is named with cause, remedy and a runbook that is there."""
        verdict = seen["verdict"]
        self.assertTrue(verdict["problems"], verdict)
        self.assertGreater(len(verdict["cause"]), 20, verdict)
        self.assertGreater(len(verdict["remedy"]), 20, verdict)
        for word in words:
            self.assertIn(word, verdict["sentence"] + verdict["cause"] + verdict["remedy"], verdict)
        runbook = self.exporter.get(verdict["runbook"])
        self.assertEqual(runbook.status, 200, verdict["runbook"])
        self.assertIn(verdict["runbook"].rsplit("/", 1)[1], runbook.text)

    def expect_no_numbers(self, page, address, since):
        """A member that does not answer shows its age and no number, everywhere."""
        def numbers(seen):
            cells = rows(seen)[address]["cells"]
            return {column: cells[column] for column in _NUMBERS if cells[column] != "—"} | {
                key: chart["legend"][address] for key, chart in drawn(seen).items() if chart["legend"][address] != "—"}
        seen = page.wait(lambda seen: not numbers(seen), 3, f"no number of {address}, which does not answer")
        age = _AGE.search(seen["picture"]["members"][address]["text"])
        self.assertIsNotNone(age, seen["picture"]["members"][address])
        told = 0.0 if age.group(1) == "now" else float(age.group(1).removesuffix(" s"))
        self.assertAlmostEqual(told, time.monotonic() - since, delta=5)
        self.assertRegex(rows(seen)[address]["cells"]["age"], r"^(now|\d+ s ago)$")
        return seen

    def expect_events(self, seen, *wanted):
        """These events are in the list, newest first, in this order; the page's list is the exporter's."""
        told = types(seen)
        place = -1
        for one in wanted:
            self.assertIn(one, told[place + 1:], f"{told} lacks {one} after {told[:place + 1]}")
            place = told.index(one, place + 1)

    def expect_same_events(self):
        """Each page has every event of the exporter once, and tells its age by the exporter's clock."""
        def document():
            return self.exporter.get_json("/ensemble/main/events.json?limit=5000")["events"]
        for page in self.pages:
            last = {}

            def same(seen, last=last):
                last["page"] = [(one["type"], one["time"], one["who"]) for one in seen["events"]]
                last["exporter"] = [(one["type"], one["time"], one["member"] or "") for one in reversed(document())]
                return last["page"] == last["exporter"]
            try:
                seen = page.wait(same, 10)
            except AssertionError:
                self.assertEqual(last["page"], last["exporter"], page.name)
            for event in seen["events"]:
                told = time.time() - unix(event["time"])
                self.assertAlmostEqual(seconds(event["ago"]), told, delta=3 if told < 85 else 45,
                                       msg=f"{page.name}: {event}")
                self.assertIn("Australia/Sydney" if page.name == "hour ahead" else "UTC", event["absolute"])

    def end_of_scene(self, exporter_was_down=False):
        self.expect_same_events()
        self.assert_nothing_moved()
        self.assert_fits()
        self.assert_quiet(exporter_was_down)

    # The scenes.

    def test_all_is_well(self):
        seen = self.expect_healthy()["tall, hour behind"]
        self.assertEqual({key: chart["unit"] for key, chart in seen["charts"].items() if key in _CHARTS}, _CHARTS)
        znodes = {member.address: int(member.mntr()["zk_znode_count"]) for member in self.ensemble.members}
        self.assertGreater(min(znodes.values()), 20)
        # The tallest page sees all charts; each line is drawn, and its legend tells what the member tells.
        seen = next(page for page in self.pages if page.name == "tall, hour behind").wait(
            lambda seen: all(seen["charts"][key]["state"] == "ready" for key in _CHARTS) and
            {name: int(value) for name, value in seen["charts"]["znodes"]["legend"].items()} == znodes,
            20, f"all charts, and znodes {znodes}")
        for key in ("latency", "throughput", "connections", "sessions", "znodes"):
            self.assertGreater(max(seen["charts"][key]["painted"].values()), 20, f"{key}: {seen['charts'][key]}")
        connected = sum(int(value) for value in seen["charts"]["connections"]["legend"].values())
        self.assertGreaterEqual(connected, 4, "one session of the test and one of the canary to each member")
        self.expect_explained_calm(seen)
        for page in self.pages:
            # Sydney is whole hours away from UTC, summer or winter; this machine and the other pages are in UTC.
            period = 3600 if page.name == "hour ahead" else 86400
            shown = page.look()["clock"]
            self.assertAlmostEqual(off_by(shown, time.time(), period), 0, delta=3, msg=f"{page.name}: {shown}, the exporter's clock")
        self.assert_accessible()
        self.end_of_scene()

    def expect_explained_calm(self, seen):
        self.assertIn("3 of 3 voters are in sync in epoch", seen["verdict"]["cause"])
        self.assertIn("any member may be stopped now, one at a time, the leader last", seen["verdict"]["remedy"])

    def test_leader_killed_and_back(self):
        old = self.ensemble.wait_for_leader()[0]
        others = [member for member in self.ensemble.members if member is not old]
        killed = time.monotonic()
        old.kill()
        new = self.ensemble.wait_for_leader(other_than=old)[0]
        follower = next(member for member in others if member is not new)
        states = {old.address: ("unreachable",), new.address: ("serving",), follower.address: ("serving",)}
        self.expect("warning", "0", states, r"^Serving, but the next failure stops service", unsafe=[new.address, follower.address])
        for page in self.pages:
            seen = page.wait(lambda seen: seen["picture"]["edges"] == [f"{follower.address}>{new.address}"]
                             and seen["picture"]["members"][new.address]["role"] == "leader"
                             and "leader_elected" in types(seen)[:6], 15, "the new leader")
            self.expect_no_numbers(page, old.address, killed)
            self.expect_events(seen, "leader_elected", "leader_lost")
            self.assertIn("member_lost", types(seen))
            self.expect_explained(seen)
        self.assert_accessible()
        self.expect_same_events()
        old.start()
        self.expect_healthy(60)
        for page in self.pages:
            page.wait(lambda seen: types(seen).index("member_regained") < types(seen).index("member_lost")
                      if "member_regained" in types(seen) else False, 10, "the member's return")
        self.end_of_scene()

    def test_quorum_lost_and_regained(self):
        survivor = self.ensemble.followers()[0]
        dead = [member for member in self.ensemble.members if member is not survivor]
        killed = time.monotonic()
        for member in dead:
            member.kill()
        states = {survivor.address: ("looking", "not_serving"), **{one.address: ("unreachable",) for one in dead}}
        self.expect("critical", "-2", states,
                    r"^No leader for \d+(\.\d)? (ms|s) \(0 of 3 voters in sync, 2 needed\): .* is up but LOOKING",
                    unsafe=[survivor.address])
        for page in self.pages:
            seen = page.wait(lambda seen: "quorum_lost" in types(seen)[:8] and seen["picture"]["edges"] == []
                             and seen["title"].startswith("Critical"), 15, "the loss of the quorum")
            self.assertIn("no quorum", seen["margin"]["meaning"])
            self.assertEqual(seen["margin"]["count"], "0 of 3 voters in sync, 2 needed")
            for member in dead:
                self.expect_no_numbers(page, member.address, killed)
            self.expect_explained(seen)
            self.assertTrue(seen["verdict"]["announced"].startswith("Critical: "), seen["verdict"])
        self.assert_accessible()
        self.expect_same_events()
        for member in dead:
            member.start()
        self.expect_healthy(60)
        for page in self.pages:
            page.wait(lambda seen: "quorum_regained" in types(seen)
                      and types(seen).index("quorum_regained") < types(seen).index("quorum_lost"), 10, "the quorum's return")
        self.end_of_scene()

    def test_member_stopped_and_continued(self):
        frozen = self.ensemble.followers()[0]
        stopped = time.monotonic()
        frozen.pause()
        self.expect("warning", "0", {frozen.address: ("unreachable", "not_serving")}, r"^Serving, but the next failure")
        time.sleep(max(0.0, 8 - (time.monotonic() - stopped)))
        for page in self.pages:
            seen = self.expect_no_numbers(page, frozen.address, stopped)
            self.expect_explained(seen)
            self.assertNotIn(frozen.address, " ".join(seen["picture"]["edges"]))
            self.assertIn("member_lost", types(seen)[:5])
            # The age grows; it is not the age of the page's last update.
            page.wait(lambda now, seen=seen: rows(now)[frozen.address]["cells"]["age"] !=
                      rows(seen)[frozen.address]["cells"]["age"], 5, "the age to grow")
            self.expect_no_numbers(page, frozen.address, stopped)
        self.assert_accessible()
        frozen.resume()
        self.expect_healthy(60)
        self.end_of_scene()

    def test_exporter_restarted(self):
        type(self).stale_pages = True
        marks = {page.name: page.evaluate("return globalThis.__mark = Math.random()") for page in self.pages}
        stopped = time.monotonic()
        self.assertEqual(self.exporter.stop_process(), 0)
        for page in self.pages:
            seen = page.wait(lambda seen: seen["link"] == "broken" and seen["verdict"]["severity"] == "unknown"
                             and set(seen["parts"].values()) <= {"stale", "broken"}, 15,
                             "every part of the page to say that nothing is known now")
            self.assertRegex(seen["verdict"]["sentence"], r"^No word from Watchkeeper for \d+(\.\d)? s")
            self.assertAlmostEqual(float(re.search(r"for (\d+(\.\d)?)", seen["verdict"]["sentence"]).group(1)),
                                   time.monotonic() - stopped, delta=5)
            self.assertEqual(seen["margin"]["value"], "?")
            self.assertEqual(seen["picture"]["edges"], [])
            for address in self.names.values():
                self.expect_no_numbers(page, address, stopped)
                self.assertEqual(rows(seen)[address]["cells"]["state"], "Not known")
                self.assertTrue(rows(seen)[address]["cells"]["safe"].startswith("No"))
            self.assertTrue(seen["title"].startswith("Unknown"), seen["title"])
            self.assertEqual(seen["link_word"], "No word for")
        self.assert_accessible()
        self.exporter.start()
        self.exporter.wait_ready()
        watching.wait_until_visited(self.exporter)
        self.expect_healthy(40)
        for page in self.pages:
            self.assertEqual(page.evaluate("return globalThis.__mark"), marks[page.name], "the page was loaded anew")
        self.end_of_scene(exporter_was_down=True)


class ChosenFleet(fabricated.Fleet):
    """One ensemble of three members, of whose state a test chooses parts; what a watcher that hangs says when it does."""

    def __init__(self):
        super().__init__(ensembles=1, members=3, events=40)
        self.chosen = {}
        self.hangs_since = None

    def _ensemble(self, name):
        return super()._ensemble(name) | {"status": "ok", "problems": []} | self.chosen

    def _down(self, ensemble, member):
        return False

    def status(self):
        document = super().status()
        if self.hangs_since is not None:
            document["snapshot"] |= {"time": fabricated.iso(self.hangs_since), "age_seconds": time.time() - self.hangs_since, "stale": True}
        return document


class Way(page_case.PageCase):
    """What the page makes of the way between it and a fabricated exporter."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real = cls.class_lab(stack.Exporter, ["--zookeeper=127.0.0.1:1"])

    def setUp(self):
        self.addCleanup(self.close_pages)

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    def way(self, name, path="", wait=True, **options):
        """A page of a fabricated exporter of its own: (exporter, page)."""
        exporter = self.enterContext(fabricated.FabricatedExporter(ChosenFleet(), self.real))
        return exporter, self.visit(name, exporter, path, wait, **options)

    def visit(self, name, exporter, path="", wait=True, **options):
        page = self.open(name, f"{exporter.url}/ensemble/{exporter.fleet.names[0]}{path}", **options)
        if wait:
            page.wait(lambda seen: seen["link"] == "live" and seen["verdict"]["severity"] == "ok" and seen["events"], 15, "the page to be filled")
        return page

    def test_the_title_changes_in_the_background(self):
        exporter, page = self.way("background")
        self.assertTrue(page.look()["title"].startswith("OK"))
        page.evaluate("globalThis.requestAnimationFrame = () => 0")  # as a browser does with a page that is not seen
        exporter.fleet.chosen = {"status": "critical"}
        page.wait(lambda seen: seen["title"].startswith("Critical"), 5, "the title")
        self.assertIn("d42a41", page.evaluate("return document.querySelector('link[rel=icon]').href"))

    def test_streams_that_are_held_back_or_cut_off(self):
        opened = time.monotonic()
        held_back = self.open_held_back()
        self.expect_outage_made_up_for()  # It takes as long as those have to be watched.
        self.expect_steady(held_back, opened)

    def open_held_back(self):
        """Pages that get questions answered though the stream brings nothing, or little: they live on them. {page: how its link looks}"""
        record = """
          const root = document.documentElement;
          globalThis.__links = [];
          const note = () => __links.push(`${root.dataset.link} ${document.querySelector('[data-role=link-word]').textContent}`);
          new MutationObserver(note).observe(root, {attributes: true, attributeFilter: ['data-link']});
          new MutationObserver(note).observe(document.querySelector('[data-role=link]'), {subtree: true, characterData: true, childList: true});"""
        wanted = {"held": "polling Asking every 2 s", "mute": "polling Asking every 2 s", "hangs": "broken Hangs since"}
        pages = {}
        for kind in wanted:
            exporter = self.enterContext(fabricated.FabricatedExporter(ChosenFleet(), self.real))
            exporter.stream = kind
            if kind == "hangs":
                exporter.fleet.hangs_since = time.time() - 60
            pages[kind] = self.visit(kind, exporter, wait=False)
        for kind, page in pages.items():
            page.wait(lambda seen, kind=kind: f"{seen['link']} {seen['link_word']}" == wanted[kind], 12, wanted[kind])
            page.evaluate(record)
        for kind in ("held", "mute"):
            pages[kind].wait(lambda seen: seen["verdict"]["severity"] == "ok" and len(seen["events"]) == 40 and len(rows(seen)) == 3,
                             12, "what is asked for")
        return {page: wanted[kind] for kind, page in pages.items()}

    def expect_steady(self, held_back, opened):
        """Within 19 s a stream without a word is replaced once, and a watcher that hangs tells so twice. What the machine alone
        was too busy for does not come each time."""
        for _ in range(_ROUNDS):
            time.sleep(max(0.0, 19 - (time.monotonic() - opened)))
            seen = {page.name: [one for one in page.evaluate("return __links.splice(0)") if one != wanted] for page, wanted in held_back.items()}
            if not any(seen.values()):
                break
            opened = time.monotonic()
        self.assertFalse(any(seen.values()), f"the links changed: {seen}")
        for page, wanted in held_back.items():
            page.wait(lambda seen, wanted=wanted: f"{seen['link']} {seen['link_word']}" == wanted, 5, wanted)
            self.assertEqual(page.look()["verdict"]["severity"], "unknown" if page.name == "hangs" else "ok", page.name)

    def expect_outage_made_up_for(self):
        """Events, the lines of the charts, and a file that was not answered."""
        exporter = self.enterContext(fabricated.FabricatedExporter(ChosenFleet(), self.real))
        exporter.instead["/assets/vendor/uplot/uPlot.iife.min.js"] = (503, "text/html")
        page = self.visit("outage", exporter, height=1600)
        name = exporter.fleet.names[0]
        self.assertTrue(exporter.answered_instead)
        page.wait(lambda seen: set(seen["charts"]["throughput"]["legend"].values()) - {"—"} and seen["charts"]["throughput"]["state"] == "loading", 10,
                  "a chart that waits for what draws it")
        page.wait(lambda _: page.evaluate("return import('/assets/history.js').then(({past}) => past.loaded.size === 10)"), 15, "the whole past")
        exporter.instead.clear()
        exporter.answered_instead.clear()
        exporter.down = True
        page.wait(lambda seen: seen["link"] == "broken", 12, "the outage to be seen")
        exporter.fleet.add_events(name, 250)
        exporter.instead["/api/v1/history"] = (503, "text/html")
        exporter.down = False
        page.wait(lambda seen: seen["link"] == "live" and exporter.answered_instead, 15, "the stream, and a question that fails")
        exporter.instead.clear()
        newest = exporter.fleet.log[name][-1]["id"]
        known = "return import('/assets/model.js').then(({model}) => model.events.map((event) => event.id))"
        page.wait(lambda _: page.evaluate(known) == list(range(1, newest + 1)), 10, "every event of the outage")
        # A second or two may be missing where the machine was busy; lines pass over that.
        holes = """return import('/assets/history.js').then(({values}) => value.map((member) => {
          let run = 0;
          return Math.max(...values('requests_per_second', member).slice(-60).map((one) => (run = Number.isNaN(one) ? run + 1 : 0)));
        }))"""
        page.wait(lambda _: max(page.evaluate(holes, exporter.fleet.members[name])) <= 3, 15, "lines without a hole")
        page.wait(lambda seen: min((seen["charts"]["throughput"]["painted"] or {"none": 0}).values()) > 20, 15, "the lines to be painted")
        self.assertEqual(page.look()["charts"]["throughput"]["state"], "ready")

    def test_a_file_that_is_missing_is_told(self):
        exporter = self.enterContext(fabricated.FabricatedExporter(ChosenFleet(), self.real))
        exporter.instead["/assets/lanes.js"] = (503, "text/html")
        page = self.visit("torn", exporter, wait=False)
        page.wait(lambda seen: seen["verdict"]["sentence"] == "The page could not be loaded whole; reload it.", 10, "the page to say so")

    def test_a_sleep_and_who_answers_after_it(self):
        exporter, page = self.way("laptop")
        sleep = "const now = Date.now; Date.now = () => now() + 8 * 3600 * 1000"
        page.evaluate(sleep)
        time.sleep(1.5)  # Until it has been noticed.
        page.wait(lambda seen: seen["link"] == "live" and abs(off_by(seen["clock"], time.time(), 86400)) < 3, 5, "the right time")
        for answer, cause in (((401, "text/html"), "Something answers 401 in its place: sign in again"), ((502, "text/html"), "A proxy answers 502"),
                              ((200, "text/html"), "with a page of its own in its place")):
            exporter.instead = {"/api": answer, "/ensemble/": answer}
            if answer[0] == 401:
                exporter.down = True  # The stream ends.
                page.evaluate(sleep)
                seen = page.wait(lambda seen: seen["link"] == "broken", 3, "the sleep to be noticed")
                self.assertRegex(seen["verdict"]["sentence"], r"^No word from Watchkeeper for 8 h")
                self.assertIn("has stopped, or the network", seen["verdict"]["cause"])
                exporter.down = False
            page.wait(lambda seen, cause=cause: cause in seen["verdict"]["cause"], 8, cause)
        exporter.instead = {}
        page.wait(lambda seen: seen["link"] in ("live", "polling") and seen["verdict"]["severity"] == "ok"
                  and abs(off_by(seen["clock"], time.time(), 86400)) < 3, 8, "to be told again")


if __name__ == "__main__":
    unittest.main()
