# Copyright (C) The Tailgate authors

"""How much memory the daemon takes: counted, not timed."""

import platform
import resource
import socket

import pytest

from authd import CONF, Authd, original, sanitized
from tailgate_test import wait_until

MANY = 10_000

# of RssAnon and VmRSS, as the kernel tells it: 12 MB is 12 * 1024 kB
OWN_KIB, IDLE_KIB, MANY_KIB = 4 * 1024, 12 * 1024, 60 * 1024
IDLE_ELSEWHERE_KIB = 14 * 1024

pytestmark = pytest.mark.skipif(
    sanitized(), reason="not applicable: a sanitizer takes memory itself")

ASK = ("GET /v1/auth/nginx?headers=webauth HTTP/1.1\r\nHost: x\r\n"
       + "".join(f"{name}: {value}\r\n" for name, value in original())
       + "\r\n").encode("ascii")


def resident(authd, what="VmRSS"):
    with open(f"/proc/{authd.process.pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(f"{what}:"):
                return int(line.split()[1])
    raise AssertionError(f"no {what}")


def release():
    return platform.freedesktop_os_release().get("VERSION_CODENAME")


def test_idle(tmp_path, localapi):
    """With the event stream followed, and nobody there. Most of it are pages
    of libraries, that others have as well, and that differ: 11.2 of 12 MB on
    Debian 12, and 12.6 on Debian 13, whose libraries alone are over it."""

    with Authd(tmp_path, localapi.path) as authd:
        wait_until(lambda: localapi.streams, 10, "the stream")
        assert resident(authd, "RssAnon") < OWN_KIB
        assert resident(authd) < (IDLE_KIB if release() == "bookworm"
                                  else IDLE_ELSEWHERE_KIB)


def descriptors(number):
    """Lets this process and its children have so many."""

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY,) and hard < number:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
        except (ValueError, PermissionError):
            pytest.skip("not applicable: this system allows no "
                        f"{number} descriptors")
    elif soft < number:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    return soft, hard


def connected(path):
    def connect():
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        try:
            client.connect(path)
        except BlockingIOError:
            client.close()
            return None
        return client

    return wait_until(connect, 20, "a connection")


def test_many_connections(tmp_path, localapi):
    """All of them are open, kept alive, and answered again and again."""

    before = descriptors(MANY + 500)
    conf = CONF + ("audit: none\nlimits: { connections: 10100, "
                   "idle_timeout: 600s }\n")
    clients = []
    try:
        with Authd(tmp_path, localapi.path, conf) as authd:
            for _ in range(MANY):
                clients.append(connected(authd.socket))
            for _ in range(2):
                for first in range(0, MANY, 100):
                    some = clients[first:first + 100]
                    for client in some:
                        client.sendall(ASK)
                    for client in some:
                        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
            assert resident(authd) < MANY_KIB
            text = authd.get("/metrics").body.decode()
            assert f"tailgate_authd_connections {MANY + 1}\n" in text
            for client in clients:
                client.close()
            clients.clear()
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
