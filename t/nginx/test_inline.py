# Copyright (C) The Tailgate authors

"""Rules in nginx.conf: how they are inherited, which location's count, and
what becomes of them beside a policy file."""

from conftest import (ALICE, BOB, CAROL, CI, DECISIONS, ROUTER, STRANGER,
                      decisions)
from tailgate_test import get

PASS = "proxy_pass http://127.0.0.1:@APP@;"


def test_allow_deny_require(world):
    nginx = world.nginx(DECISIONS + f"""
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_headers webauth;
    location /allow {{ tailgate_allow user=*@example.com method=read;
                       tailgate_allow user=alice@example.com;
                       {PASS} }}
    location /deny {{ tailgate_deny os=iOS; {PASS} }}
    location /version {{ tailgate_deny os=macOS "os_version=< 15.4"; {PASS} }}
    location /current {{ tailgate_deny os=macOS "os_version=< 15.3"; {PASS} }}
    location /require {{ tailgate_require capability=example.com/cap/web
                                          where=role:admin; {PASS} }}
    location /tagged {{ tailgate_allow tag=tag:ci; {PASS} }}
    location /shared {{ tailgate_allow user=carol@other.example;
                        {PASS} }}
    location /opened {{ tailgate_allow user=carol@other.example
                                       autogroup=shared; {PASS} }}
    location /routed {{ tailgate_allow node=alice-router; {PASS} }}
    location /everybody {{ tailgate_peers member tagged shared routed;
                           tailgate_allow user=bob@example.com; {PASS} }}
}}""")
    expected = {
        "/allow": {ALICE, BOB}, "/deny": {ALICE}, "/version": {BOB},
        "/current": {ALICE, BOB}, "/require": {ALICE}, "/tagged": {CI},
        "/shared": set(), "/opened": {CAROL}, "/routed": {ROUTER},
        "/everybody": {BOB},
    }
    for path, who in expected.items():
        for source in (ALICE, BOB, CI, CAROL, ROUTER, STRANGER):
            answer = get(nginx.port, path, source=source)
            assert (answer.status == 200) == (source in who), (path, source)
    assert get(nginx.port, "/allow", source=BOB, method="PUT").status == 403
    assert get(nginx.port, "/allow", source=ALICE, method="PUT").status == 200
    assert get(nginx.port, "/routed", source=ROUTER).seen(
        "X-Webauth-User") == ["alice@example.com"]


def test_rules_are_named(world):
    nginx = world.nginx(DECISIONS + f"""
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_allow user=alice@example.com;
    tailgate_deny method=DELETE;
    location / {{ {PASS} }}
}}""")
    get(nginx.port, "/", source=ALICE)
    get(nginx.port, "/", source=ALICE, method="DELETE")
    get(nginx.port, "/", source=BOB)
    with open(nginx.path("nginx.conf"), encoding="utf-8") as f:
        lines = f.read().split("\n")
    rules = [(entry["rule"], entry["reason"])
             for entry in decisions(nginx, 3)]
    assert rules[2] == ("-", "no-allow")
    for (rule, _), name in zip(rules, ("tailgate_allow", "tailgate_deny")):
        number = [n for n, line in enumerate(lines, 1) if name in line]
        assert rule == f"{name}:{nginx.path('nginx.conf')}:{number[0]}"
    assert [reason for _, reason in rules] == ["allowed", "denied",
                                               "no-allow"]
    assert f'rule "{rules[1][0]}"' in nginx.error_log()


def test_inheritance(world):
    """Denies and requires accumulate, allows replace."""

    nginx = world.nginx(DECISIONS + f"""
tailgate_allow user=*@example.com;
tailgate_deny path=/a/b/c;
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_deny method=DELETE;
    location / {{ {PASS} }}
    location /a {{
        tailgate_deny os=iOS;
        {PASS}
        location /a/b {{
            tailgate_allow user=*@example.com;
            tailgate_allow tag=tag:ci;
            tailgate_require method=GET method=DELETE;
            {PASS}
        }}
        location /a/replaced {{ tailgate_allow tag=tag:ci; {PASS} }}
    }}
    location /off {{ tailgate off; {PASS} }}
}}""")
    expected = {
        ("GET", "/"): {ALICE, BOB}, ("DELETE", "/"): set(),
        ("GET", "/a"): {ALICE}, ("DELETE", "/a"): set(),
        ("GET", "/a/b"): {ALICE, CI}, ("POST", "/a/b"): set(),
        ("DELETE", "/a/b"): set(), ("GET", "/a/b/c"): set(),
        ("GET", "/a/replaced"): {CI},
        ("DELETE", "/off"): {ALICE, BOB, CI, STRANGER},
    }
    for (method, path), who in expected.items():
        for source in (ALICE, BOB, CI, STRANGER):
            answer = get(nginx.port, path, source=source, method=method)
            assert (answer.status == 200) == (source in who), (method, path,
                                                               source)


