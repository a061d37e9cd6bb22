# Copyright (C) The Tailgate authors

"""The contenders: nginx with and without the module, nginx-auth, Caddy,
tailgate-authd and oauth2-proxy, each as its own documentation has it."""

import base64
import hashlib
import http.client
import os
import re
import socket
import subprocess
import urllib.parse

from measure import BUILD, NGINX, ROOT, children_of
from world import listening, wait_for

# By its own name: an index is an internal redirect, and a second decision.
SMALL = "small.txt"

NGINX_CONF = """
{load}
user root;
worker_processes {workers};
daemon off;
pid {dir}/{name}.pid;
error_log {dir}/{name}.log error;
events {{ worker_connections 16384; }}

http {{
    access_log off;
    keepalive_requests 100000000;
    client_body_temp_path {dir}/{name}-body;
    proxy_temp_path {dir}/{name}-proxy;
    fastcgi_temp_path {dir}/{name}-fastcgi;
    uwsgi_temp_path {dir}/{name}-uwsgi;
    scgi_temp_path {dir}/{name}-scgi;
{http}
    server {{
        listen {listen};
{locations}
    }}
}}
"""

# An app is asked by connections that are kept.
APP = "    upstream app {{ server unix:{dir}/app.sock; keepalive 256; }}\n"
PROXY = """
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
"""

# What nginx-auth's README says, with connections that are kept.
AUTH = """
        location / {{
            auth_request /auth;
            auth_request_set $auth_user {variable};
            root {www};
        }}
        location = /auth {{
            internal;
            proxy_pass http://auth{path};
            proxy_pass_request_body off;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Host auth;
            proxy_set_header Remote-Addr $remote_addr;
            proxy_set_header Remote-Port $remote_port;
            proxy_set_header Original-URI $request_uri;
        }}
"""

GUARD = """
            tailgate on;
            tailgate_headers webauth;
            tailgate_allow user=*@example.com;
            tailgate_deny user=mallory@example.com;
"""

AUTHD_CONF = """
policy: member
localapi: {localapi}
listen:
  unix: {socket}
  mode: "0666"
audit: none
"""

CADDYFILE = """
{{
    admin off
    auto_https off
    persist_config off
}}
http://{server}:{port} {{
    forward_auth unix/{socket} {{
        uri /auth
        header_up Remote-Addr {{remote_host}}
        header_up Remote-Port {{remote_port}}
        header_up Original-URI {{uri}}
        copy_headers Tailscale-User Tailscale-Name Tailscale-Login
    }}
    root * {www}
    file_server
}}
"""


class Contender:
    """url is what wrk asks; pids are the processes that work for it, besides
    the LocalAPI's owner and the app."""

    def __init__(self, name, title, url, pids, headers=()):
        self.name = name
        self.title = title
        self.url = url
        self.pids = pids
        self.headers = list(headers)


def module_load():
    return ("load_module "
            + os.path.join(BUILD, "ngx_http_tailgate_module.so") + ";")


def start_nginx(world, name, port, locations, *, http="", module=False,
                workers=1, listen=None):
    """The pids of its workers."""

    http += APP.format(dir=world.folder)
    conf = os.path.join(world.folder, name + ".conf")
    if module:
        http += f"    tailgate_localapi unix:{world.localapi} keepalive=16;\n"
    host = f"[{world.server}]" if ":" in world.server else world.server
    with open(conf, "w", encoding="ascii") as f:
        f.write(NGINX_CONF.format(
            load=module_load() if module else "", dir=world.folder, name=name,
            http=http, listen=listen or f"{host}:{port}", workers=workers,
            locations=locations))
    master = world.spawn(name, [NGINX, "-c", conf], lambda: (
        world.is_up(port) if port else listening(listen[len("unix:"):])))
    return wait_for(f"workers of {name}", lambda: (
        len(children_of(master.pid)) == workers and children_of(master.pid)))


def start_app(world):
    """What is behind a proxied location, a process of its own."""

    path = os.path.join(world.folder, "app.sock")
    return start_nginx(world, "app", 0,
                       '        location / { return 200 "hello\\n"; }',
                       listen=f"unix:{path}")


def start_www(world):
    """A small file, SMALL, which all of them serve."""

    www = os.path.join(world.folder, "www")
    os.mkdir(www)
    world.www = www
    with open(os.path.join(www, SMALL), "w", encoding="ascii") as f:
        f.write("hello\n" * 20)
    return www


def small(world, port):
    return f"http://{world.server}:{port}/{SMALL}"


def upstream(path):
    return f"    upstream auth {{ server unix:{path}; keepalive 64; }}\n"


def ceiling(world, port):
    pids = start_nginx(world, "none", port,
                       f"        location / {{ root {world.www}; }}")
    return Contender("none", "nginx, no auth",
                     small(world, port), pids)


