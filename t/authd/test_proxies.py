# Copyright (C) The Tailgate authors

"""Real proxies with the configurations that are shipped, in front of an app
that says what it was sent: nginx with the snippets, HAProxy with the Lua
action, Caddy with forward_auth."""

import os
import re
import subprocess

import pytest

from authd import ALICE, Authd
from tailgate_test import (ROOT, Client, Echo, Nginx, free_port, get,
                           installed, listening, stop_process, wait_until)

EXAMPLES = os.path.join(ROOT, "examples")
SNIPPETS = os.path.join(ROOT, "conf", "nginx")

HERE = "127.0.0.1"              # whom the tests come from: alice, by her port
FORGED = [
    ("X-Webauth-User", "mallory"), ("X_Webauth_User", "mallory"),
    ("X.Webauth.User", "mallory"), ("X-Webauth_User", "mallory"),
    ("x-webauth-name", "Mallory"), ("X_Webauth-Groups", "admins"),
]


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


def replaced(text, **values):
    """text with each of the values in it once or more, replaced."""

    for old, new in values.values():
        assert old in text, old
        text = text.replace(old, new)
    return text


def clean(answer):
    """That the app saw alice, and nothing else that it could take for a
    name; and check 17: the client sees none of it."""

    assert not [name for name, _ in answer.headers if re.match(
        "x-webauth|tailscale|tailgate", name, re.I)]

    seen = answer.json()["headers"]
    identity = {name: value for name, value in seen.items()
                if re.sub("[^a-z0-9]", "-", name).startswith("x-webauth")}
    assert identity.pop("x-webauth-email") == ["alice@example.com"]
    assert identity.pop("x-webauth-user") == ["alice@example.com"]
    name = identity.pop("x-webauth-name")
    assert name[0].encode("latin-1") == "Alice Ångström".encode("utf-8")
    assert len(name) == 1
    # empty is what a proxy makes of a header without a value
    assert not [value for values in identity.values() for value in values
                if value], identity


@pytest.fixture
def app():
    with Echo() as server:
        yield server


@pytest.fixture
def daemon(tmp_path, localapi):
    """Everybody on loopback is alice, as in userspace networking."""

    localapi.answer = lambda address, query: (
        (200, ALICE) if address.startswith((f"{HERE}:", "100.64.0.4"))
        else (404, "no match"))
    with Authd(tmp_path, localapi.path) as authd:
        yield authd


# nginx


def snippet(name, daemon):
    return replaced(
        read(SNIPPETS, name),
        socket=("/run/tailgate/authd.sock", daemon.socket)) \
        if name == "tailgate-auth.conf" else read(SNIPPETS, name)


# an nginx without the module
NGINX = """
@USER@
daemon off;
worker_processes @WORKERS@;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log @LEVEL@;
events {}
http {
    access_log off;
    client_body_temp_path @DIR@/tmp-body;
    proxy_temp_path @DIR@/tmp-proxy;
    fastcgi_temp_path @DIR@/tmp-fastcgi;
    uwsgi_temp_path @DIR@/tmp-uwsgi;
    scgi_temp_path @DIR@/tmp-scgi;
%s
}
"""


def nginx_conf(daemon, app, more="", local=True):
    server = snippet("tailgate-auth.conf", daemon)
    if not local:
        server = server.replace(
            "proxy_set_header Tailgate-Local-Addr $server_addr;", "").replace(
            "Remote-Port $remote_port", "Remote-Port 0")
    location = snippet("tailgate-auth-webauth.conf", daemon)
    example = read(EXAMPLES, "forward-nginx", "nginx.conf")
    return NGINX % replaced(
        example,
        listen=("listen 100.101.102.103:80;",
                f"listen 127.0.0.1:@PORT@; underscores_in_headers on;"
                f" ignore_invalid_headers off; {more}"),
        server=("include snippets/tailgate-auth.conf;", server),
        location=("include snippets/tailgate-auth-webauth.conf;", location),
        app=("http://127.0.0.1:3000", f"http://127.0.0.1:{app.port}"),
        whoami=("/run/tailgate/authd.sock", daemon.socket))


@pytest.fixture
def nginx(tmp_path, daemon, app):
    with Nginx(tmp_path, nginx_conf(daemon, app)) as server:
        yield server


def test_nginx(nginx, daemon):
    answer = get(nginx.port, "/a?b=c", host="Wiki.corp")
    assert answer.status == 200
    clean(answer)
    line = daemon.decided()
    assert (line["host"], line["path"], line["method"],
            line["local"]) == ("wiki.corp", "/a", "GET", "127.0.0.1")
    assert line["source"].startswith("127.0.0.1:")


