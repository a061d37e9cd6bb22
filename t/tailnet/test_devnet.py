# Copyright (C) The Tailgate authors

"""tailgate devnet beside a real tailscaled: the same people in both, and the
answers compared field by field. What differs is in EXCEPTIONS, or is a fault.
"""

import json

import pytest
import tailgate_test

from localapi import HOST, LocalAPI
from net import SERVICE, SERVICE_V4, SERVICE_V6
from shape import Exceptions, differences

# Of a node, wherever one is shown

NODE_VALUES = {
    "ID": "numbers are given as nodes come",
    "StableID": "the same",
    "User": "the same",
    "Sharer": "the same",
    "Key": "keys are random",
    "Machine": "keys are random",
    "DiscoKey": "keys are random",
    "Created": "a point in time",
    "Endpoints*": "there is no WireGuard",
    "Hostinfo.IPNVersion": "devnet says which it is",
    "Hostinfo.Container": "a machine's own",
    "Hostinfo.Services*": "no PeerAPI to be reached",
}

NODE_ABSENT = {
    "Hostinfo.BackendLogID": "no logs are kept",
    "Hostinfo.NoLogsNoSupport": "a flag of these tailscaleds",
    "Hostinfo.Distro*": "a machine's own",
    "Hostinfo.NetInfo": "some control servers do not pass it on",
}

# What a node says of itself this control server does not tell it.
OWN_ABSENT = {
    "CapMap.*": "a tailnet gives its nodes other attributes",
    "DiscoKey": "the node's own statement",
    "Endpoints": "the same",
    "HomeDERP": "the same",
}


def under(prefix, patterns):
    return {prefix + pattern: why for pattern, why in patterns.items()}


def people(net, srv):
    """The file of devnet for the real tailnet's nodes, as YAML (JSON is)."""

    def who(node):
        return srv.localapi.whois(node.v4).json()

    services = [{"name": SERVICE, "addresses": [SERVICE_V4, SERVICE_V6]}]
    users, nodes, own = {}, [], None

    for node in sorted(net.nodes.values(),
                       key=lambda node: who(node)["Node"]["ID"]):
        answer = who(node)
        real, profile = answer["Node"], answer["UserProfile"]
        name = real["Name"].rstrip(".")

        entry = {
            "name": name.removesuffix(".tail.example"),
            "hostname": node.hostname,
            "addresses": [node.v4, node.v6],
            "os": real["Hostinfo"]["OS"],
            "os_version": real["Hostinfo"]["OSVersion"],
        }

        if "Tags" in real:
            entry["tags"] = real["Tags"]
        else:
            entry["user"] = profile["LoginName"]
            users[profile["LoginName"]] = {
                key: value for key, value in (
                    ("login", profile["LoginName"]),
                    ("name", profile["DisplayName"]),
                    ("picture", profile.get("ProfilePicURL")),
                    ("groups", profile.get("Groups")),
                ) if value is not None}

        if answer["CapMap"]:
            entry["capabilities"] = answer["CapMap"]

        caps = srv.localapi.whois(node.v4, svc_name=SERVICE).json()["CapMap"]
        if caps:
            entry["service_capabilities"] = {SERVICE: caps}

        if "Sharer" in real:
            entry["shared"] = True

        if node is srv:
            own = entry
        else:
            nodes.append(entry)

    return json.dumps({
        "tailnet": "tail.example", "self": own, "services": services,
        "users": list(users.values()), "nodes": nodes}, indent=1)


@pytest.fixture(scope="module")
def devnet(net, srv):
    """A LocalAPI played by devnet, for the people of the real one."""

    folder = net.folder / "devnet"
    folder.mkdir()

    # a change of srv itself makes it take a whole map: its status only knows
    # the people of the last one
    for name in ("renamed", "web1"):
        net.change(srv, name=name)
        net.seen(srv, srv, name,
                 lambda who, name=name: who["Node"]["ComputedName"] == name)

    with tailgate_test.Devnet(folder, people(net, srv)) as devnet:
        devnet.localapi = LocalAPI(devnet.socket)
        yield devnet




WHOIS = Exceptions(under("Node.", NODE_VALUES) | {
    "UserProfile.ID": "numbers are given as people come",
}, under("Node.", NODE_ABSENT))


OWN = Exceptions(WHOIS.values, WHOIS.absent | under("Node.", OWN_ABSENT))


