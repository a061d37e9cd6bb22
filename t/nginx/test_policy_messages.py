# Copyright (C) The Tailgate authors

"""What nginx says about a policy file when it reads its configuration."""

import re

import pytest

from conftest import ALICE
from tailgate_test import ConfigError, Nginx, get

SERVER = """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_policy @POLICY@;
    location / { root @DIR@; }
    location /a { root @DIR@; tailgate_policy @POLICY@; }
    location /b { root @DIR@; tailgate_policy @POLICY@; }
}
"""

BAD = """\
version: 1
groups:
  admins: [127.0.0.1]
routes:
  - name: web
    allow:
      - { usr: alice@example.com }
      - { group: nobody }
      - { user: tagged-devices }
"""

WARNED = """\
version: 1
groups:
  admins: [alice@example.com]
routes:
  - name: web
    allow: [{ user: alice@example.com }]
"""


def said(directory, policy, text):
    """The lines of nginx -t about the file, without what is in front."""

    path = policy(text)
    nginx = Nginx(directory, SERVER, POLICY=path)
    try:
        output = nginx.test()
    except ConfigError as error:
        output = str(error)
    return path, output.splitlines()


def test_check_18_each_error_has_a_place_and_a_code(tmp_path, policy):
    """All of them in one run, each with file, line, column and code."""

    path, lines = said(tmp_path, policy, BAD)
    found = [re.fullmatch(r"nginx: \[(emerg|warn)\] (\S+?):(\d+):(\d+): "
                          r"(P\d{3}): (.+)", line) for line in lines[:-1]]
    assert all(found), lines
    assert {match[2] for match in found} == {str(path)}
    assert {match[1] for match in found} == {"emerg", "warn"}
    found = [match for match in found if match[1] == "emerg"]
    places = [(int(match[3]), int(match[4])) for match in found]
    assert sorted(places) == places
    assert [line for line, _ in places] == [3, 7, 8, 9]
    assert len({match[5] for match in found}) == 4
    for match, text in zip(found, ("127.0.0.1", "usr", "nobody",
                                   "tagged-devices")):
        assert text in match[6]
    assert "test failed" in lines[-1]


def test_a_warning_comes_once(tmp_path, policy):
    """However many locations name the file: it is read once."""

    path, lines = said(tmp_path, policy, WARNED)
    warned = [line for line in lines if "[warn]" in line]
    assert len(warned) == 1, lines
    assert f"[warn] {path}:3:" in warned[0]
    assert "admins" in warned[0]
    assert lines[-1].endswith("test is successful")


def test_a_directive_is_warned_about(tmp_path):
    """A rule that never matches denies nothing: its line is named."""

    nginx = Nginx(tmp_path, """
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_deny user=alice@example.com tag=tag:ci;
    tailgate_deny os=macos;
}
""")
    warned = [line for line in nginx.test().splitlines() if "[warn]" in line]
    assert len(warned) == 1
    assert 'rule in "tailgate_deny": ' in warned[0]
    assert "can never match" in warned[0] and "(P060)" in warned[0]
    assert re.search(r" in \S+nginx\.conf:\d+$", warned[0])


@pytest.mark.parametrize("text", ["", "\t", "version: 2\n", "[]\n",
                                  "version: 1\nversion: 1\n", "\x00",
                                  "version: &a 1\nroutes: *a\n",
                                  "{" * 5000])
def test_check_18_what_is_no_policy(tmp_path, policy, text):
    path, lines = said(tmp_path, policy, text)
    assert any(f"[emerg] {path}:" in line for line in lines), lines
    assert "test failed" in lines[-1]


def test_relative_names(world, policy):
    """They are in the directory of nginx.conf, as others in nginx are."""

    path = policy('version: 1\nroutes: [{ allow: [{ user: "*@example.com" }]'
                  ' }]\n')
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    location / { tailgate_policy ../@NAME@; proxy_pass
                 http://127.0.0.1:@APP@; }
}""", NAME=path.name)
    assert get(nginx.port, "/", source=ALICE).status == 200


def test_headers_that_http_needs(tmp_path, policy):
    _, lines = said(tmp_path, policy, """\
version: 1
routes:
  - allow: [{ user: alice@example.com }]
    headers: { Host: { from: login } }
""")
    assert any(":4:" in line and "Host" in line for line in lines), lines
    assert "test failed" in lines[-1]
