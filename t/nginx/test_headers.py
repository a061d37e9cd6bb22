# Copyright (C) The Tailgate authors

"""Request headers: what a client sends under the name of an identity header
never arrives, what Tailgate sets does, whatever the protocol behind."""

import json

import pytest

from conftest import ALICE, BOB, CI, STRANGER
from h2_test import H2Client
from tailgate_test import Client, certificate, free_port, get
from upstream_test import FastCGI, GRPC, SCGI, UWSGI

FOLDING = """
    underscores_in_headers on;
    ignore_invalid_headers off;
"""

CONF = """
server {
    listen 127.0.0.1:@PORT@;
""" + FOLDING + """
    location / {
        tailgate on;
        tailgate_headers webauth;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /optional {
        tailgate optional;
        tailgate_headers webauth;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
"""

FORGED = ["X-Webauth-User", "x-webauth-user", "X_WEBAUTH_USER",
          "X.Webauth.User", "X-Webauth_User", "X~Webauth!User",
          "Remote-User", "Remote_User", "REMOTE_USER", "X-Remote-User",
          "X-Remote-Group", "X-Forwarded-User", "X_Forwarded_Email",
          "X-Auth-Request-User", "Tailscale-User-Login",
          "Tailscale_User_Login", "Tailscale-User-Name", "Tailgate-User",
          "X-Webauth-Role", "X-Webauth-Groups", "Remote-User-Group",
          "X-Pgadmin-Webserver-Secret", "X-Grafana-Nonce"]

UNTOUCHED = {"X-Grafana-Nonce"}


def fold(name):
    return "".join(c.lower() if c.isalnum() else "-" for c in name)


def seen_folded(answer):
    return {fold(name): value for name, value in answer.json()["raw_headers"]}


@pytest.mark.parametrize("path", ["/", "/optional", "/off"])
@pytest.mark.parametrize("name", FORGED)
def test_check_12_forged_header_is_stripped(world, name, path):
    """Under any spelling, where identity is set, optional or off."""

    nginx = world.nginx(CONF)
    answer = get(nginx.port, path, [(name, "evil"), (name, "evil2"),
                                    ("X-Keep", "1")], source=ALICE)
    assert answer.status == 200
    seen = seen_folded(answer)
    assert seen["x-keep"] == "1"
    if name in UNTOUCHED:
        assert seen[fold(name)].startswith("evil")
        return
    assert "evil" not in str(answer.json()["raw_headers"])
    if path != "/off":
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]


@pytest.mark.parametrize("name", FORGED)
def test_check_12_http2(world, tmp_path, name):
    crt, key = certificate(tmp_path)
    nginx = world.nginx(CONF.replace(
        "listen 127.0.0.1:@PORT@;",
        "listen 127.0.0.1:@PORT@ ssl http2; ssl_certificate @CRT@;"
        " ssl_certificate_key @KEY@;"), CRT=crt, KEY=key)
    with H2Client(nginx.port, source=ALICE) as client:
        answer = client.get("/", [(name.lower(), "evil")])
        assert answer.status == 200
        if name not in UNTOUCHED:
            assert "evil" not in str(answer.json()["raw_headers"])
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]
        answer = client.get("/off", [(name.lower(), "evil")])
        if name not in UNTOUCHED:
            assert "evil" not in str(answer.json()["raw_headers"])


UPSTREAMS = """
server {
    listen 127.0.0.1:@PORT@;
""" + FOLDING + """
    tailgate on;
    tailgate_headers webauth;
    location /fastcgi { fastcgi_pass 127.0.0.1:@FASTCGI@; }
    location /scgi { scgi_pass 127.0.0.1:@SCGI@; }
    location /uwsgi { uwsgi_pass 127.0.0.1:@UWSGI@; }
    location /grpc { grpc_pass grpc://127.0.0.1:@GRPC@; }
}
"""


@pytest.fixture
def upstreams(world):
    return world.nginx(UPSTREAMS, FASTCGI=world.start(FastCGI()).port,
                       SCGI=world.start(SCGI()).port,
                       UWSGI=world.start(UWSGI()).port,
                       GRPC=world.start(GRPC()).port)


