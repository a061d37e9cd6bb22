# Copyright (C) The Tailgate authors

"""HTTP/2 connections of a proxy: what the PROXY header says of all streams,
and streams of one connection that are different people's."""

import json
import socket
import struct
import threading

import pytest

from conftest import ALICE, BOB
from h2_test import H2Client
from localapi_test import NOT_FOUND, LocalAPI, http, person
from tailgate_test import certificate

PROXY = "127.0.0.99"            # whom tailgate_trusted_proxy lists

PEOPLE = {"100.64.0.11": "alice@example.com", "100.64.0.12": "bob@example.com"}
NOBODY = "100.64.0.200"

CONF = """
log_format words escape=json '{"uri":"$request_uri","status":"$status",'
    '"who":"$tailgate_status","login":"$tailgate_login",'
    '"node":"$tailgate_node"}';
access_log @DIR@/words.log words;
ssl_certificate @CRT@;
ssl_certificate_key @KEY@;
server {
    listen 127.0.0.1:@PORT@ @LISTEN@;
    tailgate on;
    tailgate_headers webauth;
    tailgate_trusted_proxy 127.0.0.99 @MORE@;
    set_real_ip_from 127.0.0.0/8;
    real_ip_header @REALIP@;
    add_header X-Login "$tailgate_login" always;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /off { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
}
"""


@pytest.fixture(params=["ssl http2", "http2"], ids=["tls", "clear"])
def listen(request):
    return request.param


@pytest.fixture
def start(world, tmp_path, listen):
    """start(...) begins an nginx; a client of it speaks as it listens."""

    crt, key = certificate(tmp_path)

    def nginx(options="", realip="X-Forwarded-For", more="", **values):
        return world.nginx(CONF, LISTEN=f"{listen} {options}", REALIP=realip,
                           MORE=more, CRT=crt, KEY=key, **values)

    return nginx


def connect(nginx, source=PROXY, before=b""):
    return H2Client(nginx.port, source, before=before,
                    tls="ssl" in nginx.values["LISTEN"])


def line(source, port=1234):
    """A PROXY header in words."""

    family = "TCP6" if ":" in source else "TCP4"
    to = "::1" if ":" in source else "127.0.0.1"
    return f"PROXY {family} {source} {to} {port} 443\r\n".encode("ascii")


def binary(source, port=1234, command=0x21):
    """The second version; 0x20 is a check of the proxy's own."""

    addresses = (socket.inet_aton(source) + socket.inet_aton("127.0.0.1")
                 + struct.pack("!HH", port, 443))
    return (b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", command, 0x11,
                                                   len(addresses))
            + addresses)


def check(answer, login):
    """That an answer is of that person's request, or of a stranger's."""

    assert answer.status == (200 if login else 403)
    assert (answer.header("X-Login") or "") == login
    if login:
        assert answer.seen("X-Webauth-User") == [login]


def check_log(nginx, expected):
    """The access log knows them too: expected is {uri: login}."""

    entries = {entry["uri"]: entry for entry in
               map(json.loads, nginx.lines("words.log", len(expected)))}
    assert {uri: entry["login"] for uri, entry in entries.items()} == expected
    for uri, login in expected.items():
        assert entries[uri]["status"] == ("200" if login else "403")
        assert entries[uri]["who"] == ("member" if login else "stranger")
        assert entries[uri]["node"].startswith(login.split("@")[0])
        assert bool(entries[uri]["node"]) == bool(login)


@pytest.mark.parametrize("header", [line, binary])
@pytest.mark.parametrize("realip", ["X-Forwarded-For", "proxy_protocol"])
def test_check_02_http2_proxy_protocol(start, header, realip):
    """A listed sender's header is about each stream of its connection, one
    after the other and at once."""

    nginx = start("proxy_protocol", realip)
    expected = {}

    with connect(nginx, before=header("100.64.0.11")) as first, \
            connect(nginx, before=header("100.64.0.12")) as second, \
            connect(nginx, before=header(NOBODY)) as third:
        clients = [(first, "alice@example.com"), (second, "bob@example.com"),
                   (third, "")]

        for number in range(3):
            for client, login in clients:
                uri = f"/{login}{number}"
                check(client.get(uri), login)
                expected[uri] = login

        streams = [(client, client.send(f"/{login}at-once{number}"), login)
                   for number in range(10) for client, login in clients]
        for client, stream, login in streams:
            check(client.wait(stream)[0], login)
        expected.update((f"/{login}at-once{number}", login)
                        for number in range(10) for _, login in clients)

    check_log(nginx, expected)


@pytest.mark.parametrize("before", [
    b"PROXY UNKNOWN\r\n", binary("100.64.0.11", command=0x20)],
    ids=["unknown", "local"])
def test_check_02_http2_proxy_names_nobody(start, before):
    """A listed sender that names nobody asks for itself, who is nobody."""

    nginx = start("proxy_protocol")
    with connect(nginx, before=before) as client:
        for stream in [client.send("/") for _ in range(5)]:
            check(client.wait(stream)[0], "")


