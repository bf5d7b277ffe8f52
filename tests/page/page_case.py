"""What the tests of the page share: a real ensemble, the exporter, a browser with pages open on it, and what holds in
every scene: no error said, nothing moved, nothing serious for a reader's tools, nothing asked of the outside."""

import json
import logging
import re
import urllib.parse

from kazoo.client import KazooClient

from lab import apache, process, stack
from observability import watching

import browser

# Sum of all layout shifts without input, of what a page may have: a tenth of what is called good.
SHIFT_MAX = 0.01
# What a browser says by itself while nobody listens at the page's own address.
_NO_ANSWER = re.compile(r"^Failed to load resource: net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|"
                        r"INCOMPLETE_CHUNKED_ENCODING)$")
_SERIOUS = ("serious", "critical")
_ZNODES = 20
logging.getLogger("kazoo").setLevel(logging.CRITICAL)  # It complains of the faults that are the test.


# What reaches beyond the window, boxes that scroll by themselves left out.
_TOO_WIDE = """
const wide = (node) => node.getBoundingClientRect().right > innerWidth + 1;
const clipped = (node) => node.parentElement && node.parentElement.closest('body *') &&
    [...(function*(at) { for (; at && at !== document.body; at = at.parentElement) yield at; })(node.parentElement)]
        .some((at) => getComputedStyle(at).overflowX !== 'visible' && getComputedStyle(at).position !== 'static');
return [...document.querySelectorAll('body *')].filter((node) => wide(node) && !clipped(node)).slice(0, 8)
    .map((node) => `${node.tagName}.${node.className.baseVal ?? node.className} in ${node.closest('[data-part]')?.dataset.part}: ` +
                   `${node.textContent.slice(0, 40)}`);
"""


class PageCase(watching.LabTestCase):
    """Pages of one browser. open() registers a page for the checks that hold for all."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = cls.class_lab(browser.Browser)
        cls.pages = []
        cls.judged = {}

    @classmethod
    def open(cls, name, url, **options):
        page = cls.browser.open(name, url, **options)
        cls.pages.append(page)
        cls.judged[name] = {"console": 0, "shift": 0.0}
        return page

    def each(self, condition, what, deadline_s=20.0):
        """Waits until the condition holds on every page; returns the looks by name of page."""
        return {page.name: page.wait(condition, deadline_s, what) for page in self.pages}

    def settle(self):
        """From here on messages and shifts count: a scene is judged by what it did itself."""
        for page in self.pages:
            self.judged[page.name]["console"] = len(page.report()["console"])
            self.judged[page.name]["shift"] = sum(one["value"] for one in page.look()["shifts"])

    def assert_quiet(self, exporter_was_down=False):
        """Nothing was said on the console, thrown, or asked of the outside."""
        for page in self.pages:
            report = page.report()
            known = self.judged[page.name]["console"]
            said = report["console"][known:]
            self.judged[page.name]["console"] = len(report["console"])
            if exporter_was_down:
                said = [one for one in said if not _NO_ANSWER.search(one["text"])]
            self.assertEqual(said, [], f"{page.name}: console")
            self.assertEqual(report["errors"], [], f"{page.name}: uncaught errors")
            self.assert_nothing_external(report, page.name)

    def assert_nothing_external(self, report, name):
        outside = [one["url"] for one in report["requests"]
                   if urllib.parse.urlsplit(one["url"]).scheme not in ("data", "blob")
                   and urllib.parse.urlsplit(one["url"]).hostname != "127.0.0.1"]
        self.assertEqual(outside + report["sockets"], [], f"{name}: requests to the outside")

    def assert_nothing_moved(self):
        """Layout shifts since settle()."""
        for page in self.pages:
            shifts = page.look()["shifts"]
            moved = sum(one["value"] for one in shifts) - self.judged[page.name]["shift"]
            largest = sorted(shifts, key=lambda one: -one["value"])[:4]
            self.assertLess(moved, SHIFT_MAX, f"{page.name}: the layout shifted: {json.dumps(largest, indent=1)}")

    def assert_accessible(self, *pages):
        """axe finds nothing serious, light and dark."""
        for page in pages or self.pages:
            for scheme in ("light", "dark"):
                page.scheme(scheme)
                page.wait(lambda seen, scheme=scheme: seen["theme"] == scheme, 5, f"the {scheme} theme")
                found = [one for one in page.accessibility() if one["impact"] in _SERIOUS]
                self.assertEqual(found, [], f"{page.name}, {scheme}: {json.dumps(found, indent=1)}")

    def assert_form(self, real, made, where):
        """The forms (fabricated.form) of a real document and a fabricated one agree; sets that depend on the case aside."""
        if isinstance(real, dict) and isinstance(made, dict):
            if where.endswith((".events", ".values")):
                return
            self.assertEqual(list(real), list(made), where)
            for key in real:
                self.assert_form(real[key], made[key], f"{where}.{key}")
        elif isinstance(real, list) and isinstance(made, list):
            if real and made:
                self.assert_form(real[0], made[0], f"{where}[]")
        elif real is not None and made is not None:
            self.assertEqual(real, made, where)

    def assert_fits(self):
        for page in self.pages:
            width = page.look()["width"]
            if width["page"] > width["window"]:
                self.fail(f"{page.name}: {width['page']} pixels in a window of {width['window']}: {page.evaluate(_TOO_WIDE)}")


class EnsemblePageCase(PageCase):
    """Three real members of which one client is a session, watched; setUp makes everything well again."""

    canary = "read"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ensemble = cls.class_lab(apache.ApacheEnsemble, 3)
        path = watching.write_configuration(cls.ensemble.folder, [
            {"name": "main", "members": cls.ensemble.addresses, "detail_interval": "2s", "canary": cls.canary}])
        cls.exporter = cls.class_lab(stack.Exporter, [f"--config.file={path}"])
        watching.wait_until_visited(cls.exporter)
        client = KazooClient(hosts=cls.ensemble.connect_string, timeout=20)
        client.start(timeout=30)
        cls.addClassCleanup(client.close)
        cls.addClassCleanup(client.stop)
        for number in range(_ZNODES):
            client.create(f"/page-{number:02}", b"seen")
        cls.client = client

    @classmethod
    def heal(cls):
        """All three members serve, and the exporter says so."""
        if not cls.exporter.process.alive:
            cls.exporter.start()
            cls.exporter.wait_ready()
        cls.ensemble.heal()
        cls.ensemble.start()
        cls.ensemble.wait_until_serving()
        process.wait_for(lambda: watching.status(cls.exporter)["quorum"]["margin"] == 1, 40, "the whole quorum",
                         child=cls.exporter.process)
        process.wait_for(lambda: not watching.status(cls.exporter)["problems"], 60, "no open problem",
                         child=cls.exporter.process)
