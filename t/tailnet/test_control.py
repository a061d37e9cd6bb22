# Copyright (C) The Tailgate authors

"""The control server's own tests, and its form."""

import os
import subprocess
from pathlib import Path

import pytest

CONTROL = Path(__file__).resolve().parent / "control"


def go(*argv):
    return subprocess.run([os.environ.get("GO", "go"), *argv],
                          cwd=CONTROL, text=True,
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
