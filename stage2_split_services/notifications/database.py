"""The notifications' own database: its table, which no other service can reach."""

import sqlalchemy as sa

from .connections import Database, after, migrate, moment, now

__all__ = ["Database", "after", "migrate", "now"]

metadata = sa.MetaData()

# Everything that the letter says came with the request: orders and accounts are in
# databases that cannot be joined with this one.
notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("delivery_address", sa.Text, nullable=False),
    sa.Column("delivery_date", sa.Date, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("leased_until", moment, nullable=False),
    sa.Column("sent_at", moment),
    sa.Index(
        "notifications_unsent",
        "leased_until",
        postgresql_where=sa.text("sent_at IS NULL"),
    ),
)
