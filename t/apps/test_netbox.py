# Copyright (C) The Tailgate authors

"""NetBox: accounts, names and groups come from the tailnet."""

import os

import pytest

from appkit.database import postgres, redis
from appkit.netbox import DATABASE, PYTHON_MINOR, Netbox, python
from appkit.processes import Program
from tailgate_test import free_port, listening

# The first test of a new pin waits for the migration: five minutes of a core.
pytestmark = pytest.mark.timeout(3600)

USER = """SELECT u.email, u.first_name, u.last_name, u.is_superuser,
                 coalesce(string_agg(g.name, ' ' ORDER BY g.name), '')
          FROM users_user u LEFT JOIN users_user_groups m ON m.user_id = u.id
          LEFT JOIN users_group g ON g.id = m.group_id
          WHERE u.username = '{}' GROUP BY u.id"""


@pytest.fixture(scope="module")
def netbox(tmp_path_factory):
    if python() is None:
        # t/bare has what its release has, and nothing that it could install
        release = os.environ.get("TAILGATE_BARE")
        reason = f"NetBox needs Python 3.{PYTHON_MINOR} or newer"
        pytest.skip(f"not applicable: {reason}, which {release} has not"
                    if release else reason)
    folder = tmp_path_factory.mktemp("netbox")
    with postgres() as server, redis() as redis_port:
        instance = Netbox(folder, server, redis_port)
        instance.prepare_database()
        yield instance


@pytest.fixture(scope="module")
def app(netbox):
    port = free_port()
    with Program([netbox.bin / "gunicorn", "netbox.wsgi", "--bind",
                  f"127.0.0.1:{port}", "--workers", "1", "--threads", "3",
                  "--timeout", "120"],
                 netbox.folder / "log",
                 lambda: listening(("127.0.0.1", port)), env=netbox.env):
        yield {"127.0.0.1:8001": f"127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def site(start_site, app):
    with start_site("netbox", app) as site:
        yield site


@pytest.fixture(scope="module")
def account(netbox):
    """E-mail, first and last name, superuser and groups, or None."""
    def read(login):
        rows = netbox.postgres.query(DATABASE, USER.format(login))
        return tuple(rows[0].split("|")) if rows else None
    return read


def visit(browser, headers=()):
    answer = browser.once("GET", "/", headers=headers)
    assert answer.status == 200, answer.text
    return answer


def test_a_first_visit_makes_the_account(site, account):
    assert account("alice@example.com") is None
    visit(site.browser("alice"))
    assert account("alice@example.com") == (
        "alice@example.com", "Alice", "Baker", "t",
        "group:netbox-admins group:staff")


def test_a_member_of_other_groups_is_no_superuser(site, account):
    visit(site.browser("bob"))
    assert account("bob@example.com")[3:] == ("f", "group:staff")


def test_a_name_beyond_ascii_arrives_intact(site, account):
    visit(site.browser("zoe"))
    assert account("zoë@example.com")[:3] == (
        "zoë@example.com", "Zoë", "Ångström")


def test_the_rest_interface_knows_the_person_too(site):
    answer = site.browser("alice").once("GET", "/api/dcim/sites/")
    assert answer.status == 200 and answer.json["count"] == 0
    assert site.browser("bob").once("GET", "/api/dcim/sites/").status == 403


def test_a_lost_group_counts_from_the_next_session(site, account, tailnet):
    alice = site.browser("alice")
    visit(alice)
    with tailnet.groups("alice", ["group:staff"]):
        visit(alice)
        assert account("alice@example.com")[3] == "t"
        visit(site.browser("alice"))
        assert account("alice@example.com")[3:] == ("f", "group:staff")
    visit(site.browser("alice"))
    assert account("alice@example.com")[3] == "t"


@pytest.mark.parametrize("separator", "-_.")
def test_forged_headers_change_nothing(site, account, separator):
    forged = {separator.join(("Remote", "User", *rest)): value
              for rest, value in (((), "mallory"),
                                  (("Email",), "mallory@example.com"),
                                  (("Group",), "group:netbox-admins"),
                                  (("First", "Name"), "Mallory"))}
    before = account("bob@example.com")
    visit(site.browser("bob"), forged)
    assert account("bob@example.com") == before
    assert account("mallory") is None


def test_a_new_person_at_the_address_is_not_the_old_one(site, tailnet):
    browser = site.browser("laptop")
    with tailnet.lent("laptop", "alice"):
        visit(browser)
        session = browser.cookies()["sessionid"]
    with tailnet.lent("laptop", "bob"):
        assert "bob@example.com" in visit(browser).text
        assert browser.cookies()["sessionid"] != session
        assert browser.once("GET", "/api/dcim/sites/").status == 403


def test_strangers_and_outages(check_doors, site):
    check_doors(site, {"Remote_User": "alice@example.com"})
