"""The functions of a stage on the local AWS, each dependency of theirs behind a wire.

What they are told in their environment is changed while the stage runs, as whoever
operates it could: where DynamoDB is, where SES is, where `catalog` is. And they are
made impatient, with a sweep that does not wait for its minute.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3

from sandbox.runner import RunningStage
from tests.schedule import TICK

from .wire import Wire

SWEEP_PAUSE_SECONDS = 2.0
IMPATIENT = {
    "STRIPE_TIMEOUT_SECONDS": "1",
    "ORDER_LEASE_SECONDS": "3",
    # What the catalogue said a moment ago is no longer true, so that it is missed.
    "CATALOG_FRESH_SECONDS": "0.01",
}
PREFIX = "concierge-local-"


class Wired:
    """Wires to what the functions of a stage need.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        self.endpoint = stage.aws_endpoint_url or ""
        port = urlsplit(self.endpoint).port or 0
        self.database, self.mail, self.catalog = Wire(port), Wire(port), Wire(port)
        self._lambda = boto3.client(
            "lambda",
            endpoint_url=self.endpoint,
            region_name=stage.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - of the local AWS
        )

    @contextlib.contextmanager
    def connected(self) -> Iterator[Wired]:
        """Lead the functions over the wires inside the block."""
        before = {each["FunctionName"]: _told(each) for each in self._functions()}
        try:
            for name, variables in before.items():
                self._tell(name, self._over_wires(variables))
            with self._sweeping(f"{PREFIX}checkout-sweep"):
                yield self
        finally:
            for name, variables in before.items():
                self._tell(name, variables)
            for wire in (self.database, self.mail, self.catalog):
                wire.close()

    def _functions(self) -> Iterator[Mapping[str, Any]]:
        for page in self._lambda.get_paginator("list_functions").paginate():
            yield from page["Functions"]

    def _over_wires(self, variables: Mapping[str, str]) -> dict[str, str]:
        led = {
            **variables,
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{self.database.port}",
            "AWS_ENDPOINT_URL_SES": f"http://127.0.0.1:{self.mail.port}",
            **IMPATIENT,
        }
        if "CATALOG_API_URL" in led:
            led["CATALOG_API_URL"] = led["CATALOG_API_URL"].replace(
                self.endpoint, f"http://127.0.0.1:{self.catalog.port}"
            )
        return led

    def _tell(self, name: str, variables: Mapping[str, str]) -> None:
        self._lambda.update_function_configuration(
            FunctionName=name, Environment={"Variables": dict(variables)}
        )

    @contextlib.contextmanager
    def _sweeping(self, name: str) -> Iterator[None]:
        """Sweep again and again, as the schedule does each minute."""
        done = threading.Event()

        def sweep() -> None:
            while not done.wait(SWEEP_PAUSE_SECONDS):
                with contextlib.suppress(Exception):  # the next one may work
                    self._lambda.invoke(FunctionName=name, Payload=json.dumps(TICK))

        thread = threading.Thread(target=sweep, daemon=True)
        thread.start()
        yield
        done.set()
        thread.join(30)


def _told(function: Mapping[str, Any]) -> dict[str, str]:
    return dict(function.get("Environment", {}).get("Variables", {}))
