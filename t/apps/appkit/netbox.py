# Copyright (C) The Tailgate authors

"""NetBox, and its database as a fresh migration leaves it.

The migration takes five minutes and its result depends on the pinned list
alone, so a dump of it stays in the folder of the install.
"""

import gzip
import os
import subprocess

from .examples import printed
from .installs import locked, python_at_least, run, venv

PYTHON_MINOR = 12
ROLE = DATABASE = "netbox"


def python():
    return python_at_least(PYTHON_MINOR)


class Netbox:
    """An instance root in FOLDER, whose settings are the example's."""

    def __init__(self, folder, postgres, redis_port):
        self.install = venv("netbox", python())
        self.bin = self.install / "bin"
        self.folder = folder
        self.postgres = postgres
        self.env = {"NETBOX_ROOT": str(folder), "HOME": str(folder)}
        for name in ("secret", "pepper"):
            (folder / name).write_text(f"{name} of the test alone" * 3 + "\n")
        run([self.bin / "netbox", "setup", "--target", folder])
        (folder / "conf/configuration.py").write_text(
            printed("netbox", "configuration.py", {
                "/run/postgresql": postgres.socket_dir,
                "6379": redis_port,
                "/etc/netbox": folder}))

    def prepare_database(self):
        self.postgres.create(DATABASE, ROLE)
        dump = self.install / "migrated.sql.gz"
        with locked("netbox-migration"):
            if dump.exists():
                self.restore(dump)
                return
            run(["nice", self.bin / "netbox", "migrate", "--no-input"],
                env={**os.environ, **self.env})
            new = dump.with_suffix(".new")
            new.write_bytes(gzip.compress(
                self.postgres.run("pg_dump", "-d", DATABASE)))
            new.rename(dump)

    def restore(self, dump):
        subprocess.run(
            self.postgres.command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1",
                                  "-d", DATABASE),
            check=True, input=gzip.decompress(dump.read_bytes()),
            stdout=subprocess.DEVNULL)
