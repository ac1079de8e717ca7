"""A guest of any stage, as the tests, the drill and the benchmarks play them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import requests

from sandbox.runner import RunningStage
from tests.cognito import Pools, Signature

PASSWORD = "correct horse battery"  # noqa: S105 - of guests who do not exist
TIMEOUT_SECONDS = 60


def tomorrow() -> str:
    """The date of tomorrow (UTC), ISO 8601."""
    return (dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=1)).date().isoformat()


class Guest:
    """Somebody with an account of their own, signed in.

    Args:
        stage: the running stage whose guest this is.
    """

    def __init__(self, stage: RunningStage) -> None:
        self.api_url = stage.api_url
        self.email = f"guest-{uuid.uuid4().hex}@example.com"
        self.http = requests.Session()
        # What proves the guest: at a stage of Cognito's, to the identity pool only.
        self.token: str
        if stage.auth == "cognito":
            self._sign_in_by_cognito(Pools.of(stage))
        else:
            self._sign_in()

    def _sign_in(self) -> None:
        credentials = {"email": self.email, "password": PASSWORD}
        self.post("/signup", json=credentials).raise_for_status()
        session = self.post("/login", json=credentials)
        session.raise_for_status()
        self.token = session.json()["token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"

    def _sign_in_by_cognito(self, pools: Pools) -> None:
        pools.sign_up(self.email, PASSWORD)
        self.token = pools.sign_in(self.email, PASSWORD)["IdToken"]
        self.http.auth = Signature(pools.credentials(self.token), pools.region)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Send a GET to a path of the API."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """Send a POST to a path of the API."""
        return self.request("POST", path, **options)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to a path of the API."""
        options.setdefault("timeout", TIMEOUT_SECONDS)
        return self.http.request(method, self.api_url + path, **options)

    def say(self, text: str) -> list[dict[str, Any]]:
        """Say something to the concierge; return its messages."""
        said = {"type": "unstructured", "unstructured": {"text": text}}
        answer = self.post("/nlu", json={"messages": [said]})
        answer.raise_for_status()
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def buy(
        self, product_id: str, key: str | None = None, **fields: Any
    ) -> requests.Response:
        """Send a checkout.

        Args:
            product_id: what to buy.
            key: the Idempotency-Key; a new one unless given.
            fields: more of the body, or other values for what is sent anyway.
        """
        body = {
            "productId": product_id,
            "deliveryAddress": "5 Main Street, Springfield",
            "deliveryDate": tomorrow(),
        }
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self.post("/checkout", json=body | fields, headers=headers)

    def order(self, order_id: str) -> dict[str, Any]:
        """Read one of the guest's orders."""
        answer = self.get(f"/orders/{order_id}")
        answer.raise_for_status()
        order: dict[str, Any] = answer.json()
        return order
