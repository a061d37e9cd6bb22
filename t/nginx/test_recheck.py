# Copyright (C) The Tailgate authors

"""Requests that run for long: what is closed when a peer loses its right, and
what is not. Devnet's people sit on loopback, where a connection's peer is asked
for by its port, and in a network of the test's own, where answers are kept."""

import contextlib
import os
import signal
import socket
import threading
import time

import pytest

from conftest import PEOPLE
from h2_test import H2Client
from localapi_test import LocalAPI, http, person
from network_test import own_network
from tailgate_test import (ConfigError, Devnet, Echo, Nginx, Reader,
                           free_port, wait_until)

ALICE, BOB = "127.0.0.11", "127.0.0.12"
SELF, CAROL = "100.64.0.1", "100.64.0.14"
OWN = own_network(SELF, CAROL)

CONF = """
tailgate_recheck @RECHECK@;
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
    listen 127.0.0.1:@PORT@;
    proxy_buffering off;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    tailgate on;
    tailgate_peers member tagged;
    location / {
        add_header X-Login $tailgate_login always;
        add_header X-Cache $tailgate_cache always;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /off/ {
        tailgate_recheck 0;
        proxy_pass http://127.0.0.1:@APP@;
    }
    @MORE@
}
"""


class Socket:
    """A connection that was upgraded, and echoes."""

    def __init__(self, nginx, source, target="/", to="127.0.0.1"):
        self.socket = socket.create_connection((to, nginx.port), 20,
                                               (source, 0))
        self.socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n"
            "Connection: Upgrade\r\n\r\n".encode("ascii"))
        self.reader = Reader(self.socket)
        line, _ = self.reader.head()
        assert " 101 " in line, line
        self.reader.until(b"\n")

    def echoes(self):
        try:
            self.socket.sendall(b"ping\n")
            return self.reader.until(b"\n") is not None
        except (OSError, EOFError):
            return False
        except Exception as error:  # pylint: disable=broad-except
            if type(error).__name__ == "Incomplete":
                return False
            raise

    def ended(self, seconds=20):
        """Waits for the other side to end it."""

        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


@pytest.fixture(name="opened")
def fixture_opened():
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **more: stack.enter_context(
            contextlib.closing(Socket(*arguments, **more)))


def start(world, recheck="1s", more="", conf=CONF, **values):
    nginx = world.nginx(conf, RECHECK=recheck, MORE=more, **values)
    api = world.devnet
    if api:
        wait_until(lambda: followed(nginx), 20, "the bus is followed")
    return api, nginx


def followed(nginx):
    """A connection that is kept alive is not asked about again then."""

    with socket.create_connection(("127.0.0.1", nginx.port), 20,
                                  (ALICE, 0)) as kept:
        reader = Reader(kept)
        seen = []
        for _ in range(2):
            kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _, headers = reader.head()
            names = {name.lower(): value for name, value in headers}
            reader.exactly(int(names["content-length"]))
            seen.append(names.get("x-cache"))
        return seen[1] == "connection"


@pytest.mark.parametrize("change", [
    ["remove", "alice-laptop"], ["expire", "alice-laptop"],
    ["move", "alice-laptop", "bob@example.com"],
    ["retag", "alice-laptop", "tag:ci"], ["authorize", "alice-laptop", "no"],
], ids=lambda change: change[0])
def test_check_25_websocket(world, opened, change):
    """Closed, with who and why; everybody else's goes on."""

    api, nginx = start(world)
    alice, bob = opened(nginx, ALICE), opened(nginx, BOB)
    off = opened(nginx, ALICE, "/off/")
    assert alice.echoes() and bob.echoes()
    api.ctl(*change)
    assert alice.ended()
    nginx.logged('closed, member "alice@example.com" has lost its right')
    assert bob.echoes() and off.echoes()


@pytest.mark.parametrize("nodes", [1, 3])
def test_unchanged(world, opened, nodes):
    """Changes of others, and reloads with the same rules, close nothing."""

    api, nginx = start(world, recheck="200ms")
    sockets = [opened(nginx, ALICE) for _ in range(nodes)]
    api.ctl("remove", "bob-phone")
    nginx.reload()
    api.ctl("resend")
    count = api.count().get("whois", 0)
    api.ctl("online", "alice-laptop", "no")
    api.ctl("groups", "alice@example.com", "ops")
    wait_until(lambda: api.count().get("whois", 0) >= count + nodes, 20,
               "they are asked about again")
    assert all(s.echoes() for s in sockets)
    assert "has lost its right" not in nginx.error_log()


def test_check_28_reload(world, opened):
    """A worker that is shut down closes what other rules may not let in."""

    _, nginx = start(world, recheck="200ms")
    alice, off = opened(nginx, ALICE), opened(nginx, ALICE, "/off/")
    old = set(nginx.workers())
    nginx.reload()
    wait_until(lambda: len(nginx.workers()) == 2, 20, "both generations")
    assert alice.echoes()
    nginx.reload(CONF.replace("tailgate_peers member tagged;",
                              "tailgate_deny user=alice@example.com;"))
    assert alice.ended()
    nginx.logged("other rules are in force now")
    assert off.echoes()
    off.close()
    wait_until(lambda: not old & set(nginx.workers()), 20, "it ends")


