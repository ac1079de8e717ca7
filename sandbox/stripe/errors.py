"""Answers of the API, and Stripe's errors with their published types and codes.

Source: docs.stripe.com/api/errors, docs.stripe.com/error-codes and
docs.stripe.com/error-low-level.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True)
class Answer:
    """What the client is told: HTTP status, JSON body and extra headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(
    status: int, body: object, headers: Mapping[str, str] | None = None
) -> Answer:
    """Make an answer from an object that becomes JSON."""
    return Answer(status, msgspec.json.encode(body), headers or {})


class StripeError(Exception):
    """A refusal in Stripe's form.

    Arguments:
        status: HTTP status.
        message: what went wrong and what to do.
        type: one of Stripe's error types.
        code: one of Stripe's error codes, where it has one for the case.
        param: the parameter at fault.
        details: further members of the error object.
        headers: further headers of the answer.
        executed: whether the endpoint had begun to execute. Only then does Stripe
            keep the answer under the idempotency key and replay it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        executed: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: dict[str, Any] = {"message": message, "type": type}
        if code:
            self.error["code"] = code
            self.error["doc_url"] = doc_url(code)
        if param:
            self.error["param"] = param
        self.error.update(details or {})
        self.headers = dict(headers or {})
        self.executed = executed

    def answer(self) -> Answer:
        """Return the error as the API answers it."""
        return json_answer(self.status, {"error": self.error}, self.headers)


def doc_url(code: str) -> str:
    """Return the address of Stripe's explanation of an error code."""
    return f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"


def parameter_missing(param: str) -> StripeError:
    """Refuse a request without a parameter that it needs."""
    return StripeError(
        400,
        f"Missing required param: {param}.",
        code="parameter_missing",
        param=param,
    )


def parameter_unknown(param: str) -> StripeError:
    """Refuse a parameter that this endpoint does not have."""
    return StripeError(
        400,
        f"Received unknown parameter: {param}",
        code="parameter_unknown",
        param=param,
    )


def parameter_invalid(param: str, message: str, code: str | None = None) -> StripeError:
    """Refuse a parameter whose value has the wrong form."""
    return StripeError(400, message, code=code, param=param)


def resource_missing(noun: str, wanted: str, param: str, status: int) -> StripeError:
    """Say that nothing has this id: 404 for the resource itself, else 400."""
    return StripeError(
        status, f"No such {noun}: '{wanted}'", code="resource_missing", param=param
    )


def unauthorized(message: str) -> StripeError:
    """Refuse a request whose secret key is missing or not a test key."""
    return StripeError(
        401, message, headers={"WWW-Authenticate": 'Bearer realm="Stripe"'}
    )


def rate_limited() -> StripeError:
    """Refuse a request above the rate limit."""
    return StripeError(
        429,
        "Request rate limit exceeded. Slow down, and retry with growing pauses.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": "global-rate"},
    )


def idempotency_mismatch(key: str) -> StripeError:
    """Refuse a key that was first used with another request."""
    return StripeError(
        400,
        "Keys for idempotent requests can only be used with the endpoint and "
        f"parameters they were first used with. Use another key than '{key}' "
        "for a different request.",
        type="idempotency_error",
    )


def idempotency_in_use(key: str) -> StripeError:
    """Refuse a key whose first request is still being executed."""
    return StripeError(
        409,
        "There is currently another in-progress request using this Idempotent "
        f"Key: '{key}'. Try again later.",
        code="idempotency_key_in_use",
        headers={"Stripe-Should-Retry": "true"},
    )


def injected(status: int) -> StripeError:
    """Fail on purpose, as `/_sandbox/faults` asked."""
    if status == 429:
        return rate_limited()
    return StripeError(
        status,
        "An unknown error occurred (injected by /_sandbox/faults).",
        type="api_error",
    )
