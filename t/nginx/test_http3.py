# Copyright (C) The Tailgate authors

"""HTTP/3, where nginx has it: the address of a QUIC connection may change
under way (CVE-2026-40460), so it names nobody; what is stripped is stripped
all the same."""

import asyncio
import importlib.util
import ssl
import subprocess

import pytest

from tailgate_test import NGINX, certificate

CONF = """
underscores_in_headers on;
ignore_invalid_headers off;
ssl_certificate @CRT@;
ssl_certificate_key @KEY@;
server {
    listen 127.0.0.1:@PORT@ quic;
    listen 127.0.0.1:@PORT@ ssl;
    location / { tailgate on; tailgate_headers webauth;
                 proxy_pass http://127.0.0.1:@APP@; }
    location /optional { tailgate optional; tailgate_headers webauth;
                         proxy_pass http://127.0.0.1:@APP@; }
    location /off { proxy_pass http://127.0.0.1:@APP@; }
}
"""


@pytest.fixture
def nginx(world, tmp_path):
    version = subprocess.run([NGINX, "-V"], capture_output=True, text=True,
                             check=True).stderr
    if "http_v3_module" not in version:
        pytest.skip("not applicable: this nginx has no HTTP/3")
    crt, key = certificate(tmp_path)
    return world.nginx(CONF, CRT=crt, KEY=key)


def test_check_06_is_said_at_the_start(nginx):
    assert "refuses all requests over HTTP/3 to 127.0.0.1" in nginx.test()


def test_check_06_http3_names_nobody(nginx):
    if importlib.util.find_spec("aioquic") is None:
        pytest.skip("not applicable: this Debian has no python3-aioquic")

    forged = [(b"x-webauth-user", b"evil"), (b"x_webauth.user", b"evil"),
              (b"x-keep", b"kept")]
    answers = asyncio.run(ask(nginx.port, (b"/", b"/optional", b"/off"),
                              forged))
    assert [status for status, _ in answers] == [403, 200, 200]
    for _, body in answers[1:]:
        assert b"kept" in body
        assert b"evil" not in body
        assert b"webauth" not in body.lower()
    nginx.logged("HTTP/3 names nobody")


async def ask(port, paths, headers):
    """(status, body) of each."""

    # pylint: disable=import-outside-toplevel
    from aioquic.asyncio.client import connect
    from aioquic.asyncio.protocol import QuicConnectionProtocol
    from aioquic.h3.connection import H3Connection
    from aioquic.h3.events import DataReceived, HeadersReceived
    from aioquic.quic.configuration import QuicConfiguration

    class Client(QuicConnectionProtocol):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.h3 = H3Connection(self._quic)
            self.answers = {}
            self.done = {}

        async def get(self, path):
            stream = self._quic.get_next_available_stream_id()
            self.h3.send_headers(stream, [
                (b":method", b"GET"), (b":scheme", b"https"),
                (b":authority", b"localhost"), (b":path", path), *headers],
                end_stream=True)
            self.answers[stream] = [0, b""]
            self.done[stream] = asyncio.get_running_loop().create_future()
            self.transmit()
            await asyncio.wait_for(self.done[stream], 10)
            return tuple(self.answers[stream])

        def quic_event_received(self, event):
            for part in self.h3.handle_event(event):
                if isinstance(part, HeadersReceived):
                    self.answers[part.stream_id][0] = int(
                        dict(part.headers)[b":status"])
                elif isinstance(part, DataReceived):
                    self.answers[part.stream_id][1] += part.data
                if getattr(part, "stream_ended", False):
                    self.done[part.stream_id].set_result(None)

    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"],
                                      verify_mode=ssl.CERT_NONE)
    async with connect("127.0.0.1", port, configuration=configuration,
                       create_protocol=Client) as client:
        return [await client.get(path) for path in paths]
