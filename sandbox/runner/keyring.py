"""The passwords and keys of a run: made once, kept in the run's folder, for us only."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .stages import Service

DATABASE_URL = "_DATABASE_URL"
SERVICE_KEY = "_SERVICE_KEY"
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Secrets:
    """What the services need to know and nobody else.

    Attributes:
        passwords: by the database's user, PostgreSQL's superuser among them.
        service_keys: what services sign with, by the variable that tells it.
    """

    passwords: Mapping[str, str]
    service_keys: Mapping[str, str]

    def database_urls(self, port: int) -> dict[str, str]:
        """Return the address of each service's database, by the variable that tells it.

        Args:
            port: of PostgreSQL on loopback.
        """
        return {
            f"{name.upper()}{DATABASE_URL}": (
                f"postgresql+psycopg://{name}:{password}@127.0.0.1:{port}/{name}"
            )
            for name, password in self.passwords.items()
            if name != SUPERUSER
        }


def kept(path: Path, services: Sequence[Service]) -> Secrets:
    """Return the secrets of a run; those that are missing are made.

    Args:
        path: the file that keeps them.
        services: who needs some.
    """
    found: dict[str, dict[str, str]] = {}
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
    variables = database_variables(services)
    owners = [name.removesuffix(DATABASE_URL).lower() for name in variables]
    passwords = {n: found.get("databases", {}).get(n) for n in (SUPERUSER, *owners)}
    keys = {n: found.get("keys", {}).get(n) for n in _ending_in(SERVICE_KEY, services)}
    whole = {
        "databases": {n: old or secrets.token_hex(16) for n, old in passwords.items()},
        "keys": {name: old or secrets.token_hex(32) for name, old in keys.items()},
    }
    if whole != found:
        _write(path, json.dumps(whole, indent=2) + "\n")
    return Secrets(whole["databases"], whole["keys"])


def database_variables(services: Sequence[Service]) -> list[str]:
    """Return the variables that tell the services their databases."""
    return _ending_in(DATABASE_URL, services)


def _ending_in(suffix: str, services: Sequence[Service]) -> list[str]:
    told = {name for service in services for name in service.secrets}
    return sorted(name for name in told if name.endswith(suffix))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    # Closed to others from its first moment.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
