# Copyright (C) The Tailgate authors

"""The tailnet itself: what WhoIs says of each kind of peer, and how soon."""

from datetime import datetime, timedelta, timezone

import pytest

from net import CAP, GRANTS, SERVICE, SERVICE_V4, SERVICE_V6, USERS
from space import wait_for

ALICE = {
    "ID": 1,
    "LoginName": "alice@example.com",
    "DisplayName": "Alice Ångström",
    "ProfilePicURL": "https://pics.example/alice.png",
    "Groups": ["group:eng"],
}

TAGGED = {
    "ID": 2147455555,
    "LoginName": "tagged-devices",
    "DisplayName": "Tagged Devices",
}


def whois(srv, addr, **params):
    answer = srv.localapi.whois(addr, **params)
    assert answer.status == 200, answer.text

    return answer.json()


def test_user(srv, alice, bob):
    who = whois(srv, alice.v4)

    assert who["UserProfile"] == ALICE
    assert who["Node"]["Name"] == "alice-laptop.tail.example."
    assert who["Node"]["StableID"].endswith("CNTRL")
    assert who["Node"]["AllowedIPs"] == [f"{alice.v4}/32", f"{alice.v6}/128"]
    assert who["Node"]["MachineAuthorized"] is True
    assert "Tags" not in who["Node"] and "Sharer" not in who["Node"]
    assert who["Node"]["Hostinfo"]["OS"] == "linux"
    assert who["CapMap"] == {CAP: [{"role": "admin", "paths": ["/admin/"]}]}

    who = whois(srv, bob.v4)

    assert who["UserProfile"]["LoginName"] == "bob@example.com"
    assert who["CapMap"] is None


def test_every_form_of_address(srv, alice):
    one = srv.localapi.whois(alice.v4).body

    for addr in (alice.v6, f"::ffff:{alice.v4}", f"{alice.v4}:4321",
                 f"[{alice.v6}]:4321"):
        assert srv.localapi.whois(addr).body == one, addr


def test_tagged(srv, ci):
    who = whois(srv, ci.v4)

    assert who["Node"]["Tags"] == ["tag:ci"]
    assert who["UserProfile"] == TAGGED
    assert who["CapMap"] == {CAP: [{"role": "deployer"}]}


def test_shared(srv, carol):
    who = whois(srv, carol.v4)

    assert who["Node"]["Name"] == "carol-laptop.other.example."
    assert who["Node"]["ComputedName"] == "carol-laptop.other.example"
    assert who["Node"]["Sharer"] == 1
    assert who["Node"]["Hostinfo"]["ShareeNode"] is True
    assert who["UserProfile"]["LoginName"] == "carol@other.example"


@pytest.mark.parametrize("addr", ["100.99.99.99", "10.77.0.11", "127.0.0.1",
                                  "127.0.0.1:5555", "192.0.2.1"])
def test_unknown(srv, addr):
    answer = srv.localapi.whois(addr)

    assert (answer.status, answer.text) == (404, "no match for IP:port\n")


@pytest.mark.parametrize("params", [{"svc_name": SERVICE},
                                    {"dst_ip": SERVICE_V4},
                                    {"dst_ip": SERVICE_V6}])
def test_service_has_capabilities_of_its_own(srv, alice, bob, params):
    assert whois(srv, alice.v4, **params)["CapMap"] == {
        CAP: [{"role": "wiki-editor"}]}
    assert whois(srv, bob.v4, **params)["CapMap"] is None


def test_service_is_announced_to_its_host(srv):
    hosted = srv.localapi.status()["Self"]["CapMap"]["service-host"]

    assert hosted == [{SERVICE: [SERVICE_V4, SERVICE_V6]}]


def test_expired_peer_is_still_known(net, srv, bob):
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    zero = "0001-01-01T00:00:00Z"

    with srv.localapi.bus(1 << 12) as bus:
        net.change(bob, key_expiry=past.isoformat())

        try:
            who = net.seen(srv, bob, "expired",
                           lambda w: w["Node"].get("Expired"))
            assert who["UserProfile"]["LoginName"] == "bob@example.com"
            assert who["Node"]["KeyExpiry"][:19] == past.isoformat()[:19]
            assert bus.until("PeersChanged")
        finally:
            net.change(bob, key_expiry=zero)
            net.seen(srv, bob, "not expired",
                 lambda w: not w["Node"].get("Expired"))


def test_rename_and_retag(net, srv, ci):
    with srv.localapi.bus(1 << 12) as bus:
        net.change(ci, name="builder", tags=["tag:ci", "tag:db"])

        try:
            changed = bus.until("PeersChanged")["PeersChanged"]
            assert [n["Name"] for n in changed] == ["builder.tail.example."]

            who = whois(srv, ci.v4)
            assert who["Node"]["Tags"] == ["tag:ci", "tag:db"]
        finally:
            net.change(ci, name="ci-runner", tags=["tag:ci"])
            net.seen(srv, ci, "renamed back",
                 lambda w: w["Node"]["ComputedName"] == "ci-runner")


