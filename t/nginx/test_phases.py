# Copyright (C) The Tailgate authors

"""Where nginx goes with a request: subrequests, redirects inside of nginx,
error pages, other access modules. One lookup for a client's request, one
decision for each location, identity headers for that location alone."""

import json
import os

import pytest

from conftest import ALICE, BOB, CI, LOG, STRANGER
from tailgate_test import Client, get, wait_until

SSI = LOG + """
server {
    listen 127.0.0.1:@PORT@;
    location / { ssi on; ssi_types *; root @DIR@; }
    location /guarded/ {
        tailgate on;
        tailgate_headers webauth;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /other/ {
        tailgate optional;
        tailgate_headers remote-user;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /plain/ { proxy_pass http://127.0.0.1:@APP@; }
    location /all/ {
        tailgate on;
        tailgate_headers webauth;
        ssi on; ssi_types *;
        root @DIR@;
    }
}
"""


def write(nginx, name, text):
    path = nginx.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def parts(body):
    """JSON objects one after another, or text between."""

    decoder = json.JSONDecoder()
    text, found = body.decode("utf-8"), []
    while text:
        text = text.strip()
        if text.startswith("{"):
            value, end = decoder.raw_decode(text)
            found.append(value)
            text = text[end:]
        else:
            line, _, text = text.partition("\n")
            if line:
                found.append(line)
    return found


@pytest.fixture
def ssi(world):
    nginx = world.nginx(SSI)
    page = "".join(f'<!--#include virtual="{uri}" -->\n' for uri in
                   ("/plain/1", "/guarded/2", "/other/3", "/plain/4",
                    "/guarded/5"))
    write(nginx, "page.html", page)
    write(nginx, "all/page.html", page)
    return nginx


@pytest.mark.parametrize("page", ["/page.html", "/all/page.html"])
def test_check_24_ssi_members(world, ssi, page):
    """Each subrequest gets the headers of its own location, siblings and all;
    there is one lookup."""

    forged = [("X-Webauth-User", "evil"), ("Remote_User", "evil")]
    answer = get(ssi.port, page, forged, source=ALICE)
    assert answer.status == 200
    seen = parts(answer.body)
    assert [part["uri"] for part in seen] == [
        "/plain/1", "/guarded/2", "/other/3", "/plain/4", "/guarded/5"]
    for part in seen:
        assert "evil" not in str(part["raw_headers"])
        kind = part["uri"].split("/")[1]
        user = part["headers"].get("x-webauth-user")
        remote = part["headers"].get("remote-user")
        assert user == (["alice@example.com"] if kind == "guarded" else None)
        assert remote == (["alice@example.com"] if kind == "other" else None)
    assert world.devnet.count()["whois"] == 1


def test_check_24_ssi_stranger(world, ssi):
    """The page is open, what it includes is not."""

    answer = get(ssi.port, "/page.html", source=STRANGER)
    assert answer.status == 200
    uris = [part["uri"] for part in parts(answer.body)
            if isinstance(part, dict)]
    assert uris == ["/plain/1", "/other/3", "/plain/4"]
    assert answer.body.count(b"403 Forbidden") >= 2
    assert b"alice" not in answer.body


def test_check_24_ssi_outage(world, ssi):
    world.devnet.stop()
    answer = get(ssi.port, "/page.html", source=ALICE)
    uris = [part["uri"] for part in parts(answer.body)
            if isinstance(part, dict)]
    assert uris == ["/plain/1", "/other/3", "/plain/4"]
    assert b"503 Service Temporarily Unavailable" in answer.body


def test_check_24_mirror(world):
    """A mirror has a location of its own."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { mirror /mirror; tailgate on; tailgate_headers webauth;
                 proxy_pass http://127.0.0.1:@APP@; }
    location /open { mirror /mirror; proxy_pass http://127.0.0.1:@APP@; }
    location = /mirror {
        internal;
        tailgate on;
        tailgate_headers remote-user;
        proxy_pass http://127.0.0.1:@APP@/mirrored;
    }
}""")
    assert get(nginx.port, "/", source=ALICE).seen("Remote-User") == []
    mirrored = wait_until(lambda: [r for r in world.app.requests
                                   if r["uri"] == "/mirrored"])
    assert mirrored[0]["headers"]["remote-user"] == ["alice@example.com"]
    assert "x-webauth-user" not in mirrored[0]["headers"]
    assert world.devnet.count()["whois"] == 1

    world.app.requests.clear()
    assert get(nginx.port, "/open", source=STRANGER).status == 200
    nginx.logged("access forbidden, stranger")
    assert [r["uri"] for r in world.app.requests] == ["/open"]


