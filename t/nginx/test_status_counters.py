# Copyright (C) The Tailgate authors

"""tailgate_status_page: what LocalAPI calls came to, and how long they took,
beside what really happened."""

import contextlib
import time

import pytest

from localapi_test import NODE, LocalAPI, http, whois
from tailgate_test import Nginx, get
from test_status import ALICE, OWN, SELF, metrics, shown

CONF = """
tailgate_localapi unix:@LOCALAPI@ timeout=@TIMEOUT@;
tailgate_cache off;
server {
    listen 100.64.0.1:@PORT@ reuseport;
    location / { tailgate on; empty_gif; }
}
server {
    listen unix:@DIR@/status.sock;
    location /page { tailgate_status_page; }
}
"""

PEOPLE = {ALICE: "alice@example.com", SELF: "web@example.com"}


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    """Starts a LocalAPI and nginx beside it."""

    with contextlib.ExitStack() as stack:

        def start(timeout="20s"):
            api = stack.enter_context(LocalAPI(
                str(tmp_path / "api.sock"), whois=whois(PEOPLE),
                status=http(body=NODE)))
            nginx = stack.enter_context(Nginx(
                tmp_path, CONF, TIMEOUT=timeout, LOCALAPI=api.path))
            return api, nginx

        yield start


def ask(nginx, source=ALICE):
    return get((SELF, nginx.port), "/", source=source).status


@OWN
@pytest.mark.parametrize("kind, answer", [
    ("closed", lambda _: None), ("status", http(500, "broken\n")),
    ("malformed", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ("malformed", http(body="{ not JSON")), ("timeout", None),
], ids=["closed", "status", "not-http", "not-json", "timeout"])
def test_errors(start, kind, answer):
    """Each request is one, of that kind alone."""

    api, nginx = start("20s" if answer else "500ms")
    if answer is None:
        api.hold.clear()
    else:
        api.whois = answer
    before = shown(nginx)["localapi"]["errors"]
    assert [ask(nginx) for _ in range(3)] == [503] * 3
    seen = shown(nginx)
    api.hold.set()
    errors = seen["localapi"]["errors"]
    assert errors[kind] >= before[kind] + 3
    assert errors == {**before, kind: errors[kind]}
    assert metrics(nginx)[f'tailgate_localapi_errors_total{{kind="{kind}"}}'] \
        >= errors[kind]
    assert next(row for row in seen["decisions"]
                if row["route"] == "(none)")["unavailable"] == 3


@OWN
def test_duration(start):
    """A call that takes long is in no bucket of shorter ones."""

    api, nginx = start()
    answer = api.whois

    def slowly(query):
        time.sleep(0.3)
        return answer(query)

    assert ask(nginx) == 200
    before = durations(nginx)
    api.whois = slowly
    assert ask(nginx) == 200
    after = durations(nginx)
    more = {bound: n - before[bound] for bound, n in after.items()}
    for bound, n in more.items():
        assert bound > 0.3 or n < more[float("inf")], (before, after)
    name = "tailgate_localapi_duration_seconds"
    found = metrics(nginx)
    assert found[f"{name}_count"] == after[float("inf")]
    assert found[f"{name}_sum"] >= 0.3


def durations(nginx):
    """{upper bound in seconds: calls}"""

    name = 'tailgate_localapi_duration_seconds_bucket{le="'
    return {float(key[len(name):-2]): value
            for key, value in metrics(nginx).items() if key.startswith(name)}
