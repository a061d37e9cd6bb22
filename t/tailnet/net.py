# Copyright (C) The Tailgate authors

"""A real tailnet on one machine: tailscaleds with real TUN devices in network
namespaces of their own, a relay (derper) and the control server of control/.

Nothing is attached to the host's network:

    ctl    bridge 10.77.0.1, control server, relay
    NODE   eth0 on the bridge, tailscale0
"""

import contextlib
import json
import shutil
import tempfile
import time
import urllib.parse
from pathlib import Path

from localapi import LocalAPI, UnixConnection
from space import Space, wait_for

CONTROL = "10.77.0.1"
CONTROL_PORT = 8080
RELAY_PORT = 3340

DOMAIN = "tail.example"

USERS = [
    {"id": 1, "login": "alice@example.com", "name": "Alice Ångström",
     "picture": "https://pics.example/alice.png", "groups": ["group:eng"]},
    {"id": 2, "login": "bob@example.com", "name": "Bob",
     "groups": ["group:ops"]},
    {"id": 9, "login": "carol@other.example", "name": "Carol from elsewhere"},
]

KEYS = {
    "key-alice": {"user": "alice@example.com"},
    "key-bob": {"user": "bob@example.com"},
    "key-carol": {"user": "carol@other.example"},
    "key-ci": {"tags": ["tag:ci"]},
    "key-web": {"tags": ["tag:web"]},
}

CAP = "tailgate.example/cap/web"

SERVICE = "svc:wiki"
SERVICE_V4 = "100.70.0.1"
SERVICE_V6 = "fd7a:115c:a1e0::7001"

GRANTS = [
    {"src": ["*"], "dst": ["*"], "ip": ["*"]},
    {"src": ["group:eng"], "dst": ["tag:web"],
     "app": {CAP: [{"role": "admin", "paths": ["/admin/"]}]}},
    {"src": ["tag:ci"], "dst": ["tag:web"],
     "app": {CAP: [{"role": "deployer"}]}},
    {"src": ["group:eng"], "dst": [SERVICE],
     "app": {CAP: [{"role": "wiki-editor"}]}},
]

SERVICES = {
    SERVICE: {"addrs": [SERVICE_V4, SERVICE_V6], "hosts": ["web1"]},
}


class Node:
    """A machine with a tailscaled.

    hostname is what it registers with, and its name for the control server's
    admin; a rename does not change it.
    """

    def __init__(self, net, name, hostname, key, lan, userspace=False,
                 flags=()):
        self.net = net
        self.hostname = hostname
        self.key = key
        self.lan = lan
        self.userspace = userspace
        self.flags = list(flags)
        self.folder = net.folder / name
        self.folder.mkdir(mode=0o755)
        self.socket = self.folder / "tailscaled.sock"
        self.localapi = LocalAPI(self.socket)
        self.space = net.lan_space(name, lan)
        self.daemon = None
        self.v4 = self.v6 = None

    def start(self):
        tun = "userspace-networking" if self.userspace else "tailscale0"

        # nftables needs no iptables program
        self.daemon = self.space.spawn("tailscaled", [
            self.net.tools / "tailscaled", f"--statedir={self.folder}",
            f"--socket={self.socket}", f"--tun={tun}", "--port=41641",
            "--no-logs-no-support"],
            env={"TS_DEBUG_FIREWALL_MODE": "nftables"})

    def stop(self, **how):
        self.daemon.stop(**how)

    def log_in(self):
        """Begins to; joined() waits for the end of it."""

        self.daemon.ready(f"{self.hostname}'s LocalAPI", self.localapi.state)

        return self.space.spawn("up", self.cli(
            "up", f"--login-server=http://{CONTROL}:{CONTROL_PORT}",
            f"--auth-key={self.key}", f"--hostname={self.hostname}",
            "--accept-dns=false", "--timeout=30s", *self.flags))

    def joined(self, up):
        up.wait(40)
        self.running()

        self.v4, self.v6 = self.localapi.status()["Self"]["TailscaleIPs"]

    def running(self, seconds=20):
        wait_for(f"{self.hostname} is Running",
                 lambda: self.localapi.state() == "Running", seconds)

    def without_control(self, state):
        """Starts again while the control server cannot be reached: in
        NoState, or "Running" from a map on disk that holds no peers."""

        if state == "NoState":
            shutil.rmtree(self.folder / "profile-data", ignore_errors=True)

        self.net.unplug(self)
        self.start()
        self.daemon.ready(f"{self.hostname} is {state}",
                          lambda: self.localapi.state() == state)

    def with_control(self):
        self.net.plug_in(self)

    def has_stored_a_map(self):
        return any(self.folder.glob("profile-data/*/netmap-cache/*"))

    def cli(self, *argv):
        return [self.net.tools / "tailscale", f"--socket={self.socket}",
                *argv]

    def tailscale(self, *argv):
        return self.space.run(*self.cli(*argv))


