# Copyright (C) The Tailgate authors

"""tailgate_status_page: what is counted, and who is told."""

import json
import os
import re
import signal
import subprocess

import pytest

from localapi_test import RUNNING, LocalAPI, http, person
from network_test import own_network
from tailgate_test import (Client, ConfigError, Nginx, free_port, get,
                           installed, wait_until)

SELF, ALICE, BOB, NOBODY = ("100.64.0.1", "100.64.0.4", "100.64.0.5",
                            "100.64.0.99")
OWN = own_network(SELF, ALICE, BOB, NOBODY)

CONF = """
tailgate_localapi unix:@LOCALAPI@;
tailgate_cache @CACHE@;
@HTTP@
server {
    listen 100.64.0.1:@PORT@ reuseport;
    tailgate on;
    location / { empty_gif; }
    location /bob { tailgate_allow user=bob@example.com; empty_gif; }
    location /page {
        tailgate_allow user=alice@example.com;
        tailgate_status_page;
    }
}
server {
    listen unix:@DIR@/status.sock;
    location /page { tailgate_status_page; }
}
"""

STATUS = http(body={**RUNNING, "TailscaleIPs": [SELF], "Self": {
    "ID": "n2", "DNSName": "web1.tail.example.", "TailscaleIPs": [SELF]}})


def answer(query):
    people = {ALICE: "alice@example.com", BOB: "bob@example.com"}
    address = query["addr"].rsplit(":", 1)[0]
    if query["addr"] in people:
        address = query["addr"]
    if address == SELF:
        return http(body=person("web@example.com", address=SELF))
    if address not in people:
        return http(404, "no match for IP:port\n")
    return http(body=person(people[address], address=address))


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    started = []

    def site(workers=1, cache="zone=test:1m ttl=1h", **values):
        api = LocalAPI(str(tmp_path / "api.sock"), answer, STATUS)
        started.append(api)
        values["HTTP"] = re.sub("@([A-Z]+)@",
                                lambda m: str(values.get(m[1], m[0])),
                                values.get("HTTP", ""))
        nginx = Nginx(tmp_path, CONF, workers=workers, CACHE=cache,
                      LOCALAPI=str(tmp_path / "api.sock"),
                      **{"allow": r"exited on signal 9", **values})
        started.append(nginx)
        nginx.__enter__()
        return api, nginx

    yield site

    while started:
        started.pop().__exit__(None, None, None)


def ask(nginx, path="/", source=ALICE, host="localhost"):
    return get((SELF, nginx.port), path, source=source, host=host)


def page(nginx, form="json", headers=(), path="/page"):
    target = path + (f"?format={form}" if form else "")
    return get(nginx.path("status.sock"), target, headers)


def shown(nginx):
    found = page(nginx)
    assert found.status == 200, found
    return json.loads(found.body)


def route(seen, name="(none)"):
    return next(row for row in seen["decisions"] if row["route"] == name)


def metrics(nginx):
    """All values of the text, by name and labels as they are written."""

    lines = page(nginx, "prometheus").body.decode().splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


@OWN
def test_counters(site):
    """Exact, over several workers, and the same in each form."""

    api, nginx = site(workers=3)
    for _ in range(30):
        assert ask(nginx).status == 200
    for _ in range(7):
        assert ask(nginx, "/bob").status == 403
    for _ in range(5):
        assert ask(nginx, source=NOBODY).status == 403

    # the own state is asked for behind the requests' back
    seen = wait_until(lambda: (found := shown(nginx))["localapi"]["calls"]
                      == api.count() + api.count("status") and found, 10,
                      "the end of all calls")
    counters = seen["counters"]
    assert route(seen)["allow"] == 30 and route(seen)["deny"] == 12
    assert route(seen)["unavailable"] == route(seen)["optional"] == 0
    assert counters["hits"] + counters["misses"] == 42
    assert counters["lookups"] == api.count() >= 2
    assert 0 <= counters["negative"] <= 4
    assert seen["workers"] == 3 and seen["component"] == "nginx"
    assert seen["cache"]["kept"] is True
    assert seen["cache"]["entries"] == 2
    assert 0 < seen["cache"]["bytes"] < seen["cache"]["capacity"]

    found = metrics(nginx)
    assert found['tailgate_decisions_total{route="(none)",outcome="allow"}'] \
        == 30
    assert found["tailgate_cache_hits_total"] == counters["hits"]
    assert found["tailgate_lookups_total"] == counters["lookups"]
    assert found["tailgate_localapi_duration_seconds_count"] \
        >= seen["localapi"]["calls"]

    text = page(nginx, "html").body.decode()
    assert f"<dt>Hits</dt><dd>{counters['hits']}</dd>" in text
    assert "<td>(none)</td><td class=\"n\">30</td><td class=\"n\">12</td>" \
        in text


