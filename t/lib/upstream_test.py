# Copyright (C) The Tailgate authors

"""Apps behind the other protocols that nginx speaks to them: each answers with
the variables or headers that it got, as JSON {NAME: [values]}."""

import json
import struct

import h2.config
import h2.connection
import h2.events

from tailgate_test import Server


def exactly(connection, n):
    data = b""
    while len(data) < n:
        more = connection.recv(n - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def cgi(variables):
    names = {}
    for name, value in variables:
        names.setdefault(name.decode("latin-1"), []).append(
            value.decode("latin-1"))
    return (b"Status: 200 OK\r\nContent-Type: application/json\r\n\r\n"
            + json.dumps(names).encode("ascii"))


class FastCGI(Server):
    BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6

    def serve(self, connection):
        params = b""
        while True:
            _, kind, number, length, padding, _ = struct.unpack(
                ">BBHHBB", exactly(connection, 8))
            data = exactly(connection, length)
            exactly(connection, padding)
            if kind == self.PARAMS:
                params += data
            elif kind == self.STDIN and not data:
                break
        body = cgi(self.pairs(params))
        connection.sendall(
            struct.pack(">BBHHBB", 1, self.STDOUT, number, len(body), 0, 0)
            + body
            + struct.pack(">BBHHBB", 1, self.STDOUT, number, 0, 0, 0)
            + struct.pack(">BBHHBB", 1, self.END, number, 8, 0, 0) + bytes(8))

    @staticmethod
    def pairs(data):
        found = []
        while data:
            lengths = []
            for _ in range(2):
                if data[0] & 0x80:
                    lengths.append(
                        struct.unpack(">I", data[:4])[0] & 0x7fffffff)
                    data = data[4:]
                else:
                    lengths.append(data[0])
                    data = data[1:]
            name, value = lengths
            found.append((data[:name], data[name:name + value]))
            data = data[name + value:]
        return found


class SCGI(Server):
    def serve(self, connection):
        length = b""
        while not length.endswith(b":"):
            length += exactly(connection, 1)
        parts = exactly(connection, int(length[:-1])).split(b"\0")
        exactly(connection, 1)
        connection.sendall(cgi(zip(parts[0::2], parts[1::2])))


class UWSGI(Server):
    def serve(self, connection):
        _, size, _ = struct.unpack("<BHB", exactly(connection, 4))
        data = exactly(connection, size)
        found = []
        while data:
            pair = []
            for _ in range(2):
                n = struct.unpack("<H", data[:2])[0]
                pair.append(data[2:2 + n])
                data = data[2 + n:]
            found.append(tuple(pair))
        connection.sendall(cgi(found))


class GRPC(Server):
    """HTTP/2 with prior knowledge."""

    def serve(self, connection):
        state = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding=None,
            validate_inbound_headers=False,
            normalize_inbound_headers=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        headers = {}
        while True:
            data = connection.recv(65536)
            if not data:
                return
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers[event.stream_id] = event.headers
                if isinstance(event, h2.events.StreamEnded):
                    self.answer(state, event.stream_id,
                                headers[event.stream_id])
            connection.sendall(state.data_to_send())

    @staticmethod
    def answer(state, stream, headers):
        names = {}
        for name, value in headers:
            names.setdefault(name.decode("latin-1"), []).append(
                value.decode("latin-1"))
        state.send_headers(stream, [(":status", "200"),
                                    ("content-type", "application/grpc")])
        state.send_data(stream, json.dumps(names).encode("ascii"))
        state.send_headers(stream, [("grpc-status", "0")], end_stream=True)
