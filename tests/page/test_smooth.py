"""The page with 24 hours of history and 10 ensembles of 7 members: no task of its thread takes 50 ms after it has loaded.

A task is judged by the processor time that its thread used, which other programs of the machine do not add to. How fast
the processor is meanwhile (its kind, and what shares its caches and its other half) is measured by a second page that does
the same small work again and again: the 50 ms are those of a processor that does it in 2.1 ms, as one core of an AMD EPYC
that is left alone, and are stretched on a slower one by what it is slower. What is long is done again with new pages: a
task that is the page's own is long each time, and one that the machine made is not.
"""

import json
import statistics
import time
import unittest

from lab import stack

import fabricated
import page_case

_TASK_MAX_MS = 50.0
_WORK_MS = 2.1
_ROUNDS = 3
# The work that is measured: text and numbers as the page makes them, some milliseconds of them.
_WORK = """
setInterval(() => {
  const node = document.createElement('p');
  for (let i = 0; i < value; ++i) node.textContent = `${Math.sin(i).toFixed(3)} ${node.textContent.length}`;
}, 200);
"""
# What a viewer does meanwhile; 24 h are shown at first.
_DEEDS = (
    ("1 h", "document.querySelector('[data-range=\"3600\"]').click()"),
    ("3 h", "document.querySelector('[data-range=\"10800\"]').click()"),
    ("24 h", "document.querySelector('[data-range=\"86400\"]').click()"),
    ("values of a chart", "document.querySelector('[data-chart=latency] summary').click()"),
    ("one member", "document.querySelector('[data-part=picture] [data-member] button').click()"),
    ("scrolled to the middle", "scrollTo(0, document.body.scrollHeight / 2)"),
    ("scrolled to the end", "scrollTo(0, document.body.scrollHeight)"),
    ("sorted", "document.querySelector('table[data-table=connections] th[data-column=received] button').click()"),
    ("filtered", "const filter = document.querySelector('[data-part=connections] input[data-filter]');"
                 "filter.value = '10.0.3'; filter.dispatchEvent(new Event('input'))"),
    ("other theme", "scrollTo(0, 0); document.querySelector('[data-role=theme]').click()"),
    ("list of ensembles", "document.querySelector('[data-role=all]').click()"),
    ("another ensemble", "document.querySelector(`a[href='/ensemble/${value.other}']`).click()"),
)
# The same with the inside of a server, all lists of it full.
_DEEDS_INSIDE = (
    ("the view", "document.querySelector('[data-table-link=inside]').click()"),
    ("nothing while it grows", ""),
    ("the next document", ""),
    ("another", ""),
    ("sorted", "document.querySelector('table[data-table=expired] th[data-column=ephemerals_removed] button').click()"),
    ("filtered", "const filter = document.querySelector('[data-list=expired] input[data-filter]');"
                 "filter.value = '10.0.1'; filter.dispatchEvent(new Event('input'))"),
    ("full text", "document.querySelector('[data-list=expired] input[type=checkbox]').click()"),
    ("scrolled to the end", "scrollTo(0, document.body.scrollHeight)"),
    ("other theme", "scrollTo(0, 0); document.querySelector('[data-role=theme]').click()"),
    ("another view", "document.querySelector('[data-table-link=sources]').click()"),
    ("the view again", "document.querySelector('[data-table-link=inside]').click()"),
)


