# Copyright (C) The Tailgate authors

"""golink's behaviour, row by row, on each way of serving: what its clients rely
on. docs/links/golink.md lists what is different, and why."""

import re
import urllib.parse

import pytest

from golink import ADDRESSES, ADMIN, BAR, HTML, MACHINE, SCRIPT, Links
from network_test import own_network

WAYS = ["tailnet", "nginx"]

# request -> Location, of links that are made first
REDIRECTS = [
    # A1 to A6
    ("/who", "http://who/"),
    ("/who/p", "http://who/p"),
    ("/who?q=1", "http://who/?q=1"),
    ("/who/p?q=1", "http://who/p?q=1"),
    ("/who/http://host", "http://who/http://host"),
    ("/who.", "http://who/"), ("/who,", "http://who/"),
    ("/who)", "http://who/"),
    ("/who,/p", "http://who/p"),
    ("/me", "/who/foo@example.com"),
    # A10, A11, A13, A14
    ("/WHO", "http://who/"), ("/w-ho", "http://who/"),
    ("/-who-", "http://who/"),
    ("/who.,)%5D%7D", "http://who/"), ("/who./p", "http://who/p"),
    ("/who%2Fx", "http://who/x"),
    ("/who/caf%C3%A9", "http://who/caf%C3%A9"),
    ("/who/a+b", "http://who/a+b"), ("/who/", "http://who/"),
    ("/who?", "http://who/"),
    # A16
    ("/who+", "/.detail/who"), ("/who+/x", "/.detail/who"),
    ("/w-ho+", "/.detail/w-ho"),
]

# link, what is asked of it, where it leads: golink's table, with what is
# encoded left so
EXPANSIONS = [
    ("http://host.com/foo%2f/bar", "", "http://host.com/foo%2f/bar"),
    ("http://host.com/foo%2f/bar", "/extra",
     "http://host.com/foo%2f/bar/extra"),
    ("http://host.com/foo", "/extra", "http://host.com/foo/extra"),
    ("http://host.com/foo/", "/extra", "http://host.com/foo/extra"),
    ("http://host.com/{{.User}}", "", "http://host.com/foo@example.com"),
    ("https://calendar.google.com/{{with .Path}}calendar/embed?mode=week&src="
     "{{.}}@tailscale.com{{end}}", "", "https://calendar.google.com/"),
    ("https://calendar.google.com/{{with .Path}}calendar/embed?mode=week&src="
     "{{.}}@tailscale.com{{end}}", "/amelie",
     "https://calendar.google.com/calendar/embed?mode=week&src="
     "amelie@tailscale.com"),
    ("http://host.com/{{PathEscape .Path}}", "/a/b+c",
     "http://host.com/a%2Fb+c"),
    ("http://host.com/{{QueryEscape .Path}}", "/a/b+c",
     "http://host.com/a%2Fb%2Bc"),
    ('http://host.com/{{TrimPrefix .Path "BUG-"}}', "/BUG-123",
     "http://host.com/123"),
    ("http://host.com/{{ToLower .Path}}", "/BUG-123",
     "http://host.com/bug-123"),
    ("http://host.com/{{ToUpper .Path}}", "/bug-123",
     "http://host.com/BUG-123"),
    ('http://host.com/{{if Match "\\\\d+" .Path}}id/{{.Path}}'
     "{{else}}search/{{.Path}}{{end}}", "/123", "http://host.com/id/123"),
    ('http://host.com/{{if Match "\\\\d+" .Path}}id/{{.Path}}'
     "{{else}}search/{{.Path}}{{end}}", "/query",
     "http://host.com/search/query"),
    ("/rel", "?a=b", "/rel?a=b"),
    ("/rel", "/path?a=b", "/rel/path?a=b"),
    ("/rel?a=1", "?a=2&b=2", "/rel?a=1&a=2&b=2"),
    ("/rel{{with .Path}}/{{.}}{{end}}?a=1", "/path?b=2",
     "/rel/path?a=1&b=2"),
    # golink's faults
    ("http://h.com/x", "/%25", "http://h.com/x/%25"),
    ("http://h.com/x", "/%3Fx%23y", "http://h.com/x/%3Fx%23y"),
    ("http://h.com/x", "/a%2Fb", "http://h.com/x/a%2Fb"),
    ("http://h.com/foo%2f/bar", "/a%20b", "http://h.com/foo%2f/bar/a%20b"),
    ("http://h.com/?b=2&a=1", "?c=3", "http://h.com/?b=2&a=1&c=3"),
]

