"""Settings of payments, read from the environment once, here and nowhere else."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]


# How many at most charge orders at the same time. Stripe lets `stripe_rate` requests a
# second through, and an order is two. So `stripe_rate / 2` orders a second keep as many
# workers at work as one order lasts seconds (Little's law), and we provide for a second
# apiece. With more, each one's share of the rate would make every order slow; with
# fewer, an order that lasts longer than `WORKERS / 12` seconds makes the queue grow.
STRIPE_CALLS = 2
ORDER_SECONDS = 1.0
WORKERS = 12


class SettingsError(Exception):
    """A setting is missing or cannot be read."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """What the environment says; each field is the variable of its name in capitals.

    `docs/reference/configuration.md` explains every one of them.
    """

    payments_table: str
    catalog_api_url: str
    charge_order_queue_url: str
    order_events_topic: str
    stripe_api_key: str
    stripe_api_base: str | None = None
    stripe_timeout_seconds: Seconds = 3.0
    stripe_rate: Annotated[float, msgspec.Meta(gt=0)] = 24.0
    supplier_api_base: str | None = None
    # Longer than a repair that somebody makes with the queue paused; short enough that
    # nobody is charged for what they have long bought elsewhere.
    order_give_up_seconds: Seconds = 14400.0
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
