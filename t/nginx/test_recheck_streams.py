# Copyright (C) The Tailgate authors

"""What runs for long, by kind: gRPC, event streams and big downloads of a peer
that has lost its right are closed, with a line in the log, and the app behind
is told; those of everybody else go on. For WebSockets see test_recheck.py."""

import contextlib
import socket
import threading

import h2.config
import h2.connection
import h2.events
import pytest

from h2_test import H2Client
from tailgate_test import Reader, Server, free_port, wait_until
from test_recheck import ALICE, BOB, followed

SIZE = 20_000_000              # more than all sockets on the way take

LOST = 'closed, member "alice@example.com" has lost its right'

CONF = """
tailgate_recheck 200ms;
proxy_http_version 1.1;
server {
    listen 127.0.0.1:@PORT@;
    listen 127.0.0.1:@HTTP2@ http2;
    tailgate on;
    location / {
        add_header X-Cache $tailgate_cache always;
        proxy_pass http://127.0.0.1:@APP@;
    }
    location /file { alias @DIR@/file; }
    location /stream {
        proxy_buffering off;
        proxy_pass http://127.0.0.1:@STREAMS@;
    }
    location /grpc/ { grpc_pass grpc://127.0.0.1:@GRPC@; }
    location /grpc/off/ {
        tailgate_recheck 0;
        grpc_pass grpc://127.0.0.1:@GRPC@;
    }
}
"""


class EventStreams(Server):
    """An app of server-sent events: tell() sends one to whom asked for a
    target, ended has the targets whose connection was closed."""

    def __init__(self):
        self.clients = {}
        self.ended = set()
        super().__init__()

    def serve(self, connection):
        line, _ = Reader(connection).head()
        target = line.split(" ")[1]
        self.clients[target] = connection
        connection.sendall(b"HTTP/1.1 200 OK\r\n"
                           b"Content-Type: text/event-stream\r\n"
                           b"Connection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            connection.recv(1)
        self.ended.add(target)

    def tell(self, target, event):
        self.clients[target].sendall(b"data: " + event + b"\n\n")


class GRPCStreams(Server):
    """Sends each message back at once; ended counts the streams that did not
    end by themselves."""

    def __init__(self):
        self.ended = 0
        self.counting = threading.Lock()
        super().__init__()

    def serve(self, connection):
        state = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding=None))
        state.initiate_connection()
        streams = set()
        try:
            while True:
                connection.sendall(state.data_to_send())
                data = connection.recv(65536)
                if not data:
                    return
                for event in state.receive_data(data):
                    self.take(state, streams, event)
        finally:
            with self.counting:
                self.ended += len(streams)

    def take(self, state, streams, event):
        if isinstance(event, h2.events.RequestReceived):
            streams.add(event.stream_id)
            state.send_headers(event.stream_id, [
                (":status", "200"), ("content-type", "application/grpc")])
        elif isinstance(event, h2.events.DataReceived):
            state.acknowledge_received_data(event.flow_controlled_length,
                                            event.stream_id)
            state.send_data(event.stream_id, event.data)
        elif isinstance(event, h2.events.StreamEnded):
            streams.discard(event.stream_id)
            state.send_headers(event.stream_id, [("grpc-status", "0")],
                               end_stream=True)
        elif isinstance(event, h2.events.StreamReset):
            streams.discard(event.stream_id)
            with self.counting:
                self.ended += 1


@pytest.fixture(name="site")
def fixture_site(world):
    """nginx, with its apps as .events and .grpc, and a second port."""

    events = world.start(EventStreams())
    grpc = world.start(GRPCStreams())
    nginx = world.nginx(CONF, STREAMS=events.port, GRPC=grpc.port,
                        HTTP2=free_port())
    nginx.events, nginx.grpc = events, grpc
    wait_until(lambda: followed(nginx), 20, "the bus is followed")
    return nginx


def connect(nginx, source):
    """A socket that takes little in."""

    client = socket.socket()
    client.settimeout(20)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    client.bind((source, 0))
    client.connect(("127.0.0.1", nginx.port))
    return client


def connect_http2(nginx, source):
    return H2Client(("127.0.0.1", nginx.values["HTTP2"]), source=source,
                    tls=False)


