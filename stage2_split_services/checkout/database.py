"""The checkout's own database: its table, which no other service can reach."""

import sqlalchemy as sa

from .connections import Database, after, migrate, moment, now

__all__ = ["Database", "after", "migrate", "now"]

metadata = sa.MetaData()

# Guests and products are in other databases: nothing here can refer to them, so what an
# order needs of them is written down with it. `release_due` and `notify_due` are what
# other services must still be told of an order that has ended.
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("guest_id", sa.Text, nullable=False),
    sa.Column("guest_email", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("product_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("delivery_address", sa.Text, nullable=False),
    sa.Column("delivery_date", sa.Date, nullable=False),
    sa.Column("payment_method", sa.Text, nullable=False),
    sa.Column("payment_attempt", sa.Integer, nullable=False),
    sa.Column("payment_intent_id", sa.Text),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("created_at", moment, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
    sa.Column("leased_until", moment, nullable=False),
    sa.Column("release_due", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("notify_due", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("orders_of_guest", "guest_id", "created_at", "order_id"),
    sa.Index(
        "orders_unfinished",
        "leased_until",
        postgresql_where=sa.text("status = 'pending'"),
    ),
    sa.Index(
        "orders_with_loose_ends",
        "leased_until",
        postgresql_where=sa.text("release_due OR notify_due"),
    ),
)
