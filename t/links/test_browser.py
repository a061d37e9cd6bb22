# Copyright (C) The Tailgate authors

"""The pages in a browser, as people use them: alice makes, edits, renames,
finds, deletes and restores a link, bob is refused, an admin takes over. What
they look like is in build/screenshots."""

import concurrent.futures
import json
import os
import urllib.parse
import xml.etree.ElementTree

import pytest

from golink import (ADDRESSES, ADMIN, BAR, BROKEN, FOO, MACHINE, SCRIPT,
                    STRANGER, Links, answer)
from network_test import add_addresses, unshare
from tailgate_test import is_sanitized

pytest.importorskip("selenium")

from browser import Browser, Keys  # noqa: E402

pytestmark = pytest.mark.skipif(
    is_sanitized(), reason="not applicable: the requests of these pages are"
    " those of the other tests, and a browser takes its time")

ALICE, BOB = FOO, BAR
LOGINS = {ALICE: "alice@example.com", BOB: "bob@example.com",
          ADMIN: "root@example.com"}

SAVE, RENAME, DELETE, UNDO = (
    f"form{which} button[type=submit]" for which in (
        ".edit[action='/']", "[action^='/.rename/']", "[action^='/.delete/']",
        "[action^='/.restore/']"))


def who_is(address, query):
    code, body = answer(address, query)
    if address in LOGINS:
        body["UserProfile"]["LoginName"] = LOGINS[address]
    return code, body


class World:
    """A browser, and a daemon for each way of serving."""

    def __init__(self, directory):
        self.directory = directory
        self.servers = {}
        self.browser = Browser()

    def links(self, way):
        if way not in self.servers:
            directory = self.directory / way
            directory.mkdir()
            links = Links(directory, way)
            links.localapi.answer = who_is
            links.localapi.status = {**links.localapi.status, "User": {
                str(n): {"LoginName": login}
                for n, login in enumerate(LOGINS.values())}}
            self.servers[way] = links.__enter__()
        return self.servers[way]

    def close(self):
        try:
            self.browser.close()
        finally:
            for links in self.servers.values():
                links.__exit__(None, None, None)


