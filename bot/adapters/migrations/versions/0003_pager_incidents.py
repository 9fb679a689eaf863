"""Which of the pager's incidents hold our pages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "pager_incident",
        sa.Column("pager_id", sa.String(), primary_key=True),
        sa.Column("incident_id", sa.Integer(), primary_key=True, index=True),
        sa.Column("decided_at", sa.String(), nullable=False),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("pager_incident")
