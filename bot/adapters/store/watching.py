"""Maintenance windows, heartbeats, and the policies that ever classified anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from sqlalchemy import Row, bindparam, func
from sqlmodel import col, select

from bot.adapters import codec
from bot.adapters.store.base import Part
from bot.adapters.tables import BeatRow, HiddenRow, PolicyRow, WindowRow
from bot.domain.actor import Actor
from bot.domain.errors import NotFound
from bot.domain.heartbeat import Beat
from bot.domain.maintenance import Silence, Window
from bot.domain.matcher_text import parse_quick_matcher, written

_NEWEST_FIRST = (
    select(WindowRow.id, WindowRow.starts_at, WindowRow.ends_at, WindowRow.document)
    .order_by(col(WindowRow.id).desc())
    .limit(bindparam("most"))
)
_ENDING = _NEWEST_FIRST.where(col(WindowRow.ends_at) > bindparam("after"))


class _WindowDocument(msgspec.Struct):
    """A window's own words; matchers are kept as people write them."""

    matchers: list[str]
    reason: str
    created_by: Actor
    created_at: datetime
    incident_id: int | None
    silence: Silence | None


class WatchReads(Part):
    """What is known of windows, heartbeats and policies."""

    def window(self, window_id: int) -> Window:
        row = self._session.get(WindowRow, window_id)
        if row is None:
            newest = self._session.exec(select(func.max(WindowRow.id))).one()
            hint = f" The newest is MW-{newest}." if newest else ""
            raise NotFound(f"There is no maintenance window MW-{window_id}.{hint}")
        return _window(row)

    def windows(self, ending_after: datetime | None = None, limit: int = 200) -> Sequence[Window]:
        if ending_after is None:
            rows = self._run(_NEWEST_FIRST, most=limit)
        else:
            rows = self._run(_ENDING, most=limit, after=ending_after.isoformat())
        return [_window(row) for row in rows]

    def hidden_by(self, window_id: int) -> Sequence[int]:
        query = select(HiddenRow.incident_id).where(HiddenRow.window_id == window_id)
        return list(self._session.exec(query.order_by(col(HiddenRow.incident_id))))

    def beats(self) -> Sequence[Beat]:
        query = select(BeatRow.document).order_by(col(BeatRow.key))
        return [codec.load(text, Beat) for text in self._session.exec(query)]

    def policy_text(self, digest: str) -> str | None:
        row = self._session.get(PolicyRow, digest)
        return None if row is None else row.text

    def last_policy(self, name: str) -> str | None:
        query = select(PolicyRow.text).where(PolicyRow.name == name)
        return self._session.exec(query.order_by(col(PolicyRow.at).desc()).limit(1)).first()


class WatchWrites(WatchReads):
    """How windows, heartbeats and policies are written down."""

    def new_window(self, draft: Window) -> Window:
        row = _window_row(draft)
        row.id = None
        return replace(draft, id=self._allot(row))

    def save_window(self, window: Window) -> None:
        self._session.merge(_window_row(window))
        self._session.flush()

    def hide(self, window_id: int, incident_id: int) -> None:
        self._session.merge(HiddenRow(window_id=window_id, incident_id=incident_id))

    def save_beat(self, beat: Beat) -> None:
        self._upsert(BeatRow, "key", [{"key": beat.key, "document": codec.dump(beat)}])

    def keep_policy(self, digest: str, name: str, text: str, at: datetime) -> None:
        self._session.merge(PolicyRow(digest=digest, name=name, text=text, at=at.isoformat()))


def _window(row: WindowRow | Row[tuple[int | None, str, str, str]]) -> Window:
    document = codec.load(row.document, _WindowDocument)
    return Window(
        id=row.id or 0,
        matchers=tuple(parse_quick_matcher(text) for text in document.matchers),
        starts_at=datetime.fromisoformat(row.starts_at),
        ends_at=datetime.fromisoformat(row.ends_at),
        reason=document.reason,
        created_by=document.created_by,
        created_at=document.created_at,
        incident_id=document.incident_id,
        silence=document.silence,
    )


def _window_row(window: Window) -> WindowRow:
    document = _WindowDocument(
        [written(matcher) for matcher in window.matchers],
        window.reason,
        window.created_by,
        window.created_at,
        window.incident_id,
        window.silence,
    )
    return WindowRow(
        id=window.id,
        starts_at=window.starts_at.isoformat(),
        ends_at=window.ends_at.isoformat(),
        document=codec.dump(document),
    )
