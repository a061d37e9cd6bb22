# Copyright (C) The Tailgate authors

"""tailgate whois: what it prints, and how it ends."""

import json
import subprocess

import pytest

from tailgate_test import Devnet, TAILGATE

PEOPLE = """
tailnet: example.ts.net
users:
  - login: alice@example.com
    name: Alice Ångström
    picture: https://pics.example/alice.png
    groups: [admins, "net ops"]
  - login: bob@example.com
    name: Bob Baker
nodes:
  - name: alice-laptop
    addresses: [100.64.0.4, "fd7a:115c:a1e0::4"]
    user: alice@example.com
    os: macOS
    os_version: "15.3"
    capabilities:
      example.com/cap/wiki: [{ role: admin }]
  - name: alice-phone
    address: 127.0.0.11
    user: alice@example.com
  - name: ci-runner
    address: 100.64.0.6
    tags: ["tag:ci"]
  - name: old-laptop
    address: 100.64.0.7
    user: bob@example.com
    expired: true
services:
  - name: svc:wiki
    address: 100.100.1.1
"""

KNOWN, STRANGER, USAGE, UNAVAILABLE = 0, 1, 2, 3


@pytest.fixture(name="devnet", scope="module")
def fixture_devnet(tmp_path_factory):
    with Devnet(tmp_path_factory.mktemp("whois"), PEOPLE) as devnet:
        yield devnet