def test_move_to_another_user(net, srv, bob):
    with srv.localapi.bus(1 << 12) as bus:
        net.change(bob, user="alice@example.com")

        try:
            changed = bus.until("PeersChanged")["PeersChanged"]
            assert [n["User"] for n in changed] == [1]
            assert whois(srv, bob.v4)["UserProfile"] == ALICE
        finally:
            net.change(bob, user="bob@example.com")
            net.seen(srv, bob, "bob's again", lambda w: w["Node"]["User"] == 2)


def test_remove_and_come_back(net, srv, bob):
    """Hidden from srv, and shown again: the address stays the same."""

    with srv.localapi.bus(1 << 12) as bus:
        number = whois(srv, bob.v4)["Node"]["ID"]
        net.change(bob, hidden=True)

        try:
            assert bus.until("PeersRemoved")["PeersRemoved"] == [number]
            assert srv.localapi.whois(bob.v4).status == 404
        finally:
            net.change(bob, hidden=False)
            net.seen(srv, bob, "shown again")


def test_groups_come_as_a_profile_alone(net, srv, bob):
    user = dict(USERS[1])
    login = user.pop("login")

    with srv.localapi.bus((1 << 12) | (1 << 14)) as bus:
        bus.until("InitialStatus")
        net.admin("PUT", f"/users/{login}",
                  dict(user, groups=["group:ops", "group:oncall"]))

        try:
            message = bus.until("UserProfiles")
            assert message.get("PeersChanged") is None
            assert whois(srv, bob.v4)["UserProfile"]["Groups"] == [
                "group:ops", "group:oncall"]
        finally:
            net.admin("PUT", f"/users/{login}", user)
            net.seen(srv, bob, "groups as before",
                 lambda w: w["UserProfile"]["Groups"] == ["group:ops"])


def test_capability_change_is_not_on_the_bus(net, srv, carol):
    """What bounds the life of a cached identity, so it has to be so."""

    grants = GRANTS + [{"src": ["carol@other.example"], "dst": ["tag:web"],
                        "app": {CAP: [{"role": "guest"}]}}]

    # of a node that no other test changes; what nodes report of themselves
    # may come meanwhile
    number = whois(srv, carol.v4)["Node"]["ID"]

    with srv.localapi.bus(1 << 12) as bus:
        net.admin("PUT", "/grants", grants)

        try:
            net.seen(srv, carol, "the grant", lambda w: w["CapMap"] == {
                CAP: [{"role": "guest"}]})

            with pytest.raises(TimeoutError):
                while True:
                    message = bus.next(seconds=1)
                    assert message.get("SelfChange") is None
                    assert "9" not in (message.get("UserProfiles") or {})
                    assert number not in [
                        n["ID"] for n in message.get("PeersChanged") or []]
        finally:
            net.admin("PUT", "/grants", GRANTS)
            net.seen(srv, carol, "no grant", lambda w: w["CapMap"] is None)


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_packets_go_through(srv, alice, family):
    """By TUN and WireGuard, both ways."""

    addr = getattr(srv, family)

    with srv.space.listen(addr, 0) as listener:
        with alice.space.connect(addr, listener.getsockname()[1]) as sock:
            peer, source = listener.accept()
            peer.close()

            assert source[0] == getattr(alice, family)
            assert sock.recv(1) == b""


def test_userspace_is_known_by_port(userspace, alice, bob):
    """tailscaled connects to 127.0.0.1 for each of them."""

    with userspace.space.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        ends = []

        for person, login in ((alice, "alice@example.com"),
                              (bob, "bob@example.com")):
            ends.append(person.space.connect(userspace.v4, port))
            ends.append(listener.accept()[0])
            peer = "%s:%d" % ends[-1].getpeername()

            for params in ({}, {"proto": "tcp"}):
                assert whois(userspace, peer, **params)["UserProfile"][
                    "LoginName"] == login

            assert userspace.localapi.whois(peer, proto="udp").status == 404

        for end in ends:
            end.close()

        wait_for("a closed connection is forgotten", lambda:
                 userspace.localapi.whois(peer, proto="tcp").status == 404)


def test_subnet_router(srv, router, behind):
    assert whois(srv, router.v4)["Node"]["AllowedIPs"] == [
        f"{router.v4}/32", f"{router.v6}/128", "10.88.0.0/24"]

    with srv.space.listen(srv.v4, 0) as listener:
        with behind.connect(srv.v4, listener.getsockname()[1]):
            peer, source = listener.accept()
            peer.close()

    assert source[0] == "10.88.0.5"
    assert srv.localapi.whois("10.88.0.5").status == 404
