# Copyright (C) The Tailgate authors

"""The module and authd beside nginx-auth, Caddy and oauth2-proxy, with the
real tailscaled."""

import os
import statistics

import serve
from measure import (at_least, cpu_seconds, goals_table, not_given,
                     peer_version, percent, ratios, say, spread, table, times,
                     turns, version_of, wrk)
from world import Real

HEADING = "## Beside others"


def contenders(world, program):
    serve.start_www(world)
    found = [serve.ceiling(world, 9001), serve.module(world, 9002),
             serve.nginx_auth(world, 9003)]
    found += [serve.caddy(world, 9004, found[-1]), serve.floor(world, 9005),
              serve.authd(world, 9006)]
    if program:
        found.append(serve.oauth2_proxy(world, 9007, program))
    return found


def run(args):
    program = os.environ.get("OAUTH2_PROXY", "")
    world = Real()
    try:
        found = contenders(world, program)

        def one(contender):
            pids = contender.pids + [world.process.pid]
            before = cpu_seconds(pids)
            result = wrk(world.space, contender.url, args.connections,
                         args.seconds, contender.headers)
            result["cpu"] = (cpu_seconds(pids) - before) / result["requests"]
            return result

        by_contender = turns(found, args.rounds, one)
    finally:
        world.close()

    results = {c.name: by_contender[c] for c in found}
    for c in found:
        say(f"  {c.name}: "
            f"{statistics.median(r['rate'] for r in results[c.name]):.0f}/s")
    return goals_of(results), report(args, found, results, program)


def goals_of(results):
    goals = [
        at_least("the module, requests/s of nginx-auth's",
                 ratios(results, "module", "nginx-auth"), 11, times),
        at_least("nginx-auth, CPU a request of the module's (nginx, daemon"
                 " and tailscaled)",
                 ratios(results, "nginx-auth", "module", "cpu"), 15, times),
        at_least("the module, requests/s of Caddy's",
                 ratios(results, "module", "caddy"), 15, times),
    ]
    what = "the module, requests/s of oauth2-proxy's"
    if "oauth2-proxy" in results:
        goals.append(at_least(what, ratios(results, "module", "oauth2-proxy"),
                              3.4, times))
    else:
        goals.append(not_given(what, ">= 3.4x", "OAUTH2_PROXY was not given"))
    return goals + [
        at_least("authd, requests/s of auth_request to `return 204`",
                 ratios(results, "authd", "floor"), 0.75, percent),
        at_least("authd, requests/s of nginx-auth's",
                 ratios(results, "authd", "nginx-auth"), 6, times)]


def report(args, found, results, program):
    others = (f"nginx-auth and tailscaled {peer_version('TAILSCALE')},"
              f" Caddy {peer_version('CADDY')}")
    if program:
        others += f", {version_of(program, '--version')}"
    rows = [[c.title,
             spread([r["rate"] for r in results[c.name]], lambda v: f"{v:.0f}"),
             spread(ratios(results, c.name, "none"), percent),
             spread([r["cpu"] * 1e6 for r in results[c.name]],
                    lambda v: f"{v:.1f}")] for c in found]
    return [
        HEADING, "",
        f"{others}. {args.connections} connections of one peer, a small file;"
        " nginx with one worker, Caddy with all cores. CPU is that of the"
        " proxy, the daemon and tailscaled.", "",
        *table(["contender", "requests/s", "of no auth", "CPU, us a request"],
               rows),
        "", *goals_table(goals_of(results))]
