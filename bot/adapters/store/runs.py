"""Runs, and the events of runs and incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, insert
from sqlmodel import col, select

from bot.adapters import codec
from bot.adapters.store.base import Part
from bot.adapters.tables import EventRow, RunRow
from bot.domain.actor import Actor
from bot.domain.errors import NotFound
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.timeline import Event, Recorded

_HAPPENED = insert(EventRow)


class RunReads(Part):
    """What is known of runs."""

    def run(self, run_id: int) -> Run:
        row = self._session.get(RunRow, run_id)
        if row is None:
            newest = self._session.exec(select(func.max(RunRow.id))).one()
            hint = f" The newest is run {newest}." if newest else ""
            raise NotFound(f"There is no run {run_id}.{hint}")
        return codec.load(row.document, Run)

    def runs(self, states: Sequence[RunState] | None = None, limit: int = 50) -> Sequence[Run]:
        query = select(RunRow.document).order_by(col(RunRow.id).desc()).limit(limit)
        if states is not None:
            query = query.where(col(RunRow.state).in_([state.value for state in states]))
        return [codec.load(text, Run) for text in self._session.exec(query)]


class RunWrites(RunReads):
    """How runs are changed."""

    def new_run(self, draft: Run) -> Run:
        row = RunRow(incident_id=draft.incident_id, state=draft.state.value, document="")
        run = replace(draft, id=self._allot(row))
        self.save_run(run)
        return run

    def save_run(self, run: Run) -> None:
        row = self._session.get_one(RunRow, run.id)
        row.state, row.document = run.state.value, codec.dump(run)
        self._session.add(row)


class EventReads(Part):
    """The events, as they were committed."""

    def recorded(
        self, incident_id: int | None = None, run_id: int | None = None
    ) -> Sequence[Recorded]:
        query = select(EventRow).order_by(col(EventRow.id))
        if incident_id is not None:
            query = query.where(EventRow.incident_id == incident_id)
        if run_id is not None:
            query = query.where(EventRow.run_id == run_id)
        return [_recorded(row) for row in self._session.exec(query)]


class EventWrites(EventReads):
    """How events are written down."""

    def append(
        self,
        event: Event,
        actor: Actor,
        at: datetime,
        *,
        incident_id: int | None = None,
        run_id: int | None = None,
    ) -> None:
        # One by one, so that ids are in the order in which things happened.
        self._run(
            _HAPPENED,
            at=at.isoformat(),
            incident_id=incident_id,
            run_id=run_id,
            kind=type(event).__name__,
            actor=codec.dump(actor),
            document=codec.dump(event),
        )


def _recorded(row: EventRow) -> Recorded:
    return Recorded(
        id=row.id or 0,
        at=datetime.fromisoformat(row.at),
        actor=codec.load(row.actor, Actor),
        event=codec.load_event(row.kind, row.document),
        incident_id=row.incident_id,
        run_id=row.run_id,
    )
