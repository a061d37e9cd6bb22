# Copyright (C) The Tailgate authors

"""The decision table by a real tailgate-authd, asked as an nginx without the
module asks it.

authd has no inline rules. They are asked for as a policy file whose one route,
"inline", has them; where the table has a file with routes beside them, both
files are asked, and the request needs both."""

import os
import shlex

import pytest
import yaml

import table
from authd import Authd, LocalAPI, remote

CODES = {200: "allow", 403: "deny", 400: "deny", 503: "unavailable"}

SERVICE = "100.100.1.1"


def condition(words):
    """The words of an inline rule as a rule of a file."""

    rule, where = {}, {}
    for word in shlex.split(words):
        key, value = word.split("=", 1)
        if key == "where":
            field, value = value.split(":", 1)
            where.setdefault(field, []).append(value)
        else:
            rule.setdefault(key, []).append(value)

    # a time is one
    for key in ("from", "until"):
        if key in rule:
            rule[key], = rule[key]
    if where:
        rule["where"] = where
    return rule


# the built-in rule, and none beside a policy file
MEMBERS = [{"autogroup": "member"}]
EVERYBODY = [{"autogroup": ["member", "tagged", "shared"]}]


def as_file(case, base=None, otherwise=None):
    """The inline rules as a file, on top of one without routes; what allows
    if they do not say it themselves."""

    rules, raw_path = case.rules()
    route = {"name": "inline"}
    for kind, words in rules:
        route.setdefault(kind, []).append(condition(words))

    if otherwise is not None:
        route.setdefault("allow", otherwise)
    if raw_path:
        route["raw_path"] = "allow"

    return yaml.safe_dump({**(base or {"version": 1}), "routes": [route]})


def files(case):
    """The policy files to ask, None for the built-in rule."""

    if case.inline is None:
        return [case.policy]

    if case.policy is None:
        return [as_file(case, None, MEMBERS)]

    base = yaml.safe_load(case.policy)
    if "routes" not in base and "grants" not in base:
        return [as_file(case, base)] if case.rules()[0] else [case.policy]

    groups = {key: base[key] for key in ("version", "tailnet", "groups")
              if key in base}
    return [case.policy, as_file(case, groups, EVERYBODY)]


class World:
    """A daemon for each policy, a few of which run at a time."""

    RUNNING = 3

    def __init__(self, folder):
        self.folder = folder
        self.answers = {}
        self.daemons = {}
        self.port = 1024
        self.started = 0
        self.api = LocalAPI(str(folder / "api.sock"),
                            lambda address, query: self.answers.get(
                                address, (404, "nobody")),
                            table.PEERS["self"])

    def daemon(self, policy, via):
        key = policy, via
        if key not in self.daemons:
            if len(self.daemons) == self.RUNNING:
                self.daemons.pop(next(iter(self.daemons))).stop()
            self.daemons[key] = self.start(policy, via)
        return self.daemons[key]

    def start(self, policy, via):
        folder = self.folder / str(self.started)
        folder.mkdir()
        self.started += 1
        word = "member"
        if policy is not None:
            word = str(folder / "policy.yaml")
            with open(word, "w", encoding="utf-8") as f:
                f.write(policy)

        conf = {"policy": word, "log": {"format": "json"},
                "localapi": "@LOCALAPI@",
                "listen": {"unix": "@SOCKET@", "senders": [os.getuid()]}}
        if via is not None:
            conf["services"] = {via: SERVICE}

        return Authd(folder, self.api.path, yaml.safe_dump(conf)).start()

    def ask(self, case, policy):
        """The answer, and the line of the log."""

        self.port += 1
        source, asked = "127.0.0.1", f"127.0.0.1:{self.port}"
        if case.via:
            source = asked = f"100.64.9.{self.port % 250}"
        self.answers[asked] = case.answer()
        daemon = self.daemon(policy, case.via)
        before = len(daemon.audit())

        headers = remote(source, self.port,
                         SERVICE if case.via else "127.0.0.1")
        headers += [("X-Original-Method", case.method),
                    ("X-Original-Host", case.host),
                    ("X-Original-URI", case.target),
                    *case.headers.items()]

        answer = daemon.get("/v1/auth/nginx", headers)
        line = daemon.decided(before)
        assert answer.status in CODES, f"{answer}\n{case.describe()}"
        return answer, line

    def __enter__(self):
        self.api.__enter__()
        return self

    def __exit__(self, kind, value, traceback):
        for daemon in self.daemons.values():
            daemon.__exit__(kind, value, traceback)
        self.api.__exit__(kind, value, traceback)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("policy")) as made:
        yield made


def worst(verdicts):
    return next(verdict for verdict in ("unavailable", "deny", "allow")
                if verdict in verdicts)


@pytest.mark.parametrize("case", **table.cases_for("authd"))
def test_case(case, world):
    asked = files(case)
    said = [world.ask(case, policy) for policy in asked]
    verdicts = [CODES[answer.status] for answer, _ in said]
    verdict = worst(verdicts)

    # whose rule it is: the file's, unless it is an inline one
    line = said[0][1]
    if len(said) == 2 and verdict == "deny" \
            and (verdicts[0] == "allow" or case.rule.startswith("inline.")):
        line = said[1][1]

    built_in = case.reason == "builtin"
    case.judge(verdict, None if built_in else line.get("rule", ""),
               None if built_in else line.get("reason"))
    case.judge_headers(said[0][0].header)
