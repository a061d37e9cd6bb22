# Copyright (C) The Tailgate authors

"""A policy on a real tailnet: what the control server's policy grants opens a
route, and the role of the grant is what Grafana makes of the person."""

import contextlib
import sys
from pathlib import Path

import pytest

import web
from net import GRANTS

# the Grafana that follows its source
sys.path.append(str(Path(__file__).resolve().parents[1] / "apps"))

from appkit.grafana import Server

CAP = "example.com/cap/grafana"

INI = """
[auth.proxy]
enabled = true
header_name = X-WEBAUTH-USER
headers = Role:X-WEBAUTH-ROLE
"""

POLICY = f"""
version: 1
routes:
  - name: grafana
    allow:
      - {{ capability: {CAP} }}
    headers:
      X-WEBAUTH-USER: {{ from: login }}
      X-WEBAUTH-ROLE:
        from: capability {CAP}
        field: role
        order: [Viewer, Editor, Admin]
        default: Viewer
  - name: admin
    paths: /admin
    allow:
      - capability: {CAP}
        where: {{ role: admin }}
"""

CONF = """
    tailgate_localapi unix:@LOCALAPI@;

    # grants are not on the bus: without it their change is seen by the ttl
    tailgate_cache off;

    server {
        listen @PORT@;
        add_header X-Rule $tailgate_rule always;
        add_header X-Reason $tailgate_reason always;

        location / {
            tailgate on;
            tailgate_policy @POLICY@;
            proxy_pass http://127.0.0.1:@GRAFANA@;
        }
    }
"""


@pytest.fixture(scope="module")
def nginx(srv):
    path = srv.net.folder / "grafana-policy.yaml"
    path.write_text(POLICY, encoding="utf-8")

    with srv.space.entered():
        grafana = Server(INI)

    try:
        with web.serving(srv, "policy", CONF, POLICY=path,
                         GRAFANA=grafana.address[1]) as server:
            yield server
    finally:
        grafana.stop()


@contextlib.contextmanager
def granted(net, srv, peer, login, values):
    """The control server's policy grants the capability, and srv knows it."""

    def capability(who):
        return (who["CapMap"] or {}).get(CAP)

    net.admin("PUT", "/grants", [*GRANTS, {
        "src": [login], "dst": ["tag:web"], "app": {CAP: values}}])
    try:
        yield net.seen(srv, peer, "the grant",
                       lambda who: capability(who) == values)
    finally:
        net.admin("PUT", "/grants", GRANTS)
        net.seen(srv, peer, "no grant", lambda who: capability(who) is None)


def ask(machine, srv, nginx, target="/api/user"):
    answer = web.get(machine, (srv.v4, nginx.port), target)
    return answer, answer.header("X-Rule"), answer.header("X-Reason")


def test_without_the_grant(srv, nginx, alice, ci, carol):
    for machine in (alice, ci, carol):
        answer, rule, reason = ask(machine, srv, nginx)
        assert (answer.status, rule or "-", reason) == (403, "-", "no-allow")


@pytest.mark.parametrize("values, role", [
    ([{"role": "viewer"}], "Viewer"),
    ([{"role": "editor"}], "Editor"),
    ([{"role": "viewer"}, {"role": "admin"}, {"role": "editor"}], "Admin"),
    ([{"role": ["viewer", "editor"]}], "Editor"),
    ([{"role": "GrafanaAdmin"}], "Viewer"),
    ([{"role": 7}], "Viewer"),
])
def test_the_grant_opens_the_route(net, srv, nginx, alice, bob, values, role):
    with granted(net, srv, alice, "alice@example.com", values):
        answer, rule, reason = ask(alice, srv, nginx)
        assert (answer.status, rule, reason) \
            == (200, "grafana.allow[0]", "allowed")
        assert answer.json()["login"] == "alice@example.com"
        assert answer.json()["orgs"] == {"1": role}

        # it is hers alone
        assert ask(bob, srv, nginx)[0].status == 403

    assert ask(alice, srv, nginx)[0].status == 403


def test_what_is_in_the_grant_opens_more(net, srv, nginx, alice):
    with granted(net, srv, alice, "alice@example.com", [{"role": "editor"}]):
        answer, _, reason = ask(alice, srv, nginx, "/admin/users")
        assert (answer.status, reason) == (403, "no-allow")

    with granted(net, srv, alice, "alice@example.com", [{"role": "admin"}]):
        answer, rule, _ = ask(alice, srv, nginx, "/admin/users")
        assert rule == "admin.allow[0]"
        assert answer.status != 403


def test_a_tagged_node_may_have_it(net, srv, nginx, ci):
    with granted(net, srv, ci, "tag:ci", [{"role": "editor"}]):
        _, rule, reason = ask(ci, srv, nginx)
        assert (rule, reason) == ("grafana.allow[0]", "allowed")
