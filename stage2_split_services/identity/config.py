"""Settings of identity, read from the environment once, here and nowhere else."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class SettingsError(Exception):
    """A setting is missing or cannot be read."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """What the environment says; each field is the variable of its name in capitals.

    `docs/reference/configuration.md` explains every one of them.
    """

    identity_database_url: str
    redis_url: str
    token_ttl_seconds: Seconds = 24 * 3600.0
    resilience: Literal["on", "off"] = "on"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def resilient(self) -> bool:
        """Whether to be careful with the other services."""
        return self.resilience == "on"


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
