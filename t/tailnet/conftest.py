# Copyright (C) The Tailgate authors

"""The tailnet of this part: up once for all tests, down whatever happens."""

import os
import subprocess
from pathlib import Path

import pytest

from net import Tailnet

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ.get("TAILGATE_BUILD", ROOT / "build"))


def pytest_collection_modifyitems(items):
    if os.geteuid() == 0 or os.environ.get("CI"):
        return

    for item in items:
        if "net" in item.fixturenames:
            item.add_marker(pytest.mark.skip(
                reason="network namespaces and TUN need root"))


@pytest.fixture(scope="session")
def programs(request):
    """The folder of tailscale's programs, and the control server."""

    if os.geteuid() != 0:
        pytest.fail("network namespaces and TUN need root")

    # the first build takes minutes, and says so
    capture = request.config.pluginmanager.getplugin("capturemanager")

    with capture.global_and_fixture_disabled():
        tools = subprocess.run(
            [HERE / "build", "tailscaled", "tailscale", "derper"],
            stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

        BUILD.mkdir(exist_ok=True)
        control = BUILD / "tailnet-control"
        subprocess.run([HERE / "build", "--control", control], check=True)

    return tools, control


@pytest.fixture(scope="session")
def net(programs):
    """srv (web1, tag:web), alice, bob, ci (tag:ci), carol (shared in)."""

    net = Tailnet(*programs)

    try:
        net.start()
        net.add(("srv", "web1", "key-web", "10.77.0.10", {}),
                ("alice", "alice-laptop", "key-alice", "10.77.0.11", {}),
                ("bob", "bob-laptop", "key-bob", "10.77.0.12", {}),
                ("ci", "ci-runner", "key-ci", "10.77.0.13", {}),
                ("carol", "carol-laptop", "key-carol", "10.77.0.14", {}))
        net.change(net.nodes["carol"], domain="other.example",
                   sharer="alice@example.com", sharee=True)
        net.seen(net.nodes["srv"], net.nodes["carol"], "carol is shared in",
                 lambda who: "Sharer" in who["Node"])
        yield net
    finally:
        net.close(keep=bool(os.environ.get("TAILGATE_KEEP")))


@pytest.fixture(scope="session")
def srv(net):
    return net.nodes["srv"]


@pytest.fixture(scope="session")
def alice(net):
    return net.nodes["alice"]


@pytest.fixture(scope="session")
def bob(net):
    return net.nodes["bob"]


@pytest.fixture(scope="session")
def ci(net):
    return net.nodes["ci"]


@pytest.fixture(scope="session")
def carol(net):
    return net.nodes["carol"]
