# Copyright (C) The Tailgate authors

"""Answers that are kept, beside a real tailscaled: what its event stream says
has changed is seen long before the ttl."""

import time

import pytest

import web
from space import wait_for

CONF = """
    tailgate_localapi unix:@LOCALAPI@;
    tailgate_cache ttl=1h;

    server {
        listen @PORT@;
        add_header X-Cache $tailgate_cache always;
        @PLACES@
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
