# Copyright (C) The Tailgate authors

"""Commands that the pages show: that each command and option exists."""

import glob
import os
import re
import shlex
import subprocess

from blocks import Fault
from tailgate_test import BUILD, ROOT, TAILGATE

OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
PLACEHOLDER = re.compile(r"\[?[A-Z][A-Z0-9_|.-]*\]?")

# programs of others, whose options are theirs
OTHERS = {"curl", "install", "openssl", "ssh", "tailscale"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def help_of(*command):
    done = subprocess.run([*command, "--help"], cwd=ROOT, text=True,
                          capture_output=True, timeout=60, check=False)
    return done.stdout + done.stderr


def is_option(word):
    return word.startswith("-") and word not in ("-", "--")


def operands(words, manual):
    """The words that are neither options nor their values."""

    left, value = [], False

    for word in words:
        if is_option(word):
            value = "=" not in word and re.search(
                rf"(?<![\w-]){re.escape(word)} [A-Z]", manual) is not None

        elif value:
            value = False

        else:
            left.append(word)

    return left


def check_options(words, manual, what):
    known = set(OPTION.findall(manual))
    for word in filter(is_option, words):
        if word.split("=")[0] not in known:
            raise Fault(f"{what} has no option {word}")


def check_word(word, manual, what):
    """A command or an argument that is listed somewhere."""

    if not PLACEHOLDER.fullmatch(word) and not re.search(
            rf"(?<![\w-]){re.escape(word)}(?![\w-])", manual):
        raise Fault(f"{what} knows no {word!r}")


def tailgate(words):
    manual = help_of(TAILGATE)
    command = operands(words, manual)[:1]
    if not command:
        check_options(words, manual, "tailgate")
        return

    if PLACEHOLDER.fullmatch(command[0]):
        return

    if not re.search(rf"^  {re.escape(command[0])} ", manual, re.M):
        raise Fault(f"there is no command tailgate {command[0]}")

    rest = words[words.index(command[0]) + 1:]
    manual = help_of(TAILGATE, *command)

    # a command of a command has a line of its own in the usage
    form = re.compile(rf"tailgate {command[0]} ([a-z]+)\b")
    if rest[:1] and rest[0] in form.findall(manual):
        command.append(rest.pop(0))
        manual = help_of(TAILGATE, *command)

    elif command == ["acl"] and rest and not is_option(rest[0]):
        raise Fault(f"there is no command tailgate acl {rest[0]}")

    check_options(rest, manual, "tailgate " + " ".join(command))

    if command == ["devnet", "ctl"]:
        for word in operands(rest, manual)[:1]:
            check_word(word, manual.split("Commands of ctl:")[1], "ctl")


def authd(words):
    check_options(words, help_of(os.path.join(BUILD, "tailgate-authd")),
                  "tailgate-authd")


def dev(words):
    manual = help_of("./dev")
    if not re.search(rf"^  \./dev {re.escape(words[0])}\b", manual, re.M):
        raise Fault(f"there is no command ./dev {words[0]}")

    if words[0] == "bench":
        manual = help_of("bench/run")

    check_options(words, manual, f"./dev {words[0]}")
    for word in words[1:]:
        if not (is_option(word) or word.isdigit()):
            check_word(word, manual, f"./dev {words[0]}")


def configure(words):
    check_options(words, help_of("./configure"), "./configure")


def make(words):
    targets = set(re.findall(r"^([a-z][\w-]*):", read("auto", "Makefile.in"),
                             re.M))
    for word in words:
        if "=" not in word and not is_option(word) and word not in targets:
            raise Fault(f"make has no target {word}")


def python(words):
    if words[:2] != ["-m", "pytest"]:
        raise Fault("python3 is shown for pytest alone")

    for word in words[2:]:
        if word.startswith("t/") and not os.path.exists(
                os.path.join(ROOT, word)):
            raise Fault(f"there is no {word}")


def systemctl(words):
    units = os.listdir(os.path.join(ROOT, "conf", "systemd"))
    for word in words[1:]:
        if not is_option(word) and word not in units \
                and f"{word}.service" not in units:
            raise Fault(f"no unit {word} is shipped")


def build_control(words):
    check_options(words, read("t", "tailnet", "build"), "t/tailnet/build")


def control(words):
    """Flags of a program in Go."""

    source = "".join(read(path) for path in glob.glob(
        os.path.join(ROOT, "t", "tailnet", "control", "*.go")))
    flags = re.findall(r'flag\.\w+\("([\w-]+)"', source)
    check_options(words, " ".join(f"-{flag}" for flag in flags), "control")


PROGRAMS = {
    "./configure": configure,
    "./control": control,
    "./dev": dev,
    "/usr/bin/python3": python,
    "make": make,
    "systemctl": systemctl,
    "t/tailnet/build": build_control,
    "tailgate": tailgate,
    "tailgate-authd": authd,
}


def split(text):
    """The words of each simple command."""

    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True,
                            punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        words, skip = [], False

        for word in lexer:
            if skip:
                skip = False

            elif set(word) <= set(";&|"):
                yield words
                words = []

            elif set(word) <= set("<>"):
                skip = True

            else:
                words.append(word)

        yield words


def check(text):
    for words in split(text):
        if words[:1] == ["sudo"]:
            words = words[1:]

        if not words or words[0] in OTHERS:
            continue

        if words[0] not in PROGRAMS:
            raise Fault(f"{words[0]}: t/docs/shell.py does not know the "
                        "program; add it to PROGRAMS or to OTHERS")

        PROGRAMS[words[0]](words[1:])
