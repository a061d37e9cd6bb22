# Copyright (C) The Tailgate authors

"""The audit trail that is shipped, and the variables it is made of."""

import json
import os
import re

from conftest import (ALICE, BOB, CI, DECISIONS, EXPIRED, ROUTER, STRANGER,
                      decisions)
from h2_test import H2Client
from tailgate_test import ROOT, Client, certificate, get

POLICY = """
version: 1
capabilities:
  web:
    capability: example.com/cap/web
    field: role
    order: [viewer, admin]
    default: viewer
  plain:
    capability: example.com/cap/web
    field: role
    order: [viewer, admin]
routes:
  - name: web
    paths: [/web]
    allow: [{ user: "*@example.com" }, { tag: tag:ci }]
    deny: [{ methods: DELETE }]
"""

AUDIT = f"""
include {ROOT}/conf/nginx/tailgate-log.conf;
access_log @DIR@/audit.log tailgate;
server {{
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / {{ proxy_pass http://127.0.0.1:@APP@; }}
    location /web/page {{ error_page 403 /page;
                          proxy_pass http://127.0.0.1:@APP@; }}
    location /page {{ tailgate off; proxy_pass http://127.0.0.1:@APP@; }}
}}
"""


def audited(nginx, n):
    return [json.loads(line) for line in nginx.lines("audit.log", n)]


def test_check_34_one_line_for_each_decision(world, policy):
    nginx = world.nginx(AUDIT, POLICY=policy(POLICY))
    get(nginx.port, "/web?token=secret", source=ALICE, host="Web.corp")
    get(nginx.port, "/web", source=BOB, method="DELETE")
    get(nginx.port, "/web/page", source=CI, method="DELETE")
    get(nginx.port, "/else", source=STRANGER)
    world.devnet.stop()
    get(nginx.port, "/web", source=BOB)
    allow, deny, page, stranger, outage = audited(nginx, 5)

    assert set(allow) == {"time", "id", "decision", "reason", "rule", "route",
                          "policy", "login", "tags", "node", "node_id",
                          "tailnet", "peer", "os", "os_version", "source",
                          "host", "method", "path", "status", "latency",
                          "cache"}
    assert allow["decision"] == "allow"
    assert allow["rule"] == "web.allow[0]"
    assert allow["route"] == "web"
    assert allow["login"] == "alice@example.com"
    assert allow["node"] == "alice-laptop.tail.example"
    assert allow["peer"] == "member"
    assert allow["source"] == ALICE
    assert allow["host"] == "web.corp"
    assert (allow["method"], allow["path"]) == ("GET", "/web")
    assert allow["status"] == 200
    assert isinstance(allow["latency"], float)
    assert allow["cache"] == "miss"
    assert len(allow["id"]) == 32
    assert len(allow["policy"]) == 64

    assert (deny["decision"], deny["rule"], deny["reason"]) == (
        "deny", "web.deny[0]", "denied")
    assert (deny["method"], deny["status"]) == ("DELETE", 403)
    # the error page was a GET, and for everybody
    assert (page["decision"], page["rule"], page["method"], page["path"]) == (
        "deny", "web.deny[0]", "DELETE", "/web/page")
    assert page["tags"] == "tag:ci,tag:build"
    assert page["login"] == ""
    assert (stranger["decision"], stranger["reason"], stranger["login"]) == (
        "deny", "stranger", "")
    assert (outage["decision"], outage["status"]) == ("unavailable", 503)


def test_check_34_injection_is_impossible(world, policy):
    """Whatever a client sends, a line is one object with its own fields."""

    nginx = world.nginx("ignore_invalid_headers off;" + AUDIT,
                        POLICY=policy(POLICY))
    evil = '","decision":"allow","x":"\\'
    sent = 0
    for path in ('/web' + evil, "/web\\n\\r", "/web%0a%0d%22", "/web\x7f\xff",
                 "/web#" + evil):
        for host in ("a", 'a"b'):
            for method in ("GET", "G-E_T"):
                with Client(nginx.port, source=STRANGER) as client:
                    client.send(f"{method} {path} HTTP/1.1\r\n"
                                f"Host: {host}\r\nX-Evil: {evil}\r\n\r\n")
                    assert client.response().status in (400, 403, 405)
                    sent += 1
    entries = audited(nginx, sent)
    assert len(entries) == sent
    for entry in entries:
        assert entry["decision"] in ("deny", "")
        assert "x" not in entry
    assert len(nginx.read("audit.log").splitlines()) == sent


