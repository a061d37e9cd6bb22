# Copyright (C) The Tailgate authors

"""The tables of t/cases, which core's own tests read too, by real connections
to nginx: each source for real, each answer served to the module."""

import datetime
import json
import os
import re
import time

import pytest
import yaml

from localapi_test import LocalAPI, RUNNING, http, person
from network_test import add_addresses, in_thread, ip, unshare
from tailgate_test import ROOT, Client, get


def table(name):
    path = os.path.join(ROOT, "t", "cases", name)
    with open(path, encoding="utf-8") as f:
        return yaml.safe_load(f)


# Answers of the identity service

IDENTITY = table("identity.yaml")

SERVER = """
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
    location /optional {
        tailgate optional;
        tailgate_set_header X-Status $tailgate_status;
        add_header X-Status $tailgate_status;
        add_header X-Login $tailgate_login;
        add_header X-User $tailgate_user;
        add_header X-Tags $tailgate_tags;
        add_header X-Node $tailgate_node;
        proxy_pass http://127.0.0.1:@APP@;
    }
"""

RULES = """
    location /rule{n} {{
        tailgate on;
        tailgate_peers {peers};
        {tailnets}
        proxy_pass http://127.0.0.1:@APP@;
    }}
"""

VERDICT = {"allow": 200, "deny": 403, "unavailable": 503}


def set_field(document, path, value):
    *parents, last = path.split(".")
    for name in parents:
        document = document.setdefault(name, {})
    document[last] = value


def answer_of(case):
    """The bytes that the case's LocalAPI gives to WhoIs."""

    code = case.get("code", 200)
    if code == 0:
        return None
    if "hex" in case:
        body = bytes.fromhex(case["hex"].replace(" ", ""))
    elif "text" in case:
        body = case["text"].encode("utf-8")
    elif not case.get("set") and not case.get("remove"):
        body = IDENTITY["answers"][case["answer"]].encode("utf-8")
    else:
        document = json.loads(IDENTITY["answers"][case["answer"]])
        for path, text in case.get("set", {}).items():
            set_field(document, path, json.loads(text))
        for path in case.get("remove", []):
            *parents, last = path.split(".")
            place = document
            for name in parents:
                place = place[name]
            place.pop(last)
        body = json.dumps(document).encode("utf-8")
    return http(code, shifted(body))


def shifted(body):
    """The table's clock stands still, nginx's does not."""

    ahead = time.time() - IDENTITY["now"]

    def shift(match):
        text = match.group(2).decode("ascii")
        try:
            then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
            then += datetime.timedelta(seconds=ahead)
        except (ValueError, OverflowError):
            return match.group(0)
        if then.year < 1900:
            return match.group(0)
        return match.group(1) + then.isoformat("T", "seconds").replace(
            "+00:00", "Z").encode("ascii") + b'"'

    return re.sub(rb'("KeyExpiry": ?")(\d{4}-[^"]*)"', shift, body)


def is_timed(case):
    """Not those that need the clock to the second."""

    return "the next second" not in case["name"]


def rules_of(case):
    return "".join(
        RULES.format(n=n, peers=" ".join(rule.get("peers", ["member"])),
                     tailnets="tailgate_tailnet "
                     + " ".join(rule["tailnets"]) + ";"
                     if rule.get("tailnets") else "")
        for n, rule in enumerate(case.get("rules", []))
        if rule.get("peers") != [])


@pytest.mark.parametrize(
    "case", [case for case in IDENTITY["cases"] if is_timed(case)],
    ids=lambda case: f"check_{case['check']:02}-"
    + re.sub(r"\W+", "_", case["name"]))
def test_identity(world, tmp_path, case):
    text = IDENTITY["selves"].get(case.get("self", "running"))
    if text is None:
        # nginx asks about nobody before it knows who it is itself
        case = {"name": case["name"], "answer": "alice",
                "status": "unavailable", "verdict": "unavailable"}
    status = http(500, "no") if text is None else http(body=text)
    api = world.start(LocalAPI(str(tmp_path / "api.sock"),
                               whois=lambda query: answer_of(case),
                               status=status))
    nginx = world.nginx(SERVER + rules_of(case) + "}", localapi=api.path)

    answer = get(nginx.port, "/")
    assert answer.status == VERDICT[case["verdict"]]
    if answer.status == 503:
        assert answer.header("Retry-After") == "5"

    answer = get(nginx.port, "/optional")
    assert answer.status == 200
    assert answer.header("X-Status") == case["status"]
    assert answer.seen("X-Status") == \
        ([case["status"]] if case["verdict"] == "allow" else [])

    hidden = set(case.get("traits", [])) & {
        "routed", "funnel", "expired", "unauthorized", "unsigned"}
    for header, key in (("X-Login", "login"), ("X-User", "user"),
                        ("X-Tags", "tags"), ("X-Node", "node")):
        if key in case:
            value = case[key] or None
            if hidden and key in ("login", "user"):
                value = None
            if "shared" in case.get("traits", []) and key == "user":
                value = None
            got = answer.header(header)
            assert (got and got.encode("latin-1").decode()) == value

    for n, rule in enumerate(case.get("rules", [])):
        if rule.get("peers") == []:
            continue
        assert get(nginx.port, f"/rule{n}").status \
            == VERDICT[rule["verdict"]], rule


