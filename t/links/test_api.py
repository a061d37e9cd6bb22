# Copyright (C) The Tailgate authors

"""docs/links/openapi.yaml: each operation with each status that it documents,
and each answer as the file has it."""

import json
import os

import jsonschema
import yaml

from golink import (ADDRESSES, ADMIN, BAR, BROKEN, FOO, MACHINE, SCRIPT,
                    STRANGER, Links)
from network_test import own_network
from tailgate_test import ROOT, Client

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson", **SCRIPT}
CLICKS = {"Content-Type": "text/csv", **SCRIPT}

with open(os.path.join(ROOT, "docs", "links", "openapi.yaml"),
          encoding="utf-8") as document:
    API = yaml.safe_load(document)


def resolve(node):
    """Without references, and nullable as JSON Schema says it."""

    if isinstance(node, list):
        return [resolve(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = API
        for part in node["$ref"].split("/")[1:]:
            target = target[part]
        return resolve(target)
    node = {key: resolve(value) for key, value in node.items()}
    if node.pop("nullable", False):
        node["type"] = [node["type"], "null"]
    return node


OPERATIONS = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, item in API["paths"].items()
    for method, operation in item.items() if method != "parameters"}


class Caller:
    """Calls by operation, and what has been seen of each."""

    def __init__(self, links):
        self.links = links
        self.seen = set()

    def __call__(self, operation, status, name="api", query="", headers=(),
                 body=None, who=FOO, raw=None):
        method, path, about = OPERATIONS[operation]
        target = path.replace("{name}", name) + query
        headers = dict(headers)
        if body is not None and raw is None:
            headers = {**JSON, **headers}
            raw = json.dumps(body)
        if method == "DELETE" and not headers.get("Sec-Golink"):
            headers.update(SCRIPT)
        answer = self.links.ask(method, target, headers, raw or b"", who=who)
        assert answer.status == status, (operation, target, answer)
        self.check(operation, about, answer)
        return answer

    def check(self, operation, about, answer):
        self.seen.add((operation, str(answer.status)))
        documented = resolve(about["responses"][str(answer.status)])
        for header in documented.get("headers", {}):
            assert answer.header(header), (operation, header)
        if "content" not in documented:
            assert answer.body == b""
            return
        kind = answer.header("Content-Type").split(";")[0]
        schema = documented["content"][kind]["schema"]
        if kind.endswith("json") and "ndjson" not in kind:
            jsonschema.validate(answer.json(), schema)
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Cache-Control") == "no-store"


def put(call, name, status=201, who=FOO, headers=(), **link):
    return call("putLink", status, name, headers=headers, body=link, who=who)


def common(call):
    """Who is nobody of the tailnet, and who cannot be told."""

    bodies = {"putLink": {"url": "http://x/"}, "restoreLink": {"seq": 1},
              "renameLink": {"to": "x"}, "applyLinks": {"links": []}}
    for operation in OPERATIONS:
        query = {"resolveLink": "?path=/api", "suggestLinks": "?q=a"}
        more = {"query": query.get(operation, "")}
        if operation == "importLinks":
            more.update(raw="{}", headers=LINES)
        if operation == "giveClicks":
            more.update(raw="api,0,1\n", headers=CLICKS)
        if operation in bodies:
            more["body"] = bodies[operation]
        call(operation, 403, who=STRANGER, **more)
        assert call(operation, 503, who=BROKEN, **more) \
            .header("Retry-After").isdigit()
        if (operation, "401") in {
                (name, status) for name, (_, _, about) in OPERATIONS.items()
                for status in about["responses"]}:
            if operation != "resolveLink":
                call(operation, 401, who=MACHINE, **more)


def check_put(call):
    put(call, "api", 201, url="http://api/", tags=["a", "b"])
    answer = put(call, "api", 200, description="The API")
    link = answer.json()
    assert link["url"] == "http://api/" and link["tags"] == ["a", "b"]
    assert link["description"] == "The API"
    tag = answer.header("ETag")
    assert call("getLink", 200).header("ETag") == tag
    call("getLink", 304, headers={"If-None-Match": tag})
    call("getLink", 404, "none")
    put(call, "api", 412, url="http://y/", headers={"If-Match": '"1"'})
    put(call, "api", 200, url="http://y/", headers={"If-Match": tag})
    put(call, "api", 412, url="http://y/", headers={"If-None-Match": "*"})
    put(call, "api", 412, url="http://z/", headers={
        "If-Match": "W/" + call("getLink", 200).header("ETag")})
    for name in ("A-PI", "api"):
        answer = call("putLink", 200, body={"name": name},
                      headers={"If-Match": "*"})
        assert answer.json()["name"] == name
    put(call, "absent", 412, url="http://z/", headers={"If-Match": "*"})
    call("getLink", 404, "absent")
    put(call, "api", 403, url="http://z/", who=BAR)
    put(call, "api", 400, url="http://z/", headers={"If-Match": "x"})
    call("putLink", 400, headers=JSON, raw="{")
    call("putLink", 415, headers={"Content-Type": "text/plain", **SCRIPT},
         raw="{}")
    for link, field in (({"url": "javascript:x"}, "url"), ({}, "url"),
                        ({"url": "http://x/", "owner": "no@x"}, "owner"),
                        ({"url": "http://x/", "tags": ["a b"]}, "tags"),
                        ({"url": "http://x/", "tags": "a"}, "tags"),
                        ({"url": 1}, "url"),
                        ({"url": "http://x/", "expires": "soon"}, "expires"),
                        ({"url": "http://go/new"}, "url")):
        problem = put(call, "new", 422, **link).json()
        assert problem["errors"][0]["field"] == field, problem
    # a name in the body is another spelling, never another link
    for name in ("api", "other", "", "a b"):
        problem = call("putLink", 422, "new", body={
            "url": "http://x/", "name": name}).json()
        assert problem["errors"][0]["field"] == "name", problem
    assert "no field" in put(call, "new", 422, url="http://x/",
                             colour="red").json()["detail"]
    put(call, "a%20b", 422, url="http://x/")
    check_circles(call)


def check_circles(call):
    """Through another link, whatever would close them."""

    put(call, "one", 201, url="http://go/two")
    put(call, "two", 422, url="http://go/one/x")
    put(call, "three", 201, url="http://go/one")
    for keep in (True, False):
        problem = call("renameLink", 422, "three", body={
            "to": "two", "keep_alias": keep}).json()
        assert problem["errors"][0]["field"] == "to"
    call("renameLink", 422, "three", body={"to": "T-wo"})
    put(call, "one", 200, url="http://end/")
    put(call, "two", 201, url="http://go/one")
    first = call("linkHistory", 200, "one").json()["history"][-1]["seq"]
    call("restoreLink", 422, "one", body={"seq": first})
    call("deleteLink", 204, "one")
    call("restoreLink", 422, "one", body={"seq": first})
    call("deleteLink", 204, "two")
    call("restoreLink", 200, "one", body={"seq": first})
    call("renameLink", 422, "three", body={"to": "two"})
    put(call, "two", 201, url="http://end/")
    assert call.links.get("/three").header("Location") == "http://end/"
    for name in ("one", "two", "three"):
        call("deleteLink", 204, name)


def check_bodies(call):
    """What is too long is not waited for."""

    for operation, path, size in (("putLink", "links/api", 300_000),
                                  ("importLinks", "import", 9_000_000),
                                  ("giveClicks", "clicks", 9_000_000),
                                  ("applyLinks", "apply", 9_000_000)):
        method, _, about = OPERATIONS[operation]
        with Client((call.links.own, call.links.port), source=FOO) as client:
            client.send(f"{method} /api/v1/{path} HTTP/1.1\r\nHost: go\r\n"
                        "Content-Type: application/json\r\n"
                        f"Content-Length: {size}\r\n\r\n")
            answer = client.response()
        assert answer.status == 413
        call.check(operation, about, answer)


def check_history(call):
    history = call("linkHistory", 200).json()["history"]
    assert [entry["action"] for entry in history][-1] == "create"
    assert history[0]["who"] == "foo@example.com"
    call("linkHistory", 404, "none")
    call("deleteLink", 403, who=BAR)
    call("deleteLink", 412, headers={"If-Match": '"1"'})
    call("deleteLink", 204)
    call("deleteLink", 404)
    seq = call("linkHistory", 200).json()["history"][0]["seq"]
    call("restoreLink", 403, body={"seq": seq}, who=BAR)
    call("restoreLink", 400, body={"seq": "x"})
    call("restoreLink", 415, headers=SCRIPT, raw="x")
    call("restoreLink", 404, "none", body={"seq": 1})
    call("restoreLink", 404, body={"seq": 999})
    assert call("restoreLink", 200, body={"seq": seq}).json()["url"] \
        == "http://y/"


def check_rename(call):
    put(call, "old", 201, url="http://old/")
    call("renameLink", 400, "old", body={})
    call("renameLink", 403, "old", body={"to": "new"}, who=BAR)
    call("renameLink", 404, "none", body={"to": "new"})
    call("renameLink", 409, "old", body={"to": "api"})
    call("renameLink", 415, "old", headers=SCRIPT, raw="x")
    call("renameLink", 422, "old", body={"to": "a b"})
    assert call("renameLink", 200, "old", body={"to": "new"}).json()["name"] \
        == "new"
    links = call.links
    assert links.get("/old/x").header("Location") == "http://old/x"
    assert links.get("/new/x").header("Location") == "http://old/x"
    assert call("getLink", 200, "old").json()["alias"] == "new"
    call("renameLink", 200, "new", body={"to": "newer", "keep_alias": False})
    assert links.get("/new").status == 404
    assert links.get("/old").header("Location") == "http://old/"


def check_lists(call):
    page = call("listLinks", 200, query="?limit=1").json()
    assert len(page["links"]) == 1 and page["total"] > 1
    following = call("listLinks", 200,
                     query=f"?limit=1&cursor={page['next']}").json()
    assert following["links"][0]["name"] > page["links"][0]["name"]
    put(call, "wiki", 201, url="http://w/")
    put(call, "wiki-old", 201, url="http://w/")
    put(call, "my.wiki", 201, url="http://w/")
    put(call, "docs", 201, url="http://d/", description="The WIKI of docs")
    found = call("listLinks", 200, query="?q=WiKi").json()
    assert [link["name"] for link in found["links"]] \
        == ["wiki", "wiki-old", "my.wiki", "docs"]
    found = call("listLinks", 200, query="?q=wiki%20docs").json()
    assert [link["name"] for link in found["links"]] == ["docs"]
    assert call("listLinks", 200, query="?owner=me", who=BAR).json()["total"] \
        == 0
    assert call("listLinks", 200, query="?tag=a").json()["total"] == 1
    for bad in ("sort=x", "limit=0", "limit=1001", "cursor=x",
                "q=" + "x" * 257):
        call("listLinks", 400, query="?" + bad)
    answer = call("suggestLinks", 200, query="?q=wik").json()
    assert answer[0] == "wik" and answer[1][0] == "wiki"
    assert answer[3][0] == "http://go/wiki"
    call("suggestLinks", 400)


def check_reads(call):
    call.links.get("/wiki")
    day = call("linkClicks", 200, "wiki").json()["clicks"]
    assert [each["n"] for each in day] == [1]
    csv = call("linkClicks", 200, "wiki", query="?format=csv").body.decode()
    assert csv == f"day,clicks\n{day[0]['day']},1\n"
    call("linkClicks", 400, "wiki", query="?from=x")
    call("linkClicks", 404, "none")
    lines = call("exportLinks", 200).body.decode().splitlines()
    schema = resolve(API["components"]["schemas"]["Link"])
    for line in lines:
        jsonschema.validate(json.loads(line), schema)
    call("exportLinks", 200, query="?format=golink")
    call("exportLinks", 400, query="?format=x")
    put(call, "me", 201, url="http://me/{{.User}}")
    put(call, "chain", 201, url="http://go/wiki")
    for path, url in (("/wiki/p?q=1", "http://w/p?q=1"),
                      ("/chain/p", "http://w/p"),
                      ("/me", "http://me/foo@example.com")):
        answer = call("resolveLink", 200, query="?path="
                      + path.replace("?", "%3F").replace("=", "%3D"))
        assert answer.json()["url"] == url
    call("resolveLink", 400, query="?path=x")
    call("resolveLink", 401, query="?path=/me", who=MACHINE)
    call("resolveLink", 404, query="?path=/none")


def check_import(call):
    lines = ('{"Short":"i1","Long":"http://i/","Owner":"x@x"}\n\n'
             '{"Short":"wiki","Long":"http://i/"}\n'
             '{"Short":"bad name","Long":"http://i/"}\n'
             '{"name":"i2","url":"http://i/","tags":["t"],"clicks":3}\nx\n')
    for dry, found in (("1", 404), ("0", 302)):
        answer = call("importLinks", 200, query=f"?dry_run={dry}", raw=lines,
                      headers=LINES).json()
        assert [(each["line"], each["status"]) for each in answer["results"]] \
            == [(1, "created"), (3, "failed"), (4, "failed"), (5, "created"),
                (6, "failed")], answer
        assert answer["created"] == 2 and answer["failed"] == 3
        assert call.links.get("/i1").status == found
    # who is no admin cannot give links away
    assert call("getLink", 200, "i1").json()["owner"] == "foo@example.com"
    answer = call("importLinks", 200, query="?upsert=1",
                  raw="name,url\ni1,http://new/\nb d,http://x/\n",
                  headers={**LINES, "Content-Type": "text/csv"}).json()
    assert answer["updated"] == 1 and answer["results"][1]["name"] == "b d"
    # a field in quotes is one, whatever is in it; lines are the file's own
    answer = call("importLinks", 200, raw=(
        'name,url\r\n"q1","http://q/?a=""1"",b"\r\n"q\n2",http://q/\r\n'
        'q3,"http://q/\r\n\r\nx"\r\n"q4",http://q/\r\n'),
        headers={**LINES, "Content-Type": "text/csv"}).json()
    assert [(each["line"], each["status"]) for each in answer["results"]] \
        == [(2, "created"), (3, "failed"), (5, "failed"), (8, "created")], \
        answer
    assert call("getLink", 200, "q1").json()["url"] == 'http://q/?a="1",b'
    check_import_circle(call)
    call("importLinks", 400, query="?upsert=x", raw="{}", headers=LINES)
    call("importLinks", 415, raw="{}", headers={**LINES, **JSON})
    call("importLinks", 403, raw="{}", who=FOO,
         headers={"Content-Type": "text/csv"})


def check_import_circle(call):
    """The line that closes it is refused, be the others new or not."""

    def lines(*pairs):
        return "name,url\n" + "".join(f"{name},http://go/{to}\n"
                                      for name, to in pairs)

    csv = {**LINES, "Content-Type": "text/csv"}
    answer = call("importLinks", 200, headers=csv, raw=lines(
        ("r-1", "r2/x"), ("r2", "r3."), ("r3", "R1"), ("r4", "r1"))).json()
    assert [each["status"] for each in answer["results"]] == [
        "created", "created", "failed", "created"], answer
    assert "lead back to itself" in answer["results"][2]["error"]
    put(call, "r3", 201, url="http://r/")
    answer = call("importLinks", 200, query="?upsert=1", headers=csv,
                  raw=lines(("r2", "elsewhere"), ("r3", "r1"))).json()
    assert answer["updated"] == 2, answer
    answer = call("importLinks", 200, query="?upsert=1", headers=csv,
                  raw=lines(("r1", "r3"), ("r3", "r4"))).json()
    assert [each["status"] for each in answer["results"]] == [
        "failed", "updated"], answer


def check_clicks(call):
    """golink's rows: a minute each, and its ids in several spellings."""

    put(call, "c-1", 201, url="http://c/")
    put(call, "c2", 201, url="http://c/")
    put(call, "c3", 201, url="http://c/", who=ADMIN)

    def give(status, raw, who=ADMIN, headers=CLICKS):
        return call("giveClicks", status, raw=raw, who=who, headers=headers)

    call.links.get("/c2")
    text = ("c1,1654131723,1\nC-1,1654131783,2\r\n\nnone,1654131723,9\n"
            "c1,1654214400,4\nc2,1654131723,5")
    # the same once more counts once
    for _ in range(2):
        assert give(200, text).json() == {"taken": 12, "unknown": 1}
        for name, n in (("c1", 7), ("c2", 6), ("c3", 0)):
            assert call("getLink", 200, name).json()["clicks"] == n
    assert call("linkClicks", 200, "c1").json()["clicks"] == [
        {"day": "2022-06-02", "n": 3}, {"day": "2022-06-03", "n": 4}]
    # all lines or none
    for line in ("c3", "c3,1", "c3,1,", "c3,,1", "c3,-1,1", "c3,1,1,1",
                 "c3,1,1000000001", "c3,185542587187201,1"):
        problem = give(400, f"c3,1,1\n{line}\n").json()
        assert problem["detail"].startswith("line 2 "), problem
    assert give(200, "").json() == {"taken": 0, "unknown": 0}
    assert call("getLink", 200, "c3").json()["clicks"] == 0
    # a day is bounded, not a line: the sum does not run over
    problem = give(422, "c3,1,1000000000\nc3,86400,1\nc-3,2,1\n").json()
    assert problem["detail"].startswith("line 3 "), problem
    assert call("getLink", 200, "c3").json()["clicks"] == 0
    # clicks on a former name are the link's
    call("renameLink", 200, "c3", body={"to": "c4"}, who=ADMIN)
    assert give(200, "c3,1654131723,2\nc4,1654131724,3\n").json() \
        == {"taken": 5, "unknown": 0}
    assert call("getLink", 200, "c4").json()["clicks"] == 5
    assert call("linkClicks", 200, "c4").json()["clicks"] == [
        {"day": "2022-06-02", "n": 5}]
    give(403, text, who=FOO)
    give(403, text, headers={"Content-Type": "text/csv"})
    give(415, text, headers={**CLICKS, **JSON})


def check_apply(call):
    links = [{"name": "g1", "url": "http://g/"},
             {"name": "g2", "url": "http://g/"}]
    call("applyLinks", 403, body={"links": links})
    call("applyLinks", 400, body={}, who=ADMIN)
    call("applyLinks", 415, raw="x", headers=SCRIPT, who=ADMIN)
    answer = call("applyLinks", 200, body={"links": links}, who=ADMIN).json()
    assert answer["created"] == 2, answer
    link = call("getLink", 200, "g1").json()
    assert (link["owner"], link["origin"]) == ("git", "git")
    put(call, "g1", 403, url="http://mine/")
    links[0]["url"] = "http://g/2"
    for dry in (True, False):
        answer = call("applyLinks", 200, who=ADMIN, body={
            "links": links[:1], "prune": True, "dry_run": dry}).json()
        assert (answer["updated"], answer["deleted"]) == (1, 1), answer
        assert [each["name"] for each in answer["results"]] == ["g1", "g2"]
    call("getLink", 404, "g2")
    assert call("applyLinks", 200, who=ADMIN, body={"links": links[:1]}) \
        .json()["unchanged"] == 1


@own_network(*ADDRESSES)
def test_operations(tmp_path):
    with Links(tmp_path, "tailnet") as links:
        call = Caller(links)
        put(call, "api", 201, url="http://api/")
        common(call)
        call("deleteLink", 204)
        for part in (check_put, check_bodies, check_history, check_rename,
                     check_lists, check_reads, check_import, check_clicks,
                     check_apply):
            part(call)
        documented = {(name, status)
                      for name, (_, _, about) in OPERATIONS.items()
                      for status in about["responses"]}
        assert call.seen == documented
