# Copyright (C) The Tailgate authors

"""The tables of docs/headers.md, from core/headers/profiles.c.  Run it to
print them."""

import os
import subprocess
import sys
import tempfile

import tree


def dump(root=tree.ROOT):
    """The profiles as the compiler sees them: a list of dictionaries."""

    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "dump")

        subprocess.run(
            [os.environ.get("CC", "cc"), "-std=c11", "-I" + root,
             "-I" + os.path.join(root, "include"), "-o", program,
             os.path.join(root, "t/repo/headers_dump.c"),
             os.path.join(root, "core/headers/profiles.c")], check=True)

        output = subprocess.run([program], check=True, capture_output=True,
                                text=True).stdout

    profiles = []
    for line in output.splitlines():
        kind, *fields = line.split("\t")

        if kind == "profile":
            profiles.append(dict(zip(("name", "summary", "secret"), fields),
                                 headers=[], cookies=[]))

        elif kind == "header":
            profiles[-1]["headers"].append(dict(zip(
                ("name", "source", "transform", "encoding", "join",
                 "separator", "max", "empty", "constant", "cap", "field"),
                fields), roles=[]))

        elif kind == "role":
            profiles[-1]["headers"][-1]["roles"].append(fields)

        else:
            profiles[-1]["cookies"].append(fields[0])

    return profiles


def code(text):
    return "`" + text.replace("|", "\\|") + "`"


def value(header):
    """What a header says, in words."""

    if header["constant"]:
        return code(header["constant"])

    if header["source"] == "capability":
        roles = ", ".join(code(sent) for _, sent in header["roles"])
        names = ", ".join(code(name) for name, _ in header["roles"])
        text = f"field {code(header['field'])} of {code(header['cap'])}: "
        return text + (roles if roles == names else f"{names} as {roles}")

    text = header["source"]

    if header["transform"]:
        text += ", " + header["transform"]

    if header["join"]:
        parts = header["join"].replace(
            "separator", "joined by " + code(header["separator"]))
        text += ", " + parts.replace("json", "a JSON array")

    return text


def section(profile):
    lines = [f"### {profile['name']}", "", profile["summary"] + ".", "",
             "| header | value | encoding | bytes | without a value |",
             "|---|---|---|---|---|"]

    for header in profile["headers"]:
        empty = {"-": "no header", "": "empty"}.get(
            header["empty"], code(header["empty"]))

        lines.append("| " + " | ".join(
            [code(header["name"]), value(header), code(header["encoding"]),
             header["max"], empty]) + " |")

    if profile["cookies"]:
        lines += ["", "Session cookies: "
                  + ", ".join(code(c) for c in profile["cookies"]) + "."]

    if profile["secret"]:
        lines += ["", f"Secret header: {code(profile['secret'])}."]

    return "\n".join(lines) + "\n"


def sections(root=tree.ROOT):
    return [section(profile) for profile in dump(root)]


if __name__ == "__main__":
    sys.stdout.write("\n".join(sections()))
