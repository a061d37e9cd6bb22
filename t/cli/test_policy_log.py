# Copyright (C) The Tailgate authors

"""tailgate policy diff --log: requests of audit logs, decided anew."""

import json
import os
import subprocess

import pytest

from tailgate_test import Devnet, Echo, Nginx, ROOT, TAILGATE, get

CHANGED = 1

WORLD = """
tailnet: example.ts.net
users:
  - login: alice@example.com
    name: Alice
  - login: bob@example.com
    name: Bob
  - login: carol@other.example
    name: Carol
nodes:
  - name: alice-phone
    address: 127.0.0.11
    user: alice@example.com
    os: iOS
    os_version: "18.2"
  - name: bob-mac
    address: 127.0.0.12
    user: bob@example.com
    os: macOS
    os_version: "15.2"
  - name: ci-runner
    address: 127.0.0.13
    tags: ["tag:ci", "tag:db"]
    os: linux
  - name: theirs.far.ts.net
    address: 127.0.0.14
    user: carol@other.example
    shared: true
"""

POLICY = """\
version: 1
routes:
  - name: grafana
    hosts: [grafana]
    allow:
      - { user: "*@example.com", methods: read }
      - { user: alice@example.com }
      - { tag: "tag:ci", paths: [/api/, "= /health"] }
      - { user: carol@other.example, autogroup: shared, paths: [/pub] }
    deny:
      - { os: macOS, os_version: "< 15" }
"""

NEW = POLICY.replace("user: alice@example.com }",
                     "user: alice@example.com, methods: [GET] }")


@pytest.fixture(name="files")
def fixture_files(tmp_path):
    for name, text in (("policy.yaml", POLICY), ("new.yaml", NEW),
                       ("world.yaml", WORLD)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments, stdin=None):
    return subprocess.run(
        [TAILGATE, "policy", *map(str, arguments)], input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=60, check=False)


def diff(*arguments, stdin=None):
    done = run("diff", *arguments, "--json", stdin=stdin)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def text_of(lines):
    return "".join(json.dumps(line) + "\n" for line in lines)


AUTHD = [
    {"time": "2026-11-20T10:00:00Z", "audit": "allow", "status": "member",
     "login": "alice@example.com", "node": "alice-phone.example.ts.net",
     "node_id": "nPHONE", "tailnet": "example.ts.net", "os": "iOS",
     "method": "DELETE", "host": "grafana", "path": "/api/x"},
    {"time": "2026-11-20T10:00:01Z", "audit": "allow", "status": "member",
     "login": "dave@example.com", "node": "dave-pc.example.ts.net",
     "node_id": "nGone", "tailnet": "example.ts.net", "os": "linux",
     "method": "GET", "host": "grafana", "path": "/"},
    {"time": "2026-11-20T10:00:02Z", "audit": "deny", "status": "stranger",
     "method": "GET", "host": "grafana", "path": "/"},
    {"time": "2026-11-20T10:00:03Z", "level": "info", "message": "reload"}]


def test_lines_of_authd(files):
    text = text_of([AUTHD[0], *AUTHD]) + "not JSON\n"
    done = run("diff", files / "policy.yaml", files / "new.yaml",
               "--no-peers", "--log", "-", stdin=text)
    assert (done.returncode, done.stderr) == (CHANGED, "")
    head, row, _, total = done.stdout.splitlines()
    assert head.split() == ["CHANGE", "WHO", "HOST", "PATH", "METHODS",
                            "LOGGED", "OLD", "NEW"]
    assert row.split() == [
        "closes", "alice@example.com", "(alice-phone.example.ts.net)",
        "grafana", "/api/x", "DELETE", "2", "grafana.allow[1]", "no-allow"]
    assert total == "0 opened, 2 closed; 0 nodes, 6 lines logged," \
                    " 3 not judged"

    seen = diff(files / "policy.yaml", files / "new.yaml", "--no-peers",
                "--log", "-", stdin=text)
    change, = seen["changes"]
    assert (change["change"], change["source"], change["count"]) \
        == ("closes", "log", 2)
    assert (change["methods"], change["path"]) == (["DELETE"], "/api/x")
    assert (seen["opened"], seen["closed"]) == (0, 2)
    assert (seen["lines"], seen["skipped"]) == (6, 3)


def test_a_node_that_is_there_is_judged_as_it_is(files):
    """The Mac was old when it asked, and is not any more."""

    world = run("explain", files / "policy.yaml", "--peers",
                files / "world.yaml", "--node", "bob-mac", "--request",
                "https://grafana/", "--json")
    line = {"status": "member", "login": "bob@example.com",
            "node": "bob-mac.example.ts.net", "tailnet": "example.ts.net",
            "node_id": json.loads(world.stdout)["peer"]["node_id"],
            "os": "macOS", "os_version": "14.9", "method": "GET",
            "host": "grafana", "path": "/logged"}
    none = files / "none.yaml"
    none.write_text("version: 1\nroutes: []\n", encoding="utf-8")

    seen = diff(files / "policy.yaml", none, "--no-peers", "--log", "-",
                stdin=text_of([line]))
    assert seen["changes"] == []

    seen = diff(files / "policy.yaml", none, "--peers", files / "world.yaml",
                "--log", "-", stdin=text_of([line]))
    change, = [c for c in seen["changes"] if c["source"] == "log"]
    assert change["peer"]["os_version"] == "15.2"


