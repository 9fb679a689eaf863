"""Occurrences, alert groups, relations, maintenance windows, heartbeats, policies."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and an index of what fires."""
    op.create_index("ix_alert_status_incident_id", "alert", ["status", "incident_id"])
    op.create_table(
        "occurrence",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "alert_group",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("receiver", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "relation",
        sa.Column("place", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), nullable=False, index=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
    )
    op.create_table(
        "maintenance_window",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("starts_at", sa.String(), nullable=False),
        sa.Column("ends_at", sa.String(), nullable=False, index=True),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "hidden",
        sa.Column("window_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("incident_id", sa.Integer(), primary_key=True, autoincrement=False),
    )
    op.create_table(
        "beat",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("document", sa.String(), nullable=False),
    )
    op.create_table(
        "policy",
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Drop them, and all that they hold."""
    for table in (
        "policy",
        "beat",
        "hidden",
        "maintenance_window",
        "relation",
        "alert_group",
        "occurrence",
    ):
        op.drop_table(table)
    op.drop_index("ix_alert_status_incident_id", "alert")
