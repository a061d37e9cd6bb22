# Copyright (C) The Tailgate authors

"""Stores to drive: a program with one, on SQLite and on a PostgreSQL server
of its own, which belongs to the account that Debian's package made and is
reached by a Unix socket only."""

import fcntl
import functools
import glob
import os
import pwd
import queue
import shutil
import subprocess
import tempfile
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("TAILGATE_BUILD", os.path.join(ROOT, "build"))

# seconds; the machine may be busy
PATIENCE = 120


@functools.cache
def built(name):
    """A program of t/unit, made by the build that is tested, by one of
    pytest's processes at a time."""

    path = os.path.join(BUILD, "unit", name)
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        makefile = [line.split("= ", 1)[1].strip() for line in f
                    if line.startswith("TG_MAKEFILE =")][0]
    with open(os.path.join(BUILD, "unit.lock"), "w", encoding="utf-8") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-f", makefile, path], cwd=ROOT,
                       check=True, stdout=subprocess.DEVNULL)
    return path


class Tool:
    """A running store_tool: lines in, lines out."""

    def __init__(self, url, *options, before=(), program=None):
        # a tracer and the leak detector do not go together
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        self.process = subprocess.Popen(
            [*before, program or built("store_tool"), *options, url], env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait(self, *starts):
        """The next line that begins with one of these words."""

        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise AssertionError(f"ended, without {starts}: {self.seen}")
            self.seen.append(line)
            if line.split()[0] in starts:
                return line

    def ask(self, line, *starts):
        self.say(line)
        return self.wait(*starts)

    def put(self, name):
        return self.ask(f"put {name}", "ok", "unavailable", "error",
                        "refused")

    def list(self):
        self.say("list")
        links = set()
        while True:
            line = self.wait("link", "end")
            if line == "end":
                return links
            links.add(line.split()[1])

    def until_up(self):
        while not self.wait("state").startswith("state up"):
            pass

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdout.close()
        return self.process.returncode


@pytest.fixture
def tool():
    tools = []

    def start(url, *options, **kwargs):
        tools.append(Tool(url, *options, **kwargs))
        return tools[-1]

    yield start
    for each in tools:
        each.close()


@pytest.fixture
def folder():
    path = tempfile.mkdtemp(prefix="tgstore")
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Server:
    """PostgreSQL: start, stop in the ways that a machine does it, query."""

    def __init__(self, folder):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"),
                       key=lambda path: int(path.split("/")[4]))
        assert found, "no PostgreSQL server: apt install postgresql"
        self.bin = found[-1]
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust",
                 "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        # what is not synchronised stays in memory, and so is lost
        with open(os.path.join(self.data, "postgresql.conf"), "a",
                  encoding="utf-8") as f:
            f.write("listen_addresses = ''\n"
                    f"unix_socket_directories = '{folder}'\n"
                    "wal_writer_delay = 10s\n"
                    "wal_writer_flush_after = 1GB\n"
                    "wal_buffers = 64MB\n"
                    "autovacuum = off\n")

    def run(self, program, *args):
        before = []
        if os.geteuid() == 0:
            before = ["setpriv", "--reuid=postgres", "--regid=postgres",
                      "--init-groups", "--"]
        return subprocess.run(
            [*before, os.path.join(self.bin, program), *args], check=True,
            cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True).stdout

    def start(self):
        # a server that inherits a pipe would keep its reader waiting
        log = os.path.join(self.folder, "log")
        self.run("pg_ctl", "-D", self.data, "-l", log, "-w", "-t",
                 str(PATIENCE), "-s", "start")

    def stop(self, mode):
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t",
                 str(PATIENCE), "-s", "stop")

    def sql(self, sql, database="postgres"):
        return self.run("psql", "-h", self.folder, "-U", "postgres", "-X",
                        "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                        database, "-c", sql).strip()

    def session(self, database):
        """A session that stays, to hold locks."""

        return subprocess.Popen(
            [os.path.join(self.bin, "psql"), "-h", self.folder, "-U",
             "postgres", "-X", "-A", "-t", "-q", "-d", database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="session")
def cluster():
    folder = tempfile.mkdtemp(prefix="tgpg")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        os.chmod(folder, 0o755)
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(cluster):
    """A fresh one: its name and its URL."""

    name = "db" + os.urandom(6).hex()
    cluster.sql(f"CREATE DATABASE {name}")
    yield name, f"postgresql://postgres@/{name}?host={cluster.folder}"
    cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")
