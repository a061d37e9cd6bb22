# Copyright (C) The Tailgate authors

"""tailgate-authd on a real tailnet, behind an nginx that asks it by
auth_request with the shipped configuration."""

import contextlib
import os
import signal

import pytest
import tailgate_test

import web
from localapi import UnixConnection

LOGIN = "X-WEBAUTH-USER"

# root is who the proxy's worker and a test's own questions come as
CONF = """
policy: member
localapi: @LOCALAPI@
listen:
  unix: @SOCKET@
  mode: "0666"
  senders: [root, nobody]
"""

# conf/nginx/tailgate-auth.conf, and nginx-auth's own example at /old/
PROXY = """
    server {
        listen @PORT@;
        listen [::]:@PORT@;
        include @SNIPPETS@/tailgate-auth.conf;

        location / {
            include @SNIPPETS@/tailgate-auth-webauth.conf;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location = /auth {
            internal;
            proxy_pass http://unix:@AUTHD@;
            proxy_pass_request_body off;
            proxy_set_header Host $http_host;
            proxy_set_header Remote-Addr $remote_addr;
            proxy_set_header Remote-Port $remote_port;
            proxy_set_header Original-URI $request_uri;
        }

        location /old/ {
            auth_request /auth;
            auth_request_set $auth_user $upstream_http_tailscale_user;
            auth_request_set $auth_name $upstream_http_tailscale_name;
            auth_request_set $auth_login $upstream_http_tailscale_login;
            auth_request_set $auth_tailnet $upstream_http_tailscale_tailnet;

            proxy_set_header X-Webauth-User "$auth_user";
            proxy_set_header X-Webauth-Name "$auth_name";
            proxy_set_header X-Webauth-Login "$auth_login";
            proxy_set_header X-Webauth-Tailnet "$auth_tailnet";
            proxy_pass http://127.0.0.1:@APP@;
        }
    }
"""


def snippets(folder, authd):
    """The shipped files, with the path of this daemon's socket."""

    source = os.path.join(tailgate_test.ROOT, "conf", "nginx")

    for name in ("tailgate-auth.conf", "tailgate-auth-webauth.conf"):
        with open(os.path.join(source, name), encoding="utf-8") as f:
            text = f.read()
        (folder / name).write_text(
            text.replace("/run/tailgate/authd.sock", str(authd)))

    return folder


@contextlib.contextmanager
def daemon(node, name="authd"):
    """authd on a node; gives the path of its socket."""

    folder = node.net.folder / f"{node.space.name}-{name}"
    folder.mkdir(mode=0o755)

    socket = folder / "authd.sock"
    conf = folder / "authd.yaml"
    conf.write_text(CONF.replace("@LOCALAPI@", str(node.socket))
                    .replace("@SOCKET@", str(socket)))

    process = node.space.spawn(name, [
        os.path.join(tailgate_test.BUILD, "tailgate-authd"), "-c", conf])

    try:
        process.ready("authd", lambda: tailgate_test.listening(str(socket)))
        yield socket
    finally:
        process.stop()

    assert process.popen.returncode == 0, process.tail()


def dialect(socket, target, headers):
    """One question of a proxy: the status, and the headers of the answer."""

    connection = UnixConnection(socket)

    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        answer.read()

        return answer.status, answer.headers
    finally:
        connection.close()


@pytest.fixture(scope="module")
def authd(srv):
    with daemon(srv) as socket:
        yield socket


@pytest.fixture(scope="module")
def nginx(srv, authd):
    with web.serving(srv, "auth-request", PROXY, AUTHD=authd,
                     SNIPPETS=snippets(authd.parent, authd)) as nginx:
        yield nginx


@pytest.fixture
def ask(nginx, srv):
    def request(machine, target="/", address=None, **more):
        return web.get(machine, (address or srv.v4, nginx.port), target,
                       **more)

    return request


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_each_is_seen_as_themself(ask, srv, alice, bob, family):
    for person, login in ((alice, "alice@example.com"),
                          (bob, "bob@example.com")):
        answer = ask(person, address=getattr(srv, family),
                     headers={"X-Webauth-User": "eve@example.com"})

        assert answer.status == 200
        assert answer.seen(LOGIN) == [login]
        assert b"eve@example.com" not in answer.body


def test_who_has_to_be_let_in(ask, ci, carol, router):
    for machine in (ci, carol, router):
        assert ask(machine).status == 403


