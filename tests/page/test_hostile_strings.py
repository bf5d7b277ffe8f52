"""Strings of members are hostile: whatever a member, or a program that answers in its place, says is shown as text.

First a real exporter that watches a member made of markup; then documents in which every text of the API is hostile, as
if the exporter itself let everything through.
"""

import unittest

from lab import stack
from observability import watching

import fabricated
import hostile_member
import page_case
from hostile_member import LONG, MARKUP, QUOTES, TURNED

# What the document may have of elements that load or run something: what stands in its head, and the chart library.
_ALLOWED_SCRIPTS = {"/assets/app.js", "/assets/vendor/uplot/uPlot.iife.min.js"}
# Texts of the API that are not a member's, or that the page has to understand to show anything.
_UNDERSTOOD = {"time", "started", "exporter_started", "state_since", "last_answer", "last_ok", "last_tried", "since", "type",
               "severity", "status", "state", "role", "series", "id", "member", "ensemble", "name", "members", "runbook"}
_ENUMERATIONS = {"runbook", "type", "severity", "status", "state", "role"}
_INSPECT = """
const harm = [];
if ('__harmed' in window) harm.push(`ran: ${window.__harmed}`);
for (const node of document.querySelectorAll('*')) {
  if (node.hasAttribute('harm')) harm.push(`element ${node.outerHTML.slice(0, 200)}`);
  if (['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'BASE', 'FORM', 'META', 'VIDEO', 'AUDIO', 'STYLE'].includes(node.tagName.toUpperCase()) &&
      !(['META', 'STYLE'].includes(node.tagName) && node.parentElement === document.head)) harm.push(`element ${node.outerHTML.slice(0, 200)}`);
  const own = node.parentElement === document.head && !node.hasAttribute('src');  // The policy has its hash.
  if (node.tagName.toUpperCase() === 'SCRIPT' && !own && !value.includes(new URL(node.src || 'about:blank', location).pathname)) harm.push(`script ${node.outerHTML}`);
  for (const {name, value: text} of node.attributes) {
    if (name.startsWith('on')) harm.push(`attribute ${name}=${text}`);
    if (['href', 'src', 'xlink:href', 'action'].includes(name) && /^\\s*(javascript|data):/i.test(text) && node.rel !== 'icon')
      harm.push(`link ${text}`);
    if (['title', 'aria-label', 'placeholder', 'data-absolute'].includes(name) && /[\\u202a-\\u202e\\u2066-\\u2069\\u200f]/.test(text))
      harm.push(`a mark that turns text in ${name} of ${node.outerHTML.slice(0, 90)}`);
  }
}
const texts = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
while (texts.nextNode())
  if (/[\\u202a-\\u202e\\u2066-\\u2069\\u200f]/.test(texts.currentNode.data)) harm.push(`a mark that turns text in ${texts.currentNode.data.slice(0, 80)}`);
if (/[\\u202a-\\u202e\\u2066-\\u2069\\u200f]/.test(document.title)) harm.push('a mark that turns text in the title');
return harm;
"""


class HostileFleet(fabricated.Fleet):
    """A fleet in whose documents every text is hostile, as are names of ensembles and members."""

    def __init__(self, understood):
        super().__init__(ensembles=2, members=3, events=20, inside=True)
        self._understood = understood
        renamed = [f"{MARKUP[:40]}&amp;{TURNED}", "100% & ../é?#x"]
        self.members = {new: [f"{QUOTES}{number}:2181" if number < 3 else f"{TURNED}{LONG[:200]}:2181" for number in (1, 2, 3)]
                        for new in renamed}
        self.names = renamed
        self.log = {name: [self._event(name, number, self.started + number) for number in range(1, 21)] for name in renamed}

    def harm(self, document, key=None):
        if isinstance(document, dict):
            return {name: self.harm(value, name) for name, value in document.items()}
        if isinstance(document, list):
            return [self.harm(value, key) for value in document]
        if isinstance(document, str) and key not in self._understood:
            return f"{MARKUP}{QUOTES}{TURNED}{document} {LONG}"
        return document

    def status(self):
        return self.harm(super().status())

    def members_table(self, name):
        return self.harm(super().members_table(name))

    def events(self, name, after=0, limit=100):
        return self.harm(super().events(name, after, limit))

    def connections_table(self, name):
        return self.harm(super().connections_table(name))

    def configuration_table(self, name):
        return self.harm(super().configuration_table(name))

    def inside_table(self, name):
        document = self.harm(super().inside_table(name))
        inside = document["members"][0]["inside"]
        # Words that name a number are text, too.
        for counts in (inside["requests"]["write_stages_seconds"], inside["clients"]["by_state"], inside["sessions"]["by_timeout_used"],
                       inside["sessions"]["expiries"], inside["limits_hit"], inside["memory_bytes"]):
            counts |= {f"{MARKUP}{QUOTES}{TURNED}{LONG}": 1, "__proto__": 1, "constructor": 1}
        return document


