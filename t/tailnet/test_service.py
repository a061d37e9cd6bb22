# Copyright (C) The Tailgate authors

"""A Tailscale Service: an address that is not the node's own."""

import json

import pytest

import web
from net import CAP, SERVICE, SERVICE_V4, SERVICE_V6

LOGIN = "X-WEBAUTH-USER"

PLACES = """
        location / {
            tailgate on;
            tailgate_headers webauth;
            tailgate_set_header X-Caps $tailgate_caps;
            proxy_pass http://127.0.0.1:@APP@;
        }

        location /off/ {
            tailgate off;
            proxy_pass http://127.0.0.1:@APP@;
        }
"""

PLAIN = """
    tailgate_localapi unix:@LOCALAPI@;

    server {
        listen @PORT@;
        listen [::]:@PORT@;
""" + PLACES + "}"

CONFIGURED = """
    tailgate_localapi unix:@LOCALAPI@;
    tailgate_service @SERVICE@ @VIP4@;
    tailgate_service @SERVICE@ @VIP6@;

    server {
        listen @PORT@;
        listen [::]:@PORT@;
""" + PLACES + "}"


@pytest.fixture(scope="module", autouse=True)
def addresses(srv):
    """A Service without "tailscale serve" hands its packets to the host,
    which has to have the address."""

    for address in (f"{SERVICE_V4}/32", f"{SERVICE_V6}/128"):
        srv.space.ip("addr", "add", address, "dev", "lo")

    yield

    for address in (f"{SERVICE_V4}/32", f"{SERVICE_V6}/128"):
        srv.space.ip("addr", "del", address, "dev", "lo")


def caps(answer):
    return json.loads(answer.seen("X-Caps")[0])


def test_unknown_local_address_is_a_stranger(srv, alice):
    """Nobody said that this node answers for it."""

    with web.serving(srv, "service-plain", PLAIN) as nginx:
        for address in (SERVICE_V4, SERVICE_V6):
            where = (address, nginx.port)

            assert web.get(alice, where, "/off/").status == 200
            assert web.said(web.get(alice, where)) == (
                403, "stranger", None)

        # the node's own address is as good as ever
        assert web.get(alice, (srv.v4, nginx.port)).status == 200


def test_service(srv, alice, bob, ci):
    """The login is the person's, the capabilities are the Service's own."""

    with web.serving(srv, "service", CONFIGURED, SERVICE=SERVICE,
                     VIP4=SERVICE_V4, VIP6=SERVICE_V6) as nginx:
        for address in (SERVICE_V4, SERVICE_V6):
            where = (address, nginx.port)
            answer = web.get(alice, where)

            assert answer.status == 200
            assert answer.seen(LOGIN) == ["alice@example.com"]
            assert caps(answer) == {CAP: [{"role": "wiki-editor"}]}

            answer = web.get(bob, where)

            assert answer.seen(LOGIN) == ["bob@example.com"]
            assert caps(answer) == {}
            assert web.get(ci, where).status == 403

        answer = web.get(alice, (srv.v4, nginx.port))

        assert caps(answer) == {
            CAP: [{"role": "admin", "paths": ["/admin/"]}]}
