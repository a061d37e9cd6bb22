# Copyright (C) The Tailgate authors

"""Programs that a test starts, and stops again by their own process group."""

import os
import signal
import subprocess
import time

START_TIMEOUT = 120
STOP_TIMEOUT = 15


class Program:
    """One running program: its output goes to LOG, which failures quote."""

    def __init__(self, argv, log, ready, env=None, cwd=None):
        self.argv = [str(arg) for arg in argv]
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=cwd, env={**os.environ, **(env or {})},
                start_new_session=True)
        try:
            self.wait(ready)
        except BaseException:
            self.stop()
            raise

    def wait(self, ready):
        deadline = time.monotonic() + START_TIMEOUT
        while not ready():
            if self.process.poll() is not None:
                raise RuntimeError(self.complaint("ended"))
            if time.monotonic() > deadline:
                raise RuntimeError(self.complaint("did not become ready"))
            time.sleep(0.1)

    def complaint(self, what):
        with open(self.log, "rb") as f:
            tail = f.read()[-4000:].decode(errors="replace")
        return f"{self.argv[0]} {what}; the end of its output:\n{tail}"

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                continue
            break
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
