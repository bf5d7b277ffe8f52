"""The servers that the suites of this folder run against, by name, all with one face (lab.apache.ApacheEnsemble)."""

import contextlib
import os

from lab import apache, watchkeeperd, workspace

KINDS = ("apache-3.9.5", "apache-3.8.0", "watchkeeperd")
SUPER_DIGEST = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="  # password "test"
FLAGS = ("-Dzookeeper.extendedTypesEnabled=true",
         f"-Dzookeeper.DigestAuthenticationProvider.superDigest={SUPER_DIGEST}")


def make(kind, n_voters=1, **options):
    """A standalone server (or ensemble) of that kind, not started yet.  "watchkeeperd=FILE" names a program."""
    options.setdefault("jvm_flags", FLAGS)
    kind, _, program = kind.partition("=")
    if kind == "watchkeeperd":
        return watchkeeperd.WatchkeeperEnsemble(n_voters, program=program or None, **options)
    if kind == "apache-3.8.0":
        return apache.ApacheEnsemble(n_voters, **options)
    if kind.startswith("apache-"):
        return apache.ApacheEnsemble(n_voters, apache_class_path=apache.release(kind[len("apache-"):]), **options)
    raise ValueError(f"unknown kind of server {kind}; there are {', '.join(KINDS)}")


def chosen(default=("apache-3.9.5", "watchkeeperd")):
    """The kinds that a suite runs against: WK_INTEROP_KINDS (comma separated), else `default`."""
    return tuple(os.environ.get("WK_INTEROP_KINDS", ",".join(default)).split(","))


@contextlib.contextmanager
def running(kind, **options):
    """make(), started and serving."""
    with make(kind, **options) as ensemble:
        yield ensemble


def parametrised(*cases, kinds=None):
    """load_tests for a module: each case class once for every kind, as Name[kind] with the attribute `kind`."""
    def load_tests(loader, _tests, _pattern):
        suite = loader.suiteClass()
        for kind in chosen() if kinds is None else kinds:
            for case in cases:
                named = type(f"{case.__name__}[{kind}]", (case,), {"kind": kind, "__module__": case.__module__})
                suite.addTests(loader.loadTestsFromTestCase(named))
        return suite
    return load_tests


Unavailable = workspace.LabUnavailable
