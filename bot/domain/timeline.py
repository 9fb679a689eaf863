"""The timeline: the events, read back in order, as sentences. Nobody writes to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.actor import Actor
from bot.domain.chat_events import InvitationRefused, MessagePosted, MessageRefused, OnCallInvited
from bot.domain.declaration import DECLARED_RULE
from bot.domain.incident_events import (
    Absorbed,
    Acknowledged,
    AlertsChanged,
    AlertsTakenOver,
    ClockPutBack,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    NoteAdded,
    Quieted,
    Reopened,
    Resolved,
    RunbooksSuggested,
    SeverityOverridden,
    SeverityRaised,
    SilenceCreated,
    SilenceRefused,
    Suppressed,
    Unacknowledged,
    Unsuppressed,
)
from bot.domain.oncall import PagerActionKind
from bot.domain.page_events import (
    DoneAtPager,
    Escalated,
    EscalationPlanned,
    FallbackUsed,
    PageAction,
    PageConfirmed,
    PageDelayed,
    PageRefused,
    PageSent,
    PageShrunk,
    ResponseOverdue,
    SecondPageClosed,
    StillOnItAsked,
)
from bot.domain.printable import printable
from bot.domain.run_events import RunEvent
from bot.domain.run_timeline import run_sentence
from bot.domain.ticket_events import TicketOpened
from bot.domain.ticket_timeline import TicketEvent, ticket_sentence
from bot.domain.web_link import WebLink

Event = IncidentEvent | RunEvent


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it was committed; `id` is the order of commits."""

    id: int
    at: datetime
    actor: Actor
    event: Event
    incident_id: int | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story; times are UTC."""

    at: datetime
    kind: str
    actor: str
    text: str
    run_id: int | None = None


def entries(recorded: Sequence[Recorded]) -> tuple[Entry, ...]:
    """The story that these events tell, oldest first."""
    in_order = sorted(recorded, key=lambda one: one.id)
    return tuple(
        Entry(one.at, type(one.event).__name__, one.actor.name, sentence(one.event), one.run_id)
        for one in in_order
    )


def sentence(event: Event) -> str:
    """What happened, without who did it."""
    match event:
        case IncidentOpened():
            return _opened(event)
        case AlertsChanged():
            return _alerts(event)
        case Acknowledged():
            return "Acknowledged."
        case Unacknowledged():
            return "Given back; nobody has it now."
        case Mitigated():
            return "Mitigated: the harm has stopped."
        case Resolved(reason):
            return f"Resolved. {reason}"
        case Reopened(reason):
            return f"Reopened. {reason}"
        case Closed():
            return "Closed."
        case NoteAdded(text):
            return f"Note: {text}"
        case DoneAtPager(kind, text):
            return f"{_DONE_AT_PAGER.get(kind, 'Done in PagerDuty')}: {text or 'nobody named'}"
        case TicketOpened(due_at):
            return f"Ticket entered; a response is due by {due_at:%Y-%m-%d %H:%M} UTC."
        case _:
            return _noise(event)


def _opened(event: IncidentOpened) -> str:
    why = event.classification
    if why.rule == DECLARED_RULE:
        return f"Declared as {why.level}: {event.title}."
    return f"Opened as {why.level}: {event.title}. Rule {why.rule}: {why.reason}"


_DONE_AT_PAGER = {
    PagerActionKind.REASSIGNED: "Reassigned in PagerDuty to",
    PagerActionKind.ESCALATED: "Escalated in PagerDuty to",
    PagerActionKind.DELEGATED: "Given to another escalation policy in PagerDuty, now with",
    PagerActionKind.PRIORITY: "Priority in PagerDuty",
    PagerActionKind.NOTE: "Note in PagerDuty",
}


def _noise(event: Event) -> str:
    """What is made of its alerts, so that one problem is one incident, and quiet if need be."""
    match event:
        case SeverityRaised(previous, why):
            return f"Raised from {previous} to {why.level}. Rule {why.rule}: {why.reason}"
        case SeverityOverridden(previous, level, reason):
            return f"Set from {previous} to {level} by hand. {reason}"
        case Suppressed(window_id, reason):
            return f"Nobody is woken: maintenance window MW-{window_id} covers it. {reason}"
        case Unsuppressed(reason):
            return f"No maintenance window covers it any more. {reason}"
        case Quieted(until):
            return f"Nothing fires any more; it flaps, so it stays open until {until:%H:%M:%S} UTC."
        case Absorbed(by, title):
            return f"It is a part of INC-{by} ({title}), which has its alerts from now on."
        case AlertsTakenOver(incident_id, title, firing):
            return f"Took over the alerts of INC-{incident_id} ({title}). {firing} firing now."
        case SilenceCreated(silence_id, until):
            return f"Silenced in Alertmanager until {until:%Y-%m-%d %H:%M} UTC ({silence_id})."
        case SilenceRefused(reason):
            return f"Alertmanager was not silenced: {reason}"
        case RunbooksSuggested():
            return _suggested(event)
        case _:
            return _delivery(event)


def _suggested(event: RunbooksSuggested) -> str:
    runbooks = ", ".join(one.title for one in event.suggestions)
    said = (f"Suggested: {runbooks}." if runbooks else "", _read(event.link))
    return " ".join(part for part in said if part)


def _read(link: WebLink | None) -> str:
    return f"Its alerts name a runbook: {link.url}" if link else ""


_TOLD = {
    PageAction.TRIGGER: "The on-call engineer was paged",
    PageAction.ACKNOWLEDGE: "The pager was told of the acknowledgement",
    PageAction.RESOLVE: "The pager was told of the resolution",
}
_TELLING = {
    PageAction.TRIGGER: "The page",
    PageAction.ACKNOWLEDGE: "The acknowledgement to the pager",
    PageAction.RESOLVE: "The resolution to the pager",
}


def _delivery(event: Event) -> str:
    match event:
        case PageSent(action, severity):
            return f"{_TOLD[action]} ({severity}); the pager accepted it."
        case PageConfirmed(by):
            return f"The page is confirmed {by}."
        case PageDelayed(action, reason, attempt, retry_in):
            return (
                f"{_TELLING[action]} failed (try {attempt}): {reason} Next try in {retry_in:.0f} s."
            )
        case PageShrunk(reason):
            return f"The page was refused: {reason} It was sent again in its smallest form."
        case PageRefused(action, reason):
            return f"{_TELLING[action]} was refused: {reason}"
        case MessagePosted(channel):
            return f"Announced in {channel}."
        case OnCallInvited(names):
            return f"On call, and invited to the channel: {', '.join(names)}."
        case InvitationRefused(name, reason):
            return f"{name} is on call and could not be invited to the channel: {reason}"
        case MessageRefused(reason):
            return f"The chat message was refused: {reason}"
        case _:
            return _escalation(event)


def _escalation(event: Event) -> str:
    """Who was called because nobody had answered."""
    match event:
        case FallbackUsed(contact, waited, failed):
            told = f"failed: {failed}" if failed else "was called."
            return f"Nobody was known to be reached after {waited:.0f} s; {contact} {told}"
        case EscalationPlanned(plan):
            rules = ", ".join(f"{level} by {one.rule}" for level, one in plan.by_level.items())
            return f"Escalates {rules}." if rules else "The policy escalates it to nobody."
        case Escalated(contact, level, number, failed):
            told = f"failed: {failed}" if failed else "was called."
            return f"Nobody has taken this {level}; step {number}: {contact} {told}"
        case StillOnItAsked():
            return "Whoever took it was silent for long, and was asked whether they are on it."
        case ResponseOverdue(level, within):
            minutes = within // timedelta(minutes=1)
            return f"Nobody responded within the {minutes} min of a {level}."
        case ClockPutBack(by):
            seconds = by // timedelta(seconds=1)
            return f"The clock was put back by {seconds} s; the times before this are the old ones."
        case SecondPageClosed():
            return "The page at the second pager was resolved."
        case _:
            return _afterwards(event)


def _afterwards(event: Event) -> str:
    return ticket_sentence(event) if isinstance(event, TicketEvent) else run_sentence(event)


def _alerts(event: AlertsChanged) -> str:
    parts = []
    if event.fired_count:
        parts.append(_named("fired", event.fired, event.fired_count))
    if event.resolved_count:
        parts.append(_named("resolved", event.resolved, event.resolved_count))
    now = f"{event.firing} firing now"
    if event.unseen:
        now += f", and {event.unseen} more that Alertmanager left out"
    note = f" {event.note}" if event.note else ""
    return f"{'; '.join(parts) or 'Alerts changed'}. {now}.{note}"


def _named(verb: str, names: tuple[str, ...], count: int) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return f"{count} alert{'s' if count != 1 else ''} {verb}: {', '.join(names)}{more}"


def markdown(title: str, story: Sequence[Entry]) -> str:
    """The story as a Markdown table; texts from outside stay text, in their cell."""
    lines = [f"# {_cell(title)}", "", "| time (UTC) | who | what |", "| --- | --- | --- |"]
    for entry in story:
        run = f"run {entry.run_id}: " if entry.run_id is not None else ""
        stamp = f"{entry.at:%Y-%m-%d %H:%M:%S}"
        lines.append(f"| {stamp} | {_cell(entry.actor)} | {_cell(run + entry.text)} |")
    return "\n".join(lines) + "\n"


_MARKUP = re.compile(r"[\\|`*_~\[\]]")


def _cell(text: str) -> str:
    line = printable(" ".join(text.split()))
    escaped = line.replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(r"\\\g<0>", escaped)
