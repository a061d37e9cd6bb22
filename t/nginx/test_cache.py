# Copyright (C) The Tailgate authors

"""Answers that are kept: how often tailscaled is asked, and how soon what
changes is seen. Sources are tailnet addresses in a network of the test's own,
since those on loopback are never kept."""

import concurrent.futures
import os
import signal
import socket
import threading
import time

import pytest

from late_test import lateness
from localapi_test import LocalAPI, http, person
from network_test import own_network
from tailgate_test import ConfigError, Devnet, Nginx, get, wait_until

PEOPLE = """
tailnet: tail.example
users:
  - login: alice@example.com
    name: Alice
  - login: bob@example.com
    name: Bob
self:
  name: web1
  address: 100.64.0.1
  user: alice@example.com
nodes:
  - name: alice-laptop
    address: 100.64.0.4
    user: alice@example.com
    capabilities:
      example.com/cap/web: [{ role: admin }]
  - name: bob-phone
    address: 100.64.0.5
    user: bob@example.com
"""

SELF, ALICE, BOB, NOBODY = ("100.64.0.1", "100.64.0.4", "100.64.0.5",
                            "100.64.0.99")
OWN = own_network(SELF, ALICE, BOB, NOBODY)

CONF = """
tailgate_localapi unix:@LOCALAPI@;
@CACHE@
server {
    listen 100.64.0.1:@PORT@ reuseport;
    tailgate on;
    location / {
        add_header X-Login $tailgate_login always;
        add_header X-Cache $tailgate_cache always;
        add_header X-Pid $pid always;
        add_header X-Tags $tailgate_tags always;
        empty_gif;
    }
}
"""


@pytest.fixture(name="site")
def fixture_site(tmp_path):
    """Starts devnet, or a LocalAPI that is given, and nginx."""

    started = []

    def site(cache="", localapi=None, workers=1, **values):
        api = localapi
        if api is None:
            api = Devnet(tmp_path, PEOPLE)
            started.append(api)
            api.__enter__()
        nginx = Nginx(tmp_path, CONF, workers=workers, CACHE=cache,
                      LOCALAPI=getattr(api, "socket", None) or api.path,
                      **values)
        started.append(nginx)
        nginx.__enter__()
        return api, nginx

    yield site

    while started:
        started.pop().__exit__(None, None, None)


def ask(nginx, source=ALICE):
    return get((SELF, nginx.port), "/", source=source)


def login(answer):
    return answer.header("X-Login") if answer.status == 200 else answer.status


def followed(nginx, api):
    """Waits until the bus is followed: the second of two requests is then a
    hit."""

    def hit():
        return ask(nginx).header("X-Cache") == "hit"

    wait_until(hit, 10, "a hit")
    # a node that the bus names for the first time makes all out of date
    api.ctl("resend")
    wait_until(hit, 10, "a hit")


def settled(nginx, source=ALICE):
    """Behind a change what it named is forgotten twice."""

    time.sleep(0.5)
    ask(nginx, source)
    wait_until(lambda: ask(nginx, source).header("X-Cache") == "hit", 10,
               "a hit")


@OWN
def test_hit(site):
    api, nginx = site()
    followed(nginx, api)
    settled(nginx)
    api.count(reset=True)
    for _ in range(50):
        answer = ask(nginx)
        assert login(answer) == "alice@example.com"
        assert answer.header("X-Cache") == "hit"
    assert api.count().get("whois", 0) == 0


@OWN
def test_off(site):
    api, nginx = site("tailgate_cache off;")
    ask(nginx)
    api.count(reset=True)
    for _ in range(5):
        assert ask(nginx).header("X-Cache") == "miss"
    assert api.count()["whois"] == 5


