"""The replicas that work on this database, and the Alertmanagers known to be asked."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "replica",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("taken_by", sa.String(), nullable=False),
    )
    op.create_table(
        "asked_origin",
        sa.Column("origin", sa.String(), primary_key=True),
        sa.Column("members", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("asked_origin")
    op.drop_table("replica")
