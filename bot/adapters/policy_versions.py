"""The versions of the policy files, as the database has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, exc
from sqlmodel import Session, col, select

from bot.adapters.tables import PolicyRow
from bot.domain.errors import TemporaryError
from bot.ports.policies import PolicyVersion


class SqlPolicyVersions:
    """`PolicyVersions` on an engine made by `database.create`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self, name: str, limit: int) -> Sequence[PolicyVersion]:
        """Raises `TemporaryError` when the database can't be reached."""
        query = select(PolicyRow.digest, PolicyRow.at).where(PolicyRow.name == name)
        query = query.order_by(col(PolicyRow.at).desc()).limit(limit)
        try:
            with Session(self._engine) as session:
                rows = session.exec(query).all()
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise TemporaryError(f"The policies can't be read: {error}") from error
        return [PolicyVersion(digest, datetime.fromisoformat(at)) for digest, at in rows]
