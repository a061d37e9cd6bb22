# Copyright (C) The Tailgate authors

"""A policy file in nginx: what it is asked about, which request it judges, and
what of its decision can be seen."""

import pytest

from conftest import (ALICE, BOB, CAROL, CI, DECISIONS, EXPIRED, ROUTER,
                      STRANGER, decisions)
from tailgate_test import Client, get

POLICY = """
version: 1
groups:
  admins: [alice@example.com]
always:
  deny:
    - { os: iOS, methods: [DELETE] }
routes:
  - name: web
    hosts: [web.corp]
    allow:
      - { user: "*@example.com", methods: read }
      - { group: admins }
      - { tag: tag:ci, paths: [/api/] }
    deny:
      - { paths: [/secret] }
  - name: admin
    hosts: [web.corp]
    paths: [/admin]
    allow:
      - { group: admins }
  - name: guests
    hosts: ["*.guests.corp"]
    allow:
      - { user: carol@other.example, autogroup: shared }
      - { node: alice-router }
  - name: nobody
    hosts: [nobody.corp]
"""

CONF = DECISIONS + """
tailgate_policy @POLICY@;

server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_headers webauth;

    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /off { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
    location /builtin {
        tailgate_policy off;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /optional {
        tailgate optional;
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""

# source, method, host, path: status, decision, rule, route, reason
TABLE = [
    (ALICE, "GET", "web.corp", "/", 200, "allow", "web.allow[0]", "web",
     "allowed"),
    (ALICE, "POST", "web.corp", "/", 200, "allow", "web.allow[1]", "web",
     "allowed"),
    (BOB, "GET", "web.corp", "/x", 200, "allow", "web.allow[0]", "web",
     "allowed"),
    (BOB, "POST", "web.corp", "/x", 403, "deny", "-", "web", "no-allow"),
    (BOB, "DELETE", "web.corp", "/x", 403, "deny", "always.deny[0]", "web",
     "denied"),
    (ALICE, "GET", "web.corp", "/secret", 403, "deny", "web.deny[0]", "web",
     "denied"),
    (STRANGER, "GET", "web.corp", "/secret", 403, "deny", "web.deny[0]",
     "web", "denied"),
    (STRANGER, "GET", "web.corp", "/", 403, "deny", "-", "web", "stranger"),
    (EXPIRED, "GET", "web.corp", "/", 403, "deny", "-", "web", "peer"),
    (CI, "GET", "web.corp", "/", 403, "deny", "-", "web", "no-allow"),
    (CI, "PUT", "web.corp", "/api/x", 200, "allow", "web.allow[2]", "web",
     "allowed"),
    (BOB, "GET", "web.corp", "/admin/x", 403, "deny", "-", "admin",
     "no-allow"),
    (BOB, "GET", "web.corp", "/administrator", 200, "allow", "web.allow[0]",
     "web", "allowed"),
    (ALICE, "GET", "nobody.corp", "/", 403, "deny", "-", "nobody",
     "no-allow"),
    (ALICE, "GET", "else.corp", "/", 403, "deny", "-", "-", "no-route"),
    (CAROL, "GET", "a.guests.corp", "/", 200, "allow", "guests.allow[0]",
     "guests", "allowed"),
    (CAROL, "GET", "web.corp", "/", 403, "deny", "-", "web", "no-allow"),
    (ROUTER, "GET", "a.guests.corp", "/", 200, "allow", "guests.allow[1]",
     "guests", "allowed"),
    (ROUTER, "GET", "web.corp", "/", 403, "deny", "-", "web", "no-allow"),
    (BOB, "GET", "else.corp", "/builtin", 200, "allow", "-", "-", "builtin"),
    (CI, "GET", "web.corp", "/builtin", 403, "deny", "-", "-", "builtin"),
    (STRANGER, "GET", "web.corp", "/off", 200, "-", "-", "-", "-"),
]


@pytest.fixture
def policed(world, policy):
    return world.nginx(CONF, POLICY=policy(POLICY))


def test_table(policed):
    """Which decision, and what the log says of it."""

    for source, method, host, path, status, *_ in TABLE:
        answer = get(policed.port, path, source=source, method=method,
                     host=host)
        assert answer.status == status, (source, method, host, path)
    seen = decisions(policed, len(TABLE))
    for case, entry in zip(TABLE, seen):
        assert (entry["decision"], entry["rule"], entry["route"],
                entry["reason"]) == case[5:], case


def test_identity_headers_accompany_an_allow(world, policed):
    assert get(policed.port, "/", source=BOB, host="web.corp").seen(
        "X-Webauth-User") == ["bob@example.com"]
    answer = get(policed.port, "/", source=ROUTER, host="a.guests.corp")
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]


@pytest.mark.parametrize("text", [
    "version: 1\n", "version: 1\nroutes: []\n",
    "version: 1\nroutes: [{ name: a }]\n",
    "version: 1\ngrants: { capability: example.com/cap/web }\n"])
def test_check_18_default_deny(world, policy, text):
    """An empty policy, and one without a rule, let nobody in."""

    nginx = world.nginx(CONF, POLICY=policy(text))
    for source in (BOB, CI, CAROL, STRANGER):
        assert get(nginx.port, "/", source=source).status == 403


def test_check_20_hosts(policed):
    """Case, port and a trailing dot make no difference; what is no host is
    refused."""

    for host in ("web.corp", "WEB.Corp", "web.corp:80", "web.corp.",
                 "WEB.corp.:8443"):
        assert get(policed.port, "/", source=BOB, host=host).status == 200
    for target in ("http://web.corp/x", "http://web.corp?x=/../"):
        for host in ("web.corp", "Web.Corp.", "web.corp:80", "WEB.corp.:1"):
            assert get(policed.port, target, source=BOB,
                       host=host).status == 200
    # two hosts: the app may be told the one that was not judged
    for host in ("else.corp", "web.corpse", "web.cor", "web.corp..", "web"):
        assert get(policed.port, "http://web.corp/x", source=BOB,
                   host=host).status in (400, 403)
    assert get(policed.port, "http://else.corp/x", source=BOB,
               host="web.corp").status == 403
    for host in ("web.corp.evil", "xweb.corp", "xn--web.corp", "guests.corp"):
        assert get(policed.port, "/", source=BOB, host=host).status == 403
    for line in ("Host: web.corp\r\nHost: else.corp", "Host: "):
        with Client(policed.port, source=BOB) as client:
            client.send(f"GET / HTTP/1.1\r\n{line}\r\n\r\n")
            assert client.response().status in (400, 403)
    # HTTP/1.0 needs none: nginx takes the server's name, a policy takes none
    assert get(policed.port, "/", source=BOB, host=None,
               version="1.0").status == 403


# iap.md 3c, and what else two programs read differently
AMBIGUOUS = [
    "/public/..;/admin", "/admin%2f..%2fpublic%2f", "/public/..%5cadmin",
    "/public/%252e%252e/admin", "/public/#/../admin", "/public/%2e%2e/admin",
    "/public/../admin", "/public/./x", "/public%2Fx", "/public\\x",
    "/public/%5Cx", "/public/a;b", "/public/a%3bb", "/public/%23x",
    "/public/%2523", "/public/%2e/x", "/public/..", "/public/%2e.",
]

PLAIN = ["/public/x", "/public//x", "/public/a%20b", "/public/x?y=/../;%2f",
         "/public/...", "/public/.x", "/public/%c3%a5", "/public/100%25"]


def test_check_21_raw_paths(world, policy):
    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    location / { proxy_pass http://127.0.0.1:@APP@; }

    location /public { proxy_pass http://127.0.0.1:@APP@; tailgate on; }
    server_name plain;
}
server {
    listen 127.0.0.1:@PORT@;
    server_name file loose;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT@;
    server_name inline;
    tailgate on;
    tailgate_allow user=*@example.com;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT@;
    server_name open;
    tailgate on;
    tailgate_allow user=*@example.com;
    tailgate_raw_path allow;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT@;
    server_name both;
    tailgate on;
    tailgate_allow user=*@example.com;
    tailgate_raw_path allow;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
""", POLICY=policy("""
version: 1
routes:
  - { name: strict, allow: [{ user: "*@example.com" }] }
  - { name: loose, hosts: [loose], raw_path: allow,
      allow: [{ user: "*@example.com" }] }
"""))
    count = 0
    for host, refused in (("plain", False), ("file", True), ("loose", False),
                          ("inline", True), ("open", False), ("both", True)):
        for path in AMBIGUOUS:
            answer = get(nginx.port, path, source=BOB, host=host)
            assert answer.status == (403 if refused else 200), (host, path)
            count += 1
            entry = decisions(nginx, count)[-1]
            if refused:
                assert entry["reason"] == "raw-path", (host, path)
        for path in PLAIN:
            assert get(nginx.port, path, source=BOB, host=host).status == 200
            count += 1
    for path in ("/%00", "/a%00b", "/%zz", "/../x"):
        assert get(nginx.port, path, source=BOB, host="file").status == 400


