# Copyright (C) The Tailgate authors

"""Who may have how many connections: nobody without business here keeps a
proxy out."""

import os

from authd import Authd, remote
from tailgate_test import Client, Incomplete, free_port, get, wait_until

CONF = """
policy: member
localapi: @LOCALAPI@
listen:
  unix: @UNIX@
  tcp: 127.0.0.1:@PORT@
  senders: [@SENDERS@]
limits: { connections: 32 }
log:
  format: json
"""

# some account that is not the tests' own
OTHER = 1 if os.getuid() == 0 else 0

LOOPBACK = "127.0.0.1/32"
SOMEBODY = remote("100.64.0.4")


class Crowd:
    """Connections that are kept open."""

    def __init__(self, where, count):
        self.clients = [Client(where) for _ in range(count)]
        self.host = "x" if isinstance(where, str) else f"127.0.0.1:{where}"

    def answered(self):
        """How many of them get an answer; the rest is closed. It may be one
        less than could: the daemon does not see at once that an earlier
        connection is closed."""

        answers = 0
        for client in self.clients:
            try:
                answer = client.get("/healthz", host=self.host)

            except (OSError, Incomplete):
                continue

            assert answer.status == 200
            answers += 1

        return answers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.close()


def start(tmp_path, localapi, *senders, unix="@SOCKET@"):
    """A daemon of 32 connections, and its port."""

    port = free_port("127.0.0.1")
    return port, Authd(tmp_path, localapi.path, CONF.replace("@UNIX@", unix),
                       PORT=port, SENDERS=", ".join(map(str, senders)))


def full(authd):
    return [line["message"] for line in authd.messages()
            if "all that they may have" in line.get("message", "")]


def test_unlisted_have_few(tmp_path, localapi):
    """They get an answer that says why they are refused; but however many
    come, a listed sender gets its connection."""

    port, daemon = start(tmp_path, localapi, OTHER, LOOPBACK)

    with daemon as authd:
        answer = authd.get("/auth", SOMEBODY)
        assert answer.status == 403 and b"listen.senders" in answer.body

        with Crowd(authd.socket, 100) as crowd:
            assert 1 <= crowd.answered() <= 2

            for _ in range(20):
                assert get(port, "/auth", SOMEBODY,
                           host=f"127.0.0.1:{port}").status == 204

            assert len(full(authd)) == 1
            assert f"uid {os.getuid()}" in full(authd)[0]

        # who has gone leaves room

        def one():
            with Crowd(authd.socket, 1) as crowd:
                return crowd.answered() == 1

        wait_until(one, 10, "room for another one")


def test_tcp_leaves_half(tmp_path, localapi):
    """Everybody with an account on the machine comes from the address that is
    listed."""

    port, daemon = start(tmp_path, localapi, os.getuid(), LOOPBACK)

    with daemon as authd, Crowd(port, 100) as crowd:
        assert crowd.answered() == 16
        for _ in range(20):
            assert authd.get("/auth", SOMEBODY).status == 204


def test_tcp_alone_has_all(tmp_path, localapi):
    port, daemon = start(tmp_path, localapi, LOOPBACK, unix="none")
    daemon.start(wait=("127.0.0.1", port))

    with daemon, Crowd(port, 31) as crowd:
        assert crowd.answered() == 31


def test_shares_after_a_reload(tmp_path, localapi):
    """A longer list counts for those who come then."""

    port, daemon = start(tmp_path, localapi, OTHER, LOOPBACK)

    with daemon as authd:
        with Crowd(authd.socket, 10) as crowd:
            assert 1 <= crowd.answered() <= 2

        authd.values["SENDERS"] = os.getuid()
        authd.reload(CONF.replace("@UNIX@", "@SOCKET@").replace("32", "64"))
        with Crowd(authd.socket, 40) as crowd:
            assert crowd.answered() == 40

        with Crowd(port, 10) as crowd:
            assert crowd.answered() == 4
