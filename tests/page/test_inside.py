"""What the page shows of the inside of a server: first of fabricated ones, with every list full or empty and numbers that a
test chooses; then of a real one, with planted causes; and that pages of other servers show nothing of it."""

import json
import math
import re
import threading
import time
import unittest
import urllib.request

from kazoo.client import KazooClient

from lab import lone_client, stack, watchkeeperd
from observability import watching

import fabricated
import page_case

_SIZES = {"wide": (1920, 1080), "phone": (390, 844)}
_STEADY_S = 11  # two documents and a bit
_NEXT_S = 12    # within it the next document is there
_BYTES_MAX = 300_000
_LISTS = ("limits", "quiet", "stages", "slowest", "hottest", "herds", "locks", "watched", "large", "wide", "subtrees",
          "talkers", "expired")
_LASTING = "[...document.querySelectorAll('[data-part=inside] tbody tr, [data-part=brief] li, .stages rect, [data-list]')]"
_NARROWEST_ANSWER = re.compile(r"^(\d+(?:\.\d+)?)\s(µs|ms|s)$")


def rows(seen, name):
    return [row["cells"] for row in seen["tables"][name]["rows"]]


def column(seen, table, key):
    return [cells[key] for cells in rows(seen, table)]


def milliseconds(text):
    value, unit = _NARROWEST_ANSWER.match(text).groups()
    return float(value) * {"µs": 1e-3, "ms": 1, "s": 1e3}[unit]


def asked_for_inside(page):
    """How often a page has asked for the document of the inside."""
    return sum(one["url"].endswith("/inside.json") for one in page.report()["requests"])


def empty_inside():
    """What a server tells before anything has happened and before its first walks."""
    unwalked = {"age_seconds": None, "took_seconds": 0.0, "longest_slice_seconds": 0.0}

    def emptied(value, key=None):
        if key == "survey":
            return unwalked
        if isinstance(value, list):
            return []
        if isinstance(value, dict):
            return {name: emptied(one, name) for name, one in value.items()}
        return 0 if isinstance(value, (int, float)) else value
    return emptied(fabricated.inside(100.0, 0))


class ChosenFleet(fabricated.Fleet):
    """Ensembles of one server, whose inside a test chooses: `inside_now()`."""

    def __init__(self):
        super().__init__(ensembles=2, members=1, events=20, inside=True)
        self.inside_now = lambda: fabricated.inside(time.time() - self.started, self.seen)
        self.told_ago = 0  # How old the documents are that are too large for the stream.

    def _aged(self, document):
        return document | {"time": fabricated.iso(time.time() - self.told_ago)}

    def connections_table(self, name):
        return self._aged(super().connections_table(name))

    def configuration_table(self, name):
        return self._aged(super().configuration_table(name))

    def inside_table(self, name):
        document = self._aged(super().inside_table(name))
        if document["members"]:
            document["members"][0]["inside"] = self.inside_now()
        return document


