"""What can happen to a call, laid out in advance, and a Stripe whose calls meet it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from typing import Any, TypeVar

import stripe

T = TypeVar("T")

# Nothing, others work before its answer is used, its answer is lost, it is never sent,
# it comes when nobody waits for it any more, the other side has an error, or the worker
# dies before or after it.
CALLS = (
    *[""] * 5,
    *("followed", "followed", "lost", "unsent", "late", "500", "die", "died"),
)


class Death(BaseException):
    """The worker is no more: nothing in the product may catch this."""


class Fates:
    """The fates of the next calls, whoever makes them.

    Attributes:
        next: one for each call, or the name of somebody who works before it.
        others: who may work meanwhile; their own calls meet the fates that follow.
    """

    def __init__(self) -> None:
        self.next: list[str] = []
        self.others: dict[str, Callable[[], None]] = {}
        self._late: list[Callable[[], object]] = []

    def meet(self, call: Callable[[], T], no_answer: Exception, error: Exception) -> T:
        """Make a call, with what happens to it.

        Args:
            call: the effect, and its answer.
            no_answer: raised when there is none.
            error: raised when the other side has one of its own.
        """
        self._let_others_work()
        fate = self.next.pop(0) if self.next else ""
        if fate == "die":
            raise Death
        if fate == "late":
            self._late.append(call)
        if fate in ("unsent", "late"):
            raise no_answer
        if fate == "500":
            raise error
        try:
            return call()
        finally:
            self._lose(fate, no_answer)

    def arrive(self) -> None:
        """Let the calls arrive that were on their way; nobody hears what they bring."""
        while self._late:
            with suppress(Exception):
                self._late.pop(0)()

    def _let_others_work(self) -> None:
        while self.next and self.next[0] in self.others:
            self.others[self.next.pop(0)]()

    def _lose(self, fate: str, no_answer: Exception) -> None:
        if fate == "died":
            raise Death
        if fate == "followed":
            self._let_others_work()
        if fate == "lost":
            raise no_answer


class FickleStripe:
    """Stripe's client, whose calls meet their fates.

    Args:
        real: the client's payment intents.
        fates: that are met.
    """

    def __init__(self, real: Any, fates: Fates) -> None:
        self._real = real
        self._fates = fates
        self.v1 = self
        self.payment_intents = self

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            return self._fates.meet(
                lambda: getattr(self._real, operation)(*arguments),
                stripe.APIConnectionError("there was no answer"),
                stripe.APIError("an error of theirs", http_status=500),
            )

        return call


class Outbox:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, message: EmailMessage) -> None:
        self.sent.append((message["X-Order-Id"], message["X-Event"]))
