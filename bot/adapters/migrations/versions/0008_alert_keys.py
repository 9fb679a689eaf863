"""Alerts are found by what they share with others, then by their fingerprint.

Done in pages, since there may be millions of alerts. The rows come before the column's new
name: on SQLite a transaction begins with the first row that changes.
"""

import json
from collections.abc import Callable
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAGE = 1_000
SHARED_LABELS = ("alertname", "cluster", "namespace", "service", "job")


def upgrade() -> None:
    """Give each alert its key."""
    _replace("fingerprint", _key)
    op.execute("ALTER TABLE alert RENAME COLUMN fingerprint TO key")


def downgrade() -> None:
    """Go back to the fingerprints."""
    _replace("key", lambda alert: alert["fingerprint"])
    op.execute("ALTER TABLE alert RENAME COLUMN key TO fingerprint")


def _key(alert: dict[str, Any]) -> str:
    shared = "\n".join(alert["labels"].get(name, "") for name in SHARED_LABELS)
    return f"{crc32(shared.encode()):08x}{alert['fingerprint']}"


def _replace(column: str, made: Callable[[dict[str, Any]], str]) -> None:
    """Put into the column what is made of the alert. A page may hold rows that have it already."""
    rows = sa.table("alert", sa.column(column), sa.column("document"))
    key = rows.c[column]
    page = sa.select(key, rows.c.document).order_by(key).limit(PAGE)
    change = sa.update(rows).where(key == sa.bindparam("old")).values({key: sa.bindparam("new")})
    connection = op.get_bind()
    last = ""
    while found := connection.execute(page.where(key > last)).all():
        last = found[-1][0]
        both = [{"old": old, "new": made(json.loads(text)["alert"])} for old, text in found]
        if changed := [one for one in both if one["old"] != one["new"]]:
            connection.execute(change, changed)
