# Copyright (C) The Tailgate authors

"""The project's own cases, written from what is known of the service: see
cases/*.yaml."""

import json
import os

import pytest
import yaml

import acl_test

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")


def load(name):
    with open(os.path.join(FOLDER, name + ".yaml"), encoding="utf-8") as f:
        return yaml.safe_load(f)


WORLD = load("world")

TEST_RULES = {
    "acls": [{"action": "accept", "proto": "tcp", "src": ["thor@example.org"],
              "dst": ["tag:server:22"]},
             {"action": "accept", "proto": "udp", "src": ["thor@example.org"],
              "dst": ["tag:server:53"]},
             {"action": "accept", "src": ["odin@example.com"],
              "dst": ["autogroup:self:*"]}],
    "ssh": [{"action": "accept", "src": ["thor@example.org"],
             "dst": ["tag:server"], "users": ["root"]},
            {"action": "check", "src": ["odin@example.com"],
             "dst": ["tag:server"], "users": ["root"]},
            {"action": "accept", "src": ["odin@example.com"],
             "dst": ["autogroup:self"], "users": ["autogroup:nonroot"]}]}


def over(base, patch):
    merged = {**base, **patch}
    return {k: v for k, v in merged.items()
            if v is not None or k not in base}


def evaluate(tmp_path, policy, probe_users=None, options=()):
    case = {"policy": policy, "probe_users": probe_users
            or WORLD["probe_users"],
            **{k: WORLD[k] for k in ("users", "tailnet_domains", "nodes")}}
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case, ensure_ascii=False), encoding="utf-8")
    return acl_test.evaluate(path, options=options)[0]


def policy_of(case):
    policy = {**WORLD["policy"], **case.get("policy", {})}
    rules = case.get("rules", [case["rule"]] if "rule" in case else None)
    if rules is not None:
        policy["ssh"] = [over(WORLD["rule"], rule) for rule in rules]
    if "grants" in case:
        policy["grants"] = case["grants"]
    return policy


def rows(got):
    found = {}
    for row in got["decisions"]:
        value = (row["check_period_s"] if row["action"] == "check"
                 else "accept")
        if "accept_env" in row:
            value = [value, row["accept_env"]]
        assert row["local_user"] == row["user"]
        found[f"{row['src']} {row['dst']} {row['user']}"] = value
    assert len(found) == len(got["decisions"])
    return found


def named(*files):
    return [pytest.param(case, id=f"{file}-{name}")
            for file in files for name, case in load(file).items()]


@pytest.mark.parametrize("case", named("ssh-refused", "policy-refused"))
def test_refused(case, tmp_path):
    got = evaluate(tmp_path, policy_of(case))

    assert got == {"accepted": False, "stage": "validation",
                   "message": case["refused"], "line": 1,
                   "column": got["column"]}
    assert got["column"] > 1


@pytest.mark.parametrize("case", named("ssh", "grants"))
def test_accepted(case, tmp_path):
    got = evaluate(tmp_path, policy_of(case), case.get("probe_users"),
                   case.get("options", ()))

    assert got["accepted"], got
    if "ssh" in case:
        assert rows(got) == case["ssh"]
    if "match" in case:
        assert got["principal_match"] == case["match"]
    if "caps" in case:
        assert {f"{r['src']} {r['dst']}": r["caps"]
                for r in got["capmaps"]} == case["caps"]
    if "tcp22" in case:
        assert {f"{src} {dst}" for src, dst in acl_test.matrix(got["tcp22"])
                } == set(case["tcp22"])


ASSERTIONS = [pytest.param(section, outcome, test,
                           id=f"{section}-{outcome}-{number}")
              for section, outcomes in load("tests").items()
              for outcome, tests in outcomes.items()
              for number, test in enumerate(tests)]


@pytest.mark.parametrize("section, outcome, test", ASSERTIONS)
def test_assertions(section, outcome, test, tmp_path):
    policy = {**WORLD["policy"], **TEST_RULES, section: [test]}
    got = evaluate(tmp_path, policy)

    if outcome == "pass":
        assert got["accepted"], got
    else:
        assert (got["stage"], got["message"]) == ("tests", "test(s) failed")


def test_there_are_enough():
    count = sum(len(load(name)) for name in
                ("ssh-refused", "policy-refused", "ssh", "grants"))
    assert count + len(ASSERTIONS) >= 150


STAR = {"grants": [{"src": ["*"], "dst": ["tag:web"], "ip": ["tcp:22"]}]}


@pytest.mark.parametrize("src, allowed", [
    ("100.64.0.21", True), ("100.99.1.1", True), ("fd7a:115c:a1e0::99", None),
    # what ChromeOS has
    ("100.115.92.1", False), ("100.115.93.255", False), ("100.115.94.1", True),
    # an approved route, and what is behind nobody
    ("10.33.7.7", True), ("10.34.0.1", False), ("192.0.2.1", False)])
def test_star_is_the_tailnet(src, allowed, tmp_path):
    dst = "100.64.0.2:22"
    if allowed is None:
        # an address is reached from those of its family
        dst, allowed = "[fd7a:115c:a1e0::2]:22", True
    test = {"src": src, "accept" if allowed else "deny": [dst]}
    opposite = {"src": src, "deny" if allowed else "accept": [dst]}

    for section, accepted in (([test], True), ([opposite], False)):
        policy = {**WORLD["policy"], **STAR, "tests": section}
        assert evaluate(tmp_path, policy)["accepted"] == accepted
