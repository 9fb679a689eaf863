"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("group_key", sa.String(), nullable=False, index=True),
        sa.Column("dedup_key", sa.String(), nullable=False, unique=True),
        sa.Column("state", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("incident_id", sa.Integer(), index=True),
        sa.Column("run_id", sa.Integer(), index=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "alert",
        sa.Column("fingerprint", sa.String(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), index=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("starts_at", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), index=True),
        sa.Column("state", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "ticket",
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("due_at", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "message",
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("timestamp", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
    )
    op.create_table(
        "waiting",
        sa.Column("place", sa.String(), primary_key=True),
        sa.Column("since", sa.Float(), nullable=False),
    )
    op.create_table(
        "seen",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("at", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Drop them, and all that they hold."""
    for table in ("seen", "waiting", "message", "ticket", "run", "alert", "event", "incident"):
        op.drop_table(table)