def test_whois(net, srv, devnet):
    found = []

    for name, node in net.nodes.items():
        real = srv.localapi.whois(node.v4)
        ours = devnet.localapi.whois(node.v4)

        assert (real.status, ours.status) == (200, 200), name

        found += [f"{name}: {line}" for line in
                  differences(real.json(), ours.json(),
                              OWN if node is srv else WHOIS)]

    assert found == [], "\n" + "\n".join(found)
    assert WHOIS.unused() == []


# Of a node in the status, the own one or a peer

PEER_VALUES = {
    "ID": "numbers are given as nodes come",
    "NodeID": "the same",
    "UserID": "the same",
    "AltSharerUserID": "the same",
    "PublicKey": "keys are random",
    "Addrs[0]": "there is no WireGuard",
    "Relay": "there is no relay",
    "Created": "a point in time",
    "PeerAPIURL": "no PeerAPI to be reached",
    "TaildropTarget": "the same",
    "InEngine": "whether packets were sent",
}

STATUS = Exceptions(
    {"Version": "devnet says which it is",
     "Self.Capabilities*": "a tailnet gives its nodes other attributes",
     "User[*].ID": "numbers are given as people come"}
    | under("Self.", PEER_VALUES) | under("Peer[*].", PEER_VALUES),
    {"Self.CapMap.*": "a tailnet gives its nodes other attributes"})


def test_status(srv, devnet):
    found = []

    for query in ("", "?peers=true", "?peers=false"):
        real = srv.localapi.get("status" + query).json()
        ours = devnet.localapi.get("status" + query).json()

        # peers are keyed by their keys, people by their numbers
        for document in (real, ours):
            document["Peer"] = document["Peer"] and sorted(
                document["Peer"].values(), key=lambda n: n["DNSName"])
            document["User"] = document["User"] and sorted(
                document["User"].values(), key=lambda u: u["LoginName"])

        found += [f"{query}: {line}"
                  for line in differences(real, ours, STATUS)]

    assert found == [], "\n" + "\n".join(found)
    assert STATUS.unused() == []


# Requests that WhoIs answers with something else than a peer, or not at all.
# @ALICE@ is her address.

TARGETS = [
    "whois?addr=@ALICE@:4321",
    "whois?addr=@ALICE@:4321&proto=tcp",
    "whois?addr=@ALICE@:4321&proto=udp",
    "whois?addr=@ALICE@:99999",
    "whois?addr=::ffff:@ALICE@",
    "whois?addr=[::ffff:@ALICE@]:80",
    "whois?addr=[@ALICE6@]:80",
    "whois?addr=[@ALICE6@]",
    "whois?addr=@ALICE6@%25eth0",
    "whois?addr=@ALICE@&addr=garbage",
    "whois?addr=%20@ALICE@",
    "whois?addr=@ALICE@/32",
    "whois?addr=garbage",
    "whois?addr=0100.64.0.1",
    "whois?addr=1",
    "whois?addr=",
    "whois?ADDR=@ALICE@",
    "whois",
    "whois?",
    "whois?addr=nodekey:00",
    "whois?addr=nodekey:" + "0" * 64,
    "whois?addr=100.99.99.99",
    "whois?addr=100.99.99.99:80&proto=tcp",
    "whois?addr=10.77.0.11",
    "whois?addr=192.0.2.1",
    "whois?addr=127.0.0.1",
    "whois?addr=127.0.0.1:5555&proto=tcp",
    "whois?addr=[::1]:5555&proto=tcp",
    "whois?addr=@ALICE@&dst_ip=garbage",
    "whois?addr=@ALICE@&dst_ip=",
    "whois?addr=@ALICE@&dst_ip=@ALICE@",
    "whois?addr=@ALICE@&dst_ip=@SRV@",
    "whois?addr=@ALICE@&dst_ip=100.99.9.9",
    "whois?addr=@ALICE@&dst_ip=@VIP@",
    "whois?addr=@ALICE@&dst_ip=@VIP6@",
    "whois?addr=@BOB@&dst_ip=@VIP@",
    "whois?addr=@ALICE@&svc_name=wiki",
    "whois?addr=@ALICE@&svc_name=svc:",
    "whois?addr=@ALICE@&svc_name=svc:wiki",
    "whois?addr=@ALICE@&svc_name=svc%3Awiki",
    "whois?addr=@ALICE@&svc_name=svc:nope",
    "whois?addr=@ALICE@&svc_name=svc:wiki&dst_ip=@SRV@",
    "whois?addr=100.99.99.99&svc_name=wiki",
    "whois;addr=@ALICE@",
    "whois/?addr=@ALICE@",
    "nosuch",
    "",
    "watch-ipn-bus?mask=x",
    "watch-ipn-bus?mask=-1",
]

