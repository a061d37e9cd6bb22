# Copyright (C) The Tailgate authors

"""Many first requests at once, of one peer and of many."""

import statistics
import time

import drive
from measure import Goal, fail, goals_table, say, spread
from sources import PEERS, Bench

HEADING = "## First requests"
AT_ONCE = 1000


def first_requests(bench, sources):
    """As many first requests at once: calls, workers, p99."""

    _, address = bench.nginx("32m", workers=4)
    clients = drive.Clients(bench.world.space, address)
    connections = clients.connect(sources)
    before = bench.world.calls()
    answers = clients.ask(connections, len(connections))
    calls = bench.world.calls() - before
    clients.close()
    bench.stop()
    if any(a.status != 200 for a in answers):
        fail("a first request was not answered 200")
    return {"calls": calls,
            "workers": len({a.headers["x-worker"] for a in answers}),
            "p99": statistics.quantiles([a.seconds for a in answers],
                                        n=100)[98]}


def localapi_seconds(bench, sources):
    """How long the LocalAPI takes for a call each, 16 at a time."""

    begin = time.monotonic()
    drive.ask_localapi(bench.world.localapi, sources, 16)
    return time.monotonic() - begin


def run(args):
    drive.allow_files()
    bench = Bench(drive.addresses(PEERS, 1 + args.rounds * AT_ONCE))
    same, each, alone = [], [], []
    try:
        for i in range(args.rounds):
            some = bench.sources[i * AT_ONCE:(i + 1) * AT_ONCE]
            same.append(first_requests(bench, some[:1] * AT_ONCE))
            alone.append(localapi_seconds(bench, some))
            each.append(first_requests(bench, some))
            say(f"  round {i + 1} of {args.rounds}: {same[-1]},"
                f" {each[-1]}, the LocalAPI alone {alone[-1]:.3f} s")
    finally:
        bench.close()

    goals = goals_of(same, each, alone)
    return goals, [
        HEADING, "",
        "1,000 requests are sent at once on as many open connections to 4"
        " workers of an nginx that was just started and follows the bus of"
        " `tailgate devnet`, which counts what it is asked. The LocalAPI alone"
        " is asked for the same peers on 16 kept connections.", "",
        *goals_table(goals)]


def goals_of(same, each, alone):
    def between(field, results):
        values = [r[field] for r in results]
        return f"{min(values)} to {max(values)}"

    ratios = [r["p99"] / a for r, a in zip(each, alone)]
    return [
        Goal("of one peer: WhoIs", between("calls", same), "1",
             all(r["calls"] == 1 for r in same)),
        Goal("of one peer: workers that served some", between("workers", same),
             ">= 3", all(r["workers"] >= 3 for r in same)),
        Goal("of 1,000 peers: WhoIs", between("calls", each), "<= 1000",
             all(r["calls"] <= AT_ONCE for r in each)),
        Goal("of 1,000 peers: p99, by the time in which the LocalAPI alone"
             " answers 1,000 calls", spread(ratios), "<= 2.00",
             statistics.median(ratios) <= 2)]
