"""When a server writes a snapshot, seen from outside: its folder is looked at, since the servers tell it differently."""

import threading
import time

_LOOK_S = 0.02
_GAP_S = 1.0  # between two signs of one snapshot: a sync of all of it stands between its last byte and its name


class SnapshotWatch:
    """A context manager; `spans` afterwards: (begin, end) of each snapshot in seconds since 1970; the last may be cut."""

    def __init__(self, data_dir):
        self._folder = data_dir / "version-2"
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.spans = []

    def _files(self):
        found = set()
        for path in self._folder.iterdir():
            if not path.name.startswith("log.") and path.is_file():
                try:
                    found.add((path.name, path.stat().st_size))
                except FileNotFoundError:
                    pass  # It was renamed meanwhile; the next look sees it.
        return found

    def _look_on(self):
        before, looked = self._files(), time.time()
        while not self._done.wait(_LOOK_S):
            found, now = self._files(), time.time()
            if found - before:  # A file that only went was purged.
                if self.spans and looked - self.spans[-1][1] < _GAP_S:
                    self.spans[-1] = (self.spans[-1][0], now)
                else:
                    self.spans.append((looked, now))
            before, looked = found, now

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


def pairs(loaded, spans, margin_s, reach_s):
    """Windows of a run of wk_load, one pair a snapshot that has both: those inside its span, and its neighbours, which are at
    most reach_s away, so that what else happens on the machine changes little, and at least margin_s from every span."""
    windows, begin = [], loaded["began"]
    for window in loaded["windows"]:
        windows.append((begin, begin + window["seconds"], window))
        begin += window["seconds"]
    quiet = [(begin, end, window) for begin, end, window in windows
             if all(end <= first - margin_s or begin >= last + margin_s for first, last in spans)]
    found = []
    for first, last in spans:
        during = [window for begin, end, window in windows if first <= begin and end <= last]
        beside = [window for begin, end, window in quiet if begin >= first - reach_s and end <= last + reach_s]
        if during and beside:
            found.append((during, beside))
    return found
