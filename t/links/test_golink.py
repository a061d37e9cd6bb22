# Copyright (C) The Tailgate authors

"""golink's behaviour that takes a daemon of its own; the rest is in
test_rows.py. docs/links/golink.md lists what is different, and why."""

import html
import re
import subprocess
import time

import pytest

from authd import AUTHD
from golink import (ADDRESSES, ADMIN, BAR, BROKEN, FOO, HTML, OWN, SCRIPT,
                    Links)
from network_test import own_network
from tailgate_test import Client, certificate

WAYS = ["tailnet", "nginx"]


def make(links, name, long, **more):
    answer = links.save(name, long, **more)
    assert answer.status == 200, (name, long, answer)
    return answer


def check_takeover(links):
    make(links, "left", "http://x/", owner="a@example.com", who=ADMIN)
    assert links.save("left", "http://y/").status == 403
    links.localapi.status = {**links.localapi.status, "User": {
        "1": {"LoginName": "foo@example.com"},
        "2": {"LoginName": "bar@example.com"}}}
    # a node that is not up yet knows too few, and nobody has left for that
    running = links.localapi.status
    links.localapi.status = {**running, "BackendState": "Starting"}
    links.restart()
    assert links.save("left", "http://y/").status == 403
    links.localapi.status = running
    # the list of people is some seconds old at most
    links.restart()
    answer = make(links, "left", "http://y/")
    assert answer.json()["Owner"] == "foo@example.com"
    assert links.save("left", "http://z/", who=BAR).status == 403


@pytest.mark.parametrize("way", WAYS)
def test_takeover(way, store, tmp_path):

    @own_network(*ADDRESSES)
    def run():
        with Links(tmp_path, way, store=store) as links:
            check_takeover(links)

    run()


