# Copyright (C) The Tailgate authors

"""nginx and the LocalAPI: kept-alive connections, one lookup for many, and
answers that are late, cut off or nonsense. Whatever it is: 503, soon, and one
line that says why."""

import json
import socket
import threading
import time

import pytest

from conftest import ALICE, BOB
from localapi_test import (LocalAPI, NOT_FOUND, RUNNING, chunked, http,
                           person)
from network_test import own_network
from tailgate_test import Client, get, wait_until

CONF = """
server {
    listen @PORT@;
    location / { tailgate on; tailgate_headers webauth;
                 proxy_pass http://127.0.0.1:@APP@; }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
"""

ALICES = person("alice@example.com")
GOOD = http(body=ALICES)


@pytest.fixture
def api(world, tmp_path):
    return world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))


def start(world, api, timeout="2s", keepalive=4):
    return world.nginx(CONF, localapi=api.path,
                       options=f"timeout={timeout} keepalive={keepalive}")


def test_connections_are_kept(world, api):
    nginx = start(world, api)
    for _ in range(20):
        assert get(nginx.port, "/").status == 200
    assert api.accepted == 1
    assert api.count("whois") == 20
    assert api.count("status") == 1


def test_no_more_than_told_are_kept(world, api):
    nginx = start(world, api, keepalive=2)
    assert get(nginx.port, "/").status == 200
    api.hold.clear()
    clients = [Client(nginx.port) for _ in range(8)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 9)
    assert len(api.open) == 8
    api.hold.set()
    for client in clients:
        assert client.response().status == 200
        client.close()
    wait_until(lambda: len(api.open) == 2)


def test_none_are_kept(world, api):
    nginx = start(world, api, keepalive=0)
    for _ in range(3):
        assert get(nginx.port, "/").status == 200
    assert api.accepted == 4
    wait_until(lambda: not api.open)


@pytest.mark.parametrize("answer", [
    http(body=ALICES, headers=["Connection: close"]),
    http(body=ALICES).replace(b"HTTP/1.1", b"HTTP/1.0")])
def test_close_is_honoured(world, api, answer):
    api.whois = answer
    nginx = start(world, api)
    for _ in range(3):
        assert get(nginx.port, "/").status == 200
    assert api.accepted == 3


def test_dead_connection_is_replaced(world, api):
    """The other side may close a kept one whenever it likes."""

    api.close_after = 1
    nginx = start(world, api)
    for _ in range(10):
        assert get(nginx.port, "/").status == 200
    assert "does not identify" not in nginx.error_log()


def test_connection_that_dies_with_a_question(world, api):
    """One more attempt, on a new one; not two."""

    nginx = start(world, api)
    assert get(nginx.port, "/").status == 200
    answers = [None, GOOD]
    api.whois = lambda query: answers.pop(0)
    assert get(nginx.port, "/").status == 200
    assert answers == []

    answers = [None, None, GOOD]
    assert get(nginx.port, "/").status == 503
    assert answers == [GOOD]
    nginx.logged("closed the connection without an answer")


def test_service_comes_back(world, api, tmp_path):
    """tailscaled restarts: 503 while it is away, then as before, without a
    reload; a 404 before it is up is no stranger."""

    nginx = start(world, api)
    with Client(nginx.port) as client:
        assert client.get("/").status == 200
    api.close()
    assert get(nginx.port, "/").status == 503
    again = world.start(LocalAPI(
        api.path, whois=NOT_FOUND,
        status=http(body={"BackendState": "NoState", "Self": None})))
    assert get(nginx.port, "/").status == 503
    again.status = http(body=RUNNING)
    assert get(nginx.port, "/").status == 403
    again.whois = GOOD
    assert get(nginx.port, "/").status == 200
    again.status = http(body={**RUNNING, "BackendState": "Starting"})
    again.whois = NOT_FOUND
    assert get(nginx.port, "/").status == 503


