"""A policy with one action too few: nobody may send a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The workers read this module as well, and have no use for the rest.
    from tests.drill.functions import Functions

PROBE = "one_purchase"
CAUGHT_AS = "no mail"
PATCHES: dict[str, Any] = {}

# What the policies were, until they are put back.
_before: dict[str, dict[str, Any]] = {}


def deploy(functions: Functions) -> None:
    """Take the action away."""
    for name in ("checkout-api", "checkout-sweep"):
        _before[name] = functions.take_away(name, "ses:SendRawEmail")


def undo(functions: Functions) -> None:
    """Give it back."""
    for name, policies in _before.items():
        functions.set_policies(name, policies)
