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
class Stage:
    """How to run one stage.

    Attributes:
        number: 1 to 4.
        folder: the stage's folder, with its Procfile; relative to the repository.
        port_base: the first of its hundred ports.
        ports: what its parts listen on, as offsets from the base.
        auth: how guests sign in.
        health_path: answers 200 as soon as the site works.
    """

    number: int
    folder: str
    port_base: int
    ports: tuple[Port, ...]
    auth: Literal["bearer", "cognito"] = "bearer"
    health_path: str = "/v1/health"

    @property
    def name(self) -> str:
        """The name of a run of this stage unless another is asked for."""
        return f"stage{self.number}"

    @property
    def path(self) -> Path:
        """The stage's folder, absolute."""
        return REPOSITORY / self.folder

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
        return Stage(**fields)
    if words.isdecimal() and int(words) in STAGES:
        return STAGES[int(words)]
    built = ", ".join(str(number) for number in STAGES)
    if words in {"1", "2", "3", "4"}:
        raise ValueError(f"Stage {words} is not built yet. Built so far: {built}.")
    raise ValueError(f"There is no stage {words!r}. Built so far: {built}.")
