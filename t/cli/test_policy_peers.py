# Copyright (C) The Tailgate authors

"""tailgate policy who, what and diff, of everyone on the tailnet."""

import json
import subprocess

import pytest

from tailgate_test import Devnet, TAILGATE, get

SOMETHING, NOTHING = 0, 1
SAME, CHANGED = 0, 1
USAGE, UNAVAILABLE = 2, 3

WORLD = """
tailnet: example.ts.net
users:
  - login: alice@example.com
    name: Alice
  - login: bob@example.com
    name: Bob
  - login: carol@other.example
    name: Carol
nodes:
  - name: ci-runner
    address: 100.64.0.6
    tags: ["tag:ci"]
  - name: alice-phone
    address: 100.64.0.4
    user: alice@example.com
    os: iOS
    os_version: "18.2"
  - name: bob-mac
    address: 100.64.0.5
    user: bob@example.com
    os: macOS
    os_version: "15.2"
    capabilities:
      example.com/cap/grafana: [{ role: editor }]
  - name: bob-old
    address: 100.64.0.7
    user: bob@example.com
    os: linux
    expired: true
  - name: bob-tablet
    address: 100.64.0.8
    user: bob@example.com
    os: linux
    online: false
  - name: theirs.far.ts.net
    address: 100.64.0.9
    user: carol@other.example
    shared: true
"""

POLICY = """\
version: 1
groups:
  admins: [alice@example.com]
routes:
  - name: grafana
    hosts: [grafana, "*.corp"]
    allow:
      - { user: "*@example.com", methods: read }
      - { group: admins }
      - { tag: "tag:ci", paths: [/api/, "= /health"] }
      - { capability: example.com/cap/grafana, methods: [POST] }
    deny:
      - { user: bob@example.com, paths: [/admin] }
      - { os: macOS, os_version: "< 15" }
  - name: secret
    hosts: [secret.corp]
    allow:
      - { user: alice@example.com }
"""

NEW = POLICY.replace("methods: [POST] }", "methods: [POST, PUT] }") \
            .replace("{ group: admins }",
                     "{ group: admins, methods: [GET, HEAD] }")


@pytest.fixture(name="devnet", scope="module")
def fixture_devnet(tmp_path_factory):
    with Devnet(tmp_path_factory.mktemp("policy"), WORLD) as devnet:
        yield devnet


@pytest.fixture(name="files", scope="module")
def fixture_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("files")
    for name, text in (("policy.yaml", POLICY), ("new.yaml", NEW),
                       ("world.yaml", WORLD)):
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def run(*arguments, stdin=None):
    return subprocess.run(
        [TAILGATE, "policy", *map(str, arguments)], input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=60, check=False)


def answer(*arguments, stdin=None):
    done = run(*arguments, "--json", stdin=stdin)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def table(text):
    """The rows of a table, cut where its head has its words."""

    head, *rows = text.split("\n\n", maxsplit=1)[0].splitlines()
    names = head.split()
    starts = [head.index(name) for name in names]
    return [{name: row[start:end].strip() for name, start, end
             in zip(names, starts, [*starts[1:], None])} for row in rows]


def peers_of(kind, devnet, files):
    return {"live": ("--socket", devnet.socket),
            "devnet": ("--peers", files / "world.yaml")}[kind]


# who


@pytest.mark.parametrize("kind", ["live", "devnet"])
def test_who(kind, devnet, files):
    peers = peers_of(kind, devnet, files)
    done = run("who", files / "policy.yaml", *peers, "--request",
               "GET https://grafana/api/x")
    assert (done.returncode, done.stderr) == (SOMETHING, "")
    assert table(done.stdout) == [
        {"WHO": "alice@example.com", "NODE": "alice-phone", "OS": "iOS",
         "NOW": "online", "RULE": "grafana.allow[0]"},
        {"WHO": "bob@example.com", "NODE": "bob-mac", "OS": "macOS",
         "NOW": "online", "RULE": "grafana.allow[0]"},
        {"WHO": "bob@example.com", "NODE": "bob-tablet", "OS": "linux",
         "NOW": "offline", "RULE": "grafana.allow[0]"},
        {"WHO": "tag:ci", "NODE": "ci-runner", "OS": "linux",
         "NOW": "online", "RULE": "grafana.allow[2]"}]
    assert done.stdout.endswith("\n4 of 7 nodes may\n")


