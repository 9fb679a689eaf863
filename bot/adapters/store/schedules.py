"""When schedules are due next."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import col, select

from bot.adapters import codec
from bot.adapters.store.base import Part
from bot.adapters.tables import DueTimeRow
from bot.domain.schedule import DueTime


class ScheduleReads(Part):
    """What is known of them."""

    def due_times(self) -> Sequence[DueTime]:
        query = select(DueTimeRow.document).order_by(col(DueTimeRow.schedule))
        return [codec.load(text, DueTime) for text in self._session.exec(query)]


class ScheduleWrites(ScheduleReads):
    """How they are written down."""

    def save_due_time(self, due: DueTime) -> None:
        self._session.merge(DueTimeRow(schedule=due.schedule, document=codec.dump(due)))

    def forget_due_time(self, schedule: str) -> None:
        forgotten = delete(DueTimeRow).where(col(DueTimeRow.schedule) == schedule)
        self._session.connection().execute(forgotten)
