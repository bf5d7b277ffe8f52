"""watchkeeperd as real processes on loopback ports, with the face of apache.ApacheEnsemble.

A test that takes an ensemble runs against either: the same zoo.cfg is written, members start, stop, are killed and
asked alike, and `jvm_flags` become command-line overrides (-Dzookeeper.KEY=VALUE) as far as they are properties.
"""

import os
import pathlib

from . import apache

_REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
NAME = "watchkeeperd"


def find_server(given=None, preset="release"):
    """watchkeeperd: `given`, else WK_BIN (the file, or the folder that has it), else build/<preset>/bin.

    FileNotFoundError when it is not there: a test must fail, and not be skipped, without our own program.
    """
    path = pathlib.Path(given or os.environ.get("WK_BIN") or _REPOSITORY / "build" / preset / "bin")
    if path.is_dir():
        path = path / NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; build it (cmake --build --preset {preset}) or set WK_BIN")
    return path.resolve()


class WatchkeeperEnsemble(apache.ApacheEnsemble):
    """Members of watchkeeperd; options as for ApacheEnsemble, those that only mean a JVM aside.

    Each member has its HTTP listener on member.metrics_port, since watchkeeperd always has one; `prometheus` only names
    Apache's provider in zoo.cfg, which gives /metrics and mntr its names.  `flags` are more options of the command line, and
    may be changed between stop() and start().
    """

    def __init__(self, n_voters=1, observers=0, *, program=None, **options):
        self._given_program = program
        self.flags = []
        super().__init__(n_voters, observers, **{**options, "prometheus": True})
        self.provider = options.get("prometheus", False)

    def _find_program(self, apache_class_path, prometheus):
        self.program = find_server(self._given_program)

    def command(self, member):
        properties = [flag for flag in self.jvm_flags if flag.startswith("-D")]
        return [str(self.program), *self.flags, *properties, str(member.config_path)]