def test_what_lines_say_of_nodes_that_are_gone(files):
    new = files / "other.yaml"
    new.write_text(POLICY.replace('/api/, "= /health"', "/api/v2/").replace(
        "    deny:\n", "    deny:\n      - { os: plan9 }\n", 1),
        encoding="utf-8")
    common = {"tailnet": "example.ts.net", "host": "grafana",
              "method": "GET", "path": "/api/x?q=1"}
    eve = {**common, "login": "eve@example.com", "node_id": "n3",
           "node": "eve.example.ts.net"}
    lines = [
        {**common, "status": "tagged", "tags": "tag:db,tag:ci",
         "node": "gone.example.ts.net", "node_id": "n1", "os": "linux"},
        {**common, "status": "tagged", "tags": "tag:ci",
         "node": "gone.example.ts.net", "node_id": "n1", "os": "linux",
         "path": "/health?q=1"},
        {**common, "status": "tagged", "tags": "tag:db",
         "node": "gone.example.ts.net", "node_id": "n2", "os": "linux"},
        {**eve, "status": "expired", "os": "plan9"},
        {**eve, "status": "shared", "os": "plan9"},
        {**eve, "status": "member", "os": "plan9"},
        {**eve, "status": "member", "os": "linux", "tags": "-"}]
    seen = diff(files / "policy.yaml", new, "--no-peers", "--log", "-",
                stdin=text_of(lines))
    assert [(c["change"], c["peer"].get("login"), c["peer"].get("tags"),
             c["old"]["rule"], c["new"]["rule"]) for c in seen["changes"]] \
        == [("closes", None, ["tag:db", "tag:ci"], "grafana.allow[2]", ""),
            ("closes", None, ["tag:ci"], "grafana.allow[2]", ""),
            ("closes", "eve@example.com", None, "grafana.allow[0]",
             "grafana.deny[0]")]
    assert [c["path"] for c in seen["changes"]] \
        == ["/api/x", "/health", "/api/x"]
    assert (seen["lines"], seen["skipped"]) == (7, 0)


NGINX = f"""
include {ROOT}/conf/nginx/tailgate-log.conf;
access_log @DIR@/audit.log tailgate;
tailgate_localapi unix:@LOCALAPI@;
server {{
    listen 127.0.0.1:@PORT@;
    location / {{
        tailgate on;
        tailgate_policy @POLICY@;
        proxy_pass http://127.0.0.1:@APP@;
    }}
}}
"""

REQUESTS = [
    ("127.0.0.11", "GET", "/", 200),
    ("127.0.0.11", "DELETE", "/a%20b?q=1", 200),
    ("127.0.0.11", "GET", "/a%2fb", 403),
    ("127.0.0.12", "GET", "/a/./b", 403),
    ("127.0.0.12", "GET", "/", 200),
    ("127.0.0.12", "POST", "/", 403),
    ("127.0.0.13", "POST", "/api/x", 200),
    ("127.0.0.13", "GET", "/health", 200),
    ("127.0.0.13", "GET", "/healthy", 403),
    ("127.0.0.14", "GET", "/pub/x", 200),
    ("127.0.0.14", "GET", "/", 403),
    ("127.0.0.99", "GET", "/", 403)]


def test_lines_of_nginx_come_to_what_nginx_decided(files):
    """Against a policy that denies all, what was allowed is what closes."""

    with Devnet(files, WORLD) as devnet, Echo() as app:
        with Nginx(files, NGINX, LOCALAPI=devnet.socket, APP=app.port,
                   POLICY=files / "policy.yaml") as nginx:
            for source, method, target, status in REQUESTS:
                answer = get(nginx.port, target, source=source,
                             method=method, host="grafana")
                assert answer.status == status, (source, method, target)
            lines = [json.loads(line) for line in
                     nginx.lines("audit.log", len(REQUESTS))]

    allowed = {(line["node"], line["method"]) for line in lines
               if line["decision"] == "allow"}
    assert len(allowed) == 6

    none = files / "none.yaml"
    none.write_text("version: 1\nroutes: []\n", encoding="utf-8")
    seen = diff(files / "policy.yaml", none, "--no-peers", "--log",
                os.path.join(nginx.directory, "audit.log"))
    assert {(c["peer"]["node"], c["methods"][0]) for c in seen["changes"]} \
        == allowed
    assert seen["closed"] == sum(status == 200 for *_, status in REQUESTS)
    assert (seen["lines"], seen["skipped"]) == (len(REQUESTS), 1)
    for change in seen["changes"]:
        line, = [line for line in lines
                 if line["node"] == change["peer"]["node"]
                 and line["method"] == change["methods"][0]
                 and line["decision"] == "allow"
                 and line["path"].replace("%20", " ") == change["path"]]
        assert change["old"]["rule"] == line["rule"]