def test_refused_reload(world, opened):
    """A configuration that is not taken has no rules in force."""

    _, nginx = start(world, recheck="200ms", allow="unknown directive")
    alice = opened(nginx, ALICE)
    nginx.reload()
    nginx.configure(CONF.replace("tailgate_peers member tagged;", "nonsense;"))
    os.kill(nginx.master(), signal.SIGHUP)
    nginx.logged("unknown directive")
    for _ in range(10):
        time.sleep(0.1)
        assert alice.echoes()


def test_stream_of_http2(world):
    """The stream alone: the connection's next one is decided anew."""

    port = free_port()
    api, nginx = start(world, more=f"listen 127.0.0.1:{port} http2;")
    hold = threading.Event()
    world.app.answers["/slow"] = lambda _: hold.wait(20) and None
    try:
        with H2Client(("127.0.0.1", port), source=ALICE,
                      tls=False) as client:
            stream = client.send("/slow")
            client.flush()
            wait_until(lambda: any(r["uri"] == "/slow"
                                   for r in world.app.requests), 10, "it runs")
            api.ctl("remove", "alice-laptop")
            nginx.logged("has lost its right")
            assert client.get("/").status == 403
            assert stream not in client.open
    finally:
        hold.set()


def test_slow_body(world):
    """A request whose body still comes is closed, too."""

    api, nginx = start(world, more="""
    location /upload {
        proxy_request_buffering off;
        proxy_pass http://127.0.0.1:@APP@;
    }""".replace("@APP@", "1"))
    with socket.create_connection(("127.0.0.1", nginx.port), 20,
                                  (ALICE, 0)) as client:
        client.sendall(b"POST /body HTTP/1.1\r\nHost: a\r\n"
                       b"Content-Length: 1000000\r\n\r\n")
        client.sendall(b"x" * 1000)
        api.ctl("remove", "alice-laptop")
        client.settimeout(20)
        try:
            assert client.recv(100) == b""
        except ConnectionResetError:
            pass
    nginx.logged("has lost its right")


def test_download(world):
    """What nginx itself sends, to a client that reads slowly."""

    _, nginx = start(world, more="location /big { alias @DIR@/; }"
                     .replace("@DIR@", str(world.directory)))
    (world.directory / "file").write_bytes(b"x" * 50_000_000)
    with socket.create_connection(("127.0.0.1", nginx.port), 20,
                                  (ALICE, 0)) as client:
        client.sendall(b"GET /big/file HTTP/1.0\r\n\r\n")
        assert client.recv(100)
        world.devnet.ctl("remove", "alice-laptop")
        nginx.logged("has lost its right", 20)
        seen = 0
        while True:
            try:
                part = client.recv(1 << 20)
            except ConnectionResetError:
                break
            if not part:
                break
            seen += len(part)
        assert seen < 50_000_000


def test_kept_alive_on_loopback(world):
    """A new request of a connection is asked about once something changed."""

    api, nginx = start(world)
    with socket.create_connection(("127.0.0.1", nginx.port), 20,
                                  (ALICE, 0)) as kept:
        reader = Reader(kept)

        def login():
            kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            line, headers = reader.head()
            names = {name.lower(): value for name, value in headers}
            reader.exactly(int(names["content-length"]))
            return int(line.split(" ")[1]), names.get("x-login")

        assert login() == (200, "alice@example.com")
        api.ctl("move", "alice-laptop", "bob@example.com")
        wait_until(lambda: login() == (200, "bob@example.com"), 10, "bob")
        api.ctl("remove", "alice-laptop")
        wait_until(lambda: login()[0] == 403, 10, "nobody")


