# Copyright (C) The Tailgate authors

"""tailgate policy check, test and explain: what they print, how they end."""

import json
import subprocess
import xml.etree.ElementTree as ET

import pytest

from tailgate_test import Devnet, TAILGATE, get

ACCEPTED, REFUSED, USAGE, UNAVAILABLE = 0, 1, 2, 3
ALLOWED, DENIED = 0, 1

POLICY = """\
version: 1
tailnet: example.ts.net
groups:
  admins: [alice@example.com]
always:
  deny:
    - { os: iOS, methods: [DELETE] }
contact: ops@example.com
routes:
  - name: grafana
    hosts: [grafana]
    allow:
      - { user: "*@example.com", methods: [GET, HEAD] }
      - { group: admins }
      - { tag: "tag:ci", paths: [/api/] }
      - { capability: example.com/cap/grafana, where: { role: editor } }
    deny:
      - { os: macOS, os_version: "< 15.3" }
    headers:
      X-Webauth-Role:
        from: capability example.com/cap/grafana
        field: role
        order: [viewer, editor, admin]
        default: viewer
  - name: wiki
    hosts: [wiki]
    allow:
      - { autogroup: member }
tests:
  - as: bob@example.com
    from: { os: linux }
    request: GET https://grafana/
    expect: allow
    rule: grafana.allow[0]
  - as: bob@example.com
    from: { os: linux }
    request: POST https://grafana/api/x
    expect: deny
"""

WORLD = """
tailnet: example.ts.net
users:
  - login: alice@example.com
    name: Alice
  - login: bob@example.com
    name: Bob
nodes:
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
  - name: bob-sits-here
    address: 127.0.0.12
    user: bob@example.com
    os: linux
  - name: ci-runner
    address: 100.64.0.6
    tags: ["tag:ci"]
"""


@pytest.fixture(name="devnet", scope="module")
def fixture_devnet(tmp_path_factory):
    with Devnet(tmp_path_factory.mktemp("policy"), WORLD) as devnet:
        yield devnet


@pytest.fixture(name="policy")
def fixture_policy(tmp_path):
    return write(tmp_path / "policy.yaml", POLICY)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(*arguments, stdin=None):
    return subprocess.run(
        [TAILGATE, "policy", *arguments], input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=60, check=False)


def explain(*arguments):
    done = run("explain", *arguments, "--json")
    assert done.returncode in (ALLOWED, DENIED, UNAVAILABLE), done.stderr
    answer = json.loads(done.stdout)
    assert done.returncode == {"allow": 0, "deny": 1,
                               "unavailable": 3}[answer["verdict"]]
    return answer


def test_check_accepts(policy):
    done = run("check", policy)
    assert (done.returncode, done.stderr) == (ACCEPTED, "")
    first, second = done.stdout.splitlines()
    assert first == f"{policy}: accepted, 2 routes, 7 rules, 2 tests," \
                    " 0 warnings"
    digest = subprocess.run(["sha256sum", policy], check=True,
                            capture_output=True, text=True).stdout[:64]
    assert second == f"digest {digest}"


def test_check_json(policy):
    done = run("check", policy, "--json")
    assert done.returncode == ACCEPTED
    seen = json.loads(done.stdout)
    assert seen["accepted"] is True
    assert (seen["routes"], seen["rules"], seen["tests"]) == (2, 7, 2)
    assert (seen["errors"], seen["warnings"], seen["messages"]) == (0, 0, [])


def test_check_reads_standard_input():
    done = run("check", "-", stdin=POLICY)
    assert done.returncode == ACCEPTED, done.stderr


