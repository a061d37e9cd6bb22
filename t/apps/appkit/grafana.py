# Copyright (C) The Tailgate authors

"""Grafana's header login, for a machine that cannot install Grafana.

No registry that the tests use ships the server, so this follows its source:
the order of its authentication clients, the six headers of [auth.proxy],
their decoding, the whitelist, the synchronisation of the user and its cache.
It reads a grafana.ini.  test_grafana.py holds it to what was read.
"""

import base64
import configparser
import hmac
import http.server
import ipaddress
import json
import re
import secrets
import threading
import time

ROLES = ("None", "Viewer", "Editor", "Admin")
FIELDS = ("Name", "Email", "Login", "Role", "Groups")
DEFAULTS = {
    "auth.proxy": {
        "enabled": "false", "header_name": "X-WEBAUTH-USER",
        "header_property": "username", "auto_sign_up": "true",
        "sync_ttl": "15", "whitelist": "", "headers": "",
        "headers_encoded": "false", "enable_login_token": "false"},
    "auth.anonymous": {"enabled": "false"},
    "auth.basic": {"enabled": "true"},
    "users": {"auto_assign_org_id": "1", "auto_assign_org_role": "Viewer"},
    "security": {"admin_user": "admin", "admin_password": "admin"},
}


class Refused(Exception):
    """A client took the request and turned it down."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def split_list(text):
    """A list setting or the groups: JSON, else words, else quoted words."""
    if text.strip().startswith("["):
        try:
            items = json.loads(text)
        except ValueError:
            return []
        if all(isinstance(item, str) for item in items):
            return items
        return []
    return [item.strip('"') for item in
            re.findall(r'"[^"]+"|[^,\t\n\v\f\r ]+', text)]


def unquote_printable(data):
    """As Go's mime/quotedprintable reads one line; a fault leaves it as is."""
    line = data.rstrip(b" \t")
    if line.endswith(b"="):
        line = line[:-1]
    if (re.search(rb"=(?![0-9A-Fa-f]{2})", line)
            or re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", line)):
        return data
    return re.sub(rb"=([0-9A-Fa-f]{2})",
                  lambda match: bytes([int(match[1], 16)]), line)


def is_address(text):
    return re.fullmatch(r'[^@\s<>",;:()\\\[\]]+@[^@\s<>",;:()\\\[\]]+',
                        text) is not None


def networks(whitelist):
    """An address without a mask gets /32, an IPv6 one too."""
    found = []
    for item in filter(None, (w.strip() for w in whitelist.split(","))):
        text = item if "/" in item else f"{item}/32"
        found.append(ipaddress.ip_network(text, strict=False))
    return found


class Grafana:

    def __init__(self, ini, clock=time.time):
        self.clock = clock
        self.conf = configparser.ConfigParser(interpolation=None)
        self.conf.read_dict(DEFAULTS)
        self.conf.read_string(ini)
        self.proxy = self.conf["auth.proxy"]
        pairs = [item.partition(":") for item in
                 split_list(self.proxy["headers"])]
        self.headers = {key: name for key, _, name in pairs if key in FIELDS}
        self.whitelist = networks(self.proxy["whitelist"])
        self.users = []
        self.cache = {}
        self.sessions = {}
        self.api_keys = {}
        self.received = []

    def add_user(self, login, email="", name="", orgs=None):
        user = {"id": len(self.users) + 1, "login": login, "email": email,
                "name": name, "orgs": orgs or {}, "groups": [], "auth": None}
        self.users.append(user)
        return user

    def authenticate(self, headers, peer, cookies):
        """The user and the name of the client that knew it, first wins."""
        for client in (self.api_key, self.basic, self.auth_proxy,
                       self.session, self.anonymous):
            user = client(headers, peer, cookies)
            if user is not None:
                return user, client.__name__
        raise Refused(401, "Unauthorized")

    def api_key(self, headers, _peer, _cookies):
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        if key not in self.api_keys:
            raise Refused(401, "Invalid API key")
        return self.api_keys[key]

    def basic(self, headers, _peer, _cookies):
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if (scheme != "Basic"
                or not self.conf["auth.basic"].getboolean("enabled")):
            return None
        admin = self.conf["security"]
        want = f"{admin['admin_user']}:{admin['admin_password']}".encode()
        if not hmac.compare_digest(base64.b64decode(token), want):
            raise Refused(401, "Invalid username or password")
        return {"id": 0, "login": admin["admin_user"], "email": "",
                "name": "", "orgs": {1: "Admin"}, "groups": []}

    def value(self, headers, name):
        data = (headers.get(name) or "").encode("latin-1")
        if self.proxy.getboolean("headers_encoded"):
            data = unquote_printable(data)
        return data.decode(errors="replace")

    def auth_proxy(self, headers, peer, _cookies):
        if not self.proxy.getboolean("enabled"):
            return None
        user_header = self.value(headers, self.proxy["header_name"])
        if not user_header:
            return None
        if self.whitelist and not any(
                ipaddress.ip_address(peer) in net for net in self.whitelist):
            raise Refused(401, "auth-proxy.invalid-ip")
        given = {field: self.value(headers, name)
                 for field, name in self.headers.items()}
        key = user_header + "".join(given.get(f, "") for f in FIELDS)
        cached = self.cache.get(user_header)
        if cached and cached[0] == key and cached[1] > self.clock():
            return cached[2]
        user = self.sync(user_header, given)
        ttl = int(self.proxy["sync_ttl"]) * 60
        self.cache[user_header] = (key, self.clock() + ttl, user)
        return user

    def sync(self, user_header, given):
        want = self.identity(user_header, given)
        user = self.find(user_header, want)
        if user is None:
            if not self.proxy.getboolean("auto_sign_up"):
                raise Refused(401, "Sign up is disabled")
            user = self.add_user(want["login"] or want["email"])
        user["auth"] = user_header
        for field in ("login", "email", "name"):
            user[field] = want[field] or user[field]
        user["groups"] = split_list(given.get("Groups", ""))
        org = int(self.conf["users"]["auto_assign_org_id"])
        if given.get("Role") in ROLES:
            user["orgs"] = {org: given["Role"]}
        elif not user["orgs"]:
            user["orgs"] = {org: self.conf["users"]["auto_assign_org_role"]}
        return user

    def identity(self, user_header, given):
        kind = self.proxy["header_property"]
        if kind not in ("username", "email"):
            raise Refused(500, "auth-proxy.invalid-proxy-header")
        email = user_header if kind == "email" or is_address(user_header) \
            else ""
        return {"login": given.get("Login") or user_header,
                "email": given.get("Email") or email,
                "name": given.get("Name", "")}

    def find(self, user_header, want):
        for field, value in (("auth", user_header), ("email", want["email"]),
                             ("login", want["login"])):
            for user in self.users:
                if value and user[field] == value:
                    return user
        return None

    def session(self, _headers, _peer, cookies):
        return self.sessions.get(cookies.get("grafana_session"))

    def anonymous(self, _headers, _peer, _cookies):
        if not self.conf["auth.anonymous"].getboolean("enabled"):
            return None
        return {"id": 0, "login": "", "email": "", "name": "", "orgs": {},
                "groups": []}

    def token_for(self, user, client, cookies):
        """A session token, if a proxied login is to leave one behind."""
        if (client != "auth_proxy" or cookies.get("grafana_session")
                or not self.proxy.getboolean("enable_login_token")):
            return None
        token = secrets.token_hex(16)
        self.sessions[token] = user
        return token


class Handler(http.server.BaseHTTPRequestHandler):
    """GET /api/user, and what arrived."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        grafana = self.server.grafana
        grafana.received.append(self.headers.items())
        cookies = dict(pair.strip().split("=", 1) for pair in
                       self.headers.get("Cookie", "").split(";")
                       if "=" in pair)
        token = None
        try:
            user, client = grafana.authenticate(
                self.headers, self.client_address[0], cookies)
        except Refused as fault:
            status, answer = fault.status, {"message": fault.message}
        else:
            token = grafana.token_for(user, client, cookies)
            status, answer = 200, {**user, "authenticatedBy": client}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if token:
            self.send_header("Set-Cookie",
                             f"grafana_session={token}; Path=/; HttpOnly")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server:
    """A Grafana that listens on a free loopback port."""

    def __init__(self, ini):
        self.grafana = Grafana(ini)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.grafana = self.grafana
        self.address = self.http.server_address
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.thread.start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()
