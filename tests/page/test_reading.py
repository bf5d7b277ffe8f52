"""A reader at a healthy ensemble: what is loaded, from where and how much; every table and its JSON; sorting and filtering
with the keyboard; every stop of the Tab key; nothing moves; every view is accessible at both widths and in both themes."""

import math
import re
import time
import unittest
import urllib.parse

import page_case

_BYTES_MAX = 300_000
_REQUESTS_MAX = 80
_TABLES = ("members", "connections", "configuration", "sources", "events")
_STEADY_S = 8
# What an update must change in place.
_LASTING = "[...document.querySelectorAll('[data-member], [data-edge], [data-chart], [data-event-type], tbody tr')]"
_SIZES = {"wide": (1920, 1080), "phone": (390, 844)}
# Columns of the members' table whose cell is a number with at most a unit, and where the JSON has it.
_NUMBERS = {"lag": "lag_transactions", "latency": "latency_average_ms", "requests": "requests_per_second",
            "outstanding": "outstanding_requests", "connections": "connections", "sessions": "sessions", "znodes": "znodes",
            "watches": "watches", "fsync": "fsync_ms"}
_WORDS = {"serving": "Serving", "leader": "Leader", "follower": "Follower", True: "yes", False: "no"}


def same_number(cell, value):
    """Whether a cell tells this number to three digits."""
    if value is None:
        return cell == "—"
    told = re.match(r"^(<?)([\d,.]+)( k)?", cell)
    if told is None or told.group(1):
        return told is not None and value < 0.01
    shown = float(told.group(2).replace(",", "")) * (1000 if told.group(3) else 1)
    return math.isclose(shown, value, rel_tol=0.006, abs_tol=0.006)


