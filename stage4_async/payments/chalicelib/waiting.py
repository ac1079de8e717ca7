"""Orders that wait while somebody is away: sent anew, to be delivered later.

A message that comes again counts its deliveries, and too many of them make it a dead
letter. That is meant for a message that is itself the matter; one that was put off for
the sake of others begins anew.
"""

import logging
import random

from .aws import asked, client
from .consumer import REQUEST, Message

log = logging.getLogger(__name__)

LONGEST_SECONDS = 900  # SQS takes no longer delay


class Waiting:
    """Puts messages off.

    Args:
        queue_url: of the queue that they came from.
    """

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url
        self._sqs = client("sqs")

    def put_off(self, message: Message, seconds: float) -> int:
        """Have a message delivered anew, not before so many seconds, with jitter.

        Returns:
            After how many seconds it will be.

        Raises:
            Unavailable: the queue does not answer.
        """
        jitter = random.uniform(0, seconds)  # noqa: S311 (jitter is no secret)
        delay = min(LONGEST_SECONDS, round(seconds + jitter) + 1)
        with asked("our queue"):
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                DelaySeconds=delay,
                MessageAttributes={
                    REQUEST: {
                        "DataType": "String",
                        "StringValue": message.request or message.name,
                    }
                },
            )
        log.info("order put off", extra={"delay_seconds": delay})
        return delay