def whois(devnet, *arguments):
    return subprocess.run(
        [TAILGATE, "whois", "--socket", devnet.socket, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=20, check=False)


def rows(text):
    return {line[:14].strip(): line[14:] for line in text.splitlines()}


def test_names_do_not_turn_the_terminal_around(tmp_path):
    """Names may hold marks, overrides and isolates, and a table shows none of
    them; JSON, which is for programs, has the whole name."""

    with Devnet(tmp_path, PEOPLE) as devnet:
        devnet.ctl("name", "alice@example.com", "A\u202eecila\u2066\u200fz")
        done = whois(devnet, "100.64.0.4")
        assert done.returncode == KNOWN
        assert rows(done.stdout)["name"] == "A?ecila??z"

        done = whois(devnet, "--json", "100.64.0.4")
        assert json.loads(done.stdout)["name"] == "A\u202eecila\u2066\u200fz"


def test_table_of_a_person(devnet):
    done = whois(devnet, "100.64.0.4")
    assert (done.returncode, done.stderr) == (KNOWN, "")
    table = rows(done.stdout)
    assert table["address"] == "100.64.0.4"
    assert table["status"] == "member"
    assert table["login"] == "alice@example.com"
    assert table["name"] == "Alice Ångström"
    assert table["groups"] == "admins,net ops"
    assert table["node"] == "alice-laptop.example.ts.net"
    assert table["tailnet"] == "example.ts.net"
    assert table["os"] == "macOS"
    assert table["os version"] == "15.3"
    assert table["key expiry"] == "never"
    assert table["verdict"].startswith("allow: ")
    assert "tags" not in table


@pytest.mark.parametrize("address", [
    "fd7a:115c:a1e0::4", "[fd7a:115c:a1e0::4]:443", "::ffff:100.64.0.4",
    "100.64.0.4:40000"])
def test_every_form_of_an_address(devnet, address):
    done = whois(devnet, "--json", address)
    assert done.returncode == KNOWN, done.stderr
    assert json.loads(done.stdout)["login"] == "alice@example.com"


def test_json_of_a_person(devnet):
    seen = json.loads(whois(devnet, "--json", "100.64.0.4").stdout)
    assert seen["status"] == "member"
    assert seen["verdict"] == "allow"
    assert seen["user"] == "alice"
    assert seen["groups"] == ["admins", "net ops"]
    assert seen["node_addr"] == "100.64.0.4"
    assert seen["picture"] == "https://pics.example/alice.png"
    assert seen["capabilities"] == {"example.com/cap/wiki":
                                    [{"role": "admin"}]}
    assert "tags" not in seen


def test_a_tagged_node_is_no_person(devnet):
    seen = json.loads(whois(devnet, "--json", "100.64.0.6").stdout)
    assert seen["status"] == "tagged"
    assert seen["tags"] == ["tag:ci"]
    assert seen["verdict"] == "deny"
    assert "tagged" in seen["reason"]
    assert not {"login", "user", "name", "picture"} & seen.keys()


def test_an_expired_peer_is_known_and_denied(devnet):
    done = whois(devnet, "--json", "100.64.0.7")
    assert done.returncode == KNOWN
    seen = json.loads(done.stdout)
    assert (seen["status"], seen["verdict"]) == ("expired", "deny")


def test_loopback_goes_by_port(devnet):
    done = whois(devnet, "--json", "127.0.0.11:40000")
    assert done.returncode == KNOWN, done.stderr
    assert json.loads(done.stdout)["node"] == "alice-phone.example.ts.net"

    done = whois(devnet, "127.0.0.11")
    assert done.returncode == USAGE
    assert "needs its port" in done.stderr


@pytest.mark.parametrize("address, reason", [
    ("100.64.0.99", "nobody on the tailnet"),
    ("127.0.0.99:1234", "nobody on the tailnet"),
    ("192.0.2.1", "not a tailnet address")])
def test_strangers(devnet, address, reason):
    done = whois(devnet, "--json", address)
    assert done.returncode == STRANGER
    seen = json.loads(done.stdout)
    assert (seen["status"], seen["verdict"]) == ("stranger", "deny")
    assert reason in seen["reason"]


@pytest.mark.parametrize("arguments, says", [
    ([], "one address is wanted, not 0"),
    (["100.64.0.4", "100.64.0.5"], "one address is wanted, not 2"),
    (["100.64.0.4/32"], "is no address"),
    (["fe80::1%eth0"], "zone id"),
    (["--nonsense", "100.64.0.4"], "not understood"),
    (["--service", "svc wiki", "100.64.0.4"], "no name of a Service")])
def test_wrong_command_lines(devnet, arguments, says):
    done = whois(devnet, *arguments)
    assert done.returncode == USAGE
    assert says in done.stderr
    assert done.stdout == ""


def test_help():
    done = subprocess.run([TAILGATE, "whois", "--help"],
                          stdout=subprocess.PIPE, encoding="utf-8",
                          check=True)
    assert done.stdout.startswith("usage: tailgate whois")


def test_no_socket_is_said(tmp_path):
    path = str(tmp_path / "none.sock")
    done = subprocess.run(
        [TAILGATE, "whois", "--socket", path, "100.64.0.4"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        check=False)
    assert done.returncode == UNAVAILABLE
    assert done.stdout == ""
    assert path in done.stderr


@pytest.mark.parametrize("kind", [
    "truncated", "half-json", "oversized", "garbage", "wrong-type",
    "duplicate-keys", "empty-profile", "server-error", "close", "not-http"])
def test_nonsense_is_unavailable(tmp_path, kind):
    with Devnet(tmp_path, PEOPLE) as devnet:
        devnet.ctl("nonsense", kind, "whois")
        done = whois(devnet, "--json", "100.64.0.4")
        assert done.returncode == UNAVAILABLE
        assert done.stderr.startswith("tailgate whois: error: ")
        seen = json.loads(done.stdout)
        assert (seen["status"], seen["verdict"]) \
            == ("unavailable", "unavailable")
        assert "login" not in seen


def test_a_node_that_is_starting_is_unavailable(tmp_path):
    with Devnet(tmp_path, PEOPLE) as devnet:
        devnet.ctl("state", "NoState")
        done = whois(devnet, "100.64.0.4")
        assert done.returncode == UNAVAILABLE
        assert "NoState" in done.stderr