def module(world, port):
    pids = start_nginx(world, "module", port,
                       f"        location / {{ {GUARD} root {world.www}; }}",
                       module=True)
    return Contender("module", "nginx + the module",
                     small(world, port), pids)


def nginx_auth(world, port):
    world.usual_socket()
    folder = subprocess.run(
        [os.path.join(ROOT, "t", "tailnet", "build"), "nginx-auth"],
        stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout.strip()
    path = os.path.join(world.folder, "nginx-auth.sock")
    daemon = world.spawn("nginx-auth", [
        os.path.join(folder, "nginx-auth"), "-sockpath", path],
        lambda: listening(path))
    pids = start_nginx(world, "with-nginx-auth", port, AUTH.format(
        variable="$upstream_http_tailscale_user", path="/auth", www=world.www),
        http=upstream(path))
    contender = Contender("nginx-auth", "nginx + auth_request to nginx-auth",
                          small(world, port),
                          pids + [daemon.pid])
    contender.socket = path
    return contender


def caddy(world, port, auth):
    """auth is the contender that nginx-auth runs for."""

    program = subprocess.run(
        [os.path.join(ROOT, "t", "authd", "caddy")], check=True,
        stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()
    conf = os.path.join(world.folder, "Caddyfile")
    with open(conf, "w", encoding="ascii") as f:
        f.write(CADDYFILE.format(
            server=world.server, port=port, socket=auth.socket,
            www=world.www))
    process = world.spawn("caddy", [
        program, "run", "--adapter", "caddyfile", "--config", conf],
        lambda: world.is_up(port),
        {"HOME": str(world.folder), "XDG_DATA_HOME": str(world.folder)})
    return Contender("caddy", "Caddy + forward_auth to nginx-auth",
                     small(world, port),
                     [process.pid, auth.pids[-1]])


def floor(world, port):
    """auth_request that costs nothing: to the same nginx's return 204."""

    pids = start_nginx(
        world, "floor", port, AUTH.format(
            variable="$upstream_http_x_user", path="/", www=world.www),
        http=upstream(os.path.join(world.folder, "floor.sock")) + f"""
    server {{
        listen unix:{world.folder}/floor.sock;
        location / {{ return 204; }}
    }}
""")
    return Contender("floor", "nginx + auth_request to its own `return 204`",
                     small(world, port), pids)


def authd(world, port):
    path = os.path.join(world.folder, "authd.sock")
    conf = os.path.join(world.folder, "authd.yaml")
    with open(conf, "w", encoding="ascii") as f:
        f.write(AUTHD_CONF.format(localapi=world.localapi, socket=path))
    daemon = world.spawn("authd", [
        os.path.join(BUILD, "tailgate-authd"), "-c", conf],
        lambda: listening(path))
    pids = start_nginx(world, "with-authd", port, AUTH.format(
        variable="$upstream_http_tailscale_user", path="/auth", www=world.www),
        http=upstream(path))
    return Contender("authd", "nginx + auth_request to tailgate-authd",
                     small(world, port), pids + [daemon.pid])


def oauth2_proxy(world, port, program):
    """With a session cookie that it gave; nothing is asked of a provider."""

    path = os.path.join(world.folder, "oauth2-proxy.sock")
    passwords = os.path.join(world.folder, "htpasswd")
    digest = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    with open(passwords, "w", encoding="ascii") as f:
        f.write(f"alice:{{SHA}}{digest}\n")
    daemon = world.spawn("oauth2-proxy", [
        program, "--provider=github", "--client-id=a", "--client-secret=b",
        "--cookie-secret=0123456789abcdef0123456789abcdef",
        "--cookie-secure=false", "--email-domain=*",
        f"--htpasswd-file={passwords}", f"--http-address=unix://{path}",
        "--upstream=static://202", "--set-xauthrequest=true",
        "--request-logging=false", "--auth-logging=false",
        "--standard-logging=false"],
        lambda: listening(path))
    pids = start_nginx(world, "with-oauth2-proxy", port, AUTH.format(
        variable="$upstream_http_x_auth_request_user", path="/oauth2/auth",
        www=world.www), http=upstream(path))
    return Contender("oauth2-proxy",
                     "nginx + auth_request to oauth2-proxy, warm cookie",
                     small(world, port), pids + [daemon.pid],
                     [f"Cookie: {sign_in(path)}"])


def sign_in(path):
    """A session cookie of oauth2-proxy, by its own form."""

    connection = http.client.HTTPConnection("bench")
    connection.sock = unix(path)
    connection.request(
        "POST", "/oauth2/sign_in",
        urllib.parse.urlencode({"username": "alice", "password": "secret"}),
        {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    cookies = [value.split(";")[0] for name, value in answer.getheaders()
               if name.lower() == "set-cookie"]
    connection.close()
    found = [c for c in cookies if re.match(r"_oauth2_proxy=.", c)]
    if not found:
        raise RuntimeError(f"oauth2-proxy gave no cookie: {answer.status}")
    return found[0]


def unix(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s