def test_who_json(devnet, files):
    seen = answer("who", files / "policy.yaml", "--socket", devnet.socket,
                  "--request", "POST https://grafana/")
    assert [(p["login"], p["node"], p["rule"]) for p in seen["allowed"]] == [
        ("alice@example.com", "alice-phone.example.ts.net",
         "grafana.allow[1]"),
        ("bob@example.com", "bob-mac.example.ts.net", "grafana.allow[3]")]
    assert seen["allowed"][0]["address"] == "100.64.0.4"
    assert seen["allowed"][0]["os_version"] == "18.2"
    assert seen["allowed"][0]["online"] is True
    assert (seen["asked"], seen["unavailable"], seen["partial"]) \
        == (7, 0, False)


def test_who_of_a_status_knows_less_and_says_so(devnet, files, tmp_path):
    status = get(devnet.socket, "/localapi/v0/status",
                 host="local-tailscaled.sock")
    assert status.status == 200
    path = tmp_path / "status.json"
    path.write_bytes(status.body)

    # neither the capability nor the version of bob's Mac is in it
    done = run("who", files / "policy.yaml", "--peers", path, "--request",
               "GET https://grafana/")
    assert done.returncode == SOMETHING
    assert [row["NODE"] for row in table(done.stdout)] \
        == ["alice-phone", "bob-tablet"]
    assert "note:" in done.stderr and "capabilities" in done.stderr

    done = run("who", files / "policy.yaml", "--peers", path, "--request",
               "GET https://grafana/health")
    assert [row["WHO"] for row in table(done.stdout)] \
        == ["alice@example.com", "bob@example.com", "tag:ci"]


def test_who_is_nobody(devnet, files):
    done = run("who", files / "policy.yaml", "--socket", devnet.socket,
               "--request", "GET https://nowhere/")
    assert done.returncode == NOTHING
    assert done.stdout == "0 of 7 nodes may\n"


def test_who_by_inline_rules(devnet):
    seen = answer("who", "--no-policy", "--socket", devnet.socket,
                  "--request", "https://x/", "--inline",
                  "tailgate_allow os=macOS")
    assert [p["node"] for p in seen["allowed"]] \
        == ["bob-mac.example.ts.net"]
    assert seen["allowed"][0]["rule"] == "tailgate_allow:inline:1"


def test_who_without_a_node_to_ask(files, tmp_path):
    path = tmp_path / "none.sock"
    done = run("who", files / "policy.yaml", "--socket", path, "--request",
               "https://grafana/")
    assert done.returncode == UNAVAILABLE
    assert str(path) in done.stderr


def test_who_says_whom_it_could_not_identify(tmp_path, files):
    with Devnet(tmp_path, WORLD) as devnet:
        devnet.ctl("nonsense", "half-json", "whois")
        done = run("who", files / "policy.yaml", "--socket", devnet.socket,
                   "--request", "https://grafana/")
        assert done.returncode == NOTHING
        assert "7 could not be identified" in done.stdout


@pytest.mark.parametrize("text", ["{", "{}", "[1", "nodes: 1\n", ""])
def test_peers_that_are_none(files, tmp_path, text):
    path = tmp_path / "peers"
    path.write_text(text, encoding="utf-8")
    done = run("who", files / "policy.yaml", "--peers", path, "--request",
               "https://grafana/")
    assert done.returncode == USAGE
    assert str(path) in done.stderr


def test_every_trait_of_a_status_counts(files, tmp_path):
    """Each alone: tailscaled sets several of them together."""

    def peer(n, **more):
        return {"ID": f"n{n}", "DNSName": f"node{n}.example.ts.net.",
                "TailscaleIPs": [f"100.64.0.{n}", f"fd7a:115c:a1e0::{n}"],
                "UserID": 1, "OS": "linux", **more}

    peers = [
        peer(2), peer(3, Expired=True),
        peer(4, KeyExpiry="2020-01-01T00:00:00Z"), peer(5, AltSharerUserID=9),
        peer(6, ShareeNode=True), peer(7, Tags=["tag:web"]),
        peer(8, AllowedIPs=["100.64.0.8/32", "192.0.2.0/24"]),
        peer(9, AllowedIPs=["100.64.0.9/32", "fd7a:115c:a1e0::9/128"]),
        peer(10, UserID=2), peer(11, DNSName="node11.far.ts.net."),
        peer(12, TailscaleIPs=[], Online=False)]
    status = {
        "BackendState": "Running", "Version": "1.90.0",
        "Self": peer(1), "Peer": {f"k{p['ID']}": p for p in peers},
        "User": {"1": {"ID": 1, "LoginName": "alice@example.com",
                       "DisplayName": "Alice"}}}
    path = tmp_path / "status.json"
    path.write_text(json.dumps(status), encoding="utf-8")
    seen = answer("who", files / "policy.yaml", "--peers", path,
                  "--request", "https://grafana/")
    assert [(p["node"].split(".")[0], p["online"])
            for p in seen["allowed"]] == [
        ("node1", True), ("node12", False), ("node2", True), ("node9", True)]
    assert (seen["asked"], seen["unavailable"], seen["partial"]) \
        == (12, 1, True)


