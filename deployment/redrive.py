"""Dead letters: sent to their queue again, once what was wrong is mended.

Amazon has `StartMessageMoveTask` for it, which the local AWS has not; what is done here
works at both. A letter is sent first and deleted then: killed between the two it is
there twice, which does no harm, and never not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import queues
from .cloud import client
from .settings import Deployment, SettingsError

# Long enough to send ten.
HIDDEN_SECONDS = 60
AT_ONCE = 10


def redrive(deployment: Deployment, name: str) -> int:
    """Send the dead letters of a queue to it again.

    Only as many as there are at the beginning: one that fails again meanwhile is left.

    Args:
        deployment: the deployment.
        name: of the queue.

    Returns:
        How many were sent.

    Raises:
        SettingsError: there is no such queue.
    """
    queue, dead_letters = queues.address(deployment, name)
    most = queues.counts(dead_letters)["ApproximateNumberOfMessages"]
    sent = 0
    for letter in _letters(dead_letters, most):
        client("sqs").send_message(
            QueueUrl=queue,
            MessageBody=letter["Body"],
            MessageAttributes=letter.get("MessageAttributes", {}),
        )
        client("sqs").delete_message(
            QueueUrl=dead_letters, ReceiptHandle=letter["ReceiptHandle"]
        )
        sent += 1
    return sent


def switch(deployment: Deployment, name: str, *, on: bool) -> None:
    """Pause whoever takes a queue's messages, or let them go on.

    Args:
        deployment: the deployment.
        name: of the queue. Nothing that is sent to it in the meantime is lost.
        on: whether to go on.

    Raises:
        SettingsError: there is no such queue, or nobody takes its messages.
    """
    queue, _ = queues.address(deployment, name)
    wanted = queues.arn(queue)
    found = [m for m in queues.mappings(deployment) if m["EventSourceArn"] == wanted]
    if not found:
        raise SettingsError(f"No function takes messages from {name}.")
    for mapping in found:
        client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=on)


def _letters(url: str, most: int) -> Iterator[dict[str, Any]]:
    taken = 0
    while taken < most:
        found = client("sqs").receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(AT_ONCE, most - taken),
            MessageAttributeNames=["All"],
            VisibilityTimeout=HIDDEN_SECONDS,
            WaitTimeSeconds=1,
        )
        letters = found.get("Messages", [])
        if not letters:
            return
        taken += len(letters)
        yield from letters
