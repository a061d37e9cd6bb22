# Copyright (C) The Tailgate authors

"""How late the machine is, for what is promised within a time."""

import collections
import contextlib
import threading
import time


class Lateness(threading.Thread):
    """How late the machine is at the moment: what is promised within a second
    takes longer on one that lets programs wait."""

    PAUSE = 0.02

    def __init__(self, stop):
        super().__init__()
        self.stop = stop
        self.seen = collections.deque(maxlen=1000)

    def run(self):
        before = time.monotonic()
        while not self.stop.is_set():
            time.sleep(self.PAUSE)
            now = time.monotonic()
            if now - before > 2 * self.PAUSE:
                self.seen.append((now, now - before - self.PAUSE))
            before = now

    def since(self, when):
        return sum(late for now, late in list(self.seen) if now >= when)


@contextlib.contextmanager
def lateness():
    """One that runs meanwhile."""

    stop = threading.Event()
    late = Lateness(stop)
    late.start()
    try:
        yield late
    finally:
        stop.set()
        late.join()
