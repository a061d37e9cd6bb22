# Copyright (C) The Tailgate authors

"""What the libraries and the module show to the linker."""

import glob
import os
import re
import subprocess

import tree

# what nginx looks up in a module that it loads
NGINX = {"ngx_modules", "ngx_module_names", "ngx_module_order"}

# archive: prefixes of what it may define for others
ARCHIVES = {
    "libtailgate.a": ("tg_", "tgi_"),
    "libtailgate-net.a": ("tgn_",),
    "obj/libauthd.a": ("authd_",),
    "obj/libcli.a": ("cli_",),
}

# of a library that is compiled from its sources, or of a sanitizer
OTHERS = re.compile(r"llhttp_|__odr_asan|__asan|__ubsan|__sanitizer")


def defined(path, *options):
    """Names that a library defines, without those of other people."""

    output = subprocess.run(
        ["nm", "--defined-only", "-f", "posix", *options, path],
        check=True, capture_output=True, text=True).stdout

    names = set()
    for line in output.split("\n"):
        fields = line.split()
        if len(fields) >= 2 and not OTHERS.match(fields[0]):
            names.add(fields[0])

    return names


def check_headers(build, root=tree.ROOT):
    """A header can be included first, or alone."""

    faults = []
    for path in tree.c_files(root):
        if not re.match(r"(include|core|net|authd|cli)/.*\.h$", path):
            continue

        result = subprocess.run(
            ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
             "-fsyntax-only", "-I.", "-Iinclude", f"-I{build}",
             "-isystem", "/usr/share/include/llhttp",
             "-isystem", "/usr/include/postgresql", "-x", "c", "-"],
            cwd=root, input=f'#include "{path}"\n', capture_output=True,
            text=True)
        if result.returncode != 0:
            faults.append(f"{path}: does not compile alone:\n"
                          f"{result.stderr}")

    return faults


def check_archives(build):
    faults = []
    for archive, prefixes in ARCHIVES.items():
        path = os.path.join(build, archive)
        if not os.path.exists(path):
            continue

        for name in sorted(defined(path, "-g")):
            if not name.startswith(prefixes):
                faults.append(f"{archive}: {name} has no prefix of "
                              + " ".join(prefixes))

    return faults


def check_module(build):
    path = os.path.join(build, "ngx_http_tailgate_module.so")
    if not os.path.exists(path):
        return []

    names = defined(path, "-D")
    return ([f"the module exports {name}" for name in sorted(names - NGINX)]
            + [f"the module does not export {name}"
               for name in sorted(NGINX - names)])


def check_objects(build):
    """One prefix for everything of the module that has a name for the
    linker."""

    faults = []
    for path in sorted(glob.glob(os.path.join(build, "nginx/addon/*/*.o"))):
        for name in sorted(defined(path, "-g")):
            if not name.startswith("ngx_http_tailgate_"):
                faults.append(f"{os.path.basename(path)}: {name} does not "
                              "begin with ngx_http_tailgate_")

    return faults


DECLARED = re.compile(r"\b(tg_[a-z0-9_]+)\(")


def check_public(build, root=tree.ROOT):
    """tg_ means public: declared in a public header, and defined."""

    path = os.path.join(build, "libtailgate.a")
    if not os.path.exists(path):
        return []

    declared = set()
    for header in tree.c_files(root):
        if not header.startswith("include/tailgate/"):
            continue

        source = tree.code(tree.text(root, header) or "")
        # what a macro expands to is declared elsewhere
        source = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", "", source, flags=re.M)
        declared |= set(DECLARED.findall(source))

    names = defined(path, "-g")
    public = {name for name in names if name.startswith("tg_")}

    return ([f"{name} is in no public header"
             for name in sorted(public - declared)]
            + [f"{name} is declared, and defined nowhere"
               for name in sorted(declared - names)])
