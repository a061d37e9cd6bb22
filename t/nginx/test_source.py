# Copyright (C) The Tailgate authors

"""The source of a connection is the credential: what must not be able to
change it, and what it is worth."""

import datetime
import os
import re
import time

import pytest

from conftest import ALICE, LOG, STRANGER
from h2_test import H2Client
from localapi_test import LocalAPI, NOT_FOUND, RUNNING, http, person
from network_test import Neighbour, ip, own_network
from tailgate_test import Client, certificate, free_port, get

GUARDED = LOG + """
server {
    listen @LISTEN@;
    tailgate on;
    tailgate_headers webauth;
    @MORE@
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /open { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
}
"""

REALIP = """
    set_real_ip_from 0.0.0.0/0;
    set_real_ip_from ::/0;
    real_ip_header X-Forwarded-For;
"""


def alices(address):
    """A LocalAPI's answer: alice's at that address, nobody's elsewhere."""

    return lambda query: http(body=person("alice@example.com",
                                          address=address)) \
        if query["addr"] == address else NOT_FOUND


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP",
                                    "Forwarded", "Remote-Addr",
                                    "Tailgate-Addr"])
def test_check_01_no_header_names_a_person(world, header):
    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE="")
    answer = get(nginx.port, "/", [(header, ALICE)], source=STRANGER)
    assert answer.status == 403


def test_check_01_realip_of_an_unlisted_sender(world):
    """Not the one that it names, and not the sender either."""

    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE=REALIP)
    for source in (STRANGER, ALICE):
        answer = get(nginx.port, "/", [("X-Forwarded-For", ALICE)],
                     source=source)
        assert answer.status == 403
    assert "tailgate_trusted_proxy" in nginx.error_log()
    # without the header it is the sender
    assert get(nginx.port, "/", source=ALICE).status == 200
    assert world.devnet.count()["whois"] == 1


def test_check_01_realip_in_a_location(world):
    """Which the realip module only reads behind our first look."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; tailgate_headers webauth;
                 set_real_ip_from 127.0.0.0/8;
                 real_ip_header X-Forwarded-For;
                 proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT2@;
    tailgate_trusted_proxy 127.0.0.0/8;
    location / { tailgate on; tailgate_headers webauth;
                 set_real_ip_from 127.0.0.0/8;
                 real_ip_header X-Forwarded-For;
                 proxy_pass http://127.0.0.1:@APP@; }
}
""", PORT2=free_port())
    forged = [("X-Forwarded-For", "100.64.0.12")]
    assert get(nginx.port, "/", forged, source=ALICE).status == 403
    assert get(nginx.port, "/", source=ALICE).status == 200
    answer = get(nginx.values["PORT2"], "/", forged, source=ALICE)
    assert answer.seen("X-Webauth-User") == ["bob@example.com"]


def test_check_01_bad_request_does_not_hide_realip(world):
    """Where nginx skips the phase in which realip comes second."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    set_real_ip_from 127.0.0.0/8;
    real_ip_header X-Forwarded-For;
    error_page 400 =200 /page;
    location /page { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}""")
    with Client(nginx.port, source=ALICE) as client:
        client.send("GET / HTTP/1.1\r\nX-Forwarded-For: 100.64.0.12\r\n"
                    "Host: a\r\nHost: b\r\n\r\n")
        assert client.response().status == 403


def test_check_01_kept_alive_connection(world):
    """One request's realip is not the next one's."""

    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE=REALIP)
    with Client(nginx.port, source=ALICE) as client:
        for _ in range(3):
            assert client.get("/").status == 200
            assert client.get("/", [("X-Forwarded-For", "1.2.3.4")]
                              ).status == 403


TRUSTED = REALIP + "tailgate_trusted_proxy 127.0.0.99;"