def test_names_of_peers_do_not_reach_the_terminal_raw(files, tmp_path):
    status = {
        "BackendState": "Running", "Version": "1.90.0",
        "Self": {"ID": "n1", "DNSName": "self.example.ts.net.",
                 "TailscaleIPs": ["100.64.0.1"], "UserID": 1,
                 "OS": "linux"},
        "User": {"1": {"ID": 1, "LoginName": "evil\u202e@example.com",
                       "DisplayName": "x"}}}
    path = tmp_path / "status.json"
    path.write_text(json.dumps(status), encoding="utf-8")
    done = run("who", files / "policy.yaml", "--peers", path, "--request",
               "https://grafana/")
    assert "evil?@example.com" in done.stdout
    assert "\u202e" not in done.stdout

    done = run("who", files / "policy.yaml", "--peers", path, "--request",
               "https://grafana/", "--json")
    assert "\u202e" not in done.stdout
    assert json.loads(done.stdout)["allowed"][0]["login"] \
        == "evil\u202e@example.com"


# what


def rows_of(*arguments):
    return [(r["route"], r["host"], r["path"], r["methods"], r["rule"])
            for r in answer("what", *arguments)["allowed"]]


READ = ["GET", "HEAD", "OPTIONS"]


def test_what(files):
    assert rows_of(files / "policy.yaml", "--as", "bob@example.com",
                   "--from", "os=linux") == [
        ("grafana", "grafana", "/", READ, "grafana.allow[0]"),
        ("grafana", "grafana", "/admin", [], "grafana.deny[0]"),
        ("grafana", "*.corp", "/", READ, "grafana.allow[0]"),
        ("grafana", "*.corp", "/admin", [], "grafana.deny[0]"),
        ("secret", "secret.corp", "/", [], "")]


def test_what_is_not_said_of_an_exception(files):
    done = run("what", files / "policy.yaml", "--as", "bob@example.com",
               "--from", "os=linux")
    assert [(row["HOST"], row["PATH"], row["METHODS"], row["RULE"])
            for row in table(done.stdout) if row["PATH"] == "/admin"] == [
        ("grafana", "/admin", "none", "grafana.deny[0]"),
        ("*.corp", "/admin", "none", "grafana.deny[0]")]


def test_what_of_a_tag(files):
    every = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "*"]
    rows = rows_of(files / "policy.yaml", "--as", "tag:ci", "--from",
                   "os=linux")
    assert [row for row in rows if row[1] == "grafana"] == [
        ("grafana", "grafana", "/api/", every, "grafana.allow[2]"),
        ("grafana", "grafana", "= /health", every, "grafana.allow[2]")]
    assert ("secret", "secret.corp", "/", [], "") in rows


def test_what_of_a_node_in_a_table(devnet, files):
    done = run("what", files / "policy.yaml", "--socket", devnet.socket,
               "--node", "alice-phone")
    assert (done.returncode, done.stderr) == (SOMETHING, "")
    assert [(row["HOST"], row["PATH"], row["METHODS"])
            for row in table(done.stdout)] == [
        ("grafana", "/", "GET HEAD OPTIONS"),
        ("grafana", "/", "any but GET HEAD OPTIONS"),
        ("*.corp", "/", "GET HEAD OPTIONS"),
        ("*.corp", "/", "any but GET HEAD OPTIONS"),
        ("secret.corp", "/", "any")]


def test_what_is_nothing(files):
    done = run("what", files / "policy.yaml", "--as", "stranger")
    assert (done.returncode, done.stdout) == (NOTHING, "no route\n")