def rest(client):
    """How much still comes, until the other side ends it."""

    n = 0
    with contextlib.suppress(ConnectionResetError):
        while data := client.recv(1 << 20):
            n += len(data)
    return n


def test_check_25_events(world, site):
    streams = {}
    with contextlib.ExitStack() as stack:
        for who, source in ("alice", ALICE), ("bob", BOB):
            client = stack.enter_context(connect(site, source))
            client.sendall(f"GET /stream?{who} HTTP/1.1\r\nHost: a\r\n\r\n"
                           .encode("ascii"))
            streams[who] = client, Reader(client)
            streams[who][1].head()

        def told(who, event):
            site.events.tell(f"/stream?{who}", event)
            return b"data: " + event in streams[who][1].until(b"\n\n")

        for who in streams:
            assert told(who, b"first")
        world.devnet.ctl("remove", "alice-laptop")
        assert rest(streams["alice"][0]) <= len(b"0\r\n\r\n")
        site.logged(LOST)
        wait_until(lambda: site.events.ended == {"/stream?alice"}, 20,
                   "the app is told")
        assert told("bob", b"last")
        assert site.error_log().count("has lost its right") == 1


def test_check_25_grpc(world, site):
    """The streams alone: what another location does not look at again goes on
    beside them, and the connection's next one is decided anew."""

    headers = [("content-type", "application/grpc"), ("te", "trailers")]
    with connect_http2(site, ALICE) as alice, connect_http2(site, BOB) as bob:

        def begin(client, target):
            stream = client.send(target, headers, "POST", end=False)
            assert answered(client, stream)
            return stream

        def answered(client, stream):
            n = len(client.answers[stream][2]) + 9
            client.write(stream, b"\0\0\0\0\4ping")
            return client.until(stream, n)

        lost = [begin(alice, "/grpc/a"), begin(alice, "/grpc/b")]
        left = begin(alice, "/grpc/off/a")
        other = begin(bob, "/grpc/a")
        world.devnet.ctl("remove", "alice-laptop")
        alice.wait(*lost)
        site.logged(LOST)
        wait_until(lambda: site.grpc.ended == 2, 20, "the app is told")
        assert not any(stream in alice.trailers for stream in lost)
        assert alice.get("/").status == 403
        for client, stream in (alice, left), (bob, other):
            assert answered(client, stream)
            client.state.end_stream(stream)
            client.flush()
            client.wait(stream)
            assert client.trailers[stream] == [("grpc-status", "0")]
        assert site.error_log().count("has lost its right") == 2


@pytest.mark.parametrize("target", ["/file", "/app"])
def test_check_25_download(world, site, target):
    """What nginx sends itself, and what it passes on."""

    body = bytes(SIZE)
    with open(site.path("file"), "wb") as f:
        f.write(body)
    world.app.answers["/app"] = (200, [], body)
    clients, heads = [], []
    with contextlib.ExitStack() as stack:
        for source in ALICE, BOB:
            client = stack.enter_context(connect(site, source))
            client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode("ascii"))
            clients.append(client)
            reader = Reader(client)
            reader.head()
            heads.append(len(reader.buffer))
        world.devnet.ctl("remove", "alice-laptop")
        site.logged(LOST, 20)
        alice, bob = (begun + rest(client)
                      for begun, client in zip(heads, clients))
        assert alice < SIZE and bob == SIZE


@pytest.mark.parametrize("target", ["/file", "/app"])
def test_check_25_download_http2(world, site, target):
    """Where the client's window holds it back."""

    body = bytes(SIZE // 10)
    with open(site.path("file"), "wb") as f:
        f.write(body)
    world.app.answers["/app"] = (200, [], body)
    with connect_http2(site, ALICE) as alice, connect_http2(site, BOB) as bob:
        streams = [client.send(target) for client in (alice, bob)]
        for client, stream in zip((alice, bob), streams):
            assert client.until(stream, 1)
        world.devnet.ctl("remove", "alice-laptop")
        site.logged(LOST, 20)
        assert len(alice.wait(streams[0])[0].body) < len(body)
        assert bob.wait(streams[1])[0].body == body
        assert alice.get("/").status == 403
