"""What the stacks of stages 3 and 4 declare, as the pages of the reference need it."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import templates

REPOSITORY = Path(__file__).resolve().parents[1]
STAGE3 = REPOSITORY / "stage3_serverless"
STAGE4 = REPOSITORY / "stage4_async"
PREFIX = "concierge-${Env}-"


@dataclass(frozen=True)
class Consumer:
    """A function that takes messages from a queue.

    Attributes:
        service: whose it is.
        function: its name.
        queue: that it takes from.
        batch: how many messages it is given at once, at most.
        at_a_time: how many of it run at the same time; None for no limit of ours.
    """

    service: str
    function: str
    queue: str
    batch: int
    at_a_time: int | None


def resources(stage: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a stack's resources of one type, by their own names.

    Args:
        stage: its folder.
        kind: as CloudFormation calls it: `AWS::SQS::Queue`.
    """
    declared = templates.read(stage / "resources.yaml")["Resources"]
    return {
        name: told["Properties"]
        for name, told in declared.items()
        if told["Type"] == kind
    }


def called(written: dict[str, str] | str) -> str:
    """Return a resource's name without the deployment's: `charge-order`."""
    text = written["Fn::Sub"] if isinstance(written, dict) else written
    return text.removeprefix(PREFIX)


def consumers(stage: Path = STAGE4) -> list[Consumer]:
    """Return every function that takes messages, as the entrypoints declare it."""
    found: list[Consumer] = []
    for app in sorted(stage.glob("*/app.py")):
        for function in ast.walk(ast.parse(app.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                found += _declared(app.parent, function)
    return found


def senders(stage: Path, action: str, resource: str) -> list[str]:
    """Return the functions whose role may do something with a resource.

    Args:
        stage: its folder.
        action: such as `sqs:SendMessage`.
        resource: its name in `resources.yaml`.
    """
    found = []
    for policy in sorted(stage.glob("*/.chalice/policy-*.json")):
        for statement in json.loads(policy.read_text("utf-8"))["Statement"]:
            meant = json.dumps(statement.get("Resource", ""))
            named = {f"${{{resource}}}", f'"{resource}"', f'"{resource}Topic"'}
            if action in statement["Action"] and any(at in meant for at in named):
                function = policy.stem.removeprefix("policy-")
                found.append(f"`{policy.parts[-3]}` (`{function}`)")
    return found


def fields(path: Path, name: str) -> Iterator[tuple[str, str]]:
    """Return the fields of a class, each with its type as it is written.

    Args:
        path: of its module.
        name: of the class.
    """
    module = ast.parse(path.read_text(encoding="utf-8"))
    for found in module.body:
        if isinstance(found, ast.ClassDef) and found.name == name:
            for field in found.body:
                if isinstance(field, ast.AnnAssign):
                    yield ast.unparse(field.target), ast.unparse(field.annotation)


def _declared(service: Path, function: ast.FunctionDef) -> Iterator[Consumer]:
    for told in function.decorator_list:
        if (
            isinstance(told, ast.Call)
            and ast.unparse(told.func) == "app.on_sqs_message"
        ):
            said = {at.arg: ast.unparse(at.value).strip("'\"") for at in told.keywords}
            limit = said.get("maximum_concurrency")
            yield Consumer(
                service.name,
                said["name"],
                said["queue"],
                int(said.get("batch_size", 1)),
                None if limit is None else _number(service, limit),
            )


def _number(service: Path, written: str) -> int:
    """Return a number that may be a constant of the service's settings."""
    if written.isdigit():
        return int(written)
    constant = written.removeprefix("config.")
    settings = ast.parse((service / "chalicelib" / "config.py").read_text("utf-8"))
    for line in settings.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == constant:
            return int(ast.unparse(line.value))
    raise ValueError(f"{service.name}: {written} is no number")
