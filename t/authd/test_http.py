# Copyright (C) The Tailgate authors

"""Requests that two parsers could read in two ways, as bytes on the daemon's
socket. None of them may be answered as if it were a good one, and none may
leave something behind that is read as another."""

import os

import pytest

from authd import CONF, Authd, remote
from tailgate_test import Client, wait_until

GOOD = (b"GET /auth HTTP/1.1\r\nHost: x\r\nRemote-Addr: 100.64.0.4\r\n"
        b"Remote-Port: 1\r\n")


def auth(more=b"", line=b"GET /auth HTTP/1.1\r\n", host=b"Host: x\r\n"):
    return (line + host + b"Remote-Addr: 100.64.0.4\r\nRemote-Port: 1\r\n"
            + more + b"\r\n")


MALFORMED = {
    "no Host": auth(host=b""),
    "two Hosts": auth(b"Host: y\r\n"),
    "two Hosts, folded name": auth(b"hOST: x\r\n"),
    "Content-Length with Transfer-Encoding":
        auth(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")
        + b"0\r\n\r\n",
    "Transfer-Encoding with Content-Length":
        auth(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")
        + b"0\r\n\r\n",
    "two Content-Lengths": auth(b"Content-Length: 0\r\nContent-Length: 5\r\n"),
    "two equal Content-Lengths":
        auth(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "a list of Content-Lengths": auth(b"Content-Length: 0, 0\r\n"),
    "Content-Length with a sign": auth(b"Content-Length: +3\r\n") + b"abc",
    "Content-Length below zero": auth(b"Content-Length: -1\r\n"),
    "Content-Length in hexadecimal": auth(b"Content-Length: 0x3\r\n"),
    "Content-Length past 64 bits":
        auth(b"Content-Length: 18446744073709551616\r\n"),
    "an empty Content-Length": auth(b"Content-Length: \r\n"),
    "a space before the colon": auth(b"X-A : b\r\n"),
    "a space before the colon of Content-Length":
        auth(b"Content-Length : 5\r\n"),
    "a folded header": auth(b"X-A: b\r\n c\r\n"),
    "a folded first header": auth(host=b" Host: x\r\n"),
    "a bare CR in a value": auth(b"X-A: b\rc\r\n"),
    "a bare LF in a header": auth(b"X-A: b\nHost: y\r\n"),
    "a bare LF behind the request line":
        auth(line=b"GET /auth HTTP/1.1\n"),
    "NUL in a value": auth(b"X-A: b\0c\r\n"),
    "NUL in a name": auth(b"X-\0A: b\r\n"),
    "a control character in a value": auth(b"X-A: b\x01c\r\n"),
    "an empty name": auth(b": b\r\n"),
    "a name with a space": auth(b"X A: b\r\n"),
    "a name in 8 bits": auth(b"X-\xc3\xa4: b\r\n"),
    "a header without a colon": auth(b"X-A\r\n"),
    "an unknown Transfer-Encoding": auth(b"Transfer-Encoding: gzip\r\n"),
    "an encoding before chunked":
        auth(b"Transfer-Encoding: gzip, chunked\r\n") + b"0\r\n\r\n",
    "chunked twice":
        auth(b"Transfer-Encoding: chunked, chunked\r\n") + b"0\r\n\r\n",
    "two Transfer-Encodings":
        auth(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")
        + b"0\r\n\r\n",
    "chunked and something": auth(b"Transfer-Encoding: xchunked\r\n"),
    "a target in absolute form": auth(line=b"GET http://x/auth HTTP/1.1\r\n"),
    "a target without a slash": auth(line=b"GET auth HTTP/1.1\r\n"),
    "a target with a fragment": auth(line=b"GET /auth#x HTTP/1.1\r\n"),
    "a target with NUL": auth(line=b"GET /au\0th HTTP/1.1\r\n"),
    "a target with %00": auth(line=b"GET /auth%00 HTTP/1.1\r\n"),
    "a target with a control": auth(line=b"GET /au\x01th HTTP/1.1\r\n"),
    "a target with a tab": auth(line=b"GET /au\tth HTTP/1.1\r\n"),
    "an asterisk": auth(line=b"OPTIONS * HTTP/1.1\r\n"),
    "CONNECT": auth(line=b"CONNECT x:80 HTTP/1.1\r\n"),
    "a third word": auth(line=b"GET /auth x HTTP/1.1\r\n"),
    "no version": auth(line=b"GET /auth\r\n"),
    "HTTP/0.9": b"GET /auth\r\n",
    "HTTP/1.2": auth(line=b"GET /auth HTTP/1.2\r\n"),
    "HTTP/2.0": auth(line=b"GET /auth HTTP/2.0\r\n"),
    "HTTP/1.1 in lower case": auth(line=b"GET /auth http/1.1\r\n"),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method in lower case": auth(line=b"get /auth HTTP/1.1\r\n"),
    "an unknown method": auth(line=b"EVIL /auth HTTP/1.1\r\n"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    "a header of 70000 bytes": auth(b"X-A: " + b"b" * 70000 + b"\r\n"),
    "a target of 20000 bytes":
        auth(line=b"GET /auth?" + b"a" * 20000 + b" HTTP/1.1\r\n"),
    "101 headers": auth(b"X-A: b\r\n" * 101),
    "an unknown expectation": auth(b"Expect: 200-ok\r\n"),
}


def test_there_are_enough():
    assert len(MALFORMED) >= 20


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(authd, localapi, name):
    """A refusal and the end of the connection, and nobody is asked who."""

    with Client(authd.socket) as client:
        client.send(MALFORMED[name])
        # what a parser that disagrees would take for a second request
        try:
            client.send(GOOD + b"\r\n")
        except OSError:
            pass
        got = client.reader.rest()

    assert got.startswith(b"HTTP/1.1 4") or got.startswith(b"HTTP/1.1 505"), \
        got
    assert got.count(b"HTTP/1.1 ") == 1, got
    assert b"\r\nConnection: close\r\n" in got
    assert b"Tailscale-" not in got
    assert localapi.asked == []

    line = authd.decided()
    assert (line["audit"], line["code"]) == ("bad_request",
                                             int(got.split(b" ")[1]))
    assert line["sender"] == f"uid:{os.getuid()}"
    assert line["why"] and line["id"] and "endpoint" not in line
    assert len(authd.audit()) == 1

    # and it goes on
    assert authd.get("/auth", remote("100.64.0.4")).status == 204


def test_malformed_without_an_audit(tmp_path, localapi):
    """The log has it then."""

    with Authd(tmp_path, localapi.path, CONF + "audit: none\n") as authd:
        with Client(authd.socket) as client:
            client.send(MALFORMED["two Hosts"])
            client.reader.rest()
        wait_until(lambda: "more than one Host" in authd.log(), 10, "a line")
        assert authd.audit() == []


def test_check_15_trailers(authd):
    """A trailer is no header, and a body is not read for one."""

    with Client(authd.socket) as client:
        client.send(b"GET /auth HTTP/1.1\r\nHost: x\r\n"
                    b"Transfer-Encoding: chunked\r\nTrailer: Remote-Addr\r\n"
                    b"\r\n0\r\nRemote-Addr: 100.64.0.4\r\nRemote-Port: 1\r\n"
                    b"\r\n")
        got = client.reader.rest()
    assert got.startswith(b"HTTP/1.1 400 ")
    assert got.count(b"HTTP/1.1 ") == 1


def test_check_15_connection_header(authd):
    """Connection cannot name a header away."""

    with Client(authd.socket) as client:
        answer = client.get("/auth", [
            *remote("100.64.0.4"),
            ("Connection", "Remote-Addr, Tailgate-Local-Addr, keep-alive"),
            ("Tailgate-Local-Addr", "10.0.0.1")])
    assert answer.status == 401


def test_pipeline(authd, localapi):
    """Answers in the order of the requests, though lookups end in another."""

    authd.settled(localapi)
    localapi.gate.clear()
    with Client(authd.socket) as client:
        client.send(GOOD + b"\r\n"
                    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                    b"GET /auth HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: localapi.asked, 10, "a question")
        localapi.gate.set()
        assert [client.response().status for _ in range(3)] == [204, 200, 400]


def test_http_10(authd):
    """What nginx speaks by default: one request per connection."""

    with Client(authd.socket) as client:
        client.send(GOOD.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n")
        got = client.reader.rest()
    assert got.startswith(b"HTTP/1.0 204 ")
    assert b"\r\nConnection: close\r\n" in got


def test_upgrade(authd):
    """An offer that is not taken up: Caddy passes on a WebSocket's."""

    with Client(authd.socket) as client:
        for _ in range(2):
            answer = client.get("/auth", [
                *remote("100.64.0.4"), ("Connection", "Upgrade"),
                ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")])
            assert answer.status == 204
            assert answer.header("Upgrade") is None


def test_head(authd):
    with Client(authd.socket) as client:
        answer = client.request("HEAD", "/v1/whoami", remote("100.64.0.4"))
        assert answer.status == 200 and answer.body == b""
        # nothing of the body is left in the way
        assert client.get("/healthz").body == b"ok\n"


@pytest.mark.parametrize("target, status", [
    ("/", 404), ("/auth", 400), ("/healthz", 200), ("/metrics", 200),
    ("/nothing", 404),
    ("/v1", 404), ("/v1/", 404), ("/v1/auth", 404), ("/v1/auth/", 404),
    ("/v1/auth/nosuch", 404), ("/v1/auth/nginx/", 404),
    ("/v1/whoami/", 404), ("/V1/whoami", 404), ("//v1/whoami", 404),
    ("/v1/../auth", 404), ("/healthz/", 404),
])
def test_routes(authd, target, status):
    """A path is compared as it is: nothing is decoded or joined."""

    assert authd.get(target).status == status


@pytest.mark.parametrize("target", ["/v1/auth/nosuch", "/v1/x", "/v1/"])
def test_no_endpoint_below_v1(authd, target):
    """A slip in the name of a dialect is no drop-in for nginx-auth."""

    assert authd.get(target, remote("100.64.0.4")).status == 404


def test_limits(tmp_path, localapi):
    """Slow heads and idle connections end by their timers."""

    conf = CONF + "limits: { head_timeout: 200ms, idle_timeout: 300ms }\n"
    with Authd(tmp_path, localapi.path, conf) as authd:
        with Client(authd.socket, timeout=5) as client:
            client.send(b"GET /auth HT")
            assert b" 204 " not in client.reader.rest()
        with Client(authd.socket, timeout=5) as client:
            assert client.get("/healthz").status == 200
            assert client.reader.rest() == b""
        assert authd.get("/healthz").status == 200


def test_limits_by_reload(tmp_path, localapi):
    """For new connections and requests, without a restart."""

    headers = [*remote("100.64.0.4"), ("X-A", "b" * 2000)]
    with Authd(tmp_path, localapi.path) as authd:
        assert authd.get("/auth", headers).status == 204
        authd.reload(CONF + "limits: { head: 1024 }\n")
        assert authd.get("/auth", headers).status == 431
        assert authd.get("/auth", headers[:2]).status == 204


def test_fewer_headers_by_reload(tmp_path, localapi):
    """A head that has more lines already than the new limit allows is refused
    at its next one."""

    with Authd(tmp_path, localapi.path) as authd, \
            Client(authd.socket) as client:
        client.send(GOOD + b"".join(b"X-%d: y\r\n" % i for i in range(40)))
        assert authd.get("/healthz").status == 200
        authd.reload(CONF + "limits: { headers: 20 }\n")
        client.send(b"".join(b"X-%d: y\r\n" % i for i in range(2000))
                    + b"\r\n")
        assert client.response().status == 431
