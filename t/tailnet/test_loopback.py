# Copyright (C) The Tailgate authors

"""Peers that arrive by 127.0.0.1: userspace networking, tailscale serve."""

import pytest

import web

LOGIN = "X-WEBAUTH-USER"
STRANGER = (403, "stranger", None)

CONF = """
    tailgate_localapi unix:@LOCALAPI@;

    server {
        listen 127.0.0.1:@PORT@;
        @PLACES@
    }
"""


# Userspace networking: tailscaled connects to 127.0.0.1 for each peer


@pytest.fixture(scope="module")
def userspace_nginx(userspace):
    with web.serving(userspace, "userspace", CONF) as nginx:
        yield nginx


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_userspace(userspace_nginx, userspace, alice, bob, family):
    address = getattr(userspace, family)

    for person, login in ((alice, "alice@example.com"),
                          (bob, "bob@example.com")):
        answer = web.get(person, (address, userspace_nginx.port))

        assert answer.status == 200
        assert answer.seen(LOGIN) == [login]


def test_userspace_connections_are_not_mixed_up(userspace_nginx, userspace,
                                                alice, bob):
    where = (userspace.v4, userspace_nginx.port)

    with web.client(alice, where) as one, web.client(bob, where) as other:
        for _ in range(3):
            assert one.get().seen(LOGIN) == ["alice@example.com"]
            assert other.get().seen(LOGIN) == ["bob@example.com"]


def test_userspace_tagged(userspace_nginx, userspace, ci):
    where = (userspace.v4, userspace_nginx.port)

    assert web.said(web.get(ci, where)) == (403, "tagged", None)
    assert web.get(ci, where, "/tagged/").status == 200


def test_userspace_local_process_is_a_stranger(userspace_nginx, userspace):
    answer = web.get(userspace, ("127.0.0.1", userspace_nginx.port))

    assert web.said(answer) == STRANGER


# tailscale serve: one pooled connection for everybody

TRUSTED = """
    tailgate_localapi unix:@LOCALAPI@;

    server {
        listen 127.0.0.1:@PORT@;
        tailgate_trusted_serve on;
        @PLACES@
    }
"""

SERVE_PORT = 8090
HOST = f"web1.tail.example:{SERVE_PORT}"


@pytest.fixture
def serve(srv):
    """serve(port): tailscale serve in front of 127.0.0.1:port; then
    through(machine, ...) asks it."""

    def start(port):
        srv.tailscale("serve", "--bg", f"--http={SERVE_PORT}",
                      f"http://127.0.0.1:{port}")

        def through(machine, target="/", **more):
            return web.get(machine, (srv.v4, SERVE_PORT), target, host=HOST,
                           **more)

        return through

    yield start
    srv.tailscale("serve", "reset")


def test_serve_is_a_stranger(srv, alice, bob, serve):
    with web.serving(srv, "serve", CONF) as nginx:
        through = serve(nginx.port)

        assert through(alice, "/off/").status == 200

        for person in (alice, bob):
            assert web.said(through(person)) == STRANGER

        answer = through(alice, "/optional/")
        assert answer.status == 200
        assert answer.seen(LOGIN) == []

        assert "tailscale serve" in nginx.error_log()


def test_trusted_serve(srv, alice, bob, ci, serve):
    with web.serving(srv, "trusted-serve", TRUSTED) as nginx:
        through = serve(nginx.port)

        for person, login in ((alice, "alice@example.com"),
                              (bob, "bob@example.com"),
                              (alice, "alice@example.com")):
            answer = through(person, headers={
                "Tailscale-User-Login": "eve@example.com",
                "Tailscale_User_Login": "eve@example.com"})

            assert answer.status == 200
            assert answer.seen(LOGIN) == [login]
            assert b"eve@example.com" not in answer.body

        # serve says nothing of a tagged node
        answer = through(ci, headers={
            "Tailscale-User-Login": "eve@example.com",
            "Tailscale_User_Login": "eve@example.com"})

        assert web.said(answer) == STRANGER


def test_trusted_serve_keeps_a_name_whole(srv, alice, serve):
    """serve sends it as an RFC 2047 encoded word."""

    conf = TRUSTED.replace("@PLACES@", """
        location / {
            tailgate on;
            tailgate_set_header X-Name $tailgate_name encoding=utf8;
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)

    with web.serving(srv, "serve-name", conf) as nginx:
        name = serve(nginx.port)(alice).seen("X-Name")

        assert [n.encode("latin-1").decode() for n in name] == [
            "Alice Ångström"]
