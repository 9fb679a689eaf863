"""Incidents, their tickets, and how they belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import bindparam, func, insert, update
from sqlmodel import col, select

from bot.adapters import codec
from bot.adapters.store.base import Part, chunks
from bot.adapters.tables import IncidentRow, PagerIncidentRow, RelationRow, TicketRow
from bot.domain.classify import Severity
from bot.domain.errors import NotFound
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import IncidentOpened
from bot.domain.incident_evolution import opened
from bot.domain.ticket_task import open_tasks
from bot.ports import Relation, Role

_DOCUMENT = select(IncidentRow.document).where(col(IncidentRow.id) == bindparam("id"))
_NEWEST_FIRST = select(IncidentRow.document).order_by(col(IncidentRow.id).desc())
_LATEST = _NEWEST_FIRST.where(col(IncidentRow.group_key) == bindparam("group_key")).limit(1)
_OTHERS = _NEWEST_FIRST.where(col(IncidentRow.group_key) != bindparam("besides")).limit(
    bindparam("most")
)
_NEW = insert(IncidentRow).returning(col(IncidentRow.id))
_CHANGE = update(IncidentRow).where(col(IncidentRow.id) == bindparam("incident_id"))
_WITH_TICKETS = _NEWEST_FIRST.join(
    TicketRow, col(TicketRow.incident_id) == col(IncidentRow.id)
).where(col(TicketRow.done).is_(False))
_RELATED = (
    select(RelationRow.key, RelationRow.incident_id, RelationRow.at)
    .where(
        col(RelationRow.key).in_(bindparam("keys", expanding=True)),
        col(RelationRow.role) == bindparam("role"),
    )
    .order_by(col(RelationRow.at).desc())
)


class _Level(msgspec.Struct):
    level: Severity


class _Opening(msgspec.Struct):
    """The part of an incident that tells a storm; the rest of it is large."""

    opened_at: datetime
    classification: _Level


class IncidentReads(Part):
    """What is known of incidents."""

    def incident(self, incident_id: int) -> Incident:
        text = self._run(_DOCUMENT, id=incident_id).scalar()
        if text is None:
            newest = self._session.exec(select(func.max(IncidentRow.id))).one()
            hint = f" The newest is INC-{newest}." if newest else ""
            raise NotFound(f"There is no incident INC-{incident_id}.{hint}")
        return codec.load(text, Incident)

    def incidents(
        self, states: Sequence[IncidentState] | None = None, limit: int = 50
    ) -> Sequence[Incident]:
        query = select(IncidentRow.document).order_by(col(IncidentRow.id).desc()).limit(limit)
        if states is not None:
            query = query.where(col(IncidentRow.state).in_([state.value for state in states]))
        return [codec.load(text, Incident) for text in self._session.exec(query)]

    def with_open_tickets(self, limit: int) -> Sequence[Incident]:
        texts = self._session.exec(_WITH_TICKETS.limit(limit))
        return [codec.load(text, Incident) for text in texts]

    def openings(self, besides: str, limit: int) -> Sequence[tuple[datetime, Severity]]:
        texts = self._run(_OTHERS, besides=besides, most=limit).scalars()
        found = (codec.load(text, _Opening) for text in texts)
        return [(one.opened_at, one.classification.level) for one in found]

    def latest_incident(self, group_key: str) -> Incident | None:
        text = self._run(_LATEST, group_key=group_key).scalar()
        return None if text is None else codec.load(text, Incident)

    def incident_of_page(self, dedup_key: str) -> Incident | None:
        query = select(IncidentRow.document).where(IncidentRow.dedup_key == dedup_key)
        text = self._session.exec(query).first()
        return None if text is None else codec.load(text, Incident)

    def incidents_at_pager(self, pager_id: str) -> Sequence[Incident]:
        held = select(PagerIncidentRow.incident_id).where(PagerIncidentRow.pager_id == pager_id)
        query = select(IncidentRow.document).where(col(IncidentRow.id).in_(held))
        documents = self._session.exec(query.order_by(col(IncidentRow.id)))
        return [codec.load(text, Incident) for text in documents]

    def decided_at_pager(self, incident_id: int) -> datetime | None:
        query = select(func.max(PagerIncidentRow.decided_at))
        text = self._session.exec(query.where(PagerIncidentRow.incident_id == incident_id)).one()
        return datetime.fromisoformat(text) if text else None

    def related(self, keys: Sequence[str], role: Role) -> Mapping[str, Sequence[Relation]]:
        found: dict[str, list[Relation]] = {}
        for chunk in chunks(keys):
            for row in self._run(_RELATED, keys=chunk, role=role.value):
                relation = Relation(row.key, role, row.incident_id, datetime.fromisoformat(row.at))
                found.setdefault(row.key, []).append(relation)
        return found


class IncidentWrites(IncidentReads):
    """How incidents are changed."""

    def new_incident(self, event: IncidentOpened, at: datetime) -> Incident:
        allotted = self._run(
            _NEW, group_key=event.group_key, dedup_key=event.dedup_key, state="", document=""
        )
        incident = opened(allotted.scalar_one(), event, at)
        self.save_incident(incident)
        return incident

    def save_incident(self, incident: Incident) -> None:
        state, document = incident.state.value, codec.dump(incident)
        self._run(_CHANGE, incident_id=incident.id, state=state, document=document)
        if incident.ticket_due_at is not None or incident.follow_ups:
            self._save_tickets(incident)

    def _save_tickets(self, incident: Incident) -> None:
        due_at = incident.ticket_due_at
        tickets = {
            "incident_id": incident.id,
            "title": incident.title,
            "severity": incident.severity.value,
            "due_at": due_at.isoformat() if due_at else "",
            "done": not open_tasks(incident),
        }
        self._upsert(TicketRow, "incident_id", [tickets])

    def match_pager(
        self, pager_id: str, incident_id: int, decided_at: datetime | None = None
    ) -> None:
        row = self._session.get(PagerIncidentRow, (pager_id, incident_id))
        row = row or PagerIncidentRow(pager_id=pager_id, incident_id=incident_id)
        if decided_at is not None:
            # One form for all, so that the newest is the greatest text.
            stamp = decided_at.astimezone(UTC).isoformat(timespec="microseconds")
            row.decided_at = max(row.decided_at, stamp)
        self._session.add(row)

    def relate(self, relations: Sequence[Relation]) -> None:
        rows = {
            (one.key, one.role, one.incident_id): {
                "place": f"{one.role.value}:{one.incident_id}:{one.key}",
                "key": one.key,
                "role": one.role.value,
                "incident_id": one.incident_id,
                "at": one.at.isoformat(),
            }
            for one in relations
        }
        self._upsert(RelationRow, "place", list(rows.values()))
