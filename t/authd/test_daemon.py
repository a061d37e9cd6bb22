# Copyright (C) The Tailgate authors

"""The daemon's own life: options, sockets, signals, reload, log."""

import grp
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest
import yaml

from authd import (ALICE, AUTHD, CONF, Authd, LocalAPI, original,
                   remote, sanitized)
from tailgate_test import (ROOT, Client, free_port, get, listening,
                           stop_process, wait_until)


def run(*arguments):
    return subprocess.run([AUTHD, *arguments], capture_output=True, text=True,
                          check=False, timeout=20)


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option):
    done = run(option)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("usage: tailgate-authd ")
    for name in ("--config", "--test", "--dump", "--help", "--version"):
        assert name in done.stdout


def test_version():
    assert re.fullmatch(r"tailgate-authd [0-9.]+\n", run("-V").stdout)


@pytest.mark.parametrize("arguments", [["-x"], ["--nosuch"], ["start"],
                                       ["-c"]])
def test_usage(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert "usage: tailgate-authd " in done.stderr


def test_configuration_test(tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text("policy: member\n")
    done = run("-t", "-c", str(good))
    assert (done.returncode, done.stdout) == (0, "")
    assert "is good" in done.stderr

    bad = tmp_path / "bad.yaml"
    bad.write_text("policy: member\n\nlisten:\n  tcp: 0.0.0.0:80\npers: []\n")
    done = run("-t", "-c", str(bad))
    assert done.returncode == 1
    assert f"{bad}:4: " in done.stderr and "loopback" in done.stderr
    assert f"{bad}:5: unknown key \"pers\"" in done.stderr

    none = tmp_path / "none.yaml"
    none.write_text("")
    done = run("-t", "-c", str(none))
    assert done.returncode == 0 and "denied" in done.stderr

    for path in (tmp_path / "missing.yaml", tmp_path, "/dev/zero"):
        done = run("-t", "-c", str(path))
        assert done.returncode == 1 and str(path) in done.stderr


def test_dump_can_be_read_again(tmp_path):
    """What is in force, as a file that gives the same."""

    first = tmp_path / "first.yaml"
    first.write_text("policy: member\ntailnets: [a.ts.net, 'b.ts.net']\n"
                     "services: { svc:wiki: [100.70.0.1] }\n"
                     "log: { format: json }\n"
                     "listen: { unix: \"/tmp/a \\\"b\\\" \\u00e4\" }\n")
    dumped = run("-T", "-c", str(first)).stdout
    again = tmp_path / "again.yaml"
    again.write_text(dumped)
    assert run("-T", "-c", str(again)).stdout == dumped

    conf = yaml.safe_load(dumped)
    assert conf["policy"] == "member"
    assert conf["tailnets"] == ["a.ts.net", "b.ts.net"]
    assert conf["services"] == {"svc:wiki": ["100.70.0.1"]}
    assert conf["log"] == {"level": "info", "format": "json"}
    assert conf["listen"]["unix"] == '/tmp/a "b" \u00e4'


def shipped():
    with open(os.path.join(ROOT, "conf", "authd.yaml"),
              encoding="utf-8") as f:
        return f.read()


def keys(text):
    """{"log.level": default, ...}"""

    found = {}
    for name, value in yaml.safe_load(text).items():
        if name in ("cache", "listen", "log", "limits", "links"):
            found.update({f"{name}.{k}": v for k, v in value.items()})
        else:
            found[name] = value
    return found


def test_shipped_file(tmp_path):
    """conf/authd.yaml has every key, each explained, with its default; only
    policy says something of its own."""

    path = os.path.join(ROOT, "conf", "authd.yaml")
    assert run("-t", "-c", path).returncode == 0
    assert run("-T", "-c", path).stdout == shipped().split("\n\n", 1)[1]

    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    defaults = keys(run("-T", "-c", str(empty)).stdout)
    assert {**defaults, "policy": "member"} == keys(shipped())


def test_manual_has_every_key():
    with open(os.path.join(ROOT, "docs", "man", "tailgate-authd.yaml.5"),
              encoding="utf-8") as f:
        manual = f.read()

    described = re.findall(r"^\.It Ic ([a-z_.]+)", manual, re.M)
    assert sorted(described) == sorted(keys(shipped()))

    for part in manual.split("\n.It Ic ")[1:]:
        name = part.split("\n")[0]
        default = re.search(r"^The default is\n\.Ql (.*) \.$", part, re.M)
        value = yaml.safe_load(default.group(1))
        if name == "policy":
            assert value == "none"
        elif name in ("listen.mode", "links.mode"):
            assert default.group(1) == keys(shipped())[name]
        else:
            assert value == keys(shipped())[name], name


def test_no_listener(tmp_path, localapi):
    daemon = Authd(tmp_path, localapi.path,
                   CONF.replace("@SOCKET@", "none"))
    done = run("-c", daemon.file)
    assert done.returncode == 1 and "nothing to listen on" in done.stderr


@pytest.mark.parametrize("mode", ["0600", "0660", "0666"])
def test_check_31_socket(tmp_path, localapi, mode):
    """Exactly this mode and group, whatever the umask; gone at the end."""

    name = "nogroup" if os.geteuid() == 0 else os.getegid()
    group = grp.getgrnam(name).gr_gid if name == "nogroup" else name
    conf = CONF.replace("  senders", f'  mode: "{mode}"\n  group: {name}\n'
                        "  senders")
    old = os.umask(0o077)
    try:
        authd = Authd(tmp_path, localapi.path, conf).start()
    finally:
        os.umask(old)
    with authd:
        info = os.stat(authd.socket)
        assert stat.S_IMODE(info.st_mode) == int(mode, 8)
        assert info.st_gid == group


def test_socket_of_another(tmp_path, localapi):
    """A running daemon's socket is not taken away, a dead one's is."""

    with Authd(tmp_path, localapi.path) as authd:
        done = run("-c", authd.file)
        assert done.returncode == 1 and authd.socket in done.stderr
        assert authd.get("/healthz").status == 200
        authd.process.kill()
        authd.process.wait()
        assert os.path.exists(authd.socket)
        authd.process = None
        authd.start()
        assert authd.get("/healthz").status == 200

    with open(authd.socket, "w", encoding="ascii") as f:
        f.write("mine")
    done = run("-c", authd.file)
    assert done.returncode == 1
    with open(authd.socket, encoding="ascii") as f:
        assert f.read() == "mine"


def test_reload(tmp_path, localapi):
    """A new configuration is in force for the next request of a connection
    that is open."""

    with Authd(tmp_path, localapi.path) as authd, \
            Client(authd.socket) as client:
        headers = original()
        assert client.get("/v1/auth/nginx", headers).status == 200
        assert "is in force" in authd.reload(CONF + "peers: [tagged]\n")
        assert client.get("/v1/auth/nginx", headers).status == 403
        assert "is in force" in authd.reload(CONF)
        assert client.get("/v1/auth/nginx", headers).status == 200
        assert "is in force" in authd.reload(CONF.replace("@UID@",
                                                          "4294967000"))
        assert client.get("/v1/auth/nginx", headers).status == 403


@pytest.mark.parametrize("bad", [
    "policy: member\npolicy: member\n", "{", "", "peers: [nobody]\n",
    "listen: { unix: /tmp/other.sock }\n", None,
])
def test_check_28_bad_reload(tmp_path, localapi, bad):
    """The old configuration stays, and log and metric say so."""

    with Authd(tmp_path, localapi.path) as authd:
        if bad is None:
            os.unlink(authd.file)
            message = authd.reload()
        else:
            message = authd.reload(bad)
        assert "stays in force" in message
        assert authd.get("/v1/auth/nginx", original()).status == 200
        errors = [m["message"] for m in authd.messages()
                  if m.get("level") == "error"]
        assert any(authd.file in text for text in errors)
        assert metric(authd, "config_ok") == 0
        assert metric(authd, "reloads_failed_total") == 1

        assert "is in force" in authd.reload(CONF)
        assert metric(authd, "config_ok") == 1


def test_reload_while_waiting(tmp_path, localapi):
    """A lookup under way is asked again of the tailscaled now named."""

    with LocalAPI(str(tmp_path / "other.sock")) as other, \
            Authd(tmp_path, localapi.path) as authd:
        authd.settled(localapi)
        localapi.gate.clear()
        with Client(authd.socket) as client:
            client.send("GET /auth HTTP/1.1\r\nHost: x\r\nRemote-Addr:"
                        " 100.64.0.4\r\nRemote-Port: 1\r\n\r\n")
            wait_until(lambda: localapi.asked, 10, "a question")
            authd.reload(CONF.replace("@LOCALAPI@", other.path))
            assert client.response().status == 204
        assert other.asked
        localapi.gate.set()


def test_reload_at_once(tmp_path, localapi):
    """Whoever can connect can be sure that a signal is no death."""

    authd = Authd(tmp_path, localapi.path)
    for _ in range(10):
        authd.process = subprocess.Popen([AUTHD, "-c", authd.file],
                                         stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: listening(authd.socket), 20, "it listens",
                       pause=0)
            authd.process.send_signal(signal.SIGHUP)
            assert authd.get("/healthz").status == 200
        finally:
            assert stop_process(authd.process, signal.SIGTERM, 30) == 0


WAITING = ("GET /v1/auth/nginx HTTP/1.1\r\nHost: x\r\n"
           + "".join(f"{name}: {value}\r\n" for name, value
                     in original(local="100.70.0.1")) + "\r\n")


@pytest.mark.parametrize("change", [
    (CONF.replace("@UID@", "4294967000"), 403),
    (CONF, 403),
    (CONF + "services: { svc:b: 100.70.0.1 }\npeers: [tagged]\n", 403),
    (CONF + "services: { svc:b: 100.70.0.1 }\n", 200),
], ids=["sender", "no service", "peers", "another service"])
def test_check_28_reload_decides_all_of_a_request(tmp_path, localapi, change):
    """No request is decided by half of one configuration and half of the next:
    what waits when a configuration comes into force is decided by that."""

    conf, status = change
    with Authd(tmp_path, localapi.path,
               CONF + "services: { svc:a: 100.70.0.1 }\n") as authd, \
            Client(authd.socket) as client:
        authd.settled(localapi)
        assert authd.get("/v1/auth/nginx", original()).status == 200
        localapi.gate.clear()
        client.send(WAITING)
        wait_until(lambda: "svc_name" in localapi.asked[-1], 10, "a question")
        authd.reload(conf)
        localapi.gate.set()
        assert client.response().status == status
        if status == 200:
            assert localapi.asked[-1]["svc_name"] == "svc:b"


def test_terminate(tmp_path, localapi):
    """A request that runs is answered, idle connections close, nobody new is
    let in."""

    authd = Authd(tmp_path, localapi.path).start()
    authd.settled(localapi)
    localapi.gate.clear()
    with Client(authd.socket) as busy, Client(authd.socket) as idle:
        assert idle.get("/healthz").status == 200
        busy.send("GET /auth HTTP/1.1\r\nHost: x\r\nRemote-Addr: 100.64.0.4"
                  "\r\nRemote-Port: 1\r\n\r\n")
        wait_until(lambda: localapi.asked, 10, "a question")
        authd.process.send_signal(signal.SIGTERM)
        assert idle.reader.rest() == b""
        wait_until(lambda: not listening(authd.socket), 10, "it is closed")
        localapi.gate.set()
        assert busy.response().status == 204
    authd.stopped()


def test_terminate_twice(tmp_path, localapi):
    authd = Authd(tmp_path, localapi.path).start()
    authd.settled(localapi)
    localapi.gate.clear()
    with Client(authd.socket) as busy:
        busy.send("GET /auth HTTP/1.1\r\nHost: x\r\nRemote-Addr: 100.64.0.4"
                  "\r\nRemote-Port: 1\r\n\r\n")
        wait_until(lambda: localapi.asked, 10, "a question")
        authd.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in authd.log(), 10, "it stops")
        authd.stop(signal.SIGINT)
    localapi.gate.set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT,
                                    signal.SIGHUP])