# Where a request comes from

SOURCE = table("source.yaml")

def split(text):
    """ADDRESS, "[ADDRESS]:PORT" or "ADDRESS:PORT" as (address, port)."""

    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port[1:] or 0)
    if text.count(":") == 1:
        address, port = text.split(":")
        return address, int(port)
    return text, 0


def applies(case):
    """Whether such a connection can be made to nginx: not without a local
    address, and a link-local one would need a second machine."""

    peer = case.get("peer", "none")
    return (case.get("local_rule") != "off" and "local" in case
            and "%" not in peer and "100.64.0.04" not in peer
            and case.get("forwarded") != "unix:"
            and (peer == "unix:" or (peer[:1].isdigit() or peer[:1] == "[")
                 and split(peer)[1] != 0))


def source_conf(case, socket):
    local = case["local"]
    listen = f"unix:{socket}" if local == "unix:" else local
    lines = [f"listen {listen}"
             + (" proxy_protocol" if case.get("proxy_listener") else "")
             + (" ipv6only=off" if local.startswith("[::ffff:") else "") + ";"]
    if case.get("trusted"):
        # nginx does not let everybody forward
        trusted = " ".join(case["trusted"]).replace(
            "0.0.0.0/0", "0.0.0.0/1 128.0.0.0/1").replace(
            "::/0", "::/1 8000::/1")
        lines.append(f"tailgate_trusted_proxy {trusted};")
    if case.get("interface") == "other":
        lines.append("tailgate_interface nosuch0;")
    services = "".join(f"tailgate_service {name} {address};\n"
                       for name, address in case.get("services", {}).items())
    return services + "server {" + "\n".join(lines) + """
    tailgate optional;
    set_real_ip_from 0.0.0.0/0;
    set_real_ip_from ::/0;
    set_real_ip_from unix:;
    location / {
        add_header X-Status $tailgate_status;
        add_header X-Error $tailgate_error;
        root /nonexistent;
        try_files /none =204;
    }
}"""


def proxy_line(case):
    if not case.get("proxy_listener"):
        return b""
    if "proxied" not in case:
        return b"PROXY UNKNOWN\r\n"
    address, port = split(case["proxied"])
    kind = "TCP6" if ":" in address else "TCP4"
    other = "::1" if ":" in address else "127.0.0.1"
    return f"PROXY {kind} {address} {other} {port} 80\r\n".encode("ascii")


def connect(case, socket, nginx_port):
    if case["local"] == "unix:":
        return Client(socket)
    address, port = split(case["local"])
    source = split(case["peer"])
    return Client((address, port), source=source)


@pytest.mark.parametrize(
    "case", [case for case in SOURCE["cases"] if applies(case)],
    ids=lambda case: f"check_{case['check']:02}-"
    + re.sub(r"\W+", "_", case["name"]))
def test_source(world, tmp_path, case):
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    in_thread(source_case, world, tmp_path, case)


def source_case(world, tmp_path, case):
    unshare()
    addresses = {split(case[key])[0].removeprefix("::ffff:")
                 for key in ("peer", "local") if case[key] != "unix:"}
    addresses = {a for a in addresses
                 if not a.startswith("127.") and a != "::1"}
    add_addresses("lo", *sorted(addresses))
    if case["local"].startswith("[fd") or case["local"].startswith("[::1"):
        ip("link", "set", "lo", "up")

    own = SOURCE["self"]
    state = case.get("self", "running")
    status = {**RUNNING, "TailscaleIPs": own,
              "Self": {**RUNNING["Self"], "TailscaleIPs": own}}
    if state == "stopped":
        status["BackendState"] = "Stopped"
    if state == "starting":
        status = {"BackendState": "NoState", "TailscaleIPs": None,
                  "Self": None}

    api = world.start(LocalAPI(
        str(tmp_path / "api.sock"), status=http(body=status),
        whois=http(body=person("alice@example.com"))))
    socket = str(tmp_path / "nginx.sock")
    nginx = world.nginx(source_conf(case, socket), localapi=api.path)

    with connect(case, socket, nginx.port) as client:
        client.send(proxy_line(case))
        headers = []
        if "forwarded" in case:
            headers.append(("X-Real-IP", split(case["forwarded"])[0]))
        answer = client.get("/", headers)

    judge(case, api, answer, state)


def judge(case, api, answer, state):
    got = answer.header("X-Status")
    if case["ask"] == "nobody":
        assert got == "stranger"
        assert api.queries() == []
        return

    if case["ask"] == "self" and state == "starting":
        assert got == "unavailable"
        assert api.queries() == []
        return

    # "unknown": nginx asked, and then knew
    assert api.count("status") >= 1
    if case["ask"] == "whois":
        query, = api.queries()
        expected = {"addr": case["addr"]}
        if case.get("with_port"):
            expected["proto"] = "tcp"
        if case.get("service"):
            expected["svc_name"] = case["service"]
        assert query == expected
        assert got == "member"
