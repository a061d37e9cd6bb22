# Copyright (C) The Tailgate authors

"""The audit lines say enough for "tailgate policy diff --log" to come to what
the daemon decided."""

import json
import subprocess

from authd import ALICE, CONF, Authd, original
from tailgate_test import TAILGATE

POLICY = """\
version: 1
routes:
  - name: wiki
    hosts: [wiki.corp]
    allow:
      - { user: "*@example.com", methods: read }
      - { tag: "tag:ci", paths: [/api/] }
    deny:
      - { os: iOS, paths: [/admin] }
"""

PEERS = {
    "100.64.0.4": ALICE,
    "100.64.0.5": {**ALICE, "Node": {
        **ALICE["Node"], "StableID": "n5", "Name": "phone.tail.example.",
        "Hostinfo": {"OS": "iOS", "OSVersion": "18.2"}}},
    "100.64.0.6": {**ALICE, "Node": {
        **ALICE["Node"], "StableID": "n6", "Name": "ci.tail.example.",
        "Tags": ["tag:web", "tag:ci"]}},
    "100.64.0.7": {**ALICE, "Node": {
        **ALICE["Node"], "StableID": "n7", "Name": "laptop.far.example."}},
}

REQUESTS = [
    ("100.64.0.4", "GET", "/a%20b?q=1", 200),
    ("100.64.0.4", "POST", "/", 403),
    ("100.64.0.4", "GET", "/admin", 200),
    ("100.64.0.5", "GET", "/admin", 403),
    ("100.64.0.5", "GET", "/", 200),
    ("100.64.0.6", "DELETE", "/api/x", 200),
    ("100.64.0.6", "GET", "/", 403),
    ("100.64.0.7", "GET", "/", 403),
    ("100.64.0.9", "GET", "/", 403),
]


def test_replay(tmp_path, localapi):
    localapi.answer = lambda address, _: (
        (200, PEERS[address]) if address in PEERS else (404, "no match"))
    policy, none = tmp_path / "policy.yaml", tmp_path / "none.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    none.write_text("version: 1\nroutes: []\n", encoding="utf-8")

    conf = CONF.replace("policy: member", f"policy: {policy}")
    with Authd(tmp_path, localapi.path, conf) as authd:
        for n, (address, method, uri, status) in enumerate(REQUESTS):
            answer = authd.get("/v1/auth/nginx", original(
                address, method=method, uri=uri, local="100.64.0.2"))
            assert answer.status == status, (address, method, uri)
            authd.decided(n)
        lines = authd.audit()

    done = subprocess.run(
        [TAILGATE, "policy", "diff", policy, none, "--no-peers", "--log",
         authd.log_file, "--json"], capture_output=True, text=True,
        check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    seen = json.loads(done.stdout)
    assert [(c["peer"]["node_id"], c["methods"], c["old"]["rule"])
            for c in seen["changes"]] == [
        (line["node_id"], [line["method"]], line["rule"])
        for line in lines if line["audit"] == "allow"]
    assert seen["closed"] == sum(status == 200 for *_, status in REQUESTS)
    assert seen["opened"] == 0
