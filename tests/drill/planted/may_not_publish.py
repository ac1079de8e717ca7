"""A policy with one action too few: payments may not publish how orders end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The workers read this module as well, and have no use for the rest.
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