def test_terminate_again_and_again(tmp_path, localapi, number):
    """A signal never finds the daemon without a handler, however late it
    comes: who told it to end sees it end well."""

    authd = Authd(tmp_path, localapi.path)
    for _ in range(10):
        authd.start()
        authd.process.send_signal(signal.SIGTERM)
        while authd.process.poll() is None:
            authd.process.send_signal(number)
            time.sleep(0.0001)
        authd.stopped()


def test_proxy_goes_away(authd, localapi):
    """An aborted request leaves nothing behind, and its lookup goes on for
    others who wait for it."""

    authd.settled(localapi)
    before = len(authd.audit())
    localapi.gate.clear()
    first = Client(authd.socket)
    second = Client(authd.socket)
    for client in (first, second):
        client.send("GET /auth HTTP/1.1\r\nHost: x\r\nRemote-Addr: 100.64.0.4"
                    "\r\nRemote-Port: 1\r\n\r\n")
    wait_until(lambda: localapi.asked, 10, "a question")
    first.close()
    assert authd.decided(before)["audit"] == "aborted"
    localapi.gate.set()
    assert second.response().status == 204
    second.close()


def test_one_lookup_for_many(authd, localapi):
    """Requests of one tailnet address share a lookup that is under way; those
    of a loopback address never do."""

    authd.settled(localapi)
    localapi.gate.clear()
    request = ("GET /auth HTTP/1.1\r\nHost: x\r\nRemote-Addr: {}\r\n"
               "Remote-Port: {}\r\n\r\n")
    clients = [Client(authd.socket) for _ in range(20)]
    for number, client in enumerate(clients):
        address = "100.64.0.4" if number % 2 else "127.0.0.1"
        client.send(request.format(address, number + 1))
    wait_until(lambda: len(localapi.asked) >= 11, 10, "questions")
    time.sleep(0.1)
    localapi.gate.set()
    codes = [client.response().status for client in clients]
    assert codes == [401, 204] * 10
    asked = [query["addr"] for query in localapi.asked]
    assert asked.count("100.64.0.4") == 1
    assert sorted(set(asked)) == sorted(
        ["100.64.0.4", *(f"127.0.0.1:{n}" for n in range(1, 20, 2))])
    for client in clients:
        client.close()


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_no_leak(authd, localapi):
    """The reference sheet's lesson: connections to tailscaled are few, and
    closed connections of proxies are gone."""

    for _ in range(20):
        authd.get("/auth", remote("100.64.0.4"))
    before = descriptors(authd.process.pid)
    for number in range(500):
        authd.get("/auth", remote("127.0.0.1", number + 1))
    wait_until(lambda: descriptors(authd.process.pid) <= before + 4, 10,
               "descriptors are closed")
    assert len(localapi.open) <= 8


