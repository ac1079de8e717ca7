"""Bounded waits and free ports for the tests of the sandbox."""

from __future__ import annotations

import random
import socket

import psutil

from tests.contract.outside import until


def until_ended(processes):
    """Wait until processes are gone, or zombies: a lazy init leaves those a while."""

    def alive(process):
        try:
            return process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    until(lambda: not any(map(alive, processes)), f"these have ended: {processes}")


def is_open(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until_open(port, process):
    """Wait until a port accepts; fail at once when the process has ended."""

    def accepts():
        assert process.poll() is None, f"it ended with status {process.returncode}"
        return is_open(port)

    until(accepts, f"port {port} accepts")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count):
    """Return free ports below the range that the system hands out by itself."""
    base = free_base(range(count))
    return [base + offset for offset in range(count)]


def free_base(offsets):
    """Return a port such that it plus each of the offsets is free."""
    while True:
        base = random.randrange(12000, 30000, 50)
        if all(is_free(base + offset) for offset in offsets):
            return base
