"""A reader at a healthy ensemble: what is loaded, from where and how much; every table and its JSON; sorting and filtering
with the keyboard; every stop of the Tab key; nothing moves; every view is accessible at both widths and in both themes."""

import math
import re
import time
import unittest
import urllib.parse

from lab import process, stack

import fabricated
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


class ChosenFleet(fabricated.Fleet):
    """Ensembles of which a test chooses parts: of the status of each, and of its members."""

    def __init__(self, ensembles=3, members=5, events=20):
        super().__init__(ensembles=ensembles, members=members, events=events)
        self.chosen = {name: {} for name in self.names}
        self.of_members = {}
        self.old_configurations = set()  # Members that told theirs a day ago.

    def _down(self, ensemble, member):
        return False

    def _ensemble(self, name):
        document = super()._ensemble(name) | {"status": "ok", "problems": []} | self.chosen[name]
        for member in document["members"]:
            member |= {key: value for key, value in self.of_members.get(member["member"], {}).items() if key in member}
        return document

    def members_table(self, name):
        document = super().members_table(name)
        for member in document["members"]:
            member |= self.of_members.get(member["member"], {})
        return document

    def configuration_table(self, name):
        document = super().configuration_table(name)
        for member in document["members"]:
            if member["member"] in self.old_configurations:
                member |= {"age_seconds": 90_000.0, "fresh": False}
        return document


def problem(word, severity, summary, member, runbook="ZooKeeperMemberUnreachable"):
    return {"id": word, "severity": severity, "summary": summary, "cause": f"why: {summary}", "remedy": f"what helps: {summary}",
            "runbook": runbook, "members": [member]}


