"""Signs what Schemathesis sends, where guests sign; it loads this file as its hooks.

Whose signature it is, is in the environment, as it is for every client of AWS.
"""

from __future__ import annotations

import os

import schemathesis
from botocore.credentials import Credentials
from requests.auth import AuthBase

from tests.cognito import TO_BE_SIGNED, Signature


class WhereWanted(AuthBase):
    """Signs the requests that are to be signed.

    Where Schemathesis leaves the credentials out, or puts others, to see whether that
    is refused, nothing is signed.
    """

    def __init__(self) -> None:
        keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        self._sign = Signature(
            Credentials(*(os.environ[key] for key in keys)),
            os.environ["AWS_DEFAULT_REGION"],
        )

    def __call__(self, prepared):
        if prepared.headers.get("Authorization") != TO_BE_SIGNED:
            return prepared
        del prepared.headers["Authorization"]
        return self._sign(prepared)


@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["auth"] = WhereWanted()