# what is refused, with what golink says
REFUSED = [
    ({"short": "", "long": "x"}, "short and long required"),
    ({"short": "x", "long": ""}, "short and long required"),
    *[({"short": name, "long": "http://x/"},
       "short may only contain letters, numbers, dash, and period")
      for name in ("a b", ".a", "-a", "a/b", "a+", "é", "a\n")],
    *[({"short": "x", "long": long}, "long contains an invalid template: ")
      for long in ("http://x/{{.Foo", "http://x/{{end}}",
                   "http://x/{{Nope .Path}}", "http://x/{{if .Path}}",
                   "http://x/{{.Invalid}}", "http://x/{{range 3}}{{end}}")],
    *[({"short": "x", "long": long}, "long is no URL to send people to: ")
      for long in ("javascript:alert(1)", "%zz", ":foo")],
    ({"short": "x", "long": "http://x/", "owner": "tagged-devices"},
     "new owner not a valid user: tagged-devices"),
]


def make(links, name, long, **more):
    answer = links.save(name, long, **more)
    assert answer.status == 200, (name, long, answer)
    return answer


def check_redirects(links):
    make(links, "who", "http://who/")
    make(links, "me", "/who/{{.User}}")

    for target, location in REDIRECTS:
        answer = links.get(target)
        assert (answer.status, answer.header("Location")) \
            == (302, location), target
        assert answer.body == b"" and answer.header("Content-Type") is None

    head = links.ask("HEAD", "/who")
    assert (head.status, head.header("Location")) == (302, "http://who/")
    # A12
    for target in ("/who!", "/who;", "/who:", "/who%20", "//who", "//"):
        answer = links.get(target, HTML)
        assert answer.status == 404, target
        assert answer.header("Location") is None
    # A8, A17: the form has the name
    answer = links.get("/wh0.", HTML)
    assert answer.status == 404 and 'value="wh0"' in answer.body.decode()
    assert 'href="/who"' in answer.body.decode()
    answer = links.get("/foo%22%3Cb%3E.,x", HTML)
    assert 'value="foo&#34;&lt;b&gt;.,x"' in answer.body.decode()
    # A7: a machine is no person
    answer = links.get("/me", who=MACHINE)
    assert answer.status == 401 and answer.header("Location") is None
    assert "link requires a valid user" in answer.body.decode()
    assert links.get("/who", who=MACHINE).status == 302
    # A18
    answer = links.get("/.detail/../x")
    assert (answer.status, answer.header("Location")) == (307, "/x")
    assert links.get("/.detail").header("Location") == "/.detail/"
    assert links.get("/.nope").status == 404
    assert links.get("/.all/").status == 404


def check_expansions(links):
    for n, (long, suffix, location) in enumerate(EXPANSIONS):
        make(links, f"x{n}", long)
        answer = links.get(f"/x{n}{suffix}")
        assert (answer.status, answer.header("Location")) \
            == (302, location), (long, suffix)


