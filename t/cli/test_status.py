# Copyright (C) The Tailgate authors

"""tailgate status: what is wrong, and what to do about it."""

import json
import os
import socket
import subprocess

import pytest

from tailgate_test import Devnet, TAILGATE

PEOPLE = """
tailnet: example.ts.net
version: 1.102.5-test
self:
  name: server
  address: 100.64.0.1
  tags: ["tag:server"]
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

FINE, WRONG, USAGE, UNAVAILABLE = 0, 1, 2, 3


def status(path, *arguments, **more):
    return subprocess.run(
        [TAILGATE, "status", "--socket", str(path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=20, check=False, **more)


def problems(path):
    return " / ".join(json.loads(status(path, "--json").stdout)["problems"])


def status_on_the_node(path, *arguments):
    """Where the node's address is on an interface: a namespace of its own."""
    return subprocess.run(
        ["unshare", "--net", "sh", "-c",
         'ip addr add 100.64.0.1/32 dev lo && exec "$@"', "sh",
         TAILGATE, "status", "--socket", str(path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=20, check=False)


@needs_root
def test_nothing_is_wrong(tmp_path):
    with Devnet(tmp_path, PEOPLE) as devnet:
        done = status_on_the_node(devnet.socket)
        assert done.returncode == FINE, done.stdout
        assert done.stdout.splitlines()[-1].split() == ["problems", "none"]

        done = status_on_the_node(devnet.socket, "--json")
        seen = json.loads(done.stdout)
    assert seen["running"] is True
    assert seen["state"] == "Running"
    assert seen["tailscaled"] == "1.102.5-test"
    assert seen["node"] == "server.example.ts.net"
    assert seen["tailnet"] == "example.ts.net"
    assert seen["addresses"] == ["100.64.0.1", "fd7a:115c:a1e0::1"]
    assert seen["problems"] == []


@pytest.mark.parametrize("state, advice", [
    ("NoState", "every request is a 503"),
    ("NeedsLogin", "run tailscale up"),
    ("NeedsMachineAuth", "approve this node"),
    ("Stopped", "run tailscale up"),
    ("Starting", "in a moment")])
def test_states_come_with_advice(tmp_path, state, advice):
    with Devnet(tmp_path, PEOPLE) as devnet:
        devnet.ctl("state", state)
        assert status(devnet.socket).returncode == UNAVAILABLE
        assert advice in problems(devnet.socket)


@needs_root
def test_health_is_passed_on(tmp_path):
    with Devnet(tmp_path, PEOPLE
                + 'health: ["not connected to a relay"]\n') as devnet:
        done = status_on_the_node(devnet.socket)
        assert done.returncode == WRONG
        assert "tailscaled reports: not connected to a relay" in done.stdout


def test_addresses_on_no_interface(tmp_path):
    with Devnet(tmp_path, PEOPLE) as devnet:
        done = status(devnet.socket)
        assert done.returncode == WRONG
        assert "on an interface" in done.stdout
        assert len(json.loads(status(devnet.socket, "--json").stdout)
                   ["problems"]) == 1


def test_no_socket(tmp_path):
    path = tmp_path / "none.sock"
    done = status(path)
    assert done.returncode == UNAVAILABLE
    assert str(path) in done.stdout


def test_nobody_listens(tmp_path):
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
    done = status(path)
    assert done.returncode == UNAVAILABLE
    assert str(path) in done.stdout


@needs_root
def test_a_socket_that_may_not_be_opened(tmp_path):
    tmp_path.chmod(0o755)
    with Devnet(tmp_path, PEOPLE) as devnet:
        os.chmod(devnet.socket, 0o600)
        done = status(devnet.socket, user=65534, cwd="/")
        assert done.returncode == UNAVAILABLE
        assert devnet.socket in done.stdout
        assert "ermission" in done.stdout


def test_wrong_command_line():
    done = subprocess.run([TAILGATE, "status", "now"], stderr=subprocess.PIPE,
                          encoding="utf-8", check=False)
    assert done.returncode == USAGE
    assert '"now" is one argument too many' in done.stderr
