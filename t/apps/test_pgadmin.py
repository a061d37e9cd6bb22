# Copyright (C) The Tailgate authors

"""pgAdmin: a header counts only with the secret that nginx shares with it."""

import os
import re
import sqlite3

import pytest

from appkit.browser import Browser
from appkit.examples import printed
from appkit.installs import run, venv
from appkit.processes import Program
from tailgate_test import free_port, listening

SECRET = "4c1f0e6b-a-secret-of-the-test-alone"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pgadmin")


@pytest.fixture(scope="module")
def secret(folder):
    path = folder / "pgadmin.secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def app(folder, secret):
    port = free_port()
    (folder / "conf").mkdir()
    (folder / "conf/config_local.py").write_text(
        printed("pgadmin", "config_local.py", {
            "/var/lib/pgadmin": folder / "data",
            "/etc/tailgate/pgadmin.secret": secret}))
    programs = venv("pgadmin") / "bin"
    package = next(programs.parent.glob("lib/python3*/site-packages/pgadmin4"))
    env = {"PYTHONPATH": str(folder / "conf"), "HOME": str(folder),
           "PGADMIN_SETUP_EMAIL": "admin@example.com",
           "PGADMIN_SETUP_PASSWORD": "never used here"}
    run([programs / "python", package / "setup.py", "setup-db"],
        env={**os.environ, **env})
    with Program([programs / "gunicorn", "--bind", f"127.0.0.1:{port}",
                  "--workers", "1", "--threads", "8", "--chdir", package,
                  "pgAdmin4:app"],
                 folder / "log", lambda: listening(("127.0.0.1", port)),
                 env=env):
        yield {"127.0.0.1:5050": f"127.0.0.1:{port}"}


PROFILE = "tailgate_headers pgadmin secret=/etc/tailgate/pgadmin.secret;"


@pytest.fixture(scope="module")
def site(start_site, app, secret):
    with start_site("pgadmin", {
            **app, "/etc/tailgate/pgadmin.secret": secret}) as site:
        yield site


@pytest.fixture(scope="module")
def handmade_site(start_site, app):
    """The same without the profile, by the directives that it stands for."""
    with start_site("pgadmin", {**app, PROFILE: f"""
            tailgate_set_header X-Forwarded-User $tailgate_login
                                encoding=latin1;
            tailgate_set_header X-Pgadmin-Webserver-Secret {SECRET};
            tailgate_session    pga4_session;"""}) as site:
        yield site


@pytest.fixture(scope="module")
def unbound_site(start_site, app, secret):
    with start_site("pgadmin", {
            **app, PROFILE: f"{PROFILE} tailgate_session off;",
            "/etc/tailgate/pgadmin.secret": secret}) as site:
        yield site


@pytest.fixture(scope="module")
def users(folder):
    """Logins by id, as pgAdmin's own store has them."""
    def read():
        store = sqlite3.connect(folder / "data/pgadmin4.db")
        with store:
            rows = store.execute(
                "SELECT id, username, auth_source FROM user").fetchall()
        store.close()
        return {row[0]: row[1:] for row in rows}
    return read


def session_user(browser, users):
    """Who the browser's session is, without logging in; None: nobody."""
    answer = browser.once("GET", "/user_management/current_user.js")
    if answer.status != 200:
        return None
    return users()[int(re.search(r"'id': (\d+)", answer.text)[1])][0]


def log_in(browser, headers=()):
    return browser.get("/login?next=/browser/", headers=headers)


def test_each_person_is_themself(site, users):
    for person in ("alice", "bob"):
        browser = site.browser(person)
        assert log_in(browser).path == "/browser/"
        assert session_user(browser, users) == f"{person}@example.com"
    assert ("alice@example.com", "webserver") in users().values()


def test_a_login_beyond_ascii_arrives_intact(site, users):
    browser = site.browser("zoe")
    log_in(browser)
    assert session_user(browser, users) == "zoë@example.com"


@pytest.mark.parametrize("header", [
    "X-Forwarded-User", "x-forwarded-user", "X_Forwarded_User",
    "X.Forwarded.User"])
def test_a_forged_header_changes_nothing(site, users, header):
    browser = site.browser("bob")
    log_in(browser, {header: "alice@example.com"})
    assert session_user(browser, users) == "bob@example.com"


@pytest.mark.parametrize("given, target", [
    ({}, None),
    ({"X-Pgadmin-Webserver-Secret": "wrong"}, None),
    ({"X-Pgadmin-Webserver-Secret": SECRET}, "/browser/"),
])
def test_behind_nginx_the_header_counts_only_with_the_secret(
        app, given, target):
    address = app["127.0.0.1:5050"]
    host, port = address.split(":")
    direct = Browser(host, (host, int(port)), f"http://{address}")
    answer = direct.once("GET", "/login", headers={
        "X-Forwarded-User": "alice@example.com", **given})
    assert answer.headers["Location"] == target


def test_the_secret_is_in_no_log_and_no_answer(site):
    answer = log_in(site.browser("alice"))
    assert SECRET not in answer.text
    assert SECRET not in site.nginx.error_log()
    assert SECRET not in site.nginx.access_log()


@pytest.mark.parametrize("kind", ["site", "handmade_site"])
def test_a_new_person_at_the_address_is_not_the_old_one(
        kind, request, users, tailnet):
    browser = request.getfixturevalue(kind).browser("laptop")
    with tailnet.lent("laptop", "alice"):
        log_in(browser)
        assert session_user(browser, users) == "alice@example.com"
        assert "pga4_session" in browser.cookies()
    with tailnet.lent("laptop", "bob"):
        assert session_user(browser, users) is None
        log_in(browser)
        assert session_user(browser, users) == "bob@example.com"
    with tailnet.lent("laptop", "alice"):
        assert session_user(browser, users) is None


def test_by_itself_pgadmin_would_keep_the_old_person(
        unbound_site, users, tailnet):
    browser = unbound_site.browser("laptop")
    with tailnet.lent("laptop", "alice"):
        log_in(browser)
    with tailnet.lent("laptop", "bob"):
        log_in(browser)
        assert session_user(browser, users) == "alice@example.com"


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"X-Forwarded-User": "alice@example.com"}, "/login")
