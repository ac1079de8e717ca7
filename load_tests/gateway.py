"""The gateway of a running stage: where it sends requests can be changed."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

from sandbox.nginx import upstreams
from sandbox.runner import StartError

LOOK_SECONDS = 0.05


def follow(
    place: Path, told: upstreams.Upstreams, port: int, patience_seconds: float
) -> None:
    """Tell the gateway where services are, and wait until it has heard.

    Args:
        place: the file that it reads.
        told: with a version that it does not follow yet.
        port: where it says which version it follows.
        patience_seconds: how long to wait.

    Raises:
        StartError: it does not follow in that time.
    """
    upstreams.write(place, told)
    deadline = time.monotonic() + patience_seconds
    while _version(port) != str(told.version):
        if time.monotonic() > deadline:
            raise StartError(
                f"Not within {patience_seconds:g} s: the gateway follows; see .run/."
            )
        time.sleep(LOOK_SECONDS)


def _version(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/gateway/version")
        return connection.getresponse().read(20).decode("ascii", "replace").strip()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
