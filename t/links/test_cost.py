# Copyright (C) The Tailgate authors

"""What a save, a click and a page take of the loop that answers redirects does
not grow with the number of links: instructions are counted, so that no other
load of the machine changes the result."""

import os
import re
import subprocess

import pytest

from tailgate_test import BUILD, ROOT, is_sanitized

# As full as each other are the hash tables of these.
FEW, MANY = 4000, 512000

# Where ids lie in the table is chance, and a binary search has a step more for
# twice as many; whoever looks at all links does 128 times as much.
LIMIT = 3

OPERATIONS = 6
ROUNDS = 200


def setting(name):
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        found = re.search(rf"^{name} = (.*)$", f.read(), re.MULTILINE)
    return found.group(1).split()


def build(folder):
    program = str(folder / "index_cost")
    libraries = [os.path.join(BUILD, "obj", f"lib{name}.a")
                 for name in ("authd", "tailgate-net", "tailgate", "llhttp")]
    subprocess.run(
        [*setting("CC"), "-std=c11", "-D_GNU_SOURCE", "-O2", "-I", ROOT,
         "-I", os.path.join(ROOT, "include"), "-I", BUILD, "-o", program,
         os.path.join(ROOT, "t", "links", "index_cost.c"),
         "-Wl,--start-group", *filter(os.path.exists, libraries),
         "-Wl,--end-group", *setting("NET_LIBS"), *setting("STORE_LIBS"),
         *setting("CORE_LIBS"), "-lm"], check=True)
    return program


def count(program, folder, links):
    """Instructions of each operation."""

    dump = folder / f"dump-{links}"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--instr-atstart=no", "-q",
         f"--callgrind-out-file={dump}", program, str(links)],
        stdout=subprocess.PIPE, encoding="utf-8", check=True)
    costs = {}
    for i, what in enumerate(done.stdout.splitlines()):
        with open(f"{dump}.{i + 1}", encoding="utf-8") as f:
            total = re.search(r"^(?:summary|totals): (\d+)", f.read(),
                              re.MULTILINE)
        costs[what] = int(total.group(1)) / ROUNDS
    return costs


@pytest.mark.skipif(is_sanitized(), reason="not applicable: the sanitizers'"
                    " instructions are not ours")
def test_cost_among_many_links(tmp_path):
    program = build(tmp_path)
    few = count(program, tmp_path, FEW)
    many = count(program, tmp_path, MANY)
    assert len(few) == OPERATIONS

    told = {what: (round(cost), round(many[what]))
            for what, cost in few.items()}
    print(told)
    assert [what for what, (before, after) in told.items()
            if after > LIMIT * before] == [], told
