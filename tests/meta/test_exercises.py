"""Each exercise begins with something that fails, and can be solved."""

from __future__ import annotations

import re

import pytest

from course import exercises
from tests.meta.carried_over import REPOSITORY
from tests.meta.pages import DOCS

# Kept here, where nobody looks who works on an exercise.
SOLUTIONS = REPOSITORY / "tests" / "meta" / "solutions"
ALL = sorted(exercises.EXERCISES.glob("*-*"))
HEADINGS = [
    "Story",
    "Task",
    "Hints",
    "What the grader checks",
    "Rubric",
    "Afterwards",
]

every_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda at: at.name)


def number_of(exercise):
    return exercise.name.split("-")[0]


def graded(exercise, folder, capfd):
    """Grade a folder; return the status, and how many checks failed and passed."""
    status = exercises.grade(number_of(exercise), folder)
    counts = {
        word: int(count)
        for count, word in re.findall(
            r"(\d+) (passed|failed|error)", capfd.readouterr()[0]
        )
    }
    return status, counts


@every_exercise
def test_what_one_begins_with_fails_but_runs(exercise, tmp_path, capfd):
    folder = exercises.begin(number_of(exercise), tmp_path)
    status, counts = graded(exercise, folder, capfd)
    assert status == 1
    assert counts["failed"] > 1
    assert counts["passed"] >= 1
    assert "error" not in counts


@every_exercise
def test_the_solution_passes(exercise, capfd):
    status, counts = graded(exercise, SOLUTIONS / exercise.name, capfd)
    assert (status, set(counts)) == (0, {"passed"})


@every_exercise
def test_the_solution_is_made_of_the_files_that_one_begins_with(exercise):
    def files(folder):
        return {at.name for at in folder.iterdir() if at.is_file()}

    assert files(SOLUTIONS / exercise.name) == files(exercise / "start")


@every_exercise
def test_an_exercise_has_its_page(exercise):
    text = (DOCS / "exercises" / f"{exercise.name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    points = re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
    assert sum(map(int, points)) == 10
    index = (DOCS / "exercises" / "index.md").read_text(encoding="utf-8")
    assert f"({exercise.name}.md)" in index


def test_what_was_begun_is_not_overwritten(tmp_path):
    mine = exercises.begin("1", tmp_path) / "refunds.py"
    mine.write_text("# mine\n")
    with pytest.raises(FileExistsError, match="remove it to begin anew"):
        exercises.begin("1", tmp_path)
    assert mine.read_text() == "# mine\n"


@pytest.mark.parametrize("number", ["", "99", "*"])
def test_an_exercise_that_is_not_there_is_told_with_those_that_are(number):
    with pytest.raises(ValueError, match="1-refund-once, 2-a-breaker"):
        exercises.exercise(number)


def test_what_was_not_begun_is_not_graded(tmp_path):
    with pytest.raises(FileNotFoundError, match="make exercise EXERCISE=1"):
        exercises.grade("1", tmp_path / "nothing")