@OWN
def test_without_a_cache(site):
    api, nginx = site(cache="off")
    for _ in range(10):
        assert ask(nginx).status == 200
    seen = shown(nginx)
    assert seen["counters"]["hits"] == 0
    assert seen["counters"]["misses"] == seen["counters"]["lookups"] == 10
    assert api.count() == 10
    assert seen["cache"] == {"kept": False}
    assert route(seen)["allow"] == 10
    assert metrics(nginx)['tailgate_bus_state{state="none"}'] == 1


@OWN
def test_negative_and_stale(site):
    """Nobody twice is one hit; what is served past its end is told."""

    api, nginx = site(cache="zone=test:1m negative=1h stale=1h ttl=1s")
    for _ in range(3):
        assert ask(nginx, source=NOBODY).status == 403
    seen = shown(nginx)["counters"]
    assert seen["negative"] == seen["hits"] == 2
    assert seen["stale"] == 0

    assert ask(nginx).status == 200
    api.whois = http(500, "broken\n")

    def stale():
        assert ask(nginx).status == 200
        return shown(nginx)["counters"]["stale"]

    wait_until(stale, 20, "a stale answer")
    seen = shown(nginx)
    assert seen["counters"]["evicted_ttl"] >= 1
    assert seen["localapi"]["errors"]["status"] >= 1


@OWN
def test_ends_of_workers(site, tmp_path):
    """What was counted stays: behind a reload, and a worker that is killed."""

    _, nginx = site(workers=2)
    for _ in range(20):
        assert ask(nginx).status == 200
    first = shown(nginx)
    assert first["config"]["reloads"] == 0 and first["config"]["ok"] is True

    nginx.reload()
    for _ in range(20):
        assert ask(nginx).status == 200
    seen = shown(nginx)
    assert route(seen)["allow"] == 40
    assert seen["config"]["reloads"] == 1
    assert seen["counters"]["misses"] + seen["counters"]["hits"] == 40

    wait_until(lambda: len(nginx.workers()) == 2, 20, "the old workers' end")
    old = nginx.workers()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(nginx.workers()) == 2
               and not set(old) & set(nginx.workers()), 20, "new workers")
    for _ in range(20):
        assert ask(nginx).status == 200
    seen = shown(nginx)
    assert route(seen)["allow"] == 60
    assert seen["counters"]["misses"] + seen["counters"]["hits"] == 60
    assert seen["workers"] == 2


@OWN
def test_reload_that_is_refused(site):
    _, nginx = site()
    os.kill(nginx.master(), signal.SIGHUP)
    wait_until(lambda: shown(nginx)["config"]["reloads"] == 1, 20, "a reload")

    nginx.configure(CONF, HTTP="tailgate_policy @DIR@/absent.yaml;")
    nginx.allow = re.compile(r"\[emerg\]|exited on signal 9")
    for failed in (1, 2):
        os.kill(nginx.master(), signal.SIGHUP)
        wait_until(lambda n=failed: shown(nginx)["config"]["reloads_failed"]
                   == n, 20, "a refusal")
    assert shown(nginx)["config"]["ok"] is False
    assert metrics(nginx)["tailgate_config_ok"] == 0
    assert b"Last reload</dt><dd class=\"bad\">refused" \
        in page(nginx, "html").body

    nginx.reload(CONF)
    wait_until(lambda: shown(nginx)["config"]["ok"], 20, "a good reload")
    seen = shown(nginx)["config"]
    assert seen["reloads"] == 2 and seen["reloads_failed"] == 2


