"""What a machine lacks fails a test; the browser's alone may skip, and say so."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
MAY_SKIP = TESTS / "e2e" / "conftest.py"
SKIPS = re.compile(r"\b(pytest\.skip|importorskip|skipif|mark\.skip|skipTest)\b")


def test_only_the_browser_tests_skip():
    sources = set(TESTS.rglob("*.py")) - {MAY_SKIP, Path(__file__)}
    assert not [path for path in sources if SKIPS.search(path.read_text())]
    assert SKIPS.search(MAY_SKIP.read_text())
