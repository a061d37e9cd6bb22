# Copyright (C) The Tailgate authors

"""An Otter Wiki: its git history names the person who wrote."""

import re
import subprocess

import pytest

from appkit.examples import printed
from appkit.installs import venv
from appkit.processes import Program
from tailgate_test import free_port, listening


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("otterwiki")


@pytest.fixture(scope="module")
def app(folder):
    port = free_port()
    repository = folder / "repository"
    subprocess.run(["git", "init", "-q", "-b", "main", repository],
                   check=True)
    secret = folder / "secret"
    secret.write_text("a secret of the test alone\n")
    settings = folder / "settings.cfg"
    settings.write_text(printed("otterwiki", "settings.cfg", {
        "/var/lib/otterwiki": folder,
        "/etc/otterwiki/secret": secret}))
    with Program([venv("otterwiki") / "bin/gunicorn", "--bind",
                  f"127.0.0.1:{port}", "--threads", "4",
                  "otterwiki.server:app"],
                 folder / "log", lambda: listening(("127.0.0.1", port)),
                 env={"OTTERWIKI_SETTINGS": str(settings),
                      "HOME": str(folder)}):
        yield {"127.0.0.1:8083": f"127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def site(start_site, app):
    with start_site("otterwiki", app) as site:
        yield site


def write(browser, page, headers=()):
    """Saves a page as a browser does: the form's token, then the form."""
    form = browser.request("GET", f"/{page}/edit", headers=headers)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
    if form.status != 200 or not token:
        return form.status
    return browser.post_form(f"/{page}/save", {
        "csrf_token": token[1], "content": "hello", "commit": "wrote",
        }, {"Referer": browser.base, **dict(headers)}).status


def author(folder, page):
    """Who the repository says wrote the page last."""
    return subprocess.run(
        ["git", "-C", folder / "repository", "log", "-1",
         "--format=%an <%ae>", "--", f"{page.lower()}.md"],
        check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def test_the_history_names_the_person(site, folder):
    assert write(site.browser("alice"), "Alices") == 200
    assert author(folder, "Alices") == "Alice Baker <alice@example.com>"


def test_a_name_beyond_ascii_arrives_intact(site, folder):
    assert write(site.browser("zoe"), "Zoes") == 200
    assert author(folder, "Zoes") == "Zoë Ångström <zoë@example.com>"


def test_a_reader_can_read_and_not_write(site, folder):
    bob = site.browser("bob")
    assert bob.request("GET", "/Home").status in (200, 404)
    assert write(bob, "Bobs") == 403
    assert author(folder, "Bobs") == ""


def test_a_lost_role_counts_at_once(site, folder, tailnet):
    zoe = site.browser("zoe")
    assert write(zoe, "Before") == 200
    with tailnet.capabilities("zoe", {}):
        assert write(zoe, "After") == 403
    assert author(folder, "After") == ""


@pytest.mark.parametrize("separator", "-_.")
def test_forged_headers_change_nothing(site, folder, separator):
    page = f"Forged{ord(separator)}"
    forged = {separator.join(("X", "Otterwiki", field)): value
              for field, value in (("Name", "Mallory"),
                                   ("Email", "mallory@example.com"),
                                   ("Permissions", "ADMIN"))}
    assert write(site.browser("alice"), page, forged) == 200
    assert author(folder, page) == "Alice Baker <alice@example.com>"
    permissions = {separator.join(("X", "Otterwiki", "Permissions")):
                   "READ,WRITE"}
    assert write(site.browser("bob"), page, permissions) == 403


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"X-Otterwiki-Name": "a",
                       "X-Otterwiki-Email": "a@example.com"})
