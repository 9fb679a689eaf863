"""What the pager knows: who is on call, what it holds of our pages, what people did there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the pager. `email` and `html_url` are empty where the pager left them out."""

    id: str
    name: str
    email: str = ""
    html_url: str = ""


class PagerStatus(StrEnum):
    """What state the pager's incident is in."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Urgency(StrEnum):
    """How insistently the pager notifies; low urgency doesn't escalate."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That somebody works on the pager's incident; `by` is None for an integration, as ours."""

    by: Person | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PagerIncident:
    """The pager's incident for one of our pages. Times have a zone."""

    id: str
    status: PagerStatus
    html_url: str
    urgency: Urgency
    service_id: str
    escalation_policy_id: str
    created_at: datetime
    last_status_change_at: datetime
    assignees: tuple[Person, ...] = ()
    """Empty once it is resolved."""
    acknowledgements: tuple[Acknowledgement, ...] = ()
    """Empty unless it is acknowledged."""


class PagerActionKind(StrEnum):
    """What was done to the pager's incident."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    REASSIGNED = "reassigned"
    ESCALATED = "escalated"
    DELEGATED = "delegated"
    PRIORITY = "priority"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class PagerAction:
    """One thing that was done in the pager, by a person or because a time ran out there."""

    id: str
    """The same each time it is read. A note's is the note's own id, in webhooks as well; for
    all else the pager's webhooks have other ids."""
    incident_id: str
    kind: PagerActionKind
    at: datetime
    by: Person | None
    """None when a time ran out: an acknowledgement's, or an escalation level's."""
    text: str = ""
    """A note's content; for all else the pager's own sentence, where it has one."""
    assignees: tuple[Person, ...] = ()
    """Whom it now belongs to, after a reassignment, a delegation or an escalation."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """That a person is on call at a level (1 is paged first) of an escalation policy."""

    escalation_policy_id: str
    level: int
    person: Person
    schedule: str
    """The schedule's name; empty for a person whom the policy names directly."""
    start: datetime | None
    """None, as `end`, for somebody who is always on call."""
    end: datetime | None


@dataclass(frozen=True, slots=True)
class PagerService:
    """A service of the pager: where pages arrive. Its policy is empty where it has none."""

    id: str
    name: str
    html_url: str
    escalation_policy_id: str
    escalation_policy_name: str
    integration_types: tuple[str, ...] = ()
    """Such as ``events_api_v2_inbound_integration``."""
    integration_keys: frozenset[str] = field(default=frozenset(), repr=False)
    """The routing keys that lead to it: secrets. Empty where the token may not see them."""


@dataclass(frozen=True, slots=True)
class EscalationLevel:
    """Whom a level of an escalation policy pages, and how long it waits for an answer."""

    targets: tuple[str, ...]
    """The names of people and schedules."""
    escalates_after: timedelta


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """Who is paged for a service, one level after the other."""

    id: str
    name: str
    html_url: str
    levels: tuple[EscalationLevel, ...]
    repeats: int
    """How often it begins again after its last level."""
    service_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PagerAccess:
    """What the API token is good for."""

    owner: Person | None
    """Whose it is; None for a token of the whole account."""
    missing: tuple[str, ...] = ()
    """The scopes that are needed and not there, such as ``oncalls.read``."""
    sender_problem: str = ""
    """Why notes and urgencies can't be written in somebody's name, in one sentence."""