def test_check_02_listed_sender(world):
    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE=TRUSTED)
    forwarded = [("X-Forwarded-For", "100.64.0.11")]
    answer = get(nginx.port, "/", forwarded, source=STRANGER)
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert get(nginx.port, "/", forwarded, source="127.0.0.98").status == 403
    assert get(nginx.port, "/", [("X-Forwarded-For", "100.64.0.200")],
               source=STRANGER).status == 403


@pytest.mark.parametrize("line,status", [
    (b"PROXY TCP4 100.64.0.11 127.0.0.1 1234 80\r\n", 200),
    (b"PROXY TCP4 100.64.0.200 127.0.0.1 1234 80\r\n", 403),
    (b"PROXY UNKNOWN\r\n", 403),
    (b"PROXY TCP6 fd7a:115c:a1e0::11 ::1 1234 80\r\n", 200),
    (b"PROXY TCP6 ::ffff:100.64.0.11 ::1 1234 80\r\n", 200),
], ids=str)
def test_check_02_proxy_protocol(world, line, status):
    nginx = world.nginx(GUARDED.replace(
        "@LISTEN@", "127.0.0.1:@PORT@ proxy_protocol"), MORE=TRUSTED)
    with Client(nginx.port, source=STRANGER) as client:
        client.send(line)
        assert client.get("/").status == status
    # an unlisted sender is a stranger, whoever it is itself
    for source in (ALICE, "127.0.0.98"):
        with Client(nginx.port, source=source) as client:
            client.send(line)
            assert client.get("/").status == 403


def test_check_02_trust_is_inherited_or_replaced(world):
    nginx = world.nginx("""
tailgate_trusted_proxy 127.0.0.99;
set_real_ip_from 127.0.0.0/8;
real_ip_header X-Forwarded-For;
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT2@;
    tailgate_trusted_proxy 127.0.0.98;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}""", PORT2=free_port())
    forwarded = [("X-Forwarded-For", "100.64.0.11")]
    for port, source, status in (
            (nginx.port, "127.0.0.99", 200), (nginx.port, "127.0.0.98", 403),
            (nginx.values["PORT2"], "127.0.0.99", 403),
            (nginx.values["PORT2"], "127.0.0.98", 200)):
        assert get(port, "/", forwarded, source=source).status == status


def test_unix_listener(world):
    """It has no peer; a listed sender may name one."""

    nginx = world.nginx(LOG + REALIP + """
real_ip_recursive on;
set_real_ip_from unix:;
server { listen unix:@DIR@/a.sock;
         location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; } }
server { listen unix:@DIR@/b.sock; tailgate_trusted_proxy unix:;
         location / { tailgate on; tailgate_headers webauth;
                      proxy_pass http://127.0.0.1:@APP@; } }
""")
    forwarded = [("X-Forwarded-For", "100.64.0.11")]
    assert get(nginx.path("a.sock"), "/").status == 403
    assert get(nginx.path("a.sock"), "/", forwarded).status == 403
    assert get(nginx.path("b.sock"), "/").status == 403
    answer = get(nginx.path("b.sock"), "/", forwarded)
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]


# Tailnet addresses, in a network of the test's own

@own_network("100.64.0.1", "100.64.0.11", "100.64.0.9", "100.70.0.1",
             "10.77.0.1", "10.77.0.2")
def test_check_03_local_address(world):
    """A tailnet source counts at this node's tailnet addresses alone."""

    nginx = world.nginx(
        "tailgate_service svc:wiki 100.70.0.1;"
        + GUARDED.replace("@LISTEN@", "@PORT@"), MORE="")
    where = [("100.64.0.1", 200), ("100.70.0.1", 200), ("10.77.0.1", 403),
             ("127.0.0.1", 403), ("100.64.0.9", 403)]
    for _ in range(2):
        for address, status in where:
            answer = get((address, nginx.port), "/", source="100.64.0.11")
            assert answer.status == status, address
            # the handshake was whole: something answers there
            answer = get((address, nginx.port), "/open", source="100.64.0.11")
            assert answer.status == 200
            assert answer.seen("X-Webauth-User") == []

    warnings = re.findall(r"\[warn\].*tailnet ranges", nginx.error_log())
    assert len(warnings) == 1
    # a LAN source is nobody's, there too
    answer = get(("100.64.0.1", nginx.port), "/", source="10.77.0.2")
    assert answer.status == 403


