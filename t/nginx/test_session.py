# Copyright (C) The Tailgate authors

"""Session cookies of apps stay with the peer that they were issued to."""

import os
import signal

import pytest

from conftest import ALICE, BOB, CI, STRANGER
from localapi_test import LocalAPI, http, person
from tailgate_test import Client, free_port, get, wait_until

CONF = """
@SECRET@
server {
    listen 127.0.0.1:@PORT@;
    tailgate on;
    tailgate_session sid _app*;
    location / { proxy_pass http://127.0.0.1:@APP@; }
    location /optional { tailgate optional;
                         proxy_pass http://127.0.0.1:@APP@; }
    location /off { tailgate off; proxy_pass http://127.0.0.1:@APP@; }
    location /free { tailgate_session off;
                     proxy_pass http://127.0.0.1:@APP@; }
    location /profile { tailgate_session off;
                        proxy_pass http://127.0.0.1:@APP@;
        location /profile/jupyter { tailgate_session other;
                                    tailgate_headers jupyterhub;
                                    proxy_pass http://127.0.0.1:@APP@; }
    }
    location /tagged { tailgate_peers member tagged;
                       proxy_pass http://127.0.0.1:@APP@; }
    location /accel { proxy_pass http://127.0.0.1:@APP@; }
    location /inner { internal; tailgate_session off;
                      proxy_pass http://127.0.0.1:@APP@/seen; }
    location /guarded { internal; proxy_pass http://127.0.0.1:@APP@/seen; }
    location /files { internal; tailgate off; root @DIR@; }
}
server {
    listen 127.0.0.1:@PORT2@;
    satisfy any;
    allow @OTHER@;
    deny all;
    tailgate on;
    tailgate_session sid;
    location / { proxy_pass http://127.0.0.1:@APP@; }
}
"""


class Jar(dict):
    """A browser's cookies."""

    def take(self, answer):
        for value in answer.all("Set-Cookie"):
            name, _, rest = value.split(";")[0].partition("=")
            self[name] = rest
        return answer

    def header(self):
        return [("Cookie", "; ".join(f"{n}={v}" for n, v in self.items()))] \
            if self else []


@pytest.fixture
def app(world):
    """nginx, and an app that logs in at /login and anything below it."""

    nginx = world.nginx(CONF, SECRET="", PORT2=free_port(), OTHER=STRANGER)
    login = (200, [("Set-Cookie", "sid=s1; Path=/; HttpOnly"),
                   ("Set-Cookie", "_app_x=a1; Path=/; Secure; SameSite=Lax"),
                   ("Set-Cookie", "theme=dark")], "in")
    for path in ("/login", "/optional/login", "/tagged/login",
                 "/free/login", "/profile/login"):
        world.app.answers[path] = login
    return nginx


def cookies(answer):
    """What the app got, in order."""

    return "; ".join(answer.seen("Cookie"))


def test_companions_are_set(app):
    answer = get(app.port, "/login", source=ALICE)
    values = answer.all("Set-Cookie")
    assert values[:3] == ["sid=s1; Path=/; HttpOnly",
                          "_app_x=a1; Path=/; Secure; SameSite=Lax",
                          "theme=dark"]
    names = [value.split("=")[0] for value in values[3:]]
    assert names == ["tailgate-sid", "tailgate-_app_x"]
    assert values[3].endswith("; Path=/; HttpOnly")
    assert values[4].endswith("; Path=/; Secure; SameSite=Lax")
    assert "alice" not in str(values)


def test_the_same_person_stays(app):
    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    for _ in range(2):
        answer = get(app.port, "/", jar.header(), source=ALICE)
        assert cookies(answer) == "sid=s1; _app_x=a1; theme=dark"


@pytest.mark.parametrize("path", ["/", "/tagged"])
def test_another_person_does_not(app, path):
    """The cookies of one are not sent for the other; those of nobody stay."""

    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    answer = get(app.port, path, jar.header(), source=BOB)
    assert answer.status == 200
    assert cookies(answer) == "theme=dark"
    if path == "/tagged":
        assert cookies(get(app.port, path, jar.header(), source=CI)) == \
            "theme=dark"


