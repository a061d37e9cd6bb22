# Copyright (C) The Tailgate authors

"""What holds for every policy: random ones are changed, and compared with
what they were."""

import copy
import json
import random

import pytest

import acl_test

SEEDS = range(30)
PEOPLE = ["odin@example.com", "thor@example.org", "freya@example.com"]
TAGS = ["tag:a", "tag:b", "tag:c"]
GROUPS = ["group:x", "group:y"]
ACCOUNTS = ["root", "ubuntu", "odin", "autogroup:nonroot",
            "localpart:*@example.com"]


def some(rng, values, least=1):
    return rng.sample(values, rng.randint(least, len(values)))


def random_rule(rng):
    action = rng.choice(["accept", "accept", "check"])
    people = PEOPLE + GROUPS + ["autogroup:member", "user:*@example.com"]
    sources = people + (TAGS + ["autogroup:tagged"] if action == "accept"
                        else [])
    rule = {"action": action, "users": some(rng, ACCOUNTS)}
    if rng.random() < 0.3:
        rule |= {"src": some(rng, people), "dst": ["autogroup:self"]}
    else:
        rule |= {"src": some(rng, sources), "dst": some(rng, TAGS)}
    if action == "check":
        rule["checkPeriod"] = rng.choice(["1h", "always", "30s"])
    if rng.random() < 0.3:
        rule["acceptEnv"] = [rng.choice(["A*", "B"])]
    return rule


def random_case(seed):
    rng = random.Random(seed)
    nodes = {}
    for i in range(8):
        node = {"ipv4": f"100.64.0.{i + 1}", "ipv6": f"fd7a:115c:a1e0::{i}"}
        if rng.random() < 0.5:
            node["tags"] = some(rng, TAGS)
        else:
            node["user"] = rng.choice(["odin", "thor", "freya"])
        nodes[f"n{i}"] = node
    return rng, {
        "users": {p.split("@")[0]: p for p in PEOPLE},
        "tailnet_domains": ["example.com"], "nodes": nodes,
        "probe_users": ["root", "ubuntu", "odin", "nobody"],
        "policy": {
            "groups": {g: some(rng, PEOPLE, 0) for g in GROUPS},
            "tagOwners": {t: [] for t in TAGS},
            "grants": [{"src": some(rng, PEOPLE + TAGS + ["*"]),
                        "dst": some(rng, TAGS + ["*"]),
                        "ip": [rng.choice(["*", "tcp:22", "80"])],
                        "app": {"example.com/x": [rng.randrange(9)]}}
                       for _ in range(3)],
            "ssh": [random_rule(rng) for _ in range(rng.randint(1, 6))]}}


def both(tmp_path, old, new):
    paths = []
    for name, case in (("old", old), ("new", new)):
        paths.append(tmp_path / (name + ".json"))
        paths[-1].write_text(json.dumps(case), encoding="utf-8")
    results = acl_test.evaluate(*paths)
    assert all(r["accepted"] for r in results), results
    return results


def same(old, new):
    assert acl_test.decisions(old["decisions"]) \
        == acl_test.decisions(new["decisions"])
    assert acl_test.capmaps(old["capmaps"]) == acl_test.capmaps(new["capmaps"])
    assert acl_test.matrix(old["tcp22"]) == acl_test.matrix(new["tcp22"])
    assert acl_test.matrix(old["principal_match"]) \
        == acl_test.matrix(new["principal_match"])


@pytest.mark.parametrize("seed", SEEDS)
def test_an_accept_never_takes_away(seed, tmp_path):
    rng, old = random_case(seed)
    new = copy.deepcopy(old)
    rule = random_rule(rng)
    while rule["action"] != "accept":
        rule = random_rule(rng)
    new["policy"]["ssh"].insert(rng.randint(0, len(old["policy"]["ssh"])),
                                rule)

    before, after = both(tmp_path, old, new)
    # by which action a person got in stays too: checks come first
    keys = [{(s, d, u, a) for s, d, u, a, *_ in acl_test.decisions(
        r["decisions"])} for r in (before, after)]
    assert keys[0] <= keys[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_name_of_a_group_means_nothing(seed, tmp_path):
    _, old = random_case(seed)
    new = json.loads(json.dumps(old).replace('"group:x"', '"group:renamed"'))
    same(*both(tmp_path, old, new))


@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_nodes_means_nothing(seed, tmp_path):
    rng, old = random_case(seed)
    new = copy.deepcopy(old)
    names = list(old["nodes"])
    rng.shuffle(names)
    new["nodes"] = {name: old["nodes"][name] for name in names}
    same(*both(tmp_path, old, new))


@pytest.mark.parametrize("seed", SEEDS)
def test_checks_come_first_each_in_order(seed, tmp_path):
    """Between checks and accepts the order of the file means nothing, within
    each it decides."""

    _, old = random_case(seed)
    new = copy.deepcopy(old)
    new["policy"]["ssh"].sort(key=lambda rule: rule["action"] != "check")
    same(*both(tmp_path, old, new))


@pytest.mark.parametrize("seed", SEEDS)
def test_one_rule_for_two_sources_is_two_rules(seed, tmp_path):
    _, old = random_case(seed)
    new = copy.deepcopy(old)
    new["policy"]["ssh"] = [{**rule, "src": [src]}
                            for rule in old["policy"]["ssh"]
                            for src in rule["src"]]
    same(*both(tmp_path, old, new))
