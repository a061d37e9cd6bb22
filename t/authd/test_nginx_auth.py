# Copyright (C) The Tailgate authors

"""/auth, the drop-in for tailscale's nginx-auth: by its contract, and beside
the original in front of the same tailnet."""

import os
import subprocess
import sys
import time

import pytest

from authd import ALICE, CONF, Authd, remote
from tailgate_test import (ROOT, Client, Devnet, get, listening, stop_process,
                           wait_until)

HEADERS = ["Tailscale-Login", "Tailscale-User", "Tailscale-Name",
           "Tailscale-Profile-Picture", "Tailscale-Tailnet"]


def identity(answer):
    return {name: answer.header(name) for name in HEADERS}


def changed(**node):
    profile = node.pop("profile", {})
    return {**ALICE, "Node": {**ALICE["Node"], **node},
            "UserProfile": {**ALICE["UserProfile"], **profile}}


def test_allow(authd):
    answer = authd.get("/auth", remote("100.64.0.4"))
    assert answer.status == 204
    assert answer.body == b""
    assert identity(answer) == {
        "Tailscale-Login": "alice",
        "Tailscale-User": "alice@example.com",
        # raw UTF-8, as the original
        "Tailscale-Name": "Alice Ångström".encode("utf-8").decode("latin-1"),
        "Tailscale-Profile-Picture": "https://pics.example/alice.png",
        "Tailscale-Tailnet": "tail.example",
    }


@pytest.mark.parametrize("path", ["/", "/auth", "/_auth", "/auth/tailscale",
                                  "/auth?x=y"])
def test_any_path(authd, path):
    """A location may have any name, and nginx-auth does not look at it."""

    assert authd.get(path, remote("100.64.0.4")).status == 204
    assert authd.get(path, remote("100.64.0.5")).status == 401


@pytest.mark.parametrize("headers, status", [
    ([], 400),
    ([("Remote-Addr", "100.64.0.4")], 400),
    ([("Remote-Port", "1")], 400),
    ([("Remote-Addr", ""), ("Remote-Port", "1")], 400),
    ([("Remote-Addr", "100.64.0.4"), ("Remote-Port", "")], 400),
    (remote("alice"), 401),
    (remote("100.64.0.4:80"), 401),
    (remote("[100.64.0.4]"), 401),
    (remote("[fd7a:115c:a1e0::4]"), 401),
    (remote("100.64.0.4", "x"), 401),
    (remote("100.64.0.4", "65536"), 401),
    (remote("fe80::1%eth0"), 401),
    (remote("100.64.0.5"), 401),
    (remote("10.1.2.3"), 401),
    (remote("::ffff:100.64.0.4"), 204),
    # one of two is the client's
    (remote("100.64.0.4") + remote("100.64.0.4"), 400),
    (remote("100.64.0.5") + [("remote-addr", "100.64.0.4")], 400),
    (remote("100.64.0.4") + [("Remote-Port", "2")], 400),
    (remote("100.64.0.4") + [("Expected-Tailnet", "tail.example"),
                             ("Expected-Tailnet", "other.example")], 400),
])
def test_codes(authd, headers, status):
    answer = authd.get("/auth", headers)
    assert answer.status == status
    if status != 204:
        assert identity(answer) == dict.fromkeys(HEADERS)


@pytest.mark.parametrize("expected, status", [
    ("tail.example", 204),
    ("tail.example.", 204),
    ("TAIL.Example", 204),
    ("", 204),
    ("other.example", 403),
    ("example", 403),
    ("l.example", 403),
    (".tail.example", 403),
    ("tail.example..", 403),
    (".", 403),
])
def test_check_08_expected_tailnet(authd, expected, status):
    """Its documented form never matched: the original compares with a last
    dot, and sends one."""

    answer = authd.get("/auth", [*remote("100.64.0.4"),
                                 ("Expected-Tailnet", expected)])
    assert answer.status == status


def test_check_07_tagged(tmp_path, localapi):
    """403 by default; when it is let in it has no login."""

    localapi.answer = lambda *_: (200, changed(Tags=["tag:ci"], profile={
        "LoginName": "tagged-devices", "DisplayName": "Tagged Devices"}))
    with Authd(tmp_path, localapi.path) as authd:
        assert authd.get("/auth", remote("100.64.0.4")).status == 403
        authd.reload(CONF + "peers: [tagged]\n")
        answer = authd.get("/auth", remote("100.64.0.4"))
        assert answer.status == 204
        assert identity(answer) == {
            "Tailscale-Login": "", "Tailscale-User": "", "Tailscale-Name": "",
            "Tailscale-Profile-Picture": "",
            "Tailscale-Tailnet": "tail.example"}


def test_check_08_shared(tmp_path, localapi):
    """403 by default; when it is let in its tailnet stays empty, so that no
    Expected-Tailnet matches, as with the original."""

    localapi.answer = lambda *_: (200, changed(
        Name="carol.other.example.", Sharer=9,
        Hostinfo={"ShareeNode": True}))
    with Authd(tmp_path, localapi.path) as authd:
        assert authd.get("/auth", remote("100.64.0.4")).status == 403
        authd.reload(CONF + "peers: [member, shared]\n")
        answer = authd.get("/auth", remote("100.64.0.4"))
        assert answer.status == 204
        assert answer.header("Tailscale-Tailnet") == ""
        for tailnet in ("other.example", "tail.example"):
            assert authd.get("/auth", [*remote("100.64.0.4"), (
                "Expected-Tailnet", tailnet)]).status == 403


