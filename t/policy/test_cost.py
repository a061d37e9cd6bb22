# Copyright (C) The Tailgate authors

"""Among 10,000 rules a decision costs what it costs among 10: instructions are
counted, so that no other load of the machine changes the result."""

import os
import subprocess

import pytest

from tailgate_test import ROOT, is_sanitized

LIMIT = "1.2"


@pytest.mark.skipif(is_sanitized(), reason="not applicable: the sanitizers'"
                    " instructions are not ours")
@pytest.mark.timeout(900)
def test_cost_of_a_decision():
    done = subprocess.run([os.path.join(ROOT, "bench", "policy"),
                           "--limit", LIMIT],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
    # one line for each kind of policy and request
    assert len(done.stdout.splitlines()) == 17
