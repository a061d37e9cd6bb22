# Copyright (C) The Tailgate authors

"""tailgate probe: what it expects, what it says, and what it writes."""

import json
import os
import re
import socket
import subprocess
import threading

import pytest

from tailgate_test import Echo, TAILGATE

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3


def run(*arguments, environment=None):
    return subprocess.run(
        [TAILGATE, "probe", *map(str, arguments)], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", timeout=120, check=False,
        env={**os.environ, **(environment or {})})


def probe(app, *arguments, path="/", **more):
    return run("--url", f"http://127.0.0.1:{app.port}{path}", "--timeout",
               "60", *arguments, **more)


def says(body, status=200, headers=()):
    """An app that answers so, whatever it was sent."""

    if not isinstance(body, str):
        body = json.dumps(body)
    return Echo(answers={"/": (status, list(headers), body)})


ALICE = {"login": "alice@example.com", "name": "Alice"}
EXPECT = ("--expect-login", "alice@example.com")


def test_as_expected():
    with says(ALICE) as app:
        done = probe(app, *EXPECT)
    assert done.returncode == OK, done.stdout + done.stderr
    assert re.fullmatch(r"OK: 200 in \d+\.\d{3} s, login alice@example\.com"
                        r" \| time=\d+\.\d{6}s\n", done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("body, arguments", [
    ({"user": {"login": "Alice@Example.com"}},
     ("--login-json", "user.login")),
    ("a page", ("--login-header", "x-seen")),
])
def test_where_the_login_is(body, arguments):
    with says(body, headers=[("X-Seen", " alice@example.com ")]) as app:
        done = probe(app, *EXPECT, *arguments)
    assert done.returncode == OK, done.stdout


@pytest.mark.parametrize("body, status, headers, arguments, text", [
    ({"login": "bob@example.com"}, 200, (), EXPECT,
     'the login is "bob@example.com", not "alice@example.com"'),
    ({"login": ""}, 200, (), EXPECT, 'the login is "", not'),
    ({"login": ["alice@example.com"]}, 200, (), EXPECT,
     'the JSON has no string "login"'),
    ({"login": "alice@example.com"}, 200, (),
     (*EXPECT, "--login-json", "login.name"),
     'the JSON has no string "login.name"'),
    ('{"login":"bob@example.com","login":"alice@example.com"}', 200, (),
     EXPECT, "the body is no JSON"),
    ("alice@example.com", 200, (), EXPECT, "the body is no JSON"),
    (ALICE, 200, (), (*EXPECT, "--login-header", "X-Seen"),
     "there is no header X-Seen with a login"),
    (ALICE, 503, (), EXPECT, "the status is 503, not 200"),
    (ALICE, 302, [("Location", "/other")], EXPECT, "the status is 302"),
    (ALICE, 200, (), ("--expect-status", "403"), "the status is 200, not 403"),
    (ALICE, 200, [("X-A", "1")], ("--expect-header", "X-A=2"),
     'X-A is "1", not "2"'),
    (ALICE, 200, (), ("--expect-header", "X-A="), "there is no header X-A"),
    ({"login": "\x1b[2Jevil"}, 200, (), EXPECT, 'the login is "?[2Jevil"'),
])
def test_not_as_expected(body, status, headers, arguments, text):
    with says(body, status, headers) as app:
        done = probe(app, *arguments)
    assert done.returncode == CRITICAL
    assert done.stdout.startswith("CRITICAL: ")
    assert text in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_headers_and_status_as_expected():
    with says("no", 403, [("Cache-Control", "no-store"), ("X-A", "1")]) as app:
        done = probe(app, "--expect-status", "403", "--expect-header",
                     "cache-control=no-store", "--expect-header", "X-A=1")
    assert done.returncode == OK, done.stdout


def test_nobody_is_there(tmp_path):
    path = tmp_path / "down.prom"
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{s.getsockname()[1]}/"
        done = run("--url", url, "--textfile", path)
    assert done.returncode == CRITICAL
    assert url in done.stdout and "time=" not in done.stdout
    assert f'tailgate_probe_success{{probe="default",url="{url}"}} 0\n' \
        in path.read_text()


def test_deadline():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run("--url", f"http://127.0.0.1:{silent.getsockname()[1]}/",
                   "--timeout", "0.1")
    assert done.returncode == CRITICAL
    assert "timed out" in done.stdout.lower()


def test_slow():
    with says(ALICE) as app:
        done = probe(app, *EXPECT, "--warning", "0.000")
        assert done.returncode == UNKNOWN
        done = probe(app, *EXPECT, "--warning", "60")
        assert done.returncode == OK

    with Echo(answers={"/": lambda _: wait_and_say()}) as app:
        done = probe(app, *EXPECT, "--warning", "0.001")
    assert done.returncode == WARNING
    assert "WARNING: the answer is right and took" in done.stdout


def wait_and_say():
    threading.Event().wait(0.05)
    return (200, [], json.dumps(ALICE))


def test_forge_is_what_it_says():
    """Each header of every profile, in three spellings, and sources."""

    with says(ALICE) as app:
        done = probe(app, *EXPECT, "--forge")
        sent = [request["headers"] for request in app.requests]
    assert done.returncode == OK
    assert "4 forged requests not believed" in done.stdout
    assert len(sent) == 5
    assert "x-webauth-user" not in sent[0]

    for headers, name in zip(sent[1:], ["x-webauth-user", "x_webauth_user",
                                        "x.webauth.user"]):
        assert re.fullmatch(r"forged-[0-9a-f]{16}@tailgate\.invalid",
                            headers[name][0])
        assert name.replace("webauth", "forwarded") in headers
    assert "remote-user" in sent[1] and "tailscale-user-login" in sent[1]
    assert sent[4]["x-forwarded-for"] == ["192.0.2.1"]


@pytest.mark.parametrize("name", ["x-webauth-user", "x_remote_user",
                                  "tailscale.user.login"])
def test_forge_is_believed(tmp_path, name):
    def answer(request):
        login = request["headers"].get(name, ["alice@example.com"])[0]
        return (200, [], json.dumps({"login": login}))

    path = tmp_path / "forged.prom"
    with Echo(answers={"/": answer}) as app:
        done = probe(app, *EXPECT, "--forge", "--textfile", path)
    assert done.returncode == CRITICAL
    assert "a forged identity was believed" in done.stdout
    assert re.search(r'^tailgate_probe_forgery_believed\{.*\} 1$',
                     path.read_text(), re.M)


def test_forge_shows_in_a_page_and_in_a_header():
    def page(request):
        login = request["headers"].get("x-webauth-user", ["nobody@b"])[0]
        return (200, [], f"<p>Hello {login.split('@')[0].upper()}</p>")

    def header(request):
        login = request["headers"].get("x-webauth-user", ["nobody"])[0]
        return (200, [("Set-Cookie", f"user={login}")], "hello")

    for answer in (page, header):
        with Echo(answers={"/": answer}) as app:
            assert probe(app).returncode == OK
            assert probe(app, "--forge").returncode == CRITICAL


def test_forge_may_be_refused_and_may_not_break():
    def answer(status):
        return lambda request: (status if "x_webauth_user"
                                in request["headers"] else 200, [],
                                json.dumps(ALICE))

    with Echo(answers={"/": answer(400)}) as app:
        assert probe(app, *EXPECT, "--forge").returncode == OK
    with Echo(answers={"/": answer(403)}) as app:
        done = probe(app, *EXPECT, "--forge")
    assert done.returncode == CRITICAL
    assert "with X_Webauth_User and the like, the status is 403" \
        in done.stdout


METRIC = re.compile(r'^# HELP (\w+) \S.*\n# TYPE \1 gauge\n'
                    r'\1\{probe="nightly\\"",url="([^"]*)"\} (\S+)$', re.M)


def test_textfile(tmp_path):
    path = tmp_path / "probe.prom"
    path.write_text("what was there\n")
    with says(ALICE) as app:
        done = probe(app, *EXPECT, "--forge", "--textfile", path, "--name",
                     'nightly"')
        url = f"http://127.0.0.1:{app.port}/"
    assert done.returncode == OK, done.stderr

    text = path.read_text()
    found = {name: float(value) for name, where, value
             in METRIC.findall(text) if where == url}
    assert text.count("\n") == 3 * len(found) == 15
    assert found["tailgate_probe_success"] == 1
    assert found["tailgate_probe_http_status"] == 200
    assert found["tailgate_probe_forgery_believed"] == 0
    assert 0 < found["tailgate_probe_duration_seconds"] < 60
    assert found["tailgate_probe_timestamp_seconds"] > 1.7e9
    assert os.listdir(tmp_path) == ["probe.prom"]


def test_textfile_that_cannot_be_written(tmp_path):
    path = tmp_path / "none" / "probe.prom"
    with says(ALICE) as app:
        done = probe(app, *EXPECT, "--textfile", path)
        assert done.returncode == UNKNOWN
        assert f"{path}: its folder cannot be opened" in done.stderr
        assert done.stdout.startswith("OK: ")

        done = probe(app, "--expect-status", "403", "--textfile", path)
        assert done.returncode == CRITICAL


def test_connect_to():
    with says(ALICE) as app:
        assert run("--url", "http://app.invalid/", "--connect-to",
                   f"127.0.0.1:{app.port}", *EXPECT).returncode == OK
        assert app.requests[-1]["headers"]["host"] == ["app.invalid"]


def test_environment_has_no_say():
    with says(ALICE) as app:
        done = probe(app, *EXPECT, environment={
            "http_proxy": "http://127.0.0.1:1", "ALL_PROXY":
            "http://127.0.0.1:1"})
    assert done.returncode == OK, done.stdout


def test_an_answer_too_large():
    with says("a" * (1 << 20) + "a") as app:
        done = probe(app)
    assert done.returncode == CRITICAL
    assert "too large" in done.stdout


@pytest.mark.parametrize("arguments, text", [
    ((), "--url is missing"),
    (("--url", "app.corp"), "is no URL"),
    (("--url", "ftp://app.corp/"), "no answer from ftp://app.corp/"),
    (("--url", "https://a:b@app.corp/"), "holds a password"),
    (("--url", "http://a/", "--expect-status", "99"), "is no status"),
    (("--url", "http://a/", "--expect-status", "200.5"), "is no status"),
    (("--url", "http://a/", "--timeout", "0"), "is no time"),
    (("--url", "http://a/", "--timeout", "301"), "is no time"),
    (("--url", "http://a/", "--warning", "soon"), "is no time"),
    (("--url", "http://a/", "--expect-header", "X-A"), "is not NAME=VALUE"),
    (("--url", "http://a/", "--textfile", "probe.txt"), "end in .prom"),
    (("--url", "http://a/", "--name", "a b"), "no printable ASCII"),
    (("--url", "http://a/", "now"), "one argument too many"),
    (("--url", "http://127.0.0.1/", "--source", "lo"), "no answer from"),
])
def test_wrong_command_line(arguments, text):
    done = run(*arguments)
    assert done.returncode == UNKNOWN
    assert text in done.stdout + done.stderr
