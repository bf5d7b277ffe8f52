#!/usr/bin/env python3
"""Makes the screenshots: every state, width and theme into build/PRESET/screenshots, and the three of the README into
docs/images. Runs by hand: `/usr/bin/python3 tests/page/screenshots.py`; WK_BIN names the folder of the program.

What is shown is real: an ensemble of three that some clients use, watched for a while, then broken.
"""

import logging
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "page")]

from lab import apache, load, process, stack, workspace  # noqa: E402  (found through the lines above)
from observability import watching  # noqa: E402

import browser  # noqa: E402

logging.getLogger("kazoo").setLevel(logging.CRITICAL)  # It complains of the faults that are made here.
_IMAGES = ROOT / "docs" / "images"
_IMAGE_MAX_BYTES = 250_000
# Long enough for charts with a shape.
_WATCHED_S = 75
_QUORUM_LOST_S = 12
_README = {"healthy-1440-light": "overview.png", "quorum-lost-1440-dark": "quorum-lost.png", "healthy-390-light": "phone.png"}
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


def main():
    output = browser.output_folder("screenshots")
    for old in output.glob("*.png"):
        old.unlink()
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
