# Copyright (C) The Tailgate authors

"""The forms of tailgate acl: exit codes, places, what goes where."""

import json

import pytest

from acl_test import acl

GOOD = """// who may do what
{
    "groups": {"group:ops": ["odin@example.com"],},
    "tagOwners": {"tag:server": []},
    "ssh": [
        {"action": "accept", "src": ["group:ops"], "dst": ["tag:server"],
         "users": ["ubuntu"]},
        {"action": "check", "src": ["group:ops"], "dst": ["tag:server"],
         "users": ["root"], "checkPeriod": "1h"},
    ],
}
"""

NETMAP = {
    "users": {"odin": "odin@example.com", "thor": "thor@example.org"},
    "tailnet_domains": ["example.com"],
    "nodes": {
        "server": {"tags": ["tag:server"], "ipv4": "100.64.0.1"},
        "laptop": {"user": "odin", "ipv4": "100.64.0.2"},
        "phone": {"user": "odin", "ipv4": "100.64.0.3"},
        "other": {"user": "thor", "ipv4": "100.64.0.4"}}}

STATUS = {
    "BackendState": "Running", "MagicDNSSuffix": "t.ts.net",
    "Self": {"DNSName": "server.t.ts.net.", "Tags": ["tag:server"],
             "TailscaleIPs": ["100.64.0.1"], "UserID": 9,
             "AllowedIPs": ["100.64.0.1/32"]},
    "Peer": {"k1": {"DNSName": "laptop.t.ts.net.", "UserID": 1,
                    "TailscaleIPs": ["100.64.0.2"],
                    "AllowedIPs": ["100.64.0.2/32", "10.0.0.0/8"]},
             "k2": {"DNSName": "phone.t.ts.net.", "UserID": 1,
                    "TailscaleIPs": ["100.64.0.3"]},
             "k3": {"DNSName": "other.u.ts.net.", "UserID": 2,
                    "TailscaleIPs": ["100.64.0.4"]},
             "k4": {"ShareeNode": True, "UserID": 3},
             "k5": {"DNSName": "whose.t.ts.net.", "UserID": 4,
                    "TailscaleIPs": ["100.64.0.5"]},
             "k6": {"DNSName": "server.u.ts.net.", "UserID": 9,
                    "Tags": ["tag:server"],
                    "TailscaleIPs": ["100.64.0.6"]}},
    "User": {"1": {"LoginName": "odin@example.com"},
             "5": {"LoginName": "odin@example.com"},
             "2": {"LoginName": "thor@example.org"},
             "9": {"LoginName": "tagged-devices"}}}


@pytest.fixture(name="files")
def fixture_files(tmp_path):
    class Files:
        def write(self, name, text):
            path = tmp_path / name
            path.write_text(text if isinstance(text, str)
                            else json.dumps(text), encoding="utf-8")
            return str(path)
    files = Files()
    files.policy = files.write("policy.hujson", GOOD)
    files.netmap = files.write("netmap.json", NETMAP)
    files.status = files.write("status.json", STATUS)
    return files


def test_check_accepts(files):
    result = acl("check", files.policy, "--netmap", files.netmap)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_check_without_netmap(files):
    result = acl("check", "--json", files.policy)
    assert result.returncode == 0
    assert result.stderr == "tests not run: no netmap\n"
    assert json.loads(result.stdout) == {"accepted": True}


def test_check_refuses_with_a_place(files):
    bad = files.write("bad.hujson", GOOD.replace('"check",', '"chek",'))
    result = acl("check", bad, "--json")
    assert result.returncode == 1
    assert result.stderr == f'{bad}:8:20: "chek" is not a valid action\n'
    assert json.loads(result.stdout) == {
        "accepted": False, "stage": "validation", "line": 8, "column": 20,
        "message": '"chek" is not a valid action'}


