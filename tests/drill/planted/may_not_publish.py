"""A policy with one action too few: payments may not publish how orders end."""

from typing import Any

from tests.drill.functions import Functions

PROBE = "one_purchase"
CAUGHT_AS = "order forgotten"
PATCHES = {}

FUNCTION = "payments-charge"
# What the policies were, until they are put back.
_before: dict[str, Any] = {}


def deploy(functions: Functions) -> None:
    """Take the action away."""
    _before.update(functions.policies(FUNCTION))
    without = {
        name: document | {"Statement": [*filter(_stays, document["Statement"])]}
        for name, document in _before.items()
    }
    functions.set_policies(FUNCTION, without)


def undo(functions: Functions) -> None:
    """Give it back."""
    functions.set_policies(FUNCTION, _before)


def _stays(statement: dict[str, Any]) -> bool:
    actions = statement["Action"]
    return "sns:Publish" not in ([actions] if isinstance(actions, str) else actions)
