"""The monolith's one database: its tables."""

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
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.LargeBinary, primary_key=True),
    sa.Column("guest_id", sa.ForeignKey("accounts.guest_id"), nullable=False),
    sa.Column("expires_at", moment, nullable=False, index=True),
)
products = sa.Table(
    "products",
    metadata,
    sa.Column("product_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("keywords", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("occasions", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("serves", sa.Integer),
    sa.Column("pack", sa.Integer),
    sa.Column("unit_amount", sa.Integer, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("stock", sa.Integer, nullable=False),
    sa.Column("image_url", sa.Text, nullable=False),
    sa.CheckConstraint("stock >= 0", name="products_never_oversold"),
)
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("guest_id", sa.ForeignKey("accounts.guest_id"), nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("product_id", sa.ForeignKey("products.product_id"), nullable=False),
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
    sa.Index("orders_of_guest", "guest_id", "created_at", "order_id"),
    sa.Index(
        "orders_unfinished",
        "leased_until",
        postgresql_where=sa.text("status = 'pending'"),
    ),
)
notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("order_id", sa.ForeignKey("orders.order_id"), primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("leased_until", moment, nullable=False),
    sa.Column("sent_at", moment),
    sa.Index(
        "notifications_unsent",
        "leased_until",
        postgresql_where=sa.text("sent_at IS NULL"),
    ),
)
dialogues = sa.Table(
    "dialogues",
    metadata,
    sa.Column("guest_id", sa.ForeignKey("accounts.guest_id"), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
)
partners = sa.Table(
    "partners",
    metadata,
    sa.Column("key_hash", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rate_per_minute", sa.Integer, nullable=False),
)
rate_counters = sa.Table(
    "rate_counters",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("window_start", moment, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)
