"""Events of the pager that we don't know, and the tests of its way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "unknown_pager_event",
        sa.Column("event_id", sa.String(), primary_key=True),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False, index=True),
    )
    op.create_table(
        "page_test",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("document", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Drop them, and all that they hold."""
    op.drop_table("page_test")
    op.drop_table("unknown_pager_event")
