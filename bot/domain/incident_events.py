"""What can happen to an incident; its timeline is a list of these, in order.

Those about its page, its tickets and its message have files of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.chat_events import ChatEvent
from bot.domain.classify import Classification, Severity
from bot.domain.page_events import PageEvent
from bot.domain.suggestion import Suggestion
from bot.domain.ticket_events import TicketEvent
from bot.domain.web_link import WebLink


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """The first alert of a group arrived. `dedup_key` names the incident to the pager."""

    group_key: str
    title: str
    summary: str
    classification: Classification
    dedup_key: str


@dataclass(frozen=True, slots=True)
class AlertsChanged:
    """One delivery changed the incident's alerts.

    `fired` and `resolved` describe the alerts that changed (at most `NAMED_ALERTS` of
    each; the counts say how many there were); `firing` is how many fire now; `unseen`
    is how many more Alertmanager said it has left out while the group fires; `note` says
    how it was learned, where no webhook told it.
    """

    fired: tuple[str, ...]
    fired_count: int
    resolved: tuple[str, ...]
    resolved_count: int
    firing: int
    unseen: int
    note: str = ""


NAMED_ALERTS = 5
"""How many alerts one timeline entry names; a storm's delivery may hold thousands."""


@dataclass(frozen=True, slots=True)
class SeverityRaised:
    """A later alert is worse than what the incident was opened for."""

    previous: Severity
    classification: Classification


@dataclass(frozen=True, slots=True)
class SeverityOverridden:
    """A person set the level; rules don't change it until the incident is closed."""

    previous: Severity
    level: Severity
    reason: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """All that fires is covered by this maintenance window: nobody is to be woken."""

    window_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unsuppressed:
    """No maintenance window covers it any more, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Quieted:
    """Nothing fires any more; it flaps, so it is resolved if that is still so at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Absorbed:
    """It is a part of another incident, which has its alerts now."""

    by: int
    title: str


@dataclass(frozen=True, slots=True)
class AlertsTakenOver:
    """The alerts of another incident belong to this one, since that is a part of it."""

    incident_id: int
    title: str
    firing: int


@dataclass(frozen=True, slots=True)
class SilenceCreated:
    """Alertmanager keeps quiet about the incident's alerts until then."""

    silence_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class SilenceRefused:
    """Alertmanager did not take the silence; Tocsin itself keeps quiet nevertheless."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunbooksSuggested:
    """Its alerts suggest these runbooks, besides those before; `link` is where they say to read."""

    suggestions: tuple[Suggestion, ...]
    link: WebLink | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A responder has it."""


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """The responder gave it back; it is nobody's again."""


@dataclass(frozen=True, slots=True)
class Mitigated:
    """The harm has stopped; the cause has not been removed."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """It is over, and why we think so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reopened:
    """It is open and nobody's again, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The review is done; nothing more will happen to it."""


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """Somebody wrote something down."""

    text: str


@dataclass(frozen=True, slots=True)
class ClockPutBack:
    """The clock was put back by so much: the moments of all events before are the old clock's."""

    by: timedelta


IncidentEvent = (
    IncidentOpened
    | AlertsChanged
    | SeverityRaised
    | SeverityOverridden
    | Suppressed
    | Unsuppressed
    | Quieted
    | Absorbed
    | AlertsTakenOver
    | SilenceCreated
    | SilenceRefused
    | RunbooksSuggested
    | Acknowledged
    | Unacknowledged
    | Mitigated
    | Resolved
    | Reopened
    | Closed
    | NoteAdded
    | ClockPutBack
    | TicketEvent
    | PageEvent
    | ChatEvent
)
