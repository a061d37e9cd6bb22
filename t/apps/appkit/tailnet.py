# Copyright (C) The Tailgate authors

"""The small tailnet that the applications' people are on."""

import contextlib
import json

from tailgate_test import Devnet

PEOPLE = {
    "alice@example.com": {
        "name": "Alice Baker",
        "groups": ["group:netbox-admins", "group:staff"]},
    "bob@example.com": {
        "name": "Bob Carpenter",
        "groups": ["group:staff"]},
    "zoë@example.com": {
        "name": "Zoë Ångström",
        "groups": ["group:editors", "group:staff"]},
}
LOGINS = {login.split("@")[0].replace("ë", "e"): login for login in PEOPLE}
NODES = {
    "alice": {
        "address": "127.0.0.11", "user": LOGINS["alice"],
        "capabilities": {
            "tailscale.com/cap/proxy-to-grafana": [{"role": "admin"}],
            "tailgate.dev/cap/otterwiki": [{"role": "writer"}]}},
    "bob": {"address": "127.0.0.12", "user": LOGINS["bob"]},
    "zoe": {
        "address": "127.0.0.13", "user": LOGINS["zoe"],
        "capabilities": {
            "tailgate.dev/cap/otterwiki": [{"role": "writer"}]}},
    "laptop": {"address": "127.0.0.14", "user": LOGINS["alice"]},
    "machine": {"address": "127.0.0.15", "tags": ["tag:ci"]},
}
STRANGER = "127.0.0.99"


class Tailnet:

    def __init__(self, folder):
        # what is JSON is YAML too
        self.devnet = Devnet(folder, json.dumps({
            "tailnet": "example.ts.net",
            "users": [{"login": login, **person}
                      for login, person in PEOPLE.items()],
            "nodes": [{"name": name, "os": "linux", **node}
                      for name, node in NODES.items()]}))

    @property
    def localapi(self):
        return self.devnet.socket

    @staticmethod
    def address(who):
        return NODES[who]["address"] if who in NODES else STRANGER

    def __enter__(self):
        self.devnet.start()
        return self

    def __exit__(self, *exc):
        self.devnet.stop()

    @contextlib.contextmanager
    def lent(self, node, person):
        """A machine, with its address, is somebody else's for a while."""
        self.devnet.ctl("move", node, LOGINS[person])
        try:
            yield
        finally:
            self.devnet.ctl("move", node, NODES[node]["user"])

    @contextlib.contextmanager
    def groups(self, person, groups):
        self.devnet.ctl("groups", LOGINS[person], *groups)
        try:
            yield
        finally:
            self.devnet.ctl("groups", LOGINS[person],
                            *PEOPLE[LOGINS[person]]["groups"])

    @contextlib.contextmanager
    def capabilities(self, node, granted):
        self.devnet.ctl("caps", node, json.dumps(granted))
        try:
            yield
        finally:
            self.devnet.ctl("caps", node,
                            json.dumps(NODES[node].get("capabilities", {})))

    @contextlib.contextmanager
    def outage(self):
        """Nobody answers at the socket for a while."""
        self.devnet.stop()
        try:
            yield
        finally:
            self.devnet.start()
