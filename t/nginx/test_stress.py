# Copyright (C) The Tailgate authors

"""Answers that are kept while everything moves: people change machines under
load, nginx is reloaded and its workers are killed, tailscaled restarts and its
event stream comes and goes. Whoever is told must have been at that address
within the last second."""

import collections
import os
import random
import signal
import socket
import threading
import time

from network_test import add_addresses, in_thread, unshare
from tailgate_test import Devnet, Nginx, wait_until

SECONDS = 10                   # of load, for each test
SEEN_WITHIN = 1.0              # a change, in seconds
MACHINES = 40
PEOPLE = 8

SELF = "100.64.0.1"
CONF = """
tailgate_localapi unix:@LOCALAPI@;
tailgate_cache zone=stress:256k ttl=5s;
server {
    listen 100.64.0.1:@PORT@ reuseport;
    tailgate on;
    location / {
        add_header X-Login $tailgate_login always;
        empty_gif;
    }
}
"""


def address(n):
    return f"100.64.2.{n + 1}"


def person(n):
    return f"user{n}@example.com"


class Tailnet:
    """Who is where, and who was when; None: the machine is not there."""

    def __init__(self, devnet):
        self.devnet = devnet
        self.lock = threading.Lock()
        self.history = collections.defaultdict(list)
        for n in range(MACHINES):
            self.history[n].append((0.0, None, person(n % PEOPLE)))

    def move(self, n, who):
        """The change has happened at some time between two that are noted."""

        began = time.monotonic()
        name = f"machine{n}"
        if who is None:
            self.devnet.ctl("remove", name)
        elif self.now(n) is None:
            self.devnet.ctl("add", f"{{ name: {name}, address: {address(n)}, "
                            f"user: {who} }}")
        else:
            self.devnet.ctl("move", name, who)
        with self.lock:
            self.history[n].append((began, time.monotonic(), who))

    def now(self, n):
        with self.lock:
            return self.history[n][-1][2]

    def possible(self, n, began, ended):
        """Who may be seen by a request of that time."""

        with self.lock:
            history = list(self.history[n])
        seen = set()
        for i, (start, _, who) in enumerate(history):
            gone = history[i + 1][1] if i + 1 < len(history) else None
            if start <= ended and (gone is None
                                   or gone + SEEN_WITHIN >= began):
                seen.add(who)
        return seen


class Client(threading.Thread):
    """Asks again and again, as any machine."""

    def __init__(self, tailnet, port, stop, seed):
        super().__init__()
        self.tailnet = tailnet
        self.port = port
        self.stop = stop
        self.random = random.Random(seed)
        self.outcomes = collections.Counter()
        self.wrong = []

    def run(self):
        while not self.stop.is_set():
            n = self.random.randrange(MACHINES)
            began = time.monotonic()
            try:
                status, login = self.ask(n)
            except OSError:
                self.outcomes["refused"] += 1
                continue
            ended = time.monotonic()
            self.outcomes[status] += 1
            if status == 503:
                continue
            # the change may be noted a little after it was seen
            time.sleep(0.05)
            possible = self.tailnet.possible(n, began, ended + 0.05)
            told = login if status == 200 else None
            if told not in possible:
                self.wrong.append((n, status, login, possible, began))

    def ask(self, n):
        with socket.create_connection((SELF, self.port), 20,
                                      (address(n), 0)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            data = b""
            while True:
                part = client.recv(4096)
                if not part:
                    break
                data += part
        if not data:
            raise OSError("no answer")
        head = data.split(b"\r\n\r\n", 1)[0].decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        login = ""
        for line in head[1:]:
            if line.lower().startswith("x-login: "):
                login = line[len("x-login: "):]
        return status, login


def run_stress(tmp_path, trouble):
    """Moves people for a while as trouble(devnet, nginx, n) does its work
    besides; n counts its calls."""

    unshare()
    add_addresses("lo", SELF, *[address(n) for n in range(MACHINES)])
    people = ["tailnet: tail.example", "users:"]
    people += [f"  - login: {person(n)}" for n in range(PEOPLE)]
    people += ["self:", "  name: web1", f"  address: {SELF}",
               f"  user: {person(0)}", "nodes:"]
    for n in range(MACHINES):
        people += [f"  - name: machine{n}", f"    address: {address(n)}",
                   f"    user: {person(n % PEOPLE)}"]

    with Devnet(tmp_path, "\n".join(people) + "\n") as devnet, \
            Nginx(tmp_path, CONF, workers=3, level="warn",
                  allow="exited on signal 9", LOCALAPI=devnet.socket) as nginx:
        tailnet = Tailnet(devnet)
        stop = threading.Event()
        clients = [Client(tailnet, nginx.port, stop, seed)
                   for seed in range(6)]
        # threads share the namespace of the one that starts them
        for client in clients:
            client.start()
        chance = random.Random(20261122)
        began = time.monotonic()
        calls = 0
        try:
            while time.monotonic() - began < SECONDS:
                n = chance.randrange(MACHINES)
                who = chance.choice([person(chance.randrange(PEOPLE)),
                                     person(chance.randrange(PEOPLE)), None])
                if who != tailnet.now(n):
                    tailnet.move(n, who)
                trouble(devnet, nginx, calls)
                calls += 1
                time.sleep(0.02)
        finally:
            stop.set()
            for client in clients:
                client.join()
        outcomes = sum((client.outcomes for client in clients),
                       collections.Counter())
        wrong = [fault for client in clients for fault in client.wrong]
        assert not wrong, (len(wrong), wrong[:5], outcomes)
        assert outcomes[200] > 200 and outcomes[403] > 20, outcomes
        wait_until(lambda: len(nginx.workers()) == 3, 20, "workers that end")
        return outcomes


def test_people_move(tmp_path):
    outcomes = in_thread(run_stress, tmp_path, lambda *_: None)
    assert outcomes[503] == 0, outcomes
    assert outcomes["refused"] == 0, outcomes


def test_people_move_under_reloads(tmp_path):
    def trouble(_, nginx, calls):
        if calls % 10 == 9:
            os.kill(nginx.master(), signal.SIGHUP)

    in_thread(run_stress, tmp_path, trouble)


def test_people_move_and_workers_die(tmp_path):
    def trouble(_, nginx, calls):
        if calls % 12 == 11:
            workers = nginx.workers()
            if workers:
                os.kill(workers[calls % len(workers)], signal.SIGKILL)

    in_thread(run_stress, tmp_path, trouble)


def test_people_move_and_tailscaled_restarts(tmp_path):
    """The stream comes and goes, and each time tailscaled knows nobody."""

    def trouble(devnet, _, calls):
        if calls % 25 == 24:
            devnet.ctl("restart", 100, 100)

    in_thread(run_stress, tmp_path, trouble)
