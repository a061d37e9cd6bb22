# Copyright (C) The Tailgate authors

"""An HTTP/2 client that sends what it is told, several streams at once."""

import socket
import ssl

import h2.config
import h2.connection
import h2.events

from tailgate_test import Response


class H2Client:
    """To a port on 127.0.0.1 or an address; over TLS, or in clear text as one
    who knows beforehand. before is sent first of all (a PROXY header)."""

    def __init__(self, where, source=None, timeout=20, tls=True, before=b""):
        if isinstance(where, int):
            where = ("127.0.0.1", where)
        bind = (source, 0) if source else None
        self.socket = socket.create_connection(where, timeout, bind)
        self.socket.sendall(before)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket,
                                              server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.state.initiate_connection()
        self.answers = {}
        self.trailers = {}
        self.open = set()
        self.flush()

    def flush(self):
        self.socket.sendall(self.state.data_to_send())

    def send(self, target="/", headers=(), method="GET", end=True):
        """Begins a stream and gives its number; with end=False a body is to
        come by write()."""

        stream = self.state.get_next_available_stream_id()
        self.state.send_headers(stream, [
            (":method", method), (":scheme", "https"),
            (":authority", "localhost"), (":path", target), *headers],
            end_stream=end)
        self.answers[stream] = [0, [], b""]
        self.open.add(stream)
        self.flush()
        return stream

    def write(self, stream, data):
        self.state.send_data(stream, data)
        self.flush()

    def reset(self, stream):
        self.state.reset_stream(stream)
        self.open.discard(stream)
        self.flush()

    def wait(self, *streams):
        """The answers of these streams, when all are whole."""

        while self.open & set(streams):
            self.receive()
        return [Response(status, headers, body, "")
                for status, headers, body in
                (self.answers[stream] for stream in streams)]

    def until(self, stream, n):
        """Whether the stream brings n bytes before its end."""

        while stream in self.open and len(self.answers[stream][2]) < n:
            self.receive()
        return len(self.answers[stream][2]) >= n

    def receive(self):
        data = self.socket.recv(65536)
        assert data, "the connection was closed"
        for event in self.state.receive_data(data):
            self.take(event)
        self.flush()

    def take(self, event):
        if isinstance(event, h2.events.ResponseReceived):
            answer = self.answers[event.stream_id]
            for name, value in event.headers:
                name, value = name.decode("latin-1"), value.decode("latin-1")
                if name == ":status":
                    answer[0] = int(value)
                else:
                    answer[1].append((name, value))
        elif isinstance(event, h2.events.TrailersReceived):
            self.trailers[event.stream_id] = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in event.headers]
        elif isinstance(event, h2.events.DataReceived):
            self.answers[event.stream_id][2] += event.data
            self.state.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id)
        elif isinstance(event, (h2.events.StreamEnded,
                                h2.events.StreamReset)):
            self.open.discard(event.stream_id)

    def get(self, target="/", headers=(), method="GET"):
        return self.wait(self.send(target, headers, method))[0]

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
