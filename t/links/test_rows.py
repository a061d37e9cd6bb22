# Copyright (C) The Tailgate authors

"""golink's behaviour, a case a row, on both engines and both ways of serving:
one daemon for all rows of a kind."""

import concurrent.futures
import json
import os
import re
import socket
import time

import pytest

from golink import (ADDRESSES, ADMIN, BAR, BROKEN, HTML, MACHINE, OWN, SCRIPT,
                    Links)
from network_test import add_addresses, unshare
from rows import EXPANSIONS, REDIRECTS, REFUSED, UNKNOWN

ROWS = {}


def row(*names):
    def keep(check):
        assert "-".join(names) not in ROWS
        ROWS["-".join(names)] = check
        return check
    return keep


def make(links, name, long, **more):
    answer = links.save(name, long, **more)
    assert answer.status == 200, (name, long, answer)
    return answer


def leads(links, target, location, **more):
    answer = links.get(target, **more)
    assert (answer.status, answer.header("Location")) == (302, location)
    return answer


def raw(links, text):
    """The first line of the answer to what no client would send."""

    with socket.create_connection((OWN, links.port), 20) as connection:
        connection.sendall(text)
        with connection.makefile("rb") as answer:
            return answer.readline().decode("latin-1")


def redirect_row(target, location):
    def check(links):
        answer = leads(links, target, location)
        assert answer.body == b"" and answer.header("Content-Type") is None
    return check


def expansion_row(name, long, suffix, location):
    def check(links):
        make(links, name, long)
        leads(links, f"/{name}{suffix}", location)
    return check


def refused_row(fields, text):
    """What ends in a blank goes on with the reason."""

    def check(links):
        answer = links.form("/", fields, SCRIPT)
        assert answer.status == 400, answer
        assert answer.header("Content-Type") == "text/plain; charset=utf-8"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        told = answer.body.decode()
        assert told.startswith(text) and told.endswith("\n")
        assert (told == text + "\n") == (text != "" and text[-1] != " ")
        for name in (fields["short"], "x"):
            if re.fullmatch(r"\w+", name, re.A):
                assert links.get(f"/{name}").status == 404
    return check


for number, *about in REDIRECTS:
    row(number)(redirect_row(*about))
for number, *about in EXPANSIONS:
    row(number)(expansion_row("t" + number.replace(".", "x"), *about))
for number, *about in REFUSED:
    row(number)(refused_row(*about))


@row("A1.2")
def a_machine_follows(links):
    for target, location in (("/who", "http://who/"),
                             ("/who/p?q=1", "http://who/p?q=1")):
        leads(links, target, location, who=MACHINE)


@row("A16.4")
def details_of_what_there_is_not(links):
    for target, location in (("/nosuch+", "/.detail/nosuch"),
                             ("/who+?q=1", "/.detail/who"),
                             ("/who++", "/.detail/who+"),
                             # decoded, it would be another address
                             ("/a%3Fb%23c+", "/.detail/a%3Fb%23c"),
                             ("/%22%3Cb%3E%20%C3%A9+",
                              "/.detail/%22%3Cb%3E%20%C3%A9"),
                             ("/a!$&'()*,;=:@+", "/.detail/a!$&'()*,;=:@")):
        leads(links, target, location)


@row("methods")
def any_method_follows(links):
    """And counts."""

    make(links, "meth", "http://m/")
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
        answer = links.ask(method, "/meth/p?q=1")
        assert (answer.status, answer.header("Location")) \
            == (302, "http://m/p?q=1"), method
    assert links.get("/api/v1/links/meth").json()["clicks"] == 6


@row("A7", "B6")
def nobody_has_no_login(links):
    answer = links.get("/me", who=MACHINE)
    assert answer.status == 401 and answer.header("Location") is None
    assert answer.body == b"link requires a valid user\n"


