"""Child processes that never outlive the test, however the test ends.

Three nets, one below the other: context managers end what they started; an atexit hook kills what is left at a normal
end or an unhandled exception; and the kernel sends SIGKILL to each child when this process dies, SIGKILL included
(PR_SET_PDEATHSIG, set by setpriv(1), so that no Python code has to run between fork and exec).

The kernel's signal is bound to the *thread* that forked, therefore all children are forked by one thread that lives as
long as the process.  A child that finds another parent than the expected one right after arming the signal ends at
once, which closes the gap between fork and arming; and the constructor returns only when the signal is armed, so that
nobody can stop a child that is not guarded yet.
"""

import atexit
import collections
import os
import queue
import shutil
import signal
import subprocess
import threading
import time

from . import workspace

# $1: the pid that must still be the parent; then the command.  Standard input is a pipe whose closing tells the parent
# that the signal is armed.
_GUARD = 'test "$PPID" = "$1" || exit 125; shift; exec "$@" < /dev/null'

_requests = queue.SimpleQueue()
_spawner = None
_live = {}
_mutex = threading.Lock()


def _spawn_forever():
    while True:
        reply, argv, options = _requests.get()
        try:
            reply.put((subprocess.Popen(argv, **options), None))
        except OSError as error:
            reply.put((None, error))


def _popen(argv, **options):
    global _spawner
    with _mutex:
        if _spawner is None:
            _spawner = threading.Thread(target=_spawn_forever, name="lab-spawner", daemon=True)
            _spawner.start()
            atexit.register(kill_all)
    reply = queue.SimpleQueue()
    _requests.put((reply, argv, options))
    child, error = reply.get()
    if error is not None:
        raise error
    return child


def find_program(name, package):
    """The path of a program, or LabUnavailable with the Debian package that has it."""
    path = shutil.which(name)
    if path is None:
        raise workspace.LabUnavailable(f"{name} is not on PATH; install the Debian package {package}")
    return path


class Process:
    """One child: started by the constructor, its output appended to files."""

    def __init__(self, name, argv, *, env=None, cwd=None, stdout=None, stderr=None):
        """stdout and stderr are paths (appended to) or None for /dev/null; env adds to this process's environment."""
        self.name = name
        self.argv = [str(word) for word in argv]
        self.stderr_path = stderr
        self.paused = False
        armed, arming = os.pipe()
        guarded = [find_program("setpriv", "util-linux"), "--pdeathsig", "KILL", "/bin/sh", "-c", _GUARD, "guard",
                   str(os.getpid())]
        out = open(stdout, "ab") if stdout else subprocess.DEVNULL
        err = out if stderr is not None and stderr == stdout else open(stderr, "ab") if stderr else subprocess.DEVNULL
        try:
            self._child = _popen(guarded + self.argv, env={**os.environ, **(env or {})}, cwd=cwd,
                                 stdin=arming, stdout=out, stderr=err)
            os.close(arming)
            arming = None
            os.read(armed, 1)
        finally:
            os.close(armed)
            if arming is not None:
                os.close(arming)
            for stream in {out, err}:
                if stream is not subprocess.DEVNULL:
                    stream.close()
        self.started_at = time.monotonic()
        with _mutex:
            _live[self._child.pid] = self

    @property
    def pid(self):
        return self._child.pid

    @property
    def exit_status(self):
        """None while it runs; negative = the number of the signal that ended it."""
        status = self._child.poll()
        if status is not None:
            with _mutex:
                _live.pop(self._child.pid, None)
        return status

    @property
    def alive(self):
        return self.exit_status is None

    def send_signal(self, number):
        if self.alive:
            self._child.send_signal(number)

    def pause(self):
        """SIGSTOP: the process keeps its sockets and answers nothing; returns when the last of its threads stands still, which
        may be some time after the signal on a busy machine."""
        self.send_signal(signal.SIGSTOP)
        wait_for(lambda: not self.alive or all(state in "Tt" for state in self._thread_states()), 10,
                 f"{self.name} to stand still", interval_s=0.001)
        self.paused = True

    def _thread_states(self):
        """The letter of each thread in /proc/PID/task/*/stat; of a thread that has ended, nothing."""
        found = []
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{thread}/stat", encoding="ascii", errors="replace") as source:
                    found.append(source.read().rsplit(")", 1)[1].split()[0])
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def resume(self):
        self.send_signal(signal.SIGCONT)
        self.paused = False

    def wait(self, deadline_s):
        """The exit status, or None when it still runs after deadline_s seconds."""
        try:
            self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            return None
        return self.exit_status

    def kill(self):
        """SIGKILL, and wait until the kernel is done with it."""
        self.send_signal(signal.SIGKILL)
        self._child.wait()
        return self.exit_status

    def terminate(self, grace_s=10.0):
        """SIGTERM, then SIGKILL when it is still there after grace_s seconds.  Returns the exit status."""
        if self.paused:
            self.resume()
        self.send_signal(signal.SIGTERM)
        status = self.wait(grace_s)
        return self.kill() if status is None else status

    def resident_bytes(self):
        """VmRSS of the process, for memory assertions."""
        return self._status_field("VmRSS") * 1024

    def peak_resident_bytes(self):
        """VmHWM of the process: the largest resident size so far."""
        return self._status_field("VmHWM") * 1024

    def cpu_seconds(self):
        """User and system time used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as source:
            fields = source.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _status_field(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as source:
            for line in source:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        raise ProcessLookupError(f"{self.name} (pid {self.pid}) has no {name}: it has ended")

    def stderr_tail(self, lines=20):
        """The last lines of the error output, for messages."""
        if not self.stderr_path:
            return ""
        try:
            with open(self.stderr_path, encoding="utf-8", errors="replace") as source:
                return "".join(collections.deque(source, lines))
        except FileNotFoundError:
            return ""


def kill_all():
    """SIGKILL to every child that is still there.  Runs at exit; a stopped child ends, too."""
    with _mutex:
        remaining = list(_live.values())
    for child in remaining:
        child.kill()


def live_pids():
    """The children that run now."""
    with _mutex:
        children = list(_live.values())
    return sorted(child.pid for child in children if child.alive)


def wait_for(condition, deadline_s, what, interval_s=0.1, child=None):
    """Polls condition() until it is true; returns (its value, seconds waited).

    Raises TimeoutError naming `what`, and the tail of child's error output when that child ended meanwhile.
    """
    begin = time.monotonic()
    while True:
        value = condition()
        waited = time.monotonic() - begin
        if value:
            return value, waited
        if child is not None and not child.alive:
            raise RuntimeError(f"{child.name} ended with status {child.exit_status} while waiting for {what}:\n"
                               f"{child.stderr_tail()}")
        if waited >= deadline_s:
            raise TimeoutError(f"waited {waited:.1f} s in vain for {what}")
        time.sleep(interval_s)
