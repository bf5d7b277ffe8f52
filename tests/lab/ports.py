"""Reserves free loopback ports, safely between parallel test processes.

Asking the kernel for "any free port" and closing the socket again leaves a gap in which another process gets the same
number, and a server that restarts on its port can find it taken by somebody's outgoing connection.  Both are avoided:

* Numbers come from a range below the kernel's range for outgoing connections, so no connect() ever takes one.
* Each number is held through flock(2) on a file of its name in a folder that all labs of this user share.  The kernel
  drops the lock when the process ends, however it ends, so nothing stale is left behind.  The lock is held while the
  server behind the number is stopped, too: a killed member finds its port free when it is started again.
* A bind() probe skips numbers on which a program outside the lab listens.
"""

import fcntl
import os
import random
import socket
import threading

from . import workspace

_FIRST_PORT = 20000
_LAST_PORT = 31999

_held = {}
_mutex = threading.Lock()


def _port_range():
    """The lab's range, cut so that it ends below the kernel's range for outgoing connections."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as source:
            ephemeral_first = int(source.read().split()[0])
    except (OSError, ValueError, IndexError):
        ephemeral_first = _LAST_PORT + 1
    last = min(_LAST_PORT, ephemeral_first - 1)
    if last - _FIRST_PORT < 500:
        raise workspace.LabUnavailable(
            f"outgoing connections start at port {ephemeral_first}, which leaves the lab no ports above {_FIRST_PORT}; "
            "raise net.ipv4.ip_local_port_range")
    return _FIRST_PORT, last


def _is_free(port):
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def reserve():
    """Returns one port number that stays ours until release() or the end of this process."""
    first, last = _port_range()
    folder = workspace.shared_folder("ports")
    span = last - first + 1
    start = random.randrange(span)
    for step in range(span):
        port = first + (start + step) % span
        with _mutex:
            if port in _held:
                continue
            descriptor = os.open(folder / f"{port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            if not _is_free(port):
                os.close(descriptor)
                continue
            _held[port] = descriptor
            return port
    raise workspace.LabUnavailable(f"no free port between {first} and {last}")


def release(port):
    """Gives a number back.  Unknown numbers and None are ignored, so that clean-up code needs no conditions."""
    with _mutex:
        descriptor = _held.pop(port, None)
    if descriptor is not None:
        os.close(descriptor)


def held():
    """The numbers that this process holds now, sorted."""
    with _mutex:
        return sorted(_held)
