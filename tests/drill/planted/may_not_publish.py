"""A policy with one action too few: payments may not publish how orders end."""

from typing import Any

from tests.drill.functions import Functions

PROBE = "one_purchase"
CAUGHT_AS = "order forgotten"
PATCHES: dict[str, Any] = {}

FUNCTION = "payments-charge"
# What the policies were, until they are put back.
_before: dict[str, Any] = {}


def deploy(functions: Functions) -> None:
    """Take the action away."""
    _before.update(functions.take_away(FUNCTION, "sns:Publish"))


def undo(functions: Functions) -> None:
    """Give it back."""
    functions.set_policies(FUNCTION, _before)
