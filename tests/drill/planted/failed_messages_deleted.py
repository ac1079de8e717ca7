"""`ReportBatchItemFailures` is not set: Lambda deletes what we say has failed."""

from tests.drill.functions import Functions

PROBE = "letters_fail_once"
CAUGHT_AS = "no mail"
PATCHES = {}


def deploy(functions: Functions) -> None:
    """Take the flag away."""
    functions.change_source("notifications", FunctionResponseTypes=[])


def undo(functions: Functions) -> None:
    """Set it again."""
    flag = ["ReportBatchItemFailures"]
    functions.change_source("notifications", FunctionResponseTypes=flag)
