# Copyright (C) The Tailgate authors

"""A systemd of the tests' own: this machine's files below an overlay in
memory, with process ids, mounts, a network and cgroups of its own, and the
systemd of this machine as its init. Nothing of it is left when it ends.

Of the machine's own units only a few targets and the journal are there; what
"make install" puts down is below /usr/local.
"""

import os
import signal
import subprocess
import time

import pytest

from tailgate_test import BUILD, ROOT, wait_until

SYSTEMD = "/usr/lib/systemd/systemd"

UNITS = """
sysinit.target basic.target sockets.target multi-user.target shutdown.target
network.target umount.target final.target exit.target
systemd-journald.service systemd-journald.socket
systemd-journald-dev-log.socket
"""

# $1: an empty folder, $2: the folder of this repository
BOOT = """
set -e

mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root

cd root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev

for name in null zero full random urandom tty; do
    touch dev/$name
    mount --bind /dev/$name dev/$name
done

ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx

rm -rf etc/systemd var/log
mkdir -p etc/systemd/system var/log
for unit in $UNITS; do
    cp -P /usr/lib/systemd/system/$unit etc/systemd/system/
done

mkdir etc/systemd/system/sysinit.target.wants
ln -s ../systemd-journald.service etc/systemd/system/sysinit.target.wants

(cd "$2" && DESTDIR="$1/root" PREFIX=/usr/local SYSCONFDIR=/etc \\
            NGINX_MODULES=/usr/lib/nginx/modules sh auto/install)

pivot_root . mnt
exec chroot . /bin/sh -c '
    umount -l /mnt
    mount --make-rshared /
    exec "$@" < /dev/null
' sh env -i container=tailgate-test \\
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    SYSTEMD_UNIT_PATH=/etc/systemd/system:/usr/local/lib/systemd/system \\
    $SYSTEMD --system --unit=multi-user.target --show-status=no \\
    --log-target=console
"""


class NoMachine(Exception):
    """This one cannot run a systemd, for that reason."""


class Machine:
    def __init__(self, directory):
        self.directory = str(directory)
        self.log_file = os.path.join(self.directory, "console")
        self.cgroup = None
        self.process = None
        self.init = None

    def start(self):
        if os.geteuid() != 0:
            raise NoMachine("only root can start a systemd")
        if not os.path.exists(SYSTEMD):
            raise NoMachine(f"there is no {SYSTEMD}")

        folder = os.path.join(self.directory, "root")
        os.mkdir(folder)
        self.cgroup = self.make_cgroup()

        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", 'echo $$ > "$1/cgroup.procs"; shift;'
                 ' exec "$@"', "sh", self.cgroup,
                 "setpriv", "--pdeathsig", "KILL", "--",
                 "unshare", "--mount", "--net", "--pid", "--cgroup", "--uts",
                 "--ipc", "--fork", "--kill-child",
                 "/bin/sh", "-c", BOOT, "sh", folder, ROOT],
                env={**os.environ, "TAILGATE_BUILD": BUILD, "SYSTEMD": SYSTEMD,
                     "UNITS": " ".join(UNITS.split())},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self.booted, 60, "systemd is up")
        except BaseException as error:
            self.stop()
            raise NoMachine(f"{error} {self.console()[-300:]}") from None
        # its init began before its journal
        self.systemctl("log-target", "journal")
        return self

    @staticmethod
    def make_cgroup():
        """A group of the unified hierarchy, wherever that is mounted."""

        with open("/proc/self/mounts", encoding="utf-8") as f:
            mounts = [line.split(" ") for line in f]
        for _, folder, kind, *_ in mounts:
            if kind == "cgroup2":
                break
        else:
            raise NoMachine("there is no cgroup2")
        path = os.path.join(folder, f"tailgate-test-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError as error:
            raise NoMachine(str(error)) from None
        return path

    def booted(self):
        if self.process.poll() is not None:
            raise AssertionError("it ended while it booted.")
        if self.init is None:
            path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
            with open(path, encoding="ascii") as f:
                self.init = (f.read().split() or [None])[0]
        return (self.init is not None
                and os.path.exists(self.path("/run/systemd/private"))
                and self.systemctl("is-active", "multi-user.target",
                                   check=False) == "active\n")

    def path(self, name):
        """A file of the machine, seen from here."""

        return f"/proc/{self.init}/root{name}"

    def console(self):
        with open(self.log_file, encoding="utf-8", errors="replace") as f:
            return f.read()

    def run(self, *command, check=True):
        """What a command on the machine prints."""

        done = subprocess.run(
            ["nsenter", "--target", self.init, "--mount", "--net", "--pid",
             "--cgroup", "--uts", "--root", "--wd=/", "--", *command],
            capture_output=True, text=True, timeout=100, check=False,
            stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def systemctl(self, *arguments, check=True):
        return self.run("systemctl", "--no-pager", *arguments, check=check)

    def show(self, unit, name):
        """A property of a unit."""

        return self.systemctl("show", "--value", "-p", name,
                              unit).rstrip("\n")

    def journal(self, unit, *arguments):
        return self.run("journalctl", "--no-pager", "-q", "-o", "cat",
                        "-u", unit, *arguments)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def stop(self):
        """With its init goes all that runs on it."""

        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.cgroup is None:
            return
        for folder, _, _ in os.walk(self.cgroup, topdown=False):
            self.remove(folder)

    @staticmethod
    def remove(group):
        """The kernel lets go of a group when its last process is gone."""

        deadline = time.monotonic() + 20
        while True:
            try:
                os.rmdir(group)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def machine_or_skip(directory):
    try:
        return Machine(directory).start()
    except NoMachine as error:
        pytest.skip(f"not applicable: no systemd of our own here: {error}")