@row("A8", "A17")
def an_unknown_name(links):
    for target, value in (("/does-not-exist.", "does-not-exist"),
                          ("/foo%22%3Cb%3E.,x", "foo&#34;&lt;b&gt;.,x")):
        for headers in (HTML, {}, {"Accept": "*/*"},
                        {"Accept": "text/plain, */*;q=0.5"}):
            answer = links.get(target, headers)
            assert answer.status == 404 and answer.header("Location") is None
            assert answer.header("Content-Type") == "text/html; charset=utf-8"
            assert answer.header("Content-Security-Policy")
            assert answer.header("Vary") == "Accept"
            form = re.search('<form [^>]*action="/" method="post".*?</form>',
                             answer.body.decode(), re.S).group(0)
            field = re.search('<input[^>]*name="short"[^>]*>', form).group(0)
            assert f' value="{value}"' in field
        # ours says it in words to who does not want a page
        answer = links.get(target, {"Accept": "application/json"})
        assert (answer.status, answer.body) == (404, b"there is no such link"
                                                     b"\n")


@row("A12")
def other_names(links):
    for target in UNKNOWN:
        answer = links.get(target, HTML)
        assert answer.status == 404, target
        assert answer.header("Location") is None


@row("A15")
def head(links):
    answer = links.ask("HEAD", "/who")
    assert (answer.status, answer.header("Location")) == (302, "http://who/")
    assert answer.body == b"" and answer.header("Content-Type") is None


@row("A18")
def paths_of_the_app(links):
    answer = links.get("/.detail/../x")
    assert (answer.status, answer.header("Location")) == (307, "/x")
    for path in ("/.detail", "/.delete"):
        answer = links.get(path)
        assert (answer.status, answer.header("Location")) == (307, f"{path}/")
    for target in ("/.nope", "/.all/", "/.static/"):
        answer = links.get(target)
        assert (answer.status, answer.body) == (404, b"404 page not found\n")
        assert answer.header("Content-Type") == "text/plain; charset=utf-8"
        assert answer.header("X-Content-Type-Options") == "nosniff"


@row("detail")
def details(links):
    before = make(links, "Det-Ail", "http://d/?a&b").json()
    answer = links.get("/.detail/det-ail?x=1")
    assert (answer.status, answer.header("Location")) \
        == (302, "/.detail/Det-Ail")
    answer = links.get("/.detail/Det-Ail")
    assert answer.header("Content-Type").startswith("application/json")
    created, edited = (before[key][:19] + "Z"
                       for key in ("Created", "LastEdit"))
    # times are kept by the second
    assert answer.body.decode() == (
        '{\n  "Short": "Det-Ail",\n  "Long": "http://d/?a\\u0026b",\n'
        f'  "Created": "{created}",\n  "LastEdit": "{edited}",\n'
        '  "Owner": "foo@example.com"\n}\n')
    answer = links.get("/.detail/Det-Ail", {"Accept": "x, TEXT/HTML;q=1"})
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    answer = links.get("/.detail/none")
    assert answer.status == 404 and answer.header("Location") is None


@row("A19")
def no_requests(links):
    for text in (b"GET /who/%zz HTTP/1.1\r\nHost: go\r\n\r\n",
                 b"GET /who HTTP/1.1\r\n\r\n",
                 b"GET foo HTTP/1.1\r\nHost: go\r\n\r\n"):
        assert raw(links, text).split()[1] == "400", text


def today(form, links, target):
    """Where it leads, and what day it is: another one at midnight."""

    before = time.strftime(form, time.gmtime())
    location = links.get(target).header("Location")
    return {before, time.strftime(form, time.gmtime())}, location


@row("B4")
def a_day(links):
    make(links, "day", 'https://r.com/#/app/{{.Now.Format "01-02-2006"}}')
    days, location = today("%m-%d-%Y", links, "/day")
    assert location in {f"https://r.com/#/app/{day}" for day in days}