def test_the_error_is_that_of_the_refusal(world, policy):
    """Not a subrequest's, and not an error page's."""

    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    ssi on; ssi_types *;
    location / { root @DIR@; tailgate_allow user=*@example.com; }
    location /no { tailgate_deny user=*@example.com; root @DIR@; }
    location /refused { error_page 403 /page; tailgate_deny os=iOS;
                        root @DIR@; }
    location /page { tailgate_allow user=alice@example.com; root @DIR@; }
}""")
    with open(nginx.path("p.html"), "w", encoding="ascii") as f:
        f.write('<!--#include virtual="/no" -->')
    assert get(nginx.port, "/p.html", source=BOB).status == 200
    assert get(nginx.port, "/refused", source=BOB).status == 403
    page, refused = decisions(nginx, 2)
    assert (page["decision"], page["error"]) == ("allow", "-")
    assert (refused["reason"], refused["error"]) == (
        "denied", "a rule denies it")


def test_denies_are_in_the_error_log(world, policy):
    nginx = world.nginx(AUDIT, POLICY=policy(POLICY))
    for _ in range(20):
        get(nginx.port, "/web", source=BOB, method="DELETE")
    nginx.logged('access forbidden, member "bob@example.com"')
    audited(nginx, 20)
    assert nginx.error_log().count('rule "web.deny[0]"') == 20


CAPS = DECISIONS + """
log_format caps '[$tailgate_cap_web] [$tailgate_cap_plain] [$tailgate_cap_no]';
access_log @DIR@/caps.log caps;
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    add_header X-Cap "[$tailgate_cap_web]" always;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /web/off { tailgate_policy off; proxy_pass
                        http://127.0.0.1:@APP@; }
    location /optional {
        tailgate optional;
        proxy_set_header X-Cap "[$tailgate_cap_web]";
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /web/page { error_page 403 /page; proxy_pass
                         http://127.0.0.1:@APP@; }
    location /page { tailgate off; tailgate_policy off;
                     proxy_pass http://127.0.0.1:@APP@; }
}
"""


def test_capabilities_as_variables(world, policy):
    nginx = world.nginx(CAPS, POLICY=policy(POLICY))
    assert get(nginx.port, "/web", source=ALICE).header("X-Cap") == "[admin]"
    assert get(nginx.port, "/web", source=BOB).header("X-Cap") == "[viewer]"
    assert get(nginx.port, "/web/off", source=ALICE).header("X-Cap") == "[]"
    get(nginx.port, "/web/page", source=ALICE, method="DELETE")
    assert nginx.lines("caps.log", 4) == [
        "[admin] [admin] [-]", "[viewer] [-] [-]", "[-] [-] [-]",
        "[admin] [admin] [-]"]


def test_a_capability_is_no_way_in(world, policy):
    """Nobody who is never let in has one to show to an app."""

    nginx = world.nginx(CAPS, POLICY=policy(POLICY))
    world.devnet.ctl("expire", "alice-laptop")
    for source in (ALICE, EXPIRED, ROUTER, STRANGER):
        assert get(nginx.port, "/optional", source=source).seen(
            "X-Cap") == ["[]"], source


def test_one_connection_many_decisions(world, policy, tmp_path):
    """A request's variables are never those of the request before, nor of
    another stream."""

    crt, key = certificate(tmp_path)
    nginx = world.nginx(
        f"ssl_certificate {crt}; ssl_certificate_key {key};"
        + CAPS.replace("@PORT@;", "@PORT@ ssl http2;"), POLICY=policy(POLICY))
    with H2Client(nginx.port, source=BOB) as client:
        streams = [client.send(path, method=method) for path, method in
                   (("/web", "GET"), ("/else", "GET"), ("/web", "DELETE"),
                    ("/page", "GET")) * 10]
        client.wait(*streams)
    expected = {"/web": {("allow", "web.allow[0]"), ("deny", "web.deny[0]")},
                "/else": {("deny", "-")}, "/page": {("-", "-")}}
    seen = {}
    for entry in decisions(nginx, 40):
        seen.setdefault(entry["uri"], set()).add(
            (entry["decision"], entry["rule"]))
    assert seen == expected
    with Client(nginx.port, source=BOB, tls=True) as client:
        for path in ("/web", "/page", "/else", "/page"):
            client.get(path)
    assert [(entry["decision"], entry["route"], entry["cache"])
            for entry in decisions(nginx, 44)[40:]] == [
                ("allow", "web", "miss"), ("-", "-", "-"),
                ("deny", "-", "connection"), ("-", "-", "-")]


def test_the_snippet_is_the_one_that_is_documented():
    """Each field of a line is in the table of the page."""

    with open(os.path.join(ROOT, "conf", "nginx", "tailgate-log.conf"),
              encoding="utf-8") as f:
        fields = set(re.findall(r'"(\w+)":', f.read()))
    with open(os.path.join(ROOT, "docs", "nginx",
                           "ngx_http_tailgate_module.md"),
              encoding="utf-8") as f:
        page = f.read().split("## Audit")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in page.splitlines()
            if line.startswith("| `")]
    documented = {word for row in rows for word in row.split("`")[1::2]}
    assert fields == documented
