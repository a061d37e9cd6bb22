# Copyright (C) The Tailgate authors

"""Clients that send what no browser does, and leave when they like. Nothing
forged arrives, no worker dies, and those who behave are served."""

import random
import threading
import time

import pytest
from h2.exceptions import ProtocolError

from conftest import ALICE, BOB, STRANGER
from h2_test import H2Client
from localapi_test import NOT_FOUND, RUNNING, LocalAPI, http, person
from tailgate_test import Client, Incomplete, certificate, free_port

ANY_NAME = """
server {
    listen 127.0.0.1:@PORT@;
    underscores_in_headers on;
    ignore_invalid_headers off;
    large_client_header_buffers 64 64k;
    location / {
        tailgate on;
        tailgate_headers webauth remote-user tailscale;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
"""

MANAGED = ("x-webauth-user", "remote-user", "tailscale-user-login")


def fold(name):
    return "".join(c.lower() if c.isascii() and c.isalnum() else "-"
                   for c in name)


def disguises(name, byte):
    """The name with a byte in place of each "-", and before and behind."""

    name = name.encode("ascii")
    return [name.replace(b"-", byte), name.replace(b"-", byte, 1),
            byte + name, name + byte]


@pytest.mark.parametrize("name", MANAGED)
def test_check_12_every_byte_in_a_name(world, name):
    nginx = world.nginx(ANY_NAME)
    arrived = 0
    client = None
    for byte in (bytes([n]) for n in range(256)):
        for disguise in disguises(name, byte):
            if client is None:
                client = Client(nginx.port, source=ALICE)
            client.send(b"GET /off HTTP/1.1\r\nHost: a\r\n" + disguise
                        + b": evil\r\nX-Keep: 1\r\n\r\n")
            answer = client.response()
            if answer.status != 200:
                client.close()
                client = None
                continue
            names = [n for n, v in answer.json()["raw_headers"] if v == "evil"]
            arrived += len(names)
            for seen in names:
                assert fold(seen) not in MANAGED, disguise
                assert not fold(seen).startswith("tailscale-"), disguise
    client.close()
    # most bytes make another name, which is none of our business
    assert arrived > 100


def test_check_12_many_headers(world):
    """Longer lists than nginx keeps in one piece, with known headers at any
    place in them."""

    nginx = world.nginx(ANY_NAME)
    rnd = random.Random(5)
    evil = ["X-Webauth-User", "remote_user", "X.Webauth.Email",
            "X-REMOTE-USER", "Tailscale-Anything", "X-Forwarded-User"]
    with Client(nginx.port, source=ALICE) as client:
        for n in range(60):
            kept = [(f"X-K{i}", f"{n}") for i in range(rnd.randrange(100))]
            headers = kept.copy()
            for name in rnd.choices(evil, k=rnd.randrange(40)):
                headers.insert(rnd.randrange(len(headers) + 1),
                               (name, "evil"))
            for name in ("Cookie", "X-Forwarded-For", "Authorization"):
                headers.insert(rnd.randrange(len(headers) + 1), (name, name))
            for path, user in (("/", ["alice@example.com"]), ("/off", [])):
                answer = client.get(path, headers)
                got = [tuple(h) for h in answer.json()["raw_headers"]]
                assert "evil" not in str(got)
                assert [h for h in got if h[0].startswith("X-K")] == kept
                assert answer.seen("X-Webauth-User") == user
                for name in ("Cookie", "X-Forwarded-For", "Authorization"):
                    assert answer.seen(name) == [name]


