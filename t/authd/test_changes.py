# Copyright (C) The Tailgate authors

"""Changes that come while tailscaled is being asked."""

import contextlib
import time

from authd import ALICE, CONF, Authd, original
from tailgate_test import Client, wait_until
from test_cache import TARGET, evicted, metric

SLOW = CONF + "localapi_timeout: 20s\n"
LOCAL = "127.0.0.1"


def send(client, headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    client.send(f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n{lines}\r\n")


def statuses(localapi):
    return sum("/status" in target for target in localapi.targets)


def test_flushes_let_the_node_answer(tmp_path, localapi):
    """The node's own state is asked for once, and again behind its answer,
    however often everything changes meanwhile."""

    with Authd(tmp_path, localapi.path, SLOW) as authd, \
            contextlib.ExitStack() as stack:
        wait_until(lambda: localapi.streams, 10, "the stream")
        assert authd.get(TARGET, original()).status == 200
        clients = [stack.enter_context(Client(authd.socket))
                   for _ in range(20)]
        localapi.gate.clear()
        before = statuses(localapi)
        for client in clients:
            localapi.tell()
            metric(authd, "cache_misses_total")
            send(client, original())
            metric(authd, "cache_misses_total")
        wait_until(lambda: statuses(localapi) > before, 10, "a question")
        assert statuses(localapi) == before + 1
        localapi.gate.set()
        assert {client.response().status for client in clients} == {200}


def test_change_on_the_way_of_a_port(tmp_path, localapi):
    """What is asked about a port is not kept, and yet an answer from before a
    change of the node behind it is none."""

    def change(number):
        localapi.tell({"PeersChanged": [{
            "ID": 4, "Addresses": ["100.64.0.4/32"], "Name": f"a{number}."}]})

    local = original(LOCAL, port=4242)
    localapi.answer = lambda *_: (200, ALICE)
    with Authd(tmp_path, localapi.path, SLOW) as authd, \
            Client(authd.socket) as client:
        wait_until(lambda: localapi.streams, 10, "the stream")
        wait_until(lambda: (authd.get(TARGET, original()),
                            authd.decided())[1]["cache"] == "hit", 10, "a hit")
        before = evicted(authd)
        change(0)
        wait_until(lambda: evicted(authd) > before, 10, "the node is heard of")
        # what is new makes everything out of date, and once more in 200 ms
        time.sleep(0.5)
        wait_until(lambda: (authd.get(TARGET, original()),
                            authd.decided())[1]["cache"] == "hit", 10, "a hit")
        assert authd.get(TARGET, local).status == 200
        before = evicted(authd)

        localapi.gate.clear()
        asked = len(localapi.asked)
        send(client, local)
        wait_until(lambda: len(localapi.asked) > asked, 10, "a question")

        # the first answer is on its way, and says that it is Alice
        localapi.answer = lambda *_: (404, "no match")
        change(1)
        wait_until(lambda: evicted(authd) > before, 10, "the change is heard")
        localapi.gate.set()
        assert client.response().status == 403
