# Copyright (C) The Tailgate authors

"""/v1/auth/NAME by the documented wire form of each proxy: who passes, with
which headers, and what is refused because it could be read in two ways."""

import os

import pytest
import yaml

from authd import ALICE, CONF, OWN, Authd, forwarded, original, remote
from tailgate_test import ROOT, Client, free_port, get

FORWARDED = ["traefik", "caddy"]


def target(dialect, arguments="headers=webauth"):
    if dialect == "envoy":
        return f"/v1/auth/envoy/{arguments}/"
    return f"/v1/auth/{dialect}?{arguments}"


def statement(dialect, address="100.64.0.4", **more):
    if dialect == "nginx":
        return original(address, **more)
    if dialect == "haproxy":
        return [*remote(address), *forwarded(**more)[1:]]
    if dialect == "envoy":
        return [("X-Forwarded-For", address)]
    return forwarded(address, **more)


ALL = ["nginx", "traefik", "caddy", "envoy", "haproxy"]


@pytest.mark.parametrize("dialect", ALL)
def test_allow_and_deny(authd, dialect):
    answer = authd.get(target(dialect), statement(dialect))
    assert answer.status == 200
    assert answer.body == b""
    assert answer.header("X-Webauth-User") == "alice@example.com"
    assert answer.header("X-Webauth-Name").encode("latin-1") \
        == "Alice Ångström".encode("utf-8")
    assert answer.header("Cache-Control") == "no-store"
    assert authd.decided()["audit"] == "allow"

    answer = authd.get(target(dialect), statement(dialect, "100.64.0.5"))
    assert answer.status == 403
    line = authd.decided(1)
    assert line["audit"] == "deny" and line["status"] == "stranger"
    # a denial goes on to the client: it says why, and the id of the line
    assert line["id"].encode() in answer.body
    assert not [name for name, _ in answer.headers
                if name.lower().startswith(("x-", "tailscale"))
                and name.lower() != "x-content-type-options"]


@pytest.mark.parametrize("dialect", ALL)
def test_check_14_missing_attribute(authd, localapi, dialect):
    """What is absent is absent in nginx, Traefik and HAProxy, which set or
    delete each header themselves; Caddy and Envoy get it empty, as the
    client's copy would survive."""

    profile = {**ALICE["UserProfile"], "DisplayName": ""}
    localapi.answer = lambda *_: (200, {**ALICE, "UserProfile": profile})
    answer = authd.get(target(dialect), statement(dialect))
    assert answer.status == 200
    empty = "" if dialect in ("caddy", "envoy") else None
    assert answer.header("X-Webauth-Name") == empty
    assert answer.header("X-Webauth-Groups") == empty
    assert answer.header("X-Webauth-User") == "alice@example.com"
    names = answer.header("Tailgate-Headers")
    if dialect == "haproxy":
        assert sorted(names.split(",")) == [
            "X-Webauth-Email", "X-Webauth-Groups", "X-Webauth-Name",
            "X-Webauth-User"]
    else:
        assert names is None


@pytest.mark.parametrize("arguments, status", [
    ("", 200), ("headers=off", 200), ("headers=grafana", 200),
    ("headers=tailscale", 200), ("headers=webauth,remote-user", 200),
    ("headers=nosuch", 400), ("headers=", 400), ("header=webauth", 400),
    ("headers=webauth&headers=netbox", 400), ("headers=webauth,grafana", 400),
    ("source=none", 400), ("x", 400),
])
def test_arguments(authd, arguments, status):
    """A slip is refused: it is no silent lack of headers."""

    answer = authd.get(f"/v1/auth/nginx?{arguments}", original())
    assert answer.status == status


def test_profiles(authd):
    """Any profile, several at once, each in its encoding."""

    answer = authd.get("/v1/auth/nginx?headers=grafana,remote-user",
                       original())
    assert answer.header("X-Webauth-User") == "alice@example.com"
    assert answer.header("X-Webauth-Name") == "Alice =C3=85ngstr=C3=B6m"
    assert answer.header("Remote-User") == "alice@example.com"


