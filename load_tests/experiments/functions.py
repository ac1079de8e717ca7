"""A function of a running stage 3, and another code for it: what a deployment does."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import boto3
import requests

from load_tests.bench.lambdas import PREFIX
from sandbox.runner import RunningStage

TIMEOUT_SECONDS = 60


def client(running: RunningStage) -> Any:
    """Return a client of the local Lambda."""
    return boto3.client(
        "lambda",
        endpoint_url=running.aws_endpoint_url,
        region_name=running.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 (of the local AWS)
    )


def code(running: RunningStage, function: str) -> bytes:
    """Return the zip that a function runs.

    Args:
        running: the stage.
        function: its name, without the deployment's.
    """
    found = client(running).get_function(FunctionName=f"{PREFIX}-{function}")
    path = found["Code"]["Location"].partition("/_ministack/")[2]
    url = f"{running.aws_endpoint_url}/_ministack/{path}"
    answer = requests.get(url, timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    return answer.content


def deploy(running: RunningStage, function: str, archive: bytes) -> None:
    """Have a function run another zip from now on."""
    client(running).update_function_code(
        FunctionName=f"{PREFIX}-{function}", ZipFile=archive
    )


def with_line(archive: bytes, name: str, line: str) -> bytes:
    """Return a zip whose file of that name ends with one more line."""
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for item in old.infolist():
            text = old.read(item)
            if item.filename == name:
                text += f"\n{line}\n".encode()
            new.writestr(item, text)
    return changed.getvalue()
