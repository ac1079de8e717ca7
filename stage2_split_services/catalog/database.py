"""The catalogue's own database: its tables, which no other service can reach."""

import sqlalchemy as sa

from .connections import Database, migrate, moment, now

__all__ = ["Database", "migrate", "now"]

metadata = sa.MetaData()

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
# The order that a reservation is for lives in another database, so its id is no foreign
# key. What was released before it was ever reserved has neither product nor quantity.
reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("order_id", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Text),
    sa.Column("quantity", sa.Integer),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("updated_at", moment, nullable=False),
)
