# Copyright (C) The Tailgate authors

"""What another site, another host or another machine could try."""

import concurrent.futures
import json
import re

import pytest

from golink import (ADDRESSES, ADMIN, BAR, FOO, GROUPED, HTML, MACHINE,
                    OWN, SCRIPT, STRANGER, Links)
from network_test import own_network
from tailgate_test import get, wait_until

JSON = {"Content-Type": "application/json"}


@own_network(*ADDRESSES)
def test_other_sites(tmp_path):
    """A change needs an Origin of ours, or what no form can send."""

    with Links(tmp_path, "tailnet") as links:
        links.save("a", "http://a/")
        token = links.new_token()
        form = {"short": "b", "long": "http://b/", "xsrf": token}
        for origin in ("http://evil", "https://go", "http://go:8080", "null",
                       "http://go.evil", "http://gogo"):
            for headers in ({}, SCRIPT):
                answer = links.form("/", form, headers, origin=origin)
                assert answer.status == 403, origin
            answer = links.ask("PUT", "/api/v1/links/b",
                               {**JSON, "Origin": origin},
                               '{"url": "http://b/"}')
            assert answer.status == 403, origin
        # without an Origin
        assert links.form("/", form, origin=None).status == 403
        assert links.form("/.delete/a", form, origin=None).status == 403
        for site in ("cross-site", "same-site", "none"):
            answer = links.form("/", form, {"Sec-Fetch-Site": site})
            assert answer.status == 403, site
        answer = links.ask("POST", "/api/v1/import",
                           {"Content-Type": "text/csv"}, "b,http://b/\n")
        assert answer.status == 403
        assert links.get("/b").status == 404

        # GET changes nothing
        for target in ("/?short=b&long=http://b/", "/.delete/a",
                       f"/.delete/a?xsrf={token}", "/.rename/a?to=b",
                       "/.restore/a?seq=1"):
            links.get(target, SCRIPT)
        assert links.get("/b").status == 404
        assert links.get("/a").status == 302

        for origin in ("http://go", "http://go.example.ts.net"):
            answer = links.form("/", form, {"Sec-Fetch-Site": "same-origin"},
                                origin=origin)
            assert answer.status in (200, 303), (origin, answer)
        assert links.get("/b").status == 302


@own_network(*ADDRESSES)
def test_tokens(tmp_path):
    """A token is for one person, one path and one link; a restart of the
    daemon takes it."""

    with Links(tmp_path, "tailnet") as links:
        for name in ("a", "b"):
            links.save(name, "http://a/")
        token = links.token("a")
        form = {"short": "a", "long": "http://c/", "xsrf": token}
        assert links.form("/", {**form, "short": "b"}).status == 400
        assert links.form("/", form, who=ADMIN).status == 400
        assert links.form("/.delete/a", form).status == 400
        assert links.form("/.rename/a", {**form, "to": "x"}).status == 400
        for bad in (token[:-1], token + "0", ":", "",
                    ("x" if token[0] != "x" else "y") + token[1:],
                    token.split(":")[0], token.split(":")[0] + ":0",
                    token.split(":")[0] + ":99999999999"):
            assert links.form("/", {**form, "xsrf": bad}).status == 400, bad
        links.restart()
        assert links.form("/", form).status == 200
        token = links.token("a", action="/.rename/")
        answer = links.form("/.rename/a", {"to": "x", "keep": "yes",
                                           "xsrf": token})
        assert answer.status == 200
        assert links.get("/x").header("Location") == "http://c/"
        assert links.get("/a").header("Location") == "http://c/"


