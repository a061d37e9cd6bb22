# Copyright (C) The Tailgate authors

"""Fixtures of the application tests."""

import pytest

import appkit.site
from appkit.tailnet import Tailnet


@pytest.fixture(scope="module")
def tailnet(tmp_path_factory):
    with Tailnet(tmp_path_factory.mktemp("tailnet")) as tailnet:
        yield tailnet


@pytest.fixture(scope="module")
def start_site(tailnet, tmp_path_factory):
    """A function of an example's name and of what to replace in it."""
    def start(name, replace):
        folder = tmp_path_factory.mktemp(f"{name}-site")
        return appkit.site.start_site(tailnet, folder, name, replace)
    return start


@pytest.fixture(scope="module")
def check_doors(tailnet):
    """Strangers and machines stay out, and so does all in an outage."""
    def check(site, forged, path="/"):
        for who in ("stranger", "machine"):
            for headers in ({}, forged):
                answer = site.browser(who).once("GET", path, headers=headers)
                assert answer.status == 403, (who, headers, answer.text)
        alice = site.browser("alice")
        with tailnet.outage():
            for headers in ({}, forged):
                answer = alice.once("GET", path, headers=headers)
                assert answer.status == 503, (headers, answer.text)
                assert answer.headers["Retry-After"]
        assert alice.once("GET", path).status < 400
    return check
