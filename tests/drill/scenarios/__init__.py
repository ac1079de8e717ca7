"""What a stage is put through, by name."""

from collections.abc import Callable

from ..report import Figure
from ..sizes import Size
from ..world import World
from . import faults, kills, machine, messages, one_key, outage, planted, scarce

SCENARIOS: dict[str, Callable[[World, Size], Figure]] = {
    "kills": kills.run,
    "faults": faults.run,
    "scarce": scarce.run,
    "one-key": one_key.run,
    "outage": outage.run,
    "machine": machine.run,
    "planted": planted.run,
}
# Where there are queues.
OF_QUEUES = {"repeats": messages.repeats, "poison": messages.poison}
EVERY = SCENARIOS | OF_QUEUES


def of_stage(stage: int) -> list[str]:
    """Name what a stage is put through."""
    return [*(EVERY if stage == 4 else SCENARIOS)]
