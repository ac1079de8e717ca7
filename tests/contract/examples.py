"""The contract's examples of requests, with what depends on the moment filled in."""

from __future__ import annotations

import uuid
from typing import Any

from tests.conftest import PARTNER_KEY
from tests.contract.contract import Operation
from tests.guest import PASSWORD, Guest, tomorrow


def example(operation: Operation, guest: Guest, **path_values: str) -> dict[str, Any]:
    """Return a request that the stage must take, for `Guest.request`.

    Args:
        operation: which operation.
        guest: who will log in, when that is the operation.
        path_values: values for the path instead of the contract's examples.
    """
    request = operation.request(**path_values)
    headers = request["headers"]
    if "partnerKey" in operation.schemes:
        headers["X-Api-Key"] = PARTNER_KEY
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    now = {
        "checkout": {"deliveryDate": tomorrow()},
        "signUp": {"email": f"ada-{uuid.uuid4().hex}@example.com"},
        "logIn": {"email": getattr(guest, "email", ""), "password": PASSWORD},
    }
    if "json" in request:
        request["json"] = request["json"] | now.get(operation.id, {})
    return request
