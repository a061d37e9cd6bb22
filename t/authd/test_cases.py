# Copyright (C) The Tailgate authors

"""The tables that the unit tests of the core and the tests of the module read,
through the daemon: whom it asks about, and what it makes of the answer."""

import json
import os

import pytest
import yaml

from authd import ALICE, Authd, LocalAPI, original, remote
from tailgate_test import ROOT

CASES = os.path.join(ROOT, "t", "cases")

# what only a socket of one's own tells
NOT_STATED = ("proxy_listener", "proxied", "forwarded", "trusted",
              "interface")


def load(name):
    with open(os.path.join(CASES, name), encoding="utf-8") as f:
        return yaml.safe_load(f)


def split(text):
    """("address", port) of ADDRESS[:PORT]; port 0 without one."""

    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port[1:] or 0)
    if text.count(":") == 1:
        address, port = text.split(":")
        return address, int(port or 0)
    return text, 0


SOURCE = load("source.yaml")


@pytest.mark.parametrize(
    "case", [case for case in SOURCE["cases"]
             if not any(key in case for key in NOT_STATED)
             # a proxy that states no local address vouches for it
             and ("local" in case
                  or case.get("reason") != "foreign_local_addr")],
    ids=lambda case: f"check_{case['check']}-{case['name']}")
def test_source(tmp_path, case):
    """Whom the daemon asks about, with what a proxy can state."""

    states = {"running": "Running", "stopped": "Stopped"}
    kind = case.get("self", "running")
    status = {"BackendState": states.get(kind, "NoState")}
    if kind in states or kind == "unknown":
        # unknown is what the daemon begins with; it then asks
        status = {"BackendState": states.get(kind, "Running"),
                  "Self": {"ID": "n2", "DNSName": "web1.tail.example.",
                           "TailscaleIPs": SOURCE["self"]}}

    address, port = split(case["peer"])
    local = split(case["local"])[0] if "local" in case else None
    headers = remote(address, port)
    if case.get("local_rule") != "off" and local is not None:
        headers = remote(address, port, local)
    headers += [("X-Original-Method", "GET"), ("X-Original-Host", "x"),
                ("X-Original-URI", "/")]

    conf = {"policy": "member", "log": {"format": "json"},
            "localapi": "@LOCALAPI@",
            "listen": {"unix": "@SOCKET@", "senders": [os.getuid()]}}
    if "services" in case:
        conf["services"] = case["services"]

    # the event stream's beginning is a change: what was asked for before it
    # is rightly asked again, and would be counted twice
    conf = yaml.safe_dump(conf) + "cache: off\n"

    with LocalAPI(str(tmp_path / "l.sock"), lambda *_: (200, ALICE),
                  status) as api, \
            Authd(tmp_path, api.path, conf) as daemon:
        answer = daemon.get("/v1/auth/nginx", headers)
        line = daemon.decided()

        # what is not known is found out
        if case["ask"] == "whois" or (case["ask"] == "self"
                                      and kind == "unknown"):
            assert len(api.asked) == 1
            query = api.asked[0]
            if case.get("with_port"):
                expected, number = split(case["addr"])
                expected = (f"[{expected}]:{number}" if ":" in expected
                            else f"{expected}:{number}")
                assert query["proto"] == "tcp"
            else:
                expected = split(case.get("addr", case["peer"]))[0]
                assert "proto" not in query
            assert query["addr"] == expected
            assert query.get("svc_name") == case.get("service")
            return

        assert api.asked == []
        if case["ask"] == "self":
            assert answer.status == 503
        elif case.get("reason") == "bad_address" \
                or case["peer"].startswith("unix"):
            # what cannot be an address is no statement at all
            assert answer.status == 400
            assert line["audit"] == "bad_request"
        else:
            assert answer.status == 403
            assert line["status"] == "stranger"


IDENTITY = load("identity.yaml")


def place(answer, path):
    """The object that holds the last part of path, and that part."""

    *parents, last = path.split(".")
    for name in parents:
        answer = answer.setdefault(name, {})
    return answer, last


def body(case):
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    if "text" in case:
        return case["text"]

    text = IDENTITY["answers"][case["answer"]]
    answer = json.loads(text)
    for path, value in case.get("set", {}).items():
        parent, last = place(answer, path)
        # a number too long for a float, or a duplicate key, stays text
        parent[last] = Verbatim(value)
    for path in case.get("remove", []):
        parent, last = place(answer, path)
        parent.pop(last, None)
    return dump(answer)


class Verbatim:
    def __init__(self, text):
        self.text = text


def dump(value):
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dump(v)}"
                              for k, v in value.items()) + "}"
    return json.dumps(value)


CODES = {"allow": 200, "deny": 403, "unavailable": 503}


def verdict(case):
    if "verdict" in case:
        return case["verdict"]
    status = case["status"]
    return {"member": "allow", "unavailable": "unavailable"}.get(status,
                                                                 "deny")


@pytest.mark.parametrize(
    "case", [case for case in IDENTITY["cases"]
             # the daemon's clock does not stand still
             if case["name"] != "KeyExpiry is the next second"],
    ids=lambda case: f"check_{case['check']}-{case['name']}")
def test_identity(tmp_path, case):
    """What the daemon makes of an answer, by the built-in rule and others."""

    status = IDENTITY["selves"].get(case.get("self", "running"))
    code = case.get("code", 200)

    def answer(*_):
        return None if code == 0 else (code, body(case))

    rules = [{"peers": ["member"], "verdict": verdict(case)},
             *case.get("rules", [])]

    with LocalAPI(str(tmp_path / "l.sock"), answer,
                  status or '{"BackendState": "NoState"}') as api:
        daemon = Authd(tmp_path, api.path)
        for rule in rules:
            daemon.configure(json.dumps({
                "policy": "member", "log": {"format": "json"},
                "peers": rule["peers"], "tailnets": rule.get("tailnets", []),
                "localapi": api.path,
                "listen": {"unix": daemon.socket,
                           "senders": [os.getuid()]}}))
            with daemon:
                before = len(daemon.audit())
                got = daemon.get("/v1/auth/nginx?headers=tailscale",
                                 original())
                line = daemon.decided(before)

            if case.get("self") in ("none", "starting"):
                # the daemon knows that it does not know yet
                assert got.status == 503
                continue

            assert got.status == CODES[rule["verdict"]], (rule, line)
            assert line["status"] == case["status"]

            for key, name in (("login", "login"), ("node", "node"),
                              ("tailnet", "tailnet")):
                if key in case and case["status"] != "unavailable":
                    assert line.get(name, "") == case[key]

            if got.status != 200:
                assert not [name for name, _ in got.headers
                            if name.lower().startswith("tailscale")]
