# Copyright (C) The Tailgate authors

"""The sockets between nginx and the LocalAPI at their worst moments."""

import os
import signal
import socket
import time

from conftest import ALICE
from localapi_test import LocalAPI, http, person
from tailgate_test import Client, get, wait_until

CONF = """
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; tailgate_headers webauth;
                 proxy_pass http://127.0.0.1:@APP@; }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
"""

GOOD = http(body=person("alice@example.com"))
FORGED = http(body=person("bob@example.com"))


def test_unasked_bytes_just_before_a_question(world, tmp_path):
    """A kept-alive connection is taken for a question in the very moment in
    which something comes by it: that is nobody's answer."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path)
    assert get(nginx.port, "/").status == 200

    for _ in range(5):
        worker, = nginx.workers()
        with Client(nginx.port) as client:
            client.get("/off")
            os.kill(worker, signal.SIGSTOP)
            try:
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                time.sleep(0.05)
                for connection in list(api.open):
                    connection.sendall(FORGED)
            finally:
                os.kill(worker, signal.SIGCONT)
            answer = client.response()
        assert answer.status == 200
        assert answer.seen("X-Webauth-User") == ["alice@example.com"]


class Full:
    """A socket that nobody accepts at, and its queue is full."""

    def __init__(self, path):
        self.path = path
        self.waiting = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(0)
        while self.fill():
            pass

    def fill(self):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        try:
            client.connect(self.path)
        except BlockingIOError:
            client.close()
            return False
        self.waiting.append(client)
        return True

    def close(self):
        for client in self.waiting:
            client.close()
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_full_queue_is_waited_for(world, tmp_path):
    """tailscaled that is too busy to accept is not gone."""

    path = str(tmp_path / "api.sock")
    full = Full(path)
    nginx = world.nginx(CONF, localapi=path)
    with Client(nginx.port, source=ALICE) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.3)
        full.close()
        api = world.start(LocalAPI(path, whois=GOOD))
        assert client.response().status == 200
    assert api.count() == 1


def test_full_queue_has_a_deadline(world, tmp_path):
    full = world.start(Full(str(tmp_path / "api.sock")))
    nginx = world.nginx(CONF, localapi=full.path, options="timeout=300ms")
    begin = time.monotonic()
    assert get(nginx.port, "/", source=ALICE).status == 503
    assert 0.25 < time.monotonic() - begin < 8
    assert "did not accept a connection within 300 ms" in nginx.error_log()


def test_client_leaves_while_the_queue_is_full(world, tmp_path):
    full = world.start(Full(str(tmp_path / "api.sock")))
    nginx = world.nginx(CONF, localapi=full.path)
    get(nginx.port, "/off")
    before = nginx.descriptors()
    clients = [Client(nginx.port, source=ALICE) for _ in range(20)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.1)
    for client in clients:
        client.close()
    wait_until(lambda: nginx.descriptors() <= before, 5, "all is closed")
