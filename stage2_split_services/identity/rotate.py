"""Give identity a new signing key: `python -m identity.rotate`.

Whoever is signed in stays so: old tokens are verified with the old key, which is
published until the last of them has ended.
"""

import sys

from . import keys
from .config import SettingsError, load
from .database import Database
from .errors import Unavailable


def main() -> int:
    """Make the key; return the exit status."""
    try:
        settings = load()
        database = Database(settings.identity_database_url, connections=1)
        with database.transaction() as tx:
            key_id, gone = keys.rotate(tx, settings.token_ttl_seconds)
    except (SettingsError, Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    soon = keys.SETTLE_SECONDS + keys.LOOK_SECONDS
    print(f"{key_id} will sign in {soon:g} seconds. Keys forgotten: {gone}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