@row("B38")
def a_moment(links):
    make(links, "now", "http://h.com/{{.Now}}")
    days, location = today("%Y-%m-%d", links, "/now")
    found = re.fullmatch(r"http://h\.com/([\d-]+)%20\d\d:\d\d:\d\d(\.\d+)?"
                         r"%20\+0000%20UTC", location)
    assert found.group(1) in days


@row("B41.3")
def a_nul(links):
    for control in ("%00", "%09", "%0D%0AX-Y:z", "%0a", "%7F"):
        for target in (f"/who/{control}", f"/who/a{control}b?q=1"):
            answer = links.get(target)
            assert answer.status == 400, target
            assert answer.header("Location") is None
            assert answer.header("X-Y") is None


@row("C2", "C9", "C12", "C13")
def tokens(links):
    token = links.new_token()
    make(links, "c2", "http://c/", headers={}, xsrf=token)
    for more in ({"xsrf": links.token("c2")}, {}):
        answer = links.save("goat", "http://c/", {}, **more)
        assert (answer.status, answer.body) == (400, b"invalid XSRF token\n")
    assert links.form(f"/?xsrf={token}", {"short": "c", "long": "http://c/"},
                      {}).status == 400


@row("C3", "C10")
def not_the_owner(links):
    make(links, "c3", "http://c/")
    for more in ({"headers": {}, "xsrf": links.new_token(BAR)}, {}):
        answer = links.save("c3", "http://b/", who=BAR, **more)
        assert answer.status == 403
        assert answer.body \
            == b'cannot update link owned by "foo@example.com"\n'
    leads(links, "/c3", "http://c/")


def put_lines(links, *items):
    answer = links.ask(
        "POST", "/api/v1/import?upsert=1",
        {"Content-Type": "application/x-ndjson", **SCRIPT},
        "".join(json.dumps(item) + "\n" for item in items), who=ADMIN)
    assert answer.status == 200, answer
    assert '"failed"' not in json.dumps(answer.json().get("links", [])), answer


@row("C4", "C23", "D4")
def owner_who_is_gone(links):
    for name, owner in (("c4", "tagged-devices"), ("c23", "gone@x.com")):
        put_lines(links, {"Short": name, "Long": "/before", "Owner": owner})
        answer = links.save(name, "/after", {}, who=BAR,
                            xsrf=links.token(name, BAR))
        assert (answer.status, answer.json()["Owner"]) \
            == (200, "bar@example.com")
        assert links.save(name, "/again").status == 403
    put_lines(links, {"Short": "d4", "Long": "/x", "Owner": "tagged-devices"})
    token = links.token("d4", action="/.delete/")
    assert links.form("/.delete/d4", {"xsrf": token}).status == 200
    assert links.get("/d4").status == 404


@row("C5", "C8")
def an_admin(links):
    make(links, "c5", "http://c/")
    answer = links.save("c5", "http://b/", {}, who=ADMIN,
                        xsrf=links.new_token(ADMIN))
    assert (answer.status, answer.header("Location")) \
        == (303, "/.detail/c5?exists=1")
    leads(links, "/c5", "http://c/")
    answer = links.save("c5", "http://adm/", {}, who=ADMIN,
                        xsrf=links.token("c5", ADMIN))
    # an admin's edit keeps the owner
    assert (answer.status, answer.json()["Owner"]) == (200, "foo@example.com")


@row("C6")
def nobody_can_be_asked(links):
    """golink says 500: here it is a fault that passes."""

    assert links.save("c6", "http://c/", who=BROKEN).status == 503
    assert links.get("/c6").status == 404


@row("C7")
def no_person_saves(links):
    assert links.save("c7", "http://x/", who=MACHINE).status == 401
    assert links.get("/c7").status == 404


