"""The replicas that work on this database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import col, select

from bot.adapters.store.base import Part, insert_into
from bot.adapters.tables import ReplicaRow
from bot.domain.replicas import Replica


class ReplicaReads(Part):
    """What is known of them."""

    def replicas(self) -> Sequence[Replica]:
        rows = self._session.exec(select(ReplicaRow).order_by(col(ReplicaRow.name)))
        return [
            Replica(row.name, row.beat, datetime.fromisoformat(row.at), row.taken_by)
            for row in rows
        ]


class ReplicaWrites(ReplicaReads):
    """How they are written down."""

    def replica_beats(self, name: str, at: datetime) -> None:
        said = {"at": at.isoformat(), "taken_by": ""}
        insert = insert_into(ReplicaRow, self._dialect).values(name=name, beat=1, **said)
        another = {"beat": col(ReplicaRow.beat) + 1, **said}
        self._session.connection().execute(
            insert.on_conflict_do_update(index_elements=["name"], set_=another)
        )

    def claim_replica(self, name: str, by: str) -> None:
        claimed = update(ReplicaRow).where(col(ReplicaRow.name) == name).values(taken_by=by)
        self._session.connection().execute(claimed)
