# Copyright (C) The Tailgate authors

"""Answers that are kept: how many questions many requests at once make for,
and what becomes of those that wait when something changes or runs out."""

import collections
import contextlib
import resource
import threading
import time

import pytest

from localapi_test import NODE, LocalAPI, Told, http, whois
from network_test import add_addresses, ip
from tailgate_test import (Client, Devnet, Incomplete, MAIN, HTTP, Nginx,
                           get, is_sanitized, wait_until)
from test_cache import (ALICE, BOB, CONF, NOBODY, OWN, PEOPLE, SELF, ask,
                        ask_or_none, followed, login, settled)

AT_ONCE = 300 if is_sanitized() else 1000
WORKERS = 4
ON_LOOPBACK = "127.0.0.11"


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    """start(api, conf): nginx beside an api that is started too."""

    with contextlib.ExitStack() as stack:

        def start(api, conf=CONF, cache="", **values):
            api = stack.enter_context(api)
            path = getattr(api, "socket", None) or api.path
            nginx = stack.enter_context(
                Nginx(tmp_path, conf, LOCALAPI=path, CACHE=cache, **values))
            return api, nginx

        yield start


@pytest.fixture(name="told")
def fixture_told(tmp_path):
    return Told(str(tmp_path / "api.sock"), whois=whois(
        {ALICE: "alice@example.com", BOB: "bob@example.com",
         ON_LOOPBACK: "alice@example.com", SELF: "web@example.com"}))


def at_once(nginx, sources):
    """An answer for each source: all requests are out before any is read."""

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE,
                       (soft, hard))
        clients = [stack.enter_context(Client((SELF, nginx.port), source,
                                              timeout=60))
                   for source in sources]
        for client in clients:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return [client.response() for client in clients]


@OWN
def test_check_27_first_requests_of_one_peer(start, tmp_path):
    """Whoever comes first asks, for all workers; everybody else waits."""

    api, nginx = start(Devnet(tmp_path, PEOPLE), workers=WORKERS)
    followed(nginx, api)
    settled(nginx)
    api.ctl("slow", 500, "whois")
    api.count(reset=True)
    answers = at_once(nginx, [BOB] * AT_ONCE)
    assert {login(answer) for answer in answers} == {"bob@example.com"}
    assert api.count()["whois"] == 1
    assert len({answer.header("X-Pid") for answer in answers}) >= 3


@OWN
def test_check_27_first_requests_of_many_peers(start, tmp_path):
    """No more questions than peers, and each gets its own answer."""

    ip("route", "add", "local", "100.65.0.0/16", "dev", "lo")
    peers = {f"100.65.{n // 250}.{n % 250 + 1}": f"user{n % 10}@example.com"
             for n in range(AT_ONCE)}
    people = PEOPLE.replace("self:", "".join(
        f"  - login: user{n}@example.com\n" for n in range(10)) + "self:")
    for n, (address, who) in enumerate(peers.items()):
        people += (f"  - name: peer{n}\n    address: {address}\n"
                   f"    user: {who}\n")
    api, nginx = start(Devnet(tmp_path, people), workers=WORKERS)
    followed(nginx, api)
    settled(nginx)
    api.count(reset=True)
    answers = at_once(nginx, peers)
    assert [login(answer) for answer in answers] == list(peers.values())
    assert 0 < api.count()["whois"] <= len(peers)


@OWN
def test_check_26_address_goes_to_another(start, tmp_path):
    api, nginx = start(Devnet(tmp_path, PEOPLE), workers=2)
    followed(nginx, api)
    settled(nginx)
    assert login(ask(nginx)) == "alice@example.com"
    api.ctl("remove", "alice-laptop")
    api.ctl("add", f"{{ name: bob-laptop, address: {ALICE}, "
            "user: bob@example.com }")
    wait_until(lambda: login(ask(nginx)) == "bob@example.com", 5, "bob")
    for _ in range(20):
        assert login(ask(nginx)) == "bob@example.com"


@OWN
@pytest.mark.parametrize("source", [ALICE, ON_LOOPBACK],
                         ids=["kept", "not-kept"])
def test_check_26_while_requests_wait(start, told, source):
    """Who is removed while somebody asks who that is: the answer is from
    before it, and asked for again."""

    here = "127.0.0.1" if source == ON_LOOPBACK else SELF
    api, nginx = start(told, CONF.replace("100.64.0.1:@PORT@ reuseport",
                                          f"{here}:@PORT@"))

    def get_it():
        return get((here, nginx.port), "/", source=source)

    wait_until(lambda: api.streams, 10, "the stream")
    wait_until(lambda: get_it().status == 200, 10, "alice is known")
    api.changed()
    time.sleep(0.5)            # what a change names is forgotten twice
    with Client((here, nginx.port), source=source) as client:
        api.hold.clear()
        asked = api.count()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: api.count() > asked, 10, "a question")

        # the answer that it is Alice is on its way
        api.whois = whois({SELF: "web@example.com"})
        api.changed()
        api.hold.set()
        assert client.response().status == 403
    assert get_it().status == 403


