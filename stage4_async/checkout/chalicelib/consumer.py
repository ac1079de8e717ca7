"""Taking messages from a queue: each on its own, whatever becomes of the others.

Lambda hands over several at once and deletes those that we do not name as failed, which
it does only where `ReportBatchItemFailures` is set on the queue's event source. A
message that failed comes again after a pause with full jitter (M. Brooker, "Exponential
Backoff And Jitter", AWS Architecture Blog, 2015); after too many times the queue puts
it aside, among the dead letters. Where others are away the pauses grow longer than
where the message itself may be the matter: one waits, the other had better be seen.
"""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from . import deadline, logs
from .aws import asked, client
from .errors import Unavailable

log = logging.getLogger(__name__)

# What Lambda is told: the messages that are to come again.
Answer: TypeAlias = dict[str, list[dict[str, str]]]

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
# By the rule in `tests/unit/test_stage4_templates.py` an hour without, say, a mail
# service must not use up what a queue allows.
LONGEST_PAUSE_WHEN_AWAY_SECONDS = 300.0
# The attribute that names the guest's request, through all queues.
REQUEST = "request"


@dataclass(frozen=True)
class Message:
    """A message of a queue.

    Attributes:
        name: its id.
        body: what was sent.
        receipt: by which this delivery of it is known to the queue.
        delivery: which one it is, from 1 on.
        request: the request that it was sent for.
    """

    name: str
    body: str
    receipt: str
    delivery: int
    request: str


class Consumer:
    """Takes the messages of one queue.

    Args:
        queue_url: of the queue.
        longest_seconds: what one message may take. With less time left it is better
            not begun.
    """

    def __init__(self, queue_url: str, longest_seconds: float) -> None:
        self._queue_url = queue_url
        self._longest_seconds = longest_seconds
        self._sqs = client("sqs")

    def take(
        self, event: Mapping[str, Any], handle: Callable[[Message], None]
    ) -> Answer:
        """Hand each message over; return which of them have failed.

        Args:
            event: as Lambda has it.
            handle: what to do with a message; whatever it raises is a failure.
        """
        failed = [
            message for message in _messages(event) if not self._try(message, handle)
        ]
        return {"batchItemFailures": [{"itemIdentifier": m.name} for m in failed]}

    def _try(self, message: Message, handle: Callable[[Message], None]) -> bool:
        logs.begin(message.request or message.name)
        about = {"message_id": message.name, "delivery": message.delivery}
        if deadline.left(most=self._longest_seconds) < self._longest_seconds:
            log.info("message left for another call", extra=about)
            self._come_again(message, 0)
            return False
        try:
            handle(message)
        except Unavailable as away:
            log.warning("message put back", extra=about | {"reason": away.message})
            longest = LONGEST_PAUSE_WHEN_AWAY_SECONDS
        except Exception:
            log.exception("message failed", extra=about)
            longest = LONGEST_PAUSE_SECONDS
        else:
            log.info("message done", extra=about)
            return True
        doubled = FIRST_PAUSE_SECONDS * 2 ** min(message.delivery - 1, 10)
        pause = random.uniform(0, min(doubled, longest))  # noqa: S311 (jitter)
        self._come_again(message, pause)
        return False

    def _come_again(self, message: Message, pause_seconds: float) -> None:
        # Without it the message comes again too, when its visibility timeout ends.
        with suppress(Unavailable), asked("our queue"):
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=message.receipt,
                VisibilityTimeout=round(pause_seconds),
            )


def _messages(event: Mapping[str, Any]) -> Iterator[Message]:
    for record in event["Records"]:
        said = record.get("messageAttributes") or {}
        yield Message(
            name=record["messageId"],
            body=record["body"],
            receipt=record["receiptHandle"],
            delivery=int(record["attributes"]["ApproximateReceiveCount"]),
            request=said.get(REQUEST, {}).get("stringValue", ""),
        )
