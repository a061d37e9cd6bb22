# Copyright (C) The Tailgate authors

"""What goes on around requests: clients that leave, reloads under load, a
killed worker, a LocalAPI that comes and goes. No alert, no leak, nothing left
open; the library looks at the log when nginx is stopped."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from conftest import ALICE, BOB, STRANGER
from h2_test import H2Client
from localapi_test import LocalAPI, http, person
from network_test import own_network
from tailgate_test import (Client, Nginx, certificate, get, is_sanitized,
                           wait_until)

CONF = """
keepalive_requests 100000;
server {
    listen @PORT@;
    tailgate on;
    tailgate_headers webauth;
    tailgate_session sid;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /file { root @DIR@; }
    location /none { root @DIR@; }
    location /off { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
}
"""

GOOD = http(body=person("alice@example.com"))


def memory(nginx):
    """Resident kilobytes of the workers; none under AddressSanitizer, which
    keeps what was freed."""

    if is_sanitized():
        return 0

    total = 0
    for pid in nginx.workers():
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            total += int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
    return total


def test_a_denial_takes_no_more_than_its_request(world):
    """Many headers that are one list, of clients whose bodies do not come:
    the memory of a request is kept until then."""

    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; root @DIR@; }
}""")
    get(nginx.port, "/", source=STRANGER)
    before = memory(nginx)
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(Client(nginx.port,
                                                source=STRANGER))
            client.send("POST / HTTP/1.1\r\nHost: a\r\n"
                        "Content-Length: 100000\r\n"
                        + f"Accept: {20 * 'a'}\r\n" * 900 + "\r\n")
            assert client.response().status == 403
        assert memory(nginx) - before < 8 * 1024


def test_client_leaves_during_lookup(world, tmp_path):
    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path, level="debug")
    assert get(nginx.port, "/").status == 200
    before = nginx.descriptors()
    for n in range(20):
        api.hold.clear()
        asked = api.count("whois")
        clients = [Client(nginx.port) for _ in range(5)]
        for client in clients:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: api.count("whois") >= asked + 5)
        for client in clients:
            if n % 2:
                client.socket.shutdown(2)
            client.close()
        api.hold.set()
    assert get(nginx.port, "/").status == 200
    wait_until(lambda: nginx.descriptors() <= before)
    assert len(api.open) <= 4


def test_stream_is_reset_during_lookup(world, tmp_path):
    crt, key = certificate(tmp_path)
    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(
        f"ssl_certificate {crt}; ssl_certificate_key {key};"
        + CONF.replace("@PORT@;", "@PORT@ ssl http2;"), localapi=api.path)
    for n in range(5):
        api.hold.clear()
        asked = api.count("whois")
        with H2Client(nginx.port) as client:
            streams = [client.send("/") for _ in range(10)]
            wait_until(lambda: api.count("whois") > asked)
            for stream in streams[::2]:
                client.reset(stream)
            time.sleep(0.05)
            if n % 2 == 0:
                api.hold.set()
                for answer in client.wait(*streams[1::2]):
                    assert answer.status == 200
        api.hold.set()


def test_stop_during_lookup(world, tmp_path):
    """A worker that shuts down answers those that wait, and goes."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path)
    assert get(nginx.port, "/").status == 200
    api.hold.clear()
    client = Client(nginx.port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 2)
    begin = time.monotonic()
    nginx.signal(signal.SIGQUIT)
    time.sleep(0.3)
    api.hold.set()
    assert client.response().status == 200
    client.close()
    nginx.stopped()
    assert time.monotonic() - begin < 15
    wait_until(lambda: not api.open)


def test_stop_with_a_silent_service(world, tmp_path):
    """It does not stay longer than the deadline of a question."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path, options="timeout=1s")
    assert get(nginx.port, "/").status == 200
    api.hold.clear()
    client = Client(nginx.port)
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 2)
    begin = time.monotonic()
    nginx.signal(signal.SIGQUIT)
    assert client.response().status == 503
    client.close()
    nginx.stopped()
    assert time.monotonic() - begin < 15
    api.hold.set()


