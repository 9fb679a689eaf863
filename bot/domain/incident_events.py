"""What can happen to an incident; its timeline is a list of these, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.classify import Classification, Severity
from bot.domain.contact import Contact
from bot.domain.escalation_policy import EscalationPlan
from bot.domain.oncall import PagerActionKind
from bot.domain.suggestion import Suggestion
from bot.domain.ticket import TicketAction, TicketRef
from bot.domain.web_link import WebLink


class PageAction(StrEnum):
    """What the pager is told; the verbs of PagerDuty's Events API v2."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


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
class FollowUpAdded:
    """Something is to be done after the incident; `number` is the next one in it."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class FollowUpDone:
    """A follow-up is done."""

    number: int


@dataclass(frozen=True, slots=True)
class FollowUpReopened:
    """A follow-up that was said to be done is to be done."""

    number: int


@dataclass(frozen=True, slots=True)
class DoneAtPager:
    """Somebody did something at the pager that changes nothing of ours.

    `text` is a note's, the name of a priority, or the names of those whose it is now.
    """

    kind: PagerActionKind
    text: str


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A ticket was entered, because this level does not page; `due_at` is its response time."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class TicketTold:
    """The tracker took this; `says` is the digest of what the ticket says now.

    `follow_up` is the number of the one that the ticket is about, as in the next two; 0: it
    is about the incident.
    """

    action: TicketAction
    ref: TicketRef
    says: str
    follow_up: int = 0


@dataclass(frozen=True, slots=True)
class TicketDelayed:
    """The tracker could not be reached; the next try is in `retry_in` seconds."""

    action: TicketAction
    reason: str
    attempt: int
    retry_in: float
    follow_up: int = 0


@dataclass(frozen=True, slots=True)
class TicketRefused:
    """The tracker will not take this; a person has to look at the configuration.

    `says` is the digest of what the ticket was to say.
    """

    action: TicketAction
    reason: str
    says: str
    follow_up: int = 0


@dataclass(frozen=True, slots=True)
class PageSent:
    """The pager accepted this; `severity` is the urgency that it was told."""

    action: PageAction
    severity: Severity


@dataclass(frozen=True, slots=True)
class PageConfirmed:
    """It is known that the page stands at the pager, and from where."""

    by: str


@dataclass(frozen=True, slots=True)
class FallbackUsed:
    """Nobody was known to be reached in time, so this contact was turned to as well.

    `waited` is in seconds, since somebody had to be woken; `failed` says why the contact
    did not take it, empty when it did.
    """

    contact: Contact
    waited: float
    failed: str = ""


@dataclass(frozen=True, slots=True)
class EscalationPlanned:
    """Whom to call when nobody answers, as the policy was when the incident opened."""

    plan: EscalationPlan
    response_times: Mapping[Severity, timedelta]


@dataclass(frozen=True, slots=True)
class Escalated:
    """Nobody had taken it in time, so the next step was done: number `number` at this level.

    `failed` says why the contact did not take it, empty when it did.
    """

    contact: Contact
    level: Severity
    number: int
    failed: str = ""


@dataclass(frozen=True, slots=True)
class StillOnItAsked:
    """Whoever took it had not been heard of for long, and was asked about it."""


@dataclass(frozen=True, slots=True)
class ResponseOverdue:
    """Nobody responded within the response time of its level."""

    level: Severity
    within: timedelta


@dataclass(frozen=True, slots=True)
class ClockPutBack:
    """The clock was put back by so much: the moments of all events before are the old clock's."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class SecondPageClosed:
    """The page at the second pager was resolved: somebody has it, or it is over."""


@dataclass(frozen=True, slots=True)
class PageDelayed:
    """The pager could not be reached; the next try is in `retry_in` seconds."""

    action: PageAction
    reason: str
    attempt: int
    retry_in: float


@dataclass(frozen=True, slots=True)
class PageShrunk:
    """The pager could not use the page as it was, and is told its smallest form."""

    reason: str


@dataclass(frozen=True, slots=True)
class PageRefused:
    """The pager will not take this; a person has to look at the configuration."""

    action: PageAction
    reason: str


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """The incident's message stands in this chat channel."""

    channel: str


@dataclass(frozen=True, slots=True)
class OnCallInvited:
    """These people are on call, and were invited to the channel of the incident's message."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvitationRefused:
    """The chat does not let us invite them, and why; said once for each reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The chat will not take the message; a person has to look at the configuration."""

    reason: str


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
    | FollowUpAdded
    | FollowUpDone
    | FollowUpReopened
    | DoneAtPager
    | TicketOpened
    | TicketTold
    | TicketDelayed
    | TicketRefused
    | PageSent
    | PageConfirmed
    | FallbackUsed
    | EscalationPlanned
    | Escalated
    | StillOnItAsked
    | ResponseOverdue
    | ClockPutBack
    | SecondPageClosed
    | PageDelayed
    | PageShrunk
    | PageRefused
    | MessagePosted
    | OnCallInvited
    | InvitationRefused
    | MessageRefused
)
