# Copyright (C) The Tailgate authors

"""/v1/whoami: the caller, and nobody else, sees who they are."""

import base64
import hashlib
import html.parser
import re

import pytest

from authd import ALICE, CONF, Authd, remote

PAGE = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]


class Text(html.parser.HTMLParser):
    """The cells of the page, and every element that it has."""

    def __init__(self, page):
        super().__init__()
        self.cells = []
        self.tags = []
        self.attributes = []
        self.open = False
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("td", "th"):
            self.cells.append("")
            self.open = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.open = False

    def handle_data(self, data):
        if self.open:
            self.cells[-1] += data

    def rows(self):
        return list(zip(self.cells[::2], self.cells[1::2]))


def test_json(authd):
    answer = authd.get("/v1/whoami", remote("100.64.0.4"))
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    seen = answer.json()
    assert seen.pop("reason")
    assert re.fullmatch("[0-9a-f]{16}", seen.pop("request"))
    assert seen == {
        "status": "member", "verdict": "allow", "source": "100.64.0.4:40001",
        "login": "alice@example.com", "user": "alice",
        "name": "Alice Ångström", "picture": "https://pics.example/alice.png",
        "groups": [], "tags": [], "node": "alice-laptop.tail.example",
        "node_id": "n4", "node_addr": "100.64.0.4",
        "tailnet": "tail.example", "os": "linux", "os_version": "6.1.0",
        "key_expiry": 0}


def test_page(authd):
    answer = authd.get("/v1/whoami", remote("100.64.0.4") + PAGE)
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    page = Text(answer.body)
    rows = dict(page.rows())
    assert rows["Login"] == "alice@example.com"
    assert rows["Name"] == "Alice Ångström"
    assert rows["May pass"] == "yes"
    assert rows["Request"] == authd.decided()["id"]
    # nothing of it is fetched from elsewhere, nothing runs
    assert not {"script", "img", "link", "iframe", "a", "form"} & set(
        page.tags)
    assert not [name for name, _ in page.attributes
                if name in ("src", "href", "style") or name.startswith("on")]


@pytest.mark.parametrize("headers", [[], PAGE], ids=["json", "page"])
def test_check_33_headers(authd, headers):
    """Not stored, not framed; the style is the only thing that is let."""

    answer = authd.get("/v1/whoami", remote("100.64.0.4") + headers)
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Vary") == "Accept"
    assert answer.header("X-Frame-Options") == "DENY"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "no-referrer"
    policy = dict(part.strip().split(" ", 1) for part in
                  answer.header("Content-Security-Policy").split(";"))
    assert policy["frame-ancestors"] == "'none'"
    assert policy["default-src"] == "'none'"
    assert answer.header("Access-Control-Allow-Origin") is None
    assert answer.header("Set-Cookie") is None
    if headers:
        style = re.search(b"<style>(.*)</style>", answer.body, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
        assert policy["style-src"] == f"'sha256-{digest}'"


EVIL = "<script>alert(1)</script>\"'&"


def test_check_32_escaped(authd, localapi):
    """Whatever a peer is called is text."""

    localapi.answer = lambda *_: (200, {
        **ALICE, "Node": {**ALICE["Node"], "Tags": []},
        "UserProfile": {**ALICE["UserProfile"], "DisplayName": EVIL,
                        "Groups": [f"group:{EVIL}", "</table>"]}})
    answer = authd.get("/v1/whoami", remote("100.64.0.4") + PAGE)
    assert b"<script" not in answer.body
    assert answer.body.count(b"</table>") == 1
    assert Text(answer.body).rows()[1:4] == [
        ("Name", EVIL), ("Groups", f"group:{EVIL}"), ("", "</table>")]

    answer = authd.get("/v1/whoami", remote("100.64.0.4"))
    assert answer.json()["name"] == EVIL


def test_check_07_tagged(authd, localapi):
    """A machine has no name, whatever the profile says."""

    localapi.answer = lambda *_: (200, {
        **ALICE, "Node": {**ALICE["Node"], "Tags": ["tag:ci"]},
        "UserProfile": {"ID": 7, "LoginName": "tagged-devices",
                        "DisplayName": "Tagged Devices"}})
    seen = authd.get("/v1/whoami", remote("100.64.0.4")).json()
    assert (seen["status"], seen["verdict"]) == ("tagged", "deny")
    assert seen["tags"] == ["tag:ci"]
    assert not {"login", "user", "name", "picture"} & set(seen)


def test_stranger(authd):
    """Nobody, and why; by an address that a proxy states."""

    seen = authd.get("/v1/whoami", remote("10.1.2.3")).json()
    assert (seen["status"], seen["verdict"]) == ("stranger", "deny")
    assert "tailnet address" in seen["detail"]
    assert "login" not in seen
    rows = dict(Text(authd.get("/v1/whoami", remote("10.1.2.3")
                               + PAGE).body).rows())
    assert rows["May pass"] == "no"


@pytest.mark.parametrize("target, headers, status", [
    ("/v1/whoami", [], 400),
    ("/v1/whoami", [("Remote-Addr", "100.64.0.4")], 400),
    ("/v1/whoami", remote("alice"), 400),
    ("/v1/whoami", remote("100.64.0.4") + remote("100.64.0.4"), 400),
    ("/v1/whoami", [("X-Forwarded-For", "100.64.0.4")], 400),
    ("/v1/whoami?source=forwarded", [("X-Forwarded-For", "100.64.0.4")],
     200),
    ("/v1/whoami?source=forwarded", [("X-Forwarded-For",
                                      "100.64.0.4, 100.64.0.5")], 200),
    # a client whose query a proxy passes on names nobody
    ("/v1/whoami?source=forwarded", [
        ("X-Forwarded-For", "100.64.0.4"), *remote("100.64.0.5")], 400),
    ("/v1/whoami?source=remote", remote("100.64.0.4"), 200),
    ("/v1/whoami?addr=100.64.0.9", remote("100.64.0.4"), 200),
])
def test_check_33_caller_only(authd, target, headers, status):
    answer = authd.get(target, headers)
    assert answer.status == status
    if status == 200 and "100.64.0.5" not in str(headers):
        assert answer.json()["login"] == "alice@example.com"
    else:
        assert b"alice@example.com" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS",
                                    "PATCH", "PROPFIND"])
def test_method(authd, method):
    answer = authd.get("/v1/whoami", remote("100.64.0.4"), method=method)
    assert answer.status == 405
    assert answer.header("Allow") == "GET, HEAD"


def test_policy_none(tmp_path, localapi):
    """It tells who one is, also where nobody may pass."""

    with Authd(tmp_path, localapi.path,
               CONF.replace("policy: member", "policy: none")) as authd:
        seen = authd.get("/v1/whoami", remote("100.64.0.4")).json()
    assert seen["login"] == "alice@example.com"
    assert seen["verdict"] == "deny" and "no policy" in seen["reason"]
