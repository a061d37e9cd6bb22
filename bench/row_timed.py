# Copyright (C) The Tailgate authors

"""The gate, timed: the same nginx with the module and without it."""

import serve
from measure import (BROWSER, at_least, at_most, cpu_seconds, goals_table,
                     percent, ratios, spread, table, turns, wrk)
from world import Real

HEADING = "## The gate, timed"
CONNECTIONS = (1, 32, 256)
FILE = "/" + serve.SMALL
APP = "/app/"


def contenders(world):
    www = serve.start_www(world)
    serve.start_app(world)
    found = {}
    for name, guard, port in (("off", "", 9001), ("on", serve.GUARD, 9002)):
        pids = serve.start_nginx(
            world, name, port,
            f"        location /app/ {{ {guard} {serve.PROXY} }}\n"
            f"        location / {{ {guard} root {www}; }}",
            module=name == "on")
        found[name] = pids, f"http://{world.server}:{port}"
    return found


def run(args):
    world = Real()
    try:
        found = contenders(world)

        def one(key):
            name, path, connections = key
            pids, url = found[name]
            before = cpu_seconds(pids)
            result = wrk(world.space, url + path, connections, args.seconds,
                         BROWSER)
            result["cpu"] = (cpu_seconds(pids) - before) / result["requests"]
            return result

        keys = [(name, path, c) for path in (FILE, APP)
                for c in CONNECTIONS for name in ("off", "on")]
        results = turns(keys, args.rounds, one)
    finally:
        world.close()

    goals, rows = [], []
    for path, what in ((FILE, "small file"), (APP, "proxied")):
        for c in CONNECTIONS:
            on, off = ("on", path, c), ("off", path, c)
            rate = ratios(results, on, off)
            rows.append([
                f"{what}, c={c}",
                spread([r["rate"] for r in results[off]], lambda v: f"{v:.0f}"),
                spread(rate, percent),
                spread(ratios(results, on, off, "cpu")),
                spread(ratios(results, on, off, "p99"))])
            goals.append(at_least(f"{what}, c={c}: requests/s of nginx"
                                  " without it", rate, 0.97, percent))
            if c == 32:
                goals.append(at_most(
                    f"{what}, c=32: p99 of nginx without it",
                    ratios(results, on, off, "p99"), 1.03, percent))

    return goals, [
        HEADING, "",
        "One nginx with the module and one without, a worker each, a browser's"
        " request of 12 headers; the guard sets four headers and has an allow"
        " and a deny rule. WhoIs is the real tailscaled's.", "",
        *table(["what", "requests/s without it", "with it, of that", "CPU a"
                " request, ratio", "p99, ratio"], rows),
        "", *goals_table(goals)]
