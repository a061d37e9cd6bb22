# Copyright (C) The Tailgate authors

"""The comparison of documents sees what it is there for."""

import pytest

from shape import Exceptions, differences

REAL = {"a": 1, "b": {"c": [1, "x"], "d": None}, "e": True}


@pytest.mark.parametrize("ours, found", [
    (REAL, []),
    ({"a": 2, "b": {"c": [1, "x"], "d": None}, "e": True}, ["a: 1, ours 2"]),
    ({"a": 1, "b": {"c": [1, "x"]}, "e": True},
     ["b.d: ours lacks it (None)"]),
    ({"a": 1, "b": {"c": [1, "x"], "d": None}, "e": True, "f": 1},
     ["f: only ours has it (1)"]),
    ({"a": 1, "b": {"c": [1, "y"], "d": None}, "e": True},
     ["b.c[1]: 'x', ours 'y'"]),
    ({"a": 1, "b": {"c": [1], "d": None}, "e": True},
     ["b.c: 2 items, ours 1"]),
    ({"a": 1, "b": {"c": [1, "x"], "d": None}, "e": 1},
     ["e: bool True, ours int 1"]),
    ({"b": {"c": [1, "x"], "d": None}, "a": 1, "e": True},
     ["document: the order of fields is ['a', 'b', 'e']"]),
])
def test_differences(ours, found):
    assert differences(REAL, ours, Exceptions()) == found


def test_exceptions():
    allowed = Exceptions({"b.c*": "why"}, {"e": "why", "z": "never needed"})
    ours = {"a": 1, "b": {"c": [3], "d": None}}

    assert differences(REAL, ours, allowed) == []
    assert allowed.unused() == ["z"]


def test_exception_of_a_value_is_none_of_its_type():
    allowed = Exceptions({"a": "why"})
    ours = dict(REAL, a="1")

    assert differences(REAL, ours, allowed) == ["a: int 1, ours str '1'"]


def test_exception_of_a_value_is_none_of_the_field():
    allowed = Exceptions({"e": "why"})
    ours = {"a": 1, "b": REAL["b"]}

    assert differences(REAL, ours, allowed) == ["e: ours lacks it (True)"]