@pytest.fixture(name="run", scope="module")
def run_in_a_network(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as thread:
        def call(function, *args):
            return thread.submit(function, *args).result()

        call(unshare)
        call(add_addresses, "lo", *ADDRESSES)
        world = call(World, tmp_path_factory.mktemp("browser"))
        try:
            yield lambda test, way="tailnet": call(
                lambda: test(world.browser, world.links(way)))
        finally:
            call(world.close)


def make(browser, name, url, description=""):
    browser.go("/")
    browser.type("#short", name)
    browser.type("#long", url)
    browser.type("#description", description)
    browser.submit(SAVE)
    assert f"go/{name} is saved." in browser.text()


def put(links, *names, owner="alice@example.com"):
    """Not by the pages."""

    reply = links.ask(
        "POST", "/api/v1/import?upsert=1",
        {"Content-Type": "application/x-ndjson", **SCRIPT},
        "".join(json.dumps({"Short": name, "Owner": owner,
                            "Long": f"http://{name}.example.com/"}) + "\n"
                for name in names), who=ADMIN)
    assert reply.status == 200, reply


def refused_address(browser):
    """What was typed is there again, and the reason is beside the field."""

    browser.go("/")
    browser.type("#short", "wiki")
    browser.type("#long", "javascript:alert(1)")
    browser.submit(SAVE, fault=True)
    assert browser.text("#long-error").startswith(
        "Leads to: this is no URL")
    long = browser.find("#long")
    assert long.get_attribute("value") == "javascript:alert(1)"
    assert long.get_attribute("aria-invalid") == "true"
    assert browser.find("#short").get_attribute("value") == "wiki"
    browser.type("#long", "https://wiki.example.com/")
    browser.submit(SAVE)


def made_and_edited(browser):
    browser.go("/wiki+")
    assert browser.url() == "http://go/.detail/wiki"
    assert "alice@example.com" in browser.text(".facts")
    browser.type("#long", "http://pages.example.com/home")
    browser.type("#description", "What the team knows")
    browser.find("summary").click()
    browser.type("#tags", "docs, team")
    browser.submit(SAVE)
    browser.go("/.search?q=KNOWS")
    assert "http://pages.example.com/home" in browser.text(".links")
    browser.go("/.search?q=team")
    browser.follow(".links .detail")
    assert [tag.text for tag in browser.all(".tag")] == ["docs", "team"]


def renamed(browser):
    browser.type("#to", "handbook")
    browser.submit(RENAME)
    assert "handbook" in browser.text(".result")
    browser.go("/.detail/handbook")
    assert "wiki" in browser.text(".facts")
    for name in ("handbook/page?q=1", "wiki/page?q=1"):
        browser.driver.get(f"http://go/{name}")
        assert browser.url() == "http://pages.example.com/home/page?q=1"


def deleted_and_restored(browser):
    browser.go("/.detail/handbook")
    browser.submit(DELETE)
    assert "go/handbook is deleted." in browser.text()
    browser.go("/handbook", fault=True)
    assert "is not a link yet" in browser.text("h1")
    browser.follow("a[href^='/.history/']")
    browser.submit(UNDO)
    assert "go/handbook is restored." in browser.text()
    browser.go("/.history/handbook")
    assert [entry.text.split(" ")[0] for entry in browser.all("li strong")] \
        == ["restored", "deleted", "renamed", "changed", "created"]
    assert browser.has("ol.history[reversed]")


def undone(browser):
    """An edit is taken back by the page that says that it was saved."""

    browser.go("/.detail/handbook")
    browser.type("#long", "https://oops.example.com/")
    browser.submit(SAVE)
    browser.go("/.history/handbook")
    assert browser.text("del") == "http://pages.example.com/home"
    assert browser.text("ins") == "https://oops.example.com/"
    browser.submit(UNDO)
    browser.go("/.detail/handbook")
    assert browser.text("dd.url") == "http://pages.example.com/home"


def refused_as_bob(browser):
    """Neither a form nor, where one was open before, what it sends."""

    browser.go("/.detail/handbook")
    browser.seat.source = BOB
    browser.type("#long", "https://bob.example.com/")
    browser.submit(SAVE, fault=True)
    assert "cannot update link owned by" in browser.text("[role=alert]")
    browser.go("/.detail/handbook")
    assert not browser.has("main form")
    assert 'cannot update link owned by "alice@example.com"' in browser.text()
    assert browser.text("dd.url") == "http://pages.example.com/home"
    browser.go("/.mine")
    assert "handbook" not in browser.text()


def taken_over(browser):
    """By an admin, and by anybody where the owner is gone."""

    browser.seat.source = ADMIN
    browser.go("/.detail/handbook")
    browser.find("summary").click()
    browser.type("#owner", "root@example.com")
    browser.submit(SAVE)
    browser.seat.source = ALICE
    browser.go("/.detail/handbook")
    assert 'owned by "root@example.com"' in browser.text()
    browser.seat.source = BOB
    browser.go("/.detail/orphan")
    assert "gone@example.com has left the tailnet" in browser.text(".notice")
    browser.submit(SAVE)
    browser.go("/.mine")
    assert "orphan" in browser.text(".links")


def life(browser, links):
    put(links, "orphan", owner="gone@example.com")
    browser.sit(links, ALICE)
    refused_address(browser)
    made_and_edited(browser)
    renamed(browser)
    deleted_and_restored(browser)
    undone(browser)
    refused_as_bob(browser)
    taken_over(browser)


@pytest.mark.parametrize("way", ["tailnet", "nginx"])
def test_life_of_a_link(run, way):
    run(life, way)


def scriptless(browser, links):
    browser.sit(links, ALICE)
    browser.without_script(True)
    try:
        make(browser, "plain", "https://plain.example.com/")
        assert not browser.has("dialog")
        assert not browser.find(".keys").is_displayed()
        browser.go("/.detail/plain")
        browser.find("summary").click()
        browser.find("#anyone").click()
        browser.type("#long", "https://plainer.example.com/")
        browser.submit(SAVE)
        browser.go("/")
        browser.type("#q", "plainer")
        browser.submit(".search button")
        browser.follow(".links .detail")
        assert "anyone on the tailnet" in browser.text(".facts")
    finally:
        browser.without_script(False)


def test_without_script(run):
    run(scriptless)


def palette(browser, links):
    browser.sit(links, ALICE)
    put(links, "palm", "palette")
    browser.go("/.help")
    browser.press_control("k")
    browser.find("dialog[open]")
    browser.press("palm")
    browser.wait(lambda: [o.text.split()[0] for o in browser.all(
        "[role=option]")] == ["palm"], "what is typed is found")
    browser.press(Keys.BACKSPACE)
    browser.wait(lambda: len(browser.all("[role=option]")) == 2, "both")
    browser.picture("palette-light.png")
    chosen = browser.text("[aria-selected=true]").split()[0]
    browser.press(Keys.ARROW_DOWN)
    browser.wait(lambda: browser.text("[aria-selected=true]").split()[0]
                 not in (chosen, ""), "the other one is chosen")
    other = browser.text("[aria-selected=true]").split()[0]
    assert browser.find("dialog input").get_attribute(
        "aria-activedescendant") == browser.find(
            "[aria-selected=true]").get_attribute("id")
    browser.press(Keys.ESCAPE)
    browser.wait(lambda: not browser.has("dialog[open]"), "it is closed")
    browser.press("/")
    assert browser.script("return document.activeElement.id") == "q"
    browser.press_control("k")
    browser.press("zzz")
    browser.wait(lambda: browser.text("dialog [role=status]")
                 == "Nothing was found.", "nothing is found")
    assert not browser.has("[role=option]")
    assert browser.find("dialog input").get_attribute("aria-expanded") \
        == "false"
    browser.press(Keys.BACKSPACE * 3)
    browser.press(other)
    browser.wait(lambda: [o.text.split()[0] for o in browser.all(
        "[role=option]")] == [other], "the other one is found")
    browser.check_log()
    browser.arrive(lambda: browser.press(Keys.ENTER))
    assert browser.url() == f"http://{other}.example.com/"


def test_palette(run):
    run(palette)


def search_engine(browser, links):
    """What the address bar does once it knows this site, and what is
    suggested while somebody types into a page."""

    browser.sit(links, ALICE)
    put(links, "typed")
    browser.go("/")
    engine = browser.find("link[rel=search]").get_attribute("href")
    reply = links.get(urllib.parse.urlsplit(engine).path)
    assert reply.header("Content-Type") \
        == "application/opensearchdescription+xml"
    urls = {url.get("type"): url.get("template")
            for url in xml.etree.ElementTree.fromstring(reply.body)
            if url.tag.endswith("}Url")}
    assert urls["text/html"] == "http://go/{searchTerms}"
    suggest = urls["application/x-suggestions+json"].replace(
        "{searchTerms}", "typ")
    assert browser.script("return fetch(arguments[0]).then(r => r.json())",
                          suggest)[:2] == ["typ", ["typed"]]
    browser.type("#q", "typ")
    browser.wait(lambda: browser.script(
        "return [...document.querySelector('#q').list.options]"
        ".map(o => o.value)") == ["typed"], "the name is suggested")
    browser.check_log()


def test_search_engine(run):
    run(search_engine)


def fill(links):
    """A tailnet that has used its links."""

    for name, url, description in (
            ("wiki", "https://wiki.example.com/", "What the team knows"),
            ("oncall", "https://pager.example.com/schedules/primary", ""),
            ("dash", "https://grafana.example.com/d/{{with .Path}}{{.}}"
             "{{else}}overview{{end}}?orgId=1&from=now-6h&to=now", "Graphs"),
            ("me", "/who/{{.User}}", "")):
        for text in (description, f"{description} and more", description):
            reply = links.ask(
                "PUT", f"/api/v1/links/{name}",
                {"Content-Type": "application/json"},
                json.dumps({"url": url, "description": text,
                            "tags": ["docs", "team"]}), who=ALICE)
            assert reply.status in (200, 201), reply
    put(links, *(f"service-{n}" for n in range(120)), "long-name-" * 6 + "z")
    for _ in range(7):
        links.get("/wiki")
    # counts of days are written as the daemon ends
    links.restart()


# what it is called, whose it is, where it is, a text of it
PAGES = [
    ("home", ALICE, "/", "Make a link"),
    ("all", ALICE, "/.all", "long-name-"),
    ("mine", ALICE, "/.mine", "alice@example.com"),
    ("popular", ALICE, "/.popular", "wiki"),
    ("recent", ALICE, "/.recent", "Changed recently"),
    ("search", ALICE, "/.search?q=team", "oncall"),
    ("nothing", ALICE, "/.search?q=zzz", "Nothing was found"),
    ("help", ALICE, "/.help", "Scripts"),
    ("detail", ALICE, "/.detail/wiki", "Delete it"),
    ("detail-bob", BOB, "/.detail/dash", "cannot update"),
    ("history", ALICE, "/.history/wiki", "and more"),
    ("unknown", ALICE, "/wikki", "Did you mean"),
    ("401", MACHINE, "/me", "a valid user"),
    ("403", STRANGER, "/.all", ""),
    ("503", BROKEN, "/.all", ""),
]

# a bad page is no error of the browser's
FAULTS = ("unknown", "401", "403", "503")


def pages(browser, links):
    fill(links)
    for name, who, target, text in PAGES:
        browser.sit(links, who)
        browser.go(target, fault=name in FAULTS)
        assert text in browser.text("body"), (name, browser.text("body"))
        browser.look(name)
    browser.sit(links, ALICE)
    browser.go("/")
    browser.type("#short", "broken")
    browser.type("#long", "http://x.example.com/{{.Nope}}")
    browser.submit(SAVE, fault=True)
    assert "invalid template" in browser.text("#long-error")
    browser.look("edit")
    browser.go("/.detail/oncall")
    browser.type("#description", "Who is it")
    browser.submit(SAVE)
    browser.look("saved")
    browser.go("/.detail/oncall")
    browser.submit(DELETE)
    browser.look("deleted")
    browser.go("/.history/oncall")
    assert "The link is deleted" in browser.text()
    browser.look("restore")


def test_pages(run):
    run(pages)


def focus(browser, links):
    """Whoever uses the keyboard sees where it is, on each thing in turn."""

    browser.sit(links, ALICE)
    browser.go("/")
    seen = []
    while True:
        browser.press(Keys.TAB)
        here = browser.script("""
            const e = document.activeElement, style = getComputedStyle(e);
            const box = e.getBoundingClientRect();
            return [e.localName, e.id || e.textContent, style.outlineStyle,
                    parseFloat(style.outlineWidth), box.left];""")
        if here[0] == "body" or here[:2] in seen:
            break
        assert here[2] == "solid" and here[3] >= 2 and here[4] >= 0, here
        seen.append(here[:2])
    assert seen[0] == ["a", "Skip to the content"]
    assert ["input", "short"] in seen and ["input", "q"] in seen
    assert ["summary", "Owner, sharing, tags, expiry"] in seen


def test_focus(run):
    run(focus)