def check_saves(links):
    for fields, text in REFUSED:
        answer = links.form("/", fields, SCRIPT)
        assert answer.status == 400, (fields, answer)
        assert text in answer.body.decode(), fields

    # C2, C9, C12, C13
    token = links.new_token()
    assert links.save("c2", "http://c/", {}, xsrf=token).status == 200
    assert links.save("goat", "http://c/", {},
                      xsrf=links.token("c2")).status == 400
    answer = links.save("goat", "http://c/", {})
    assert (answer.status, answer.body) == (400, b"invalid XSRF token\n")
    assert links.form(f"/?xsrf={token}", {"short": "c", "long": "http://c/"},
                      {}).status == 400
    # C3, C5, C8, C10: owners, admins
    make(links, "c3", "http://c/")
    answer = links.save("c3", "http://b/", who=BAR)
    assert answer.status == 403
    assert answer.body == b'cannot update link owned by "foo@example.com"\n'
    answer = links.save("c3", "http://b/", {}, who=BAR,
                        xsrf=links.new_token(BAR))
    assert answer.status == 403
    answer = links.save("c3", "http://b/", {}, who=ADMIN,
                        xsrf=links.new_token(ADMIN))
    assert (answer.status, answer.header("Location")) \
        == (303, "/.detail/c3?exists=1")
    answer = links.save("c3", "http://adm/", {}, who=ADMIN,
                        xsrf=links.token("c3", ADMIN))
    # an admin's edit keeps the owner
    assert answer.status == 200
    assert answer.json()["Owner"] == "foo@example.com"
    # C4, C23: the owner is gone
    make(links, "c23", "http://c/", who=ADMIN)
    links.localapi.status = dict(links.localapi.status)
    # C11, C14, C15, C16
    before = links.get("/.detail/c3").json()
    after = make(links, "c3", "http://again/").json()
    assert after["Created"] == before["Created"]
    answer = links.save("C-3", "http://x/", {}, xsrf=links.new_token())
    assert (answer.status, answer.header("Location")) \
        == (303, "/.detail/C-3?exists=1")
    old = links.token("c3")
    assert links.save("C-3", "http://x/", {}, xsrf=old).json()["Short"] \
        == "C-3"
    assert links.save("C-3", "http://x/", {}, xsrf=old).status == 400
    assert links.save("renamed", "http://x/", {},
                      xsrf=links.token("C-3")).status == 400
    # C17
    make(links, "c17", "http://x/", owner="bar@example.com")
    assert links.save("c17", "http://y/").status == 403
    # C19
    for name in ("_a", "9", "Foo.Bar"):
        make(links, name, "http://x/")
    # C21
    body = ("--b\r\nContent-Disposition: form-data; name=\"short\"\r\n\r\nmp"
            "\r\n--b\r\nContent-Disposition: form-data; name=\"long\"\r\n\r\n"
            "http://mp/\r\n--b--\r\n")
    answer = links.ask("POST", "/", {
        **SCRIPT, "Content-Type": "multipart/form-data; boundary=b"}, body)
    assert answer.status == 200 and answer.json()["Short"] == "mp"
    query = urllib.parse.urlencode({"short": "qs", "long": "http://qs/"})
    assert links.ask("POST", f"/?{query}", SCRIPT).status == 200
    answer = links.ask("POST", "/", {"Content-Type": "application/json"},
                       '{"short": "js", "long": "http://js/"}')
    assert (answer.status, answer.body) == (400, b"short and long required\n")
    # C22
    answer = make(links, "c22", "http://x/?a&b<c>")
    assert re.fullmatch(
        r'\{"Short":"c22","Long":"http://x/\?a\\u0026b\\u003cc\\u003e",'
        r'"Created":"[^"]*Z","LastEdit":"[^"]*Z","Owner":"foo@example.com"\}'
        "\n", answer.body.decode())
    answer = links.save("c22", "http://x/", {**SCRIPT, **HTML})
    assert answer.status == 200 and b"Success" in answer.body
    # C7, overruled: nobody without a person saves
    assert links.save("c7", "http://x/", who=MACHINE).status == 401


