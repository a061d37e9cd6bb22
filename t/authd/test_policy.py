# Copyright (C) The Tailgate authors

"""policy: FILE. What the rules come to is t/policy's; here is what the daemon
makes of them: which request they judge, what goes into an answer, a log and a
metric, and what becomes of a file with faults."""

import json
import os
import re
import signal
import subprocess

import pytest

from authd import ALICE, AUTHD, CONF, UNKEPT, Authd, original, remote
from policy import ALL, POLICY, Policed, peer
from tailgate_test import Client, wait_until

RULES = """
version: 1
groups:
  admins: [alice@example.com]
capabilities:
  role:
    capability: example.com/cap/wiki
    field: role
    order: [viewer, editor]
routes:
  - name: wiki
    hosts: [wiki.corp]
    allow:
      - { group: admins, methods: [read] }
      - { group: admins, paths: [/api/], methods: [POST] }
    deny:
      - { paths: [/secret] }
  - name: raw
    hosts: [raw.corp]
    raw_path: allow
    allow: [{ autogroup: member }]
  - name: strict
    hosts: [strict.corp]
    method_override: refuse
    allow: [{ autogroup: member }]
  - name: service
    hosts: [service.corp]
    allow: [{ autogroup: member, via: svc:wiki }]
  - name: editors
    hosts: [editors.corp]
    allow:
      - { capability: example.com/cap/wiki, where: { role: editor } }
"""


@pytest.fixture
def authd(tmp_path, localapi):
    with Policed(tmp_path, localapi.path, RULES,
                 CONF + "services: { svc:wiki: 100.70.0.1 }\n") as daemon:
        yield daemon


def metric(daemon, name):
    text = daemon.get("/metrics").body.decode()
    found = re.search(rf"^tailgate_{re.escape(name)} (\S+)$", text, re.M)
    return float(found.group(1)) if found else None


# the request that is judged


@pytest.mark.parametrize("dialect", ALL)
def test_rules(authd, dialect):
    status, line = authd.decision(dialect, uri="/page?a=/secret")
    assert status == 200
    assert (line["audit"], line["reason"], line["route"], line["rule"]) == (
        "allow", "allowed", "wiki", "wiki.allow[0]")
    assert line["policy"] == authd.digest()[:12]

    status, line = authd.decision(dialect, uri="/secret/x?y")
    assert status == 403
    assert (line["audit"], line["reason"], line["route"], line["rule"]) == (
        "deny", "denied", "wiki", "wiki.deny[0]")

    status, line = authd.decision(dialect, address="100.64.0.5")
    assert status == 403
    assert line["reason"] == "stranger" and "rule" not in line


@pytest.mark.parametrize("dialect", ALL)
def test_check_18_no_route(authd, dialect):
    """No rule for a host is no."""

    status, line = authd.decision(dialect, host="other.corp")
    assert status == 403
    assert line["reason"] == "no-route"
    assert "route" not in line and "rule" not in line


@pytest.mark.parametrize("text", ["version: 1\n", "version: 1\nroutes: []\n"])
def test_check_18_empty_policy(tmp_path, localapi, text):
    with Policed(tmp_path, localapi.path, text) as authd:
        status, line = authd.decision()
        assert status == 403 and line["reason"] == "no-route"


@pytest.mark.parametrize("text,says", [
    (None, "policy.yaml: cannot be opened: No such file"),
    ("", "policy.yaml:1:1: P016: "),
    ("version: 1\nroutes:\n  - {allow: [{usr: a@b.c}]}\n",
     'policy.yaml:3:15: P010: "usr" is no key'),
])
def test_check_18_unreadable_policy(tmp_path, localapi, text, says):
    """The daemon does not start, and -t says why."""

    daemon = Policed(tmp_path, localapi.path)
    if text is None:
        os.unlink(daemon.policy)
    else:
        daemon.write(text)
    for arguments in (["-t"], []):
        done = subprocess.run([AUTHD, *arguments, "-c", daemon.file],
                              capture_output=True, text=True, timeout=20,
                              check=False)
        assert done.returncode == 1
        assert says in done.stderr.replace('\\"', '"'), done.stderr
    assert not os.path.exists(daemon.socket)