class HostileStrings(page_case.PageCase):
    def tearDown(self):
        for page in self.pages:
            page.close()
        self.pages.clear()

    maxDiff = 4000

    def assert_harmless(self, *shown):
        """Nothing ran, nothing was injected, and these texts stand on the page."""
        for page in self.pages:
            for _ in range(2):
                self.assertEqual(page.evaluate(_INSPECT, sorted(_ALLOWED_SCRIPTS)), [], page.name)
                # What is only made when it is wanted: hints, values of charts, filtered and sorted rows.
                page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true;"
                              "for (const each of document.querySelectorAll('table[data-table] thead button')) each.click();"
                              "for (const each of document.querySelectorAll('[data-problem] button')) each.click();"
                              "for (const each of document.querySelectorAll('[data-part=picture] [data-member] button')) each.click()")
                page.wait(lambda _: True)
            text = page.evaluate("return document.body.textContent")
            for one in shown:
                self.assertIn(one, text, page.name)
        self.assert_fits()
        self.assert_quiet()

    def test_a_real_exporter_and_a_hostile_member(self):
        with hostile_member.HostileMember() as member:
            folder = self.lab(stack.Exporter, ["--zookeeper=127.0.0.1:1"]).folder
            name = "<img src=x onerror=alert(1) harm> & 100% ../x"
            path = watching.write_configuration(folder, [{"name": name, "members": [member.address], "canary": "off",
                                                          "detail_interval": "1s"}])
            exporter = self.lab(stack.Exporter, [f"--config.file={path}"])
            watching.wait_until_visited(exporter)
            # The premise: the strings are in the documents.
            self.assertIn(MARKUP[:20], watching.document(exporter, member.address)["facts"]["status"]["version"])
            for label, width, height in (("wide", 1920, 5000), ("phone", 390, 9000)):
                self.open(label, exporter.url, width=width, height=height)
            self.each(lambda seen: seen["link"] == "live" and seen["tables"]["configuration"]["rows"]
                      and seen["tables"]["connections"]["rows"] and seen["tables"]["members"]["rows"][0]["cells"]["version"] != "—",
                      "the hostile member in all tables")
            self.assert_harmless(MARKUP[:40], "⟨U+202E⟩gnp.exe", QUOTES[:12], name)
            seen = self.pages[0].look()
            self.assertIn(MARKUP[:20], seen["tables"]["members"]["rows"][0]["cells"]["version"])
            self.assertTrue(any(row["cells"]["last_operation"].startswith("<img/") for row in seen["tables"]["connections"]["rows"]))
            self.assertTrue(any(MARKUP[:30] in cell for row in seen["tables"]["configuration"]["rows"] for cell in row["cells"].values()))
            self.assertIn(name, seen["title"])
            self.assert_accessible()

    def everything_hostile(self, understood):
        with stack.Exporter(["--zookeeper=127.0.0.1:1"]) as real, \
                fabricated.FabricatedExporter(HostileFleet(understood), real) as exporter:
            names = exporter.fleet.names
            for label, width, height in (("wide", 1920, 5000), ("phone", 390, 9000)):
                page = self.open(label, f"{exporter.url}/ensembles", width=width, height=height)
                page.wait(lambda seen: len(seen["tables"].get("ensembles", {"rows": ()})["rows"]) == 2, 20, "two ensembles")
            self.assert_harmless(MARKUP[:40], "100% & ../é?#x")
            for name in names:
                for page in self.pages:
                    page.evaluate("document.querySelectorAll('table[data-table=ensembles] tbody a')[value].click()", names.index(name))
                    page.wait(lambda seen: len(seen["picture"]["members"]) == 3 and seen["events"]
                              and seen["tables"]["connections"]["rows"] and seen["tables"]["configuration"]["rows"], 20, "its members")
                self.assert_harmless(MARKUP[:40], QUOTES, "⟨U+202E⟩gnp.exe", "…")
                self.assert_accessible()
                for page in self.pages:
                    page.wait(lambda seen: seen["brief"] and seen["brief"]["facts"]["slowest"]["what"].startswith(MARKUP[:20]), 20,
                              "the inside in brief")
                    page.click("[data-part=brief] [data-role=more]")
                    page.wait(lambda seen: len(seen["tables"]["expired"]["rows"]) == 100 and len(seen["tables"]["slowest"]["rows"]) == 20
                              and len(seen["tables"]["stages"]["rows"]) == 10 and seen["figures"], 30, "its inside")
                self.assert_harmless(MARKUP[:40], QUOTES, "⟨U+202E⟩gnp.exe", "…")
                if name == names[0]:  # The lists of the second are the same.
                    self.assert_accessible()
                for page in self.pages:
                    page.evaluate("history.back()")
                    page.wait(lambda seen: seen["parts"].get("picture") == "ready", 10, "the overview")
                    page.evaluate("history.back()")
                    page.wait(lambda seen: seen["parts"].get("ensembles") == "ready", 10, "the list")

    def test_every_text_hostile(self):
        self.everything_hostile(_UNDERSTOOD)

    def test_every_text_hostile_and_unknown_states(self):
        self.everything_hostile(_UNDERSTOOD - _ENUMERATIONS)


if __name__ == "__main__":
    unittest.main()