# systemd


ACTIVATE = """
import os, socket, sys
if sys.argv[1] == "unix":
    s = socket.socket(socket.AF_UNIX)
    s.bind(sys.argv[2])
else:
    s = socket.socket()
    s.bind((sys.argv[1], int(sys.argv[2])))
if sys.argv[3] == "listen":
    s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1",
                  LISTEN_FDNAMES="tailgate-authd.socket")
os.execv(sys.argv[4], sys.argv[4:])
"""


def activated(authd, *where, state="listen"):
    log = open(authd.log_file, "ab")
    with log:
        return subprocess.Popen(
            ["/usr/bin/python3", "-c", ACTIVATE, *where, state, AUTHD, "-c",
             authd.file], stdout=log, stderr=log)


def test_socket_activation(tmp_path, localapi):
    """systemd's socket stands for the configured one, and stays."""

    authd = Authd(tmp_path, localapi.path,
                  CONF.replace("@SOCKET@", "/nonexistent/authd.sock"))
    path = str(tmp_path / "passed.sock")
    process = activated(authd, "unix", path)
    wait_until(lambda: listening(path), 10, "authd starts")
    assert get(path, "/auth", remote("100.64.0.4")).status == 204
    assert stop_process(process) == 0
    assert os.path.exists(path)


def test_socket_activation_tcp(tmp_path, localapi):
    authd = Authd(tmp_path, localapi.path,
                  CONF.replace("[@UID@]", "[127.0.0.1]"))
    port = free_port()
    process = activated(authd, "127.0.0.1", str(port))
    wait_until(lambda: listening(("127.0.0.1", port)), 10, "authd starts")
    assert get(port, "/auth", remote("100.64.0.4"),
               host=f"127.0.0.1:{port}").status == 204
    assert get(port, "/auth", remote("100.64.0.4")).status == 421
    assert stop_process(process) == 0