def test_warning(tmp_path, localapi):
    """A policy with warnings is in force, and they are in the log."""

    never = POLICY + "      - { user: bob@example.com, via: funnel }\n"
    with Policed(tmp_path, localapi.path, never) as authd:
        assert authd.ask().status == 200
        assert [m for m in authd.messages() if m.get("level") == "warn"
                and re.search(r"policy.yaml:\d+:\d+: P\d\d\d: ",
                              m["message"])]


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
@pytest.mark.parametrize("host", ["WIKI.corp", "wiki.corp.", "Wiki.Corp.:443",
                                  "wiki.corp:8443"])
def test_check_20_host(authd, dialect, host):
    assert authd.ask(dialect, host=host).status == 200
    assert authd.ask(dialect, host=host, uri="/secret").status == 403


@pytest.mark.parametrize("host", ["WIKI.corp", "wiki.corp.", "wiki.corp:80"])
def test_check_20_envoy_host(authd, host):
    assert authd.ask("envoy", host=host).status == 200
    assert authd.ask("envoy", host=host, uri="/secret").status == 403


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
def test_check_20_no_host(authd, dialect):
    """A host that is none, or is stated twice, is nobody's route."""

    for host in ("", "wiki.corp,wiki.corp", "b\xc3\xbccher.corp",
                 "wiki.corp\\x"):
        assert authd.ask(dialect, host=host).status == 400, host
    name = "X-Original-Host" if dialect == "nginx" else "X-Forwarded-Host"
    assert authd.ask(dialect, more=[(name, "wiki.corp")]).status == 400


# what nginx lets through to "location /public/", and what else is read in two
# ways
RAW = ["/public/..;/admin", "/admin%2f..%2fpublic%2f", "/admin%2F..%2Fpublic",
       "/public/..%5cadmin", "/public/%5c..%5cadmin", "/public/\\..\\admin",
       "/public/%252e%252e/admin", "/public/#/../admin", "/public/%23/x",
       "/public/./x", "/public/../x", "/public/%2e%2e/x", "/public/%2E/x",
       "/public/x;y", "/public/x%3by", "/public/x%00y", "/public/%2500",
       "/public/%253b"]


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
def test_check_21_raw_path(authd, dialect):
    """Refused with its own reason, unless the route allows it; what has NUL or
    climbs out cannot be judged at all."""

    for uri in RAW:
        status, line = authd.decision(dialect, uri=uri)
        assert status == 403, uri
        assert line["reason"] in ("raw-path", "bad-request"), uri
        assert line["reason"] == "raw-path" or "%00" in uri, uri

        status, line = authd.decision(dialect, host="raw.corp", uri=uri)
        if "%00" in uri:
            assert (status, line["reason"]) == (403, "bad-request"), uri
        else:
            assert status == 200, uri


@pytest.mark.parametrize("uri", [u for u in RAW if "\\" not in u
                                 and "#" not in u and "%00" not in u])
def test_check_21_envoy_raw_path(authd, uri):
    status, line = authd.decision("envoy", uri=uri)
    assert (status, line["reason"]) == (403, "raw-path")
    assert authd.ask("envoy", host="raw.corp", uri=uri).status == 200


def test_check_21_normalised(authd):
    """Rules see the path that nginx sees."""

    for uri in ("/%73ecret", "/secret/", "//secret", "/secret?x", "/secret%2f",
                "/a/../secret", "/./secret", "/secret/%2e%2e/secret"):
        assert authd.ask(uri=uri).status == 403, uri
    for uri in ("/secrets", "/Secret", "/a/secret", "/?/secret"):
        assert authd.ask(uri=uri).status == 200, uri


def test_check_21_query(authd):
    """No rule looks at a query, as in the module; without a policy file what
    is odd there stays a 400."""

    assert authd.ask(uri="/a?b=..%2f;%00\\%252e%").status == 200
    authd.reload(CONF)
    assert authd.ask(uri="/a?b=..%2f;%00\\%252e%").status == 400


@pytest.mark.parametrize("uri", ["", "wiki", "*", "http://wiki.corp/",
                                 "/a b", "/a\tb", "/%zz", "/%", "/../x",
                                 "/" + "a" * 9000])
def test_check_21_no_path(authd, uri):
    status, line = authd.decision(uri=uri)
    assert status in (400, 403)
    assert line["audit"] in ("bad_request", "deny")
    assert line.get("reason") in (None, "bad-request", "raw-path")


