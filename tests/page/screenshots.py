#!/usr/bin/env python3
"""Makes the screenshots: every state, width and theme into build/PRESET/screenshots, and those of the README into
docs/images. Runs by hand: `/usr/bin/python3 tests/page/screenshots.py`; WK_BIN names the folder of the program.

What is shown is real: an ensemble of three that some clients use, watched for a while, then broken; and a watchkeeperd
with locks that are waited for, a herd and some load.
"""

import contextlib
import logging
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import unittest

from kazoo import client, exceptions

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "page")]

from lab import apache, load, process, stack, watchkeeperd, workspace  # noqa: E402  (found through the lines above)
from observability import watching  # noqa: E402

import browser  # noqa: E402

logging.getLogger("kazoo").setLevel(logging.CRITICAL)  # It complains of the faults that are made here.
_IMAGES = ROOT / "docs" / "images"
_IMAGE_MAX_BYTES = 250_000
# Long enough for charts with a shape.
_WATCHED_S = 75
_QUORUM_LOST_S = 12
_README = {"healthy-1440-light": "overview.png", "quorum-lost-1440-dark": "quorum-lost.png", "healthy-390-light": "phone.png",
           "inside-light": "inside.png"}
# Members are told by name, as in a real configuration; all of them live on this host.
_NAMES = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  int (*real)(const char*, const char*, const struct addrinfo*, struct addrinfo**) = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(node != NULL && strncmp(node, "zk", 2) == 0 ? "127.0.0.1" : node, service, hints, found);
}
"""
_FILLED = ("verdict", "picture", "events", "members", "sources")
_SIZES = {390: 844, 1440: 900, 1920: 1080}


class NamedExporter(stack.Exporter):
    """The exporter, for which zk1, zk2, … are names of this host."""

    def command(self):
        source, library = self.folder / "names.c", self.folder / "names.so"
        source.write_text(_NAMES, encoding="ascii")
        subprocess.run([process.find_program("gcc", "gcc"), "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        return ["env", f"LD_PRELOAD={library}", *super().command()]


def shoot(pages, output, state):
    """One picture of each page, once its parts are there."""
    for name, page in pages.items():
        page.wait(lambda seen: "loading" not in [seen["parts"].get(part) for part in _FILLED], 20)
        page.screenshot(output / f"{state}-{name}.png")


def busy_clients(address, stack_of):
    """Services of some team: workers at one lock, watchers of one configuration, documents of all sizes."""
    clients = [client.KazooClient(address, timeout=20) for _ in range(12)]
    for one in clients:
        one.start(timeout=20)
        stack_of.callback(one.close)
        stack_of.callback(one.stop)
    first = clients[0]
    for size, name in ((40_000, "routes"), (900, "features"), (300_000, "schema")):
        first.create(f"/orders/config/{name}", bytes(size), makepath=True)
    for number in range(400):
        first.create(f"/orders/queue/task-{number:010}", b"task", makepath=True)
    clients[1].Lock("/orders/locks/settlement", "worker-1").acquire(timeout=10)
    for number, one in enumerate(clients[2:7], start=2):
        threading.Thread(target=_wait_for_lock, args=(one, f"worker-{number}"), daemon=True).start()
    for one in clients:
        one.DataWatch("/orders/config/features", lambda *_: None)
    return first


def _wait_for_lock(one, name):
    with contextlib.suppress(exceptions.KazooException):
        one.Lock("/orders/locks/settlement", name).acquire(timeout=120)


def shoot_inside(chromium, output):
    """The inside of a server, as its own page shows it."""
    with watchkeeperd.WatchkeeperEnsemble(1) as ensemble, contextlib.ExitStack() as clients:
        member = ensemble.members[0]
        first = busy_clients(ensemble.connect_string, clients)
        load_words = [watchkeeperd.find_server().parent / "wk_load", member.address, "-c", 8, "-o", 4, "-m", "get=80,set=15,create=5", "--root",
                      "/orders/carts", "-r", 900, "--window", 60, "-w", 1, "-q"]
        child = process.Process("wk_load", load_words)
        clients.callback(child.terminate)
        for number in range(25):
            first.set("/orders/config/features", b"%d" % number)
            time.sleep(1)
        for scheme in ("light", "dark"):
            page = chromium.open(f"inside {scheme}", f"http://127.0.0.1:{member.metrics_port}/ensemble/default/inside",
                                 width=1440, height=1380, scheme=scheme)
            page.wait(lambda seen: seen["link"] == "live", 20)
            time.sleep(3)
            page.screenshot(output / f"inside-{scheme}.png")


def main():
    output = browser.output_folder("screenshots")
    for old in output.glob("*.png"):
        old.unlink()
    with browser.Browser() as chromium:
        shoot_inside(chromium, output)
    with apache.ApacheEnsemble(3) as ensemble, browser.Browser() as chromium:
        path = watching.write_configuration(ensemble.folder, [
            {"name": "production", "members": [f"zk{member.id}:{member.port}" for member in ensemble.members], "canary": "write", "detail_interval": "5s"}])
        with NamedExporter([f"--config.file={path}"]) as exporter, \
                load.LoadGenerator(ensemble.connect_string, rate_per_s=60.0):
            watching.wait_until_visited(exporter)
            pages = {f"{width}-{scheme}": chromium.open(f"{width} {scheme}", exporter.url, width=width, height=height,
                                                        scheme=scheme)
                     for width, height in _SIZES.items() for scheme in ("light", "dark")}
            tables = {name: chromium.open(name, f"{exporter.url}/ensemble/production/{name}", height=900)
                      for name in ("members", "connections", "configuration", "sources", "events")}
            leader = ensemble.wait_for_leader()[0]
            time.sleep(_WATCHED_S / 3)
            leader.kill()
            ensemble.wait_for_leader(other_than=leader)
            time.sleep(3)
            shoot(pages, output, "leader-killed")
            leader.start()
            ensemble.wait_until_serving()
            time.sleep(_WATCHED_S)
            process.wait_for(lambda: watching.status(exporter)["status"] == "ok", 60, "all to be well")
            time.sleep(2)
            shoot(pages, output, "healthy")
            shoot(tables, output, "table")
            for member in ensemble.followers():
                member.kill()
            process.wait_for(lambda: watching.status(exporter)["status"] == "critical", 30, "the quorum to be lost")
            time.sleep(_QUORUM_LOST_S)
            shoot(pages, output, "quorum-lost")
            exporter.stop_process()
            for page in pages.values():
                page.wait(lambda seen: seen["link"] == "broken", 20)
            time.sleep(1)
            shoot(pages, output, "exporter-down")
    _IMAGES.mkdir(exist_ok=True)
    for made, name in _README.items():
        size = (output / f"{made}.png").stat().st_size
        if size > _IMAGE_MAX_BYTES:
            raise SystemExit(f"{made}.png has {size} bytes, more than the {_IMAGE_MAX_BYTES} that the README may have")
        shutil.copy(output / f"{made}.png", _IMAGES / name)
        print(f"{_IMAGES.relative_to(ROOT) / name}: {size} bytes")
    print(f"{len(list(output.glob('*.png')))} pictures in {output}")


if __name__ == "__main__":
    try:
        main()
    except (unittest.SkipTest, workspace.LabUnavailable) as missing:
        sys.exit(f"no screenshots: {missing}")
