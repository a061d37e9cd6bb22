# Copyright (C) The Tailgate authors

"""tailgate devnet: it answers as a tailscaled does, and is changed, slowed and
broken while it runs."""

import http.client
import json
import os
import select
import signal
import socket
import stat
import subprocess
import time

import pytest

from tailgate_test import Devnet, TAILGATE, wait_until

PEOPLE = """
tailnet: tail.example
version: 1.102.5-test
health: ["a warning"]
self:
  name: web1
  addresses: [100.64.0.2, "fd7a:115c:a1e0::2"]
  tags: ["tag:web"]
users:
  - login: alice@example.com
    name: Alice Ångström
    picture: https://pics.example/alice.png
    groups: ["group:eng"]
  - login: bob@example.com
    name: <Bob> & Co
  - login: carol@other.example
nodes:
  - name: alice-laptop
    addresses: [100.64.0.4, "fd7a:115c:a1e0::4"]
    user: alice@example.com
    os: macOS
    os_version: "15.3"
    capabilities:
      z.example/cap/last: [1, true, null, 1.5, "07"]
      y.example/cap/long: [{ pages: [one, two, three, four, five, six] }]
      tailgate.example/cap/web:
        - { role: admin, paths: [/admin/] }
    service_capabilities:
      svc:wiki:
        tailgate.example/cap/web: [{ role: wiki-editor }]
  - name: bob-phone
    address: 127.0.0.12
    user: bob@example.com
  - name: ci-runner
    tags: ["tag:ci"]
  - name: router
    address: 100.64.0.9
    tags: ["tag:router"]
    routes: [10.88.0.0/24, 0.0.0.0/0]
  - name: carol.other.ts.net
    address: 100.64.0.10
    user: carol@other.example
    shared: true
services:
  - name: svc:wiki
    addresses: [100.70.0.1, "fd7a:115c:a1e0::7001"]
"""

