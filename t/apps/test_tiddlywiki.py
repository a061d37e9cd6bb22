# Copyright (C) The Tailgate authors

"""TiddlyWiki: who may write is decided person by person, on every request."""

import re
import shlex

import pytest

from appkit.examples import printed
from appkit.installs import npm
from appkit.processes import Program
from tailgate_test import free_port, listening


def command_of(unit):
    """The words of ExecStart, its continued lines joined."""
    line = re.search(r"^ExecStart=(.*)$", unit.replace("\\\n", " "), re.M)[1]
    return shlex.split(line)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiddlywiki")
    port = free_port()
    program = npm("tiddlywiki") / "node_modules/.bin/tiddlywiki"
    wiki = folder / "wiki"
    unit = printed("tiddlywiki", "tiddlywiki.service", {
        "/usr/local/bin/tiddlywiki": program,
        "/var/lib/tiddlywiki": wiki,
        "port=8080": f"port={port}"})
    with Program([program, wiki, "--init", "server"], folder / "init.log",
                 (wiki / "tiddlywiki.info").exists):
        pass
    with Program(command_of(unit), folder / "log",
                 lambda: listening(("127.0.0.1", port))):
        yield {"127.0.0.1:8080": f"127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def site(start_site, app):
    with start_site("tiddlywiki", app) as site:
        yield site


def status(browser, headers=()):
    answer = browser.once("GET", "/status", headers=headers)
    assert answer.status == 200, answer.text
    return answer.json["username"], answer.json["read_only"]


def write(browser, title):
    return browser.once(
        "PUT", f"/recipes/default/tiddlers/{title}",
        b'{"title":"%s","text":"hello"}' % title.encode(),
        {"Content-Type": "application/json",
         "X-Requested-With": "TiddlyWiki"}).status


def test_who_writes_and_who_reads(site):
    assert status(site.browser("alice")) == ("alice@example.com", False)
    assert status(site.browser("bob")) == ("bob@example.com", True)


def test_a_login_beyond_ascii_arrives_intact(site):
    assert status(site.browser("zoe")) == ("zoë@example.com", False)


def test_only_a_writer_can_write(site):
    assert write(site.browser("alice"), "Alices") == 204
    assert write(site.browser("bob"), "Bobs") in (401, 403)
    read = "/recipes/default/tiddlers/"
    assert site.browser("bob").once("GET", read + "Alices").status == 200
    assert site.browser("bob").once("GET", read + "Bobs").status == 404


@pytest.mark.parametrize("header", [
    "X-Webauth-User", "x-webauth-user", "X_Webauth_User", "X.Webauth.User"])
def test_a_forged_header_changes_nothing(site, header):
    forged = {header: "alice@example.com"}
    assert status(site.browser("bob"), forged) == ("bob@example.com", True)


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"X-Webauth-User": "alice@example.com"})