def test_shutdown_timeout(world, tmp_path):
    """worker_shutdown_timeout ends what is under way."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path, options="timeout=20s")
    nginx.stop()
    conf = open(nginx.path("nginx.conf"), encoding="utf-8").read()
    nginx.configure("worker_shutdown_timeout 500ms;\n" + conf)
    nginx.start()
    assert get(nginx.port, "/").status == 200
    api.hold.clear()
    clients = [Client(nginx.port) for _ in range(3)]
    for client in clients:
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    wait_until(lambda: api.count("whois") == 4)
    begin = time.monotonic()
    nginx.stop()
    assert time.monotonic() - begin < 15
    api.hold.set()
    for client in clients:
        client.close()


class Load:
    """Clients that ask all the time and keep what they get."""

    def __init__(self, nginx, sources, keepalive):
        self.statuses = {}
        self.wrong = []
        self.broken = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, daemon=True,
                             args=(nginx.port, source, login, keepalive))
            for source, login in sources]
        for thread in self.threads:
            thread.start()

    def run(self, port, source, login, keepalive):
        while not self.stopping.is_set():
            try:
                with Client(port, source) as client:
                    for _ in range(20 if keepalive else 1):
                        self.note(client.get("/"), login)
            except (OSError, AssertionError, ValueError, Exception):
                with self.lock:
                    self.broken += 1

    def note(self, answer, login):
        with self.lock:
            key = (login, answer.status)
            self.statuses[key] = self.statuses.get(key, 0) + 1
            if answer.status == 200 \
                    and answer.seen("X-Webauth-User") != [login]:
                self.wrong.append((login, answer.seen("X-Webauth-User")))

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(20)


PEOPLE = [(ALICE, "alice@example.com"), (BOB, "bob@example.com"),
          (STRANGER, None)] * 3


@pytest.mark.parametrize("keepalive", [False, True])
def test_reload_under_load(world, keepalive):
    """Nobody notices; nothing but 200 and the stranger's 403."""

    nginx = world.nginx(CONF, workers=2)
    load = Load(nginx, PEOPLE, keepalive)
    for _ in range(8):
        time.sleep(0.3)
        nginx.reload()
    load.stop()
    wait_until(lambda: len(nginx.workers()) == 2, 20, "old workers are gone")
    assert load.wrong == []
    assert set(load.statuses) == {
        ("alice@example.com", 200), ("bob@example.com", 200), (None, 403)}
    # a kept-alive connection that a worker closes while a request comes in
    assert load.broken <= (8 * len(PEOPLE) if keepalive else 0)


def test_worker_is_killed(world):
    nginx = world.nginx(CONF, workers=2)
    load = Load(nginx, PEOPLE, True)
    for _ in range(5):
        time.sleep(0.2)
        pid = nginx.workers()[0]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in nginx.workers()
                   and len(nginx.workers()) == 2)
    time.sleep(0.3)
    load.stop()
    assert load.wrong == []
    assert {status for _, status in load.statuses} <= {200, 403}
    assert get(nginx.port, "/", source=ALICE).status == 200
    assert "exited on signal 9" in nginx.error_log()


def test_service_restarts_under_load(world):
    """200 or 503, and never somebody else."""

    nginx = world.nginx(CONF, workers=2)
    load = Load(nginx, PEOPLE, False)
    for _ in range(3):
        time.sleep(0.3)
        world.devnet.ctl("restart", "200", "200")
        time.sleep(0.7)
    time.sleep(0.3)
    load.stop()
    assert load.wrong == []
    assert {status for login, status in load.statuses if login} == {200, 503}
    assert (None, 200) not in load.statuses
    assert get(nginx.port, "/", source=ALICE).status == 200


@pytest.mark.parametrize("path,source", [("/file", ALICE), ("/", ALICE),
                                         ("/", STRANGER), ("/off", ALICE)])
