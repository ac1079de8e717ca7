"""Parts of README.md that are told from saved results, each between two comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

README = Path(__file__).with_name("README.md")
WIDTH = 150


def told(name: str, file: Path = README) -> str:
    """Return what stands there now.

    Args:
        name: of the part.
        file: the page.

    Raises:
        LookupError: the page has no such part.
    """
    return _part(name, file.read_text(encoding="utf-8"))["words"].strip()


def tell(name: str, words: str, file: Path = README) -> None:
    """Write other words there.

    Args:
        name: of the part.
        words: in Markdown.
        file: the page.

    Raises:
        LookupError: the page has no such part.
    """
    text = file.read_text(encoding="utf-8")
    found = _part(name, text)
    begin, end = found.span("words")
    file.write_text(
        f"{text[:begin]}\n\n{words.strip()}\n\n{text[end:]}", encoding="utf-8"
    )


def bullets(paragraphs: Iterable[str]) -> str:
    """Return paragraphs as a list, in lines as long as the page's."""
    return "\n".join(_wrapped(words, "* ", "  ") for words in paragraphs)


def wrapped(words: str) -> str:
    """Return a paragraph in lines as long as the page's."""
    return _wrapped(words, "", "")


def _wrapped(words: str, first: str, others: str) -> str:
    return textwrap.fill(
        words,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _part(name: str, text: str) -> re.Match[str]:
    begin, end = f"<!-- told by {name} -->", f"<!-- end of {name} -->"
    found = re.search(rf"{re.escape(begin)}(?P<words>.*?){re.escape(end)}", text, re.S)
    if not found:
        raise LookupError(f"The page lacks `{begin}` and `{end}`: put both back.")
    return found
