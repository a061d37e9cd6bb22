# Copyright (C) The Tailgate authors

"""Servers of links, each a process with a folder and a port of its own: golink,
tailgate-authd, and an nginx that answers the same requests out of its
configuration. All listen on a tailnet address, in a network namespace of their
own; whoever connects does so from another node's."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

from measure import BUILD, NGINX, ROOT, children_of, cpu_seconds, fail

sys.path.insert(0, os.path.join(ROOT, "t", "lib"))

from network_test import add_addresses, ip, unshare  # noqa: E402

OWN = "100.64.0.2"
DESK = "100.64.0.4"

WORLD = f"""
tailnet: bench.ts.net
self:
  name: go
  addresses: [{OWN}]
  tags: ["tag:go"]
users:
  - login: foo@example.com
    name: Foo
nodes:
  - name: desk
    addresses: [{DESK}]
    user: foo@example.com
"""

AUTHD_CONF = """
policy: none
localapi: {folder}/localapi.sock
listen:
  unix: {folder}/authd.sock
links:
  listen: ["tailnet:{port}"]
  hosts: ["{own}:{port}", go]
  store: {folder}/links.db
  admins: [foo@example.com]
audit: none
"""

# As bare as it gets: nothing is looked up, nothing is logged.
NGINX_CONF = """
user root;
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {own}:{port};
        location = /who {{ return 302 http://who/; }}
        location = "/s/hello world" {{
            return 302 http://s.example.com/?q=hello+world;
        }}
        location / {{ return 404; }}
    }}
}}
"""


def own_network():
    """Here are the two addresses; whoever connects does so from the desk."""

    if os.geteuid() != 0:
        fail("network namespaces need root")
    unshare()
    add_addresses("lo", OWN, DESK)
    ip("route", "replace", "local", OWN, "dev", "lo", "table", "local",
       "src", DESK)


def free_port():
    with socket.socket() as s:
        s.bind((OWN, 0))
        return s.getsockname()[1]


def wait_for(what, ready, seconds=120):
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            fail(f"no sign of {what} after {seconds} seconds")
        time.sleep(0.005)


def get(port, path):
    """The status of one request, 0 if nobody listens."""

    try:
        connection = http.client.HTTPConnection(OWN, port, timeout=30)
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0


def link(name, url):
    return json.dumps({"Short": name, "Long": url,
                       "Created": "2024-01-01T00:00:00Z",
                       "LastEdit": "2024-01-01T00:00:00Z",
                       "Owner": "foo@example.com"}) + "\n"


def links(n):
    """So many of them, as golink's JSONL."""

    return (link("who", "http://who/")
            + link("s", "http://s.example.com/?q={{QueryEscape .Path}}")
            + "".join(link(f"link{i}", f"https://app{i % 97}.example.com/{i}")
                      for i in range(n - 2)))


class Server:
    name = ""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.process = None
        self.helpers = []
        os.mkdir(folder)

    def run(self, *command):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            return subprocess.Popen(command, stdout=log,
                                    stderr=subprocess.STDOUT)

    def pids(self):
        """Of the processes that answer requests."""

        return [self.process.pid, *children_of(self.process.pid)]

    def rss(self):
        """In MB."""

        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s*(\d+)", f.read()).group(1)) / 1024

    def cpu(self):
        """In microseconds, of all its threads."""

        return cpu_seconds(self.pids()) * 1000000

    @contextlib.contextmanager
    def pinned(self, cores):
        """All of its threads stay on these cores; new ones do as theirs."""

        before = os.sched_getaffinity(0)
        self.stay(cores)
        try:
            yield
        finally:
            self.stay(before)

    def stay(self, cores):
        for pid in self.pids():
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), cores)

    def stop(self):
        for process in [self.process, *self.helpers]:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.process = None
        self.helpers = []


class Golink(Server):
    name = "golink"

    def start(self, lines=None):
        snapshot = []
        if lines:
            path = os.path.join(self.folder, "snapshot.jsonl")
            with open(path, "w", encoding="ascii") as f:
                f.write(lines)
            snapshot = ["-snapshot", path]
        self.process = self.run(
            os.environ["GOLINK"], "-dev-listen", f"{OWN}:{self.port}",
            "-sqlitedb", os.path.join(self.folder, "golink.db"), *snapshot)
        wait_for("golink", lambda: get(self.port, "/who") == 302)


class Authd(Server):
    name = "tailgate-authd"
    imported = 0                        # seconds

    def start(self, lines=None):
        """Gives the seconds until the first answer."""

        with open(os.path.join(self.folder, "world.yaml"), "w",
                  encoding="ascii") as f:
            f.write(WORLD)
        conf = os.path.join(self.folder, "authd.yaml")
        with open(conf, "w", encoding="ascii") as f:
            f.write(AUTHD_CONF.format(folder=self.folder, own=OWN,
                                      port=self.port))
        localapi = os.path.join(self.folder, "localapi.sock")
        self.helpers = [self.run(
            os.path.join(BUILD, "tailgate"), "devnet",
            os.path.join(self.folder, "world.yaml"), "--socket", localapi,
            "--control", os.path.join(self.folder, "control.sock"))]
        wait_for("devnet", lambda: os.path.exists(localapi))
        begin = time.monotonic()
        self.process = self.run(os.path.join(BUILD, "tailgate-authd"),
                                "-c", conf)
        wait_for("tailgate-authd", lambda: get(self.port, "/.help") != 0)
        took = time.monotonic() - begin
        if lines:
            path = os.path.join(self.folder, "import.jsonl")
            with open(path, "w", encoding="ascii") as f:
                f.write(lines)
            begin = time.monotonic()
            subprocess.run(
                [os.path.join(BUILD, "tailgate"), "links", "import", path,
                 "--upsert", "--server", f"http://{OWN}:{self.port}"],
                check=True, stdout=subprocess.DEVNULL)
            self.imported = time.monotonic() - begin
        return took


class Nginx(Server):
    name = "nginx"

    def start(self):
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(NGINX_CONF.format(folder=self.folder, own=OWN,
                                      port=self.port))
        self.process = self.run(NGINX, "-p", self.folder, "-c", conf,
                                "-e", os.path.join(self.folder, "log"))
        wait_for("nginx", lambda: get(self.port, "/who") == 302)
