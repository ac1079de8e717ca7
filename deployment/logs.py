"""The log lines of all functions of a deployment, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .cloud import client
from .settings import Deployment

PAUSE_SECONDS = 1.0
BACK_SECONDS = 300.0
# Lines may arrive late: so much is read again.
OVERLAP_MILLISECONDS = 5000


@dataclass(frozen=True)
class LogLine:
    """A line, when it was written (Unix milliseconds), and by which function."""

    at: int
    function: str
    words: str

    def __str__(self) -> str:
        return f"{self.function:22} {self.words}"


def follow(
    deployment: Deployment, service: str = "", onward: bool = False
) -> Iterator[LogLine]:
    """Return the lines of the last minutes, and those that come.

    Args:
        deployment: the deployment.
        service: only of this one.
        onward: whether to wait for more; without, it ends with the last line there is.
    """
    since = int((time.time() - BACK_SECONDS) * 1000)
    seen: set[LogLine] = set()
    while True:
        new = [line for line in lines(deployment, service, since) if line not in seen]
        yield from sorted(new, key=lambda line: line.at)
        seen |= set(new)
        if not onward:
            return
        since = max([since, *(line.at - OVERLAP_MILLISECONDS for line in new)])
        time.sleep(PAUSE_SECONDS)


def lines(
    deployment: Deployment, service: str, since: int, pattern: str = ""
) -> Iterator[LogLine]:
    """Return the lines since a moment, a function's after the other's.

    Args:
        deployment: the deployment.
        service: only of this one; of all when empty.
        since: that moment (Unix milliseconds).
        pattern: what they must contain, as CloudWatch's filters have it.
    """
    begin = f"/aws/lambda/{deployment.prefix}-"
    groups = client("logs").get_paginator("describe_log_groups")
    for page in groups.paginate(logGroupNamePrefix=begin + service):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for event in _events(name, since, pattern):
                function = name.removeprefix(begin)
                yield LogLine(event["timestamp"], function, event["message"].rstrip())


def _events(group: str, since: int, pattern: str) -> Iterator[dict[str, Any]]:
    pages = client("logs").get_paginator("filter_log_events")
    chosen = {"filterPattern": pattern} if pattern else {}
    for page in pages.paginate(logGroupName=group, startTime=since, **chosen):
        yield from page["events"]
