# Copyright (C) The Tailgate authors

"""Each check of the tree finds the fault that it is there for."""

import os
import shutil
import subprocess

import pytest

import docs
import includes
import reference
import style
import symbols
import tree

HEAD = "/* Copyright (C) The Tailgate authors */\n"
SH = "#!/bin/sh\n\n# Copyright (C) The Tailgate authors\n"
BODY = "\n\nint\nf(void)\n{\n    return 0;\n}\n"


@pytest.fixture
def plant(tmp_path):
    """plant(path, text) puts a file into an empty tree, and gives the
    tree."""

    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return str(tmp_path)

    return write


@pytest.mark.parametrize("path, name, fine", [
    ("core/base/a.c", "<string.h>", True),
    ("core/base/a.c", "<tailgate/base.h>", True),
    ("core/base/a.c", '"core/base/buf.h"', True),
    ("core/base/a.c", "<jansson.h>", True),
    ("core/base/a.c", '"core/identity/whois.h"', False),
    ("core/base/a.c", "<uv.h>", False),
    ("core/base/a.c", '"../base/buf.h"', False),
    ("core/a.c", "<string.h>", False),
    ("core/headers/a.c", '"core/policy/rule.h"', False),
    ("core/golink/a.c", "<pcre2.h>", True),
    ("core/token/a.c", "<pcre2.h>", False),
    ("include/tailgate/a.h", "<tailgate/base.h>", True),
    ("include/tailgate/a.h", "<jansson.h>", False),
    ("net/loop/a.c", "<uv.h>", True),
    ("net/http/a.c", "<uv.h>", False),
    ("net/http/a.c", "<llhttp.h>", True),
    ("net/client/a.c", "<curl/curl.h>", True),
    ("net/client/a.c", "<llhttp.h>", False),
    ("modules/nginx/a.c", "<ngx_http.h>", True),
    ("modules/nginx/a.c", '"ngx_http_tailgate_module.h"', True),
    ("modules/nginx/a.c", "<jansson.h>", False),
    ("modules/nginx/a.c", '"core/base/buf.h"', False),
    ("authd/app/forward/a.c", '"authd/app/forward/view.h"', True),
    ("authd/app/forward/a.c", '"authd/app/whoami/view.h"', False),
    ("authd/app/forward/a.c", "<sqlite3.h>", False),
    ("authd/app/links/a.c", "<libpq-fe.h>", False),
    ("authd/app/links/a.c", '"authd/store/store.h"', True),
    ("authd/app/links/a.c", '"authd/store/engine.h"', False),
    ("authd/store/sqlite.c", "<sqlite3.h>", True),
    ("authd/store/sqlite.c", "<libpq-fe.h>", False),
    ("authd/store/postgres.c", "<libpq-fe.h>", True),
    ("authd/store/store.c", "<sqlite3.h>", False),
    ("authd/store/store.c", "<libpq-fe.h>", False),
    ("authd/main.c", "<uv.h>", False),
    ("authd/main.c", '"core/identity/whois.h"', False),
    ("cli/main.c", '"net/client/localapi.h"', True),
    ("cli/main.c", '"authd/config.h"', False),
    ("plugins/a.c", "<string.h>", False),
])
def test_includes(plant, path, name, fine):
    root = plant(path, f"{HEAD}\n#include {name}\n")
    faults = includes.check(root)
    assert (faults == []) == fine, faults
    if not fine:
        assert faults[0].startswith(f"{path}:3: ")


def test_include_in_comment(plant):
    root = plant("core/base/a.c", HEAD + "/*\n#include <uv.h>\n*/\n")
    assert includes.check(root) == []


@pytest.mark.parametrize("text, fault", [
    ("int  a; \n", "blanks at the end"),
    ("\tint  a;\n", "a tab"),
    ("int  a;", "no newline at the end"),
    ("int  a;\n\n", "blank lines at the end"),
])
def test_text(plant, text, fault):
    faults = style.check_text(plant("core/base/a.c", text))
    assert [f.endswith(fault) for f in faults] == [True], faults


def test_width(plant):
    plant("dev", SH + "# " + "x" * 78 + "\n")
    root = plant("core/base/a.c", "/* " + "x" * 75 + " */\n")
    assert style.check_width(root) == ["core/base/a.c:1: 81 columns"]


@pytest.mark.parametrize("text, fault", [
    (BODY, "does not begin with"),
    (HEAD + BODY + "\n\n" + BODY.strip() + "\n", None),
    (HEAD + BODY + "\n" + BODY.strip() + "\n", "two blank lines"),
    (HEAD + BODY.replace("\n{", " {"), 'is on a line of its own'),
    (HEAD + BODY.replace("    return", "    f();\n" * 99 + "    return"),
     "a function of 100 lines"),
    (HEAD + BODY.replace("    return", "    f();\n" * 98 + "    return"), None),
    (HEAD + "int  a;\n" * 799, "800 lines"),
    (HEAD + "int  a;\n" * 798, None),
    (HEAD + "// int\n", "comments are"),
    (HEAD + BODY.replace("0;", "atoi(s);"), "atoi() is banned"),
    (HEAD + BODY.replace("0;", "sprintf (s, s);"), "sprintf() is banned"),
    (HEAD + BODY.replace("0;", "snprintf(s, 1, s);"), None),
    (HEAD + BODY.replace("0;", "t.system(s);"), "system() is banned"),
    (HEAD + BODY.replace("0;", "0; /* not atoi(s) */"), None),
    (HEAD + BODY.replace("0;", 'f("atoi(s)");'), None),
])
def test_c(plant, text, fault):
    faults = style.check_c(plant("core/base/a.c", text))
    if fault is None:
        assert faults == []

    else:
        assert len(faults) == 1 and fault in faults[0], faults


