# Copyright (C) The Tailgate authors

"""What is counted, by number, beside what really happened: one table for the
nginx module and for tailgate-authd, which count by the same names.

A case is a function of start(), which gives a Gate: a server that is guarded,
and the LocalAPI that it asks. Where a case does not say otherwise there is no
event stream: one that is silent for a moment, on a machine with much to do,
counts as lost, and then no answer is kept."""

import contextlib
import time

from localapi_test import Told, http, person, whois
from tailgate_test import wait_until

SELF, ALICE, BOB, NOBODY = ("100.64.0.1", "100.64.0.4", "100.64.0.5",
                            "100.64.0.99")

PEOPLE = {ALICE: "alice@example.com", BOB: "bob@example.com",
          SELF: "web@example.com"}

POLICY = """
version: 1
routes:
  - name: wiki
    hosts: [wiki.corp]
    allow: [{ user: "*@example.com" }]
  - name: vault
    hosts: [vault.corp]
    allow: [{ user: bob@example.com }]
"""

KINDS = ("connect", "timeout", "closed", "status", "malformed", "internal")

# a short name for each counter of identifications
NAMES = {
    "lookups": "tailgate_lookups_total",
    "coalesced": "tailgate_lookups_coalesced_total",
    "hits": "tailgate_cache_hits_total",
    "misses": "tailgate_cache_misses_total",
    "negative": "tailgate_cache_negative_hits_total",
    "evicted_bus": 'tailgate_cache_evicted_total{reason="bus"}',
    "evicted_ttl": 'tailgate_cache_evicted_total{reason="ttl"}',
    "evicted_lru": 'tailgate_cache_evicted_total{reason="lru"}',
    "stale": "tailgate_stale_served_total",
    "limited": "tailgate_limited_misses_total",
    **{f"error_{kind}": f'tailgate_localapi_errors_total{{kind="{kind}"}}'
       for kind in KINDS}}

DURATION = "tailgate_localapi_duration_seconds"
BROKEN = http(500, "broken\n")


def parsed(text):
    """{name and labels: value} of Prometheus' text."""

    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in text.splitlines()
             if line and line[0] != "#")}


def told(directory, bus):
    """The LocalAPI of a case."""

    api = Told(str(directory / "api.sock"), whois=whois(PEOPLE))
    if bus != "followed":
        api.bus = http(404, "404 page not found\n")
    return api


class Gate:
    """One that is asked. A part that is tested gives client(source), a
    connection by which source may ask; text(), its metrics; and send(client,
    source, host)."""

    api = None

    def client(self, source):
        raise NotImplementedError

    def send(self, client, source, host):
        raise NotImplementedError

    def text(self):
        raise NotImplementedError

    def reload(self):
        raise NotImplementedError

    def others(self, numbers):
        """Looks at the other forms in which the same is told."""

    def ask(self, source=ALICE, host="wiki.corp"):
        with self.client(source) as client:
            self.send(client, source, host)
            return client.response().status

    def metrics(self):
        return parsed(self.text())

    def counts(self):
        found = self.metrics()
        return {short: found[name] for short, name in NAMES.items()}

    def expect(self, **numbers):
        """Each counter: those that are not named are 0."""

        wanted = {**dict.fromkeys(NAMES, 0), **numbers}
        found = self.counts()
        assert found == wanted, {name: (found[name], "not", wanted[name])
                                 for name in NAMES
                                 if found[name] != wanted[name]}
        self.others(found)

    def bus(self):
        """The states that are said to be: there is one."""

        return [name.split('"')[1] for name, value in self.metrics().items()
                if name.startswith("tailgate_bus_state") and value == 1]

    def decisions(self):
        """{(route, outcome): number}, without those that are 0."""

        return {tuple(name.split('"')[1::2]): value
                for name, value in self.metrics().items()
                if name.startswith("tailgate_decisions_total{") and value}

    @contextlib.contextmanager
    def held(self, n, source=ALICE):
        """Runs its body while n requests of source wait for an answer of
        tailscaled, and gives their statuses in the list."""

        misses, asked = self.counts()["misses"], self.api.count()
        self.api.hold.clear()
        statuses = []
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(self.client(source))
                       for _ in range(n)]
            try:
                for client in clients:
                    self.send(client, source, "wiki.corp")
                wait_until(lambda: self.counts()["misses"] == misses + n, 30,
                           "all of them wait")
                wait_until(lambda: self.api.count() > asked, 30,
                           "the question")
                yield statuses
            finally:
                self.api.hold.set()
            statuses += [client.response().status for client in clients]


