# Copyright (C) The Tailgate authors

"""A daemon with a policy file, asked as any of the proxies asks it."""

import hashlib
import os

from authd import ALICE, CONF, Authd, forwarded, original, remote
from tailgate_test import Client

ALL = ["nginx", "traefik", "caddy", "envoy", "haproxy"]

# whose denials go on to the client as they are
BODY = ["traefik", "caddy", "envoy", "haproxy"]

POLICY = """
version: 1
contact: it@example.com
routes:
  - name: wiki
    hosts: [wiki.corp]
    allow:
      - { user: "*@example.com" }
"""


def peer(caps=None, **node):
    """Alice's WhoIs answer with other capabilities or fields of Node."""

    return {**ALICE, "Node": {**ALICE["Node"], **node}, "CapMap": caps}


class Policed(Authd):
    """A daemon with "policy: FILE"."""

    def __init__(self, directory, localapi, policy=POLICY, conf=CONF):
        self.policy = os.path.join(str(directory), "policy.yaml")
        self.write(policy)
        super().__init__(directory, localapi,
                         conf.replace("policy: member", "policy: @POLICY@"),
                         POLICY=self.policy)

    def write(self, policy):
        with open(self.policy, "w", encoding="utf-8") as f:
            f.write(policy)

    def digest(self):
        with open(self.policy, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def ask(self, dialect="nginx", method="GET", host="wiki.corp", uri="/", *,
            address="100.64.0.4", more=(), arguments="headers=off",
            local=None):
        """The answer to a request as this proxy states it; more are headers
        that it passes on."""

        with Client(self.socket) as client:
            if dialect == "envoy":
                return client.request(
                    method, f"/v1/auth/envoy/{arguments}{uri}",
                    [("X-Forwarded-For", address), *more], host=host)
            if dialect == "nginx":
                headers = original(address, method, host, uri, local=local)
            elif dialect == "haproxy":
                headers = [*remote(address, local=local),
                           *forwarded(address, method, host, uri)[1:]]
            else:
                headers = forwarded(address, method, host, uri)
            return client.get(f"/v1/auth/{dialect}?{arguments}",
                              [*headers, *more])

    def decision(self, *arguments, **more):
        """The status and the audit line."""

        before = len(self.audit())
        answer = self.ask(*arguments, **more)
        return answer.status, self.decided(before)
