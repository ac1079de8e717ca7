"""`ReportBatchItemFailures` is not set: Lambda deletes what we say has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The workers read this module as well, and have no use for the rest.
    from tests.drill.functions import Functions

PROBE = "letters_fail"
CAUGHT_AS = "no mail"
PATCHES: dict[str, Any] = {}


def deploy(functions: Functions) -> None:
    """Take the flag away."""
    functions.change_source("notifications", FunctionResponseTypes=[])


def undo(functions: Functions) -> None:
    """Set it again."""
    flag = ["ReportBatchItemFailures"]
    functions.change_source("notifications", FunctionResponseTypes=flag)
