"""What the pager's own records say of an incident: that its page stands, what people did there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.actor import Actor, ActorKind
from bot.domain.incident import Command, Incident, IncidentState
from bot.domain.oncall import PagerActionKind, PagerIncident, PagerStatus, Person
from bot.domain.page_guard import CLOCK_SKEW
from bot.ports import PagerRecords

ASKED = "by PagerDuty, when asked"
"""How a page was confirmed that its records hold."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a person did at the pager."""

    command: Command
    actor: Actor


def confirms(found: PagerIncident | None, since: datetime) -> bool:
    """Whether these records show that the page which has been needed since then stands."""
    if found is None or found.status is PagerStatus.RESOLVED:
        return False
    # The same key may have an incident of last night's, which nobody resolved there.
    return max(found.last_status_change_at, found.created_at) >= since - CLOCK_SKEW


def done_by_people(
    records: PagerRecords, found: PagerIncident, incident: Incident
) -> Sequence[Done]:
    """What people did there, and the incident does not know; asks for the log only if need be."""
    since = incident.calling.since if incident.calling else incident.opened_at
    if found.status is PagerStatus.ACKNOWLEDGED and incident.state is IncidentState.TRIGGERED:
        acknowledged = [one.by for one in found.acknowledgements if one.by and one.at >= since]
        return [Done(Command.ACKNOWLEDGE, _actor(by)) for by in acknowledged[:1]]
    if found.status is PagerStatus.RESOLVED and not incident.state.over:
        log = records.log_entries(found.id, since)
        resolved = [one.by for one in log if one.kind is PagerActionKind.RESOLVED and one.by]
        return [Done(Command.RESOLVE, _actor(by)) for by in resolved[-1:]]
    return ()


def _actor(person: Person) -> Actor:
    return Actor(ActorKind.PAGERDUTY, person.id, person.name or "PagerDuty")
