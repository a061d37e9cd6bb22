# Copyright (C) The Tailgate authors

"""The rules that hold for the whole tree.  That each check finds what it
looks for is shown in test_checks.py."""

import os

import pytest

import docs
import includes
import reference
import style
import symbols
import tree

BUILD = os.environ.get("TAILGATE_BUILD", os.path.join(tree.ROOT, "build"))


def clean(faults):
    assert not faults, "\n" + "\n".join(faults)


def test_includes():
    clean(includes.check())


@pytest.mark.parametrize("check", [
    style.check_text, style.check_width, style.check_c, style.check_heads,
    style.check_personal], ids=lambda check: check.__name__)
def test_style(check):
    clean(check())


@pytest.mark.parametrize("check", [
    docs.check_corpora, docs.check_shell, docs.check_python, docs.check_man,
    docs.check_options, docs.check_links, docs.check_parts],
    ids=lambda check: check.__name__)
def test_docs(check):
    clean(check())


@pytest.mark.parametrize("check", [
    reference.check_directives, reference.check_variables,
    reference.check_profiles, reference.check_commands],
    ids=lambda check: check.__name__)
def test_reference(check):
    clean(check())


@pytest.mark.parametrize("check", [
    symbols.check_archives, symbols.check_headers, symbols.check_module,
    symbols.check_objects, symbols.check_public],
    ids=lambda check: check.__name__)
def test_symbols(check):
    clean(check(BUILD))
