# Copyright (C) The Tailgate authors

"""The control server's own tests, and its form."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CONTROL = Path(__file__).resolve().parent / "control"


def go(*argv):
    program = os.environ.get("GO") or shutil.which("go") \
        or "/usr/local/go/bin/go"

    return subprocess.run([program, *argv], cwd=CONTROL, text=True,
                          capture_output=True, check=False,
                          env=dict(os.environ, CGO_ENABLED="0",
                                   GOTOOLCHAIN="local"))


@pytest.mark.parametrize("argv", [("vet", "./..."), ("test", "./...")],
                         ids=["vet", "test"])
def test_go(argv):
    done = go(*argv)

    assert done.returncode == 0, done.stdout + done.stderr


def test_gofmt():
    root = Path(go("env", "GOROOT").stdout.strip())
    done = subprocess.run([root / "bin" / "gofmt", "-l", "."], cwd=CONTROL,
                          text=True, capture_output=True, check=True)

    assert done.stdout == ""
