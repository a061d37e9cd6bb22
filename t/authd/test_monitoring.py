# Copyright (C) The Tailgate authors

"""What Prometheus and Grafana are given: metrics of nginx and the daemon by
the same names, alerts, and a dashboard, on a real Prometheus."""

import json
import os
import re
import subprocess
import urllib.parse

import pytest
import yaml

from policy import POLICY, Policed
from tailgate_test import (ROOT, Nginx, free_port, get, installed,
                           stop_process, wait_until)

RULES = os.path.join(ROOT, "conf", "prometheus", "tailgate.rules.yml")
SCRAPE = os.path.join(ROOT, "conf", "prometheus", "scrape.yml")
DASHBOARD = os.path.join(ROOT, "conf", "grafana", "tailgate.json")
TESTS = os.path.join(os.path.dirname(__file__), "rules_test.yml")

CONF = """
tailgate_localapi unix:@API@;
tailgate_policy @POLICY@;
server {
    listen 127.0.0.1:@PORT@;
    location / { tailgate on; empty_gif; }
    location = /tailgate/status { tailgate off; tailgate_status_page; }
    location = /tailgate/authd {
        tailgate   off;
        proxy_pass http://unix:@AUTHD@:/metrics;
    }
}
"""


def expressions():
    """All PromQL of the rules and of the dashboard."""

    with open(RULES, encoding="utf-8") as f:
        groups = yaml.safe_load(f)["groups"]
    found = [rule["expr"] for group in groups for rule in group["rules"]]
    return found + panels()


def panels():
    with open(DASHBOARD, encoding="utf-8") as f:
        board = json.load(f)
    found = []
    for panel in board["panels"]:
        assert panel["type"] == "row" or panel["targets"], panel["title"]
        found += [target["expr"] for target in panel.get("targets", ())]
    return found


def used(expression):
    """The metrics of an expression: what has the prefix, outside of strings
    and of the labels between braces and brackets."""

    bare = re.sub(r'"(\\.|[^"\\])*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}", "", bare)
    bare = re.sub(r"\b(by|without)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\btailgate_\w+", bare))


def served(text):
    return set(re.findall(r"^(tailgate_\w+)[{ ]", text, re.M))


