# Copyright (C) The Tailgate authors

"""./dev demo --real: the demo's apps on a node's tailnet address."""

import os
import signal
import subprocess

import pytest

import web
from tailgate_test import BUILD, ROOT

RUN = os.path.join(ROOT, "examples", "demo", "run")


@pytest.fixture(name="demo", scope="module")
def fixture_demo(srv):
    port = 8080
    demo = subprocess.Popen(
        srv.space.inside([RUN, "--real", "--port", str(port), "--socket",
                          str(srv.socket)]),
        stdout=subprocess.PIPE, encoding="utf-8",
        env=dict(os.environ, TAILGATE_BUILD=BUILD))
    try:
        for line in demo.stdout:
            if "Ctrl-C" in line:
                break
        else:
            raise AssertionError("the demo ended by itself")
        yield srv.v4, port
    finally:
        demo.send_signal(signal.SIGTERM)
        demo.wait(20)
        demo.stdout.close()


def test_the_app_says_hello(demo, alice, bob):
    for person, hello in ((alice, "hello Alice"), (bob, "hello Bob")):
        answer = web.get(person, demo)
        assert answer.status == 200
        assert hello in answer.body.decode("latin-1")


def test_a_tagged_node_gets_to_the_machines_only(demo, ci):
    assert web.get(ci, demo).status == 403
    answer = web.get(ci, demo, "/machines/")
    assert answer.status == 200
    assert b"tag:ci" in answer.body


def test_nobody_outside_gets_in(demo, lan):
    assert web.get(lan, demo).status == 403


def test_no_tailscaled_is_said(tmp_path):
    done = subprocess.run(
        [RUN, "--real", "--socket", str(tmp_path / "none.sock")],
        stderr=subprocess.PIPE, encoding="utf-8", timeout=20, check=False)
    assert done.returncode != 0
    assert "is tailscaled running?" in done.stderr
