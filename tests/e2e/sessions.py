"""What a browser's session is worth, behind the page: each way of signing in."""

from typing import Any, Protocol

import requests
from botocore.credentials import Credentials
from playwright.sync_api import Page

from tests.cognito import CognitoError, Pools, Signature

TIMEOUT = 20  # seconds


class Session(Protocol):
    """The session that a page keeps."""

    def proof(self) -> str:
        """Return what the session is proved with."""

    def lasts(self, proof: str) -> bool:
        """Tell whether the server would go on with the session of a proof."""

    def end(self) -> None:
        """End the session on the server, unknown to the page."""

    def auth(self) -> Any:
        """Return what puts the session's credentials on a `requests` request."""


def session_of(stage: Any, page: Page) -> Session:
    """Return the session that a page of a stage keeps."""
    return (
        CognitoSession(stage, page)
        if stage.auth == "cognito"
        else BearerSession(stage, page)
    )


def kept_by(page: Page) -> dict[str, Any]:
    return page.evaluate("JSON.parse(sessionStorage.getItem('concierge.session'))")


class Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, prepared):
        prepared.headers["Authorization"] = f"Bearer {self._token}"
        return prepared


class BearerSession:
    """A token, which the server can take back at once."""

    def __init__(self, stage: Any, page: Page) -> None:
        self._api_url = stage.api_url
        self._page = page

    def proof(self) -> str:
        return kept_by(self._page)["token"]

    def lasts(self, proof: str) -> bool:
        answer = requests.get(
            f"{self._api_url}/orders", auth=Bearer(proof), timeout=TIMEOUT
        )
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    def end(self) -> None:
        requests.post(
            f"{self._api_url}/logout", auth=self.auth(), timeout=TIMEOUT
        ).raise_for_status()

    def auth(self) -> Any:
        return Bearer(self.proof())


class CognitoSession:
    """A refresh token, which can be revoked, and credentials, which only run out."""

    def __init__(self, stage: Any, page: Page) -> None:
        self._pools = Pools.of(stage)
        self._page = page

    def proof(self) -> str:
        return kept_by(self._page)["refreshToken"]

    def lasts(self, proof: str) -> bool:
        try:
            return bool(self._pools.refresh(proof)["IdToken"])
        except CognitoError as refused:
            if refused.code != "NotAuthorizedException":
                raise
            return False

    def end(self) -> None:
        self._pools.revoke(self.proof())
        self.run_out()

    def run_out(self) -> None:
        """Let the page's credentials be as old as they are after an hour."""
        self.change("kept.credentialsEnd = 0")

    def change(self, script: str) -> None:
        """Change what the page keeps; the script finds it in `kept`."""
        self._page.evaluate(
            f"""() => {{
                const kept = JSON.parse(sessionStorage["concierge.session"]);
                {script};
                sessionStorage["concierge.session"] = JSON.stringify(kept);
            }}"""
        )

    def auth(self) -> Any:
        keys = kept_by(self._page)["credentials"]
        return Signature(
            Credentials(keys["accessKeyId"], keys["secretKey"], keys["sessionToken"]),
            self._pools.region,
        )
