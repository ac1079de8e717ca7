"""The one table of what every stage has alike, and of what is the lesson.

A name that two packages share is either carried over, and then the same file byte for
byte, or a seam between their stages, and then `make diff` shows it. `make carry` copies
what is carried over from the first of its homes to the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

STAGES = {
    1: "stage1_monolith",
    2: "stage2_split_services",
    3: "stage3_serverless",
    4: "stage4_async",
}
# In the order in which a guest meets them.
PACKAGES = {
    1: ("concierge",),
    2: ("identity", "catalog", "nlu", "checkout", "notifications"),
    3: ("catalog", "nlu", "checkout"),
    4: ("catalog", "nlu", "checkout", "payments", "notifications", "receipts"),
}
# Chalice wants all modules but the entrypoint in this folder of a package. A file is
# called the same wherever it lies, so its name is told without it.
LIBRARY = "chalicelib"
BESIDE_LIBRARY = {"app.py", "requirements.txt"}
# What Chalice is told of a package, in a folder of its own.
CHALICE = ".chalice/"
# What it keeps there of what it made, and others of what they ran.
LEFT_BEHIND = {"__pycache__", "deployments", "deployed"}


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
    Carried(("errors.py",), MONOLITH + homes(2) + homes(3) + homes(4)),
    Carried(
        ("wire.py",),
        MONOLITH
        + homes(2)
        + homes(3)
        + homes(4, "catalog", "nlu", "checkout", "payments"),
    ),
    Carried(("logs.py", "web.py"), MONOLITH + homes(2)),
    Carried(
        ("passwords.py", "data/widely_used_passwords.txt", "rate_limits.py"),
        MONOLITH + homes(2, "identity"),
    ),
    Carried(
        ("connections.py",),
        MONOLITH + homes(2, "identity", "catalog", "checkout", "notifications"),
    ),
    Carried(
        ("products.py", "data/products.json"),
        MONOLITH + homes(2, "catalog") + homes(3, "catalog") + homes(4, "catalog"),
    ),
    Carried(
        ("dialogue.py", "understanding.py"),
        MONOLITH + homes(2, "nlu") + homes(3, "nlu") + homes(4, "nlu"),
        with_imports=True,
    ),
    Carried(
        ("data/cities.txt", "data/intents.txt"),
        MONOLITH + homes(2, "nlu") + homes(3, "nlu") + homes(4, "nlu"),
    ),
    Carried(
        ("orders.py",),
        MONOLITH
        + homes(2, "checkout")
        + homes(3, "checkout")
        + homes(4, "checkout", "payments"),
    ),
    Carried(
        ("payments.py",),
        MONOLITH + homes(2, "checkout") + homes(3, "checkout") + homes(4, "payments"),
    ),
    Carried(
        ("letters.py",),
        MONOLITH
        + homes(2, "notifications")
        + homes(3, "checkout")
        + homes(4, "notifications"),
    ),
    Carried(("guests.py",), homes(2, "identity", "catalog", "nlu", "checkout")),
    Carried(("callers.py",), homes(2, "catalog", "nlu", "checkout", "notifications")),
    Carried(("deadlines.py",), homes(2)),
    Carried(("calls.py",), homes(2, "checkout", "nlu")),
    Carried(("aws.py", "database.py", "deadline.py", "logs.py"), homes(3) + homes(4)),
    Carried(("web.py",), homes(3) + homes(4, "catalog", "nlu", "checkout")),
    Carried(
        ("calls.py",),
        homes(3, "checkout", "nlu") + homes(4, "checkout", "nlu", "payments"),
    ),
    Carried(("guests.py",), homes(3, "checkout", "nlu") + homes(4, "checkout", "nlu")),
    Carried(("public_api.yaml",), (STAGES[3], STAGES[4])),
    Carried(("charge_order.py",), homes(4, "checkout", "payments")),
    Carried(
        ("consumer.py", "order_event.py"),
        homes(4, "payments", "checkout", "notifications", "receipts"),
    ),
)
# Services that nobody had to touch: all of their files, entrypoint and settings too.
WHOLE = tuple(
    (*homes(3, service), *homes(4, service)) for service in ("catalog", "nlu")
)

# In the order in which to read them: each name, and what moves there.
LESSONS_OF_SPLITTING = {
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
CONSEQUENCES_OF_SPLITTING = {
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
LESSONS_OF_SERVERLESS = {
    "app.py": "API Gateway finds the operation, and IAM has let the caller in",
    "checkout.py": "all in one call again, which Lambda may end at any moment",
    "order_store.py": "rows become items, and a WHERE becomes a condition",
    "reservations.py": "an open transaction becomes one that is asked for whole",
    "database.py": "no connection is held; each call is a signed request",
    "catalog.py": "what was a query becomes a key, an index or a signed call",
    "nlu.py": "the conversation lies in DynamoDB, which takes it away in time",
    "purchases.py": "nlu asks under its own role, no more with the guest's token",
    "guests.py": "API Gateway has verified the guest's signature",
    "calls.py": "a secret between two services becomes the caller's own role",
    "notifications.py": "letters and texts are sent in the call, by SES and SNS",
    "sweep.py": "a schedule calls it; there is no thread to keep",
    "web.py": "requests come as events, and no server is ours",
    "logs.py": "CloudWatch takes the lines, and Powertools writes them",
}
CONSEQUENCES_OF_SERVERLESS = {
    "services.py": "a worker puts its parts together before its first request",
    "config.py": "tables and roles instead of addresses and secrets",
    "internal.py": "letters are no more asked of a service of ours",
    "requirements.txt": "every megabyte is loaded when a worker starts",
}
LESSONS_OF_ASYNC = {
    "app.py": "checkout answers before the work; queues call functions as guests do",
    "checkout.py": "accepting is all of it: an item, a message, 202",
    "order_store.py": "the order's item is the outbox, and hears how it ended",
    "sweep.py": "it works on nothing any more: it sends again what may be lost",
    "notifications.py": "an event's copy in a queue is told of, once for each event",
    "resources.yaml": "queues, their dead letters, a topic, alarms",
}
CONSEQUENCES_OF_ASYNC = {
    "catalog.py": "checkout asks for prices, payments for stock",
    "services.py": "each service puts together only its own parts",
    "config.py": "queues and a topic instead of what others were called for",
    "requirements.txt": "only payments brings Stripe's library",
}
# By the stage that is arrived at.
LESSONS = {2: LESSONS_OF_SPLITTING, 3: LESSONS_OF_SERVERLESS, 4: LESSONS_OF_ASYNC}
CONSEQUENCES = {
    2: CONSEQUENCES_OF_SPLITTING,
    3: CONSEQUENCES_OF_SERVERLESS,
    4: CONSEQUENCES_OF_ASYNC,
}
# Where a file came from that had another name, by the stage that is arrived at.
ORIGINS = {3: {"app.py": "routes.py"}}

# What a package has that is neither code of the product nor a seam.
NOT_COMPARED = ("__init__.py",)


def told_between(
    table: dict[int, dict[str, str]], before: int, after: int
) -> dict[str, str]:
    """Return what a table tells of the way from one stage to another.

    Args:
        table: `LESSONS` or `CONSEQUENCES`.
        before: the stage to start from.
        after: the stage to arrive at.
    """
    told: dict[str, str] = {}
    for stage in range(after, before, -1):
        told |= {name: said for name, said in table[stage].items() if name not in told}
    return told


def seams(before: int, after: int) -> dict[str, str]:
    """Return the names that differ between two stages, and why."""
    between = [told_between(table, before, after) for table in (LESSONS, CONSEQUENCES)]
    return between[0] | between[1]


def placed(home: Path, file: str) -> Path:
    """Return where a file of a package lies.

    Args:
        home: the package's folder.
        file: its name.
    """
    library = home / LIBRARY
    return (
        library / file
        if library.is_dir()
        and file not in BESIDE_LIBRARY
        and not file.startswith(CHALICE)
        else home / file
    )


def named(home: Path, path: Path) -> str:
    """Return the name of a file of a package, wherever it lies in it."""
    return str(path.relative_to(home)).removeprefix(f"{LIBRARY}/")


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
    for homes_of_whole in WHOLE:
        for file in files_of(root / homes_of_whole[0]):
            found.setdefault(file, []).append(homes_of_whole)
    return found


def files_of(home: Path) -> set[str]:
    """Return the names of all files of a package, with what Chalice is told of it."""
    return {
        named(home, path)
        for path in home.rglob("*")
        if path.is_file() and not LEFT_BEHIND & set(path.parts)
    }


def copies(root: Path = REPOSITORY) -> Iterator[tuple[Path, Path]]:
    """Return each original with each of its copies, whether it is there or not.

    Args:
        root: the repository.
    """
    for file, groups in sorted(carried(root).items()):
        for original, *others in groups:
            yield from (
                (placed(root / original, file), placed(root / at, file))
                for at in others
            )


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
    names = {named(home, path) for path in found}
    return {name for name in names if Path(name).name not in NOT_COMPARED}
