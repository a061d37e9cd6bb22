# Copyright (C) The Tailgate authors

"""Peers by the thousand: a devnet that knows them, and their addresses."""

import collections

import drive
import serve
from measure import fail
from world import Devnet, wait_for

SERVER = "fd7a:115c:a1e0::1"
PEERS = "fd7a:115c:a1e0:b::/64"

LOCATION = """
        location / {
            tailgate on;
            tailgate_headers webauth;
            root %s;
            add_header X-Cache $tailgate_cache;
            add_header X-Worker $pid;
        }
"""


def people(sources):
    """devnet's file: a machine for each source."""

    lines = ["tailnet: bench.ts.net", "users:",
             "  - { login: alice@example.com, name: Alice Baker,"
             " picture: https://pics.example.com/a/alice.png,"
             " groups: [engineering, operations] }",
             f'self: {{ name: server, addresses: ["{SERVER}"],'
             ' user: alice@example.com }', "nodes:"]
    return "\n".join(lines + [
        f'  - {{ name: alice-laptop-{i}, addresses: ["{source}"],'
        ' user: alice@example.com, os: linux, os_version: "6.1" }'
        for i, source in enumerate(sources)]) + "\n"


def cache(zone):
    # nothing ends, or is renewed, while this is measured
    return f"    tailgate_cache zone=tailgate:{zone} ttl=1h;\n"


class Bench:
    """devnet with a machine for each source; the first one of them is kept
    to see whether an nginx is ready."""

    def __init__(self, sources):
        self.sources = sources[1:]
        self.witness = sources[0]
        self.world = Devnet(people(sources), SERVER)
        self.port = 9000
        # AnyIP: all of the network is ours
        self.world.space.ip("-6", "route", "add", "local", PEERS, "dev", "lo")
        self.www = serve.start_www(self.world)

    def nginx(self, zone, workers=1):
        self.port += 1
        listen = f"[{SERVER}]:{self.port} backlog=4096"
        if workers > 1:
            listen += " reuseport"
        pids = serve.start_nginx(
            self.world, f"nginx{self.port}", self.port, LOCATION % self.www,
            http=cache(zone), module=True, workers=workers, listen=listen)
        address = SERVER, self.port
        wait_for("the bus", lambda: self.follows(address))
        return pids, address

    def follows(self, address):
        """Whether the bus is followed: else nothing would be a hit."""

        answers = drive.sweep(self.world.space, address,
                              [self.witness] * 16, 1)
        return answers[-1].headers["x-cache"] == "hit"

    def sweep(self, address, sources):
        answers = drive.sweep(self.world.space, address, sources)
        wrong = [a for a in answers if a.status != 200]
        if wrong:
            fail(f"{len(wrong)} answers, such as {wrong[0]}")
        return collections.Counter(a.headers["x-cache"] for a in answers)

    def stop(self):
        """Ends the nginx that was started last."""

        self.world.space.processes.pop().stop()

    def close(self):
        self.world.close()
