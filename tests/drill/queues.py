"""The queues of stage 4: that nothing is left in them, and what to do to messages."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

DEAD = "-dead-letters"
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
POLL_SECONDS = 0.5
NOT_EMPTY = "queue not empty"
DEAD_LETTER = "dead letter"


class Queues:
    """The queues of a running stage.

    Args:
        sqs: a client of the local SQS.
        urls: their addresses, by the names that they have in this repository.
    """

    def __init__(self, sqs: Any, urls: Mapping[str, str]) -> None:
        self._sqs = sqs
        self._urls = urls

    def hide_for(self, seconds: int) -> None:
        """Hide messages for so long from others when somebody has taken them."""
        for name in self._living():
            self._sqs.set_queue_attributes(
                QueueUrl=self._urls[name],
                Attributes={"VisibilityTimeout": str(seconds)},
            )

    def count(self, name: str) -> int:
        """Return how many messages a queue has, whoever sees them."""
        said = self._sqs.get_queue_attributes(
            QueueUrl=self._urls[name], AttributeNames=list(COUNTS)
        )["Attributes"]
        return sum(int(said[count]) for count in COUNTS)

    def send(self, name: str, bodies: Sequence[str]) -> None:
        """Send messages, ten at a time."""
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + 10])
            ]
            self._sqs.send_message_batch(QueueUrl=self._urls[name], Entries=entries)

    def take_all(self, name: str) -> list[str]:
        """Take every message that can be seen away; return what they say."""
        found = []
        while got := self._received(name):
            found += [message["Body"] for message in got]
            for message in got:
                self._sqs.delete_message(
                    QueueUrl=self._urls[name], ReceiptHandle=message["ReceiptHandle"]
                )
        return found

    def multiply(self, name: str, times: int, chance: random.Random) -> int:
        """Let every message of a queue be there so many times, in any order.

        Returns:
            How many there were.
        """
        found = self.take_all(name)
        copies = found * times
        chance.shuffle(copies)
        self.send(name, copies)
        return len(found)

    def redrive(self, name: str) -> int:
        """Send a queue's dead letters to it again; return how many there were."""
        dead = self.take_all(name + DEAD)
        self.send(name, dead)
        return len(dead)

    def addresses(self, name: str) -> set[str]:
        """Return where the orders go that a queue's messages are of."""
        bodies = self.take_all(name)
        self.send(name, bodies)
        return {json.loads(body)["order"]["delivery_address"] for body in bodies}

    def tidy_up(self, patience: float) -> int:
        """Wait until nothing is left; send dead letters again, as an operator does.

        Args:
            patience: how many seconds that may take.

        Returns:
            How many dead letters there were.
        """
        deadline = time.monotonic() + patience
        redriven = 0
        while time.monotonic() < deadline and any(map(self.count, self._urls)):
            redriven += sum(map(self.redrive, self._living()))
            time.sleep(POLL_SECONDS)
        return redriven

    def left_over(self) -> Iterator[tuple[str, str, str]]:
        """Tell what is left."""
        for name in self._living():
            if left := self.count(name):
                yield NOT_EMPTY, name, f"{left} left"
            if dead := self.count(name + DEAD):
                yield DEAD_LETTER, name, f"{dead} of them"

    def _living(self) -> list[str]:
        return [name for name in self._urls if not name.endswith(DEAD)]

    def _received(self, name: str) -> list[dict[str, Any]]:
        got = self._sqs.receive_message(
            QueueUrl=self._urls[name],
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = got.get("Messages", [])
        return found