def test_check_tells_every_error_with_its_place(tmp_path):
    text = POLICY.replace("{ group: admins }", "{ group: nobody }") \
                 .replace("hosts: [grafana]", "hots: [grafana]")
    path = write(tmp_path / "bad.yaml", text)
    done = run("check", path)
    assert done.returncode == REFUSED
    lines = done.stderr.splitlines()
    assert len(lines) >= 2
    for line in lines:
        place, severity, code, _ = line.split(": ", 3)
        assert place.startswith(path + ":")
        assert all(part.isdigit() for part in
                   place.removeprefix(path + ":").split(":"))
        assert severity in ("error", "warning")
        assert code[0] == "P" and code[1:].isdigit() and len(code) == 4
    assert any(line.startswith(f"{path}:11:") and "hots" in line
               for line in lines)
    assert any(line.startswith(f"{path}:14:") and "nobody" in line
               for line in lines)
    assert done.stdout.startswith(f"{path}: refused, ")

    seen = json.loads(run("check", path, "--json").stdout)
    assert seen["accepted"] is False
    assert [f'{path}:{m["line"]}:{m["column"]}: {m["severity"]}: {m["code"]}:'
            f' {m["text"]}' for m in seen["messages"]] == lines
    assert seen["errors"] + seen["warnings"] == len(seen["messages"]) \
        == len(lines)
    assert {m["line"] for m in seen["messages"]} >= {11, 14}
    assert "digest" not in seen


SHADOWED = POLICY.replace("tests:", """\
  - name: never
    hosts: [never]
    paths: ["= /x"]
    allow:
      - { user: alice@example.com, via: funnel }
tests:""")


def test_check_warns_and_accepts(tmp_path):
    path = write(tmp_path / "p.yaml", SHADOWED)
    done = run("check", path)
    assert done.returncode == ACCEPTED
    line, = done.stderr.splitlines()
    assert line.startswith(f"{path}:33:9:") and ": warning: P" in line
    assert done.stdout.splitlines()[0].endswith(", 1 warning")

    seen = json.loads(run("check", path, "--json").stdout)
    assert (seen["accepted"], seen["errors"], seen["warnings"]) \
        == (True, 0, 1)


def test_check_prints_no_control_and_no_bidi(tmp_path):
    text = POLICY.replace("group: admins", '"\\e[31m\\u202eevil": 1')
    done = run("check", write(tmp_path / "p.yaml", text))
    assert done.returncode == REFUSED
    assert "evil" in done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stderr)


@pytest.mark.parametrize("form", ["check", "test"])
def test_a_file_that_is_not_there(form, tmp_path):
    path = str(tmp_path / "none.yaml")
    done = run(form, path)
    assert done.returncode == USAGE
    assert path in done.stderr
    assert done.stdout == ""


def test_test_passes(policy):
    done = run("test", policy)
    assert (done.returncode, done.stdout, done.stderr) \
        == (0, "2 tests passed\n", "")


FAILING = POLICY.replace("expect: deny\n", "expect: allow\n")


def test_test_says_what_failed_and_why(tmp_path):
    path = write(tmp_path / "p.yaml", FAILING)
    done = run("test", path)
    assert done.returncode == 1
    failed, total = done.stdout.splitlines()
    request = FAILING.splitlines().index(
        "    request: POST https://grafana/api/x")
    assert failed.startswith(f"{path}:{request - 1}: tests[1]: ")
    assert "allow" in failed and "den" in failed
    assert total == "1 of 2 tests failed"


def test_test_json(tmp_path):
    path = write(tmp_path / "p.yaml", FAILING)
    done = run("test", path, "--json")
    assert done.returncode == 1
    seen = json.loads(done.stdout)
    assert (seen["tests"], seen["failed"]) == (2, 1)
    first, second = seen["results"]
    assert first["passed"] and first["expected_rule"] == "grafana.allow[0]"
    assert not second["passed"] and second["why"]
    assert (second["expected"], second["decision"]["verdict"]) \
        == ("allow", "deny")


def test_test_junit(tmp_path):
    text = FAILING.replace("  - as: bob@example.com\n"
                           "    from: { os: linux }\n    request: POST",
                           '  - name: "<a> & \\"b\\" \\u202e"\n'
                           "    as: bob@example.com\n    request: POST")
    path = write(tmp_path / "p.yaml", text)
    out = tmp_path / "out.xml"
    done = run("test", path, "--junit", str(out))
    assert done.returncode == 1
    suite = ET.parse(out).getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures")) \
        == ("testsuite", "2", "1")
    good, bad = suite.findall("testcase")
    assert good.find("failure") is None
    assert bad.get("name") == '<a> & "b" ?'
    assert bad.find("failure").get("message")


