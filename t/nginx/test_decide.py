# Copyright (C) The Tailgate authors

"""Who gets in: tailgate on, optional and off, and what opens more."""

import pytest

from conftest import (ALICE, BOB, CAROL, CI, EXPIRED, LOG, ROUTER, STRANGER)
from tailgate_test import get

CONF = LOG + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_headers webauth;

    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /off { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
    location /optional {
        tailgate optional;
        add_header X-Status $tailgate_status;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /tagged {
        tailgate_peers member tagged;
        proxy_pass http://127.0.0.1:@APP@;
        location /tagged/only { tailgate_peers tagged;
                                proxy_pass http://127.0.0.1:@APP@; }
        location /tagged/inherited { proxy_pass http://127.0.0.1:@APP@; }
    }
    location /shared {
        tailgate_peers member shared;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /routed {
        tailgate_peers member routed;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /all {
        tailgate_peers member tagged shared routed;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /elsewhere {
        tailgate_tailnet other.example;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /here {
        tailgate_tailnet Third.example. TAIL.Example.;
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""

PEERS = {"alice": ALICE, "bob": BOB, "ci": CI, "carol": CAROL,
         "router": ROUTER, "expired": EXPIRED, "stranger": STRANGER}

MAY = {
    "/": {"alice", "bob"},
    "/tagged": {"alice", "bob", "ci"},
    "/tagged/only": {"ci"},
    "/tagged/inherited": {"alice", "bob", "ci"},
    "/shared": {"alice", "bob", "carol"},
    "/routed": {"alice", "bob", "router"},
    "/all": {"alice", "bob", "ci", "carol", "router"},
    "/here": {"alice", "bob"},
    "/off": set(PEERS),
    "/optional": set(PEERS),
}

STATUS = {"alice": "member", "bob": "member", "ci": "tagged",
          "carol": "shared", "router": "routed", "expired": "expired",
          "stranger": "stranger"}


def test_who_may(world):
    nginx = world.nginx(CONF)
    for path, may in MAY.items():
        for name, source in PEERS.items():
            answer = get(nginx.port, path, source=source)
            expected = 200 if name in may else 403
            assert answer.status == expected, (path, name)


def test_identity_goes_with_an_allow_only(world):
    nginx = world.nginx(CONF)
    for path, may in MAY.items():
        for name in may:
            answer = get(nginx.port, path, source=PEERS[name])
            seen = answer.seen("X-Webauth-User")
            if path == "/off":
                assert seen == []
            elif name in ("alice", "router"):
                allowed = name in MAY["/"] or path in ("/routed", "/all")
                assert seen == (["alice@example.com"] if allowed else [])
            elif name in ("ci", "stranger", "expired"):
                assert seen in ([], ["ci-runner.tail.example"]), (path, name)
            if path == "/optional" and name not in ("alice", "bob"):
                assert seen == []


def test_optional_says_which(world):
    nginx = world.nginx(CONF)
    for name, source in PEERS.items():
        answer = get(nginx.port, "/optional", source=source)
        assert answer.status == 200
        assert answer.header("X-Status") == STATUS[name]


def test_tailnet(world):
    """A peer of a named tailnet is a member though it is shared in."""

    nginx = world.nginx(CONF)
    assert get(nginx.port, "/elsewhere", source=ALICE).status == 403
    assert get(nginx.port, "/here", source=CAROL).status == 403


def test_deny_is_logged_with_a_reason(world):
    nginx = world.nginx(CONF)
    assert get(nginx.port, "/", source=CI).status == 403
    assert get(nginx.port, "/", source=CAROL).status == 403
    assert get(nginx.port, "/", source=STRANGER).status == 403
    log = nginx.error_log()
    assert 'access forbidden, tagged "ci-runner.tail.example"' in log
    assert 'access forbidden, shared "carol@other.example"' in log
    assert 'access forbidden, stranger "-"' in log
    assert "tailscale serve" in log
    assert nginx.lines("words.log", 3) == [
        "/|403|tagged|-", "/|403|shared|carol@other.example",
        "/|403|stranger|-"]


@pytest.mark.parametrize("path", ["/", "/all", "/here"])
def test_outage(world, path):
    """No answer is no stranger: 503, with the time to come back."""

    nginx = world.nginx(CONF)
    world.devnet.stop()
    answer = get(nginx.port, path, source=ALICE)
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert "tailscaled does not run" in nginx.error_log()
    assert nginx.lines("words.log", 1) == [f"{path}|503|unavailable|-"]


def test_outage_where_it_is_optional(world):
    nginx = world.nginx(CONF)
    world.devnet.stop()
    answer = get(nginx.port, "/optional", source=ALICE)
    assert answer.status == 200
    assert answer.header("X-Status") == "unavailable"
    assert answer.seen("X-Webauth-User") == []


def test_off_does_not_need_the_service(world):
    nginx = world.nginx(CONF)
    world.devnet.stop()
    assert get(nginx.port, "/off", source=ALICE).status == 200
    assert "does not identify" not in nginx.error_log()


def test_methods_are_decided_alike(world):
    nginx = world.nginx(CONF)
    for method in ("OPTIONS", "HEAD", "DELETE", "PROPFIND", "BREW"):
        assert get(nginx.port, "/", source=STRANGER,
                   method=method).status == 403, method
        assert get(nginx.port, "/", source=ALICE,
                   method=method).status == 200, method


def test_default_is_off(world):
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""")
    answer = get(nginx.port, "/", [("X-Webauth-User", "x")], source=STRANGER)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == ["x"]
    assert world.devnet.count()["whois"] == 0


def test_inherited_from_http(world):
    nginx = world.nginx("""
tailgate on;
tailgate_peers tagged;
server {
    listen 127.0.0.1:@PORT@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /mine { tailgate_peers member;
                     proxy_pass http://127.0.0.1:@APP@; }
}""")
    assert get(nginx.port, "/", source=CI).status == 200
    assert get(nginx.port, "/", source=ALICE).status == 403
    assert get(nginx.port, "/mine", source=ALICE).status == 200