def test_check_22_methods(world, policy):
    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy("""
version: 1
routes:
  - { name: read, paths: [/read],
      allow: [{ user: "*@example.com", methods: read }] }
  - { name: write, paths: [/write],
      allow: [{ user: "*@example.com", methods: write }] }
  - { name: get, paths: [/get],
      allow: [{ user: "*@example.com", methods: GET }] }
  - { name: strict, paths: [/strict], method_override: refuse,
      allow: [{ user: "*@example.com" }] }
"""))
    read = ["GET", "HEAD", "OPTIONS"]
    write = ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "MKCOL", "LOCK",
             "FROBNICATE"]
    for method in read + write:
        for path, allowed in (("/read", read), ("/write", write),
                              ("/get", ["GET"])):
            answer = get(nginx.port, path, source=BOB, method=method)
            assert (answer.status == 200) == (method in allowed), (method,
                                                                   path)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method",
                 "X-Method-Override", "x_http_method_override"):
        header = [(name, "GET")]
        assert get(nginx.port, "/read", header, source=BOB,
                   method="POST").status == 403
        assert get(nginx.port, "/read", [(name, "DELETE")],
                   source=BOB).status == 200
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method",
                 "x-method-override"):
        assert get(nginx.port, "/strict", [(name, "GET")],
                   source=BOB).status == 403
    assert get(nginx.port, "/strict", source=BOB).status == 200
    reasons = [entry["reason"] for entry in decisions(nginx, 45)
               if entry["route"] == "strict"]
    assert reasons == ["method-override"] * 3 + ["allowed"]