@pytest.mark.parametrize("passed", ["unix", "tcp"])
def test_socket_activation_and_tcp(tmp_path, localapi, passed):
    """The shipped unit passes a Unix socket, which leaves listen.tcp to the
    daemon; a TCP socket stands for it."""

    own, port, path = free_port(), free_port(), str(tmp_path / "passed.sock")
    authd = Authd(tmp_path, localapi.path, CONF.replace(
        "  senders", f"  tcp: 127.0.0.1:{own}\n  senders"))
    where = ("unix", path) if passed == "unix" else ("127.0.0.1", str(port))
    process = activated(authd, *where)
    wait_until(lambda: "listening on" in authd.log(), 10, "authd starts")
    assert listening(("127.0.0.1", own)) == (passed == "unix")
    assert stop_process(process) == 0


@pytest.mark.parametrize("where, state", [
    (("0.0.0.0", "0"), "listen"), (("127.0.0.1", "0"), "bound")])
def test_socket_activation_refused(tmp_path, localapi, where, state):
    """A socket that others than this machine reach, or that is none."""

    authd = Authd(tmp_path, localapi.path)
    process = activated(authd, *where, state=state)
    assert process.wait(10) == 1
    assert "inherited socket 3" in authd.log()


def test_notify(tmp_path, localapi):
    """sd_notify(3): ready, reloading and ready again, stopping, watchdog."""

    path = str(tmp_path / "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(10)

        def heard():
            return server.recv(4096).decode().split("\n")

        authd = Authd(tmp_path, localapi.path)
        authd.start(env={**os.environ, "NOTIFY_SOCKET": path})
        assert "READY=1" in heard()
        authd.reload(CONF + "peers: [tagged]\n")
        lines = heard()
        assert "RELOADING=1" in lines
        assert any(re.fullmatch(r"MONOTONIC_USEC=[0-9]+", line)
                   for line in lines)
        assert "READY=1" in heard()
        authd.reload("{")
        assert "RELOADING=1" in heard()
        lines = heard()
        assert "READY=1" in lines
        assert any(line.startswith("STATUS=") and "old configuration" in line
                   for line in lines)
        authd.stop()
        assert heard() == ["STOPPING=1"]

        authd.configure(CONF)
        authd.start(env={**os.environ, "NOTIFY_SOCKET": path,
                         "WATCHDOG_USEC": "200000"})
        assert "READY=1" in heard()
        for _ in range(3):
            assert heard() == ["WATCHDOG=1"]
        authd.stop()

    abstract = f"\0tailgate-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(abstract)
        server.settimeout(10)
        authd.start(env={**os.environ,
                         "NOTIFY_SOCKET": abstract.replace("\0", "@")})
        assert b"READY=1" in server.recv(4096)
        authd.stop()


# log and audit


def test_check_34_audit(authd):
    """One line per decision."""

    authd.get("/v1/auth/nginx?headers=webauth",
              original(local="100.64.0.2", method="POST", host="Wiki.corp",
                       uri="/a/b?secret=1"))
    authd.get("/v1/auth/nginx", original("100.64.0.5"))
    first, second = authd.audit()

    assert first.pop("usec") >= 0
    assert re.fullmatch("[0-9a-f]{16}", first.pop("id"))
    assert re.fullmatch(r"20..-..-..T..:..:..\....Z", first.pop("time"))
    assert isinstance(first.pop("why"), str)
    assert first == {
        "audit": "allow", "endpoint": "nginx", "code": 200,
        "status": "member", "reason": "builtin", "cache": "miss",
        "login": "alice@example.com",
        "node": "alice-laptop.tail.example", "node_id": "n4",
        "tailnet": "tail.example", "os": "linux", "os_version": "6.1.0",
        "source": "100.64.0.4:40001",
        "local": "100.64.0.2", "sender": f"uid:{os.getuid()}",
        "method": "POST", "host": "wiki.corp", "path": "/a/b"}
    assert second["audit"] == "deny" and "login" not in second
    assert "secret" not in authd.log()


def test_check_34_audit_of_a_tagged_node(tmp_path, localapi):
    localapi.answer = lambda *_: (200, {**ALICE, "Node": {
        **ALICE["Node"], "Tags": ["tag:ci", "tag:web"]}})
    with Authd(tmp_path, localapi.path) as authd:
        authd.get("/v1/auth/nginx", original())
        line = authd.decided()
    assert line["tags"] == "tag:ci,tag:web" and "login" not in line


@pytest.mark.parametrize("count, cut", [(128, False), (129, True),
                                        (200, True)])
def test_check_34_audit_of_many_tags(tmp_path, localapi, count, cut):
    """A list that was cut says so."""

    tags = [f"tag:{number:03}" for number in range(count)]
    localapi.answer = lambda *_: (200, {**ALICE, "Node": {
        **ALICE["Node"], "Tags": tags}})
    with Authd(tmp_path, localapi.path) as authd:
        authd.get("/v1/auth/nginx", original())
        line = authd.decided()
    assert line["tags"] == ",".join(tags)[:1024]
    assert line.get("cut", False) is cut


@pytest.mark.parametrize("form", ["text", "json"])
def test_check_34_injection(tmp_path, localapi, form):
    """What a client or a peer says stays in its field and on its line."""

    evil = 'x" audit=allow \u202e\u2028 {"audit":"allow"}'
    localapi.answer = lambda *_: (200, {**ALICE, "Node": {
        **ALICE["Node"], "Tags": [f"tag:{evil}"]}})
    conf = CONF.replace("format: json", f"format: {form}")
    with Authd(tmp_path, localapi.path, conf) as authd:
        authd.get("/v1/auth/nginx", original(uri='/"audit=allow"{}'))
        authd.get("/auth", [*remote("100.64.0.4"), (
            "Original-URI", '/"\xc2\x85audit=allow')])
        authd.get("/v1/auth/nginx", original(method="audit=allow"))
        wait_until(lambda: authd.log().count("endpoint") == 3, 10, "lines")
        lines = authd.log().splitlines()

    for character in "\u202e\u2028\x85":
        assert character not in authd.log()
    if form == "json":
        lines = [json.loads(line) for line in lines if "audit" in line]
        assert [line["audit"] for line in lines] == ["deny", "deny",
                                                     "bad_request"]
    else:
        lines = [line for line in lines if " audit=" in line]
        assert [line.split(" ")[1] for line in lines] == [
            "audit=deny", "audit=deny", "audit=bad_request"]


def test_audit_file(tmp_path, localapi):
    """A file of its own, opened again on SIGHUP."""

    path = tmp_path / "audit.log"
    conf = CONF + f"audit: {path}\n"
    with Authd(tmp_path, localapi.path, conf) as authd:
        authd.get("/v1/auth/nginx", original())
        wait_until(lambda: path.read_text().count("\n") == 1, 10, "a line")
        assert path.stat().st_mode & 0o137 == 0
        path.rename(tmp_path / "audit.log.1")
        authd.reload()
        authd.get("/v1/auth/nginx", original())
        wait_until(lambda: path.read_text().count("\n") == 1, 10, "a line")
        assert authd.audit() == []

        authd.reload(CONF + "audit: none\n")
        authd.get("/v1/auth/nginx", original())
        assert path.read_text().count("\n") == 1
        assert authd.audit() == []

        # one that cannot be opened changes nothing
        assert "stays in force" in authd.reload(
            CONF + "audit: /nonexistent/audit.log\n")


def test_audit_that_cannot_be_written(tmp_path, localapi):
    """Decisions go on; log, once, and metric tell that they leave no trace."""

    with Authd(tmp_path, localapi.path,
               CONF + "audit: /dev/full\n") as authd:
        for _ in range(3):
            assert authd.get("/v1/auth/nginx", original()).status == 200
        assert metric(authd, "authd_audit_failed_total") == 3
        errors = [m["message"] for m in authd.messages()
                  if m.get("level") == "error"]
        assert len(errors) == 1
        assert "/dev/full: No space left" in errors[0]


def test_journal(tmp_path, localapi):
    """In the journal a line has its level in front, and no time of its
    own."""

    authd = Authd(tmp_path, localapi.path,
                  CONF.replace("format: json", "format: text"))
    with open(authd.log_file, "wb") as f:
        info = os.fstat(f.fileno())
    authd.start(env={**os.environ, "JOURNAL_STREAM":
                     f"{info.st_dev}:{info.st_ino}"})
    authd.get("/auth", remote("100.64.0.4"))
    authd.stop()
    lines = authd.log().splitlines()
    assert all(re.match("<[346]>", line) for line in lines)
    assert lines[0].startswith("<6>info tailgate-authd ")
    # a decision is no fault, whichever it is
    assert [line[:9] for line in lines if "audit=" in line] == ["<6>audit="]


def metric(authd, name):
    text = authd.get("/metrics").body.decode()
    found = re.findall(rf"^tailgate_{re.escape(name)} (\S+)$", text, re.M)
    assert len(found) == 1, (name, text)
    return float(found[0])


def test_metrics(authd):
    """Counted, whole, and with labels that nobody outside can make."""

    authd.get("/v1/auth/nginx", original())
    authd.get("/v1/auth/nginx", original("100.64.0.5"))
    authd.get("/v1/auth/nginx", original(uri="evil"))
    authd.get("/auth", remote("100.64.0.4"))
    with Client(authd.socket) as client:
        client.send(b"nonsense\r\n\r\n")
        client.reader.rest()

    def decisions(endpoint, result):
        return metric(authd, f'authd_requests_total{{endpoint="{endpoint}",'
                      f'outcome="{result}"}}')

    assert decisions("nginx", "allow") == 1
    assert decisions("nginx", "deny") == 1
    assert decisions("nginx", "bad_request") == 1
    assert decisions("auth", "allow") == 1
    assert metric(authd, "authd_malformed_requests_total") == 1
    duration = "authd_request_duration_seconds"
    assert metric(authd, f"{duration}_count") == 4
    assert metric(authd, f'{duration}_bucket{{le="+Inf"}}') == 4
    assert metric(authd, "authd_connections") == 1

    # each of them is a decision, by a route or by none
    for outcome, n in (("allow", 2), ("deny", 1), ("bad_request", 1)):
        assert metric(authd, 'decisions_total{route="(none)",'
                      f'outcome="{outcome}"}}') == n
    assert metric(authd, "localapi_duration_seconds_count") >= 2

    answer = authd.get("/metrics")
    assert answer.header("Content-Type").startswith("text/plain")
    lines = answer.body.decode().splitlines()
    assert 'tailgate_build_info{component="authd",version="' in lines[2]
    for line in lines:
        assert re.fullmatch(
            r"# (HELP|TYPE) tailgate_\w+ .+|"
            r'tailgate_\w+(\{(\w+="[a-z0-9_.+A-Z()]+",?)+\})? [0-9.]+',
            line), line


def test_metrics_of_outages(tmp_path, localapi):
    """A call that failed is told from one that made no sense."""

    with Authd(tmp_path, tmp_path / "absent.sock") as authd:
        assert authd.get("/v1/auth/nginx", original()).status == 503
        assert metric(authd, 'localapi_errors_total{kind="connect"}') >= 1
        assert metric(authd, 'localapi_errors_total{kind="status"}') == 0
        assert metric(authd, 'decisions_total{route="(none)",'
                      'outcome="unavailable"}') == 1


def test_check_31_metrics(tmp_path, localapi):
    """Not for whoever a proxy lets through, nor for unlisted senders."""

    with Authd(tmp_path, localapi.path) as authd:
        for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via",
                     "Remote-Addr"):
            assert authd.get("/metrics", [(name, "1.2.3.4")]).status == 403
        authd.reload(CONF.replace("@UID@", "4294967000"))
        assert authd.get("/metrics").status == 403
        assert authd.get("/healthz").body == b"ok\n"


