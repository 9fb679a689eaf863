"""Who is in the chat's user groups."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "chat_group_member",
        sa.Column("handle", sa.String(), primary_key=True),
        sa.Column("user_id", sa.String(), primary_key=True, index=True),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("chat_group_member")
