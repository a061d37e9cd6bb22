# Copyright (C) The Tailgate authors

"""People on a real tailnet, nginx with the module, an app behind it."""

import contextlib
import signal

import pytest

import web

LOGIN = "X-WEBAUTH-USER"

CONF = """
    tailgate_localapi unix:@LOCALAPI@;

    server {
        listen @PORT@;
        listen [::]:@PORT@;
        @PLACES@
    }
"""

STRANGER = (403, "stranger", None)


@pytest.fixture(scope="module")
def nginx(srv):
    with web.serving(srv, "module", CONF) as server:
        yield server


@pytest.fixture
def ask(nginx, srv):
    """ask(machine, "/path", ...): what the machine gets from srv."""

    def request(machine, target="/", address=None, **more):
        return web.get(machine, (address or srv.v4, nginx.port), target,
                       **more)

    return request


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_each_is_seen_as_themself(ask, srv, alice, bob, family):
    address = getattr(srv, family)

    for person, login in ((alice, "alice@example.com"),
                          (bob, "bob@example.com")):
        answer = ask(person, address=address)

        assert answer.status == 200
        assert answer.seen(LOGIN) == [login]


def test_mapped_addresses(srv, alice, lan):
    """A socket of both families shows IPv4 as ::ffff:a.b.c.d, at both ends."""

    conf = CONF.replace("listen @PORT@;", "").replace(
        "listen [::]:@PORT@;", "listen [::]:@PORT@ ipv6only=off;")

    with web.serving(srv, "mapped", conf) as nginx:
        for address in (srv.v4, srv.v6):
            answer = web.get(alice, (address, nginx.port))
            assert answer.seen(LOGIN) == ["alice@example.com"]

        assert web.said(web.get(lan, (srv.v4, nginx.port))) == STRANGER


def test_forged_header_does_not_arrive(ask, bob):
    for name in ("X-WEBAUTH-USER", "X_Webauth_User", "Remote-User",
                 "Tailscale-User-Login"):
        answer = ask(bob, headers={name: "alice@example.com"})

        assert answer.status == 200
        assert answer.seen(LOGIN) == ["bob@example.com"]
        assert b"alice@example.com" not in answer.body


def test_tagged_node_has_to_be_let_in(ask, nginx, ci):
    assert web.said(ask(ci)) == (403, "tagged", None)
    assert " login=- /" in web.log_line(nginx, f"{ci.v4} 403 tagged")

    answer = ask(ci, "/tagged/")

    assert answer.status == 200
    assert answer.seen(LOGIN) == []
    assert answer.seen("X-Node") == ["ci-runner.tail.example"]
    assert b"tagged-devices" not in answer.body


def test_open_to_tagged_is_open_to_people_too(ask, alice):
    assert ask(alice, "/tagged/").seen(LOGIN) == ["alice@example.com"]


def test_shared_in_node_has_to_be_let_in(ask, carol):
    for target in ("/", "/tagged/", "/routed/"):
        assert web.said(ask(carol, target))[:2] == (403, "shared")

    answer = ask(carol, "/shared/")

    assert answer.status == 200
    assert answer.seen(LOGIN) == ["carol@other.example"]


@pytest.mark.parametrize("sharer, sharee, domain", [
    ("alice@example.com", False, "tail.example"),
    ("", True, "tail.example"),
    ("", False, "other.example"),
], ids=["sharer", "sharee", "another tailnet"])
def test_each_sign_of_sharing_is_enough(net, ask, srv, carol, sharer, sharee,
                                        domain):
    def has(sharer, sharee, domain):
        def found(who):
            node = who["Node"]
            return (("Sharer" in node) == bool(sharer)
                    and ("ShareeNode" in node["Hostinfo"]) == sharee
                    and node["Name"] == f"carol-laptop.{domain}.")
        return found

    net.change(carol, sharer=sharer, sharee=sharee, domain=domain)

    try:
        net.seen(srv, carol, "changed", has(sharer, sharee, domain))
        assert web.said(ask(carol))[:2] == (403, "shared")
    finally:
        net.change(carol, sharer="alice@example.com", sharee=True,
                   domain="other.example")
        net.seen(srv, carol, "shared as before",
                 has("alice@example.com", True, "other.example"))


