"""Clients of AWS; `AWS_ENDPOINT_URL` alone decides whether that is Amazon's."""

from __future__ import annotations

import socket
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from .settings import REGION

PATIENCE = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 5},
)


START_SECONDS = 60.0


def wait_until_there(endpoint: str) -> None:
    """Wait until a local AWS that is being started accepts connections.

    Raises:
        TimeoutError: it does not come up.
    """
    address = urlsplit(endpoint)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((str(address.hostname), address.port or 80)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"Nothing answers at {endpoint}, where AWS is to be.")


@cache
def client(service: str) -> Any:
    """Return a client of one of Amazon's services.

    Args:
        service: its name in boto3.
    """
    return boto3.client(service, region_name=REGION, config=PATIENCE)


@cache
def account() -> str:
    """Return the id of the account that the credentials belong to."""
    found: str = client("sts").get_caller_identity()["Account"]
    return found