@pytest.mark.parametrize("kind", ["fastcgi", "scgi", "uwsgi", "grpc"])
def test_check_12_upstream_protocols(upstreams, kind):
    """One value, ours, behind each protocol."""

    answer = get(upstreams.port, f"/{kind}",
                 [(name, "evil") for name in FORGED], source=ALICE)
    assert answer.status == 200
    names = json.loads(answer.body)
    got = names.get("HTTP_X_WEBAUTH_USER") or names.get("x-webauth-user")
    assert got == ["alice@example.com"]
    evil = {fold(name.removeprefix("HTTP_")) for name, values in names.items()
            if "evil" in str(values)}
    assert evil <= {"x-grafana-nonce"}


def test_check_13_before_any_branch(world):
    """No "if", "set" or "map" of the rewrite phase sees a forged value."""

    nginx = world.nginx("""
map $http_x_webauth_user $mapped { default "$http_x_webauth_user"; }
server {
    listen 127.0.0.1:@PORT@;
    if ($http_x_webauth_user) { return 402; }
    set $copy $http_x_webauth_user;
    location / {
        if ($http_remote_user) { return 402; }
        tailgate on;
        proxy_set_header X-Copy "[$copy][$mapped]";
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /open {
        proxy_set_header X-Copy "[$copy][$mapped]";
        proxy_pass http://127.0.0.1:@APP@;
    }
}""")
    for path in ("/", "/open"):
        answer = get(nginx.port, path, [("X-Webauth-User", "evil"),
                                        ("Remote-User", "evil")],
                     source=ALICE)
        assert answer.status == 200
        assert answer.seen("X-Copy") == ["[][]"]


def test_check_13_bad_request_to_error_page(world):
    """What nginx cannot parse goes to its error_page without a POST_READ
    phase: it is stripped all the same."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    error_page 400 414 494 497 = /handler;
    error_page 405 = @named;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
    location /handler {
        if ($http_x_webauth_user) { return 402; }
        proxy_pass http://127.0.0.1:@APP@;
    }
    location @named { proxy_pass http://127.0.0.1:@APP@; }
}""")
    with Client(nginx.port, source=STRANGER) as client:
        client.send("GET / HTTP/1.1\r\nX-Webauth-User: evil\r\n"
                    "Remote-User: evil\r\nHost: a\r\nHost: b\r\n\r\n")
        answer = client.response()
        assert answer.status == 200
        assert "evil" not in str(answer.json()["raw_headers"])
    with Client(nginx.port, source=STRANGER) as client:
        client.send("TRACE / HTTP/1.1\r\nHost: a\r\n"
                    "X-Webauth-User: evil\r\n\r\n")
        answer = client.response()
        assert "evil" not in str(answer.body)


def test_http_0_9(world):
    """Such a request has no header, and nginx makes no list for any."""

    nginx = world.nginx(CONF)
    for path, user in (("/", "alice@example.com"), ("/off", None)):
        with Client(nginx.port, source=ALICE) as client:
            client.send(f"GET {path}\r\n")
            seen = json.loads(client.reader.rest())["headers"]
        assert seen.get("x-webauth-user") == ([user] if user else None)


def test_check_14_no_value_no_header(world):
    """A tagged node has no name: not the client's, nor the last request's."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_peers member tagged;
    location / {
        tailgate_headers webauth;
        tailgate_set_header X-Picture $tailgate_picture;
        proxy_pass http://127.0.0.1:@APP@;
    }
}""")
    answer = get(nginx.port, "/", [("X-Webauth-Name", "evil"),
                                   ("X-Picture", "evil")], source=CI)
    assert answer.status == 200
    assert answer.seen("X-Webauth-Name") == []
    assert answer.seen("X-Picture") == []

    answer = get(nginx.port, "/", source=ALICE)
    assert answer.seen("X-Picture") == ["https://pics.example/alice.png"]
    answer = get(nginx.port, "/", [("X-Picture", "evil")], source=BOB)
    assert answer.seen("X-Picture") == []


def test_check_14_kept_alive_connection(world):
    """Nothing is left of the request before."""

    nginx = world.nginx(CONF)
    with Client(nginx.port, source=ALICE) as client:
        for _ in range(3):
            assert client.get("/").seen("X-Webauth-User") == \
                ["alice@example.com"]
            assert client.get("/off").seen("X-Webauth-User") == []
            assert client.get("/off", [("X-Webauth-User", "evil")]).seen(
                "X-Webauth-User") == []


