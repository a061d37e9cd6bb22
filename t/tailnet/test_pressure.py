# Copyright (C) The Tailgate authors

"""A peer that may no longer come in, under a load of its own requests: the
last one that is let in is out a second after tailscaled's WhoIs says so."""

import threading
import time

import pytest

import pressure
from late_test import Lateness

FLOOR = 300                    # requests a second, on the slowest of machines


@pytest.fixture(name="gates", scope="module")
def fixture_gates(net):
    with pressure.gates(net) as gates:
        yield gates


@pytest.fixture(name="leaver")
def fixture_leaver(net, gates):
    node = gates.leaver()
    yield node
    net.remove(node)


@pytest.fixture(name="late")
def fixture_late():
    """What a busy machine adds to what is promised within a second."""

    stop = threading.Event()
    late = Lateness(stop)
    late.start()
    yield late
    stop.set()
    late.join()


def judge(pressed, peer, allowed):
    print(f"{pressed.rate:.0f} requests/s, the last wrong answer"
          f" {pressed.last_wrong:.3f} s after it was said")
    until = pressed.answered + 1 + allowed
    assert {(line.address, line.who) for line in pressed.wrong} \
        == {(peer.v4, pressure.LOGIN)}

    # besides, an outage on a machine that is too busy lets nobody in
    assert {line.status for line in pressed.lines} >= {200, 403}
    assert pressed.wrong[-1].when <= until
    assert pressed.rate > FLOOR


@pytest.mark.parametrize("gate", pressure.GATES)
@pytest.mark.parametrize("name", pressure.CHANGES)
def test_check_26_under_pressure(gates, leaver, late, gate, name):
    began = time.monotonic()
    pressed = gates.press(gate, leaver,
                          lambda peer: gates.change(peer, name))
    judge(pressed, leaver, late.since(began))


@pytest.mark.parametrize("gate", pressure.GATES)
def test_check_26_key_ends_under_pressure(gates, leaver, late, gate):
    began = time.monotonic()
    judge(gates.press(gate, leaver, gates.key_ends), leaver,
          late.since(began))
