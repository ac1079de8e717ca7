"""What pages print must be in the sources that they name above it.

A block's title says what it is: a file, `old → new` for a difference, a folder that
ends in a slash for a tree, `prints` for what the commands before it print, `prints
(date)` for what they printed once, and `write this` for what a reader adds. A line of
nothing but `…` stands for lines left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.meta.carried_over import REPOSITORY
from tests.meta.pages import Fence

ARROW = " → "
LEFT_OUT = re.compile(r"^\s*(?:# )?…\s*\n?", re.MULTILINE)
# They need no source: commands, diagrams, and what is printed by what was typed.
UNTITLED = {"sh", "mermaid"}
PRINTED = re.compile(r"prints(?: \(\d{4}-\d\d-\d\d\))?|write this")


def complaints(fence: Fence, root: Path = REPOSITORY) -> Iterator[str]:
    """Tell what of a block is not in the source that it names.

    Args:
        fence: the block.
        root: the repository.
    """
    if not fence.title:
        if fence.language not in UNTITLED:
            yield f"This block names no source:\n{fence.text}"
    elif PRINTED.fullmatch(fence.title):
        return
    elif fence.language == "diff":
        yield from _differing(fence, root)
    elif fence.title.endswith("/"):
        yield from _missing(fence, root)
    else:
        yield from _strange(fence.title, fence.text, root)


def _strange(title: str, text: str, root: Path) -> Iterator[str]:
    if not (root / title).is_file():
        yield f"{title}: there is no such file"
        return
    source, at = (root / title).read_text(encoding="utf-8"), 0
    for piece in LEFT_OUT.split(text):
        found = source.find(piece, at)
        if found < 0:
            yield f"{title} does not have, in this order:\n{piece}"
            return
        at = found + len(piece)


def _differing(fence: Fence, root: Path) -> Iterator[str]:
    old, arrow, new = fence.title.partition(ARROW)
    if not arrow:
        yield f"The title of a difference is `old{ARROW}new`: {fence.title}"
        return
    lines = fence.text.splitlines(keepends=True)
    for title, other in ((old, "+"), (new, "-")):
        mine = [line if "…" in line else line[1:] for line in lines if line[0] != other]
        yield from _strange(title, "".join(mine), root)


def _missing(fence: Fence, root: Path) -> Iterator[str]:
    """Two spaces a level; a name that ends in a slash is a folder."""
    above: list[str] = []
    for line in fence.text.splitlines():
        name = line.split("  #")[0].rstrip()
        level = (len(name) - len(name.lstrip())) // 2
        above = [*above[:level], name.strip()]
        path = root / fence.title / "/".join(above)
        if not (path.is_dir() if name.endswith("/") else path.is_file()):
            yield f"{fence.title}: {'/'.join(above)} is not there"