def test_heads(plant):
    assert style.check_heads(plant("dev", "#!/bin/sh\ntrue\n")) != []


@pytest.mark.parametrize("path, fine", [
    ("/wo" "rk/main/x", False),
    ("see /ro" "ot/.ssh", False),
    ("https://example.com/wo" "rk/", True),
    ("net/wo" "rk/x", True),
])
def test_personal(plant, path, fine):
    assert (style.check_personal(plant("docs/a.md", path)) == []) == fine


@pytest.mark.parametrize("there, fault", [
    (["fuzz/fuzz_a.c", "fuzz/corpus/a/1"], None),
    (["fuzz/fuzz_a.c"], "fuzz/fuzz_a.c has no file"),
    (["fuzz/corpus/a/1"], "fuzz/corpus/a/ has no"),
])
def test_corpora(plant, there, fault):
    for path in there:
        root = plant(path, "x")

    faults = docs.check_corpora(root)
    assert faults == [] if fault is None else fault in faults[0]


def test_shell(plant):
    root = plant("dev", SH + "echo $1\n")
    assert "SC2086" in docs.check_shell(root)[0]


def test_shell_bash(plant):
    root = plant("dev", "#!/bin/bash\ntrue\n")
    assert docs.check_shell(root) == ["dev: is not for /bin/sh"]


@pytest.mark.parametrize("path, text, fault", [
    ("t/a.py", "import os\n", "'os' imported but unused"),
    ("t/a.py", "a = (\n", "was never closed"),
    ("t/a", "#!/usr/bin/python3\nprint(b)\n", "undefined name 'b'"),
    ("t/a", "#!/usr/bin/env python3\n", "is not for /usr/bin/python3"),
    ("t/a", "print(b)\n", None),
    ("t/a.py", "c = get_config()\n", None),
])
def test_python(plant, path, text, fault):
    faults = docs.check_python(plant(path, text))
    if fault is None:
        assert faults == []

    else:
        assert len(faults) == 1 and fault in faults[0], faults


def test_man(plant):
    root = plant("docs/man/a.1", ".Dd $Mdocdate$\n.Dt A 1\n.Os\n.Sh NAME\n"
                                 ".Nm a\n.Nd b\n.Bl -tag\n.Xx\n")
    assert docs.check_man(root) != []


@pytest.mark.parametrize("files, fault", [
    ({}, None),
    ({"docs/install.md": ""}, "does not describe configure's --help"),
    ({"CONTRIBUTING.md": ""}, "does not describe ./dev demo"),
    ({"configure": 'help() {\n  --more\nEND\n'}, "--more is either not taken"),
    ({"configure": 'help() {\n\nEND\n        --more=*) ;;\n'},
     "--more is either not taken"),
])
def test_options(plant, files, fault):
    tree_files = {
        "configure": 'help() {\n  --help\nEND\n        --help) ;;\n',
        "docs/install.md": "`--help`, `--more`",
        "dev": "help() {\n  ./dev demo\n  ./dev help\nEND\n",
        "CONTRIBUTING.md": "./dev demo",
    }
    for path, text in {**tree_files, **files}.items():
        root = plant(path, text)

    faults = docs.check_options(root)
    if fault is None:
        assert faults == []

    else:
        assert fault in faults[0]


def test_links(plant):
    plant("README.md", "[a](docs/b.md) [c](https://example.com/) "
                       "[d](docs/d.md#x)\n")
    root = plant("docs/b.md", "[README](../README.md#top)")
    assert docs.check_links(root) == ["README.md:1: docs/d.md is not there"]


def test_parts(plant):
    plant("dev", 'parts="unit nginx"\nparts="$parts cli"\n')
    plant("t/unit/test_a.c", "")
    plant("t/cli/test_a.py", "")
    root = plant("t/new/test_a.py", "")
    assert docs.check_parts(root) == ["t/new is no part of ./dev check"]


COMMANDS = """
static ngx_command_t  a[] = {

    { ngx_string("tailgate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      a, 0, 0, NULL },

    { ngx_string("tailgate_user"), TG_ATTR_USER },
    { ngx_string("not_ours"), 0 },
"""

PAGE = """# Module

## Directives

### tailgate

    Syntax:   tailgate on | off;
    Default:  tailgate off;
    Context:  http, location

Text.

## Embedded Variables

| `$tailgate_user` | text |
"""

