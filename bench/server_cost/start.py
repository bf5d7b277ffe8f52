"""M1 and S1: a server without data, and how a start is timed."""

import contextlib
import socket
import subprocess
import time

from .contenders import NAMES, resident_mb, say, unstarted
from .table import Row, Sample

ROWS = ("M1", "S1")
_START_PATIENCE_S = 300.0
_ANSWER_PATIENCE_S = 1.0  # a server that is only starting may take a connection and forget it
_IDLE_S = 5.0


def seconds_to_first_answer(ensemble):
    """From fork to the answer of srvr; the server is killed afterwards."""
    member = ensemble.members[0]
    ensemble.write_configuration(member)
    with open(member.output_path, "ab") as output:
        begin = time.perf_counter()
        child = subprocess.Popen(ensemble.command(member), cwd=member.folder, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=output)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection((member.host, member.client_port),
                                                                                timeout=_ANSWER_PATIENCE_S) as sock:
                sock.sendall(b"srvr")
                answer = b""
                while part := sock.recv(65536):
                    answer += part
                if b"Mode: " in answer:
                    return time.perf_counter() - begin
            if child.poll() is not None or time.perf_counter() - begin > _START_PATIENCE_S:
                raise RuntimeError(f"no answer after the start: {member.log()[-2000:]}")
            time.sleep(0.0005)
    finally:
        child.kill()
        child.wait()


def start_row(bench):
    say("S1: empty start")
    times = {name: [] for name in NAMES}
    for _ in range(bench.arguments.repetitions):
        for name in NAMES:
            with unstarted(bench.make(name)) as ensemble:
                times[name].append(1000 * seconds_to_first_answer(ensemble))
    found = {name: Sample(tuple(values)) for name, values in times.items()}
    return Row("S1", "empty start to first answer, ms", found["watchkeeper"].show(1), found["apache"].show(0),
               found["watchkeeper"].median, 10.0, 30.0)


def idle_row(bench):
    say("M1: idle memory")
    found = {}
    for name in NAMES:
        with bench.make(name) as ensemble:
            time.sleep(_IDLE_S)
            found[name] = resident_mb(ensemble.members[0].pid)
    return Row("M1", "idle resident, MB", f"{found['watchkeeper']:.1f}", f"{found['apache']:.0f}", found["watchkeeper"],
               8.0, 15.0)


def measure(bench, wanted):
    """The rows, each as soon as it is known."""
    if "M1" in wanted:
        yield idle_row(bench)
    if "S1" in wanted:
        yield start_row(bench)