@pytest.mark.parametrize("headers", [
    [("X-Webauth-User", "a"), ("X-Webauth-User", "b")],
    [("Connection", "X-Webauth-User, keep-alive")],
    [("Connection", "close, x-webauth-user")],
    [("TE", "trailers"), ("Trailer", "X-Webauth-User")],
    [("Upgrade", "websocket")],
    ["X-Webauth-User : evil"],
    ["X-Webauth-User\t: evil"],
    ["X-A: 1\r\n X-Webauth-User: evil"],
    ["X-Webauth-User: a\r\n\tb"],
    ["X-Webauth-User:"],
], ids=str)
def test_check_15_tricks(world, headers):
    """No trick adds to, removes or doubles an injected header."""

    nginx = world.nginx(CONF)
    with Client(nginx.port, source=ALICE) as client:
        answer = client.get("/", headers)
        if answer.status == 400:
            return
        assert answer.status == 200
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]
        assert "evil" not in str(answer.json()["raw_headers"])


def test_check_15_trailer(world):
    nginx = world.nginx(CONF)
    with Client(nginx.port, source=ALICE) as client:
        client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                    "\r\n\r\n3\r\nabc\r\n0\r\nX-Webauth-User: evil\r\n\r\n")
        answer = client.response()
        assert answer.status in (200, 400)
        if answer.status == 200:
            assert answer.seen("X-Webauth-User") == ["alice@example.com"]


def test_check_15_expect(world):
    nginx = world.nginx(CONF)
    with Client(nginx.port, source=ALICE) as client:
        client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    "X-Webauth-User: evil\r\nContent-Length: 3\r\n\r\n")
        line, _ = client.reader.head()
        assert " 100 " in line
        client.send("abc")
        answer = client.response()
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]


VALUES = """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    location / {
        tailgate_set_header X-Utf8 $tailgate_name;
        tailgate_set_header X-Latin1 $tailgate_name encoding=latin1;
        tailgate_set_header X-Ascii $tailgate_name encoding=ascii;
        tailgate_set_header X-Percent $tailgate_name encoding=percent;
        tailgate_set_header X-Qp $tailgate_name encoding=quoted-printable;
        tailgate_set_header X-Rfc2047 $tailgate_name encoding=rfc2047;
        tailgate_set_header X-Arg $arg_a;
        tailgate_set_header X-Decoded "$uri";
        tailgate_set_header X-Both "$tailgate_login from $tailgate_os";
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""


def test_check_16_encodings(world):
    nginx = world.nginx(VALUES)
    answer = get(nginx.port, "/", source=ALICE)
    assert answer.seen("X-Utf8") == ["Alice Ångström".encode().decode(
        "latin-1")]
    assert answer.seen("X-Latin1") == ["Alice Ångström"]
    assert answer.seen("X-Ascii") == ["Alice Angstrom"]
    assert answer.seen("X-Percent") == ["Alice%20%C3%85ngstr%C3%B6m"]
    assert answer.seen("X-Qp") == ["Alice =C3=85ngstr=C3=B6m"]
    assert answer.seen("X-Rfc2047") == ["=?utf-8?q?Alice_=C3=85ngstr=C3=B6m?="]
    assert answer.seen("X-Both") == ["alice@example.com from macOS"]
    assert answer.seen("X-Arg") == []


@pytest.mark.parametrize("target", [
    "/a%0d%0aX-Evil:1", "/a%0aX-Evil:1", "/a%01b", "/a%7fb", "/a%ff%feb"])
def test_check_16_controls_are_never_sent(world, target):
    """A value with a control character, or that is no UTF-8, is no header."""

    nginx = world.nginx(VALUES)
    answer = get(nginx.port, target, source=ALICE)
    assert answer.status == 200
    assert answer.seen("X-Decoded") == []
    assert answer.seen("X-Evil") == []
    assert 'header "X-Decoded" is left out' in nginx.error_log()


def test_check_16_too_long(world):
    nginx = world.nginx(VALUES + "large_client_header_buffers 4 32k;")
    answer = get(nginx.port, "/?a=" + "x" * 9000, source=ALICE)
    assert answer.status == 200
    assert answer.seen("X-Arg") == []
    assert 'header "X-Arg" is left out' in nginx.error_log()
    answer = get(nginx.port, "/?a=" + "x" * 8192, source=ALICE)
    assert len(answer.seen("X-Arg")[0]) == 8192


def test_check_17_response(world):
    """An upstream's identity headers do not reach the client; those that the
    administrator adds do."""

    world.app = None
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
    location /add {
        tailgate on;
        add_header X-Webauth-User $tailgate_login;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT2@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""", PORT2=free_port())
    says = [("X-Webauth-User", "root"), ("x_remote_user", "root"),
            ("Tailscale-User-Login", "root"), ("X-Other", "kept")]
    world.app.answers = {path: (200, says, "body")
                         for path in ("/", "/add", "/off")}
    for path in ("/", "/add", "/off"):
        answer = get(nginx.port, path, source=ALICE)
        assert answer.status == 200
        assert "root" not in str(answer.headers), path
        assert answer.header("X-Other") == "kept"
    assert get(nginx.port, "/add", source=ALICE).header(
        "X-Webauth-User") == "alice@example.com"
    answer = get(nginx.values["PORT2"], "/")
    assert answer.header("X-Webauth-User") == "root"