@pytest.mark.parametrize("text, place", [
    ('{"ssh": [}', '1:10: "}", expected a value'),
    ('{\n "a": 1,\n "a": 2}', '3:2: the key "a" stands here a second time'),
    ('\ufeff{}', "1:1: a byte order mark, expected a value"),
    ('{"ä": x}', '1:7: "x", expected a value'),
    ('{"groups": {}, "Groups": {}}',
     '1:16: field "Groups" stands here a second time'),
    ("[" * 100, "1:65: nested too deeply"),
    ("", "1:1: the end of the text, expected a value"),
])
def test_check_syntax(files, text, place):
    bad = files.write("bad.hujson", text)
    result = acl("check", bad)
    assert (result.returncode, result.stderr) == (1, f"{bad}:{place}\n")


def test_check_tests(files):
    bad = files.write("bad.hujson", GOOD.replace(
        '"tagOwners"', '"tests": [{"src": "thor@example.org",\n'
        '"deny": ["tag:server:22"]}],\n"tagOwners"'))
    result = acl("check", bad, "--netmap", files.netmap, "--json")
    assert result.returncode == 1
    assert result.stderr == f"{bad}:5:10: test(s) failed\n"
    assert json.loads(result.stdout)["stage"] == "tests"
    # what needs no nodes is fine
    assert acl("check", bad).returncode == 0


def test_check_warns(files):
    result = acl("check", files.policy, "--netmap", files.status)
    assert result.returncode == 0
    assert "laptop, a node of odin@example.com, advertises routes" \
        in result.stderr

    wide = files.write("wide.hujson", GOOD.replace(
        'dst": ["tag:server"],\n         "users": ["ubuntu"]',
        'dst": ["autogroup:member"],\n         "users": ["ubuntu"]').replace(
        '"group:ops": ["odin', '"group:ops": ["thor@example.org", "odin'))
    result = acl("check", wide, "--netmap", files.netmap, "--dialect",
                 "headscale")
    assert result.returncode == 0
    assert f"{wide}:6:9: warning: " in result.stderr
    assert "whoever runs code there is that user" in result.stderr


@pytest.mark.parametrize("name, codes", [
    ("secrets", (0, 0)), ("golink", (0, 1)), ("ingress", (1, 1))])
def test_check_capability_of_a_dialect(files, name, codes):
    policy = files.write("grant.hujson", json.dumps({"grants": [
        {"src": ["*"], "dst": ["*"],
         "app": {f"tailscale.com/cap/{name}": [{}]}}]}))
    assert codes == tuple(
        acl("check", policy, "--dialect", dialect).returncode
        for dialect in ("tailscale", "headscale"))


def test_check_missing_file(files):
    assert acl("check", "/nonexistent").returncode == 2
    assert acl("check").returncode == 2
    assert acl("check", files.policy, "--netmap", files.policy
               ).returncode == 2


@pytest.mark.parametrize("netmap", ["netmap", "status"])
@pytest.mark.parametrize("src", ["laptop", "odin@example.com", "100.64.0.2"])
def test_ssh(files, src, netmap):
    result = acl("ssh", "--policy", files.policy, "--netmap",
                 getattr(files, netmap), "--src", src, "--dst", "server",
                 "--user", "root")
    assert result.returncode == 0
    assert "check (every 3600 s): laptop (odin@example.com) to server as " \
        "root\n" in result.stdout
    assert f"by {files.policy}:8:9: ssh[1] check" in result.stdout


def test_ssh_denied(files):
    result = acl("ssh", "--policy", files.policy, "--netmap", files.netmap,
                 "--src", "other", "--dst", "server", "--user", "root")
    assert result.returncode == 1
    assert result.stdout.startswith("deny: other (thor@example.org)")
    assert "does not name this source" in result.stdout
    assert 'add "thor@example.org", or a group of it, to src of' \
        in result.stdout

    result = acl("ssh", "--policy", files.policy, "--netmap", files.netmap,
                 "--src", "laptop", "--dst", "server", "--user", "x")
    assert 'add "x" to users of' in result.stdout


def test_ssh_says_that_the_network_is_closed(files):
    closed = files.write("closed.hujson", GOOD.replace(
        '"tagOwners"', '"acls": [], "tagOwners"'))
    result = acl("ssh", "--policy", closed, "--netmap", files.netmap,
                 "--src", "laptop", "--dst", "server", "--user", "ubuntu")
    assert result.returncode == 0
    assert "do not let the source reach tcp port 22" in result.stdout


