"""Alerts: the last that is known of each, when each fired, and the groups they came in.

Alerts come in groups, and fingerprints are hashes: with a million of them, each new one would
lie on a page of its own of the primary key's index, which is read and written for it alone.
So an alert's key begins with a hash of what it shares with those that it comes with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zlib import crc32

from sqlalchemy import bindparam, func, insert
from sqlmodel import col, select

from bot.adapters import codec
from bot.adapters.store.base import Part, chunks
from bot.adapters.tables import AlertGroupRow, AlertRow, OccurrenceRow
from bot.domain.alert import Alert, AlertGroup, AlertStatus
from bot.domain.backtest import Occurrence
from bot.domain.dedup import KnownAlert

PAGE = 1000
"""Rows read at a time where there may be very many."""

SHARED_LABELS = ("alertname", "cluster", "namespace", "service", "job")
"""What alerts that come together mostly share. Rows are found by it: to change it takes a
migration."""

_KNOWN = select(AlertRow.document).where(col(AlertRow.key).in_(bindparam("keys", expanding=True)))
_FIRING = select(func.count()).where(
    col(AlertRow.incident_id) == bindparam("incident_id"),
    col(AlertRow.status) == AlertStatus.FIRING.value,
)
_GROUP = select(AlertGroupRow.document).where(col(AlertGroupRow.key) == bindparam("key"))
_OCCURRED = insert(OccurrenceRow)


class AlertReads(Part):
    """What is known of alerts."""

    def known_alerts(self, alerts: Sequence[Alert]) -> Mapping[str, KnownAlert]:
        known: dict[str, KnownAlert] = {}
        for chunk in chunks([_key(alert) for alert in alerts]):
            texts = self._run(_KNOWN, keys=chunk).scalars()
            found = (codec.load(text, KnownAlert) for text in texts)
            known.update((one.alert.fingerprint, one) for one in found)
        return known

    def alerts(self, incident_id: int | None = None, limit: int = 500) -> Sequence[KnownAlert]:
        query = select(AlertRow.document).order_by(col(AlertRow.starts_at).desc()).limit(limit)
        if incident_id is not None:
            query = query.where(AlertRow.incident_id == incident_id)
        return [codec.load(text, KnownAlert) for text in self._session.exec(query)]

    def firing_alerts(self, incident_id: int | None = None) -> Sequence[KnownAlert]:
        query = select(AlertRow.document).where(AlertRow.status == AlertStatus.FIRING.value)
        if incident_id is not None:
            query = query.where(AlertRow.incident_id == incident_id)
        return [codec.load(text, KnownAlert) for text in self._session.exec(query)]

    def count_firing(self, incident_id: int) -> int:
        found: int = self._run(_FIRING, incident_id=incident_id).scalar_one()
        return found

    def occurrences(self, since: datetime) -> Iterator[Occurrence]:
        # Page by page: thirty days may hold millions.
        last = 0
        while True:
            query = select(OccurrenceRow.id, OccurrenceRow.document).where(
                col(OccurrenceRow.id) > last, col(OccurrenceRow.at) >= since.isoformat()
            )
            rows = self._session.exec(query.order_by(col(OccurrenceRow.id)).limit(PAGE)).all()
            for row_id, document in rows:
                last = row_id or last
                yield codec.load(document, Occurrence)
            if len(rows) < PAGE:
                return

    def alert_group(self, key: str) -> AlertGroup | None:
        text = self._run(_GROUP, key=key).scalar()
        return None if text is None else codec.load(text, AlertGroup)

    def receivers(self) -> frozenset[str]:
        return frozenset(self._session.exec(select(AlertGroupRow.receiver).distinct()))


class AlertWrites(AlertReads):
    """How alerts are written down: many in one statement, since a storm's delivery holds many."""

    def save_alerts(self, alerts: Sequence[KnownAlert]) -> None:
        rows = [_alert_row(known) for known in alerts]
        # Of an alert that occurs twice the last counts.
        self._upsert(AlertRow, "key", list({row["key"]: row for row in rows}.values()))

    def save_occurrences(self, occurrences: Sequence[Occurrence]) -> None:
        rows = [{"at": one.at.isoformat(), "document": codec.dump(one)} for one in occurrences]
        if rows:
            self._session.connection().execute(_OCCURRED, rows)

    def save_alert_groups(self, groups: Sequence[AlertGroup]) -> None:
        rows = {
            one.key: {"key": one.key, "receiver": one.receiver, "document": codec.dump(one)}
            for one in groups
        }
        self._upsert(AlertGroupRow, "key", list(rows.values()))


def _alert_row(known: KnownAlert) -> dict[str, object]:
    return {
        "key": _key(known.alert),
        "incident_id": known.incident_id,
        "status": known.alert.status.value,
        "starts_at": known.alert.starts_at.isoformat(),
        "document": codec.dump(known),
    }


def _key(alert: Alert) -> str:
    """Eight hexadecimal digits for what it shares with others, and the fingerprint."""
    shared = "\n".join(alert.labels.get(name, "") for name in SHARED_LABELS)
    return f"{crc32(shared.encode()):08x}{alert.fingerprint}"
