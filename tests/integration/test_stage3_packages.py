"""The packages of stage 3: small, complete, and the same each time."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deployment import packaging
from deployment.settings import REPOSITORY, Deployment

STAGE = REPOSITORY / "stage3_serverless"
MIB = 1024 * 1024
# What Lambda takes in one request, which is how `chalice deploy` sends it.
LIMIT_BYTES = 50 * MIB
# What ours may have: new versions grow, and some day one would stand before the door.
MOST_BYTES = {"catalog": 4 * MIB, "checkout": 8 * MIB, "nlu": 40 * MIB}
# What Lambda's Python has besides its own library.
LAMBDA_HAS = (
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six",
    "urllib3",
)
LINUX = sys.platform == "linux" and platform.machine() == "x86_64"
PATIENCE_SECONDS = 120

# It fetches the wheels that fit Lambda.
pytestmark = pytest.mark.full


@pytest.fixture(scope="module", params=MOST_BYTES)
def package(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """A service's package, as it is deployed."""
    deployment = Deployment(3, "local", "http://127.0.0.1:9", {})
    packaged = packaging.package(deployment, request.param)
    return request.param, packaged.archive


def test_a_package_is_far_from_the_limit(package):
    service, archive = package
    print(f"{service}: {len(archive) / MIB:.1f} MiB")
    assert len(archive) < MOST_BYTES[service] < LIMIT_BYTES


def test_a_package_has_what_is_needed_and_no_more(package):
    _, archive = package
    names = set(zipfile.ZipFile(io.BytesIO(archive)).namelist())
    assert {"app.py", "chalicelib/web.py", "chalice/app.py"} <= names
    packages = {name.partition("/")[0] for name in names}
    # Lambda's Python has it, and it is as large as all the rest.
    assert not packages & {"boto3", "botocore"}
    assert not [name for name in names if "/tests/" in name or name.endswith(".pyi")]


@pytest.mark.xfail(
    not LINUX and "CI" not in os.environ,
    reason="what is packaged runs on Lambda's Linux only",
)
def test_a_package_imports_nothing_that_was_left_out(package, tmp_path):
    service, archive = package
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path / "task")
    own = tmp_path / "lambda"
    own.mkdir()
    for name in LAMBDA_HAS:
        found = importlib.util.find_spec(name)
        assert found is not None
        there = Path(str(found.origin))
        there = there.parent if there.name == "__init__.py" else there
        (own / there.name).symlink_to(there)
    words = (
        f"import sys; sys.path[:0] = [{str(tmp_path / 'task')!r}, {str(own)!r}]; "
        "import app"
    )
    settings = {
        "AWS_LAMBDA_FUNCTION_NAME": service,
        "AWS_DEFAULT_REGION": "us-east-1",
        "CATALOG_TABLE": "a",
        "DIALOGUE_TABLE": "b",
        "ORDERS_TABLE": "c",
        "USER_POOL_ID": "us-east-1_pool",
        "CATALOG_API_URL": "http://127.0.0.1:9/v1",
        "CHECKOUT_API_URL": "http://127.0.0.1:9/v1",
        "STRIPE_API_KEY": "sk_test_1",
        "NLU_ENGINE": "light",
    }
    done = subprocess.run(
        # Nothing of this machine's Python but its own library.
        [sys.executable, "-I", "-S", "-c", words],
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr


def test_the_same_files_are_the_same_package(package):
    service, archive = package
    deployment = Deployment(3, "local", "http://127.0.0.1:9", {})
    again = packaging.package(deployment, service).archive
    assert hashlib.sha256(again).digest() == hashlib.sha256(archive).digest()


@pytest.mark.parametrize("service", MOST_BYTES)
def test_what_chalice_packs_by_itself_is_small_enough_to_deploy(service, tmp_path):
    """Chalice alone leaves nothing out, and it fits all the same."""
    ignored = shutil.ignore_patterns("deployments", "deployed", "__pycache__")
    copy = shutil.copytree(STAGE / service, tmp_path / service, ignore=ignored)
    packaged = packaging.chalice_package(copy, tmp_path / "package")
    print(f"{service}: {len(packaged.archive) / MIB:.1f} MiB")
    assert len(packaged.archive) < LIMIT_BYTES