def asked_again(start):
    gate = start()
    assert [gate.ask() for _ in range(6)] == [200] * 6
    assert [gate.ask(BOB) for _ in range(3)] == [200] * 3
    gate.expect(lookups=2, misses=2, hits=7)
    assert gate.api.count() == 2
    assert gate.metrics()["tailgate_cache_entries"] == 2


def asked_of_nobody(gate, n, others=0):
    """How many lookups n times nobody came to, and others. A 404 counts once
    tailscaled knew itself, and said so again; where the state of the node is
    older than a moment when it comes, authd asks once more."""

    asked = gate.api.count()
    assert 3 * n <= asked - others <= 4 * n
    return asked


def asked_about_nobody(start):
    gate = start(negative="1h")
    assert [gate.ask(NOBODY) for _ in range(5)] == [403] * 5
    gate.expect(lookups=asked_of_nobody(gate, 1), misses=1, hits=4,
                negative=4)


def nothing_is_kept(start):
    gate = start(cache=False)
    assert [gate.ask() for _ in range(4)] == [200] * 4
    assert [gate.ask(NOBODY) for _ in range(2)] == [403] * 2
    gate.expect(lookups=asked_of_nobody(gate, 2, others=4), misses=6)
    found = gate.metrics()
    for name in ("entries", "bytes", "capacity_bytes"):
        assert found[f"tailgate_cache_{name}"] == 0


def many_wait_for_one(start):
    """All but the first, whichever worker they came to."""

    gate = start()
    with gate.held(20) as statuses:
        pass
    assert statuses == [200] * 20
    gate.expect(lookups=1, misses=20, coalesced=19)
    assert gate.api.count() == 1


def evicted_by_the_bus(start):
    """Each answer that was kept goes once, and the message is told of twice:
    the second time nothing is there. Lookups have no number of their own, as a
    stream that is silent for a moment has one made again."""

    gate = start(bus="followed")
    assert gate.ask(ALICE) == gate.ask(BOB) == 200
    gate.api.changed()
    wait_until(lambda: gate.counts()["evicted_bus"] == 2, 20, "both are gone")
    assert gate.metrics()["tailgate_cache_entries"] == 0
    n = gate.api.count()
    gate.expect(lookups=n, misses=2, evicted_bus=2)


def evicted_while_asked_for(start):
    """A question that is under way is no answer: only Bob's was one."""

    gate = start(bus="followed")
    assert gate.ask(BOB) == 200
    with gate.held(1) as statuses:
        gate.api.changed()
        wait_until(lambda: gate.counts()["evicted_bus"], 20, "it is heard")
        assert gate.counts()["evicted_bus"] == 1
    assert statuses == [200]


def evicted_by_the_ttl(start):
    """Once for each answer, however often it is asked for past its end. Only
    time ends an answer; more of it than asked for does no harm."""

    gate = start(ttl="1s")
    for _ in range(3):
        assert gate.ask() == 200
        time.sleep(1.1)
    gate.expect(lookups=3, misses=3, evicted_ttl=2)

    gate.api.whois = BROKEN
    assert [gate.ask() for _ in range(3)] == [503] * 3
    gate.expect(lookups=6, misses=6, evicted_ttl=3, error_status=3)


