"""Faults that a control endpoint sets while the sandbox runs."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

Operation = Literal[
    "create",
    "retrieve",
    "confirm",
    "cancel",
    "list",
    "refund",
    "retrieve_refund",
    "list_refunds",
    "retrieve_payment_method",
]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=600_000)]
FailureStatus = Literal[429, 500, 502, 503, 504]
# What `mix` chooses from. Latency is not a failure, and hurts every affected call.
FAILURES = (
    "refuse",
    "hang",
    "error_before",
    "error_after",
    "drop_after",
    "hang_after",
)
HANG_CHECK_SECONDS = 0.2


class DroppedError(Exception):
    """The connection is to be reset without an answer."""


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Waiting before the effect: `fixed` plus up to `random` milliseconds."""

    fixed: Milliseconds = 0
    random: Milliseconds = 0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which faults hit which calls; README.md of this package explains each.

    `error_before` and `error_after` are a status, or true for 500. `share` is the
    probability that a call is hit, `times` how many calls are hit at most.
    """

    latency_ms: Latency = Latency()
    refuse: bool = False
    hang: bool = False
    hang_after: bool = False
    error_before: bool | FailureStatus = False
    error_after: bool | FailureStatus = False
    drop_after: bool = False
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    mix: bool = False
    seed: int | None = None
    operations: tuple[Operation, ...] = ()


class Injection(msgspec.Struct, frozen=True):
    """What one call suffers. `latency` is in seconds, the errors are statuses."""

    latency: float = 0.0
    refuse: bool = False
    hang: bool = False
    hang_after: bool = False
    error_before: int = 0
    error_after: int = 0
    drop_after: bool = False


UNHARMED = Injection()


class Faults:
    """The faults in force, and how often each was injected."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.set(Settings())

    def set(self, settings: Settings) -> None:
        """Replace the faults in force; counts start again at zero."""
        with self._lock:
            self._settings = settings
            self._random = random.Random(settings.seed)  # noqa: S311
            self._calls = self._hit = 0
            self._injected: Counter[str] = Counter()

    def report(self) -> dict[str, Any]:
        """Show the settings, the calls since they were set, and what was injected."""
        with self._lock:
            return {
                "settings": self._settings,
                "calls": self._calls,
                "affected": self._hit,
                "injected": dict(self._injected),
            }

    def draw(self, operation: str | None) -> Injection:
        """Decide what one call suffers.

        Arguments:
            operation: what it asks for; None for an unknown path.
        """
        with self._lock:
            settings = self._settings
            if settings.operations and operation not in settings.operations:
                return UNHARMED
            self._calls += 1
            if settings.times is not None and self._hit >= settings.times:
                return UNHARMED
            if self._random.random() >= settings.share:
                return UNHARMED
            self._hit += 1
            chosen = [name for name in FAILURES if getattr(settings, name)]
            if settings.mix and chosen:
                chosen = [self._random.choice(chosen)]
            latency = settings.latency_ms
            wait = latency.fixed + latency.random * self._random.random()
            return Injection(
                latency=wait / 1000,
                refuse="refuse" in chosen,
                hang="hang" in chosen,
                hang_after="hang_after" in chosen,
                error_before=_status(settings.error_before, "error_before" in chosen),
                error_after=_status(settings.error_after, "error_after" in chosen),
                drop_after="drop_after" in chosen,
            )

    def count(self, fault: str) -> None:
        """Note that a fault was injected."""
        with self._lock:
            self._injected[fault] += 1

    def delay(self, injection: Injection) -> None:
        """Wait as long as the call is to be slowed down."""
        if injection.latency:
            self.count("latency_ms")
            time.sleep(injection.latency)

    def hang(self, fault: str, client_left: Callable[[float], bool]) -> None:
        """Wait until the faults are replaced.

        Arguments:
            client_left: waits up to some seconds and tells whether the client left.

        Raises:
            DroppedError: the client left first.
        """
        self.count(fault)
        settings = self._settings
        while self._settings is settings:
            if client_left(HANG_CHECK_SECONDS):
                raise DroppedError


def _status(setting: bool | int, chosen: bool) -> int:
    if not chosen:
        return 0
    return 500 if setting is True else int(setting)