def test_who_and_what(files):
    result = acl("who", "--dst", "server", "--user", "root", "--policy",
                 files.policy, "--netmap", files.netmap)
    assert result.returncode == 0
    assert result.stdout == (
        f"check  laptop odin@example.com  {files.policy}:8:9\n"
        f"check  phone odin@example.com  {files.policy}:8:9\n")

    result = acl("what", "--src", "odin@example.com", "--policy",
                 files.policy, "--netmap", files.netmap)
    assert result.stdout == (f"check  server root  {files.policy}:8:9\n"
                             f"accept server ubuntu  {files.policy}:6:9\n")

    assert acl("who", "--dst", "server", "--user", "nobody", "--policy",
               files.policy, "--netmap", files.netmap).returncode == 1


def test_what_speaks_of_nobody_elses_account(files):
    path = files.write("nonroot.hujson", GOOD.replace(
        '"ubuntu"', '"autogroup:nonroot"'))
    result = acl("what", "--src", "odin@example.com", "--policy", path,
                 "--netmap", files.netmap)
    accounts = {line.split()[2] for line in result.stdout.splitlines()}
    assert accounts == {"root", "ubuntu", "nobody", "odin"}


def test_diff(files):
    new = files.write("new.hujson", GOOD.replace('"1h"', '"2h"').replace(
        '"users": ["ubuntu"]', '"users": ["admin"]').replace(
        '"tagOwners"', '"grants": [{"src": ["group:ops"], "dst": '
        '["tag:server"], "ip": ["*"], "app": {"example.com/x": []}}],'
        '"tagOwners"'))
    result = acl("diff", files.policy, new, "--netmap", files.netmap)
    assert result.returncode == 1
    lines = result.stdout.split("\n")
    assert "ssh laptop to server as ubuntu: accept -> deny" in lines
    assert "ssh laptop to server as admin: deny -> accept" in lines
    assert "ssh phone to server as root: check 3600s -> check 7200s" in lines
    assert "tcp22 other to server: open -> closed" in lines
    assert "app laptop to server: example.com/x added" in lines
    assert not any(line.startswith("tcp22 laptop to server") for line in lines)

    result = acl("diff", files.policy, files.policy, "--netmap",
                 files.netmap)
    assert (result.returncode, result.stdout) == (0, "")


def test_test(files):
    bad = files.write("bad.hujson", GOOD.replace(
        '"tagOwners"', '"tests": [{"src": "thor@example.org",\n'
        '"deny": ["tag:server:22"]}],\n"sshTests": [{"src": "laptop", "dst": '
        '["tag:server"], "accept": ["root"]},\n{"src": "odin@example.com", '
        '"dst": ["tag:server"], "accept": ["root"]}],\n"tagOwners"'))
    result = acl("test", bad, "--netmap", files.netmap)
    assert result.returncode == 1
    assert result.stdout == (
        f'{bad}:5:10: tests[0] from thor@example.org: deny "tag:server:22": '
        "allowed\n"
        + f'{bad}:6:22: sshTests[0] from laptop: src "laptop": no such host\n'
        f"{bad}:7:63: sshTests[1] from odin@example.com to server: accept "
        '"root": accepted after a check only\n'
        "3 assertions of 3 tests failed\n")

    result = acl("test", files.policy, "--netmap", files.netmap)
    assert (result.returncode, result.stdout) == (0, "0 tests passed\n")


def test_eval_answers_each_case(files):
    good = files.write("case.json", {**NETMAP, "policy": {}})
    text = files.write("text.json", {**NETMAP, "policy": "// x\n{,}"})
    broken = files.write("broken.json", "{")
    result = acl("eval", "--json", good, text, broken, "/nonexistent")
    assert result.returncode == 2
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line)[0] for line in lines] \
        == ["accepted", "accepted", "error", "error"]
    assert lines[0] == {
        "accepted": True, "decisions": [], "principal_match": {},
        "capmaps": [], "tcp22": {
            dst: sorted(set(NETMAP["nodes"]) - {dst})
            for dst in NETMAP["nodes"]}}
    assert lines[1] == {"accepted": False, "stage": "validation",
                        "message": '",", expected a key in quotes or "}"',
                        "line": 2, "column": 2}


