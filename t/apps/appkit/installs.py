# Copyright (C) The Tailgate authors

"""Applications as their users install them: from PyPI and npm, pinned.

Each lands in CACHE/NAME-HASH, where HASH covers the pinned list and the
interpreter, so that a changed pin is a new folder and an old one never
answers for it.  A folder counts only once its ".complete" mark is there.
The lists name every package, dependencies too, and nothing else is installed:
NetBox's has psycopg-binary for psycopg-c, which wants a compiler.
"""

import contextlib
import fcntl
import glob
import hashlib
import os
import pathlib
import shutil
import subprocess

PINS = pathlib.Path(__file__).parent.parent / "requirements"


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = pathlib.Path(base) / "tailgate" / "apps"
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def locked(name):
    with open(cache() / f"{name}.lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def run(argv, **kwargs):
    done = subprocess.run([str(arg) for arg in argv], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))} failed:\n"
                           f"{done.stdout[-4000:]}")


def install(name, runtime, fill):
    """The folder of NAME's install, made by FILL(folder, pins) if missing."""
    pins = PINS / f"{name}.txt"
    digest = hashlib.sha256(pins.read_bytes() + runtime.encode()).hexdigest()
    folder = cache() / f"{name}-{digest[:16]}"
    with locked(name):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            fill(folder, pins)
            (folder / ".complete").touch()
    return folder


def version_of(program):
    return subprocess.run([program, "--version"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


def venv(name, python="/usr/bin/python3"):
    def fill(folder, pins):
        run([python, "-m", "venv", folder])
        run(["nice", folder / "bin/pip", "install", "-q", "--no-deps",
             "--disable-pip-version-check", "-r", pins])
    return install(name, os.path.realpath(python) + version_of(python), fill)


def npm(name):
    def fill(folder, pins):
        folder.mkdir(parents=True)
        packages = [line for line in pins.read_text().splitlines()
                    if line and not line.startswith("#")]
        run(["nice", "npm", "install", "--prefix", folder, "--no-audit",
             "--no-fund", "--ignore-scripts", *packages],
            cwd=folder)
    return install(name, version_of("node"), fill)


def python_at_least(minor):
    """The path of a Python 3.MINOR or newer on this machine, or None."""
    home = os.path.expanduser("~")
    names = ["/usr/bin/python3"]
    names += sorted(glob.glob("/usr/bin/python3.[0-9]*")
                    + glob.glob("/usr/local/bin/python3.[0-9]*")
                    + glob.glob("/opt/*/bin/python3.[0-9]*")
                    + glob.glob(f"{home}/.pyenv/versions/3.*/bin/python3")
                    + glob.glob(f"{home}/.local/share/uv/python/*/bin/python3")
                    )
    probe = (f"import sys, venv, ensurepip; "
             f"sys.exit(sys.version_info < (3, {minor}))")
    for name in names:
        if os.access(name, os.X_OK) and subprocess.run(
                [name, "-c", probe], stderr=subprocess.DEVNULL
                ).returncode == 0:
            return name
    return None
