# Copyright (C) The Tailgate authors

"""A client of tailscaled's LocalAPI, or of what plays it."""

import dataclasses
import http.client
import json
import socket
import urllib.parse

HOST = "local-tailscaled.sock"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, seconds=10):
        super().__init__(HOST, timeout=seconds)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


class LocalAPI:
    def __init__(self, path):
        self.path = path

    def get(self, target, method="GET", headers=None):
        connection = UnixConnection(self.path)

        try:
            connection.request(method, "/localapi/v0/" + target,
                               headers=headers or {})
            answer = connection.getresponse()

            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def whois(self, addr, **params):
        query = urllib.parse.urlencode(dict(params, addr=addr))

        return self.get("whois?" + query)

    def status(self):
        return self.get("status").json()

    def state(self):
        """BackendState, or None while nobody answers."""

        try:
            return self.status()["BackendState"]
        except (OSError, http.client.HTTPException):
            return None

    def bus(self, mask):
        return Bus(self.path, mask)


class Bus:
    """watch-ipn-bus: one JSON document a line, for as long as one listens."""

    def __init__(self, path, mask):
        self.connection = UnixConnection(path)
        self.connection.request("GET",
                                f"/localapi/v0/watch-ipn-bus?mask={mask}")
        self.answer = self.connection.getresponse()

    def next(self, seconds=10):
        self.connection.sock.settimeout(seconds)

        return json.loads(self.answer.readline())

    def until(self, wanted, seconds=10):
        """The first message that has a field of that name."""

        while True:
            message = self.next(seconds)

            if message.get(wanted) is not None:
                return message

    def close(self):
        self.answer.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
