# Copyright (C) The Tailgate authors

"""Answers that are kept, beside a real tailscaled: what its event stream says
has changed is seen long before the ttl."""

import contextlib
import subprocess
import threading
import time

import pytest

import web
from late_test import Lateness
from space import wait_for
from tailgate_test import free_port

CONF = """
    tailgate_localapi unix:@LOCALAPI@;
    tailgate_cache ttl=1h;

    tailgate_trusted_proxy 127.0.0.1;

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

    server {
        listen 127.0.0.1:@PROXY@ proxy_protocol;
        keepalive_requests 1000000;
        add_header X-Cache $tailgate_cache always;
        location / { tailgate on; empty_gif; }
    }
"""

SOON = 10                      # seconds; the ttl is an hour


@pytest.fixture(scope="module")
def nginx(srv):
    with srv.space.entered():
        proxy = free_port("127.0.0.1")
    with web.serving(srv, "cache", CONF, PROXY=proxy) as server:
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
    stop = threading.Event()
    late = Lateness(stop)
    late.start()
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
        said, since = time.time(), time.monotonic()
        assert load.communicate(timeout=60)[0]
        answers = timed(nginx, bob)[before:]
    finally:
        stop.set()
        late.join()
        load.kill()
        load.wait()
        net.change(bob, **back)
    wrong = [when for when, status in answers if status == 200]
    right = [when for when, status in answers if status == 403]
    assert len(wrong) > 500 and len(right) > 100, (len(wrong), len(right))
    assert {status for _, status in answers} == {200, 403}
    assert wrong[-1] <= said + 1 + late.since(since)
    wait_for("the way back", lambda: ask(bob, srv, nginx).status == 200)
    kept(bob, srv, nginx)


class Spoken(threading.Thread):
    """A balancer on the node that asks for a machine again and again."""

    def __init__(self, client, stop):
        super().__init__()
        self.client = client
        self.stop = stop
        self.answers = []      # (when it was asked for, status)

    def run(self):
        while not self.stop.is_set():
            began = time.monotonic()
            self.answers.append((began, self.client.get("/").status))


@pytest.fixture
def leaver(net, srv):
    """A machine of bob's that does not stay."""

    number = net.added
    node, = net.add((f"leaver{number}", f"leaver-{number}", "key-bob",
                     f"10.77.0.{150 + number}", {}))
    net.seen(srv, node, "known")
    yield node
    net.remove(node)


@pytest.mark.parametrize("change, fields, gone", [
    ("DELETE", None, lambda answer: answer.status == 404),
    ("PATCH", {"key_expiry": "2026-01-01T00:00:00Z"},
     lambda answer: answer.json()["Node"].get("Expired")),
], ids=["removed", "expired"])
def test_check_26_gone_under_load(net, srv, nginx, leaver, change, fields,
                                  gone):
    """tailscaled lets no more packets of such a one through, so somebody on
    the node speaks for it. Who asks a second after WhoIs has said so is told
    so, and so is everybody from then on."""

    stop = threading.Event()
    late = Lateness(stop)
    line = f"PROXY TCP4 {leaver.v4} {srv.v4} 40000 80\r\n".encode("ascii")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(web.client(
            srv, ("127.0.0.1", nginx.values["PROXY"]), before_tls=line))
            for _ in range(4)]
        wait_for("a kept answer", lambda: clients[0].get("/").header(
            "X-Cache") == "hit")
        balancers = [Spoken(client, stop) for client in clients]
        for thread in [late, *balancers]:
            thread.start()

        def asked():
            return sum(len(balancer.answers) for balancer in balancers)

        try:
            wait_for("load", lambda: asked() > 500)
            net.admin(change, f"/nodes/{leaver.hostname}", fields)
            wait_for("the change",
                     lambda: gone(srv.localapi.whois(leaver.v4)))
            said = time.monotonic()
            wait_for("a while", lambda: time.monotonic() > said + 1)
            n = asked()
            wait_for("more load", lambda: asked() > n + 200)
        finally:
            stop.set()
            for thread in [late, *balancers]:
                thread.join()

    answers = [one for balancer in balancers for one in balancer.answers]
    until = said + 1 + late.since(said - 1)
    wrong = [began - said for began, status in answers
             if status == 200 and began > until]
    assert not wrong, (len(wrong), max(wrong))
    assert {status for _, status in answers} == {200, 403}
