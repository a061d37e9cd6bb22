# Copyright (C) The Tailgate authors

"""Variables: right from the preaccess phase on, not found before, never those
of another request."""

import json
import os

import pytest

from conftest import ALICE, BOB, CAROL, CI, EXPIRED, ROUTER, STRANGER
from h2_test import H2Client
from tailgate_test import Client, certificate, get

NAMES = ["login", "user", "name", "picture", "groups", "tags", "node",
         "node_id", "node_addr", "tailnet", "os", "os_version", "caps",
         "status", "error"]

FORMAT = "log_format all escape=json '{\"uri\":\"$uri\"," + ",".join(
    f'"{name}":"$tailgate_{name}"' for name in NAMES) + "}';\n" \
    "access_log @DIR@/all.log all;\n"

CONF = FORMAT + """
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
    location /optional { tailgate optional;
                         proxy_pass http://127.0.0.1:@APP@; }
    location /routed { tailgate optional; tailgate_peers member routed;
                       proxy_pass http://127.0.0.1:@APP@; }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
"""


def logged(nginx, n):
    return [json.loads(line) for line in nginx.lines("all.log", n)]


def test_values(world):
    nginx = world.nginx(CONF)
    get(nginx.port, "/", source=ALICE)
    get(nginx.port, "/optional", source=CI)
    alice, ci = logged(nginx, 2)
    assert alice["login"] == "alice@example.com"
    assert alice["user"] == "alice"
    assert alice["name"] == "Alice Ångström"
    assert alice["picture"] == "https://pics.example/alice.png"
    assert alice["groups"] == "eng,ops"
    assert alice["tags"] == ""
    assert alice["node"] == "alice-laptop.tail.example"
    assert alice["node_id"] != ""
    assert alice["node_addr"] == "100.64.0.11"
    assert alice["tailnet"] == "tail.example"
    assert alice["os"] == "macOS"
    assert alice["os_version"] == "15.3"
    assert json.loads(alice["caps"]) == {
        "example.com/cap/web": [{"role": "admin"}]}
    assert alice["status"] == "member"
    assert alice["error"] == ""
    assert ci["status"] == "tagged"
    assert ci["tags"] == "tag:ci,tag:build"
    assert [ci[name] for name in ("login", "user", "name", "picture",
                                  "groups")] == [""] * 5
    assert "tagged" in ci["error"]


def test_nobody(world):
    nginx = world.nginx(CONF)
    get(nginx.port, "/", source=STRANGER)
    get(nginx.port, "/off", source=ALICE)
    stranger, off = logged(nginx, 2)
    assert stranger["status"] == "stranger"
    assert stranger["error"] != ""
    assert {stranger[name] for name in NAMES[:-2]} == {""}
    assert {off[name] for name in NAMES} == {""}


PERSON = ("login", "user", "name", "picture", "groups", "caps")


@pytest.mark.parametrize("source,path,told", [
    (ALICE, "/optional", True), (CAROL, "/optional", True),
    (EXPIRED, "/optional", False), (ROUTER, "/optional", False),
    (ROUTER, "/routed", True)])
def test_person_is_told_of_good_identities_only(world, source, path, told):
    nginx = world.nginx(CONF)
    get(nginx.port, path, source=source)
    entry, = logged(nginx, 1)
    assert (entry["login"] != "") == told
    if not told:
        assert {entry[name] for name in PERSON} == {""}
    assert entry["node"] != ""


