"""What has to happen outside: each effect is a durable job, done at least once.

An effect says *what to bring up to date*, not what to send: the job looks at the
present when it runs. So effects can be repeated, and it does no harm when one is late
or when two ask for the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.domain.classify import Severity
from bot.domain.message import Message, Subject
from bot.domain.page import PagerEvent


class Lane(StrEnum):
    """The queues. They share nothing, so paging never waits for chat or for a runbook."""

    CRITICAL = "critical"
    """What a P0 needs: it waits behind nothing else."""
    PAGING = "paging"
    CHAT = "chat"
    RUNS = "runs"
    UPKEEP = "upkeep"
    """What is looked at again later: timers, facts, maintenance windows, silences."""
    TICKETS = "tickets"
    """Trackers may hang for long: what may raise a level, on upkeep, must not wait for them."""


@dataclass(frozen=True, slots=True)
class UpdatePage:
    """Bring the pager up to date about an incident; `severity` orders the lane."""

    incident_id: int
    severity: Severity
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Attend:
    """Do what is due so that somebody answers: ask whether the page stands, fall back, escalate.

    It waits in an order of its own: while the pager hangs, so does the job that pages.
    """

    incident_id: int
    severity: Severity
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class UpdateMessage:
    """Bring the one chat message about a subject up to date.

    `soon` says that it may wait for `SOON` seconds, so that several changes become one
    update: in a storm an incident's alerts change many times a second.
    """

    subject: Subject
    soon: bool = False
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """Answer a slash command whose answer took longer than the chat waits."""

    response_url: str
    message: Message
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """Plan a runbook without running it, and answer with the plan."""

    response_url: str
    runbook: str
    words: tuple[str, ...]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AnswerOnCall:
    """Ask the pager who is on call for a service, and answer; empty: for the one we page."""

    response_url: str
    service: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class InviteOnCall:
    """Invite those on call to where the incident's message stands."""

    incident_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Announce:
    """Say in chat and at the pager what a run's step has to say there, unless it is said.

    The subject is the run, and as its part the step.
    """

    subject: Subject
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class SharePictures:
    """Put the pictures that a run drew below its message in the chat, unless they are there."""

    run_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AdvanceRun:
    """Take a run as far as it goes without a person."""

    run_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ExpireRun:
    """End a run, or fail its step, for whose approval or answer it was waited in vain."""

    run_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class RunSuggested:
    """Ask for the run that an incident's suggestion with that key makes by itself, once."""

    incident_id: int
    key: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class SettleIncident:
    """Resolve an incident that was to be quiet until now, if it was."""

    incident_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ReviewSeverity:
    """Ask again for the facts that an incident's level depends on."""

    incident_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class ReviewWindow:
    """Look at the open incidents: a maintenance window has begun, or has ended."""

    window_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class UpdateSilence:
    """Bring Alertmanager up to date about the silence that goes with a maintenance window."""

    window_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class MatchPagerEvent:
    """Ask the pager which of our pages an event is about, and apply it."""

    event: PagerEvent
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class SetUrgency:
    """Bring the urgency of the pager's incident up to date with our level."""

    incident_id: int
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class WriteNote:
    """Write a note on the pager's incident, unless it is there."""

    incident_id: int
    text: str
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class UpdateTicket:
    """Bring the tracker up to date about an incident that is a ticket, or about a follow-up.

    `follow_up` is its number; 0: it is about the incident.
    """

    incident_id: int
    attempt: int = 1
    follow_up: int = 0


Effect = (
    UpdatePage
    | Attend
    | UpdateMessage
    | SendAnswer
    | AnswerPlan
    | AnswerOnCall
    | InviteOnCall
    | Announce
    | SharePictures
    | AdvanceRun
    | ExpireRun
    | RunSuggested
    | SettleIncident
    | ReviewSeverity
    | ReviewWindow
    | UpdateSilence
    | MatchPagerEvent
    | SetUrgency
    | WriteNote
    | UpdateTicket
)


def lane(effect: Effect) -> Lane:
    """The queue an effect waits in."""
    match effect:
        case UpdatePage(severity=severity) | Attend(severity=severity):
            return Lane.CRITICAL if severity is Severity.P0 else Lane.PAGING
        case UpdateMessage() | SendAnswer() | AnswerOnCall() | InviteOnCall() | Announce():
            return Lane.CHAT
        case SharePictures():
            return Lane.CHAT
        case AdvanceRun() | AnswerPlan() | RunSuggested():
            return Lane.RUNS
        case SettleIncident() | ReviewSeverity() | ReviewWindow() | UpdateSilence() | ExpireRun():
            return Lane.UPKEEP
        case MatchPagerEvent() | SetUrgency() | WriteNote():
            # Not among the pages: while the pager's records hang, pages must not wait.
            return Lane.UPKEEP
        case UpdateTicket():
            return Lane.TICKETS