@pytest.mark.parametrize("header", [line, binary])
@pytest.mark.parametrize("realip", ["X-Forwarded-For", "proxy_protocol"])
def test_check_01_http2_unlisted_sender(world, start, header, realip):
    """Nobody on any stream, neither whom it names nor who it is itself;
    and another header does not change that."""

    nginx = start("proxy_protocol", realip)
    for source in (ALICE, "127.0.0.98"):
        with connect(nginx, source, header("100.64.0.11")) as client:
            streams = [client.send(uri, headers) for uri in ("/", "/x")
                       for headers in ([], [("x-forwarded-for",
                                             "100.64.0.12")]) * 3]
            for stream in streams:
                check(client.wait(stream)[0], "")

    assert "tailgate_trusted_proxy" in nginx.error_log()
    assert world.devnet.count()["whois"] == 0


def test_check_01_http2_unlisted_sender_without_a_header(start):
    """It is itself, until it forwards."""

    nginx = start()
    forwarded = [("x-forwarded-for", "100.64.0.12")]
    with connect(nginx, ALICE) as client:
        for _ in range(3):
            check(client.get("/"), "alice@example.com")
            check(client.get("/", forwarded), "")


# One connection of a proxy, everybody's requests on it


def send(client, number, address, path=""):
    headers = [("x-forwarded-for", address)] if address else []
    return client.send(f"{path}/{number}", headers)


ORDER = ["100.64.0.11", "100.64.0.12", "100.64.0.11", NOBODY, "100.64.0.12"]


def test_check_02_http2_two_people(start):
    """One after the other."""

    nginx = start()
    expected = {}

    with connect(nginx) as client:
        for number, address in enumerate(ORDER * 4):
            login = PEOPLE.get(address, "")
            check(client.wait(send(client, number, address))[0], login)
            expected[f"/{number}"] = login

    check_log(nginx, expected)


def test_check_02_http2_two_people_at_once(world, start):
    """All under way before the first is answered, with locations between that
    identify nobody."""

    nginx = start()
    world.devnet.ctl("slow", 100)

    with connect(nginx) as client:
        streams, others = [], []
        for number, address in enumerate(ORDER * 8):
            streams.append((send(client, number, address), address))
            others.append(send(client, number, address, "/off"))

        expected = {}
        for number, (stream, address) in enumerate(streams):
            login = PEOPLE.get(address, "")
            check(client.wait(stream)[0], login)
            expected[f"/{number}"] = login

        for answer in client.wait(*others):
            assert answer.status == 200
            assert answer.header("X-Login") is None
            assert answer.seen("X-Webauth-User") == []

    entries = [json.loads(entry) for entry in
               nginx.lines("words.log", 2 * len(expected))]
    assert {entry["uri"]: entry["login"] for entry in entries} == {
        **expected, **{f"/off{uri}": "" for uri in expected}}


def test_check_02_http2_answers_in_another_order(world, start, tmp_path):
    """Bob's identity is known while alice's request, which came first on the
    same connection, still waits for hers."""

    gate = threading.Event()

    def whois(query):
        if query["addr"] == "100.64.0.11":
            gate.wait(30)
        login = PEOPLE.get(query["addr"])
        return http(body=person(login, address=query["addr"])) if login \
            else NOT_FOUND

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=whois))
    nginx = start(localapi=api.path)

    try:
        with connect(nginx) as client:
            alice = [send(client, number, "100.64.0.11") for number in (1, 2)]
            for number in (3, 4):
                check(client.wait(send(client, number, "100.64.0.12"))[0],
                      "bob@example.com")
            check(client.wait(send(client, 5, NOBODY))[0], "")

            # one who does not wait leaves nothing to the next
            client.reset(send(client, 6, "100.64.0.11"))
            check(client.wait(send(client, 7, "100.64.0.12"))[0],
                  "bob@example.com")
            assert set(alice) <= client.open

            gate.set()
            for answer in client.wait(*alice):
                check(answer, "alice@example.com")

    finally:
        gate.set()


def test_check_02_http2_sender_itself(world, start):
    """What is kept with the connection is about its sender alone: it is not
    given to those that it forwards for, of whom one is behind userspace
    networking and so on loopback as well, nor theirs to it."""

    nginx = start(more=BOB)
    with connect(nginx, BOB) as client:
        for number in range(3):
            check(client.wait(send(client, f"{number}a", None))[0],
                  "bob@example.com")
            check(client.wait(send(client, f"{number}b", "100.64.0.11"))[0],
                  "alice@example.com")
            check(client.wait(send(client, f"{number}c", NOBODY))[0], "")
            check(client.wait(send(client, f"{number}d", f"{ALICE}:4"))[0],
                  "alice@example.com")

        streams = [(send(client, f"{number}e", address), login)
                   for number in range(8)
                   for address, login in ((None, "bob@example.com"),
                                          ("100.64.0.11", "alice@example.com"),
                                          (f"{ALICE}:4", "alice@example.com"),
                                          (NOBODY, ""))]
        for stream, login in streams:
            check(client.wait(stream)[0], login)
