# Copyright (C) The Tailgate authors

"""A client of many addresses: connections from each of them, requests by the
thousand. It is slower than nginx, so that what nginx does is measured by its
own processor time, or counted."""

import collections
import ipaddress
import resource
import select
import socket
import time

IPV6_FREEBIND = 78                      # linux/in6.h
REQUEST = b"GET /small.txt HTTP/1.1\r\nHost: app.corp\r\n\r\n"

Answer = collections.namedtuple("Answer", "status headers seconds")


def allow_files():
    """As many open connections as the machine lets us have: how many."""

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def addresses(network, n):
    """The first n addresses of a network."""

    first = int(ipaddress.ip_network(network).network_address) + 1
    return [str(ipaddress.ip_address(first + i)) for i in range(n)]


class Connection:
    def __init__(self, address, source):
        self.socket = socket.socket(socket.AF_INET6)
        self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        self.socket.bind((source, 0))
        self.socket.setblocking(False)
        self.socket.connect_ex(address)
        self.data = b""
        self.sent = 0.0

    def fileno(self):
        return self.socket.fileno()

    def send(self):
        self.data = b""
        self.sent = time.monotonic()
        self.socket.sendall(REQUEST)

    def receive(self):
        """An Answer when it is whole."""

        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("nginx closed a connection")
        self.data += got
        head, mark, body = self.data.partition(b"\r\n\r\n")
        if not mark:
            return None

        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        if len(body) < int(headers["content-length"]):
            return None
        return Answer(int(lines[0].split(" ")[1]), headers,
                      time.monotonic() - self.sent)

    def close(self):
        self.socket.close()


class Clients:
    """Connections to address, (host, port) in a namespace."""

    def __init__(self, space, address):
        self.space = space
        self.address = address
        self.poll = select.epoll()
        self.open = {}

    def connect(self, sources):
        with self.space.entered():
            made = [Connection(self.address, source) for source in sources]
        for connection in made:
            self.open[connection.fileno()] = connection
            self.poll.register(connection.fileno(), select.EPOLLOUT)
        waiting = len(made)
        while waiting:
            for fd, _ in self.events():
                self.poll.modify(fd, select.EPOLLIN)
                waiting -= 1
        return made

    def events(self):
        found = self.poll.poll(60)
        if not found:
            raise TimeoutError("no answer within 60 seconds")
        return found

    def ask(self, connections, window):
        """A request on each connection, up to window of them under way."""

        rest = iter(connections)
        answers = []
        under_way = 0
        for connection in rest:
            connection.send()
            under_way += 1
            if under_way == window:
                break
        while under_way:
            for fd, _ in self.events():
                answer = self.open[fd].receive()
                if answer is None:
                    continue
                answers.append(answer)
                under_way -= 1
                connection = next(rest, None)
                if connection is not None:
                    connection.send()
                    under_way += 1
        return answers

    def close(self, connections=None):
        for connection in list(connections or self.open.values()):
            self.poll.unregister(connection.fileno())
            del self.open[connection.fileno()]
            connection.close()


def sweep(space, address, sources, window=256):
    """One request from each source, each on a connection of its own."""

    answers = []
    clients = Clients(space, address)
    for i in range(0, len(sources), window):
        made = clients.connect(sources[i:i + window])
        answers += clients.ask(made, window)
        clients.close(made)
    return answers


def ask_localapi(path, sources, window):
    """WhoIs for each source, on window kept connections."""

    rest = iter(sources)
    poll = select.epoll()
    under_way = {}

    def send(connection):
        source = next(rest, None)
        if source is None:
            return False
        connection.data = b""
        connection.socket.sendall(
            f"GET /localapi/v0/whois?addr={source} HTTP/1.1\r\n"
            "Host: local-tailscaled.sock\r\n\r\n".encode("ascii"))
        return True

    for _ in range(window):
        connection = Connection.__new__(Connection)
        connection.socket = socket.socket(socket.AF_UNIX)
        connection.socket.connect(path)
        connection.sent = 0.0
        if send(connection):
            under_way[connection.fileno()] = connection
            poll.register(connection.fileno(), select.EPOLLIN)

    answered = 0
    while answered < len(sources):
        for fd, _ in poll.poll(60):
            answer = under_way[fd].receive()
            if answer is None:
                continue
            if answer.status != 200:
                raise ConnectionError(f"the LocalAPI answers {answer.status}")
            answered += 1
            send(under_way[fd])
    for connection in under_way.values():
        connection.close()
