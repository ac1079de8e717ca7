"""The paragraph under an experiment's plot, in the page where its claim stands."""

from __future__ import annotations

import re
import textwrap

# As wide as the pages around it; longest words, which are links, are never cut.
WIDTH = 150


def told(text: str, name: str) -> str | None:
    """Return the paragraph under an experiment's plot, on one line; None without one.

    Args:
        text: of the page.
        name: of the experiment.
    """
    found = _beside(name).search(text)
    return " ".join(found["words"].split()) if found else None


def retold(text: str, name: str, paragraph: str) -> str:
    """Return a page with another paragraph under an experiment's plot.

    Args:
        text: of the page; one without that plot stays as it is.
        name: of the experiment.
        paragraph: what to say now.
    """
    words = textwrap.fill(
        paragraph, WIDTH, break_long_words=False, break_on_hyphens=False
    )
    return _beside(name).sub(lambda found: found["plot"] + words, text)


def _beside(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<plot>^!\[[^\]]*\]\([^)\s]*results/experiments/{re.escape(name)}\.png\)\n\n)"
        r"(?P<words>[^\n]+(?:\n[^\n]+)*)",
        re.MULTILINE,
    )
