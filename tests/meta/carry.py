"""Copy what is carried over to every stage: `make carry`.

Change a carried-over file where it first appears, run this, and commit both.
"""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path

from .carried_over import REPOSITORY, copies


def carry(root: Path = REPOSITORY) -> list[Path]:
    """Copy each original over its copies, and return the copies that changed.

    Args:
        root: the repository.

    Raises:
        FileNotFoundError: an original is not there; nothing was copied.
    """
    wanted = list(copies(root))
    for original, _ in wanted:
        if not original.is_file():
            raise FileNotFoundError(errno.ENOENT, "no original", str(original))
    changed = []
    for original, copy in wanted:
        if copy.exists() and copy.read_bytes() == original.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, copy)
        changed.append(copy)
    return changed


def main() -> int:
    """Copy, and say what changed."""
    try:
        changed = carry()
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: make it, or correct the table in")
        print("tests/meta/carried_over.py.")
        return 1
    for copy in changed:
        print(copy.relative_to(REPOSITORY))
    print(f"{len(changed)} files copied; the rest was the same already.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