@row("C11")
def in_place(links):
    old = "2022-06-02T01:02:03Z"
    put_lines(links, {"Short": "c11", "Long": "http://c/", "Created": old,
                      "LastEdit": old, "Owner": "foo@example.com"})
    begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    after = make(links, "C11", "http://again/").json()
    assert after["Created"][:19] + "Z" == old
    assert after["LastEdit"][:19] >= begin
    leads(links, "/c11", "http://again/")
    again = links.get("/.detail/C11").json()
    assert (again["Created"], again["LastEdit"][:19]) \
        == (old, after["LastEdit"][:19])


@row("C14", "C15", "C16")
def spelling(links):
    make(links, "foobar", "http://c/")
    answer = links.save("FOO-bar", "http://x/", {}, xsrf=links.new_token())
    assert (answer.status, answer.header("Location")) \
        == (303, "/.detail/FOO-bar?exists=1")
    old = links.token("foobar")
    answer = links.save("FOO-bar", "http://x/", {}, xsrf=old)
    assert answer.json()["Short"] == "FOO-bar"
    assert links.save("FOO-bar", "http://x/", {}, xsrf=old).status == 400
    assert links.save("renamed", "http://x/", {},
                      xsrf=links.token("FOO-bar")).status == 400


@row("C17")
def handed_over(links):
    answer = make(links, "c17", "http://x/", owner="bar@example.com")
    assert answer.json()["Owner"] == "bar@example.com"
    assert links.save("c17", "http://y/").status == 403


@row("C19")
def good_names(links):
    for name in ("_a", "9", "Foo.Bar"):
        make(links, name, "http://x/")


@row("C21")
def other_bodies(links):
    body = ("--b\r\nContent-Disposition: form-data; name=\"short\"\r\n\r\nmp"
            "\r\n--b\r\nContent-Disposition: form-data; name=\"long\"\r\n\r\n"
            "http://mp/\r\n--b--\r\n")
    answer = links.ask("POST", "/", {
        **SCRIPT, "Content-Type": "multipart/form-data; boundary=b"}, body)
    assert answer.status == 200
    leads(links, "/mp", "http://mp/")
    assert links.ask("POST", "/?short=qs&long=http://qs/",
                     SCRIPT).status == 200
    answer = links.ask("POST", "/", {"Content-Type": "application/json"},
                       '{"short": "js", "long": "http://js/"}')
    assert (answer.status, answer.body) == (400, b"short and long required\n")


@row("C22")
def both_answers(links):
    answer = make(links, "c22", "http://x/?a&b<c>")
    assert re.fullmatch(
        r'\{"Short":"c22","Long":"http://x/\?a\\u0026b\\u003cc\\u003e",'
        r'"Created":"[^"]*Z","LastEdit":"[^"]*Z","Owner":"foo@example.com"\}'
        "\n", answer.body.decode())
    answer = links.save("c22", "http://x/", {**SCRIPT, **HTML})
    assert answer.status == 200 and b"Success" in answer.body


@row("D1", "D2")
def no_such_link(links):
    answer = links.form("/.delete/", {}, SCRIPT)
    assert (answer.status, answer.body) == (400, b"short required\n")
    assert links.form("/.delete/none", {}, SCRIPT).status == 404


@row("D3", "D5")
def deleted_by_others(links):
    make(links, "d3", "http://x/")
    answer = links.form("/.delete/d3", {}, SCRIPT, who=BAR)
    assert answer.status == 403
    assert answer.body == b'cannot delete link owned by "foo@example.com"\n'
    leads(links, "/d3", "http://x/")
    token = links.token("d3", ADMIN, "/.delete/")
    # of another's form it is none
    assert links.form("/.delete/d3", {"xsrf": token}).status == 400
    leads(links, "/d3", "http://x/")
    assert links.form("/.delete/d3", {"xsrf": token}, who=ADMIN).status == 200
    assert links.get("/d3").status == 404