@pytest.mark.parametrize("forged", FORGED, ids=lambda h: h[0])
def test_check_12_13_nginx_forged(tmp_path, daemon, app, forged):
    """The snippet sets what the app is to read. Other spellings pass with
    nginx's own two directives alone, which the guide says to leave."""

    conf = nginx_conf(daemon, app).replace(
        "underscores_in_headers on; ignore_invalid_headers off;", "")
    with Nginx(tmp_path, conf) as server:
        clean(get(server.port, "/", [forged]))
        clean(get(server.port, "/", [
            forged, ("Remote-Addr", "100.64.0.9"), ("Remote-Port", "1"),
            ("X-Original-URI", "/evil"), ("X-Original-URL", "http://x/"),
            ("X-Original-Method", "GET"), ("Tailgate-Local-Addr", "1.2.3.4"),
            ("X-Forwarded-For", "100.64.0.9")]))
    assert "/evil" not in daemon.log()


def test_nginx_body(nginx, app):
    """A body goes to the app, and not to the daemon."""

    answer = get(nginx.port, "/", method="POST", body="x" * 100000)
    assert answer.status == 200
    assert len(answer.json()["body"]) == 100000


def test_nginx_stranger(nginx, daemon, localapi, app):
    localapi.answer = lambda *_: (404, "no match")
    answer = get(nginx.port, "/")
    assert answer.status == 403
    assert app.requests == []
    assert daemon.decided()["audit"] == "deny"


def test_check_21_nginx_malformed_is_denied(nginx, daemon, app):
    """400 of the daemon is 500 of auth_request, and a denial of the
    snippet."""

    answer = get(nginx.port, "/a%zz")
    assert answer.status in (400, 403)
    answer = get(nginx.port, "/a\\b")
    assert answer.status == 403
    assert daemon.decided()["audit"] == "bad_request"
    assert app.requests == []


def test_check_19_nginx_outage(nginx, daemon, localapi, app):
    """503 with a page, whether tailscaled is gone or the daemon is."""

    localapi.answer = lambda *_: None
    answer = get(nginx.port, "/")
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Type") == "text/html"
    assert b"Nobody can be identified" in answer.body

    daemon.process.kill()
    daemon.process.wait()
    daemon.process = None
    answer = get(nginx.port, "/")
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert app.requests == []


def test_nginx_error_of_the_app(nginx, app):
    """The app's own 500 is the app's own."""

    app.answers["/broken"] = (500, [], "the app broke")
    answer = get(nginx.port, "/broken")
    assert (answer.status, answer.body) == (500, b"the app broke")


def test_nginx_auth_location_is_internal(nginx, app):
    assert get(nginx.port, "/tailgate-auth").status == 404


def test_check_33_nginx_whoami(nginx):
    answer = get(nginx.port, "/whoami", [
        ("Remote-Addr", "100.64.0.9"), ("X-Forwarded-For", "100.64.0.9")])
    assert answer.status == 200
    assert answer.json()["login"] == "alice@example.com"
    answer = get(nginx.port, "/whoami", [("Accept", "text/html,*/*")])
    assert b"alice@example.com" in answer.body
    # nginx passes an argument of the client's on: it names no other source
    answer = get(nginx.port, "/whoami?source=forwarded", [
        ("X-Forwarded-For", "100.64.0.9")])
    assert answer.status == 400


def test_check_03_nginx_local_address(tmp_path, daemon, app, localapi):
    """A tailnet source that realip names came to no address of the node's:
    the snippet says which line to leave out for that."""

    conf = ("set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;")
    forward = [("X-Real-IP", "100.64.0.4")]
    with Nginx(tmp_path, nginx_conf(daemon, app, conf)) as server:
        assert get(server.port, "/", forward).status == 403
        server.stop()
        server.configure(nginx_conf(daemon, app, conf, local=False))
        server.start()
        assert get(server.port, "/", forward).status == 200
        assert daemon.audit()[-1]["source"] == "100.64.0.4"


