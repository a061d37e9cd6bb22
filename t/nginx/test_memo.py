# Copyright (C) The Tailgate authors

"""What is kept with a peer: nobody gets another's headers, another location's,
or a decision that was made for another request or another time. All sources
are tailnet addresses, whose answers are kept, and each thing is asked for on
one connection and by other requests before."""

import time

import pytest

from network_test import own_network
from tailgate_test import Client, Devnet, Echo, Nginx, wait_until

PEOPLE = """
tailnet: tail.example
users:
  - login: alice@example.com
    name: Alice Baker
    groups: [eng]
  - login: bob@example.com
    name: Bob
self:
  name: web1
  address: 100.64.0.1
  user: alice@example.com
nodes:
  - name: alice-laptop
    address: 100.64.0.4
    user: alice@example.com
    os: macOS
  - name: bob-phone
    address: 100.64.0.5
    user: bob@example.com
    os: iOS
"""

SELF, ALICE, BOB = "100.64.0.1", "100.64.0.4", "100.64.0.5"
OWN = own_network(SELF, ALICE, BOB)

RULES = """
tailgate_localapi unix:@LOCALAPI@;
server {
    listen 100.64.0.1:@PORT@;
    tailgate on;
    %s
}
"""


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    """Starts devnet, the app and nginx with these locations; gives nginx and
    what makes a connection."""

    started = []

    def site(locations, **values):
        devnet = Devnet(tmp_path, PEOPLE)
        app = Echo()
        started.extend([devnet, app])
        devnet.__enter__()
        app.__enter__()
        nginx = Nginx(tmp_path, RULES % locations, LOCALAPI=devnet.socket,
                      APP=app.port, **values)
        started.append(nginx)
        nginx.__enter__()
        nginx.devnet = devnet
        warm(nginx)
        return nginx

    yield site

    while started:
        started.pop().__exit__(None, None, None)


CACHE = """
    location = /cache {
        tailgate_allow autogroup=member;
        add_header X-Cache $tailgate_cache;
        empty_gif;
    }
"""


def warm(nginx):
    for source in ALICE, BOB:
        with connect(nginx, source) as client:
            wait_until(lambda: client.get("/cache").header("X-Cache")
                       == "hit", 20, "a hit")


def connect(nginx, source=ALICE):
    return Client((SELF, nginx.port), source)


def seen(client, target, name, **more):
    """What the app got as that header."""

    answer = client.get(target, **more)
    assert answer.status == 200, answer
    return answer.seen(name)


