# Copyright (C) The Tailgate authors

"""What the pages show: the fenced blocks of Markdown, the displays of man
pages, and commands within a sentence."""

import os
import pathlib
import re
import textwrap
from typing import NamedTuple

from tailgate_test import ROOT

MARKDOWN = ["*.md", "docs/**/*.md", "examples/**/*.md", "t/**/*.md"]
MAN = ["docs/man/*.[1-9]"]

FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
# of one of our programs; "tailgate on" is a directive
COMMAND = re.compile(r"(?:\./dev|\./configure|tailgate-authd"
                     r"|tailgate(?! (?:on|off|optional)\b)) [^`]+")


class Fault(Exception):
    """What is wrong with a block, for whoever wrote it."""


class Block(NamedTuple):
    path: str
    line: int
    kind: str           # what the fence says it is: "nginx", "yaml authd"
    options: dict       # and how: in=server, from=FILE
    text: str

    def __str__(self):
        return f"{self.path}:{self.line} {self.kind}"


def block(path, line, info, text):
    """Words of the info string without "=" are the kind, others options."""

    words = info.split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    kind = " ".join(word for word in words if "=" not in word)
    return Block(path, line, kind, options, textwrap.dedent(text))


def markdown(path, source):
    """The blocks and the faults of a page, and its text outside of blocks:
    ([Block], [fault], [(line, text)])."""

    blocks, faults, prose = [], [], []
    opened = None       # (number, mark, info, lines)
    before = ""

    for number, line in enumerate(source.split("\n"), 1):
        fence = FENCE.fullmatch(line)

        if opened:
            if fence and not fence[3].strip() and fence[2] == opened[1]:
                blocks.append(block(path, opened[0], opened[2],
                                    "\n".join(opened[3]) + "\n"))
                opened = None

            else:
                opened[3].append(line)

        elif fence:
            opened = (number, fence[2], fence[3], [])

        else:
            if line.startswith("    ") and not before.strip() \
                    and not line.startswith("    Syntax:   "):
                faults.append(f"{path}:{number}: an indented block: put it "
                              "into a fence that says what it is")

            prose.append((number, line))

        before = line

    if opened:
        faults.append(f"{path}:{opened[0]}: the block has no end")

    return blocks, faults, prose


def unescape(line):
    return re.sub(r"\\&", "", line).replace(r"\e", "\\") \
        .replace(r"\-", "-").replace("\\ ", " ")


def man(path, source):
    """As markdown(). A comment in front of a display says what it is, a
    line (.Dl) that begins with "$ " is a command."""

    blocks, faults = [], []
    info, opened = "", None

    for number, line in enumerate(source.split("\n"), 1):
        if opened:
            if line == ".Ed":
                blocks.append(block(path, opened[0], opened[1],
                                    "\n".join(opened[2]) + "\n"))
                opened = None

            else:
                opened[2].append(unescape(line))

        elif line.startswith(".Bd"):
            opened = (number, info, [])

        elif line.startswith(".Dl $ "):
            blocks.append(block(path, number, "sh",
                                unescape(line[len(".Dl "):]) + "\n"))

        elif line.startswith(r".Dl \ ") and blocks \
                and blocks[-1].text.endswith("\\\n"):
            last = blocks.pop()
            blocks.append(last._replace(
                text=last.text + unescape(line[len(".Dl "):]) + "\n"))

        elif re.match(r"\.Dl [^A-Z]", line):
            faults.append(f'{path}:{number}: a command begins with "$ "')

        info = line[4:] if line.startswith('.\\" ') else ""

    return blocks, faults, []


def pages(root=ROOT):
    """{path: (function, text)} of all pages."""

    found = {}
    for patterns, function in ((MARKDOWN, markdown), (MAN, man)):
        for pattern in patterns:
            for file in sorted(pathlib.Path(root).glob(pattern)):
                found[os.path.relpath(file, root)] = (
                    function, file.read_text(encoding="utf-8"))

    return found


def read(root=ROOT):
    """All blocks and all faults."""

    blocks, faults = [], []
    for path, (function, source) in pages(root).items():
        more = function(path, source)
        blocks += more[0] + commands(path, more[2])
        faults += more[1]

    return blocks, faults


def commands(path, prose):
    """Commands in a sentence: `./dev check unit`."""

    text = "\n".join(line for _, line in prose)
    found = []

    for match in re.finditer(r"`([^`]+)`", text):
        command = match[1].replace("\n", " ")
        if COMMAND.fullmatch(command):
            line = prose[text.count("\n", 0, match.start())][0]
            found.append(block(path, line, "sh", command + "\n"))

    return found


def lines(text):
    """Lines without blanks at their ends; tabs are four columns."""

    return [line.expandtabs(4).rstrip() for line in text.split("\n")]


def dedent(rows):
    return textwrap.dedent("\n".join(rows)).split("\n")


def check_excerpt(shown, root=ROOT):
    """The block is the text of the file that its option "from" names, as
    printed but for the indentation. A line "..." stands for what is left
    out."""

    name = shown.options["from"]
    file = os.path.join(root, name)

    if not name.startswith(("examples/", "conf/")) \
            or not os.path.isfile(file):
        raise Fault(f"{name} is no file of examples/ or conf/")

    with open(file, encoding="utf-8") as f:
        whole = lines(f.read())

    start = 0
    for part in re.split(r"(?m)^\s*\.\.\.$", shown.text):
        rows = dedent(lines(part.strip("\n")))
        if rows == [""]:
            continue

        for at in range(start, len(whole) - len(rows) + 1):
            if dedent(whole[at:at + len(rows)]) == rows:
                start = at + len(rows)
                break

        else:
            raise Fault(f"{name} has no such lines, or not in this order:\n"
                        + "\n".join(rows))
