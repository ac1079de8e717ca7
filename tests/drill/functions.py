"""The functions of a stage on the local AWS, with the drill inside their workers.

A worker of Lambda gets the variables of its function before Python starts, so the drill
comes in by these, and what it changes begins with the next worker.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3

from sandbox.runner import RunningStage

from . import serving

PREFIX = "concierge-local-"


class Functions:
    """The functions of a running stage.

    Args:
        stage: where it runs.
        folder: shared with the functions' workers.

    Attributes:
        dynamodb: a client of the local DynamoDB.
    """

    def __init__(self, stage: RunningStage, folder: Path) -> None:
        self._folder = folder
        self._account = {
            "endpoint_url": stage.aws_endpoint_url,
            "region_name": stage.region,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self._lambda = self.client("lambda")
        self.dynamodb = self.client("dynamodb")
        self._variables: dict[str, dict[str, str]] = {}
        self._generations = itertools.count(1)

    def client(self, service: str) -> Any:
        """Make a client of one of the local AWS's services, with every right."""
        return boto3.client(service, **self._account)

    def let_in(
        self,
        actors: Mapping[str, str],
        points: Mapping[str, str],
        constants: Mapping[str, float],
        settings: Mapping[str, str],
        own: Mapping[str, Mapping[str, str]],
        timeouts: Mapping[str, int],
    ) -> None:
        """Put the drill into the functions, and start them anew.

        Args:
            actors: whose points each function reaches, `{"payments-charge": "charge"}`.
            points: the crash points, `{"store": "payments.payment_store:Class.name"}`.
            constants: of modules, so that waiting is short.
            settings: of whatever function has a use for them.
            own: settings of single functions.
            timeouts: in seconds, of those functions that get another one.
        """
        for name, seconds in timeouts.items():
            self._lambda.update_function_configuration(
                FunctionName=PREFIX + name, Timeout=seconds
            )
        for name, actor in actors.items():
            service = name.partition("-")[0]
            function = self._lambda.get_function_configuration(
                FunctionName=PREFIX + name
            )
            drill = serving.inside(
                self._folder,
                ["app"],
                _of(service, points),
                _of_keys(service, constants),
            )
            self._variables[name] = (
                function["Environment"]["Variables"]
                | settings
                | own.get(name, {})
                | drill
                | {"DRILL_SERVICE": service, "DRILL_ACTOR": actor}
            )
        self.renew()

    def renew(self) -> None:
        """Let every function go on in new workers, and end the old ones."""
        generation = str(next(self._generations))
        for name, variables in self._variables.items():
            self._lambda.update_function_configuration(
                FunctionName=PREFIX + name,
                Environment={"Variables": variables | {"DRILL_NUMBER": generation}},
            )

    def plant(self, bug: str) -> None:
        """Let every function go on with a bug in it, or with none ("")."""
        (self._folder / "planted").write_text(bug)
        self.renew()

    def invoke(self, name: str, event: object) -> None:
        """Call a function with an event.

        Raises:
            RuntimeError: it failed, or its worker died.
        """
        answer = self._lambda.invoke(
            FunctionName=PREFIX + name, Payload=json.dumps(event)
        )
        if "FunctionError" in answer:
            raise RuntimeError(f"{name}: {answer['Payload'].read().decode()}")

    def change_source(self, queue: str, **changes: Any) -> None:
        """Change what brings a queue's messages to its function."""
        pages = self._lambda.get_paginator("list_event_source_mappings").paginate()
        found = next(
            mapping
            for page in pages
            for mapping in page["EventSourceMappings"]
            if mapping["EventSourceArn"].endswith(f":{PREFIX}{queue}")
        )
        self._lambda.update_event_source_mapping(UUID=found["UUID"], **changes)

    @contextlib.contextmanager
    def paused(self, *queues: str) -> Iterator[None]:
        """Let messages of some queues wait, until the end of the block."""
        for queue in queues:
            self.change_source(queue, Enabled=False)
        try:
            yield
        finally:
            for queue in queues:
                self.change_source(queue, Enabled=True)

    def take_away(self, name: str, action: str) -> dict[str, Any]:
        """Take an action away from a function's role; return the policies before."""
        before = self._policies(name)
        for policy, document in before.items():
            stays = [s for s in document["Statement"] if action not in _actions(s)]
            self.set_policies(name, {policy: document | {"Statement": stays}})
        return before

    def _policies(self, name: str) -> dict[str, Any]:
        """Return the policies of a function's role, by name."""
        iam = self.client("iam")
        names = iam.list_role_policies(RoleName=self._role(name))["PolicyNames"]
        return {
            policy: iam.get_role_policy(RoleName=self._role(name), PolicyName=policy)[
                "PolicyDocument"
            ]
            for policy in names
        }

    def set_policies(self, name: str, policies: Mapping[str, Any]) -> None:
        """Replace policies of a function's role."""
        for policy, document in policies.items():
            self.client("iam").put_role_policy(
                RoleName=self._role(name),
                PolicyName=policy,
                PolicyDocument=json.dumps(document),
            )

    def _role(self, name: str) -> str:
        function = self._lambda.get_function_configuration(FunctionName=PREFIX + name)
        return str(function["Role"].rpartition("/")[2])


class Clock:
    """Does something again and again, until it is stopped; on AWS a schedule does.

    Args:
        tick: what to do; what it raises is of no interest.
        every_seconds: the pause between two.
    """

    def __init__(self, tick: Callable[[], object], every_seconds: float) -> None:
        self._tick = tick
        self._every_seconds = every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._over.wait(self._every_seconds):
            with contextlib.suppress(Exception):
                self._tick()


def _of(service: str, points: Mapping[str, str]) -> dict[str, str]:
    """Return the points that are in a service, or in a library."""
    return {
        name: where
        for name, where in points.items()
        if where.partition(".")[0] in (service, "stripe")
    }


def _of_keys(service: str, constants: Mapping[str, float]) -> dict[str, float]:
    begin = f"{service}."
    return {name: to for name, to in constants.items() if name.startswith(begin)}


def _actions(statement: Mapping[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions
