"""Connections to PostgreSQL, its clock, and the migrations of its schema."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from .errors import Unavailable

log = logging.getLogger(__name__)

# PostgreSQL ends a statement that takes longer; where it does not even do that, we stop
# waiting a little later.
STATEMENT_SECONDS = 5
SILENCE_SECONDS = 8.0

moment = sa.DateTime(timezone=True)


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that does not wait for ever for a server that has fallen silent."""

    def wait(
        self, gen: Any, interval: float = 0.1, timeout: float | None = None
    ) -> Any:
        """Wait for an answer.

        Raises:
            OperationalError: there was none in time; the connection is closed.
        """
        try:
            return super().wait(gen, interval, timeout or SILENCE_SECONDS)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise


class Database:
    """Connections to PostgreSQL.

    Args:
        url: as SQLAlchemy writes it, `postgresql+psycopg://...`.
        connections: how many this process keeps. With more threads than that, two more
            are made when they must, and who finds none waits for one.
    """

    def __init__(self, url: str, connections: int = 10) -> None:
        self.engine = sa.create_engine(
            url,
            # A statement alone is a transaction already; BEGIN and COMMIT around it
            # would be two more journeys to the database.
            isolation_level="AUTOCOMMIT",
            # An error's text ends in the log, where addresses and hashes do not belong.
            hide_parameters=True,
            skip_autocommit_rollback=True,  # there is nothing to roll back
            pool_size=connections,
            max_overflow=2,
            pool_timeout=5,
            connect_args={
                "connect_timeout": 3,
                "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC",
            },
        )
        self._transactions = self.engine.execution_options(
            isolation_level="READ COMMITTED"
        )

        @sa.event.listens_for(self.engine, "do_connect")
        def connect(
            dialect: Any, record: Any, args: list[Any], options: dict[str, Any]
        ) -> ImpatientConnection:
            return ImpatientConnection.connect(*args, **options)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """Run a block in one transaction: all of it happens, or nothing.

        Raises:
            Unavailable: the database cannot be reached or does not answer in time.
        """
        return _lent(self._transactions.begin)

    def statement(
        self, tx: sa.Connection | None = None
    ) -> AbstractContextManager[sa.Connection]:
        """Lend a connection for statements that are each a transaction of its own.

        Args:
            tx: a connection that was lent already, to go on with.

        Raises:
            Unavailable: the database cannot be reached or does not answer in time.
        """
        return _lent(self.engine.connect) if tx is None else nullcontext(tx)

    def reachable(self) -> bool:
        """Whether the database answers now."""
        try:
            with self.statement() as tx:
                tx.execute(sa.text("SELECT 1"))
        except Unavailable:
            return False
        return True


@contextmanager
def _lent(
    opened: Callable[[], AbstractContextManager[sa.Connection]],
) -> Iterator[sa.Connection]:
    try:
        with opened() as connection:
            yield connection
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        log.error("database away", extra={"reason": str(error.__cause__ or error)})
        raise Unavailable(
            "We cannot reach our database now. Nothing was lost; try again."
        ) from error


def now() -> sa.Function[dt.datetime]:
    """The database's clock, so that the processes of one run agree on leases."""
    return sa.func.clock_timestamp(type_=moment)


def after(seconds: float) -> sa.ColumnElement[dt.datetime]:
    """A moment from now by the database's clock.

    Args:
        seconds: how far from now.
    """
    return now() + dt.timedelta(seconds=seconds)


def migrate(url: str, wait_seconds: float = 30.0) -> None:
    """Bring the schema to its newest version; wait for a database that is starting.

    Args:
        url: as SQLAlchemy writes it.
        wait_seconds: how long to wait for the database.

    Raises:
        sqlalchemy.exc.OperationalError: the database did not come up in time.
    """
    # Not needed for anything but this, and large.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = sa.create_engine(url, connect_args={"connect_timeout": 3})
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            with engine.begin() as connection:
                # Two copies that start at once must not migrate at once.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(20261123)"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            break
        except exc.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    engine.dispose()