@pytest.mark.parametrize("dialect", ALL)
def test_check_22_methods(authd, dialect):
    """"read" is GET, HEAD and OPTIONS; nothing else is open because of that,
    and no header makes another method of one."""

    assert authd.ask(dialect, "HEAD").status == 200
    assert authd.ask(dialect, "OPTIONS").status == 200
    for method in ("POST", "DELETE", "PROPFIND", "TRACE", "PATCH"):
        for more in ([], [("X-HTTP-Method-Override", "GET")]):
            status, line = authd.decision(dialect, method, more=more)
            assert status == 403, method
            assert line["reason"] == "no-allow"
            assert line["method"] == method
    if dialect != "envoy":
        for method in ("get", "FROB", "Get"):
            assert authd.ask(dialect, method).status == 403
    assert authd.ask(dialect, "POST", uri="/api/x").status == 200


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method",
                                  "X-Method-Override",
                                  "X_HTTP_Method.Override"])
def test_check_22_override_refused(authd, dialect, name):
    assert authd.ask(dialect, host="strict.corp").status == 200
    status, line = authd.decision(dialect, host="strict.corp",
                                  more=[(name, "DELETE")])
    assert (status, line["reason"]) == (403, "method-override")
    # what nginx sends of a header that the client does not
    assert authd.ask(dialect, host="strict.corp",
                     more=[(name, "")]).status == 200


def test_via_service(authd):
    ask = authd.ask
    assert ask(host="service.corp", local="100.70.0.1").status == 200
    assert ask(host="service.corp", local="100.64.0.2").status == 403
    assert ask(host="service.corp").status == 403


def test_capabilities(authd, localapi):
    """Parsed once for a peer; what cannot be read is none."""

    name = "example.com/cap/wiki"
    assert authd.ask(host="editors.corp").status == 403
    for caps, status in (({name: [{"role": "editor"}]}, 200),
                         ({name: [{"role": "viewer"}]}, 403),
                         ({name: [{"role": "viewer"}, {"role": "editor"}]},
                          200),
                         ({name: ["editor", ["role", "editor"], None]}, 403)):
        localapi.answer = lambda *_, c=caps: (200, peer(c))
        localapi.tell()
        wait_until(lambda s=status: authd.ask(host="editors.corp").status == s,
                   10, caps)


# /auth


def test_auth_states_no_method(authd):
    """A location for nginx-auth passes its client's headers on: they are not
    believed."""

    client = [("X-Original-Method", "GET"), ("X-Original-Host", "wiki.corp"),
              ("X-Original-URI", "/")]
    for more in ([], [("Original-URI", "/")], client):
        for path in ("/auth", "/", "/any", "/auth?request=x",
                     "/auth?x&request=original"):
            answer = authd.get(path, [*remote("100.64.0.4"), *more],
                               host="wiki.corp")
            assert answer.status == 403, (path, more)
            assert b"/auth?request=original" in answer.body
    assert authd.get("/auth", remote("100.64.0.5")).status == 401


def test_auth_that_states_the_request(authd):
    def ask(**more):
        return authd.get("/auth?request=original", original(**more))

    answer = ask()
    assert answer.status == 204
    assert answer.header("Tailscale-Login") == "alice"
    assert ask(method="DELETE").status == 403
    assert ask(uri="/secret").status == 403
    assert ask(address="100.64.0.5").status == 401
    for name in ("X-Original-Method", "X-Original-Host", "X-Original-URI"):
        answer = authd.get("/auth?request=original",
                           [h for h in original() if h[0] != name])
        assert answer.status == 400 and name.encode() in answer.body

    authd.reload(CONF)
    assert authd.get("/auth", remote("100.64.0.4")).status == 204


def test_whoami(authd):
    """There is no request to decide about: no verdict."""

    seen = authd.get("/v1/whoami", remote("100.64.0.4")).json()
    assert seen["login"] == "alice@example.com"
    assert "verdict" not in seen and "for each request" in seen["reason"]
    seen = authd.get("/v1/whoami", remote("100.64.0.5")).json()
    assert seen["verdict"] == "deny"


# headers of routes


HEADERS = """
version: 1
routes:
  - name: wiki
    hosts: [wiki.corp]
    allow: [{ autogroup: member }]
    headers:
      X-Role:
        from: capability example.com/cap/wiki
        field: role
        order: [viewer, editor]
      X-Webauth-User: { from: user }
  - name: other
    hosts: [other.corp]
    allow: [{ autogroup: member }]
    headers:
      X-Other: { from: os }
      X-Role: { from: login }
"""


@pytest.fixture
def headers(tmp_path, localapi):
    with Policed(tmp_path, localapi.path, HEADERS) as daemon:
        yield daemon