@OWN
def test_check_25_kept_alive(start, tmp_path):
    """Each request of a connection is decided anew."""

    api, nginx = start(Devnet(tmp_path, PEOPLE))
    followed(nginx, api)
    with Client((SELF, nginx.port), source=ALICE) as client:

        def seen(expected):
            return lambda: login(client.get("/")) == expected

        assert seen("alice@example.com")()
        api.ctl("move", "alice-laptop", "bob@example.com")
        wait_until(seen("bob@example.com"), 5, "it is bob's")
        api.ctl("remove", "alice-laptop")
        wait_until(seen(403), 5, "it is gone")


@OWN
def test_check_27_bus_lost(start, tmp_path):
    """Each request is asked for anew then, and one question of a key is under
    way, whatever the number of workers: from the first request on."""

    lock = threading.Lock()
    under_way = collections.Counter()
    most = []
    answer = whois({ALICE: "alice@example.com"})

    def slowly(query):
        with lock:
            under_way[query["addr"]] += 1
            most.append(under_way[query["addr"]])
        time.sleep(0.01)
        with lock:
            under_way[query["addr"]] -= 1
        return answer(query)

    api = LocalAPI(str(tmp_path / "api.sock"), whois=slowly,
                   status=http(body=NODE))
    api.bus = lambda _: None
    api, nginx = start(api, workers=WORKERS)
    nginx.logged("the event stream of")
    answers = at_once(nginx, [ALICE] * AT_ONCE)
    assert {login(one) for one in answers} == {"alice@example.com"}
    assert len(most) < AT_ONCE / 4
    for _ in range(5):
        asked = len(most)
        assert login(ask(nginx)) == "alice@example.com"
        assert len(most) == asked + 1
    assert max(most) == 1


@OWN
def test_self_changes(start, told):
    """Who is a member depends on the tailnet that this node is in, and that
    is not an answer about a peer."""

    api, nginx = start(told, workers=2)
    wait_until(lambda: api.streams, 10, "the stream")
    wait_until(lambda: ask(nginx).header("X-Cache") == "hit", 10, "a hit")
    assert login(ask(nginx)) == "alice@example.com"
    api.status = http(body={
        **NODE, "CurrentTailnet": {"MagicDNSSuffix": "other.example"},
        "Self": {**NODE["Self"], "DNSName": "web1.other.example."}})
    api.changed()
    wait_until(lambda: ask(nginx).status == 403, 10, "she is of another")
    for _ in range(20):
        assert ask(nginx).status == 403


@OWN
def test_no_connection_is_kept(start, tmp_path):
    """keepalive=0: answers are kept as ever, and no connection is left."""

    api, nginx = start(Devnet(tmp_path, PEOPLE), CONF.replace(
        "unix:@LOCALAPI@", "unix:@LOCALAPI@ keepalive=0"), workers=2)
    followed(nginx, api)
    for _ in range(5):
        api.ctl("resend")
        settled(nginx)
        assert login(ask(nginx)) == "alice@example.com"
        assert login(ask(nginx, BOB)) == "bob@example.com"
        assert login(ask(nginx, NOBODY)) == 403
    # the event stream's
    wait_until(lambda: api.count()["connections"] == 1, 10,
               "one connection is left")


@OWN
def test_connections_run_out(start, told):
    """Those that wait for an answer leave no connection to ask on: an outage,
    and no way in; and then all is as before."""

    conf = MAIN.replace("worker_connections 4096", "worker_connections 24")
    api, nginx = start(told, f"{conf}\nhttp {{{HTTP}\n{CONF}\n}}\n",
                       allow="worker_connections are not enough")
    wait_until(lambda: api.streams, 10, "the stream")
    wait_until(lambda: ask(nginx).header("X-Cache") == "hit", 10, "a hit")
    add_addresses("lo", *[f"100.64.3.{n}" for n in range(1, 31)])
    statuses = collections.Counter()
    api.hold.clear()
    with contextlib.ExitStack() as stack:
        clients = []
        for n in range(1, 31):
            client = stack.enter_context(Client((SELF, nginx.port),
                                                f"100.64.3.{n}"))
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            clients.append(client)
        nginx.logged("worker_connections are not enough")
        api.hold.set()
        for client in clients:
            try:
                statuses[client.response().status] += 1
            except (ConnectionError, Incomplete):
                statuses["closed"] += 1
    assert set(statuses) <= {403, 503, "closed"}, statuses
    assert statuses[503] or statuses["closed"], statuses
    wait_until(lambda: ask_or_none(nginx, ALICE) is not None
               and login(ask(nginx)) == "alice@example.com", 20, "an answer")
    settled(nginx, BOB)
