"""One place to import the faults from."""

from .hostile import MODES as HOSTILE_MODES, HostileServer, read_answer
from .load import FilledConnections, LoadGenerator, RawSession, fill_connections, session_storm
from .proxy import TcpProxy
from .slow_disk import SlowDisk
from .small_disk import SmallDisk

__all__ = ["HOSTILE_MODES", "FilledConnections", "HostileServer", "LoadGenerator", "RawSession", "SlowDisk", "SmallDisk",
           "TcpProxy", "fill_connections", "read_answer", "session_storm"]
