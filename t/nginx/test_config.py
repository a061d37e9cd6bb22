# Copyright (C) The Tailgate authors

"""Configurations: what is refused, and with which sentence; that the
documentation has each directive and variable, and no other."""

import glob
import os
import re
import subprocess
import tempfile

import pytest

from conftest import ALICE
from tailgate_test import ROOT, ConfigError, Nginx, get

SOURCES = os.path.join(ROOT, "modules", "nginx")
DOCUMENT = os.path.join(ROOT, "docs", "nginx", "ngx_http_tailgate_module.md")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def nginx_for(directory, http="", server="", location="", **values):
    return Nginx(directory, http + """
server {
    listen 127.0.0.1:@PORT@;
""" + server + """
    location / {
        root @DIR@;
""" + location + """
    }
}""", **values)


def refusal(directory, **conf):
    with pytest.raises(ConfigError) as error:
        nginx_for(directory, **conf).test()
    lines = [line for line in str(error.value).splitlines()
             if "[emerg]" in line]
    assert len(lines) == 1, error.value
    return lines[0]


REFUSED = [
    ("location", "tailgate maybe;",
     'invalid value "maybe" in "tailgate": it must be "off" or "on" or '
     '"optional"'),
    ("location", "tailgate on; tailgate off;", "duplicate"),
    ("location", "if ($uri) { tailgate on; }", "not allowed here"),
    ("location", "limit_except GET { tailgate on; }", "not allowed here"),
    ("location", "if ($uri) { tailgate_headers webauth; }",
     "not allowed here"),
    ("location", "limit_except GET { tailgate_set_header A b; }",
     "not allowed here"),
    ("location", "if ($uri) { tailgate_session a; }", "not allowed here"),
    ("location", "tailgate_trusted_proxy 10.0.0.1;", "not allowed here"),
    ("location", "tailgate_strip X-A;", "not allowed here"),
    ("location", "tailgate_interface eth0;", "not allowed here"),
    ("server", "tailgate_localapi unix:/a;", "not allowed here"),
    ("server", "tailgate_service svc:a 100.64.0.9;", "not allowed here"),

    ("http", "tailgate_localapi /var/run/a.sock;",
     '"unix:" and an absolute path are needed'),
    ("http", "tailgate_localapi unix:relative.sock;",
     '"unix:" and an absolute path are needed'),
    ("http", "tailgate_localapi unix:/" + "a" * 108 + ";",
     "longer than the 107 bytes"),
    ("http", "tailgate_localapi unix:/a timeout=0;", "invalid timeout"),
    ("http", "tailgate_localapi unix:/a timeout=soon;", "invalid timeout"),
    ("http", "tailgate_localapi unix:/a keepalive=many;",
     'invalid "keepalive=many"'),
    ("http", "tailgate_localapi unix:/a keepalive=65;",
     'invalid "keepalive=65"'),
    ("http", "tailgate_localapi unix:/a retries=2;",
     'invalid parameter "retries=2"'),
    ("http", "tailgate_localapi unix:/a; tailgate_localapi unix:/b;",
     "is duplicate"),

    ("http", "tailgate_service wiki 100.64.0.9;", 'such as "svc:wiki"'),
    ("http", "tailgate_service svc: 100.64.0.9;", 'such as "svc:wiki"'),
    ("http", "tailgate_service svc:a_b 100.64.0.9;", 'such as "svc:wiki"'),
    ("http", "tailgate_service svc:a 100.64.0.9:80;", "without a port"),
    ("http", "tailgate_service svc:a 100.64.0.9/32;", "without a port"),
    ("http", "tailgate_service svc:a 192.0.2.9;", "are in 100.64.0.0/10"),
    ("http", "tailgate_service svc:a 2001:db8::9;", "are in 100.64.0.0/10"),
    ("http", "tailgate_service svc:a 100.64.0.9;"
     "tailgate_service svc:b 100.64.0.9;", "another service"),

    ("server", "tailgate_trusted_proxy proxy.example;",
     'invalid network "proxy.example"'),
    ("server", "tailgate_trusted_proxy 10.0.0.1/8;",
     "low address bits are meaningless"),
    ("server", "tailgate_trusted_proxy 0.0.0.0/0;",
     "would let anybody name anybody"),
    ("server", "tailgate_trusted_proxy ::/0;",
     "would let anybody name anybody"),
    ("server", "tailgate_trusted_serve perhaps;", 'it must be "on" or "off"'),
    ("server", "tailgate_interface an-interface-name;", "invalid name"),
    ("server", "tailgate_interface a; tailgate_interface b;", "is duplicate"),

    ("server", "tailgate_strip Host;", "HTTP itself needs"),
    ("server", "tailgate_strip X-A content_length;", "HTTP itself needs"),
    ("server", "tailgate_strip Cookie;", "HTTP itself needs"),
    ("server", "tailgate_strip If-None-Match;", "HTTP itself needs"),
    ("server", "tailgate_strip 'a b';", "invalid header name"),
    ("server", "tailgate_strip '';", "invalid header name"),
    ("server", "tailgate_strip " + "a" * 129 + ";", "invalid header name"),

    ("location", "tailgate_peers everybody;", "invalid kind of peer"),
    ("location", "tailgate_peers member; tailgate_peers tagged;",
     "is duplicate"),
    ("location", "tailgate_tailnet '';", "invalid tailnet"),
    ("location", "tailgate_tailnet .;", "invalid tailnet"),
    ("location", "tailgate_tailnet a; tailgate_tailnet b;", "is duplicate"),

    ("location", "tailgate_headers nosuch;",
     'unknown profile "nosuch" in "tailgate_headers": there are '),
    ("location", "tailgate_headers off webauth;",
     'has parameters beside "off"'),
    ("location", "tailgate_headers webauth off;",
     'has parameters beside "off"'),
    ("location", "tailgate_headers webauth; tailgate_headers off;",
     "is duplicate"),
    ("location", "tailgate_headers webauth secret=@SECRET@;",
     "no profile in"),
    ("location", "tailgate_headers pgadmin secret=/nonexistent;", "failed"),
    ("location", "tailgate_headers pgadmin secret=;", "a file with a secret"),
    ("location", "tailgate_headers pgadmin secret=@OPEN@;", "chmod 600"),
    ("location", "tailgate_headers pgadmin secret=@TWO@;",
     "one line of printable ASCII"),
    ("location", "tailgate_headers pgadmin secret=@EMPTY@;",
     "one line of printable ASCII"),
    ("location", "tailgate_headers pgadmin secret=@LONG@;",
     "longer than a secret may be"),
    ("location", "tailgate_headers pgadmin secret=/dev/null;",
     "not a regular file"),

    ("location", "tailgate_set_header Host x;", "HTTP itself needs"),
    ("location", "tailgate_set_header 'X A' x;", "invalid header name"),
    ("location", "tailgate_set_header X-A $nosuch;", "unknown"),
    ("location", "tailgate_set_header X-A x encoding=base64;",
     "quoted-printable or rfc2047 is needed"),
    ("location", "tailgate_set_header X-A x utf8;",
     "quoted-printable or rfc2047 is needed"),
    ("location", "tailgate_set_header X-A x; tailgate_set_header x_a y;",
     "set twice"),

    ("location", "tailgate_session 'a b';", "invalid cookie"),
    ("location", "tailgate_session *;", "invalid cookie"),
    ("location", "tailgate_session a=b;", "invalid cookie"),
    ("location", "tailgate_session tailgate-a;", "invalid cookie"),
    ("location", "tailgate_session a; tailgate_session b;", "is duplicate"),
    ("location", "tailgate_session a off;", 'has cookies beside "off"'),
    ("http", "tailgate_session_secret @SECRET@;", "64 hexadecimal digits"),
    ("http", "tailgate_session_secret @HALF@;", "64 hexadecimal digits"),
    ("http", "tailgate_session_secret @KEY@; tailgate_session_secret @KEY@;",
     "is duplicate"),

    ("location", "if ($uri) { tailgate_policy off; }", "not allowed here"),
    ("location", "if ($uri) { tailgate_allow user=a@b; }",
     "not allowed here"),
    ("location", "limit_except GET { tailgate_deny user=a@b; }",
     "not allowed here"),
    ("location", "limit_except GET { tailgate_require user=a@b; }",
     "not allowed here"),
    ("location", "if ($uri) { tailgate_raw_path allow; }",
     "not allowed here"),
    ("location", "tailgate_policy off; tailgate_policy off;",
     "is duplicate"),
    ("location", "tailgate_policy '';", 'needs a file, or "off"'),
    ("location", "tailgate_policy /nonexistent;",
     '"/nonexistent" failed (2: No such file'),
    ("location", "tailgate_policy nonexistent.yaml;",
     '/nginx/nonexistent.yaml" failed (2: No such file'),
    ("location", "tailgate_policy /dev/null;", "not a regular file"),
    ("location", "tailgate_policy @BIG@;", "longer than the 8388608 bytes"),
    ("location", "tailgate_raw_path maybe;",
     'invalid value "maybe" in "tailgate_raw_path": it must be "refuse" or '
     '"allow"'),
    ("location", "tailgate_raw_path allow; tailgate_raw_path allow;",
     "is duplicate"),
    ("location", "tailgate_allow usr=a@b;", "usr"),
    ("location", "tailgate_allow alice@example.com;", "alice@example.com"),
    ("location", "tailgate_deny user=*;", "autogroup"),
    ("location", "tailgate_deny method=get;", "GET"),
    ("location", "tailgate_require where=role:admin;", "capability"),
    ("location", "tailgate on; tailgate_allow group=admins;", "admins"),
    ("location", "tailgate_deny os=iOS;", "guard nothing"),
    ("server", "tailgate_deny os=iOS;", "guard nothing"),
    ("server", "tailgate_allow user=a@b;", "guard nothing"),
    ("location", "tailgate_policy @POLICY@;", "guard nothing"),
]


