"""Show how one stage became another: `make diff FROM=1 TO=2`.

What is carried over has a line each. Then come the seams, in the order in which to read
them, what follows from them, and the modules that only one of the stages has.
`ONLY=checkout` keeps to one service or module; `ALL=yes` shows everything in full.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .carried_over import (
    LESSONS,
    ORIGINS,
    PACKAGES,
    REPOSITORY,
    STAGES,
    carried,
    homes,
    named,
    placed,
    seams,
    sources,
    told_between,
)

# With fewer equal lines, a difference would be both texts, one after the other.
LEAST_KEPT = 0.25
COLOURS = {"+": "32", "-": "31", "@": "36"}


class Comparison:
    """Two stages side by side, told line by line.

    Args:
        before: the number of the stage to start from.
        after: the number of the stage to arrive at.
        only: the one service or module to tell of; all of them unless it is given.
        in_full: show also the texts that have nothing to be compared with.
        root: the repository.
    """

    def __init__(
        self,
        before: int,
        after: int,
        only: str | None = None,
        in_full: bool = False,
        root: Path = REPOSITORY,
    ) -> None:
        self.before = before
        self.after = after
        self._only = only
        self._in_full = in_full
        self._root = root
        self._carried = carried(root)
        self._seams = seams(before, after)
        self._lessons = told_between(LESSONS, before, after)

    def told(self) -> Iterator[str]:
        """Tell all of it."""
        if not self._only:
            yield "==== The same file in both stages, byte for byte"
            yield from self.carried_over()
        yield from self.seams()
        for stage in (self.before, self.after):
            yield from ("", f"==== Only in {STAGES[stage]}")
            yield from self.only_in(stage)
        if not self._in_full:
            command = f"make diff FROM={self.before} TO={self.after}"
            yield from ("", f"To read what is new as well: {command} ALL=yes")

    def carried_over(self) -> Iterator[str]:
        """Tell which files are the same in both, a line each."""
        for file in sorted(self._carried):
            goes_to = [
                Path(home).name
                for home in homes(self.after)
                if self._is_carried(placed(self._root / home, file))
            ]
            if goes_to:
                yield f"{file} -> {', '.join(goes_to)}"

    def seams(self) -> Iterator[str]:
        """Tell what moved: the lessons in full, what follows from them in a line."""
        for name, lesson in self._seams.items():
            pairs = [pair for pair in self._pairs(name) if self._wanted(pair[1])]
            if not pairs:
                continue
            once = self._origin(name)
            title = name if once == name else f"{name}, once {once}"
            yield from ("", f"==== {title}: {lesson}")
            if name not in self._lessons and not (self._in_full or self._only):
                yield from map(self._counted, pairs)
            else:
                yield from self._compared(pairs)

    def only_in(self, stage: int) -> Iterator[str]:
        """Tell which modules only this one of the two has, and what they are.

        Args:
            stage: its number.
        """
        compared = self._compared_names(stage)
        # The same text in several services is told of once.
        alone: dict[tuple[str, str], list[Path]] = {}
        for home in homes(stage):
            for name in sorted(sources(self._root / home)):
                path = placed(self._root / home, name)
                if name not in compared and not self._is_carried(path):
                    alone.setdefault((name, text_of(path)), []).append(path)
        for (name, _), paths in alone.items():
            if any(map(self._wanted, paths)):
                at = ", ".join(path.relative_to(self._root).parts[1] for path in paths)
                yield from self._described(f"{name} ({at})", paths[0])

    def _pairs(self, name: str) -> list[tuple[Path, Path]]:
        """Return each file of that name with the one that it came from."""
        olds = self._places(self.before, self._origin(name))
        return [
            (next((old for old in olds if self._package(old) == at), olds[0]), new)
            for new in self._places(self.after, name)
            for at in [self._package(new)]
            # Of a service that nobody had to touch there is nothing to tell.
            if olds and not self._is_carried(new)
        ]

    def _origin(self, name: str) -> str:
        """Return what a file was called in the stage before."""
        for stage in range(self.after, self.before, -1):
            name = ORIGINS.get(stage, {}).get(name, name)
        return name

    def _compared_names(self, stage: int) -> set[str]:
        """Return the names in a stage that are compared with something."""
        names = {name for name in self._seams if self._pairs(name)}
        return names if stage == self.after else {self._origin(name) for name in names}

    def _counted(self, pair: tuple[Path, Path]) -> str:
        before, after = map(lines_of, pair)
        lines = [line[:1] for line in difflib.ndiff(before, after)]
        counts = f"+{lines.count('+')} -{lines.count('-')}"
        return f"{self._shown(pair[1])}: {counts} lines"

    def _compared(self, pairs: list[tuple[Path, Path]]) -> Iterator[str]:
        """Tell each difference, and once what several heirs of a file left behind."""
        near = [pair for pair in pairs if is_near(*pair)]
        told: set[tuple[str, str]] = set()
        for old, new in pairs:
            # What several services have alike is told of once.
            texts = text_of(old), text_of(new)
            if texts in told:
                continue
            told.add(texts)
            yield ""
            if (old, new) not in near:
                yield from self._described(f"{self._shown(new)}, written anew", new)
                continue
            names = self._shown(old), self._shown(new)
            lines = unified(old, new, names) or [f"{names[1]} is {names[0]} as it was"]
            heirs = [heir for elder, heir in near if elder == old]
            several = len(heirs) > 1
            yield from (line for line in lines if not (several and is_loss(line)))
            if several and new == heirs[-1]:
                yield from ("", f"{names[0]}: what none of them kept")
                kept = {line for heir in heirs for line in lines_of(heir)}
                yield from (f"-{line}" for line in lines_of(old) if line not in kept)

    def _described(self, title: str, path: Path) -> Iterator[str]:
        yield f"{title}: {first_line(path)}"
        if self._in_full:
            yield from ("", *lines_of(path), "")

    def _places(self, stage: int, name: str) -> list[Path]:
        folder = self._root / STAGES[stage]
        packages = [folder / package for package in PACKAGES[stage]]
        found = [placed(at, name) for at in (folder, *packages)]
        return [path for path in found if path.is_file()]

    def _is_carried(self, path: Path) -> bool:
        """Tell whether this very file is one that both stages have."""
        home, file = self._parts(path)
        return any(
            home in group and all(map(set(group).intersection, self._both()))
            for group in self._carried.get(file, [])
        )

    def _both(self) -> list[tuple[str, ...]]:
        return [homes(self.before), homes(self.after)]

    def _wanted(self, path: Path) -> bool:
        home, file = self._parts(path)
        return self._only in (None, Path(home).name, Path(file).stem)

    def _package(self, path: Path) -> str:
        return Path(self._parts(path)[0]).name

    def _parts(self, path: Path) -> tuple[str, str]:
        home = "/".join(path.relative_to(self._root).parts[:2])
        return home, named(self._root / home, path)

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._root))


def text_of(path: Path) -> str:
    """Return the text of a source."""
    return path.read_text(encoding="utf-8")


def lines_of(path: Path) -> list[str]:
    """Return the lines of a source."""
    return text_of(path).splitlines()


def is_near(old: Path, new: Path) -> bool:
    """Tell whether so much of a file was kept that its difference can be read."""
    matcher = difflib.SequenceMatcher(None, lines_of(old), lines_of(new), False)
    return matcher.ratio() >= LEAST_KEPT


def unified(old: Path, new: Path, names: tuple[str, str]) -> list[str]:
    """Return the difference of two files; nothing when there is none."""
    lines = lines_of(old), lines_of(new)
    return list(difflib.unified_diff(*lines, *names, n=2, lineterm=""))


def is_loss(line: str) -> bool:
    """Tell whether a line of a difference is one that was only left out."""
    return line.startswith("-") and not line.startswith("--- ")


def first_line(path: Path) -> str:
    """Return the first line of what a source says of itself."""
    if path.suffix == ".py":
        said = ast.get_docstring(ast.parse(text_of(path))) or ""
    else:
        said = text_of(path).lstrip("# ")
    return said.partition("\n")[0]


def coloured(line: str) -> str:
    """Return a line in the colour of what it is, for a terminal."""
    if line.startswith(("====", "--- ", "+++ ")):
        return f"\033[1m{line}\033[0m"
    colour = COLOURS.get(line[:1])
    return f"\033[{colour}m{line}\033[0m" if colour else line


def main() -> int:
    """Compare two stages on standard output."""
    parser = argparse.ArgumentParser(prog="make diff", description=__doc__)
    parser.add_argument("before", type=int, choices=STAGES)
    parser.add_argument("after", type=int, choices=STAGES)
    parser.add_argument("--only", help="a service or a module to which to keep")
    parser.add_argument("--all", action="store_true", help="show what is new in full")
    args = parser.parse_args()
    paint = coloured if sys.stdout.isatty() else str
    comparison = Comparison(args.before, args.after, args.only or None, args.all)
    try:
        for line in comparison.told():
            print(paint(line))
        sys.stdout.flush()
    except BrokenPipeError:  # `make diff | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