def order_key(effect: Effect) -> str:
    """Effects with the same key are done one after the other, never two at once."""
    match effect:
        case UpdatePage(incident_id) | SettleIncident(incident_id) | ReviewSeverity(incident_id):
            return f"incident:{incident_id}"
        case Attend(incident_id):
            return f"attend:{incident_id}"
        case UpdateMessage(subject) | Announce(subject):
            return str(subject)
        case SendAnswer(response_url) | AnswerPlan(response_url) | AnswerOnCall(response_url):
            return response_url
        case InviteOnCall(incident_id):
            return f"invite:{incident_id}"
        case AdvanceRun() | ExpireRun() | RunSuggested() | SharePictures():
            return _run_key(effect)
        case ReviewWindow(window_id) | UpdateSilence(window_id):
            return f"window:{window_id}"
        case MatchPagerEvent(event):
            return f"pager:{event.incident_id}"
        case SetUrgency(incident_id) | WriteNote(incident_id):
            return f"records:{incident_id}"
        case UpdateTicket(incident_id, follow_up=follow_up):
            return f"ticket:{incident_id}:{follow_up}"


def _run_key(effect: AdvanceRun | ExpireRun | RunSuggested | SharePictures) -> str:
    match effect:
        case SharePictures(run_id):
            return f"pictures:{run_id}"
        case AdvanceRun(run_id):
            return f"run:{run_id}"
        case ExpireRun(run_id):
            return f"expiry:{run_id}"
        case RunSuggested(incident_id, key):
            return f"suggestion:{incident_id}:{key}"


def priority(effect: Effect) -> int:
    """Lower goes first among those with the same order key: a raised page before the old one."""
    match effect:
        case UpdatePage(severity=severity) | Attend(severity=severity):
            return 1 + int(severity.value[1])
        case _:
            return 5


SOON = 1.0
"""Seconds; Slack allows about one message a second in a channel."""


def first_delay(effect: Effect) -> float:
    """Seconds to wait before the first try."""
    return SOON if isinstance(effect, UpdateMessage) and effect.soon else 0.0


def waiting_place(effect: Effect) -> str | None:
    """The place in which an effect waits to be done; None for those that need none.

    While a place is taken, the same effect need not be asked for again: the one that
    waits will look at the present when it is its turn. Pages never share a place: each
    is asked for on its own, so that nothing that becomes of one can hold back another.
    """
    if isinstance(effect, Attend):
        return f"attend:{effect.incident_id}"
    if isinstance(effect, ReviewSeverity):
        return f"severity:{effect.incident_id}"
    if isinstance(effect, UpdateTicket) and effect.attempt > 1:
        return f"ticket:{effect.incident_id}:{effect.follow_up}"
    if not isinstance(effect, UpdateMessage):
        return None
    haste = "retry" if effect.attempt > 1 else "soon" if effect.soon else "now"
    return f"{effect.subject}:{haste}"


ANSWER_TRIES = 10
"""Tries to answer a slash command: its address lives 30 minutes, and a person has long
asked again."""

PICTURE_TRIES = 30
"""Tries to put a run's pictures into the chat: about half an hour. They stay on the run's page,
and its message may never have been posted. Everything else is tried for as long as it takes."""


def next_try(effect: Effect) -> Effect | None:
    """The effect to ask for after a failed try; None when it is not worth another."""
    answers = isinstance(effect, SendAnswer | AnswerPlan | AnswerOnCall)
    if answers and effect.attempt >= ANSWER_TRIES:
        return None
    if isinstance(effect, SharePictures) and effect.attempt >= PICTURE_TRIES:
        return None
    return replace(effect, attempt=effect.attempt + 1)


FIRST_RETRY = 1.0
LONGEST_RETRY = 60.0


def retry_delay(attempt: int, asked: float | None, jitter: float) -> float:
    """Seconds to wait after failed try number `attempt` (1 is the first).

    Doubles from `FIRST_RETRY` to `LONGEST_RETRY`; never sooner than the other side
    asked; `jitter` (0.0 to 1.0) spreads tries over the upper half, so that a thousand
    retries don't come at once.
    """
    backoff = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(attempt - 1, 10))
    return max(backoff * (0.5 + 0.5 * jitter), asked or 0.0)