@own_network("100.64.0.1", "100.64.0.11", "10.77.0.1")
def test_check_03_http2_and_keepalive(world, tmp_path):
    crt, key = certificate(tmp_path)
    nginx = world.nginx(
        f"ssl_certificate {crt}; ssl_certificate_key {key};"
        + GUARDED.replace("@LISTEN@", "@PORT@ ssl http2"), MORE="")
    for address, status in (("100.64.0.1", 200), ("10.77.0.1", 403)):
        with H2Client((address, nginx.port), source="100.64.0.11") as client:
            streams = [client.send("/") for _ in range(20)]
            assert [answer.status for answer in client.wait(*streams)] \
                == [status] * 20


@own_network("100.64.0.1", "100.64.0.11", "100.64.0.8")
def test_check_03_own_address_changes(world, tmp_path):
    """A new address of this node is found at once, without a flood of
    questions."""

    status = {"body": RUNNING}
    api = world.start(LocalAPI(
        str(tmp_path / "api.sock"), whois=alices("100.64.0.11"),
        status=lambda query: http(body=status["body"])))
    status["body"] = {**RUNNING, "TailscaleIPs": ["100.64.0.1"],
                      "Self": {**RUNNING["Self"],
                               "TailscaleIPs": ["100.64.0.1"]}}
    nginx = world.nginx(GUARDED.replace("@LISTEN@", "@PORT@"), MORE="",
                        localapi=api.path)
    assert get(("100.64.0.1", nginx.port), "/",
               source="100.64.0.11").status == 200
    asked = api.count("status")
    for _ in range(50):
        assert get(("100.64.0.8", nginx.port), "/",
                   source="100.64.0.11").status == 403
    assert api.count("status") - asked <= 2

    status["body"] = {**RUNNING, "TailscaleIPs": ["100.64.0.8"],
                      "Self": {**RUNNING["Self"],
                               "TailscaleIPs": ["100.64.0.8"]}}
    time.sleep(1.1)
    assert get(("100.64.0.8", nginx.port), "/",
               source="100.64.0.11").status == 200


@own_network("100.64.0.1", "100.64.0.11", "fd7a:115c:a1e0::1",
             "fd7a:115c:a1e0::11")
def test_check_04_one_form_of_an_address(world):
    """A dual-stack listener sees an IPv4 peer as ::ffff:a.b.c.d."""

    nginx = world.nginx(GUARDED.replace(
        "@LISTEN@", "[::]:@PORT@ ipv6only=off"), MORE="")
    answer = get(("100.64.0.1", nginx.port), "/", source="100.64.0.11")
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    answer = get(("fd7a:115c:a1e0::1", nginx.port), "/",
                 source="fd7a:115c:a1e0::11")
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]


def test_check_05_loopback_by_port(world, tmp_path):
    """Two people behind 127.0.0.1 are told apart by port, and a connection
    asks once."""

    ports = {}

    def whois(query):
        if query["addr"] == "100.64.0.2":
            return http(body=person("self@example.com"))
        assert query["proto"] == "tcp"
        login = ports.get(query["addr"])
        return http(body=person(login)) if login else NOT_FOUND

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=whois))
    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE="", localapi=api.path)
    clients = []
    for login in ("alice@example.com", "bob@example.com", None):
        client = Client(nginx.port)
        ports["%s:%d" % client.socket.getsockname()] = login
        clients.append((client, login))
    for _ in range(5):
        for client, login in clients:
            answer = client.get("/")
            assert answer.status == (200 if login else 403)
            if login:
                assert answer.seen("X-Webauth-User") == [login]
    # who is not known is asked for twice, the node itself in between
    assert api.count("whois") == 5
    for client, _ in clients:
        client.close()