def test_strangers(ask, srv, lan, behind):
    assert ask(behind).status == 403

    for address in (srv.lan, srv.v4):
        assert ask(lan, address=address).status == 403


def test_nginx_auth_by_its_own_configuration(ask, alice, bob, ci, lan):
    answer = ask(alice, "/old/")

    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert answer.seen("X-Webauth-Login") == ["alice"]
    assert answer.seen("X-Webauth-Tailnet") == ["tail.example"]

    assert ask(bob, "/old/").seen("X-Webauth-User") == ["bob@example.com"]
    assert ask(ci, "/old/").status == 403
    assert ask(lan, "/old/").status in (401, 403)


def stated(peer, local=None, **more):
    """What each dialect's proxy says of a request by that peer."""

    headers = {"Remote-Addr": peer, "Remote-Port": "40000"}

    if local:
        headers["Tailgate-Local-Addr"] = local

    return dict(headers, **more)


DIALECTS = {
    "nginx": lambda peer: stated(peer, **{
        "X-Original-Method": "GET", "X-Original-Host": "app.example",
        "X-Original-URI": "/"}),
    "haproxy": lambda peer: stated(peer, **{
        "X-Forwarded-Method": "GET", "X-Forwarded-Host": "app.example",
        "X-Forwarded-Uri": "/"}),
    "traefik": lambda peer: {
        "X-Forwarded-For": peer, "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "http", "X-Forwarded-Host": "app.example",
        "X-Forwarded-Uri": "/"},
    "caddy": lambda peer: {
        "X-Forwarded-For": peer, "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "http", "X-Forwarded-Host": "app.example",
        "X-Forwarded-Uri": "/"},
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("family", ["v4", "v6"])
def test_dialects(authd, alice, bob, ci, carol, name, family):
    target = f"/v1/auth/{name}?headers=webauth"

    def said(peer):
        status, headers = dialect(authd, target, DIALECTS[name](peer))
        return status, headers[LOGIN]

    for person, login in ((alice, "alice@example.com"),
                          (bob, "bob@example.com")):
        status, user = said(getattr(person, family))
        assert (status // 100, user) == (2, login)

    for machine in (ci, carol):
        assert said(getattr(machine, family)) == (403, None)

    assert said("100.99.99.99") == (403, None)
    assert said("10.77.0.50") == (403, None)


def test_local_address_that_is_not_ours(authd, srv, alice):
    target = "/v1/auth/nginx?headers=webauth"

    for local, status in ((srv.v4, 2), (srv.v6, 2), (srv.lan, 4),
                          ("100.99.0.1", 4)):
        headers = DIALECTS["nginx"](alice.v4)
        headers["Tailgate-Local-Addr"] = local

        assert dialect(authd, target, headers)[0] // 100 == status, local


def test_userspace_networking(userspace, alice, bob):
    """By the peer's port on 127.0.0.1."""

    with daemon(userspace) as authd, \
            web.serving(userspace, "auth-request", PROXY, AUTHD=authd,
                        SNIPPETS=snippets(authd.parent, authd)) as nginx:
        for person, login in ((alice, "alice@example.com"),
                              (bob, "bob@example.com")):
            for target in ("/", "/old/"):
                answer = web.get(person, (userspace.v4, nginx.port), target)

                assert answer.status == 200
                assert answer.seen(LOGIN) == [login]


@pytest.mark.parametrize("state", ["NoState", "Running"])
def test_tailscaled_gone_and_back(outage, alice, state):
    """503 on every endpoint while nobody can be known, never a denial."""

    with outage(state) as node, daemon(node) as authd:
        def said():
            return [dialect(authd, target, headers)[0] for target, headers in (
                ("/auth", stated(alice.v4)),
                ("/v1/auth/nginx", DIALECTS["nginx"](alice.v4)),
                ("/v1/auth/caddy", DIALECTS["caddy"](alice.v4)))]

        assert {status // 100 for status in said()} == {2}

        node.stop(number=signal.SIGKILL)
        assert set(said()) == {503}

        node.without_control(state)
        seen = [(node.localapi.state(), node.localapi.whois(alice.v4).status,
                 *said()) for _ in range(20)]
        assert (state, 404, 503, 503, 503) in seen
        assert {status for line in seen for status in line[2:]} == {503}

        node.with_control()

        def back():
            statuses = set(said())
            assert statuses <= {200, 204, 503}
            return 503 not in statuses

        tailgate_test.wait_until(back, 60, "identified again")