def test_what_agrees_with_explain(files):
    """Each row, asked for one by one."""

    for who in ("alice@example.com", "bob@example.com", "tag:ci"):
        for _, host, path, methods, rule in rows_of(
                files / "policy.yaml", "--as", who, "--from", "os=linux"):
            url = "https://" + host.replace("*", "some") \
                + path.removeprefix("= ")
            for method in ("GET", "POST", "PROPFIND"):
                seen = answer("explain", files / "policy.yaml", "--as", who,
                              "--from", "os=linux", "--request",
                              f"{method} {url}")
                listed = method in methods or (
                    "*" in methods and method == "PROPFIND")
                if listed:
                    assert (seen["verdict"], seen["rule"]) \
                        == ("allow", rule), (method, url)
                elif not methods:
                    assert seen["verdict"] == "deny", (method, url)


def test_a_narrow_host_hides_what_a_wide_one_allows(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("""\
version: 1
routes:
  - name: one
    hosts: [wiki]
    allow: [{ user: alice@example.com }]
  - name: all
    allow: [{ user: bob@example.com, paths: [/pub] }]
""", encoding="utf-8")
    assert rows_of(path, "--as", "bob@example.com") == [
        ("one", "wiki", "/", [], ""),
        ("all", "*", "/pub",
         ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "*"],
         "all.allow[0]")]


