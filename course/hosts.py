"""What a page would have a browser fetch from other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

# What is only told or followed by hand: everything else that names an address loads it.
FOLLOWED = {"a"}
TOLD = {("link", "canonical")}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the addresses that a tag loads."""
        told = dict(attrs)
        if tag in FOLLOWED or (tag, told.get("rel")) in TOLD:
            return
        for name in ("src", "href", "data", "action", "srcset", "poster"):
            value = told.get(name) or ""
            if value.startswith("//") or "://" in value:
                self.found.append(value)


def foreign(html: str) -> Iterator[str]:
    """Return the addresses on other hosts that a page loads.

    Args:
        html: the whole page.
    """
    reader = _Reader()
    reader.feed(html)
    yield from reader.found
