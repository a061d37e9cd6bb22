# Copyright (C) The Tailgate authors

"""JupyterHub: a notebook server for each person, and its WebSockets."""

import json
import os
import time

import pytest
import websocket

from appkit.examples import printed
from appkit.installs import npm, venv
from appkit.processes import Program
from tailgate_test import free_port, listening

ALICES = "/user/alice@example.com"
SPAWN_TIMEOUT = 90


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jupyterhub")
    public, hub, api = free_port(), free_port(), free_port()
    config = folder / "jupyterhub_config.py"
    config.write_text(printed("jupyterhub", "jupyterhub_config.py", {
        "127.0.0.1:8000": f"127.0.0.1:{public}",
        "127.0.0.1:8081": f"127.0.0.1:{hub}",
        "127.0.0.1:8001": f"127.0.0.1:{api}",
        "/srv/jupyterhub": folder}))
    programs = venv("jupyterhub") / "bin"
    proxy = npm("configurable-http-proxy") / "node_modules/.bin"
    argv = [programs / "jupyterhub", "-f", config]
    if os.geteuid() == 0:
        argv.append('--Spawner.args=["--allow-root"]')
    path = f"{programs}:{proxy}:{os.environ['PATH']}"
    with Program(argv, folder / "log",
                 lambda: listening(("127.0.0.1", public))
                 and listening(("127.0.0.1", hub)),
                 env={"PATH": path, "HOME": str(folder)}, cwd=folder):
        yield {"127.0.0.1:8000": f"127.0.0.1:{public}"}


@pytest.fixture(scope="module")
def site(start_site, app):
    with start_site("jupyterhub", app) as site:
        yield site


@pytest.fixture(scope="module")
def unbound_site(start_site, app):
    profile = "tailgate_headers jupyterhub;"
    with start_site("jupyterhub", {
            **app, profile: f"{profile} tailgate_session off;"}) as site:
        yield site


def whoami(browser, headers=()):
    """The hub's word for the browser's session, once it has logged in."""
    assert browser.get("/hub/login?next=/hub/home",
                       headers=headers).status == 200
    answer = browser.once("GET", "/hub/api/user", headers=headers)
    assert answer.status == 200, answer.text
    return answer.json


def start_server(browser, login):
    """Logs in as browsers do, and waits for the person's own server."""
    browser.get("/hub/spawn")
    deadline = time.monotonic() + SPAWN_TIMEOUT
    while time.monotonic() < deadline:
        answer = browser.get(f"/user/{login}/lab")
        if answer.status == 200 and answer.path == f"/user/{login}/lab":
            return
        time.sleep(0.5)
    pytest.fail(f"the server of {login} did not start: {answer.text}")


def new_terminal(browser, login):
    token = [cookie.value for cookie in browser.jar
             if cookie.name == "_xsrf" and cookie.path == f"/user/{login}/"]
    answer = browser.once("POST", f"/user/{login}/api/terminals", b"",
                          {"X-XSRFToken": token[0]})
    assert answer.status == 200, answer.text
    return answer.json["name"]


def open_terminal(browser, login, terminal):
    """A WebSocket to a terminal, by the browser's own cookies."""
    path = f"/user/{login}/terminals/websocket/{terminal}"
    return websocket.create_connection(
        f"wss{browser.base[len('https'):]}{path}",
        socket=browser.connect("jupyterhub.corp"), timeout=30,
        origin=browser.base,
        header={"Cookie": browser.cookie_header(path) or ""})


def test_each_person_is_themself(site):
    assert whoami(site.browser("alice"))["name"] == "alice@example.com"
    assert whoami(site.browser("alice"))["admin"] is True
    assert whoami(site.browser("bob"))["name"] == "bob@example.com"
    assert whoami(site.browser("bob"))["admin"] is False


def test_a_login_beyond_ascii_arrives_intact(site):
    assert whoami(site.browser("zoe"))["name"] == "zoë@example.com"


@pytest.mark.parametrize("header", [
    "X-Webauth-User", "x-webauth-user", "X_Webauth_User", "X.Webauth.User"])
def test_a_forged_header_changes_nothing(site, header):
    forged = {header: "alice@example.com"}
    assert whoami(site.browser("bob"), forged)["name"] == "bob@example.com"


def test_a_terminals_websocket_goes_through(site):
    alice = site.browser("alice")
    start_server(alice, "alice@example.com")
    terminal = new_terminal(alice, "alice@example.com")
    connection = open_terminal(alice, "alice@example.com", terminal)
    try:
        assert connection.getstatus() == 101
        connection.send(json.dumps(["stdin", "echo $((6 * 7))4711\r"]))
        seen = ""
        while "424711" not in seen:
            kind, *text = json.loads(connection.recv())
            seen += text[0] if kind == "stdout" else ""
    finally:
        connection.close()


def test_a_websocket_without_the_session_is_refused(site):
    with pytest.raises(websocket.WebSocketBadStatusException) as fault:
        open_terminal(site.browser("alice"), "alice@example.com", "1")
    assert fault.value.status_code == 403


def test_a_new_person_at_the_address_is_not_the_old_one(site, tailnet):
    browser = site.browser("laptop")
    with tailnet.lent("laptop", "alice"):
        start_server(browser, "alice@example.com")
        terminal = new_terminal(browser, "alice@example.com")
        old_session = browser.cookies()
    assert "jupyterhub-hub-login" in old_session

    with tailnet.lent("laptop", "bob"):
        answer = browser.once("GET", f"{ALICES}/api/me")
        assert answer.status in (302, 403) and "alice" not in answer.text
        with pytest.raises(websocket.WebSocketBadStatusException):
            open_terminal(browser, "alice@example.com", terminal)
        answer = browser.once("GET", "/hub/api/user")
        assert answer.status == 403, answer.text
        assert browser.get(f"{ALICES}/lab").status == 403
        assert whoami(browser)["name"] == "bob@example.com"

    with tailnet.lent("laptop", "alice"):
        assert browser.once("GET", "/hub/api/user").status == 403
        assert whoami(browser)["name"] == "alice@example.com"


def test_by_itself_jupyterhub_would_keep_the_old_person(unbound_site, tailnet):
    browser = unbound_site.browser("laptop")
    with tailnet.lent("laptop", "alice"):
        whoami(browser)
    with tailnet.lent("laptop", "bob"):
        answer = browser.once("GET", "/hub/api/user")
        assert answer.json["name"] == "alice@example.com"


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"X-Webauth-User": "alice@example.com"}, "/hub/home")