def test_switch_of_the_person_at_one_address(world, tmp_path):
    """The user of an address changes under a browser's cookies."""

    who = {"login": "alice@example.com"}
    api = world.start(LocalAPI(
        str(tmp_path / "api.sock"),
        whois=lambda query: http(body=person(who["login"]))))
    nginx = world.nginx(CONF, SECRET="", PORT2=free_port(), OTHER=STRANGER,
                        localapi=api.path)
    world.app.answers["/login"] = (200, [("Set-Cookie", "sid=s1")], "")
    jar = Jar()
    jar.take(get(nginx.port, "/login"))
    assert "sid=s1" in cookies(get(nginx.port, "/", jar.header()))
    who["login"] = "bob@example.com"
    assert cookies(get(nginx.port, "/", jar.header())) == ""
    world.app.answers["/login"] = (200, [("Set-Cookie", "sid=s2")], "")
    jar.take(get(nginx.port, "/login", jar.header()))
    assert cookies(get(nginx.port, "/", jar.header())) == "sid=s2"
    who["login"] = "alice@example.com"
    assert cookies(get(nginx.port, "/", jar.header())) == ""


def test_forged_companion(app):
    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    right = dict(jar)
    for name, value in (("tailgate-sid", "x"), ("tailgate-sid", ""),
                        ("tailgate-sid", right["tailgate-_app_x"]),
                        ("sid", "s2")):
        jar.clear()
        jar.update(right)
        jar[name] = value
        answer = get(app.port, "/", jar.header(), source=ALICE)
        assert "sid=s" not in cookies(answer).replace("_app", "")
    answer = get(app.port, "/", [("Cookie", "sid=s1")], source=ALICE)
    assert answer.seen("Cookie") == []


def test_several_cookie_headers(app):
    """nginx's list of them, and what the app gets of it."""

    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    headers = [("Cookie", "a=1; sid=s1"),
               ("Cookie", f"tailgate-sid={jar['tailgate-sid']}"),
               ("X-Other", "x"), ("Cookie", "b=2; _app_y=z")]
    answer = get(app.port, "/", headers, source=ALICE)
    assert answer.status == 200
    assert cookies(answer) == "a=1; sid=s1; b=2"
    assert answer.seen("X-Other") == ["x"]


@pytest.mark.parametrize("path", ["/optional", "/off"])
def test_nobody_has_no_session(app, path):
    """A location that lets strangers in, or does not ask, sees no session."""

    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    answer = get(app.port, path, jar.header(), source=STRANGER)
    assert cookies(answer) == "theme=dark"
    if path == "/off":
        assert cookies(get(app.port, path, jar.header(), source=ALICE)) == \
            "theme=dark"
    else:
        assert "sid=s1" in cookies(get(app.port, path, jar.header(),
                                       source=ALICE))


def test_not_let_in_has_no_session(app):
    """Known, but not one that this location's rules let in."""

    jar = Jar()
    jar.take(get(app.port, "/tagged/login", source=CI))
    assert "sid=s1" in cookies(get(app.port, "/tagged", jar.header(),
                                   source=CI))
    answer = get(app.port, "/optional", jar.header(), source=CI)
    assert answer.status == 200
    assert cookies(answer) == "theme=dark"


def test_other_door_has_no_session(app):
    """Let in by an address, not by us."""

    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    answer = get(app.values["PORT2"], "/", jar.header(), source=STRANGER)
    assert answer.status == 200
    assert cookies(answer) == "_app_x=a1; theme=dark"


def test_off_and_profiles(app):
    jar = Jar()
    answer = jar.take(get(app.port, "/free/login", source=ALICE))
    assert len(answer.all("Set-Cookie")) == 3
    assert cookies(get(app.port, "/free", jar.header(), source=BOB)) == \
        "sid=s1; _app_x=a1; theme=dark"
    sent = [("Cookie", "sid=1; jupyterhub-hub-login=x; other=2;"
             " jupyterhub-session-id=3")]
    assert cookies(get(app.port, "/profile/jupyter", sent,
                       source=ALICE)) == "sid=1"


def test_stranger_gets_no_companion(app):
    answer = get(app.port, "/optional/login", source=STRANGER)
    assert len(answer.all("Set-Cookie")) == 3


def test_app_may_not_set_companions(world, app):
    world.app.answers["/login"] = (200, [
        ("Set-Cookie", "tailgate-sid=forged"), ("Set-Cookie", "sid=s1")], "")
    values = get(app.port, "/login", source=ALICE).all("Set-Cookie")
    assert len(values) == 2
    assert "forged" not in str(values)
    assert 'begins with "tailgate-"' in app.error_log()