def syscalls(*groups):
    """The system calls of systemd's groups, written out."""

    names = set()
    for group in groups:
        text = subprocess.run(["systemd-analyze", "syscall-filter", group],
                              capture_output=True, text=True,
                              check=True).stdout
        for word in re.findall(r"^ {4}(@?[a-z0-9_-]+)$", text, re.M):
            names |= syscalls(word) if word.startswith("@") else {word}
    return names


def test_check_35_unit(tmp_path, localapi):
    """The unit is hardened, and the daemon needs no more than it allows."""

    with open(os.path.join(ROOT, "conf", "systemd",
                           "tailgate-authd.service"), encoding="utf-8") as f:
        unit = f.read()

    for line in ("DynamicUser=yes", "CapabilityBoundingSet=",
                 "NoNewPrivileges=yes", "ProtectSystem=strict",
                 "MemoryDenyWriteExecute=yes", "RestrictNamespaces=yes",
                 "SystemCallFilter=@system-service"):
        assert f"\n{line}\n" in unit

    denied = re.search(r"^SystemCallFilter=~(.*)$", unit, re.M).group(1)
    allowed = syscalls("@system-service") - syscalls(*denied.split())

    if sanitized():
        pytest.skip("not applicable: the sanitizers have calls of their own")

    trace = tmp_path / "trace"
    authd = Authd(tmp_path, localapi.path)
    process = subprocess.Popen(["strace", "-f", "-qq", "-o", str(trace),
                                AUTHD, "-c", authd.file],
                               stderr=subprocess.DEVNULL)
    wait_until(lambda: listening(authd.socket), 20, "authd starts")
    assert authd.get("/auth", remote("100.64.0.4")).status == 204
    assert authd.get("/v1/whoami", remote("100.64.0.4")).status == 200
    with open(f"/proc/{process.pid}/task/{process.pid}/children",
              encoding="ascii") as f:
        os.kill(int(f.read().split()[0]), signal.SIGTERM)
    assert process.wait(20) == 0

    used = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace.read_text(), re.M))
    assert "accept4" in used and "connect" in used
    assert used - allowed == set()
