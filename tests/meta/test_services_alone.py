"""Each service imports only what its own `requirements.txt` brings, at run time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.meta.alone.packages import SERVICES, STAGE, environment, hidden

every_service = pytest.mark.parametrize("service", SERVICES)

IMPORT_ALL = """
import importlib, pathlib, sys
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    if file.stem not in ("gunicorn.conf", "strong_engine"):
        importlib.import_module(f"{sys.argv[1]}.{file.stem}")
"""


def run(service, program):
    return subprocess.run(
        [sys.executable, "-c", program, service],
        cwd=STAGE.path,
        env=environment(service),
        capture_output=True,
        text=True,
        timeout=60,
    )


@every_service
def test_a_service_imports_with_its_own_packages_only(service):
    done = run(service, IMPORT_ALL)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("service", "foreign"),
    [
        ("catalog", "numpy"),
        ("catalog", "stripe"),
        ("catalog", "checkout"),
        ("identity", "concierge"),
        ("nlu", "sqlalchemy"),
        ("notifications", "redis"),
    ],
)
def test_what_it_does_not_list_is_not_there(service, foreign):
    done = run(service, f"import {foreign}")
    assert "ModuleNotFoundError" in done.stderr


def test_only_nlu_has_the_language_engine():
    light = {"numpy", "wordllama", "tokenizers"}
    assert [name for name in SERVICES if not light & hidden(name)] == ["nlu"]
