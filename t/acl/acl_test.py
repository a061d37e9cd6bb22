# Copyright (C) The Tailgate authors

"""What the tests of tailgate acl share: running it, and comparing what it
says with what is expected."""

import glob
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("TAILGATE_BUILD", os.path.join(ROOT, "build"))
TAILGATE = os.path.join(BUILD, "tailgate")
SHARED = os.environ.get("TAILGATE_SHARED",
                        os.path.join(os.path.dirname(ROOT), "shared"))


def acl(*arguments, **options):
    """Runs tailgate acl."""

    options.setdefault("timeout", 60)
    return subprocess.run([TAILGATE, "acl", *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", check=False, **options)


def evaluate(*paths, options=()):
    """What tailgate acl eval says of each case."""

    result = acl("eval", *paths, "--json", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""

    lines = result.stdout.split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(paths)

    return [json.loads(line) for line in lines]


def captures(folder="*"):
    return sorted(glob.glob(os.path.join(SHARED, "data", "policy", folder,
                                         "*.json")))


def decisions(rows):
    """Rows as a set, a source each: what it does not name is denied."""

    found = set()
    for row in rows:
        sources = row["src"] if isinstance(row["src"], list) else [row["src"]]
        for src in sources:
            found.add((src, row["dst"], row["user"], row["action"],
                       row["local_user"],
                       row.get("check_period_s", "none"),
                       tuple(row.get("accept_env", ()))))
    return found


def capmaps(rows):
    found = {}
    for row in rows:
        sources = row["src"] if isinstance(row["src"], list) else [row["src"]]
        for src in sources:
            found[(src, row["dst"])] = row["caps"]
    return found


def other(pairs):
    return {pair for pair in pairs if pair[0] != pair[1]}


def matrix(table):
    return {(src, dst) for dst, sources in table.items() for src in sources}


def compare(case, got):
    """Asserts that got is what case expects."""

    want = case["expected"]
    assert got["accepted"] == want["accepted"], got

    if not want["accepted"]:
        assert got["stage"] == want["stage"]
        assert got["message"] == want["message"]
        assert got["line"] > 0 and got["column"] > 0
        return

    assert set(got) == {"accepted", "decisions", "principal_match",
                        "capmaps", "tcp22"}

    if "decisions" in want:
        # where the service lets a localpart's source log in on itself, which
        # the policy does not say, we do not
        mine, theirs = decisions(got["decisions"]), decisions(
            want["decisions"])
        assert other(mine) == other(theirs)
        assert mine - other(mine) <= theirs - other(theirs)

    if "principal_match" in want:
        assert other(matrix(got["principal_match"])) \
            == other(matrix(want["principal_match"]))

    if "capmaps" in want:
        mine = capmaps(got["capmaps"])
        assert {p: c for p, c in mine.items() if p[0] != p[1]} \
            == capmaps(want["capmaps"])
        if "self_capmaps" in want:
            assert {p: c for p, c in mine.items() if p[0] == p[1]} \
                == capmaps(want["self_capmaps"])

    if "tcp22" in want:
        nodes = case["nodes"]
        everybody = {(s, d) for s in nodes for d in nodes if s != d}
        assert matrix(got["tcp22"]) == (
            everybody if want["tcp22"] == "all" else matrix(want["tcp22"]))
