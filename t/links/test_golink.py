# Copyright (C) The Tailgate authors

"""golink's behaviour that takes a daemon of its own; the rest is in
test_rows.py. docs/links/golink.md lists what is different, and why."""

import pytest

from golink import ADDRESSES, ADMIN, BAR, SCRIPT, Links
from network_test import own_network

WAYS = ["tailnet", "nginx"]


def make(links, name, long, **more):
    answer = links.save(name, long, **more)
    assert answer.status == 200, (name, long, answer)
    return answer


def check_takeover(links):
    make(links, "left", "http://x/", owner="a@example.com", who=ADMIN)
    assert links.save("left", "http://y/").status == 403
    links.localapi.status = {**links.localapi.status, "User": {
        "1": {"LoginName": "foo@example.com"},
        "2": {"LoginName": "bar@example.com"}}}
    # a node that is not up yet knows too few, and nobody has left for that
    running = links.localapi.status
    links.localapi.status = {**running, "BackendState": "Starting"}
    links.restart()
    assert links.save("left", "http://y/").status == 403
    links.localapi.status = running
    # the list of people is some seconds old at most
    links.restart()
    answer = make(links, "left", "http://y/")
    assert answer.json()["Owner"] == "foo@example.com"
    assert links.save("left", "http://z/", who=BAR).status == 403


@pytest.mark.parametrize("way", WAYS)
def test_takeover(way, store, tmp_path):

    @own_network(*ADDRESSES)
    def run():
        with Links(tmp_path, way, store=store) as links:
            check_takeover(links)

    run()


@own_network(*ADDRESSES)
def test_readonly(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        make(links, "who", "http://who/")
        links.authd.stop()

    with Links(tmp_path, "tailnet", "  readonly: yes") as links:
        for answer in (links.save("who", "http://x/"),
                       links.form("/.delete/who", {}, SCRIPT)):
            assert answer.status == 405
            assert answer.body == b"golink is in read-only mode\n"
        assert links.get("/who").header("Location") == "http://who/"


@own_network(*ADDRESSES)
def test_fallback(tmp_path):
    with Links(tmp_path, "tailnet", "  fallback: http://oldgo/") as links:
        answer = links.get("/old/page?q=1")
        assert (answer.status, answer.header("Location")) \
            == (302, "http://oldgo/old/page?q=1")