def test_devnet_restart(world):
    """The same with devnet, which does as tailscaled does."""

    nginx = world.nginx(CONF)
    assert get(nginx.port, "/", source=ALICE).status == 200
    world.devnet.ctl("restart", "300", "500")
    seen = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        seen.append(get(nginx.port, "/", source=ALICE).status)
        if seen[-1] == 200 and 503 in seen:
            break
        time.sleep(0.01)
    assert set(seen) <= {200, 503}
    assert seen[-1] == 200 and 503 in seen


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_chunks(world, api, size):
    api.whois = chunked(ALICES, size)
    nginx = start(world, api)
    for _ in range(3):
        assert get(nginx.port, "/").status == 200
    assert api.accepted == 1


def test_answer_in_small_parts(world, api):
    class Slowly(LocalAPI):
        def serve(self, connection):
            class Parts:
                def recv(self, n):
                    return connection.recv(n)

                def sendall(self, data):
                    for i in range(0, len(data), 40):
                        connection.sendall(data[i:i + 40])
                        time.sleep(0.001)
            super().serve(Parts())

    slow = world.start(Slowly(api.path + "2", whois=chunked(ALICES, 60)))
    nginx = start(world, slow)
    for _ in range(3):
        assert get(nginx.port, "/").status == 200


def test_large_answer(world, api):
    groups = [f"group-{i}-" + "x" * 200 for i in range(250)]
    big = {**ALICES, "Padding": "x" * 900000}
    big["UserProfile"] = {**ALICES["UserProfile"], "Groups": groups}
    api.whois = http(body=big)
    nginx = start(world, api)
    assert get(nginx.port, "/").status == 200
    api.whois = chunked(big, 30000)
    assert get(nginx.port, "/").status == 200


def cut(data, n):
    return data[:n]