def test_check_16_encoding(authd, localapi):
    """A value that would break out of its line is nobody's."""

    profile = {**ALICE["UserProfile"], "DisplayName": "Al\r\nX-Evil: 1"}
    localapi.answer = lambda *_: (200, {**ALICE, "UserProfile": profile})
    answer = authd.get("/v1/auth/nginx?headers=webauth", original())
    assert answer.status == 503
    assert b"X-Evil" not in answer.body
    assert answer.header("X-Evil") is None


def test_secret(tmp_path, localapi):
    """From its file, to listed senders, and nowhere else."""

    secret = tmp_path / "secret"
    secret.write_text("s3cret-of-pgadmin\n")
    secret.chmod(0o600)
    conf = CONF + f"secrets: {{ pgadmin: {secret} }}\n"

    with Authd(tmp_path, localapi.path, conf) as authd:
        answer = authd.get("/v1/auth/nginx?headers=pgadmin", original())
        assert answer.header("X-Pgadmin-Webserver-Secret") \
            == "s3cret-of-pgadmin"
        answer = authd.get("/v1/auth/nginx?headers=webauth", original())
        assert answer.header("X-Pgadmin-Webserver-Secret") is None
        answer = authd.get("/v1/auth/nginx?headers=pgadmin",
                           original("100.64.0.5"))
        assert answer.header("X-Pgadmin-Webserver-Secret") is None
        assert "s3cret" not in authd.log()


# what a statement may not be

BAD_HOST = ["", "a b", "a,b", "user@wiki.corp", "wiki..corp", "wiki.corp:x",
            "wiki.corp/x", "[::1", "w%69ki.corp", "b\xc3\xbc.corp"]
BAD_URI = ["", "wiki", "http://wiki.corp/", "/a b", "/a#b", "/a\\b", "/%",
           "/%0", "/%zz", "/%00", "/\xc3\xa4", "*"]
BAD_METHOD = ["", "GE T", "GET,POST", "G\xc3\x89T", "A" * 33]


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
def test_check_20_21_22_malformed_statement(authd, dialect):
    """CVE-2021-32637: what cannot be parsed is denied."""

    cases = ([{"host": host} for host in BAD_HOST]
             + [{"uri": uri} for uri in BAD_URI]
             + [{"method": method} for method in BAD_METHOD])
    with Client(authd.socket) as client:
        for case in cases:
            answer = client.get(target(dialect), statement(dialect, **case))
            assert answer.status == 400, case
            assert answer.header("X-Webauth-User") is None


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
def test_check_20_host(authd, dialect):
    """One host for the rules, however it is written."""

    for number, host in enumerate(["wiki.corp", "WIKI.Corp", "wiki.corp.",
                                   "wiki.corp:8443", "Wiki.corp.:80"]):
        answer = authd.get(target(dialect), statement(dialect, host=host))
        assert answer.status == 200
        assert authd.decided(number)["host"] == "wiki.corp"


@pytest.mark.parametrize("dialect", ["nginx", "traefik", "caddy", "haproxy"])
def test_check_15_missing_or_twice(authd, dialect):
    """Each header has to be there, once: one of two is the client's."""

    complete = statement(dialect)
    for name, value in complete:
        if name == "X-Forwarded-Proto":
            continue
        without = [h for h in complete if h[0] != name]
        assert authd.get(target(dialect), without).status == 400, name
        for copy in ((name, value), (name.lower(), value), (name, "other")):
            answer = authd.get(target(dialect), [*complete, copy])
            assert answer.status == 400, copy


@pytest.mark.parametrize("dialect", ["nginx", "haproxy"])
def test_check_02_forwarded_for_is_not_read(authd, dialect):
    """Where the proxy names the source itself, this one is the client's."""

    for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded",
                   "Tailscale-User-Login"):
        answer = authd.get(target(dialect), [
            *statement(dialect, "100.64.0.5"), (header, "100.64.0.4")])
        assert answer.status == 403


@pytest.mark.parametrize("dialect", [*FORWARDED, "envoy"])
def test_check_02_last_hop(authd, dialect):
    """tsidp#179: the client chooses the first value, the proxy appends."""

    for value, status in (("100.64.0.4, 100.64.0.5", 403),
                          ("100.64.0.5, 100.64.0.4", 200),
                          ("evil,100.64.0.4", 200),
                          ("100.64.0.4,", 400),
                          ("100.64.0.4, unknown", 400),
                          ("100.64.0.4, fe80::1%eth0", 400)):
        answer = authd.get(target(dialect), statement(dialect, value))
        assert answer.status == status, value


