"""The packages of stage 3 as Chalice makes them: small, and complete."""

from __future__ import annotations

import io
import shutil
import zipfile

import pytest

from deployment import packaging
from deployment.settings import REPOSITORY

STAGE = REPOSITORY / "stage3_serverless"
# What Lambda takes in one request, which is how `chalice deploy` sends it.
LIMIT_BYTES = 50 * 1024 * 1024


@pytest.mark.full
@pytest.mark.parametrize("service", ["catalog", "checkout", "nlu"])
def test_a_package_is_small_enough_for_chalice_deploy(service, tmp_path):
    ignored = shutil.ignore_patterns("deployments", "deployed", "__pycache__")
    copy = shutil.copytree(STAGE / service, tmp_path / service, ignore=ignored)
    packaged = packaging.chalice_package(copy, tmp_path / "package")
    assert len(packaged.archive) < LIMIT_BYTES
    names = set(zipfile.ZipFile(io.BytesIO(packaged.archive)).namelist())
    assert {"app.py", "chalicelib/web.py", "chalice/app.py"} <= names
    packages = {name.partition("/")[0] for name in names}
    # Lambda's Python has it, and it is as large as all the rest.
    assert not packages & {"boto3", "botocore"}
