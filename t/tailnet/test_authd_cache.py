# Copyright (C) The Tailgate authors

"""What tailgate-authd keeps, beside a real tailscaled: what its event stream
says has changed is seen long before the ttl."""

import os
import re
import time

import pytest

import tailgate_test
from localapi import UnixConnection
from space import wait_for

CONF = """
policy: member
localapi: @LOCALAPI@
cache: { ttl: 1h }
listen:
  unix: @SOCKET@
  mode: "0666"
  senders: [root]
"""

SOON = 10                      # seconds; the ttl is an hour


class Daemon:
    def __init__(self, socket):
        self.socket = socket

    def get(self, target, headers):
        connection = UnixConnection(self.socket)
        try:
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def ask(self, machine):
        status, headers, _ = self.get("/v1/auth/nginx?headers=webauth", {
            "Remote-Addr": machine.v4, "Remote-Port": "40000",
            "X-Original-Method": "GET", "X-Original-Host": "app.example",
            "X-Original-URI": "/"})
        return headers["X-Webauth-User"] if status == 200 else status

    def lookups(self):
        text = self.get("/metrics", {})[2]
        return int(re.search(r"^tailgate_lookups_total (\d+)$", text,
                             re.M).group(1))

    def settled(self, machine):
        """Waits until nothing is on its way, and the answer is a kept one."""

        def kept():
            before = self.lookups()
            for _ in range(3):
                self.ask(machine)
                time.sleep(0.3)
            return self.lookups() == before

        wait_for("the stream has settled", kept)


@pytest.fixture(name="authd", scope="module")
def fixture_authd(srv):
    folder = srv.net.folder / f"{srv.space.name}-authd-cache"
    folder.mkdir(mode=0o755)
    socket, conf = folder / "authd.sock", folder / "authd.yaml"
    conf.write_text(CONF.replace("@LOCALAPI@", str(srv.socket))
                    .replace("@SOCKET@", str(socket)))
    process = srv.space.spawn("authd-cache", [
        os.path.join(tailgate_test.BUILD, "tailgate-authd"), "-c", conf])
    try:
        process.ready("authd", lambda: tailgate_test.listening(str(socket)))
        yield Daemon(socket)
    finally:
        process.stop()
    assert process.popen.returncode == 0, process.tail()


def test_kept(authd, alice, bob):
    for machine, login in ((alice, "alice@example.com"),
                           (bob, "bob@example.com")):
        authd.settled(machine)
        before = authd.lookups()
        for _ in range(20):
            assert authd.ask(machine) == login
        assert authd.lookups() <= before + 1


@pytest.mark.parametrize("change, back", [
    ({"tags": ["tag:ci"]}, {"tags": [], "user": "bob@example.com"}),
    ({"authorized": False}, {"authorized": True}),
], ids=["retagged", "unauthorized"])
def test_a_change_is_seen(net, authd, alice, bob, change, back):
    authd.settled(bob)
    authd.settled(alice)
    net.change(bob, **change)
    try:
        began = time.monotonic()
        wait_for("the change", lambda: authd.ask(bob) == 403)
        assert time.monotonic() - began < SOON
        assert authd.ask(alice) == "alice@example.com"
    finally:
        net.change(bob, **back)
    wait_for("the way back", lambda: authd.ask(bob) == "bob@example.com")
    authd.settled(bob)