@pytest.fixture
def files(tmp_path):
    texts = {"SECRET": "secret\n", "OPEN": "secret\n", "TWO": "a\nb\n",
             "EMPTY": "", "LONG": "x" * 2000, "HALF": "0" * 32 + "\n",
             "KEY": "0123456789abcdef" * 4 + "\n",
             "POLICY": "version: 1\n", "BIG": "#" * (8 * 1024 * 1024 + 1)}
    paths = {}
    for name, text in texts.items():
        path = tmp_path / name.lower()
        path.write_text(text, encoding="ascii")
        path.chmod(0o644 if name == "OPEN" else 0o600)
        paths[name] = path
    return paths


@pytest.mark.parametrize("place,text,sentence", REFUSED,
                         ids=[text[:60] for _, text, _ in REFUSED])
def test_refused(tmp_path, files, place, text, sentence):
    line = refusal(tmp_path, **{place: text}, **files)
    assert sentence in line
    assert ("nginx.conf:" in line or "variable" in line
            or "in force in location" in line)
    assert "0123456789abcdef" not in line


def test_accepted(tmp_path, files):
    nginx_for(tmp_path, http="""
tailgate_localapi unix:/tmp/a.sock timeout=500ms keepalive=0;
tailgate_service svc:wiki 100.64.0.9;
tailgate_service svc:wiki fd7a:115c:a1e0::9;
tailgate_session_secret @KEY@;
tailgate optional;
tailgate_trusted_proxy 10.0.0.0/8 ::1 unix:;
tailgate_trusted_serve off;
tailgate_interface tailscale0;
tailgate_strip X-A X-B;
tailgate_peers member tagged shared routed;
tailgate_tailnet a.example. B.example;
tailgate_headers webauth pgadmin secret=@SECRET@;
tailgate_set_header X-A $tailgate_login encoding=percent;
tailgate_session session _app*;
tailgate_policy @POLICY@;
tailgate_raw_path allow;
tailgate_allow user=*@example.com "os_version=>= 15, < 16";
tailgate_deny path=/x path=/y method=write;
tailgate_require capability=a where=b:c where=d:e;
""", **files).test()


