# Copyright (C) The Tailgate authors

"""Network namespaces and the processes in them.

A namespace is held by a process of ours and has no name, so several runs do
not meet, and none outlives its run: the holder ends when the pipe to it does,
and every other process is killed by the kernel when pytest dies.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def wait_for(what, probe, seconds=20, step=0.02):
    """Polls until probe() gives something true, and returns that."""

    deadline = time.monotonic() + seconds

    while True:
        found = probe()

        if found:
            return found

        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")

        time.sleep(step)


class Process:
    """A program with its output in a file; it dies with pytest."""

    def __init__(self, argv, log, env=None):
        self.argv = argv
        self.log = log

        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--"] + argv,
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(os.environ, **(env or {})))

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def tell(self, number=signal.SIGTERM):
        self.popen.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=10):
        self.tell(number)
        self.ended(seconds)

    def ended(self, seconds=10):
        """Waits for its end, which it was told, and forces it."""

        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def wait(self, seconds):
        """Waits for an end that has to be a success."""

        code = self.popen.wait(seconds)

        if code != 0:
            raise RuntimeError(
                f"{' '.join(self.argv)}: exit code {code}\n{self.tail()}")

    def ready(self, what, probe, seconds=20):
        """Polls as wait_for() does, while the program lives."""

        def alive():
            if not self.running():
                raise RuntimeError(f"{what}: {self.argv[0]} ended\n"
                                   + self.tail())
            return probe()

        return wait_for(what, alive, seconds)

    def tail(self, lines=20):
        with open(self.log, errors="replace") as f:
            return "".join(f.readlines()[-lines:])


class Space:
    """A network namespace, with a mount namespace for the /sys of it."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.processes = []

        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c",
             "mount -t sysfs sysfs /sys; ip link set lo up; echo up; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

        if self.holder.stdout.readline() != b"up\n":
            raise RuntimeError(
                f"no namespace: {self.holder.stderr.read().decode()}")

        self.proc = f"/proc/{self.holder.pid}"

    def inside(self, argv):
        # --root: in a chroot, a mount namespace would lead out of it
        return ["nsenter", f"--net={self.proc}/ns/net",
                f"--mount={self.proc}/ns/mnt", f"--root={self.proc}/root",
                "--"] + [str(arg) for arg in argv]

    def run(self, *argv):
        done = subprocess.run(self.inside(argv), capture_output=True,
                              text=True, timeout=60)

        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, argv))}: "
                               f"{done.stdout}{done.stderr}")

        return done.stdout

    def ip(self, *argv):
        return self.run("ip", *argv)

    def spawn(self, label, argv, env=None):
        process = Process(self.inside(argv),
                          self.folder / f"{self.name}-{label}.log", env)
        self.processes.append(process)

        return process

    @contextlib.contextmanager
    def entered(self):
        """Sockets that this thread makes meanwhile belong to the space."""

        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"{self.proc}/ns/net", os.O_RDONLY)

        try:
            self._setns(there)
            try:
                yield
            finally:
                self._setns(own)
        finally:
            os.close(there)
            os.close(own)

    @staticmethod
    def _setns(fd):
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def connect(self, address, port, source=None, seconds=10):
        """A TCP connection from the space."""

        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        with self.entered():
            sock = socket.socket(family, socket.SOCK_STREAM)

        sock.settimeout(seconds)

        try:
            if source is not None:
                sock.bind((source, 0))
            sock.connect((address, port))
        except OSError:
            sock.close()
            raise

        return sock

    def listen(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        with self.entered():
            sock = socket.socket(family, socket.SOCK_STREAM)

        sock.settimeout(10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen()

        return sock

    def close(self):
        for process in self.processes:
            process.tell()

        for process in self.processes:
            process.ended()

        self.holder.stdin.close()

        try:
            self.holder.wait(10)
        except subprocess.TimeoutExpired:
            self.holder.kill()
            self.holder.wait()

        self.holder.stdout.close()
        self.holder.stderr.close()