@OWN
@pytest.mark.parametrize("change,expected", [
    (["remove", "alice-laptop"], 403),
    (["remove", "alice-laptop", "whole"], 403),
    (["expire", "alice-laptop"], 403),
    (["retag", "alice-laptop", "tag:ci"], 403),
    (["move", "alice-laptop", "bob@example.com"], "bob@example.com"),
    (["share", "alice-laptop", "yes"], 403),
    (["authorize", "alice-laptop", "no"], 403),
], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_check_26_change(site, change, expected):
    """What changes is seen within a second, by every worker."""

    api, nginx = site(workers=2)
    followed(nginx, api)
    settled(nginx)
    assert login(ask(nginx)) == "alice@example.com"
    assert login(ask(nginx, BOB)) == "bob@example.com"
    api.ctl(*change)
    with lateness() as late:
        began = time.monotonic()
        wait_until(lambda: login(ask(nginx)) == expected, 5, change)
        took = time.monotonic() - began
        assert took < 1 + late.since(began)
    for _ in range(40):
        assert login(ask(nginx)) == expected
    assert login(ask(nginx, BOB)) == "bob@example.com"


@OWN
def test_name(site):
    """A user's change is on the bus without any node."""

    api, nginx = site("tailgate_cache zone=other:1m ttl=1h;")
    followed(nginx, api)
    settled(nginx)
    api.ctl("retag", "alice-laptop")
    settled(nginx)
    api.count(reset=True)
    api.ctl("groups", "alice@example.com", "eng")
    wait_until(lambda: ask(nginx) and api.count().get("whois", 0) > 0, 5,
               "it is asked again")


@OWN
def test_of_no_account(site):
    """Who goes online makes nobody be asked for."""

    api, nginx = site()
    followed(nginx, api)
    settled(nginx)
    settled(nginx, BOB)
    api.count(reset=True)
    for state in ("no", "yes", "no"):
        api.ctl("online", "alice-laptop", state)
    time.sleep(0.5)
    assert ask(nginx).header("X-Cache") == "hit"
    assert ask(nginx, BOB).header("X-Cache") == "hit"
    assert api.count().get("whois", 0) == 0


@OWN
def test_check_26_capability_by_ttl(site):
    """A grant is not on the bus: the ttl bounds it."""

    api, nginx = site("tailgate_cache zone=z:1m ttl=1s;")
    followed(nginx, api)
    api.count(reset=True)
    began = time.monotonic()
    while time.monotonic() - began < 3:
        assert login(ask(nginx)) == "alice@example.com"
        time.sleep(0.05)
    assert 2 <= api.count()["whois"] <= 8


@OWN
def test_refresh_ahead(site):
    """An answer in use is renewed before its end, and nobody waits."""

    api, nginx = site("tailgate_cache zone=z:1m ttl=2s;")
    followed(nginx, api)
    settled(nginx)

    def nobody_waits():
        began = time.monotonic()
        while time.monotonic() - began < 5:
            if ask(nginx).header("X-Cache") != "hit":
                return False
            time.sleep(0.05)
        return True

    # a machine that is very late may miss the time for it
    assert any(nobody_waits() for _ in range(5))


@OWN
def test_check_27_negative_answers_are_short(site):
    api, nginx = site("tailgate_cache zone=z:1m negative=1s;")
    followed(nginx, api)
    settled(nginx)
    api.count(reset=True)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        assert ask(nginx, NOBODY).status == 403
    assert api.count()["whois"] <= 3
    api.ctl("add", "{ name: new, address: 100.64.0.99, "
            "user: bob@example.com }")
    wait_until(lambda: login(ask(nginx, NOBODY)) == "bob@example.com", 5,
               "the newcomer")


@OWN
def test_check_27_miss_limit(site):
    """Who makes for too many questions is held off, and nobody else."""

    api, nginx = site("tailgate_cache zone=z:1m negative=0 misses=1;",
                      workers=1)
    followed(nginx, api)
    settled(nginx)
    api.count(reset=True)
    statuses = [ask(nginx, NOBODY) for _ in range(40)]
    assert [s.status for s in statuses[:2]] == [403, 403]
    held = [s for s in statuses if s.status == 503]
    assert len(held) >= 10 and {s.status for s in statuses} == {403, 503}
    assert all(s.header("Retry-After") == "5" for s in held)
    assert api.count()["whois"] <= 3 * (len(statuses) - len(held)) + 3
    assert login(ask(nginx, ALICE)) == "alice@example.com"
    assert login(ask(nginx, BOB)) == "bob@example.com"
    assert nginx.error_log().count(f"the source {NOBODY} makes for more") == 1
    wait_until(lambda: ask(nginx, NOBODY).status == 403, 20, "another chance")


@OWN
def test_no_miss_limit(site):
    api, nginx = site("tailgate_cache zone=z:1m negative=0 misses=0;")
    followed(nginx, api)
    assert {ask(nginx, NOBODY).status for _ in range(30)} == {403}


@OWN
def test_killed_while_asking(site):
    """A lease of a worker that is gone ends; a killed worker holds no lock."""

    api, nginx = site(workers=2, allow="exited on signal 9")
    followed(nginx, api)
    settled(nginx)
    api.ctl("silent", "whois")
    before = set(nginx.workers())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(ask_or_none, nginx, BOB) for _ in range(16)]
        wait_until(lambda: api.count().get("whois", 0) > 0, 5, "it asks")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(set(nginx.workers()) - before) == 2, 20,
                   "new workers")
        api.ctl("normal")
        for future in asked:
            future.result()
    wait_until(lambda: login(ask(nginx, BOB)) == "bob@example.com", 30,
               "bob is known")
    settled(nginx, BOB)


