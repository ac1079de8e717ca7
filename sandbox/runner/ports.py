"""Are the ports of a run free, and if not, who holds them."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from .stages import RUN_COMMAND, Port, Stage

LOOPBACK = "127.0.0.1"
OTHERWISE = (
    f"End what holds it, or run on other ports: {RUN_COMMAND} STAGE --port-base 9100"
)


class PortTakenError(Exception):
    """A port of the run is taken; the message says which, by whom, what to do."""


def assigned(
    stage: Stage, base: int | None, environment: Mapping[str, str]
) -> dict[Port, int]:
    """Return the number of every port of a stage.

    Args:
        stage: the stage.
        base: the base that was asked for, which wins over everything; or `None`, then
            a port's own variable wins over the stage's default base.
        environment: the user's environment.

    Raises:
        ValueError: a variable or the base is no port.
    """
    numbers: dict[Port, int] = {}
    for port in stage.ports:
        number = str((base or stage.port_base) + port.offset)
        if base is None:
            number = environment.get(port.variable) or number
        if not (number.isdecimal() and 0 < int(number) < 65536):
            raise ValueError(
                f"{port.variable}={number} is not a port (1 to 65535). "
                "Correct or unset it, or choose another --port-base."
            )
        numbers[port] = int(number)
    return numbers


def accepts(port: int) -> bool:
    """Tell whether somebody on loopback accepts connections on a port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def check(numbers: Mapping[Port, int], otherwise: str = OTHERWISE) -> None:
    """Check that the ports of a run are free.

    Args:
        numbers: the ports that the run needs.
        otherwise: what to do when they are not.

    Raises:
        PortTakenError: at least one is not; the message says which and who holds it.
    """
    taken = {port: number for port, number in numbers.items() if not _is_free(number)}
    lines = [
        f"Port {number} ({port.variable}, for {port.part}) is taken by "
        f"{_holder(number)}."
        for port, number in taken.items()
    ]
    if lines:
        raise PortTakenError("\n".join([*lines, otherwise]))


def _is_free(port: int) -> bool:
    if accepts(port):
        return False
    with socket.socket() as probe:
        # Connections of an earlier run may linger in TIME_WAIT; they do not matter.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    pid = _holding_pid(port)
    if pid is None:
        return "a process of another user"
    try:
        # Some programs overwrite their words, and leave empty ones.
        words = shlex.join(filter(None, psutil.Process(pid).cmdline()))
    except psutil.Error:
        words = "?"
    return f"pid {pid}: {words}"


def _holding_pid(port: int) -> int | None:
    try:
        found = [(c.pid, c) for c in psutil.net_connections("tcp")]
    except psutil.AccessDenied:  # macOS shows everybody's sockets to root only
        found = [(p.pid, c) for p in psutil.process_iter() for c in _sockets(p)]
    holders = [
        (connection.status == psutil.CONN_LISTEN, pid)
        for pid, connection in found
        if pid and connection.laddr and connection.laddr.port == port
    ]
    return max(holders)[1] if holders else None


def _sockets(process: psutil.Process) -> Sequence[Any]:
    try:
        return process.net_connections("tcp")
    except psutil.Error:
        return []