@pytest.mark.parametrize("announced", ["Content-Length: 1000000",
                                       "Transfer-Encoding: chunked"])
def test_body_is_not_waited_for(authd, announced):
    """nginx 1.29.7 and newer pass the Content-Length of a body that they do
    not send: the original waits for it until nginx gives up."""

    with Client(authd.socket) as client:
        client.send("GET /auth HTTP/1.1\r\nHost: x\r\n"
                    "Remote-Addr: 100.64.0.4\r\nRemote-Port: 1\r\n"
                    f"{announced}\r\n\r\n")
        start = time.monotonic()
        answer = client.response()
        assert time.monotonic() - start < 8
        assert answer.status == 204
        assert answer.header("Connection") == "close"
        # what comes behind is no second request
        assert client.reader.rest() == b""


def test_check_18_policy_none(tmp_path, localapi):
    """Without "policy: member" nobody passes, and the log says so."""

    with Authd(tmp_path, localapi.path,
               CONF.replace("policy: member\n", "")) as authd:
        answer = authd.get("/auth", remote("100.64.0.4"))
        assert answer.status == 403
        assert b"no policy" in answer.body
        assert "policy: member" in authd.log()
        assert authd.get("/auth", remote("100.64.0.5")).status == 401


PEOPLE = """
tailnet: tail.example
users:
  - login: alice@example.com
    name: Alice Ångström
    picture: https://pics.example/alice.png
  - login: bob
    name: Bob
nodes:
  - name: alice-laptop
    address: 127.0.0.11
    user: alice@example.com
  - name: bob-phone
    address: 127.0.0.12
    user: bob
  - name: ci
    address: 127.0.0.13
    tags: ["tag:ci"]
"""

# It asks at the one place where tailscaled's socket is, so that it runs where
# that place is another one.
BESIDE = """
import os, sys
libc = __import__("ctypes").CDLL(None, use_errno=True)
assert libc.unshare(0x00020000) == 0
assert libc.mount(b"none", b"/", None, 0x44000, None) == 0
assert libc.mount(sys.argv[1].encode(), b"/run", None, 0x1000, None) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """The sockets of the original and of the daemon, with one devnet."""

    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")

    programs = subprocess.run(
        [os.path.join(ROOT, "t", "tailnet", "build"), "nginx-auth"],
        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    tmp_path = tmp_path_factory.mktemp("beside")
    run = tmp_path / "run"
    (run / "tailscale").mkdir(parents=True)
    theirs = str(tmp_path / "run" / "nginx-auth.sock")

    with Devnet(tmp_path, PEOPLE) as devnet, \
            Authd(tmp_path, devnet.socket) as authd:
        # a socket is reached by the file, whatever its name
        os.link(devnet.socket, run / "tailscale" / "tailscaled.sock")
        process = subprocess.Popen(
            [sys.executable, "-c", BESIDE, str(run),
             os.path.join(programs, "nginx-auth"),
             "-sockpath", "/run/nginx-auth.sock"],
            stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: listening(theirs), 20, "nginx-auth starts")
            yield theirs, authd
        finally:
            stop_process(process)


@pytest.mark.parametrize("headers", [
    remote("127.0.0.11"),
    remote("127.0.0.12"),
    remote("127.0.0.13"),
    remote("127.0.0.99"),
    remote("10.0.0.1"),
    remote("127.0.0.11:80"),
    remote("127.0.0.11", "x"),
    remote("127.0.0.11", "65536"),
    remote("fe80::1%eth0"),
    [("Remote-Addr", "127.0.0.11")],
    [("Remote-Port", "1")],
    [],
    [*remote("127.0.0.11"), ("Expected-Tailnet", "other.example.")],
    [*remote("127.0.0.11"), ("Expected-Tailnet", "tail.example.")],
], ids=lambda headers: ",".join(f"{n}={v}" for n, v in headers) or "none")
def test_beside_the_original(beside, headers):
    """The same code and the same headers, but for the last dot of a tailnet
    (which a request sees in Tailscale-Tailnet alone)."""

    theirs, authd = beside
    original = get(theirs, "/auth", headers)
    ours = authd.get("/auth", headers)

    assert ours.status == original.status
    want = identity(original)
    if want["Tailscale-Tailnet"] is not None:
        assert want["Tailscale-Tailnet"].endswith(".")
        want["Tailscale-Tailnet"] = want["Tailscale-Tailnet"][:-1]
    assert identity(ours) == want


def test_fault_of_the_original(beside):
    """The documented Expected-Tailnet, which it refuses."""

    theirs, authd = beside
    headers = [*remote("127.0.0.11"), ("Expected-Tailnet", "tail.example")]
    assert get(theirs, "/auth", headers).status == 403
    assert authd.get("/auth", headers).status == 204
