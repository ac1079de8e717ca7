"""The parts of identity, put together once for each process."""

from dataclasses import dataclass

from .config import Settings
from .database import Database
from .guests import Guests, RevokedTokens
from .identity import Identity
from .keys import SigningKeys
from .tokens import Tokens


@dataclass(frozen=True)
class Services:
    """What the routes call."""

    settings: Settings
    database: Database
    keys: SigningKeys
    revoked: RevokedTokens
    identity: Identity


def assemble(settings: Settings) -> Services:
    """Put the parts together; connects to nothing yet."""
    database = Database(settings.identity_database_url)
    keys = SigningKeys(database)
    revoked = RevokedTokens(settings.redis_url, settings.resilient)
    return Services(
        settings=settings,
        database=database,
        keys=keys,
        revoked=revoked,
        identity=Identity(
            database,
            Tokens(keys, settings.token_ttl_seconds),
            Guests(keys, revoked),
            revoked,
        ),
    )