def test_trusted_serve_needs_loopback(tmp_path):
    line = refusal(tmp_path, server="""
    listen 0.0.0.0:@PORT2@;
    tailgate on;
    tailgate_trusted_serve on;
""", PORT2=12345)
    assert "needs a listener that only this machine can reach" in line
    assert "0.0.0.0:12345" in line
    nginx_for(tmp_path, server="tailgate on; tailgate_trusted_serve on;"
              " listen [::1]:@PORT2@;", PORT2=12345).test()


def test_static_build_is_refused():
    """nginx's configure sources modules/nginx/config."""

    done = subprocess.run(
        ["sh", "-c", f"ngx_module_link=ADDON; ngx_addon_dir={SOURCES};"
         f" . {SOURCES}/config"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "use --add-dynamic-module=" in done.stdout


def test_socket_permission(world, tmp_path):
    """EACCES names the cause and what to do."""

    if os.geteuid() != 0:
        pytest.skip("root alone can have workers of another user")
    nginx = world.nginx("""
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; root @DIR@; }
}""", user="nobody nogroup")
    os.chmod(world.devnet.socket, 0o600)
    for directory in (tmp_path, *tmp_path.parents):
        if str(directory) == tempfile.gettempdir():
            break
        os.chmod(directory, 0o755)
    os.chmod(world.devnet.directory, 0o755)
    assert get(nginx.port, "/", source=ALICE).status == 503
    nginx.logged("Permission denied")
    assert "usermod" in nginx.error_log()
    assert "SELinux" in nginx.error_log()


# The documentation

def commands():
    """{name: contexts} of ngx_command_t."""

    text = read(os.path.join(SOURCES, "ngx_http_tailgate_module.c"))
    found = re.findall(r'\{ ngx_string\("(tailgate\w*)"\),\s*([A-Z0-9_|\s]+),',
                       text)
    words = {"NGX_HTTP_MAIN_CONF": "http", "NGX_HTTP_SRV_CONF": "server",
             "NGX_HTTP_LOC_CONF": "location"}
    return {name: [words[flag] for flag in re.split(r"[|\s]+", flags)
                   if flag in words] for name, flags in found}


def test_directives_are_documented():
    text = read(DOCUMENT)
    documented = {}
    for part in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        name = part.split("\n", 1)[0]
        assert re.search(rf"^    Syntax:   {name} ", part, re.MULTILINE)
        assert re.search(r"^    Default:  ", part, re.MULTILINE)
        documented[name] = re.search(r"^    Context:  (.*)$", part,
                                     re.MULTILINE).group(1).split(", ")
    assert documented == commands()
    assert list(documented) == sorted(documented)


def test_variables_are_documented():
    source = read(os.path.join(SOURCES, "ngx_http_tailgate_variables.c"))
    names = set(re.findall(r'ngx_string\("(tailgate_\w+)"\)', source))
    documented = set(re.findall(r"^\| `\$(\w+)`", read(DOCUMENT),
                                re.MULTILINE))
    # the prefix of any number of them
    names.remove("tailgate_cap_")
    names.add("tailgate_cap_NAME")
    assert documented == names


def test_documented_defaults_are_accepted(tmp_path):
    """Each default, and the example, are configurations."""

    defaults = re.findall(r"^    Default:  (tailgate.*;)$", read(DOCUMENT),
                          re.MULTILINE)
    assert len(defaults) == 8
    nginx_for(tmp_path, http="\n".join(defaults)).test()


def test_snippets(world):
    """What is installed for nginx works as it is."""

    folder = os.path.join(ROOT, "conf", "nginx")
    nginx = world.nginx(f"""
include {folder}/tailgate-log.conf;
access_log @DIR@/people.log tailgate_combined;
server {{
    listen 127.0.0.1:@PORT@;
    location / {{ tailgate on; proxy_pass http://127.0.0.1:@APP@; }}
}}""")
    assert get(nginx.port, "/x", source=ALICE).status == 200
    line, = nginx.lines("people.log", 1)
    assert line.startswith(f"{ALICE} - alice@example.com [")
    assert line.endswith(' member "alice-laptop.tail.example" "-"')


def test_snippet_localapi(tmp_path):
    folder = os.path.join(ROOT, "conf", "nginx")
    nginx_for(tmp_path,
              http=f"include {folder}/tailgate-localapi.conf;").test()


def test_profiles_in_the_message(tmp_path):
    """The sentence about an unknown profile names all there are."""

    line = refusal(tmp_path, location="tailgate_headers nosuch;")
    names = re.findall(r"^### `([\w-]+)`", read(
        os.path.join(ROOT, "docs", "headers.md")), re.MULTILINE)
    listed = line.split("there are ")[1].split(" in /")[0].split(", ")
    if names:
        assert listed == names
    assert len(listed) > 5


def test_one_shared_object():
    """Three modules in one file, in this order."""

    objects = glob.glob(os.path.join(
        os.environ.get("TAILGATE_BUILD", os.path.join(ROOT, "build")),
        "nginx", "ngx_http_tailgate*_modules.c"))
    assert len(objects) == 1
    order = re.search(r"ngx_module_order\[\] = \{(.*?)\}",
                      read(objects[0]), re.DOTALL).group(1)
    assert re.findall(r'"(\w+)"', order) == [
        "ngx_http_tailgate_access_module", "ngx_http_auth_basic_module",
        "ngx_http_tailgate_filter_module", "ngx_http_copy_filter_module",
        "ngx_http_tailgate_module"]
