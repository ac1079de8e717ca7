"""Which test runs each command of the pages, or why none does.

Lines of a lesson that are in neither table are typed by `tests/lessons.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.meta.carried_over import REPOSITORY
from tests.meta.pages import LESSONS, WITHOUT_STAGE, commands, fences

# The only reasons for which a command may go without a test.
AMAZON = "needs an account at AWS, or minutes of a local one"
LONG = "takes many minutes of both cores; its results are committed, with a date"
FOR_A_PERSON = "waits for a person, at a terminal or in a browser"
SOURCES = "changes the sources that the tests are reading"
YOUR_RUN = "ends or hangs processes of a run of yours, by a number that you look up"
INSTALLS = "only installs packages, which the tests have already"
REASONS = {AMAZON, LONG, INSTALLS, FOR_A_PERSON, SOURCES, YOUR_RUN}


@dataclass(frozen=True)
class RunBy:
    """Commands that something else runs, which says so in these words."""

    pattern: str
    file: str
    words: str


@dataclass(frozen=True)
class Excused:
    """Commands that nothing runs, and the reason."""

    pattern: str
    reason: str


FAULTS = r"curl .*localhost:8[1234][14]0/_sandbox/.*"
RUN = (
    RunBy(r"make test( SIZE=full)?", ".ci/run", "make test"),
    RunBy(r"make (lint|types)", "Makefile", "test: $(VENV)/test lint types"),
    RunBy(r"make docs", "Makefile", "$(if $(filter full,$(SIZE)),docs "),
    RunBy(
        r"(\w+=\S+ )?make run-stage( STAGE=[12])?( REPLICAS=\S+)?",
        "tests/integration/test_runner.py",
        '"sandbox.runner", "run"',
    ),
    RunBy(
        r"\.venv/bin/python -m sandbox\.runner run 1 (--name ada )?--port-base 9100",
        "tests/integration/test_runner.py",
        '"sandbox.runner", "run"',
    ),
    RunBy(
        r"make restart( STAGE=2 SERVICE=\w+)?",
        "tests/integration/test_runner_services.py",
        '"sandbox.runner", "restart"',
    ),
    RunBy(
        r"make test-service STAGE=2 SERVICE=\w+",
        "tests/integration/test_stage2_alone.py",
        "def test_a_service_starts_alone",
    ),
    RunBy(
        r"make (exercise|grade) EXERCISE=\d",
        "tests/meta/test_exercises.py",
        "exercises.grade(",
    ),
    RunBy(
        r"\. docs/tutorial/shop\.sh 1 ada",
        "tests/contract/test_tutorial.py",
        '"RUN": stage.name',
    ),
    RunBy(r"make reference", "tests/meta/test_course.py", "reference.pages()"),
    RunBy(r"make carry", "tests/meta/test_carried_over.py", "copies("),
    RunBy(r"make (chat)", "tests/unit/test_chat.py", "chat.main()"),
    RunBy(r"make (understand)", "tests/unit/test_understand.py", "understand.main()"),
    RunBy(r"make nlu-bench.*", "tests/unit/test_nlu_bench.py", 'public("light"'),
    RunBy(r"make rotate-keys STAGE=2", "tests/integration", "identity.rotate"),
    RunBy(
        r"(make drill( STAGE=\d)?|python -m tests\.drill --stage \d --only kills)",
        "tests/drill/test_drill.py",
        "EVERY[name](under_drill, size)",
    ),
    RunBy(FAULTS, "tests/faulty.py", "_sandbox/faults"),
    RunBy(
        r"\.venv/bin/python -m sandbox\.stripe .*",
        "tests/integration/test_stripe_sandbox.py",
        "sandbox.stripe",
    ),
    RunBy(r"curl localhost:82\d\d/v1/health", "tests/contract", "/health"),
    RunBy(
        r"make estimate( STAGE=[34])?", "docs/tutorial/3-serverless.md", "make estimate"
    ),
    RunBy(
        r"make bill( USERS=10000 PEAK=50)?",
        "tests/unit/test_costs_bill.py",
        '"load_tests.costs"',
    ),
    RunBy(
        r"make limits( USERS=100000)?",
        "tests/unit/test_limits.py",
        '"load_tests.limits"',
    ),
    RunBy(r"make experiments", "tests/unit/test_experiments.py", "listed()"),
    RunBy(
        r"make experiment NAME=idle-cost",
        "tests/unit/test_experiments.py",
        'archive.saved("idle-cost")',
    ),
    RunBy(r"make bill-plot", "tests/unit/test_costs_bill.py", "plot.draw("),
    RunBy(
        r"make folder( STAGE=3( ENV=dev)? SERVICE=\w+)?",
        "tests/integration/test_stage3_chalice_deploy.py",
        '"deployment", "folder"',
    ),
    RunBy(r"make sdk", "tests/integration/test_stage3_sdk.py", "sdk"),
    RunBy(
        r"SIZE=full python -m pytest tests/integration/\S+",
        ".ci/run",
        "make test SIZE=full",
    ),
    RunBy(
        r"make load( STAGE=1( USERS=20 SECONDS=60 SHAPE=steady)?)?",
        "tests/integration/test_journeys.py",
        "load_tests.journeys",
    ),
    RunBy(
        r"make spike( STAGE=1 RATE=40 SECONDS=10)?",
        "tests/integration/test_journeys.py",
        "load_tests.open_loop",
    ),
    RunBy(
        r"make compare( QUICK=1)?( SAVE=yes)?( AGAINST=\S+)?",
        "tests/integration/test_compare_command.py",
        "load_tests.compare",
    ),
    RunBy(
        r"make (help|intents|diff FROM=\d TO=\d( ALL=yes| ONLY=checkout)?)",
        "tests/meta/test_course.py",
        "SHORT_COMMANDS",
    ),
)
EXCUSED = (
    Excused(
        r"make (run-stage|redeploy|logs|deploy|destroy|bench) STAGE=[34].*",
        AMAZON,
    ),
    Excused(r"make (deploy|destroy)", AMAZON),
    Excused(r"make (queues|redrive|pause|resume|order)( STAGE=4.*)?", AMAZON),
    Excused(r"(aws|cd) .*", AMAZON),
    Excused(r"STAGE=[34] python -m pytest .*", AMAZON),
    Excused(r"make (bench|failures)( STAGE=[12])?", LONG),
    Excused(r"make experiment NAME=(?!idle-cost)[a-z-]+", LONG),
    Excused(r"make model( QUICK=1)?( SAVE=yes)?", LONG),
    Excused(r"make load-ui( STAGE=1)?", FOR_A_PERSON),
    Excused(r"make strong", INSTALLS),
    Excused(r"make (lock|clean|format)", SOURCES),
    Excused(r"(\.|git|echo) .*(dialogue|charging)\.py", SOURCES),
    Excused(r"kill -(9|STOP|CONT)|kill (-STOP )?(-- )?-GROUP|pkill -STOP .*", YOUR_RUN),
)


def rule_of(command: str) -> RunBy | Excused | None:
    """Return the row of a table that a command has, if any."""
    rules: tuple[RunBy | Excused, ...] = (*RUN, *EXCUSED)
    return next((rule for rule in rules if re.fullmatch(rule.pattern, command)), None)


def typed(lesson: Path) -> set[str]:
    """Return the lines of a lesson that `tests/lessons.py` types."""
    found = (
        line
        for fence in fences(lesson.read_text(encoding="utf-8"))
        if fence.language == "sh"
        for line in fence.commands
    )
    return {line for line in found if rule_of(line) is None}


def unlisted(text: str, known: Iterable[str]) -> Iterator[str]:
    """Tell which commands of a page nobody runs, and nobody excuses.

    Args:
        text: what the page says.
        known: what is typed in lessons.
    """
    lines = set(known)
    for command in commands(text):
        if rule_of(command) is None and command not in lines:
            yield command


def in_lessons() -> set[str]:
    """Return all lines that are typed in lessons."""
    return set().union(*map(typed, [*LESSONS, *WITHOUT_STAGE]))


def says(file: str, words: str) -> bool:
    """Whether a file, or one of a folder, has these words.

    Args:
        file: from the repository's root.
        words: what runs the command.
    """
    path = REPOSITORY / file
    files = path.rglob("*.py") if path.is_dir() else [path]
    return any(words in at.read_text(encoding="utf-8") for at in files)
