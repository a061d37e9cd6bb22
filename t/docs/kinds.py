# Copyright (C) The Tailgate authors

"""How each kind of block is run.  A new kind is a function of (block, folder)
that raises Fault, an entry in KINDS, and one in test_docs.py with a fault that
the function has to find."""

import json
import os
import re
import subprocess

import shell
from blocks import Fault, check_excerpt
from tailgate_test import (BUILD, HTTP, MAIN, ROOT, TAILGATE, ConfigError,
                           Devnet, Nginx, certificate, free_port, installed)

SECRET = "0123456789abcdef" * 4 + "\n"


def place(text, folder):
    """text with the paths of an installed machine below folder, where they
    are made: what /etc/tailgate holds is the file that is shipped, or else a
    secret."""

    def moved(match):
        path = os.path.join(str(folder), match[0].lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        name = os.path.basename(path)
        shipped = os.path.join(ROOT, "conf", name)

        if match[0].startswith("/var/log/"):
            return path

        if os.path.exists(shipped):
            return shipped

        with open(path, "w", encoding="ascii") as f:
            f.write(SECRET)

        os.chmod(path, 0o600)
        return path

    return re.sub(r"(?:/etc/tailgate|/run/credentials|/var/log)/[\w./-]*\w",
                  moved, text)


def run(command, what):
    """A program that has to like what it is given."""

    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        raise Fault(f"{what}: {done.stdout}{done.stderr}")


def write(folder, name, text):
    path = os.path.join(str(folder), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


# nginx

# Where a block belongs that begins with one of these; else, and that is what
# most show, into a location.  The option "in" overrides it.
CONTEXTS = {
    "main": {"events", "http", "load_module", "user", "worker_processes"},
    "http": {"geo", "include", "limit_req_zone", "log_format", "map",
             "server", "tailgate_localapi", "tailgate_service",
             "tailgate_session_secret", "upstream"},
    "server": {"listen", "location", "server_name", "ssl_certificate"},
}

WRAP = {
    "http": "%s",
    "server": "server {\n listen 127.0.0.1:@PORT@;\n%s\n}",
    "location": "server {\n listen 127.0.0.1:@PORT@;\n"
                "location / {\n%s\n}\n}",
}


def context(block):
    if "in" in block.options:
        if block.options["in"] not in ("main", *WRAP):
            raise Fault(f"in={block.options['in']}: nginx has no such level")
        return block.options["in"]

    first = re.search(r"(?m)^\s*([a-z_]+)", block.text)
    for name, directives in CONTEXTS.items():
        if first and first[1] in directives:
            return name

    return "location"


def whole(text):
    """A block that is an nginx.conf, and what it leaves to the defaults; it
    loads the module itself, or has none of it."""

    rest = MAIN.replace("load_module @MODULE@;", "")
    if re.search(r"(?m)^events\b", text):
        rest = re.sub(r"events \{.*?\}", "", rest, flags=re.S)

    return text + rest


def nginx(block, folder):
    """nginx -t.  Ours are only: the addresses to listen on, a certificate, and
    where logs and secrets are."""

    ports = {}

    def listen(match):
        port = ports.setdefault(match[0], free_port())
        return f"{match[1]}127.0.0.1:{port}"

    text = re.sub(r"(\blisten\s+)(?:[\d.]+:)?\d+\b", listen, block.text)
    text = place(text, folder)
    path, key = certificate(folder)
    http = f"{HTTP} ssl_certificate {path};\n ssl_certificate_key {key};\n"

    level = context(block)
    if level == "main":
        if len(re.findall(r"(?m)^http \{", text)) != 1:
            raise Fault("a whole nginx.conf has one http block")

        conf = whole(text.replace("http {", "http {" + http))

    else:
        conf = f"{MAIN}\nhttp {{\n{http}\n{WRAP[level] % text}\n}}\n"

    server = Nginx(folder, conf)
    os.symlink(BUILD, server.path("modules"))
    os.symlink(os.path.join(ROOT, "conf", "nginx"), server.path("snippets"))
    write(server.directory, "policy.yaml", "version: 1\n")

    try:
        said = server.test()

    except ConfigError as error:
        raise Fault(f"in {level}: {error}") from None

    if "[warn]" in said:
        raise Fault(said)


# other proxies


def caddyfile(block, folder):
    """caddy validate.  With in=site the block is what stands in a site."""

    text = block.text
    if block.options.get("in") == "site":
        text = "http://127.0.0.1 {\n" + text + "}\n"

    program = subprocess.run(
        [os.path.join(ROOT, "t", "authd", "caddy")], check=True,
        stdout=subprocess.PIPE, text=True).stdout.strip()
    run([program, "validate", "--adapter", "caddyfile", "--config",
         write(folder, "Caddyfile", text)], "caddy")


def haproxy(block, folder):
    """haproxy -c, with our action where the guide installs it."""

    text = block.text.replace("/etc/haproxy/", os.path.join(
        ROOT, "examples", "forward-haproxy", ""))
    run([installed("haproxy"), "-c", "-f",
         write(folder, "haproxy.cfg", text)], "haproxy")


# ours


def authd(block, folder):
    run([os.path.join(BUILD, "tailgate-authd"), "-t", "-c",
         write(folder, "authd.yaml", place(block.text, folder))],
        "tailgate-authd")


def devnet(block, folder):
    """It has no test mode: it is run until it answers."""

    try:
        with Devnet(folder, block.text):
            pass

    except AssertionError as error:
        raise Fault(f"devnet: {error}") from None


def links(block, folder):
    """tailgate links apply, which reads all of a file before it asks a server:
    here is none."""

    status = subprocess.run(
        [os.path.join(BUILD, "tailgate"), "links", "apply", "--dry-run", "-f",
         write(folder, "links.yaml", block.text),
         "--server", "http://127.0.0.1:9"], stdout=subprocess.PIPE, check=False,
        stderr=subprocess.STDOUT, encoding="utf-8")
    if status.returncode != 3:
        raise Fault(f"tailgate links apply: {status.stdout}")


def policy_file(block, folder):
    """A tailnet's policy file, or a member of one: groups and tags that the
    member names are defined for it."""

    text = block.text
    if not text.lstrip().startswith("{"):
        groups = {name: ["alice@example.com"] for name in
                  re.findall(r'"(group:[\w-]+)"', text)}
        tags = {name: [] for name in re.findall(r'"(tag:[\w-]+)"', text)}
        text = (f'{{\n{text.rstrip()},\n"groups": {json.dumps(groups)},\n'
                f'"tagOwners": {json.dumps(tags)}\n}}\n')

    run([TAILGATE, "acl", "check", write(folder, "policy.hujson", text)],
        "tailgate acl check")


def policy(block, folder):
    """tailgate policy check, and its own tests.  A block without a version is
    a part of a file, or with in=route of a route."""

    text = block.text
    if block.options.get("in") == "route":
        text = "".join(f"    {line}" for line in text.splitlines(True))
        text = ("routes:\n  - name: route\n    allow: "
                "[{ autogroup: member }]\n" + text)

    if not text.startswith("version:"):
        text = "version: 1\n" + text

    if not re.search(r"(?m)^(routes|grants):", text):
        text += "routes: []\n"

    path = write(folder, "policy.yaml", text)
    run([TAILGATE, "policy", "check", path], "tailgate policy check")
    if re.search(r"(?m)^tests:", text):
        run([TAILGATE, "policy", "test", path], "tailgate policy test")


# the machine's


def systemd(block, folder):
    """systemd-analyze verify of a unit, or of a drop-in for the shipped unit
    that the option "unit" names."""

    unit = block.options.get("unit")
    if unit is None:
        raise Fault("an ini systemd block needs unit=NAME")

    source = os.path.join(ROOT, "conf", "systemd", unit)
    if not os.path.exists(source):
        raise Fault(f"conf/systemd has no {unit}")

    for name in os.listdir(os.path.dirname(source)):
        with open(os.path.join(ROOT, "conf", "systemd", name),
                  encoding="utf-8") as f:
            text = f.read().replace("@SBINDIR@", BUILD).replace(
                "@SYSCONFDIR@", "/etc")
        write(folder, name, text)

    write(folder, f"{unit}.d/shown.conf", block.text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
         os.path.join(str(folder), unit)],
        capture_output=True, text=True, timeout=120, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines()
            if "shown.conf" in line]
    if done.returncode != 0 or said:
        raise Fault(f"systemd-analyze verify: {done.stdout}{done.stderr}")


def sh(block, folder):
    shell.check(block.text)


def is_json(block, folder):
    def once(pairs):
        if len(dict(pairs)) != len(pairs):
            raise Fault(f"a key comes twice: {pairs}")
        return dict(pairs)

    try:
        json.loads(block.text, object_pairs_hook=once)

    except ValueError as error:
        raise Fault(f"no JSON: {error}") from None


def excerpts_only(block, folder):
    raise Fault(f'nothing runs a block "{block.kind}": show an excerpt of a '
                "file that a test runs (from=examples/NAME/FILE)")


def shown_only(block, folder):
    """Output, forms, and what is shown as wrong."""


# what the words behind a fence may be
KINDS = {
    "caddyfile": caddyfile,
    "haproxy": haproxy,
    "hujson": policy_file,
    "ini": excerpts_only,
    "ini systemd": systemd,
    "json": is_json,
    "nginx": nginx,
    "python": excerpts_only,
    "sh": sh,
    "text": shown_only,
    "yaml": excerpts_only,
    "yaml authd": authd,
    "yaml devnet": devnet,
    "yaml links": links,
    "yaml policy": policy,
}

# and the options of a kind, besides from=FILE
OPTIONS = {
    "caddyfile": {"in"},
    "ini systemd": {"unit"},
    "nginx": {"in"},
    "yaml policy": {"in"},
}


def check(block, folder):
    """Runs a block in a folder of its own, or raises Fault."""

    if block.kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise Fault(f'"{block.kind}" is no kind of block; there are {known}')

    for option in block.options:
        if option not in OPTIONS.get(block.kind, set()) | {"from"}:
            raise Fault(f"a block {block.kind} has no option {option}")

    if "from" in block.options:
        check_excerpt(block)
        return

    os.makedirs(folder, exist_ok=True)
    KINDS[block.kind](block, folder)