def routes(*names):
    return "version: 1\nroutes:\n" + "".join(
        f"  - {{ name: {name}, hosts: [{name}.corp],"
        " allow: [{ user: alice@example.com }] }\n" for name in names)


@OWN
def test_routes(site, policy):
    """A hundred by name, the others in one; a name keeps its count."""

    many = [f"r{n}" for n in range(150)]
    path = policy(routes("wiki", *many, "x" * 60))
    _, nginx = site(HTTP=f"tailgate_policy {path};")
    for host, n in (("wiki.corp", 4), ("r3.corp", 2), ("r120.corp", 3),
                    ("nowhere", 1)):
        for _ in range(n):
            ask(nginx, host=host)
    seen = shown(nginx)
    assert route(seen, "wiki")["allow"] == 4
    assert route(seen, "r3")["allow"] == 2
    assert route(seen, "(other)")["allow"] == 3
    assert route(seen)["deny"] == 1
    assert len(seen["decisions"]) == 102
    assert seen["policies"][0]["file"] == str(path)
    digest = seen["policies"][0]["digest"]
    assert seen["digest"] == digest and re.fullmatch("[0-9a-f]{64}", digest)
    assert metrics(nginx)[
        f'tailgate_policy_info{{file="{path}",digest="{digest}"}}'] == 1

    # others take the place of those that are gone, and begin at nothing
    path = policy(routes("first", "wiki", *(f"n{n}" for n in range(98))))
    nginx.reload(CONF, HTTP=f"tailgate_policy {path};")
    wait_until(lambda: shown(nginx)["policies"][0]["file"] == str(path), 20,
               "the new policy")
    seen = shown(nginx)
    assert route(seen, "wiki")["allow"] == 4
    assert sum(route(seen, f"n{n}")["allow"] for n in range(98)) == 0
    assert len(seen["decisions"]) == 102
    assert "r3" not in [row["route"] for row in seen["decisions"]]


EVIL = "<script>alert(1)</script>\"'&\\"


@OWN
def test_escaping(site, tmp_path):
    """What tailscaled says, or a file is called, is never markup, nor a label
    of its own."""

    path = tmp_path / "p<b>\"\\}.yaml"
    path.write_text(routes("wiki"))
    quoted = str(path).replace("\\", "\\\\").replace('"', '\\"')
    api, nginx = site(HTTP=f'tailgate_policy "{quoted}";')
    api.status = http(body={**RUNNING, "TailscaleIPs": [SELF], "Self": {
        "ID": "n2", "DNSName": "web1.tail.example.",
        "TailscaleIPs": [SELF]}, "Health": [EVIL]})
    ask(nginx, host="wiki.corp")
    seen = shown(nginx)
    assert seen["node"]["health"] == [EVIL]
    assert seen["node"]["name"] == "web1.tail.example"
    assert seen["policies"][0]["file"] == str(path)

    text = page(nginx, "html").body.decode()
    assert "<script" not in text and "<b>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\" in text
    assert "p&lt;b&gt;&quot;\\}.yaml" in text

    info = re.search(r"^tailgate_policy_info\{.*$",
                     page(nginx, "prometheus").body.decode(), re.M).group()
    assert 'p<b>\\"\\\\}.yaml",digest="' in info
    assert info.count(" 1") == 1


