# Copyright (C) The Tailgate authors

"""tg_path_normalize() is nginx's own reading of a path: the same $uri, and the
same requests refused."""

import os
import random
import re
import socket
import subprocess

from tailgate_test import BUILD, ROOT, Nginx

CONF = """
large_client_header_buffers 4 64k;
server {
    listen 127.0.0.1:@PORT@;
    location / { return 200 "<$uri>"; }
}
"""

# 3c of the reference on proxies, and what else is read in two ways
CORPUS = [
    b"/", b"/a", b"/a/b", b"/public/..;/admin",
    b"/admin%2f..%2fpublic%2f", b"/public/..%5cadmin",
    b"/public/%252e%252e/admin", b"/public/#/../admin", b"/ADMIN",
    b"//", b"///a//b///", b"/./a", b"/a/.", b"/a/./", b"/a/..", b"/a/../",
    b"/a/../..", b"/..", b"/../", b"/../a", b"/a/../../b", b"/a/b/../../c",
    b"/.a", b"/..a", b"/...", b"/a/...", b"/a/.../b", b"/a./b", b"/a../b",
    b"/%2e", b"/%2e%2e", b"/a/%2e%2e/b", b"/a/.%2e/b", b"/a/%2E./b",
    b"/a%2fb", b"/a%2F..%2fb", b"/a/%2f/b", b"/%2f", b"%2f", b"/a%2f%2e%2e",
    b"/%00", b"/a%00b", b"/%", b"/%2", b"/%zz", b"/%2g", b"/a%", b"/a%4",
    b"/%25", b"/%25%32%65", b"/%2525", b"/a%3fb", b"/a%3Fb?c", b"/a%23b",
    b"/a?b", b"/a/..?b", b"/a/.?b", b"/..?a", b"/a#b", b"/a/..#b", b"/a/.#b",
    b"/..#a", b"/a#b?c", b"/a?b#c", b"/a%20b", b"/a+b", b"/a%2bb", b"/a;b",
    b"/a%3bb", b"/a\\b", b"/a%5Cb", b"/\xc3\xa4", b"/%c3%a4", b"/%ff",
    b"/\xff\xfe", b"/a\x01b", b"/a\x7fb", b"/a\tb", b"/a%0ab", b"/a%7fb",
    b"/%2e%2e%2f", b"/a/%2e%2e%2fb", b"/a/..%2f..%2fb", b"/a/b/..//../c",
    b"/a//../b", b"/a/.//b", b"/.//", b"/..//", b"/%2e//%2e%2e/",
    b"/a/..%3f", b"/a/.%23b", b"/a/..%25", b"/a/.%2", b"a", b"*", b"/\"'<>",
    b"/a:b@c", b"/~a/!$&'()*,=", b"/" + b"a/../" * 50, b"/" + b"%61" * 200,
]

PIECES = [b"/", b"/", b"/", b".", b"..", b"%2e", b"%2F", b"%2f", b"a", b"bc",
          b"%41", b"%25", b"%3f", b"%23", b"%00", b"%5c", b"\\", b";", b"#",
          b"?", b"+", b"%", b"%4", b"\xc3", b"%ff", b"\x7f", b"~"]


def raw_paths():
    rng = random.Random(20260131)
    paths = list(CORPUS)
    for _ in range(600):
        paths.append(b"/" + b"".join(rng.choices(PIECES, k=rng.randrange(9))))
    return paths


def ask_nginx(port, raw):
    """What nginx has in $uri; None if it refuses the request."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
        s.sendall(b"GET " + raw + b" HTTP/1.1\r\nHost: a\r\n"
                  b"Connection: close\r\n\r\n")
        answer = b""
        while data := s.recv(65536):
            answer += data
    if answer.startswith(b"HTTP/1.1 400 "):
        return None
    assert answer.startswith(b"HTTP/1.1 200 "), (raw, answer)
    body = answer.partition(b"\r\n\r\n")[2]
    assert body[:1] == b"<" and body[-1:] == b">", (raw, answer)
    return body[1:-1]


def setting(name):
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        return re.search(rf"^{name} = (.*)$", f.read(),
                         re.MULTILINE).group(1).split()


def ask_library(directory, paths):
    program = os.path.join(str(directory), "normalize")
    subprocess.run(
        setting("CC") + ["-std=c11"] + setting("OPT")
        + ["-I", os.path.join(ROOT, "include"), "-o", program,
           os.path.join(ROOT, "t", "lib", "normalize.c"),
           os.path.join(BUILD, "libtailgate.a")]
        + setting("CORE_LIBS") + ["-lm"], check=True)
    done = subprocess.run([program], stdout=subprocess.PIPE, check=True,
                          input="".join(f"{raw.hex()}\n" for raw in paths),
                          encoding="ascii")
    lines = done.stdout.splitlines()
    assert len(lines) == len(paths)
    return [bytes.fromhex(line[1:]) if line.startswith("/") else None
            for line in lines]


def test_as_nginx(tmp_path):
    paths = raw_paths()
    ours = ask_library(tmp_path, paths)
    with Nginx(tmp_path, CONF) as nginx:
        theirs = [ask_nginx(nginx.port, raw) for raw in paths]
    differing = [(raw, mine, real)
                 for raw, mine, real in zip(paths, ours, theirs)
                 if mine != real]
    assert not differing
    # both answers come up, and paths that change
    refused = sum(real is None for real in theirs)
    changed = sum(real is not None and real != raw
                  for raw, real in zip(paths, theirs))
    assert refused > 100 and changed > 200
