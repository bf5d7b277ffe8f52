"""Chromium for the tests of the page: browser.mjs as a child that is told what to do and answers what it saw.

Needs node and npm, packages of npm's registry as package-lock.json names them, and Chromium; what is missing is said by
unittest.SkipTest. WK_CHROMIUM names another Chromium than the first one on PATH.
"""

import collections
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import time
import unittest

from lab import npm

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

_ANSWER_DEADLINE_S = 60


def output_folder(name):
    """A folder of this build for what the tests produce."""
    folder = pathlib.Path(os.environ.get("WK_BIN", ROOT / "build" / "release" / "bin")).resolve().parent / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def chromium():
    named = os.environ.get("WK_CHROMIUM")
    if named:
        return named
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise unittest.SkipTest("Chromium is not here; Debian's package chromium has it, or WK_CHROMIUM names one")
    return found


def installed():
    """The folder with the scripts and their packages, made once for each state of the lock file."""
    npm.require()
    folder = output_folder("npm") / "page"
    folder.mkdir(exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        lock = (HERE / "package-lock.json").read_bytes()
        stamp = folder / "installed.json"
        if not stamp.is_file() or stamp.read_bytes() != lock:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder / name)
            npm.install(folder)
            stamp.write_bytes(lock)
        for script in HERE.glob("*.mjs"):
            fresh = folder / f".{script.name}"
            shutil.copy(script, fresh)
            fresh.replace(folder / script.name)
    return folder


class Browser:
    """One Chromium; a context manager. Pages are opened by name."""

    def __init__(self):
        folder = installed()
        self._log = open(folder / f"browser-{os.getpid()}.log", "wb")
        self._child = subprocess.Popen(["node", folder / "browser.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self._log, cwd=folder, env={**os.environ, "WK_CHROMIUM": chromium()})
        self._rest = b""
        self.version = self._answer("the browser to start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()
        self._log.close()
        pathlib.Path(self._log.name).unlink()

    def open(self, name, url, **options):
        """Opens a page; options: width, height, scheme, clock_wrong_by_ms, zone, scale."""
        self.tell("open", page=name, url=url, **options)
        return Page(self, name)

    def tell(self, what, **details):
        self._child.stdin.write(json.dumps({"do": what, **details}).encode() + b"\n")
        self._child.stdin.flush()
        return self._answer(what)

    def _answer(self, what):
        until = time.monotonic() + _ANSWER_DEADLINE_S
        pipe = self._child.stdout
        while b"\n" not in self._rest:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            part = os.read(pipe.fileno(), 1 << 20) if ready else b""
            if not part:
                raise AssertionError(f"no answer to \"{what}\": "
                                     f"{pathlib.Path(self._log.name).read_text('utf-8', 'replace')[-3000:]}")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{what}: {answer['error']}")
        return answer["value"]


class Page:
    """One page of the browser: what it shows, what it said, and hands to use it."""

    def __init__(self, browser, name):
        self._browser = browser
        self.name = name

    def _tell(self, what, **details):
        return self._browser.tell(what, page=self.name, **details)

    def look(self):
        """What the page shows now; see look() in look.mjs."""
        seen = self._tell("look")
        seen["tables"] = collections.defaultdict(lambda: {"rows": []}, seen["tables"])  # One not made yet has no rows.
        return seen

    def wait(self, condition, deadline_s=20.0, what="the page to show it"):
        """Looks until condition(look) is true; returns that look. AssertionError with the last look."""
        until, looks = time.monotonic() + deadline_s, 0
        while True:
            seen = self.look()
            if condition(seen):
                return seen
            looks += 1
            if time.monotonic() > until and looks >= 3:
                raise AssertionError(f"{self.name}: waited {deadline_s} s in vain for {what}; "
                                     f"it shows {json.dumps(brief(seen), ensure_ascii=False, indent=1)}")
            time.sleep(0.15)

    def report(self):
        """Console messages, errors, requests with their bytes since the page was opened."""
        return self._tell("report")

    def accessibility(self):
        return self._tell("accessibility")

    def tab_through(self):
        return self._tell("tabThrough")

    def evaluate(self, script, value=None):
        """Runs the body of a function of `value` in the page."""
        return self._tell("evaluate", script=script, value=value)

    def go(self, url):
        return self._tell("go", url=url)["status"]

    def reload(self):
        self._tell("reload")

    def scheme(self, scheme):
        self._tell("scheme", scheme=scheme)

    def press(self, *keys):
        for key in keys:
            self._tell("press", key=key)

    def type(self, text):
        self._tell("type", text=text)

    def focus(self, selector):
        self._tell("focus", selector=selector)

    def click(self, selector):
        self._tell("click", selector=selector)

    def screenshot(self, path, selector=None):
        self._tell("screenshot", path=str(path), selector=selector)

    def trace_begin(self):
        self._tell("traceBegin")

    def trace_end(self):
        return self._tell("traceEnd")

    def close(self):
        self._tell("close")


def brief(seen):
    """The part of a look that tells most, for messages."""
    return {key: seen[key] for key in ("link", "parts", "verdict", "margin", "picture")} | {
        "events": [f"{one['type']} {one['who']} {one['time']}" for one in seen["events"][:12]],
        "members": [row["cells"] for row in seen["tables"].get("members", {"rows": []})["rows"]]}