class Fabricated(page_case.PageCase):
    """States that a real ensemble is in for moments only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real = cls.class_lab(stack.Exporter, ["--zookeeper=127.0.0.1:1"])

    def setUp(self):
        self.fleet = ChosenFleet()
        self.exporter = self.enterContext(fabricated.FabricatedExporter(self.fleet, self.real))
        self.addCleanup(self.close_pages)

    def close_pages(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    def test_the_list_explains_the_problem_that_is_pressed(self):
        fine, worried, down = self.fleet.names
        self.fleet.chosen[worried] = {"status": "warning", "verdict": "It limps.",
                                      "problems": [problem("member_unreachable", "warning", "a member is away", "zk1")]}
        self.fleet.chosen[down] = {"status": "critical", "verdict": "It is down.", "serving": False,
                                   "problems": [problem("no_quorum", "critical", "the quorum is lost", "zk2")]}
        page = self.open("list", f"{self.exporter.url}/ensembles")
        shown = "return [...document.querySelectorAll('[data-problem]')].map((one) => one.querySelector('button').getAttribute('aria-pressed'))"
        seen = page.wait(lambda seen: [one["text"] for one in seen["verdict"]["problems"]] == [f"{down}: It is down.", f"{worried}: It limps."],
                         15, "both problems, the worst first")
        self.assertEqual(page.evaluate(shown), ["true", "false"])
        self.assertEqual(seen["verdict"]["cause"], f"{down}: the quorum is lost (why: the quorum is lost)")
        page.click("[data-problem=member_unreachable] button")
        seen = page.wait(lambda seen: seen["verdict"]["cause"] == f"{worried}: a member is away (why: a member is away)", 5, "the other one")
        self.assertEqual(page.evaluate(shown), ["false", "true"])
        self.assertEqual(seen["verdict"]["remedy"], "what helps: a member is away")
        # Down, and nobody says yet why: that is no calm, on the list as on its own page.
        self.fleet.chosen[worried] = {}
        self.fleet.chosen[down] |= {"problems": []}
        self.fleet.status_word = "critical"
        for path in ("/ensembles", f"/ensemble/{down}"):
            page.go(self.exporter.url + path)
            seen = page.wait(lambda seen: seen["verdict"]["severity"] == "critical" and seen["verdict"]["problems"] == [], 10, path)
            self.assertEqual((seen["verdict"]["cause"], seen["verdict"]["remedy"]), ("Not every member has been visited yet.", "Wait a moment."))
        page.go(f"{self.exporter.url}/ensemble/{fine}")
        page.wait(lambda seen: "voters are in sync in epoch" in seen["verdict"]["cause"], 10, "the calm of the other")

    def test_what_is_told_of_one_ensemble(self):
        name, other = self.fleet.names[:2]
        zk1, zk2, zk3, zk4, zk5 = self.fleet.members[name]
        self.fleet.of_members = {zk2: {"lag_transactions": None, "zxid": "0x10000000a"}, zk3: {"lag_transactions": 250, "zxid": "0x100000009"},
                                 zk4: {"lag_transactions": 0, "zxid": "0xffffffff"}, zk1: {"zxid": "0x100000100"}, zk5: {"zxid": None}}
        # Two sources of one member with the same outcome, and members that claim to serve while no client gets anything done.
        self.fleet.chosen[name] = {"status": "critical", "serving": False, "problems": [
            problem("source_not_whitelisted", "warning", f"{zk1}: {source} does not answer (not_whitelisted)", zk1) for source in ("mntr", "srvr")]}
        page = self.open("one", f"{self.exporter.url}/ensemble/{name}", width=1920, height=1080)
        seen = page.wait(lambda seen: len(seen["picture"]["edges"]) == 4 and len(seen["verdict"]["problems"]) == 2, 15, "both problems")
        self.assertEqual([one["text"].split()[1] for one in seen["verdict"]["problems"]], ["mntr", "srvr"])
        self.assertEqual((seen["margin"]["value"], seen["margin"]["meaning"]), ("2", "to spare, yet no client is served"))
        self.assertEqual(page.evaluate("return document.querySelector('[data-part=margin]').dataset.level"), "critical")
        edges = page.evaluate("""return Object.fromEntries([...document.querySelectorAll('[data-edge]')].map((edge) =>
          [edge.dataset.edge.split('>')[0], [edge.dataset.look, edge.querySelector('text').textContent]]))""")
        self.assertEqual((edges[zk2], edges[zk3], edges[zk4]), (["live", "lag —"], ["behind", "lag 250"], ["live", "lag 0"]))

        # A member that was brought forward dims nothing of another ensemble.
        page.click(f'[data-part=picture] [data-member="{zk2}"] button')
        self.assertGreater(page.evaluate("return document.querySelectorAll('[data-emphasis]').length"), 0)
        page.click("[data-role=all]")
        page.wait(lambda seen: len(seen["tables"]["ensembles"]["rows"]) == 3, 5, "the list")
        page.click(f"table[data-table=ensembles] a[href='/ensemble/{other}']")
        page.wait(lambda seen: self.fleet.members[other][0] in seen["picture"]["members"], 5, "the other ensemble")
        page.wait(lambda _: page.evaluate("return document.querySelectorAll('[data-emphasis]').length") == 0, 3, "all members alike")

        page.go(f"{self.exporter.url}/ensemble/{name}/members")
        page.wait(lambda seen: len(seen["tables"]["members"]["rows"]) == 5, 10, "the members")
        page.focus("table[data-table=members] th[data-column=zxid] button")
        page.press("Enter")
        page.wait(lambda seen: [row["member"] for row in seen["tables"]["members"]["rows"]] == [zk4, zk3, zk2, zk1, zk5], 5, "the oldest zxid first")
        self.assert_quiet()

    def test_a_configuration_of_yesterday_is_left_out_of_the_comparison(self):
        name = self.fleet.names[0]
        odd, *others = self.fleet.members[name]
        page = self.open("old", f"{self.exporter.url}/ensemble/{name}/configuration", width=1920, height=1080)

        def marked():
            return page.evaluate("return document.querySelectorAll('[data-part=configuration] [data-differs]').length")

        def message():
            return page.evaluate("return document.querySelector('[data-part=configuration] [data-role=message]').textContent")
        page.wait(lambda _: marked() > 0 and "keys that should agree differ." in message(), 15, "the differences")
        self.fleet.old_configurations = {odd}
        page.wait(lambda _: f"{odd.split('.')[0]}’s is 1\u00a0d 1\u00a0h old" in message(), 15, "the age of one")
        self.assertIn("left out of the comparison.", message())
        self.fleet.old_configurations = {odd, *others}
        page.wait(lambda _: "No member tells its configuration now" in message(), 15, "nobody's of now")
        self.assertEqual(page.evaluate("return document.querySelector('[data-part=configuration]').dataset.state"), "stale")
        self.assert_quiet()

    def test_numbers_are_rounded_before_their_unit_is_chosen(self):
        cases = {
            "number": [(999_999, "1.00 M"), (999_499, "999 k"), (99.96, "100"), (99.94, "99.9"), (9.996, "10.0"), (9.99, "9.99"), (9999, "9,999"),
                       (9999.6, "10.0 k"), (999_600_000, "1.00 G"), (0, "0"), (0.001, "<0.01"), (None, "—")],
            "percent": [(0.996, "99.6 %"), (0.99999, "99.9 %"), (1, "100 %"), (0.994, "99.4 %"), (0.99, "99 %"), (0.0996, "10 %"), (0, "0 %"), (1.2, "120 %")],
            "duration": [(0.9997, "1 s"), (0.9994, "999 ms"), (0.0009996, "1.00 ms"), (9.96, "10 s"), (59.6, "1 min")],
            "bytes": [(1023, "1023 B"), (102_359, "100 KiB"), (1_048_570, "1.00 MiB")]}
        page = self.open("format", f"{self.exporter.url}/ensembles")
        told = page.evaluate("""return import('/assets/format.js').then((format) => Object.fromEntries(Object.entries(value).map(([name, cases]) =>
          [name, cases.map(([number]) => [number, format[name](number).replaceAll('\\u00a0', ' ')])])))""", cases)
        self.assertEqual(told, {name: [list(case) for case in list_] for name, list_ in cases.items()})

    def test_what_nobody_asked_for_is_neither_made_anew_nor_heard(self):
        page = self.open("quiet", f"{self.exporter.url}/ensemble/{self.fleet.names[0]}", height=1600)
        page.wait(lambda seen: seen["parts"].get("charts") == "ready" and seen["charts"]["throughput"]["state"] == "ready", 15, "the charts")
        page.click("[data-chart=throughput] summary")
        first = "return document.querySelector('[data-chart=throughput] tbody th')?.textContent"
        page.wait(lambda _: page.evaluate(first), 5, "the values of a chart")
        time_ = page.evaluate("for (const cell of document.querySelectorAll('[data-chart=throughput] :is(th, td)')) cell.__kept = true;" + first)
        page.wait(lambda _: page.evaluate(first) != time_, 10, "newer values")
        self.assertEqual(page.evaluate("return [...document.querySelectorAll('[data-chart=throughput] :is(th, td)')].filter((cell) => !cell.__kept).length"), 0)
        heard = "return [...document.querySelectorAll('.count[aria-live]')].length"
        self.assertEqual(page.evaluate(heard), 0)
        page.focus("[data-part=members] input[data-filter]")
        page.type("zk1")
        page.wait(lambda _: page.evaluate(heard) == 1, 5, "the number of rows that fit to be said")
        # While there is no word, nothing of the list says what its members are.
        page.go(f"{self.exporter.url}/ensembles")
        page.wait(lambda seen: len(seen["tables"]["ensembles"]["rows"]) == 3, 10, "the list")
        self.exporter.down = True
        page.evaluate("const now = Date.now; Date.now = () => now() + 3600 * 1000")  # a sleep, so that it need not grow old
        page.wait(lambda seen: seen["link"] == "broken", 12, "the silence")
        glyphs = "return [...new Set([...document.querySelectorAll('.glyphs li')].map((one) => one.title.split(': ').at(-1)))]"
        page.wait(lambda _: page.evaluate(glyphs) == ["not known"], 5, "glyphs without words of then")

    def test_the_list_of_events_says_where_it_ends(self):
        fleet = ChosenFleet(ensembles=1, events=700)
        exporter = self.enterContext(fabricated.FabricatedExporter(fleet, self.real))
        page = self.open("events", f"{exporter.url}/ensemble/{fleet.names[0]}/events")
        older = "const link = document.querySelector('[data-role=older]'); return [link.checkVisibility(), link.textContent, link.getAttribute('href')]"
        page.wait(lambda seen: len(seen["events"]) == 60, 15, "the newest events")
        self.assertFalse(page.evaluate(older)[0], "there are more on the page")
        page.focus("[data-part=events] input[data-filter]")
        page.type("number 699")
        page.wait(lambda seen: len(seen["events"]) == 1, 10, "the only one that fits")
        self.assertEqual(page.evaluate(older), [True, "200 older: JSON", f"/ensemble/{fleet.names[0]}/events.json?limit=5000"])
        self.assert_quiet()

    def test_the_past_of_many_members_is_asked_for_in_parts(self):
        fleet = ChosenFleet(ensembles=1, members=71)
        exporter = self.enterContext(fabricated.FabricatedExporter(fleet, self.real))
        page = self.open("many", f"{exporter.url}/ensemble/{fleet.names[0]}")
        loaded = """return import('/assets/history.js').then(({past, values}) =>
          value.every((one) => values('state', one) !== null && values('state', one)[past.slots - 1000] === 0))"""
        # Without a look in between: what so many lines show takes a second to read.
        process.wait_for(lambda: page.evaluate(loaded, fleet.members[fleet.names[0]]), 30, "the states of all members")


if __name__ == "__main__":
    unittest.main()