@pytest.mark.parametrize("dialect", ALL)
def test_route_headers(headers, localapi, dialect):
    """Beside those of the profile, and before them where both have one; each
    once. What is not set is empty where the proxy would else pass on the
    client's."""

    localapi.answer = lambda *_: (200, peer({"example.com/cap/wiki": [
        {"role": "viewer"}, {"role": "root"}, {"role": "editor"}]}))
    answer = headers.ask(dialect, arguments="headers=webauth")
    assert answer.status == 200

    def sent(name):
        return [value for key, value in answer.headers
                if key.lower() == name.lower()]

    empty = [""] if dialect in ("caddy", "envoy") else []
    assert sent("X-Role") == ["editor"]
    assert sent("X-Webauth-User") == ["alice"]
    assert sent("X-Webauth-Email") == ["alice@example.com"]
    assert sent("X-Other") == empty

    names = answer.header("Tailgate-Headers")
    if dialect == "haproxy":
        assert sorted(names.split(",")) == [
            "X-Other", "X-Role", "X-Webauth-Email", "X-Webauth-Groups",
            "X-Webauth-Name", "X-Webauth-User"]
    else:
        assert names is None

    asked = len(localapi.asked)
    localapi.answer = lambda *_: (200, ALICE)
    localapi.tell()
    wait_until(lambda: headers.ask(dialect) and len(localapi.asked) > asked,
               10, "it is asked again")
    answer = headers.ask(dialect)
    assert sent("X-Role") == empty

    answer = headers.ask(dialect, host="other.corp")
    assert sent("X-Role") == ["alice@example.com"]
    assert sent("X-Other") == ["linux"]
    assert sent("X-Webauth-User") == empty


def test_route_headers_of_a_denial(headers):
    answer = headers.ask(host="nowhere.corp", arguments="headers=webauth")
    assert answer.status == 403
    assert not [name for name, _ in answer.headers
                if name.lower().startswith(("x-role", "x-web", "x-other"))]


# grants


GRANTS = """
version: 1
grants: { capability: example.com/cap/tailgate }
"""


def test_grants(tmp_path, localapi):
    """A grant that cannot be read allows nothing, is counted each time, and
    told once."""

    name = "example.com/cap/tailgate"
    with Policed(tmp_path, localapi.path, GRANTS) as authd:
        localapi.answer = lambda *_: (200, peer({name: [
            {"hosts": ["wiki.corp"], "methods": ["GET"]},
            {"host": 1}, "all"]}))
        status, line = authd.decision()
        assert (status, line["rule"]) == (200, "grants")
        assert "route" not in line
        assert authd.ask(method="POST").status == 403
        assert authd.ask(host="other.corp").status == 403
        assert metric(authd, "authd_bad_grants_total") == 6
        told = [m["message"] for m in authd.messages()
                if "of the grants" in m.get("message", "")]
        assert len(told) == 1 and "100.64.0.4" in told[0]


# reload


def status_of(daemon):
    return daemon.get("/v1/status").json()


@pytest.mark.parametrize("bad", [
    "", "version: 2\n", "{", "version: 1\nroutes:\n\t- a\n", None,
    "version: 1\nroutes:\n  - { allow: [{ usr: x }, { group: nobody }] }\n",
])
def test_check_28_bad_policy(tmp_path, localapi, bad):
    """The last good one stays, whole; log, metrics and status tell."""

    with Policed(tmp_path, localapi.path) as authd:
        digest = authd.digest()
        assert status_of(authd)["ok"] is True

        if bad is None:
            os.unlink(authd.policy)
        else:
            authd.write(bad)
        assert "stays in force" in authd.reload()

        assert authd.ask().status == 200
        assert authd.ask(host="other.corp").status == 403
        errors = [m["message"] for m in authd.messages()
                  if m.get("level") == "error"]
        told = [text for text in errors if authd.policy in text]
        # each message of one run
        assert len(told) == (2 if bad and "usr" in bad else 1), errors
        if bad and "usr" in bad:
            assert re.match(re.escape(authd.policy) + r":3:\d+: P010: ",
                            told[0])

        seen = status_of(authd)
        assert seen["ok"] is False and seen["digest"] == digest
        assert seen["error"] == told[0] and seen["error_time"] > 0
        assert metric(authd, "authd_policy_reload_errors_total") == 1
        assert metric(authd, "config_ok") == 0
        info = f'policy_info{{file="{authd.policy}",digest="{digest}"}}'
        assert metric(authd, info) == 1

        authd.write(POLICY.replace("wiki.corp", "other.corp"))
        assert "is in force" in authd.reload()
        assert authd.ask(host="other.corp").status == 200
        seen = status_of(authd)
        assert seen["ok"] is True and "error" not in seen
        assert seen["digest"] == authd.digest() != digest
        assert metric(authd, info) is None


