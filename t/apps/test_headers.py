# Copyright (C) The Tailgate authors

"""What each example sends to its application, byte by byte."""

import pytest
from tailgate_test import Echo

ALICE = "alice@example.com"
ZOE = "zoë@example.com"

# The address of the application in examples/NAME/nginx.conf, and what it is
# sent for zoe, who is in group:editors and group:staff.
EXAMPLES = {
    "netbox": ("127.0.0.1:8001", {
        "Remote-User": ZOE.encode("latin-1"),
        "Remote-User-Email": ZOE.encode("latin-1"),
        "Remote-User-First-Name": "Zoë".encode("latin-1"),
        "Remote-User-Last-Name": "Ångström".encode("latin-1"),
        "Remote-User-Group": b"group:editors|group:staff"}),
    "radicale": ("127.0.0.1:5232", {
        "X-Remote-User": ZOE.encode("latin-1")}),
    "tiddlywiki": ("127.0.0.1:8080", {
        "X-Webauth-User": b"zo%C3%AB%40example.com"}),
    "otterwiki": ("127.0.0.1:8083", {
        "X-Otterwiki-Name": "Zoë Ångström".encode("latin-1"),
        "X-Otterwiki-Email": ZOE.encode("latin-1"),
        "X-Otterwiki-Permissions": b"READ,WRITE,UPLOAD"}),
    "jupyterhub": ("127.0.0.1:8000", {
        "X-Webauth-User": ZOE.encode("latin-1")}),
    "pgadmin": ("127.0.0.1:5050", {
        "X-Forwarded-User": ZOE.encode("latin-1"),
        "X-Pgadmin-Webserver-Secret": b"the secret"}),
    "grafana": ("127.0.0.1:3000", {
        "X-Webauth-User": b"zo=C3=AB@example.com",
        "X-Webauth-Email": b"zo=C3=AB@example.com",
        "X-Webauth-Name": b"Zo=C3=AB =C3=85ngstr=C3=B6m",
        "X-Webauth-Role": b"Viewer",
        "X-Webauth-Groups": b"group:editors,group:staff"}),
}
MANAGED = sorted({name.lower() for _, headers in EXAMPLES.values()
                  for name in headers})


@pytest.fixture(scope="module")
def echo():
    with Echo() as echo:
        yield echo


@pytest.fixture(scope="module", params=sorted(EXAMPLES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def site(name, start_site, echo, tmp_path_factory):
    replace = {EXAMPLES[name][0]: f"127.0.0.1:{echo.port}"}
    if name == "pgadmin":
        secret = tmp_path_factory.mktemp("secret") / "pgadmin.secret"
        secret.write_text("the secret\n")
        secret.chmod(0o600)
        replace["/etc/tailgate/pgadmin.secret"] = secret
    with start_site(name, replace) as site:
        yield site


def folded(name):
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def identity(browser, headers=()):
    """Every header that folds to a managed name, with its bytes."""
    answer = browser.once("GET", "/", headers=headers)
    assert answer.status == 200, answer.text
    return sorted((sent.lower(), value.encode("latin-1"))
                  for sent, value in answer.json["raw_headers"]
                  if folded(sent) in MANAGED)


def spellings(name):
    dashed = [name, name.title(), name.upper()]
    return dashed + [spelt.replace("-", other)
                     for spelt in dashed for other in "_."]


def test_exactly_these_bytes_arrive(site, name):
    wanted = EXAMPLES[name][1]
    assert identity(site.browser("zoe")) == sorted(
        (header.lower(), value) for header, value in wanted.items())


@pytest.mark.parametrize("spelling", range(9))
def test_no_spelling_of_a_managed_header_comes_through(site, spelling):
    zoe = site.browser("zoe")
    forged = {spellings(header)[spelling]: "evil" for header in MANAGED}
    assert identity(zoe, forged) == identity(zoe)
