"""What a service imports, as a zip that is made once for each list of requirements.

Chalice finds and fetches the wheels that fit Lambda, and would pack all of them again
with each change of a line of code: half a minute for nlu. So it is asked for them once,
and the code is put beside them. What no function needs stays out.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

PATIENCE_SECONDS = 900
# Chalice's own parts: 1.34 has no command for this step alone.
BUILD = """
import sys
from chalice.deploy.packager import (
    DependencyBuilder, LambdaDeploymentPackager, MissingDependencyError
)
from chalice.utils import OSUtils
runtime, requirements, target = sys.argv[1:]
abi = LambdaDeploymentPackager._RUNTIME_TO_ABI[runtime]
try:
    DependencyBuilder(OSUtils()).build_site_packages(abi, requirements, target)
except MissingDependencyError as error:
    names = ", ".join(package.identifier for package in error.missing)
    sys.exit(f"There are no wheels that fit Lambda for: {names}")
"""
# What no function ever reads: a library's tests, its sources in C, words for mypy (half
# of the files of Stripe's library, and a worker that starts unpacks all there are).
NEVER_READ = (
    *("*.pyi", "*/py.typed", "stripe/params/*"),
    *("*/tests/*", "*.c", "*.cpp", "*.h", "*.pyx", "*.pxd", "bin/*"),
)
# A zip knows no date before this one; with no other, the same files are the same zip.
DATE = (1980, 1, 1, 0, 0, 0)


class DependenciesMissing(Exception):
    """What a service imports cannot be had; the message has pip's words."""


def archive(
    requirements: Path, runtime: str, folder: Path, left_out: Sequence[str] = ()
) -> Path:
    """Return the path of a zip with what a list of requirements asks for.

    Args:
        requirements: the list.
        runtime: Lambda's name of the Python, such as python3.11.
        folder: where the zips are kept.
        left_out: patterns of paths that the service needs none of.

    Raises:
        DependenciesMissing: something on the list cannot be had.
    """
    skipped = (*NEVER_READ, *left_out)
    words = f"{runtime}\n{requirements.read_text('utf-8')}\n{BUILD}\n{skipped}"
    kept = folder / f"imports-{hashlib.sha256(words.encode()).hexdigest()[:16]}.zip"
    if not kept.exists():
        draft = kept.with_suffix(".new")
        with tempfile.TemporaryDirectory(dir=folder) as target:
            _build(requirements, runtime, Path(target))
            _pack(Path(target), draft, skipped)
        draft.replace(kept)
    return kept


def added(dependencies: Path, code: bytes) -> bytes:
    """Return a service's code, which is a zip, together with what it imports.

    Args:
        dependencies: the zip of what it imports.
        code: the zip of the code.
    """
    whole = io.BytesIO(dependencies.read_bytes())
    with (
        zipfile.ZipFile(io.BytesIO(code)) as ours,
        zipfile.ZipFile(whole, "a") as package,
    ):
        there = set(package.namelist())
        for entry in sorted(ours.infolist(), key=lambda found: found.filename):
            if entry.filename not in there:
                _write(package, entry.filename, ours.read(entry), entry.external_attr)
    return whole.getvalue()


def _build(requirements: Path, runtime: str, target: Path) -> None:
    command = [sys.executable, "-c", BUILD, runtime, str(requirements), str(target)]
    done = subprocess.run(  # noqa: S603 (our own words)
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise DependenciesMissing(f"{requirements}: {done.stdout}{done.stderr}")


def _pack(source: Path, target: Path, skipped: Sequence[str]) -> None:
    with zipfile.ZipFile(target, "w") as package:
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            wanted = path.is_file() and "__pycache__" not in path.parts
            if wanted and not any(fnmatchcase(name, pattern) for pattern in skipped):
                _write(package, name, path.read_bytes(), path.stat().st_mode << 16)


def _write(package: zipfile.ZipFile, name: str, data: bytes, attributes: int) -> None:
    entry = zipfile.ZipInfo(name, DATE)
    entry.external_attr = attributes
    entry.compress_type = zipfile.ZIP_DEFLATED
    package.writestr(entry, data)
