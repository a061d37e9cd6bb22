# Copyright (C) The Tailgate authors

"""The decision table by "tailgate policy explain"."""

import json
import os
import re
import subprocess
import time

import pytest

import table
from tailgate_test import TAILGATE

# how the command ends
CODES = {"allow": 0, "deny": 1, "unavailable": 3}

# for a peer that has no answer
MADE_UP = {404: "stranger", 500: "unavailable"}


def write(folder, name, text):
    path = os.path.join(str(folder), name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def command(case, folder):
    words = [TAILGATE, "policy", "explain", "--json", "--request",
             case.case["request"], "--at",
             time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(table.STARTED))]

    if case.policy is None:
        words.append("--no-policy")
    else:
        words += ["--policy", write(folder, "policy.yaml", case.policy)]

    rules, raw_path = case.rules()
    for kind, line in rules:
        words += ["--inline", f"tailgate_{kind} {line}"]
    if raw_path:
        words += ["--inline", "tailgate_raw_path allow"]

    code, body = case.answer()
    if code == 200:
        words += ["--whois", write(folder, "whois.json", body),
                  "--self", write(folder, "self.json", table.PEERS["self"])]
    else:
        words += ["--as", MADE_UP[code]]

    if case.via:
        words += ["--via", case.via]
    if any(re.fullmatch("x-http-method(-override)?|x-method-override",
                        name.lower()) for name in case.headers):
        words.append("--method-override")
    return words


@pytest.mark.parametrize("case", **table.cases_for("explain"))
def test_case(case, tmp_path):
    done = subprocess.run(command(case, tmp_path), capture_output=True,
                          text=True, check=False, timeout=60)
    said = done.stdout + done.stderr
    if case.reason == "bad-request" and done.returncode == 2:
        # what cannot be judged is not even asked
        assert done.stdout == "" and "request" in done.stderr, said
        return

    assert done.returncode == CODES[case.expect], said + case.describe()
    explained = json.loads(done.stdout)

    names = case.names(
        lambda kind, n, total: f"tailgate_{kind}:inline:{total + 1}")
    rule = names.get(explained["rule"], explained["rule"])
    case.judge(explained["verdict"], rule, explained["reason"])

    case.judge_headers(explained["headers"].get)

    # what is said of the rules is what was decided
    deciding = [rule["rule"] for rule in explained["rules"] if rule["decides"]]
    if explained["rule"] != "grants":
        assert deciding == ([explained["rule"]] if explained["rule"] else [])

    # all of a rule has to hold; of grants one value has to
    for rule in explained["rules"]:
        if rule["rule"] != "grants":
            assert rule["matches"] == all(
                condition["holds"] for condition in rule["conditions"])
