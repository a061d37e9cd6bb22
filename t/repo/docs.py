# Copyright (C) The Tailgate authors

"""What is said about the tree has to be so: man pages, options, links,
corpora."""

import os
import re
import subprocess

import tree


def check_corpora(root=tree.ROOT):
    """Every fuzz target starts from something, and no corpus is orphaned."""

    paths = tree.files(root)
    targets = {p[len("fuzz/fuzz_"):-2] for p in paths
               if re.fullmatch(r"fuzz/fuzz_[a-z0-9_]+\.c", p)}
    corpora = {p.split("/")[2] for p in paths
               if p.startswith("fuzz/corpus/") and p.count("/") > 2}

    return ([f"fuzz/fuzz_{name}.c has no file in fuzz/corpus/{name}/"
             for name in sorted(targets - corpora)]
            + [f"fuzz/corpus/{name}/ has no fuzz/fuzz_{name}.c"
               for name in sorted(corpora - targets)])


def check_shell(root=tree.ROOT):
    scripts = tree.shell_files(root)
    faults = []

    for path in scripts:
        first = tree.read(root, path).split(b"\n")[0]
        if first.startswith(b"#!") and first != b"#!/bin/sh":
            faults.append(f"{path}: is not for /bin/sh")

    if scripts:
        result = subprocess.run(["shellcheck", "-x", "-f", "gcc", *scripts],
                                cwd=root, capture_output=True, text=True)
        faults += result.stdout.split("\n")[:-1]
        if result.returncode not in (0, 1):
            faults.append(result.stderr)

    return faults


# what an app defines before it reads its configuration
GIVEN = "undefined name 'get_config'"


def check_python(root=tree.ROOT):
    """For Debian's Python, and nothing in it that pyflakes sees."""

    faults = []
    scripts = []

    for path in tree.files(root):
        first = tree.read(root, path).split(b"\n")[0]

        if path.endswith(".py"):
            scripts.append(path)

        elif first.startswith(b"#!") and b"python" in first:
            scripts.append(path)

        if first.startswith(b"#!") and b"python" in first \
                and first != b"#!/usr/bin/python3":
            faults.append(f"{path}: is not for /usr/bin/python3")

    if scripts:
        result = subprocess.run(
            ["/usr/bin/python3", "-m", "pyflakes", *scripts], cwd=root,
            capture_output=True, text=True)
        faults += [line for line in result.stdout.split("\n")[:-1]
                   if GIVEN not in line]
        if result.stderr:
            faults.append(result.stderr)

    return faults


def check_man(root=tree.ROOT):
    pages = [p for p in tree.files(root)
             if re.fullmatch(r"docs/man/[^/]+\.[1-9]", p)]
    faults = []

    if pages:
        result = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "error", *pages],
            cwd=root, capture_output=True, text=True)
        faults += result.stdout.split("\n")[:-1]
        if result.returncode != 0 and not faults:
            faults.append(result.stderr)

    return faults


OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def check_options(root=tree.ROOT):
    """An option that configure takes is in its --help, and one that is there
    is documented; so are the commands of dev."""

    faults = []
    script = tree.text(root, "configure") or ""
    manual = tree.text(root, "docs/install.md") or ""

    taken = set(OPTION.findall("\n".join(re.findall(
        r"^ +(--[a-z-]+)=?\*?\)", script, re.M))))
    shown = set(OPTION.findall(script.split("help() {")[1].split("\nEND")[0]))

    for option in sorted(taken ^ shown):
        faults.append(f"configure: {option} is either not taken or not in "
                      "--help")

    for option in sorted(shown):
        if f"`{option}" not in manual:
            faults.append(f"docs/install.md: does not describe configure's "
                          f"{option}")

    script = tree.text(root, "dev") or ""
    manual = tree.text(root, "CONTRIBUTING.md") or ""
    usage = script.split("help() {")[1].split("\nEND")[0]

    for command in re.findall(r"^  (\./dev [a-z]+)", usage, re.M):
        if command != "./dev help" and command not in manual:
            faults.append(f"CONTRIBUTING.md: does not describe {command}")

    return faults


LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def check_links(root=tree.ROOT):
    """A relative link of a page leads to a file of the tree."""

    faults = []
    for path in tree.files(root):
        if not path.endswith(".md"):
            continue

        for number, line in enumerate((tree.text(root, path) or "")
                                      .split("\n"), 1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue

                place = os.path.join(root, os.path.dirname(path), target)
                if not os.path.exists(place):
                    faults.append(f"{path}:{number}: {target} is not there")

    return faults


def check_parts(root=tree.ROOT):
    """./dev check knows every folder of tests."""

    known = re.findall(r'^parts="([^"]*)"', tree.text(root, "dev") or "", re.M)
    known = set(" ".join(known).split())
    there = {p.split("/")[1] for p in tree.files(root)
             if re.fullmatch(r"t/[^/]+/test_[^/]+\.(py|c)", p)}

    return [f"t/{part} is no part of ./dev check"
            for part in sorted(there - known)]