def test_eval_asks_for_the_accounts_that_are_named(files):
    policy = {"tagOwners": {"tag:server": []}, "acls": [],
              "sshTests": [{"src": "odin@example.com", "dst": ["tag:server"],
                            "accept": ["fromtest"]}],
              "ssh": [{"action": "accept", "src": ["odin@example.com"],
                       "dst": ["tag:server"],
                       "users": ["autogroup:nonroot", " literal "]}]}
    case = files.write("case.json", {**NETMAP, "policy": policy})
    result = json.loads(acl("eval", case, "--json").stdout)
    assert {row["user"] for row in result["decisions"]} \
        == {"ubuntu", "nobody", "literal", "fromtest", "odin", "thor"}


def test_eval_asks_once_for_an_account(files):
    policy = {"tagOwners": {"tag:server": []}, "acls": [],
              "ssh": [{"action": "accept", "src": ["odin@example.com"],
                       "dst": ["tag:server"],
                       "users": ["autogroup:nonroot"]}]}
    case = files.write("case.json", {
        **NETMAP, "policy": policy,
        "probe_users": ["ubuntu", " root", "", "ubuntu", "root", ""]})
    result = json.loads(acl("eval", case, "--json").stdout)
    assert [(row["src"], row["user"]) for row in result["decisions"]] == [
        (src, user) for src in ("laptop", "phone")
        for user in ("ubuntu", " root")]


@pytest.mark.parametrize("probes", ["root", {}, ["root", 1], [None], 0])
def test_eval_refuses_accounts_that_are_no_names(files, probes):
    case = files.write("case.json", {**NETMAP, "policy": {},
                                     "probe_users": probes})
    result = acl("eval", case, "--json")
    assert (result.returncode, json.loads(result.stdout)) == (
        2, {"error": '"probe_users" must be a list of strings'})


def test_eval_tests_are_run(files):
    policy = {"tests": [{"src": "odin@example.com", "deny": [
        "100.64.0.1:22"]}]}
    case = files.write("case.json", {**NETMAP, "policy": policy})
    result = json.loads(acl("eval", case, "--json").stdout)
    assert (result["stage"], result["message"]) == ("tests", "test(s) failed")
    assert result["line"] == 1 and result["column"] > 1


def test_domains_of_a_status(files):
    policy = files.write("domain.hujson", GOOD.replace(
        '"group:ops"], "dst"', '"user:*@example.com"], "dst"'))
    arguments = ("who", "--policy", policy, "--netmap", files.status,
                 "--dst", "server", "--user", "root")
    result = acl(*arguments)
    assert result.returncode == 2
    assert "example.com is not associated with this Tailnet" in result.stderr
    assert acl(*arguments, "--domain", "example.com").returncode == 0


def test_members_of_a_status(files):
    """Not the other tailnet's node, not one whose user nobody knows."""

    policy = files.write("member.hujson", GOOD.replace(
        '"group:ops"], "dst"', '"autogroup:member"], "dst"'))
    result = acl("who", "--policy", policy, "--netmap", files.status,
                 "--dst", "server", "--user", "root")
    assert [line.split()[1] for line in result.stdout.splitlines()] \
        == ["laptop", "phone"]

    # nor has the other tailnet's node our tag
    assert acl("who", "--policy", policy, "--netmap", files.status, "--dst",
               "server.u.ts.net", "--user", "root").returncode == 1


@pytest.mark.parametrize("form", ["check", "eval", "ssh", "who", "what",
                                  "diff", "test"])
def test_help_and_usage(form):
    result = acl(form, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: tailgate acl {form}")
    assert acl(form, "--bogus").returncode == 2
    assert acl("bogus").returncode == 2