class Smooth(page_case.PageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real = cls.class_lab(stack.Exporter, ["--zookeeper=127.0.0.1:1"])
        cls.fleet = fabricated.Fleet()
        cls.exporter = cls.enterClassContext(fabricated.FabricatedExporter(cls.fleet, cls.real))

    def tearDown(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    def test_fabricated_documents_have_the_real_form(self):
        name = self.fleet.names[0]
        for real, made in ((("/api/v1/status"), self.fleet.status()),
                           ("/ensemble/default/members.json", self.fleet.members_table(name)),
                           ("/ensemble/default/events.json", self.fleet.events(name)),
                           ("/ensemble/default/connections.json", self.fleet.connections_table(name)),
                           ("/ensemble/default/configuration.json", self.fleet.configuration_table(name))):
            self.assert_form(fabricated.form(self.real.get_json(real)), fabricated.form(made), real)

    def test_no_long_task_after_load(self):
        self.assert_no_long_task(self.use_overview)

    def test_no_long_task_with_a_full_inside(self):
        self.assert_no_long_task(self.use_inside)

    def use_overview(self):
        """Opens the page of an ensemble and does what a viewer does; what the trace of it says, as of judge."""
        name = self.fleet.names[-1]
        page = self.open("busy", f"{self.exporter.url}/ensemble/{name}", width=1920, height=1080)
        page.wait(lambda seen: len(seen["picture"]["members"]) == 7 and seen["parts"].get("charts") == "ready"
                  and len(seen["events"]) >= 60, 30, "the ensemble of seven")
        meter = self.start_meter()
        page.evaluate("document.querySelector('[data-range=\"86400\"]').click()")
        page.wait(lambda seen: all(chart["state"] == "ready" for chart in seen["charts"].values() if chart["legend"]),
                  40, "24 h in every chart in sight")
        time.sleep(2)

        page.trace_begin()
        self.live_for(6)
        page.evaluate("performance.mark('did a burst of events')")
        self.fleet.add_events(name, 40)
        self.live_for(2)
        for what, script in _DEEDS:
            self.do(page, what, script, self.fleet.names[2])
        return self.judge(page, meter)

    def use_inside(self):
        """The same with the inside of a server."""
        fleet = fabricated.Fleet(ensembles=2, members=1, inside=True)
        exporter = self.enterContext(fabricated.FabricatedExporter(fleet, self.real))
        page = self.open("inside", f"{exporter.url}/ensemble/{fleet.names[0]}", width=1920, height=1600)
        page.wait(lambda seen: seen["parts"].get("brief") == "ready" and seen["parts"].get("charts") == "ready", 30, "the brief part")
        meter = self.start_meter()
        page.trace_begin()
        self.live_for(6)
        for what, script in _DEEDS_INSIDE:
            self.do(page, what, script, fleet.names[1])
        found = self.judge(page, meter)
        self.assertEqual(len(page.look()["tables"]["expired"]["rows"]), 100)
        return found

    def assert_no_long_task(self, use):
        long = use()
        for _ in range(_ROUNDS - 1):
            if not long:
                return
            self.tearDown()
            again = use()
            long = {deed: again[deed] for deed in long if deed in again}
        self.assertFalse(long, json.dumps(long, indent=1))

    def start_meter(self):
        meter = self.browser.open("meter", f"{self.real.url}/livez", width=300, height=200)
        meter.evaluate(_WORK, 3000)
        return meter

    def do(self, page, what, script, other):
        page.evaluate("performance.mark(`did ${value.what}`);" + script, {"what": what, "other": other})
        self.live_for(1.5)

    def judge(self, page, meter):
        """Ends the trace. {what was done: the longest task then}, of tasks longer than they may be on a machine as fast as
        the meter found it."""
        traced = page.trace_end()
        meter.close()
        self.assert_quiet()
        mine, work = traced[page.name], traced[meter.name]["counted_cpu_ms"]
        self.assertGreater(len(work), 50, "the second page did not work")
        slower = max(1.0, statistics.median(work) / _WORK_MS)
        self.assertGreater(mine["tasks"], 500, "the trace holds nothing")
        longest = mine["longest"]
        self.assertTrue(all(task["cpu_ms"] is not None for task in longest), "the trace has no processor times")
        print(f"{mine['tasks']} tasks; longest by processor time {longest[0]['cpu_ms']:.1f} ms ({longest[0]['after']}), on the wall "
              f"{max(task['wall_ms'] for task in longest):.1f} ms; the machine is {slower:.2f} times slower than the limit's")
        long = [task for task in reversed(longest) if task["cpu_ms"] >= _TASK_MAX_MS * slower]
        return {task["after"]: task for task in long}

    def live_for(self, seconds):
        """The page goes on by itself for a while."""
        time.sleep(seconds)


if __name__ == "__main__":
    unittest.main()
