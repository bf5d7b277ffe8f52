"""A small file system of its own under a folder, to be filled and freed while a server uses it.

A tmpfs, or ext4 in a file where loop devices are to be had.  Mounting needs root.  The mounts stand in a namespace of this
process and its children, so that nothing is left of them, however the test ends.
"""

import contextlib
import ctypes
import os
import subprocess

from . import workspace

_CLONE_NEWNS = 0x00020000
_FILES = 5000  # an ext4 of this size has far fewer inodes to spare than bytes, if it is not told
_NEEDS_MOUNTS = "this needs mounts of its own (own_mounts), and those need root"
_owned = False


def _run(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError as missing:
        raise workspace.LabUnavailable(f"{missing.filename} is missing; install the Debian packages mount and e2fsprogs") from None


def own_mounts():
    """Gives this process mounts of its own; LabUnavailable where that is not allowed.

    To be called before the first child: the thread that makes children, and every other that starts later, inherits them.
    """
    global _owned
    if _owned:
        return
    if os.geteuid() != 0:
        raise workspace.LabUnavailable("mounting a small file system needs root")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise workspace.LabUnavailable(f"no mount namespace can be had here: {os.strerror(ctypes.get_errno())}")
    private = _run("mount", "--make-rprivate", "/")
    if private.returncode != 0:
        raise workspace.LabUnavailable(f"the mount namespace cannot be made private: {private.stderr.strip()}")
    _owned = True


class SmallDisk:
    """A mounted file system of size_mb; fill() takes all its room and free() gives it back."""

    def __init__(self, kind, folder, image=None, *, size_mb=24):
        """kind: "tmpfs", or "ext4" with the file `image` that is to hold it."""
        if not _owned:
            raise workspace.LabUnavailable(_NEEDS_MOUNTS)
        self.folder = folder
        self._filler = folder / "filler"
        if kind == "ext4":
            with open(image, "wb") as file:
                file.truncate(size_mb << 20)
            made = _run("mkfs.ext4", "-q", "-m", "0", "-N", str(_FILES), str(image))
            if made.returncode != 0:
                raise workspace.LabUnavailable(f"mkfs.ext4: {made.stderr.strip()}")
            mounted = _run("mount", "-o", "loop", str(image), str(folder))
        else:
            mounted = _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "watchkeeper-test", str(folder))
        if mounted.returncode != 0:
            raise workspace.LabUnavailable(f"a small {kind} cannot be mounted here: {mounted.stderr.strip()}")

    def fill(self):
        descriptor = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            for size in (1 << 20, 4096, 512):
                try:
                    while True:
                        os.write(descriptor, b"\x5a" * size)
                except OSError:
                    pass  # the next size fills what is left
            try:
                os.fsync(descriptor)
            except OSError:
                pass
        finally:
            os.close(descriptor)

    def free(self):
        self._filler.unlink(missing_ok=True)

    def unmount(self):
        done = _run("umount", str(self.folder))
        if done.returncode != 0:
            _run("umount", "-l", str(self.folder))


@contextlib.contextmanager
def irremovable(path):
    """A file that the system refuses to remove meanwhile, whoever asks."""
    if not _owned:
        raise workspace.LabUnavailable(_NEEDS_MOUNTS)
    mounted = _run("mount", "--bind", str(path), str(path))
    if mounted.returncode != 0:
        raise workspace.LabUnavailable(f"{path} cannot be mounted onto itself: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        _run("umount", str(path))
