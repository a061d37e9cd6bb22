# Copyright (C) The Tailgate authors

"""What the gate costs a request does not grow: instructions are counted, so
that no other load of the machine changes the result."""

import os
import subprocess

import pytest

from tailgate_test import ROOT, is_sanitized

# Over "tailgate off": of a small file, and proxied, see docs/benchmarks.md.
LIMITS = ("1000", "1700")

# What malloc() takes for the same calls hangs on how the heap of a run lies.
RUNS = 3


@pytest.mark.skipif(is_sanitized(), reason="not applicable: the sanitizers'"
                    " instructions are not ours")
@pytest.mark.skipif(os.geteuid() != 0, reason="a network needs root")
@pytest.mark.timeout(300)
def test_cost_of_the_gate():
    told = []
    for _ in range(RUNS):
        done = subprocess.run([os.path.join(ROOT, "bench", "gate"), "--limit",
                               *LIMITS],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", check=False)
        if done.returncode == 0:
            return
        told.append(done.stdout)

    raise AssertionError("\n".join(told))
