# Copyright (C) The Tailgate authors

"""The same links and requests to tailgate-authd and to a real golink, whose
program GOLINK names. What differs is in docs/links/golink.md, and here."""

import collections
import json
import os
import subprocess

import pytest

import differences
from generated import links
from golink import ADDRESSES, FOO, OWN, SCRIPT, Links
from network_test import own_network
from tailgate_test import (Client, Incomplete, free_port, listening,
                           stop_process, wait_until)

COUNT = 2000
GOLINK = os.environ.get("GOLINK")


def line(link):
    return json.dumps({"Short": link.name, "Long": link.long,
                       "Created": "2024-01-01T00:00:00Z",
                       "LastEdit": "2024-01-01T00:00:00Z",
                       "Owner": "foo@example.com"}) + "\n"


class Golink:
    """A real one, which takes everybody for foo@example.com."""

    def __init__(self, directory, lines):
        self.port = free_port("127.0.0.1")
        snapshot = directory / "snapshot.jsonl"
        snapshot.write_text(lines, encoding="utf-8")
        self.log = directory / "golink.log"
        self.command = [GOLINK, "-dev-listen", f"127.0.0.1:{self.port}",
                        "-sqlitedb", str(directory / "golink.db"),
                        "-snapshot", str(snapshot)]

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: listening(("127.0.0.1", self.port)), 120,
                   "golink listens")
        return self

    def __exit__(self, *_):
        stop_process(self.process)


class Asked:
    """Requests to one of the two, many on a connection: there are more of
    them than ports."""

    def __init__(self, where, who=None):
        self.where, self.who = where, who
        self.client = None

    def outcome(self, ask):
        """Status and Location of a request."""

        target = f"/{ask.spelling}{ask.path}{ask.query}"
        if self.client is None:
            self.client = Client(self.where, self.who)
        try:
            answer = self.client.get(target, host="go")
        except (Incomplete, ConnectionError):       # it had its share
            self.close()
            self.client = Client(self.where, self.who)
            answer = self.client.get(target, host="go")
        return answer.status, answer.header("location")

    def close(self):
        if self.client is not None:
            self.client.close()
            self.client = None


def told(counts, unlisted):
    lines = [f"{n:6}  {name}" for name, n in counts.most_common()]
    lines += [f"{len(unlisted):6}  not listed"]
    lines += [f"{link.name} -> {link.long!r}: {''.join(ask)}: "
              f"golink {theirs}, here {ours}"
              for link, ask, theirs, ours in unlisted[:60]]
    return "\n".join(lines)


@pytest.mark.skipif(GOLINK is None,
                    reason="not applicable: GOLINK names no golink")
@own_network(*ADDRESSES)
def test_leads_where_golink_leads(tmp_path):
    cases = list(links(COUNT))
    lines = "".join(line(link) for link, _ in cases)
    with Links(tmp_path, "tailnet") as served, \
            Golink(tmp_path, lines) as golink:
        taken = served.ask("POST", "/api/v1/import",
                           {**SCRIPT, "Content-Type": "application/x-ndjson"},
                           lines)
        assert taken.status == 200, taken.body
        refused = {result["name"]: result["error"]
                   for result in taken.json()["results"] if "error" in result}

        counts, unlisted = collections.Counter(), []
        theirs = Asked(golink.port)
        ours = Asked((OWN, served.port), FOO)
        for link, asks in cases:
            for ask in asks:
                pair = theirs.outcome(ask), ours.outcome(ask)
                name = differences.name(link, ask, *pair,
                                        link.name in refused)
                counts[name or "not listed"] += 1
                if name is None:
                    unlisted.append((link, ask, *pair))
        theirs.close()
        ours.close()

    # what is refused at save is what is said to be, and nothing else
    wrong = [(link, refused.get(link.name)) for link, _ in cases
             if (link.name in refused) != differences.is_refused(link)]
    assert not wrong, wrong

    print(told(counts, unlisted))
    assert not unlisted, told(counts, unlisted)
    assert counts["same"] * 2 >= sum(counts.values()), told(counts, [])