@pytest.mark.parametrize("dialect", [*FORWARDED, "envoy"])
def test_remote_addr_of_a_client(authd, dialect):
    """Traefik and Caddy pass the client's headers on. One that the proxy does
    not set must not become the source."""

    answer = authd.get(target(dialect), [
        *statement(dialect, "100.64.0.5"), *remote("100.64.0.4")])
    assert answer.status == 400


@pytest.mark.parametrize("dialect", [*FORWARDED, "envoy"])
def test_check_11_local_address_of_a_client(tmp_path, localapi, dialect):
    """Nor may a client's header choose the Service whose capabilities count."""

    conf = CONF + "services: { svc:wiki: 100.70.0.1 }\n"
    with Authd(tmp_path, localapi.path, conf) as authd:
        answer = authd.get(target(dialect), [
            *statement(dialect), ("Tailgate-Local-Addr", "100.70.0.1")])
        assert answer.status == 400
        assert not localapi.asked


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/v1/whoami",
                                  "/v1/whoami?source=forwarded"])
def test_nothing_else_is_an_allow(authd, path, dialect):
    """A proxy that was told the wrong path lets nobody in."""

    if dialect == "envoy":
        path = path.partition("?")[0] + "/"
    answer = authd.get(path, statement(dialect, "100.64.0.9"))
    assert answer.status in (400, 403, 404)


@pytest.mark.parametrize("dialect", FORWARDED)
def test_source_remote(authd, dialect):
    """An administrator who sets both headers can say so."""

    headers = forwarded("100.64.0.5") + remote("100.64.0.4")
    assert authd.get(target(dialect, "source=remote"),
                     headers).status == 200
    assert authd.get(target(dialect, "source=remote"),
                     forwarded("100.64.0.4")).status == 400


@pytest.mark.parametrize("dialect", [*FORWARDED, "envoy"])
def test_check_05_loopback_without_port(authd, localapi, dialect):
    """In userspace mode everybody comes from 127.0.0.1: without a port it is
    nobody, and nobody is asked."""

    localapi.answer = lambda *_: (200, ALICE)
    for address in ("127.0.0.1", "::1", "127.0.0.1:4242"):
        answer = authd.get(target(dialect), statement(dialect, address))
        assert answer.status == 403
    assert localapi.asked == []


def test_check_05_loopback_with_port(authd, localapi):
    """Two people behind one address are two."""

    people = {"127.0.0.1:1": "alice@example.com",
              "127.0.0.1:2": "bob@example.com"}

    def answer(address, query):
        if address == OWN:
            return 404, "no match"
        assert query["proto"] == "tcp"
        if address not in people:
            return 404, "no match"
        return 200, {**ALICE, "UserProfile": {
            **ALICE["UserProfile"], "LoginName": people[address]}}

    authd.settled(localapi)
    localapi.answer = answer
    for port, user in ((1, "alice@example.com"), (2, "bob@example.com"),
                       (1, "alice@example.com")):
        answer = authd.get("/v1/auth/nginx?headers=webauth", [
            *remote("127.0.0.1", port), *original()[2:]])
        assert answer.header("X-Webauth-User") == user
    assert len(localapi.asked) == 3
    answer = authd.get("/v1/auth/nginx", [*remote("127.0.0.1", 3),
                                          *original()[2:]])
    assert answer.status == 403
    assert "tailscale serve" in authd.log()


def test_check_03_local_address(authd):
    """A tailnet source counts only at the node's own address, where the proxy
    says which it came to; logged once per source."""

    for local, status in (("100.64.0.2", 200),
                          ("fd7a:115c:a1e0::2", 200),
                          ("::ffff:100.64.0.2", 200),
                          ("10.77.0.10", 403),
                          ("127.0.0.1", 403),
                          ("100.64.0.3", 403),
                          ("100.64.0.2:443", 400),
                          ("eth0", 400),
                          ("", 400)):
        answer = authd.get("/v1/auth/nginx", [
            *original(), ("Tailgate-Local-Addr", local)])
        assert answer.status == status, local

    answer = authd.get("/v1/auth/nginx", [
        *original(local="100.64.0.2"), ("Tailgate-Local-Addr", "10.0.0.1")])
    assert answer.status == 400

    warnings = [m for m in authd.messages() if m.get("level") == "warn"]
    assert len(warnings) == 1
    assert "100.64.0.4" in warnings[0]["message"]