DIRECTIVES = reference.check_directives
VARIABLES = reference.check_variables


@pytest.mark.parametrize("check, old, new, fault", [
    (DIRECTIVES, "", "", None),
    (VARIABLES, "", "", None),
    (DIRECTIVES, "### tailgate\n", "### more\n",
     "nothing about the directive tailgate"),
    (DIRECTIVES, "## Embedded", "### more\n\n## Embedded",
     "more is no directive"),
    (DIRECTIVES, "http, loc", "http, server, loc",
     "the contexts of tailgate are http, location"),
    (DIRECTIVES, "    Default:  tailgate off;\n", "", "does not begin with"),
    (DIRECTIVES, "tailgate on", "more on", "is another's"),
    (VARIABLES, "$tailgate_user", "$tailgate_users",
     "nothing about the variable tailgate_user"),
    (VARIABLES, "| `$", "| `$tailgate_more` | |\n| `$",
     "tailgate_more is no variable"),
])
def test_module_reference(plant, check, old, new, fault):
    plant("modules/nginx/a.c", COMMANDS)
    faults = check(plant(reference.MODULE, PAGE.replace(old, new)))
    if fault is None:
        assert faults == []

    else:
        assert fault in faults[0], faults


def test_profiles(plant):
    plant("core/headers/profiles.c", '    { .name = "a-b",\n'
                                     '    { .name = "X-C",\n'
                                     '    { .name = "d",\n')
    root = plant("docs/headers.md", "### a-b\n\n### e\n\n### Not one\n")
    assert reference.check_profiles(root) == [
        "docs/headers.md: has nothing about the profile d",
        "docs/headers.md: e is no profile"]


def test_commands(plant):
    plant("cli/commands.c", '    { "whois", "who", f },\n'
                            '    { "status", "how", g },\n')
    plant("docs/man/tailgate.1", "tailgate-whois\n")
    plant("docs/man/tailgate-whois.1", "")
    root = plant("docs/man/tailgate-links.1", "")
    assert reference.check_commands(root) == [
        "docs/man: has nothing about the command status",
        "docs/man: links is no command",
        "docs/man/tailgate.1: does not name tailgate-status"]


@pytest.fixture
def compiled(tmp_path):
    """compiled(name, source) builds a library of tmp_path."""

    def build(name, source):
        file = tmp_path / "a.c"
        file.write_text(source)
        out = tmp_path / name
        compiler = os.environ.get("CC") or shutil.which("cc")

        if name.endswith(".so"):
            subprocess.run([compiler, "-shared", "-fPIC", "-o", out, file],
                           check=True)

        elif name.endswith(".o"):
            out.parent.mkdir(parents=True)
            subprocess.run([compiler, "-c", "-o", out, file], check=True)

        else:
            subprocess.run([compiler, "-c", "-o", tmp_path / "a.o", file],
                           check=True)
            subprocess.run(["ar", "rc", out, tmp_path / "a.o"], check=True)

        return str(tmp_path)

    return build


def test_archive_symbols(compiled):
    build = compiled("libtailgate.a",
                     "int tg_a; int tgi_b; static int c(void) { return 0; } "
                     "int d(void) { return c(); }")
    assert symbols.check_archives(build) == [
        "libtailgate.a: d has no prefix of tg_ tgi_"]


def test_module_symbols(compiled):
    build = compiled("ngx_http_tailgate_module.so",
                     "int ngx_modules; int ngx_module_names; int tg_a;")
    assert symbols.check_module(build) == [
        "the module exports tg_a",
        "the module does not export ngx_module_order"]


def test_object_symbols(compiled):
    build = compiled("nginx/addon/nginx/a.o",
                     "int ngx_http_tailgate_a; int ngx_http_b; "
                     "static int c(void) { return 0; } "
                     "int ngx_http_tailgate_d(void) { return c(); }")
    assert symbols.check_objects(build) == [
        "a.o: ngx_http_b does not begin with ngx_http_tailgate_"]


@pytest.mark.parametrize("text, fine", [
    ("#include <stddef.h>\n\nsize_t tg_a(void);\n", True),
    ("size_t tg_a(void);\n", False),
])
def test_headers(plant, text, fine):
    root = plant("include/tailgate/a.h", text)
    faults = symbols.check_headers(root, root)
    assert (faults == []) == fine, faults


def test_public_symbols(compiled, plant):
    build = compiled("libtailgate.a",
                     "int tg_a(void) { return 0; } int tg_b(void) "
                     "{ return 0; }")
    root = plant("include/tailgate/a.h", "int tg_a(void);\n"
                 "/* tg_d() */\n#define TG_E(x) tg_e(x)\nint tg_c(void);\n")
    assert symbols.check_public(build, root) == [
        "tg_b is in no public header",
        "tg_c is declared, and defined nowhere"]


def test_files_follow_git(tmp_path):
    """What git ignores is not looked at."""

    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("/build/\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "a.c").write_text("")
    (tmp_path / "b.c").write_text("")
    assert tree.files(str(tmp_path)) == [".gitignore", "b.c"]