def test_check_28_bad_configuration(tmp_path, localapi):
    """A good policy does not come into force beside a bad configuration."""

    with Policed(tmp_path, localapi.path) as authd:
        digest = authd.digest()
        authd.write(POLICY.replace("wiki.corp", "other.corp"))
        assert "stays in force" in authd.reload("polcy: none\n")
        assert authd.ask().status == 200
        assert status_of(authd)["digest"] == digest
        assert metric(authd, "authd_policy_reload_errors_total") == 0
        assert metric(authd, "reloads_failed_total") == 1


def test_check_28_whole(tmp_path, localapi):
    """What waits when a policy comes into force is decided by that alone: rule
    and digest of the line are of one file."""

    other = POLICY.replace("name: wiki", "name: second")
    with Policed(tmp_path, localapi.path, conf=UNKEPT) as authd, \
            Client(authd.socket) as client:
        assert authd.ask().status == 200
        localapi.gate.clear()
        asked = len(localapi.targets)
        lines = "".join(f"{name}: {value}\r\n" for name, value in original())
        client.send(f"GET /v1/auth/nginx HTTP/1.1\r\nHost: x\r\n{lines}\r\n")
        wait_until(lambda: len(localapi.targets) > asked, 10, "a question")
        authd.write(other)
        before = len(authd.audit())
        authd.reload()
        localapi.gate.set()
        assert client.response().status == 200
        line = authd.decided(before)
        assert line["route"] == "second"
        assert line["policy"] == authd.digest()[:12]


def test_check_28_under_load(tmp_path, localapi):
    """Two policies in turn, with requests all the time: each line is all of
    one or all of the other."""

    texts = [POLICY.replace("wiki\n", f"wiki{n}\n") for n in range(2)]
    names = {}
    with Policed(tmp_path, localapi.path, texts[0]) as authd, \
            Client(authd.socket) as client:
        for turn in range(10):
            authd.write(texts[turn % 2])
            names[authd.digest()[:12]] = f"wiki{turn % 2}"
            done = status_of(authd)["reloads"]
            authd.process.send_signal(signal.SIGHUP)
            while True:
                assert client.get("/v1/auth/nginx", original()).status == 200
                if status_of(authd)["reloads"] > done:
                    break
        for line in authd.audit():
            assert line["route"] == names[line["policy"]]
            assert line["rule"] == f"{line['route']}.allow[0]"
    assert len(names) == 2


def test_to_file_and_back(tmp_path, localapi):
    """member, a file, none."""

    with Policed(tmp_path, localapi.path) as authd:
        assert authd.ask(host="other.corp").status == 403
        authd.reload(CONF)
        assert authd.ask(host="other.corp").status == 200
        assert status_of(authd)["policy"] == "member"
        assert "digest" not in status_of(authd)
        authd.reload(CONF.replace("member", "none"))
        assert authd.ask().status == 403
        authd.reload(CONF.replace("member", "@POLICY@"))
        assert authd.ask().status == 200


# what is told


def test_status(tmp_path, localapi):
    many = POLICY + "".join(
        f"  - {{ name: r{n}, hosts: [h{n}], allow: [{{ user: a@b.c }}] }}\n"
        for n in range(1500))
    with Policed(tmp_path, localapi.path, many) as authd:
        seen = status_of(authd)
        assert seen["policy"] == authd.policy
        assert seen["digest"] == authd.digest()
        assert seen["config"] == authd.file
        assert seen["pid"] == authd.process.pid
        assert seen["nroutes"] == 1501
        assert seen["routes"][:2] == ["wiki", "r0"]
        assert len(seen["routes"]) == 1000
        assert seen["loaded"] > 1700000000

        for name in ("X-Forwarded-For", "Remote-Addr", "Via"):
            assert authd.get("/v1/status", [(name, "1.2.3.4")]).status == 403
        authd.reload(CONF.replace("@UID@", "4294967000"))
        assert authd.get("/v1/status").status == 403


