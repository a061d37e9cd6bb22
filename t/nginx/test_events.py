# Copyright (C) The Tailgate authors

"""The event stream as the module follows it: messages that cannot be read,
what was missed while it was away, and who follows when nginx is reloaded. The
ttl is an hour, so that nothing but the stream makes an answer out of date."""

import json
import os
import re
import signal
import threading
import time

import pytest

from localapi_test import NODE, LocalAPI, chunk, http, person, whois
from network_test import ip
from tailgate_test import Client, Devnet, is_sanitized, wait_until
import test_cache_questions
from test_cache import ALICE, BOB, CONF, OWN, PEOPLE, SELF, ask, login

fixture_start = test_cache_questions.fixture_start
fixture_told = test_cache_questions.fixture_told

LONG = "tailgate_cache zone=z:1m ttl=1h negative=1h;"
MESSAGE_MAX = 65536
SERVICE = "100.70.0.1"

# but the node itself, without which tailscaled has no say
NOBODY = whois({SELF: "web@example.com"})

# more peers than a worker has ready-made answers for, and many more
AT_FIRST, IN_ALL = 4500, 12000


def kept(nginx):
    return ask(nginx).header("X-Cache") == "hit"


def following(api, nginx):
    """Alice is known, and kept: what came at first was heard."""

    wait_until(lambda: api.streams, 10, "the stream")
    wait_until(lambda: kept(nginx), 10, "a hit")
    assert login(ask(nginx)) == "alice@example.com"


def say(api, data):
    api.streams[-1].sendall(data)


def line_of(length):
    """A message of no account, with its end of a line."""

    empty = len(json.dumps({"Version": ""})) + 1
    return json.dumps({"Version": "x" * (length - empty)}).encode() + b"\n"


