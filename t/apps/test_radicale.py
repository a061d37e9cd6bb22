# Copyright (C) The Tailgate authors

"""Radicale: a person's calendars are theirs alone."""

import re

import pytest

from appkit.examples import printed
from appkit.installs import venv
from appkit.processes import Program
from tailgate_test import free_port, listening

PRINCIPAL = b"""<?xml version="1.0"?>
<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>"""


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("radicale")
    port = free_port()
    config = folder / "config"
    config.write_text(printed("radicale", "config", {
        "127.0.0.1:5232": f"127.0.0.1:{port}",
        "/var/lib/radicale": folder}))
    with Program([venv("radicale") / "bin/radicale", "--config", config],
                 folder / "log", lambda: listening(("127.0.0.1", port))):
        yield {"127.0.0.1:5232": f"127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def site(start_site, app):
    with start_site("radicale", app) as site:
        yield site


def principal(browser, headers=()):
    answer = browser.once("PROPFIND", "/", PRINCIPAL,
                          {"Depth": "0", **dict(headers)})
    assert answer.status == 207, answer.text
    return re.search(r"<current-user-principal>\s*<href>([^<]*)<",
                     answer.text)[1]


def test_the_principal_is_the_person(site):
    assert principal(site.browser("alice")) == "/alice%40example.com/"
    assert principal(site.browser("bob")) == "/bob%40example.com/"


def test_a_login_beyond_ascii_arrives_intact(site):
    assert principal(site.browser("zoe")) == "/zo%C3%AB%40example.com/"


def test_calendars_are_made_in_the_own_home_only(site):
    alice, bob = site.browser("alice"), site.browser("bob")
    home = "/alice%40example.com"
    principal(alice)
    assert alice.once("MKCALENDAR", f"{home}/team/").status == 201
    assert bob.once("MKCALENDAR", f"{home}/bobs/").status == 403
    depth = {"Depth": "0"}
    assert alice.once("PROPFIND", f"{home}/team/",
                      headers=depth).status == 207
    assert bob.once("PROPFIND", f"{home}/team/", headers=depth).status == 403


@pytest.mark.parametrize("header", [
    "X-Remote-User", "x-remote-user", "X_Remote_User", "X.Remote.User"])
def test_a_forged_header_changes_nothing(site, header):
    forged = {header: "alice@example.com"}
    assert principal(site.browser("bob"), forged) == "/bob%40example.com/"


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"X_Remote_User": "alice@example.com"})
