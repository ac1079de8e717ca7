"""Types the lessons of the tutorial, and compares what they print.

All commands of a lesson go to one shell, as a student would type them, but for those
that `tests/meta/commands.py` says are run elsewhere or by nobody.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.meta.carried_over import REPOSITORY
from tests.meta.commands import rule_of
from tests.meta.pages import Fence, fences

PATIENCE_SECONDS = 240
MARK = "8<---- block "
STAMPS = ("bin/python", "run", "strong", "aws", "test", "docs", "sdk")


@dataclass(frozen=True)
class Step:
    """A block of commands.

    Attributes:
        commands: what is typed.
        expected: what the page says that it prints; nothing when it does not say.
    """

    commands: tuple[str, ...]
    expected: str | None


def steps(text: str) -> list[Step]:
    """Return what a lesson has one type, block by block.

    Args:
        text: the lesson.
    """
    found, blocks = [], fences(text)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block.language == "sh":
            lines = tuple(at for at in block.commands if rule_of(at) is None)
            if lines:
                found.append(Step(lines, _expected(following)))
    return found


def play(lesson: Path, variables: Mapping[str, str]) -> list[tuple[Step, str]]:
    """Type a lesson and return each step with what it printed.

    Args:
        lesson: its file.
        variables: which run it is, for `docs/tutorial/shop.sh`.
    """
    todo = steps(lesson.read_text(encoding="utf-8"))
    script = [make()]
    for number, step in enumerate(todo):
        script += [f"printf '\\n{MARK}{number}\\n'", *step.commands]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=REPOSITORY,
        env=os.environ | {"MAKEFLAGS": ""} | dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    parts = re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.MULTILINE)[1:]
    return list(zip(todo, parts, strict=True))


def matches(expected: str, printed: str) -> bool:
    """Whether something was printed, where `…` stands for anything.

    Args:
        expected: as the page has it; how far columns are apart does not count.
        printed: by the commands; it may say more before and after.
    """
    wanted, out = (re.sub(r"[ \t]+", " ", text) for text in (expected, printed))
    pieces = [re.escape(piece.strip("\n")) for piece in wanted.split("…")]
    return re.search(".*?".join(pieces), out, re.DOTALL) is not None


def _expected(following: Fence | None) -> str | None:
    is_told = following is not None and following.title == "prints"
    return following.text if is_told and following else None


def make() -> str:
    """Use the packages that are there: a test installs nothing."""
    old = " ".join(f"-o {sys.prefix}/{name}" for name in STAMPS)
    return f'make() {{ command make -s VENV={sys.prefix} {old} "$@"; }}'
