"""What a stage imports is what it lists, pinned with hashes, from no named host."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from sandbox.runner.stages import REPOSITORY, STAGES

REQUIREMENTS = REPOSITORY / "requirements"
# Used without an import: run as a program, or found by name.
NOT_IMPORTED = {
    "gunicorn": "the Procfile runs it",
    "flask-swagger-ui": "site.py serves its files",
    "wordllama": "light_engine.py reads its vectors",
}
OWN = {"concierge"} | {s.name for stage in STAGES.values() for s in stage.services}

# A stage is installed whole, or each of its services alone.
FOLDERS = [
    folder
    for stage in STAGES.values()
    for folder in [stage.path / s.name for s in stage.services] or [stage.path]
]
every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)


def normal(name):
    """Write a distribution's name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(file):
    """Return the distributions that a requirements file names."""
    lines = file.read_text(encoding="utf-8").splitlines()
    names = [re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines]
    return {normal(name[0]) for name in names if name}


def locked(file):
    """Return the requirements of a lock: the name, and its hashes."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)==(\S+)(.*)$", text, re.MULTILINE)
    return {
        normal(name): re.findall(r"--hash=sha256:\w{64}", r) for name, _, r in found
    }


def imported(folder):
    """Return the distributions that the sources of a folder import."""
    modules = set()
    for source in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules.add(node.module.partition(".")[0])
    foreign = modules - sys.stdlib_module_names - OWN
    known = packages_distributions()
    return {normal(known.get(module, [module])[0]) for module in foreign}


@every_folder
def test_what_is_imported_is_what_is_listed(folder):
    mine = listed(folder / "requirements.txt")
    assert imported(folder) | (NOT_IMPORTED.keys() & mine) == mine


@every_folder
def test_what_is_listed_is_pinned_with_hashes(folder):
    pinned = locked(REQUIREMENTS / "run.lock")
    for name in listed(folder / "requirements.txt"):
        assert pinned.get(name), f"{name} is not in run.lock: run `make lock`"


@pytest.mark.parametrize("file", ["run.lock", "test.lock"])
def test_every_pin_has_hashes(file):
    pins = locked(REQUIREMENTS / file)
    assert len(pins) > 20
    assert [name for name, hashes in pins.items() if not hashes] == []


def test_the_test_lock_agrees_with_the_run_lock():
    versions = [
        dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
        for text in ((REQUIREMENTS / f).read_text() for f in ("run.lock", "test.lock"))
    ]
    run, test = versions
    assert {name: test.get(name) for name in run} == run


@pytest.mark.parametrize(
    "file",
    [*REQUIREMENTS.iterdir(), *REPOSITORY.glob("stage*/**/requirements.txt")],
    ids=lambda file: str(file.relative_to(REPOSITORY)),
)
def test_no_requirements_file_names_a_host(file):
    text = file.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
