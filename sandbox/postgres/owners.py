"""Databases of several owners on one server, none of whom reaches another's.

Each owner has a user and a database of its name. Two things keep them apart: the
server's access file lets a user with its password (SCRAM, RFC 5802) into its own
database only, and the databases themselves let nobody but their owner connect.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from .cluster import SUPERUSER, Cluster

ACCESS_FILE = "pg_hba.owners.conf"


def read_passwords(path: Path) -> dict[str, str]:
    """Read the users and their passwords, the superuser's among them.

    Args:
        path: a JSON file with an object `databases`, made by the runner.

    Raises:
        RuntimeError: the file does not say so.
    """
    try:
        passwords = json.loads(path.read_text(encoding="utf-8"))["databases"]
        found = {str(name): str(password) for name, password in passwords.items()}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise RuntimeError(
            f"{path} does not tell the databases' passwords ({error!r}). Remove it; "
            "the runner makes a new one."
        ) from error
    for word in (*found, *found.values()):
        if not (word.isascii() and word.replace("_", "").isalnum()):
            raise RuntimeError(f"{path}: only letters, digits and _ in names and words")
    return found


def statements(passwords: Mapping[str, str]) -> list[str]:
    """Return what makes the users and their databases; harmless to repeat."""
    made = []
    for name, password in passwords.items():
        if name != SUPERUSER:
            made += [
                f'CREATE ROLE "{name}"',
                f'ALTER ROLE "{name}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE',
                f'CREATE DATABASE "{name}" OWNER "{name}"',
                f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC',
            ]
        made.append(f"ALTER ROLE \"{name}\" PASSWORD '{password}'")
    for name in (SUPERUSER, "template1"):
        made.append(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    return made


def write_access(cluster: Cluster, passwords: Mapping[str, str]) -> Path:
    """Write the server's access file: who may connect to what, and how.

    Source: PostgreSQL documentation, "The pg_hba.conf File".
    """
    rules = [f"host all {SUPERUSER} 127.0.0.1/32 scram-sha-256"]
    rules += [
        f'host "{name}" "{name}" 127.0.0.1/32 scram-sha-256'
        for name in passwords
        if name != SUPERUSER
    ]
    path = cluster.data / ACCESS_FILE
    path.write_text("\n".join(rules) + "\n", encoding="utf-8")
    path.chmod(0o600)
    if cluster.account:
        os.chown(path, cluster.account.uid, cluster.account.gid)
    return path