def test_node_that_is_not_authorized_is_refused(net, ask, srv, bob):
    net.change(bob, authorized=False)

    try:
        net.seen(srv, bob, "not authorized",
                 lambda who: "MachineAuthorized" not in who["Node"])

        assert web.said(ask(bob))[:2] == (403, "unauthorized")
    finally:
        net.change(bob, authorized=True)
        net.seen(srv, bob, "authorized",
                 lambda who: "MachineAuthorized" in who["Node"])

    assert ask(bob).status == 200


def test_node_that_changes_hands(net, nginx, srv, bob):
    """The next request of a kept connection is the new owner's."""

    with web.client(bob, (srv.v4, nginx.port)) as kept:
        assert kept.get().seen(LOGIN) == ["bob@example.com"]
        net.change(bob, user="alice@example.com")

        try:
            net.seen(srv, bob, "alice's", lambda who: who["Node"]["User"] == 1)
            assert kept.get().seen(LOGIN) == ["alice@example.com"]
        finally:
            net.change(bob, user="bob@example.com")
            net.seen(srv, bob, "bob's", lambda who: who["Node"]["User"] == 2)

        assert kept.get().seen(LOGIN) == ["bob@example.com"]


def test_removed_node_is_a_stranger(net, srv, bob, balancer):
    """Its packets stop as well; one that speaks for it is asked instead."""

    net.change(bob, hidden=True)

    try:
        web.tailgate_test.wait_until(
            lambda: srv.localapi.whois(bob.v4).status == 404, 10, "removed")
        assert web.said(balancer(bob.v4)) == STRANGER
    finally:
        net.change(bob, hidden=False)
        net.seen(srv, bob, "back")

    assert balancer(bob.v4).seen(LOGIN) == ["bob@example.com"]


# A load balancer on the node itself, which names people by the PROXY protocol.

BALANCER = """
    tailgate_localapi unix:@LOCALAPI@;
    tailgate_trusted_proxy 127.0.0.1;

    server {
        listen 127.0.0.1:@PORT@ proxy_protocol;
        @PLACES@
    }
"""


@contextlib.contextmanager
def balancing(node):
    """balancer(address, "/path"): what that address gets through it."""

    with web.serving(node, "balancer", BALANCER) as nginx:
        def request(address, target="/"):
            family = "TCP6" if ":" in address else "TCP4"
            local = node.v6 if ":" in address else node.v4
            line = f"PROXY {family} {address} {local} 40000 80\r\n"

            with web.client(node, ("127.0.0.1", nginx.port),
                            before_tls=line.encode()) as client:
                return client.get(target)

        request.nginx = nginx
        yield request


@pytest.fixture(scope="module")
def balancer(srv):
    with balancing(srv) as balancer:
        yield balancer


def test_expired_key_is_refused(net, srv, bob, balancer):
    """WhoIs still answers 200. tailscaled lets no packet of an expired peer
    through, so somebody has to speak for it."""

    assert balancer(bob.v4).status == 200

    net.change(bob, key_expiry="2026-01-01T00:00:00Z")

    try:
        who = net.seen(srv, bob, "expired",
                       lambda who: who["Node"].get("Expired"))
        assert who["UserProfile"]["LoginName"] == "bob@example.com"

        assert web.said(balancer(bob.v4))[:2] == (403, "expired")
    finally:
        net.change(bob, key_expiry="0001-01-01T00:00:00Z")
        net.seen(srv, bob, "not expired",
                 lambda who: not who["Node"].get("Expired"))

    assert balancer(bob.v4).status == 200


# Addresses of the node and others


@pytest.fixture
def spoofer(net, srv, bob, lan):
    """A LAN neighbour with bob's address; srv answers it by the LAN, and
    tailscaled's own rule against this is off."""

    rule = ["to", bob.v4, "lookup", "77", "pref", "100"]
    route = [f"{bob.v4}/32", "via", "10.77.0.50", "dev", "eth0", "table", "77"]

    with contextlib.ExitStack() as undo:
        srv.tailscale("set", "--netfilter-mode=off")
        undo.callback(srv.tailscale, "set", "--netfilter-mode=on")

        lan.ip("addr", "add", f"{bob.v4}/32", "dev", "lo")
        undo.callback(lan.ip, "addr", "del", f"{bob.v4}/32", "dev", "lo")

        srv.space.ip("rule", "add", *rule)
        undo.callback(srv.space.ip, "rule", "del", *rule)

        srv.space.ip("route", "add", *route)
        undo.callback(srv.space.ip, "route", "del", *route)

        yield lan