class Reading(page_case.EnsemblePageCase):
    canary = "off"  # Nothing but the test's own session asks the members for anything: numbers stand still.

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.heal()

    def setUp(self):
        self.addCleanup(self.close_pages)

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    def ready(self, name, path="/", **options):
        page = self.open(name, self.exporter.url + path, **options)
        page.wait(lambda seen: seen["link"] == "live" and "loading" not in
                  (seen["parts"].get("verdict"), seen["parts"].get("members"), seen["parts"].get("charts"),
                   seen["parts"].get("events")), 20, "the page to be filled")
        return page

    def document(self, path):
        answer = self.exporter.get(path)
        self.assertEqual(answer.status, 200, path)
        return answer.json()

    def answered(self, page):
        """All requests of the page once every one but the stream has been answered."""
        answers = []

        def done(_):
            answers[:] = [one for one in page.report()["requests"] if not one["url"].startswith("data:")]
            return [one["type"] for one in answers if one["status"] is None] == ["eventsource"]
        page.wait(done, 20, "an answer to every request")
        return answers

    def test_what_is_loaded(self):
        page = self.ready("first visit", height=2600)
        page.wait(lambda seen: set(seen["parts"].values()) <= {"ready", "empty"}, 20, "every part")
        answers = self.answered(page)
        seen = page.look()
        self.assertEqual([one for one in answers if one["status"] not in (200, None)], [])
        self.assertEqual([urllib.parse.urlsplit(one["url"]).path for one in answers if one["status"] is None],
                         ["/api/v1/stream"])
        total = sum(one["bytes"] or 0 for one in answers)
        print(f"first visit: {len(answers)} requests, {total} bytes, first paint after {seen['first_paint_ms']:.0f} ms")
        self.assertLess(total, _BYTES_MAX)
        self.assertLess(len(answers), _REQUESTS_MAX)
        # What the first paint waits for is in the document itself.
        for kind in ("document", "script"):
            self.assertGreater(sum(one["bytes"] for one in answers if one["type"] == kind), 1000, kind)
        self.assertEqual([one["url"] for one in answers if one["type"] in ("font", "image", "media", "other")], [])
        self.assert_quiet()
        # The bytes are the program's own, whatever is asked of another kind of file.
        head = self.exporter.get("/").headers
        self.assertIn("default-src 'none'", head["content-security-policy"])
        self.assertNotIn("unsafe", head["content-security-policy"])

    def test_a_second_visit_costs_next_to_nothing(self):
        page = self.ready("again")
        first = self.answered(page)
        page.reload()
        seen = page.wait(lambda seen: seen["link"] == "live" and seen["first_paint_ms"] is not None, 20)
        second = [one for one in page.report()["requests"][len(first):] if "/assets/" in one["url"]]
        files = [one for one in first if "/assets/" in one["url"]]
        print(f"second visit: {sum(one['bytes'] or 0 for one in second)} bytes of files instead of "
              f"{sum(one['bytes'] for one in files)}, first paint after {seen['first_paint_ms']:.0f} ms")
        self.assertGreater(len(second), 10)
        self.assertLess(sum(one["bytes"] or 0 for one in second), sum(one["bytes"] for one in files) / 3)

    def test_nothing_moves_in_a_steady_state(self):
        for name, (width, height) in _SIZES.items():
            self.ready(name, width=width, height=height)
        time.sleep(_STEADY_S / 2)  # What belongs to the opening of a page is not judged here.
        self.settle()
        made = {page.name: page.evaluate(f"return {_LASTING}.map((node) => (node.__kept = true)).length") for page in self.pages}
        clocks = {page.name: page.look()["clock"] for page in self.pages}
        time.sleep(_STEADY_S)
        for page in self.pages:
            self.assertNotEqual(page.look()["clock"], clocks[page.name], "the page stands still")
            kept = page.evaluate(f"return {_LASTING}.filter((node) => node.__kept).length")
            self.assertEqual(kept, made[page.name], f"{page.name}: elements were made anew")
        self.assert_nothing_moved()
        self.assert_quiet()

    def test_tables_say_what_their_json_says(self):
        page = self.ready("tables", height=4000)
        page.wait(lambda seen: all(seen["parts"][name] in ("ready", "empty") for name in _TABLES), 20, "all tables")
        json = {name: page.evaluate(f"return document.querySelector('[data-part={name}] [data-role=json]').href")
                for name in _TABLES}
        self.assertEqual(json, {name: f"{self.exporter.url}/ensemble/main/{name}.json" for name in _TABLES})

        def members(seen):
            told = {one["member"]: one for one in self.document("/ensemble/main/members.json")["members"]}
            shown = {row["member"]: row["cells"] for row in seen["tables"]["members"]["rows"]}
            return list(told) == list(shown) and all(
                cells["id"] == told[name]["id"] and cells["state"] == _WORDS[told[name]["state"]]
                and cells["role"] == _WORDS[told[name]["role"]] and cells["voter"] == _WORDS[told[name]["voter"]]
                and cells["in_sync"] == _WORDS[told[name]["in_sync"]] and cells["zxid"] == told[name]["zxid"]
                and cells["version"] == told[name]["version"] and cells["safe"].endswith(told[name]["safe_to_stop"]["reason"])
                and all(same_number(cells[column], told[name][key]) for column, key in _NUMBERS.items())
                for name, cells in shown.items())

        def connections(seen):
            told = self.document("/ensemble/main/connections.json")["connections"]
            return sorted((f"{one['address']}:{one['port']}", one["session"] or "no session") for one in told) == \
                sorted((row["cells"]["client"], row["cells"]["session"]) for row in seen["tables"]["connections"]["rows"]
                       ) and any(row["cells"]["session"] == f"0x{self.client.client_id[0]:x}"
                                 for row in seen["tables"]["connections"]["rows"])

        def configuration(seen):
            told = self.document("/ensemble/main/configuration.json")
            table = seen["tables"]["configuration"]
            return sorted(one["key"] for one in told["keys"]) == sorted(row["cells"]["key"] for row in table["rows"]) and all(
                row["cells"][name] == (value if len(value := one["values"][name]) <= 80 else f"{value[:79]}…")
                for one in told["keys"] for row in table["rows"] if row["cells"]["key"] == one["key"] for name in one["values"])

        def sources(seen):
            told = [one for one in self.document("/ensemble/main/sources.json")["sources"] if one["state"] != "ok"]
            return len(told) == len(seen["tables"]["sources"]["rows"])

        def events(seen):
            return [one["text"] for one in reversed(self.document("/ensemble/main/events.json")["events"])] == \
                [one["text"].split(" (")[0] if one["text"].endswith("s)") else one["text"] for one in seen["events"]]
        for check in (members, connections, configuration, sources, events):
            page.wait(check, 15, f"the table of {check.__name__} and its JSON to agree")
        self.assertEqual({row["cells"]["kind"] for row in page.look()["tables"]["configuration"]["rows"]
                          if row["cells"]["key"] in ("tickTime", "initLimit", "syncLimit")}, {"Same"})
        self.assert_quiet()

    def test_each_table_has_a_url_of_its_own(self):
        for name in _TABLES:
            page = self.ready(f"only {name}", f"/ensemble/main/{name}")
            seen = page.wait(lambda seen, name=name: seen["parts"].get(name) in ("ready", "empty"), 15, name)
            self.assertIn(name, seen["parts"])
            self.assertEqual(set(seen["parts"]) & (set(_TABLES) - {name}), set(), f"/{name} shows other tables, too")
        page = self.pages[-1]
        self.assertEqual(page.go(f"{self.exporter.url}/ensemble/nobody"), 404)
        self.assertEqual(self.exporter.get("/ensemble/nobody/members.json").status, 404)
        page.go(f"{self.exporter.url}/ensembles")
        seen = page.wait(lambda seen: seen["parts"].get("ensembles") == "ready", 15, "the list")
        self.assertEqual([row["cells"]["name"] for row in seen["tables"]["ensembles"]["rows"]], ["main"])
        # Back and forth without loading the page anew.
        page.evaluate("globalThis.__mark = 1")
        page.click('table[data-table=ensembles] a')
        page.wait(lambda seen: seen["parts"].get("picture") == "ready", 15, "the ensemble")
        page.evaluate("history.back()")
        page.wait(lambda seen: seen["parts"].get("ensembles") == "ready" and "picture" not in seen["parts"], 15, "the list")
        self.assertEqual(page.evaluate("return globalThis.__mark"), 1)

    def test_sorting_and_filtering_with_the_keyboard(self):
        page = self.ready("keys", "/ensemble/main/configuration")

        def keys(seen):
            return [row["cells"]["key"] for row in seen["tables"]["configuration"]["rows"]]

        def sort(seen):
            return seen["tables"]["configuration"]["sort"]["key"]

        def whole(seen):
            document = self.exporter.get_json("/ensemble/main/configuration.json")
            return len(keys(seen)) > 10 and set(keys(seen)) == {row["key"] for row in document["keys"]}
        everything = set(keys(page.wait(whole, 15, "the configuration")))
        page.focus('table[data-table=configuration] th[data-column=key] button')
        page.press("Enter")
        page.wait(lambda seen: sort(seen) == "ascending" and keys(seen) == sorted(everything, key=str.lower), 5, "to be sorted")
        page.press("Space")
        page.wait(lambda seen: sort(seen) == "descending" and keys(seen) == sorted(everything, key=str.lower, reverse=True), 5,
                  "to be turned")
        page.focus("[data-part=configuration] input[data-filter]")
        page.type("ticktime")
        seen = page.wait(lambda seen: keys(seen) == ["tickTime"], 5, "the filter")
        self.assertEqual(seen["tables"]["configuration"]["rows"][0]["cells"]["key"], "tickTime")
        page.type("no such key")
        page.wait(lambda seen: keys(seen) == [], 5, "nothing")
        page.press("Control+a", "Delete")
        page.wait(lambda seen: set(keys(seen)) == everything, 5, "everything again")

        page = self.ready("members by keys", "/ensemble/main/members")
        page.focus('table[data-table=members] th[data-column=id] button')
        page.press("Enter")
        seen = page.wait(lambda seen: seen["tables"]["members"]["sort"]["id"] == "descending", 5, "largest first")
        self.assertEqual([row["cells"]["id"] for row in seen["tables"]["members"]["rows"]], ["3", "2", "1"])
        page.focus("[data-part=members] input[data-filter]")
        page.type("leader")
        leader = self.ensemble.wait_for_leader()[0]
        page.wait(lambda seen: leader.address in [row["member"] for row in seen["tables"]["members"]["rows"]], 5, "the leader")

        page = self.ready("events by keys", "/ensemble/main/events")
        page.focus("[data-part=events] input[data-filter]")
        page.type("watching began")
        page.wait(lambda seen: [one["type"] for one in seen["events"]] == ["exporter_started"], 5, "the filtered events")
        self.assert_quiet()

    def test_tab_reaches_everything(self):
        for name, (width, height) in _SIZES.items():
            page = self.ready(name, width=width, height=height)
            # All parts are filled before the walk, so that none comes while it lasts.
            page.evaluate("for (const part of document.querySelectorAll('[data-part]')) part.scrollIntoView()")
            for part in ("charts", "connections", "configuration"):
                page.evaluate("document.querySelector(`[data-part=${value}]`).scrollIntoView()", part)
                page.wait(lambda seen, part=part: seen["parts"][part] == "ready", 15, part)
            page.evaluate("scrollTo(0, 0)")
            walk = page.tab_through()
            reached = {stop["index"] for stop in walk["stops"]}
            self.assertGreater(len(walk["wanted"]), 60)
            self.assertEqual([one for index, one in enumerate(walk["wanted"]) if index not in reached], [],
                             f"{name}: not reached with Tab")
            self.assertEqual([stop["name"] for stop in walk["stops"] if not stop["marked"]], [], f"{name}: focus cannot be seen")
            self.assertEqual([stop["name"] for stop in walk["stops"] if not stop["seen"]], [], f"{name}: focused out of sight")
            self.assertIn("Skip to", walk["stops"][0]["name"])
            # What only the mouse could do: a member is brought forward, a range chosen, a chart's values read, the theme changed.
            leader = self.ensemble.wait_for_leader()[0].address
            page.focus(f'[data-part=picture] [data-member="{leader}"] button')
            page.press("Enter")
            self.assertEqual(page.evaluate("return document.activeElement.getAttribute('aria-pressed')"), "true")
            page.focus("[data-range='300']")
            page.press("Space")
            page.wait(lambda _, page=page: page.evaluate("return document.activeElement.getAttribute('aria-pressed')") == "true", 5)
            page.focus("[data-chart=latency] summary")
            page.press("Enter")
            rows = "[...document.querySelectorAll('[data-chart=latency] table tr')]"
            page.wait(lambda _, page=page: page.evaluate(f"return {rows}.length") > 5, 5, "the values of the chart")
            values = page.evaluate(f"return {rows}.map((row) => [...row.children].map((cell) => cell.textContent))")
            self.assertEqual(len(values[0]), 4, values)
            theme = page.look()["theme"]
            page.focus("[data-role=theme]")
            page.press("Enter")
            page.wait(lambda seen, theme=theme: seen["theme"] not in (theme, None), 5, "the other theme")
            chosen = page.look()["theme"]
            page.reload()
            page.wait(lambda seen, chosen=chosen: seen["theme"] == chosen, 5, "the theme to be remembered")
            page.evaluate("localStorage.clear()")

    def test_every_view_is_accessible_and_fits(self):
        for name, (width, height) in _SIZES.items():
            page = self.ready(name, width=width, height=height)
            for path in ("/", *(f"/ensemble/main/{table}" for table in _TABLES), "/ensembles"):
                page.go(self.exporter.url + path)
                page.wait(lambda seen: seen["link"] == "live" and "loading" not in
                          [state for part, state in seen["parts"].items() if path != "/"], 15, path)
                self.assert_accessible(page)
                self.assert_fits()
            page.go(self.exporter.url + "/runbooks/ZooKeeperQuorumLost")
            found = [one for one in page.accessibility() if one["impact"] in ("serious", "critical")]
            self.assertEqual(found, [], "runbook")
            width = page.evaluate("return [document.documentElement.scrollWidth, innerWidth]")
            self.assertLessEqual(width[0], width[1], f"{name}: the runbook scrolls sideways")
        self.assert_quiet()


if __name__ == "__main__":
    unittest.main()
