"""The pages of the course: what they print, where they lead, what they tell to type."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.meta.carried_over import REPOSITORY

DOCS = REPOSITORY / "docs"
LESSONS = sorted((DOCS / "tutorial").glob("[0-9]*.md"))
# What is typed here needs no stage.
WITHOUT_STAGE = [
    *(lesson for lesson in LESSONS if lesson.name[0] == "5"),
    DOCS / "how-to" / "teach-the-concierge-an-intent.md",
    DOCS / "how-to" / "deploy-to-aws-and-destroy.md",
    DOCS / "reference" / "costs.md",
    DOCS / "reference" / "limits.md",
]
FENCE = re.compile(
    r"^(?P<indent> *)(?P<marks>```+|~~~+)(?P<language>\w*)"
    r"(?: title=\"(?P<title>[^\"]*)\")?[ ]*\n"
    r"(?P<text>.*?)^ *(?P=marks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# What a command in the middle of a sentence begins with.
PROGRAM = re.compile(
    r"(?:[A-Z_]+=\S+ )*"
    r"(?:make [a-z]|curl |kill |pkill |(?:\.venv/bin/)?python3? |aws |cd \"|git |"
    r"gunicorn |\. \w)"
)


@dataclass(frozen=True)
class Fence:
    """A block between three backticks.

    Attributes:
        language: `python`, `diff`, `sh`, `text`, or nothing.
        title: what is printed above it.
        text: its lines.
    """

    language: str
    title: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Its lines, as they would be typed."""
        joined = re.sub(r"\\\n\s*", " ", self.text)
        lines = (re.sub(r"\s+# .*$", "", line).strip() for line in joined.split("\n"))
        return [line for line in lines if line and not line.startswith("#")]


def tracked(*patterns: str) -> list[Path]:
    """Return the files that are in git, or would be."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    return [
        REPOSITORY / name for name in names if name and (REPOSITORY / name).exists()
    ]


def name_of(page: Path) -> str:
    """Return a page's name, from the repository's root."""
    return str(page.relative_to(REPOSITORY))


def fences(text: str) -> list[Fence]:
    """Return the blocks of a page, in order."""
    return [
        Fence(
            at["language"],
            at["title"] or "",
            re.sub(f"^{at['indent']}", "", at["text"], flags=re.MULTILINE),
        )
        for at in FENCE.finditer(text)
    ]


def without_fences(text: str) -> str:
    """Return a page without its blocks."""
    return FENCE.sub("", text)


def anchors(text: str) -> set[str]:
    """Return where one may lead to in a page, as a code host and the site name it."""
    found: set[str] = set()
    for heading in HEADING.findall(without_fences(text)):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def dead_links(page: Path, text: str) -> Iterator[str]:
    """Tell which links of a page lead nowhere in the repository.

    Args:
        page: where it is.
        text: what it says.
    """
    for link in LINK.findall(INLINE.sub("", without_fences(text))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if target != page and not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and target.suffix == ".md":
            there = text if target == page else target.read_text(encoding="utf-8")
            if anchor not in anchors(there):
                yield f"{link}: there is no such heading"


def commands(text: str) -> Iterator[str]:
    """Return what a page tells to type, in blocks and in sentences."""
    for fence in fences(text):
        if fence.language == "sh":
            yield from fence.commands
        elif not fence.language:
            yield from (line for line in fence.commands if PROGRAM.match(line))
    for inline in INLINE.findall(without_fences(text)):
        if PROGRAM.match(inline):
            yield inline.strip()
