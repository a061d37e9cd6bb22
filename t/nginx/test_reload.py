# Copyright (C) The Tailgate authors

"""Policies that change while nginx runs."""

import os
import re
import signal
import threading

from conftest import ALICE, BOB, DECISIONS, decisions
from tailgate_test import Client, get, wait_until

CONF = DECISIONS + """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
"""

# each names its own rule for what it allows, and denies what the other allows
ONE = """
version: 1
routes:
  - name: one
    headers: { X-Route: { from: login } }
    allow: [{ user: "*@example.com", paths: [/both, /one] }]
"""

TWO = """
version: 1
routes:
  - name: two
    headers: { X-Route: { from: node } }
    allow: [{ user: "*@example.com", paths: [/both, /two] }]
"""


def test_check_18_and_28_a_bad_policy_changes_nothing(world, policy):
    """nginx goes on by the one that it has, and says why."""

    path = policy(ONE)
    nginx = world.nginx(CONF, POLICY=path)
    nginx.allow = re.compile(re.escape(str(path)))
    assert get(nginx.port, "/one", source=BOB).status == 200
    workers = nginx.workers()
    path.write_text("version: 1\nroutes:\n  - allow: [{ usr: bob }]\n",
                    encoding="utf-8")
    os.kill(nginx.master(), signal.SIGHUP)
    nginx.logged(f"[emerg] {nginx.master()}#{nginx.master()}: {path}:3:")
    for _ in range(20):
        assert get(nginx.port, "/one", source=BOB).status == 200
        assert get(nginx.port, "/two", source=BOB).status == 403
    path.unlink()
    os.kill(nginx.master(), signal.SIGHUP)
    nginx.logged(f'"{path}" failed (2: No such file or directory)')
    assert get(nginx.port, "/one", source=BOB).status == 200
    assert nginx.workers() == workers
    path.write_text(TWO, encoding="utf-8")
    nginx.reload()
    wait_until(lambda: get(nginx.port, "/two", source=BOB).status == 200)
    wait_until(lambda: len({entry["policy"]
                            for entry in decisions(nginx, 43)}) == 2)


def test_check_28_no_request_sees_half_of_each(world, policy):
    """Of requests during a reload each is one policy's, and the rule, the
    header and the digest are of the same one; the workers converge."""

    path = policy(ONE)
    nginx = world.nginx(CONF, POLICY=path, workers=2)
    faults, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                answer = get(nginx.port, "/both", source=ALICE)
                assert answer.status == 200
                assert answer.seen("X-Route") in (
                    ["alice@example.com"], ["alice-laptop.tail.example"])
            except AssertionError as error:
                faults.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for text in (TWO, ONE, TWO):
            path.write_text(text, encoding="utf-8")
            nginx.reload()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not faults, faults[0]
    wait_until(lambda: all(
        get(nginx.port, "/one", source=ALICE).status == 403
        for _ in range(20)), 20, "all workers have the new policy")
    pairs = {(entry["route"], entry["rule"], entry["policy"])
             for entry in decisions(nginx, 1) if entry["uri"] == "/both"}
    assert {rule for _, rule, _ in pairs} == {f"{route}.allow[0]"
                                              for route, _, _ in pairs}
    assert len(pairs) == len({digest for _, _, digest in pairs})


def test_an_old_connection_gets_the_new_policy(world, policy):
    """A connection kept alive over a reload is closed by its worker, or
    answered by the policy that the worker was made with."""

    path = policy(ONE)
    nginx = world.nginx(CONF, POLICY=path)
    with Client(nginx.port, source=BOB) as client:
        assert client.get("/one").status == 200
        path.write_text(TWO, encoding="utf-8")
        nginx.reload()
        wait_until(lambda: get(nginx.port, "/two", source=BOB).status == 200)
        wait_until(lambda: client.socket.recv(1) == b"", 20,
                   "the old worker lets go of its connection")