class Tailnet:
    def __init__(self, tools, control):
        self.tools = Path(tools)
        self.control = Path(control)
        self.folder = Path(tempfile.mkdtemp(prefix="tailgate-tailnet-"))
        self.folder.chmod(0o755)
        self.admin_socket = self.folder / "control.sock"
        self.spaces = []
        self.nodes = {}
        self.added = 0
        self.times = {}

    def start(self):
        begin = time.monotonic()

        self.ctl = self.space("ctl")
        self.ctl.ip("link", "add", "br0", "type", "bridge")
        self.ctl.ip("addr", "add", f"{CONTROL}/24", "dev", "br0")
        self.ctl.ip("link", "set", "br0", "up")

        name = self.start_relay()
        self.times["relay"] = time.monotonic() - begin

        self.start_control(name)
        self.times["control server"] = time.monotonic() - begin

    def start_relay(self):
        """Returns what pins the relay's self-signed certificate."""

        folder = self.folder / "relay"
        folder.mkdir()

        relay = self.ctl.spawn("derper", [
            self.tools / "derper", "-c", folder / "key", "-a",
            f"{CONTROL}:{RELAY_PORT}", "-hostname", CONTROL, "-certmode",
            "manual", "-certdir", folder, "-http-port", "-1", "-stun",
            "-verify-clients=false"])

        def pinned():
            for word in relay.log.read_text().split():
                if "sha256-raw:" in word:
                    return "sha256-raw:" + word.split("sha256-raw:")[1][:64]

        return relay.ready("the relay's certificate", pinned)

    def start_control(self, cert_name):
        relay = {"Name": "900a", "RegionID": 900, "HostName": CONTROL,
                 "CertName": cert_name, "IPv4": CONTROL, "STUNPort": 3478,
                 "DERPPort": RELAY_PORT}
        region = {"RegionID": 900, "RegionCode": "test",
                  "RegionName": "test", "Nodes": [relay]}

        file = self.folder / "tailnet.json"
        file.write_text(json.dumps({
            "domain": DOMAIN, "users": USERS, "keys": KEYS, "grants": GRANTS,
            "services": SERVICES, "derp": {"Regions": {"900": region}},
        }))

        control = self.ctl.spawn("control", [
            self.control, "-listen", f"{CONTROL}:{CONTROL_PORT}", "-admin",
            self.admin_socket, "-tailnet", file])

        control.ready("the control server", self.admin_socket.exists)

    def space(self, name):
        space = Space(name, self.folder)
        self.spaces.append(space)

        return space

    def lan_space(self, name, address):
        """A namespace with an eth0 on the bridge."""

        space = self.space(name)
        port = f"v-{name}"

        self.ctl.ip("link", "add", port, "type", "veth", "peer", "name",
                    "eth0", "netns", str(space.holder.pid))
        self.ctl.ip("link", "set", port, "master", "br0", "up")
        space.ip("addr", "add", f"{address}/24", "dev", "eth0")
        space.ip("link", "set", "eth0", "up")

        # without a default route tailscaled takes the link for down; ctl does
        # not forward
        space.ip("route", "add", "default", "via", CONTROL)

        return space

    def add(self, *specs):
        """Starts nodes side by side; each spec is the arguments of Node."""

        begin = time.monotonic()
        nodes = [Node(self, *spec[:4], **spec[4]) for spec in specs]

        for node in nodes:
            node.start()

        for node, up in [(node, node.log_in()) for node in nodes]:
            node.joined(up)

        for node in nodes:
            self.nodes[node.space.name] = node

        self.added += len(nodes)
        self.times.setdefault("nodes", time.monotonic() - begin)

        return nodes

    def remove(self, node):
        """Takes a node off the tailnet and off the LAN for good."""

        if node.hostname in self.admin("GET", "/nodes"):
            self.admin("DELETE", f"/nodes/{node.hostname}")

        del self.nodes[node.space.name]
        self.spaces.remove(node.space)
        node.space.close()

    def unplug(self, node):
        self.ctl.ip("link", "set", f"v-{node.space.name}", "down")

    def plug_in(self, node):
        self.ctl.ip("link", "set", f"v-{node.space.name}", "up")

    def admin(self, method, path, body=None):
        """One request to the control server's admin socket."""

        connection = UnixConnection(self.admin_socket)

        try:
            connection.request(
                method, urllib.parse.quote(path),
                body=None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()

            if answer.status not in (200, 204):
                raise RuntimeError(
                    f"{method} {path}: {answer.status} {text}")

            return json.loads(text) if text else None
        finally:
            connection.close()

    def change(self, node, **fields):
        """Returns before other nodes know."""

        self.admin("PATCH", f"/nodes/{node.hostname}", fields)

    def seen(self, by, peer, what, found=bool):
        """What WhoIs says of a peer, once found(it) holds."""

        def probe():
            answer = by.localapi.whois(peer.v4)

            if answer.status == 200 and found(answer.json()):
                return answer.json()

        return wait_for(what, probe)

    def close(self, keep=False):
        with contextlib.ExitStack() as rest:
            if not keep:
                rest.callback(shutil.rmtree, self.folder, ignore_errors=True)

            for space in self.spaces:
                rest.callback(space.close)
