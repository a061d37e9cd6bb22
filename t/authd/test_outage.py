# Copyright (C) The Tailgate authors

"""Check 19: who cannot be identified is no stranger and nobody's guest. Every
endpoint answers 503, and recovers by itself."""

import json
import os
import subprocess
import tempfile
import time

import pytest

from authd import (ALICE, OWN, RUNNING, UNKEPT, Authd, LocalAPI,
                   original, remote)
from tailgate_test import TAILGATE, Devnet, wait_until
from test_dialects import ALL, statement, target

ENDPOINTS = {
    "auth": ("/auth", remote("100.64.0.4")),
    "whoami": ("/v1/whoami", remote("100.64.0.4")),
    **{name: (target(name), statement(name)) for name in ALL},
}


def ask(authd, name="nginx"):
    path, headers = ENDPOINTS[name]
    return authd.get(path, headers)


def assert_unavailable(answer):
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert answer.header("Cache-Control") == "no-store"
    assert not [name for name, _ in answer.headers
                if name.lower().startswith(("tailscale", "x-webauth"))]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_check_19_no_socket(tmp_path, name):
    """/auth too: the original says 401, so that nginx shows a login."""

    path = str(tmp_path / "l.sock")
    with Authd(tmp_path, path) as authd:
        assert_unavailable(ask(authd, name))
        line = authd.decided()
        assert line["audit"] == "unavailable"
        assert line["status"] == "unavailable"
        assert path in line["detail"]

        with LocalAPI(path):
            assert ask(authd, name).status in (200, 204)

        assert_unavailable(ask(authd, name))


