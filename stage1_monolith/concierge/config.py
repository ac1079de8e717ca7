"""Settings of the monolith, read from the environment once, here and nowhere else."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

PROJECT = Path(__file__).resolve().parents[2]

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class SettingsError(Exception):
    """A setting is missing or cannot be read."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """What the environment says; each field is the variable of its name in capitals.

    `docs/reference/configuration.md` explains every one of them.
    """

    database_url: str
    stripe_api_key: str
    stripe_api_base: str | None = None
    stripe_timeout_seconds: Seconds = 5.0
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_timeout_seconds: Seconds = 5.0
    mail_from: str = "Concierge <concierge@example.com>"
    nlu_engine: Literal["light", "strong", "rules"] = "light"
    token_ttl_seconds: Seconds = 24 * 3600.0
    dialogue_ttl_seconds: Seconds = 24 * 3600.0
    order_lease_seconds: Seconds = 20.0
    order_give_up_seconds: Seconds = 1800.0
    sweep_seconds: Seconds = 5.0
    partner_api_key: str | None = None
    partner_rate_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 60
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    frontend_dir: str = str(PROJECT / "frontend")
    contract_file: str = str(PROJECT / "docs" / "reference" / "openapi.yaml")


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings.

    Args:
        environ: the environment; an empty value counts as absent.

    Raises:
        SettingsError: a variable is missing or has a value that it cannot have.
    """
    names = {field.encode_name for field in msgspec.structs.fields(Settings)}
    values = {name: environ[name] for name in names if environ.get(name)}
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"The environment is not right: {error}. Set the variable as "
            "docs/reference/configuration.md says, or start with `make run-stage`."
        ) from error