def ask_or_none(nginx, source):
    try:
        return ask(nginx, source)
    except (OSError, AssertionError, ValueError):
        return None
    except Exception as error:  # pylint: disable=broad-except
        if type(error).__name__ == "Incomplete":
            return None
        raise


@OWN
def test_check_26_bus_lost(site):
    """Without the bus no answer outlives its request; it comes back."""

    api, nginx = site()
    followed(nginx, api)
    settled(nginx)
    api.ctl("silent", "all")
    api.stop()
    wait_until(lambda: ask(nginx).status == 503, 20, "an outage")
    nginx.logged("the event stream of")
    api.start()
    wait_until(lambda: login(ask(nginx)) == "alice@example.com", 20,
               "alice is back")
    followed(nginx, api)


@OWN
def test_check_19_stale(site):
    """Only if the configuration says so, bounded, logged, and named."""

    api, nginx = site("tailgate_cache zone=z:1m ttl=1s stale=5s;")
    followed(nginx, api)
    settled(nginx)
    api.stop()

    def stale():
        answer = ask(nginx)
        return answer.header("X-Cache") == "stale" and answer

    answer = wait_until(stale, 10, "a stale answer")
    assert login(answer) == "alice@example.com"
    nginx.logged("a stale answer is used")
    assert ask(nginx, BOB).status == 503
    wait_until(lambda: ask(nginx).status == 503, 20, "its end")


@OWN
def test_too_old_for_the_bus(site, tmp_path):
    """No bus at all: the ttl alone, and a line in the log."""

    with LocalAPI(str(tmp_path / "api.sock"),
                  whois=lambda query: http(body=person(
                      "alice@example.com", address=query["addr"])),
                  status=http(body={
                      "BackendState": "Running", "TailscaleIPs": [SELF],
                      "Self": {"ID": "n1", "DNSName": "web1.tail.example.",
                               "TailscaleIPs": [SELF]}})) as api:
        api.bus = http(404, "404 page not found\n")
        _, nginx = site("tailgate_cache zone=z:1m ttl=2s;", localapi=api)
        nginx.logged("has no event stream")
        ask(nginx)
        assert ask(nginx).header("X-Cache") == "hit"
        asked = api.count()
        wait_until(lambda: ask(nginx) and api.count() > asked, 10,
                   "the ttl ends")
        nginx.stop()


