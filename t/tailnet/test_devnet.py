# Copyright (C) The Tailgate authors

"""tailgate devnet beside a real tailscaled: the same people in both, and the
answers compared field by field. What differs is in EXCEPTIONS, or is a fault.
"""

import json
import os
import signal

import pytest
import tailgate_test

from localapi import HOST, LocalAPI
from net import CAP, GRANTS, SERVICE, SERVICE_V4, SERVICE_V6, USERS
from shape import Exceptions, differences
from space import wait_for

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
    "Hostinfo.GoVersion": "whichever built it",
    "Hostinfo.Services*": "no PeerAPI to be reached",
    "Hostinfo.Userspace*": "devnet's are who sits on 127.0.0.x",
}

NODE_ABSENT = {
    "Hostinfo.BackendLogID": "no logs are kept",
    "Hostinfo.NoLogsNoSupport": "a flag of these tailscaleds",
    "Hostinfo.Distro*": "a machine's own",
    "Hostinfo.NetInfo": "some control servers do not pass it on",
}

# What a node says of itself this control server does not tell it.
OWN_ABSENT = {
    "CapMap.default-auto-update": "a tailnet's own choice of attributes",
    "CapMap.https://tailscale.com/cap/*": "the same",
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

        if "PrimaryRoutes" in real:
            entry["routes"] = real["PrimaryRoutes"]

        if node is srv:
            own = entry
        else:
            nodes.append(entry)

    return json.dumps({
        "tailnet": "tail.example", "self": own, "services": services,
        "users": list(users.values()), "nodes": nodes}, indent=1)


@pytest.fixture(scope="module")
def devnet(net, srv, router, userspace):
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
    "Active": "the same",
    "CurAddr": "the same",
    "RxBytes": "the same",
    "TxBytes": "the same",
    "LastWrite": "the same",
    "LastHandshake": "the same",
}

STATUS = Exceptions(
    {"Version": "devnet says which it is",
     "Self.Capabilities*": "a tailnet's own choice of attributes",
     "User[*].ID": "numbers are given as people come"}
    | under("Self.", PEER_VALUES) | under("Peer[*].", PEER_VALUES),
    {"Self.CapMap.default-auto-update": "a tailnet's own choice of attributes",
     "Self.CapMap.https://tailscale.com/cap/*": "the same"})


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


def on_one_connection(path, target, times):
    """The framing of each answer on a connection that is kept."""

    with tailgate_test.Client(str(path)) as client:
        answers = [client.request("GET", target, host=HOST)
                   for _ in range(times)]

    return [{"status": answer.status,
             "chunked": answer.header("Transfer-Encoding"),
             "length": answer.header("Content-Length") is not None}
            for answer in answers]


def test_connections_are_kept(srv, devnet, fill):
    for target in ("/localapi/v0/whois?addr=@ALICE@",
                   "/localapi/v0/whois?addr=100.99.99.99",
                   "/localapi/v0/status"):
        real = on_one_connection(srv.socket, fill(target), 3)

        assert on_one_connection(devnet.socket, fill(target), 3) == real
        assert len({tuple(answer.items()) for answer in real}) == 1


def test_long_answers_are_chunked(net, srv, devnet, bob):
    """Go sends a length up to 2048 bytes and chunks beyond. How long the
    rest of an answer is depends on the node, so each is filled up."""

    target = f"/localapi/v0/whois?addr={bob.v4}"
    name = "bob-laptop"

    def grown(length):
        return {CAP: [{"text": "x" * length}]}

    def real_size(caps):
        net.admin("PUT", "/grants", GRANTS + [{
            "src": ["bob@example.com"], "dst": ["tag:web"], "app": caps}])
        net.seen(srv, bob, "the grant", lambda who: who["CapMap"] == caps)

        return len(srv.localapi.whois(bob.v4).body)

    def our_size(caps):
        devnet.ctl("caps", name, json.dumps(caps))

        return len(devnet.localapi.whois(bob.v4).body)

    try:
        for path, size in ((srv.socket, real_size), (devnet.socket, our_size)):
            base = size(grown(0))

            for length, chunked in ((2048, None), (2049, "chunked"),
                                    (9000, "chunked")):
                assert size(grown(length - base)) == length
                assert on_one_connection(path, target, 1) == [{
                    "status": 200, "chunked": chunked,
                    "length": chunked is None}], path
    finally:
        net.admin("PUT", "/grants", GRANTS)
        net.seen(srv, bob, "no grant", lambda who: who["CapMap"] is None)
        devnet.ctl("caps", name, "{}")


# Peers whose standing changes

