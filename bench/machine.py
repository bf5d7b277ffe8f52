"""On what a measurement was made: for the heads of tables and for their JSON."""

import contextlib
import datetime
import os
import pathlib
import platform
import struct

_QUALITY_OF_SERVICE = pathlib.Path("/dev/cpu_dma_latency")


def processor():
    """The model as the kernel names it."""
    with open("/proc/cpuinfo", encoding="utf-8") as source:
        for line in source:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def now():
    """What ran where, and how busy it was at this moment."""
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cores": os.cpu_count(), "processor": processor(), "kernel": platform.release(),
            "load_average": list(os.getloadavg())}


@contextlib.contextmanager
def kept_awake():
    """Processors with nothing to do wait in a loop instead of sleeping (the kernel's PM QoS, which needs root).

    On a virtual machine, waking one up goes through the host and takes 25 µs; on bare metal with its usual settings, a few.
    OSError where that is not allowed.
    """
    with open(_QUALITY_OF_SERVICE, "wb", buffering=0) as held:
        held.write(struct.pack("i", 0))  # µs that a wake-up may take; holds as long as the file is open
        yield
