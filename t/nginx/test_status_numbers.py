# Copyright (C) The Tailgate authors

"""tailgate_status_page: each counter by number, in all forms."""

import contextlib
import hashlib
import json
import re

import pytest

import counters_test
from counters_test import (ALICE, BOB, CASES, KINDS, NOBODY, POLICY, SELF,
                           Gate, name_of, told)
from network_test import ip, own_network
from tailgate_test import Client, Nginx, get, wait_until

OWN = own_network(SELF, ALICE, BOB, NOBODY)

CONF = """
tailgate_localapi unix:@LOCALAPI@ timeout=@TIMEOUT@;
tailgate_cache @CACHE@;
tailgate_policy @POLICY@;
server {
    listen 100.64.0.1:@PORT@ reuseport;
    location / { tailgate on; empty_gif; }
}
server {
    listen unix:@DIR@/status.sock;
    location /page { tailgate_status_page; }
}
"""

# what JSON calls a counter, and people
LABELS = {
    "lookups": "WhoIs calls to tailscaled", "hits": "Hits",
    "negative": "... that say: nobody", "misses": "Misses",
    "coalesced": "Waited for a call under way",
    "evicted_bus": "Evicted for a change", "evicted_ttl": "Evicted by age",
    "evicted_lru": "Evicted for want of room",
    "stale": "Stale answers used", "limited": "Misses refused to busy sources"}


class Module(Gate):

    def __init__(self, api, nginx, policy):
        self.api = api
        self.nginx = nginx
        self.policy = str(policy)
        self.read = policy.read_bytes()

    def client(self, source):
        return Client((SELF, self.nginx.port), source)

    def send(self, client, source, host):
        client.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")

    def page(self, form):
        answer = get(self.nginx.path("status.sock"), f"/page?format={form}")
        assert answer.status == 200
        return answer.body.decode()

    def text(self):
        return self.page("prometheus")

    def digest(self):
        return hashlib.sha256(self.read).hexdigest()

    def reload(self):
        with open(self.policy, "rb") as f:
            self.read = f.read()
        self.nginx.reload(CONF)
        wait_until(lambda: len(self.nginx.workers()) == 1, 20,
                   "the end of the old worker")

    def others(self, numbers):
        shown, page = json.loads(self.page("json")), self.page("html")
        assert set(shown["counters"]) == set(LABELS)
        for name, label in LABELS.items():
            n = int(numbers[name])
            assert shown["counters"][name] == n
            assert f"<dt>{label}</dt><dd>{n}</dd>" in page
        for kind in KINDS:
            n = int(numbers[f"error_{kind}"])
            assert shown["localapi"]["errors"][kind] == n
            assert f"<dt>Errors: {kind}</dt><dd>{n}</dd>" in page
        decided = self.decisions()
        assert decided == {
            (row["route"], outcome): row[outcome]
            for row in shown["decisions"] for outcome in row
            if outcome != "route" and row[outcome]}
        for row in shown["decisions"]:
            cells = "".join(f'<td class="n">{row[outcome]}</td>' for outcome
                            in ("allow", "deny", "unavailable"))
            assert f"<td>{row['route']}</td>{cells}" in page


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    with contextlib.ExitStack() as stack:

        def start(cache=True, bus="none", workers=1, timeout="20s",
                  size="1m", **more):
            api = stack.enter_context(told(tmp_path, bus))
            policy = tmp_path / "policy.yaml"
            policy.write_text(POLICY)
            more = {"ttl": "1h", **more}
            words = " ".join(f"{name}={value}" for name, value in more.items())
            nginx = stack.enter_context(Nginx(
                tmp_path, CONF, workers=workers, TIMEOUT=timeout,
                POLICY=policy, LOCALAPI=api.path,
                CACHE=f"zone=test:{size} {words}" if cache else "off"))
            gate = Module(api, nginx, policy)
            wait_until(lambda: gate.bus() == [bus], 20, "the bus")
            return gate

        yield start


@pytest.mark.parametrize("case", CASES, ids=name_of)
@OWN
def test_numbers(start, case):
    ip("route", "add", "local", "100.64.3.0/24", "dev", "lo")
    case(start)


@OWN
def test_numbers_of_many_workers(start):
    """Whoever waits for another worker's question has one, too."""

    counters_test.many_wait_for_one(
        lambda: start(workers=4))


@OWN
def test_digest_on_the_page(start):
    gate = start()
    seen = json.loads(gate.page("json"))
    assert seen["policies"] == [{"file": gate.policy,
                                 "digest": gate.digest()}]
    assert re.search(f"<td>{gate.digest()}</td>", gate.page("html"))