def chunked(line, size):
    """In chunks of its own, that end anywhere."""

    parts = [line[i:i + size] for i in range(0, len(line), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n"
                    for part in parts)


@OWN
@pytest.mark.parametrize("line", [
    line_of(MESSAGE_MAX + 2), line_of(5 * MESSAGE_MAX), b"nonsense\n",
    b'{"PeersRemoved": "all"}\n', b'{"PeersChanged": [4]}\n'],
    ids=["too-long", "far-too-long", "nonsense", "a-string", "a-number"])
def test_unreadable(start, told, line):
    """It may be about anybody: all is forgotten. The next is read again."""

    api, nginx = start(told, cache=LONG)
    following(api, nginx)
    api.whois = NOBODY
    say(api, chunked(line, 9000))
    wait_until(lambda: ask(nginx).status == 403, 10, "she is gone")
    if b"Version" not in line:
        nginx.logged("sent an event that is not understood")

    api.whois = whois({ALICE: "alice@example.com", SELF: "web@example.com"})
    api.changed()
    wait_until(lambda: login(ask(nginx)) == "alice@example.com", 10, "back")


def asked_about(api, address):
    return sum(1 for query in api.queries() if query["addr"] == address)


@OWN
def test_of_no_account(start, told):
    """Messages that name nobody evict nobody: the longest there may be, parts
    of any size, two at once. What comes behind them evicts whom it names."""

    everybody = told.whois
    api, nginx = start(told, cache=LONG)
    following(api, nginx)

    def evicts_nobody_else():
        api.whois = everybody
        say(api, chunk({"PeersChanged": [
            {"ID": 5, "Addresses": [f"{BOB}/32"]}]}))
        # a node that is named for the first time makes all out of date, twice
        count = asked_about(api, ALICE)
        wait_until(lambda: ask(nginx) and asked_about(api, ALICE) > count, 10,
                   "it is read")
        time.sleep(0.5)
        wait_until(lambda: kept(nginx) and ask(nginx, BOB).header("X-Cache")
                   == "hit", 10, "hits")
        count = asked_about(api, ALICE)

        say(api, chunked(line_of(MESSAGE_MAX), 70000))
        say(api, chunked(line_of(200), 1))
        say(api, chunked(line_of(200) + line_of(300), 1000))
        for state in (False, True):
            say(api, chunk({"PeerChangedPatch": [
                {"NodeID": 5, "Online": state,
                 "Endpoints": ["192.0.2.1:1"]}]}))
        api.whois = whois({ALICE: "alice@example.com",
                           SELF: "web@example.com"})
        say(api, chunk({"PeersRemoved": [5]}))
        wait_until(lambda: ask(nginx, BOB).status == 403, 10, "he is gone")
        assert login(ask(nginx)) == "alice@example.com"
        return asked_about(api, ALICE) == count

    # a worker that is very late forgets what it keeps
    assert any(evicts_nobody_else() for _ in range(5))


@OWN
def test_missed_while_away(start, told):
    """Nobody asks while the stream is lost: what was kept before it is not
    believed behind it."""

    api, nginx = start(told, workers=2, cache=LONG)
    following(api, nginx)
    for _ in range(20):
        ask(nginx)
    api.bus = lambda _: None
    api.hang_up()
    nginx.logged("is lost")
    api.whois = NOBODY
    api.bus = api.stream
    nginx.logged("is followed")
    for _ in range(20):
        assert ask(nginx).status == 403


@OWN
def test_answer_from_before_the_message(start, told):
    """tailscaled may tell of a change before its answers have it: what a
    message names is forgotten once more."""

    api, nginx = start(told, cache=LONG)
    following(api, nginx)

    def forgotten_twice():
        api.whois = told_whois
        time.sleep(0.5)
        wait_until(lambda: kept(nginx), 10, "a hit")
        asked = api.count()
        api.changed()
        wait_until(lambda: ask(nginx) and api.count() > asked, 10,
                   "she is asked about")
        api.whois = NOBODY
        try:
            wait_until(lambda: ask(nginx).status == 403, 2, "she is gone")
        except AssertionError:
            return False
        api.changed()
        return True

    told_whois = api.whois
    # a machine that is very late may have forgotten twice by then
    assert any(forgotten_twice() for _ in range(5))


@OWN
def test_follower_that_did_not_run(start, told):
    """tailscaled drops events for a listener that is slow: a worker that was
    held up believes nothing that it had."""

    api, nginx = start(told, cache=LONG)
    following(api, nginx)
    worker = nginx.workers()[0]
    os.kill(worker, signal.SIGSTOP)
    try:
        api.whois = NOBODY
        time.sleep(1)
    finally:
        os.kill(worker, signal.SIGCONT)
    for _ in range(20):
        assert ask(nginx).status == 403


@OWN
def test_follower_is_killed(start, told):
    """Nor what was missed between two followers."""

    api, nginx = start(told, workers=2, cache=LONG,
                       allow="exited on signal 9")
    following(api, nginx)
    before = set(nginx.workers())
    api.bus = lambda _: None
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(nginx.workers()) - before) == 2, 20,
               "new workers")
    api.whois = NOBODY
    streams = len(api.streams)
    api.bus = api.stream
    wait_until(lambda: len(api.streams) > streams, 10, "a stream")
    for _ in range(20):
        assert ask(nginx).status == 403


def shuts_down(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="ascii") as f:
            return "shutting down" in f.read()
    except OSError:
        return False


@OWN
def test_check_28_successor_connects_first(start, told):
    """A worker that shuts down follows until another one does: nothing is
    lost, and nobody is asked about anew."""

    api, nginx = start(told, cache=LONG)
    following(api, nginx)

    def loses_nothing():
        """The successor's stream comes late, if not later than the old worker
        waits for it, which is a second."""

        late = threading.Event()
        api.bus = lambda _: late.wait(20) and api.stream(_)
        old = nginx.workers()[0]
        try:
            nginx.reload()
            wait_until(lambda: shuts_down(old), 20, "the old one shuts down")
            time.sleep(0.3)
            return kept(nginx)
        finally:
            late.set()
            wait_until(lambda: len(nginx.workers()) == 1, 20, "it ends")
            wait_until(lambda: kept(nginx), 10, "a hit")

    # a machine that is very late may make a wait of it too long
    assert any(loses_nothing() for _ in range(5))


