# Copyright (C) The Tailgate authors

"""The decision table: who asks for what under which policy, and what has to
come of it.  Four programs are asked, and all have to say the same:

    the library      t/unit/test_policy_table.c
    the command      test_explain.py   tailgate policy explain
    the module       test_nginx.py     in a real nginx
    the daemon       test_authd.py     asked as nginx without the module does

A file of t/policy/*.yaml has

    policies   policy files by name
    inline     rules of nginx.conf by name: "deny os=iOS" is tailgate_deny,
               and so on
    cases      a list

and a case

    name       what is claimed; no two cases have the same
    check      where the claim comes from: a check of the security list
    policy     the policy file that is in force; none without it
    inline     the inline rules that are in force; none without it
    peer       who asks, one of t/cases/peers.yaml
    set, remove
               changes of the WhoIs answer, as in t/cases/identity.yaml
    request    METHOD URL; a URL without a host is a request without one
    headers    headers of the request
    via        the Service that it came by; directly without it
    expect     allow, deny or unavailable
    rule       the rule that decides, "" for none.  An inline one is called
               inline.deny[0]
    reason     the word for it, as in tg_policy_reason_name()
    gives      headers of the route: what the app gets, "" for none
    only       the ways that can have such a case, all without it
    why        what the others cannot have

@now-1h@ in a policy, in inline rules and in an answer is a time from now: s, m,
h or d.  The table is written from docs/policy.md, not from the code.
"""

import copy
import datetime
import functools
import glob
import json
import os
import re
import time

import yaml

from tailgate_test import ROOT

STARTED = int(time.time())

WAYS = ("core", "explain", "nginx", "authd")
KINDS = ("allow", "deny", "require")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return yaml.safe_load(f)


PEERS = read("t", "cases", "peers.yaml")


def expand(text):
    """text with the times in it."""

    def when(match):
        seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600,
                                   "d": 86400}[match[2]]
        then = datetime.datetime.fromtimestamp(STARTED + seconds,
                                               datetime.timezone.utc)
        return then.strftime("%Y-%m-%dT%H:%M:%SZ")

    return re.sub(r"@now([+-]\d+)([smhd])@", when, text)


def edit(document, changes):
    for path, text in changes.get("set", {}).items():
        *parents, last = path.split(".")
        place = document
        for name in parents:
            place = place[name]
        place[last] = json.loads(expand(text))

    for path in changes.get("remove", []):
        *parents, last = path.split(".")
        place = document
        for name in parents:
            place = place[name]
        place.pop(last, None)


class Case:
    def __init__(self, file, document, case):
        self.file = file
        self.name = case["name"]
        self.case = case
        self.expect = case["expect"]
        self.reason = case.get("reason")
        self.rule = case.get("rule")
        self.headers = case.get("headers", {})
        self.via = case.get("via")
        self.gives = case.get("gives", {})
        self.only = case.get("only", WAYS)

        self.policy_name = case.get("policy")
        self.policy = None
        if self.policy_name is not None:
            self.policy = expand(document["policies"][self.policy_name])

        self.inline_name = case.get("inline")
        self.inline = None
        if self.inline_name is not None:
            self.inline = [expand(line) for line in
                           document["inline"][self.inline_name]]

        self.method, url = case["request"].split(" ", 1)
        match = re.fullmatch(r"(?:[a-z]+://([^/]*))?(/.*)", url)
        self.url, self.host, self.target = url, match[1], match[2]

        self.peer = PEERS["peers"][case["peer"]]

    def answer(self):
        """What WhoIs answers about the peer: a status, and a body."""

        if "code" in self.peer:
            return self.peer["code"], "no"

        document = copy.deepcopy(
            json.loads(PEERS["answers"][self.peer["answer"]]))
        edit(document, self.peer)
        edit(document, self.case)
        return 200, json.dumps(document)

    def rules(self):
        """The inline rules as (kind, words), and whether raw paths are
        allowed; words hold their quotes."""

        rules = []
        for line in self.inline or []:
            kind, words = line.split(" ", 1)
            if kind in KINDS:
                rules.append((kind, words))

        return rules, "raw_path allow" in (self.inline or [])

    def names(self, called):
        """called(kind, n, total) is how a program calls the n-th inline rule
        of a kind, which is the total-th of all: that name to the table's."""

        counts = dict.fromkeys(KINDS, 0)
        names = {}
        for total, (kind, _) in enumerate(self.rules()[0]):
            names[called(kind, counts[kind], total)] = \
                f"inline.{kind}[{counts[kind]}]"
            counts[kind] += 1
        return names

    def judge(self, verdict, rule=None, reason=None):
        """Whether a program said what it has to say."""

        said, expected = [verdict], [self.expect]

        if rule is not None and self.rule is not None:
            said.append(rule)
            expected.append(self.rule)

        if reason is not None and self.reason is not None:
            said.append(reason)
            expected.append(self.reason)

        assert said == expected, f"{said}, not {expected}\n{self.describe()}"

    def judge_headers(self, given):
        """given(name) is a header that the app gets; None for none."""

        assert {name: given(name) or "" for name in self.gives} \
            == self.gives, self.describe()

    def describe(self):
        return "\n".join([
            f"{self.file}: {self.name}", self.case["request"],
            self.policy or "no policy file",
            *(self.inline or ["no inline rules"]), self.answer()[1]])

    def id(self):
        check = self.case.get("check")
        number = f"check_{check}-" if check is not None else ""
        return f"{self.file}-{number}" + re.sub(r"\W+", "_", self.name)

    def __repr__(self):
        return f"{self.file}: {self.name}"


def paths():
    return sorted(glob.glob(os.path.join(ROOT, "t", "policy", "*.yaml")))


@functools.lru_cache(None)
def cases():
    found = []
    for path in paths():
        document = read(path)
        name = os.path.basename(path).removesuffix(".yaml")
        found += [Case(name, document, case) for case in document["cases"]]
    return found


def cases_for(way, chosen=lambda case: True):
    """The cases that a way can have, and names for pytest."""

    chosen = [case for case in cases() if way in case.only and chosen(case)]
    return {"argvalues": chosen,
            "ids": [case.id() for case in chosen]}
