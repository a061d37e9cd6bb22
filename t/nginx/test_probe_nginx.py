# Copyright (C) The Tailgate authors

"""tailgate probe through nginx, by the snippet that is shipped for it."""

import os
import subprocess

import pytest

from conftest import ALICE, STRANGER
from tailgate_test import ROOT, TAILGATE, certificate

with open(os.path.join(ROOT, "conf", "nginx", "tailgate-probe.conf"),
          encoding="utf-8") as snippet:
    SNIPPET = snippet.read().replace("/run/tailgate/", "@DIR@/")

GUARDED = """
        tailgate         on;
        tailgate_headers webauth;
"""
CONF = SNIPPET + """
server {
    listen 127.0.0.1:@PORT@;

    location = /tailgate/probe {%s
        proxy_pass http://unix:@DIR@/probe.sock;
    }
}
"""

OK, CRITICAL, UNKNOWN = 0, 2, 3


def probe(nginx, source, *arguments):
    return subprocess.run(
        [TAILGATE, "probe", "--url",
         f"http://127.0.0.1:{nginx.port}/tailgate/probe", "--source", source,
         "--timeout", "60", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=120, check=False)


def test_probe(world):
    nginx = world.nginx(CONF % GUARDED)

    done = probe(nginx, ALICE, "--expect-login", "alice@example.com",
                 "--forge")
    assert done.returncode == OK, done.stdout + done.stderr
    assert "4 forged requests not believed" in done.stdout

    done = probe(nginx, ALICE, "--expect-login", "bob@example.com")
    assert done.returncode == CRITICAL
    assert 'the login is "alice@example.com", not "bob' in done.stdout

    done = probe(nginx, STRANGER, "--expect-status", "403", "--forge")
    assert done.returncode == OK, done.stdout


@pytest.mark.parametrize("location, spelling", [
    ("", "X-Webauth-User"),
    ('proxy_set_header X-Webauth-User "";', "X_Webauth_User"),
])
def test_a_door_left_open_is_seen(world, location, spelling):
    """Without the guard, and with one that knows one spelling alone."""

    nginx = world.nginx(CONF.replace(
        "listen 127", "underscores_in_headers on;\n    listen 127")
                        % location)

    done = probe(nginx, STRANGER, "--forge")
    assert done.returncode == CRITICAL
    assert "a forged identity was believed" in done.stdout
    assert spelling in done.stdout


def test_a_trusted_source_header_is_seen(world):
    """An nginx that lets every client name its own address. (The module
    itself refuses set_real_ip_from as a source.)"""

    nginx = world.nginx(SNIPPET + """
server {
    listen 127.0.0.1:@PORT@;
    set_real_ip_from 0.0.0.0/0;
    real_ip_header X-Forwarded-For;

    location = /tailgate/probe {
        allow 127.0.0.0/8;
        deny all;
        proxy_set_header X-Webauth-User "";
        proxy_set_header X_Webauth_User "";
        proxy_pass http://unix:@DIR@/probe.sock;
    }
}
""")
    done = probe(nginx, STRANGER, "--forge")
    assert done.returncode == CRITICAL
    assert "with X-Forwarded-For and the like, the status is 403" \
        in done.stdout


def test_tls(world, tmp_path):
    cert, key = certificate(tmp_path)
    nginx = world.nginx(CONF.replace(
        "@PORT@;", f"@PORT@ ssl;\n ssl_certificate {cert};"
        f" ssl_certificate_key {key};") % GUARDED)

    def secure(*arguments):
        return subprocess.run(
            [TAILGATE, "probe", "--url", "https://localhost/tailgate/probe",
             "--connect-to", f"127.0.0.1:{nginx.port}", "--source", ALICE,
             "--expect-login", "alice@example.com", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", timeout=120, check=False)

    done = secure("--cacert", cert)
    assert done.returncode == OK, done.stdout

    done = secure()
    assert done.returncode == CRITICAL
    assert "certificate" in done.stdout

    assert secure("--cacert", tmp_path / "none").returncode == UNKNOWN