def test_check_11_service(tmp_path, localapi):
    """The Service that was hit decides whose capabilities count."""

    conf = CONF + "services: { svc:wiki: 100.70.0.1 }\n"
    with Authd(tmp_path, localapi.path, conf) as authd:
        answer = authd.get("/v1/auth/nginx", original(local="100.70.0.1"))
        assert answer.status == 200
        assert localapi.asked[-1]["svc_name"] == "svc:wiki"
        authd.get("/v1/auth/nginx", original(local="100.64.0.2"))
        assert "svc_name" not in localapi.asked[-1]


def test_nginx_url(authd):
    """X-Original-URL, as ingress-nginx sends it, and never both forms."""

    base = [*remote("100.64.0.4"), ("X-Original-Method", "GET")]
    url = ("X-Original-URL", "https://Wiki.corp:8443/a?b")
    assert authd.get("/v1/auth/nginx", [*base, url]).status == 200
    line = authd.decided()
    assert (line["host"], line["path"]) == ("wiki.corp", "/a")

    for other in (("X-Original-URI", "/a"), ("X-Original-Host", "wiki.corp"),
                  url):
        assert authd.get("/v1/auth/nginx",
                         [*base, url, other]).status == 400

    for value in ("/a", "wiki.corp/a", "https://wiki.corp", "ftp://x/",
                  "https://a@wiki.corp/", "https:///a", ""):
        assert authd.get("/v1/auth/nginx", [
            *base, ("X-Original-URL", value)]).status == 400, value


@pytest.mark.parametrize("path, status, seen", [
    ("/v1/auth/envoy/headers=webauth/", 200, "/"),
    ("/v1/auth/envoy/headers=webauth/a/b?c=/d", 200, "/a/b"),
    ("/v1/auth/envoy/headers=off/a", 200, "/a"),
    ("/v1/auth/envoy/headers=webauth&source=forwarded/a", 200, "/a"),
    # the client's part cannot be an argument
    ("/v1/auth/envoy/headers=off/headers=webauth/a", 200,
     "/headers=webauth/a"),
    ("/v1/auth/envoy/headers=off/a?headers=webauth", 200, "/a"),
    # a path_prefix without arguments, whatever the client asks for
    ("/v1/auth/envoy/a", 400, None),
    ("/v1/auth/envoy/a/headers=webauth/b", 400, None),
    ("/v1/auth/envoy/", 400, None),
    ("/v1/auth/envoy/headers=webauth", 400, None),
    ("/v1/auth/envoy/headers=webauth?/a", 400, None),
    ("/v1/auth/envoy/headers=nosuch/a", 400, None),
    ("/v1/auth/envoy//a=b/c", 400, None),
    ("/v1/auth/envoy/headers=webauth/a\\b", 400, None),
    ("/v1/auth/envoy/headers=webauth/%zz", 400, None),
    # no Envoy would ask so
    ("/v1/auth/envoy", 404, None),
])
def test_envoy_path(authd, path, status, seen):
    answer = authd.get(path, statement("envoy"), host="Wiki.corp:80")
    assert answer.status == status
    if seen is not None:
        line = authd.decided()
        assert (line["host"], line["path"]) == ("wiki.corp", seen)
        assert (answer.header("X-Webauth-User") is not None) \
            == path.startswith("/v1/auth/envoy/headers=webauth")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS",
                                    "PROPFIND"])
def test_check_22_envoy_method(authd, method):
    """The request line has the original method, with its body or without."""

    headers = [*statement("envoy"), ("X-HTTP-Method-Override", "DELETE")]
    with Client(authd.socket) as client:
        answer = client.request(method, target("envoy"), headers)
    assert answer.status == 200
    assert authd.decided()["method"] == method