def test_the_clients_request_is_judged(world, policy):
    """Rewrites, error pages, try_files and X-Accel-Redirect do not change
    which request the file judges; nor does realip's or any map."""

    world.app = None
    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    rewrite ^/private/(.*)$ /public/$1;
    rewrite ^/public/(.*)-elsewhere$ /private/$1;
    error_page 404 /private/404;
    error_page 405 = @named;

    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /missing { return 404; }
    location /public/missing { root @DIR@; }
    location /public/try { try_files /nonexistent /private/tried; }
    location /public/named { root @DIR@; try_files /nonexistent @named; }
    location @named { proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy("""
version: 1
routes:
  - { name: public, paths: [/public], allow: [{ user: "*@example.com" }] }
  - { name: private, paths: [/private], allow: [{ tag: tag:ci }] }
"""))
    world.app.answers["/public/accel"] = (
        200, [("X-Accel-Redirect", "/private/x")], "")
    world.app.answers["/public/post"] = lambda request: (
        (405, [], "") if request["method"] == "POST" else None)
    assert get(nginx.port, "/private/x", source=BOB).status == 403
    assert get(nginx.port, "/public/x-elsewhere", source=BOB).json()[
        "uri"] == "/private/x"
    assert get(nginx.port, "/public/accel", source=BOB).json()[
        "uri"] == "/public/x"
    assert get(nginx.port, "/public/try", source=BOB).status == 200
    assert get(nginx.port, "/public/named", source=BOB).status == 200
    assert get(nginx.port, "/public/missing", source=BOB).json()[
        "uri"].startswith("/")
    assert get(nginx.port, "/public/missing", source=CI).status == 403


