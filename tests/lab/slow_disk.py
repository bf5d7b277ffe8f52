"""A disk whose fsync takes as long as the test says, for any server that links libc dynamically (the JVM does).

slow_fsync.c is compiled once for each test process and loaded with LD_PRELOAD.
"""

import os
import pathlib
import subprocess
import threading

from . import process, workspace

_mutex = threading.Lock()
_library = None


def _build():
    global _library
    with _mutex:
        if _library is None:
            library = workspace.new_folder("slow-disk") / "slow_fsync.so"
            source = pathlib.Path(__file__).with_name("slow_fsync.c")
            done = subprocess.run([process.find_program("gcc", "gcc"), "-O2", "-Wall", "-Werror", "-fPIC", "-shared",
                                   "-o", library, source, "-ldl"], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"cannot compile {source}:\n{done.stderr}")
            _library = library
        return _library


class SlowDisk:
    """The control of one server's fsync time.  Start the server with environment(), then call set_delay() at will."""

    def __init__(self, folder):
        self._library = _build()
        self._control = pathlib.Path(folder) / "fsync-delay-us"
        self.set_delay(0)

    def environment(self):
        # A server that is built with AddressSanitizer minds that another library is loaded before its runtime.
        sanitizer = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        return {"LD_PRELOAD": str(self._library), "WK_LAB_FSYNC_DELAY_FILE": str(self._control),
                "ASAN_OPTIONS": sanitizer}

    def set_delay(self, milliseconds):
        """Every fsync and fdatasync from now on takes this much longer; 0 is normal."""
        fresh = self._control.with_suffix(".new")
        fresh.write_text(str(int(milliseconds * 1000)), encoding="ascii")
        os.replace(fresh, self._control)
