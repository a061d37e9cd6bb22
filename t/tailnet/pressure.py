# Copyright (C) The Tailgate authors

"""Who may no longer come in, while requests come as fast as nginx serves them.

The node is one that lets a peer's address in over loopback, so that wrk asks
as that peer at a rate which WireGuard cannot carry here, and goes on once
tailscaled lets no packet of the peer through any more. What answered whom is
in nginx's own log."""

import collections
import contextlib
import os
import time

import tailgate_test
import web
from space import wait_for

CONF = """
    tailgate_localapi unix:@LOCALAPI@;
    tailgate_cache ttl=1h;

    keepalive_requests 1000000000;
    log_format module '$msec $status $remote_addr $tailgate_login';
    log_format authd '$msec $status $remote_addr $auth_user';

    upstream authd {
        server unix:@AUTHD@;
        keepalive 64;
    }

    server {
        listen @PORT@;

        location = /module {
            tailgate on;
            access_log @DIR@/module.log module;
            empty_gif;
        }

        location = /authd {
            auth_request /auth;
            auth_request_set $auth_user $upstream_http_x_webauth_user;
            access_log @DIR@/authd.log authd;
            empty_gif;
        }

        location = /auth {
            internal;
            proxy_pass http://authd/v1/auth/nginx?headers=webauth;
            proxy_http_version 1.1;
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Connection "";
            proxy_set_header Host tailgate-authd;
            proxy_set_header Remote-Addr $remote_addr;
            proxy_set_header Remote-Port $remote_port;
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Original-Host $host;
            proxy_set_header X-Original-URI $request_uri;
            proxy_set_header Tailgate-Local-Addr $server_addr;
        }
    }
"""

AUTHD = """
policy: member
localapi: @LOCALAPI@
cache: { ttl: 1h }
audit: none
listen:
  unix: @SOCKET@
  mode: "0666"
  senders: [root, nobody]
"""

GATES = ("module", "authd")
LOGIN = "bob@example.com"

# what becomes of a peer, and how WhoIs says it
Change = collections.namedtuple("Change", "method fields seen")

CHANGES = {
    "removed": Change("DELETE", None, lambda answer: answer.status == 404),
    "retagged": Change("PATCH", {"tags": ["tag:ci"]}, lambda answer:
                       answer.json()["Node"].get("Tags") == ["tag:ci"]),
    "expired": Change("PATCH", {"key_expiry": "2026-01-01T00:00:00Z"},
                      lambda answer: answer.json()["Node"].get("Expired")),
}

# when is of the wall clock; who is what the gate took the client for
Line = collections.namedtuple("Line", "when status address who")


class Log:
    """What a gate's log says from now on."""

    def __init__(self, nginx, gate):
        self.path = nginx.path(f"{gate}.log")
        self.begin = os.path.getsize(self.path)

    def bytes(self):
        return os.path.getsize(self.path) - self.begin

    def lines(self):
        """Sorted by time: each worker writes its own."""

        with open(self.path, encoding="ascii") as f:
            f.seek(self.begin)
            words = [line[:-1].split(" ") for line in f if line[-1] == "\n"]
        return sorted(Line(float(when), int(status), address, who)
                      for when, status, address, who in words)


class Pressed:
    """said: when the control server had been told; answered: from when on
    WhoIs says so. wrong are the answers that let the peer in, of all."""

    def __init__(self, lines, said, answered):
        self.lines = lines
        self.said = said
        self.answered = answered
        self.wrong = [line for line in lines if line.status == 200]

    @property
    def rate(self):
        return len(self.lines) / (self.lines[-1].when - self.lines[0].when)

    @property
    def last_wrong(self):
        """In seconds after the control server said so."""

        return self.wrong[-1].when - self.said


