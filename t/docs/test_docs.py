# Copyright (C) The Tailgate authors

"""Every configuration and every command that a page shows is run, and each
kind of block has a fault that its test finds."""

import os

import pytest

import blocks
import kinds
import shell
from tailgate_test import ROOT

BLOCKS, FAULTS = blocks.read()


def test_pages():
    assert not FAULTS, "\n" + "\n".join(FAULTS)


def test_something_is_shown():
    """The reader finds blocks in each sort of page."""

    kind = {block.kind for block in BLOCKS}
    assert kind >= {"nginx", "sh", "yaml authd", "yaml devnet"}

    for path in ("README.md", "docs/install.md", "docs/apps/grafana.md",
                 "docs/man/tailgate-acl.1", "docs/man/tailgate-devnet.1"):
        assert [block for block in BLOCKS if block.path == path], path


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block(block, tmp_path):
    try:
        kinds.check(block, tmp_path)

    except blocks.Fault as fault:
        pytest.fail(f"{block}: {fault}", pytrace=False)


# For each kind what is right, what is wrong, and what is said about it.
PLANTED = [
    ("nginx", "tailgate on;", "tailgate perhaps;", "invalid value"),
    ("nginx", "map $uri $a { }", "server { tailgate_localapi unix:/a; }",
     "in http: nginx:"),
    ("nginx", "location / { }", "location / { tailgate on }",
     "in server: nginx:"),
    ("nginx in=server", "tailgate_strip X-A;", "tailgate_localapi unix:/a;",
     "in server: nginx:"),
    ("nginx", "events { }\nhttp {\nserver { listen 192.0.2.1:443 ssl; } }",
     "events { }\nhttp {\nserver { tailgate_headers a; } }",
     "unknown directive"),
    ("nginx", "load_module modules/ngx_http_tailgate_module.so;\nhttp { }",
     "load_module modules/ngx_http_tailgate.so;\nhttp { }", "dlopen() "),
    ("nginx in=main", None, "tailgate on;", "has one http block"),
    ("nginx", "access_log /var/log/nginx/a.log;",
     "access_log /var/log/nginx/a.log tailgate;", 'unknown log format'),
    ("nginx", "server { server_name a; }",
     "server { server_name a; } server { server_name a; }",
     "conflicting server name"),
    ("nginx in=stream", None, "tailgate on;", "no such level"),
    ("caddyfile", "http://127.0.0.1 {\n respond hello\n}",
     "http://127.0.0.1 {\n respnd hello\n}", "unrecognized directive"),
    ("caddyfile in=site", "respond hello", "forward_auth a { urii /b }",
     "caddy: "),
    ("haproxy", "global\n lua-load /etc/haproxy/tailgate.lua\n"
     "frontend a\n mode http\n bind 127.0.0.1:80\n timeout client 1s\n"
     " http-request lua.tailgate /a.sock headers=webauth",
     "global\n lua-loda /etc/haproxy/tailgate.lua", "unknown keyword"),
    ("yaml authd", "policy: member", "policys: member", "policys"),
    ("yaml authd", "secrets: { pgadmin: /etc/tailgate/pgadmin.secret }",
     "secrets: { pgadmin: /nonexistent/pgadmin.secret }", "nonexistent"),
    ("yaml devnet", "tailnet: a.example\nnodes: []",
     "tailnet: a.example\nnods: []", "nods"),
    ("yaml links", "links: { a: https://b/ }", "links: { a: { uri: b } }",
     '"uri"'),
    ("yaml policy", "version: 1\nroutes: []", "version: 2\nroutes: []",
     "version"),
    ("yaml policy", "groups: { a: [b@c.example] }", "group: []", "group"),
    ("yaml policy in=route", "deny: [{ os: iOS }]", "deny: [{ is: iOS }]",
     "tailgate policy check: "),
    ("yaml policy",
     "routes: []\ntests: [{ as: a@b, request: https://c/, expect: deny }]",
     "routes: []\ntests: [{ as: a@b, request: https://c/, expect: allow }]",
     "tailgate policy test: "),
    ("hujson", '{ "grants": [], }', '{ "grant": [], }', "grant"),
    ("hujson", '"grants": [{"src": ["group:a"], "dst": ["tag:b"],'
     ' "ip": ["*"]}]', '"grants": [{"src": ["group:a"]}]',
     "tailgate acl check: "),
    ("ini systemd unit=tailgate-authd.service",
     "[Service]\nLoadCredential=a:/etc/a",
     "[Service]\nLoadCredentials=a:/etc/a", "LoadCredentials"),
    ("ini systemd unit=tailgate-authd.socket", "[Socket]\nSocketGroup=root",
     "[Sockets]\nSocketGroup=root", "Sockets"),
    ("ini systemd unit=authd.service", None, "[Service]", "has no authd"),
    ("ini systemd", None, "[Service]", "needs unit="),
    ("json", '{"a": 1}', '{"a": 1,}', "no JSON"),
    ("json", '[{"a": 1}]', '{"a": 1, "a": 2}', "twice"),
    ("ini", None, "[auth]", "nothing runs"),
    ("python", None, "a = 1", "nothing runs"),
    ("yaml", None, "a: 1", "nothing runs"),
    ("text", "anything { at all", None, None),
    ("sh", "$ tailgate whois --json 100.64.0.4",
     "$ tailgate whois --jason 100.64.0.4", "no option --jason"),
    ("nginx unit=a", None, "tailgate on;", "no option unit"),
    ("", None, "tailgate on;", "is no kind"),
    ("yaml podman", None, "a: 1", "is no kind"),
]


