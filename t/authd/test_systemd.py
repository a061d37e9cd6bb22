# Copyright (C) The Tailgate authors

"""The shipped units under a systemd: what they promise is what happens."""

import os
import re
import resource
import stat

import pytest

from authd import remote, sanitized
from machine import machine_or_skip
from tailgate_test import get, listening, wait_until

UNIT = "tailgate-authd.service"
SOCKET = "tailgate-authd.socket"
CONF = "/etc/tailgate/authd.yaml"
LISTEN = "/run/tailgate/authd.sock"
ALICE = "100.64.0.11"
STRANGER = "100.64.0.99"

PEOPLE = """
tailnet: tail.example
users:
  - login: alice@example.com
    name: Alice
nodes:
  - name: alice-laptop
    addresses: [100.64.0.11]
    user: alice@example.com
"""

TAILSCALED = """
[Service]
ExecStart=/usr/local/bin/tailgate devnet /etc/people.yaml \
    --socket /run/tailscale/tailscaled.sock --control /run/control.sock
RuntimeDirectory=tailscale
"""

# what the kernel and the systemd of this machine have to be able to do
PROBE = """
[Service]
ExecStart=/bin/sleep infinity
DynamicUser=yes
ProtectSystem=strict
PrivateDevices=yes
CapabilityBoundingSet=
NoNewPrivileges=yes
SystemCallFilter=@system-service
IPAddressDeny=any
"""