def test_redirect_inside_restores_cookies(world, app):
    """The next location gets the client's cookies by its own rules."""

    world.app.answers["/accel"] = (
        200, [("X-Accel-Redirect", "/inner")], "")
    answer = get(app.port, "/accel", [("Cookie", "sid=s1; a=b"),
                                      ("Cookie", "c=d")], source=ALICE)
    assert [r["headers"].get("cookie") for r in world.app.requests] == [
        ["a=b; c=d"], ["sid=s1; a=b; c=d"]] or [
        r["headers"].get("cookie") for r in world.app.requests] == [
        ["a=b", "c=d"], ["sid=s1; a=b", "c=d"]]
    assert answer.status == 200


@pytest.mark.parametrize("inner", ["/files/a", "/inner", "/guarded"])
def test_redirect_inside_keeps_new_cookies(world, app, inner):
    """An app that sends a file by X-Accel-Redirect may renew its cookie in
    the same answer, whatever guards the location of the file."""

    os.makedirs(app.path("files"))
    with open(app.path("files/a"), "w", encoding="ascii") as f:
        f.write("a")
    world.app.answers["/accel"] = (
        200, [("X-Accel-Redirect", inner),
              ("Set-Cookie", "sid=s2; Path=/"), ("Set-Cookie", "x=y")], "")
    jar = Jar()
    answer = jar.take(get(app.port, "/accel", source=ALICE))
    assert answer.status == 200
    assert sorted(v.split("=")[0] for v in answer.all("Set-Cookie")) == [
        "sid", "tailgate-sid", "x"]
    answer = get(app.port, "/", jar.header(), source=ALICE)
    assert cookies(answer) == "sid=s2; x=y"
    assert cookies(get(app.port, "/", jar.header(), source=BOB)) == "x=y"


def test_reload_keeps_the_key(app):
    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    app.reload()
    answer = wait_until(
        lambda: get(app.port, "/", jar.header(), source=ALICE))
    assert "sid=s1" in cookies(answer)
    # also for a worker that comes later
    wait_until(lambda: len(app.workers()) == 1, 20, "the old worker is gone")
    os.kill(app.workers()[0], signal.SIGKILL)
    wait_until(lambda: len(app.workers()) >= 1 and get(
        app.port, "/", source=ALICE).status == 200)
    assert "sid=s1" in cookies(get(app.port, "/", jar.header(),
                                   source=ALICE))


def test_restart_makes_another_key(world, app):
    jar = Jar()
    jar.take(get(app.port, "/login", source=ALICE))
    app.stop()
    app.start()
    assert cookies(get(app.port, "/", jar.header(), source=ALICE)) == \
        "theme=dark"


def test_key_from_a_file(world, tmp_path):
    """A restart, and another nginx, know it; another key does not."""

    key = tmp_path / "key"
    key.write_text("0f" * 32 + "\n", encoding="ascii")
    key.chmod(0o640)
    nginx = world.nginx(CONF, SECRET=f"tailgate_session_secret {key};",
                        PORT2=free_port(), OTHER=STRANGER)
    world.app.answers["/login"] = (200, [("Set-Cookie", "sid=s1")], "")
    jar = Jar()
    jar.take(get(nginx.port, "/login", source=ALICE))
    nginx.stop()
    nginx.start()
    assert cookies(get(nginx.port, "/", jar.header(), source=ALICE)) == \
        "sid=s1"
    nginx.stop()
    key.write_text("f0" * 32 + "\n", encoding="ascii")
    nginx.start()
    assert cookies(get(nginx.port, "/", jar.header(), source=ALICE)) == ""


def test_all_workers_share_the_key(world):
    nginx = world.nginx(CONF, SECRET="", PORT2=free_port(), OTHER=STRANGER,
                        workers=4)
    world.app.answers["/login"] = (200, [("Set-Cookie", "sid=s1")], "")
    jar = Jar()
    jar.take(get(nginx.port, "/login", source=ALICE))
    clients = [Client(nginx.port, source=ALICE) for _ in range(40)]
    for client in clients:
        assert cookies(client.get("/", jar.header())) == "sid=s1"
        client.close()
