"""Clients of Amazon's services: short timeouts, and tries in this one layer.

Where `AWS_ENDPOINT_URL` is set, the clients go there; nothing else tells them that they
are not in Amazon's cloud. The credentials are those of the function's own role.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .errors import Unavailable

log = logging.getLogger(__name__)

PATIENCE = Config(
    connect_timeout=1,
    read_timeout=2,
    # Throttling, 5xx and lost connections; pauses with full jitter.
    retries={"mode": "standard", "total_max_attempts": 3},
)
# For what cannot be called back: who did not hear the answer does not send it again.
ONCE = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 1},
)


def client(service: str, config: Config = PATIENCE) -> Any:
    """Make a client of one of Amazon's services.

    Args:
        service: its name in boto3.
        config: how long to wait for an answer, and how often to ask.
    """
    return boto3.client(service, config=config)


@contextmanager
def asked(what: str) -> Iterator[None]:
    """Tell in our words that a service of Amazon's does not do what it was asked.

    Args:
        what: the service, as in "We cannot reach ... now".

    Raises:
        Unavailable: it is away, refuses us, or has no capacity left.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        log.error("no answer from AWS", extra={"of": what, "reason": str(error)})
        raise Unavailable(
            f"We cannot reach {what} now. Nothing was lost; try again."
        ) from error
