# Copyright (C) The Tailgate authors

"""The tailnet of this part: up once for all tests, down whatever happens."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from net import Tailnet
from space import wait_for

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = Path(os.environ.get("TAILGATE_BUILD", ROOT / "build"))


# how long each step took, from the beginning
TIMES = pytest.StashKey[dict]()


def pytest_terminal_summary(terminalreporter, config):
    if TIMES in config.stash:
        terminalreporter.write_line("tailnet up: " + ", ".join(
            f"{step} {seconds:.2f} s"
            for step, seconds in config.stash[TIMES].items()))


@pytest.fixture(scope="session")
def programs(request):
    """The folder of tailscale's programs, and the control server."""

    if os.geteuid() != 0:
        pytest.skip("network namespaces and TUN need root")

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
def net(request, programs):
    """srv (web1, tag:web), alice, bob, ci (tag:ci), carol (shared in)."""

    net = Tailnet(*programs)

    try:
        net.start()
        net.add(("srv", "web1", "key-web", "10.77.0.10",
                 {"flags": ["--accept-routes"]}),
                ("alice", "alice-laptop", "key-alice", "10.77.0.11", {}),
                ("bob", "bob-laptop", "key-bob", "10.77.0.12", {}),
                ("ci", "ci-runner", "key-ci", "10.77.0.13", {}),
                ("carol", "carol-laptop", "key-carol", "10.77.0.14", {}))
        net.change(net.nodes["carol"], domain="other.example",
                   sharer="alice@example.com", sharee=True)
        net.seen(net.nodes["srv"], net.nodes["carol"], "carol is shared in",
                 lambda who: "Sharer" in who["Node"])
        request.config.stash[TIMES] = net.times
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


@pytest.fixture(scope="session")
def lan(net):
    """A neighbour on the LAN, without tailscale; its packets to srv's tailnet
    address go straight there."""

    lan = net.lan_space("lan", "10.77.0.50")
    srv = net.nodes["srv"]
    lan.ip("route", "add", f"{srv.v4}/32", "via", srv.lan)

    return lan


@pytest.fixture(scope="session")
def userspace(net):
    """web2: a tailscaled without a TUN device."""

    return net.add(("userspace", "web2", "key-web", "10.77.0.20",
                    {"userspace": True}))[0]


@pytest.fixture
def outage(net):
    """outage(state): a node of its own to be killed and started again, in
    that state without the control server.

    "Running" is what a tailscaled says that has a map of itself alone on disk.
    1.102.5 stores such a one when its home relay changes, as the first time."""

    @contextlib.contextmanager
    def new_node(state):
        number = net.added
        node, = net.add((f"out{number}", f"web-out{number}", "key-web",
                         f"10.77.0.{100 + number}", {}))

        if state == "Running":
            try:
                wait_for("a map on disk", node.has_stored_a_map, 10)
            except TimeoutError:
                pytest.skip("not applicable: this tailscaled stores no map")

        try:
            yield node
        finally:
            net.remove(node)

    return new_node


@pytest.fixture(scope="session")
def router(net):
    """bob's other machine, a subnet router for 10.88.0.0/24."""

    router = net.add(("router", "router", "key-bob", "10.77.0.21",
                      {"flags": ["--advertise-routes=10.88.0.0/24"]}))[0]
    router.space.run("sh", "-c",
                     "echo 1 > /proc/sys/net/ipv4/ip_forward")

    net.change(router, routes=["10.88.0.0/24"])
    net.seen(net.nodes["srv"], router, "the route", lambda who:
             "10.88.0.0/24" in who["Node"]["AllowedIPs"])

    return router


@pytest.fixture(scope="session")
def behind(net, router):
    """10.88.0.5, a machine behind the subnet router."""

    behind = net.space("behind")

    router.space.ip("link", "add", "eth1", "type", "veth", "peer", "name",
                    "eth0", "netns", str(behind.holder.pid))
    router.space.ip("addr", "add", "10.88.0.1/24", "dev", "eth1")
    router.space.ip("link", "set", "eth1", "up")

    behind.ip("addr", "add", "10.88.0.5/24", "dev", "eth0")
    behind.ip("link", "set", "eth0", "up")
    behind.ip("route", "add", "default", "via", "10.88.0.1")

    return behind
