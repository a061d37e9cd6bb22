# Copyright (C) The Tailgate authors

"""What somebody sees who may not pass, through the proxies that pass an answer
on. What each form says is test_denial.c's."""

import html.parser
import json
import re
import xml.etree.ElementTree

import pytest

from authd import ALICE, CONF, Authd, forwarded, original
from policy import ALL, BODY, POLICY, Policed, peer
from tailgate_test import Client

EXPLAINS = POLICY.replace("contact:", "explain_denials: self\ncontact:") + """
    deny:
      - { paths: [/secret] }
"""

BROWSER = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,"
           "*/*;q=0.8")
PREFLIGHT = [("Origin", "https://app.corp"),
             ("Access-Control-Request-Method", "DELETE")]

# form: method, the client's headers, media type, status of a denial
FORMS = {
    "page": ("GET", [BROWSER], "text/html; charset=utf-8"),
    "json": ("GET", [("Accept", "application/json")],
             "application/problem+json"),
    "text": ("GET", [("Accept", "*/*")], "text/plain; charset=utf-8"),
    "webdav": ("PROPFIND", [("Depth", "0")],
               "application/xml; charset=utf-8"),
    "grpc": ("POST", [("Content-Type", "application/grpc+proto")],
             "application/grpc"),
    "preflight": ("OPTIONS", PREFLIGHT, None),
}


@pytest.fixture
def authd(tmp_path, localapi):
    with Policed(tmp_path, localapi.path, EXPLAINS) as daemon:
        yield daemon


class Page(html.parser.HTMLParser):
    """The texts of a page, and what it would make a browser do."""

    def __init__(self, body):
        super().__init__()
        self.texts, self.tags = [], []
        self.feed(body.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())


def texts(form, answer):
    """Everything that an answer says, as one text."""

    if form == "page":
        return " / ".join(Page(answer.body).texts)
    if form == "json":
        return json.dumps(json.loads(answer.body), ensure_ascii=False)
    if form == "webdav":
        root = xml.etree.ElementTree.fromstring(answer.body)
        assert root.tag == "{DAV:}error"
        return " / ".join(element.text for element in root)
    if form == "grpc":
        return answer.header("grpc-message")
    return answer.body.decode("utf-8")


@pytest.mark.parametrize("dialect", BODY)
@pytest.mark.parametrize("form", FORMS)
def test_check_32_forms(authd, dialect, form):
    """The right form, its id that of the line, and never a 2xx: a proxy would
    take gRPC's 200 for an allow."""

    method, headers, media = FORMS[form]
    before = len(authd.audit())
    answer = authd.ask(dialect, method, uri="/secret", more=headers)
    line = authd.decided(before)

    assert answer.status == line["code"] == 403
    assert answer.header("Content-Type") == media
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    for name in ("Cache-Control", "Content-Type", "X-Content-Type-Options"):
        assert [n.lower() for n, _ in answer.headers].count(
            name.lower()) == (media is not None or name != "Content-Type")

    if form == "preflight":
        assert answer.body == b""
        return
    said = texts(form, answer)
    assert line["id"] in said
    if form == "grpc":
        assert answer.header("grpc-status") == "7" and answer.body == b""
        return
    assert "alice@example.com" in said and "it@example.com" in said
    assert "wiki.deny[0]" in said


@pytest.mark.parametrize("form", FORMS)
def test_check_32_outage(authd, localapi, form):
    method, headers, media = FORMS[form]
    localapi.answer = lambda *_: (500, "no")
    answer = authd.ask("traefik", method, more=headers)
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert answer.header("Content-Type") == media
    if form != "preflight":
        said = texts(form, answer)
        assert authd.decided()["id"] in said and "alice" not in said
    if form == "grpc":
        assert answer.header("grpc-status") == "14"


def test_check_32_page(authd):
    """Nothing of it runs, loads or is framed."""

    answer = authd.ask("traefik", uri="/secret", more=[BROWSER])
    page = Page(answer.body)
    assert not {tag for tag, _ in page.tags} & {
        "script", "img", "iframe", "form", "object", "embed", "link"}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), tag
            if name in ("href", "src"):
                assert value == "mailto:it@example.com"
    csp = answer.header("Content-Security-Policy")
    assert csp.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in csp
    assert answer.header("X-Frame-Options") == "DENY"
    assert ("html", {"lang": "en"}) in page.tags
    assert "prefers-color-scheme" in answer.body.decode() \
        or "color-scheme: light dark" in answer.body.decode()