# Fields of the request itself.

REQUESTS = [
    {"host": "localhost"},
    {"host": "local-tailscaled.sock:80"},
    {"host": ""},
    {"headers": {"Origin": "http://evil.example"}},
    {"headers": {"Referer": "http://evil.example/"}},
    {"headers": {"Sec-Tailscale": "localapi"}},
    {"headers": {"Tailscale-Cap": "1"}},
    {"headers": {"Connection": "close"}},
    {"headers": {"Authorization": "Basic OnRva2Vu"}},
    {"method": "HEAD"},
    {"method": "POST"},
    {"method": "POST", "body": "x" * 10},
    {"method": "OPTIONS"},
    {"target": "/localapi/v0"},
    {"target": "/localapi/v1/whois"},
]

# Where devnet is another server than Go's, on purpose: the request, the status
# of the real answer, of ours, and why.

OTHERWISE = [
    ({"host": None}, 400, 400, "no Host: Go's own words"),
    ({"version": "1.0"}, 200, 200, "one \"Connection: close\" more"),
    ({"target": f"http://{HOST}/localapi/v0/whois?addr=@ALICE@"}, 200, 400,
     "our HTTP server takes origin-form only"),
    ({"target": "/"}, 200, 404, "no page for browsers"),
]

# What an answer differs in, and has to.

HEADERS = Exceptions({
    "Date": "a point in time",
    "Content-Length": "Hostinfo is shorter; the body is compared by itself",
    "Tailscale-Version": "devnet says which it is",
})


def exchange(path, method="GET", target="/", host=HOST, **more):
    """One request; what came back, and whether more could follow."""

    with tailgate_test.Client(str(path)) as client:
        answer = client.request(method, target, host=host, **more)

        client.socket.settimeout(0.2)
        try:
            closed = client.reader.rest() == b""
        except TimeoutError:
            closed = False

    return answer, closed


def filled(request, fill):
    target = request.get("target", "/localapi/v0/whois?addr=@ALICE@")

    return dict(request, target=fill(target))


def compared(srv, devnet, fill, **request):
    """Lines that say where the two answers differ."""

    request = filled(request, fill)

    real, real_closed = exchange(srv.socket, **request)
    ours, ours_closed = exchange(devnet.socket, **request)

    found = differences({"line": real.line, "closed": real_closed},
                        {"line": ours.line, "closed": ours_closed},
                        Exceptions())

    # the order of headers is not compared: it has no meaning
    found += differences(dict(sorted(real.headers)),
                         dict(sorted(ours.headers)), HEADERS)

    if "json" in (real.header("Content-Type") or "") and real.body:
        found += differences(real.json(), ours.json(), WHOIS)
    elif real.body != ours.body:
        found.append(f"body: {real.body!r}, ours {ours.body!r}")

    return found


@pytest.fixture(scope="module")
def fill(srv, alice, bob):
    values = {"@ALICE@": alice.v4, "@ALICE6@": alice.v6, "@BOB@": bob.v4,
              "@SRV@": srv.v4, "@VIP@": SERVICE_V4, "@VIP6@": SERVICE_V6}

    def replace(text):
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    return replace


@pytest.mark.parametrize("target", TARGETS)
def test_target(srv, devnet, fill, target):
    found = compared(srv, devnet, fill, target="/localapi/v0/" + target)

    assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize("request_, real_status, status, why", OTHERWISE,
                         ids=[why for *_, why in OTHERWISE])
def test_request_answered_otherwise(srv, devnet, fill, request_, real_status,
                                    status, why):
    request_ = filled(request_, fill)

    assert exchange(srv.socket, **request_)[0].status == real_status
    assert exchange(devnet.socket, **request_)[0].status == status


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: str(r)[:40])
def test_request(srv, devnet, fill, request_):
    found = compared(srv, devnet, fill, **request_)

    assert found == [], "\n" + "\n".join(found)
