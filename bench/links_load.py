# Copyright (C) The Tailgate authors

"""Who asks for links, and who saves them: wrk for both. A writer that is a
program of Python would take as much of two cores as what is measured."""

import os
import re
import signal
import subprocess

from links_servers import OWN
from measure import UNITS, fail

# what a browser sends with each request
HTML = "Accept: text/html"

# Other names each time: {begin} is how many there were before.
NAMES = """
local n = {begin}
request = function()
  n = n + 1
  return wrk.format("GET", "/unknown" .. n .. "x")
end
"""

# One link is saved again and again, as golink's own scripts do.
SAVES = """
local n = 0
local headers = {
  ["Content-Type"] = "application/x-www-form-urlencoded",
  ["Sec-Golink"] = "1"
}
request = function()
  n = n + 1
  return wrk.format("POST", "/", headers,
    "short=written&owner=foo%40example.com&long=http%3A%2F%2Fw.example.com%2F"
    .. n)
end
"""


def told(out):
    """What wrk has told: requests, requests a second, p99 in microseconds."""

    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", out)
    return {"requests": int(re.search(r"(\d+) requests in", out).group(1)),
            "rate": float(re.search(r"Requests/sec:\s*([\d.]+)",
                                    out).group(1)),
            "p99": float(p99.group(1)) * UNITS[p99.group(2)] * 1e6}


def wrk(server, path, connections, seconds, cores=None, script=None):
    """One run of wrk, on all cores or on some."""

    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
               "-H", HTML, *(["-s", script] if script else []),
               f"http://{OWN}:{server.port}{path}"]
    if cores is not None:
        command = ["taskset", "-c", ",".join(map(str, cores)), *command]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                         encoding="ascii").stdout
    if "Socket errors" in out:
        fail(f"{server.name}, {path}: {out}")
    return told(out)


def unknown_names(server, folder, count, seconds):
    """Asks for so many different names that are no links, or some more."""

    asked = 0
    script = os.path.join(folder, "names.lua")
    while asked < count:
        with open(script, "w", encoding="ascii") as f:
            f.write(NAMES.format(begin=asked))
        asked += wrk(server, "/", 16, seconds, script=script)["requests"]
    return asked


class Writer:
    """Saves one link after the other, on one connection, until it is stopped;
    then rate is how many a second."""

    def __init__(self, server):
        self.server = server
        self.script = os.path.join(server.folder, "saves.lua")
        self.process = None
        self.rate = 0

    def __enter__(self):
        with open(self.script, "w", encoding="ascii") as f:
            f.write(SAVES)
        self.process = subprocess.Popen(
            ["wrk", "-t1", "-c1", "-d1h", "--latency", "-s", self.script,
             f"http://{OWN}:{self.server.port}/"],
            stdout=subprocess.PIPE, encoding="ascii")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        out = self.process.communicate()[0]
        if "Socket errors" in out or "Non-2xx" in out:
            fail(f"{self.server.name} did not take each save: {out}")
        self.rate = told(out)["rate"]
