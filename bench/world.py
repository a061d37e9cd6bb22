# Copyright (C) The Tailgate authors

"""Where the contenders run: a network namespace with a LocalAPI in it, that of
a real tailscaled or of tailgate devnet.

Who dials the node's address from in there comes from a peer's, over loopback:
what is measured is who answers "who is this", and not WireGuard."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import BUILD, ROOT

sys.path.insert(0, os.path.join(ROOT, "t", "tailnet"))

from net import Tailnet  # noqa: E402
from space import Space, wait_for  # noqa: E402


def listening(address):
    family = socket.AF_UNIX if isinstance(address, str) else (
        socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    try:
        with socket.socket(family) as s:
            s.settimeout(1)
            s.connect(address)
        return True
    except OSError:
        return False


class World:
    """space, folder, server and peer (addresses), localapi (a path), and the
    process that answers there."""

    def spawn(self, what, argv, ready, env=None):
        process = self.space.spawn(what, argv, env)
        process.ready(what, ready, 30)
        return process

    def is_up(self, port, address=None):
        with self.space.entered():
            return listening((address or self.server, port))

    def loop_back(self):
        """Connections to the server's address come from the peer's."""

        self.space.ip("addr", "add", f"{self.peer}/32", "dev", "lo")
        self.space.ip("route", "replace", "table", "local", "local",
                      self.server, "dev", "lo", "src", self.peer)

    def usual_socket(self):
        """nginx-auth knows no other path than tailscaled's own."""

        os.makedirs("/var/run/tailscale", exist_ok=True)
        self.space.run("mount", "--bind", os.path.dirname(self.localapi),
                       "/var/run/tailscale")


class Devnet(World):
    title = "tailgate devnet"

    def __init__(self, yaml, server, peer=None):
        self.temporary = tempfile.TemporaryDirectory(prefix="tailgate-bench-")
        self.folder = Path(self.temporary.name)
        self.folder.chmod(0o755)
        self.server = server
        self.peer = peer
        self.space = Space("bench", self.folder)
        self.space.ip("addr", "add", server, "dev", "lo",
                      *(["nodad"] if ":" in server else []))
        if peer is not None:
            self.loop_back()

        world = self.folder / "world.yaml"
        world.write_text(yaml, encoding="ascii")
        self.localapi = str(self.folder / "tailscaled.sock")
        self.control = str(self.folder / "control.sock")
        self.process = self.spawn("devnet", [
            os.path.join(BUILD, "tailgate"), "devnet", world, "--socket",
            self.localapi, "--control", self.control],
            lambda: listening(self.localapi))

    def calls(self):
        """How many WhoIs there were."""

        done = subprocess.run(
            [os.path.join(BUILD, "tailgate"), "devnet", "ctl", "--control",
             self.control, "count"], stdout=subprocess.PIPE, check=True,
            encoding="ascii")
        return json.loads(done.stdout)["whois"]

    def close(self):
        self.space.close()
        self.temporary.cleanup()


class Real(World):
    """A tailscaled that is logged in and knows alice's machine."""

    title = "tailscaled"

    def __init__(self):
        build = os.path.join(ROOT, "t", "tailnet", "build")
        tools = subprocess.run([build], stdout=subprocess.PIPE, check=True,
                               encoding="utf-8").stdout.strip()
        control = os.path.join(BUILD, "tailnet-control")
        subprocess.run([build, "--control", control], check=True)

        self.net = Tailnet(tools, control)
        try:
            # its own rule lets no tailnet address in over loopback
            self.net.start()
            node, alice = self.net.add(
                ("srv", "web1", "key-web", "10.77.0.10",
                 {"flags": ["--netfilter-mode=off"]}),
                ("alice", "alice-laptop", "key-alice", "10.77.0.11", {}))
            self.net.seen(node, alice, "alice is known")
        except BaseException:
            self.net.close()
            raise

        self.space = node.space
        self.folder = self.net.folder / "srv"
        self.server = node.v4
        self.peer = alice.v4
        self.localapi = str(node.socket)
        self.process = node.daemon
        self.loop_back()

    def close(self):
        self.net.close()


__all__ = ["Devnet", "Real", "World", "listening", "wait_for"]