def check_takeover(links):
    make(links, "left", "http://x/", owner="a@example.com", who=ADMIN)
    assert links.save("left", "http://y/").status == 403
    links.localapi.status = {**links.localapi.status, "User": {
        "1": {"LoginName": "foo@example.com"},
        "2": {"LoginName": "bar@example.com"}}}
    # the list of people is some seconds old at most
    links.restart()
    answer = make(links, "left", "http://y/")
    assert answer.json()["Owner"] == "foo@example.com"
    assert links.save("left", "http://z/", who=BAR).status == 403


def check_deletes(links):
    assert links.form("/.delete/", {}, SCRIPT).status == 400
    assert links.form("/.delete/none", {}, SCRIPT).status == 404
    make(links, "d3", "http://x/")
    answer = links.form("/.delete/d3", {}, SCRIPT, who=BAR)
    assert answer.status == 403
    assert answer.body == b'cannot delete link owned by "foo@example.com"\n'
    for token in ("wrong", links.new_token(), links.token("d3")):
        assert links.form("/.delete/d3", {"xsrf": token}).status == 400
    assert links.get("/.delete/d3").status == 400
    token = links.token("d3", action="/.delete/")
    assert links.form("/.delete/d3", {"xsrf": token}).status == 200
    assert links.get("/d3").status == 404
    make(links, "d5", "http://x/")
    token = links.token("d5", ADMIN, "/.delete/")
    assert links.form("/.delete/d5", {"xsrf": token}, who=ADMIN).status == 200
    # overruled: a script can delete
    make(links, "d7", "http://x/")
    assert links.form("/.delete/d7", {}, SCRIPT).status == 200


def check_data(links):
    lines = links.get("/.export").body.decode().splitlines()
    names = [re.match(r'\{"Short":"([^"]*)"', line).group(1)
             for line in lines]
    assert names == sorted(names) and "who" in names
    # E4, E5
    page = links.get("/.search?q=owner:FOO@EXAMPLE.COM").body.decode()
    own = [line for line in lines if '"Owner":"foo@example.com"' in line]
    assert f"{len(own)} total" in page
    assert "0 total" in links.get("/.search?q=owner:no@x").body.decode()
    assert f"{len(lines)} total" in links.get("/.all").body.decode()
    # E12
    assert links.get("/zebra.").status == 404
    text = links.get("/.metrics").body.decode()
    assert re.search(r'^golink_clicks_total\{path="who"\} [1-9]', text, re.M)
    assert 'golink_not_found_total{path="zebra"} 1' in text
    detail = links.get("/.detail/who").body.decode()
    assert re.fullmatch(
        r'\{\n  "Short": "who",\n  "Long": "http://who/",\n'
        r'  "Created": "[^"]*",\n  "LastEdit": "[^"]*",\n'
        r'  "Owner": "foo@example.com"\n\}\n', detail)
    stats = links.get("/.export-stats").body.decode()
    assert re.search(r"^who,\d+,[1-9]", stats, re.M)


@pytest.mark.parametrize("way", WAYS)
def test_conformance(way, store, tmp_path):

    @own_network(*ADDRESSES)
    def run():
        with Links(tmp_path, way, store=store) as links:
            check_redirects(links)
            check_expansions(links)
            check_saves(links)
            check_deletes(links)
            check_data(links)
            check_takeover(links)

    run()


@own_network(*ADDRESSES)
def test_readonly(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        make(links, "who", "http://who/")
        links.authd.stop()

    with Links(tmp_path, "tailnet", "  readonly: yes") as links:
        for answer in (links.save("who", "http://x/"),
                       links.form("/.delete/who", {}, SCRIPT)):
            assert answer.status == 405
            assert answer.body == b"golink is in read-only mode\n"
        assert links.get("/who").header("Location") == "http://who/"


@own_network(*ADDRESSES)
def test_fallback(tmp_path):
    with Links(tmp_path, "tailnet", "  fallback: http://oldgo/") as links:
        answer = links.get("/old/page?q=1")
        assert (answer.status, answer.header("Location")) \
            == (302, "http://oldgo/old/page?q=1")
