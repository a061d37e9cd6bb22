"""The README's first command, as a new user runs it."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
RUN = os.path.join(ROOT, "examples", "demo", "run")


def free_ports(n):
    """The first of n neighbouring ports that are free now; another process of
    pytest, whose id is near, looks elsewhere."""
    for start in range(20000 + os.getpid() % 2000 * n, 60000, n):
        sockets = []
        try:
            for port in range(start, start + n):
                s = socket.socket()
                sockets.append(s)
                s.bind(("127.0.0.1", port))
            return start
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def seen():
    port = free_ports(5)
    done = subprocess.run([RUN, "--once", "--port", str(port)], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
    blocks = re.split(r"\n(?=\w+, )", done.stdout)
    return {b.strip().split(",")[0]: b for b in blocks if "curl" in b}


def line(block, path):
    found = re.search(rf"^\s+{re.escape(path)}\s+(\d+)\s+(.*)$", block, re.M)
    assert found, block
    return int(found.group(1)), found.group(2)


@pytest.mark.parametrize("who, path, code, text", [
    ("alice", "/", 200, "hello Alice Ångström"),
    ("alice", "/", 200, "logged in as alice@example.com"),
    ("alice", "/dashboard/", 200, "role Admin"),
    ("alice", "/machines/", 200, "alice-laptop"),
    ("bob", "/", 200, "hello Bob Baker"),
    ("bob", "/dashboard/", 200, "role Viewer"),
    ("alice", "go/wiki/start", 302, "http://wiki.example.com/start"),
    ("bob", "go/me", 302, "https://people.example.com/bob@example.com"),
    ("ci", "go/me", 401, "refused"),
    ("stranger", "go/wiki/start", 403, "refused"),
    ("ci", "/", 403, "refused"),
    ("ci", "/dashboard/", 403, "refused"),
    ("ci", "/machines/", 200, "Tags: tag:ci"),
    ("stranger", "/", 403, "refused"),
    ("stranger", "/machines/", 403, "refused"),
])
def test_each_person_sees_their_own_page(seen, who, path, code, text):
    got, shown = line(seen[who], path)
    assert got == code
    assert text in shown


@pytest.mark.parametrize("times", [1, 50])
def test_ctrl_c_ends_all_of_it(times):
    """Also if somebody is impatient."""

    port = free_ports(5)
    demo = subprocess.Popen([RUN, "--port", str(port)],
                            stdout=subprocess.PIPE, encoding="utf-8",
                            start_new_session=True)
    try:
        for text in demo.stdout:
            if "Ctrl-C" in text:
                break
        else:
            raise AssertionError("the demo ended by itself")

        children = subprocess.run(
            ["pgrep", "-P", str(demo.pid)], stdout=subprocess.PIPE,
            encoding="ascii", check=True).stdout.split()
        assert len(children) == 6        # devnet, three apps, authd, nginx

        # A forged header does not change who alice is.
        request = urllib.request.Request(
            f"http://127.0.0.1:{port + 1}/",
            headers={"Remote-User": "mallory@example.com"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = answer.read().decode("latin-1")
        assert "alice@example.com" in page
        assert "mallory" not in page

        for _ in range(times):
            demo.send_signal(signal.SIGINT)
            time.sleep(0.001)
        assert demo.wait(20) == 0

        for pid in children:
            deadline = time.monotonic() + 5
            while os.path.exists(f"/proc/{pid}"):
                assert time.monotonic() < deadline, f"{pid} is still there"
                time.sleep(0.05)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), 1)
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(20)


def test_unusable_port_is_said():
    done = subprocess.run([RUN, "--port", "65535"], stderr=subprocess.PIPE,
                          encoding="utf-8", check=False)
    assert done.returncode != 0
    assert "65535 is no port to start from" in done.stderr
