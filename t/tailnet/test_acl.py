# Copyright (C) The Tailgate authors

"""The tailnet's policy file: what tailgate acl says of grants with app is what
WhoIs answers, for every pair of nodes, and who is there it learns from the
node."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from net import GRANTS
from space import wait_for

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TAILGATE_BUILD", ROOT / "build"))

X, Y, MARK = "example.com/cap/x", "example.com/cap/y", "example.com/cap/mark"

APPS = [
    {"src": ["alice@example.com"], "dst": ["tag:web"],
     "app": {X: [{"v": 1}]}},
    {"src": ["group:eng", "group:ops"], "dst": ["tag:web", "tag:ci"],
     "app": {X: [{"v": 2}, {"v": 1}], Y: []}},
    {"src": ["tag:ci"], "dst": ["bob@example.com"], "app": {Y: [{"a": [1]}]}},
    {"src": ["*"], "dst": ["group:eng"], "app": {Y: [1, "two", None]}},
    {"src": ["bob@example.com", "tag:web"], "dst": ["*"],
     "app": {X: [{"v": 3}]}},
    {"src": ["*"], "dst": ["*"], "app": {MARK: [{"of": "test_acl"}]}},
]


def acl(*arguments):
    return subprocess.run([BUILD / "tailgate", "acl", *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", timeout=30, check=False)


@pytest.fixture(name="nodes", scope="module")
def fixture_nodes(net):
    return {name: net.nodes[name] for name in ("srv", "alice", "bob", "ci")}


@pytest.fixture(name="policy", scope="module")
def fixture_policy(net, nodes):
    policy = {
        "groups": {"group:eng": ["alice@example.com"],
                   "group:ops": ["bob@example.com"]},
        "tagOwners": {"tag:web": [], "tag:ci": []},
        "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}, *APPS],
        "ssh": [{"action": "check", "src": ["group:eng"], "dst": ["tag:web"],
                 "users": ["root"]}]}

    net.admin("PUT", "/grants", policy["grants"])
    try:
        for node in nodes.values():
            for other in nodes.values():
                if node is not other:
                    net.seen(node, other, "the grants of this test",
                             lambda who: MARK in (who["CapMap"] or {}))
        yield policy
    finally:
        net.admin("PUT", "/grants", GRANTS)
        for node in nodes.values():
            for other in nodes.values():
                if node is not other:
                    net.seen(node, other, "the grants of before",
                             lambda who: MARK not in (who["CapMap"] or {}))


def case_of(nodes, policy):
    who = {"srv": {"tags": ["tag:web"]}, "ci": {"tags": ["tag:ci"]},
           "alice": {"user": "alice"}, "bob": {"user": "bob"}}
    return {"policy": policy, "tailnet_domains": ["example.com"],
            "users": {"alice": "alice@example.com", "bob": "bob@example.com"},
            "nodes": {name: {**who[name], "ipv4": node.v4, "ipv6": node.v6}
                      for name, node in nodes.items()}}


def test_caps_are_those_of_whois(nodes, policy, tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case_of(nodes, policy)), encoding="utf-8")
    result = acl("eval", path, "--json")
    assert result.returncode == 0, result.stderr

    ours = {(row["src"], row["dst"]): row["caps"]
            for row in json.loads(result.stdout)["capmaps"]
            if row["src"] != row["dst"]}

    pairs = 0
    for dst, node in nodes.items():
        for src, peer in nodes.items():
            if src == dst:
                continue
            for addr in (peer.v4, peer.v6):
                theirs = node.localapi.whois(addr).json()["CapMap"] or {}
                # null and [] both grant a name without values
                theirs = {k: v or [] for k, v in theirs.items()}
                assert ours.get((src, dst), {}) == theirs, (src, dst)
            pairs += 1

    assert pairs == 12


def test_who_is_there_is_learned_from_the_node(nodes, policy, tmp_path):
    path = tmp_path / "policy.hujson"
    path.write_text(json.dumps(policy), encoding="utf-8")
    socket = nodes["srv"].localapi.path

    def who():
        result = acl("who", "--policy", path, "--socket", socket, "--dst",
                     "web1", "--user", "root")
        print(result.returncode, result.stderr)
        return result.returncode == 0 and result

    # another test may have renamed a node a moment ago
    result = wait_for("alice to be seen", who)
    assert result.stdout.startswith("check  alice-laptop alice@example.com  ")
    assert result.stdout.count("\n") == 1

    result = acl("ssh", "--policy", path, "--socket", socket, "--src",
                 nodes["bob"].v6, "--dst", "web1", "--user", "root")
    assert result.returncode == 1, result.stderr
    assert result.stdout.startswith("deny: bob-laptop (bob@example.com)")


def test_the_status_of_the_program_is_read_too(nodes, policy, tmp_path):
    path = tmp_path / "policy.hujson"
    path.write_text(json.dumps(policy), encoding="utf-8")
    status = tmp_path / "status.json"
    status.write_text(nodes["srv"].tailscale("status", "--json"),
                      encoding="utf-8")

    result = acl("who", "--policy", path, "--netmap", status, "--dst", "web1",
                 "--user", "root")
    assert result.returncode == 0, result.stderr
    assert "alice-laptop" in result.stdout