def test_check_30_assertion_header(world):
    nginx = world.nginx(CONF)
    for name in ("Tailgate-Assertion", "Tailgate_Jwt"):
        answer = get(nginx.port, "/off", [(name, "evil")], source=ALICE)
        assert "evil" not in str(answer.json()["raw_headers"])


# Headers that nginx itself knows

KNOWN = """
server {
    listen 127.0.0.1:@PORT@;
    tailgate_strip Authorization X-Real-IP X-Forwarded-For Accept-Language;
    location / {
        tailgate on;
        tailgate_set_header X-Forwarded-For $tailgate_node_addr;
        proxy_set_header X-Chain "$proxy_add_x_forwarded_for";
        proxy_set_header X-Var "[$http_x_forwarded_for]";
        proxy_set_header X-User "[$remote_user]";
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /basic {
        tailgate on;
        tailgate_set_header Authorization "Basic dXNlcjpwYXNz";
        proxy_set_header X-User "[$remote_user]";
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /none {
        proxy_set_header X-Chain "$proxy_add_x_forwarded_for";
        proxy_set_header X-Var "[$http_x_forwarded_for][$http_authorization]";
        proxy_set_header X-User "[$remote_user]";
        proxy_set_header X-Host "[$http_host][$http_referer][$http_cookie]";
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""

CLIENT = [("Referer", "http://r/"), ("X-Forwarded-For", "6.6.6.6"),
          ("Authorization", "Basic ZXZpbDpldmls"), ("User-Agent", "ua"),
          ("X-Forwarded-For", "7.7.7.7"), ("Accept-Language", "en"),
          ("X-Real-IP", "8.8.8.8"), ("Cookie", "a=b"), ("Accept", "x/y")]


def test_known_headers_are_forgotten(world):
    """A stripped header that nginx has a pointer to is gone for all of nginx,
    and the pointers to others still point to them."""

    nginx = world.nginx(KNOWN)
    answer = get(nginx.port, "/none", CLIENT, source=ALICE, host="h.example")
    assert answer.seen("X-Chain") == [ALICE]
    assert answer.seen("X-Var") == ["[][]"]
    assert answer.seen("X-User") == ["[]"]
    assert answer.seen("X-Host") == ["[h.example][http://r/][a=b]"]
    for name in ("Authorization", "X-Real-IP", "Accept-Language"):
        assert answer.seen(name) == []
    assert answer.seen("User-Agent") == ["ua"]
    assert answer.seen("Accept") == ["x/y"]


def test_known_headers_are_set(world):
    nginx = world.nginx(KNOWN)
    answer = get(nginx.port, "/", CLIENT, source=ALICE)
    address = answer.seen("X-Forwarded-For")
    assert address in (["100.64.0.11"], [ALICE])
    assert answer.seen("X-Chain") == [f"{address[0]}, {ALICE}"]
    assert answer.seen("X-Var") == [f"[{address[0]}]"]
    answer = get(nginx.port, "/basic", CLIENT, source=ALICE)
    assert answer.seen("Authorization") == ["Basic dXNlcjpwYXNz"]
    assert answer.seen("X-User") == ["[user]"]


def test_many_headers(world):
    """More than one part of nginx's list."""

    nginx = world.nginx(CONF + "large_client_header_buffers 8 16k;")
    headers = []
    for i in range(90):
        headers.append((f"X-Number-{i}", str(i)))
        if i % 10 == 3:
            headers.append(("X-Webauth-User", "evil"))
    answer = get(nginx.port, "/", headers, source=ALICE)
    assert answer.status == 200
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    for i in range(90):
        assert answer.seen(f"X-Number-{i}") == [str(i)]


