"""What every Chalice application of ours does: read, answer, tell a problem.

API Gateway lets in only what IAM allows, finds the operation and hands the request over
as a dictionary. The rest is done here as in the stages before, in the same words.
"""

import datetime as dt
import functools
import logging
import re
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol, TypeAlias, TypeVar

from chalice.app import Chalice, IAMAuthorizer, Request, Response

from . import deadline, logs, wire
from .errors import BadRequest, Problem, UnsupportedMediaType

T = TypeVar("T", bound=wire.Body)
View: TypeAlias = Callable[..., Response]

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
# What a page's script may read of an answer besides its body.
EXPOSED = "Location, Retry-After, X-Request-Id"


class TooLarge(Problem):
    """The body is over 64 KiB."""

    code = 413


class Prepared(Protocol):
    """What the operations need before the first of them."""

    @property
    def site_origin(self) -> str | None:
        """Where the page is served that may read our answers; None for no page."""


class Operations:
    """The operations of an application, each for signed requests only.

    Args:
        app: the application.
        prepare: makes what they need, or gives what it made before.
    """

    def __init__(self, app: Chalice, prepare: Callable[[], Prepared]) -> None:
        self._app = app
        self._prepare = prepare

    def get(self, path: str) -> Callable[[View], View]:
        """Take GET at a path, as the contract writes it."""
        return self._take("GET", path)

    def post(self, path: str) -> Callable[[View], View]:
        """Take POST at a path."""
        return self._take("POST", path)

    def put(self, path: str) -> Callable[[View], View]:
        """Take PUT at a path."""
        return self._take("PUT", path)

    def delete(self, path: str) -> Callable[[View], View]:
        """Take DELETE at a path."""
        return self._take("DELETE", path)

    def _take(self, method: str, path: str) -> Callable[[View], View]:
        def register(view: View) -> View:
            @functools.wraps(view)
            def operation(**names: str) -> Response:
                known = {snake_case(name): value for name, value in names.items()}
                return self._answer(lambda: view(**known), f"{method} {path}")

            route = self._app.route(
                path,
                methods=[method],
                authorizer=IAMAuthorizer(),
                # Chalice takes any body and `body` below says what is wrong with it,
                # in the contract's words.
                content_types=[],
            )
            route(operation)
            return view

        return register

    def _answer(self, view: Callable[[], Response], operation: str) -> Response:
        started = time.perf_counter()
        origin = self._prepare().site_origin
        request = current(self._app)
        name = logs.begin(request.headers.get("X-Request-Id", ""))
        deadline.begin(self._app.lambda_context)
        try:
            response = view()
        except Problem as problem:
            response = tell(problem)
        except Exception as error:
            response = tell_bug(error)
        response.headers["X-Request-Id"] = name
        response.headers["X-Content-Type-Options"] = "nosniff"
        if origin:
            # API Gateway answers a browser's question before; the answer itself is
            # ours (Fetch standard, section 3.3).
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        log.info(
            "request",
            extra={
                "operation": operation,
                "status": response.status_code,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return response


def current(app: Chalice) -> Request:
    """Return the request at hand."""
    request = app.current_request
    if request is None:
        raise RuntimeError("There is no request: this is for operations only.")
    return request


def now() -> dt.datetime:
    """The time (UTC)."""
    return dt.datetime.now(dt.timezone.utc)


def body(request: Request, shape: type[T]) -> T:
    """Read the JSON body of a request.

    Raises:
        TooLarge: it is over 64 KiB.
        UnsupportedMediaType: it says that it is not JSON.
        BadRequest: it does not fit the shape.
    """
    try:
        data = request.raw_body
    except ValueError as error:  # half a character, or not the base64 it says it is
        raise BadRequest("The body is not JSON: it is not in UTF-8.") from error
    data = data.encode() if isinstance(data, str) else data
    if len(data) > MAX_BODY_BYTES:
        raise TooLarge("The body is over 64 KiB. Send less at once.")
    media_type = request.headers.get("Content-Type", "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    return wire.read_body(data, shape)


def query(request: Request, shape: type[T]) -> T:
    """Read the query parameters of a request.

    Raises:
        BadRequest: a value is none that its parameter can have.
    """
    asked = request.query_params
    values = {name: asked.getlist(name)[0] for name in asked} if asked else {}
    return wire.read_query(values, shape)


def json(answer: wire.Body, status: int = 200) -> Response:
    """Answer with JSON, which is for this caller alone: no cache keeps it."""
    return Response(
        wire.write(answer).decode(),
        {"Content-Type": "application/json", "Cache-Control": "no-store"},
        status,
    )


def nothing() -> Response:
    """Answer that it is done, and that there is nothing to tell."""
    return Response("", {}, HTTPStatus.NO_CONTENT)


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there, asked for at most half a second."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def tell(problem: Problem) -> Response:
    """Answer with a problem's own words."""
    answer = json(wire.Error(code=problem.code, message=problem.message), problem.code)
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer


def tell_bug(error: Exception) -> Response:
    """Answer when the fault is ours: log all of it, tell nothing of it."""
    log.exception("unexpected error", exc_info=error)
    message = "Something went wrong on our side. Please try again."
    return json(wire.Error(code=500, message=message), 500)


def snake_case(name: str) -> str:
    """Write a name of the contract as Python has it: `product_id` for `productId`."""
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)