def test_shared_peer_has_no_user(world):
    """alice of another tailnet is not ours: without its domain her login is
    neither a variable nor, by one, a header."""

    nginx = world.nginx(FORMAT + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate_peers member shared;
    tailgate_set_header X-User $tailgate_user;
    tailgate_set_header X-Login $tailgate_login;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
    location /optional { tailgate optional; tailgate_peers member;
                         proxy_set_header X-User $tailgate_user;
                         proxy_pass http://127.0.0.1:@APP@; }
}""")
    assert get(nginx.port, "/", source=ALICE).seen("X-User") == ["alice"]
    for path, login in (("/", ["carol@other.example"]), ("/optional", [])):
        answer = get(nginx.port, path, source=CAROL)
        assert answer.status == 200
        assert answer.seen("X-User") == []
        assert answer.seen("X-Login") == login
    for entry in logged(nginx, 3)[1:]:
        assert entry["login"] == "carol@other.example"
        assert entry["user"] == ""


def test_too_early_is_not_found_and_not_kept(world):
    """Asked for in the rewrite phase, by all means there are."""

    nginx = world.nginx(FORMAT + """
map $tailgate_login $mapped { default "$tailgate_login"; volatile; }
server {
    listen 127.0.0.1:@PORT@;
    set $early "[$tailgate_login]";
    if ($tailgate_status) { return 402; }
    location / {
        if ($mapped) { return 402; }
        rewrite ^/x/(.*)$ /$1?u=$tailgate_user break;
        tailgate on;
        add_header X-Early $early;
        add_header X-Late "[$tailgate_login]";
        add_header X-Mapped "[$mapped]";
        proxy_set_header X-Proxy "[$tailgate_login]";
        proxy_pass http://127.0.0.1:@APP@;
    }
}""")
    answer = get(nginx.port, "/x/y", source=ALICE)
    assert answer.header("X-Early") == "[]"
    assert answer.header("X-Late") == "[alice@example.com]"
    assert answer.header("X-Mapped") == "[alice@example.com]"
    assert answer.seen("X-Proxy") == ["[alice@example.com]"]
    assert answer.json()["uri"] == "/y?u="
    entry, = logged(nginx, 1)
    assert entry["login"] == "alice@example.com"
    assert entry["status"] == "member"


def test_too_early_does_not_spoil_the_log(world):
    """The log takes what it finds, and must not find the early nothing."""

    nginx = world.nginx(FORMAT + """
server {
    listen 127.0.0.1:@PORT@;
    if ($tailgate_login = nobody) { return 402; }
    if ($tailgate_status = nothing) { return 402; }
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}""")
    assert get(nginx.port, "/", source=ALICE).status == 200
    entry, = logged(nginx, 1)
    assert entry["login"] == "alice@example.com"
    assert entry["status"] == "member"


def test_after_error_pages(world):
    """The log says who it was, wherever the request ended."""

    nginx = world.nginx(FORMAT + """
server {
    listen 127.0.0.1:@PORT@;
    error_page 403 /why;
    error_page 404 = @other;
    location / { tailgate on; root @DIR@; }
    location /why { return 403 "$tailgate_status"; }
    location @other { return 200 "$tailgate_login"; }
}""")
    assert get(nginx.port, "/x", source=CI).status == 403
    # "return" is too early for the rewrite phase, but not for the log
    assert get(nginx.port, "/none", source=ALICE).body == b"alice@example.com"
    first, second = logged(nginx, 2)
    assert first["status"] == "tagged"
    assert second["login"] == "alice@example.com"


def test_kept_alive_connection(world):
    """Never those of the request before."""

    nginx = world.nginx(CONF)
    with Client(nginx.port, source=ALICE) as client:
        client.get("/")
        client.get("/off")
        world.devnet.stop()
        client.get("/off")
        client.get("/")
    entries = logged(nginx, 4)
    assert [entry["login"] for entry in entries[:3]] == [
        "alice@example.com", "", ""]
    assert entries[1]["status"] == ""


def test_http2_streams(world, tmp_path):
    """Streams of one connection that are under way at once."""

    crt, key = certificate(tmp_path)
    nginx = world.nginx(f"ssl_certificate {crt}; ssl_certificate_key {key};"
                        + CONF.replace("@PORT@;", "@PORT@ ssl http2;"))
    with H2Client(nginx.port, source=ALICE) as client:
        streams = [client.send(path) for path in
                   ("/off", "/", "/off", "/optional") * 10]
        client.wait(*streams)
    for entry in logged(nginx, 40):
        expected = "" if entry["uri"] == "/off" else "alice@example.com"
        assert entry["login"] == expected


def test_subrequests_share_the_identity(world):
    nginx = world.nginx(FORMAT + """
server {
    listen 127.0.0.1:@PORT@;
    location / { ssi on; ssi_types *; root @DIR@; }
    location /in/ { tailgate optional;
                    add_header X-A b;
                    proxy_set_header X-Login "[$tailgate_login]";
                    proxy_pass http://127.0.0.1:@APP@; }
}""")
    with open(os.path.join(nginx.directory, "p.html"), "w",
              encoding="ascii") as f:
        f.write('<!--#echo var="tailgate_login" default="none" -->'
                '<!--#include virtual="/in/a" wait="yes" -->'
                '<!--#echo var="tailgate_login" default="none" -->')
    answer = get(nginx.port, "/p.html", source=BOB)
    assert answer.body.startswith(b"none{")
    assert answer.body.endswith(b"bob@example.com")
    assert b"[bob@example.com]" in answer.body
    entry, = logged(nginx, 1)
    assert entry["login"] == "bob@example.com"


def test_log_injection_is_impossible(world):
    """A name with what a log or a header would be broken by is no name."""

    nginx = world.nginx(CONF)
    world.devnet.ctl("name", "alice@example.com", "a\"b\\c")
    get(nginx.port, "/", source=ALICE)
    entry, = logged(nginx, 1)
    assert entry["name"] == 'a"b\\c'
