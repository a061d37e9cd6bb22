# Copyright (C) The Tailgate authors

"""A LocalAPI that says what a test wants it to, byte by byte: what tailgate
devnet, which is right or wrong in known ways, cannot be asked for. It counts
what it is asked, too."""

import contextlib
import json
import socket
import threading
import urllib.parse

from tailgate_test import Incomplete, Reader, Server

OWN = "100.64.0.2"

RUNNING = {
    "Version": "1.102.5",
    "BackendState": "Running",
    "TailscaleIPs": [OWN, "fd7a:115c:a1e0::2"],
    "Self": {"ID": "n2", "DNSName": "web1.tail.example.",
             "TailscaleIPs": [OWN, "fd7a:115c:a1e0::2"]},
    "CurrentTailnet": {"MagicDNSSuffix": "tail.example"},
    "Health": [],
}


def person(login, name="", address="100.64.0.4", **node):
    """A WhoIs answer for a person's node."""

    short = login.split("@", maxsplit=1)[0] or "somebody"
    return {
        "Node": {"ID": 4, "StableID": f"n-{short}",
                 "Name": f"{short}-laptop.tail.example.", "User": 1,
                 "Addresses": [f"{address}/32"],
                 "AllowedIPs": [f"{address}/32"],
                 "Hostinfo": {"OS": "linux", "OSVersion": "6.1.0"},
                 "MachineAuthorized": True,
                 "ComputedName": f"{short}-laptop", **node},
        "UserProfile": {"ID": 1, "LoginName": login,
                        "DisplayName": name or short.title()},
        "CapMap": None,
    }


def http(status=200, body=b"", headers=(), length=True):
    """The bytes of an answer; body may be text or what JSON can say."""

    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode("utf-8")
    lines = [f"HTTP/1.1 {status} Test", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body, size=100, status=200, end=b"0\r\n\r\n"):
    """The same in chunks of a size."""

    if not isinstance(body, bytes):
        body = json.dumps(body).encode("utf-8")
    head = f"HTTP/1.1 {status} Test\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return head.encode("ascii") + b"".join(
        f"{len(part):x}\r\n".encode("ascii") + part + b"\r\n"
        for part in parts) + end


NOT_FOUND = http(404, "no match for IP:port\n")


class LocalAPI(Server):
    """whois and status are bytes, or functions of the query (a dict) that
    give bytes, or None to close the connection at once. close_after ends a
    connection after so many answers. hold, an Event, keeps back WhoIs answers
    until it is set. Who gets a 404 for everybody still finds that the node
    knows itself, unless knows_itself is cleared."""

    def __init__(self, path, whois=None, status=None, close_after=None):
        self.whois = whois if whois is not None else NOT_FOUND
        self.status = status if status is not None else http(body=RUNNING)
        self.bus = http(404, "404 page not found\n")
        self.headers = {"host": "local-tailscaled.sock"}
        self.close_after = close_after
        self.knows_itself = True
        self.hold = threading.Event()
        self.hold.set()
        self.asked = []
        self.accepted = 0
        super().__init__(path=path)

    def queries(self):
        """What WhoIs was asked, as (addr, the rest of the query)."""

        return [query for kind, query in self.asked if kind == "whois"]

    def count(self, kind="whois"):
        return sum(1 for k, _ in self.asked if k == kind)

    def serve(self, connection):
        self.accepted += 1
        served = 0
        reader = Reader(connection)
        while self.close_after is None or served < self.close_after:
            try:
                line, headers = reader.head()
            except Incomplete:
                return
            method, target, _ = line.split(" ")
            names = {name.lower(): value for name, value in headers}
            assert method == "GET", line
            assert names == self.headers, headers
            path, _, query = target.partition("?")
            query = dict(urllib.parse.parse_qsl(query))
            kind = path.rsplit("/", 1)[1]
            self.asked.append((kind, query))
            answer = getattr(self, {"watch-ipn-bus": "bus"}.get(kind, kind))
            if callable(answer):
                answer = answer(query)
            if kind == "whois":
                self.hold.wait(30)
                if (self.knows_itself and query == {"addr": OWN}
                        and answer and b" 404 " in answer[:20]):
                    answer = http(body=person("web@example.com", "", OWN))
            if answer is None:
                return
            connection.sendall(answer)
            served += 1


NODE = {
    "BackendState": "Running", "TailscaleIPs": ["100.64.0.1"],
    "Self": {"ID": "n1", "DNSName": "web1.tail.example.",
             "TailscaleIPs": ["100.64.0.1"]},
    "CurrentTailnet": {"MagicDNSSuffix": "tail.example"}}


class Told(LocalAPI):
    """A LocalAPI with an event stream, which says what a test wants it to."""

    def __init__(self, path, **answers):
        self.here = threading.local()
        self.streams = []
        self.events = 0
        super().__init__(path, status=http(body=NODE), **answers)
        self.bus = self.stream

    def serve(self, connection):
        self.here.connection = connection
        super().serve(connection)

    def stream(self, _):
        self.streams.append(self.here.connection)
        return (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + chunk({"State": 6}))

    def hang_up(self):
        """Ends the streams; what asks is not touched."""

        streams, self.streams = self.streams, []
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def changed(self):
        """Anything may have."""

        self.events += 1
        for stream in self.streams:
            with contextlib.suppress(OSError):
                stream.sendall(chunk({"PeersRemoved": [self.events]}))


def chunk(event):
    line = json.dumps(event).encode("ascii") + b"\n"
    return f"{len(line):x}\r\n".encode("ascii") + line + b"\r\n"


def whois(login_of):
    """WhoIs answers by {address: login}; 404 for others."""

    def answer(query):
        address = query["addr"].rsplit(":", 1)[0]
        who = login_of.get(address)
        if who is None:
            return NOT_FOUND
        return http(body=person(who, address=address,
                                StableID="n" + address))

    return answer
