# Copyright (C) The Tailgate authors

"""50,000 peers in the cache."""

import drive
from measure import (Goal, at_most, cpu_seconds, fail, goals_table, percent,
                     say, turns)
from sources import PEERS, Bench

HEADING = "## Many peers"
MANY = 50000
ZONE = "32m"
SMALL_ZONE = 4 << 20

# More than a worker keeps of its own, so that each request looks in the zone.
KEPT = 6000
def entry(bench):
    """Bytes of an entry: how many fit into a small zone. What was asked last
    is asked first, so that a miss evicts nothing that is still to come."""

    _, address = bench.nginx(SMALL_ZONE)
    sources = bench.sources[:3 * SMALL_ZONE // 600]
    bench.sweep(address, sources)
    kept = bench.sweep(address, sources[::-1])["hit"]
    return SMALL_ZONE / kept


def hit_path(bench, rounds):
    """Processor time of a hit among many entries by that among few, and how
    many of the many are there."""

    found = {}
    for name, sources in (("few", bench.sources[:KEPT]),
                          ("many", bench.sources)):
        pids, address = bench.nginx(ZONE)
        bench.sweep(address, sources)
        again = bench.sweep(address, sources)
        clients = drive.Clients(bench.world.space, address)
        found[name] = (pids, clients, clients.connect(bench.sources[:KEPT]),
                       again["hit"])

    def one(name):
        pids, clients, connections, _ = found[name]
        before = cpu_seconds(pids)
        for _ in range(4):
            clients.ask(connections, 64)
        return {"cpu": cpu_seconds(pids) - before}

    results = turns(["few", "many"], rounds, one)
    kept = found["many"][3]
    for _, clients, _, _ in found.values():
        clients.close()
    return [m["cpu"] / f["cpu"] - 1 for m, f in
            zip(results["many"], results["few"])], kept


def run(args):
    if drive.allow_files() < 16384:
        fail("ulimit -Hn has to be 16384 at least")
    bench = Bench(drive.addresses(PEERS, 1 + MANY))
    try:
        say(f"  {MANY} peers are known")
        size = entry(bench)
        say(f"  {size:.0f} bytes an entry")
        slower, kept = hit_path(bench, args.rounds)
    finally:
        bench.close()

    goals = [
        Goal("bytes an entry", f"{size:.0f}", "<= 600", size <= 600),
        Goal(f"of {MANY} peers in 32 MB are kept", str(kept), str(MANY),
             kept == MANY),
        at_most("a hit is slower than among 6,000", slower, 0.05, percent)]
    return goals, [
        HEADING, "",
        f"{MANY} peers of `tailgate devnet`, each with an address of its own,"
        " in a zone of 32 MB. The size of an entry is that of a smaller zone"
        " by the number of peers that it holds. A hit is asked for on"
        f" {KEPT} kept connections of as many peers, more than the 4,096 that"
        " a worker keeps of its own, and is the worker's processor time.", "",
        *goals_table(goals)]