@pytest.mark.parametrize("info, right, wrong, said", PLANTED)
def test_planted(tmp_path, info, right, wrong, said):
    if right is not None:
        kinds.check(blocks.block("a.md", 1, info, right + "\n"),
                    tmp_path / "right")

    if wrong is not None:
        with pytest.raises(blocks.Fault) as fault:
            kinds.check(blocks.block("a.md", 1, info, wrong + "\n"),
                        tmp_path / "wrong")

        assert said in str(fault.value)


def test_each_kind_is_planted():
    planted = {blocks.block("a.md", 1, info, "").kind
               for info, _, wrong, _ in PLANTED if wrong}
    assert planted >= set(kinds.KINDS) - {"text"}


COMMANDS = [
    ("tailgate status", None),
    ("sudo tailgate status --json | less", "less"),
    ("tailgate devnet ctl --control /a move b c@d", None),
    ("tailgate devnet ctl --control /a mvoe b c@d", "mvoe"),
    ("tailgate devnet ctl --control /a COMMAND [ARGUMENT ...]", None),
    ("tailgate devnet --sockt /a people.yaml", "--sockt"),
    ("tailgate acl ssh --policy a --src b \\\n    --dst c --user d", None),
    ("tailgate acl ssh --policy a --source b", "--source"),
    ("tailgate acl shh --policy a", "tailgate acl shh"),
    ("tailgate whom 100.64.0.4", "tailgate whom"),
    ("tailgate --verbose", "--verbose"),
    ("tailgate-authd -t -c /etc/tailgate/authd.yaml", None),
    ("tailgate-authd -x", "-x"),
    ("./dev check unit nginx # all of it", None),
    ("./dev check unti", "unti"),
    ("./dev chek", "./dev chek"),
    ("./dev demo --rael", "--rael"),
    ("./dev bench acl", None),
    ("./dev bench acls", "acls"),
    ("./configure --prefix=/usr && make && sudo make install", None),
    ("./configure --perfix=/usr", "--perfix"),
    ("make instal DESTDIR=/tmp/a", "instal"),
    ("sudo systemctl enable --now tailgate-authd.socket", None),
    ("sudo systemctl enable --now tailgate.socket", "tailgate.socket"),
    ("/usr/bin/python3 -m pytest t/nginx -k spoof", None),
    ("/usr/bin/python3 -m pytest t/apache", "t/apache"),
    ("openssl rand -hex 32 > /etc/a", None),
    ("./control -listens a", "-listens"),
    ("t/tailnet/build --contrl a", "--contrl"),
]