def evicted_for_want_of_room(start):
    """Whoever was put in is there, or was evicted."""

    gate = start(size="64k")
    gate.api.whois = lambda query: http(body=person(
        "alice@example.com", "x" * 900, address=query["addr"],
        StableID="n" + query["addr"]))
    for n in range(1, 121):
        assert gate.ask(f"100.64.3.{n}") == 200
    entries = gate.metrics()["tailgate_cache_entries"]
    assert 0 < entries < 120
    gate.expect(lookups=120, misses=120, evicted_lru=120 - entries)


def a_source_is_limited(start):
    """Who is refused made for no lookup, and missed nothing. How many are is
    a matter of time, as a source may cause one a second; an answer that is
    kept for no time has ended when its source asks again."""

    gate = start(negative="0s", misses=1)
    statuses = []
    while statuses.count(503) < 5:
        statuses.append(gate.ask(NOBODY))
    assert set(statuses) == {403, 503}
    known = statuses.count(403)
    gate.expect(lookups=asked_of_nobody(gate, known), misses=known,
                limited=statuses.count(503),
                evicted_ttl=known - (statuses[-1] == 403))


def stale_answers_are_served(start):
    """Each request that was let in by one, also if it waited with others."""

    gate = start(ttl="1s", stale="1h")
    assert gate.ask() == 200
    time.sleep(1.1)
    gate.api.whois = BROKEN
    assert [gate.ask() for _ in range(3)] == [200] * 3
    gate.expect(lookups=4, misses=4, stale=3, evicted_ttl=1, error_status=3)
    with gate.held(5) as statuses:
        pass
    assert statuses == [200] * 5
    gate.expect(lookups=5, misses=9, coalesced=4, stale=8, evicted_ttl=1,
                error_status=4)


def errors(kind, answer):
    """Each call is one, of that kind alone."""

    def case(start):
        gate = start(cache=False)
        assert gate.ask() == 200
        gate.api.whois = answer
        assert [gate.ask() for _ in range(3)] == [503] * 3
        gate.expect(lookups=4, misses=4, **{f"error_{kind}": 3})
        assert gate.decisions() == {("wiki", "allow"): 1,
                                    ("(none)", "unavailable"): 3}

    case.__name__ = f"errors_{kind}"
    return case


def errors_timeout(start):
    """At least: where the time is short another call may not make it."""

    gate = start(cache=False, timeout="1s")
    gate.api.hold.clear()
    assert [gate.ask() for _ in range(2)] == [503] * 2
    found = gate.counts()
    gate.api.hold.set()
    assert found["error_timeout"] >= 2
    assert not any(found[f"error_{kind}"] for kind in KINDS
                   if kind != "timeout")


def errors_connect(start):
    """At least: the node's own state, which is asked for now and then, is not
    told either."""

    gate = start(cache=False)
    assert gate.ask() == 200
    gate.api.close()
    assert [gate.ask() for _ in range(3)] == [503] * 3
    found = gate.counts()
    assert found["error_connect"] >= 3
    assert not any(found[f"error_{kind}"] for kind in KINDS
                   if kind != "connect")


def how_long_calls_take(start):
    """As many as there were calls of any kind but the stream; and what takes
    long is in no bucket of shorter ones, but makes the sum larger."""

    gate = start(cache=False)
    assert [gate.ask() for _ in range(5)] == [200] * 5
    before = settled_durations(gate)
    answer = gate.api.whois

    def slowly(query):
        time.sleep(0.3)
        return answer(query)

    gate.api.whois = slowly
    assert gate.ask() == 200
    after = settled_durations(gate)
    assert all(before["buckets"][bound] <= n <= after["count"]
               for bound, n in after["buckets"].items())
    short = [after["buckets"][bound] - before["buckets"][bound]
             for bound in after["buckets"] if bound <= 0.3]
    assert short and max(short) < after["count"] - before["count"]
    assert after["sum"] - before["sum"] >= 0.3