@own_network(*ADDRESSES)
def test_hosts(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        links.save("a", "http://a/")
        for host in ("evil", "go.evil", "go:8080", OWN, "", "xgo"):
            assert links.get("/a", host=host).status in (400, 421), host
        for host in ("go", "GO", "go:80", "go.example.ts.net",
                     "go.example.ts.net:443", "host.example"):
            assert links.get("/a", host=host).status == 302, host


@pytest.mark.parametrize("way", ["tailnet", "nginx"])
def test_who_may_follow(way, tmp_path):

    @own_network(*ADDRESSES)
    def run():
        with Links(tmp_path, way) as links:
            links.save("a", "http://a/")
            assert links.get("/a", who=MACHINE).status == 302
            assert links.get("/.all", who=MACHINE).status == 200
            assert links.get("/.all", who=STRANGER).status == 403
            answer = links.get("/", HTML, who=MACHINE).body.decode()
            assert 'name="xsrf"' not in answer

            # nobody is believed about somebody else
            claims = {"Remote-Addr": ADMIN, "Remote-Port": "1",
                      "X-Forwarded-For": ADMIN,
                      "Tailscale-User-Login": "bar@example.com"}
            answer = links.save("b", "http://b/", {**SCRIPT, **claims})
            assert answer.json()["Owner"] == "foo@example.com"

    run()


@own_network(*ADDRESSES)
def test_strangers(tmp_path):
    """Where they may follow links, that is all that they may."""

    with Links(tmp_path, "tailnet", "  strangers: yes") as links:
        links.save("wiki", "http://secret/")
        links.save("me", "http://secret/{{.User}}")

        def ask(method, target, headers=(), body=""):
            return links.ask(method, target, headers, body, who=STRANGER)

        assert ask("GET", "/wiki/p").header("Location") == "http://secret/p"
        assert ask("GET", "/me", HTML).status == 401
        for target in ("/", "/.all", "/.popular", "/.recent", "/.mine",
                       "/.search?q=w", "/.help", "/.detail/wiki",
                       "/.history/wiki", "/.export", "/.export-stats",
                       "/.metrics", "/api/v1/links", "/api/v1/links/wiki",
                       "/api/v1/export", "/api/v1/suggest?q=w",
                       "/api/v1/resolve?path=/wiki"):
            for headers in ((), HTML):
                answer = ask("GET", target, headers)
                assert answer.status == 403, target
                assert b"secret" not in answer.body
        for method, target, body in (
                ("PUT", "/api/v1/links/x", '{"url": "http://x/"}'),
                ("DELETE", "/api/v1/links/wiki", ""),
                ("POST", "/?short=x&long=http://x/", ""),
                ("POST", "/.delete/wiki", "")):
            assert ask(method, target, {**JSON, **SCRIPT}, body).status == 403
        # nothing is near for who may not look
        page = ask("GET", "/wikki", HTML)
        assert page.status == 404 and b"secret" not in page.body
        assert b"<form" not in page.body.split(b"<main")[1]


@own_network(*ADDRESSES)
def test_proxy_socket(tmp_path):
    with Links(tmp_path, "nginx") as links:
        for headers, status in (
                ([], 400), ([("Remote-Addr", FOO)], 400),
                ([("Remote-Addr", FOO), ("Remote-Addr", BAR),
                  ("Remote-Port", 1)], 400),
                ([("Remote-Addr", "192.0.2.1"), ("Remote-Port", 1)], 403),
                ([("Remote-Addr", FOO), ("Remote-Port", 1),
                  ("Tailgate-Local-Addr", "192.0.2.1")], 403),
                ([("Remote-Addr", FOO), ("Remote-Port", 1)], 404)):
            assert get(links.socket, "/none", headers,
                       host="go").status == status, headers

        # TLS is where the proxy says so
        who = [("Remote-Addr", FOO), ("Remote-Port", 1)]
        tls = [*who, ("X-Forwarded-Proto", "https")]
        hsts = "Strict-Transport-Security"
        host = "go.example.ts.net"
        assert get(links.socket, "/", who, host=host).header(hsts) is None
        assert get(links.socket, "/", tls, host=host).header(hsts)
        assert get(links.socket, "/", tls, host="go").header(hsts) is None


@own_network(*ADDRESSES)
def test_https(tmp_path):
    with Links(tmp_path, "tailnet", "  https: [host.example]") as links:
        answer = links.get("/?query=bar", host="host.example")
        assert (answer.status, answer.header("Location")) \
            == (302, "https://host.example/?query=bar")
        assert links.get("/", host="go").status == 200


@own_network(*ADDRESSES)
def test_owners(tmp_path):
    """Several owners, groups, anyone."""

    with Links(tmp_path, "tailnet", "  admins: ['group:docs']") as links:
        def put(name, body, who=FOO):
            return links.ask("PUT", f"/api/v1/links/{name}", JSON, body,
                             who=who).status

        assert put("a", '{"url": "http://a/"}') == 201
        assert put("a", '{"url": "http://b/"}', BAR) == 403
        assert put("a", '{"owners": ["bar@example.com"]}') == 200
        assert put("a", '{"url": "http://b/"}', BAR) == 200
        assert put("b", '{"url": "http://a/", "anyone": true}') == 201
        assert put("b", '{"url": "http://b/"}', BAR) == 200
        assert put("b", '{"owner": "bar@example.com"}', BAR) == 403
        assert put("b", '{"anyone": false}', BAR) == 403
        # who could do these would own it in two steps
        for method, target, body in (
                ("DELETE", "/api/v1/links/b", ""),
                ("POST", "/api/v1/links/b/rename", '{"to": "b2"}'),
                ("POST", "/api/v1/links/b/restore", '{"seq": 1}')):
            answer = links.ask(method, target, JSON, body, who=BAR)
            assert answer.status == 403, (method, target, answer)
        assert b"/.delete/b" in links.get("/.detail/b", HTML).body
        shown = links.get("/.detail/b", HTML, who=BAR).body
        assert b'name="long"' in shown and b"/.delete/b" not in shown
        assert links.ask("DELETE", "/api/v1/links/b", JSON, "",
                         who=FOO).status == 204
        answer = links.ask("POST", "/api/v1/links/b/restore", JSON,
                           '{"seq": 1}', who=BAR)
        assert answer.status == 403, answer
        assert put("c", '{"url": "http://a/", "owners": ["group:docs"]}') \
            == 201
        assert put("c", '{"url": "http://b/"}', GROUPED) == 200
        # an admin by authd.yaml
        assert put("d", '{"url": "http://a/"}') == 201
        assert put("d", '{"url": "http://b/"}', GROUPED) == 200


POLICY = """
version: 1
routes:
  - name: machines
    hosts: [go]
    allow:
      - { tag: tag:ci, paths: [/api/v1/links/ci-*] }
"""


@own_network(*ADDRESSES)
def test_machines(tmp_path):
    """A machine writes where a policy file lets it, and owns nothing."""

    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    with Links(tmp_path, "tailnet", policy=policy) as links:
        def put(name, body):
            return links.ask("PUT", f"/api/v1/links/{name}", JSON, body,
                             who=MACHINE).status

        url = '"url": "http://a/"'
        assert put("x", f'{{{url}, "owner": "foo@example.com"}}') == 401
        assert put("ci-x", f"{{{url}}}") == 422
        assert put("ci-x", f'{{{url}, "owner": "foo@example.com"}}') == 201
        assert put("ci-x", '{"url": "http://b/"}') == 200
        link = links.get("/api/v1/links/ci-x").json()
        assert link["owner"] == "foo@example.com"

        # what policy allows is a path: no other link by another spelling
        links.save("civic", "http://a/")
        assert put("ci-vic", '{"url": "http://b/"}') == 403
        assert put("ci-y", f'{{{url}, "name": "civic"}}') == 422
        for name in ("ci-vic", "ci--x"):
            answer = links.ask("DELETE", f"/api/v1/links/{name}", JSON, "",
                               who=MACHINE)
            assert answer.status == 403, answer
        assert links.get("/civic").header("Location") == "http://a/"
        assert links.get("/cix").header("Location") == "http://b/"


@own_network(*ADDRESSES)
def test_long_searches(tmp_path):
    """A look at all links leaves room for others between its steps."""

    with Links(tmp_path, "tailnet") as links:
        url = "http://x/" + "y" * 8000
        lines = "".join(json.dumps({"Short": f"l{n:03}", "Long": url}) + "\n"
                        for n in range(900))
        assert links.ask("POST", "/api/v1/import", {
            **SCRIPT, "Content-Type": "application/x-ndjson"}, lines).status \
            == 200

        def steps():
            text = links.get("/.metrics").body.decode()
            return int(re.search(r"^tailgate_links_steps_total (\d+)$", text,
                                 re.M).group(1))

        def look(target):
            """How many steps it takes, and whether another was answered in
            the midst."""

            first = steps()
            with concurrent.futures.ThreadPoolExecutor(1) as thread:
                looking = thread.submit(links.get, target)
                counts = {steps()}
                while not looking.done():
                    counts.add(steps())
                answer = looking.result()
            last = steps()
            assert answer.status == 200 and last - first >= 5
            midst = any(first < count < last for count in counts)
            return answer, midst

        for target, n in (("/api/v1/links?q=yyyx", 0), ("/.search?q=yyyx", 0),
                          ("/api/v1/suggest?q=YYYY", 10),
                          ("/.export", 900)):
            for _ in range(50):
                answer, midst = look(target)
                assert len(re.findall(b"l[0-9]{3}", answer.body)) >= n
                if midst:
                    break
            assert midst, target
        assert links.get("/.export").body.count(b"\n") == 900


@own_network(*ADDRESSES)
def test_expiry(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        for day, status in (("2000-01-01", 410), ("2999-01-01", 302)):
            assert links.ask(
                "PUT", "/api/v1/links/a", JSON,
                f'{{"url": "http://a/", "expires": "{day}T00:00:00Z"}}'
            ).status in (200, 201)
            assert links.get("/a").status == status


@own_network(*ADDRESSES)
def test_clicks_are_kept(tmp_path):
    """By an end of the daemon; and unknown names fill no memory."""

    with Links(tmp_path, "tailnet") as links:
        links.save("a", "http://a/")
        for _ in range(7):
            links.get("/a")
        links.restart()
        assert links.get("/api/v1/links/a").json()["clicks"] == 7
        for n in range(300):
            links.get(f"/n{n}")
        text = links.get("/.metrics").body.decode()
        assert len(re.findall("^golink_not_found_total", text, re.M)) == 128
        assert "tailgate_links_unknown_total 300" in text


@own_network(*ADDRESSES)
def test_addresses_change(tmp_path):
    """The node's own address comes when tailscaled has it, and goes."""

    with Links(tmp_path, "tailnet") as links:
        links.save("a", "http://a/")
        status = links.localapi.status
        links.localapi.status = {
            **status, "TailscaleIPs": [GROUPED],
            "Self": {**status["Self"], "TailscaleIPs": [GROUPED]}}

        def moved():
            try:
                return get((GROUPED, links.port), "/a", host="go",
                           source=FOO).status == 302
            except OSError:
                return False

        wait_until(moved, 30, "the new address is listened on")
        with pytest.raises(OSError):
            links.get("/a")
