"""What is kept about the pager: events that nobody here knows, and the tests of its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select

from bot.adapters import codec
from bot.adapters.store.base import Part
from bot.adapters.tables import PageTestRow, UnknownPagerEventRow
from bot.domain.page import UnknownPagerEvent
from bot.domain.page_test import PageTest


class PagingReads(Part):
    """What is known of them."""

    def unknown_pager_events(self, limit: int = 50) -> Sequence[UnknownPagerEvent]:
        query = select(UnknownPagerEventRow).order_by(col(UnknownPagerEventRow.at).desc())
        return [_event(row) for row in self._session.exec(query.limit(limit))]

    def page_tests(self, limit: int = 50) -> Sequence[PageTest]:
        query = select(PageTestRow).order_by(col(PageTestRow.id).desc()).limit(limit)
        return [
            replace(codec.load(row.document, PageTest), id=row.id or 0)
            for row in self._session.exec(query)
        ]


class PagingWrites(PagingReads):
    """How they are written down."""

    def keep_pager_event(self, event: UnknownPagerEvent) -> None:
        row = UnknownPagerEventRow(
            event_id=event.event_id,
            event_type=event.event_type,
            body=event.body.replace("\x00", ""),
            at=event.received_at.isoformat(),
        )
        self._session.merge(row)

    def save_page_test(self, test: PageTest) -> None:
        self._session.merge(PageTestRow(id=test.id or None, document=codec.dump(test)))


def _event(row: UnknownPagerEventRow) -> UnknownPagerEvent:
    at = datetime.fromisoformat(row.at)
    return UnknownPagerEvent(row.event_id, row.event_type, row.body, at)
