# Copyright (C) The Tailgate authors

"""What a client gets that is not let in, and when that is not for us to say."""

import re

import pytest

from conftest import ALICE, BOB, CAROL, CI, DECISIONS, STRANGER
from h2_test import H2Client
from tailgate_test import Client, certificate, get

POLICY = """
version: 1
contact: help@example.com
routes:
  - name: web
    hosts: [web]
    explain_denials: self
    contact: '"Ops" <b>&'
    allow: [{ user: alice@example.com }]
    deny: [{ user: bob@example.com, paths: [/bob] }]
  - name: quiet
    hosts: [quiet]
    allow: [{ user: alice@example.com }]
    deny: [{ user: bob@example.com, paths: [/bob] }]
"""

CONF = """
log_format ids '$request_id $status $tailgate_decision';
access_log @DIR@/ids.log ids;
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
"""

HTML = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
JSON = [("Accept", "application/json")]


@pytest.fixture
def nginx(world, policy):
    return world.nginx(CONF, POLICY=policy(POLICY))


def ids(nginx, n):
    return [line.split(" ")[0] for line in nginx.lines("ids.log", n)]


def test_check_32_page(nginx):
    """Who you are, which rule if the policy says so, whom to ask, and the
    number that the log has; escaped, not to be stored or framed."""

    answer = get(nginx.port, "/bob", HTML, source=BOB, host="web")
    assert answer.status == 403
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert int(answer.header("Content-Length")) == len(answer.body)
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-Frame-Options") == "DENY"
    assert "default-src 'none'" in answer.header("Content-Security-Policy")
    page = answer.body.decode("utf-8")
    assert "bob@example.com" in page
    assert "web.deny[0]" in page
    assert "&quot;Ops&quot; &lt;b&gt;&amp;" in page or "&#34;Ops" in page
    assert "<b>" not in page
    assert ids(nginx, 1)[0] in page
    for other in ("alice", "allow", "quiet", "help@example.com", "nginx"):
        assert other not in page


def test_check_32_nothing_of_the_policy(nginx):
    answer = get(nginx.port, "/bob", HTML, source=BOB, host="quiet")
    page = answer.body.decode("utf-8")
    assert "bob@example.com" in page
    assert "help@example.com" in page
    assert ids(nginx, 1)[0] in page
    for other in ("deny[0]", "quiet", "web", "alice"):
        assert other not in page
    answer = get(nginx.port, "/", HTML, source=STRANGER, host="web")
    page = answer.body.decode("utf-8")
    assert answer.status == 403
    assert ids(nginx, 2)[1] in page
    for other in ("deny", "alice", "bob", "rule"):
        assert other not in page


def test_check_32_escaping(world, nginx):
    """A name from the identity service is text, wherever it is shown."""

    world.devnet.ctl("name", "bob@example.com", "<script>alert(1)</script>")
    for headers in (HTML, JSON, []):
        answer = get(nginx.port, "/", headers, source=BOB, host="web")
        assert answer.status == 403
        if headers is HTML:
            assert b"<script" not in answer.body
    # nothing that the client sent comes back
    answer = get(nginx.port, "/<script>alert(2)</script>?<script>",
                 [*HTML, ("X-A", "<script>")], source=BOB, host="web")
    assert b"<script" not in answer.body


def test_stranger_denied_and_outage_differ(world, nginx):
    titles = []
    for source, stop in ((STRANGER, False), (CAROL, False), (ALICE, True)):
        if stop:
            world.devnet.stop()
        answer = get(nginx.port, "/", HTML, source=source, host="web")
        assert answer.status == (503 if stop else 403)
        assert answer.all("Retry-After") == (["5"] if stop else [])
        titles.append(re.search(b"<p>(.*?)</p>", answer.body).group(1))
    assert len(set(titles)) == 3


FORMS = [
    ("GET", HTML, 403, "text/html; charset=utf-8"),
    ("GET", JSON, 403, "application/problem+json"),
    ("GET", [], 403, "text/plain; charset=utf-8"),
    ("POST", [("Content-Type", "application/grpc+proto")], 200,
     "application/grpc"),
    ("PROPFIND", [], 403, "application/xml; charset=utf-8"),
    ("OPTIONS", [("Origin", "https://a"),
                 ("Access-Control-Request-Method", "PUT")], 403, None),
]