@pytest.mark.parametrize("dialect", [*ALL, "whoami", "auth"])
def test_check_31_unlisted_sender(tmp_path, localapi, dialect):
    """An empty list is nobody."""

    paths = {"whoami": "/v1/whoami", "auth": "/auth"}
    where = paths.get(dialect) or target(dialect)
    headers = (remote("100.64.0.4") if dialect in paths
               else statement(dialect))

    for senders in ("", "4294967000", "'@4294967000'", "0.0.0.0/0, '::/0'"):
        conf = CONF.replace("senders: [@UID@]", f"senders: [{senders}]")
        with Authd(tmp_path, localapi.path, conf) as authd:
            before = len(authd.audit())
            assert authd.get(where, headers).status == 403
            line = authd.decided(before)
            assert line["audit"] == "unlisted"
            assert line["sender"] == f"uid:{os.getuid()}"
    assert localapi.asked == []


def test_check_31_tcp(tmp_path, localapi):
    """Loopback, with a list of Hosts (DNS rebinding) and of senders."""

    port = free_port()
    conf = CONF.replace("  unix: @SOCKET@\n  senders: [@UID@]",
                        f"  unix: @SOCKET@\n  tcp: 127.0.0.1:{port}\n"
                        "  senders: [127.0.0.1]")
    with Authd(tmp_path, localapi.path, conf) as authd:
        where = ("127.0.0.1", port)
        path, headers = target("traefik"), forwarded()

        for host, status in ((f"127.0.0.1:{port}", 200),
                             ("127.0.0.1", 421), ("localhost", 421),
                             (f"evil.example:{port}", 421),
                             ("127.0.0.1:1", 421), ("", 421)):
            assert get(where, path, headers,
                       host=host).status == status, host
            for other in ("/auth", "/v1/whoami"):
                code = get(where, other, remote("100.64.0.4"),
                           host=host).status
                assert (code == 421) == (status == 421)
            for other in ("/healthz", "/metrics"):
                code = get(where, other, host=host).status
                assert code == status

        own = f"127.0.0.1:{port}"
        assert get(where, path, headers, host=own,
                   source="127.0.0.9").status == 403

        authd.reload(conf.replace("senders:", "hosts: [authd.corp]\n"
                                  "  senders:"))
        assert get(where, path, headers, host="Authd.corp").status == 200
        assert get(where, path, headers, host=own).status == 421


def test_example_of_envoy(authd):
    """The path_prefix and the headers of examples/forward-envoy."""

    with open(os.path.join(ROOT, "examples", "forward-envoy", "envoy.yaml"),
              encoding="utf-8") as f:
        conf = yaml.safe_load(f)

    manager = conf["static_resources"]["listeners"][0]["filter_chains"][0][
        "filters"][0]["typed_config"]
    ext_authz = manager["http_filters"][0]["typed_config"]
    assert ext_authz["failure_mode_allow"] is False
    assert [p["exact"] for p in ext_authz["allowed_headers"]["patterns"]] \
        == ["x-forwarded-for"]

    prefix = ext_authz["http_service"]["path_prefix"]
    answer = authd.get(prefix + "/a?b", statement("envoy"))
    assert answer.status == 200
    upstream = ext_authz["http_service"]["authorization_response"][
        "allowed_upstream_headers"]["patterns"][0]["prefix"]
    sent = [name for name, _ in answer.headers
            if name.lower().startswith(upstream)]
    # all of the profile: what is absent would be the client's
    assert sorted(sent) == ["X-Webauth-Email", "X-Webauth-Groups",
                            "X-Webauth-Name", "X-Webauth-User"]


def test_example_of_traefik(authd):
    """The address and the headers of examples/forward-traefik."""

    with open(os.path.join(ROOT, "examples", "forward-traefik",
                           "dynamic.yaml"), encoding="utf-8") as f:
        conf = yaml.safe_load(f)

    auth = conf["http"]["middlewares"]["tailgate"]["forwardAuth"]
    assert auth["trustForwardHeader"] is False
    path = "/" + auth["address"].split("/", 3)[3]
    answer = authd.get(path, forwarded())
    assert answer.status == 200
    managed = {"X-Webauth-User", "X-Webauth-Email", "X-Webauth-Name",
               "X-Webauth-Groups"}
    assert set(auth["authResponseHeaders"]) == managed
    assert {name for name, _ in answer.headers
            if name.startswith("X-Webauth")} <= managed
