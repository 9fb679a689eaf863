"""Whether somebody is being told of every incident that must not wait.

This is the promise "no page is lost", looked at from outside: it trusts neither the
queues nor the timers, only what is written down about each incident. An incident that
needs a page has one that is confirmed, or a try that is due, or a fallback went out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.incident import Incident, IncidentState

CONFIRMED_WITHIN = timedelta(seconds=90)
"""A page that is not confirmed by then is taken for lost, and the fallback's turn has come."""

LATE = timedelta(seconds=60)
"""A try that is due for longer is done by nobody: the worker hangs, or there is none."""

SETTLING = timedelta(seconds=15)
"""Incidents and tries are read one after the other; what changed in between is settled then."""


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What is written down about an incident's page.

    `needed_since` is when it began to need one: when it opened, was reopened,
    un-acknowledged or raised, or was no longer suppressed. Only what happened since then
    counts: `sent_at`, `confirmed_at` and `fallback_at` are None where nothing did.
    `due_at` is when the next try of the page or of a fallback is due, None where none is.
    """

    needed_since: datetime
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    fallback_at: datetime | None = None
    due_at: datetime | None = None
    refused: str = ""


class FindingReason(StrEnum):
    """What is wrong."""

    NEVER_SENT = "no page was sent, and no try is due"
    REFUSED = "the pager refused the page, and no fallback was sent or is due"
    UNCONFIRMED = "the page was sent and never confirmed, and no fallback was sent or is due"
    LATE = "a try is due, and nobody does it"


@dataclass(frozen=True, slots=True)
class Finding:
    """An incident that nobody may know of, why, and since when that is so."""

    incident_id: int
    reason: FindingReason
    since: datetime

    def stood_for(self, now: datetime) -> timedelta:
        """How long it has been so."""
        return now - self.since


def audit(watched: Iterable[tuple[Incident, PageRecord]], now: datetime) -> tuple[Finding, ...]:
    """All that is wrong, the longest first; empty when every page is where it should be.

    Read the tries that are due before the incidents: a try's outcome is committed together
    with the next try, so a try that was there is then never missed.
    """
    found = (
        _finding(incident, record, now) for incident, record in watched if needs_page(incident)
    )
    return tuple(sorted(filter(None, found), key=lambda one: (one.since, one.incident_id)))


def needs_page(incident: Incident) -> bool:
    """Whether somebody has to be told of it: nobody took it, and nothing says that it can wait."""
    return (
        incident.severity.pages
        and incident.state is IncidentState.TRIGGERED
        and incident.suppressed_by is None
    )


def _finding(incident: Incident, record: PageRecord, now: datetime) -> Finding | None:
    if record.confirmed_at is not None or record.fallback_at is not None:
        return None
    reason, since = _fault(record)
    return Finding(incident.id, reason, since) if now > since else None


def _fault(record: PageRecord) -> tuple[FindingReason, datetime]:
    """What is wrong unless something happens, and from when on."""
    if record.due_at is not None:
        return FindingReason.LATE, max(record.due_at, record.needed_since) + LATE
    if record.refused:
        return FindingReason.REFUSED, record.needed_since + SETTLING
    if record.sent_at is not None:
        return FindingReason.UNCONFIRMED, record.sent_at + CONFIRMED_WITHIN
    return FindingReason.NEVER_SENT, record.needed_since + SETTLING
