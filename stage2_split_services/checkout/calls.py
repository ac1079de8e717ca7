"""Calling another service: a bounded wait, a few tries, and knowing when to stop.

All tries of calls between services are made here, in one layer: if each of three layers
tried three times, one request would become twenty-seven. Pauses have full jitter (M.
Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015); the breaker is
M. Nygard's ("Release It!", 2007). `RESILIENCE=off` takes all of it away, to show what
it is for.
"""

import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import msgspec
import pybreaker
import tenacity
import urllib3
from flask import g, has_request_context

from . import callers, deadlines, errors

log = logging.getLogger(__name__)

T = TypeVar("T")

# As many as there are threads to call at once, and some more.
CONNECTIONS = 32
REPEATABLE = frozenset({"GET", "PUT", "DELETE"})
PROBLEMS: dict[int, Callable[[str], errors.Problem]] = {
    kind.code: kind
    for kind in (
        errors.BadRequest,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.Conflict,
        errors.Unprocessable,
        errors.TooManyRequests,
    )
}


@dataclass(frozen=True)
class Patience:
    """How long to wait for a callee and how often to ask it; times in seconds.

    Attributes:
        connect: each try may take this long to be let in.
        answer: each try may take this long without a word.
        tries: how often one call is tried, the first one included.
        whole: what all calls for one request to us may take, pauses included.
        failures: so many in a row open the breaker.
        rest: an open breaker lets nothing through for this long.
        off: wait for ever, try once, have no breaker.
    """

    connect: float = 1.0
    answer: float = 2.0
    tries: int = 3
    whole: float = 6.0
    failures: int = 5
    rest: float = 5.0
    off: bool = False


@dataclass(frozen=True)
class Answer:
    """What a callee answered."""

    status: int
    content: bytes

    def read(self, shape: type[T]) -> T:
        """Read the answer; a problem that it tells is raised here as our own.

        A shape that forbids unknown fields ties both services' versions together: take
        one that does not.

        Raises:
            Problem: what the callee told, or `Unavailable` for what makes no sense.
        """
        if self.status >= HTTPStatus.BAD_REQUEST:
            problem = PROBLEMS.get(self.status, errors.Unavailable)
            raise problem(self._message())
        try:
            return msgspec.json.decode(self.content, type=shape)
        except msgspec.DecodeError as error:
            log.error("answer not understood", extra={"reason": str(error)})
            raise errors.Unavailable(
                "We do not understand each other here. Try again later."
            ) from error

    def _message(self) -> str:
        try:
            return msgspec.json.decode(self.content, type=_Told).message
        except msgspec.DecodeError:
            return f"This was answered with {self.status}. Try again in a moment."


class _Told(msgspec.Struct):
    message: str


class Failed(Exception):
    """A try without an answer, or with one that says that the callee is unwell."""


class Stopped(Exception):
    """No try was made: nobody waits any more, or somebody else is trying it out."""


class Breakings(pybreaker.CircuitBreakerListener):
    """Logs when a breaker opens and closes."""

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """Log a change."""
        log.warning("breaker", extra={"callee": cb.name, "state": new_state.name})