def test_check_24_slice(world):
    """A clone of a request that was let in goes on as it."""

    world.app = None
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / {
        tailgate on;
        tailgate_headers webauth;
        slice 10;
        proxy_set_header Range $slice_range;
        proxy_http_version 1.1;
        proxy_pass http://127.0.0.1:@APP@;
    }
}""")
    data = b"0123456789abcdefghij"

    def part(request):
        first, last = request["headers"]["range"][0][6:].split("-")
        body = data[int(first):int(last) + 1].decode("ascii")
        return 206, [("Content-Range",
                      f"bytes {first}-{int(first) + len(body) - 1}/20"),
                     ("ETag", '"x"')], body

    world.app.answers["/file"] = part
    answer = get(nginx.port, "/file", source=ALICE)
    assert answer.body == data
    assert [r["headers"]["x-webauth-user"] for r in world.app.requests] == [
        ["alice@example.com"]] * 2
    assert world.devnet.count()["whois"] == 1
    assert get(nginx.port, "/file", source=STRANGER).status == 403


AUTH_REQUEST = LOG + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_headers webauth;
    location / {
        auth_request /auth;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /two {
        auth_request /auth2;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location = /auth {
        internal;
        tailgate_headers remote-user;
        proxy_pass http://127.0.0.1:@APP@/check;
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
    }
    location = /auth2 {
        internal;
        tailgate off;
        proxy_pass http://127.0.0.1:@APP@/check;
    }
}
"""


def test_check_24_auth_request(world):
    """It runs behind us and sees its own location's headers; a guarded one
    decides on the same identity, without another lookup."""

    nginx = world.nginx(AUTH_REQUEST)
    answer = get(nginx.port, "/x", [("Remote-User", "evil")], source=ALICE)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    check, app = world.app.requests
    assert check["uri"] == "/check"
    assert check["headers"]["remote-user"] == ["alice@example.com"]
    assert "x-webauth-user" not in check["headers"]
    assert "remote-user" not in app["headers"]
    assert world.devnet.count()["whois"] == 1

    world.app.requests.clear()
    assert get(nginx.port, "/x", source=STRANGER).status == 403
    assert get(nginx.port, "/two", source=STRANGER).status == 403
    assert world.app.requests == []

    answer = get(nginx.port, "/two", source=ALICE)
    assert answer.status == 200
    assert "x-webauth-user" not in world.app.requests[0]["headers"]
    assert "remote-user" not in world.app.requests[0]["headers"]

    world.app.answers["/check"] = (403, [], "")
    assert get(nginx.port, "/x", source=ALICE).status == 403


REDIRECTS = LOG + """
server {
    listen 127.0.0.1:@PORT@;
    location /start {
        tailgate on;
        tailgate_headers webauth;
        proxy_pass http://127.0.0.1:@APP@;
        proxy_intercept_errors on;
        error_page 404 /fallback;
        error_page 410 = @named;
        error_page 418 /stricter;
    }
    location /fallback { proxy_pass http://127.0.0.1:@APP@; }
    location /accel { tailgate on; tailgate_headers remote-user;
                      proxy_pass http://127.0.0.1:@APP@; }
    location @named { tailgate optional; tailgate_headers remote-user;
                      proxy_pass http://127.0.0.1:@APP@/named$uri; }
    location /stricter { tailgate on; tailgate_peers tagged;
                         proxy_pass http://127.0.0.1:@APP@; }
    location /files/ { tailgate on; tailgate_headers webauth; root @DIR@;
                       try_files $uri /tried; }
    location /tried { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
    location /index/ { tailgate on; tailgate_headers webauth; root @DIR@;
                       index none.html /indexed; }
    location /indexed { tailgate on; tailgate_headers remote-user;
                        proxy_pass http://127.0.0.1:@APP@; }
    location /rewrite { rewrite ^ /fallback last; tailgate on; }
    location /denied { tailgate on; tailgate_peers tagged;
                       error_page 403 /why; }
    location /why { proxy_pass http://127.0.0.1:@APP@; }
    location /denied2 { tailgate on; tailgate_peers tagged;
                        error_page 403 /why2; }
    location /why2 { tailgate on; tailgate_peers tagged;
                     proxy_pass http://127.0.0.1:@APP@; }
    location /down { tailgate on; error_page 503 /sorry;
                     proxy_pass http://127.0.0.1:@APP@; }
    location /sorry { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}
"""

