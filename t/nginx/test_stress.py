# Copyright (C) The Tailgate authors

"""Answers that are kept while everything moves at once: people change machines
under load, nginx is reloaded and its workers are killed, tailscaled restarts
and its event stream comes and goes. Whoever is told must have been at that
address within the last second."""

import collections
import json
import math
import os
import random
import re
import signal
import socket
import threading
import time

import pytest

from late_test import Lateness
from network_test import add_addresses, in_thread, ip, unshare
from tailgate_test import Devnet, Nginx, is_sanitized, wait_until

SECONDS = 60                   # of everything at once
QUIET_SECONDS = 3              # of moves alone
SEEN_WITHIN = 1.0              # a change, in seconds
MACHINES = 200
PEOPLE = 40
CLIENTS = 4
AT_ONCE = 16                   # requests of a client
LIFE = 30                      # of a connection, in requests

# in seconds; instrumented, nginx itself takes longer than that for a reload
RELOAD = 1.0 if is_sanitized() else 0.2
KILL = 1.3
RESTART = 4.0                  # tailscaled is away, and then knows nobody
FLAP = 1.7                     # its event stream ends and is back at once
WORKERS = 3
WORKERS_MAX = 24               # old generations included

# the master's own word when it frees the lock of a worker that was killed
UNLOCKED = 'shared memory zone "stress" was locked by [0-9]+'

SELF = "100.64.0.1"
CONF = """
tailgate_localapi unix:@LOCALAPI@;
tailgate_cache zone=stress:256k ttl=5s misses=0;
server {
    listen 100.64.0.1:@PORT@ reuseport;
    tailgate on;
    location / {
        add_header X-Login $tailgate_login always;
        add_header X-Pid $pid always;
        empty_gif;
    }
}
"""


def address(n):
    return f"100.64.2.{n + 1}"


def person(n):
    return f"user{n}@example.com"


class Control:
    """devnet's control socket, without a process for each command."""

    def __init__(self, devnet):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(devnet.control)
        self.file = self.socket.makefile("r", encoding="utf-8")

    def __call__(self, *words):
        line = json.dumps([str(word) for word in words]) + "\n"
        self.socket.sendall(line.encode("utf-8"))
        answer = json.loads(self.file.readline())
        assert "error" not in answer, answer
        return answer

    def close(self):
        self.file.close()
        self.socket.close()


class Tailnet:
    """Who is where, and who was when; None: the machine is not there."""

    def __init__(self, control, lateness):
        self.control = control
        self.lateness = lateness
        # [from, until, who]: a change happens at some time of those
        self.history = {n: [[0.0, 0.0, person(n % PEOPLE)]]
                        for n in range(MACHINES)}

    def move(self, n, who):
        name = f"machine{n}"
        before = self.now(n)
        change = [time.monotonic(), math.inf, who]
        self.history[n].append(change)
        if who is None:
            self.control("remove", name)
        elif before is None:
            self.control("add", f"{{ name: {name}, address: {address(n)}, "
                         f"user: {who} }}")
        else:
            self.control("move", name, who)
        change[1] = time.monotonic()

    def now(self, n):
        return self.history[n][-1][2]

    def possible(self, n, began, ended):
        """Who may be seen by a request of that time."""

        within = SEEN_WITHIN + self.lateness.since(began - 2 * SEEN_WITHIN)
        history = list(self.history[n])
        seen = set()
        for i, (start, _, who) in enumerate(history):
            gone = history[i + 1][1] if i + 1 < len(history) else math.inf
            if start <= ended and gone + within >= began:
                seen.add(who)
        return seen


class Asked:
    """A request, on a connection that some have gone before on."""

    def __init__(self, port, n):
        self.n = n
        self.used = 0
        self.began = None
        self.socket = socket.create_connection((SELF, port), 20,
                                               (address(n), 0))

    def send(self):
        self.used += 1
        self.began = time.monotonic()
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    def receive(self):
        """(status, {name: value}) of an answer that is whole."""

        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        left = int(headers["content-length"]) - len(body)
        while left > 0:
            left -= len(self.more())
        return int(lines[0].split(" ")[1]), headers

    def more(self):
        try:
            data = self.socket.recv(4096)
        except TimeoutError as error:
            raise AssertionError(f"machine{self.n} got no answer") from error
        if not data:
            raise OSError("the end of a connection")
        return data