def test_test_junit_that_cannot_be_written(policy, tmp_path):
    out = str(tmp_path / "no" / "out.xml")
    done = run("test", policy, "--junit", out)
    assert done.returncode == USAGE
    assert out in done.stderr


def test_test_of_a_refused_policy(tmp_path):
    path = write(tmp_path / "p.yaml", "version: 2\n")
    done = run("test", path)
    assert done.returncode == REFUSED
    assert f"{path}:1:" in done.stderr


def test_explain_a_deny(policy):
    answer = explain(policy, "--as", "alice@example.com", "--from",
                     "os=iOS,os_version=18.2", "--request",
                     "DELETE https://grafana/api/x")
    assert (answer["verdict"], answer["reason"]) == ("deny", "denied")
    assert (answer["route"], answer["rule"]) == ("grafana", "always.deny[0]")
    assert answer["contact"] == "ops@example.com"
    assert answer["policy"]["file"] == policy
    assert answer["request"]["method"] == "DELETE"
    assert answer["request"]["path"] == "/api/x"
    assert answer["peer"]["login"] == "alice@example.com"
    assert answer["headers"] == {}
    assert answer["needed"]

    by_name = {rule["rule"]: rule for rule in answer["rules"]}
    assert by_name.keys() == {
        "always.deny[0]", "grafana.deny[0]", "grafana.allow[0]",
        "grafana.allow[1]", "grafana.allow[2]", "grafana.allow[3]"}
    decisive = by_name["always.deny[0]"]
    assert decisive["decides"] and decisive["matches"]
    assert (decisive["kind"], decisive["line"]) == ("deny", 7)
    assert all(c["holds"] and c["why"] for c in decisive["conditions"])
    assert [r["rule"] for r in answer["rules"] if r["decides"]] \
        == ["always.deny[0]"]
    assert by_name["grafana.allow[1]"]["matches"]
    assert not by_name["grafana.allow[0]"]["matches"]
    assert any(not c["holds"] for c in
               by_name["grafana.allow[0]"]["conditions"])


def test_explain_an_allow(policy):
    answer = explain(policy, "--as", "bob@example.com", "--request",
                     "https://grafana/", "--from",
                     'os=linux,capability=example.com/cap/grafana:'
                     '{"role":["viewer","editor"]}')
    assert (answer["verdict"], answer["rule"]) \
        == ("allow", "grafana.allow[0]")
    assert answer["reason"] == "allowed"
    assert answer["headers"] == {"X-Webauth-Role": "editor"}