@OWN
def test_service(tmp_path, start):
    """What is granted for a Service is kept for it alone: the local address
    is a part of the key."""

    ip("addr", "add", f"{SERVICE}/32", "dev", "lo")

    def who(query):
        caps = {"example.com/cap/web": [{"role": query["svc_name"]}]} \
            if "svc_name" in query else None
        return http(body={**person("alice@example.com", address=ALICE),
                          "CapMap": caps})

    api, nginx = start(
        LocalAPI(str(tmp_path / "api.sock"), who, http(body=NODE)),
        CONF.replace("server {", f"tailgate_service svc:wiki {SERVICE};\n"
                     "server {").replace(
            "listen 100.64.0.1:@PORT@ reuseport", "listen @PORT@").replace(
            "$tailgate_tags", "$tailgate_caps"), cache=LONG)
    nginx.logged("has no event stream")

    def asked(address):
        with Client((address, nginx.port), ALICE) as client:
            answer = client.get("/")
        assert answer.status == 200
        return (answer.header("X-Cache"),
                "svc:wiki" in (answer.header("X-Tags") or ""))

    for cache in ("miss", "hit", "hit"):
        assert asked(SELF) == (cache, False)
        assert asked(SERVICE) == (cache, True)
    assert api.count() == 2


@pytest.mark.skipif(is_sanitized(), reason="not applicable: the sanitizers "
                    "keep what was freed")
@OWN
def test_ready_answers_are_bounded(start, tmp_path):
    """A worker keeps 4,096 answers of its own, and no more: those of all
    others are in the zone alone."""

    ip("route", "add", "local", "100.65.0.0/16", "dev", "lo")
    api, nginx = start(
        Devnet(tmp_path, PEOPLE), CONF.replace(
            "tailgate on;", "tailgate on; tailgate_trusted_proxy 100.64.0.4;"
            "set_real_ip_from 100.64.0.4; real_ip_header X-Forwarded-For;"
            "keepalive_requests 1000000;"),
        cache="tailgate_cache zone=z:16m negative=1h;")
    wait_until(lambda: kept(nginx), 10, "a hit")
    worker = nginx.workers()[0]

    with Client((SELF, nginx.port), ALICE) as client:

        def ask_for(addresses):
            """Many at once."""

            for i in range(0, len(addresses), 100):
                client.send("".join(
                    "GET / HTTP/1.1\r\nHost: a\r\n"
                    f"X-Forwarded-For: {address}\r\n\r\n"
                    for address in addresses[i:i + 100]))
                for _ in addresses[i:i + 100]:
                    assert client.response().status == 403

        peers = [f"100.65.{n // 250}.{n % 250 + 1}" for n in range(IN_ALL)]
        ask_for(peers[:AT_FIRST])
        ask_for(peers[:AT_FIRST])
        before = own_memory(worker)
        ask_for(peers)
        ask_for(peers)
        grown = own_memory(worker) - before

    # a ready-made answer takes more than a kilobyte
    assert grown < (IN_ALL - AT_FIRST) // 2, grown


def own_memory(pid):
    """Kilobytes that are not shared."""

    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read()).group(1))


def expires_in(seconds):
    """A WhoIs answer for whose key has an end, and that end."""

    end = int(time.time()) + seconds
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
    return end, lambda query: http(body=person(
        "alice@example.com", address=query["addr"], KeyExpiry=text))


@OWN
@pytest.mark.parametrize("cache, outage, expected", [
    ("tailgate_cache ttl=1h;", False, ("hit", 403)),
    ("tailgate_cache ttl=1s stale=1h;", True, ("stale", 503))],
    ids=["kept", "stale"])
def test_check_08_key_that_expires(start, told, cache, outage, expected):
    """An answer ends with the key of whom it names, also past its ttl."""

    api, nginx = start(told, cache=cache)
    following(api, nginx)

    def is_used_until_its_end():
        """Whether it was; it is never used behind that."""

        end, api.whois = expires_in(4)
        api.changed()
        time.sleep(0.5)        # what a change names is forgotten twice
        wait_until(lambda: kept(nginx), 10, "a hit")
        if outage:
            api.whois = lambda _: None
        used = set()
        while time.time() < end + 2:
            began = time.time()
            answer = ask(nginx)
            if answer.status == 200:
                used.add(answer.header("X-Cache"))
                # nginx's clock is that of its last event
                assert began <= end + 1
        wait_until(lambda: ask(nginx).status == expected[1], 10, expected)
        return expected[0] in used

    # a worker that is very late forgets what it keeps
    assert any(is_used_until_its_end() for _ in range(5))