def stub(world, tmp_path, whois, cache, recheck="200ms"):
    """A LocalAPI that says anything, for an address on loopback."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=whois))
    world.app = world.start(Echo())
    nginx = world.start(Nginx(
        tmp_path, f"tailgate_localapi unix:@LOCALAPI@ timeout=500ms; {cache}\n"
        + CONF, LOCALAPI=api.path, APP=world.app.port, RECHECK=recheck,
        MORE=""))
    return api, nginx


def alice_is_here(_):
    return http(body=person("alice@example.com", address=ALICE))


@pytest.mark.parametrize("cache", ["tailgate_cache ttl=1s;",
                                   "tailgate_cache off;"], ids=["on", "off"])
def test_without_events(world, tmp_path, opened, cache):
    """No event stream: what was asked is asked again by the ttl."""

    api, nginx = stub(world, tmp_path, alice_is_here, cache)
    alice = opened(nginx, ALICE)
    asked = api.count()
    wait_until(lambda: api.count() >= asked + 3, 20, "asked again")
    assert alice.echoes()
    api.whois = http(404, "no match for IP:port\n")
    assert alice.ended()
    nginx.logged("has lost its right")


def test_no_more_than_the_ttl(world, tmp_path, opened):
    """While there is no event stream nobody is asked about for nothing."""

    api, nginx = stub(world, tmp_path, alice_is_here, "tailgate_cache ttl=1h;",
                      "100ms")
    alice = opened(nginx, ALICE)
    asked = api.count()
    time.sleep(1)
    assert alice.echoes()
    assert api.count() == asked


def test_key_expires(world, tmp_path, opened):
    """No event tells it: the clock does, also while tailscaled is silent."""

    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    api, nginx = stub(world, tmp_path, lambda _: http(body=person(
        "alice@example.com", address=ALICE, KeyExpiry=end)),
        "tailgate_cache ttl=1h;")
    alice, other = opened(nginx, ALICE), opened(nginx, ALICE)
    assert alice.echoes()
    api.whois = None
    api.status = None
    assert alice.ended() and other.ended()
    nginx.logged("its key has expired")
    nginx.stop()


def test_check_19_outage(world, tmp_path, opened):
    """tailscaled restarts: nothing is cut, however often it is asked."""

    api, nginx = stub(world, tmp_path, alice_is_here, "tailgate_cache off;")
    alice, second = opened(nginx, ALICE), opened(nginx, ALICE)
    for whois in (lambda _: None, alice_is_here):
        api.whois = whois
        asked = api.count()
        wait_until(lambda count=asked: api.count() >= count + 10, 20,
                   "asked again and again")
        assert alice.echoes() and second.echoes()


def test_check_19_long_outage(world, tmp_path, opened):
    """It stays away: what it does not confirm is over."""

    api, nginx = stub(world, tmp_path, alice_is_here,
                      "tailgate_cache ttl=1s stale=1s;")
    alice, second = opened(nginx, ALICE), opened(nginx, ALICE)
    api.whois = lambda _: None
    assert alice.ended() and second.ended()
    nginx.logged("has not told for too long who it is")


@OWN
def test_many_of_one_peer(tmp_path, opened):
    """All of one peer's are asked about by one question."""

    with LocalAPI(str(tmp_path / "api.sock"),
                  whois=lambda query: http(body=person(
                      "carol@example.com", address=query["addr"])),
                  status=http(body={
                      "BackendState": "Running", "TailscaleIPs": [SELF],
                      "Self": {"ID": "n1", "DNSName": "web1.tail.example.",
                               "TailscaleIPs": [SELF]}})) as api, \
            Echo() as app, \
            Nginx(tmp_path, "tailgate_localapi unix:@LOCALAPI@;"
                  "tailgate_cache ttl=2s;" + CONF.replace(
                      "listen 127.0.0.1:", f"listen {SELF}:"),
                  LOCALAPI=api.path, APP=app.port, RECHECK="1s",
                  MORE="") as nginx:
        sockets = [opened(nginx, CAROL, to=SELF) for _ in range(100)]
        asked = api.count()
        wait_until(lambda: api.count() >= asked + 2, 20, "asked again")
        assert api.count() <= asked + 5
        assert all(s.echoes() for s in sockets)
        api.whois = http(404, "no match for IP:port\n")
        assert all(s.ended() for s in sockets)


@pytest.mark.parametrize("directive, fault", [
    ("tailgate_recheck;", "invalid number of arguments"),
    ("tailgate_recheck soon;",
     'invalid time "soon" in "tailgate_recheck": one such as "5s" is needed'),
    ("tailgate_recheck '';", 'invalid time ""'),
    ("tailgate_recheck -1;", 'invalid time "-1"'),
    ("tailgate_recheck 1s; tailgate_recheck 2s;", "is duplicate"),
    ("server { listen 127.0.0.1:@PORT@; if ($host) { tailgate_recheck 1s; } }",
     "not allowed here")])
def test_refused(tmp_path, directive, fault):
    with pytest.raises(ConfigError, match=fault):
        Nginx(tmp_path, directive).test()


def test_single_process(world, tmp_path):
    """"master_process off" and a reload: nginx takes no new connection then,
    and those that are there go on by the configuration that they came to."""

    devnet = world.start(Devnet(tmp_path, PEOPLE))
    nginx = world.start(Nginx(tmp_path, """
daemon off;
master_process off;
load_module @MODULE@;
error_log @DIR@/error.log info;
pid @DIR@/nginx.pid;
events { worker_connections 64; }
http {
    access_log off;
    tailgate_localapi unix:@LOCALAPI@;
    server {
        listen 127.0.0.1:@PORT@;
        location / { tailgate on; empty_gif; }
    }
}
""", workers=0, LOCALAPI=devnet.socket))
    with socket.create_connection(("127.0.0.1", nginx.port), 20,
                                  (ALICE, 0)) as kept:
        kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")
        os.kill(nginx.process.pid, signal.SIGHUP)
        nginx.logged("reconfiguring")
        kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert kept.recv(4096).startswith(b"HTTP/1.1 200")
    assert nginx.process.poll() is None
