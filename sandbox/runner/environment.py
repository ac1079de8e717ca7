"""The environment of a run's parts, and the parts that the user's own systems replace.

The user's environment wins over everything here.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse

from . import keyring
from .stages import REPOSITORY, Port, Service, Stage

# The local AWS takes these from everybody; nobody's account is behind them.
LOCAL_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
STRIPE = "https://api.stripe.com"
# With these a user brings a system of their own; `replaced_parts` reads them.
BROUGHT = re.compile(
    r"(\w+_)?DATABASE_URL|REDIS_URL|STRIPE_API_(KEY|BASE)|SMTP_HOST|SUPPLIER_API_BASE"
)


def user_environment(env_file: Path) -> dict[str, str]:
    """Return the process's environment over the settings of a `.env` file.

    A variable that is set to nothing counts as not set.
    """
    settings: dict[str, str] = {}
    if env_file.is_file():
        settings = parse(env_file.read_text(encoding="utf-8"))
    merged = settings | {k: v for k, v in os.environ.items() if v}
    return {name: value for name, value in merged.items() if value}


def without_systems(user: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the systems that a user brings.

    Args:
        user: the user's environment.
    """
    return {name: value for name, value in user.items() if not BROUGHT.fullmatch(name)}


def replaced_parts(
    user: Mapping[str, str],
    ports: Mapping[Port, int],
    services: Sequence[Service] = (),
) -> set[str]:
    """Return the parts that need not run because the user brings a system of their own.

    Args:
        user: the user's environment.
        ports: the ports of the run.
        services: the services of the stage.
    """
    replaced = set()
    if set(keyring.database_variables(services) or ["DATABASE_URL"]) <= user.keys():
        replaced.add("postgres")
    if "REDIS_URL" in user:
        replaced.add("redis")
    ours = _local(ports, "STRIPE_PORT")
    if user.get("STRIPE_API_BASE", ours) != ours or (
        "STRIPE_API_KEY" in user and "STRIPE_API_BASE" not in user
    ):
        replaced.add("stripe")
    if "SMTP_HOST" in user:
        replaced.add("mailbox")
    if "SUPPLIER_API_BASE" in user:
        replaced.add("supplier")
    return replaced


def part_environment(
    user: Mapping[str, str],
    ports: Mapping[Port, int],
    run_dir: Path,
    told: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the environment that every part of a run gets.

    Args:
        user: the user's environment, which wins.
        ports: the ports of the run.
        run_dir: the folder for the parts' data.
        told: what the services of a stage are told besides.
    """
    numbers = {port.variable: str(number) for port, number in ports.items()}
    product = {
        "PARTNER_API_KEY": "partner-of-the-sandbox",
        "PYTHONUNBUFFERED": "1",  # the last lines of a part must not stay in a buffer
    }
    if told:
        product |= told
    elif database := numbers.get("POSTGRES_PORT"):
        product["DATABASE_URL"] = (
            f"postgresql+psycopg://postgres@127.0.0.1:{database}/concierge"
        )
    if "STRIPE_API_KEY" not in user and (stripe := _local(ports, "STRIPE_PORT")):
        product |= {"STRIPE_API_KEY": "sk_test_sandbox", "STRIPE_API_BASE": stripe}
    if supplier := _local(ports, "SUPPLIER_PORT"):
        product["SUPPLIER_API_BASE"] = supplier
    if "SMTP_HOST" in user:
        numbers.pop("SMTP_PORT", None)  # the port of the user's server stays
    elif "SMTP_PORT" in numbers:
        product["SMTP_HOST"] = "127.0.0.1"
    ours = numbers | _paths(user) | {"RUN_DIR": str(run_dir)}
    return product | _without_account(user, ports) | ours


def services_environment(
    stage: Stage, ports: Mapping[Port, int], run_dir: Path
) -> dict[str, str]:
    """Return what the services of a stage are told besides, unless the user tells them.

    Args:
        stage: the stage.
        ports: the ports of the run.
        run_dir: the folder with the run's secrets, which are made when missing.
    """
    if not stage.services:
        return {}
    numbers = {port.variable: number for port, number in ports.items()}
    found = keyring.kept(run_dir / "secrets.json", stage.services)
    told = {
        "POSTGRES_OWNERS": str(run_dir / "secrets.json"),
        "UPSTREAMS_FILE": str(run_dir / "upstreams.json"),
        **found.service_keys,
    }
    for service in stage.services:
        told[service.url_variable] = internal_url(ports) or ""
    if database := numbers.get("POSTGRES_PORT"):
        told |= found.database_urls(database)
    if "REDIS_PORT" in numbers:
        told["REDIS_URL"] = f"redis://127.0.0.1:{numbers['REDIS_PORT']}/0"
    return told


def of_service(
    stage: Stage, service: Service, port: int, env: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of one replica, without the other services' secrets.

    Args:
        stage: the stage.
        service: whose replica it is.
        port: where it listens.
        env: the environment of the run's parts.
    """
    others = {name for other in stage.services for name in other.secrets}
    hidden = (others | {"POSTGRES_OWNERS"}) - set(service.secrets)
    mine = {name: value for name, value in env.items() if name not in hidden}
    return mine | {service.port_variable: str(port)}


@dataclass(frozen=True)
class Addresses:
    """Where a run's site, its Stripe and its mailbox are."""

    site: str
    stripe: str
    mailbox: str | None


def addresses(env: Mapping[str, str], ports: Mapping[Port, int]) -> Addresses:
    """Return the addresses of a run.

    Args:
        env: the environment of the parts.
        ports: the ports of the parts that run.
    """
    return Addresses(
        site=_local(ports, "PORT") or "",
        stripe=env.get("STRIPE_API_BASE", STRIPE),
        mailbox=_local(ports, "MAILBOX_PORT"),
    )


def internal_url(ports: Mapping[Port, int]) -> str | None:
    """Return where the services find one another; `None` without a gateway."""
    return _local(ports, "GATEWAY_INTERNAL_PORT")


def _without_account(
    user: Mapping[str, str], ports: Mapping[Port, int]
) -> dict[str, str]:
    """Return the user's environment, aimed at the local AWS where there is one.

    Here the user's settings do not win: what is meant for the laptop must never reach
    an account at Amazon's.
    """
    aws = _local(ports, "AWS_PORT")
    if aws is None:
        return dict(user)
    others = {name: value for name, value in user.items() if not _of_aws(name)}
    return others | LOCAL_CREDENTIALS | {"AWS_ENDPOINT_URL": aws}


def _of_aws(variable: str) -> bool:
    return variable.startswith("AWS_") and variable != "AWS_PORT"


def _local(ports: Mapping[Port, int], variable: str) -> str | None:
    numbers = {port.variable: number for port, number in ports.items()}
    return f"http://127.0.0.1:{numbers[variable]}" if variable in numbers else None


def _paths(user: Mapping[str, str]) -> dict[str, str]:
    """Let parts find `sandbox`, and the programs of the environment we run in."""
    programs = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([programs, user.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(REPOSITORY), user.get("PYTHONPATH")])
        ),
    }