def test_method_survives_an_error_page(world, policy):
    """nginx makes a GET of the request on its way to an error page."""

    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    error_page 404 /page;
    location / { root @DIR@; }
    location /page { proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy("""
version: 1
routes:
  - allow: [{ user: "*@example.com", methods: GET },
            { user: "*@example.com", methods: OPTIONS, paths: [/x] }]
"""))
    assert get(nginx.port, "/x", source=BOB).status == 404
    answer = get(nginx.port, "/x", source=BOB, method="OPTIONS")
    assert answer.status == 404 or answer.status == 405
    assert get(nginx.port, "/y", source=BOB, method="OPTIONS").status == 403


def test_subrequests_are_judged_by_their_own_path(world, policy):
    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    error_page 404 /private/fallback;
    location / { ssi on; ssi_types *; root @DIR@; }
    location /part { proxy_pass http://127.0.0.1:@APP@; }
    location /private { proxy_pass http://127.0.0.1:@APP@; }
    location /part/rewritten { rewrite ^ /private/x break;
                               proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy("""
version: 1
routes:
  - { name: page, paths: [/page.html], allow: [{ user: "*@example.com" }] }
  - { name: part, paths: [/part], allow: [{ user: "*@example.com" }] }
"""))
    with open(nginx.path("page.html"), "w", encoding="ascii") as f:
        for uri in ("/part/1", "/private/2", "/part/rewritten"):
            f.write(f'<!--#include virtual="{uri}" -->\n')
    answer = get(nginx.port, "/page.html", source=BOB)
    assert answer.status == 200
    assert sorted(request["uri"] for request in world.app.requests) == [
        "/part/1", "/private/x"]
    assert answer.body.count(b"<title>403 Forbidden</title>") == 1
    entry, = decisions(nginx, 1)
    assert (entry["decision"], entry["route"]) == ("allow", "page")


@pytest.mark.parametrize("uri,reason", [
    ("//private/1", "no-allow"), ("/./private/1", "raw-path"),
    ("/x/..;/private/1", "raw-path"), ("/x\\..\\private", "raw-path"),
    ("/x%252f..%252fprivate", "raw-path"), ("/x%23", "raw-path"),
    ("/a%3f/..;/b", "raw-path"), ("/x%20y", None)])
def test_a_subrequest_of_an_ambiguous_path(world, policy, uri, reason):
    """An SSI page may make one of what the client sent."""

    nginx = world.nginx("""
log_subrequest on;
log_format parts '$uri|$tailgate_reason';
access_log @DIR@/parts.log parts;
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /page { ssi on; ssi_types *; root @DIR@; }
}""", POLICY=policy("""
version: 1
routes:
  - { name: private, paths: [/private], allow: [{ tag: tag:ci }] }
  - { name: rest, allow: [{ user: "*@example.com" }] }
"""))
    with open(nginx.path("page.html"), "w", encoding="ascii") as f:
        f.write('<!--#include virtual="$arg_part" -->')
    assert get(nginx.port, f"/page.html?part={uri}", source=BOB).status == 200
    assert len(world.app.requests) == (0 if reason else 1)
    part, _ = nginx.lines("parts.log", 2)
    assert part.rsplit("|", 1)[1] == (reason or "allowed")


def test_optional_never_skips_a_refusal(world, policy):
    nginx = world.nginx(CONF, POLICY=policy(POLICY))
    path = "/optional"
    assert get(nginx.port, path, source=BOB, host="web.corp").seen(
        "X-Webauth-User") == ["bob@example.com"]
    for source, method, host in ((STRANGER, "GET", "web.corp"),
                                 (CI, "GET", "web.corp"),
                                 (ALICE, "GET", "else.corp"),
                                 (EXPIRED, "GET", "web.corp"),
                                 (BOB, "POST", "web.corp")):
        answer = get(nginx.port, path, source=source, method=method,
                     host=host)
        assert answer.status == 200
        assert answer.seen("X-Webauth-User") == []
    assert get(nginx.port, path, source=BOB, method="DELETE",
               host="web.corp").status == 403
    assert get(nginx.port, path + "/%2f", source=STRANGER,
               host="web.corp").status == 403
    world.devnet.stop()
    answer = get(nginx.port, path, source=BOB, host="web.corp")
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert decisions(nginx, 9)[-1]["decision"] == "unavailable"


def test_satisfy_any(world, policy):
    """Another module's allow opens; identity needs our own."""

    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    tailgate_headers webauth;
    satisfy any;
    allow 127.0.0.12;
    allow 127.0.0.13;
    deny all;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy("""
version: 1
routes:
  - { name: a, paths: [/a], allow: [{ user: "*@example.com" }],
      deny: [{ tag: tag:ci }] }
"""))
    answer = get(nginx.port, "/a", source=ALICE)
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert get(nginx.port, "/a", source=BOB).seen("X-Webauth-User") == [
        "bob@example.com"]
    assert get(nginx.port, "/b", source=BOB).seen("X-Webauth-User") == []
    assert get(nginx.port, "/a", source=CI).seen("X-Webauth-User") == []
    assert get(nginx.port, "/b", source=ALICE).status == 403
    assert get(nginx.port, "/a", source=STRANGER).status == 403
    world.devnet.stop()
    assert get(nginx.port, "/a", source=BOB).status == 200
    assert get(nginx.port, "/a", source=ALICE).status == 503


HEADERS = """
version: 1
routes:
  - name: app
    paths: [/app]
    allow: [{ user: "*@example.com" }]
    headers:
      X-Role:
        from: capability example.com/cap/web
        field: role
        order: [viewer, admin]
      X-Webauth-Email: { from: node }
  - name: other
    allow: [{ user: "*@example.com" }]
"""


def test_headers_of_a_route(world, policy):
    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    tailgate_headers webauth;
    tailgate_set_header X-Role everybody;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /app/inside { error_page 404 /plain; root @DIR@; }
    location /plain { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy(HEADERS))
    forged = [("X-Role", "root"), ("x_role", "root"), ("X.Role", "root")]
    answer = get(nginx.port, "/app", forged, source=ALICE)
    assert answer.seen("X-Role") == ["admin"]
    assert answer.seen("X-Webauth-Email") == ["alice-laptop.tail.example"]
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert "root" not in str(answer.json()["raw_headers"])
    # the route's name is the route's, also when it has no value
    assert get(nginx.port, "/app", forged, source=BOB).seen("X-Role") == []
    answer = get(nginx.port, "/other", forged, source=ALICE)
    assert answer.seen("X-Role") == ["everybody"]
    assert answer.seen("X-Webauth-Email") == ["alice@example.com"]
    # taken back on the way to another location, and stripped there too
    answer = get(nginx.port, "/app/inside", forged, source=ALICE)
    assert answer.seen("X-Role") == []
    assert get(nginx.port, "/plain", forged, source=ALICE).seen(
        "X-Role") == []


def test_headers_of_a_route_do_not_come_back(world, policy):
    world.app = None
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy(HEADERS))
    world.app.answers["/x"] = (200, [("X-Role", "admin"), ("X-A", "b")], "")
    answer = get(nginx.port, "/x", source=ALICE)
    assert answer.header("X-Role") is None
    assert answer.header("X-A") == "b"


def test_a_route_that_may_not_be_judged(world, policy):
    """The page of a request that nginx cannot read is guarded as well."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    error_page 400 /page;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}""", POLICY=policy('version: 1\nroutes: [{ allow: [{ user: "*@example.com"'
                    ' }] }]\n'))
    with Client(nginx.port, source=BOB) as client:
        client.send("GET /../x HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.response()
    assert answer.status in (400, 403)
    assert not world.app.requests


def test_a_body_is_not_waited_for(world, policed):
    """A refused client is not told to send what nobody reads."""

    with Client(policed.port, source=STRANGER) as client:
        client.send("PUT / HTTP/1.1\r\nHost: web.corp\r\nContent-Length: 5\r\n"
                    "Expect: 100-continue\r\n\r\n")
        assert client.response().status == 403
    with Client(policed.port, source=STRANGER) as client:
        for _ in range(3):
            assert client.request("POST", "/", body=b"x" * 10000,
                                  host="web.corp").status == 403
        assert client.get("/off").status == 200
