# Copyright (C) The Tailgate authors

"""Who may include whom: the table of docs/design.md."""

import re

import tree

LIBC = re.compile(r"""
    assert | ctype | errno | fcntl | fnmatch | float | getopt | glob | grp
    | ifaddrs | inttypes
    | iso646 | limits | locale | math | netdb | poll | pthread | pwd | regex
    | sched | setjmp | signal | spawn | stdalign | stdarg | stdatomic
    | stdbool | stddef | stdint | stdio | stdlib | stdnoreturn | string
    | strings | syslog | termios | time | unistd | wchar
    | (?:sys|netinet|arpa|linux|net)/[a-z0-9_]+
""", re.X)

OURS = r"tailgate/[a-z0-9_]+\.h|tailgate_config\.h"
JSON = r"jansson\.h"
YAML = r"yaml\.h"
CRYPTO = r"openssl/[a-z0-9_]+\.h"
FOREIGN = rf"{JSON}|{YAML}|{CRYPTO}"

# The first folder that a file's path begins with decides.  Each lists what
# may be included besides libc.
RULES = [
    ("include/tailgate/", [r"tailgate/[a-z0-9_]+\.h"]),
    ("core/base/", [OURS, FOREIGN, "core/base/.*"]),
    ("core/identity/", [OURS, FOREIGN, "core/(base|identity)/.*"]),
    ("core/policy/", [OURS, FOREIGN, "core/(base|identity|policy)/.*",
                      r"assets/core_assets\.h"]),
    ("core/acl/", [OURS, FOREIGN, "core/(base|acl)/.*"]),
    ("core/headers/", [OURS, FOREIGN, "core/(base|identity|headers)/.*"]),
    ("core/golink/", [OURS, FOREIGN, r"pcre2\.h", "core/(base|golink)/.*"]),
    ("core/status/", [OURS, FOREIGN, "core/(base|status)/.*",
                      r"assets/core_assets\.h"]),
    ("core/token/", [OURS, FOREIGN, "core/(base|token)/.*"]),
    ("core/", None),
    ("net/loop/", [OURS, FOREIGN, r"uv\.h", "core/base/.*", "net/.*"]),
    ("net/http/", [OURS, FOREIGN, r"llhttp\.h", "core/base/.*", "net/.*"]),
    ("net/client/", [OURS, FOREIGN, r"curl/curl\.h", "core/base/.*",
                     "net/.*"]),
    ("net/", None),
    ("modules/nginx/", [OURS, r"ngx_[a-z0-9_]+\.h", r"nginx\.h"]),
    ("authd/store/sqlite", [OURS, r"sqlite3\.h", "core/base/.*",
                            "authd/store/.*"]),
    ("authd/store/golink_db.c", [OURS, r"sqlite3\.h", "core/base/.*",
                                 "authd/store/.*"]),
    ("authd/store/postgres", [OURS, r"libpq-fe\.h", "core/base/.*",
                              "authd/store/.*"]),
    ("authd/store/", [OURS, FOREIGN, "core/base/.*", "net/loop/.*",
                      "authd/store/.*"]),
    ("authd/app/", [OURS, FOREIGN, "core/base/.*", "net/.*",
                    "authd/[^/]*", r"authd/store/(store|link|golink_db)\.h",
                    "authd/app/SELF/.*",
                    r"assets/authd_assets\.h"]),
    ("authd/", [OURS, FOREIGN, "core/base/.*", "net/.*", "authd/.*",
                r"assets/authd_assets\.h"]),
    ("cli/", [OURS, FOREIGN, "core/base/.*", "net/.*", "cli/.*",
              r"authd/store/golink_db\.h"]),
    ("t/", [".*"]),
    ("fuzz/", [".*"]),
    ("bench/", [".*"]),
    ("examples/", [".*"]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.M)


def allowed(path, name):
    """None if path may include name, else why not."""

    for folder, patterns in RULES:
        if not path.startswith(folder):
            continue

        if patterns is None:
            return f"{folder} holds folders, not files"

        if "../" in name:
            return "paths start at the root of the repository"

        if LIBC.fullmatch(name.removesuffix(".h")):
            return None

        own = path.split("/")[2] if folder == "authd/app/" else ""
        for pattern in patterns:
            if re.fullmatch(pattern.replace("SELF", re.escape(own)), name):
                return None

        return f"{folder} must not include it"

    return "no rule for this folder"


def check(root=tree.ROOT):
    faults = []
    for path in tree.c_files(root):
        source = tree.text(root, path) or ""
        # a comment may quote an #include
        plain = tree.code(source)

        for match in INCLUDE.finditer(source):
            if plain[match.start():match.end()].strip()[:1] != "#":
                continue

            name = match.group(1) or match.group(2)
            why = allowed(path, name)
            if why:
                line = source.count("\n", 0, match.start(1 if match.group(1)
                                                         else 2)) + 1
                faults.append(f"{path}:{line}: {name}: {why}")

    return faults
