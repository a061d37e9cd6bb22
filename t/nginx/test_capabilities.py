# Copyright (C) The Tailgate authors

"""Capabilities that the identity service grants, well-formed or not, and the
Service that was hit."""

import json

import pytest

from conftest import ALICE, DECISIONS, decisions
from localapi_test import RUNNING, LocalAPI, http, person
from network_test import own_network
from tailgate_test import get

WEB = "example.com/cap/web"

POLICY = """
version: 1
capabilities:
  web:
    capability: example.com/cap/web
    field: role
    order: [viewer, editor, admin]
routes:
  - name: role
    paths: [/role]
    allow: [{ capability: example.com/cap/web, where: { role: admin } }]
    headers:
      X-Role: { from: capability example.com/cap/web, field: role,
                order: [viewer, editor, admin] }
  - name: any
    paths: [/any]
    allow: [{ capability: example.com/cap/web }]
    headers:
      X-Role: { from: capability example.com/cap/web, field: role,
                order: [viewer, editor, admin] }
  - name: service
    paths: [/service]
    allow: [{ user: alice@example.com, via: "svc:wiki" }]
  - name: direct
    paths: [/direct]
    allow: [{ user: alice@example.com, via: direct }]
"""

GRANTS = """
version: 1
grants: { capability: example.com/cap/web }
routes:
  - name: app
    paths: [/app]
    deny: [{ methods: DELETE }]
"""

SERVER = DECISIONS + """
tailgate_service svc:wiki 100.70.0.1;
server {
    listen @LISTEN@@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    add_header X-Cap "[$tailgate_cap_web]" always;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
"""


def alice_with(caps, address="127.0.0.11"):
    answer = person("alice@example.com", address=address)
    answer["CapMap"] = caps
    return http(body=answer)


# the value of the capability: may /any, may /role, $tailgate_cap_web
VALUES = [
    ([{"role": "admin"}], True, True, "admin"),
    ([{"role": ["viewer", "admin"]}], True, True, "admin"),
    ([{"role": "viewer"}, {"role": "admin", "more": {"a": [1]}}], True, True,
     "admin"),
    ([{"role": "root"}], True, False, ""),
    ([{"role": "root"}, {"role": "editor"}], True, False, "editor"),
    ([{"rolle": "admin"}], True, False, ""),
    ([{"role": {"name": "admin"}}], True, False, ""),
    ([{"role": True}, {"role": 3}, {"role": None}], True, False, ""),
    (["admin"], True, False, ""),
    ([[{"role": "admin"}]], True, False, ""),
    ([], True, False, ""),
    (None, True, False, ""),
    ("admin", False, False, ""),
    ({"role": "admin"}, False, False, ""),
]


@pytest.mark.parametrize("value,any_,role,variable", VALUES,
                         ids=[json.dumps(case[0]) for case in VALUES])
def test_check_11_values(world, policy, tmp_path, value, any_, role,
                         variable):
    """What cannot be read grants nothing; an unknown role is none."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"),
                               whois=alice_with({WEB: value})))
    nginx = world.nginx(SERVER, localapi=api.path, POLICY=policy(POLICY),
                        LISTEN="127.0.0.1:")
    for path, allowed in (("/any", any_), ("/role", role)):
        answer = get(nginx.port, path, source=ALICE)
        assert (answer.status == 200) == allowed
        assert answer.header("X-Cap") == f"[{variable}]"
        if allowed:
            assert answer.seen("X-Role") == ([variable] if variable else [])


def test_check_16_line_ends(world, policy, tmp_path):
    """A role with a control character is none: it would end a header where
    the value is set without an encoding."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=alice_with(
        {WEB: [{"role": ["a\r\nX-Evil: 1", "b\nX-Evil: 2", "d"]}]})))
    nginx = world.nginx(SERVER, localapi=api.path, LISTEN="127.0.0.1:",
                        POLICY=policy(POLICY.replace(
                            "    order: [viewer, editor, admin]\nroutes:",
                            "routes:")))
    answer = get(nginx.port, "/any", source=ALICE)
    assert answer.status == 200
    assert answer.header("X-Evil") is None
    assert answer.header("X-Cap") == "[d]"


def test_check_11_grants(world, policy, tmp_path):
    """A grant that cannot be read allows nothing, spoils no other one, and is
    logged."""

    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=alice_with(
        {WEB: [{"paths": ["/app"], "methods": ["GET", "DELETE"]},
               {"path": "/"}, "all", {"hosts": 3},
               {"paths": ["/else"], "methods": "POST"}]})))
    nginx = world.nginx(SERVER, localapi=api.path, POLICY=policy(GRANTS),
                        LISTEN="127.0.0.1:")
    for method, path, status in (("GET", "/app", 200), ("POST", "/app", 403),
                                 ("DELETE", "/app", 403),
                                 ("POST", "/else", 200), ("GET", "/", 403)):
        assert get(nginx.port, path, source=ALICE,
                   method=method).status == status, (method, path)
    rules = [(entry["rule"], entry["route"])
             for entry in decisions(nginx, 5)]
    assert rules == [("grants", "app"), ("-", "app"), ("app.deny[0]", "app"),
                     ("grants", "-"), ("-", "-")]
    nginx.logged('3 grants of "alice-laptop.tail.example" cannot be read')


@own_network("100.64.0.1", "100.64.0.11", "100.70.0.1")
def test_check_11_the_destination_that_was_hit(world, policy, tmp_path):
    """What is granted for a Service holds at its address alone, and "via"
    tells the two apart."""

    def whois(query):
        granted = query.get("svc_name") == "svc:wiki"
        return alice_with({WEB: [{"role": "admin"}]} if granted else {},
                          "100.64.0.11")

    own = {**RUNNING, "TailscaleIPs": ["100.64.0.1"],
           "Self": {**RUNNING["Self"], "TailscaleIPs": ["100.64.0.1"]}}
    api = world.start(LocalAPI(str(tmp_path / "api.sock"), whois=whois,
                               status=http(body=own)))
    nginx = world.nginx(SERVER, localapi=api.path, POLICY=policy(POLICY),
                        LISTEN="")
    for address, path, status in (("100.70.0.1", "/role", 200),
                                  ("100.64.0.1", "/role", 403),
                                  ("100.70.0.1", "/service", 200),
                                  ("100.64.0.1", "/service", 403),
                                  ("100.70.0.1", "/direct", 403),
                                  ("100.64.0.1", "/direct", 200)):
        answer = get((address, nginx.port), path, source="100.64.0.11")
        assert answer.status == status, (address, path)
