# Copyright (C) The Tailgate authors

"""tailgate-authd from a configuration, and a LocalAPI that answers what a
test wants."""

import json
import os
import signal
import subprocess
import threading
import urllib.parse

from tailgate_test import (BUILD, Incomplete, Reader, Server, ended, get,
                           listening, wait_until)

AUTHD = os.path.join(BUILD, "tailgate-authd")


def sanitized():
    """Whether the daemon is instrumented: it is then no judge of what system
    calls and descriptors it needs."""

    text = subprocess.run(["readelf", "-d", AUTHD], capture_output=True,
                          text=True, check=False).stdout
    return "libasan" in text


# what no log of the daemon may hold
FAULTS = ("Sanitizer", "runtime error:")

OWN = "100.64.0.2"

RUNNING = {
    "Version": "1.102.5", "BackendState": "Running",
    "TailscaleIPs": [OWN, "fd7a:115c:a1e0::2"],
    "Self": {"ID": "n2", "DNSName": "web1.tail.example.",
             "TailscaleIPs": ["100.64.0.2", "fd7a:115c:a1e0::2"]},
    "CurrentTailnet": {"MagicDNSSuffix": "tail.example"},
    "Health": [],
}

ALICE = {
    "Node": {
        "ID": 4, "StableID": "n4", "Name": "alice-laptop.tail.example.",
        "User": 1, "Addresses": ["100.64.0.4/32"],
        "AllowedIPs": ["100.64.0.4/32"],
        "Hostinfo": {"OS": "linux", "OSVersion": "6.1.0"},
        "MachineAuthorized": True, "ComputedName": "alice-laptop",
    },
    "UserProfile": {
        "ID": 1, "LoginName": "alice@example.com",
        "DisplayName": "Alice Ångström",
        "ProfilePicURL": "https://pics.example/alice.png",
    },
    "CapMap": None,
}

CONF = """
policy: member
localapi: @LOCALAPI@
listen:
  unix: @SOCKET@
  senders: [@UID@]
log:
  format: json
"""


UNKNOWN = "100.64.0.77"