class Client(threading.Thread):
    """Asks again and again, as many machines at once."""

    def __init__(self, tailnet, port, stop, seed):
        super().__init__()
        self.tailnet = tailnet
        self.port = port
        self.stop = stop
        self.random = random.Random(seed)
        self.kept = {}
        self.outcomes = collections.Counter()
        self.workers = set()
        self.wrong = []
        self.fault = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.round()
        except BaseException as error:  # pylint: disable=broad-except
            self.fault = error
        for asked in self.kept.values():
            asked.socket.close()

    def round(self):
        under_way = []
        for n in self.random.sample(range(MACHINES), AT_ONCE):
            try:
                asked = self.kept.pop(n, None) or Asked(self.port, n)
                asked.send()
                under_way.append(asked)
            except OSError:
                self.outcomes["refused"] += 1
        for asked in under_way:
            try:
                status, headers = asked.receive()
            except OSError:
                self.outcomes["broken"] += 1
                asked.socket.close()
                continue
            self.judge(asked, status, headers)
            if headers["connection"] == "close" or asked.used == LIFE:
                asked.socket.close()
            else:
                self.kept[asked.n] = asked

    def judge(self, asked, status, headers):
        ended = time.monotonic()
        self.outcomes[status] += 1
        self.workers.add(headers.get("x-pid"))
        if status == 503:
            return
        possible = self.tailnet.possible(asked.n, asked.began, ended)
        told = headers.get("x-login", "") if status == 200 else None
        if told not in possible or status not in (200, 403):
            self.wrong.append((asked.n, status, told, possible, ended
                               - asked.began))


class Stress:
    """The tailnet, nginx on a node of it, and everybody else."""

    def __init__(self, devnet, nginx):
        self.devnet = devnet
        self.nginx = nginx
        self.control = Control(devnet)
        self.chance = random.Random(20261122)
        self.stop = threading.Event()
        self.lateness = Lateness(self.stop)
        self.tailnet = Tailnet(self.control, self.lateness)
        self.outcomes = collections.Counter()
        self.workers = set()

    def run(self, seconds, troubles):
        """troubles: {function: how often it is called, in seconds}"""

        clients = [Client(self.tailnet, self.nginx.port, self.stop, seed)
                   for seed in range(CLIENTS)]
        # threads share the namespace of the one that starts them
        for thread in [self.lateness, *clients]:
            thread.start()
        began = time.monotonic()
        due = {trouble: began + pause for trouble, pause in troubles.items()}
        try:
            while time.monotonic() - began < seconds:
                self.move()
                for trouble, when in due.items():
                    if time.monotonic() >= when:
                        trouble()
                        due[trouble] = time.monotonic() + troubles[trouble]
                time.sleep(0.02)
        finally:
            self.stop.set()
            for thread in [self.lateness, *clients]:
                thread.join()
        for client in clients:
            if client.fault:
                raise client.fault
            self.outcomes += client.outcomes
            self.workers |= client.workers
        wrong = [fault for client in clients for fault in client.wrong]
        assert not wrong, (len(wrong), wrong[:5], self.outcomes)

    def move(self):
        n = self.chance.randrange(MACHINES)
        who = self.chance.choice([person(self.chance.randrange(PEOPLE)),
                                  person(self.chance.randrange(PEOPLE)),
                                  None])
        if who != self.tailnet.now(n):
            self.tailnet.move(n, who)

    def reload(self):
        if len(self.nginx.workers()) < WORKERS_MAX:
            os.kill(self.nginx.master(), signal.SIGHUP)

    def kill(self):
        workers = self.nginx.workers()
        if workers:
            os.kill(self.chance.choice(workers), signal.SIGKILL)

    def restart(self):
        self.control("restart", 100, 100)

    def flap(self):
        self.control("restart", 1, 0)

    def ask_all(self):
        """What each machine is told, None for a refusal."""

        told = {}
        for n in range(MACHINES):
            asked = Asked(self.nginx.port, n)
            asked.send()
            status, headers = asked.receive()
            asked.socket.close()
            told[n] = headers.get("x-login", "") if status == 200 \
                else None if status == 403 else status
        return told

    def right(self):
        return self.ask_all() == {n: self.tailnet.now(n)
                                  for n in range(MACHINES)}

    def held(self):
        """Descriptors of nginx's master and workers, and of devnet."""

        return tuple(
            sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
            for pids in ([self.nginx.master()], self.nginx.workers(),
                         [self.devnet.process.pid]))

    def memory(self):
        """Resident kilobytes of nginx's master, and of its workers; none when
        instrumented, which keeps what was freed."""

        if is_sanitized():
            return 0, 0
        return tuple(sum(map(resident, pids))
                     for pids in ([self.nginx.master()],
                                  self.nginx.workers()))


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def in_stress(tmp_path, test):
    """Runs test(stress) in a network of its own."""

    def run():
        unshare()
        add_addresses("lo", SELF)
        ip("route", "add", "local", "100.64.2.0/24", "dev", "lo")
        people = ["tailnet: tail.example", "users:"]
        people += [f"  - login: {person(n)}" for n in range(PEOPLE)]
        people += ["self:", "  name: web1", f"  address: {SELF}",
                   f"  user: {person(0)}", "nodes:"]
        for n in range(MACHINES):
            people += [f"  - name: machine{n}", f"    address: {address(n)}",
                       f"    user: {person(n % PEOPLE)}"]
        with Devnet(tmp_path, "\n".join(people) + "\n") as devnet, \
                Nginx(tmp_path, CONF, workers=WORKERS, level="warn",
                      allow=UNLOCKED, LOCALAPI=devnet.socket) as nginx:
            stress = Stress(devnet, nginx)
            try:
                test(stress)
            finally:
                stress.control.close()

    in_thread(run)