HOST = "local-tailscaled.sock"
WHOIS = "/localapi/v0/whois?addr="
STATUS = "/localapi/v0/status"
STATE, PEERS, INITIAL, PATCHES = 1 << 1, 1 << 12, 1 << 14, 1 << 15


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__(HOST, timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


def get(devnet, target, method="GET", **headers):
    connection = Connection(devnet.socket)
    try:
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read().decode()
    finally:
        connection.close()


def raw(devnet, text):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(devnet.socket)
        s.sendall(text.encode())
        s.shutdown(socket.SHUT_WR)
        return s.makefile("rb").read().decode()


def whois(devnet, address):
    status, _, body = get(devnet, WHOIS + address)
    assert status == 200, body
    return json.loads(body)


def login(devnet, address):
    return whois(devnet, address)["UserProfile"]["LoginName"]


@pytest.fixture(name="devnet")
def fixture_devnet(tmp_path):
    with Devnet(tmp_path, PEOPLE) as devnet:
        yield devnet


@pytest.fixture(name="still", scope="module")
def fixture_still(tmp_path_factory):
    """One that no test changes."""

    with Devnet(tmp_path_factory.mktemp("devnet"), PEOPLE) as devnet:
        yield devnet


# Fields and their order: what tailscaled 1.102.5 wrote.

NODE = """ID StableID Name User Key Machine DiscoKey Addresses AllowedIPs
    Endpoints HomeDERP Hostinfo Created Cap Online MachineAuthorized
    ComputedName ComputedNameWithHost""".split()

SELF = """ID NodeID PublicKey HostName DNSName OS UserID TailscaleIPs AllowedIPs
    Tags Addrs CurAddr Relay PeerRelay RxBytes TxBytes Created LastWrite
    LastSeen LastHandshake Online ExitNode ExitNodeOption Active PeerAPIURL
    TaildropTarget NoFileSharingReason Capabilities CapMap InNetworkMap
    InMagicSock InEngine""".split()

STATUS_KEYS = """Version TUN BackendState HaveNodeKey AuthURL TailscaleIPs Self
    Health MagicDNSSuffix CurrentTailnet CertDomains ExtraRecords Peer User
    ClientVersion""".split()

NOTIFY = """Version SessionID ErrMessage LoginFinished State Prefs InitialStatus
    NetMap Engine BrowseToURL DriveShares""".split()


def test_whois_of_a_person(still):
    status, headers, body = get(still, WHOIS + "100.64.0.4")
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert headers["Tailscale-Version"] == "1.102.5-test"
    assert headers["Tailscale-Cap"] == "142"
    assert headers["X-Frame-Options"] == "DENY"
    assert body.startswith('{\n\t"Node": {\n\t\t"ID": ')
    assert body.endswith("\n}")

    answer = json.loads(body)
    assert list(answer) == ["Node", "UserProfile", "CapMap"]
    assert list(answer["Node"]) == NODE
    assert answer["Node"]["Name"] == "alice-laptop.tail.example."
    assert answer["Node"]["Addresses"] == ["100.64.0.4/32",
                                           "fd7a:115c:a1e0::4/128"]
    assert answer["Node"]["Hostinfo"]["OS"] == "macOS"
    assert answer["Node"]["Hostinfo"]["OSVersion"] == "15.3"
    assert answer["UserProfile"] == {
        "ID": 1, "LoginName": "alice@example.com",
        "DisplayName": "Alice Ångström",
        "ProfilePicURL": "https://pics.example/alice.png",
        "Groups": ["group:eng"]}
    assert list(answer["CapMap"]) == ["tailgate.example/cap/web",
                                      "y.example/cap/long",
                                      "z.example/cap/last"]
    assert answer["CapMap"]["z.example/cap/last"] == [1, True, None, 1.5, "07"]


def test_go_escapes(still):
    body = get(still, WHOIS + "127.0.0.12:5&proto=tcp")[2]
    assert r'"DisplayName": "\u003cBob\u003e \u0026 Co"' in body


def test_length_is_known_up_to_go_s_buffer(still):
    """Go sends 2048 bytes at most with a length, and more in chunks."""

    seen = set()
    for address in ("100.64.0.4", "127.0.0.12:5"):
        _, headers, body = get(still, WHOIS + address)
        short = len(body.encode()) <= 2048
        seen.add(short)
        assert ("Content-Length" in headers) == short
        assert (headers.get("Transfer-Encoding") == "chunked") != short
    assert seen == {True, False}

    answer = raw(still, f"GET {WHOIS}100.64.0.4 HTTP/1.0\r\nHost: {HOST}\r\n"
                        "\r\n")
    assert answer.startswith("HTTP/1.0 200 OK\r\n")
    assert "Transfer-Encoding" not in answer
    assert "Content-Length" not in answer


@pytest.mark.parametrize("query, status, text", [
    ("", 400, "missing 'addr' parameter\n"),
    ("addr=", 400, "missing 'addr' parameter\n"),
    ("addr=garbage", 400, "invalid 'addr' parameter\n"),
    ("addr=100.64.0.4/32", 400, "invalid 'addr' parameter\n"),
    ("addr=%20100.64.0.4", 400, "invalid 'addr' parameter\n"),
    ("addr=[fd7a:115c:a1e0::4]", 400, "invalid 'addr' parameter\n"),
    ("addr=nodekey:00", 400, "invalid nodekey in 'addr' parameter\n"),
    ("addr=100.64.0.4&dst_ip=garbage", 400, "invalid dst_ip\n"),
    ("addr=100.64.0.4&svc_name=wiki", 400, "invalid svc_name\n"),
    ("addr=100.99.99.99", 404, "no match for IP:port\n"),
    ("addr=192.0.2.1", 404, "no match for IP:port\n"),
    ("addr=127.0.0.1", 404, "no match for IP:port\n"),
    ("addr=127.0.0.1:5555&proto=tcp", 404, "no match for IP:port\n"),
    ("addr=fd7a:115c:a1e0::4%25eth0", 404, "no match for IP:port\n"),
    ("addr=10.88.0.5", 404, "no match for IP:port\n"),
    ("addr=127.0.0.12", 404, "no match for IP:port\n"),
    ("addr=127.0.0.12&proto=tcp", 404, "no match for IP:port\n"),
    ("addr=127.0.0.12:80&proto=udp", 404, "no match for IP:port\n"),
])
def test_errors(still, query, status, text):
    code, headers, body = get(still, "/localapi/v0/whois?" + query)
    assert (code, body) == (status, text)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Length"] == str(len(text))


@pytest.mark.parametrize("address", [
    "100.64.0.4", "100.64.0.4:4321", "100.64.0.4:4321&proto=tcp",
    "fd7a:115c:a1e0::4", "[fd7a:115c:a1e0::4]:80", "::ffff:100.64.0.4",
    "[::ffff:100.64.0.4]:80"])
def test_forms_of_an_address(still, address):
    assert get(still, WHOIS + address)[2] == get(still,
                                                 WHOIS + "100.64.0.4")[2]


def test_by_key(still):
    key = whois(still, "100.64.0.4")["Node"]["Key"]
    assert key.startswith("nodekey:") and len(key) == 72
    assert login(still, key) == "alice@example.com"
    assert get(still, WHOIS + "nodekey:" + "0" * 64)[0] == 404


def test_loopback_goes_by_port(still):
    for address in ("127.0.0.12:1", "127.0.0.12:65535&proto=tcp",
                    "[::ffff:127.0.0.12]:4242&proto=tcp"):
        node = whois(still, address)["Node"]
        assert node["Name"] == "bob-phone.tail.example."
        # where it sits is not what it has
        assert all(a.startswith(("100.64.", "fd7a:")) for a in
                   node["Addresses"])


def test_tagged_routed_shared(still):
    node = next(n for n in json.loads(still.ctl("list"))["nodes"]
                if n["Name"].startswith("ci-"))
    answer = whois(still, node["Addresses"][0].split("/", maxsplit=1)[0])
    assert answer["Node"]["Tags"] == ["tag:ci"]
    assert answer["CapMap"] is None
    assert answer["UserProfile"] == {
        "ID": 2147455555, "LoginName": "tagged-devices",
        "DisplayName": "Tagged Devices"}

    router = whois(still, "100.64.0.9")["Node"]
    assert router["AllowedIPs"][-2:] == ["10.88.0.0/24", "0.0.0.0/0"]

    carol = whois(still, "100.64.0.10")["Node"]
    assert carol["Name"] == "carol.other.ts.net."
    assert carol["ComputedName"] == "carol.other.ts.net"
    assert carol["Sharer"] == carol["User"]


def test_self(still):
    answer = whois(still, "100.64.0.2")
    assert answer["UserProfile"]["LoginName"] == "tagged-devices"
    assert "https://tailscale.com/cap/ssh" in answer["Node"]["CapMap"]
    assert answer["CapMap"] is None


@pytest.mark.parametrize("query, role", [
    ("", "admin"), ("&dst_ip=100.64.0.2", "admin"),
    ("&dst_ip=fd7a:115c:a1e0::2", "admin"),
    ("&svc_name=svc:wiki", "wiki-editor"),
    ("&svc_name=svc%3Awiki", "wiki-editor"),
    ("&dst_ip=100.70.0.1", "wiki-editor"),
    ("&dst_ip=fd7a:115c:a1e0::7001", "wiki-editor"),
    ("&svc_name=svc:wiki&dst_ip=100.64.0.2", "wiki-editor"),
    ("&svc_name=svc:nope", None), ("&dst_ip=100.99.9.9", None),
])
def test_capabilities_of_the_destination(still, query, role):
    caps = whois(still, "100.64.0.4" + query)["CapMap"]
    if role is None:
        assert caps is None
    else:
        assert caps["tailgate.example/cap/web"][0]["role"] == role


def test_who_may_ask(still):
    assert stat.S_IMODE(os.stat(still.socket).st_mode) == 0o666
    assert stat.S_IMODE(os.stat(still.control).st_mode) == 0o600

    for headers in ({"Host": "localhost"}, {"Host": "example.com"},
                    {"Origin": "http://a"}, {"Referer": "http://a/"}):
        status, answer, body = get(still, STATUS, **headers)
        assert (status, body) == (403, "invalid localapi request\n")
        assert "Tailscale-Version" not in answer

    assert get(still, STATUS, Host="")[0] == 200
    assert get(still, STATUS, method="POST")[0] == 200
    assert get(still, "/localapi/v0/nothing")[0] == 404
    assert raw(still, f"GET {STATUS} HTTP/1.1\r\n\r\n").startswith(
        "HTTP/1.1 400 ")

    status, headers, body = get(still, WHOIS + "127.0.0.12:5", method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) > 1000


def test_status(still):
    status, headers, body = get(still, STATUS + "?peers=false")
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert body.endswith("\n}\n")

    answer = json.loads(body)
    assert list(answer) == STATUS_KEYS
    assert list(answer["Self"]) == SELF
    assert answer["BackendState"] == "Running"
    assert answer["TailscaleIPs"] == ["100.64.0.2", "fd7a:115c:a1e0::2"]
    assert answer["Self"]["DNSName"] == "web1.tail.example."
    assert answer["CurrentTailnet"]["MagicDNSSuffix"] == "tail.example"
    assert answer["Health"] == ["a warning"]
    assert answer["Peer"] is None

    whole = json.loads(get(still, STATUS)[2])
    assert len(whole["Peer"]) == 5
    assert whole["User"]["1"]["LoginName"] == "alice@example.com"


# Changes, and what the bus tells of them.

class Bus:
    def __init__(self, devnet, mask):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(devnet.socket)
        self.sock.sendall(
            f"GET /localapi/v0/watch-ipn-bus?mask={mask} HTTP/1.1\r\n"
            f"Host: {HOST}\r\n\r\n".encode())
        self.file = self.sock.makefile("rb")
        self.head = []
        while True:
            line = self.file.readline().decode().rstrip("\r\n")
            if not line:
                break
            self.head.append(line)

    def next(self):
        """One message: a chunk that is a line of JSON."""

        size = int(self.file.readline(), 16)
        line = self.file.read(size)
        assert self.file.read(2) == b"\r\n"
        assert line.endswith(b"\n") and line.count(b"\n") == 1
        return json.loads(line)

    def told(self, n):
        """What the next n messages say, without what says nothing."""

        return [{key: value for key, value in self.next().items()
                 if value is not None and key != "Version"}
                for _ in range(n)]

    def is_silent(self, seconds=0.2):
        return not select.select([self.sock], [], [], seconds)[0]

    def close(self):
        self.file.close()
        self.sock.close()


@pytest.fixture(name="bus")
def fixture_bus(devnet):
    bus = Bus(devnet, PEERS)
    yield bus
    bus.close()


def names(nodes):
    return [node["Name"].split(".")[0] for node in nodes]


def test_bus_begins(devnet):
    bus = Bus(devnet, STATE | INITIAL | PEERS)
    assert bus.head[0] == "HTTP/1.1 200 OK"
    assert "Transfer-Encoding: chunked" in bus.head
    first = bus.next()
    assert list(first) == NOTIFY
    assert first["State"] == 6
    assert len(first["InitialStatus"]["Peer"]) == 5
    bus.close()

    bus = Bus(devnet, STATE)
    assert "InitialStatus" not in bus.next()
    bus.close()

    bus = Bus(devnet, PEERS)
    assert bus.is_silent()
    bus.close()

    assert devnet.count()["bus"] == 3


def test_bus_masks(devnet):
    for mask in ("x", "-1", "1x", str(1 << 16), str(1 << 64)):
        target = f"/localapi/v0/watch-ipn-bus?mask={mask}"
        assert get(devnet, target)[0] == 400


def test_watcher_without_peers_hears_that_something_is(devnet):
    bus = Bus(devnet, STATE)
    bus.next()
    devnet.ctl("rename", "alice-laptop", "alice-desk")
    assert bus.told(2) == [{}, {}]
    bus.close()


def test_rename(devnet, bus):
    before = whois(devnet, "100.64.0.4")["Node"]
    devnet.ctl("rename", "alice-laptop", "alice-desk")

    plain, change = bus.told(2)
    assert plain == {}
    assert list(change) == ["PeersChanged"]
    assert names(change["PeersChanged"]) == ["alice-desk"]

    node = whois(devnet, "100.64.0.4")["Node"]
    assert node["Name"] == "alice-desk.tail.example."
    assert node["ComputedNameWithHost"] == "alice-desk (alice-laptop)"
    assert node["StableID"] == before["StableID"]


def test_tags(devnet, bus):
    devnet.ctl("retag", "alice-laptop", "tag:a", "tag:b")
    assert names(bus.told(2)[1]["PeersChanged"]) == ["alice-laptop"]
    assert login(devnet, "100.64.0.4") == "tagged-devices"
    assert whois(devnet, "100.64.0.4")["Node"]["Tags"] == ["tag:a", "tag:b"]

    devnet.ctl("retag", "alice-laptop")
    assert login(devnet, "100.64.0.4") == "alice@example.com"


def test_move(devnet, bus):
    devnet.ctl("move", "alice-laptop", "bob@example.com")
    users, plain, change = bus.told(3)
    assert list(users["UserProfiles"]) == ["2"] and plain == {}
    assert change["PeersChanged"][0]["User"] == 2
    assert login(devnet, "100.64.0.4") == "bob@example.com"


def test_groups_and_name(devnet, bus):
    devnet.ctl("groups", "alice@example.com", "group:ops", "group:eng")
    devnet.ctl("name", "alice@example.com", "Alice B.")
    first, second = bus.told(2)
    assert list(first) == list(second) == ["UserProfiles"]
    assert first["UserProfiles"]["1"]["Groups"] == ["group:ops", "group:eng"]

    profile = whois(devnet, "100.64.0.4")["UserProfile"]
    assert profile["Groups"] == ["group:ops", "group:eng"]
    assert profile["DisplayName"] == "Alice B."

    devnet.ctl("groups", "alice@example.com")
    assert "Groups" not in whois(devnet, "100.64.0.4")["UserProfile"]


def test_capabilities_are_on_no_bus(devnet, bus):
    devnet.ctl("caps", "alice-laptop", '{"a.example/cap": [{"role": "boss"}]}')
    assert whois(devnet, "100.64.0.4")["CapMap"] == {
        "a.example/cap": [{"role": "boss"}]}
    devnet.ctl("caps", "alice-laptop", "a.example/cap: [1]", "svc:wiki")
    assert whois(devnet, "100.64.0.4&svc_name=svc:wiki")["CapMap"] == {
        "a.example/cap": [1]}
    devnet.ctl("caps", "alice-laptop", "{}")
    assert whois(devnet, "100.64.0.4")["CapMap"] is None
    assert bus.is_silent()


def test_expire(devnet, bus):
    devnet.ctl("expire", "alice-laptop")
    change, = bus.told(1)
    assert list(change) == ["SelfChange", "PeersChanged", "UserProfiles"]
    assert len(change["PeersChanged"]) == 5

    node = whois(devnet, "100.64.0.4")["Node"]
    assert node["Expired"] is True and node["KeyExpiry"].endswith("Z")
    assert "MachineAuthorized" not in node

    devnet.ctl("expire", "alice-laptop", "2027-01-02T03:04:05Z")
    node = whois(devnet, "100.64.0.4")["Node"]
    assert node["KeyExpiry"] == "2027-01-02T03:04:05Z"
    assert "Expired" not in node and node["MachineAuthorized"] is True

    devnet.ctl("expire", "alice-laptop", "never")
    assert "KeyExpiry" not in whois(devnet, "100.64.0.4")["Node"]


@pytest.mark.parametrize("command, field, value", [
    ("authorize no", "MachineAuthorized", None),
    ("sign no", "UnsignedPeerAPIOnly", True),
    ("share yes", "Sharer", 1),
])
def test_flags(devnet, bus, command, field, value):
    before = whois(devnet, "100.64.0.4")
    word, flag = command.split()
    devnet.ctl(word, "alice-laptop", flag)
    assert whois(devnet, "100.64.0.4")["Node"].get(field) == value
    assert names(bus.told(2)[1]["PeersChanged"]) == ["alice-laptop"]
    devnet.ctl(word, "alice-laptop", "yes" if flag == "no" else "no")
    assert whois(devnet, "100.64.0.4") == before


def test_online_is_a_patch_for_those_who_take_patches(devnet, bus):
    patches = Bus(devnet, PATCHES)
    devnet.ctl("online", "alice-laptop", "no")
    node_id = whois(devnet, "100.64.0.4")["Node"]["ID"]
    assert patches.told(1) == [
        {"PeerChangedPatch": [{"NodeID": node_id, "Online": False}]}]
    assert bus.told(1)[0]["PeersChanged"][0]["Online"] is False
    patches.close()


def test_remove_and_add(devnet, bus):
    node_id = whois(devnet, "100.64.0.4")["Node"]["ID"]
    devnet.ctl("remove", "alice-laptop")
    assert bus.told(2) == [{"PeersRemoved": [node_id]}, {}]
    assert get(devnet, WHOIS + "100.64.0.4")[0] == 404

    devnet.ctl("add-user", '{"login": "dora@example.com", "name": "Dora"}')
    devnet.ctl("add", "{name: dora-laptop, address: 100.64.0.4,"
                      " user: dora@example.com}")
    users, plain, change = bus.told(3)
    assert "4" in users["UserProfiles"] and plain == {}
    assert names(change["PeersChanged"]) == ["dora-laptop"]
    assert login(devnet, "100.64.0.4") == "dora@example.com"
    assert whois(devnet, "100.64.0.4")["Node"]["ID"] > node_id

    # the only sign: it is not among those who are left
    devnet.ctl("remove", "dora-laptop", "whole")
    change, = bus.told(1)
    assert "SelfChange" in change and "PeersRemoved" not in change
    assert "dora-laptop" not in names(change["PeersChanged"])


def test_the_last_one_leaves(devnet):
    devnet.ctl("remove", "carol.other.ts.net")
    devnet.ctl("add", "{name: x, address: 100.64.0.33, tags: [tag:x]}")
    assert names(json.loads(devnet.ctl("list"))["nodes"]) == [
        "alice-laptop", "bob-phone", "ci-runner", "router", "x"]
    assert login(devnet, "100.64.0.33") == "tagged-devices"


@pytest.mark.parametrize("words, says", [
    (["rename", "nobody", "x"], 'no node is named "nobody"'),
    (["move", "alice-laptop", "x@y"], 'no user has the login "x@y"'),
    (["rename", "alice-laptop", "bob-phone"], "already"),
    (["add", "{name: bob-phone, tags: [tag:x]}"], "already"),
    (["add", "{name: x, tags: [tag:x], address: 100.64.0.4}"],
     "another node's"),
    (["add", "{name: x, tags: [tag:x], colour: red}"], '1:26'),
    (["add", "name"], "map"), (["add", "[*a"], "1:"),
    (["remove", "web1"], "itself"), (["retag", "ci-runner"], "no user"),
    (["caps", "alice-laptop", "[]"], "map"),
    (["caps", "alice-laptop", "{a: 1}"], "list"),
    (["caps", "alice-laptop", "{}", "svc:x"], "svc:x"),
    (["state", "Ready"], "no state"), (["slow", "-1"], "milliseconds"),
    (["slow", "1", "bus"], "whois"), (["nonsense", "x"], "no kind"),
    (["online", "alice-laptop", "maybe"], "yes nor no"),
    (["count", "x"], "reset"), (["frobnicate"], "no command"),
    (["rename", "alice-laptop"], "usage: rename NAME NEW"),
])
def test_commands_that_fail(devnet, words, says):
    before = whois(devnet, "100.64.0.4")
    done = subprocess.run(
        [TAILGATE, "devnet", "ctl", "--control", devnet.control, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("tailgate devnet: error: ")
    assert says in done.stderr
    assert whois(devnet, "100.64.0.4") == before


# States, restarts, faults.

def test_states(devnet):
    bus = Bus(devnet, STATE)
    bus.next()

    devnet.ctl("state", "NoState")
    assert bus.next()["State"] == 0
    assert get(devnet, WHOIS + "100.64.0.4")[0] == 404
    status = json.loads(get(devnet, STATUS)[2])
    assert status["BackendState"] == "NoState"
    assert status["TailscaleIPs"] is None and status["Peer"] is None
    assert status["CurrentTailnet"] is None

    # the netmap is kept, so it goes on answering
    devnet.ctl("state", "Stopped")
    assert bus.next()["State"] == 4
    assert login(devnet, "100.64.0.4") == "alice@example.com"
    bus.close()


def test_restart(devnet):
    kept = Connection(devnet.socket)
    kept.request("GET", STATUS)
    kept.getresponse().read()
    bus = Bus(devnet, STATE | PEERS)
    bus.next()

    devnet.ctl("restart", 300, 300)

    assert bus.file.read() == b""
    with pytest.raises((OSError, http.client.HTTPException)):
        kept.request("GET", STATUS)
        kept.getresponse()
    assert not os.path.exists(devnet.socket)
    bus.close()

    wait_until(lambda: os.path.exists(devnet.socket), 5, "the socket is back")
    assert get(devnet, WHOIS + "100.64.0.4")[0] == 404
    bus = Bus(devnet, STATE | PEERS)
    assert bus.next()["State"] == 0
    starting, everybody, running = bus.told(3)
    assert (starting, running) == ({"State": 5}, {"State": 6})
    assert len(everybody["PeersChanged"]) == 5
    assert login(devnet, "100.64.0.4") == "alice@example.com"
    bus.close()


def test_slow(devnet):
    devnet.ctl("slow", 300)
    began = time.monotonic()
    assert login(devnet, "100.64.0.4") == "alice@example.com"
    assert time.monotonic() - began >= 0.3
    assert json.loads(get(devnet, STATUS)[2])["BackendState"] == "Running"

    devnet.ctl("slow", 300, "status")
    began = time.monotonic()
    get(devnet, STATUS)
    assert time.monotonic() - began >= 0.3
    devnet.ctl("normal")


def test_silent(devnet):
    devnet.ctl("silent")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(devnet.socket)
        s.sendall(f"GET {WHOIS}100.64.0.4 HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
                  .encode())
        wait_until(lambda: devnet.count()["whois"] == 1, 5, "it is taken")
        assert not select.select([s], [], [], 0.3)[0]
        assert get(devnet, STATUS)[0] == 200
    wait_until(lambda: devnet.count()["connections"] == 0, 5, "it is given up")
    devnet.ctl("normal")
    assert login(devnet, "100.64.0.4") == "alice@example.com"


@pytest.mark.parametrize("kind", [
    "truncated", "half-json", "oversized", "deep", "garbage", "empty",
    "wrong-type", "duplicate-keys", "empty-profile", "html", "server-error",
    "close", "not-http", "bad-chunk", "two-lengths"])
def test_nonsense(devnet, kind):
    good = whois(devnet, "100.64.0.4")
    devnet.ctl("nonsense", kind)
    try:
        status, headers, body = get(devnet, WHOIS + "100.64.0.4")
    except (OSError, http.client.HTTPException, ValueError,
            OverflowError) as e:
        assert kind in ("truncated", "close", "not-http", "bad-chunk",
                        "garbage"), e
    else:
        if kind == "server-error":
            assert status == 500
        elif kind == "html":
            assert headers["Content-Type"] == "text/html"
        elif kind == "oversized":
            assert len(body) > 1 << 20
        elif kind == "duplicate-keys":
            assert body.count('"UserProfile"') == 2 and json.loads(body)
        elif kind in ("wrong-type", "empty-profile"):
            assert json.loads(body).keys() == good.keys()
            assert json.loads(body)["UserProfile"] != good["UserProfile"]
        elif kind == "two-lengths":
            assert status == 200
        else:
            with pytest.raises((ValueError, RecursionError)):
                json.loads(body)
    assert get(devnet, STATUS)[0] == 200

    devnet.ctl("normal")
    assert whois(devnet, "100.64.0.4") == good


def test_count(devnet):
    for _ in range(3):
        login(devnet, "100.64.0.4")
    get(devnet, WHOIS + "192.0.2.1")
    get(devnet, STATUS)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(devnet.socket)
        wait_until(lambda: devnet.count()["connections"] == 1, 5, "it is open")
        seen = devnet.count()
        assert (seen["whois"], seen["status"]) == (4, 1)
        assert seen["accepted"] >= 6
        devnet.count(reset=True)
        assert devnet.count() == {"whois": 0, "status": 0, "bus": 0,
                                  "accepted": 0, "connections": 1}


def test_control_speaks_json_lines(devnet):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(devnet.control)
        f = s.makefile("rwb", buffering=0)
        for line, error in ((b'["count"]', None), (b'{"a": 1}', "list"),
                            (b"garbage", "list"), (b'[1]', "texts"),
                            (b"[]", "words"), (b'["normal"]', None)):
            f.write(line + b"\n")
            answer = json.loads(f.readline())
            assert (error is None) == ("error" not in answer), line
            assert error is None or error in answer["error"]


def test_big_list_over_control(devnet):
    """More than a socket takes at a time."""

    for n in range(200):
        devnet.ctl("add", f"{{name: n{n}, tags: [tag:x]}}")
    assert len(json.loads(devnet.ctl("list"))["nodes"]) == 205


# The file, the command line.

GOOD = "tailnet: t.example\nusers: [{login: a@b}]\nnodes:\n"


@pytest.mark.parametrize("text, says", [
    ("", "has to be a name as"),
    ("[]", "1:1: a tailnet's file is a map"),
    ("- tailnet: t", "1:1: a tailnet's file is a map"),
    ("users: []", '1:1: "tailnet" has to be'),
    ("tailnet: t\ncolour: red", '2:1: a tailnet has no key "colour"'),
    ("tailnet: t\ntailnet: u", "2:1: the key \"tailnet\" is there twice"),
    ("tailnet: t\nnodes: {}", '2:8: "nodes" has to be a list'),
    ("tailnet: t\nnodes: [", ":"),
    ("tailnet: t\n\tnodes: []", "2:"),
    ("tailnet: &a t\nversion: *a", "1:10: anchors"),
    ("tailnet: t\n---\ntailnet: u", "2:1: a second document"),
    (GOOD + "  - name: x", '4:5: this node has neither'),
    (GOOD + "  - {name: x, user: c@d}", "4:21: no user has this login"),
    (GOOD + "  - {user: a@b}", 'no "name"'),
    (GOOD + "  - {name: x, user: a@b, size: 1}", 'a node has no key "size"'),
    (GOOD + "  - {name: x, user: a@b, address: 1.2.3}", "no IP address"),
    (GOOD + "  - {name: x, user: a@b, address: '1.2.3.4:80'}",
     "no IP address"),
    (GOOD + "  - {name: x, user: a@b, routes: [10.0.0.1]}", "no route"),
    (GOOD + "  - {name: x, user: a@b, routes: [10.0.0.1/8]}", "no route"),
    (GOOD + "  - {name: x, user: a@b, online: maybe}", "true or false"),
    (GOOD + "  - {name: x, user: a@b, capabilities: {c: 1}}",
     "a list of what was granted"),
    (GOOD + "  - {name: x, user: a@b, service_capabilities: {svc:x: {}}}",
     "no Service has this name"),
    (GOOD + "  - {name: x, user: a@b}\n  - {name: x, user: a@b}",
     "5:12: the node of line 4"),
    (GOOD + "  - {name: x, user: a@b, address: 100.64.0.9}\n"
     "  - {name: y, user: a@b, address: '::ffff:100.64.0.9'}",
     '5:5: address "100.64.0.9" is another node\'s'),
    ("tailnet: t\nusers: [{name: x}]", 'no "login"'),
    ("tailnet: t\nusers: [{login: a@b}, {login: a@b}]", "already"),
    ("tailnet: t\nself: {name: x, tags: [t], address: 127.0.0.1}",
     "no loopback"),
    ("tailnet: t\nservices: [{name: wiki, address: 100.70.0.1}]",
     'begins with "svc:"'),
    ("tailnet: " + "[" * 100, "nested deeper than 32"),
    ("tailnet: t\nusers: [{login: \xff}]", "UTF-8"),
])
def test_files_that_are_wrong(tmp_path, text, says):
    path = tmp_path / "people.yaml"
    path.write_bytes(text.encode("latin-1"))
    done = subprocess.run(
        [TAILGATE, "devnet", path, "--socket", tmp_path / "s", "--control",
         tmp_path / "c"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", timeout=20, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tailgate devnet: error: {path}:")
    assert says in done.stderr
    assert not os.path.exists(tmp_path / "s")


@pytest.mark.parametrize("arguments, says", [
    ([], "there is no file"), (["a", "b"], "more than one file"),
    (["--frob", "a"], "no option"), (["a", "--socket"], "lacks its value"),
    (["ctl"], "there is no command"), (["ctl", "--frob", "x"], "no option"),
])
def test_command_line(tmp_path, arguments, says):
    done = subprocess.run(
        [TAILGATE, "devnet", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", timeout=20, check=False,
        cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr and "--help" in done.stderr


def test_help():
    for arguments in (["devnet", "--help"], ["devnet", "ctl", "--help"],
                      ["--help"]):
        done = subprocess.run(
            [TAILGATE, *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", timeout=20, check=True)
        assert "devnet" in done.stdout and done.stderr == ""


def test_what_is_in_the_way(devnet, tmp_path):
    """Neither a devnet that runs nor a file is replaced."""

    path = tmp_path / "people.yaml"
    path.write_text(PEOPLE, encoding="utf-8")
    (tmp_path / "file").write_text("precious", encoding="utf-8")

    for taken in (devnet.socket, str(tmp_path / "file")):
        for options in (["--socket", taken, "--control", tmp_path / "c"],
                        ["--socket", tmp_path / "s", "--control", taken]):
            done = subprocess.run(
                [TAILGATE, "devnet", path, *options], timeout=20,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            assert done.returncode == 2
            assert not os.path.exists(tmp_path / "s")
            assert not os.path.exists(tmp_path / "c")

    assert (tmp_path / "file").read_text(encoding="utf-8") == "precious"
    assert login(devnet, "100.64.0.4") == "alice@example.com"


def test_end(tmp_path):
    devnet = Devnet(tmp_path, PEOPLE).start()
    bus = Bus(devnet, STATE)
    process = devnet.process
    process.terminate()
    assert process.wait(10) == 0
    assert not os.path.exists(devnet.socket)
    assert not os.path.exists(devnet.control)
    bus.close()
    devnet.process = None

    done = subprocess.run(
        [TAILGATE, "devnet", "ctl", "--control", devnet.control, "count"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=20, check=False)
    assert done.returncode == 3
    assert "is tailgate devnet running" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_end_again_and_again(tmp_path, number):
    """A second signal does not make a death of its end."""

    devnet = Devnet(tmp_path, PEOPLE)
    for _ in range(10):
        process = devnet.start().process
        process.terminate()
        while process.poll() is None:
            process.send_signal(number)
            time.sleep(0.0001)
        devnet.process = None
        assert process.returncode == 0


def test_killed_leaves_nothing_in_the_way(tmp_path):
    devnet = Devnet(tmp_path, PEOPLE).start()
    devnet.process.kill()
    devnet.process.wait(10)
    devnet.process = None
    assert os.path.exists(devnet.socket)
    with devnet:
        assert login(devnet, "100.64.0.4") == "alice@example.com"
        assert devnet.count()["whois"] == 1
