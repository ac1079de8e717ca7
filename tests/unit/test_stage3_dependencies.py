"""What a service's package has of the libraries that it imports."""

from __future__ import annotations

import zipfile

import pytest

from deployment import dependencies

FILES = [
    "msgspec/__init__.py",
    "msgspec/__init__.pyi",
    "msgspec/_core.cpython-311-x86_64-linux-gnu.so",
    "msgspec/__pycache__/__init__.cpython-311.pyc",
    "__pycache__/six.cpython-311.pyc",
    "stripe/__init__.py",
    "stripe/_params.py",
    "stripe/params/billing/_meter_create_params.py",
    "stripe/py.typed",
]


@pytest.fixture
def packed(tmp_path):
    source = tmp_path / "site-packages"
    for name in FILES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("")
    dependencies._pack(source, tmp_path / "imports.zip", dependencies.NEVER_READ)
    return set(zipfile.ZipFile(tmp_path / "imports.zip").namelist())


def test_what_nobody_imports_is_left_out(packed):
    assert packed == {
        "msgspec/__init__.py",
        "msgspec/_core.cpython-311-x86_64-linux-gnu.so",
        "stripe/__init__.py",
        "stripe/_params.py",
    }
