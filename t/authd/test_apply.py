# Copyright (C) The Tailgate authors

"""tailgate policy apply with a real nginx and a real daemon, and tailgate
status, which says what runs."""

import hashlib
import json
import os
import resource
import shlex
import signal
import stat
import subprocess
import sys

import pytest

from authd import Authd, CONF
from policy import POLICY
from tailgate_test import ROOT, TAILGATE, Nginx, get, wait_until

OK, REFUSED, USAGE = 0, 1, 2

NEW = POLICY.replace("name: wiki", "name: second")

STATUS = os.path.join(ROOT, "conf", "nginx", "tailgate-status.conf")

GUARDED = """
    tailgate_localapi unix:@API@;
    tailgate_policy @POLICY@;
    include @DIR@/tailgate-status.conf;
    server {
        listen 127.0.0.1:@PORT@;
        location / { tailgate on; root @DIR@; }
    }
"""


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def run(*arguments, **more):
    return subprocess.run([TAILGATE, *map(str, arguments)],
                          capture_output=True, text=True, timeout=60,
                          check=False, **more)


class World:
    """A policy in its place, nginx and the daemon that run by it."""

    def __init__(self, directory, localapi):
        self.directory = directory
        self.folder = directory / "etc"
        self.folder.mkdir(mode=0o755)
        self.target = self.folder / "policy.yaml"
        self.target.write_text(POLICY, encoding="utf-8")
        self.new = directory / "new.yaml"
        self.new.write_text(NEW, encoding="utf-8")

        # a Unix socket has a short name
        self.nginx_socket = directory / "n.sock"
        self.authd = Authd(directory, localapi.path,
                           CONF.replace("policy: member",
                                        f"policy: {self.target}"))
        self.nginx = Nginx(directory, GUARDED, allow="nonsense",
                           API=localapi.path, POLICY=self.target)
        with open(STATUS, encoding="utf-8") as f:
            text = f.read()
        assert "/run/tailgate/nginx.sock" in text
        with open(self.nginx.path("tailgate-status.conf"), "w",
                  encoding="utf-8") as f:
            f.write(text.replace("/run/tailgate/nginx.sock",
                                 str(self.nginx_socket)))
        self.program = self.wrapper()

    def wrapper(self):
        """nginx with the prefix, configuration and environment of the
        test's."""

        path = self.directory / "nginx-of-the-test"
        command = shlex.join(
            ["env", *(f"{name}={value}"
                      for name, value in self.nginx.environment.items()
                      if os.environ.get(name) != value),
             *self.nginx.command()])
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return path

    def apply(self, *arguments, file=None, **more):
        return run("policy", "apply", file or self.new, "--to", self.target,
                   "--nginx", self.program, "--nginx-status",
                   self.nginx_socket, "--authd", self.authd.socket,
                   *arguments, **more)

    def running(self):
        """The digests that nginx and the daemon run by."""

        return (get(str(self.nginx_socket), "/tailgate/status?format=json")
                .json()["digest"],
                self.authd.get("/v1/status").json()["digest"])

    def runs(self, text):
        """Old workers of nginx may answer for a moment."""

        return wait_until(lambda: self.running() == (digest(text),) * 2, 10,
                          "both run by it")

    def unchanged(self):
        assert self.target.read_text(encoding="utf-8") == POLICY
        assert self.running() == (digest(POLICY), digest(POLICY))
        assert sorted(os.listdir(self.folder)) == ["policy.yaml"]
        return True

    def __enter__(self):
        self.authd.__enter__()
        try:
            self.nginx.__enter__()
        except BaseException:
            self.authd.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, *exc):
        try:
            self.nginx.__exit__(*exc)
        finally:
            self.authd.__exit__(*exc)


@pytest.fixture
def world(tmp_path, localapi):
    with World(tmp_path, localapi) as made:
        yield made


def test_apply(world):
    os.chmod(world.target, 0o640)
    if os.geteuid() == 0:
        os.chown(world.target, 12345, 23456)
    before = os.stat(world.target)

    assert world.running() == (digest(POLICY), digest(POLICY))
    done = world.apply()
    assert done.returncode == OK, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines == [
        f"{world.new}: accepted, 0 of 0 tests pass",
        f"{world.target}: installed, digest {digest(NEW)}",
        f"nginx: runs digest {digest(NEW)}",
        f"tailgate-authd: process {world.authd.process.pid} runs digest"
        f" {digest(NEW)}"]

    assert world.target.read_text(encoding="utf-8") == NEW
    world.runs(NEW)
    after = os.stat(world.target)
    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode, before.st_uid, before.st_gid)
    assert sorted(os.listdir(world.folder)) == ["policy.yaml"]

    # again is no fault
    assert world.apply().returncode == OK


