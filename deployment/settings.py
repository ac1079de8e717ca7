"""What a deployment is told: its name, and what its stacks get as parameters."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CONTRACT = REPOSITORY / "docs" / "reference" / "openapi.yaml"
FRONTEND = REPOSITORY / "frontend"
BUILD = REPOSITORY / ".run" / "build"

FOLDERS = {3: "stage3_serverless", 4: "stage4_async"}
# In the order in which they can be deployed: whoever is called, or answers, first.
SERVICES = {
    3: ("catalog", "checkout", "nlu"),
    4: ("catalog", "checkout", "payments", "notifications", "receipts", "nlu"),
}
REGION = "us-east-1"
TAG = "concierge:stack"
LOCAL = "local"


class SettingsError(Exception):
    """A deployment cannot begin as it was told; the message says what to change."""


@dataclass(frozen=True)
class Deployment:
    """One deployment of a stage.

    Attributes:
        stage: 3 or 4.
        env: its name, part of the name of all that it makes: `local`, `dev`.
        endpoint: where AWS is when it is not Amazon's: MiniStack's address.
        environ: the settings, as environment variables.
    """

    stage: int
    env: str
    endpoint: str | None
    environ: Mapping[str, str] = field(repr=False)

    @property
    def services(self) -> tuple[str, ...]:
        """The services, in the order in which they can be deployed."""
        return SERVICES[self.stage]

    @property
    def folder(self) -> Path:
        """The stage's folder."""
        return REPOSITORY / FOLDERS[self.stage]

    @property
    def prefix(self) -> str:
        """How the names begin of all that it makes."""
        return f"concierge-{self.env}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all that it makes."""
        return {TAG: self.env}

    @property
    def build(self) -> Path:
        """Where its packages are made."""
        return BUILD / FOLDERS[self.stage] / self.env

    def stack(self, part: str) -> str:
        """Return the name of a stack: of a service, `resources` or `public-api`."""
        return f"{self.prefix}-{part}"

    def asked(self, variable: str, otherwise: str = "") -> str:
        """Return a setting; one that is set to nothing is not set."""
        return self.environ.get(variable) or otherwise


def deployment(
    stage: int, env: str, environ: Mapping[str, str] = os.environ
) -> Deployment:
    """Return what a deployment is told.

    Args:
        stage: 3 or 4.
        env: its name.
        environ: the environment.

    Raises:
        SettingsError: it cannot be deployed so.
    """
    if stage not in FOLDERS:
        raise SettingsError(
            f"Stage {stage} is not deployed to AWS: name STAGE=3 or STAGE=4."
        )
    if not re.fullmatch(r"[a-z][a-z0-9]{0,9}", env):
        raise SettingsError(
            f"ENV={env!r}: a letter and up to nine letters or digits, all lower case."
        )
    endpoint = environ.get("AWS_ENDPOINT_URL") or None
    if env == LOCAL and endpoint is None:
        raise SettingsError(
            f"ENV={LOCAL} is the AWS of the laptop and it is not running. Start it "
            f"with `make run-stage STAGE={stage}`, or name another ENV for Amazon's."
        )
    return Deployment(stage, env, endpoint, environ)
