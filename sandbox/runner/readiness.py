"""When is a stage ready: every port accepts, and whoever has a health answers 200."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from .ports import accepts
from .stages import Port

STEP_SECONDS = 0.1
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Ready:
    """Everything answers."""


@dataclass(frozen=True)
class NotReady:
    """What is still waited for.

    Attributes:
        missing: in words.
        late: whether it will not be waited for any longer.
        bearable: whether it is late, and the site works without it.
    """

    missing: str
    late: bool
    bearable: bool


def watch(
    ports: Mapping[Port, int],
    health_url: Callable[[], str | None],
    services: Callable[[], Mapping[str, str]],
    patience: float,
    tell: Callable[[Ready | NotReady], None],
) -> None:
    """Wait in the background, and tell about progress and the end of it.

    Args:
        ports: the ports that must accept.
        health_url: returns what must answer 200, or None while that is not known.
        services: returns the address of the health of each service that still lives.
        patience: seconds until it is too late.
        tell: called with `NotReady` every few seconds, and once at the end.
    """

    def wait() -> None:
        began = told = time.monotonic()
        while True:
            missing = _closed(ports) or _silent(services()) or _unwell(health_url())
            if not missing:
                return tell(Ready())
            now = time.monotonic()
            if now - began > patience:
                bearable = not (_closed(ports) or _unwell(health_url()))
                return tell(NotReady(missing, late=True, bearable=bearable))
            if now - told > PROGRESS_SECONDS:
                told = now
                tell(NotReady(missing, late=False, bearable=False))
            time.sleep(STEP_SECONDS)

    threading.Thread(target=wait, daemon=True).start()


def is_well(health_url: str) -> bool:
    """Tell whether a health answers 200."""
    return not _sick(health_url)


def _closed(ports: Mapping[Port, int]) -> str:
    closed = [f"{port.part} (port {n})" for port, n in ports.items() if not accepts(n)]
    return ", ".join(closed)


def _silent(services: Mapping[str, str]) -> str:
    """Return which services are unwell, or nothing."""
    found = {name: _sick(health) for name, health in services.items()}
    return ", ".join(f"{name}: {words}" for name, words in found.items() if words)


def _unwell(url: str | None) -> str:
    return _sick(url) if url else "the deployment"


def _sick(url: str) -> str:
    """Return what is wrong with the site's health, or nothing."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=5)
    try:
        connection.request("GET", address.path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{url} ({type(error).__name__})"
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"{url} (it answers {status})"