def test_dry_run(world):
    done = world.apply("--dry-run")
    assert done.returncode == OK and done.stderr == ""
    assert f"{world.target}: would be replaced, digest {digest(NEW)}" \
        in done.stdout
    assert "nginx: would be tested and reloaded" in done.stdout
    assert f"process {world.authd.process.pid} would be reloaded" \
        in done.stdout
    assert world.unchanged()
    assert world.authd.get("/v1/status").json()["reloads"] == 0


def test_refused_policy(world):
    world.new.write_text("version: 1\nroutes:\n  - { allow: [{ usr: x }] }\n",
                         encoding="utf-8")
    done = world.apply()
    assert done.returncode == REFUSED
    assert f"{world.new}:3:17: error: P010: " in done.stderr
    assert world.unchanged()


def test_failing_test(world):
    """The policy's own tests come first."""

    world.new.write_text(NEW + """
tests:
  - { name: fine, as: alice@example.com, request: https://wiki.corp/,
      expect: allow }
  - { name: wrong, as: bob@other.com, request: https://wiki.corp/,
      expect: allow }
""", encoding="utf-8")
    done = world.apply()
    assert done.returncode == REFUSED
    assert "wrong: " in done.stderr and "1 of 2 tests fail" in done.stderr
    assert "fine" not in done.stderr
    assert world.unchanged()


def test_nginx_refuses(world):
    """nginx tests its configuration with the new policy in its place: with a
    fault the old one comes back, and nobody has seen a reload."""

    with open(world.nginx.path("nginx.conf"), "a", encoding="utf-8") as f:
        f.write("nonsense;\n")
    done = world.apply()
    assert done.returncode == REFUSED
    assert 'unknown directive "nonsense"' in done.stderr
    assert "is as it was, and nothing was reloaded" in done.stderr
    assert world.unchanged()
    assert world.authd.get("/v1/status").json()["reloads"] == 0


def test_nginx_refuses_the_first_policy(tmp_path):
    """What was not there is not there again."""

    new = tmp_path / "new.yaml"
    new.write_text(NEW, encoding="utf-8")
    done = run("policy", "apply", new, "--to", tmp_path / "policy.yaml",
               "--nginx", "/bin/false", "--no-authd")
    assert done.returncode == REFUSED
    assert not (tmp_path / "policy.yaml").exists()


def test_nginx_that_is_away(tmp_path, world):
    new = world.new
    done = run("policy", "apply", new, "--to", tmp_path / "p.yaml",
               "--nginx", "/nonexistent/nginx", "--no-authd")
    assert done.returncode == OK
    assert "nothing to reload" in done.stdout

    # one that does not run
    world.nginx.stop()
    done = world.apply("--no-authd")
    assert done.returncode == OK, done.stderr
    assert "nginx: tested; it does not run" in done.stdout
    world.nginx.start()


def test_authd_that_runs_by_something_else(world):
    world.authd.reload(CONF)
    done = world.apply()
    assert done.returncode == OK, done.stderr
    assert 'runs by "policy: member", and was left alone' in done.stdout
    assert world.authd.get("/v1/status").json()["reloads"] == 1


def test_authd_that_refuses(world):
    """Its configuration has a fault of its own: it says so."""

    with open(world.authd.file, "a", encoding="utf-8") as f:
        f.write("polcy: none\n")
    done = world.apply()
    assert done.returncode == REFUSED
    assert "tailgate-authd refused the reload" in done.stderr
    assert 'unknown key "polcy"' in done.stderr
    # and still says what it runs by
    assert f"runs digest {digest(POLICY)}" in done.stdout


def test_another_policy_at_the_same_time(tmp_path, world):
    """Somebody else's gets in between: what was applied is not in force."""

    other = NEW.replace("name: second", "name: third")
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    program = tmp_path / "nginx-and-somebody"
    program.write_text(f"#!/bin/sh\ncp {tmp_path}/other.yaml {world.target}\n"
                       f'exec {world.program} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    done = world.apply("--nginx", program, "--nginx-status",
                       tmp_path / "none.sock")
    assert done.returncode == REFUSED
    assert f"runs digest {digest(other)}" in done.stdout
    assert "another policy than the one that was installed" in done.stderr


def test_killed_in_the_middle(tmp_path, world):
    """Whoever ends it has to wait: what nginx refuses does not stay, and what
    it takes the daemon takes, too."""

    for status, text in ((1, POLICY), (0, NEW)):
        program = tmp_path / f"nginx-{status}"
        program.write_text(
            '#!/bin/sh\ncase "$*" in *-t*) kill -TERM "$PPID";'
            f" [ {status} = 0 ] || exit 1 ;; esac\n"
            f'exec {world.program} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        done = world.apply("--nginx", program)
        assert done.returncode == -signal.SIGTERM
        assert world.target.read_text(encoding="utf-8") == text
        assert world.runs(text)


def test_authd_that_is_away(tmp_path, world):
    done = world.apply("--no-nginx", "--authd", tmp_path / "none.sock")
    assert done.returncode == REFUSED
    assert "there is no such socket" in done.stderr
    done = world.apply("--no-nginx", "--authd", world.nginx_socket)
    assert done.returncode == REFUSED
    assert "tailgate-authd was not reloaded" in done.stderr


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe",
                                  "folder of others", "no folder"])
