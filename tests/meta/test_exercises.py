"""Each exercise begins with something that fails, can be solved, and is graded."""

from __future__ import annotations

import re
import shutil

import pytest

from course import exercises, points
from tests.meta.carried_over import REPOSITORY
from tests.meta.pages import DOCS

# Kept here, where nobody looks who works on an exercise: the files of a solution, or
# `solution.patch` from what one begins with, and in `wrong/` patches of the solution to
# what one might hand in instead. A wrong one says above its first difference which
# checks must find it.
SOLUTIONS = REPOSITORY / "tests" / "meta" / "solutions"
SOLUTION, WRONG = "solution.patch", "wrong"
FAILS = re.compile(r"\btest_\w+")
ALL = sorted(exercises.EXERCISES.glob("*-*"))
WRONGS = sorted(SOLUTIONS.glob(f"*/{WRONG}/*.patch"))
HEADINGS = [
    "Story",
    "Task",
    "Hints",
    "What the grader checks",
    "Rubric",
    "Afterwards",
]
FEWEST_WRONGS = 2

every_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda at: at.name)


def number_of(exercise):
    return exercise.name.split("-")[0]


def solved(name, tmp_path):
    """Begin an exercise, and put the solution in place."""
    folder = exercises.begin(name.split("-")[0], tmp_path)
    for file in files(SOLUTIONS / name):
        if file.split("/")[0] not in {SOLUTION, WRONG}:
            shutil.copyfile(SOLUTIONS / name / file, folder / file)
    if (SOLUTIONS / name / SOLUTION).exists():
        exercises.patch(folder, SOLUTIONS / name / SOLUTION)
    return folder


def files(folder):
    return {
        str(at.relative_to(folder))
        for at in folder.rglob("*")
        if at.is_file() and "__pycache__" not in at.parts
    }


def graded(exercise, folder, capfd, only=()):
    """Grade a folder; return the status, how many checks ended how, and the points."""
    status = exercises.grade(number_of(exercise), folder, only)
    printed = capfd.readouterr()[0]
    found = re.findall(r"(\d+) (passed|failed|error)", printed)
    counts = {word: int(count) for count, word in found}
    (got,) = re.findall(r"^Points: (\d+) of 10$", printed, re.MULTILINE)
    return status, counts, int(got)


# Graders take seconds each. That what one begins with can be made is seen at every
# size, for the solution is made from it.
@pytest.mark.full
@every_exercise
def test_what_one_begins_with_fails_but_runs(exercise, tmp_path, capfd):
    folder = exercises.begin(number_of(exercise), tmp_path)
    status, counts, got = graded(exercise, folder, capfd)
    assert status == 1
    assert counts["failed"] > 1
    assert counts["passed"] >= 1
    assert "error" not in counts
    assert got <= 5


@every_exercise
def test_the_solution_passes_with_all_points(exercise, tmp_path, capfd):
    folder = solved(exercise.name, tmp_path)
    before = files(folder)
    status, counts, got = graded(exercise, folder, capfd)
    assert (status, set(counts), got) == (0, {"passed"}, 10)
    assert files(folder) == before, "grading leaves nothing behind"


@pytest.mark.full
@pytest.mark.parametrize("wrong", WRONGS, ids=lambda at: f"{at.parts[-3]}-{at.stem}")
def test_a_wrong_solution_is_found(wrong, tmp_path, capfd):
    exercise = exercises.EXERCISES / wrong.parts[-3]
    folder = solved(exercise.name, tmp_path)
    exercises.patch(folder, wrong)
    checks = FAILS.findall(wrong.read_text(encoding="utf-8").partition("--- ")[0])
    assert checks, "say which checks must find it"
    status, counts, _ = graded(exercise, folder, capfd, checks)
    assert (status, counts) == (1, {"failed": len(checks)})


@every_exercise
def test_there_are_wrong_solutions(exercise):
    found = [wrong for wrong in WRONGS if wrong.parts[-3] == exercise.name]
    assert len(found) >= FEWEST_WRONGS


@every_exercise
def test_the_solution_is_made_of_the_files_that_one_begins_with(exercise, tmp_path):
    begun = exercises.begin(number_of(exercise), tmp_path / "begun")

    def names(folder):
        return {file.rpartition("/")[2] for file in files(folder)}

    # They may lie elsewhere: what is split moves.
    assert names(solved(exercise.name, tmp_path / "solved")) == names(begun)


@every_exercise
def test_an_exercise_has_its_page(exercise):
    text = (DOCS / "exercises" / f"{exercise.name}.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert re.search(r"^\*About \d+ minutes, after \[lesson", text, re.MULTILINE)
    assert sum(row.points for row in points.rubric(exercise.name)) == 10
    index = (DOCS / "exercises" / "index.md").read_text(encoding="utf-8")
    assert f"({exercise.name}.md)" in index
    guide = DOCS / "how-to" / "use-it-in-a-class.md"
    assert f"exercises/{exercise.name}.md)" in guide.read_text(encoding="utf-8")


@every_exercise
def test_each_check_is_in_a_row_of_the_rubric_and_each_row_has_one(exercise):
    text = (exercise / "grader.py").read_text(encoding="utf-8")
    rows = re.findall(r"^@pytest.mark.row\((\d)\)$", text, re.MULTILINE)
    assert len(rows) == len(re.findall(r"^def test_", text, re.MULTILINE))
    wanted = range(1, len(points.rubric(exercise.name)) + 1)
    assert {int(row) for row in rows} == set(wanted)


def test_points_are_given_for_whole_rows_only():
    rows = [points.Row(4, "selling"), points.Row(6, "paying")]
    assert list(points.lines(rows, {2: ["test_a", "test_b"]})) == [
        "  4 of 4  selling",
        "  0 of 6  paying  (see test_a, test_b)",
        "Points: 4 of 10",
    ]


def test_a_patch_that_does_not_fit_any_more_is_found(tmp_path):
    (tmp_path / "new.py").write_text("a = 2\n")
    patch = tmp_path / "old.patch"
    patch.write_text("--- a/new.py\n+++ b/new.py\n@@ -1 +1 @@\n-a = 1\n+a = 3\n")
    with pytest.raises(ValueError, match="does not fit any more"):
        exercises.patch(tmp_path, patch)
    assert (tmp_path / "new.py").read_text() == "a = 2\n"


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


def test_no_points_are_given_by_a_grader_that_does_not_load(
    tmp_path, capfd, monkeypatch
):
    broken = tmp_path / ALL[0].name
    broken.mkdir()
    (broken / "grader.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.setattr(exercises, "EXERCISES", tmp_path)
    status, counts, got = graded(broken, tmp_path, capfd)
    assert status
    assert (counts, got) == ({"error": 1}, 0)
