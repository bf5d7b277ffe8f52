"""Temporary folders of a lab run, and the sweeping of what a killed run left.

Layout: <tmp>/wk-lab-<uid>/ports/ (see ports.py) and <tmp>/wk-lab-<uid>/run-<pid>-<random>/, one for each process.  The
run folder holds a locked file `.owner`; a run folder whose lock is free belongs to a process that was killed, and the
next lab removes it.  WK_LAB_KEEP=1 keeps the folder of this run and prints its path.
"""

import atexit
import fcntl
import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest


class LabUnavailable(unittest.SkipTest):
    """Something that the lab needs is not on this machine; the text says what and how to get it.  Tests skip on it."""


_mutex = threading.RLock()
_run = None
_run_lock = None
_numbers = itertools.count(1)


def _root():
    root = pathlib.Path(tempfile.gettempdir()) / f"wk-lab-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    if root.stat().st_uid != os.getuid():
        raise LabUnavailable(f"{root} belongs to another user; set TMPDIR to a folder of your own")
    return root


def shared_folder(name):
    """A folder that all lab processes of this user share."""
    folder = _root() / name
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _lock(path):
    """Returns the descriptor of the locked file, or None when somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sweep():
    """Removes the run folders of processes that ended without cleaning up; returns their names."""
    removed = []
    gate = _lock_waiting(_root() / "sweep.lock")
    try:
        for folder in sorted(_root().glob("run-*")):
            try:
                descriptor = _lock(folder / ".owner")
            except OSError:
                continue
            if descriptor is None:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)
            removed.append(folder.name)
    finally:
        os.close(gate)
    return removed


def _lock_waiting(path):
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def run_folder():
    """The folder of this process, made on first use and removed at its end."""
    global _run, _run_lock
    with _mutex:
        if _run is None:
            sweep()
            # A sweeper of another process must not see the folder before it is locked.
            gate = _lock_waiting(_root() / "sweep.lock")
            try:
                _run = pathlib.Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=_root()))
                _run_lock = _lock(_run / ".owner")
            finally:
                os.close(gate)
            atexit.register(_remove_run)
        return _run


def _remove_run():
    global _run
    with _mutex:
        if _run is None:
            return
        if os.environ.get("WK_LAB_KEEP"):
            print(f"lab: kept {_run}", file=sys.stderr)
        else:
            shutil.rmtree(_run, ignore_errors=True)
        _run = None


def new_folder(name):
    """A fresh empty folder for one component, below run_folder()."""
    folder = run_folder() / f"{next(_numbers):02d}-{name}"
    folder.mkdir()
    return folder


def remove_folder(folder):
    """Removes a component's folder unless WK_LAB_KEEP asks to keep it."""
    if not os.environ.get("WK_LAB_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


def fetched(script, arguments, name):
    """Runs one of the fetch_*.sh with a folder below build/lab as the last argument; returns that folder.

    What is there already is not fetched again.  LabUnavailable carries the script's one line when it exits with 3.
    """
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(os.environ.get("WK_LAB_CACHE") or here.parents[1] / "build" / "lab") / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    gate = _lock_waiting(_root() / f"fetch-{name}.lock")
    try:
        done = subprocess.run([here / script, *arguments, folder], capture_output=True, text=True, check=False)
    finally:
        os.close(gate)
    if done.returncode == 3:
        raise LabUnavailable(done.stderr.strip())
    if done.returncode != 0:
        raise RuntimeError(f"{script} ended with status {done.returncode}: {done.stderr.strip()}")
    return folder
