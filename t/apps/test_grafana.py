# Copyright (C) The Tailgate authors

"""Grafana behind Tailgate, by a server that follows its source."""

import pytest

from appkit.examples import printed
from appkit.grafana import Server

ROLE = "tailscale.com/cap/proxy-to-grafana"


@pytest.fixture(scope="module")
def server():
    server = Server(printed("grafana", "grafana.ini", {}))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(start_site, server):
    address = "{}:{}".format(*server.address)
    with start_site("grafana", {"127.0.0.1:3000": address}) as site:
        yield site


def user(browser, headers=()):
    answer = browser.once("GET", "/api/user", headers=headers)
    assert answer.status == 200, answer.text
    return answer.json


def test_each_person_is_themself(site):
    alice = user(site.browser("alice"))
    assert alice["login"] == alice["email"] == "alice@example.com"
    assert alice["name"] == "Alice Baker"
    assert alice["authenticatedBy"] == "auth_proxy"
    assert user(site.browser("bob"))["login"] == "bob@example.com"


def test_names_beyond_ascii_arrive_intact(site):
    zoe = user(site.browser("zoe"))
    assert (zoe["login"], zoe["name"]) == ("zoë@example.com", "Zoë Ångström")


def test_roles_follow_the_grants_at_once_and_down_too(site, tailnet):
    alice = site.browser("alice")
    assert user(alice)["orgs"] == {"1": "Admin"}
    assert user(site.browser("bob"))["orgs"] == {"1": "Viewer"}
    with tailnet.capabilities("alice", {ROLE: [{"role": "viewer"},
                                               {"role": "editor"}]}):
        assert user(alice)["orgs"] == {"1": "Editor"}
    for nothing in ({}, {ROLE: [{"role": "GrafanaAdmin"}]}, {ROLE: ["x"]}):
        with tailnet.capabilities("alice", nothing):
            assert user(alice)["orgs"] == {"1": "Viewer"}
    assert user(alice)["orgs"] == {"1": "Admin"}


@pytest.mark.parametrize("groups", [
    ["group:ops"],
    ["group:ops", "group:staff"],
    ["Net Ops", "group:staff"],
    ["x,y", 'say "hi"', "Größe"],
    ["k=41"],
])
def test_groups_arrive_one_by_one(site, tailnet, groups):
    with tailnet.groups("bob", groups):
        assert sorted(user(site.browser("bob"))["groups"]) == sorted(groups)


@pytest.mark.parametrize("separator", "-_.")
def test_forged_headers_change_nothing(site, separator):
    forged = {separator.join(("X", "WEBAUTH", field)): value
              for field, value in (("USER", "alice@example.com"),
                                   ("EMAIL", "alice@example.com"),
                                   ("NAME", "Mallory"), ("ROLE", "Admin"),
                                   ("GROUPS", "group:ops"))}
    bob = site.browser("bob")
    before = user(bob)
    assert user(bob, forged) == before


def test_an_authorization_header_does_not_come_before_ours(site):
    bearer = {"Authorization": "Bearer unknown"}
    assert user(site.browser("bob"), bearer)["login"] == "bob@example.com"


def test_no_session_is_left_behind(site):
    alice = site.browser("alice")
    user(alice)
    assert alice.cookies() == {}


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"X-WEBAUTH-USER": "alice@example.com"}, "/api/user")