GARBAGE = {
    "truncated": (cut(GOOD, -10), "inside of an answer"),
    "truncated chunks": (cut(chunked(ALICES), -3), "inside of an answer"),
    "empty": (b"", "without an answer"),
    "no http": (b"hello\r\n\r\n", "HTTP status line"),
    "other version": (GOOD.replace(b"1.1", b"2.0"), "HTTP status line"),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, "HTTP status"),
    "no length": (http(body=ALICES, length=False), "how long its body is"),
    "two lengths": (http(body=ALICES, headers=["Content-Length: 5"]),
                    "Content-Length is malformed"),
    "sign": (b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n12345",
             "Content-Length is malformed"),
    "both": (chunked(ALICES).replace(
        b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n", 1),
        "both a length and chunks"),
    "other coding": (http(headers=["Transfer-Encoding: gzip, chunked"]),
                     "transfer encoding"),
    "gzip": (http(headers=["Content-Encoding: gzip"]), "content is encoded"),
    "huge length": (b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
                    "body is too long"),
    "overflow": (b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617"
                 b"\r\n\r\n", "body is too long"),
    "huge chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"fffffffffffffffff\r\n", "body is too long"),
    "bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  b"0x5\r\n12345\r\n0\r\n\r\n", "chunk size is malformed"),
    "long chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"2\r\n12345\r\n0\r\n\r\n", "longer than it says"),
    "endless head": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4000,
                     "headers are too long"),
    "long line": (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 5000,
                  "line is too long"),
    "bare LF": (GOOD.replace(b"\r\n", b"\n"), "without CR"),
    "NUL": (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "NUL or CR"),
    "no JSON": (http(body="hello"), "nonsense"),
    "half JSON": (http(body=json.dumps(ALICES)[:-20]), "nonsense"),
    "twice JSON": (http(body=json.dumps(ALICES) * 2), "nonsense"),
    "list": (http(body=[ALICES]), "nonsense"),
    "empty object": (http(body={}), "nonsense"),
    "deep": (http(body="[" * 100000), "nonsense"),
    "null": (http(body="null"), "nonsense"),
    "doubled key": (http(body='{"Node":{},"Node":{}}'), "nonsense"),
    "403": (http(403, "invalid localapi request\n"), "403"),
    "500": (http(500, "oh\n"), "500"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", "204"),
    "302": (http(302, "", headers=["Location: /"]), "302"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_check_19_nonsense(world, api, name):
    answer, words = GARBAGE[name]

    timers = []

    def whois(query):
        timers.append(threading.Timer(0.05, end))
        timers[-1].start()
        return answer

    def end():
        for connection in list(api.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    api.whois = whois
    nginx = start(world, api)
    assert get(nginx.port, "/").status == 503
    nginx.logged(words)
    lines = [line for line in nginx.error_log().splitlines()
             if "[error]" in line]
    assert len(lines) == 1, lines
    assert words in lines[0]
    # and it goes on, on connections that nobody ends any more
    for timer in timers:
        timer.join()
    api.whois = GOOD
    assert get(nginx.port, "/").status == 200


@pytest.mark.parametrize("name", ["truncated", "no JSON", "500", "huge length",
                                  "empty object"])
def test_check_19_nonsense_about_this_node(world, api, name):
    answer = GARBAGE[name][0] if name != "empty object" else http(body="{")
    api.close_after = 1
    api.status = answer
    nginx = start(world, api)
    assert get(nginx.port, "/").status == 503
    api.status = http(body=RUNNING)
    assert get(nginx.port, "/").status == 200


def test_check_19_trailing_bytes(world, api):
    """What comes behind an answer is not the next one's."""

    forged = http(body=person("bob@example.com"))
    api.whois = GOOD + forged
    nginx = start(world, api)
    for _ in range(5):
        answer = get(nginx.port, "/")
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert api.accepted == 5


def test_check_19_unasked_bytes(world, api):
    """Nor is what comes on a connection that waits."""

    nginx = start(world, api)
    assert get(nginx.port, "/").status == 200
    for connection in list(api.open):
        connection.sendall(http(body=person("bob@example.com")))
    time.sleep(0.1)
    for _ in range(3):
        answer = get(nginx.port, "/")
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]


@pytest.mark.parametrize("kind", ["whois", "status"])
def test_check_19_silence(world, api, kind):
    """The deadline holds for all that wait, and is the only wait."""

    done = threading.Event()

    def silent(query):
        done.wait(10)
        return None

    setattr(api, kind, silent)
    nginx = start(world, api, timeout="300ms")
    begin = time.monotonic()
    clients = [Client(nginx.port) for _ in range(10)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    for client in clients:
        answer = client.response()
        assert answer.status == 503
        assert answer.header("Retry-After") == "5"
        client.close()
    assert 0.25 < time.monotonic() - begin < 8
    assert "did not answer within 300 ms" in nginx.error_log()
    # others go on meanwhile
    assert get(nginx.port, "/off").status == 200
    done.set()


@own_network("100.64.0.2", "100.64.0.4", "100.64.0.5")
def test_one_lookup_for_many(world, tmp_path):
    """Requests of one peer that come at once share a question; those of
    another one do not."""

    def whois(query):
        name = {"100.64.0.4": "alice", "100.64.0.5": "bob"}[query["addr"]]
        return http(body=person(f"{name}@example.com"))

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=whois))
    nginx = start(world, api)
    api.hold.clear()
    where = ("100.64.0.2", nginx.port)
    clients = [Client(where, source="100.64.0.4") for _ in range(50)]
    clients += [Client(where, source="100.64.0.5") for _ in range(50)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 2)
    time.sleep(0.2)
    # some go away meanwhile
    for client in clients[::5]:
        client.close()
    time.sleep(0.1)
    api.hold.set()
    for i, client in enumerate(clients):
        if i % 5 == 0:
            continue
        answer = client.response()
        login = "alice" if i < 50 else "bob"
        assert answer.seen("X-Webauth-User") == [f"{login}@example.com"]
        client.close()
    assert api.count("whois") == 2
    # nothing is kept beyond: the next request asks again
    assert get(where, "/", source="100.64.0.4").status == 200
    assert api.count("whois") == 3


@own_network("100.64.0.2", "100.64.0.4")
def test_last_waiter_ends_the_lookup(world, tmp_path):
    """When all have gone away nothing is left under way."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = start(world, api)
    where = ("100.64.0.2", nginx.port)
    assert get(where, "/", source="100.64.0.4").status == 200
    api.hold.clear()
    clients = [Client(where, source="100.64.0.4") for _ in range(20)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 2)
    before = nginx.descriptors()
    for client in clients:
        client.close()
    wait_until(lambda: nginx.descriptors() <= before - 20)
    api.hold.set()
    assert get(where, "/", source="100.64.0.4").status == 200


def test_client_leaves_before_the_question(world, api):
    """The only one that waits for a lookup goes while nginx still asks the
    node about itself."""

    done = threading.Event()

    def silent(query):
        done.wait(10)
        return None

    api.status = silent
    nginx = start(world, api)
    for leaving in (1, 5):
        clients = [Client(nginx.port) for _ in range(leaving)]
        for client in clients:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        for client in clients:
            client.close()
        time.sleep(0.2)
    done.set()
    api.status = http(body=RUNNING)
    assert get(nginx.port, "/").status == 200
    assert "exited on signal" not in nginx.error_log()


def test_more_lookups_than_connections(world, api):
    """Beyond 64 at once they wait their turn."""

    api.whois = lambda query: GOOD
    nginx = start(world, api)
    assert get(nginx.port, "/").status == 200
    api.hold.clear()
    clients = [Client(nginx.port) for _ in range(150)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 65)
    time.sleep(0.2)
    assert api.count("whois") == 65
    assert len(api.open) == 64
    for client in clients[100:120]:
        client.close()
    api.hold.set()
    for client in clients[:100] + clients[120:]:
        assert client.response().status == 200
        client.close()
    assert api.count("whois") in range(131, 152)


def test_more_lookups_than_connections_and_an_outage(world, api):
    nginx = start(world, api, timeout="30s")
    assert get(nginx.port, "/").status == 200
    api.hold.clear()
    clients = [Client(nginx.port) for _ in range(150)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 65)
    api.close()
    begin = time.monotonic()
    for client in clients:
        assert client.response().status == 503
        client.close()
    assert time.monotonic() - begin < 15
    api.hold.set()


def test_devnet_faults(world):
    """All that devnet can do wrong is 503."""

    nginx = world.nginx(CONF)
    assert get(nginx.port, "/", source=ALICE).status == 200
    for kind in ("truncated half-json oversized deep garbage empty wrong-type"
                 " duplicate-keys empty-profile html server-error close"
                 " not-http bad-chunk two-lengths").split():
        world.devnet.ctl("nonsense", kind, "whois")
        assert get(nginx.port, "/", source=ALICE).status == 503, kind
        world.devnet.ctl("normal")
        assert get(nginx.port, "/", source=BOB).status == 200, kind
    world.devnet.ctl("slow", "200")
    begin = time.monotonic()
    assert get(nginx.port, "/", source=ALICE).status == 200
    assert time.monotonic() - begin > 0.19


def test_check_35_how_it_asks(world, tmp_path):
    """As anybody may: a GET with the Host that tailscaled wants, no Origin,
    no Referer, nothing of the client's."""

    requests = []

    class Wire(LocalAPI):
        def serve(self, connection):
            class Tap:
                @staticmethod
                def recv(n):
                    data = connection.recv(n)
                    requests.append(data)
                    return data

                @staticmethod
                def sendall(data):
                    connection.sendall(data)
            super().serve(Tap())

    api = world.start(Wire(str(tmp_path / "wire.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path)
    with Client(nginx.port) as client:
        port = client.socket.getsockname()[1]
        assert client.get("/", [("Origin", "http://evil"),
                                ("Referer", "http://evil")]).status == 200
    end = b" HTTP/1.1\r\nHost: local-tailscaled.sock\r\n\r\n"
    assert [request for request in requests if request] == [
        b"GET /localapi/v0/status?peers=false" + end,
        b"GET /localapi/v0/whois?addr=127.0.0.1%3A" + str(port).encode()
        + b"&proto=tcp" + end]


def test_node_comes_up_between_questions(world, api):
    """An answer about a peer is read with the state of a node that is up, so
    that members are not taken for those of another tailnet."""

    states = [http(body={"BackendState": "NoState", "Self": None})]
    api.status = lambda query: states.pop(0) if states else http(body=RUNNING)
    nginx = start(world, api)
    answer = get(nginx.port, "/")
    assert answer.seen("X-Webauth-User") == ["alice@example.com"]
    assert api.count("status") == 2


def test_node_stays_down(world, api):
    """A peer is known, but not whose tailnet it is of."""

    api.status = http(body={"BackendState": "NoState", "Self": None})
    nginx = start(world, api)
    assert get(nginx.port, "/").status == 503
    nginx.logged("knows no tailnet of its own")