STORM = """
limit_req_zone $tailgate_login zone=person:1m rate=10000r/s;
server {
    listen 127.0.0.1:@PORT@;
    listen 127.0.0.1:@PORT2@ ssl http2;
    ssl_certificate @CRT@;
    ssl_certificate_key @KEY@;
    tailgate on;
    tailgate_headers webauth remote-user;
    tailgate_session sid;
    limit_req zone=person;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /page { ssi on; ssi_types *; root @DIR@; }
    location /optional { tailgate optional;
                         proxy_pass http://127.0.0.1:@APP@; }
    location /off { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
    location /mirror { mirror /mirrored; proxy_pass http://127.0.0.1:@APP@; }
    location /mirrored { internal; proxy_pass http://127.0.0.1:@APP@; }
    location /request { auth_request /optional;
                        proxy_pass http://127.0.0.1:@APP@; }
    location /tagged { tailgate_peers tagged; error_page 403 503 /page;
                       proxy_pass http://127.0.0.1:@APP@; }
}
"""

PATHS = ["/", "/page", "/optional", "/off", "/mirror", "/request", "/tagged"]
ALICES = http(body=person("alice@example.com"))


class Storm:
    """Clients that come and go for some seconds, and a LocalAPI that does as
    it pleases."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.random = random.Random(7)
        self.served = 0

    def whois(self, query):
        time.sleep(self.random.random() * 0.02)
        return self.random.choices(
            [ALICES, None, NOT_FOUND, http(200, "{"), ALICES + NOT_FOUND],
            [80, 5, 5, 5, 5])[0]

    def status(self, query):
        time.sleep(self.random.choice([0, 0, 0, 0.3]))
        return self.random.choice([http(body=RUNNING)] * 9 + [None])

    def http1(self, nginx, rnd):
        source = rnd.choice([ALICE, BOB, STRANGER])
        with Client(nginx.port, source=source, timeout=5) as client:
            for _ in range(rnd.randrange(1, 5)):
                n = rnd.choice([1, 1, 3])
                client.send(f"GET {rnd.choice(PATHS)} HTTP/1.1\r\nHost: a\r\n"
                            "X-Webauth-User: evil\r\nCookie: sid=1; a=b\r\n"
                            "\r\n" * n)
                if rnd.random() < 0.3:
                    time.sleep(rnd.random() * 0.02)
                    return
                for _ in range(n):
                    answer = client.response()
                    assert b"evil" not in answer.body
                    self.served += answer.status == 200

    def http2(self, nginx, rnd):
        with H2Client(nginx.values["PORT2"], source=ALICE,
                      timeout=5) as client:
            streams = [client.send(rnd.choice(PATHS))
                       for _ in range(rnd.randrange(1, 20))]
            for stream in streams:
                if rnd.random() < 0.3:
                    client.reset(stream)
            if rnd.random() < 0.3:
                return
            for answer in client.wait(*(s for s in streams
                                        if s in client.open)):
                self.served += answer.status == 200

    def client(self, kind, nginx, seed, faults):
        rnd = random.Random(seed)
        while time.monotonic() < self.end:
            try:
                kind(nginx, rnd)
            except (OSError, Incomplete, ProtocolError):
                # a reload ends connections
                pass
            except AssertionError as error:
                if "connection was closed" not in str(error):
                    faults.append(error)


def test_storm(world, tmp_path):
    crt, key = certificate(tmp_path)
    storm = Storm(5)
    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=storm.whois,
                               status=storm.status))
    nginx = world.nginx(STORM, localapi=api.path, workers=2,
                        options="timeout=200ms keepalive=2",
                        PORT2=free_port(), CRT=crt, KEY=key)
    with open(nginx.path("page"), "w", encoding="ascii") as f:
        for path in ("/", "/optional", "/off", "/tagged", "/mirror"):
            f.write(f'<!--#include virtual="{path}" -->\n')

    faults = []
    threads = [threading.Thread(target=storm.client,
                                args=(kind, nginx, seed, faults))
               for seed, kind in enumerate([storm.http1] * 4
                                           + [storm.http2] * 2)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(1.5)
        nginx.reload()
    for thread in threads:
        thread.join()
    assert not faults
    assert storm.served > 20
    assert "exited on signal" not in nginx.error_log()