def test_last_error(world):
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; empty_gif; }
    location /page { tailgate_status_page; }
}""", localapi="/nonexistent/tailscaled.sock")
    where = ("127.0.0.1", nginx.port)
    assert get(where, "/").status == 503
    seen = get(where, "/page?format=json").json()
    assert seen["localapi"]["errors"]["connect"] >= 1
    assert "tailscaled does not run" in seen["localapi"]["error"]
    assert seen["localapi"]["error_time"] > 0
    assert "node" not in seen
    assert route(seen)["unavailable"] == 1
    assert "tailscaled does not run" in get(
        where, "/page?format=html").body.decode()


@OWN
def test_form(site):
    """By the argument, else by what is accepted."""

    _, nginx = site()
    types = {"html": "text/html; charset=utf-8", "json": "application/json",
             "prometheus": "text/plain; version=0.0.4; charset=utf-8"}
    for form, kind in types.items():
        found = page(nginx, form, [("Accept", "image/png")])
        assert found.status == 200 and found.header("Content-Type") == kind
        assert found.header("Cache-Control") == "no-store"
        policy = found.header("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; ")
        assert "style-src 'sha256-" in policy
    for accept, form in (
            ("text/html,application/xhtml+xml,*/*;q=0.8", "html"),
            ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;"
             "version=0.0.4;q=0.3,*/*;q=0.1", "prometheus"),
            ("text/plain", "prometheus"), ("application/json", "json"),
            ("*/*", "html")):
        found = page(nginx, None, [("Accept", accept)])
        assert found.header("Content-Type") == types[form], accept
    assert page(nginx, None).header("Content-Type") == types["html"]

    for wrong in ("xml", "", "JSON", "%3Cscript%3E"):
        found = page(nginx, wrong) if wrong else get(
            nginx.path("status.sock"), "/page?format=")
        assert found.status == 400, wrong
        assert found.body == b'"format" is one of html, json and prometheus\n'
    found = get(nginx.path("status.sock"), "/page", method="POST")
    assert found.status == 405
    found = get(nginx.path("status.sock"), "/page", method="HEAD")
    assert found.status == 200 and found.body == b""


@OWN
def test_guard(site):
    """Unguarded, it is for this machine; else for whom the guard says."""

    port, proxy = free_port(), free_port()
    _, nginx = site(OPEN=port, PROXY=proxy, HTTP="""
server {
    listen 100.64.0.1:@OPEN@;
    listen 127.0.0.1:@OPEN@;
    location /page { tailgate_status_page; }
    location /open { tailgate_status_page open; deny 100.64.0.5; }
    location /optional { tailgate optional; tailgate_status_page; }
    location /realip {
        set_real_ip_from 100.64.0.0/10;
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Client;
        tailgate_status_page;
    }
}
server {
    listen 127.0.0.1:@PROXY@ proxy_protocol;
    location /page { tailgate_status_page; }
}
""")

    assert ask(nginx, "/page").status == 200
    assert ask(nginx, "/page", BOB).status == 403
    assert ask(nginx, "/page", NOBODY).status == 403

    def status(path, where="127.0.0.1", source=None, headers=()):
        return get((where, port), path, headers, source=source).status

    assert status("/page") == 200
    assert status("/page", SELF, ALICE) == 403
    assert "for this machine alone" in nginx.error_log()
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        assert status("/page", headers=[(name, "127.0.0.1")]) == 403
    assert status("/optional", SELF, ALICE) == 403
    assert status("/optional", SELF, NOBODY) == 403
    assert status("/open", SELF, ALICE) == 200
    assert status("/open", SELF, BOB) == 403
    client = [("X-Client", "127.0.0.1")]
    assert status("/realip") == 200
    assert status("/realip", SELF, ALICE, client) == 403
    assert status("/realip", headers=[("X-Client", "127.0.0.2")]) == 403

    with Client(("127.0.0.1", proxy)) as client:
        client.send(b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"
                    b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.response().status == 403


@pytest.mark.parametrize("conf, text", [
    ("tailgate_status_page closed;", 'invalid parameter "closed"'),
    ("tailgate_status_page; tailgate_status_page;", "is duplicate"),
])
def test_config(world, conf, text):
    with pytest.raises(ConfigError, match=re.escape(text)):
        world.nginx("server { listen 127.0.0.1:@PORT@;"
                    f" location / {{ {conf} }} }}")


@OWN
def test_promtool(site, policy):
    """What is written is what Prometheus reads, and its linter accepts."""

    path = policy(routes("wiki"))
    _, nginx = site(HTTP=f"tailgate_policy {path};")
    ask(nginx, host="wiki.corp")
    done = subprocess.run([installed("promtool"), "check", "metrics"],
                          input=page(nginx, "prometheus").body,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
