# Copyright (C) The Tailgate authors

"""What a 404 of the LocalAPI means: a stranger, or a tailscaled that does not
have the map of its peers yet. Seen in t/tailnet with a real one."""

import itertools

import pytest

from localapi_test import LocalAPI, NOT_FOUND, OWN, http, person
from tailgate_test import get

CONF = """
server {
    listen 127.0.0.1:@PORT@;
    add_header X-Status $tailgate_status always;
    location / { tailgate on; proxy_pass http://127.0.0.1:@APP@; }
}
"""


@pytest.fixture
def ask(world, tmp_path):
    """ask(whois, ...): the answer to one request, and the LocalAPI that gave
    those answers."""

    def request(whois, **attributes):
        api = LocalAPI(str(tmp_path / "api.sock"), whois=whois)
        vars(api).update(attributes)
        world.start(api)
        nginx = world.nginx(CONF, localapi=api.path)

        return get(nginx.port, "/"), api

    return request


def test_stranger(ask):
    """The question is put again to a tailscaled that knows itself."""

    answer, api = ask(NOT_FOUND)

    assert (answer.status, answer.header("X-Status")) == (403, "stranger")

    first, itself, again = api.queries()
    assert first == again
    assert itself == {"addr": OWN}
    assert [kind for kind, _ in api.asked if kind == "whois"] == ["whois"] * 3


def test_running_without_peers_is_an_outage(ask):
    answer, api = ask(NOT_FOUND, knows_itself=False)

    assert (answer.status, answer.header("X-Status")) == (503, "unavailable")
    assert len(api.queries()) == 2


def test_peers_that_come_meanwhile_are_known(ask):
    """The map comes between the 404 and the answer to the state."""

    turns = itertools.count()

    def whois(query):
        if query == {"addr": OWN}:
            return http(body=person("web@example.com", "", OWN))
        if next(turns) == 0:
            return NOT_FOUND
        return http(body=person("alice@example.com"))

    answer, _ = ask(whois)

    assert (answer.status, answer.header("X-Status")) == (200, "member")


def test_no_answer_about_itself_is_an_outage(ask):
    def whois(query):
        return None if query == {"addr": OWN} else NOT_FOUND

    answer, _ = ask(whois)

    assert (answer.status, answer.header("X-Status")) == (503, "unavailable")
