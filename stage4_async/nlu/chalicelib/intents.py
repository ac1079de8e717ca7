"""The training phrases: which intents there are, and how guests put them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

OUT_OF_SCOPE = "out_of_scope"
DEFAULT_FILE = Path(__file__).parent / "data" / "intents.txt"

_HEADING = re.compile(r"\[([a-z][a-z0-9_]*)\]\s*(.*)")


class IntentFileError(ValueError):
    """The phrase file is wrong; the message names the file and the line."""


@dataclass(frozen=True)
class Intent:
    """One thing a guest may want, with the phrases that teach it."""

    name: str
    description: str
    phrases: tuple[str, ...]


def load_intents(path: Path = DEFAULT_FILE) -> tuple[Intent, ...]:
    """Read the intents of a phrase file, in its order.

    Raises IntentFileError, naming the line, for a heading it cannot read, an intent
    given twice or without phrases, a phrase outside any intent, and a phrase that
    two intents claim.
    """
    found: list[tuple[int, str, str, list[str]]] = []
    owners: dict[str, tuple[str, int]] = {}
    for number, raw in enumerate(_lines(path), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            heading = _HEADING.fullmatch(line)
            if not heading:
                raise _error(path, number, "a heading is `[name] What it means.`")
            name, description = heading.groups()
            if any(name == earlier[1] for earlier in found):
                raise _error(path, number, f"the intent [{name}] is there already")
            found.append((number, name, description, []))
            continue
        if not found:
            raise _error(path, number, "put a heading such as [greet] above it")
        intent = found[-1][1]
        key = normalise(line)
        owner, earlier_line = owners.setdefault(key, (intent, number))
        if owner != intent:
            reason = f"[{owner}] has the same phrase in line {earlier_line}"
            raise _error(path, number, f"{reason}; keep one of the two")
        found[-1][3].append(line)
    for number, name, _, phrases in found:
        if not phrases:
            raise _error(path, number, f"write at least one phrase below [{name}]")
    if not found:
        raise _error(path, 1, "the file has no intent; see its comment for the format")
    return tuple(Intent(name, text, tuple(said)) for _, name, text, said in found)


def normalise(text: str) -> str:
    """Return the text in lower case with plain apostrophes and single spaces."""
    plain = text.lower().replace("\u2019", "'")
    return " ".join(re.sub(r"[^\w'$%-]+", " ", plain).split())


def readable(text: str, length: int) -> str:
    """Return the first characters of a text, without any that UTF-8 cannot hold."""
    return text[:length].encode("utf-8", "replace").decode()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        message = f"{path}: cannot read the training phrases ({error.strerror})"
        raise IntentFileError(message) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _error(path, line, "save the file as UTF-8") from error


def _error(path: Path, line: int, reason: str) -> IntentFileError:
    return IntentFileError(f"{path}, line {line}: {reason}")


def main() -> int:
    """Print the intents, one a line, with a sentence on each."""
    try:
        intents = load_intents()
    except IntentFileError as error:
        print(f"intents: {error}", file=sys.stderr)
        return 2
    for intent in intents:
        print(f"{intent.name:18}{intent.description}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
