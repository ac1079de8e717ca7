"""What every Flask application of ours does: read, answer, tell a problem."""

import datetime as dt
import logging
import socket
from http import HTTPStatus
from typing import TypeVar

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from . import wire
from .errors import Problem, Unauthorized, UnsupportedMediaType

T = TypeVar("T", bound=wire.Body)

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
EXPLAINED = {
    404: "There is nothing at this address. The contract is at /docs.",
    405: "This address does not take this method. The contract is at /docs.",
    413: "The body is over 64 KiB. Send less at once.",
}


def guard(app: Flask) -> None:
    """Limit the bodies that an application takes, and tell its errors as JSON."""
    # One byte more than is allowed: of a body that does not tell its length, Werkzeug
    # reads this much and drops the rest without a word.
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1
    app.register_error_handler(Problem, tell)
    app.register_error_handler(HTTPException, tell_http)
    app.register_error_handler(Exception, tell_bug)


def now() -> dt.datetime:
    """The time (UTC)."""
    return dt.datetime.now(dt.timezone.utc)


def bearer_token() -> str:
    """Read the token that a request carries.

    Raises:
        Unauthorized: it carries none.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized(
            "Please sign in: send the token of POST /v1/login as "
            "Authorization: Bearer <token>."
        )
    return token.strip()


def body(shape: type[T]) -> T:
    """Read the JSON body of a request.

    Raises:
        RequestEntityTooLarge: it is over 64 KiB.
        UnsupportedMediaType: it says that it is not JSON.
        BadRequest: it does not fit the shape.
    """
    data = request.get_data(cache=False)
    if len(data) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    return wire.read_body(data, shape)


def query(shape: type[T]) -> T:
    """Read the query parameters of a request.

    Raises:
        BadRequest: a value is none that its parameter can have.
    """
    return wire.read_query(request.args.to_dict(), shape)


def json(answer: wire.Body, status: int = 200) -> Response:
    """Answer with JSON, which is for this caller alone: no cache keeps it."""
    headers = {"Cache-Control": "no-store"}
    return Response(wire.write(answer), status, headers, mimetype="application/json")


def tell(problem: Problem) -> Response:
    """Answer with a problem's own words."""
    answer = _error(problem.code, problem.message)
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    if problem.code == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def tell_http(error: HTTPException) -> Response:
    """Answer a request that no route takes."""
    code = error.code or 500
    answer = _error(code, EXPLAINED.get(code, f"{error.name}. See /docs."))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def tell_bug(error: Exception) -> Response:
    """Answer when the fault is ours: log all of it, tell nothing of it."""
    log.exception("unexpected error", exc_info=error)
    return _error(500, "Something went wrong on our side. Please try again.")


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there, asked for at most half a second."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def _error(code: int, message: str) -> Response:
    return json(wire.Error(code=code, message=message), code)
