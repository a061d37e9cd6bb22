# Copyright (C) The Tailgate authors

"""tailgate lint: each rule on the examples of its documentation, on what the
real nginx prints, and on what is no configuration."""

import glob
import json
import os
import re
import shutil
import subprocess

import pytest

from tailgate_test import ROOT, TAILGATE, sanitizer_environment

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")

CLEAN, FOUND, USAGE = 0, 1, 2


def lint(*arguments, text=None):
    return subprocess.run(
        [TAILGATE, "lint", *arguments], input=text, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", timeout=60, check=False)


def examples():
    """Of docs/lint.md: the rule, and its bad and its good configuration."""
    with open(os.path.join(ROOT, "docs", "lint.md"), encoding="utf-8") as f:
        text = f.read()
    found = {}
    for section in re.split(r"^### ", text, flags=re.M)[1:]:
        name = section.split("\n", 1)[0]
        found[name] = re.findall(r"^```nginx(?: in=http)?\n(.*?)^```", section,
                                 re.M | re.S)
    return found


EXAMPLES = examples()


def rules():
    return re.findall(r"^  ([a-z-]{8,})  ", lint("--help").stdout, re.M)


def findings(path, *arguments):
    result = lint("--json", path, *arguments)
    found = json.loads(result.stdout)["findings"]
    assert result.returncode == (FOUND if found else CLEAN), result.stderr
    return found


def written(folder, text, name="site.conf"):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def test_every_rule_is_documented():
    assert sorted(rules()) == sorted(EXAMPLES)
    assert all(len(found) == 2 for found in EXAMPLES.values())


@pytest.mark.parametrize("rule", EXAMPLES)
def test_check_23_rule(tmp_path, rule):
    """The bad example is reported by this rule, where the fault is; the good
    one by none."""

    bad, good = EXAMPLES[rule]
    found = findings(written(tmp_path, bad))
    assert rule in {f["rule"] for f in found}
    lines = bad.splitlines()
    for f in found:
        assert 1 <= f["line"] <= len(lines)
        assert f["file"].endswith("/site.conf")
        assert f["text"]
    assert findings(written(tmp_path, good, "good.conf")) == []


@pytest.mark.parametrize("rule", EXAMPLES)
def test_ignore(tmp_path, rule):
    path = written(tmp_path, EXAMPLES[rule][0])
    assert rule not in {f["rule"] for f in findings(path, "--ignore", rule)}


# What the examples leave open: a configuration in "server", and the rules.

CASES = [
    ("a redirect by URL", "tailgate on; location / "
     "{ return https://example.com/; }", []),
    ("an error with a text", "tailgate on; location / "
     "{ return 404 secret; }", ["return-in-guarded"]),
    ("an error without one", "tailgate on; location / { return 404; }", []),
    ("the server itself answers", "tailgate on; return 200 x;",
     ["return-in-guarded"]),
    ("in an if", "tailgate on; location / "
     "{ if ($request_method = POST) { return 200; } }",
     ["return-in-guarded"]),
    ("without a guard", "location / { return 200 x; }", []),
    ("a redirecting rewrite", "tailgate on; rewrite ^ /x permanent;", []),
    ("a rewrite to elsewhere", "tailgate on; "
     "rewrite ^ https://example.com/$1;", []),
    ("a rewrite that stays", "tailgate on; rewrite ^ /x break;",
     ["rewrite-in-guarded"]),
    ("a rewrite with a URL in its query", "tailgate on; "
     "rewrite ^ /x?next=https://example.com/ last;", ["rewrite-in-guarded"]),
    ("a rewrite to the same scheme", "tailgate on; "
     "rewrite ^ $scheme://example.com/;", []),
    ("any in capitals", "tailgate on; satisfy ANY; allow 10.0.0.0/8;",
     ["satisfy-any"]),
    ("any, without allow", "tailgate on; satisfy any; auth_basic x;", []),
    ("an allow around", "tailgate on; allow 10.0.0.0/8; "
     "location / { satisfy any; }", ["satisfy-any"]),
    ("optional is a guard", "tailgate optional; satisfy any; "
     "allow 10.0.0.0/8;", ["satisfy-any"]),
    ("FastCGI", "tailgate on; fastcgi_param HTTP_X_WEBAUTH_USER root;",
     ["identity-header"]),
    ("FastCGI, none of ours", "tailgate on; fastcgi_param X_USER root;", []),
    ("gRPC", "tailgate on; grpc_set_header Remote-User root;",
     ["identity-header"]),
    ("emptied", 'tailgate on; proxy_set_header X-Webauth-User "";',
     ["identity-header"]),
    ("our own variable", "tailgate on; "
     "proxy_set_header X-Webauth-User ${tailgate_user};", []),
    ("a name of its own", "tailgate on; tailgate_set_header X-Boss yes; "
     "location / { proxy_set_header x_boss no; }", ["identity-header"]),
    ("hidden by a location's own", "tailgate on; "
     "proxy_set_header X-Webauth-User root; "
     "location / { proxy_set_header Host x; }", ["identity-header"]),
    ("forwarded, spelled with braces", "tailgate on; "
     "proxy_set_header X-A a${http_remote_user}b;", ["identity-header"]),
    ("forwarded where nothing guards", "location / "
     "{ tailgate off; proxy_set_header X-A $http_remote_user; } "
     "location /x { tailgate on; }", ["identity-header"]),
    ("another header of the client", "tailgate on; "
     "proxy_set_header X-A $http_user_agent;", []),
    ("the Service's address", "tailgate on; listen 100.100.1.1:80;", []),
    ("IPv6 of the tailnet", "tailgate on; listen [fd7a:115c:a1e0::1]:80;",
     []),
    ("all of IPv6", "tailgate on; listen [::]:80;", ["public-listen"]),
    ("a name", "tailgate on; listen www.example.com:80;",
     ["public-listen"]),
    ("localhost", "tailgate on; listen localhost:8080;", []),
    ("nobody is guarded", "listen 80; location / { }", []),
    ("all of IPv6 may forward", "tailgate on; set_real_ip_from ::/0;",
     ["realip-everybody"]),
    ("ten may forward", "tailgate on; set_real_ip_from 10.0.0.0/30;", []),
    ("not said by whom", "tailgate on; "
     "listen 127.0.0.1:1 ssl proxy_protocol;", ["proxy-protocol-untrusted"]),
    ("a sibling with a redirect", "location / { tailgate on; } "
     "location /x { return 301 /; }", []),
    ("a sibling with a text", "location / { tailgate on; } "
     "location /x { return 200 hello; }", ["unguarded-sibling"]),
    ("a named sibling", "location / { tailgate on; } location @x { }", []),
    ("a nested sibling", "location / { location /a { tailgate on; } "
     "location /b { } }", ["unguarded-sibling"]),
    ("a sibling that guards a part of itself", "location / "
     "{ tailgate on; } location /x { proxy_pass http://127.0.0.1:1; "
     "location /x/y { tailgate on; } }", ["unguarded-sibling"]),
    ("a location for those inside of it", "location /x "
     "{ location /x/y { tailgate on; } }", []),
    ("auth by prefix", "auth_request /auth/x?y=1; location /auth/ { }",
     ["auth-not-internal"]),
    ("auth in an outer location", "auth_request /auth/x; location /auth/ "
     "{ internal; location /auth/y { } }", []),
    ("auth by an exact location", "auth_request /a; location = /a { } "
     "location /b { internal; }", ["auth-not-internal"]),
    ("no auth", "auth_request off; location / { }", []),
    ("auth inside of an internal location", "auth_request /auth/y; "
     "location /auth/ { internal; location /auth/y { } }",
     ["auth-not-internal"]),
    ("auth behind a sign without a blank", "auth_request /a; "
     "location =/a { } location ^~/b { internal; }", ["auth-not-internal"]),
    ("a cache with a key around", "tailgate on; "
     "proxy_cache_key $tailgate_node$uri; location / { proxy_cache z; }", []),
    ("a FastCGI cache", "tailgate on; fastcgi_cache z; fastcgi_cache_key $uri;",
     ["shared-cache"]),
    ("a cache that is off", "tailgate on; location / { proxy_cache off; }",
     []),
    ("set from a variable", "tailgate on; set $who x${tailgate_user};",
     ["early-variable"]),
    ("loose names around", "ignore_invalid_headers off; "
     "location / { tailgate on; }", ["loose-header-names"]),
    ("loose names without a guard", "underscores_in_headers on;", []),
]


@pytest.mark.parametrize("name,server,expected", CASES,
                         ids=[case[0] for case in CASES])
def test_check_23_case(tmp_path, name, server, expected):
    listen = "" if "listen" in server else "listen 127.0.0.1:80; "
    path = written(tmp_path, f"server {{ {listen}{server} }}")
    assert sorted({f["rule"] for f in findings(path)}) == expected, name


# Reading

def test_includes(tmp_path):
    """A finding is told in the file that it is in; patterns are sorted."""

    for name in ("b", "a"):
        written(tmp_path, "server { listen 127.0.0.1:80; tailgate on;\n"
                "return 200 x; }\n", f"sites/{name}.conf")
    path = written(tmp_path, "events { }\nhttp {\n    include sites/*.conf;\n"
                   "    include none/*.conf;\n}\n", "nginx.conf")
    found = findings(path)
    assert [(os.path.relpath(f["file"], tmp_path), f["line"])
            for f in found] == [("sites/a.conf", 2), ("sites/b.conf", 2)]


def test_text(tmp_path):
    """Quotes, backslashes, comments, variables, Lua: none of them is taken
    for a directive."""

    path = written(tmp_path, r'''
server {
    listen 127.0.0.1:80; tailgate on;   # return 200;
    set $a "return 200 \"; }";
    set $b 'a;{}#';
    set $c ${host}x{; }
    location ~ "^/[a-z]{2}$" {
        content_by_lua_block {
            -- return 200; }
            if x then return "}" end
        }
    }
    location /last { return 200
        "text over
two lines"; }
}
'''.replace("set $c ${host}x{; }", "set $c ${host}x;"))
    assert [(f["rule"], f["line"]) for f in findings(path)] == [
        ("return-in-guarded", 13)]


@pytest.mark.parametrize("text,line,message", [
    ("server {\n", 2, "not closed"),
    ("}\n", 1, "unexpected"),
    ("a\n", 2, "does not end"),
    ("a \"b\n", 1, "quotation mark"),
    ("a \"b\"c;\n", 1, "blank is missing"),
    ("a;\n;\n", 2, "no name"),
    ("include a b;\n", 1, "one file"),
    ("include missing.conf;\n", 1, "No such file"),
    ("a { b_by_lua_block {\n", 2, "Lua"),
    ("include self.conf;\n", 1, "too deeply"),
    ("a { " * 80, 1, "too deeply")])
def test_broken(tmp_path, text, line, message):
    path = written(tmp_path, text, "self.conf")
    result = lint(path)
    assert result.returncode == USAGE
    assert result.stdout == ""
    assert message in result.stderr
    assert f"self.conf:{line}: error: " in result.stderr


def test_usage(tmp_path):
    good = written(tmp_path, "events { }\n")
    assert lint(good).returncode == CLEAN
    assert lint(good, good).returncode == USAGE
    assert lint("--ignore", "no-such-rule", good).returncode == USAGE
    assert lint("--bad").returncode == USAGE
    assert lint("--help").returncode == CLEAN
    result = lint(os.path.join(tmp_path, "none.conf"))
    assert result.returncode == USAGE
    assert "No such file" in result.stderr
    result = lint("--nginx", os.path.join(tmp_path, "none"))
    assert result.returncode == USAGE
    assert "--nginx" in result.stderr


def test_control_characters(tmp_path):
    """A name in a configuration does not write to the terminal."""

    path = written(tmp_path, "server { listen 127.0.0.1:80; tailgate on; "
                   "proxy_set_header X-A \"\x1b[2J$http_remote_user\"; }")
    result = lint(path)
    assert result.returncode == FOUND
    assert "\x1b" not in result.stdout
    assert "?[2J" in result.stdout


def nginx_dump(folder, text):
    """What the real nginx prints of a configuration of "http"."""

    path = written(folder, f"""
load_module {os.path.join(ROOT, os.environ.get("TAILGATE_BUILD", "build"),
                          "ngx_http_tailgate_module.so")};
pid {folder}/nginx.pid;
events {{ }}
http {{
    access_log off;
    include {folder}/http/*.conf;
}}
""", "nginx.conf")
    written(folder, text, "http/site.conf")
    result = subprocess.run(
        [NGINX, "-T", "-q", "-p", str(folder), "-c", path, "-e",
         os.path.join(folder, "error.log")], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", timeout=60, check=False,
        env={**os.environ, **sanitizer_environment(folder)})
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("rule", EXAMPLES)
def test_nginx_prints(tmp_path, rule):
    """By a dump of the real nginx the same is found as by the file."""

    text = EXAMPLES[rule][0].replace("/run/app.sock", f"{tmp_path}/app.sock")
    result = lint("--json", "-", text=nginx_dump(tmp_path, text))
    found = json.loads(result.stdout)["findings"]
    again = findings(os.path.join(tmp_path, "http", "site.conf"))
    assert [(f["rule"], f["line"], f["file"]) for f in found] == \
        [(f["rule"], f["line"], f["file"]) for f in again]


def test_runs_nginx(tmp_path):
    """Without a file it asks nginx; one that fails is no clean answer."""

    program = written(tmp_path, "#!/bin/sh\n"
                      "[ \"$*\" = -qT ] || exit 9\n"
                      "echo '# configuration file /etc/nginx/nginx.conf:'\n"
                      "echo 'http { server { tailgate on; listen 80; } }'\n",
                      "nginx")
    os.chmod(program, 0o755)
    result = lint("--nginx", program)
    assert result.returncode == FOUND
    assert result.stdout.startswith("/etc/nginx/nginx.conf:1: public-listen:")
    written(tmp_path, "#!/bin/sh\necho broken >&2\nexit 1\n", "nginx")
    result = lint("--nginx", program)
    assert result.returncode == USAGE
    assert "broken" in result.stderr


def test_own_configurations():
    """What this project ships is read, and has no fault but where it
    listens."""

    paths = glob.glob(os.path.join(ROOT, "examples", "*", "nginx.conf"))
    for name in ("demo", "forward-nginx"):      # not whole as they are
        paths.remove(os.path.join(ROOT, "examples", name, "nginx.conf"))
    paths += glob.glob(os.path.join(ROOT, "conf", "nginx", "*.conf"))
    assert len(paths) > 5
    for path in paths:
        found = findings(path, "--ignore", "public-listen")
        assert found == [], path