NGINX_AUTH = """
server {
    listen 127.0.0.1:@PORT@;

    location /auth {
        internal;

        proxy_pass http://unix:@SOCKET@;
        proxy_pass_request_body off;

        proxy_set_header Host $http_host;
        proxy_set_header Remote-Addr $remote_addr;
        proxy_set_header Remote-Port $remote_port;
        proxy_set_header Original-URI $request_uri;
        @MORE@
    }

    location / {
        auth_request /auth;
        auth_request_set $auth_user $upstream_http_tailscale_user;
        auth_request_set $auth_name $upstream_http_tailscale_name;
        auth_request_set $auth_tailnet $upstream_http_tailscale_tailnet;

        proxy_set_header X-Webauth-User "$auth_user";
        proxy_set_header X-Webauth-Name "$auth_name";
        proxy_set_header X-Webauth-Tailnet "$auth_tailnet";
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""


@pytest.mark.parametrize("more, status", [
    ("", 200),
    ('proxy_set_header Expected-Tailnet "tail.example";', 200),
    ('proxy_set_header Expected-Tailnet "other.example";', 403),
    # what nginx 1.29.7 and newer do by default
    ("proxy_http_version 1.1;", 200),
])
def test_configuration_for_nginx_auth(tmp_path, daemon, app, more, status):
    """The one of the original's manual, with another socket path. With a body
    and HTTP/1.1 the original hangs."""

    with Nginx(tmp_path, NGINX % NGINX_AUTH, SOCKET=daemon.socket, APP=app.port,
               MORE=more) as server, Client(server.port,
                                            timeout=5) as client:
        for body in ("", "x" * 1000):
            answer = client.request("POST", "/", body=body)
            assert answer.status == status
            if status == 200:
                assert answer.seen("X-Webauth-User") == ["alice@example.com"]
                assert answer.seen("X-Webauth-Tailnet") == ["tail.example"]


# HAProxy


@pytest.fixture
def haproxy(tmp_path, daemon, app):
    """A port that HAProxy listens on."""

    port = free_port()
    conf = replaced(
        read(EXAMPLES, "forward-haproxy", "haproxy.cfg"),
        lua=("/etc/haproxy/tailgate.lua",
             os.path.join(EXAMPLES, "forward-haproxy", "tailgate.lua")),
        bind=("100.101.102.103:80", f"127.0.0.1:{port}"),
        socket=("/run/tailgate/authd.sock", daemon.socket),
        app=("127.0.0.1:3000", f"127.0.0.1:{app.port}"))
    path = tmp_path / "haproxy.cfg"
    path.write_text(conf)
    log = tmp_path / "haproxy.log"

    with open(log, "wb") as output:
        process = subprocess.Popen(
            [installed("haproxy"), "-db", "-f", str(path)],
            stdout=output, stderr=output)
    try:
        def ready():
            assert process.poll() is None, log.read_text()
            return listening((HERE, port))

        wait_until(ready, 20, "haproxy starts")
        yield port
    finally:
        stop_process(process)
        print(log.read_text())


def test_haproxy(haproxy, daemon):
    answer = get(haproxy, "/a?b=c", host="Wiki.corp:80")
    assert answer.status == 200
    clean(answer)
    line = daemon.decided()
    assert (line["host"], line["path"], line["method"],
            line["local"]) == ("wiki.corp", "/a", "GET", "127.0.0.1")


@pytest.mark.parametrize("forged", FORGED, ids=lambda h: h[0])
def test_check_12_13_haproxy_forged(haproxy, forged):
    """Every spelling goes."""

    clean(get(haproxy, "/", [forged]))
    clean(get(haproxy, "/", [forged, forged, (
        "Remote-Addr", "100.64.0.9"), ("X-Forwarded-Uri", "/evil"),
        ("Tailgate-Headers", "X")]))


def test_haproxy_denies(haproxy, daemon, localapi, app):
    localapi.answer = lambda *_: (404, "no match")
    answer = get(haproxy, "/")
    assert answer.status == 403
    assert answer.header("Cache-Control") == "no-store"
    localapi.answer = lambda *_: (200, ALICE)
    assert get(haproxy, "/a\\b").status in (400, 403)
    assert app.requests == []


def test_check_19_haproxy_outage(haproxy, daemon, localapi, app):
    localapi.answer = lambda *_: None
    answer = get(haproxy, "/")
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"

    daemon.process.kill()
    daemon.process.wait()
    daemon.process = None
    assert get(haproxy, "/").status == 503
    assert app.requests == []


# Caddy


@pytest.fixture(scope="module")
def caddy_program():
    return subprocess.run(
        [os.path.join(ROOT, "t", "authd", "caddy")],
        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


@pytest.fixture
def caddy(tmp_path, daemon, app, caddy_program):
    """Starts a Caddy by a Caddyfile, and gives its port."""

    processes = []
    log = tmp_path / "caddy.log"

    def start(conf, options=""):
        port = free_port()
        path = tmp_path / "Caddyfile"
        path.write_text("{\n\tadmin off\n" + options + "}\n\n" + replaced(
            conf, site=("http://wiki.corp {", f"http://:{port} {{"),
            bind=("bind 100.101.102.103", f"bind {HERE}"),
            socket=("unix//run/tailgate/authd.sock",
                    f"unix/{daemon.socket}"),
            app=("127.0.0.1:3000", f"127.0.0.1:{app.port}")))
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [caddy_program, "run", "--config", str(path), "--adapter",
                 "caddyfile"], stdout=output, stderr=output,
                env={**os.environ, "HOME": str(tmp_path),
                     "XDG_DATA_HOME": str(tmp_path),
                     "XDG_CONFIG_HOME": str(tmp_path)})
        processes.append(process)

        def ready():
            assert process.poll() is None, log.read_text()
            return listening((HERE, port))

        wait_until(ready, 30, "caddy starts")
        return port

    yield start

    for process in processes:
        stop_process(process)
    print(log.read_text()[-5000:])


CADDYFILE = os.path.join(EXAMPLES, "forward-caddy", "Caddyfile")


def test_caddy(caddy, daemon):
    port = caddy(read(CADDYFILE))
    answer = get(port, "/a?b=c", host="Wiki.corp:80")
    assert answer.status == 200
    clean(answer)
    line = daemon.decided()
    assert (line["host"], line["path"], line["method"],
            line["local"]) == ("wiki.corp", "/a", "GET", "127.0.0.1")
    assert line["source"].startswith("127.0.0.1:")

    for forged in FORGED:
        clean(get(port, "/", [forged]))
        clean(get(port, "/", [
            forged, forged, ("Remote-Addr", "100.64.0.9"),
            ("Remote-Port", "1"), ("Tailgate-Local-Addr", "1.2.3.4"),
            ("X-Forwarded-For", "100.64.0.9"),
            ("X-Forwarded-Uri", "/evil"), ("X-Forwarded-Method", "PUT")]))
    assert "/evil" not in daemon.log()
    assert "PUT" not in daemon.log()


def test_caddy_denies(caddy, daemon, localapi, app):
    """An answer that is no pass goes to the client as it is."""

    port = caddy(read(CADDYFILE))
    localapi.answer = lambda *_: (404, "no match")
    answer = get(port, "/")
    assert answer.status == 403
    assert daemon.decided()["id"].encode() in answer.body

    localapi.answer = lambda *_: None
    answer = get(port, "/")
    assert answer.status == 503
    assert answer.header("Retry-After") == "5"
    assert not [n for n, _ in answer.headers if "webauth" in n.lower()]

    daemon.process.kill()
    daemon.process.wait()
    daemon.process = None
    assert get(port, "/").status in (502, 503)
    assert app.requests == []


def test_caddy_websocket(caddy, app):
    """An upgrade passes, once the daemon has let it."""

    port = caddy(read(CADDYFILE))
    with Client(port) as client:
        client.send("GET /ws HTTP/1.1\r\nHost: wiki.corp\r\nConnection:"
                    " Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        answer, _ = client.reader.head()
    assert " 101 " in answer


def test_check_02_caddy_by_forwarded_for(caddy, daemon, localapi):
    """Without a word about the source the last address of X-Forwarded-For
    counts: Caddy's own peer, whoever trusted_proxies lists. It has no port, so
    that on loopback it is nobody."""

    localapi.answer = lambda *_: (200, ALICE)
    conf = re.sub(r"&source=remote|\t+header_up .*\n", "", read(CADDYFILE))
    for trusted in ("", "\tservers {\n\t\ttrusted_proxies static"
                    " 127.0.0.0/8\n\t}\n"):
        port = caddy(conf, trusted)
        answer = get(port, "/", [("X-Forwarded-For", "100.64.0.4")])
        assert answer.status == 403, trusted
        line = daemon.audit()[-1]
        assert line["source"] == HERE and line["status"] == "stranger"
    assert localapi.asked == []


def test_check_14_caddy_missing_attribute(caddy, localapi):
    """The client's own header does not survive one that is empty, whatever
    the Caddyfile strips before."""

    profile = {**ALICE["UserProfile"], "DisplayName": ""}
    localapi.answer = lambda *_: (200, {**ALICE, "UserProfile": profile})
    conf = re.sub(r"\t+request_header .*\n", "", read(CADDYFILE))
    port = caddy(conf)
    answer = get(port, "/", [("X-Webauth-Name", "Mallory"),
                             ("X-Webauth-Groups", "admins")])
    assert answer.status == 200
    assert "Mallory" not in str(answer.json())
    assert "admins" not in str(answer.json())