def test_spoofed_source_is_a_stranger(ask, nginx, srv, bob, spoofer):
    def spoofed(target):
        return ask(spoofer, target, address=srv.lan, source=bob.v4)

    # the handshake completes: this is no test of the network
    answer = spoofed("/off/")
    assert answer.status == 200

    assert web.said(spoofed("/")) == STRANGER
    assert web.log_line(nginx, f"{bob.v4} 403 stranger login=- /")

    answer = spoofed("/optional/")
    assert answer.status == 200
    assert answer.seen(LOGIN) == []

    warned = [line for line in nginx.error_log().splitlines()
              if "[warn]" in line and bob.v4 in line]
    assert len(warned) == 1, "once per source"


def test_lan_neighbour_is_a_stranger(ask, srv, lan):
    """Also at the tailnet address, which Linux answers on any interface."""

    for address in (srv.lan, srv.v4):
        assert ask(lan, "/off/", address=address).status == 200
        assert web.said(ask(lan, address=address)) == STRANGER


INTERFACE = """
    tailgate_localapi unix:@LOCALAPI@;

    server {
        listen @PORT@;
        tailgate_interface tailscale0;
        @PLACES@
    }
"""


def test_interface(srv, alice, bob, spoofer):
    """The weak host model: a spoofed source at the tailnet address itself."""

    with web.serving(srv, "weak", CONF) as nginx:
        answer = web.get(spoofer, (srv.v4, nginx.port), source=bob.v4)
        assert answer.seen(LOGIN) == ["bob@example.com"], \
            "what tailgate_interface is for"

    with web.serving(srv, "interface", INTERFACE) as nginx:
        def spoofed(target):
            return web.get(spoofer, (srv.v4, nginx.port), target,
                           source=bob.v4)

        assert spoofed("/off/").status == 200
        assert web.said(spoofed("/")) == STRANGER

        answer = web.get(alice, (srv.v4, nginx.port))
        assert answer.seen(LOGIN) == ["alice@example.com"]


# Who is behind another machine


def test_behind_a_subnet_router_is_a_stranger(ask, nginx, behind):
    assert ask(behind, "/off/").status == 200
    assert web.said(ask(behind)) == STRANGER
    assert web.log_line(nginx, "10.88.0.5 403 stranger")


def test_subnet_router_itself_has_to_be_let_in(ask, router):
    assert web.said(ask(router))[:2] == (403, "routed")
    assert ask(router, "/routed/").seen(LOGIN) == ["bob@example.com"]


# Outages


@pytest.mark.parametrize("state", ["NoState", "Running"])
def test_tailscaled_gone_and_back(outage, alice, ci, state):
    """503 while it is gone and while it does not know its peers, whom it
    answers 404 for; then right again, and nginx was not told."""

    with outage(state) as node, balancing(node) as balancer:
        assert balancer(alice.v4).status == 200

        node.stop(number=signal.SIGKILL)

        answer = balancer(alice.v4)
        assert web.said(answer) == (503, "unavailable", None)
        assert answer.header("Retry-After")
        assert balancer(alice.v4, "/off/").status == 200

        node.without_control(state)
        states = [(node.localapi.state(), node.localapi.whois(alice.v4).status,
                   balancer(alice.v4).status) for _ in range(20)]

        assert (state, 404, 503) in states
        assert {status for _, _, status in states} == {503}, states

        node.with_control()

        def back():
            answer = balancer(alice.v4)
            assert answer.status in (200, 503)
            return answer if answer.status == 200 else None

        answer = web.tailgate_test.wait_until(back, 60, "identified again")
        assert answer.seen(LOGIN) == ["alice@example.com"]
        assert web.said(balancer(ci.v4)) == (403, "tagged", None)

        node.running()
        assert web.said(balancer("100.99.99.99")) == STRANGER

        # and through the TUN device, which had gone as well
        with web.serving(node, "restarted", CONF) as nginx:
            answer = web.get(alice, (node.v4, nginx.port))
            assert answer.seen(LOGIN) == ["alice@example.com"]


def test_socket_that_may_not_be_opened(srv, alice):
    mode = srv.socket.stat().st_mode & 0o777
    srv.socket.chmod(0o600)

    try:
        with web.serving(srv, "denied", CONF) as nginx:
            def ask():
                return web.get(alice, (srv.v4, nginx.port))

            assert web.said(ask()) == (503, "unavailable", None)
            assert "Permission denied" in nginx.error_log()

            srv.socket.chmod(mode)
            assert ask().seen(LOGIN) == ["alice@example.com"]
    finally:
        srv.socket.chmod(mode)