def settled_durations(gate):
    """With all calls ended that began."""

    def settled():
        found = gate.metrics()
        calls = gate.api.count() + gate.api.count("status")
        return found if found[f"{DURATION}_count"] == calls else None

    found = wait_until(settled, 20, "the end of all calls")
    bucket = f'{DURATION}_bucket{{le="'
    buckets = {float(name[len(bucket):-2]): value
               for name, value in found.items() if name.startswith(bucket)}
    count = found[f"{DURATION}_count"]
    assert list(buckets) == sorted(buckets)
    assert list(buckets.values()) == sorted(buckets.values())
    assert buckets[float("inf")] == count
    return {"buckets": buckets, "count": count,
            "sum": found[f"{DURATION}_sum"]}


def the_bus_is_lost(start):
    """And back: what was kept is of no use meanwhile, and goes then. A stream
    that cannot be had is no call that failed."""

    gate = start(bus="followed")
    assert gate.ask() == 200
    stream, gate.api.bus = gate.api.bus, lambda _: None
    gate.api.hang_up()
    wait_until(lambda: gate.bus() == ["lost"], 20, "it is lost")
    before, asked = gate.counts(), gate.api.count()

    # nginx's clock moves by what the kernel calls a tick: in the one of a
    # question its answer is not older than a request
    n = 0
    while (after := gate.counts())["misses"] < before["misses"] + 4:
        assert gate.ask() == 200
        n += 1
    more = {name: after[name] - before[name] for name in NAMES
            if after[name] != before[name] and name != "hits"}
    assert more == {"lookups": 4, "misses": 4}, more
    assert after["hits"] - before["hits"] == n - 4
    assert gate.api.count() == asked + 4
    gate.api.bus = stream
    wait_until(lambda: gate.bus() == ["followed"], 20, "it is back")
    wait_until(lambda: gate.metrics()["tailgate_cache_entries"] == 0, 20,
               "nothing is left")
    assert not any(gate.counts()[f"error_{kind}"] for kind in KINDS)


def there_is_no_bus(start):
    assert start().bus() == ["none"]


def there_is_no_cache(start):
    assert start(cache=False).bus() == ["none"]


def decisions_by_route(start):
    gate = start()
    for source, host, n, status in ((ALICE, "wiki.corp", 4, 200),
                                    (NOBODY, "wiki.corp", 1, 403),
                                    (ALICE, "vault.corp", 2, 403),
                                    (BOB, "vault.corp", 3, 200),
                                    (BOB, "nowhere.corp", 5, 403)):
        assert [gate.ask(source, host) for _ in range(n)] == [status] * n
    assert gate.decisions() == {
        ("wiki", "allow"): 4, ("wiki", "deny"): 1, ("vault", "deny"): 2,
        ("vault", "allow"): 3, ("(none)", "deny"): 5}, gate.decisions()


def a_policy_in_force(start):
    """The digest of the file as it was when it was read."""

    gate = start()
    for n in (0, 1):
        found = gate.metrics()
        assert found["tailgate_reloads_total"] == n
        assert found["tailgate_reloads_failed_total"] == 0
        assert found["tailgate_config_ok"] == 1
        info = [name for name in found if name.startswith("tailgate_policy_")]
        assert info == [f'tailgate_policy_info{{file="{gate.policy}",'
                        f'digest="{gate.digest()}"}}']
        if n == 0:
            with open(gate.policy, "a", encoding="utf-8") as f:
                f.write("contact: it@example.com\n")
            gate.reload()


CASES = [
    asked_again, asked_about_nobody, nothing_is_kept, many_wait_for_one,
    evicted_by_the_bus, evicted_while_asked_for, evicted_by_the_ttl,
    evicted_for_want_of_room, a_source_is_limited, stale_answers_are_served,
    errors("closed", lambda _: None), errors("status", BROKEN),
    errors("malformed", http(body="{ not JSON")), errors_timeout,
    errors_connect, how_long_calls_take, the_bus_is_lost, there_is_no_bus,
    there_is_no_cache, decisions_by_route, a_policy_in_force]


def name_of(case):
    return case.__name__.replace("_", "-")