class Prometheus:
    """A real one, that scrapes paths of target each second."""

    def __init__(self, directory, target, paths):
        self.port = free_port("127.0.0.1")
        self.directory = directory / "prometheus"
        self.directory.mkdir()
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                       "evaluation_interval": "1s"},
            "rule_files": [RULES],
            "scrape_configs": [
                {"job_name": job, "metrics_path": path,
                 "params": {"format": ["prometheus"]} if job == "nginx"
                 else {}, "static_configs": [{"targets": [target]}]}
                for job, path in paths.items()]}
        self.file = self.directory / "prometheus.yml"
        self.file.write_text(json.dumps(config), encoding="utf-8")
        self.process = None

    def __enter__(self):
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                [installed("prometheus"), f"--config.file={self.file}",
                 f"--storage.tsdb.path={self.directory}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                stdout=log, stderr=log)
        wait_until(self.ready, 60, "Prometheus is ready")
        return self

    def __exit__(self, *_):
        stop_process(self.process, seconds=30)

    def ready(self):
        assert self.process.poll() is None, \
            (self.directory / "log").read_text()
        try:
            return self.get("/-/ready").status == 200
        except OSError:
            return False

    def get(self, target):
        return get(("127.0.0.1", self.port), target)

    def query(self, expression):
        answer = self.get("/api/v1/query?"
                          + urllib.parse.urlencode({"query": expression}))
        found = answer.json()
        assert found["status"] == "success", (expression, found)
        return found["data"]["result"]


@pytest.fixture(name="site")
def fixture_site(tmp_path, localapi):
    with Policed(tmp_path, localapi.path, POLICY) as daemon:
        with Nginx(tmp_path, CONF, API=localapi.path, POLICY=daemon.policy,
                   AUTHD=daemon.socket) as nginx:
            yield daemon, nginx


def texts(site):
    daemon, nginx = site
    page = get(("127.0.0.1", nginx.port),
               "/tailgate/status?format=prometheus")
    proxied = get(("127.0.0.1", nginx.port), "/tailgate/authd")
    assert page.status == proxied.status == 200
    assert daemon.get("/metrics").status == 200
    return page.body.decode(), proxied.body.decode()


def test_names(site):
    """Whatever an alert or a panel looks at is served, by both; and what is
    served is documented."""

    nginx, daemon = map(served, texts(site))
    assert nginx <= daemon, nginx - daemon
    assert all(name.startswith("tailgate_authd_") for name in daemon - nginx)

    for expression in expressions():
        names = used(expression)
        assert names, expression
        assert names <= nginx, (expression, names - nginx)

    with open(os.path.join(ROOT, "docs", "monitoring.md"),
              encoding="utf-8") as f:
        text = f.read()
    rows = re.findall(r"^\| (`tailgate_.*?) \| (?:counter|gauge|histogram) \|",
                      text, re.M)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {
        re.sub("_(bucket|sum|count)$", "", name) for name in daemon}


def test_one_thing_has_one_name(site):
    """Type and help text, too."""

    both = []
    for text in texts(site):
        both.append(set(re.findall(r"^# .*$", text, re.M)))
    assert both[0] <= both[1]


def promtool(*arguments, **more):
    return subprocess.run([installed("promtool"), *arguments],
                          capture_output=True, text=True, check=False, **more)


def test_promtool_metrics(site):
    for text in texts(site):
        done = promtool("check", "metrics", input=text)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("arguments", [
    ("check", "rules", RULES), ("test", "rules", TESTS),
    ("check", "config", "--syntax-only", SCRAPE)], ids=["rules", "test",
                                                        "scrape"])
def test_promtool(arguments):
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_each_alert_is_tested():
    with open(RULES, encoding="utf-8") as f:
        alerts = {rule["alert"] for group in yaml.safe_load(f)["groups"]
                  for rule in group["rules"]}
    with open(TESTS, encoding="utf-8") as f:
        tests = [case for test in yaml.safe_load(f)["tests"]
                 for case in test["alert_rule_test"]]
    for there in (True, False):
        assert alerts == {case["alertname"] for case in tests
                          if bool(case.get("exp_alerts")) is there}
    with open(os.path.join(ROOT, "docs", "monitoring.md"),
              encoding="utf-8") as f:
        text = f.read()
    assert alerts == set(re.findall(r"^\| `(Tailgate\w+)` \|", text, re.M))


def test_dashboard_on_prometheus(site, tmp_path):
    """Each panel has data, and each rule is evaluated."""

    daemon, nginx = site
    target = f"127.0.0.1:{nginx.port}"
    paths = {"nginx": "/tailgate/status", "authd": "/tailgate/authd"}
    with Prometheus(tmp_path, target, paths) as prometheus:
        missing = panels()

        def all_there():
            get(("127.0.0.1", nginx.port), "/")
            daemon.ask()
            for expression in missing[:]:
                query = expression.replace("$__rate_interval", "1m") \
                    .replace("$job", "nginx|authd").replace("$instance", ".*")
                assert "$" not in query
                found = prometheus.query(query)
                if any(float(one["value"][1]) == float(one["value"][1])
                       for one in found):
                    missing.remove(expression)
            return not missing

        try:
            wait_until(all_there, 60, "data of all panels", pause=0.5)
        except AssertionError as error:
            raise AssertionError(missing) from error

        assert {one["metric"]["job"] for one in
                prometheus.query("tailgate_build_info")} == {"nginx", "authd"}

        def evaluated():
            groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            return rules if all(rule["health"] == "ok" for rule in rules) \
                else None

        rules = wait_until(evaluated, 60, "the rules")
        assert len(rules) == 8
