# Copyright (C) The Tailgate authors

"""A policy file behind real proxies with the configurations that are shipped:
what a client asks for is what is judged, and a denial is what it gets."""

import json

import pytest

import test_proxies
from authd import ALICE
from policy import Policed
from tailgate_test import Nginx, get

app = test_proxies.app
haproxy = test_proxies.haproxy
caddy = test_proxies.caddy
caddy_program = test_proxies.caddy_program

POLICY = """
version: 1
explain_denials: self
contact: it@example.com
routes:
  - name: wiki
    method_override: refuse
    allow:
      - { user: "*@example.com", methods: [read] }
      - { user: "*@example.com", paths: [/dav/], methods: [PROPFIND] }
    deny:
      - { paths: [/secret] }
    headers:
      X-Role: { from: login }
"""

BROWSER = ("Accept", "text/html,*/*;q=0.8")


@pytest.fixture
def daemon(tmp_path, localapi):
    localapi.answer = lambda *_: (200, ALICE)
    with Policed(tmp_path, localapi.path, POLICY) as authd:
        yield authd


@pytest.fixture
def nginx(tmp_path, daemon, app):
    with Nginx(tmp_path, test_proxies.nginx_conf(daemon, app)) as server:
        yield server


@pytest.fixture(params=["nginx", "haproxy", "caddy"])
def proxy(request):
    """The port of each of them."""

    if request.param == "nginx":
        return request.getfixturevalue("nginx").port
    if request.param == "haproxy":
        return request.getfixturevalue("haproxy")
    return request.getfixturevalue("caddy")(
        test_proxies.read(test_proxies.CADDYFILE))


def test_policy(proxy, daemon, app):
    def decided(status, method="GET", uri="/", more=(), **expected):
        before = len(daemon.audit())
        answer = get(proxy, uri, more, method=method)
        line = daemon.decided(before)
        assert answer.status == status, line
        assert line["method"] == method
        assert {key: line.get(key) for key in expected} == expected
        return answer

    decided(200, rule="wiki.allow[0]")
    decided(200, "PROPFIND", "/dav/x", rule="wiki.allow[1]")
    served = len(app.requests)
    decided(403, "PROPFIND", "/", reason="no-allow")
    decided(403, "DELETE", "/dav/x", reason="no-allow")
    decided(403, uri="/secret/x", rule="wiki.deny[0]")
    decided(403, uri="/a%2f..%2fsecret", reason="raw-path")
    decided(403, uri="/a;b", reason="raw-path")
    for name in ("X-HTTP-Method-Override", "X-Method-Override"):
        decided(403, more=[(name, "DELETE")], reason="method-override")
    assert len(app.requests) == served


@pytest.fixture(params=["haproxy", "caddy"])
def passing_on(request):
    """Those that pass on what the daemon says to a client."""

    if request.param == "haproxy":
        return request.getfixturevalue("haproxy")
    return request.getfixturevalue("caddy")(
        test_proxies.read(test_proxies.CADDYFILE))


def test_check_32_denial(passing_on, daemon, localapi):
    """The daemon's page, in the form that the client asks for."""

    answer = get(passing_on, "/secret", [BROWSER])
    assert answer.status == 403
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert "sha256-" in answer.header("Content-Security-Policy")
    line = daemon.decided()
    for text in (line["id"], "wiki.deny[0]", "alice@example.com",
                 "mailto:it@example.com"):
        assert text in answer.body.decode()

    answer = get(passing_on, "/secret", [("Accept", "application/json")])
    assert answer.header("Content-Type") == "application/problem+json"
    assert json.loads(answer.body)["rule"] == "wiki.deny[0]"

    answer = get(passing_on, "/x", [("Content-Type", "application/grpc")],
                 method="POST")
    assert answer.status == 403
    assert answer.header("grpc-status") == "7"

    answer = get(passing_on, "/", [
        ("Origin", "https://a"), ("Access-Control-Request-Method", "PUT"),
        ("X-HTTP-Method", "PUT")], method="OPTIONS")
    assert answer.status == 403 and answer.body == b""

    localapi.answer = lambda *_: None
    answer = get(passing_on, "/", [BROWSER])
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert "Nobody can be identified" in answer.body.decode()


def test_haproxy_route_headers(haproxy):
    """The action is told of the policy's names, and lets none of the client's
    through."""

    answer = get(haproxy, "/", [("X-Role", "root"), ("X_Role", "root"),
                                ("X.Role", "root")])
    assert answer.status == 200
    seen = {name: value for name, value in answer.json()["headers"].items()
            if "role" in name}
    assert seen == {"x-role": ["alice@example.com"]}
