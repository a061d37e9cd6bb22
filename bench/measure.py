# Copyright (C) The Tailgate authors

"""Rounds, ratios, goals, and how they are told."""

import collections
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get("TAILGATE_BUILD", os.path.join(ROOT, "build"))
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
TICK = os.sysconf("SC_CLK_TCK")

# What a browser sends.
BROWSER = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101"
    " Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5", "Accept-Encoding: gzip, deflate, br",
    "DNT: 1", "Referer: https://app.corp/", "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin", "Priority: u=0, i",
]                                       # and Host

# reached is None where a goal could not be measured.
Goal = collections.namedtuple("Goal", "what measured goal reached")


def fail(message):
    sys.exit(f"bench: {message}")


def say(message):
    print(message, file=sys.stderr, flush=True)


def cpu_seconds(pids):
    """User and system time of processes."""

    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


def wrk(space, url, connections, seconds, headers=()):
    """One run of wrk: requests, requests per second, p99 in seconds. All
    answers have to be 200."""

    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    done = subprocess.run(space.inside([*command, url]), check=True,
                          stdout=subprocess.PIPE, encoding="ascii")
    out = done.stdout
    if "Non-2xx" in out or "Socket errors" in out:
        fail(f"{url} did not answer 200 alone:\n{out}")

    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", out)
    return {"requests": int(re.search(r"(\d+) requests in", out).group(1)),
            "rate": float(re.search(r"Requests/sec:\s*([\d.]+)",
                                    out).group(1)),
            "p99": float(p99.group(1)) * UNITS[p99.group(2)]}


def turns(contenders, rounds, one, warm_up=True):
    """Each contender once a round, in turns; a round before the first warms
    up. The order is reversed in each other round, so that none is always
    first. one(contender) gives a result; all of them: {contender:
    [results]}."""

    results = {c: [] for c in contenders}
    for n in range(0 if warm_up else 1, rounds + 1):
        order = list(contenders)
        for contender in order if n % 2 else order[::-1]:
            result = one(contender)
            if n > 0:
                results[contender].append(result)
        if n > 0:
            say(f"  round {n} of {rounds}")
    return results


def ratios(results, of, to, field="rate"):
    """The ratio of two contenders within each round."""

    return [a[field] / b[field] for a, b in zip(results[of], results[to])]


def spread(values, form=lambda v: f"{v:.2f}"):
    return (f"{form(statistics.median(values))}"
            f" ({form(min(values))} to {form(max(values))})")


def percent(value):
    return f"{value:.1%}"


def times(value):
    return f"{value:.1f}x"


def at_least(what, values, goal, form):
    return Goal(what, spread(values, form), f">= {form(goal)}",
                statistics.median(values) >= goal)


def at_most(what, values, goal, form):
    return Goal(what, spread(values, form), f"<= {form(goal)}",
                statistics.median(values) <= goal)


def not_given(what, goal, why):
    return Goal(what, why, goal, None)


WORDS = {"reached": True, "missed": False, "not measured": None}


def word(goal):
    return {reached: text for text, reached in WORDS.items()}[goal.reached]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def goals_table(goals):
    return table(["what", "measured", "goal", ""],
                 [[g.what, g.measured, g.goal, word(g)] for g in goals])


def goals_in(text):
    """Those of tables that goals_table() made."""

    cells = [[cell.strip() for cell in line.split("|")[1:-1]]
             for line in text.splitlines()]
    return [Goal(*line[:3], WORDS[line[3]]) for line in cells
            if len(line) == 4 and line[3] in WORDS]


def version_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.STDOUT, encoding="utf-8")
    return done.stdout.splitlines()[0].strip() if done.stdout else "?"


def peer_version(name):
    """A version that bench/peers pins."""

    with open(os.path.join(HERE, "peers"), encoding="ascii") as f:
        return re.search(rf"^{name}_VERSION=(.*)$", f.read(), re.M).group(1)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = re.search(r"model name\s*:\s*(.*)", f.read())
    nginx = version_of(NGINX, "-v").rpartition(" ")[2]
    return (f"{os.cpu_count()} cores of"
            f" {cpu.group(1) if cpu else platform.machine()},"
            f" Linux {'.'.join(platform.release().split('.')[:2])},"
            f" {nginx}")


def busy():
    """How busy the machine is with something else."""

    with open("/proc/loadavg", encoding="ascii") as f:
        return f.read().split()[0]


def write_section(path, text):
    """Puts text in the place of the section with the same heading."""

    heading = text.splitlines()[0]
    with open(path, encoding="utf-8") as f:
        page = f.read()
    before, found, after = page.partition(heading + "\n")
    _, mark, rest = after.partition("\n## ")
    with open(path, "w", encoding="utf-8") as f:
        f.write(before.rstrip("\n") + "\n\n" + text.rstrip("\n") + "\n"
                + (mark + rest if found and mark else ""))