class LocalAPI(Server):
    """A tailscaled's LocalAPI. answer(address, query) gives (code, body) or
    None for no answer at all; status is the node's own. Who gives 404 for
    everybody still knows the node itself, unless knows_itself is cleared; that
    question is not kept. The event stream says what tell() is given; with
    follow cleared there is none."""

    def __init__(self, path, answer=None, status=None):
        self.answer = answer or (lambda address, query: (
            (200, ALICE) if address == "100.64.0.4" else (404, "no match")))
        self.status = RUNNING if status is None else status
        self.knows_itself = True
        self.asked = []                 # queries of WhoIs, in order
        self.targets = []
        self.gate = threading.Event()   # cleared: answers wait
        self.gate.set()
        self.follow = True
        self.streams = []
        super().__init__(path=path)

    def stream(self, connection):
        """The event stream, up to the end of its connection."""

        connection.sendall(b"HTTP/1.1 200 X\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
        self.send(connection, {"State": 6})
        self.streams.append(connection)
        try:
            while connection.recv(4096):
                pass
        finally:
            self.streams.remove(connection)

    @staticmethod
    def send(connection, message):
        line = json.dumps(message).encode("utf-8") + b"\n"
        connection.sendall(b"%x\r\n%s\r\n" % (len(line), line))

    def tell(self, message=None):
        """By default, that everybody has changed."""

        wait_until(lambda: self.streams, 10, "the stream is followed")
        for connection in list(self.streams):
            self.send(connection, message or {"UserProfiles": {"1": {}}})

    def serve(self, connection):
        reader = Reader(connection)
        while True:
            try:
                line, headers = reader.head()
            except Incomplete:
                return
            target = line.split(" ")[1]
            self.targets.append(target)
            assert ("Host", "local-tailscaled.sock") in headers, headers
            url = urllib.parse.urlsplit(target)
            query = dict(urllib.parse.parse_qsl(url.query))
            if url.path == "/localapi/v0/status":
                result = (200, self.status)
            elif "addr" not in query:
                if self.follow:
                    self.stream(connection)
                    return
                result = (404, "no such endpoint")
            else:
                self.asked.append(query)
                result = self.answer(query["addr"], query)
                if (self.knows_itself and query == {"addr": OWN}
                        and result and result[0] == 404):
                    self.asked.pop()
                    result = (200, ALICE)
            self.gate.wait(20)
            if result is None:
                return
            code, body = result
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode("utf-8")
            connection.sendall(
                f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\n\r\n"
                .encode("ascii") + body)


# who is asked for each request, for tests in which the world changes unheard
UNKEPT = CONF + "cache: off\n"


class Authd:
    """One daemon. conf may hold @LOCALAPI@, @SOCKET@, @DIR@, @UID@."""

    def __init__(self, directory, localapi, conf=CONF, **values):
        self.directory = os.path.join(str(directory), "authd")
        os.makedirs(self.directory, exist_ok=True)
        self.socket = os.path.join(self.directory, "authd.sock")
        self.file = os.path.join(self.directory, "authd.yaml")
        self.log_file = os.path.join(self.directory, "log")
        self.process = None
        self.values = {"LOCALAPI": localapi, "SOCKET": self.socket,
                       "DIR": self.directory, "UID": os.getuid(), **values}
        self.configure(conf)

    def configure(self, conf):
        for name, value in self.values.items():
            conf = conf.replace(f"@{name}@", str(value))
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(conf)

    def start(self, wait=None, **more):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [AUTHD, "-c", self.file], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, **more)

        def ready():
            assert self.process.poll() is None, self.log()
            return listening(wait or self.socket)

        try:
            wait_until(ready, 20, "authd starts")
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def reload(self, conf=None):
        """SIGHUP, and waits for what the daemon says about it."""

        if conf is not None:
            self.configure(conf)
        before = len(self.messages())
        self.process.send_signal(signal.SIGHUP)
        return wait_until(
            lambda: [m for m in self.messages()[before:]
                     if "in force" in m.get("message", "")],
            10, "the reload is done")[-1]["message"]

    def log(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as f:
            return f.read()

    def messages(self):
        """The lines of the log, as far as they are whole."""

        text = self.log()
        text = text[:text.rfind("\n") + 1]
        return [json.loads(line) for line in text.splitlines()]

    def audit(self):
        return [m for m in self.messages() if "audit" in m]

    def decided(self, before=0):
        """The audit line of the last request; before of them are older."""

        return wait_until(lambda: self.audit()[before:], 10,
                          "an audit line")[-1]

    def settled(self, localapi):
        """Waits until what is asked is kept: the beginning of the event stream
        makes a question that is under way be asked again, and the node's own
        state with it."""

        wait_until(lambda: self.get("/auth", remote(UNKNOWN)).status == 401
                   and self.decided()["cache"] != "miss", 10, "a hit")
        localapi.asked.clear()

    def get(self, target, headers=(), **more):
        return get(self.socket, target, headers, **more)

    def stop(self, number=signal.SIGTERM):
        """Ends the daemon and looks at what it left."""

        if self.process is not None:
            self.process.send_signal(number)
            self.stopped()

    def stopped(self):
        """What stop() does, behind a signal that a test has sent."""

        process, self.process = self.process, None
        status = ended(process, 30)
        assert status == 0, f"authd ended with {status}: {self.log()}"
        for fault in FAULTS:
            assert fault not in self.log(), self.log()
        assert not os.path.exists(self.socket)

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self.stop()
            return
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()
        print(self.log()[-20000:])


def remote(address, port=40001, local=None):
    """The headers by which nginx and HAProxy name a source."""

    headers = [("Remote-Addr", address), ("Remote-Port", port)]
    if local is not None:
        headers.append(("Tailgate-Local-Addr", local))
    return headers


def original(address="100.64.0.4", method="GET", host="wiki.corp", uri="/",
             **more):
    """What the nginx snippet sends."""

    return [*remote(address, **more), ("X-Original-Method", method),
            ("X-Original-Host", host), ("X-Original-URI", uri)]


def forwarded(address="100.64.0.4", method="GET", host="wiki.corp", uri="/"):
    """What Traefik and Caddy send."""

    return [("X-Forwarded-For", address), ("X-Forwarded-Method", method),
            ("X-Forwarded-Host", host), ("X-Forwarded-Uri", uri),
            ("X-Forwarded-Proto", "https")]
