"""Calling another service: signed under our own role, a bounded wait, a few tries.

All tries of calls between services are made here, in one layer: if each of three layers
tried three times, one request would become twenty-seven. Pauses have full jitter (M.
Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). There is no
breaker: a worker serves one request at a time and knows nothing of the others, so that
each would have to learn alone, again and again.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import boto3
import msgspec
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from requests.adapters import HTTPAdapter

from . import deadline, errors, logs

log = logging.getLogger(__name__)

T = TypeVar("T")

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
        answer: each try may take this long without a word; a cold start is one.
        tries: how often one call is tried, the first one included.
        whole: what one call may take, pauses included.
    """

    connect: float = 1.0
    answer: float = 4.0
    tries: int = 3
    whole: float = 8.0


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


class Callee:
    """Another service, at its API Gateway.

    Args:
        name: of the service.
        url: where it is, with its stage.
        patience: how long to wait for it.
    """

    def __init__(self, name: str, url: str, patience: Patience) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._patience = patience
        self._aws = boto3.Session()
        self._session = requests.Session()
        # A proxy of the environment or somebody's .netrc has no say in this.
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def call(
        self, method: str, path: str, *, body: msgspec.Struct | None = None
    ) -> Answer:
        """Ask for something, and again where that is harmless and may help.

        Args:
            method: `GET`, `PUT` and `DELETE` are tried again, others never.
            path: on the callee, with its query.
            body: sent as JSON.

        Raises:
            Unavailable: there was no good answer in time.
        """
        until = time.time() + deadline.left(most=self._patience.whole)
        most = self._patience.tries if method in REPEATABLE else 1
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._try(method, path, body, until)
            except Failed as error:
                pause = random.uniform(0, 0.1 * 2**attempt)  # noqa: S311 (jitter)
                if attempt >= most or time.time() + pause > until:
                    raise self._away(path, error) from error
                time.sleep(pause)

    def _try(
        self, method: str, path: str, body: msgspec.Struct | None, until: float
    ) -> Answer:
        left = until - time.time()
        if left <= 0:
            raise Failed("there is no time left to ask")
        signed = self._signed(method, path, body)
        try:
            got = self._session.request(
                method,
                signed.url,
                data=signed.body,
                headers=dict(signed.headers.items()),
                timeout=(
                    min(self._patience.connect, left),
                    min(self._patience.answer, left),
                ),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise Failed(f"{type(error).__name__}: {error}") from error
        if got.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Failed(f"it answered {got.status_code}")
        return Answer(got.status_code, got.content)

    def _signed(
        self, method: str, path: str, body: msgspec.Struct | None
    ) -> AWSRequest:
        """Sign a request with what Lambda lent us of our role (AWS Signature v4)."""
        headers = _passed_along()
        data = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        request = AWSRequest(method, self._url + path, headers, data)
        # Asked for each time: credentials are temporary.
        credentials = self._aws.get_credentials().get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", self._aws.region_name).add_auth(request)
        return request

    def _away(self, path: str, error: Failed) -> errors.Unavailable:
        log.warning(
            "call failed",
            extra={"callee": self.name, "path": path, "reason": str(error)},
        )
        return errors.Unavailable(
            f"Our {self.name} service does not answer now. Nothing was lost; "
            "try again in a moment."
        )


def _passed_along() -> dict[str, str]:
    """Name the request and the order to the callee."""
    ids = {"X-Request-Id": logs.request_id.get(), "X-Order-Id": logs.order_id.get()}
    return {header: value for header, value in ids.items() if value}
