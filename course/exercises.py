"""Begin an exercise with `make exercise EXERCISE=1`, and grade it with `make grade`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
EXERCISES = REPOSITORY / "exercises"
MINE = REPOSITORY / "my_exercises"
CHECK_SECONDS = 60
# What an exercise begins with: files of its own, files of a stage, and what was taken
# out of those.
OWN, SHIPPED, PATCH = "start", "shipped.txt", "start.patch"


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
    """Make the starting state of an exercise where it is worked on.

    Args:
        number: of the exercise.
        mine: the folder of all that one works on.

    Raises:
        ValueError: there is no such exercise, or it does not fit the stages any more.
        FileExistsError: it was begun before; nothing is overwritten.
    """
    start = exercise(number)
    folder = mine / start.name
    if folder.exists():
        raise FileExistsError(
            f"{folder} is there already. Go on with it, or remove it to begin anew."
        )
    folder.mkdir(parents=True)
    try:
        if (start / OWN).is_dir():
            shutil.copytree(start / OWN, folder, dirs_exist_ok=True)
        for name in shipped(start):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, folder / name)
        if (start / PATCH).exists():
            patch(folder, start / PATCH)
    except (ValueError, OSError):
        shutil.rmtree(folder)
        raise
    return folder


def shipped(start: Path) -> list[str]:
    """Return the files of the stages that an exercise begins with.

    Args:
        start: the exercise's folder.
    """
    listed = start / SHIPPED
    return listed.read_text(encoding="utf-8").split() if listed.exists() else []


def patch(folder: Path, file: Path) -> None:
    """Change the files of a folder as a patch says.

    Args:
        folder: what the paths in the patch begin at.
        file: the patch; words before the first difference are for its reader.

    Raises:
        ValueError: it does not fit, so what it was made from has changed.
    """
    done = subprocess.run(  # noqa: S603 - nothing of the command is anybody's input
        ["git", "apply", "--whitespace=nowarn", str(file.resolve())],  # noqa: S607
        cwd=folder,
        # So that git takes the folder for itself, and for no part of a repository.
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.resolve().parent)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ValueError(f"{file} does not fit any more:\n{done.stderr}")


def grade(number: str, folder: Path | None = None, only: Sequence[str] = ()) -> int:
    """Run an exercise's checks and return the exit status of pytest.

    Args:
        number: of the exercise.
        folder: what to grade; what one works on unless another is given.
        only: names of checks; all of them unless some are given.

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
    grader = str(start / "grader.py")
    options = ["-q", "-rN", "-p", "no:cacheprovider", "--tb=short", "--no-header"]
    limits = ["-p", "course.points", f"--timeout={CHECK_SECONDS}"]
    checks = [f"{grader}::{name}" for name in only] or [grader]
    return subprocess.run(  # noqa: S603 - the student's own code, as asked
        [sys.executable, "-m", "pytest", *options, *limits, *checks],
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
