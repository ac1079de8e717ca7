"""Make clients of the API out of its contract: `python -m deployment.sdk --stage 3`.

The generators are other people's: openapi-python-client from PyPI, and
swagger-typescript-api from npm, which needs Node.js 20. What they write is a build, and
is not kept in the repository.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from .public_api import operations
from .settings import CONTRACT, REPOSITORY

OUT = REPOSITORY / ".run" / "sdk"
PYTHON_PACKAGE = "concierge_client"
JAVASCRIPT_GENERATOR = "swagger-typescript-api@13.13.0"
PATIENCE_SECONDS = 300


class GeneratorFailed(Exception):
    """A generator is missing or did not do it; the message has its words."""


def main() -> int:
    """Make both clients; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deployment.sdk")
    parser.add_argument("--stage", type=int, default=3, help="whose operations")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to")
    arguments = parser.parse_args()
    try:
        print(f"Python:     {python_client(arguments.stage, arguments.out)}")
        print(f"JavaScript: {javascript_client(arguments.stage, arguments.out)}")
    except GeneratorFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def contract_of(stage: int) -> dict[str, Any]:
    """Return the contract with the public operations of a stage and no others."""
    contract: dict[str, Any] = yaml.safe_load(CONTRACT.read_text("utf-8"))
    public = {(o.path, o.method.lower()) for o in operations(contract, stage)}
    paths = {}
    for path, item in contract["paths"].items():
        kept = {
            method: what for method, what in item.items() if (path, method) in public
        }
        if kept:
            paths[path] = kept
    return contract | {"paths": paths}


def python_client(stage: int, out: Path) -> Path:
    """Make the Python client; return the folder to import `concierge_client` from.

    Args:
        stage: whose operations.
        out: the folder to write to.

    Raises:
        GeneratorFailed: it is not installed, or did not do it.
    """
    if importlib.util.find_spec("openapi_python_client") is None:
        raise GeneratorFailed(
            "The generator of the Python client is not installed: `make sdk` does it, "
            "or `pip install --require-hashes -r requirements/sdk.lock`."
        )
    folder = out / "python"
    _run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(_written(stage, out)), "--meta", "none", "--overwrite"),
            *("--output-path", str(folder / PYTHON_PACKAGE)),
        ]
    )
    return folder


def javascript_client(stage: int, out: Path) -> Path:
    """Make the JavaScript client, a module for browsers and Node.js; return its path.

    Args:
        stage: whose operations.
        out: the folder to write to.

    Raises:
        GeneratorFailed: there is no npm, or the generator did not do it.
    """
    npx = shutil.which("npx")
    if npx is None:
        raise GeneratorFailed(
            "The generator of the JavaScript client comes by npm: install Node.js 20 "
            "or newer, with npm. The Python client needs neither."
        )
    folder = out / "javascript"
    _run(
        [
            *(npx, "--yes", JAVASCRIPT_GENERATOR, "generate", "--js"),
            *("--path", str(_written(stage, out)), "--output", str(folder)),
            *("--name", "concierge.ts", "--api-class-name", "Concierge"),
        ]
    )
    return folder / "concierge.js"


def _written(stage: int, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    path = out / "openapi.yaml"
    path.write_text(yaml.safe_dump(contract_of(stage), sort_keys=False), "utf-8")
    return path


def _run(command: list[str]) -> None:
    # A generator calls ruff by its name, and means the one beside this Python.
    beside = str(Path(sys.executable).parent)
    path = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(  # noqa: S603 (our own words)
        command,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise GeneratorFailed(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