class Fabricated(page_case.PageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real = cls.class_lab(stack.Exporter, ["--zookeeper=127.0.0.1:1"])

    def setUp(self):
        self.fleet = ChosenFleet()
        self.exporter = self.enterContext(fabricated.FabricatedExporter(self.fleet, self.real))
        self.name = self.fleet.names[0]
        self.addCleanup(self.close_pages)

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    def overview(self, name="overview", **options):
        page = self.open(name, f"{self.exporter.url}/ensemble/{self.name}", **{"height": 1600, **options})
        page.wait(lambda seen: "brief" in seen["parts"] and seen["link"] == "live", 15, "the place of the brief part")
        page.evaluate("document.querySelector('[data-part=brief]').scrollIntoView()")
        page.wait(lambda seen: seen["parts"]["brief"] == "ready", 15, "the brief part")
        page.evaluate("scrollTo(0, 0)")
        return page

    def view(self, name="view", **options):
        page = self.open(name, f"{self.exporter.url}/ensemble/{self.name}/inside", **options)
        page.wait(lambda seen: seen["parts"].get("inside") == "ready" and seen["link"] == "live"
                  and all(seen["lists"].get(one, {}).get("state") for one in _LISTS), 15, "the view")
        return page

    def test_in_brief(self):
        page = self.overview()
        brief = page.look()["brief"]
        self.assertEqual(brief["writes"], "A write takes 3.62 ms, Sync 86 %since the start")
        self.assertEqual(list(brief["stages"].items()), [
            ("Prepare", "20 µs"), ("Log queue", "300 µs"), ("Append", "100 µs"), ("Sync", "3.10 ms"), ("Quorum", "50 µs"),
            ("Apply", "40 µs"), ("Reply", "10 µs")])
        self.assertEqual([tuple(one.values()) for one in brief["limits"]], [
            ("child_list_reply", "critical", "Largest list of children", "97 %, reached in 25 min"),
            ("log_disk", "warning", "Disk of the log", "92 % of 93.1 GiB"),
            ("connections_of_address", "warning", "Connections of one address", "55 %, reached in 2 h")])
        self.assertEqual(brief["facts"]["slowest"] | {"ago": None},
                         {"what": "setData /slow/znode-01", "note": "2 s, Sync 94 %", "ago": None})
        self.assertRegex(brief["facts"]["slowest"]["ago"], r"^\d+ s ago$")
        self.assertEqual(brief["facts"]["expired"]["what"],
                         "client or network: nothing was heard for 30.5 s over a connection that was open")
        self.assertEqual(brief["facts"]["expired"]["note"], "0x100000000801 of 10.0.1.1")
        self.assertEqual(brief["facts"]["hottest"], {"what": "/hot/read-01", "note": "901 /s, 60 % of all reads", "ago": None})
        # The way to the rest of it, and back.
        page.click("[data-part=brief] [data-role=more]")
        page.wait(lambda seen: seen["parts"].get("inside") == "ready" and "brief" not in seen["parts"], 10, "the view")
        self.assertTrue(page.evaluate("return location.pathname.endsWith('/inside')"))
        page.evaluate("history.back()")
        page.wait(lambda seen: seen["parts"].get("brief") == "ready", 10, "the overview")
        self.assert_quiet()

    def test_everything_is_listed(self):
        page = self.view(height=4000)
        wanted = {"limits": 10, "quiet": 20, "stages": 7, "slowest": 20, "hottest": 40, "herds": 20, "locks": 20, "watched": 20,
                  "large": 20, "wide": 20, "subtrees": 20, "talkers": 30, "expired": 100}
        seen = page.wait(lambda seen: {name: len(rows(seen, name)) for name in wanted} == wanted, 15, "every row")
        self.assertEqual({seen["tables"][name]["json"] for name in wanted}, {f"/ensemble/{self.name}/inside.json"})
        self.assertEqual(column(seen, "limits", "limit")[:3], ["Largest list of children", "Disk of the log", "Connections of one address"])
        self.assertEqual(rows(seen, "limits")[0], {"limit": "Largest list of children", "share": "97 %", "left": "in 25 min",
                                                   "used": "996 KiB", "bound": "1.00 MiB", "about": "/queue"})
        self.assertEqual([cells["bound"] for cells in rows(seen, "limits") if cells["limit"] == "Zxids of the epoch"], ["4.29 G"])
        self.assertEqual(column(seen, "stages", "share"), ["0.6 %", "8.3 %", "2.8 %", "86 %", "1.4 %", "1.1 %", "0.3 %"])
        slow = rows(seen, "slowest")
        self.assertEqual((slow[0]["operation"], slow[0]["path"], slow[0]["latency_seconds"], slow[0]["where"], slow[0]["zxid"]),
                         ("setData", "/slow/znode-01", "2 s", "Sync 94 %", "0x1"))
        self.assertEqual((slow[3]["operation"], slow[3]["where"], slow[3]["zxid"]), ("getChildren", "—", "—"))
        self.assertEqual([slow[2]["meanwhile"], slow[4]["meanwhile"], slow[14]["meanwhile"]], ["snapshot", "purge", "snapshot, purge"])
        self.assertEqual(page.evaluate("return document.querySelector('table[data-table=slowest] td svg').getAttribute('aria-label')").replace("\u00a0", " "),
                         "Prepare 20.0 ms, Log queue 20.0 ms, Append 20.0 ms, Sync 1.9 s, Quorum 20.0 ms, Apply 20.0 ms, Reply 20.0 ms")
        self.assertEqual(rows(seen, "hottest")[:2], [
            {"path": "/hot/read-01", "reads": "901 /s", "of_reads": "60 %", "changes": "—", "of_changes": "—"},
            {"path": "/hot/changed-01", "reads": "—", "of_reads": "—", "changes": "901 /s", "of_changes": "60 %"}])
        self.assertEqual([rows(seen, "herds")[0][key] for key in ("path", "event", "watchers", "times")], ["/herd/01", "Data changed", "3,000", "1"])
        self.assertEqual([rows(seen, "locks")[0][key] for key in ("path", "contenders", "holder")], ["/locks/01", "49", "0x100000000001"])
        self.assertRegex(rows(seen, "locks")[0]["held_since"], r"^\d\d:\d\d:\d\d \d+ s ago$")
        self.assertEqual(rows(seen, "watched")[0], {"path": "/watched/01", "kind": "Data", "watchers": "4,000"})
        self.assertEqual(rows(seen, "large")[0], {"path": "/large/01", "bytes": "879 KiB", "of_reply": "86 %"})
        self.assertEqual(rows(seen, "wide")[0], {"path": "/queue/01", "children": "60,000", "reply_bytes": "996 KiB", "of_reply": "97 %"})
        self.assertEqual(rows(seen, "subtrees")[0], {"path": "/tree/01", "znodes": "500,000"})
        self.assertEqual(rows(seen, "talkers")[0], {"client": "10.0.0.1:40001", "session": "0x100000000001",
                                                    "requests_a_second": "500 /s", "bytes_a_second": "12.1 KiB/s"})
        self.assertEqual(rows(seen, "quiet")[0], {"session": "0x100000000401", "address": "10.0.2.1", "silence_seconds": "30 s",
                                                  "timeout_seconds": "30 s", "used": "99 %"})
        died = rows(seen, "expired")[0]
        self.assertRegex(died.pop("expired"), r"^\d\d:\d\d:\d\d (\d+ s|1 min) ago$")
        self.assertEqual(died, {
            "cause": "Did not come back", "conclusion": "client or network: nothing was heard for 30.5 s over a connection that was open",
            "address": "10.0.1.1", "session": "0x100000000801", "timeout_seconds": "30 s", "silence_seconds": "31 s",
            "longest_gap_before_seconds": "10 s", "without_connection_seconds": "4.5 s", "server": "synced 200 ms",
            "ephemerals_removed": "1"})
        self.assertEqual(seen["lists"]["locks"]["said"], "Found 12 min ago by a walk of 250 ms.")
        self.assertEqual(seen["lists"]["slowest"]["said"], "Of the last ten minutes; from 100 ms on a request counts as slow now.")
        self.assertEqual(seen["figures"]["Sessions by share of timeout used"],
                         {"Up to a third": "180", "Up to two thirds": "9", "More than two thirds": "20", "All of it": "1"})
        self.assertEqual(seen["figures"]["Expired, by cause"]["Did not come back"], "50")
        self.assertEqual(seen["figures"]["Connections by state"]["Open"], "209")
        self.assertEqual(seen["figures"]["Limits hit"]["Reading paused: requests outstanding"], "3")
        self.assertEqual(seen["figures"]["Memory by part"]["Znodes: names and data"], "76.3 MiB")
        self.assertEqual(seen["figures"]["Sessions"]["Would expire together, at most"], "90")
        self.assertEqual(seen["figures"]["Core thread"]["Longest wake-up of the last minutes"], "12.0 ms")
        self.assert_quiet()

    def test_limits_are_judged_as_the_alerts_do(self):
        """Just within and just beyond each bound: (limit, share, seconds left, what the page makes of it)."""
        hour = 3600
        cases = [("memory", 0.80, None, "ok"), ("memory", 0.81, None, "warning"), ("memory", 0.95, None, "critical"),
                 ("memory", 0.51, 4 * hour, "ok"), ("memory", 0.51, 4 * hour - 1, "warning"), ("memory", 0.51, hour / 2, "critical"),
                 ("memory", 0.50, 60, "ok"), ("log_disk", 0.90, None, "ok"), ("log_disk", 0.91, None, "warning"),
                 ("snapshot_disk", 0.90, None, "ok"), ("child_list_reply", 0.80, None, "ok"), ("child_list_reply", 0.81, None, "critical"),
                 ("child_list_reply", 0.51, 3 * hour, "critical"), ("made_up", 0.81, None, "warning")]
        page = self.overview()
        judged = page.evaluate("""
          return import('/assets/limits.js').then(({limitsOf}) =>
            value.map(([limit, share, left]) => limitsOf({limits: [{limit, share, seconds_left: left}]})[0].level))""", cases)
        self.assertEqual(list(zip(cases, judged)), [(case, case[3]) for case in cases])

    def test_nothing_has_happened_yet(self):
        self.fleet.inside_now = empty_inside
        brief = self.overview().look()["brief"]
        self.assertEqual(brief["writes"], "Nothing has been written yet")
        self.assertEqual(brief["limits"], [])
        self.assertEqual({key: fact["what"] for key, fact in brief["facts"].items()}, {"slowest": "—", "expired": "—", "hottest": "—"})
        seen = self.view(height=3000).look()
        self.assertEqual({name: seen["lists"][name]["state"] for name in _LISTS}, {name: "empty" for name in _LISTS})
        self.assertEqual(seen["lists"]["locks"]["said"], "The first walk has not ended yet.")
        self.assertEqual(seen["lists"]["expired"]["said"], "No session is known to have expired.")
        self.assertEqual(sum(len(rows(seen, name)) for name in _LISTS), 0)
        self.assert_quiet()

    def test_the_mean_write_is_of_late(self):
        counted = {"writes": 1000, "fsync": 1.0, "reply": 1.0}

        def now():
            document = fabricated.inside(100.0, self.fleet.seen)
            document["requests"] |= {"writes": counted["writes"], "write_seconds": counted["fsync"] + counted["reply"],
                                     "write_stages_seconds": {"fsync": counted["fsync"], "reply": counted["reply"]}}
            return document
        self.fleet.inside_now = now
        page = self.overview()
        self.assertEqual(page.look()["brief"]["writes"], "A write takes 2.00 ms, Sync 50 %since the start")
        # A hundred writes later, each of 48 ms in the sync and 2 ms at the end.
        counted |= {"writes": 1100, "fsync": 5.8, "reply": 1.2}
        seen = page.wait(lambda seen: "since" not in seen["brief"]["writes"], _NEXT_S, "the mean of late")
        self.assertRegex(seen["brief"]["writes"], r"^A write takes 50\.0 ms, Sync 96 %last \d+ s$")
        self.assertEqual(seen["brief"]["stages"], {"Sync": "48.0 ms", "Reply": "2.00 ms"})
        # Started anew: what was counted before is of another life.
        counted |= {"writes": 10, "fsync": 0.0, "reply": 0.01}
        seen = page.wait(lambda seen: "since" in seen["brief"]["writes"], _NEXT_S, "the mean since the start")
        self.assertEqual(seen["brief"]["writes"], "A write takes 1.00 ms, Reply 100 %since the start")
        self.assertAlmostEqual(milliseconds(seen["brief"]["stages"]["Reply"]), 1.0)

    def test_rows_stay_where_they_are_while_their_numbers_move(self):
        first = {"heat": 900.0}

        def now():
            document = fabricated.inside(100.0, self.fleet.seen)
            document["requests"] |= {"hottest_writes": [], "hottest_reads": sorted(
                ({"path": path, "a_second": heat, "share": heat / 2000} for path, heat in (("/a", first["heat"]), ("/b", 500.0))),
                key=lambda hot: -hot["share"])}
            return document
        self.fleet.inside_now = now
        page = self.view()
        page.wait(lambda seen: column(seen, "hottest", "path") == ["/a", "/b"], 10, "both znodes")
        first["heat"] = 10.0
        seen = page.wait(lambda seen: column(seen, "hottest", "reads")[:1] == ["10 /s"], _NEXT_S, "the new number")
        self.assertEqual(column(seen, "hottest", "path"), ["/a", "/b"])
        page.click("table[data-table=hottest] th[data-column=reads] button")
        page.wait(lambda seen: column(seen, "hottest", "path") == ["/b", "/a"], 5, "the order that was asked for")

    def test_sorting_and_filtering_with_the_keyboard(self):
        page = self.view()
        page.wait(lambda seen: len(rows(seen, "expired")) == 100, 15, "every row")
        page.focus("table[data-table=expired] th[data-column=ephemerals_removed] button")
        page.press("Enter")
        page.wait(lambda seen: seen["tables"]["expired"]["sort"]["ephemerals_removed"] == "descending", 5, "to be sorted")
        falling = [str(number) for number in range(100, 0, -1)]  # Rows come to their place some a frame.
        page.wait(lambda seen: column(seen, "expired", "ephemerals_removed") == falling, 5, "every row in its place")
        page.focus("[data-list=expired] input[data-filter]")
        page.type("10.0.1.77")
        page.wait(lambda seen: column(seen, "expired", "address") == ["10.0.1.77"], 5, "the filter")
        page.focus("[data-list=slowest] input[data-filter]")
        page.type("sync")
        page.wait(lambda seen: len(rows(seen, "slowest")) == 15, 5, "only those with stages")
        self.assert_quiet()

    def test_tab_reaches_everything(self):
        for name, (width, height) in _SIZES.items():
            for page in (self.view(f"view {name}", width=width, height=height), self.overview(f"overview {name}", width=width, height=height)):
                # All parts are filled before the walk, so that none comes while it lasts.
                for part in ("charts", "connections", "configuration") if page.name.startswith("overview") else ():
                    page.evaluate("document.querySelector(`[data-part=${value}]`).scrollIntoView()", part)
                    page.wait(lambda seen, part=part: seen["parts"][part] == "ready", 15, part)
                page.evaluate("scrollTo(0, 0)")
                walk = page.tab_through()
                reached = {stop["index"] for stop in walk["stops"]}
                self.assertEqual([one for index, one in enumerate(walk["wanted"]) if index not in reached], [], f"{page.name}: not reached")
                self.assertEqual([stop["name"] for stop in walk["stops"] if not stop["marked"]], [], f"{page.name}: focus cannot be seen")
                self.assertEqual([stop["name"] for stop in walk["stops"] if not stop["seen"]], [], f"{page.name}: focused out of sight")
        wanted = self.pages[0].evaluate("return [...document.querySelectorAll('[data-part=inside] [data-filter]')].length")
        self.assertEqual(wanted, len(_LISTS))

    def test_nothing_moves_in_a_steady_state(self):
        for name, (width, height) in _SIZES.items():
            self.overview(f"overview {name}", width=width, height=height)
            self.view(f"view {name}", width=width, height=height)
        time.sleep(_STEADY_S / 2)  # What belongs to the opening of a page is not judged here.
        self.settle()
        made = {page.name: page.evaluate(f"return {_LASTING}.map((node) => (node.__kept = true)).length") for page in self.pages}
        self.assert_asked_every_5_s([page for page in self.pages if page.name.startswith("view")])
        for page in self.pages:
            kept = page.evaluate(f"return {_LASTING}.filter((node) => node.__kept).length")
            self.assertEqual(kept, made[page.name], f"{page.name}: elements were made anew")
        self.assert_nothing_moved()
        self.assert_quiet()

    def assert_asked_every_5_s(self, views):
        """Never more often; on a busy machine a browser with many pages may be late in one span, but not in each of three."""
        seen = []
        for _ in range(3):
            before = {page.name: asked_for_inside(page) for page in views}
            time.sleep(_STEADY_S)
            seen.append({page.name: asked_for_inside(page) - before[page.name] for page in views})
            self.assertLessEqual(max(seen[-1].values()), 3, seen)
            if min(seen[-1].values()) >= 2:
                return
        self.fail(f"documents asked for in {_STEADY_S} s: {seen}")

    def test_opening_it_moves_nothing(self):
        """The brief part takes its place where nothing has to make room."""
        page = self.open("opened", f"{self.exporter.url}/ensemble/{self.name}", width=1440, height=900)
        page.wait(lambda seen: seen["parts"].get("brief") == "ready", 15, "the brief part")
        shifts = page.look()["shifts"]
        self.assertLess(sum(shift["value"] for shift in shifts), page_case.SHIFT_MAX, shifts)
        places = """return ['[data-part=picture]', '[data-role=lanes]', '[data-part=events]', '[data-part=charts]'].map((one) => {
          const {left, top} = document.querySelector(one).getBoundingClientRect();
          return [left, top];
        })"""
        with_it = page.evaluate(places)
        self.fleet.inside = False
        without = self.open("without", f"{self.exporter.url}/ensemble/{self.name}", width=1440, height=900)
        without.wait(lambda seen: seen["parts"].get("picture") == "ready", 15, "the overview")
        self.assertEqual(without.evaluate(places), with_it)

    def test_every_size_and_theme_is_accessible_and_fits(self):
        for name, (width, height) in {**_SIZES, "laptop": (1280, 800)}.items():
            self.overview(f"overview {name}", width=width, height=height)
            self.view(f"view {name}", width=width, height=height)
        self.assert_accessible()
        self.assert_fits()
        self.assert_quiet()

    def test_what_is_of_then_says_so(self):
        with fabricated.FabricatedExporter(self.fleet, self.real) as passing:
            overview = self.open("overview", f"{passing.url}/ensemble/{self.name}", height=1200)
            view = self.open("view", f"{passing.url}/ensemble/{self.name}/inside")
            overview.wait(lambda seen: seen["parts"].get("brief") == "ready", 15, "the brief part")
            view.wait(lambda seen: seen["parts"].get("inside") == "ready" and len(rows(seen, "limits")) == 10, 15, "the view")
        seen = overview.wait(lambda seen: seen["parts"].get("brief") == "stale", 20, "the brief part to be stale")
        self.assertEqual(seen["brief"]["message"], "No word: this is the inside of then.")
        view.wait(lambda seen: seen["parts"].get("inside") == "stale", 20, "the view to be stale")
        self.assertEqual(view.evaluate("return document.querySelector('[data-part=inside] > [data-role=message]').textContent"),
                         "No word: this is the inside of then.")

    def test_what_cannot_be_renewed_says_so(self):
        """The stream lives, and questions are not answered any more: a sign-in that ran out, a server that is short of readers."""
        self.fleet.told_ago = 10
        view = self.view()
        self.assertRegex(view.evaluate("return document.querySelector('[data-part=inside] > [data-role=message]').textContent"), r" as of 1\d\ss ago;")
        overview = self.overview(height=2600)
        parts = ("brief", "connections", "configuration")
        overview.wait(lambda seen: [seen["parts"][part] for part in parts] == ["ready"] * 3, 15, "every part")
        self.assertRegex(overview.evaluate("return document.querySelector('[data-part=connections] > [data-role=message]').textContent"),
                         r"as of 1\d\ss ago at most")
        self.exporter.instead = {f"/ensemble/{self.name}/{table}.json": (503, "text/html") for table in ("inside", "connections", "configuration")}
        view.wait(lambda seen: seen["parts"]["inside"] == "stale" and seen["link"] == "live", 25, "the view to be stale")
        seen = overview.wait(lambda seen: [seen["parts"][part] for part in parts] == ["stale"] * 3 and seen["link"] == "live", 25, "the parts to be stale")
        self.assertRegex(seen["brief"]["message"], r"^Not renewed for \d+ s: questions for it are not answered\.$")
        self.assertEqual(seen["verdict"]["severity"], "ok")
        self.exporter.instead = {}
        overview.wait(lambda seen: [seen["parts"][part] for part in parts] == ["ready"] * 3, 15, "every part again")

    def assert_no_inside(self, url, name):
        page = self.open("overview", url + (f"/ensemble/{name}" if name else "/"), height=2000)
        page.wait(lambda seen: seen["link"] == "live" and seen["parts"].get("picture") == "ready", 15, "the overview")
        page.wait(lambda seen: seen["parts"].get("sources") in ("ready", "empty"), 15, "the tables")
        self.assertNotIn("brief", page.look()["parts"])
        self.assertFalse(page.evaluate("return document.querySelector('[data-table-link=inside]').checkVisibility()"))
        page.go(f"{url}/ensemble/{name or 'default'}/inside")
        page.wait(lambda seen: seen["parts"].get("inside") == "empty", 15, "the view to say that there is none")
        self.assertEqual(page.evaluate("return document.querySelector('[data-part=inside] > [data-role=message]').textContent"),
                         "No member tells of its inside here: a Watchkeeper server does, on its own page.")
        asked = [one["url"] for one in page.report()["requests"] if "inside.css" in one["url"] or "inside.json" in one["url"]]
        self.assertEqual(asked, [])
        self.assert_quiet()

    def test_a_page_of_other_servers_shows_nothing_of_it(self):
        self.fleet.inside = False
        self.assert_no_inside(self.exporter.url, self.name)

    def test_a_sidecar_shows_nothing_of_it(self):
        self.assert_no_inside(self.real.url, None)


class Live(page_case.PageCase):
    """The page of a real server: what was planted stands where one looks for it."""

    tick_ms = 500
    session_s = 4.0
    surveyed_s = 30.0  # the tree is walked every ten seconds

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(watchkeeperd.WatchkeeperEnsemble, tick_ms=cls.tick_ms,
                                     extra_cfg={"minSessionTimeout": "1000"})
        cls.member = cls.ensemble.members[0]
        cls.url = f"http://127.0.0.1:{cls.member.metrics_port}"

    def client(self):
        client = KazooClient(self.member.address, timeout=20.0)
        client.start()
        self.addCleanup(client.close)
        self.addCleanup(client.stop)
        return client

    def tearDown(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    def test_what_was_planted_is_seen(self):
        overview = self.open("overview", self.url, width=1920, height=1080)
        phone = self.open("phone", self.url, width=390, height=844, scheme="dark")
        overview.wait(lambda seen: seen["link"] == "live" and seen["parts"].get("brief") == "ready", 20, "the brief part")
        view = self.open("view", self.url, width=1440, height=4200)
        view.click("[data-table-link=inside]")
        view.wait(lambda seen: seen["parts"].get("inside") == "ready", 20, "the view")
        for page in self.pages:
            page.wait(lambda seen: seen["link"] == "live", 20, "the stream")

        client = self.client()
        for path in ("/hot", "/herd", "/lock"):
            client.create(path, b"")
        contenders = [self.client() for _ in range(3)]
        for one in contenders:
            one.create("/lock/lock-", ephemeral=True, sequence=True)
        holder = hex(contenders[0].client_id[0])
        woken = threading.Semaphore(0)
        for one in contenders:
            one.get("/herd", watch=lambda event: woken.release())
        client.set("/herd", b"x")
        for _ in contenders:
            self.assertTrue(woken.acquire(timeout=5))
        stopped, session = lone_client.start(self.member.address, self.session_s, "/gone")
        self.addCleanup(stopped.kill)
        stopped.pause()

        stop = threading.Event()

        def read():
            while not stop.wait(0.01):
                client.get("/hot")
                client.set("/hot", b"y")
        reader = threading.Thread(target=read)
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(stop.set)

        view.wait(lambda seen: any(cells["session"] == session and cells["cause"] == "Nothing was heard" and cells["address"] == "127.0.0.1"
                                   and cells["conclusion"].startswith("client or network: nothing was heard for")
                                   for cells in rows(seen, "expired")), 30, "the expired session")
        view.wait(lambda seen: [(cells["path"], cells["contenders"], cells["holder"]) for cells in rows(seen, "locks")]
                  == [("/lock", "3", holder)], self.surveyed_s, "the lock and its queue")
        view.wait(lambda seen: ("/herd", "Data changed", "3") in
                  [(cells["path"], cells["event"], cells["watchers"]) for cells in rows(seen, "herds")], 15, "the herd")
        view.wait(lambda seen: column(seen, "hottest", "path")[:1] == ["/hot"], 30, "the hot znode")
        view.wait(lambda seen: hex(client.client_id[0]) in column(seen, "talkers", "session"), 15, "the talker")
        # A session has expired as soon as that is decided; its connection goes when the log has it, one document later at most.
        seen = view.wait(lambda seen: seen["figures"]["Connections by state"]["Open"] == "4", 15, "the stopped client's connection to go")
        self.assertEqual(column(seen, "stages", "stage"), ["Prepare", "Log queue", "Append", "Sync", "Quorum", "Apply", "Reply"])
        self.assertIn("Memory", column(seen, "limits", "limit"))
        self.assertEqual(seen["figures"]["Expired, by cause"]["Nothing was heard"], "1")

        brief = overview.wait(lambda seen: session in seen["brief"]["facts"]["expired"]["note"]
                              and seen["brief"]["facts"]["hottest"]["what"] == "/hot"
                              and "last" in seen["brief"]["writes"], 30, "the same in brief")["brief"]
        means = [milliseconds(text) for text in brief["stages"].values()]
        told = milliseconds(re.match(r"A write takes (\S+ \S+),", brief["writes"]).group(1))
        self.assertTrue(math.isclose(sum(means), told, rel_tol=0.05, abs_tol=0.005), (means, told))
        self.assertEqual(len(brief["limits"]), 3)
        # Beside it everything goes on: the stream, the events, the tables and their JSON.
        self.assertIn("server_started", [event["type"] for event in overview.look()["events"]])
        clock = overview.look()["clock"]
        overview.wait(lambda seen: seen["clock"] != clock and seen["link"] == "live", 5, "the next second")
        self.assert_accessible(view, overview)
        self.assert_fits()
        self.assert_quiet()
        # The fabricated documents of the other tests have the form of this one, in which most lists have rows.
        with urllib.request.urlopen(f"{self.url}/ensemble/default/inside.json", timeout=5) as answer:
            document = json.load(answer)
        self.assert_form(fabricated.form(document), fabricated.form(ChosenFleet().inside_table("ensemble-01")), "inside.json")

    def test_a_server_that_starts_anew(self):
        client = self.client()
        client.create("/before", b"")
        page = self.open("restarted", self.url, width=1440, height=900)
        page.wait(lambda seen: seen["parts"].get("brief") == "ready" and seen["brief"]["writes"].startswith("A write"), 20, "a write")
        client.stop()
        time.sleep(2)
        self.settle()
        self.member.restart()
        page.wait(lambda seen: "Nothing has been written yet" in seen["brief"]["writes"] or "since" in seen["brief"]["writes"], 30,
                         "the counts of the new process")
        page.wait(lambda seen: seen["parts"]["brief"] == "ready" and seen["link"] == "live", 20, "to be told again")
        page.wait(lambda seen: [event["type"] for event in seen["events"]].count("server_started") == 2, 20, "both starts")
        self.assert_nothing_moved()
        self.assert_quiet(exporter_was_down=True)

    def test_it_costs_little_and_a_sidecar_has_none_of_it(self):
        self.client().create("/written", b"")
        page = self.open("weighed", f"{self.url}/ensemble/default/inside", height=3000)
        page.wait(lambda seen: seen["parts"].get("inside") == "ready" and len(rows(seen, "stages")) == 7, 20, "the view")
        answers = [one for one in page.report()["requests"] if not one["url"].startswith("data:")]
        total = sum(one["bytes"] or 0 for one in answers)
        print(f"the view of the inside: {len(answers)} requests, {total} bytes")
        self.assertLess(total, _BYTES_MAX)
        with stack.Exporter([f"--zookeeper={self.member.address}"]) as sidecar:
            watching.wait_until_visited(sidecar)
            self.assertEqual(sidecar.get_json("/ensemble/default/inside.json")["members"], [])
            other = self.open("sidecar", sidecar.url, height=2000)
            other.wait(lambda seen: seen["link"] == "live" and seen["verdict"]["severity"] == "ok", 20, "the overview")
            self.assertNotIn("brief", other.look()["parts"])
            self.assertFalse(other.evaluate("return document.querySelector('[data-table-link=inside]').checkVisibility()"))
            self.assert_quiet()
            other.close()
            self.pages.remove(other)


if __name__ == "__main__":
    unittest.main()