@row("D6", "D7", "D8")
def deleted(links):
    make(links, "d6", "http://x/")
    leads(links, "/d6", "http://x/")
    token = links.token("d6", action="/.delete/")
    for wrong in ("", "wrong", links.new_token(), links.token("d6"),
                  token[:-1], links.token("who", action="/.delete/")):
        assert links.form("/.delete/d6", {"xsrf": wrong}).status == 400
    # only of the body
    assert links.form(f"/.delete/d6?xsrf={token}", {}).status == 400
    assert links.get("/.delete/d6").status == 400
    leads(links, "/d6", "http://x/")
    assert links.form("/.delete/d6", {"xsrf": token}).status == 200
    assert links.get("/d6").status == 404
    assert "\nd6," not in "\n" + links.get("/.export-stats").body.decode()
    # overruled: a script can delete
    make(links, "d7", "http://x/")
    assert links.form("/.delete/d7", {}, SCRIPT).status == 200


@row("E1")
def exported(links):
    zero = "0001-01-01T00:00:00Z"
    items = [{"Short": name, "Long": long, "Created": zero, "LastEdit": zero,
              "Owner": owner}
             for name, long, owner in (
                 ("e1-z", "/z", "a@example.com"),
                 ("e1-a", "/a?b&c", "bar@example.com"),
                 ("e1-m", "/before", "tagged-devices"))]
    put_lines(links, *items)
    lines = links.get("/.export").body.decode().splitlines()
    names = [json.loads(line)["Short"] for line in lines]
    assert names == sorted(names) and "who" in names
    own = [line for line in lines if '"Short":"e1-' in line]
    assert [json.loads(line)["Short"] for line in own] \
        == ["e1-a", "e1-m", "e1-z"]
    assert re.fullmatch(
        r'\{"Short":"e1-a","Long":"/a\?b\\u0026c","Created":"[^"]*Z",'
        r'"LastEdit":"[^"]*Z","Owner":"bar@example.com"\}', own[0])


@row("E2", "E3")
def clicks(links):
    make(links, "B-e3", "http://x/")
    for target in ("/be3", "/B-E3", "/b-e-3"):
        leads(links, target, "http://x/")
    stats = links.get("/.export-stats").body.decode()
    counts = re.findall(r"^be3,\d+,(\d+)$", stats, re.M)
    assert sum(map(int, counts)) == 3, stats
    link = links.get("/api/v1/links/be3").json()
    assert (link["name"], link["clicks"]) == ("B-e3", 3)
    assert links.form("/.delete/b-e3", {}, SCRIPT).status == 200
    assert "\nbe3," not in links.get("/.export-stats").body.decode()


@row("E4", "E5")
def lists(links):
    lines = links.get("/.export").body.decode().splitlines()
    own = [line for line in lines if '"Owner":"foo@example.com"' in line]
    for login in ("foo@example.com", "FOO@EXAMPLE.COM"):
        page = links.get(f"/.search?q=owner:{login}").body.decode()
        assert f"{len(own)} total" in page
    assert "0 total" in links.get("/.search?q=owner:no@x").body.decode()
    assert f"{len(lines)} total" in links.get("/.all").body.decode()


@row("search")
def case_is_unicodes(links):
    assert links.ask("PUT", "/api/v1/links/city", {
        "Content-Type": "application/json", **SCRIPT},
        '{"url": "http://c/", "description": "Z\\u00dcRICH"}').status == 201
    for q, names in (("z%C3%BCrich", ["city"]), ("%C3%9CRI", ["city"]),
                     ("zurich", [])):
        found = links.get(f"/api/v1/links?q={q}").json()["links"]
        assert [link["name"] for link in found] == names, q


@row("E8")
def no_hsts_without_tls(links):
    for host in ("go", "go.example.ts.net"):
        answer = links.get("/", host=host)
        assert answer.header("Strict-Transport-Security") is None


