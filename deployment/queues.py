"""The queues of a deployment, as who looks after it sees them: how much waits, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping

QUEUE = "QueueUrl"
DEAD_LETTERS = "DeadLettersUrl"


def addresses(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of queues, by their names in this repository.

    Args:
        outputs: of the resources; `ChargeOrderQueueUrl` is of `charge-order`.
    """
    found = {}
    for output, url in outputs.items():
        for ending, added in ((QUEUE, ""), (DEAD_LETTERS, "-dead-letters")):
            if output.endswith(ending):
                found[dashed(output.removesuffix(ending)) + added] = url
    return found


def dashed(title: str) -> str:
    """Write a name as queues have it.

    >>> dashed("ChargeOrder")
    'charge-order'
    """
    return re.sub(r"(?<!^)[A-Z]", lambda letter: "-" + letter[0], title).lower()
