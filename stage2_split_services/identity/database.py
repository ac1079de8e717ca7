"""Identity's own database: its tables."""

import sqlalchemy as sa

from .connections import Database, after, migrate, moment, now

__all__ = ["Database", "after", "migrate", "now"]

metadata = sa.MetaData()

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("guest_id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("created_at", moment, nullable=False),
)
signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("private_key", sa.LargeBinary, nullable=False),
    sa.Column("created_at", moment, nullable=False),
)
rate_counters = sa.Table(
    "rate_counters",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("window_start", moment, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)