@pytest.mark.parametrize("method,headers,status,kind", FORMS)
def test_check_32_forms(world, nginx, method, headers, status, kind):
    for stop in (False, True):
        if stop:
            world.devnet.stop()
            status = 503 if status == 403 else 200
        with Client(nginx.port, source=BOB) as client:
            for _ in range(2):
                answer = client.request(method, "/", headers, host="web")
                assert answer.status == status
                assert answer.header("Content-Type") == kind
                assert answer.header("Cache-Control") == "no-store"
                assert answer.header("Content-Length") == str(
                    len(answer.body))
    if kind == "application/problem+json":
        assert answer.json()["status"] == 503
        assert answer.json()["request"] == ids(nginx, 4)[3]
    if kind == "application/grpc":
        assert answer.header("grpc-status") == "14"
        assert not answer.body
    if kind is None:
        assert not answer.body


def test_grpc_ends_where_it_says(world, policy):
    """Status 200 without a body is for no precondition and no filter: in
    HTTP/1 what follows on the connection is the next answer."""

    nginx = world.nginx(CONF.replace("location / {", """
    location /filtered {
        sub_filter a b;
        sub_filter_types *;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location / {"""), POLICY=policy(POLICY))
    grpc = ("Content-Type", "application/grpc")
    past = "Thu, 01 Jan 1970 00:00:00 GMT"
    with Client(nginx.port, source=BOB) as client:
        for path in ("/", "/filtered"):
            for header in (("If-Match", '"x"'), ("If-Unmodified-Since", past),
                           ("X", "y")):
                answer = client.request("POST", path, [grpc, header],
                                        host="web")
                assert (answer.status, answer.body) == (200, b"")
                assert answer.header("grpc-status") == "7"


def test_several_accept_headers_are_one(nginx):
    for lines in (["Accept: text/html;q=0.1", "Accept: application/json"],
                  ["Accept: application/json", "Accept: text/html;q=0.1"]):
        answer = get(nginx.port, "/", lines, source=BOB, host="web")
        assert answer.header("Content-Type") == "application/problem+json"


def test_head(nginx):
    with Client(nginx.port, source=BOB) as client:
        answer = client.request("HEAD", "/", HTML, host="web")
        length = int(answer.header("Content-Length"))
        assert answer.status == 403
        assert length == len(client.get("/", HTML, host="web").body) > 100


def test_http2(world, policy, tmp_path):
    """gRPC for real: one block of headers ends the stream."""

    crt, key = certificate(tmp_path)
    nginx = world.nginx(
        f"ssl_certificate {crt}; ssl_certificate_key {key};"
        + CONF.replace("@PORT@;", "@PORT@ ssl http2;"),
        POLICY=policy(POLICY.replace("hosts: [web]", "hosts: [localhost]")))
    with H2Client(nginx.port, source=BOB) as client:
        answer = client.get("/x.Y/Z", [("content-type", "application/grpc"),
                                       ("te", "trailers")], "POST")
        assert answer.status == 200
        assert answer.header("grpc-status") == "7"
        assert answer.body == b""
        answer = client.get("/", [("accept", "text/html")])
        assert answer.status == 403
        assert b"bob@example.com" in answer.body
        answer = client.get("/", [("accept", "text/html")], "HEAD")
        assert answer.status == 403
        assert answer.body == b""


def test_error_pages_come_first(world, policy):
    world.app = None
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / {
        error_page 403 /denied;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /only503 {
        error_page 503 /denied;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /any {
        satisfy any;
        auth_basic a;
        auth_basic_user_file @USERS@;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /guarded {
        error_page 403 /guarded/page;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /denied {
        tailgate off;
        return 403 "our own page, $tailgate_rule\\n";
    }
}""", POLICY=policy(POLICY), USERS=policy(""))
    answer = get(nginx.port, "/bob", HTML, source=BOB, host="web")
    assert (answer.status, answer.body) == (403,
                                            b"our own page, web.deny[0]\n")
    answer = get(nginx.port, "/only503", HTML, source=BOB, host="web")
    assert b"bob@example.com" in answer.body
    for path in ("/any", "/guarded"):
        answer = get(nginx.port, path, HTML, source=BOB, host="web")
        assert answer.status == (401 if path == "/any" else 403)
        assert b"<center>nginx" in answer.body
    world.devnet.stop()
    answer = get(nginx.port, "/only503", HTML, source=BOB, host="web")
    assert answer.body.startswith(b"our own page")
    answer = get(nginx.port, "/any", HTML, source=BOB, host="web")
    assert answer.status == 503
    assert b"<center>nginx" in answer.body


def test_the_built_in_rule_has_the_page_too(world):
    nginx = world.nginx(DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}""")
    answer = get(nginx.port, "/", JSON, source=CI)
    assert answer.status == 403
    assert answer.json()["tags"] == ["tag:ci", "tag:build"]
