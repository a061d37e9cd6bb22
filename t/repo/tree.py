# Copyright (C) The Tailgate authors

"""The files of the repository, and C read just well enough to check it."""

import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def files(root=ROOT):
    """Paths, relative to root, of what git would keep; all of them where
    there is no git."""

    if os.path.exists(os.path.join(root, ".git")):
        # a clone that somebody else owns is read all the same
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"],
            cwd=root, check=True, capture_output=True).stdout
        paths = [os.fsdecode(p) for p in listing.split(b"\0") if p]

    else:
        paths = [os.path.relpath(os.path.join(top, name), root)
                 for top, _, names in os.walk(root) for name in names]

    return sorted(p for p in set(paths)
                  if os.path.isfile(os.path.join(root, p)))


def read(root, path):
    with open(os.path.join(root, path), "rb") as file:
        return file.read()


def text(root, path):
    """The text of a file, or None if it is not text."""

    data = read(root, path)
    if b"\0" in data:
        return None

    try:
        return data.decode()

    except UnicodeDecodeError:
        return None


def c_files(root=ROOT):
    return [p for p in files(root) if p.endswith((".c", ".h"))]


def shell_files(root=ROOT):
    """Scripts for sh, and what they source."""

    found = []
    for path in files(root):
        head = read(root, path)[:200]
        if head.startswith(b"#!"):
            if b"sh" in head.split(b"\n")[0].rsplit(b"/", 1)[-1]:
                found.append(path)

        elif b"# shellcheck shell=sh" in head:
            found.append(path)

    return found


TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' """,
    re.S | re.X)


def blank(match):
    token = match.group(0)
    if token[0] == "/":
        return re.sub(r"[^\n]", " ", token)

    return token[0] + " " * (len(token) - 2) + token[-1]


def code(source):
    """C without what its comments and literals say; lines and columns
    stay."""

    return TOKEN.sub(blank, source)
