# Copyright (C) The Tailgate authors

"""A small world for the tests of the nginx module: people on 127.0.0.x whom
devnet knows, an app that says what it was sent, and nginx between them."""

import itertools
import json

import pytest

from tailgate_test import Devnet, Echo, Nginx

PEOPLE = """
tailnet: tail.example
users:
  - login: alice@example.com
    name: Alice Ångström
    picture: https://pics.example/alice.png
    groups: [eng, ops]
  - login: bob@example.com
    name: Bob Baker
  - login: carol@other.example
    name: Carol
nodes:
  - name: alice-laptop
    addresses: [127.0.0.11, 100.64.0.11, "fd7a:115c:a1e0::11"]
    user: alice@example.com
    os: macOS
    os_version: "15.3"
    capabilities:
      example.com/cap/web:
        - { role: admin }
  - name: bob-phone
    addresses: [127.0.0.12, 100.64.0.12]
    user: bob@example.com
    os: iOS
    os_version: "18.2"
  - name: ci-runner
    addresses: [127.0.0.13, 100.64.0.13]
    tags: ["tag:ci", "tag:build"]
  - name: carol-desk
    addresses: [127.0.0.14, 100.64.0.14]
    user: carol@other.example
    shared: true
  - name: alice-router
    addresses: [127.0.0.15, 100.64.0.15]
    user: alice@example.com
    routes: [10.88.0.0/24]
  - name: alice-old
    addresses: [127.0.0.16, 100.64.0.16]
    user: alice@example.com
    expired: true
"""

ALICE = "127.0.0.11"
BOB = "127.0.0.12"
CI = "127.0.0.13"
CAROL = "127.0.0.14"
ROUTER = "127.0.0.15"
EXPIRED = "127.0.0.16"
STRANGER = "127.0.0.99"

LOG = """
log_format words '$uri|$status|$tailgate_status|$tailgate_login';
access_log @DIR@/words.log words;
"""

# The same for decisions, see decisions()
DECISIONS = """
log_format decisions escape=json '{"uri":"$request_uri","status":"$status",'
    '"decision":"$tailgate_decision","rule":"$tailgate_rule",'
    '"route":"$tailgate_route","reason":"$tailgate_reason",'
    '"cache":"$tailgate_cache","policy":"$tailgate_policy",'
    '"login":"$tailgate_login","error":"$tailgate_error"}';
access_log @DIR@/decisions.log decisions;
"""


def decisions(nginx, n):
    """The first n lines of DECISIONS; "-" for what was not found."""

    return [{name: value or "-" for name, value in json.loads(line).items()}
            for line in nginx.lines("decisions.log", n)]


class World:
    """Starts things and ends them; nginx() may be called with a whole http
    block's content."""

    def __init__(self, directory):
        self.directory = directory
        self.started = []
        self.devnet = None
        self.app = None

    def start(self, thing):
        thing.__enter__()
        self.started.append(thing)
        return thing

    def nginx(self, conf, localapi=None, options="", **values):
        """nginx with conf, devnet (unless localapi is the path of another
        socket) and the app at @APP@; options are tailgate_localapi's. What
        another LocalAPI is asked is counted: nothing of it is kept."""

        if localapi is None and self.devnet is None:
            self.devnet = self.start(Devnet(self.directory, PEOPLE))
        if self.app is None:
            self.app = self.start(Echo())
        path = localapi or self.devnet.socket
        values.setdefault("APP", self.app.port)
        cache = "tailgate_cache off;" if localapi else ""
        return self.start(Nginx(
            self.directory,
            f"tailgate_localapi unix:@LOCALAPI@ {options};{cache}\n{conf}",
            LOCALAPI=path, **values))

    def end(self, failed):
        """Ends everything; what nginx left is looked at only if the test has
        not failed already."""

        faults = []
        while self.started:
            thing = self.started.pop()
            kind = AssertionError if failed and isinstance(thing, Nginx) \
                else None
            try:
                thing.__exit__(kind, None, None)
            except AssertionError as error:
                faults.append(error)
        if faults:
            raise faults[0]


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture
def world(request, tmp_path):
    made = World(tmp_path)
    yield made
    report = getattr(request.node, "report_call", None)
    made.end(report is None or report.failed)


@pytest.fixture
def policy(tmp_path):
    """Writes a policy file; each call makes another."""

    numbers = itertools.count()

    def write(text):
        path = tmp_path / f"policy{next(numbers)}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