ANSWERS = {
    "closed": None,
    "500": (500, "internal error"),
    "403": (403, "invalid localapi request"),
    "400": (400, "invalid 'addr' parameter"),
    "302": (302, ""),
    "204": (204, ""),
    "empty": (200, ""),
    "no JSON": (200, "<html>"),
    "truncated": (200, json.dumps(ALICE)[:-20]),
    "more behind it": (200, json.dumps(ALICE) + "{}"),
    "an array": (200, "[]"),
    "null": (200, "null"),
    "no node": (200, {"UserProfile": ALICE["UserProfile"]}),
    "no profile": (200, {"Node": ALICE["Node"]}),
    "empty profile": (200, {**ALICE, "UserProfile": {}}),
    "a wrong type": (200, {**ALICE, "Node": "alice"}),
    "a key twice": (200, json.dumps(ALICE)[:-1] + ', "Node": {}}'),
    "too deep": (200, '{"CapMap": ' + "[" * 3000 + "]" * 3000 + "}"),
    "too large": (200, json.dumps(ALICE)[:-1] + ', "x": "'
                  + "x" * (1024 * 1024) + '"}'),
    "two at signs": (200, {**ALICE, "UserProfile": {
        **ALICE["UserProfile"], "LoginName": "alice@example.com@evil"}}),
    "no UTF-8": (200, json.dumps(ALICE).encode().replace(b"alice@",
                                                         b"al\xff@")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_check_19_nonsense(authd, localapi, name):
    authd.settled(localapi)
    good = localapi.answer
    localapi.answer = lambda *_: ANSWERS[name]
    for endpoint in ("nginx", "auth", "whoami"):
        assert_unavailable(ask(authd, endpoint))

    # one line with the reason, not one a request
    errors = [m for m in authd.messages() if m.get("level") == "error"]
    assert len(errors) == 1
    assert "nobody can be identified: " in errors[0]["message"]

    localapi.answer = good
    assert ask(authd).status == 200
    assert "answers again" in authd.log()


STATUS = {
    "500": "no",
    "nonsense": "{",
    "no state": {},
    "a wrong type": {"BackendState": 6},
}


@pytest.mark.parametrize("name", STATUS)
def test_check_19_own_status(tmp_path, name):
    """Without the node's own status nobody is a member of anything."""

    with LocalAPI(str(tmp_path / "l.sock"), status=STATUS[name]) as api, \
            Authd(tmp_path, api.path) as authd:
        assert_unavailable(ask(authd))
        api.status = RUNNING
        assert ask(authd).status == 200


@pytest.mark.parametrize("state", ["NoState", "Starting", "NeedsLogin",
                                   "Stopped"])
def test_check_19_404_while_not_running(tmp_path, state):
    """After a restart tailscaled answers 404 for people that it knows."""

    with LocalAPI(str(tmp_path / "l.sock"), lambda *_: (404, "no match"),
                  {**RUNNING, "BackendState": state}) as api, \
            Authd(tmp_path, api.path) as authd:
        for name in ENDPOINTS:
            assert_unavailable(ask(authd, name))
        api.status = RUNNING
        assert ask(authd).status == 403
        assert ask(authd, "auth").status == 401


def test_check_19_404_of_a_restart_is_no_stranger(authd, localapi):
    """The state is asked for behind a 404, however new what is known is."""

    assert ask(authd).status == 200
    localapi.answer = lambda *_: (404, "no match")
    localapi.status = {**RUNNING, "BackendState": "NoState"}
    time.sleep(0.2)
    assert_unavailable(ask(authd))


def test_404_of_one_that_does_not_know_itself_is_no_stranger(authd, localapi):
    """A tailscaled that starts from a map without peers says that it is
    running: seen in t/tailnet."""

    localapi.answer = lambda *_: (404, "no match")
    localapi.knows_itself = False
    for name in ENDPOINTS:
        assert_unavailable(ask(authd, name))

    # and is asked again once it does
    localapi.knows_itself = True
    assert ask(authd).status == 403


def test_peers_that_come_behind_a_404_are_known(authd, localapi):
    def answer(address, query):
        if address == OWN:
            localapi.answer = lambda *_: (200, ALICE)
        return 404, "no match"

    localapi.answer = answer
    assert ask(authd).status == 200


def test_check_19_timeout(tmp_path, localapi):
    """A tailscaled that says nothing costs its time, and no more."""

    conf = UNKEPT + "localapi_timeout: 300ms\n"
    with Authd(tmp_path, localapi.path, conf) as authd:
        assert ask(authd).status == 200
        localapi.gate.clear()
        start = time.monotonic()
        assert_unavailable(ask(authd))
        assert 0.2 < time.monotonic() - start < 15
        localapi.gate.set()
        assert ask(authd).status == 200


def test_check_19_no_access(tmp_path):
    """The cause and the way out are in the log."""

    if os.geteuid() != 0:
        pytest.skip("another user needs root")

    with LocalAPI(str(tmp_path / "l.sock")) as api:
        os.chmod(api.path, 0o600)
        for path in [tmp_path, *tmp_path.parents]:
            if str(path) == tempfile.gettempdir():
                break
            path.chmod(0o755)
        authd = Authd(tmp_path, api.path)
        os.chmod(authd.directory, 0o777)
        with authd.start(user=65534, group=65534, extra_groups=[]):
            assert_unavailable(ask(authd))
            assert "ermission" in authd.decided()["detail"]


def test_stale_connection(authd, localapi):
    """A kept-alive connection that has died is no outage."""

    assert ask(authd).status == 200
    localapi.close()
    with LocalAPI(localapi.path):
        for _ in range(3):
            assert ask(authd).status == 200


def test_check_19_devnet_restart(tmp_path):
    """No socket, then 404 for everybody, then as before: never a 403."""

    people = """
tailnet: tail.example
users: [{ login: alice@example.com }]
nodes:
  - { name: alice, address: 127.0.0.11, user: alice@example.com }
"""
    headers = [*remote("127.0.0.11"), *original()[2:]]
    with Devnet(tmp_path, people) as devnet, \
            Authd(tmp_path, devnet.socket) as authd:
        assert authd.get("/v1/auth/nginx", headers).status == 200
        subprocess.run([TAILGATE, "devnet", "ctl", "--control",
                        devnet.control, "restart", "200", "300"], check=True)
        seen = []

        def back():
            seen.append(authd.get("/v1/auth/nginx", headers).status)
            return seen[-1] == 200 and 503 in seen

        wait_until(back, 10, "tailscaled is back")
        assert set(seen) <= {200, 503}