FORGED = [("X-Webauth-User", "evil"), ("Remote_User", "evil"),
          ("X-Keep", "kept")]


def user(answer):
    assert "evil" not in str(answer.body)
    assert answer.seen("X-Keep") == ["kept"]
    return answer.seen("X-Webauth-User"), answer.seen("Remote-User")


def test_headers_are_taken_back(world):
    """Those of one location are gone in the next one, and nothing that the
    client sent comes back."""

    nginx = world.nginx(REDIRECTS)
    alice = ["alice@example.com"]
    answers = world.app.answers

    answer = get(nginx.port, "/start", FORGED, source=ALICE)
    assert user(answer) == (alice, [])

    answers["/start"] = (404, [], "")
    assert user(get(nginx.port, "/start", FORGED, source=ALICE)) == ([], [])

    answers["/start"] = (410, [], "")
    assert user(get(nginx.port, "/start", FORGED, source=ALICE)) == ([], alice)

    answers["/start"] = (200, [("X-Accel-Redirect", "/accel")], "")
    assert user(get(nginx.port, "/start", FORGED, source=ALICE)) == ([], alice)

    answers["/start"] = (200, [("X-Accel-Redirect", "/fallback")], "")
    assert user(get(nginx.port, "/start", FORGED, source=ALICE)) == ([], [])

    # the next location decides for itself
    answers["/start"] = (418, [], "")
    assert get(nginx.port, "/start", FORGED, source=ALICE).status == 403
    assert [r["uri"] for r in world.app.requests][-1] == "/start"

    for path, expected in (("/files/none", ([], [])),
                           ("/index/", ([], alice)),
                           ("/rewrite", ([], []))):
        write(nginx, "index/x", "")
        assert user(get(nginx.port, path, FORGED, source=ALICE)) == expected

    # one lookup for each request
    assert world.devnet.count()["whois"] == 9 - 1


def test_error_pages(world):
    nginx = world.nginx(REDIRECTS)
    answer = get(nginx.port, "/denied", FORGED, source=ALICE)
    assert answer.status == 403
    assert user(answer) == ([], [])
    assert get(nginx.port, "/denied2", FORGED, source=ALICE).status == 403
    world.devnet.stop()
    answer = get(nginx.port, "/down", FORGED, source=ALICE)
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"


SATISFY = LOG + """
server {
    listen 127.0.0.1:@PORT@;
    satisfy any;
    auth_basic realm;
    auth_basic_user_file @DIR@/htpasswd;
    tailgate on;
    tailgate_headers webauth;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /local { allow @OPEN@; deny all;
                      proxy_pass http://127.0.0.1:@APP@; }
    location /optional { tailgate optional;
                         proxy_pass http://127.0.0.1:@APP@; }
    location /all { satisfy all; proxy_pass http://127.0.0.1:@APP@; }
    location /auth { auth_request /check; auth_basic off; deny all;
                     proxy_pass http://127.0.0.1:@APP@; }
    location /check { tailgate off; auth_basic off;
                      proxy_pass http://127.0.0.1:@APP@; }
}
"""

BASIC = ("Authorization", "Basic dXNlcjpwYXNz")


@pytest.fixture
def satisfy(world):
    nginx = world.nginx(SATISFY, OPEN=STRANGER)
    write(nginx, "htpasswd", "user:{PLAIN}pass\n")
    return nginx


def test_satisfy_any(world, satisfy):
    """Any door will do; identity goes only with an allow of our own."""

    port = satisfy.port
    assert get(port, "/", source=STRANGER).status == 401
    assert get(port, "/", source=CI).status == 401
    answer = get(port, "/", source=ALICE)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]

    # by another door
    forged = [BASIC, ("X-Webauth-User", "evil")]
    for source in (STRANGER, CI):
        answer = get(port, "/", forged, source=source)
        assert answer.status == 200
        assert answer.seen("X-Webauth-User") == []

    # whichever opens first
    answer = get(port, "/", forged, source=ALICE)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]

    # nobody is refused aloud who then gets in
    assert "access forbidden" not in satisfy.error_log()


def test_satisfy_any_with_addresses(satisfy):
    port = satisfy.port
    answer = get(port, "/local", [("X-Webauth-User", "evil")],
                 source=STRANGER)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == []
    assert get(port, "/local", source=ALICE).status == 200
    assert get(port, "/local", source=CI).status in (401, 403)


def test_satisfy_any_optional_opens_nothing(satisfy):
    """A stranger that passes an optional location has not satisfied it."""

    assert get(satisfy.port, "/optional", source=STRANGER).status == 401
    assert get(satisfy.port, "/optional", source=ALICE).status == 200
    assert get(satisfy.port, "/optional", [BASIC],
               source=STRANGER).status == 200


