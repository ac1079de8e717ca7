"""Orders."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "orders",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("guest_id", sa.Text(), nullable=False),
        sa.Column("guest_email", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("delivery_address", sa.Text(), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("payment_attempt", sa.Integer(), nullable=False),
        sa.Column("payment_intent_id", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "release_due", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column(
            "notify_due", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.PrimaryKeyConstraint("order_id"),
    )
    op.create_index(
        "orders_of_guest",
        "orders",
        ["guest_id", "created_at", "order_id"],
        unique=False,
    )
    op.create_index(
        "orders_unfinished",
        "orders",
        ["leased_until"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "orders_with_loose_ends",
        "orders",
        ["leased_until"],
        unique=False,
        postgresql_where=sa.text("release_due OR notify_due"),
    )


def downgrade() -> None:
    """Change it back."""
    op.drop_index(
        "orders_with_loose_ends",
        table_name="orders",
        postgresql_where=sa.text("release_due OR notify_due"),
    )
    op.drop_index(
        "orders_unfinished",
        table_name="orders",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("orders_of_guest", table_name="orders")
    op.drop_table("orders")
