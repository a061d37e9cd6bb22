# Copyright (C) The Tailgate authors

"""Check 17 for trailers: nginx hands on those of grpc_pass."""

import h2.config
import h2.connection
import h2.events
import pytest

from conftest import ALICE, STRANGER
from h2_test import H2Client
from tailgate_test import Client, Server, certificate, free_port

OWN = [("grpc-status", "0"), ("x-app", "hello")]
IDENTITY = [("x-webauth-user", "mallory"), ("x_webauth.user", "mallory"),
            ("remote-user", "mallory"), ("tailgate-x", "y"),
            ("x-added", "stripped")]

CONF = """
server {
    listen 127.0.0.1:@PORT@ ssl http2;
    listen 127.0.0.1:@PLAIN@;
    ssl_certificate @CRT@;
    ssl_certificate_key @KEY@;
    tailgate_strip X-Added;

    location / { tailgate on; grpc_pass grpc://127.0.0.1:@GRPC@; }
    location /off { grpc_pass grpc://127.0.0.1:@GRPC@; }
    location /added { tailgate on; add_trailer X-Webauth-User $tailgate_login;
                      grpc_pass grpc://127.0.0.1:@GRPC@; }
}
server {
    listen 127.0.0.1:@OPEN@ ssl http2;
    ssl_certificate @CRT@;
    ssl_certificate_key @KEY@;
    location / { grpc_pass grpc://127.0.0.1:@GRPC@; }
}
"""


class Grpc(Server):
    """Answers each request with a body and trailers."""

    def serve(self, connection):
        state = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())

        while True:
            data = connection.recv(65536)
            if not data:
                return
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.answer(state, event.stream_id)
            connection.sendall(state.data_to_send())

    @staticmethod
    def answer(state, stream):
        state.send_headers(stream, [
            (":status", "200"), ("content-type", "application/grpc"),
            ("x-webauth-user", "mallory")])
        state.send_data(stream, b"message")
        state.send_headers(stream, [*OWN, *IDENTITY], end_stream=True)


@pytest.fixture
def nginx(world, tmp_path):
    crt, key = certificate(tmp_path)
    grpc = world.start(Grpc())
    return world.nginx(CONF, CRT=crt, KEY=key, GRPC=grpc.port,
                       PLAIN=free_port(), OPEN=free_port())


def ask(port, target, source=ALICE):
    """(answer, trailers) of a request."""

    with H2Client(port, source) as client:
        stream = client.send(target, [("te", "trailers")])
        answer = client.wait(stream)[0]
        return answer, client.trailers.get(stream, [])


@pytest.mark.parametrize("target", ["/", "/off"])
def test_check_17_trailers(nginx, target):
    answer, trailers = ask(nginx.port, target)
    assert (answer.status, answer.body) == (200, b"message")
    assert answer.header("X-Webauth-User") is None
    assert trailers == OWN


def test_check_17_trailers_http1(nginx):
    """Behind the last chunk."""

    with Client(nginx.values["PLAIN"], source=ALICE) as client:
        client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n"
                    "Connection: close\r\n\r\n")
        got = client.reader.rest()

    assert got.startswith(b"HTTP/1.1 200 ")
    assert got.endswith(b"0\r\n" + b"".join(
        f"{name}: {value}\r\n".encode() for name, value in OWN) + b"\r\n")
    assert b"mallory" not in got and b"stripped" not in got


def test_trailers_of_nginx_itself(nginx):
    """add_trailer is the administrator's own word, as add_header is."""

    _, trailers = ask(nginx.port, "/added")
    assert sorted(trailers) == sorted(
        [*OWN, ("x-webauth-user", "alice@example.com")])


def test_trailers_of_a_refusal(nginx):
    answer, trailers = ask(nginx.port, "/", STRANGER)
    assert (answer.status, trailers) == (403, [])


def test_trailers_of_an_open_server(nginx):
    """Where nothing is guarded nothing is touched; and nginx does hand them
    on."""

    _, trailers = ask(nginx.values["OPEN"], "/")
    assert trailers == [*OWN, *IDENTITY]