def test_people_move(tmp_path):
    """Nobody is refused who need not be, where nothing else happens."""

    def moves(stress):
        stress.run(QUIET_SECONDS, {})
        outcomes = stress.outcomes
        assert set(outcomes) == {200, 403}, outcomes
        wait_until(stress.right, 10, "everybody is who they are")

    in_stress(tmp_path, moves)


@pytest.mark.long
def test_everything_at_once(tmp_path):
    """Nobody is taken for anybody else, no stranger is let in, and nothing is
    left over."""

    def everything(stress):
        wait_until(stress.right, 10, "everybody is who they are")
        stress.reload()
        settle(stress)
        held, (master, _) = stress.held(), stress.memory()

        stress.run(SECONDS, {stress.reload: RELOAD, stress.kill: KILL,
                             stress.restart: RESTART, stress.flap: FLAP})

        outcomes = stress.outcomes
        assert outcomes[200] > 1000 and outcomes[403] > 100, outcomes
        assert len(stress.workers) > SECONDS / 2, outcomes
        settle(stress)
        after = stress.held()
        # a worker keeps up to four connections to the LocalAPI
        assert after[0] <= held[0], (held, after)
        assert after[1] <= held[1] + 4 * WORKERS, (held, after)
        assert after[2] <= held[2] + 4 * WORKERS, (held, after)
        flat(stress, master)

    in_stress(tmp_path, everything)


def settle(stress):
    wait_until(lambda: len(stress.nginx.workers()) == WORKERS, 60,
               "old workers end")
    wait_until(stress.right, 20, "everybody is who they are")


def flat(stress, master):
    """Neither has the master grown with its reloads, nor do workers with
    requests."""

    for _ in range(5):
        assert stress.right()
    before = stress.memory()
    for _ in range(10):
        assert stress.right()
    after = stress.memory()
    assert after[0] - master < 4096, (master, after)
    assert after[1] - before[1] < 1024, (before, after)