def test_explain_a_table(policy):
    done = run("explain", policy, "--as", "alice@example.com", "--from",
               "os=iOS", "--request", "DELETE https://grafana/api/x")
    assert (done.returncode, done.stderr) == (DENIED, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("deny: ")
    assert "request  DELETE grafana/api/x" in lines
    assert "route    grafana" in lines
    assert "rule     always.deny[0]" in lines
    assert [line.split() for line in lines if line.startswith("=>")] \
        == [["=>", "hit", "always.deny[0]", "line", "7"]]
    assert any(line.startswith("   miss  grafana.allow[0]")
               for line in lines)
    assert any(line.lstrip().startswith("yes  os") for line in lines)
    assert any(line.lstrip().startswith("no   method") for line in lines)
    assert "For an allow:" in lines


def test_explain_prints_no_control_and_no_bidi(policy):
    done = run("explain", policy, "--as", "bob@example.com", "--from",
               "node=\u202e\x1b[2Jmac", "--request", "https://grafana/")
    assert not {"\x1b", "\u202e"} & set(done.stdout + done.stderr)


def test_an_unknown_version_is_denied_and_said(policy):
    answer = explain(policy, "--as", "bob@example.com", "--from", "os=macOS",
                     "--request", "https://grafana/")
    assert (answer["verdict"], answer["rule"]) == ("deny", "grafana.deny[0]")
    rule, = [r for r in answer["rules"] if r["decides"]]
    assert any("known" in c["why"] for c in rule["conditions"])


@pytest.mark.parametrize("version, verdict", [
    ("15.2", "deny"), ("15.3", "allow"), ("15.10", "allow")])
def test_one_version_below_and_one_at_it(policy, version, verdict):
    answer = explain(policy, "--as", "bob@example.com", "--from",
                     f"os=macOS,os_version={version}", "--request",
                     "https://grafana/")
    assert answer["verdict"] == verdict


def test_no_route(policy):
    answer = explain(policy, "--as", "bob@example.com", "--request",
                     "https://elsewhere/")
    assert (answer["verdict"], answer["reason"]) == ("deny", "no-route")
    assert (answer["route"], answer["rule"]) == ("", "")


def test_at_a_time(tmp_path):
    path = write(tmp_path / "p.yaml", """\
version: 1
routes:
  - name: wiki
    allow:
      - { user: c@example.com, until: "2027-01-31T18:00:00Z" }
""")
    for time, verdict in (("2027-01-31T17:59:59Z", "allow"),
                          ("2027-01-31T18:00:00Z", "deny")):
        answer = explain(path, "--as", "c@example.com", "--at", time,
                         "--request", "https://wiki/")
        assert answer["verdict"] == verdict, time


# Who is really there.


def test_a_node_of_the_tailnet(devnet, policy):
    for name in ("alice-phone", "ALICE-PHONE", "alice-phone.example.ts.net",
                 "alice-phone.example.ts.net."):
        answer = explain(policy, "--socket", devnet.socket, "--node", name,
                         "--request", "DELETE https://grafana/x")
        assert answer["rule"] == "always.deny[0]"
        assert answer["peer"]["os"] == "iOS"

    by_id = explain(policy, "--socket", devnet.socket, "--node",
                    answer["peer"]["node_id"], "--request", "https://grafana/")
    assert by_id["peer"]["node"] == "alice-phone.example.ts.net"
    assert by_id["verdict"] == "allow"


def test_the_node_itself(devnet, policy):
    status = json.loads(localapi(devnet, "status?peers=false"))
    name = status["Self"]["DNSName"].split(".")[0]
    answer = explain(policy, "--socket", devnet.socket, "--node", name,
                     "--request", "https://wiki/")
    assert answer["peer"]["node_id"] == status["Self"]["ID"]


def test_an_address_of_the_tailnet(devnet, policy):
    answer = explain(policy, "--socket", devnet.socket, "--addr",
                     "100.64.0.5", "--request", "https://grafana/")
    assert answer["peer"]["login"] == "bob@example.com"
    assert answer["rule"] == "grafana.deny[0]"

    answer = explain(policy, "--socket", devnet.socket, "--addr",
                     "127.0.0.12:4711", "--request", "https://grafana/")
    assert answer["peer"]["node"] == "bob-sits-here.example.ts.net"
    assert answer["verdict"] == "allow"


def test_a_peer_as_it_could_be(devnet, policy):
    answer = explain(policy, "--socket", devnet.socket, "--node", "bob-mac",
                     "--from", "os_version=15.3", "--request",
                     "POST https://grafana/")
    assert (answer["verdict"], answer["rule"]) \
        == ("allow", "grafana.allow[3]")
    assert answer["peer"]["os_version"] == "15.3"

    done = run("explain", policy, "--socket", devnet.socket, "--node",
               "bob-mac", "--from", "group=admins", "--request",
               "https://grafana/")
    assert done.returncode == USAGE
    assert "group=admins" in done.stderr and "--as" in done.stderr


@pytest.mark.parametrize("address, why", [
    ("100.64.0.99", "nobody on the tailnet"),
    ("192.0.2.1", "not a tailnet address")])
def test_strangers(devnet, policy, address, why):
    answer = explain(policy, "--socket", devnet.socket, "--addr", address,
                     "--request", "https://wiki/")
    assert (answer["verdict"], answer["reason"]) == ("deny", "stranger")
    assert answer["peer"]["status"] == "stranger"
    assert why in answer["peer"]["why"]


def test_nobody_of_that_name(devnet, policy):
    done = run("explain", policy, "--socket", devnet.socket, "--node", "nix",
               "--request", "https://grafana/")
    assert done.returncode == USAGE
    assert '"nix"' in done.stderr


def test_no_socket(policy, tmp_path):
    path = str(tmp_path / "none.sock")
    for who in (("--addr", "100.64.0.4"), ("--node", "alice-phone")):
        done = run("explain", policy, "--socket", path, *who, "--request",
                   "https://grafana/")
        assert done.returncode == UNAVAILABLE
        assert path in done.stderr


def localapi(devnet, target):
    answer = get(devnet.socket, f"/localapi/v0/{target}",
                 host="local-tailscaled.sock")
    assert answer.status == 200
    return answer.body.decode("utf-8")


def test_answers_that_were_kept(devnet, policy, tmp_path):
    whois = write(tmp_path / "whois.json",
                  localapi(devnet, "whois?addr=100.64.0.4"))
    status = write(tmp_path / "status.json",
                   localapi(devnet, "status?peers=false"))
    answer = explain(policy, "--whois", whois, "--self", status, "--request",
                     "DELETE https://grafana/x")
    assert answer["rule"] == "always.deny[0]"
    assert answer["peer"]["status"] == "member"

    broken = write(tmp_path / "broken.json", "{")
    answer = explain(policy, "--whois", broken, "--self", status, "--request",
                     "https://grafana/")
    assert (answer["verdict"], answer["reason"]) \
        == ("unavailable", "unavailable")
    assert answer["peer"]["why"]


def test_a_header_that_overrides_the_method(tmp_path):
    path = write(tmp_path / "p.yaml", """\
version: 1
routes:
  - name: wiki
    method_override: refuse
    allow: [{ user: b@example.com }]
""")
    who = (path, "--as", "b@example.com", "--request", "https://wiki/")
    assert explain(*who)["verdict"] == "allow"
    assert explain(*who, "--method-override")["reason"] == "method-override"


@pytest.mark.parametrize("via, verdict", [
    ("direct", "deny"), ("service", "allow"), ("svc:wiki", "allow"),
    ("funnel", "deny")])
def test_ways_in(tmp_path, via, verdict):
    path = write(tmp_path / "p.yaml", """\
version: 1
routes:
  - allow: [{ user: b@example.com, via: service }]
""")
    answer = explain(path, "--as", "b@example.com", "--via", via, "--request",
                     "https://wiki/")
    assert answer["verdict"] == verdict
    assert answer["request"]["via"] == via


# Directives of nginx.


def test_inline_rules(policy):
    who = ("--as", "bob@example.com", "--request", "https://grafana/api/x",
           "--from", "os=linux")
    answer = explain(policy, *who, "--inline",
                     'tailgate_deny "path=/api" os=linux;')
    assert (answer["verdict"], answer["rule"]) \
        == ("deny", "tailgate_deny:inline:1")

    answer = explain(policy, *who, "--inline",
                     "tailgate_allow user=alice@example.com")
    assert (answer["verdict"], answer["reason"]) == ("deny", "no-allow")

    answer = explain(policy, *who, "--inline",
                     "tailgate_allow user=alice@example.com", "--inline",
                     "tailgate_allow 'user=*@example.com'")
    assert (answer["verdict"], answer["rule"]) \
        == ("allow", "grafana.allow[0]")


def test_quotes_of_inline_rules_are_those_of_nginx():
    for rule in ("tailgate_allow user=o'neil@example.com",
                 r"tailgate_allow 'user=o\'neil@example.com';",
                 'tailgate_allow  "user=o\'neil@example.com"\t;'):
        answer = explain("--no-policy", "--as", "o'neil@example.com",
                         "--request", "https://x/", "--inline", rule)
        assert answer["verdict"] == "allow", rule


def test_inline_alone():
    answer = explain("--no-policy", "--as", "bob@example.com", "--request",
                     "https://x/", "--inline",
                     "tailgate_allow user=bob@example.com")
    assert (answer["verdict"], answer["rule"]) \
        == ("allow", "tailgate_allow:inline:1")
    assert answer["policy"] is None


def test_the_built_in_rule():
    answer = explain("--no-policy", "--as", "bob@example.com", "--request",
                     "https://x/")
    assert (answer["verdict"], answer["reason"]) == ("allow", "builtin")

    answer = explain("--no-policy", "--as", "tag:ci", "--request",
                     "https://x/")
    assert (answer["verdict"], answer["reason"]) == ("deny", "builtin")

    answer = explain("--no-policy", "--as", "tag:ci", "--request",
                     "https://x/", "--inline",
                     "tailgate_peers member tagged")
    assert answer["verdict"] == "allow"


def test_raw_path(policy):
    who = ("--as", "alice@example.com", "--request",
           "https://grafana/a%2fb", "--from", "os=linux")
    assert explain(policy, *who)["reason"] == "raw-path"
    inline = ("--no-policy", "--inline", "tailgate_deny os=plan9")
    assert explain(*inline, *who)["reason"] == "raw-path"
    assert explain(*inline, *who, "--inline",
                   "tailgate_raw_path allow")["verdict"] == "allow"


@pytest.mark.parametrize("text, says", [
    ("tailgate_allow", "no directive"),
    ("tailgate_allow 'user=x", "no directive"),
    ("tailgate_permit user=x", "tailgate_allow"),
    ("tailgate_allow usr=x", "usr"),
    ("tailgate_peers everybody", "everybody"),
    ("tailgate_allow group=nobody", "nobody"),
    ("tailgate_raw_path maybe", "tailgate_raw_path")])
def test_wrong_directives(policy, text, says):
    done = run("explain", policy, "--as", "bob@example.com", "--request",
               "https://x/", "--inline", text)
    assert done.returncode == USAGE
    assert says in done.stderr
    assert done.stdout == ""


WRONG = [
    ([], "no form"),
    (["frobnicate"], "none of its forms"),
    (["check"], "one FILE"),
    (["check", "a", "b"], "one FILE"),
    (["check", "--as", "x", "a"], "not understood"),
    (["test", "--request", "x", "a"], "not understood"),
    (["explain", "POLICY", "--as", "b@example.com"], "--request"),
    (["explain", "POLICY", "--request", "https://x/"], "one of --as"),
    (["explain", "POLICY", "--request", "https://x/", "--as", "b@x",
      "--node", "y"], "one of --as"),
    (["explain", "POLICY", "--request", "https://x/", "--as", "b@x",
      "--as", "y"], "not understood"),
    (["explain", "POLICY", "--request", "nonsense", "--as", "b@x"],
     "--request"),
    (["explain", "POLICY", "--request", "https://x/", "--as", "b@x", "--at",
      "noon"], "no time"),
    (["explain", "POLICY", "--request", "https://x/", "--as", "b@x", "--via",
      "pigeon"], "no way in"),
    (["explain", "POLICY", "--request", "https://x/", "--as", "b@x",
      "--from", "color=red"], "color"),
    (["explain", "POLICY", "--request", "https://x/", "--addr", "x"],
     "no address"),
    (["explain", "POLICY", "--no-policy", "--request", "https://x/", "--as",
      "b@x"], "one policy"),
    (["what", "--no-policy", "--as", "b@x"], "policy file"),
    (["diff", "POLICY"], "OLD and NEW"),
    (["diff", "POLICY", "POLICY", "--no-peers"], "--no-peers")]


@pytest.mark.parametrize("arguments, says", WRONG)
def test_wrong_command_lines(policy, arguments, says):
    done = run(*[policy if a == "POLICY" else a for a in arguments])
    assert done.returncode == USAGE, done.stdout
    assert says in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("form", [
    "check", "test", "explain", "who", "what", "diff"])
def test_help(form):
    done = run(form, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: tailgate policy {form} ")
    assert form in run("--help").stdout


def test_what_of_a_person_without_a_system(tmp_path):
    """A deny takes a system that is not known for its own, and what says so:
    else somebody who is let in each day seems to be shut out."""

    path = write(tmp_path / "deny.yaml", "version: 1\nroutes:\n  - paths: /\n"
                 "    allow: [{ user: bob@example.com }]\n"
                 "    deny: [{ os: iOS }]\n")
    result = run("what", path, "--as", "bob@example.com")
    assert result.returncode == 1
    assert "no operating system was given" in result.stderr
    result = run("what", path, "--as", "bob@example.com", "--from", "os=linux")
    assert result.returncode == 0
    assert result.stderr == ""
