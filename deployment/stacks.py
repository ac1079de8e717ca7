"""CloudFormation stacks: create, update, read and delete them, each within a bound."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from .cloud import client

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
PATIENCE_SECONDS = 1200.0
# Asked often at first: the local AWS needs a second, Amazon's some minutes.
LONGEST_PAUSE_SECONDS = 5.0
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


class StackFailed(Exception):
    """A stack did not become what was asked; the message says why."""


def find(name: str) -> dict[str, Any] | None:
    """Return what CloudFormation says of a stack, or None when there is none."""
    try:
        stacks = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = stacks[0]
    return None if found["StackStatus"] == "DELETE_COMPLETE" else found


def outputs(name: str) -> dict[str, str]:
    """Return the outputs of a stack; none when it is not there."""
    listed = (find(name) or {}).get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in listed}


def deploy(
    name: str,
    template: Mapping[str, str],
    parameters: Mapping[str, str | None],
    tags: Mapping[str, str],
) -> str:
    """Make a stack what its template says.

    Args:
        name: of the stack.
        template: `{"TemplateBody": ...}` or `{"TemplateURL": ...}`.
        parameters: of the template; None keeps what the stack has.
        tags: of the stack and all its resources.

    Returns:
        What became of it: "created", "updated" or "unchanged".

    Raises:
        StackFailed: it did not become so; CloudFormation has undone what it began.
    """
    there = _usable(name)
    change_set = f"c{time.time_ns()}"
    made = client("cloudformation").create_change_set(
        StackName=name,
        ChangeSetName=change_set,
        ChangeSetType="UPDATE" if there else "CREATE",
        Parameters=[_parameter(*named) for named in parameters.items()],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        Capabilities=CAPABILITIES,
        **template,
    )
    if not _has_changes(name, made["Id"]):
        client("cloudformation").delete_change_set(ChangeSetName=made["Id"])
        return "unchanged"
    client("cloudformation").execute_change_set(ChangeSetName=made["Id"])
    wanted = "UPDATE_COMPLETE" if there else "CREATE_COMPLETE"
    began = time.time()
    status = _settled(name)
    if status != wanted:
        reasons = "\n".join(_reasons(name, began)) or "no reason is given"
        raise StackFailed(f"The stack {name} is {status}:\n{reasons}")
    return "updated" if there else "created"


def delete(name: str) -> bool:
    """Delete a stack and all that it made; tell whether there was one.

    Raises:
        StackFailed: something of it cannot be deleted.
    """
    stack = find(name)
    if stack is None:
        return False
    began = time.time()
    # By its id, it can still be asked about when it is gone.
    client("cloudformation").delete_stack(StackName=stack["StackId"])
    status = _settled(stack["StackId"])
    if status != "DELETE_COMPLETE":
        reasons = "\n".join(_reasons(name, began))
        raise StackFailed(f"The stack {name} is {status}:\n{reasons}")
    return True


def names(prefix: str) -> Iterator[str]:
    """Return the names of the stacks that are there and begin so."""
    pages = client("cloudformation").get_paginator("describe_stacks").paginate()
    for page in pages:
        for stack in page["Stacks"]:
            gone = stack["StackStatus"] == "DELETE_COMPLETE"
            if stack["StackName"].startswith(prefix) and not gone:
                yield stack["StackName"]


def _usable(name: str) -> bool:
    """Tell whether a stack is there to be updated; one that never came up is removed.

    Raises:
        StackFailed: somebody else is changing it.
    """
    stack = find(name)
    if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return False
    if stack["StackStatus"].endswith("_IN_PROGRESS"):
        _settled(name)
        return _usable(name)
    if stack["StackStatus"] in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
        delete(name)
        return False
    return True


def _parameter(name: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {"ParameterKey": name, "UsePreviousValue": True}
    return {"ParameterKey": name, "ParameterValue": value}


def _has_changes(name: str, change_set: str) -> bool:
    cloudformation = client("cloudformation")
    for _ in _pauses(f"the change set of {name}"):
        found = cloudformation.describe_change_set(ChangeSetName=change_set)
        if found["Status"] == "CREATE_COMPLETE":
            return True
        if found["Status"] == "FAILED":
            reason = found.get("StatusReason", "")
            if any(words in reason for words in NO_CHANGES):
                return False
            raise StackFailed(f"The stack {name} cannot be changed: {reason}")
    raise AssertionError("unreachable")


def _settled(name: str) -> str:
    """Wait until a stack is at rest, and return its status."""
    for _ in _pauses(f"the stack {name}"):
        found = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        status: str = found["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            return status
    raise AssertionError("unreachable")


def _pauses(what: str) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.1
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * 1.3)
    raise StackFailed(f"Waited {PATIENCE_SECONDS:g} s for {what}; see its events.")


def _reasons(name: str, since: float) -> Iterator[str]:
    """Return what went wrong with which resource, the first of it first."""
    events = client("cloudformation").describe_stack_events(StackName=name)
    for event in reversed(events["StackEvents"]):
        failed = event["ResourceStatus"].endswith("_FAILED")
        if failed and event["Timestamp"].timestamp() >= since - 5:
            reason = event.get("ResourceStatusReason", "")
            yield f"  {event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
