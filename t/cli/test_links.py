# Copyright (C) The Tailgate authors

"""tailgate links: each form against a running tailgate-authd."""

import json
import os
import sqlite3
import subprocess

import pytest

from tailgate_test import (BUILD, Devnet, TAILGATE, Server, free_port,
                           listening, stop_process, wait_until)

AUTHD = os.path.join(BUILD, "tailgate-authd")

PEOPLE = """
tailnet: example.ts.net
users:
  - login: alice@example.com
    name: Alice
nodes:
  - name: desk
    address: 127.0.0.1
    user: alice@example.com
"""

CONF = """
policy: none
localapi: {localapi}
listen:
  unix: {folder}/authd.sock
links:
  listen: ["127.0.0.1:{port}"]
  hosts: ["127.0.0.1:{port}", go]
  store: {folder}/links.db
  admins: [alice@example.com]
audit: none
"""

# golink's, as it makes it
SCHEMA = """
CREATE TABLE IF NOT EXISTS Links (
    ID TEXT PRIMARY KEY,
    Short TEXT NOT NULL DEFAULT "",
    Long TEXT NOT NULL DEFAULT "",
    Created INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
    LastEdit INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
    Owner TEXT NOT NULL DEFAULT ""
);
CREATE TABLE IF NOT EXISTS Stats (
    ID TEXT NOT NULL DEFAULT "",
    Created INTEGER NOT NULL DEFAULT (strftime('%s', 'now')),
    Clicks INTEGER
);
"""

OK, BAD, USAGE, UNAVAILABLE = 0, 1, 2, 3


@pytest.fixture(name="links")
def fixture_links(tmp_path):
    """Runs tailgate links with these arguments."""

    port = free_port("127.0.0.1")
    tmp_path.chmod(0o700)
    with Devnet(tmp_path, PEOPLE) as devnet:
        conf = tmp_path / "authd.yaml"
        conf.write_text(CONF.format(folder=tmp_path, port=port,
                                    localapi=devnet.socket))
        with open(tmp_path / "authd.log", "wb") as log:
            authd = subprocess.Popen([AUTHD, "-c", str(conf)], stdout=log,
                                     stderr=log)
        try:
            wait_until(lambda: listening(("127.0.0.1", port)), 60,
                       "links are served")
            yield lambda *words, **more: run(port, *words, **more)
        finally:
            stop_process(authd)


