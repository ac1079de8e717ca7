"""What happens to a request between the socket and the operation it asks for.

The order is Stripe's: key, rate limit, idempotency, then the endpoint.
"""

import base64
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import forms, idempotency, intent_calls, payment_methods, refund_calls
from .calls import API_VERSION, Call, new_id
from .control import PREFIX, Control
from .errors import Answer, StripeError, injected, rate_limited, unauthorized
from .faults import DroppedError, Faults, Injection
from .ledger import Book, Ledger
from .rate_limit import RateLimit

TEST_KEY = re.compile(r"sk_test_[A-Za-z0-9_]+")
ROUTES = [
    (method, re.compile(pattern), operation)
    for method, pattern, operation in (
        ("POST", r"/v1/payment_intents", "create"),
        ("GET", r"/v1/payment_intents", "list"),
        ("GET", r"/v1/payment_intents/([^/]+)", "retrieve"),
        ("POST", r"/v1/payment_intents/([^/]+)/confirm", "confirm"),
        ("POST", r"/v1/payment_intents/([^/]+)/cancel", "cancel"),
        ("POST", r"/v1/refunds", "refund"),
        ("GET", r"/v1/refunds", "list_refunds"),
        ("GET", r"/v1/refunds/([^/]+)", "retrieve_refund"),
        ("GET", r"/v1/payment_methods/([^/]+)", "retrieve_payment_method"),
    )
]

OPERATIONS: dict[str, Callable[[Book, Call], Answer]] = {
    "create": intent_calls.create,
    "retrieve": intent_calls.retrieve,
    "confirm": intent_calls.confirm,
    "cancel": intent_calls.cancel,
    "list": intent_calls.list_all,
    "refund": refund_calls.create,
    "retrieve_refund": refund_calls.retrieve,
    "list_refunds": refund_calls.list_all,
    "retrieve_payment_method": payment_methods.retrieve,
}


@dataclass(frozen=True)
class Request:
    """One HTTP request. `client_left(seconds)` waits and tells if the client went."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client_left: Callable[[float], bool]

    @property
    def form(self) -> str:
        """The encoded parameters."""
        if self.method == "POST":
            return self.body.decode(errors="replace")
        return self.query

    @property
    def key(self) -> str | None:
        """The idempotency key; it means something on POST only."""
        return self.headers.get("Idempotency-Key") if self.method == "POST" else None


class Gateway:
    """Answers every request, with the faults that are set."""

    def __init__(self, ledger: Ledger, faults: Faults, rate: RateLimit) -> None:
        self._ledger = ledger
        self._faults = faults
        self._rate = rate
        self._in_progress = idempotency.InProgress()
        self._control = Control(ledger, faults, rate)

    def answer(self, request: Request) -> Answer:
        """Answer one request.

        Raises:
            DroppedError: the connection is to be reset instead.
        """
        if request.path.startswith(PREFIX):
            return self._control.answer(
                request.method, request.path, request.query, request.body
            )
        request_id = new_id("req", 14)
        try:
            answer = self._answer_api(request, request_id)
        except StripeError as refusal:
            answer = refusal.answer()
        except DroppedError:
            raise
        except Exception:
            traceback.print_exc()
            answer = injected(500).answer()
        headers = {
            "Request-Id": request_id,
            "Stripe-Version": request.headers.get("Stripe-Version") or API_VERSION,
        }
        if request.key:
            headers["Idempotency-Key"] = request.key
        return Answer(answer.status, answer.body, {**headers, **answer.headers})

    def _answer_api(self, request: Request, request_id: str) -> Answer:
        operation, target = _route(request)
        injection = self._faults.draw(operation)
        if injection.refuse:
            self._faults.count("refuse")
            raise DroppedError
        if injection.hang:
            self._faults.hang("hang", request.client_left)
        _authenticate(request.headers.get("Authorization", ""))
        if operation is None:
            raise StripeError(
                404,
                f"Unrecognized request URL ({request.method}: {request.path}). The "
                "sandbox has payment_intents, refunds and payment_methods.",
            )
        if not self._rate.allows():
            raise rate_limited()
        version = request.headers.get("Stripe-Version") or API_VERSION
        call = Call(target, forms.decode(request.form), version)
        if request.key:
            idempotency.check(request.key)
        with self._in_progress.claim(request.key):
            self._faults.delay(injection)
            if injection.error_before:
                self._faults.count("error_before")
                raise injected(injection.error_before)
            answer = self._execute(request, request_id, operation, call, injection)
        self._fail_to_deliver(request, injection)
        return answer

    def _execute(
        self,
        request: Request,
        request_id: str,
        operation: str,
        call: Call,
        injection: Injection,
    ) -> Answer:
        """Run the operation and keep its answer, in one transaction."""
        key = request.key
        print_of = idempotency.fingerprint(request.method, request.path, request.form)
        with self._ledger.transaction() as book:
            if key and (first := idempotency.replay(book, key, print_of)):
                return first
            try:
                answer = OPERATIONS[operation](book, call)
            except StripeError as refusal:
                if not refusal.executed:
                    raise
                answer = refusal.answer()
            if injection.error_after:
                self._faults.count("error_after")
                answer = injected(injection.error_after).answer()
            if key:
                idempotency.keep(book, key, print_of, answer, request_id)
            return answer

    def _fail_to_deliver(self, request: Request, injection: Injection) -> None:
        if injection.hang_after:
            self._faults.hang("hang_after", request.client_left)
        if injection.drop_after:
            self._faults.count("drop_after")
            raise DroppedError


def _route(request: Request) -> tuple[str | None, str]:
    for method, pattern, operation in ROUTES:
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            return operation, found.group(1) if pattern.groups else ""
    return None, ""


def _authenticate(authorization: str) -> None:
    """Let test keys in, as a bearer token or as the user of basic authentication."""
    scheme, _, credentials = authorization.partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key).decode().partition(":")[0]
        except ValueError:
            key = ""
    if not key or scheme.lower() not in ("basic", "bearer"):
        raise unauthorized(
            "You did not provide an API key. Send it as Authorization: Bearer "
            "sk_test_…; any key of that form opens the sandbox."
        )
    if not TEST_KEY.fullmatch(key):
        raise unauthorized(
            f"Invalid API Key provided: {key[:8]}****. The sandbox takes keys that "
            "begin with sk_test_."
        )
