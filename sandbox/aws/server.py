"""MiniStack, with two things put right; a script, since it gets no path of ours.

A function that takes from a queue has as many workers at once as its event source may
have. On AWS each has its own processor. Here each is a process of a second's computing
until it is ready, and a dozen of them, with those that they call, keep everybody from
the few cores for a minute: so a queue has few, as in a small account.

Where a function fails or runs out of time, MiniStack hands Lambda's own words to the
caller with 502. API Gateway gives its answer to "DEFAULT_5XX" then, which an API may
word itself, as ours does: 503, and when to come again.
https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ministack.app import main
from ministack.services import apigateway_v1, lambda_svc

FAILED = "Internal server error"
AT_ONCE = 4
ask_function = apigateway_v1._invoke_lambda_proxy_v1
allowed = lambda_svc._sqs_esm_concurrency


async def answer(*request: Any, **more: Any) -> Any:
    """Ask a function, and answer as the gateway where the function did not."""
    answered = await ask_function(*request, **more)
    if isinstance(answered, tuple) and _is_of_lambda(*answered):
        return apigateway_v1._gw_error("DEFAULT_5XX", FAILED)
    return answered


def at_once(*mapping: Any, **more: Any) -> int:
    """Return how many batches of a queue are worked on at the same time."""
    return min(AT_ONCE, int(allowed(*mapping, **more)))


def _is_of_lambda(status: int, headers: dict[str, str], body: bytes) -> bool:
    """Tell whether this is no answer of a function's own, which has more headers."""
    return status == HTTPStatus.BAD_GATEWAY and set(headers) == {"Content-Type"}


if __name__ == "__main__":
    apigateway_v1._invoke_lambda_proxy_v1 = answer
    lambda_svc._sqs_esm_concurrency = at_once
    main()
