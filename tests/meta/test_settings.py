"""Every variable that a stage reads is in the reference page and in `.env.example`."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from concierge.config import PROJECT, Settings

STAGE = PROJECT / "stage1_monolith"
PAGE = PROJECT / "docs" / "reference" / "configuration.md"
FIELDS = {field.encode_name: field for field in msgspec.structs.fields(Settings)}
READ = re.compile(r"""environ(?:\.\w+\(|\[)\s*["'](\w+)["']""")


def read_elsewhere():
    """Return the variables that are read outside the settings' own module."""
    sources = [p for p in STAGE.rglob("*.py") if p.name != "config.py"]
    return {name for p in sources for name in READ.findall(p.read_text())}


def rows():
    """Return the cells of each row of the page's tables under the variable's name."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[c.strip() for c in row.strip("|").split(" | ")] for row in lines]
    return {row[0].strip("| `"): row for row in cells if row[0].startswith("`")}


def examples():
    """Return the variables of `.env.example` and their values."""
    text = (STAGE / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_reading_of_variables_is_found_in_the_sources():
    assert {"PORT", "WEB_CONCURRENCY", "WEB_THREADS"} <= read_elsewhere()


def test_the_page_lists_exactly_the_variables_that_are_read():
    assert rows().keys() == FIELDS.keys() | read_elsewhere()


def test_the_example_lists_exactly_the_variables_that_are_read():
    assert examples().keys() == FIELDS.keys() | read_elsewhere()


def test_nothing_in_the_example_is_set():
    lines = (STAGE / ".env.example").read_text(encoding="utf-8").splitlines()
    assert all(not line or line.startswith("#") for line in lines)


def test_only_the_settings_and_the_server_read_the_environment():
    readers = {p.name for p in STAGE.rglob("*.py") if "environ" in _code(p)}
    assert readers <= {"config.py", "gunicorn.conf.py"}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_the_page_and_the_example_have_the_default(name):
    default = FIELDS[name].default
    if default is None or default is msgspec.NODEFAULT:
        return
    if isinstance(default, Path) or str(default).startswith(str(PROJECT)):
        default = Path(default).name
        assert default in rows()[name][3]
        assert examples()[name].endswith(default)
        return
    written = f"{default:g}" if isinstance(default, float) else str(default)
    assert f"`{written}`" in rows()[name][3]
    assert examples()[name] == written


@pytest.mark.parametrize("name", sorted(rows()))
def test_each_row_says_meaning_unit_and_default(name):
    assert len(rows()[name]) == 4
    assert all(rows()[name])


def _code(source):
    """Return a source without its comments and docstrings, roughly."""
    text = re.sub(r'""".*?"""', "", source.read_text(), flags=re.DOTALL)
    return re.sub(r"#.*", "", text)