@pytest.mark.parametrize("form", ["page", "json", "webdav", "text"])
def test_check_32_escaped(authd, localapi, form):
    """A name that is markup is a name."""

    evil = "</dd><script>alert('1')</script> \"&amp;"
    localapi.answer = lambda *_: (200, {**ALICE, "UserProfile": {
        **ALICE["UserProfile"], "DisplayName": evil}})
    method, headers, _ = FORMS[form]
    answer = authd.ask("traefik", method, uri="/secret", more=headers)
    assert answer.status == 403
    if form != "text":
        assert b"<script" not in answer.body
    if form == "json":
        assert json.loads(answer.body)["name"] == evil
    elif form == "page":
        # the parser gives a text in pieces
        assert evil.replace(" ", "") in "".join(
            Page(answer.body).texts).replace(" ", "")
    else:
        assert evil in texts(form, answer)


@pytest.mark.parametrize("form", ["page", "json", "webdav", "text", "grpc"])
def test_check_32_own_identity_only(tmp_path, localapi, form):
    """Without explain_denials no word of the policy; with it none to whom
    nobody knows."""

    method, headers, _ = FORMS[form]
    with Policed(tmp_path, localapi.path,
                 EXPLAINS.replace("self", "never")) as authd:
        for uri, host in (("/secret", "wiki.corp"), ("/", "other.corp")):
            answer = authd.ask("caddy", method, host, uri, more=headers)
            assert answer.status == 403
            said = texts(form, answer)
            assert not re.search(r"wiki|\[0\]|rule denies|no route", said)
            assert "allow this request" in said

        authd.write(EXPLAINS)
        authd.reload()
        answer = authd.ask("caddy", method, uri="/secret",
                           address="100.64.0.5", more=headers)
        said = texts(form, answer)
        assert not re.search(r"alice|wiki|\[0\]", said)


STATES = {
    "expired": ({"Expired": True}, "The key of this device has expired"),
    "unauthorized": ({"MachineAuthorized": False},
                     "This device has not been approved"),
    "unsigned": ({"UnsignedPeerAPIOnly": True},
                 "This device has not been signed"),
    "tagged": ({"Tags": ["tag:ci"]}, "You may not do this"),
}


@pytest.mark.parametrize("state", STATES)
def test_check_32_what_to_do(authd, localapi, state):
    node, title = STATES[state]
    localapi.answer = lambda *_: (200, peer(**node))
    answer = authd.ask("traefik", more=[BROWSER])
    assert answer.status == 403
    assert authd.decided()["status"] == state
    assert title in Page(answer.body).texts


def test_stranger_and_raw_path(authd):
    answer = authd.ask("traefik", address="100.64.0.5", more=[BROWSER])
    assert "You are not on the tailnet" in Page(answer.body).texts
    answer = authd.ask("traefik", uri="/a;b", more=[BROWSER])
    assert "This request was refused" in Page(answer.body).texts
    assert 'the path holds a ";"' in Page(answer.body).texts


def test_several_accepts(authd):
    """Several headers are one list."""

    answer = authd.ask("caddy", uri="/secret", more=[
        ("Accept", "text/html;q=0.2"), ("Accept", "application/json;q=0.9")])
    assert answer.header("Content-Type") == "application/problem+json"


@pytest.mark.parametrize("accept", [
    "text/html" + ",a/b" * 4000, ";" * 5000, "," * 5000, "text/html;q=" * 900,
    'text/html;x="\xff,', "*/*;q=\t0"])
def test_odd_accept(authd, accept):
    assert authd.ask("caddy", uri="/secret",
                     more=[("Accept", accept)]).status == 403


def test_nginx_gets_a_text(authd):
    """auth_request throws the body away."""

    answer = authd.ask("nginx", uri="/secret", more=[BROWSER])
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("dialect", ALL)
def test_without_a_policy_file(tmp_path, localapi, dialect):
    """The built-in rule denies in the same forms, and says why."""

    with Authd(tmp_path, localapi.path,
               CONF + "peers: [tagged]\n") as authd, \
            Client(authd.socket) as client:
        if dialect == "envoy":
            answer = client.get("/v1/auth/envoy/headers=off/",
                                [("X-Forwarded-For", "100.64.0.4"), BROWSER])
        elif dialect in ("nginx", "haproxy"):
            headers = original()
            if dialect == "haproxy":
                headers = [*headers[:2], *forwarded()[1:]]
            answer = client.get(f"/v1/auth/{dialect}", [*headers, BROWSER])
        else:
            answer = client.get(f"/v1/auth/{dialect}",
                                [*forwarded(), BROWSER])
        assert answer.status == 403
        line = authd.decided()
        assert line["reason"] == "builtin" and "policy" not in line
        said = answer.body.decode()
        assert line["id"] in said and line["why"] in said
        assert ("<html" in said) == (dialect != "nginx")
