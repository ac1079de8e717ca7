"""A service's folder as a zip and a template: what `chalice package` makes of it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import dependencies
from .settings import REGION, Deployment
from .templates import Template

# Its command line, by this Python whatever is on PATH.
CHALICE = "from chalice.cli import main; raise SystemExit(main())"
RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"
REQUIREMENTS = "requirements.txt"
CHALICE_STAGE = "dev"
# What a service's template is told: parameters, and the environment made of them.
PARAMETERS = Path(".chalice") / "parameters.json"
# Patterns of what its requirements bring along and it never imports.
LEFT_OUT_LIST = Path(".chalice") / "left_out.txt"
PATIENCE_SECONDS = 900
LEFT_OUT = {"__pycache__", "deployments", "deployed", ".env"}


class PackagingFailed(Exception):
    """Chalice did not make a package; the message has its words."""


@dataclass(frozen=True)
class Packaged:
    """What Chalice made of a service: its zip, and its template."""

    archive: bytes
    template: Template


def digest(deployment: Deployment, service: str, *more: str) -> str:
    """Return a digest of all that a service's package depends on.

    Args:
        deployment: whose package it is.
        service: its name.
        more: what else it depends on.
    """
    found = hashlib.sha256(f"{sys.version_info[:2]}{more}".encode())
    folder = deployment.folder / service
    ours = Path(__file__).parent
    makers = [ours / name for name in ("packaging.py", "dependencies.py")]
    for path in [*_files(folder), *makers, ours / "service_template.py"]:
        found.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:32]


def package(deployment: Deployment, service: str) -> Packaged:
    """Have Chalice package a service.

    It works on a copy of the folder without its requirements, which are added to the
    package afterwards.

    Args:
        deployment: the deployment.
        service: its name.

    Raises:
        PackagingFailed: it did not.
    """
    copy = deployment.build / service
    copy.mkdir(parents=True, exist_ok=True)
    with (deployment.build / f"{service}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs may want the same at once
        mirror(deployment.folder / service, copy)
        requirements = deployment.build / f"{service}-requirements.txt"
        shutil.copyfile(copy / REQUIREMENTS, requirements)
        (copy / REQUIREMENTS).write_text("")
        packaged = chalice_package(copy, deployment.build / f"{service}-package")
        imports = imports_of(copy, requirements, deployment.build)
        return Packaged(
            dependencies.added(imports, packaged.archive), packaged.template
        )


def imports_of(service: Path, requirements: Path, kept: Path) -> Path:
    """Return the path of a zip with what a service imports.

    Args:
        service: its folder.
        requirements: its list.
        kept: the folder where such zips are kept.
    """
    listed = service / LEFT_OUT_LIST
    words = listed.read_text("utf-8").splitlines() if listed.exists() else []
    patterns = [word for word in words if word and not word.startswith("#")]
    return dependencies.archive(requirements, RUNTIME, kept, patterns)


def chalice_package(copy: Path, out: Path) -> Packaged:
    """Have Chalice package a folder.

    Args:
        copy: the folder.
        out: where the package is to be; what is there goes.

    Raises:
        PackagingFailed: it did not; the message has its words.
    """
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-c", CHALICE, "package", "--stage", CHALICE_STAGE]
    command += ["--template-format", "json"]
    if (copy / PARAMETERS).exists():
        command += ["--merge-template", str(copy / PARAMETERS)]
    command += [str(out)]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 (our own words)
        command,
        cwd=copy,
        env={**env, "AWS_DEFAULT_REGION": REGION},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise PackagingFailed(
            f"Packaging {copy.name} failed:\n{done.stdout}{done.stderr}"
        )
    template = json.loads((out / "sam.json").read_text("utf-8"))
    return Packaged((out / "deployment.zip").read_bytes(), template)


def content_key(service: str, archive: bytes) -> str:
    """Return the key of a zip in the bucket: named by what is in it."""
    return f"{service}/{hashlib.sha256(archive).hexdigest()[:32]}.zip"


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder that count, in a fixed order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.relative_to(folder).parts)
    )


def mirror(source: Path, copy: Path) -> None:
    """Make a copy what its source is, and leave what Chalice keeps in it."""
    wanted = {path.relative_to(source) for path in _files(source)}
    for path in _files(copy):
        if path.relative_to(copy) not in wanted:
            path.unlink()
    for path in wanted:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        _copy_if_changed(source / path, copy / path)


def _copy_if_changed(source: Path, target: Path) -> None:
    if not target.exists() or target.read_bytes() != source.read_bytes():
        shutil.copy2(source, target)