def test_the_location_in_force(world):
    """Rules are those of where the request has come to, but see what the
    client sent."""

    nginx = world.nginx(DECISIONS + f"""
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    rewrite ^/from$ /strict;
    error_page 404 /strict/page;
    location / {{ root @DIR@; tailgate_allow user=*@example.com; }}
    location /strict {{ tailgate_allow user=alice@example.com; {PASS} }}
    location /sent {{ rewrite ^ /x break; tailgate_allow path=/sent; {PASS} }}
}}""")
    for path in ("/from", "/strict", "/missing"):
        assert get(nginx.port, path, source=ALICE).json()["uri"].startswith(
            "/")
        assert get(nginx.port, path, source=BOB).status == 403
    assert get(nginx.port, "/sent", source=BOB).status == 200


def test_file_and_rules(world, policy):
    """The request needs both, and an inline rule may name a group of the
    file."""

    nginx = world.nginx(DECISIONS + f"""
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / {{ tailgate_allow group=admins; {PASS} }}
    location /wider {{ tailgate_allow user=*@example.com tag=tag:ci;
                       tailgate_allow tag=tag:ci; {PASS} }}
    location /narrower {{ tailgate_deny os=macOS; {PASS} }}
    location /always {{ tailgate_policy @ALWAYS@;
                        tailgate_allow user=*@example.com; {PASS} }}
    location /nothing {{ tailgate_policy @ALWAYS@; {PASS} }}
}}""", POLICY=policy("""
version: 1
groups: { admins: [alice@example.com] }
routes:
  - name: all
    allow: [{ user: "*@example.com" }]
    deny: [{ methods: DELETE }]
"""), ALWAYS=policy("""
version: 1
always: { deny: [{ os: iOS }] }
"""))
    expected = {"/": {ALICE}, "/wider": set(), "/narrower": {BOB},
                "/always": {ALICE}, "/nothing": set()}
    for path, who in expected.items():
        for source in (ALICE, BOB, CI, STRANGER):
            answer = get(nginx.port, path, source=source)
            assert (answer.status == 200) == (source in who), (path, source)
    assert get(nginx.port, "/", source=ALICE, method="DELETE").status == 403
    entry = decisions(nginx, 21)[-1]
    assert entry["rule"] == "all.deny[0]"


def test_optional(world):
    nginx = world.nginx(DECISIONS + f"""
server {{
    listen 127.0.0.1:@PORT@;
    tailgate optional;
    tailgate_headers webauth;
    location / {{ {PASS} }}
    location /allow {{ tailgate_allow user=alice@example.com; {PASS} }}
    location /deny {{ tailgate_deny os=iOS; {PASS} }}
    location /require {{ tailgate_require os=macOS; {PASS} }}
}}""")
    assert get(nginx.port, "/allow", source=ALICE).seen(
        "X-Webauth-User") == ["alice@example.com"]
    for source in (BOB, CI, STRANGER):
        answer = get(nginx.port, "/allow", source=source)
        assert answer.status == 200
        assert answer.seen("X-Webauth-User") == []
    assert get(nginx.port, "/deny", source=BOB).status == 403
    assert get(nginx.port, "/deny", source=ALICE).status == 200
    # who tells no operating system may be one that is denied
    assert get(nginx.port, "/deny", source=STRANGER).status == 403
    assert get(nginx.port, "/require", source=BOB).status == 403
    world.devnet.stop()
    assert get(nginx.port, "/", source=ALICE).status == 200
    for path in ("/allow", "/deny", "/require"):
        assert get(nginx.port, path, source=ALICE).status == 503


def test_another_module_lets_in(world):
    """What was refused under "satisfy any", and let in by a module behind us,
    is not what the log tells of a redirect's decision."""

    world.app = None
    nginx = world.nginx(DECISIONS + f"""
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    location /a {{ satisfy any; auth_request /auth;
                   tailgate_allow user=nobody@example.com; {PASS} }}
    location /auth {{ tailgate off; {PASS} }}
    location /b {{ tailgate_allow user=bob@example.com; {PASS} }}
}}""")
    world.app.answers["/a"] = (200, [("X-Accel-Redirect", "/b")], "")
    assert get(nginx.port, "/a/x", source=BOB).status == 200
    assert get(nginx.port, "/a", source=BOB).status == 200
    assert [entry["decision"] for entry in decisions(nginx, 2)] == [
        "deny", "allow"]
