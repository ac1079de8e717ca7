"""The one table of what every stage has alike, and of what is the lesson.

A name that two packages share is either carried over, and then the same file byte for
byte, or a seam, and then `make diff` shows it. `make carry` copies what is carried over
from the first of its homes to the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

STAGES = {1: "stage1_monolith", 2: "stage2_split_services"}
# In the order in which a guest meets them.
PACKAGES = {
    1: ("concierge",),
    2: ("identity", "catalog", "nlu", "checkout", "notifications"),
}


def homes(stage: int, *packages: str) -> tuple[str, ...]:
    """Return the folders of packages of a stage, all of them unless some are named."""
    return tuple(f"{STAGES[stage]}/{name}" for name in packages or PACKAGES[stage])


@dataclass(frozen=True)
class Carried:
    """Files that are the same in each of their homes.

    Attributes:
        files: their paths inside a package.
        homes: the packages; the first one holds the original.
        with_imports: whatever these files import of their own package comes along.
    """

    files: tuple[str, ...]
    homes: tuple[str, ...]
    with_imports: bool = False


MONOLITH = homes(1)

CARRIED = (
    Carried(("errors.py", "logs.py", "web.py", "wire.py"), MONOLITH + homes(2)),
    Carried(
        ("passwords.py", "data/widely_used_passwords.txt", "rate_limits.py"),
        MONOLITH + homes(2, "identity"),
    ),
    Carried(
        ("connections.py",),
        MONOLITH + homes(2, "identity", "catalog", "checkout", "notifications"),
    ),
    Carried(("products.py", "data/products.json"), MONOLITH + homes(2, "catalog")),
    Carried(
        ("dialogue.py", "understanding.py"),
        MONOLITH + homes(2, "nlu"),
        with_imports=True,
    ),
    Carried(
        ("data/cities.txt", "data/intents.txt"),
        MONOLITH + homes(2, "nlu"),
    ),
    Carried(("orders.py", "payments.py"), MONOLITH + homes(2, "checkout")),
    Carried(("letters.py",), MONOLITH + homes(2, "notifications")),
    Carried(("guests.py",), homes(2, "identity", "catalog", "nlu", "checkout")),
    Carried(("callers.py",), homes(2, "catalog", "nlu", "checkout", "notifications")),
    Carried(("deadlines.py",), homes(2)),
    Carried(("calls.py",), homes(2, "checkout", "nlu")),
)

# In the order in which to read them: each name, and what moves there.
LESSONS = {
    "checkout.py": "function calls become calls over HTTP, each of which may be lost",
    "order_store.py": "one transaction over three tables becomes one over its own",
    "catalog.py": "others ask for products and stock over HTTP, and may ask twice",
    "nlu.py": "the conversation lies in Redis, products and orders come over HTTP",
    "notifications.py": "letters are asked for over HTTP, and sent after the answer",
    "identity.py": "a token in a table becomes a signed one that anybody can verify",
    "sweep.py": "each service finishes its own work",
    "database.py": "every table in one place becomes a database a service",
    "routes.py": "each service has its own operations",
}
# What follows from that: told of in a line, unless it is asked for.
CONSEQUENCES = {
    "Procfile": "one process with everything becomes a process a capability",
    "services.py": "each service puts together only its own parts",
    "config.py": "each service has settings of its own",
    "setup.py": "each service makes its own database ready",
    "app.py": "one application becomes five",
    "gunicorn.conf.py": "each service is scaled alone",
    "requirements.txt": "each service installs only what it needs",
    "internal.py": "what services ask of each other, and guests never",
    "migrations/env.py": "each database has a history of its own",
    "migrations/versions/0001_the_first_tables.py": "each database has its own tables",
}
SEAMS = LESSONS | CONSEQUENCES

# What a package has that is neither code of the product nor a seam.
NOT_COMPARED = ("__init__.py",)


def carried(root: Path = REPOSITORY) -> dict[str, list[tuple[str, ...]]]:
    """Return the homes of each carried-over file, by the file's path in a package.

    Args:
        root: the repository.
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    for row in CARRIED:
        files: Iterable[str] = row.files
        if row.with_imports:
            files = with_imports(root / row.homes[0], row.files)
        for file in files:
            found.setdefault(file, []).append(row.homes)
    return found


def copies(root: Path = REPOSITORY) -> Iterator[tuple[Path, Path]]:
    """Return each original with each of its copies, whether it is there or not.

    Args:
        root: the repository.
    """
    for file, groups in sorted(carried(root).items()):
        for original, *others in groups:
            yield from ((root / original / file, root / at / file) for at in others)


def with_imports(package: Path, files: Iterable[str]) -> set[str]:
    """Return modules of a package and all that they import of it, one after the other.

    Args:
        package: the package's folder.
        files: the modules to begin with.
    """
    waiting = set(files)
    found: set[str] = set()
    while waiting:
        file = waiting.pop()
        found.add(file)
        waiting |= {f"{name}.py" for name in siblings(package / file)} - found
    return found


def siblings(module: Path) -> set[str]:
    """Return the names of the modules beside a module that it imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            named = {alias.name for alias in node.names}
            names |= {node.module.partition(".")[0]} if node.module else named
    return names


def sources(home: Path) -> set[str]:
    """Return what of a package is compared: modules, and the list of what it needs."""
    found = [*home.rglob("*.py"), *home.glob("requirements.txt")]
    names = {str(path.relative_to(home)) for path in found}
    return {name for name in names if Path(name).name not in NOT_COMPARED}