@OWN
def test_key_that_expires(site, tmp_path):
    """No event tells it: what is kept ends with the key, and no later. A key
    ends with a second, and is asked about late in one."""

    ends = []

    def whois(query):
        if not ends:
            ends.append(int(time.time()) + 4)
        return http(body=person(
            "alice@example.com", address=query["addr"],
            KeyExpiry=time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                    time.gmtime(ends[0]))))

    with LocalAPI(str(tmp_path / "api.sock"), whois=whois,
                  status=http(body={
                      "BackendState": "Running", "TailscaleIPs": [SELF],
                      "Self": {"ID": "n1", "DNSName": "web1.tail.example.",
                               "TailscaleIPs": [SELF]}})) as api:
        api.bus = http(404, "404 page not found\n")
        _, nginx = site("tailgate_cache zone=z:1m ttl=1h;", localapi=api)
        nginx.logged("has no event stream")
        time.sleep((0.9 - time.time()) % 1)
        assert ask(nginx).status == 200
        assert ask(nginx).header("X-Cache") == "hit"
        time.sleep(max(0, ends[0] + 0.01 - time.time()))
        assert ask(nginx).status == 403
        asked = api.count()
        for _ in range(20):
            assert ask(nginx).status == 403
        assert api.count() == asked
        nginx.stop()


@OWN
def test_check_28_reload(site):
    """A new generation takes the bus over and finds what is kept."""

    api, nginx = site(workers=2)
    followed(nginx, api)
    settled(nginx)
    api.count(reset=True)
    for _ in range(5):
        nginx.reload()
        for _ in range(10):
            assert login(ask(nginx)) == "alice@example.com"
    api.ctl("remove", "alice-laptop")
    wait_until(lambda: ask(nginx).status == 403, 10, "she is gone")


@OWN
@pytest.mark.parametrize("other", ["zone=a:2m", "zone=b:1m", "off"],
                         ids=["larger", "another", "none"])
def test_another_zone_by_a_reload(site, other):
    """It begins with nothing, and hears of changes as the first one did."""

    caches = ["tailgate_cache zone=a:1m;", f"tailgate_cache {other};"]
    api, nginx = site(caches[0], workers=2)
    followed(nginx, api)
    for cache in caches[1], caches[0], caches[1]:
        nginx.reload(CONF, CACHE=cache)
        for _ in range(5):
            assert login(ask(nginx)) == "alice@example.com"
            assert login(ask(nginx, BOB)) == "bob@example.com"
    wait_until(lambda: len(nginx.workers()) == 2, 20, "old workers end")
    if other != "off":
        settled(nginx)
    api.ctl("remove", "alice-laptop")
    wait_until(lambda: ask(nginx).status == 403, 5, "she is gone")
    for _ in range(20):
        assert ask(nginx).status == 403
    assert login(ask(nginx, BOB)) == "bob@example.com"


@OWN
def test_check_27_small_zone(site):
    """A zone that is full forgets; nobody is taken for anybody else."""

    people = [(f"100.64.1.{i}", f"user{i}@example.com") for i in range(1, 251)]

    def whois(query):
        who = dict(people).get(query["addr"], "alice@example.com")
        return http(body=person(who, "x" * 900, address=query["addr"],
                                StableID="n" + query["addr"]))

    from network_test import add_addresses  # in this test's network
    add_addresses("lo", *[address for address, _ in people])
    path = f"/tmp/tailgate-{os.getpid()}-{threading.get_ident()}.sock"
    with LocalAPI(path, whois=whois, status=http(body={
            "BackendState": "Running", "TailscaleIPs": [SELF],
            "Self": {"ID": "n1", "DNSName": "web1.tail.example.",
                     "TailscaleIPs": [SELF]}})) as api:
        api.bus = http(404, "")
        _, nginx = site("tailgate_cache zone=z:64k;", localapi=api, workers=2)
        for _ in range(3):
            for address, who in people:
                assert login(ask(nginx, address)) == who
        nginx.stop()


