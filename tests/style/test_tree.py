"""Rules of the tree that a compiler does not check: who may include whom, formatting, names that must not appear."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What each folder may include, beside itself. The table of docs/ARCHITECTURE.md, which a test below compares with it.
MAY_INCLUDE = {
    "base": set(),
    "jute": {"base"},
    "dial": {"base"},
    "client": {"base", "jute", "dial"},
    "exporter/model": {"base"},
    "exporter/sources": {"base", "exporter/model"},
    "exporter/view": {"base", "exporter/model"},
    "exporter/catalogue": {"base", "exporter/model"},
    "exporter/web": {"base"},
    "exporter/page": {"base", "exporter/web"},
    "exporter/poll": {"base", "dial", "exporter/model", "exporter/sources"},
    "exporter/canary": {"base", "jute", "client", "exporter/model", "exporter/poll"},
    "exporter/app": {"base", "client", "exporter/model", "exporter/sources", "exporter/view", "exporter/catalogue",
                     "exporter/web", "exporter/page", "exporter/poll", "exporter/canary"},
    "server/tree": {"base", "jute"},
    "server/session": {"base", "jute"},
    "server/quorum": {"base"},
    "server/txn": {"base", "jute", "server/tree", "server/session"},
    "server/storage": {"base", "jute"},
    "server/replica": {"base", "jute", "server/tree", "server/session", "server/quorum", "server/txn"},
    "server/config": {"base"},
    "server/net": {"base"},
    "server/node": {"base", "jute", "exporter/model", "exporter/sources", "exporter/view", "exporter/catalogue",
                    "exporter/web", "exporter/page", "exporter/app", "server/tree", "server/session", "server/txn",
                    "server/storage", "server/replica", "server/config", "server/net"},
    "server": {"server/config", "server/node", "base"},
}
# Folders without sockets, threads, clocks, files or randomness, and what would bring them in. (Memory may be mapped, and a
# generator that is given its seed is arithmetic.)
PURE = {"jute", "exporter/model", "exporter/sources", "exporter/view", "server/tree", "server/session", "server/quorum",
        "server/txn", "server/replica", "server/config"}
IMPURE = re.compile(r'#include <(boost/asio|thread|mutex|fstream|sys/(?!mman)|unistd|netdb|condition_variable)|::now\(\)|random_device')
MUTEX_ALLOWED = {"dial", "exporter/web", "exporter/app", "exporter/poll", "server/node"}
# Headers that the build makes.
GENERATED = {"watchkeeper_revision.h", "watchkeeper_build_time.h"}
# Folders whose libraries lie one level down.
NESTED = {"exporter", "server"}


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def folder_of(path):
    return library_of(path.relative_to(ROOT).as_posix())


def library_of(name):
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] in NESTED and len(parts) > 2 else parts[0]


class Tree(unittest.TestCase):
    def test_includes_follow_the_table(self):
        wrong = []
        seen = set()
        for path in tracked("*.h", "*.cpp"):
            folder = folder_of(path)
            if folder not in MAY_INCLUDE:
                continue
            seen.add(folder)
            for line in path.read_text(encoding="utf-8").splitlines():
                match = re.match(r'#include "([^"]+)"', line)
                if not match:
                    continue
                included = match.group(1)
                self.assertTrue((ROOT / included).exists() or included in GENERATED,
                                f"{path}: {included} is not written from the root")
                target = library_of(included)
                if target != folder and target not in MAY_INCLUDE[folder] and included not in GENERATED:
                    wrong.append(f"{path.relative_to(ROOT)} includes {included}")
        self.assertEqual(wrong, [])
        self.assertEqual(seen, set(MAY_INCLUDE), "a folder of the table holds no source")

    def test_every_source_folder_is_in_the_table(self):
        folders = {folder_of(path) for path in tracked("*.h", "*.cpp")} - {"tests", "bench"}
        self.assertEqual(folders, set(MAY_INCLUDE))

    def test_architecture_tells_the_same_table(self):
        text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
        told = {}
        for row in re.findall(r"^\| `([a-z/]+)/` \|.*\| ([^|]+) \|$", text, re.M):
            told[row[0]] = set(re.findall(r"`([a-z/]+)`", row[1]))
        self.assertEqual(told, MAY_INCLUDE)

    def test_pure_folders_are_pure(self):
        wrong = []
        for path in tracked("*.h", "*.cpp"):
            if folder_of(path) in PURE:
                for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                    if IMPURE.search(line):
                        wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
        self.assertEqual(wrong, [])

    def test_mutexes_stay_in_the_shells(self):
        wrong = [str(path.relative_to(ROOT)) for path in tracked("*.h", "*.cpp")
                 if folder_of(path) in MAY_INCLUDE and folder_of(path) not in MUTEX_ALLOWED
                 and "std::mutex" in path.read_text(encoding="utf-8")]
        self.assertEqual(wrong, [])

    def test_no_path_of_a_developers_machine(self):
        pattern = re.compile(r"/work/(main|shared|steering)|/root/|/home/\w+/")
        wrong = [f"{path.relative_to(ROOT)}" for path in tracked("*") if path.resolve() != pathlib.Path(__file__).resolve()
                 and path.suffix not in {".png"} and "golden" not in path.parts
                 and pattern.search(path.read_text(encoding="utf-8", errors="replace"))]
        self.assertEqual(wrong, [])

    def test_formatting(self):
        sources = [str(path) for path in tracked("*.h", "*.cpp")]
        self.assertGreater(len(sources), 100)
        run = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *sources], cwd=ROOT, capture_output=True,
                             text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr[-3000:])

    def test_no_sleeps_in_unit_tests(self):
        wrong = [str(path.relative_to(ROOT)) for path in tracked("tests/unit")
                 if re.search(r"sleep_for|usleep\(|\bsleep\(", path.read_text(encoding="utf-8"))]
        self.assertEqual(wrong, [])

    def test_scripts_parse(self):
        for script in ["tests/run", ".ci/run", "deploy/quickstart", "deploy/packages.sh"]:
            run = subprocess.run(["bash", "-n", script], cwd=ROOT, capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 0, run.stderr)


if __name__ == "__main__":
    unittest.main()
