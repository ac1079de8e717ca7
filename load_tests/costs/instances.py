"""Which instances a service needs: by CPU and by memory, in two zones, with room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .prices import Machine


class TooLarge(Exception):
    """No machine of the price file is large enough; it says what to enter there."""


@dataclass(frozen=True)
class Load:
    """What a service asks of its instances.

    Attributes:
        mean: cores that are busy on average over the month.
        peak: cores that are busy in the busiest moments.
        worker_mib: memory of one worker process, in MiB.
    """

    mean: Decimal
    peak: Decimal
    worker_mib: Decimal


@dataclass(frozen=True)
class Fleet:
    """So many instances of one kind."""

    machine: Machine
    count: int

    @property
    def hourly(self) -> Decimal:
        """US dollars an hour for all of them."""
        return self.machine.hourly * self.count

    @property
    def vcpus(self) -> Decimal:
        """Of all of them."""
        return self.machine.vcpus * self.count

    def __str__(self) -> str:
        """Tell it as one would."""
        return f"{self.count} x {self.machine.name}"


def fleet(
    load: Load,
    machines: Iterable[Machine],
    rules: Mapping[str, Any],
    each_hour: Decimal = Decimal(0),
) -> Fleet:
    """Return the cheapest fleet that carries a load.

    * One worker process for each vCPU must fit into the memory, beside the system.
    * A zone may be lost at the peak: what is left carries it, with the CPU used to
      `cpu_used` at most (B. Weiss and M. Furr, "Static stability using Availability
      Zones", Amazon Builders' Library).
    * An instance whose CPU is a burstable one uses no more than its baseline over the
      month (EC2 User Guide, "Key concepts for burstable performance instances").

    Args:
        load: to carry.
        machines: to choose from.
        rules: `servers` of the assumptions.
        each_hour: US dollars that every instance costs beside its own price.

    Raises:
        TooLarge: a worker fits into none of them.
    """
    found = [
        Fleet(machine, _count(load, machine, rules))
        for machine in machines
        if _fits(load, machine, rules)
    ]
    if not found:
        raise TooLarge(
            f"A worker of {load.worker_mib:.0f} MiB fits into no instance of the price "
            "file: enter a larger one there."
        )
    return min(found, key=lambda it: (it.hourly + each_hour * it.count, it.count))


def database(load: Load, machines: Iterable[Machine], used: Decimal) -> Machine:
    """Return the cheapest machine that carries a load alone.

    Args:
        load: to carry; its memory is not asked for.
        machines: to choose from.
        used: the share of the CPU that may be used at the peak.

    Raises:
        TooLarge: there is none.
    """
    enough = [
        machine
        for machine in machines
        if load.peak <= machine.vcpus * used
        and load.mean <= machine.vcpus * machine.baseline
    ]
    if not enough:
        raise TooLarge(
            f"PostgreSQL needs {load.peak:.1f} cores at the peak, more than any "
            "database of the price file has: here a stage with one database ends."
        )
    return min(enough, key=lambda machine: machine.hourly)


def _fits(load: Load, machine: Machine, rules: Mapping[str, Any]) -> bool:
    needed = rules["system_mib"] + load.worker_mib * machine.vcpus
    return bool(needed <= machine.mib * rules["memory_used"])


def _count(load: Load, machine: Machine, rules: Mapping[str, Any]) -> int:
    zones = int(rules["zones"])
    left = _up(load.peak / (machine.vcpus * rules["cpu_used"]))
    by_mean = _up(load.mean / (machine.vcpus * machine.baseline))
    # Spread over zones as evenly as it goes, the fullest zone is the one that is lost.
    count = max(zones, by_mean)
    while count - _up(Decimal(count) / zones) < left:
        count += 1
    return count


def _up(number: Decimal) -> int:
    return int(number.to_integral_value(rounding="ROUND_CEILING"))
