# Copyright (C) The Tailgate authors

"""The decision table under "tailgate optional": what a rule refuses is refused
all the same, an outage is 503 where rules are in force, and everybody else
passes, but under nobody's name."""

import pytest

import table
from test_nginx import REFUSED, World

# refused by a rule or for the request itself, and not for want of an allow
REFUSALS = {"denied", "required", "raw-path", "method-override",
            "bad-request"}

CASES = table.cases_for("nginx", lambda case: case.via is None)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("policy"), CASES["argvalues"],
               "optional") as made:
        yield made


def expected(case, reason):
    if case.expect == "allow":
        return 204
    if case.expect == "deny":
        return 403 if case.rule or reason in REFUSALS else 204

    # without rules nobody asked for more than a name
    return 503 if case.policy is not None or case.inline is not None else 204


@pytest.mark.parametrize("case", **CASES)
def test_case(case, world):
    answer, _ = world.ask(case)

    if case.reason == "bad-request" and answer.status == REFUSED:
        return

    reason = answer.header("X-Reason")
    assert answer.status == expected(case, reason), case.describe()
    assert case.reason in (None, reason), case.describe()

    # whoever is not allowed has no name
    if answer.status == 204 and case.expect != "allow":
        assert answer.header("X-Reached") is None
