# Copyright (C) The Tailgate authors

"""That the table is one: enough of it, no case twice, nothing left over."""

import collections

import pytest

import table

KEYS = {"name", "check", "policy", "inline", "peer", "set", "remove", "request",
        "headers", "via", "expect", "rule", "reason", "gives", "only",
        "why"}

TOPICS = {"both", "capabilities", "classes", "grants", "groups", "hosts",
          "inline", "methods", "nodes", "paths", "raw_paths", "roles", "rules",
          "time", "unknown", "users", "versions", "via", "where"}


def test_size():
    assert len(table.cases()) >= 400


def test_topics():
    assert {case.file for case in table.cases()} >= TOPICS


def test_names():
    count = collections.Counter(case.name for case in table.cases())
    assert [name for name, n in count.items() if n > 1] == []


def test_questions():
    """No two cases ask the same."""

    count = collections.Counter(
        (case.policy, tuple(case.inline or ()), case.case["request"],
         case.via, str(case.headers), case.answer())
        for case in table.cases())
    assert [question for question, n in count.items() if n > 1] == []


@pytest.mark.parametrize("path", table.paths())
def test_used(path):
    document = table.read(path)
    for section, key in (("policies", "policy"), ("inline", "inline")):
        used = {case[key] for case in document["cases"] if key in case}
        assert used == set(document.get(section, {}))


@pytest.mark.parametrize("case", table.cases(), ids=str)
def test_case(case):
    assert set(case.case) <= KEYS
    assert case.expect in ("allow", "deny", "unavailable")
    assert (case.rule is None) == (case.expect == "unavailable")

    # who is left out is named, with why
    assert set(case.only) <= set(table.WAYS) and "core" in case.only
    assert ("why" in case.case) == ("only" in case.case)

    # an allow is by a rule or the built-in one, and no rule is named that is
    # not of that kind
    if case.expect == "allow" and case.rule not in ("", "grants"):
        assert ".allow[" in case.rule
    if case.expect == "deny" and case.rule:
        assert ".deny[" in case.rule or ".require[" in case.rule
