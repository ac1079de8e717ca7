"""The paragraph under an experiment's plot, in the page where its claim stands.

It is one line, or three parts with an empty line between: an introduction, a list whose
items begin with `* `, and what follows from it.
"""

from __future__ import annotations

import re
import textwrap

# As wide as the pages around it; longest words, which are links, are never cut.
WIDTH = 150
ITEM = "* "
BLOCK = r"[^\n]+(?:\n[^\n]+)*"


def told(text: str, name: str) -> str | None:
    """Return the paragraph under an experiment's plot, unwrapped; None without one.

    Args:
        text: of the page.
        name: of the experiment.
    """
    found = _beside(name).search(text)
    return "\n\n".join(map(_unwrapped, found["words"].split("\n\n"))) if found else None


def retold(text: str, name: str, paragraph: str) -> str:
    """Return a page with another paragraph under an experiment's plot.

    Args:
        text: of the page; one without that plot stays as it is.
        name: of the experiment.
        paragraph: what to say now.
    """
    words = wrapped(paragraph, WIDTH)
    return _beside(name).sub(lambda found: found["plot"] + words, text)


def wrapped(paragraph: str, width: int) -> str:
    """Return a paragraph, and each item of its list, in lines that are not longer.

    Args:
        paragraph: what to say.
        width: in characters.
    """
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent="  " if line.startswith(ITEM) else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in paragraph.split("\n")
    )


def _unwrapped(block: str) -> str:
    items = re.split(r"\n(?=\* )", block) if block.startswith(ITEM) else [block]
    return "\n".join(" ".join(item.split()) for item in items)


def _beside(name: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<plot>^!\[[^\]]*\]\([^)\s]*results/experiments/{re.escape(name)}\.png\)\n\n)"
        rf"(?P<words>{BLOCK}(?:\n\n\* {BLOCK}\n\n{BLOCK})?)",
        re.MULTILINE,
    )
