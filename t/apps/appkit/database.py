# Copyright (C) The Tailgate authors

"""Private PostgreSQL and Redis instances: never the machine's own services.

PostgreSQL refuses to run as root, so root runs it as the account that
Debian's package made; its folder lies straight under /tmp, which that
account can reach and whose short name fits into a socket address.
"""

import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import tempfile

from tailgate_test import free_port, listening

from .processes import Program


def postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"),
                   key=lambda path: int(path.split("/")[4]))
    if not found:
        raise RuntimeError("no PostgreSQL server: apt install postgresql")
    return found[-1]


def as_postgres():
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres",
            "--init-groups", "--"]


class Postgres:
    """A running server, reached only through the Unix socket in SOCKET_DIR."""

    def __init__(self, socket_dir):
        self.socket_dir = socket_dir
        self.bin = postgres_bin()

    def command(self, program, *args):
        return [os.path.join(self.bin, program), "-h", self.socket_dir,
                "-U", "postgres", *args]

    def run(self, program, *args, **kwargs):
        return subprocess.run(self.command(program, *args), check=True,
                              stdout=subprocess.PIPE, **kwargs).stdout

    def query(self, database, sql):
        out = self.run("psql", "-X", "-A", "-t", "-d", database, "-c", sql)
        return out.decode().splitlines()

    def create(self, database, role):
        self.run("psql", "-X", "-q", "-c", f"CREATE ROLE {role} LOGIN")
        self.run("createdb", "-O", role, database)


@contextlib.contextmanager
def postgres():
    folder = tempfile.mkdtemp(prefix="tgpg")
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = os.path.join(folder, "data")
        server = Postgres(folder)
        subprocess.run(
            [*as_postgres(), os.path.join(server.bin, "initdb"), "-D", data,
             "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
             "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd=folder)
        address = os.path.join(folder, ".s.PGSQL.5432")
        with Program(
                [*as_postgres(), os.path.join(server.bin, "postgres"),
                 "-D", data, "-k", folder, "-p", "5432",
                 "-c", "listen_addresses=", "-c", "fsync=off"],
                os.path.join(folder, "log"),
                lambda: listening(address), cwd=folder):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis():
    """Yields the port of a Redis that keeps nothing on disk."""
    folder = tempfile.mkdtemp(prefix="tgredis")
    port = free_port()
    try:
        with Program(
                ["redis-server", "--bind", "127.0.0.1", "--port", str(port),
                 "--save", "", "--appendonly", "no", "--dir", folder],
                os.path.join(folder, "log"),
                lambda: listening(("127.0.0.1", port))):
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)
