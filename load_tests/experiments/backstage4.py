"""Behind the queues of stage 4 on the local AWS: look, repeat, break, mend, redrive."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import requests

from sandbox.runner import RunningStage
from sandbox.runner.stages import REPOSITORY

CHARGE = "charge-order"
DEAD = f"{CHARGE}-dead-letters"
PAYMENTS = "concierge-local-payments-charge"
# Where a message is taken up; what is planted fails there, after the message was read.
SOURCE, WORK = "chalicelib/charging.py", b"self._store.begin(asked)"
COUNTS = [
    f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")
]
# What checkout notes of an order for itself, and no message has.
OUTBOX = {"open", "due", "sent", "account", "supplied"}
TIMEOUT_SECONDS = 120


class Operator:
    """Who looks after a running stage 4, with the rights of the local AWS's root.

    Args:
        stage: the running stage.
    """

    def __init__(self, stage: RunningStage) -> None:
        self._stage = stage
        self._sqs = self._client("sqs")
        self._functions = self._client("lambda")

    def count(self, queue: str) -> int:
        """Return how many messages a queue has, those on their way included."""
        said = self._sqs.get_queue_attributes(
            QueueUrl=self._stage.queues[queue], AttributeNames=COUNTS
        )
        return sum(int(number) for number in said["Attributes"].values())

    def dead_letters(self) -> int:
        """Return how many messages were given up, in all queues."""
        names = [name for name in self._stage.queues if name.endswith("-dead-letters")]
        return sum(map(self.count, names))

    def repeat_newest(self) -> None:
        """Deliver the message of the order that came last once more."""
        found = self._client("dynamodb", boto3.resource)
        items = found.Table(self._stage.tables["checkout"]).scan()["Items"]
        newest = max(items, key=lambda item: item["created_at"])
        order = {name: at for name, at in newest.items() if name not in OUTBOX}
        self._sqs.send_message(
            QueueUrl=self._stage.queues[CHARGE],
            MessageBody=json.dumps(
                {
                    "order": order,
                    "account": newest.get("account"),
                    "supplied": bool(newest.get("supplied")),
                },
                default=int,
            ),
        )

    def package(self) -> bytes:
        """Return what is deployed of payments."""
        code = self._functions.get_function(FunctionName=PAYMENTS)["Code"]
        return requests.get(code["Location"], timeout=TIMEOUT_SECONDS).content

    def deploy(self, package: bytes) -> None:
        """Deploy a payments."""
        self._functions.update_function_code(FunctionName=PAYMENTS, ZipFile=package)

    def redrive(self) -> str:
        """Say `make redrive QUEUE=charge-order`; return what it says."""
        words = ["redrive", "--stage", "4", "--run", self._stage.name]
        done = subprocess.run(  # noqa: S603 (our own words)
            [sys.executable, "-m", "deployment", *words, "--queue", CHARGE],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        return done.stdout.strip()

    @contextmanager
    def watching(self, *queues: str, every: float = 1.0) -> Iterator[list[list[float]]]:
        """Look at queues all the time that the block lasts.

        Args:
            queues: their names.
            every: seconds from look to look.

        Returns:
            Rows of Unix seconds and what each queue had; complete after the block.
        """
        rows: list[list[float]] = []
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(every):
                rows.append([time.time(), *map(self.count, queues)])

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield rows
        finally:
            stop.set()
            watcher.join()

    def _client(self, service: str, make: Callable[..., Any] = boto3.client) -> Any:
        return make(
            service,
            endpoint_url=self._stage.aws_endpoint_url,
            region_name=self._stage.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 (of the local AWS)
        )


def poisoned(package: bytes) -> bytes:
    """Return a package of payments that raises on every message.

    Raises:
        LookupError: the source has not the line any more that is to be broken.
    """
    whole, broken = io.BytesIO(), False
    with (
        zipfile.ZipFile(io.BytesIO(package)) as good,
        zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as bad,
    ):
        for entry in good.infolist():
            data = good.read(entry)
            if entry.filename == SOURCE and WORK in data:
                # An empty dictionary has no such key: KeyError, as after a slip.
                data, broken = data.replace(WORK, b"{}[" + WORK + b"]"), True
            bad.writestr(entry, data)
    if not broken:
        raise LookupError(f"{SOURCE} has no {WORK.decode()}: break another line.")
    return whole.getvalue()
