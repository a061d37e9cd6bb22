# Copyright (C) The Tailgate authors

"""Peers that may no longer come in, while they ask as fast as they can."""

import os
import subprocess
import sys

from measure import BUILD, ROOT, Goal, at_least, fail, goals_table, say, spread

sys.path[:0] = [os.path.join(ROOT, "t", "tailnet"),
                os.path.join(ROOT, "t", "lib")]

import pressure  # noqa: E402
from net import Tailnet  # noqa: E402

HEADING = "## Peers that may no longer come in"
TITLES = {"module": "the module", "authd": "auth_request to tailgate-authd"}
CHANGES = {**{name: name for name in pressure.CHANGES},
           "ends": "its key ends by the clock"}
SECONDS = 1.0                           # that a wrong answer may be late
RATE = 10000                            # requests a second, at least


def one(gates, gate, name, args):
    leaver = gates.leaver()
    try:
        pressed = gates.press(
            gate, leaver, gates.key_ends if name == "ends"
            else lambda peer: gates.change(peer, name),
            seconds=args.seconds, connections=args.connections)
    finally:
        gates.net.remove(leaver)

    if {line.status for line in pressed.lines} != {200, 403}:
        fail(f"{gate}, {name}: neither 200 nor 403")
    if {line.who for line in pressed.wrong} != {pressure.LOGIN}:
        fail(f"{gate}, {name}: let in as somebody else")
    return pressed.rate, pressed.last_wrong


def measured(args):
    build = os.path.join(ROOT, "t", "tailnet", "build")
    tools = subprocess.run([build], stdout=subprocess.PIPE, check=True,
                           encoding="utf-8").stdout.strip()
    control = os.path.join(BUILD, "tailnet-control")
    subprocess.run([build, "--control", control], check=True)

    results = {(gate, name): [] for gate in TITLES for name in CHANGES}
    net = Tailnet(tools, control)
    try:
        net.start()
        with pressure.gates(net) as gates:
            for n in range(args.rounds):
                for (gate, name), found in results.items():
                    found.append(one(gates, gate, name, args))
                say(f"  round {n + 1} of {args.rounds}: " + ", ".join(
                    f"{found[-1][1] * 1000:.0f} ms"
                    for found in results.values()))
    finally:
        net.close()
    return results


def milliseconds(value):
    return f"{value * 1000:.0f} ms"


def goals_of(results):
    goals = []
    for (gate, name), found in results.items():
        what = f"{TITLES[gate]}, {CHANGES[name]}"
        rates, late = zip(*found)
        goals += [
            # a promise: each round has to keep it
            Goal(f"{what}: the last wrong answer after it was said",
                 spread(late, milliseconds), f"<= {milliseconds(SECONDS)}",
                 max(late) <= SECONDS),
            at_least(f"{what}: requests/s", rates, RATE,
                     lambda value: f"{value:.0f}")]
    return goals


def run(args):
    goals = goals_of(measured(args))
    return goals, [
        HEADING, "",
        "A real tailnet: a control server and tailscaleds in network namespaces"
        f" of their own. {args.connections} connections of one peer ask an"
        " nginx of two workers, over loopback, as WireGuard would carry less"
        " and nothing of a peer that is gone. The answers are kept for an hour."
        " Time is from when the control server had been told (or the key had"
        " ended: tailscaled then says nothing for some seconds) to the last"
        " request that was let in, by nginx's access log.", "",
        *goals_table(goals)]
