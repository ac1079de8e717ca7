"""What there is to run: one description for each stage that is built."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

REPOSITORY = Path(__file__).resolve().parents[2]
# For messages: a command that can be typed as it stands.
RUN_COMMAND = f"{sys.executable} -m sandbox.runner run"


@dataclass(frozen=True)
class Port:
    """A port of a stage: the variable that tells it, its offset, the part behind it."""

    variable: str
    offset: int
    part: str


@dataclass(frozen=True)
class Service:
    """A service of a stage: it may die alone, be there twice, and be replaced.

    Attributes:
        name: of its part and of its folder.
        offsets: of the ports of its replicas; how many run is the user's choice.
        spare: the offset of the port where what replaces a replica comes up.
        secrets: the variables that it gets of those that are not for every service.
    """

    name: str
    offsets: tuple[int, ...]
    spare: int
    secrets: tuple[str, ...] = ()

    @property
    def port_variable(self) -> str:
        """The variable that tells it its port."""
        return f"{self.name.upper()}_PORT"

    @property
    def url_variable(self) -> str:
        """The variable that tells the others where it is."""
        return f"{self.name.upper()}_URL"


@dataclass(frozen=True)
class Stage:
    """How to run one stage.

    Attributes:
        number: 1 to 4.
        folder: the stage's folder, with its Procfile; relative to the repository.
        port_base: the first of its hundred ports.
        ports: what its parts listen on, as offsets from the base.
        auth: how guests sign in.
        health_path: answers 200 as soon as the site works.
        services: the parts that live alone behind the gateway; the others are needed.
        on_aws: whether it is deployed to the local AWS; where it is, the deployment
            says then.
        patience: seconds until it must be ready, unless another time is asked for.
    """

    number: int
    folder: str
    port_base: int
    ports: tuple[Port, ...]
    auth: Literal["bearer", "cognito"] = "bearer"
    health_path: str = "/v1/health"
    services: tuple[Service, ...] = ()
    on_aws: bool = False
    patience: float = 120.0

    @property
    def name(self) -> str:
        """The name of a run of this stage unless another is asked for."""
        return f"stage{self.number}"

    @property
    def path(self) -> Path:
        """The stage's folder, absolute."""
        return REPOSITORY / self.folder

    def service(self, name: str) -> Service:
        """Return a service by its name.

        Raises:
            ValueError: there is none; the message says which there are.
        """
        for service in self.services:
            if service.name == name:
                return service
        there = ", ".join(service.name for service in self.services) or "none"
        raise ValueError(f"{self.name} has no service {name!r}. Its services: {there}.")

    def as_json(self) -> str:
        """Return the description as JSON; `stage_of` reads it."""
        return json.dumps(asdict(self))


SANDBOX_PORTS = (
    Port("STRIPE_PORT", 10, "stripe"),
    Port("MAILBOX_PORT", 20, "mailbox"),
    Port("SMTP_PORT", 25, "mailbox"),
    Port("POSTGRES_PORT", 30, "postgres"),
)

STAGES = {
    1: Stage(
        number=1,
        folder="stage1_monolith",
        port_base=8100,
        ports=(Port("PORT", 0, "web"), *SANDBOX_PORTS),
    ),
    2: Stage(
        number=2,
        folder="stage2_split_services",
        port_base=8200,
        ports=(
            Port("PORT", 0, "gateway"),
            Port("GATEWAY_INTERNAL_PORT", 6, "gateway"),
            *SANDBOX_PORTS,
            Port("REDIS_PORT", 35, "redis"),
        ),
        services=(
            Service("identity", (1, 36, 41), 11, ("IDENTITY_DATABASE_URL",)),
            Service(
                "catalog",
                (2, 37, 42),
                12,
                ("CATALOG_DATABASE_URL", "CHECKOUT_SERVICE_KEY", "NLU_SERVICE_KEY"),
            ),
            Service("nlu", (3, 38, 43), 13, ("NLU_SERVICE_KEY",)),
            Service(
                "checkout",
                (4, 39, 44),
                14,
                ("CHECKOUT_DATABASE_URL", "CHECKOUT_SERVICE_KEY", "STRIPE_API_KEY"),
            ),
            Service(
                "notifications",
                (5, 40, 45),
                15,
                ("NOTIFICATIONS_DATABASE_URL", "CHECKOUT_SERVICE_KEY"),
            ),
        ),
    ),
    3: Stage(
        number=3,
        folder="stage3_serverless",
        port_base=8300,
        ports=(
            Port("AWS_PORT", 0, "aws"),
            Port("STRIPE_PORT", 10, "stripe"),
            Port("MAILBOX_PORT", 20, "mailbox"),
        ),
        auth="cognito",
        on_aws=True,
        # The first time, what the functions need is fetched and packed.
        patience=600.0,
    ),
    4: Stage(
        number=4,
        folder="stage4_async",
        port_base=8400,
        ports=(
            Port("AWS_PORT", 0, "aws"),
            Port("STRIPE_PORT", 10, "stripe"),
            Port("MAILBOX_PORT", 20, "mailbox"),
            Port("SUPPLIER_PORT", 40, "supplier"),
        ),
        auth="cognito",
        on_aws=True,
        patience=600.0,
    ),
}


def stage_of(words: str) -> Stage:
    """Return the stage that the command line names.

    Args:
        words: a stage's number, or the path of a JSON file with a description.

    Raises:
        ValueError: there is no such stage; the message says which there are.
    """
    if words.endswith(".json"):
        fields = json.loads(Path(words).read_text(encoding="utf-8"))
        fields["ports"] = tuple(Port(**port) for port in fields["ports"])
        fields["services"] = tuple(
            Service(s["name"], tuple(s["offsets"]), s["spare"], tuple(s["secrets"]))
            for s in fields.get("services", ())
        )
        return Stage(**fields)
    if words.isdecimal() and int(words) in STAGES:
        return STAGES[int(words)]
    built = ", ".join(str(number) for number in STAGES)
    raise ValueError(f"There is no stage {words!r}. There are: {built}.")
