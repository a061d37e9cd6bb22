# Copyright (C) The Tailgate authors

"""The reference says what the code takes, and nothing else."""

import os
import re

import tree

MODULE = "docs/nginx/ngx_http_tailgate_module.md"

DIRECTIVE = re.compile(
    r'\{ ngx_string\("(\w+)"\),\s+(NGX_[A-Z0-9_|\s]+),', re.S)
VARIABLE = re.compile(
    r'\{ ngx_string\("(tailgate_\w+)"\), (?:TG_ATTR|NGX_HTTP_TAILGATE_VAR)_')
CONTEXTS = [("NGX_HTTP_MAIN_CONF", "http"), ("NGX_HTTP_SRV_CONF", "server"),
            ("NGX_HTTP_LOC_CONF", "location")]


def differ(where, kind, code, page):
    return ([f"{where}: has nothing about the {kind} {name}"
             for name in sorted(code - page)]
            + [f"{where}: {name} is no {kind}"
               for name in sorted(page - code)])


def sources(root, folder):
    return "\n".join(tree.text(root, p) or "" for p in tree.c_files(root)
                     if p.startswith(folder))


def check_directives(root=tree.ROOT):
    """Each directive has its section, in nginx.org's form, with the contexts
    that nginx takes it in."""

    flags = dict(DIRECTIVE.findall(sources(root, "modules/nginx/")))
    page = tree.text(root, MODULE) if flags else ""
    part = re.search(r"^## Directives$(.*?)(?=^## |\Z)", page, re.M | re.S)
    part = part.group(1) if part else ""
    sections = dict(re.findall(r"^### (\w+)$(.*?)(?=^### |\Z)", part,
                               re.M | re.S))

    faults = differ(MODULE, "directive", set(flags), set(sections))

    for name in sorted(set(flags) & set(sections)):
        wanted = ", ".join(word for flag, word in CONTEXTS
                           if flag in flags[name])
        form = re.search(r"\A\n\n    Syntax:   (.*)\n    Default:  .*\n"
                         r"    Context:  (.*)\n\n", sections[name])
        if not form:
            faults.append(f"{MODULE}: {name} does not begin with its Syntax, "
                          "Default and Context")

        elif form.group(2) != wanted:
            faults.append(f"{MODULE}: the contexts of {name} are {wanted}")

        elif not form.group(1).startswith(name):
            faults.append(f"{MODULE}: the syntax of {name} is another's")

    return faults


def check_variables(root=tree.ROOT):
    code = set(VARIABLE.findall(sources(root, "modules/nginx/")))
    page = tree.text(root, MODULE) if code else ""
    # not $tailgate_cap_NAME, which is any number of them
    rows = set(re.findall(r"^\| `\$(tailgate_[a-z_]+)` \|", page, re.M))
    return differ(MODULE, "variable", code, rows)


def check_profiles(root=tree.ROOT):
    """Each header profile has its section."""

    code = set(re.findall(r'^    \{ \.name = "([a-z0-9-]+)"',
                          sources(root, "core/headers/profiles.c"), re.M))
    page = tree.text(root, "docs/headers.md") if code else ""
    return differ("docs/headers.md", "profile", code,
                  set(re.findall(r"^### ([a-z0-9-]+)$", page, re.M)))


def check_commands(root=tree.ROOT):
    """Each command has its man page, and tailgate(1) names it."""

    code = set(re.findall(r'^    \{ "([a-z]+)", "',
                          sources(root, "cli/commands.c"), re.M))
    pages = {match.group(1) for match in
             (re.fullmatch(r"docs/man/tailgate-([a-z]+)\.1", p)
              for p in tree.files(root)) if match}
    main = "docs/man/tailgate.1"
    text = tree.text(root, main) \
        if os.path.exists(os.path.join(root, main)) else ""

    return (differ("docs/man", "command", code, pages)
            + [f"{main}: does not name tailgate-{name}"
               for name in sorted(code)
               if not re.search(rf"tailgate-{name}\b", text)])
