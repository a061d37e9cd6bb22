# Copyright (C) The Tailgate authors

"""The decision table by a real nginx: one, with an address for each policy and
its inline rules. Each request has a connection of its own, so that the port it
comes from says which case it is."""

import os

import pytest

import table
from localapi_test import LocalAPI, http
from network_test import add_addresses, in_thread, unshare
from tailgate_test import Client, Nginx

CODES = {204: "allow", 403: "deny", 503: "unavailable"}

# where nginx itself refuses what cannot be judged, or what it has no method
# for; who asks is then not even looked at
REFUSED = 400

SERVER = """
server {
    listen %s:@PORT@;
    %s
    location / {
        tailgate %s;
        tailgate_set_header X-Seen $tailgate_node_id;
        %s
        add_header X-Decision $tailgate_decision always;
        add_header X-Rule $tailgate_rule always;
        add_header X-Reason $tailgate_reason always;
        proxy_pass http://unix:@DIR@/app.sock:/app/;
    }
}
"""

APP = """
server {
    listen unix:@DIR@/app.sock;
    location / {
        add_header X-Reached $http_x_seen;
        add_header X-Got-Role $http_x_role;
        add_header X-Got-List $http_x_list;
        add_header X-Got-Who $http_x_who;
        return 204;
    }
}
"""


class World:
    """nginx and its LocalAPI. One address stands for everything that a place
    in nginx.conf can have: of 127/8, or of a Service."""

    def __init__(self, folder, cases, mode="on"):
        self.folder = str(folder)
        self.mode = mode
        self.answers = {}
        self.addresses = {}
        self.api = LocalAPI(os.path.join(self.folder, "api.sock"),
                            whois=self.whois,
                            status=http(body=table.PEERS["self"]))
        conf = [f"tailgate_localapi unix:{self.api.path};",
                "tailgate_cache off;", APP]
        for case in cases:
            if self.key(case) not in self.addresses:
                conf.append(self.server(case))
        self.nginx = Nginx(folder, "".join(conf))

    @staticmethod
    def key(case):
        return case.policy, tuple(case.inline or ()), case.via

    def whois(self, query):
        return http(*self.answers.get(query["addr"], (404, "nobody")))

    def server(self, case):
        n = len(self.addresses)
        net = "127.1" if case.via is None else "100.100"
        address = f"{net}.{n // 250}.{n % 250 + 1}"
        self.addresses[self.key(case)] = address

        policy = inline = service = ""
        if case.policy is not None:
            policy = f"tailgate_policy {self.write(f'{n}.yaml', case.policy)};"

        if case.inline is not None:
            inline = f"include {self.write(f'{n}.conf', directives(case))};"

        if case.via is not None:
            service = f"tailgate_service {case.via} {address};\n"

        return service + SERVER % (address, policy, self.mode, inline)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def ask(self, case, source="127.0.0.1"):
        """The answer, and what the rules of that place are called. Who comes
        from loopback is told by the port, others by their address."""

        address = self.addresses[self.key(case)]
        with Client((address, self.nginx.port), source) as client:
            port = client.socket.getsockname()[1]
            asked = source if source != "127.0.0.1" else f"{source}:{port}"
            self.answers[asked] = case.answer()
            answer = client.request(
                case.method, case.target, case.headers, host=case.host,
                version="1.1" if case.host is not None else "1.0")

        n = list(self.addresses).index(self.key(case))
        return answer, case.names(
            lambda kind, _, total:
            f"tailgate_{kind}:{self.folder}/{n}.conf:{total + 1}")

    def __enter__(self):
        self.api.__enter__()
        self.nginx.start()
        return self

    def __exit__(self, *exception):
        self.nginx.__exit__(*exception)
        self.api.__exit__(*exception)


def directives(case):
    """The inline rules as nginx.conf has them, a line each: rules first."""

    rules, raw_path = case.rules()
    lines = [f"tailgate_{kind} {words};" for kind, words in rules]
    if raw_path:
        lines.append("tailgate_raw_path allow;")
    return "\n".join(lines) + "\n"


CASES = table.cases_for("nginx", lambda case: case.via is None)
SERVICES = table.cases_for("nginx", lambda case: case.via is not None)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("policy"), CASES["argvalues"]) as made:
        yield made


def judge(world, case, *source):
    answer, names = world.ask(case, *source)

    if case.reason == "bad-request" and answer.status == REFUSED:
        return

    assert answer.status in CODES, f"{answer}\n{case.describe()}"

    # an empty variable makes no header
    rule = answer.header("X-Rule") or ""
    rule = "" if rule == "-" else names.get(rule, rule)

    case.judge(CODES[answer.status], rule, answer.header("X-Reason"))
    assert answer.header("X-Decision") == case.expect
    case.judge_headers(
        lambda name: answer.header(name.replace("X-", "X-Got-")))
    assert (answer.header("X-Reached") is not None) == (answer.status == 204)


@pytest.mark.parametrize("case", **CASES)
def test_case(case, world):
    judge(world, case)


def test_services(tmp_path):
    """The cases by a Service, whose address only a network of one's own
    has."""

    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")

    cases = SERVICES["argvalues"]

    def run():
        unshare()
        world = World(tmp_path, cases)
        sources = [f"100.64.9.{n}" for n in range(len(cases))]
        add_addresses("lo", *world.addresses.values(), *sources)
        with world:
            for case, source in zip(cases, sources):
                judge(world, case, source)

    in_thread(run)