@row("E9", "E10")
def no_identity_by_header(links):
    claims = {"Tailscale-User-Login": "bar@example.com",
              "X-Forwarded-For": ADMIN}
    make(links, "e9", "http://x/")
    answer = links.save("e9", "http://y/", {**SCRIPT, **claims})
    assert answer.json()["Owner"] == "foo@example.com"
    assert links.save("e9-m", "http://y/", {**SCRIPT, **claims},
                      who=MACHINE).status == 401
    assert links.save("e9", "http://y/", {
        **SCRIPT, "X-Forwarded-For": ADMIN}, who=BAR).status == 403


@row("E12")
def counters(links):
    make(links, "E-12", "http://x/")
    for target in ("/e12", "/E-12/p", "/e-12.?q=1"):
        assert links.get(target).status == 302
    for target in ("/zebra.", "/zebra/p", "/zebra"):
        assert links.get(target).status == 404
    text = links.get("/.metrics").body.decode()
    assert 'golink_clicks_total{path="E-12"} 3\n' in text
    assert 'golink_not_found_total{path="zebra"} 3\n' in text
    total = int(re.search(r"^golinks_total (\d+)$", text, re.M).group(1))
    assert total == len(links.get("/.export").body.splitlines())


def check_page(page, title, *parts):
    """What is around each page, and parts of its own."""

    assert page.header("Content-Type") == "text/html; charset=utf-8"
    text = page.body.decode()
    assert re.search(f"<title>[^<]*{title}", text), text
    assert '<a class="brand" href="/">go/</a>' in text
    for part in parts:
        assert part in text, (part, text)


@row("pages")
def pages(links):
    mine = '<a href="/.mine">Mine</a>'
    for target, title, parts in (
            ("/", "", (mine, 'name="xsrf"', 'href="/.detail/who"')),
            ("/.all", "", (mine, 'href="/who"', "foo@example.com")),
            ("/.mine", "", (mine, "foo@example.com", 'href="/who"')),
            ("/.search?q=who", "", ('value="who"', 'href="/who"')),
            ("/.detail/who", "who", (mine, "http://who/", 'name="xsrf"',
                                     "foo@example.com")),
            ("/.help", "", (mine,))):
        answer = links.get(target, HTML)
        assert answer.status == 200, target
        check_page(answer, title, *parts)
    answer = links.get("/wh0", HTML)
    assert answer.status == 404
    check_page(answer, "", mine, 'value="wh0"', "Did you mean",
               'href="/who"')
    answer = links.get("/me", HTML, who=MACHINE)
    assert answer.status == 401
    check_page(answer, "", "link requires a valid user", 'role="alert"')
    assert mine not in answer.body.decode()
    make(links, "p403", "http://x/")
    answer = links.save("p403", "http://y/", {**SCRIPT, **HTML}, who=BAR)
    assert answer.status == 403
    check_page(answer, "", "cannot update link owned by", mine)


def held(request, way, engine, directory):
    """A daemon in a network of its own, and the thread that lives there."""

    store = None
    if engine == "postgresql":
        cluster = request.getfixturevalue("cluster")
        name = "db" + os.urandom(6).hex()
        cluster.sql(f"CREATE DATABASE {name}")
        store = f"postgresql://postgres@/{name}?host={cluster.folder}"
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as thread:
        def call(function, *args):
            return thread.submit(function, *args).result()

        call(unshare)
        call(add_addresses, "lo", *ADDRESSES)
        links = call(lambda: Links(directory, way, store=store).__enter__())
        try:
            call(make, links, "who", "http://who/")
            call(make, links, "me", "/who/{{.User}}")
            yield lambda check: call(check, links)
        finally:
            call(links.__exit__, None, None, None)
            if store:
                cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module", params=[
    "tailnet-sqlite", "tailnet-postgresql", "nginx-sqlite",
    "nginx-postgresql"])
def run(request, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    yield from held(request, *request.param.split("-"),
                    tmp_path_factory.mktemp("rows"))


@pytest.mark.parametrize("name", list(ROWS))
def test_row(run, name):
    run(ROWS[name])
