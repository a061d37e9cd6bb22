# Copyright (C) The Tailgate authors

"""Networks of a test's own: a thread with a network namespace to itself, in
which everything that the test starts lives too. Nothing of the machine's
network is touched."""

import ctypes
import functools
import os
import subprocess
import threading

import pytest

from tailgate_test import wait_until

CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def unshare():
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    ip("link", "set", "lo", "up")

    # a case that names its source port must not find it taken
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w",
              encoding="ascii") as ports:
        ports.write("50000 60999")


def in_thread(function, *args, **kwargs):
    """Runs function in a thread and gives what it gives."""

    outcome = {}

    def run():
        try:
            outcome["value"] = function(*args, **kwargs)
        except BaseException as error:  # pylint: disable=broad-except
            outcome["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def own_network(*addresses):
    """A test whose lo has these addresses too; there is nothing else."""

    def decorate(test):

        @functools.wraps(test)
        def wrapped(*args, **kwargs):
            if os.geteuid() != 0:
                pytest.skip("network namespaces need root")

            def run():
                unshare()
                add_addresses("lo", *addresses)
                return test(*args, **kwargs)

            in_thread(run)

        return wrapped

    return decorate


def add_addresses(device, *addresses):
    for address in addresses:
        if ":" in address:
            ip("address", "add", f"{address}/128", "dev", device, "nodad")
        else:
            ip("address", "add", f"{address}/32", "dev", device)

    # the kernel makes an IPv6 address's local route a little after another one,
    # which leads nowhere on lo
    for address in addresses:
        if ":" in address:
            wait_until(lambda a=address: routed(a), 10, f"a route to {address}")


def routed(address):
    return subprocess.run(
        ["ip", "route", "get", address], check=False, capture_output=True,
        text=True).stdout.startswith("local ")


class Neighbour:
    """Another machine on a cable: a namespace joined to this thread's by a
    pair of interfaces, eth0 here and there."""

    def __init__(self, here, there):
        self.ready = threading.Event()
        self.work = None
        self.done = threading.Event()
        self.wake = threading.Event()
        self.holder = None
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()
        self.ready.wait()
        ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
           "netns", str(self.holder.pid))
        ip("address", "add", here, "dev", "eth0")
        ip("link", "set", "eth0", "up")
        self.call(ip, "address", "add", there, "dev", "eth0")
        self.call(ip, "link", "set", "eth0", "up")

    def live(self):
        unshare()
        self.holder = subprocess.Popen(["sleep", "600"])
        self.ready.set()
        while True:
            self.wake.wait()
            self.wake.clear()
            if self.work is None:
                return
            try:
                self.result = self.work(), None
            except BaseException as error:  # pylint: disable=broad-except
                self.result = None, error
            self.done.set()

    def call(self, function, *args, **kwargs):
        """Runs a function over there."""

        self.done.clear()
        self.work = functools.partial(function, *args, **kwargs)
        self.wake.set()
        self.done.wait()
        value, error = self.result
        if error is not None:
            raise error
        return value

    def close(self):
        self.work = None
        self.wake.set()
        self.thread.join()
        self.holder.kill()
        self.holder.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
