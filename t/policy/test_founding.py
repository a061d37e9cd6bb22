# Copyright (C) The Tailgate authors

"""The scene that Tailgate began with, by nginx and the stand-in tailnet: a
phone deletes nothing, and a machine one version below the required one stays
outside while one at it comes in."""

import pytest

from tailgate_test import Devnet, Echo, Nginx, get

# People of a tailnet, each on an address of their own; versions change.
PEOPLE = """
tailnet: tail.example
users:
  - login: alice@example.com
  - login: bob@example.com
nodes:
  - name: phone
    addresses: [127.0.0.11]
    user: alice@example.com
    os: iOS
    os_version: "18.2"
  - name: laptop
    addresses: [127.0.0.12]
    user: alice@example.com
    os: linux
    os_version: 6.1.0
  - name: mac-below
    addresses: [127.0.0.13]
    user: alice@example.com
    os: macOS
    os_version: "15.2"
  - name: mac-at
    addresses: [127.0.0.14]
    user: alice@example.com
    os: macOS
    os_version: "15.3"
  - name: mac-ten
    addresses: [127.0.0.15]
    user: alice@example.com
    os: macOS
    os_version: "15.10"
"""

POLICY = """
version: 1
groups:
  admins: [alice@example.com]
always:
  deny: [{ os: iOS, methods: [DELETE] }]
routes:
  - name: grafana
    allow:
      - { group: admins }
    deny:
      - { os: macOS, os_version: "< 15.3" }
"""

CONF = """
tailgate_localapi unix:@LOCALAPI@;
server {
    listen 127.0.0.1:@PORT@;
    add_header X-Rule $tailgate_rule always;
    location / {
        tailgate on;
        tailgate_policy @POLICY@;
        proxy_pass http://127.0.0.1:@APP@;
    }
}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    folder = tmp_path_factory.mktemp("founding")
    policy = folder / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    with Devnet(folder, PEOPLE) as devnet, Echo() as app, \
            Nginx(folder, CONF, LOCALAPI=devnet.socket, APP=app.port,
                  POLICY=policy) as nginx:
        yield nginx


@pytest.mark.parametrize("source, method, status, rule", [
    ("127.0.0.11", "GET", 200, "grafana.allow[0]"),
    ("127.0.0.11", "DELETE", 403, "always.deny[0]"),
    ("127.0.0.12", "DELETE", 200, "grafana.allow[0]"),
    ("127.0.0.13", "GET", 403, "grafana.deny[0]"),
    ("127.0.0.14", "GET", 200, "grafana.allow[0]"),
    ("127.0.0.14", "DELETE", 200, "grafana.allow[0]"),
    ("127.0.0.15", "GET", 200, "grafana.allow[0]"),
])
def test_founding(nginx, source, method, status, rule):
    answer = get(nginx.port, "/api/x", source=source, method=method)
    assert (answer.status, answer.header("X-Rule")) == (status, rule)
