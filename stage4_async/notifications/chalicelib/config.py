"""Settings of notifications, read from the environment once, here and nowhere else."""

import os
from collections.abc import Mapping
from typing import Literal

import msgspec


class SettingsError(Exception):
    """A setting is missing or cannot be read."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """What the environment says; each field is the variable of its name in capitals.

    `docs/reference/configuration.md` explains every one of them.
    """

    notifications_table: str
    notifications_queue_url: str
    user_pool_id: str
    mail_from: str = "Concierge <concierge@example.com>"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


def on_lambda(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether this is a function at work, and not Chalice that packs one."""
    return "AWS_LAMBDA_FUNCTION_NAME" in environ


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