def test_nothing_is_left_over(world, path, source):
    """Descriptors and memory after many requests are as before."""

    nginx = world.nginx(CONF)
    with Client(nginx.port, source=source) as client:
        client.get(path)
        for _ in range(500):
            client.get(path)
        get(nginx.port, path, source=source)
        time.sleep(0.2)
        before = nginx.descriptors(), memory(nginx)
        for _ in range(3000):
            client.get(path)
        for _ in range(300):
            get(nginx.port, path, source=source)
        time.sleep(0.2)
        after = nginx.descriptors(), memory(nginx)
    assert after[0] <= before[0]
    assert after[1] - before[1] < 1500, (before, after)


@own_network("100.64.0.2", "100.64.0.4")
def test_one_connection_many_lookups(world, tmp_path):
    """A tailnet peer is asked for with each request; the memory of its
    connection does not grow."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    crt, key = certificate(tmp_path)
    nginx = world.nginx(
        f"ssl_certificate {crt}; ssl_certificate_key {key};"
        + CONF.replace("@PORT@;", "@PORT@ ssl http2;"), localapi=api.path)
    with H2Client(("100.64.0.2", nginx.port), source="100.64.0.4") as client:
        for _ in range(300):
            assert client.get("/off").status == 200
            assert client.get("/").status == 200
        before = memory(nginx)
        for _ in range(1500):
            assert client.get("/").status == 200
        assert memory(nginx) - before < 1000
    assert api.count("whois") == 1800


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not there")
def test_wrk(world):
    """Many requests at once, by wrk; all of one answer."""

    nginx = world.nginx(CONF, workers=2)
    with open(nginx.path("file"), "w", encoding="ascii") as f:
        f.write("ok")
    done = subprocess.run(
        ["wrk", "-t1", "-c50", "-d3s", f"http://127.0.0.1:{nginx.port}/file"],
        capture_output=True, text=True, check=True)
    # 127.0.0.1 is nobody
    total = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    refused = int(re.search(r"Non-2xx or 3xx responses: (\d+)",
                            done.stdout).group(1))
    assert total == refused > 1000


def test_many_descriptors_fail_closed(world, tmp_path):
    """No descriptor for the LocalAPI is an outage, not a way in."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=GOOD))
    nginx = world.nginx(CONF, localapi=api.path, options="keepalive=0",
                        allow=r"socket\(\) failed|open\(\).*failed"
                              r"|accept4?\(\) failed")
    nginx.stop()
    conf = open(nginx.path("nginx.conf"), encoding="utf-8").read()
    nginx.configure("worker_rlimit_nofile 24;\n" + conf)
    nginx.start()
    clients = [Client(nginx.port, timeout=5) for _ in range(10)]
    api.hold.clear()
    for client in clients:
        client.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
    nginx.logged("Too many open files")
    api.hold.set()
    statuses = []
    for client in clients:
        try:
            statuses.append(client.response().status)
        except OSError:
            pass
        client.close()
    # a static file that is not there: whoever was let in
    assert set(statuses) <= {404, 503} and 503 in statuses
    wait_until(lambda: get(nginx.port, "/none").status == 404)


def test_is_not_confused_by_others(world):
    """Two nginx side by side, each with a LocalAPI of its own."""

    nginx = world.nginx(CONF)
    other = os.path.join(str(world.directory), "other")
    os.makedirs(other)
    api = world.start(LocalAPI(os.path.join(other, "api.sock"),
                               whois=http(body=person("eve@example.com"))))
    with Nginx(other, f"tailgate_localapi unix:{api.path};" + CONF,
               APP=world.app.port) as second:
        for _ in range(5):
            assert get(nginx.port, "/", source=ALICE).seen(
                "X-Webauth-User") == ["alice@example.com"]
            assert get(second.port, "/", source=ALICE).seen(
                "X-Webauth-User") == ["eve@example.com"]