TIME = 'a time such as "2s" is needed, an hour at most'
SIZE = 'a size such as "4m" is needed, 64k at least'
ZONE = "a name and a size are needed"
MISSES = "a number of questions a second is needed, 1000000 at most"


@pytest.mark.parametrize("parameters, fault", [
    ("zone=z", ZONE), ("zone=:1m", ZONE), ("zone=", ZONE),
    ("zone=z:1k", SIZE), ("zone=z:much", SIZE), ("zone=z:", SIZE),
    ("zone=z:1m zone=y:1m", "it is there twice"),
    ("zone=taken:1m", "already declared for a different use"),
    ("ttl=soon", TIME), ("ttl=", TIME), ("ttl=2h", TIME), ("stale=61m", TIME),
    ("negative=-1", TIME), ("ttl=1s ttl=2s", "it is there twice"),
    ("misses=", MISSES), ("misses=10r/s", MISSES), ("misses=-1", MISSES),
    ("misses=1000001", MISSES), ("misses=1 misses=2", "it is there twice"),
    ("on", "may stand there"), ("zones=z:1m", "may stand there"),
    ("off ttl=1s", 'has parameters behind "off"'),
    ("off; tailgate_cache off", "is duplicate"),
    ("off; server { tailgate_cache off; }", "not allowed here")])
def test_refused(tmp_path, parameters, fault):
    """By one sentence, which says what may stand there."""

    with pytest.raises(ConfigError) as error:
        Nginx(tmp_path, "limit_req_zone $uri zone=taken:1m rate=1r/s;"
              f"tailgate_cache {parameters};").test()
    lines = [line for line in str(error.value).splitlines()
             if "[emerg]" in line]
    assert len(lines) == 1 and fault in lines[0], error.value
    if fault.startswith("a "):
        assert f'"{parameters}" in "tailgate_cache": {fault}' in lines[0]


@pytest.mark.parametrize("directive", [
    "tailgate_cache off;", "tailgate_cache ttl=10s;",
    "tailgate_cache zone=z:1m ttl=500ms negative=0 stale=1m misses=10;",
    "tailgate_cache zone=z:64k ttl=1h misses=1000000;"])
def test_accepted(tmp_path, directive):
    Nginx(tmp_path, directive + "server { listen 127.0.0.1:@PORT@; "
          "tailgate on; }").test()


@OWN
@pytest.mark.parametrize("cache", ["", "tailgate_cache off;"],
                         ids=["kept", "asked-each-time"])
def test_no_descriptor_is_left(site, cache):
    """Neither in nginx nor in the LocalAPI's owner: of people, of nobody, and
    of who does not wait for an answer."""

    api, nginx = site(cache)
    if not cache:
        followed(nginx, api)
        settled(nginx)
    folder = f"/proc/{api.process.pid}/fd"

    def requests(n):
        for _ in range(n):
            for source, status in (ALICE, b"200"), (NOBODY, b"403"):
                with socket.create_connection((SELF, nginx.port), 10,
                                              (source, 0)) as client:
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    assert client.recv(12) == b"HTTP/1.1 " + status
            with socket.create_connection((SELF, nginx.port), 10,
                                          (BOB, 0)) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")

    def held():
        return nginx.descriptors(), len(os.listdir(folder))

    # as many are kept to the LocalAPI as ever will be
    requests(20)
    before = held()
    api.count(reset=True)
    requests(200)
    if cache:
        assert api.count()["whois"] >= 400
    wait_until(lambda: held()[0] <= before[0] + 4
               and held()[1] <= before[1] + 4, 20,
               f"as many as {before}, the connections that are kept besides")