# to the machine's own address, which is no loopback one
SEND = """
echo $$ > /sys/fs/cgroup/system.slice/$1/cgroup.procs
exec /usr/bin/python3 -c '
import socket
for address in "127.0.0.1", "192.0.2.1":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.sendto(b"x", (address, 9))
        print("sent")
    except PermissionError:
        print("denied")
'
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    if sanitized():
        pytest.skip("not applicable: the sanitizers have calls of their own")
    machine = machine_or_skip(tmp_path_factory.mktemp("machine"))
    with machine:
        machine.write("/etc/people.yaml", PEOPLE)
        machine.write("/etc/systemd/system/tailscaled.service", TAILSCALED)
        machine.write("/etc/systemd/system/probe.service", PROBE)
        machine.systemctl("daemon-reload")
        machine.systemctl("start", "probe.service", check=False)
        if machine.show("probe.service", "ActiveState") != "active":
            pytest.skip("not applicable: no service can be confined here: "
                        + machine.journal("probe.service")[-300:])
        machine.systemctl("start", "tailscaled.service")
        wait_until(lambda: listening(
            machine.path("/run/tailscale/tailscaled.sock")), 20, "devnet")
        machine.shipped = machine.read(CONF)
        yield machine


@pytest.fixture
def authd(machine):
    """As docs/install.md starts it, with the shipped configuration."""

    machine.write(CONF, machine.shipped)
    machine.systemctl("enable", "--now", SOCKET, UNIT)
    yield machine
    machine.systemctl("disable", "--now", SOCKET, UNIT)
    machine.systemctl("reset-failed", SOCKET, UNIT, check=False)
    machine.systemctl("revert", SOCKET, UNIT)


def ask(machine, address=ALICE, target="/auth"):
    return get(machine.path(LISTEN), target, remote(address))


def configure(machine, extra="", old="", new=""):
    text = machine.shipped
    assert old in text
    machine.write(CONF, (text.replace(old, new) if old else text) + extra)


def override(machine, *lines):
    """What "systemctl edit" writes; in force when this comes back."""

    machine.write(f"/etc/systemd/system/{UNIT}.d/override.conf",
                  "\n".join(["[Service]", *lines, ""]))
    machine.systemctl("daemon-reload")
    machine.systemctl("restart", UNIT)


def main_pid(machine):
    return int(machine.show(UNIT, "MainPID"))


def status(machine, pid):
    """/proc/PID/status as a dictionary."""

    return dict(re.findall(r"^(\w+):\t(.*)$",
                           machine.read(f"/proc/{pid}/status"), re.M))


def test_ready(authd):
    """enable --now comes back when it answers."""

    assert authd.show(UNIT, "ActiveState") == "active"
    assert authd.show(UNIT, "StatusText") == "answering"
    assert ask(authd).status == 204
    assert ask(authd).header("Tailscale-Login") == "alice"
    assert ask(authd, STRANGER).status == 401
    assert authd.systemctl("is-enabled", SOCKET, UNIT).split() == [
        "enabled", "enabled"]

    journal = authd.journal(UNIT)
    assert "listening on /run/tailgate/authd.sock" in journal
    assert "audit=allow" in journal and "audit=deny" in journal
    # levels are the journal's, and systemd finds no fault with the units
    assert "listening on" not in authd.journal(UNIT, "-p", "warning")
    said = authd.run("journalctl", "-q", "-o", "cat", "_PID=1")
    assert "Started tailgate-authd.service" in said
    assert "/tailgate-authd.s" not in said


def test_socket(authd):
    info = os.stat(authd.path(LISTEN))
    assert stat.S_IMODE(info.st_mode) == 0o660
    group = re.search(r"^www-data:x:(\d+):", authd.read("/etc/group"), re.M)
    assert (info.st_uid, info.st_gid) == (0, int(group.group(1)))
    folder = os.stat(os.path.dirname(authd.path(LISTEN)))
    assert stat.S_IMODE(folder.st_mode) == 0o755


def test_activation(authd):
    """The socket outlives the daemon, and the first question starts it."""

    authd.systemctl("stop", UNIT)
    assert authd.show(UNIT, "ActiveState") == "inactive"
    assert authd.show(UNIT, "Result") == "success"
    assert ask(authd).status == 204
    assert authd.show(UNIT, "ActiveState") == "active"

    authd.systemctl("stop", SOCKET, UNIT)
    assert not os.path.lexists(authd.path(LISTEN))


def test_reload(authd):
    pid = main_pid(authd)
    configure(authd, old="peers: [member]", new="peers: [tagged]")
    authd.systemctl("reload", UNIT)
    wait_until(lambda: ask(authd).status == 403, 20, "the new configuration")

    configure(authd, "pers: [member]\n")
    authd.systemctl("reload", UNIT, check=False)
    wait_until(lambda: "old configuration" in authd.show(UNIT, "StatusText"),
               20, "the refusal")
    assert ask(authd).status == 403
    errors = authd.journal(UNIT, "-p", "err")
    assert re.search(r'unknown key .*pers', errors)
    assert "audit=" not in errors

    configure(authd)
    authd.systemctl("reload", UNIT)
    wait_until(lambda: ask(authd).status == 204, 20, "the old one again")
    assert main_pid(authd) == pid


def test_bad_configuration(authd):
    """It does not start, and the journal says where the fault is."""

    authd.systemctl("stop", UNIT)
    configure(authd, "pers: [member]\n")
    authd.systemctl("start", UNIT, check=False)
    assert authd.show(UNIT, "ActiveState") != "active"
    assert re.search(rf"{CONF}:\d+: unknown key \"pers\"",
                     authd.journal(UNIT))


def test_killed(authd):
    """Who waits meanwhile is answered by the next one."""

    pid = main_pid(authd)
    authd.run("kill", "-KILL", str(pid))
    assert ask(authd).status == 204
    assert main_pid(authd) not in (0, pid)


def test_watchdog(authd):
    """One that hangs is ended, and started again."""

    assert authd.show(UNIT, "WatchdogUSec") == "30s"
    override(authd, "WatchdogSec=5", "TimeoutStopSec=1")
    pid = main_pid(authd)
    authd.run("kill", "-STOP", str(pid))
    wait_until(lambda: main_pid(authd) not in (0, pid), 60, "another one")
    assert ask(authd).status == 204
    assert int(authd.show(UNIT, "NRestarts")) >= 1


def test_check_35_confined(authd):
    """No user of the machine's, no capability, no new privilege, no other
    system call, nothing to write to, no secrets of others to read."""

    pid = main_pid(authd)
    seen = status(authd, pid)
    uid = int(seen["Uid"].split("\t")[0])
    assert 61184 <= uid <= 65519
    assert {int(n) for n in seen["Uid"].split("\t")} == {uid}
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(seen[name], 16) == 0, name
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    assert int(seen["Seccomp_filters"]) > 1

    root = authd.path(f"/proc/{pid}/root")
    for folder in ("/", "/etc", "/usr", "/run", "/var", "/var/lib",
                   "/run/tailgate", "/dev", "/sys/fs/cgroup"):
        with pytest.raises(OSError, match="Read-only"):
            os.mkdir(f"{root}{folder}/written")
    for folder in ("/tmp", "/var/tmp"):
        assert os.listdir(root + folder) == [], folder
    for folder in ("/home", "/root"):
        assert stat.S_IMODE(os.stat(root + folder).st_mode) == 0, folder
    assert not os.path.exists(f"{root}/dev/tty0")
    assert not os.path.exists(f"{root}/proc/cpuinfo")

    # no more than systemd itself may have
    limits = authd.read(f"/proc/{pid}/limits")
    files = re.search(r"^Max open files +(\d+) ", limits, re.M)
    assert int(files.group(1)) in (
        65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    assert re.search(r"exposure level for .*: [01]\.\d OK",
                     authd.run("systemd-analyze", "security", "--no-pager",
                               UNIT))


def test_check_35_network(authd):
    """Nothing but loopback: a process of the service's group speaks for
    it."""

    def said(unit):
        return authd.run("sh", "-c", SEND, "sh", unit).split()

    authd.run("sh", "-c", "ip address show dev lo | grep -q 192.0.2.1"
              " || ip address add 192.0.2.1/32 dev lo")
    assert said("tailscaled.service") == ["sent", "sent"]
    if said("probe.service") != ["denied", "denied"]:
        pytest.skip("not applicable: this kernel does not filter by cgroup")
    assert said(UNIT) == ["sent", "denied"]


def test_audit_file(authd):
    """Below /var/log/tailgate, and nowhere else."""

    configure(authd, old="audit: stderr",
              new="audit: /var/log/tailgate/audit.log")
    authd.systemctl("restart", UNIT)
    assert ask(authd).status == 204
    wait_until(lambda: "audit=allow" in authd.read(
        "/var/log/tailgate/audit.log"), 10, "a line")

    configure(authd, old="audit: stderr", new="audit: /var/log/audit.log")
    authd.systemctl("reload", UNIT, check=False)
    wait_until(lambda: "Read-only file system" in authd.journal(UNIT), 20,
               "the refusal")


def test_secret(authd):
    """As docs/install.md passes one to a user that exists only meanwhile."""

    authd.write("/etc/tailgate/pgadmin.secret", "0123456789abcdef" * 2 + "\n")
    os.chmod(authd.path("/etc/tailgate/pgadmin.secret"), 0o600)
    configure(authd, old="secrets: {}", new=(
        "secrets: { pgadmin: /run/credentials/tailgate-authd.service/pgadmin }"
    ))
    override(authd, "LoadCredential=pgadmin:/etc/tailgate/pgadmin.secret")
    assert ask(authd).status == 204
