"""Begin an exercise with `make exercise EXERCISE=1`, and grade it with `make grade`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXERCISES = REPOSITORY / "exercises"
MINE = REPOSITORY / "my_exercises"
CHECK_SECONDS = 60


def exercise(number: str) -> Path:
    """Return the folder of an exercise.

    Args:
        number: as it is called on the command line.

    Raises:
        ValueError: there is none; the message says which there are.
    """
    found = [
        path for path in EXERCISES.glob("*-*") if path.name.startswith(f"{number}-")
    ]
    if number and len(found) == 1:
        return found[0]
    there = ", ".join(sorted(path.name for path in EXERCISES.glob("*-*")))
    raise ValueError(f"Say which exercise: EXERCISE=1. There are: {there}.")


def begin(number: str, mine: Path = MINE) -> Path:
    """Copy the starting state of an exercise to where it is worked on.

    Args:
        number: of the exercise.
        mine: the folder of all that one works on.

    Raises:
        ValueError: there is no such exercise.
        FileExistsError: it was begun before; nothing is overwritten.
    """
    start = exercise(number)
    folder = mine / start.name
    if folder.exists():
        raise FileExistsError(
            f"{folder} is there already. Go on with it, or remove it to begin anew."
        )
    shutil.copytree(start / "start", folder)
    return folder


def grade(number: str, folder: Path | None = None) -> int:
    """Run an exercise's checks and return the exit status of pytest.

    Args:
        number: of the exercise.
        folder: what to grade; what one works on unless another is given.

    Raises:
        ValueError: there is no such exercise.
        FileNotFoundError: it was not begun.
    """
    start = exercise(number)
    folder = folder or MINE / start.name
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is not there. Begin with `make exercise EXERCISE={number}`."
        )
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--no-header"]
    checks = [str(start / "grader.py"), f"--timeout={CHECK_SECONDS}"]
    return subprocess.run(  # noqa: S603 - the student's own code, as asked
        [sys.executable, "-m", "pytest", *options, *checks],
        cwd=REPOSITORY,
        env=os.environ | {"EXERCISE_FOLDER": str(folder)},
    ).returncode


def main() -> int:
    """Do what the command line asks for and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course.exercises")
    parser.add_argument("command", choices=["begin", "grade"])
    parser.add_argument("number", help="of the exercise: 1")
    arguments = parser.parse_args()
    try:
        if arguments.command == "grade":
            return grade(arguments.number)
        folder = begin(arguments.number)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    page = REPOSITORY / "docs" / "exercises" / f"{folder.name}.md"
    print(f"Work in {folder.relative_to(REPOSITORY)}/; the task is in")
    print(
        f"{page.relative_to(REPOSITORY)}. Then: make grade EXERCISE={arguments.number}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