class Gates:
    """nginx and tailgate-authd on a node."""

    def __init__(self, net, node, nginx):
        self.net = net
        self.node = node
        self.nginx = nginx
        self.leavers = 0

    def leaver(self):
        """A machine of bob's that does not stay."""

        n = self.leavers
        self.leavers += 1
        leaver, = self.net.add((f"gone{n}", f"gone-{n}", "key-bob",
                                f"10.77.0.{200 + n % 20}", {}))
        self.net.seen(self.node, leaver, "known")
        return leaver

    @contextlib.contextmanager
    def speaking_for(self, peer):
        """Connections to the node's address come from the peer's."""

        self.route("lo", "src", peer.v4, peer=peer, change="add")
        try:
            yield
        finally:
            self.route("tailscale0", peer=peer, change="del")

    def route(self, *device, peer, change):
        ip = self.node.space.ip
        address = ("addr", change, f"{peer.v4}/32", "dev", "lo")
        route = ("route", "replace", "table", "local", "local", self.node.v4,
                 "dev", *device)
        for arguments in (address, route)[::1 if change == "add" else -1]:
            ip(*arguments)

    @contextlib.contextmanager
    def load(self, gate, connections):
        """As many requests as it takes, until the end."""

        wrk = self.node.space.spawn("wrk", [
            "wrk", "-t1", f"-c{connections}", "-d600s",
            f"http://{self.node.v4}:{self.nginx.port}/{gate}"])
        try:
            yield
        finally:
            wrk.stop()

    def change(self, peer, name):
        """Returns when the control server had been told, and from when on
        WhoIs says so."""

        change = CHANGES[name]
        self.net.admin(change.method, f"/nodes/{peer.hostname}",
                       change.fields)
        said = time.time()
        wait_for(name, lambda: change.seen(
            self.node.localapi.whois(peer.v4)), 60)
        return said, time.time()

    def key_ends(self, peer, seconds=3):
        """By the clock alone: tailscaled's word for it comes later. Returns
        when, and the same unless WhoIs was later to have the time at all."""

        end = int(time.time()) + seconds
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
        self.net.change(peer, key_expiry=stamp)
        self.net.seen(self.node, peer, "when it ends", lambda who:
                      who["Node"].get("KeyExpiry") == stamp)
        known = time.time()
        wait_for("the end", lambda: time.time() > end)
        return end, max(end, known)

    def press(self, gate, peer, happens, seconds=1, before=400000,
              after=100000, connections=32):
        """happens(peer) is change() or key_ends(). before and after are how
        much is in the log at least, in bytes: until it happens, and from some
        seconds after WhoIs has said so."""

        with self.speaking_for(peer), self.load(gate, connections):
            log = Log(self.nginx, gate)
            wait_for("load", lambda: log.bytes() > before, 60)
            said, answered = happens(peer)
            wait_for("a while", lambda: time.time() > answered + seconds,
                     seconds + 60)
            size = log.bytes()
            wait_for("load", lambda: log.bytes() > size + after, 60)

            # the client's end may cut some short: they are not looked at
            lines = log.lines()

        return Pressed(lines, said, answered)


@contextlib.contextmanager
def gates(net):
    """On a node of its own: tailscaled's own rule lets no tailnet address in
    over loopback."""

    node, = net.add(("gates", "web-gates", "key-web", "10.77.0.30",
                     {"flags": ["--netfilter-mode=off"]}))

    folder = net.folder / "gates-authd"
    folder.mkdir(mode=0o755)
    socket, conf = folder / "authd.sock", folder / "authd.yaml"
    conf.write_text(AUTHD.replace("@LOCALAPI@", str(node.socket))
                    .replace("@SOCKET@", str(socket)))
    authd = node.space.spawn("authd", [
        os.path.join(tailgate_test.BUILD, "tailgate-authd"), "-c", conf])
    try:
        authd.ready("authd", lambda: tailgate_test.listening(str(socket)))
        with web.serving(node, "gates", CONF, workers=2,
                         AUTHD=socket) as nginx:
            yield Gates(net, node, nginx)
    finally:
        authd.stop()
        net.remove(node)