@own_network(*ADDRESSES)
def test_readonly(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        make(links, "who", "http://who/")
        links.authd.stop()

    with Links(tmp_path, "tailnet", "  readonly: yes") as links:
        # before all that could be wrong besides
        for answer in (links.save("who", "http://x/"),
                       links.save("", ""), links.save("a b", "{{.Foo"),
                       links.save("who", "http://x/", {}, xsrf="x"),
                       links.form("/.delete/", {}, SCRIPT),
                       links.form("/.delete/none", {}, SCRIPT),
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


def put_lines(links, *lines, status="created", who=ADMIN):
    """golink's lines, as they are; all become of that status."""

    answer = links.ask("POST", "/api/v1/import?upsert=1", {
        "Content-Type": "application/x-ndjson", **SCRIPT}, "".join(lines),
        who=who)
    assert answer.status == 200, answer
    assert [each["status"] for each in answer.json()["results"]] \
        == [status] * len(lines), answer.json()


def line(name, long, owner, created="0001-01-01T00:00:00Z", edited=None):
    return (f'{{"Short":"{name}","Long":"{long}","Created":"{created}",'
            f'"LastEdit":"{edited or created}","Owner":"{owner}"}}\n')


def check_export(links):
    """E1: byte for byte what came in, in the order of bytes."""

    lines = [
        line("B-c", "/", "a@example.com", "2022-05-31T20:04:44Z",
             "2022-06-02T01:02:03Z"),
        line("a", "http://a/", "a@example.com"),
        line("a.b", r"http://x/?a=1\u0026b=\u003cc\u003e", "gone@example.com",
             "9999-12-31T23:59:59Z"),
        line("foo", "/", "FOO@EXAMPLE.COM", "1969-12-31T23:59:59Z"),
        line("link-owned-by-tagged-devices", "/before", "tagged-devices"),
        line("nobodys", "/x", ""),
        line("z_9", "http://x/é", "foo@example.com"),
    ]
    # without a URL it is no link, as golink itself says of a save
    put_lines(links, line("0", "", "a@example.com"), status="failed")
    put_lines(links, *reversed(lines))
    answer = links.get("/.export")
    assert answer.body.decode() == "".join(lines)
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    put_lines(links, *lines, status="unchanged")
    links.restart()
    assert links.get("/.export").body.decode() == "".join(lines)
    link = links.get("/api/v1/links/a").json()
    assert (link["created"], link["edited"]) == ("0001-01-01T00:00:00Z",) * 2
    names = [link["name"] for link in links.get(
        "/api/v1/links?sort=edited").json()["links"]]
    assert names[:3] == ["a.b", "B-c", "foo"]
    # nobody's link is anybody's, and then theirs
    assert links.get("/api/v1/links/nobodys").json()["owner"] == ""
    answer = make(links, "nobodys", "/y", who=BAR)
    assert answer.json()["Owner"] == "bar@example.com"
    assert links.save("nobodys", "/z").status == 403
    # who is no admin imports links of their own
    put_lines(links, line("own", "/x", ""), who=FOO)
    assert links.get("/api/v1/links/own").json()["owner"] == "foo@example.com"


def click(links, *names):
    for name in names:
        assert links.get(f"/{name}").status == 302


def check_stats(links, one, two, n):
    """E2, E3: by id and day, whatever the spelling; False at midnight."""

    day = int(time.time()) // 86400
    make(links, f"{two}-c", "http://x/")
    make(links, one, "http://x/")
    click(links, one)
    first = links.get("/.export-stats")
    click(links, f"{two}-c", one, one, one, f"{two}c", f"{two.upper()}-C")
    second = links.get("/.export-stats").body.decode()
    links.restart()
    third = links.get("/.export-stats").body.decode()
    if int(time.time()) // 86400 != day:
        return False

    def rows(**clicks):
        return "".join(f"{name},{day * 86400},{count}\n"
                       for name, count in clicks.items())

    assert first.header("Content-Type") == "text/plain; charset=utf-8"
    assert first.body.decode() == rows(**{one: 1})
    # sorted by id, not by the age of the link or its clicks
    assert second == third == rows(**{one: 4, f"{two}c": 3})
    assert [(link["name"], link["clicks"]) for link in links.get(
        f"/api/v1/links?q={n}&sort=name").json()["links"]] \
        == [(one, 4), (f"{two}-c", 3)]
    # another spelling splits no count
    make(links, f"{two.upper()}C", "http://x/")
    assert links.get(f"/api/v1/links/{two}c").json()["clicks"] == 3
    assert links.get("/.export-stats").body.decode() == third
    assert links.form(f"/.delete/{two}c", {}, SCRIPT).status == 200
    assert links.get("/.export-stats").body.decode() == rows(**{one: 4})
    assert links.form(f"/.delete/{one}", {}, SCRIPT).status == 200
    assert links.get("/.export-stats").body == b""
    # and a link of the same name begins anew
    make(links, one, "http://x/")
    assert links.get(f"/api/v1/links/{one}").json()["clicks"] == 0
    return True


def rows_of(page):
    """What a list shows: name, URL, owner, clicks; and how many it says."""

    assert page.status == 200
    text = page.body.decode()
    rows = re.findall(r'<th scope="row"><a href="/([^"]*)">.*?'
                      r'<td class="url">([^<\n]*).*?<td>([^<]*)</td>.*?'
                      r'<td class="number">(\d+)</td>', text, re.S)
    total = int(re.search(r"\((\d+) total\)", text).group(1))
    return [(name, html.unescape(url), owner, int(clicks))
            for name, url, owner, clicks in rows], total


def check_lists(links):
    """E4, E5."""

    put_lines(links, line("delta", "http://d/", "FOO@EXAMPLE.COM"),
              line("alpha", "http://a/", "foo@example.com"),
              line("gamma", "http://g/?a=1", "bar@example.com"),
              line("beta", "http://b/", "foo@example.com"),
              line("nobodys", "http://n/", ""))
    click(links, "beta", "gamma", "beta")
    foos = [("alpha", "http://a/", "foo@example.com", 0),
            ("beta", "http://b/", "foo@example.com", 2),
            ("delta", "http://d/", "FOO@EXAMPLE.COM", 0)]
    bars = [("gamma", "http://g/?a=1", "bar@example.com", 1)]
    nobodys = [("nobodys", "http://n/", "", 0)]
    for login, rows in (("foo@example.com", foos), ("FOO@EXAMPLE.COM", foos),
                        ("bar@example.com", bars), ("no@example.com", []),
                        ("", nobodys)):
        assert rows_of(links.get(f"/.search?q=owner:{login}")) \
            == (rows, len(rows)), login
    assert rows_of(links.get("/.all")) == (foos + bars + nobodys, 5)
    assert rows_of(links.get("/.popular"))[0][:2] == [foos[1], *bars]
    assert rows_of(links.get("/.mine")) == (foos, 3)
    # no page shows the time of a link that has none
    for target in ("/.all", "/.detail/beta", "/.detail/delta"):
        page = links.get(target, HTML).body.decode()
        assert "0001" not in page and "1970" not in page, page


def check_all_stats(links):
    assert any(check_stats(links, f"a{n}", f"b{n}", n) for n in range(2))


@pytest.mark.parametrize("check", [check_export, check_all_stats, check_lists])
def test_data(check, store, tmp_path):

    @own_network(*ADDRESSES)
    def run():
        with Links(tmp_path, "tailnet", store=store) as links:
            check(links)

    run()


HSTS = "Strict-Transport-Security"
FULL = "go.example.ts.net"


def check_sent_to_tls(links):
    """E7: the names in links.https, and as they were asked for."""

    for asked in ("/?query=bar", "/a%2Fb/c?q=%20", "/.detail/x", "/who+"):
        for host in (FULL, f"{FULL}:80", FULL.upper()):
            answer = links.get(asked, host=host)
            name = host.removesuffix(":80")
            assert (answer.status, answer.header("Location")) \
                == (302, f"https://{name}{asked}")
            assert answer.header(HSTS) is None
    answer = links.save("who", "http://x/", host=FULL)
    # not a GET: a form would be lost
    assert (answer.status, answer.header("Location")) == (307,
                                                          f"https://{FULL}/")
    # nobody says by a header that there is TLS
    answer = links.get("/", {"X-Forwarded-Proto": "https"}, host=FULL)
    assert answer.status == 302 and answer.header(HSTS) is None
    assert links.get("/who", host="go").header("Location") == "http://who/"


def check_hsts(links):
    """E8: by TLS alone, and never for a name without a dot."""

    def ask(host):
        with Client((OWN, links.tls_port), source=FOO, tls=True) as client:
            return client.request("GET", "/who", host=host)

    for host in (FULL, f"{FULL}:443"):
        answer = ask(host)
        assert (answer.status, answer.header("Location")) \
            == (302, "http://who/")
        assert answer.header(HSTS) == "max-age=31536000"
    answer = ask("go")
    assert answer.header("Location") == "http://who/"
    assert answer.header(HSTS) is None


@pytest.mark.parametrize("way", WAYS)
def test_tls(way, tmp_path):

    @own_network(*ADDRESSES)
    def run():
        pair = certificate(tmp_path) if way == "nginx" else None
        with Links(tmp_path, way, f"  https: [{FULL}]",
                   certificate=pair) as links:
            make(links, "who", "http://who/")
            check_sent_to_tls(links)
            if way == "nginx":
                check_hsts(links)

    run()


@own_network(*ADDRESSES)
def test_no_node_of_its_own(tmp_path):
    """E11: what golink's node advertises, tailscaled does here."""

    for key in ("advertise_tags: tag:a,tag:b", "hostname: go",
                "control_url: https://headscale.example.com"):
        links = Links(tmp_path, "tailnet", f"  {key}")
        done = subprocess.run([AUTHD, "-t", "-c", links.authd.file],
                              stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=60, check=False)
        assert done.returncode != 0
        assert f'"{key.split(":")[0]}"' in done.stderr, done.stderr


def check_broken_page(answer):
    assert answer.status == 503
    assert answer.header("Retry-After").isdigit()
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Location") is None
    text = answer.body.decode()
    assert re.search("<title>[^<]*Service Unavailable", text)
    assert 'role="alert"' in text and 'name="xsrf"' not in text
    # it is not known that it is nobody
    assert "Nobody" not in text


@own_network(*ADDRESSES)
def test_nobody_can_be_asked(tmp_path):
    """C6: in the form that the client understands, and redirects go on."""

    with Links(tmp_path, "tailnet") as links:
        make(links, "who", "http://who/")
        make(links, "me", "/who/{{.User}}")
        check_broken_page(links.save("c6", "http://c/", {**SCRIPT, **HTML},
                                     who=BROKEN))
        for target in ("/", "/.all", "/me", "/.detail/who", "/.search?q=w"):
            check_broken_page(links.get(target, HTML, who=BROKEN))
        answer = links.save("c6", "http://c/", who=BROKEN)
        assert answer.status == 503 and answer.header("Retry-After").isdigit()
        assert answer.header("Content-Type").startswith("text/plain")
        assert links.get("/c6").status == 404
        leads = links.get("/who", who=BROKEN).header("Location")
        assert leads == "http://who/"