def run(port, *words, stdin=None):
    return subprocess.run(
        [TAILGATE, "links", *map(str, words)], input=stdin,
        env={**os.environ, "TAILGATE_LINKS": f"http://127.0.0.1:{port}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        timeout=120, check=False)


def good(done):
    assert done.returncode == OK, (done.stdout, done.stderr)
    return done.stdout


def golink_line(name, url, owner="alice@example.com"):
    return json.dumps({"Short": name, "Long": url,
                       "Created": "2024-01-02T03:04:05Z",
                       "LastEdit": "2024-01-02T03:04:05Z", "Owner": owner},
                      separators=(",", ":")) + "\n"


def test_a_link_is_made_shown_and_changed(links):
    assert good(links("set", "wiki", "https://wiki.example.com/",
                      "--description", "what we know", "--tags", "docs, team")
                ) == "wiki -> https://wiki.example.com/\n"
    shown = json.loads(good(links("get", "wiki", "--json")))
    assert shown["url"] == "https://wiki.example.com/"
    assert shown["owner"] == "alice@example.com"
    assert shown["tags"] == ["docs", "team"]
    assert "what we know" in good(links("get", "wiki"))

    assert "wiki" in good(links("list"))
    assert [link["name"] for link in json.loads(
        good(links("list", "--tag", "docs", "--json")))] == ["wiki"]
    assert links("list", "nothing-like-it").returncode == BAD

    assert links("set", "wiki", "https://x.example.com/",
                 "--create").returncode == BAD
    good(links("set", "wiki", "https://other.example.com/"))
    shown = json.loads(good(links("get", "wiki", "--json")))
    assert shown["url"] == "https://other.example.com/"
    assert shown["description"] == "what we know"

    assert good(links("resolve", "wiki/a?b=1")) == (
        "https://other.example.com/a?b=1\n")
    assert good(links("resolve", "http://go/wiki/a")) == (
        "https://other.example.com/a\n")
    assert links("resolve", "no-such").returncode == BAD


def test_links_are_resolved_as_golink_does(links):
    """E6 of its behaviour, and a link that is named like the host."""

    for name, url in (
            ("meet", "https://meet.google.com/lookup/"),
            ("cs", "http://codesearch/{{with .Path}}search?q={{.}}{{end}}"),
            ("m", "http://go/meet"), ("chat", "/meet"),
            ("gopher", "http://gopher/"), ("go", "http://golang/")):
        good(links("set", name, url))
    for asked, url in (
            ("meet", "https://meet.google.com/lookup/"),
            ("meet/foo", "https://meet.google.com/lookup/foo"),
            ("go/meet/foo", "https://meet.google.com/lookup/foo"),
            ("http://go/meet/foo", "https://meet.google.com/lookup/foo"),
            ("http://mygo/meet/foo", "https://meet.google.com/lookup/foo"),
            ("/meet", "https://meet.google.com/lookup/"),
            ("cs", "http://codesearch/"),
            ("cs/term", "http://codesearch/search?q=term"),
            ("m/foo", "https://meet.google.com/lookup/foo"),
            ("chat/foo", "https://meet.google.com/lookup/foo"),
            # what golink gets wrong: a name that begins like the host, the
            # query, punctuation
            ("gopher", "http://gopher/"), ("go/gopher", "http://gopher/"),
            ("gopher/a?b=1", "http://gopher/a?b=1"),
            ("meet.", "https://meet.google.com/lookup/"),
            ("gopher/http://x/y", "http://gopher/http://x/y"),
            ("go", "http://golang/"), ("/go/x", "http://golang/x"),
            ("go/go/x", "http://golang/x")):
        assert good(links("resolve", asked)) == url + "\n", asked
    assert links("resolve", "go/no-such").returncode == BAD
    assert links("resolve", "http://go").returncode == USAGE


def test_a_link_is_renamed_deleted_and_brought_back(links):
    good(links("set", "old", "https://old.example.com/"))
    good(links("rename", "old", "new"))
    assert good(links("resolve", "old")) == "https://old.example.com/\n"
    good(links("rename", "new", "newest", "--drop"))
    assert links("resolve", "new").returncode == BAD

    good(links("set", "newest", "https://new.example.com/"))
    actions = json.loads(good(links("history", "newest", "--json")))["history"]
    assert len(actions) >= 3
    good(links("restore", "newest"))
    assert good(links("resolve", "newest")) == "https://old.example.com/\n"
    seq = str(actions[0]["seq"])
    good(links("set", "newest", "https://newer.example.com/"))
    good(links("restore", "newest", "--before", seq))
    assert good(links("resolve", "newest")) == "https://old.example.com/\n"
    assert links("restore", "newest", "--before", "987654").returncode == BAD

    good(links("rm", "newest"))
    assert links("get", "newest").returncode == BAD
    assert links("rm", "newest").returncode == BAD
    good(links("restore", "newest"))
    assert good(links("resolve", "newest")) == "https://old.example.com/\n"


def test_what_is_refused_names_its_field(links):
    done = links("set", "bad", "javascript:alert(1)")
    assert done.returncode == BAD
    assert "url" in done.stderr and "javascript" in done.stderr
    done = links("set", "a b", "https://x.example.com/")
    assert done.returncode == BAD and "name" in done.stderr
    for words in [(), ("nonsense",), ("set",), ("get",), ("list", "--nope"),
                  ("import",), ("apply",), ("export", "--format", "x"),
                  ("restore", "x", "--before", "y")]:
        assert links(*words).returncode == USAGE, words
    for form in ["list", "get", "set", "rm", "rename", "history", "restore",
                 "resolve", "import", "export", "apply"]:
        assert f"usage: tailgate links {form}" in good(links(form, "--help"))


def test_a_server_that_is_away(tmp_path):
    port = free_port("127.0.0.1")
    file = tmp_path / "links.jsonl"
    file.write_text(golink_line("a", "http://a/"))
    conf = tmp_path / "links.yaml"
    conf.write_text("links:\n  a: http://a/\n")
    for words in [("list",), ("get", "a"), ("set", "a", "http://a/"),
                  ("rm", "a"), ("rename", "a", "b"), ("history", "a"),
                  ("restore", "a"), ("resolve", "a"), ("export",),
                  ("import", file), ("apply", "-f", conf),
                  ("import", "--url", f"http://127.0.0.1:{port}")]:
        done = run(port, *words)
        assert done.returncode == UNAVAILABLE, (words, done.stderr)
        assert done.stderr.startswith(f"tailgate links {words[0]}: ")


def test_golinks_database_comes_in_and_goes_out(links, tmp_path):
    path = tmp_path / "golink.db"
    with sqlite3.connect(path) as database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO Links VALUES (?, ?, ?, 1704164645, 1704164645, ?)",
            [("bugs", "Bugs", "https://b.example.com/{{.Path}}",
              "alice@example.com"),
             ("fooba", "foo-ba", "https://f.example.com/?a=1&b=<2>",
              "gone@example.com")])
        database.executemany("INSERT INTO Stats VALUES (?, ?, ?)", [
            ("bugs", 1704164645, 7), ("Bug-s", 1704164705, 1),
            ("bugs", 1704251045, 2), ("foo-ba", 1704164645, 3),
            ("gone", 1704164645, 5)])
    database.close()

    done = links("import", path, "--dry-run")
    assert "2 created" in good(done) and "nothing was changed" in done.stdout
    assert links("list").returncode == BAD
    assert good(links("import", path)).endswith("\n13 clicks\n")
    assert json.loads(good(links("get", "bugs", "--json")))["clicks"] == 10

    # & < > as golink writes them
    def golinks(name, url, owner):
        line = golink_line(name, url, owner)
        for c in "&<>":
            line = line.replace(c, f"\\u{ord(c):04x}")
        return line

    assert good(links("export", "--format", "golink")) == (
        golinks("Bugs", "https://b.example.com/{{.Path}}",
                "alice@example.com")
        + golinks("foo-ba", "https://f.example.com/?a=1&b=<2>",
                  "gone@example.com"))

    done = links("import", path)
    assert done.returncode == BAD
    done = json.loads(good(links("import", path, "--upsert", "--json")))
    assert (done["unchanged"], done["clicks"]) == (2, 13)
    assert json.loads(good(links("get", "bugs", "--json")))["clicks"] == 10
    assert json.loads(good(links("get", "foo-ba", "--json")))["clicks"] == 3


def test_lines_that_are_refused_are_numbered(links, tmp_path):
    """The file is larger than a request, and lines of CSV have line feeds."""

    file = tmp_path / "many.jsonl"
    text = [golink_line(f"l{n}", f"https://a.example.com/{'x' * 2000}/{n}")
            for n in range(4000)]
    text[6] = golink_line("seven", "javascript:x")
    text[3500] = "{nonsense\n"
    file.write_text("".join(text))
    done = links("import", file)
    assert done.returncode == BAD
    assert "3998 created" in done.stdout and "2 failed" in done.stdout
    assert f"{file}:7: " in done.stderr and f"{file}:3501: " in done.stderr
    assert len(done.stderr.splitlines()) == 2

    file = tmp_path / "some.csv"
    file.write_text("name,url\nc1,https://c.example.com/\nc2,ftp://x/\n"
                    "c3,https://d.example.com/\n")
    done = links("import", file)
    assert done.returncode == BAD
    assert "2 created" in done.stdout and f"{file}:3: " in done.stderr
    assert "2 unchanged" in links("import", "-", "--upsert",
                                  stdin=file.read_text()).stdout


def test_a_database_of_another_program(links, tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"SQLite format 3\0" + bytes(200))
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE Other (x)")
    for file, why in ((broken, "is no SQLite database"),
                      (other, "is not golink's: Links: no such table")):
        done = links("import", file)
        assert done.returncode == USAGE and done.stdout == ""
        assert done.stderr.startswith(
            f"tailgate links import: error: {file}: {why}"), done.stderr


class Exporting(Server):
    """An old golink, of which only its exports are asked."""

    def serve(self, connection):
        request = connection.recv(65536)
        body = {
            b"/.export": golink_line("old", "https://old.example.com/"),
            b"/.export-stats": "old,1704164645,1\nOLD,1704164705,2\nx,y\n",
        }[request.split(b" ")[1]].encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                           b"Connection: close\r\n\r\n" % len(body) + body)


