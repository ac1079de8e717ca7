"""Counting calls in the database, where all workers of all copies see one count."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from .database import rate_counters

WINDOW = dt.timedelta(minutes=1)
CLEARED_AT_ONCE = 100


def count(tx: sa.Connection, name: str, now: dt.datetime) -> int:
    """Count one call and tell how many there were in this minute.

    Args:
        tx: the transaction in which it counts.
        name: what is counted, `partner:...` say.
        now: the time (UTC).
    """
    start = window_start(now)
    _clear(tx, start - WINDOW)
    counted = (
        insert(rate_counters)
        .values(name=name, window_start=start, count=1)
        .on_conflict_do_update(
            index_elements=["name", "window_start"],
            set_={"count": rate_counters.c.count + 1},
        )
        .returning(rate_counters.c.count)
    )
    return int(tx.execute(counted).scalar_one())


def counted(tx: sa.Connection, name: str, now: dt.datetime) -> int:
    """Tell how many calls were counted in this minute, without counting one."""
    found = sa.select(rate_counters.c.count).where(
        rate_counters.c.name == name, rate_counters.c.window_start == window_start(now)
    )
    return int(tx.execute(found).scalar_one_or_none() or 0)


def window_start(now: dt.datetime) -> dt.datetime:
    """The beginning of the minute in which this time lies."""
    return now.replace(second=0, microsecond=0)


def seconds_left(now: dt.datetime) -> int:
    """Whole seconds until the next minute begins; at least one."""
    return 60 - now.second


def _clear(tx: sa.Connection, before: dt.datetime) -> None:
    """Delete counters of the past, whoever's.

    Somebody who guesses at addresses leaves a counter at each and does not come back to
    it, so its own name is not enough. A minute is spared for processes whose clock is
    late; rows that another call holds are left to it, so that no two wait in a circle.
    """
    name, begun = rate_counters.c.name, rate_counters.c.window_start
    over = (
        sa.select(name, begun)
        .where(begun < before)
        .limit(CLEARED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    tx.execute(sa.delete(rate_counters).where(sa.tuple_(name, begun).in_(over)))
