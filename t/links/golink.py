# Copyright (C) The Tailgate authors

"""A tailnet with people, a tailgate-authd that serves links to it, and
requests of each of them: straight, or through nginx with the module. It lives
in the network namespace of the test, whose lo has ADDRESSES."""

import contextlib
import os
import re
import urllib.parse

from authd import ALICE, RUNNING, Authd, LocalAPI
from tailgate_test import (ROOT, Client, Nginx, free_port, listening,
                           wait_until)

OWN = "100.64.0.2"
FOO, BAR, ADMIN, MACHINE = ("100.64.0.4", "100.64.0.5", "100.64.0.6",
                            "100.64.0.7")
GROUPED, STRANGER, BROKEN = "100.64.0.8", "100.64.0.9", "100.64.0.10"
ADDRESSES = [OWN, FOO, BAR, ADMIN, MACHINE, GROUPED, STRANGER, BROKEN]

HTML = {"Accept": "text/html"}
SCRIPT = {"Sec-Golink": "1"}

PEOPLE = {
    FOO: "foo@example.com", BAR: "bar@example.com", ADMIN: "bar@example.com",
    GROUPED: "carol@example.com"}

CONF = """
policy: @POLICY@
localapi: @LOCALAPI@
listen:
  unix: @SOCKET@
  senders: [@UID@]
log:
  format: json
links:
  listen: [@LISTEN@]
  hosts: [go, go.example.ts.net, "@HOST@"]
  store: @STORE@
@MORE@
"""


def person(address):
    node = {**ALICE["Node"], "Addresses": [f"{address}/32"],
            "AllowedIPs": [f"{address}/32"], "StableID": "n" + address}
    profile = {"ID": 9, "LoginName": PEOPLE.get(address, ""),
               "DisplayName": "Somebody", "ProfilePicURL": ""}
    caps = None
    if address == ADMIN:
        caps = {"tailscale.com/cap/golink": [{"admin": False},
                                             {"admin": True}]}
    if address == GROUPED:
        profile["Groups"] = ["group:docs"]
    if address == MACHINE:
        node = {**node, "Tags": ["tag:ci"]}
        profile["LoginName"] = "tagged-devices"
    return {"Node": node, "UserProfile": profile, "CapMap": caps}


def answer(address, _):
    if address in PEOPLE or address == MACHINE:
        return 200, person(address)
    if address == BROKEN:
        return 500, "broken"
    return 404, "no match"


STATUS = {**RUNNING, "User": {
    str(n): {"ID": n, "LoginName": login} for n, login in enumerate([
        "foo@example.com", "bar@example.com", "carol@example.com",
        "a@example.com", "tagged-devices"])}}


class Links:
    """One daemon. way is "tailnet" or "nginx"."""

    def __init__(self, directory, way, more="", store=None, policy="member",
                 hosts="host.example", certificate=None):
        self.way = way
        self.own = OWN
        self.port = free_port()
        self.localapi = LocalAPI(str(directory / "localapi.sock"), answer,
                                 STATUS)
        self.socket = str(directory / "links.sock")
        listen = (f"tailnet:{self.port}" if way == "tailnet"
                  else f"unix:{self.socket}")
        self.store = store or str(directory / "links.db")
        os.chmod(directory, 0o700)
        self.authd = Authd(directory, self.localapi.path, CONF,
                           LISTEN=listen, STORE=self.store, MORE=more,
                           POLICY=policy, HOST=hosts)
        self.nginx = None
        if way == "nginx":
            with open(os.path.join(ROOT, "conf", "nginx",
                                   "tailgate-links.conf"),
                      encoding="utf-8") as f:
                snippet = f.read()
            snippet = snippet.replace("/run/tailgate/links.sock", self.socket)
            listen = f"listen {OWN}:{self.port};"
            if certificate:
                self.tls_port = free_port()
                crt, key = certificate
                listen += (f"listen {OWN}:{self.tls_port} ssl;"
                           f"ssl_certificate {crt};"
                           f"ssl_certificate_key {key};")
            self.nginx = Nginx(
                directory,
                f"tailgate_localapi unix:{self.localapi.path};"
                f"server {{ {listen} {snippet} }}",
                PORT=self.port)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.localapi)
            stack.enter_context(self.authd)
            if self.nginx:
                stack.enter_context(self.nginx)
            self.wait()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def restart(self):
        self.authd.stop()
        self.authd.start()
        self.wait()

    def wait(self):
        where = [(OWN, self.port)] + ([self.socket] if self.nginx else [])
        wait_until(lambda: all(listening(w) for w in where), 20,
                   "links are served")

    def ask(self, method, target, headers=(), body=b"", who=FOO, host="go"):
        with Client((OWN, self.port), source=who) as client:
            return client.request(method, target, headers, body, host=host)

    def get(self, target, headers=(), **more):
        return self.ask("GET", target, headers, **more)

    def form(self, target, fields, headers=(), origin="http://go", **more):
        headers = {"Content-Type": "application/x-www-form-urlencoded",
                   **dict(headers)}
        if origin:
            headers["Origin"] = origin
        return self.ask("POST", target, headers,
                        urllib.parse.urlencode(fields), **more)

    def save(self, short, long, headers=SCRIPT, **more):
        """golink's save; by default as a script does it."""

        fields = {"short": short, "long": long}
        for name in ("owner", "xsrf"):
            if name in more:
                fields[name] = more.pop(name)
        return self.form("/", fields, headers, **more)

    def new_token(self, who=FOO):
        return token(self.get("/", HTML, who=who), "/")

    def token(self, name, who=FOO, action="/"):
        return token(self.get(f"/.detail/{name}", HTML, who=who), action)


def token(page, action):
    """The token of the first form with that action."""

    for form in re.findall(r"<form.*?</form>", page.body.decode(), re.S):
        if f'action="{action}' not in form or "post" not in form:
            continue
        found = re.search(r'name="xsrf" value="([^"]*)"', form)
        if found and (action != "/" or 'name="short"' in form):
            return found.group(1)
    raise AssertionError(f"no form {action}: {page.status} {page.body}")