@pytest.mark.parametrize("text, said", COMMANDS)
def test_command(text, said):
    if said is None:
        shell.check(text)

    else:
        with pytest.raises(blocks.Fault) as fault:
            shell.check(text)

        assert said in str(fault.value)


@pytest.mark.parametrize("text, fault", [
    ("Text.\n\n```sh\nmake\n```\n", None),
    ("* Text.\n\n  ```sh\n  make\n  ```\n", None),
    ("Text.\n\n```sh\nmake\n", "a.md:3: the block has no end"),
    ("Text.\n\n    make\n", "a.md:3: an indented block"),
    ("Text,\n    that goes on.\n", None),
    ("### tailgate\n\n    Syntax:   tailgate on | off;\n", None),
])
def test_markdown(text, fault):
    found, faults, _ = blocks.markdown("a.md", text)
    if fault is None:
        assert faults == []
        assert [block.text for block in found] in ([], ["make\n"])

    else:
        assert len(faults) == 1 and faults[0].startswith(fault)


def test_commands_of_a_sentence():
    text = "Run\n`./dev check\nunit`, `tailgate on` and `tailgate status`."
    prose = list(enumerate(text.split("\n"), 1))
    assert [(block.line, block.text)
            for block in blocks.commands("a.md", prose)] \
        == [(2, "./dev check unit\n"), (3, "tailgate status\n")]


MAN = r""".Dl $ tailgate acl ssh --policy a \e
.Dl \ \ \ \ --dst web
.\" yaml authd
.Bd -literal -offset indent
policy: member
.Ed
.Bd -literal
policy: none
.Ed
.Dl Ar file : message
.Dl tailgate status
"""


def test_man():
    found, faults, _ = blocks.man("a.1", MAN)
    assert [(block.kind, block.text) for block in found] == [
        ("sh", "$ tailgate acl ssh --policy a \\\n    --dst web\n"),
        ("yaml authd", "policy: member\n"), ("", "policy: none\n")]
    assert faults == ['a.1:11: a command begins with "$ "']


@pytest.mark.parametrize("text, fault", [
    ("location / {\n    root /srv;\n}", None),
    ("root /srv;", None),
    ("listen 80;\n...\nroot /srv;", None),
    ("  ...\nroot /srv;\n  ...", None),
    ("root /srv;\n...\nlisten 80;", "not in this order"),
    ("location / {\nroot /srv;\n}", "no such lines"),
    ("root /var;", "no such lines"),
])
def test_excerpt(tmp_path, text, fault):
    file = tmp_path / "examples" / "a" / "nginx.conf"
    file.parent.mkdir(parents=True)
    file.write_text("server {\n    listen 80;\n\n\tlocation / {\n"
                    "\t    root /srv;\n\t}\n}\n")
    shown = blocks.block("a.md", 1, "nginx from=examples/a/nginx.conf",
                         text + "\n")

    if fault is None:
        blocks.check_excerpt(shown, tmp_path)

    else:
        with pytest.raises(blocks.Fault) as raised:
            blocks.check_excerpt(shown, tmp_path)

        assert fault in str(raised.value)


@pytest.mark.parametrize("name", ["examples/none", "dev", "conf/../dev"])
def test_excerpt_of_no_example(name):
    with pytest.raises(blocks.Fault):
        blocks.check_excerpt(blocks.block("a.md", 1, f"sh from={name}", "a"))


def test_contributing_lists_the_kinds():
    with open(os.path.join(ROOT, "CONTRIBUTING.md"), encoding="utf-8") as f:
        page = f.read()

    for kind in kinds.KINDS:
        assert f"`{kind}`" in page, kind