def test_a_running_golink_is_taken_over(links):
    with Exporting() as old:
        url = f"http://127.0.0.1:{old.port}"
        assert "1 created" in good(links("import", "--url", url))
        assert "1 unchanged" in good(links("import", "--upsert", "--url",
                                           url + "/"))
    assert good(links("resolve", "old")) == "https://old.example.com/\n"
    assert json.loads(good(links("get", "old", "--json")))["clicks"] == 3


def test_links_are_applied_from_a_file(links, tmp_path):
    file = tmp_path / "links.yaml"
    file.write_text("links:\n  wiki: https://wiki.example.com/\n  bug:\n"
                    "    url: https://b.example.com/{{.Path}}\n"
                    "    description: a bug\n    tags: [dev]\n")
    good(links("set", "mine", "https://mine.example.com/"))
    assert "2 created" in good(links("apply", "-f", file, "--dry-run"))
    assert links("get", "wiki").returncode == BAD
    assert "2 created" in good(links("apply", "-f", file))
    assert json.loads(good(links("get", "bug", "--json")))["tags"] == ["dev"]
    assert "2 unchanged" in good(links("apply", "-f", file, "--prune"))

    file.write_text("links:\n  wiki: https://new.example.com/\n")
    done = good(links("apply", "-f", file, "--prune"))
    assert "1 updated" in done and "1 deleted" in done
    assert links("get", "bug").returncode == BAD
    good(links("get", "mine"))

    file.write_text("links:\n  wiki:\n    colour: red\n")
    done = links("apply", "-f", file)
    assert done.returncode == USAGE
    assert f"{file}:3:" in done.stderr and '"colour"' in done.stderr
    file.write_text("links:\n  wiki: javascript:x\n")
    done = links("apply", "-f", file)
    assert done.returncode == BAD and "javascript" in done.stdout