@OWN
def test_headers_of_each_location(site):
    """Two locations with other profiles, for two peers, in turns."""

    nginx = site(CACHE + """
        location /a/ {
            tailgate_headers remote-user;
            proxy_pass http://127.0.0.1:@APP@;
        }
        location /b/ {
            tailgate_headers grafana;
            proxy_pass http://127.0.0.1:@APP@;
        }
        location /c/ { proxy_pass http://127.0.0.1:@APP@; }
        location /d/ {
            tailgate off;
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)
    with connect(nginx) as alice, connect(nginx, BOB) as bob:
        for _ in range(4):
            for client, who in (alice, "alice"), (bob, "bob"):
                mail = [f"{who}@example.com"]
                assert seen(client, "/a/", "remote-user") == mail
                assert seen(client, "/a/", "x-webauth-user") == []
                assert seen(client, "/b/", "x-webauth-user") == mail
                assert seen(client, "/b/", "remote-user") == []
                for place in "/c/", "/d/":
                    assert seen(client, place, "remote-user") == []
                    assert seen(client, place, "x-webauth-user") == []


@OWN
def test_more_locations_than_are_kept(site):
    """Of the seventeenth location everything is made as of the first."""

    nginx = site(CACHE + "".join(f"""
        location /{i}/ {{
            tailgate_headers remote-user;
            tailgate_set_header X-Place place{i};
            proxy_pass http://127.0.0.1:@APP@;
        }}
        location /only{i}/ {{
            tailgate_deny method=PUT;
            tailgate_headers remote-user;
            proxy_pass http://127.0.0.1:@APP@;
        }}""" for i in range(15)))
    with connect(nginx) as alice:
        for _ in range(3):
            for i in range(15):
                assert seen(alice, f"/{i}/", "x-place") == [f"place{i}"]
                assert seen(alice, f"/only{i}/", "remote-user") == [
                    "alice@example.com"]
                assert alice.request("PUT", f"/only{i}/").status == 403


@OWN
def test_redirects(site):
    """An internal redirect takes the headers back, and is judged anew."""

    nginx = site(CACHE + """
        location /from/ {
            tailgate_headers remote-user;
            try_files /nothing /to/;
        }
        location /to/ {
            tailgate_headers grafana;
            proxy_pass http://127.0.0.1:@APP@;
        }
        location /away/ {
            tailgate_headers remote-user;
            try_files /nothing /closed/;
        }
        location /closed/ {
            tailgate_deny user=alice@example.com;
            tailgate_allow autogroup=member;
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)
    with connect(nginx) as alice, connect(nginx, BOB) as bob:
        for _ in range(3):
            assert seen(alice, "/from/", "remote-user") == []
            assert seen(alice, "/from/", "x-webauth-user") == [
                "alice@example.com"]
            assert alice.get("/away/").status == 403
            assert seen(bob, "/away/", "remote-user") == []


@OWN
def test_subrequests(site):
    """A part of a page is judged, and has headers, as its own location says,
    by its own path and method."""

    nginx = site(CACHE + """
        location = /page {
            tailgate_headers remote-user;
            ssi on;
            ssi_types *;
            default_type text/html;
            alias @DIR@/page.html;
        }
        location /part/ {
            tailgate_headers grafana;
            proxy_set_header Accept-Encoding "";
            proxy_pass http://127.0.0.1:@APP@;
        }
        location /shut/ {
            tailgate_deny os=iOS;
            tailgate_allow autogroup=member;
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)
    with open(nginx.path("page.html"), "w", encoding="ascii") as page:
        page.write('<!--#include virtual="/part/x" -->'
                   '<!--#include virtual="/shut/x" -->')
    with connect(nginx) as alice, connect(nginx, BOB) as bob:
        for _ in range(3):
            body = alice.get("/page").body.decode("utf-8")
            assert "alice@example.com" in body and "403" not in body
            assert "remote-user" not in body
            body = bob.get("/page").body.decode("utf-8")
            assert "bob@example.com" in body and "403 Forbidden" in body


@OWN
def test_subrequests_of_a_plain_page(site):
    """Where the page itself has no headers its parts begin with the client's
    list, which is the page's and that of all parts."""

    nginx = site(CACHE + """
        location = /page {
            ssi on;
            ssi_types *;
            default_type text/html;
            alias @DIR@/page.html;
        }
        location /part/ {
            tailgate_headers remote-user;
            proxy_set_header Accept-Encoding "";
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)
    with open(nginx.path("page.html"), "w", encoding="ascii") as page:
        page.write('[<!--#include virtual="/part/x" -->,'
                   '<!--#include virtual="/part/y" -->]')
    with connect(nginx) as alice:
        for _ in range(3):
            for part in alice.get("/page").json():
                assert part["headers"]["remote-user"] == ["alice@example.com"]


@OWN
def test_method_and_host(site, tmp_path):
    """A decision is for its method, its host, and what may be another one."""

    policy = tmp_path / "policy.yaml"
    policy.write_text("""
version: 1
routes:
  - name: read
    hosts: [read.corp]
    method_override: refuse
    allow: [{ user: "*@example.com", methods: read }]
  - name: write
    hosts: [write.corp]
    allow: [{ user: "*@example.com" }]
    deny: [{ user: bob@example.com }]
""", encoding="utf-8")
    nginx = site(CACHE + f"""
        location /app/ {{
            tailgate_policy {policy};
            proxy_pass http://127.0.0.1:@APP@;
        }}
    """)
    with connect(nginx) as alice, connect(nginx, BOB) as bob:

        def status(client, host, method="GET", path="/app/x", headers=()):
            return client.request(method, path, headers, host=host).status

        for _ in range(4):
            assert status(alice, "read.corp") == 200
            assert status(alice, "read.corp", "DELETE") == 403
            assert status(alice, "write.corp", "DELETE") == 200
            assert status(alice, "nowhere.corp") == 403
            assert status(bob, "read.corp") == 200
            assert status(bob, "write.corp") == 403
            # the same but for what no decision is kept for
            assert status(alice, "read.corp", path="/app/y/%2e%2e/x") == 403
            assert status(alice, "read.corp", path="/app/x;y") == 403
            assert status(alice, "read.corp", headers=[
                "x-http-method-override: DELETE"]) == 403


@OWN
def test_path(site):
    """Where a rule names a path each one is judged."""

    nginx = site(CACHE + """
        location / {
            tailgate_allow autogroup=member;
            tailgate_deny path=/secret;
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)
    with connect(nginx) as alice:
        for _ in range(3):
            assert alice.get("/open").status == 200
            assert alice.get("/secret").status == 403


@OWN
def test_time(site):
    """A window that ends is seen by who was let in before."""

    end = int(time.time()) + 3
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    nginx = site(CACHE + f"""
        location / {{
            tailgate_allow autogroup=member until={until};
            proxy_pass http://127.0.0.1:@APP@;
        }}
    """)
    with connect(nginx) as alice:
        wait_until(lambda: alice.get("/").status == 403, 20, "the end")
        assert time.time() >= end
        assert alice.get("/").status == 403


@OWN
def test_change_of_a_peer(site):
    """Another user of the node is another peer, with other headers."""

    nginx = site(CACHE + """
        location / {
            tailgate_deny user=bob@example.com method=DELETE;
            tailgate_allow autogroup=member;
            tailgate_headers remote-user;
            proxy_pass http://127.0.0.1:@APP@;
        }
    """)
    with connect(nginx) as alice:
        for _ in range(3):
            assert seen(alice, "/", "remote-user") == ["alice@example.com"]
            assert alice.request("DELETE", "/").status == 200
        nginx.devnet.ctl("move", "alice-laptop", "bob@example.com")
        wait_until(lambda: seen(alice, "/", "remote-user")
                   == ["bob@example.com"], 3, "bob's")
        assert seen(alice, "/", "remote-email") == ["bob@example.com"]
        assert alice.request("DELETE", "/").status == 403
        nginx.devnet.ctl("expire", "alice-laptop")
        wait_until(lambda: alice.get("/").status == 403, 10, "the end")


@OWN
def test_reload(site):
    """Other rules and headers hold for the peers that are known already."""

    place = """
        location / {
            %s
            proxy_pass http://127.0.0.1:@APP@;
        }
    """
    nginx = site(CACHE + place % "tailgate_headers remote-user;")
    with connect(nginx) as alice:
        for _ in range(3):
            assert seen(alice, "/", "remote-user") == ["alice@example.com"]
    for words, headers in [("tailgate_headers grafana;", 1),
                           ("tailgate_deny user=alice@example.com;"
                            " tailgate_allow autogroup=member;", None)]:
        nginx.reload(RULES % (CACHE + place % words))
        wait_until(lambda: len(nginx.workers()) == 1, 20, "the old worker")

        def now():
            with connect(nginx) as alice:
                answer = alice.get("/")
                if headers is None:
                    return answer.status == 403
                return answer.seen("remote-user") == [] \
                    and answer.seen("x-webauth-user")

        wait_until(now, 20, words)
        for _ in range(3):
            assert now()
