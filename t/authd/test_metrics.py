# Copyright (C) The Tailgate authors

"""/metrics: each counter by number, those of the module's test."""

import contextlib

import pytest

from authd import CONF, original
from counters_test import CASES, POLICY, Gate, name_of, told
from policy import Policed
from tailgate_test import Client, wait_until

TARGET = "/v1/auth/nginx?headers=off"


class Daemon(Gate):

    def __init__(self, api, authd):
        self.api = api
        self.authd = authd
        self.policy = authd.policy
        self.read = authd.digest()

    def client(self, source):
        return Client(self.authd.socket)

    def send(self, client, source, host):
        lines = "".join(f"{name}: {value}\r\n"
                        for name, value in original(source, host=host))
        client.send(f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n{lines}\r\n")

    def text(self):
        return self.authd.get("/metrics").body.decode()

    def digest(self):
        return self.read

    def reload(self):
        self.read = self.authd.digest()
        self.authd.reload()


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    with contextlib.ExitStack() as stack:

        def start(cache=True, bus="none", timeout="20s", **more):
            api = stack.enter_context(told(tmp_path, bus))
            api.headers["accept"] = "*/*"
            keys = ", ".join(f"{name}: {value}" for name, value in
                             {"size": "1m", "ttl": "1h", **more}.items())
            authd = stack.enter_context(Policed(
                tmp_path, api.path, POLICY,
                CONF + f"localapi_timeout: {timeout}\n"
                + (f"cache: {{ {keys} }}\n" if cache else "cache: off\n")))
            gate = Daemon(api, authd)
            wait_until(lambda: gate.bus() == [bus], 20, "the bus")
            return gate

        yield start


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_numbers(start, case):
    case(start)
