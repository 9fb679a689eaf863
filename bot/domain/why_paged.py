"""Why somebody was paged about an incident, or nobody, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from bot.domain.incident import Incident
from bot.domain.incident_events import Absorbed, Suppressed, Unsuppressed
from bot.domain.maintenance import Window
from bot.domain.page_events import PageAction, PageDelayed, PageRefused, PageSent
from bot.domain.paging import PageReason, next_page
from bot.domain.stamps import stamp
from bot.domain.storm import STORM_KEY
from bot.domain.timeline import Recorded
from bot.domain.why_called import why_called

NAMED_PAGES = 3
"""Pages that are named with their time; the latest."""


def why_paged(
    incident: Incident, recorded: Sequence[Recorded], windows: Mapping[int, Window]
) -> tuple[str, ...]:
    """What was told to the pager and why; `windows` are those that suppressed it at any time."""
    return (
        *_pages(recorded),
        _now(incident),
        *_trouble(recorded),
        *why_called(incident, recorded),
        *_suppressions(incident, recorded, windows),
        *_elsewhere(incident, recorded),
    )


def _pages(recorded: Sequence[Recorded]) -> Iterator[str]:
    pages = [
        f"{stamp(one.at)} as {event.severity}"
        for one in recorded
        if isinstance(event := one.event, PageSent) and event.action is PageAction.TRIGGER
    ]
    earlier = f", {len(pages) - NAMED_PAGES} earlier" if len(pages) > NAMED_PAGES else ""
    told = f"The on-call engineer was paged: {', '.join(pages[-NAMED_PAGES:])}{earlier}."
    yield told if pages else "Nobody was paged."


_SENTENCES: Mapping[PageReason, str] = {
    PageReason.FIRST_PAGE: "The page is on its way.",
    PageReason.SEVERITY_CHANGED: "Its level is another than what was paged; the pager is told.",
    PageReason.REOPENED: "It is open again; the page is on its way.",
    PageReason.ACKNOWLEDGED_HERE: "Somebody has it; the pager is told.",
    PageReason.RESOLVED_HERE: "It is over; the pager is told.",
    PageReason.LOWERED: "A person lowered it to a level that pages nobody; the page is ended.",
    PageReason.NOT_PAGED_AND_TAKEN: "Somebody took it before a page went out.",
    PageReason.NOT_PAGED_AND_OVER: "It was over before a page went out.",
    PageReason.REFUSED: "The pager would refuse it again; a person has to look at its settings.",
}
_STANDS = {
    PageAction.TRIGGER: "The page stands: nobody has acknowledged it.",
    PageAction.ACKNOWLEDGE: "The pager knows that somebody has it.",
    PageAction.RESOLVE: "The page has ended.",
}


def _now(incident: Incident) -> str:
    """How it stands with the pager, and why."""
    reason = next_page(incident).reason
    if reason is PageReason.SUPPRESSED:
        ended = " the page is ended" if incident.page else " nobody is woken"
        return f"A maintenance window covers all that fires;{ended}."
    if reason is PageReason.LEVEL_DOES_NOT_PAGE:
        return f"{incident.severity} pages nobody; such levels become tickets."
    if reason is PageReason.UP_TO_DATE and incident.page is not None:
        lowered = not (incident.severity.pages or incident.state.over)
        because = f" {incident.severity} pages nobody." if lowered else ""
        return _STANDS[incident.page.action] + because
    return _SENTENCES[reason]


def _trouble(recorded: Sequence[Recorded]) -> Iterator[str]:
    """What went wrong since the pager last took something."""
    told = [one for one in recorded if isinstance(one.event, PageSent | PageRefused | PageDelayed)]
    match told[-1].event if told else None:
        case PageRefused(_, reason):
            yield f"The pager refused it, {stamp(told[-1].at)}: {reason}"
        case PageDelayed(_, reason, attempt):
            yield f"Try {attempt} to reach the pager failed, {stamp(told[-1].at)}: {reason}"


def _suppressions(
    incident: Incident, recorded: Sequence[Recorded], windows: Mapping[int, Window]
) -> Iterator[str]:
    events = [one for one in recorded if isinstance(one.event, Suppressed | Unsuppressed)]
    for one, following in zip_longest(events, events[1:]):
        if isinstance(one.event, Suppressed):
            since = f"since {stamp(one.at)}"
            if following is not None:
                since = f"from {stamp(one.at)} to {stamp(following.at)}"
            yield f"MW-{one.event.window_id} covered it {since}: {one.event.reason}"
    window = windows.get(incident.suppressed_by or 0)
    if window is not None and not incident.state.over:
        yield f"{window.reference} ends {stamp(window.ends_at)}; what still fires pages then."


def _elsewhere(incident: Incident, recorded: Sequence[Recorded]) -> Iterator[str]:
    """What else stands for it, and what it stands for."""
    absorbed = [one.event for one in recorded if isinstance(one.event, Absorbed)]
    if incident.absorbed_by is not None and absorbed:
        yield f"It is a part of INC-{absorbed[-1].by} ({absorbed[-1].title}), which pages instead."
    if incident.group_key == STORM_KEY:
        yield "It gathers a storm of alerts, so that one page stands for all of them."
    if incident.ticket_due_at is not None:
        yield f"A ticket was opened; a response is due by {stamp(incident.ticket_due_at)}."
    if incident.ticket is not None and incident.ticket.ref is not None:
        ref = incident.ticket.ref
        yield f"The ticket is {ref.name}{ref.ending}"
