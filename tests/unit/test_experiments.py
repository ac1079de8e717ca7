"""Each experiment is listed, drawn and told from what is saved, also when it loses."""

from __future__ import annotations

import copy
import json
import subprocess
import sys

import pytest

from load_tests.experiments import archive, pages
from load_tests.experiments.__main__ import REPOSITORY, listed
from load_tests.experiments.lab import BusyError, alone
from load_tests.experiments.registry import EXPERIMENTS, named
from tests.meta.pages import anchors

NAMES = [experiment.name for experiment in EXPERIMENTS]
each_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=NAMES)


def test_no_two_experiments_have_the_same_name():
    assert len(set(NAMES)) == len(NAMES)


@each_experiment
def test_the_list_has_its_claim(experiment):
    [line] = [
        line for line in listed().splitlines() if line.split()[:1] == [experiment.name]
    ]
    assert line.endswith(experiment.claim)
    assert 0 < experiment.seconds <= 240


@each_experiment
def test_the_readme_has_its_claim(experiment):
    readme = (REPOSITORY / "load_tests" / "README.md").read_text()
    lesson = f"(../{experiment.page})"
    assert f"| `{experiment.name}` | {experiment.claim} | " in readme
    assert lesson in readme


@each_experiment
def test_its_claim_has_a_page(experiment):
    path, _, heading = experiment.page.partition("#")
    assert heading in anchors((REPOSITORY / path).read_text())


@each_experiment
def test_the_page_tells_what_the_saved_results_say(experiment):
    page = (REPOSITORY / experiment.page.partition("#")[0]).read_text()
    found = archive.saved(experiment.name)["results"]
    wrong = f"make experiment NAME={experiment.name} REDRAW=yes tells it again"
    assert pages.told(page, experiment.name) == experiment.paragraph(found), wrong


@each_experiment
def test_a_plot_is_made_of_saved_results(experiment, tmp_path):
    found = archive.saved(experiment.name)
    archive.save(found, experiment.plot, tmp_path / "again")
    assert json.loads((tmp_path / "again.json").read_text()) == found
    assert (tmp_path / "again.png").read_bytes().startswith(b"\x89PNG")


@each_experiment
def test_the_saved_results_say_where_and_when(experiment):
    found = archive.saved(experiment.name)
    assert found["experiment"] == experiment.name
    assert {"measured", "commit", "cpu", "cores"} <= found["machine"].keys()


def test_a_page_is_told_again():
    page = "# T\n\n![A plot](../results/experiments/one.png)\n\nOld\nwords.\n\nMore.\n"
    new = pages.retold(page, "one", "New words.")
    assert new == page.replace("Old\nwords.", "New words.")
    assert pages.told(new, "one") == "New words."
    assert pages.retold(page, "other", "New words.") == page
    assert pages.told(page, "other") is None


def test_a_page_may_end_with_a_paragraph():
    page = "![A plot](results/experiments/one.png)\n\nOld\nwords.\n"
    assert pages.retold(page, "one", "New.").endswith("one.png)\n\nNew.\n")


def test_only_one_experiment_runs_at_a_time(tmp_path):
    lock = tmp_path / "experiments" / "lock"
    with alone(lock), pytest.raises(BusyError, match=r"pid \d+.*Ctrl-C"), alone(lock):
        pass
    with alone(lock):
        pass


def test_an_unknown_name_is_told_which_there_are():
    done = subprocess.run(
        [sys.executable, "-m", "load_tests.experiments", "nothing"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "'nothing'" in done.stderr
    assert NAMES[0] in done.stderr


def test_the_month_of_nobody_is_told_as_it_is():
    experiment = named("idle-cost")
    found = archive.saved("idle-cost")["results"]
    assert "next to nothing" in experiment.paragraph(found)
    dear = copy.deepcopy(found)
    dear["totals"]["3"] = [250.0 for _ in found["users"]]
    dear["totals"]["4"] = [251.0 for _ in found["users"]]
    told = experiment.paragraph(dear)
    assert "next to nothing" not in told
    assert "Nothing is as cheap here as the monolith" in told