CHANGES = [
    ("expired", {"key_expiry": "2026-01-01T00:00:00Z"},
     ("expire", "@NAME@"),
     {"key_expiry": "0001-01-01T00:00:00Z"}, ("expire", "@NAME@", "never")),
    ("not authorized", {"authorized": False}, ("authorize", "@NAME@", "no"),
     {"authorized": True}, ("authorize", "@NAME@", "yes")),
    ("tagged", {"tags": ["tag:ci", "tag:db"]},
     ("retag", "@NAME@", "tag:ci", "tag:db"),
     {"tags": [], "user": "bob@example.com"}, ("retag", "@NAME@")),
    ("moved", {"user": "alice@example.com"},
     ("move", "@NAME@", "alice@example.com"),
     {"user": "bob@example.com"}, ("move", "@NAME@", "bob@example.com")),
    ("renamed", {"name": "bob-desk"}, ("rename", "@NAME@", "bob-desk"),
     {"name": "bob-laptop"}, ("rename", "bob-desk", "bob-laptop")),
]

CHANGED = Exceptions(
    WHOIS.values | {
        "Node.KeyExpiry": "a point in time",
    },
    WHOIS.absent | {
        "Node.MachineAuthorized": "an expired node's is taken by some control"
                                  " servers, and not by this one",
    })


@pytest.fixture(params=CHANGES, ids=[change[0] for change in CHANGES])
def changed(request, net, srv, devnet, bob):
    """bob's node, changed in both worlds; and what the buses said."""

    _, real, ours, real_back, ours_back = request.param
    before = srv.localapi.whois(bob.v4).body
    buses = [api.bus(1 << 12) for api in (srv.localapi, devnet.localapi)]

    def settled(body):
        return lambda: srv.localapi.whois(bob.v4).body != body

    net.change(bob, **real)
    devnet.ctl(*[word.replace("@NAME@", "bob-laptop") for word in ours])
    wait_for("the change", settled(before))

    yield buses

    for bus in buses:
        bus.close()

    after = srv.localapi.whois(bob.v4).body
    net.change(bob, **real_back)
    devnet.ctl(*[word.replace("@NAME@", "bob-laptop") for word in ours_back])
    wait_for("the change back", settled(after))


def test_change(srv, devnet, bob, changed):
    """WhoIs after it, and the message on the bus."""

    real, ours = [api.whois(bob.v4).json()
                  for api in (srv.localapi, devnet.localapi)]

    # devnet's are given to a node, a tailnet's to whom its grants name
    del real["CapMap"], ours["CapMap"]

    found = differences(real, ours, CHANGED)

    real, ours = [of_peer(bus, bob) for bus in changed]

    found += ["bus: " + line for line in differences(real, ours, BUS)]

    assert found == [], "\n" + "\n".join(found)


def of_peer(bus, node):
    """The bus' message that has that node. The people that come with it are
    told before or at the same time, and the own node when tailscaled takes a
    whole map: neither is compared."""

    while True:
        message = bus.until("PeersChanged")
        message["PeersChanged"] = [
            peer for peer in message["PeersChanged"]
            if f"{node.v4}/32" in peer["Addresses"]]
        message.pop("UserProfiles", None)
        message.pop("SelfChange", None)

        if message["PeersChanged"]:
            return message


BUS = Exceptions(
    {"Version": "devnet says which it is", "SessionID": "random"}
    | under("PeersChanged[0].", NODE_VALUES) | {
        "PeersChanged[0].KeyExpiry": "a point in time",
    },
    under("PeersChanged[0].", NODE_ABSENT) | {
        "PeersChanged[0].MachineAuthorized":
            "an expired node's is taken by some control servers",
    })


@pytest.mark.parametrize("mask", [0, 1 << 1, 1 << 12, 1 << 14,
                                  (1 << 1) | (1 << 12) | (1 << 14), 1 << 15])
def test_first_message(srv, devnet, mask):
    """What a watcher is told at once, without the status' own fields, which
    are compared above."""

    def first(api):
        with api.bus(mask) as bus:
            try:
                message = bus.next(1)
            except TimeoutError:
                return None

        if "InitialStatus" in message:
            message["InitialStatus"] = sorted(message["InitialStatus"])

        return message

    real, ours = first(srv.localapi), first(devnet.localapi)

    if real is not None and "SessionID" not in real \
            and "InitialStatus" not in real:
        real = None  # something that happened meanwhile

    found = differences(real, ours, Exceptions(
        {"Version": "devnet says which it is", "SessionID": "random"}))

    assert found == [], "\n" + "\n".join(found)


def test_removed(net, srv, devnet, bob):
    numbers = [api.whois(bob.v4).json()["Node"]["ID"]
               for api in (srv.localapi, devnet.localapi)]
    entry = [node for node in json.loads(people(net, srv))["nodes"]
             if node["hostname"] == bob.hostname]

    with srv.localapi.bus(1 << 12) as real, \
            devnet.localapi.bus(1 << 12) as ours:
        net.change(bob, hidden=True)
        devnet.ctl("remove", "bob-laptop")

        try:
            messages = [bus.until("PeersRemoved") for bus in (real, ours)]

            assert [m["PeersRemoved"] for m in messages] == [
                [number] for number in numbers]
            assert differences(*messages, Exceptions({
                "Version": "devnet says which it is",
                "PeersRemoved*": "numbers are given as nodes come"})) == []

            for api in (srv.localapi, devnet.localapi):
                assert api.whois(bob.v4).status == 404
        finally:
            net.change(bob, hidden=False)
            net.seen(srv, bob, "back")
            devnet.ctl("add", json.dumps(entry[0]))


