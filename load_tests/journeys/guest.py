"""One guest: connected, signed in, and strict about what is answered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import gevent  # type: ignore[import-untyped]
import msgspec
from locust import FastHttpUser
from locust.exception import RescheduleTask

from load_tests.accounts import Account, sign_up
from load_tests.answers import WrongAnswer, read

from .plan import Plan

Answer = TypeVar("Answer")

# Longer than API Gateway waits for a function (29 s).
TIMEOUT_SECONDS = 30.0


class Guest(FastHttpUser):
    """A guest of any stage. Actions are functions that take one; see `actions.py`."""

    abstract = True
    network_timeout = TIMEOUT_SECONDS
    connection_timeout = TIMEOUT_SECONDS
    plan: Plan
    waiting: list[Account]

    def on_start(self) -> None:
        """Take an account that is there already, or sign up now."""
        if self.plan.sign_up:
            self.account = self._sign_up_measured()
        else:
            self.account = self.waiting.pop() if self.waiting else self._newcomer()

    def on_stop(self) -> None:
        """Leave the account to whoever comes next."""
        if hasattr(self, "account"):  # who could not sign up has none
            self.waiting.append(self.account)

    def wait_time(self) -> float:
        """Return how long to think before the next action, in seconds."""
        return random.uniform(0.5, 1.5) * self.plan.think_seconds

    def think(self) -> None:
        """Think between the two halves of an action."""
        gevent.sleep(self.wait_time())

    def get(self, path: str, kind: type[Answer], name: str = "") -> Answer:
        """Read something; a wrong answer is a failure and ends the action.

        Args:
            path: after the API's address, with its query.
            kind: what a right answer is.
            name: of the row in the table, where one path stands for many.
        """
        return self.send("GET", path, lambda a, b: read(a.status_code, b, kind), name)

    def send(
        self,
        method: str,
        path: str,
        judge: Callable[[Any, bytes], Answer],
        name: str = "",
        body: Any = None,
        **headers: str,
    ) -> Answer:
        """Send a request and let a function judge the answer.

        Args:
            method: GET or POST.
            path: after the API's address.
            judge: gets the answer and its body; raises WrongAnswer.
            name: of the row in the table.
            body: is sent as JSON.
            headers: more headers; an underscore in a name stands for a hyphen.
        """
        url = self.plan.stage.api_url + path
        data = b"" if body is None else msgspec.json.encode(body)
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        if data:
            own["Content-Type"] = "application/json"
        with self.client.request(
            method,
            url,
            name=name or path,
            data=cast(Any, data or None),  # bytes are fine, too
            headers=self.account.headers(method, url, data, own),
            catch_response=True,
            allow_redirects=False,
        ) as answer:
            came = answer.content or b""
            if not answer.status_code:
                came = type(answer.error).__name__.encode()
            try:
                judged = judge(answer, came)
            except WrongAnswer as wrong:
                answer.failure(str(wrong))
            else:
                answer.success()
                return judged
        raise RescheduleTask

    def _sign_up_measured(self) -> Account:
        began, failed = time.perf_counter(), None
        try:
            return sign_up(self.plan.stage)
        except Exception as error:
            failed = error
            raise
        finally:
            self.environment.events.request.fire(
                request_type="ACCOUNT",
                name="sign up and in",
                response_time=1000 * (time.perf_counter() - began),
                response_length=0,
                exception=failed,
                context={},
            )

    def _newcomer(self) -> Account:
        # More guests than were announced, on Locust's own page.
        return sign_up(self.plan.stage)
