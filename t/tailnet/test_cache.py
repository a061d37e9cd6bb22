# Copyright (C) The Tailgate authors

"""Answers that are kept, beside a real tailscaled: what its event stream says
has changed is seen long before the ttl."""

import subprocess
import time

import pytest

import web
from space import wait_for

CONF = """
    tailgate_localapi unix:@LOCALAPI@;
    tailgate_cache ttl=1h;

    log_format timed '$msec $status $remote_addr';

    server {
        listen @PORT@;
        add_header X-Cache $tailgate_cache always;
        @PLACES@

        location = /fast {
            tailgate on;
            access_log @DIR@/timed.log timed;
            empty_gif;
        }
    }
"""

SOON = 10                      # seconds; the ttl is an hour


@pytest.fixture(scope="module")
def nginx(srv):
    with web.serving(srv, "cache", CONF) as server:
        yield server


def ask(machine, srv, nginx):
    return web.get(machine, (srv.v4, nginx.port), "/")


def kept(machine, srv, nginx):
    """Waits until nothing is on its way, and the answer is a kept one."""

    wait_for("the stream has settled", lambda: all(
        ask(machine, srv, nginx).header("X-Cache") == "hit"
        or time.sleep(0.3) for _ in range(3)))


def test_kept(srv, nginx, alice, bob):
    for machine, login in ((alice, "alice@example.com"),
                           (bob, "bob@example.com")):
        kept(machine, srv, nginx)
        answer = ask(machine, srv, nginx)
        assert answer.status == 200
        assert answer.seen("X-WEBAUTH-USER") == [login]


@pytest.mark.parametrize("change, back", [
    ({"tags": ["tag:ci"]}, {"tags": [], "user": "bob@example.com"}),
    ({"authorized": False}, {"authorized": True}),
], ids=["retagged", "unauthorized"])
def test_a_change_is_seen(net, srv, nginx, alice, bob, change, back):
    kept(bob, srv, nginx)
    kept(alice, srv, nginx)
    net.change(bob, **change)
    try:
        began = time.monotonic()
        wait_for("the change", lambda: ask(bob, srv, nginx).status == 403)
        assert time.monotonic() - began < SOON
        assert ask(alice, srv, nginx).status == 200
    finally:
        net.change(bob, **back)
    wait_for("the way back", lambda: ask(bob, srv, nginx).status == 200)
    kept(bob, srv, nginx)


def timed(nginx, machine):
    """(when, status) of each answer to a machine's load, oldest first."""

    lines = [line.split() for line in nginx.read("timed.log").splitlines()]
    return [(float(words[0]), int(words[1])) for words in lines
            if len(words) == 3 and words[2] == machine.v4]


@pytest.mark.parametrize("change, back", [
    ({"tags": ["tag:ci"]}, {"tags": [], "user": "bob@example.com"}),
    ({"authorized": False}, {"authorized": True}),
], ids=["retagged", "unauthorized"])
def test_check_26_under_load(net, srv, nginx, bob, change, back):
    """The last wrong answer is out a second after WhoIs says so, whatever the
    number of requests."""

    kept(bob, srv, nginx)
    before = len(timed(nginx, bob))
    load = subprocess.Popen(
        bob.space.inside(["wrk", "-t1", "-c16", "-d3s",
                          f"http://{srv.v4}:{nginx.port}/fast"]),
        stdout=subprocess.PIPE, text=True)
    try:
        wait_for("load", lambda: len(timed(nginx, bob)) > before + 500)
        net.change(bob, **change)
        net.seen(srv, bob, "the change", lambda who: (
            who["Node"].get("Tags") == change["tags"] if "tags" in change
            else not who["Node"].get("MachineAuthorized")))
        said = time.time()
        assert load.communicate(timeout=60)[0]
        answers = timed(nginx, bob)[before:]
    finally:
        load.kill()
        load.wait()
        net.change(bob, **back)
    wrong = [when for when, status in answers if status == 200]
    right = [when for when, status in answers if status == 403]
    assert len(wrong) > 500 and len(right) > 100, (len(wrong), len(right))
    assert {status for _, status in answers} == {200, 403}
    assert wrong[-1] <= said + 1
    wait_for("the way back", lambda: ask(bob, srv, nginx).status == 200)
    kept(bob, srv, nginx)