def test_check_05_http2_one_lookup(world, tmp_path):
    """The connection is the real one, not a stream's."""

    crt, key = certificate(tmp_path)
    api = world.start(LocalAPI(
        str(tmp_path / "api.sock"),
        whois=http(body=person("alice@example.com"))))
    nginx = world.nginx(
        f"ssl_certificate {crt}; ssl_certificate_key {key};"
        + GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@ ssl http2"), MORE="",
        localapi=api.path)
    with H2Client(nginx.port) as client:
        for _ in range(3):
            streams = [client.send("/") for _ in range(30)]
            for answer in client.wait(*streams):
                assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert api.count("whois") == 1


def test_check_05_outage_is_not_kept(world, tmp_path):
    """What a connection keeps is an answer, not the lack of one."""

    answers = [None, None, http(body=person("alice@example.com"))]
    api = world.start(LocalAPI(str(tmp_path / "api.sock"),
                               whois=lambda query: answers.pop(0)))
    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE="", localapi=api.path)
    with Client(nginx.port) as client:
        assert client.get("/").status == 503
        assert client.get("/").status == 200
        assert client.get("/").status == 200


def test_check_05_key_expires_on_a_connection(world, tmp_path):
    soon = datetime.datetime.now(datetime.timezone.utc) \
        + datetime.timedelta(seconds=2)
    api = world.start(LocalAPI(
        str(tmp_path / "api.sock"),
        whois=http(body=person("alice@example.com", KeyExpiry=soon.strftime(
            "%Y-%m-%dT%H:%M:%SZ")))))
    nginx = world.nginx(GUARDED.replace("@LISTEN@", "127.0.0.1:@PORT@"),
                        MORE="", localapi=api.path)
    with Client(nginx.port) as client:
        assert client.get("/").status == 200
        time.sleep(2.2)
        assert client.get("/").status == 403
    nginx.logged("access forbidden, expired")


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")
@own_network()
def test_interface(world):
    """Where a connection came in by, as the kernel tells it."""

    world.devnet = None
    ip("address", "add", "100.64.0.1/32", "dev", "lo")
    ip("address", "add", "fd7a:115c:a1e0::1/128", "dev", "lo", "nodad")
    ip("address", "add", "100.64.0.11/32", "dev", "lo")
    with Neighbour("10.77.0.1/24", "10.77.0.2/24") as other:
        other.call(ip, "address", "add", "100.64.0.11/32", "dev", "eth0")
        other.call(ip, "route", "add", "100.64.0.1/32", "via", "10.77.0.1")
        other.call(ip, "address", "add", "fd77::2/64", "dev", "eth0", "nodad")
        other.call(ip, "address", "add", "fd7a:115c:a1e0::11/128", "dev",
                   "eth0", "nodad")
        ip("address", "add", "fd77::1/64", "dev", "eth0", "nodad")
        other.call(ip, "route", "add", "fd7a:115c:a1e0::1/128", "via",
                   "fd77::1")
        ip("route", "add", "fd7a:115c:a1e0::11/128", "via", "fd77::2")
        ports = [free_port() for _ in range(4)]
        nginx = world.nginx("".join(f"""
server {{
    listen {port};
    listen [::]:{port};
    {directive}
    location / {{ tailgate on; proxy_pass http://127.0.0.1:@APP@; }}
    location /open {{ proxy_pass http://127.0.0.1:@APP@; }}
}}""" for port, directive in zip(ports, (
            "", "tailgate_interface eth0;", "tailgate_interface lo;",
            "tailgate_interface none0;"))))

        # by lo: this node to itself
        got = [get(("100.64.0.1", port), "/", source="100.64.0.11").status
               for port in ports]
        assert got == [200, 403, 200, 403]

        # by eth0: a neighbour that took somebody's address
        ip("address", "del", "100.64.0.11/32", "dev", "lo")
        ip("route", "add", "100.64.0.11/32", "via", "10.77.0.2")
        for there, source in (("100.64.0.1", "100.64.0.11"),
                              ("fd7a:115c:a1e0::1", "fd7a:115c:a1e0::11")):
            got = [other.call(get, (there, port), "/", source=source).status
                   for port in ports]
            assert got == [200, 200, 403, 403], there
            got = [other.call(get, (there, port), "/open",
                              source=source).status for port in ports]
            assert got == [200] * 4
        assert "tailgate_interface" in nginx.error_log()