# Profiles

PROFILES = """
tailgate on;
server {
    listen 127.0.0.1:@PORT@;
    tailgate_headers remote-user;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /none { tailgate_headers off;
                     proxy_pass http://127.0.0.1:@APP@; }
    location /two { tailgate_headers webauth tailscale;
                    proxy_pass http://127.0.0.1:@APP@; }
    location /own {
        tailgate_headers webauth;
        tailgate_set_header X_Webauth.User "mine";
        proxy_pass http://127.0.0.1:@APP@;
        location /own/deeper { proxy_pass http://127.0.0.1:@APP@; }
        location /own/other {
            tailgate_set_header X-Other "other";
            proxy_pass http://127.0.0.1:@APP@;
        }
    }
    location /secret {
        tailgate_headers pgadmin secret=@SECRET@;
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""


@pytest.fixture
def profiles(world, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret with blanks\n", encoding="ascii")
    secret.chmod(0o600)
    return world.nginx(PROFILES, SECRET=secret)


def test_profiles_replace_and_join(profiles):
    answer = get(profiles.port, "/", source=ALICE)
    assert answer.seen("Remote-User") == ["alice@example.com"]
    assert answer.seen("X-Webauth-User") == []
    answer = get(profiles.port, "/none", source=ALICE)
    assert answer.seen("Remote-User") == []
    answer = get(profiles.port, "/two", source=ALICE)
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert answer.seen("Tailscale-User-Login") == ["alice@example.com"]
    assert answer.seen("Remote-User") == []


def test_set_header_wins_over_a_profile(profiles):
    """Its name is the same after folding, so there is one of them."""

    answer = get(profiles.port, "/own", source=ALICE)
    assert answer.seen("X_Webauth.User") == ["mine"]
    assert answer.seen("X-Webauth-User") == []
    assert answer.seen("X-Webauth-Email") == ["alice@example.com"]


def test_set_header_inheritance(profiles):
    """Inherited if there are none at this level."""

    answer = get(profiles.port, "/own/deeper", source=ALICE)
    assert answer.seen("X_Webauth.User") == ["mine"]
    answer = get(profiles.port, "/own/other", source=ALICE)
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert answer.seen("X-Other") == ["other"]


def test_profile_secret(profiles):
    answer = get(profiles.port, "/secret",
                 [("X-Pgadmin-Webserver-Secret", "guess")], source=ALICE)
    assert answer.seen("X-Pgadmin-Webserver-Secret") == ["s3cret with blanks"]
    assert "s3cret" not in profiles.error_log()


def test_set_header_names_are_stripped_everywhere(world):
    """In all locations of the server: they usually share the app."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    underscores_in_headers on;
    tailgate_strip X-Extra;
    location / { tailgate on; tailgate_set_header X-Mine "$tailgate_user";
                 proxy_pass http://127.0.0.1:@APP@; }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT2@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""", PORT2=free_port())
    forged = [("X_Mine", "evil"), ("X-EXTRA", "evil")]
    for path in ("/", "/off"):
        answer = get(nginx.port, path, forged, source=ALICE)
        assert "evil" not in str(answer.json()["raw_headers"])
    assert get(nginx.port, "/", forged, source=ALICE).seen("X-Mine") == \
        ["alice"]
    # another server, without a guarded location, is left alone
    answer = get(nginx.values["PORT2"], "/", [("X-Extra", "evil")])
    assert answer.seen("X-Extra") == ["evil"]


def test_strip_accumulates(world):
    nginx = world.nginx("""
tailgate_strip X-One;
server {
    listen 127.0.0.1:@PORT@;
    tailgate_strip X-Two X-Three;
    tailgate_strip X-Four;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}""")
    names = ("X-One", "X-Two", "X-Three", "X-Four", "X-Five")
    answer = get(nginx.port, "/", [(name, "v") for name in names],
                 source=ALICE)
    assert [name for name in names if answer.seen(name)] == ["X-Five"]