def test_metrics(tmp_path, localapi):
    """By route, for a bounded number of routes; names of labels are the
    file's, and no client's."""

    many = POLICY + "".join(
        f"  - {{ name: r{n}, hosts: [h{n}], allow: [{{ user: a@b.c }}] }}\n"
        for n in range(200)) + (
            f"  - {{ name: {'x' * 60}, hosts: [x], allow: [{{user: a@b.c}}]"
            " }\n")
    with Policed(tmp_path, localapi.path, many) as authd:
        def routes(route, result):
            return metric(authd, "decisions_total"
                          f'{{route="{route}",outcome="{result}"}}')

        authd.ask()
        authd.ask()
        authd.ask(host="h3")
        authd.ask(host="h150")
        authd.ask(host="x")
        authd.ask(host="nowhere")
        assert routes("wiki", "allow") == 2 and routes("wiki", "deny") == 0
        assert routes("r3", "deny") == 1
        assert routes("(other)", "deny") == 2
        assert routes("(none)", "deny") == 1

        text = authd.get("/metrics").body.decode()
        assert text.count("decisions_total{") == 102 * 3
        assert "nowhere" not in text and "r150" not in text

        # a route that stays keeps its count, where it moves to as well
        authd.write(POLICY.replace("routes:\n", "routes:\n  - { name: first,"
                                   " hosts: [f], allow: [{user: a@b.c}] }\n"))
        authd.reload()
        assert routes("wiki", "allow") == 2
        assert routes("first", "deny") == 0
        assert routes("r3", "deny") is None


def test_check_34_audit(authd):
    """Rule, route, reason and the policy are in the line of each decision."""

    _, line = authd.decision(method="POST", uri="/api/x?secret=1")
    assert {key: line[key] for key in (
        "audit", "code", "status", "reason", "route", "rule", "policy",
        "cache", "login", "node", "method", "host", "path")} == {
            "audit": "allow", "code": 200, "status": "member",
            "reason": "allowed", "route": "wiki", "rule": "wiki.allow[1]",
            "policy": authd.digest()[:12], "cache": "miss",
            "login": "alice@example.com",
            "node": "alice-laptop.tail.example", "method": "POST",
            "host": "wiki.corp", "path": "/api/x"}
    assert "secret=1" not in authd.log()


def test_check_34_no_denial_is_left_out(authd):
    """One line each, and each is counted."""

    with Client(authd.socket) as client:
        ids = set()
        for number in range(500):
            answer = client.get("/v1/auth/nginx",
                                original(uri=f"/secret/{number}"))
            assert answer.status == 403
            ids.add(re.search(rb"request (\w+)", answer.body).group(1))
    lines = wait_until(lambda: authd.audit()[499:] and authd.audit(), 10,
                       "all lines")
    assert [line["path"] for line in lines] == [
        f"/secret/{number}" for number in range(500)]
    assert {line["id"].encode() for line in lines} == ids
    assert metric(authd, 'decisions_total{route="wiki",outcome="deny"}') \
        == 500


@pytest.mark.parametrize("form", ["text", "json"])
def test_check_34_injection(tmp_path, localapi, form):
    """What a path, a tag or a grant holds stays in its field."""

    evil = 'x" audit=allow rule=r \u202e {"audit":"allow"}'
    localapi.answer = lambda *_: (200, peer(
        {"example.com/cap/tailgate": [evil]}, Tags=[f"tag:{evil}"]))
    with Policed(tmp_path, localapi.path, GRANTS,
                 CONF.replace("format: json", f"format: {form}")) as authd:
        for uri in ('/"audit=allow"{}', "/\xc2\x85audit=allow",
                    '/x";\\"audit"'):
            authd.ask(uri=uri)
        wait_until(lambda: authd.log().count("endpoint") == 3, 10, "lines")
        lines = [line for line in authd.log().splitlines()
                 if "endpoint" in line]

    assert "\u202e" not in authd.log() and "\x85" not in authd.log()
    if form == "json":
        assert [json.loads(line)["audit"] for line in lines] == ["deny"] * 3
    else:
        assert [line.split(" ")[1] for line in lines] == ["audit=deny"] * 3


def test_dump(tmp_path, localapi):
    """What is printed can be read again."""

    daemon = Policed(tmp_path, localapi.path)
    done = subprocess.run([AUTHD, "-T", "-c", daemon.file],
                          capture_output=True, text=True, check=True)
    assert f"\npolicy: {daemon.policy}\n" in done.stdout
    again = Authd(tmp_path / "again", localapi.path, done.stdout)
    subprocess.run([AUTHD, "-t", "-c", again.file], check=True)