# tailscale serve in front of nginx

SERVE = LOG + """
server {
    listen 127.0.0.1:@PORT@;
    underscores_in_headers on;
    tailgate_trusted_serve on;
    location / { tailgate on; tailgate_headers webauth;
                 proxy_pass http://127.0.0.1:@APP@; }
    location /optional { tailgate optional; tailgate_headers webauth;
                         add_header X-Status $tailgate_status;
                         proxy_pass http://127.0.0.1:@APP@; }
}
server {
    listen 127.0.0.1:@PORT2@;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}
"""

SERVED = [("Tailscale-User-Login", "alice@example.com"),
          ("Tailscale-User-Name", "=?utf-8?q?Alice_=C3=85ngstr=C3=B6m?="),
          ("Tailscale-User-Profile-Pic", "https://pics.example/a.png")]


@pytest.fixture
def serve(world, tmp_path):
    """One pooled connection of serve's carries everybody."""

    world.api = world.start(LocalAPI(str(tmp_path / "api.sock")))
    return world.nginx(SERVE, PORT2=free_port(), localapi=world.api.path)


def test_serve_without_trust(world, serve):
    answer = get(serve.values["PORT2"], "/", SERVED)
    assert answer.status == 403
    assert "if tailscale serve is in front of nginx" in serve.error_log()


def test_serve_with_trust(world, serve):
    with Client(serve.port) as client:
        for login in ("alice@example.com", "bob@example.com"):
            headers = [("Tailscale-User-Login", login), *SERVED[1:]]
            answer = client.get("/", headers)
            assert answer.status == 200
            assert answer.seen("X-Webauth-User") == [login]
            assert answer.seen("X-Webauth-Name") == [
                "Alice Ångström".encode().decode("latin-1")]
            assert answer.seen("Tailscale-User-Login") == []
        # the next one without is nobody
        assert client.get("/").status == 403
    assert world.api.count("whois") == 3


@pytest.mark.parametrize("headers,status", [
    ([], "stranger"),
    ([("Tailscale-User-Login", "")], "stranger"),
    ([("Tailscale-User-Login", "a@b"), ("Tailscale-User-Login", "c@d")],
     "stranger"),
    ([("Tailscale-User-Login", "a@b"), ("Tailscale_User_Login", "c@d")],
     "stranger"),
    ([("Tailscale_User_Login", "c@d")], "stranger"),
    ([*SERVED[:2], ("Tailscale-User-Profile_Pic", "x")], "stranger"),
    ([("Tailscale-User-Login", "a@b@c")], "stranger"),
    ([("Tailscale-User-Login", "tagged-devices")], "stranger"),
    ([*SERVED, ("Tailscale-Funnel-Request", "?1")], "funnel"),
    ([("Tailscale-Funnel-Request", "?1")], "funnel"),
], ids=str)
def test_serve_refused(serve, headers, status):
    assert get(serve.port, "/", headers).status == 403
    answer = get(serve.port, "/optional", headers)
    assert answer.header("X-Status") == status
    assert answer.seen("X-Webauth-User") == []


def test_serve_peer_comes_first(world, serve):
    """Whoever WhoIs knows (userspace networking) is no serve, and may say
    what he likes."""

    world.api.whois = http(body=person("bob@example.com"))
    answer = get(serve.port, "/", SERVED)
    assert answer.seen("X-Webauth-User") == ["bob@example.com"]


def test_serve_outage(world, serve):
    world.api.whois = lambda query: None
    assert get(serve.port, "/", SERVED).status == 503