def test_groups(net, srv, devnet, bob):
    """A person's groups are a profile on the bus, and no peer."""

    user = {key: value for key, value in USERS[1].items() if key != "login"}

    with srv.localapi.bus(1 << 12) as real, \
            devnet.localapi.bus(1 << 12) as ours:
        net.admin("PUT", "/users/bob@example.com",
                  dict(user, groups=["group:ops", "group:oncall"]))
        devnet.ctl("groups", "bob@example.com", "group:ops", "group:oncall")

        try:
            def told(bus):
                while True:
                    message = bus.until("UserProfiles")
                    for profile in message["UserProfiles"].values():
                        if "group:oncall" in profile.get("Groups", []):
                            return dict(message, UserProfiles=[profile])

            assert differences(told(real), told(ours), Exceptions({
                "Version": "devnet says which it is",
                "UserProfiles[0].ID": "numbers are given as people come",
            })) == []
        finally:
            net.admin("PUT", "/users/bob@example.com", user)
            net.seen(srv, bob, "as before", lambda who: who["UserProfile"][
                "Groups"] == ["group:ops"])
            devnet.ctl("groups", "bob@example.com", "group:ops")


# A peer that arrives by 127.0.0.1

def test_loopback(userspace, alice, tmp_path):
    """By address and port, not by address alone."""

    real = {"tailnet": "tail.example",
            "users": [dict(login="alice@example.com", name="Alice Ångström",
                           picture="https://pics.example/alice.png",
                           groups=["group:eng"])],
            "nodes": [{"name": "alice-laptop", "user": "alice@example.com",
                       "os_version": os.uname().release,
                       "addresses": [alice.v4, alice.v6, "127.0.0.11"],
                       "capabilities": {CAP: GRANTS[1]["app"][CAP]}}]}

    found = []

    with tailgate_test.Devnet(tmp_path, json.dumps(real)) as devnet, \
            userspace.space.listen("127.0.0.1", 0) as listener, \
            tailgate_test.Echo() as echo, \
            alice.space.connect(userspace.v4, listener.getsockname()[1]), \
            listener.accept()[0] as there, \
            tailgate_test.Client(("127.0.0.1", echo.port),
                                 source="127.0.0.11") as here:
        api = LocalAPI(devnet.socket)
        real_peer = "%s:%d" % there.getpeername()
        our_peer = "%s:%d" % here.socket.getsockname()

        for form, params in (("@", {}), ("@", {"proto": "tcp"}),
                             ("@", {"proto": "udp"}), ("host", {}),
                             ("host", {"proto": "tcp"}), ("mapped", {})):
            answers = []

            for one, peer in ((userspace.localapi, real_peer),
                              (api, our_peer)):
                host, port = peer.rsplit(":", 1)
                addr = {"@": peer, "host": host,
                        "mapped": f"[::ffff:{host}]:{port}"}[form]
                answers.append(one.whois(addr, **params))

            found += [f"{form} {params}: {line}" for line in differences(
                {"status": answers[0].status,
                 "type": answers[0].headers["Content-Type"],
                 "body": body_of(answers[0])},
                {"status": answers[1].status,
                 "type": answers[1].headers["Content-Type"],
                 "body": body_of(answers[1])},
                Exceptions(under("body.", WHOIS.values),
                           under("body.", WHOIS.absent)))]

    assert found == [], "\n" + "\n".join(found)


def body_of(answer):
    return answer.json() if answer.status == 200 else answer.text


# A tailscaled that has just started and does not reach its control server

STARTING = Exceptions({
    "Version": "devnet says which it is",
    "Self.HostName": "the system's, before there is a map",
    "Health*": "what a start is warned of",
})


def test_starting(outage, devnet, alice):
    """Its status, and a 404 for whom it will know again."""

    with outage("NoState") as node:
        node.stop(number=signal.SIGKILL)
        node.without_control("NoState")
        devnet.ctl("state", "NoState")

        try:
            real, ours = [api.get("status?peers=false").json()
                          for api in (node.localapi, devnet.localapi)]
            found = differences(real, ours, STARTING)

            real, ours = [api.whois(alice.v4)
                          for api in (node.localapi, devnet.localapi)]
            assert (real.status, real.text) == (ours.status, ours.text) == (
                404, "no match for IP:port\n")
        finally:
            devnet.ctl("state", "Running")
            node.with_control()

    assert found == [], "\n" + "\n".join(found)