def test_satisfy_all(satisfy):
    port = satisfy.port
    assert get(port, "/all", [BASIC], source=ALICE).status == 200
    assert get(port, "/all", source=ALICE).status == 401
    assert get(port, "/all", [BASIC], source=STRANGER).status == 403


def test_satisfy_any_auth_request(world, satisfy):
    """It is asked after us, and its subrequest is not told of who was not let
    in."""

    world.app.answers["/check"] = lambda request: (204, [], "")
    answer = get(satisfy.port, "/auth", [("X-Webauth-User", "evil")],
                 source=CI)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == []
    answer = get(satisfy.port, "/auth", source=ALICE)
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]


def test_satisfy_any_outage(world, satisfy):
    """The doors before ours still open; else it is 503."""

    world.devnet.stop()
    port = satisfy.port
    assert get(port, "/local", source=STRANGER).status == 200
    answer = get(port, "/", [BASIC], source=ALICE)
    assert answer.status == 200
    assert answer.header("Retry-After") is None
    assert answer.seen("X-Webauth-User") == []
    answer = get(port, "/", source=ALICE)
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"


def test_order_of_access_modules(world):
    """deny and auth_basic are asked before us."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    location /deny { deny all; proxy_pass http://127.0.0.1:@APP@; }
    location /basic { auth_basic x; auth_basic_user_file @DIR@/htpasswd;
                      proxy_pass http://127.0.0.1:@APP@; }
}""")
    write(nginx, "htpasswd", "user:{PLAIN}pass\n")
    assert get(nginx.port, "/deny", source=STRANGER).status == 403
    assert "access forbidden by rule" in nginx.error_log()
    assert "tailgate: access forbidden" not in nginx.error_log()
    assert get(nginx.port, "/basic", source=STRANGER).status == 401
    assert get(nginx.port, "/basic", [BASIC], source=STRANGER).status == 403


def test_limits_run_after_identification(world):
    nginx = world.nginx("""
limit_req_zone $tailgate_login zone=person:1m rate=1r/m;
limit_conn_zone $tailgate_login zone=conns:1m;
server {
    listen 127.0.0.1:@PORT@;
    location / {
        tailgate on;
        limit_req zone=person;
        limit_conn conns 10;
        proxy_pass http://127.0.0.1:@APP@;
    }
}""")
    assert get(nginx.port, "/", source=ALICE).status == 200
    assert get(nginx.port, "/", source=ALICE).status == 503
    assert get(nginx.port, "/", source=BOB).status == 200
    assert get(nginx.port, "/", source=BOB).status == 503


def test_websocket(world):
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / {
        tailgate on;
        tailgate_headers webauth;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        proxy_pass http://127.0.0.1:@APP@;
    }
}""")
    upgrade = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
               ("X-Webauth-User", "evil")]
    with Client(nginx.port, source=ALICE) as client:
        answer = client.get("/", upgrade)
        assert answer.status == 101
        says = json.loads(client.reader.until(b"\n"))
        assert says["x-webauth-user"] == ["alice@example.com"]
        client.send("ping")
        assert client.reader.exactly(4) == b"ping"
    with Client(nginx.port, source=STRANGER) as client:
        assert client.get("/", upgrade).status == 403


def test_keepalive_decides_each_request(world):
    """A kept-alive connection asks again for each request of a tailnet peer;
    a pipelined one too."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; tailgate_headers webauth;
                 proxy_pass http://127.0.0.1:@APP@; }
    location /tagged { tailgate on; tailgate_peers tagged;
                       proxy_pass http://127.0.0.1:@APP@; }
}""")
    with Client(nginx.port, source=ALICE) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /tagged HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET / HTTP/1.1\r\nHost: a\r\nX-Webauth-User: x\r\n\r\n")
        first, second, third = (client.response() for _ in range(3))
        assert (first.status, second.status, third.status) == (200, 403, 200)
        assert third.seen("X-Webauth-User") == ["alice@example.com"]


def test_request_body_passes(world):
    """A body that is still to come while the identity is asked for."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    client_max_body_size 10m;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}""")
    body = b"x" * 3000000
    answer = get(nginx.port, "/", source=ALICE, method="POST", body=body)
    assert answer.status == 200
    assert len(answer.json()["body"]) == len(body)
    with Client(nginx.port, source=STRANGER) as client:
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        assert client.response().status == 403
        client.send("12345")
        assert client.get("/").status == 403
