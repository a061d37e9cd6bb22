# Copyright (C) The Tailgate authors

"""What every file, and every C file, has to look like."""

import re

import tree

COLUMNS = 80
FILE_LINES = 800
FUNCTION_LINES = 100

BANNED = re.compile(
    r"\b(strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|atoi|atol|atoll"
    r"|sscanf|strtol|strtoul|strtoll|strtoull|gmtime|localtime|ctime|asctime"
    r"|rand|srand|random|system|popen|alloca|gets|mktemp|tmpnam"
    r")\s*\(")

HEAD = "Copyright (C) The Tailgate authors"

# somebody's machine; written so that this file does not name one itself
PERSONAL = re.compile("(?<![A-Za-z0-9_.-])/(" + "|".join(
    ["wo" + "rk", "ro" + "ot"]) + ")/")

TEXT = (".c", ".h", ".py", ".sh", ".md", ".yaml", ".yml", ".conf", ".in",
        ".html", ".css", ".js", ".go", ".service", ".socket", ".1", ".5",
        ".7", ".8")

# what a test feeds to a parser may be malformed on purpose
DATA = re.compile(r"^(fuzz/corpus/|t/[^/]+/data/|t/unit/data/)")


def kept(root):
    return [p for p in tree.files(root) if not DATA.match(p)]


def check_text(root=tree.ROOT):
    """Blanks at the end of a line, tabs, a missing last newline."""

    faults = []
    for path in kept(root):
        if not path.endswith(TEXT):
            continue

        source = tree.text(root, path)
        if source is None:
            faults.append(f"{path}: not UTF-8 text")
            continue

        if source and not source.endswith("\n"):
            faults.append(f"{path}: no newline at the end")

        if source.endswith("\n\n"):
            faults.append(f"{path}: blank lines at the end")

        # gofmt wants tabs
        tabs = not path.endswith(".go")

        for number, line in enumerate(source.split("\n"), 1):
            if line != line.rstrip():
                faults.append(f"{path}:{number}: blanks at the end")

            if tabs and "\t" in line and path != "auto/Makefile.in":
                faults.append(f"{path}:{number}: a tab")

    return faults


def check_width(root=tree.ROOT):
    """Code is 80 columns wide."""

    faults = []
    for path in kept(root):
        if not path.endswith((".c", ".h", ".py", ".sh", ".in")) \
                and path not in tree.shell_files(root):
            continue

        for number, line in enumerate((tree.text(root, path) or "")
                                      .split("\n"), 1):
            if len(line) > COLUMNS:
                faults.append(f"{path}:{number}: {len(line)} columns")

    return faults


def functions(lines):
    """(first line, last line) of each function body, counted from 1."""

    start = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            start = number

        elif line.startswith("}"):
            if start is not None and line.rstrip() == "}":
                yield start, number

            start = None


def check_c(root=tree.ROOT):
    """Length of files and functions, the layout of functions, who wrote it,
    functions that nobody may call."""

    faults = []
    for path in tree.c_files(root):
        source = tree.text(root, path)
        if source is None:
            faults.append(f"{path}: not UTF-8 text")
            continue

        if HEAD not in "\n".join(source.split("\n")[:3]):
            faults.append(f"{path}:1: does not begin with /* {HEAD} */")

        plain = tree.code(source)
        lines = plain.split("\n")

        if len(lines) - 1 >= FILE_LINES:
            faults.append(f"{path}: {len(lines) - 1} lines")

        for first, last in functions(lines):
            if last - first - 1 >= FUNCTION_LINES:
                faults.append(f"{path}:{first}: a function of "
                              f"{last - first - 1} lines")

            after = lines[last:last + 3]
            if any(line.strip() for line in after[:2]) \
                    and not after[0].startswith("#") \
                    and not (after[0] == "" and after[1].startswith("#")):
                faults.append(f"{path}:{last}: two blank lines end a function")

        for number, line in enumerate(lines, 1):
            if re.match(r"[A-Za-z_][^=;#]*\)\s*\{$", line):
                faults.append(f"{path}:{number}: \"{{\" of a function is on a "
                              "line of its own")

            if re.match(r"\s*//", source.split("\n")[number - 1]):
                faults.append(f"{path}:{number}: comments are /* */")

        for match in BANNED.finditer(plain):
            line = plain.count("\n", 0, match.start()) + 1
            faults.append(f"{path}:{line}: {match.group(1)}() is banned")

    return faults


def check_heads(root=tree.ROOT):
    """Scripts say whose they are as well."""

    return [f"{path}: does not say {HEAD}" for path in tree.shell_files(root)
            if HEAD not in (tree.text(root, path) or "")]


def check_personal(root=tree.ROOT):
    faults = []
    for path in tree.files(root):
        for number, line in enumerate((tree.text(root, path) or "")
                                      .split("\n"), 1):
            if PERSONAL.search(line):
                faults.append(f"{path}:{number}: {line.strip()}")

    return faults