def test_what_of_one_method_less(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("""\
version: 1
routes:
  - name: wiki
    hosts: [wiki]
    allow: [{ user: bob@example.com }]
    deny: [{ user: bob@example.com, methods: [PURGE], paths: [/a, /b] }]
""", encoding="utf-8")
    rows = rows_of(path, "--as", "bob@example.com")
    assert [(row[2], "PURGE" in row[3], "*" in row[3]) for row in rows] \
        == [("/", True, True), ("/a", False, True), ("/b", False, True)]
    done = run("what", path, "--as", "bob@example.com")
    assert [row["METHODS"] for row in table(done.stdout)] \
        == ["any", "any but PURGE", "any but PURGE"]


def test_what_of_paths_that_overlap(tmp_path):
    """A prefix that is within another says nothing new, a glob tells of
    paths that fit, not of all below them, and twice is once."""

    path = tmp_path / "p.yaml"
    path.write_text("""\
version: 1
always:
  deny: [{ user: bob@example.com, methods: [LOCK] }]
routes:
  - name: wiki
    hosts: [wiki]
    allow:
      - { user: bob@example.com, paths: [/a, /a/, /a/b, "/x/**", /x/y] }
    deny:
      - { user: eve@example.com, paths: [/a, "/x/**"] }
""", encoding="utf-8")
    done = run("what", path, "--as", "bob@example.com")
    assert [(row["PATH"], row["METHODS"]) for row in table(done.stdout)] == [
        ("/a", "any but LOCK"), ("/x/**", "any but LOCK"),
        ("/x/y", "any but LOCK")]


GRANTS = """\
version: 1
grants: { capability: example.com/cap/tailgate }
routes:
  - name: grafana
    hosts: [grafana]
    deny:
      - { os: linux, methods: [PUT] }
"""

GRANTED = """
  - name: granted
    address: 100.64.0.10
    user: bob@example.com
    os: macOS
    capabilities:
      example.com/cap/tailgate:
        - { hosts: [grafana, "*.lab"], paths: /api/, methods: [read] }
        - { hosts: wiki }
        - { hosts: [bad, 5] }
"""

EVERY = [*READ, "POST", "PUT", "PATCH", "DELETE", "*"]


def test_what_of_grants(tmp_path):
    policy, world = tmp_path / "p.yaml", tmp_path / "world.yaml"
    policy.write_text(GRANTS, encoding="utf-8")
    world.write_text(WORLD + GRANTED, encoding="utf-8")
    assert rows_of(policy, "--peers", world, "--node", "granted") == [
        ("grafana", "grafana", "/api/", READ, "grants"),
        ("", "*.lab", "/api/", READ, "grants"),
        ("", "wiki", "/", EVERY, "grants")]
    done = run("what", policy, "--peers", world, "--node", "bob-mac")
    assert (done.returncode, done.stdout) == (NOTHING, "no route\n")


# diff


def changes_of(*arguments, stdin=None):
    seen = answer("diff", *arguments, stdin=stdin)
    return seen, {(c["change"], c["peer"]["node"].split(".")[0], c["host"],
                   c["path"], *c["methods"]) for c in seen["changes"]}


@pytest.mark.parametrize("kind", ["live", "devnet"])
def test_diff(kind, devnet, files):
    peers = peers_of(kind, devnet, files)
    seen, changes = changes_of(files / "policy.yaml", files / "new.yaml",
                               *peers)
    write = ("POST", "PUT", "PATCH", "DELETE", "*")
    places = [(host, path) for host in ("grafana", "*.corp")
              for path in ("/", "/api/", "= /health", "/admin")]
    assert changes == {
        ("closes", "alice-phone", host, path, *write)
        for host, path in places} | {
        ("opens", "bob-mac", host, path, "PUT")
        for host, path in places if path != "/admin"}
    assert seen["opened"] == 6
    assert seen["closed"] == len(write) * len(places)
    assert seen["nodes"] == 7

    change = next(c for c in seen["changes"] if c["change"] == "closes")
    assert (change["old"]["rule"], change["new"]["reason"]) \
        == ("grafana.allow[1]", "no-allow")
    assert change["source"] == "peers"


def test_diff_tells_once_what_is_so_for_many(devnet, files, tmp_path):
    many = tmp_path / "many.yaml"
    nodes = "".join(f"""
  - name: pc{n}
    address: 100.64.1.{n}
    user: bob@example.com
    os: linux""" for n in range(1, 6))
    many.write_text(WORLD.rstrip() + nodes + "\n", encoding="utf-8")
    less = tmp_path / "less.yaml"
    less.write_text(POLICY.replace("methods: read", "methods: [GET, HEAD]"),
                    encoding="utf-8")
    done = run("diff", files / "policy.yaml", less, "--peers", many)
    rows = [row for row in table(done.stdout)
            if (row["HOST"], row["PATH"]) == ("grafana", "/")]
    assert [(row["CHANGE"], row["METHODS"], row["WHO"]) for row in rows] == [
        ("closes", "OPTIONS", "bob@example.com (bob-mac), bob@example.com"
         " (bob-tablet), bob@example.com (pc1) and 4 more")]
    assert "closed; 12 nodes" in done.stdout

    done = run("diff", less, files / "policy.yaml", "--socket",
               devnet.socket)
    row = table(done.stdout)[0]
    assert (row["CHANGE"], row["WHO"]) \
        == ("opens", "bob@example.com (bob-mac),"
            " bob@example.com (bob-tablet)")


def test_diff_of_the_same(devnet, files):
    done = run("diff", files / "policy.yaml", files / "policy.yaml",
               "--socket", devnet.socket)
    assert (done.returncode, done.stdout) \
        == (SAME, "0 opened, 0 closed; 7 nodes\n")


def test_diff_of_routes_that_only_one_has(devnet, files, tmp_path):
    path = tmp_path / "less.yaml"
    path.write_text(POLICY.split("  - name: secret")[0], encoding="utf-8")
    _, gone = changes_of(files / "policy.yaml", path, "--socket",
                         devnet.socket)

    # "*.corp" takes it over; alice may do as much there
    assert {change[:4] for change in gone} == {
        ("opens", "bob-mac", "secret.corp", "/"),
        ("opens", "bob-tablet", "secret.corp", "/")}

    _, back = changes_of(path, files / "policy.yaml", "--socket",
                         devnet.socket)
    assert back == {("closes", *change[1:]) for change in gone}


def test_diff_of_grants(tmp_path):
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    world = tmp_path / "world.yaml"
    old.write_text(GRANTS, encoding="utf-8")
    new.write_text(GRANTS.replace("cap/tailgate", "cap/other"),
                   encoding="utf-8")
    world.write_text(WORLD + GRANTED, encoding="utf-8")
    _, gone = changes_of(old, new, "--peers", world)
    assert gone == {
        ("closes", "granted", "grafana", "/api/", *READ),
        ("closes", "granted", "*.lab", "/api/", *READ),
        ("closes", "granted", "wiki", "/api/", *EVERY),
        ("closes", "granted", "wiki", "/", *EVERY)}
    _, back = changes_of(new, old, "--peers", world)
    assert back == {("opens", *change[1:]) for change in gone}


def test_diff_refuses_what_is_refused(files, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nroute: []\n", encoding="utf-8")
    done = run("diff", files / "policy.yaml", bad, "--peers",
               files / "world.yaml")
    assert done.returncode == USAGE
    assert f"{bad}:2:" in done.stderr

    done = run("diff", files / "policy.yaml", files / "new.yaml",
               "--no-peers", "--log", tmp_path / "none.log")
    assert done.returncode == USAGE
    assert "none.log" in done.stderr
