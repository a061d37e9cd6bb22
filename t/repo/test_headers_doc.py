# Copyright (C) The Tailgate authors

"""docs/headers.md says what core/headers/profiles.c does."""

import os
import re

import headers_doc
import tree

PAGE = os.path.join(tree.ROOT, "docs/headers.md")


def page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def test_every_profile_is_documented():
    text = page()

    for section in headers_doc.sections():
        assert section in text, (
            "docs/headers.md lacks this; t/repo/headers_doc.py prints it:\n"
            + section)


def test_no_profile_is_made_up():
    documented = re.findall(r"^### ([a-z0-9-]+)$", page(), re.M)
    profiles = [profile["name"] for profile in headers_doc.dump()]

    assert documented == profiles


def test_the_contents_name_every_profile():
    contents = page().split("## Profiles", 1)[1].split("\n### ", 1)[0]

    for profile in headers_doc.dump():
        assert f"[{profile['name']}](#{profile['name']})" in contents