class Callee:
    """Another service. Safe to share between threads.

    The breaker is this process's own: each worker learns for itself who is away.

    Args:
        name: of the service.
        url: where it is, without a path.
        patience: how long to wait for it.
    """

    def __init__(self, name: str, url: str, patience: Patience) -> None:
        self.name = name
        self._patience = patience
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=patience.failures,
            reset_timeout=patience.rest,
            exclude=[lambda error: not isinstance(error, Failed)],
            listeners=[Breakings()],
            name=name,
            throw_new_error_on_trip=False,
        )
        # No tries of its own, no redirects; and no proxy of the environment has a say.
        self._connections = urllib3.connection_from_url(
            url, maxsize=CONNECTIONS, retries=False
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        body: msgspec.Struct | None = None,
        tries: int | None = None,
    ) -> Answer:
        """Ask for something, and again where that is harmless and may help.

        Args:
            method: `GET`, `PUT` and `DELETE` are tried again, others never.
            path: on the callee, with its query.
            headers: who asks; the ids and the deadline are added to them.
            body: sent as JSON.
            tries: fewer than usual, for what is repeated elsewhere anyway.

        Raises:
            Unavailable: there was no good answer in time.
        """
        until = self._deadline()
        sent = headers | _passed_along(until)
        data = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        try:
            return self._tries(method, tries, until)(
                self._try, method, path, data, sent, until
            )
        except (Failed, Stopped, pybreaker.CircuitBreakerError) as error:
            log.warning(
                "call failed",
                extra={"callee": self.name, "path": path, "reason": str(error)},
            )
            raise errors.Unavailable(
                f"Our {self.name} service does not answer now. Nothing was lost; "
                "try again in a moment.",
                retry_after=max(1, round(self._patience.rest)),
            ) from error

    def _try(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: dict[str, str],
        until: float | None,
    ) -> Answer:
        timeout = self._timeout(until)
        with self._guarded():
            try:
                got = self._connections.request(
                    method,
                    path,
                    body=data,
                    headers=headers,
                    timeout=timeout,
                    redirect=False,
                )
            except urllib3.exceptions.HTTPError as error:
                raise Failed(f"{type(error).__name__}: {error}") from error
            if got.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Failed(f"it answered {got.status}")
        return Answer(got.status, got.data)

    def _guarded(self) -> AbstractContextManager[None]:
        if self._patience.off:
            return contextlib.nullcontext()
        # While one call finds out whether the callee is back, the others do not wait.
        if self._breaker.current_state == pybreaker.STATE_HALF_OPEN:
            raise Stopped("another call finds out whether it is back")
        # Not `breaker.call`, which holds a lock all the while: one slow answer would
        # make every thread of this process wait.
        guarded: AbstractContextManager[None] = self._breaker.calling()
        return guarded

    def _deadline(self) -> float | None:
        """Tell until when an answer is of use (Unix seconds)."""
        if self._patience.off:
            return None
        ours = time.time() + deadlines.left(self._patience.whole)
        if not has_request_context():
            return ours
        until: float = g.setdefault("calls_until", ours)
        return until

    def _timeout(self, until: float | None) -> urllib3.Timeout | None:
        if until is None:
            return None
        left = until - time.time()
        if left <= 0:
            raise Stopped("the deadline has passed")
        return urllib3.Timeout(
            connect=min(self._patience.connect, left),
            read=min(self._patience.answer, left),
        )

    def _tries(
        self, method: str, fewer: int | None, until: float | None
    ) -> tenacity.Retrying:
        most = fewer or self._patience.tries
        if self._patience.off or method not in REPEATABLE:
            most = 1

        def enough(state: tenacity.RetryCallState) -> bool:
            if state.attempt_number >= most:
                return True
            return until is not None and time.time() + state.upcoming_sleep > until

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Failed),
            stop=enough,
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1.0),
            reraise=True,
        )


def as_guest(token: str) -> dict[str, str]:
    """Ask with a guest's own token, for what this guest may see."""
    return {"Authorization": f"Bearer {token}"}


def as_service(caller: str, callee: str, key: str) -> dict[str, str]:
    """Ask in our own name, with a token that soon ends and that one service takes.

    Args:
        caller: our name.
        callee: whom it is for.
        key: the secret by which the callee knows us.
    """
    return {callers.HEADER: callers.sign(caller, callee, key)}


def _passed_along(until: float | None) -> dict[str, str]:
    """Name the request, the order and the deadline (Unix ms) to the callee."""
    told = {} if until is None else {deadlines.DEADLINE: str(int(until * 1000))}
    if has_request_context():
        ids = {"X-Request-Id": "request_id", "X-Order-Id": "order_id"}
        told |= {header: g.get(name) for header, name in ids.items() if name in g}
    return told