def test_target(tmp_path, kind):
    """What could lead somewhere else, or is another's to change."""

    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine", encoding="utf-8")
    target = folder / "policy.yaml"
    if kind == "link":
        target.symlink_to(elsewhere)
    elif kind == "dangling link":
        target.symlink_to(tmp_path / "nowhere")
    elif kind == "folder":
        target.mkdir()
    elif kind == "pipe":
        os.mkfifo(target)
    elif kind == "folder of others":
        folder.chmod(0o777)
    else:
        target = tmp_path / "none" / "policy.yaml"

    new = tmp_path / "new.yaml"
    new.write_text(NEW, encoding="utf-8")
    for more in ([], ["--dry-run"]):
        done = run("policy", "apply", new, "--to", target, "--no-nginx",
                   "--no-authd", *more)
        assert done.returncode == USAGE, done.stdout
        assert str(target) in done.stderr
        assert ("symbolic link" in done.stderr) == ("link" in kind)
    assert elsewhere.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "nowhere").exists()
    if kind == "folder of others":
        assert os.listdir(folder) == []


def test_first_policy(tmp_path):
    new = tmp_path / "new.yaml"
    new.write_text(NEW, encoding="utf-8")
    done = run("policy", "apply", new, "--to", tmp_path / "policy.yaml",
               "--no-nginx", "--no-authd", umask=0o077)
    assert done.returncode == OK
    # the accounts of nginx and the daemon have to be able to read it
    assert stat.S_IMODE(os.stat(tmp_path / "policy.yaml").st_mode) == 0o644


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_full_disk(world):
    """What cannot be written leaves nothing behind."""

    done = world.apply(preexec_fn=small_files)
    assert done.returncode == USAGE
    assert "File too large" in done.stderr
    assert world.unchanged()


def test_command_line(tmp_path):
    for arguments in ([], ["-"], ["a", "b"], ["--to"], ["--nonsense", "a"],
                      [tmp_path / "none.yaml"], [tmp_path]):
        assert run("policy", "apply", *arguments).returncode == USAGE
    assert "--dry-run" in run("policy", "apply", "--help").stdout


# status


def seen(world, *arguments):
    return json.loads(run("status", "--json", "--socket", "/nonexistent",
                          "--authd", world.authd.socket, "--nginx",
                          world.nginx_socket, *arguments).stdout)


def test_status(world):
    """The digest that each process runs, and why one refused another."""

    status = seen(world)
    assert status["nginx"]["digest"] == digest(POLICY)
    assert status["nginx"]["ok"] is True and status["nginx"]["loaded"] > 0
    assert status["authd"]["digest"] == digest(POLICY)
    assert status["authd"]["policy"] == str(world.target)
    assert status["authd"]["ok"] is True and "error" not in status["authd"]
    assert not [text for text in status["problems"] if "authd" in text]

    text = run("status", "--socket", "/nonexistent", "--authd",
               world.authd.socket, "--nginx", world.nginx_socket).stdout
    rows = dict(line.split(None, 2)[1:] for line in text.splitlines()
                if line.startswith(("authd ", "nginx ")))
    assert rows["digest"] == digest(POLICY)

    world.target.write_text("version: 1\nrutes: []\n", encoding="utf-8")
    world.authd.reload()
    status = seen(world)
    assert status["authd"]["ok"] is False
    assert status["authd"]["digest"] == digest(POLICY)
    assert 'P010: "rutes"' in status["authd"]["error"]
    assert [text for text in status["problems"]
            if "refused its last reload" in text and "rutes" in text]
    world.target.write_text(POLICY, encoding="utf-8")


def test_status_without_a_file(tmp_path, localapi):
    with Authd(tmp_path, localapi.path) as authd:
        status = json.loads(run("status", "--json", "--socket", "/nonexistent",
                                "--authd", authd.socket).stdout)
        assert status["authd"]["policy"] == "member"
        assert "digest" not in status["authd"]

        authd.reload(CONF.replace("@UID@", "4294967000"))
        done = run("status", "--socket", "/nonexistent", "--authd",
                   authd.socket)
        assert "this account may not ask it" in done.stdout


def test_status_of_none(tmp_path):
    done = run("status", "--socket", "/nonexistent", "--authd",
               tmp_path / "none.sock", "--nginx", tmp_path / "none.sock")
    assert "there is no such socket" in done.stdout
