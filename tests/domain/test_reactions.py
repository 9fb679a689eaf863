from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from bot.domain.chat_events import InvitationRefused, MessagePosted, MessageRefused, OnCallInvited
from bot.domain.classify import Severity
from bot.domain.effects import (
    AdvanceRun,
    Announce,
    Effect,
    ExpireRun,
    InviteOnCall,
    SettleIncident,
    SetUrgency,
    SharePictures,
    UpdateMessage,
    UpdatePage,
    UpdateTicket,
)
from bot.domain.incident import IncidentState, PageState
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
from bot.domain.message import Subject, SubjectKind
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
from bot.domain.plan import PICTURE, TEXT, Announcement, Attachment, Audience, StepOutcome
from bot.domain.reactions import after_incident, after_run
from bot.domain.run import StepRecord
from bot.domain.run_events import (
    RunAborted,
    RunApproved,
    RunEvent,
    RunFinished,
    RunOverridden,
    RunPlanned,
    RunRequested,
    RunResumed,
    RunState,
    StepAnswered,
    StepApproved,
    StepAsked,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoStarted,
)
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketDelayed,
    TicketOpened,
    TicketRefused,
    TicketTold,
)
from tests.support.examples import INCIDENT_EVENTS, NOW, RUN_EVENTS, classification, incident, run

PAGE, MESSAGE, MESSAGE_SOON, TIMER, PEOPLE = "page", "message", "message soon", "timer", "people"
FOLLOW_UP = "follow-up"
REACTIONS: dict[type[IncidentEvent], set[str]] = {
    IncidentOpened: {PAGE, MESSAGE},
    # A storm changes an incident's alerts many times a second.
    AlertsChanged: {MESSAGE_SOON},
    SeverityRaised: {PAGE, MESSAGE, PEOPLE},
    SeverityOverridden: {PAGE, MESSAGE, PEOPLE},
    # A page that stands is ended by a window, and what still fires after it pages.
    Suppressed: {PAGE, MESSAGE},
    Unsuppressed: {PAGE, MESSAGE},
    Quieted: {MESSAGE_SOON, TIMER},
    Absorbed: {PAGE, MESSAGE},
    # What its parent's level becomes by it is an event of its own.
    AlertsTakenOver: {MESSAGE},
    SilenceCreated: {MESSAGE},
    SilenceRefused: {MESSAGE},
    Acknowledged: {PAGE, MESSAGE},
    Unacknowledged: {PAGE, MESSAGE},
    Mitigated: {PAGE, MESSAGE},
    Resolved: {PAGE, MESSAGE},
    Reopened: {PAGE, MESSAGE, PEOPLE},
    Closed: {PAGE, MESSAGE},
    NoteAdded: {MESSAGE},
    DoneAtPager: {MESSAGE_SOON},
    RunbooksSuggested: {MESSAGE_SOON},
    TicketOpened: {MESSAGE},
    TicketTold: {MESSAGE_SOON},
    TicketRefused: {MESSAGE},
    # A ticket has hours; the timeline has it.
    TicketDelayed: set(),
    FollowUpAdded: {MESSAGE, FOLLOW_UP},
    FollowUpDone: {MESSAGE, FOLLOW_UP},
    FollowUpReopened: {MESSAGE, FOLLOW_UP},
    # What became of the last page decides about the next one where it is written down.
    PageSent: {MESSAGE_SOON},
    PageConfirmed: {MESSAGE_SOON},
    FallbackUsed: {MESSAGE},
    Escalated: {MESSAGE},
    StillOnItAsked: {MESSAGE},
    ResponseOverdue: {MESSAGE},
    # What it is planned to do, or has tidied up, changes nothing for anybody.
    EscalationPlanned: set(),
    SecondPageClosed: set(),
    # Every open incident has it at once: a storm of messages would tell nobody anything.
    ClockPutBack: set(),
    PageRefused: {MESSAGE},
    # The message says "on its way" until it has arrived.
    PageDelayed: set(),
    # What became of the smallest form is told at the same time.
    PageShrunk: set(),
    # The message is not told about itself: that would never end. Where it stands, people meet.
    MessagePosted: {PEOPLE},
    OnCallInvited: set(),
    InvitationRefused: set(),
    MessageRefused: set(),
}
"""Who has to be told of each event; an empty set is a decision, too."""

TELL_PAGER = UpdatePage(7, Severity.P1)
TELL_CHAT = UpdateMessage(Subject(SubjectKind.INCIDENT, 7))
TELL_CHAT_SOON = UpdateMessage(Subject(SubjectKind.INCIDENT, 7), soon=True)
SETTLE = SettleIncident(7)
INVITE = InviteOnCall(7)


def test_somebody_decided_about_every_event() -> None:
    assert set(REACTIONS) == set(get_args(IncidentEvent))


@pytest.mark.parametrize("event", INCIDENT_EVENTS, ids=lambda event: type(event).__name__)
def test_who_is_told_of_an_incidents_event(event: IncidentEvent) -> None:
    told = {
        PAGE: TELL_PAGER,
        MESSAGE: TELL_CHAT,
        MESSAGE_SOON: TELL_CHAT_SOON,
        TIMER: SETTLE,
        PEOPLE: INVITE,
        FOLLOW_UP: UpdateTicket(7, follow_up=1),
    }
    expected = {told[who] for who in REACTIONS[type(event)]}
    assert set(after_incident(incident(), (event,))) == expected


def test_several_events_ask_for_each_effect_once() -> None:
    events = (*INCIDENT_EVENTS, *INCIDENT_EVENTS)
    follow_up = UpdateTicket(7, follow_up=1)
    expected = (TELL_PAGER, follow_up, TELL_CHAT, INVITE, SETTLE)
    assert after_incident(incident(), events) == expected


def test_an_incident_that_never_paged_and_does_not_page_leaves_the_pager_alone() -> None:
    assert after_incident(incident(Severity.P2), (Resolved("x"),)) == (TELL_CHAT,)


def test_a_page_is_looked_after_whatever_the_level_has_become() -> None:
    paged = incident(Severity.P2, page=PageState(PageAction.TRIGGER, Severity.P1))
    assert after_incident(paged, (Resolved("x"),)) == (UpdatePage(7, Severity.P2), TELL_CHAT)


@pytest.mark.parametrize("event", INCIDENT_EVENTS, ids=lambda event: type(event).__name__)
def test_what_people_read_on_a_ticket_is_told_to_the_tracker(event: IncidentEvent) -> None:
    """Of those whom the pager would be told, and the ticket's own beginning."""
    told = PAGE in REACTIONS[type(event)] or isinstance(event, TicketOpened)
    ticket = incident(Severity.P2, ticket_due_at=NOW)
    assert (UpdateTicket(7) in after_incident(ticket, (event,))) is told


def test_what_is_no_ticket_is_none_of_the_trackers_business() -> None:
    assert UpdateTicket(7) not in after_incident(incident(Severity.P1), INCIDENT_EVENTS)


@pytest.mark.parametrize(
    "event",
    [
        SeverityRaised(Severity.P1, classification(Severity.P0)),
        SeverityOverridden(Severity.P0, Severity.P1, "One customer."),
    ],
)
@pytest.mark.parametrize("action", [PageAction.TRIGGER, PageAction.ACKNOWLEDGE])
def test_the_urgency_of_a_page_that_stands_follows_the_level(
    event: IncidentEvent, action: PageAction
) -> None:
    paged = incident(page=PageState(action, Severity.P1))
    assert SetUrgency(7) in after_incident(paged, (event,))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"page": PageState(PageAction.RESOLVE, Severity.P1)},
        {"page": PageState(PageAction.TRIGGER, Severity.P1), "state": IncidentState.RESOLVED},
        {"page": PageState(PageAction.TRIGGER, Severity.P1), "level": Severity.P2},
    ],
)
def test_where_no_page_stands_nothing_is_urgent(changes: dict[str, Any]) -> None:
    raised = SeverityRaised(Severity.P1, classification(Severity.P0))
    assert SetUrgency(7) not in after_incident(incident(**changes), (raised,))


@pytest.mark.parametrize(
    "changes",
    [{"state": IncidentState.ACKNOWLEDGED}, {"suppressed_by": 3}, {"level": Severity.P2}],
)
def test_nobody_is_invited_who_need_not_come(changes: dict[str, Any]) -> None:
    assert INVITE not in after_incident(incident(**changes), (MessagePosted("#incidents"),))


MOVES_RUN = (
    RunRequested,
    RunApproved,
    RunOverridden,
    RunResumed,
    RunAborted,
    StepApproved,
    StepAnswered,
)


@pytest.mark.parametrize("event", RUN_EVENTS, ids=lambda event: type(event).__name__)
def test_a_runs_message_follows_every_event_and_what_people_do_moves_it(event: RunEvent) -> None:
    step_by_step = isinstance(event, StepStarted | StepProgressed | StepFinished | UndoStarted)
    tell = UpdateMessage(Subject(SubjectKind.RUN, 3), soon=step_by_step)
    expected: tuple[Effect, ...] = (tell,)
    if isinstance(event, MOVES_RUN):
        expected = (tell, AdvanceRun(3))
    if isinstance(event, RunPlanned | StepAsked):
        expected = (tell, ExpireRun(3))
    assert after_run(run(id=3), (event,)) == expected


def test_what_a_step_has_to_say_is_asked_for() -> None:
    said = (Announcement(Audience.CHAT, "Failing over."),)
    told = StepFinished("tell", StepOutcome("To be said.", announcements=said))
    silent = StepFinished("look", StepOutcome("Seen."))
    subject = Subject(SubjectKind.RUN, 7, "tell")
    effects = after_run(run(id=7), (silent, told))
    assert [one for one in effects if isinstance(one, Announce)] == [Announce(subject)]


PICTURE_TAKEN = StepOutcome("Graph of CPU.", attachments=(Attachment("cpu.png", PICTURE, id=4),))
LOG_TAKEN = StepOutcome("It ran.", attachments=(Attachment("job.log", TEXT, id=4),))
OVER = RunFinished(RunState.FAILED, "It failed.")


@pytest.mark.parametrize(
    ("outcome", "event", "shared"),
    [
        (PICTURE_TAKEN, OVER, True),
        (PICTURE_TAKEN, StepFinished("change", PICTURE_TAKEN), False),
        (LOG_TAKEN, OVER, False),
        (StepOutcome("Done."), OVER, False),
    ],
)
def test_the_pictures_of_a_run_are_shared_at_its_end(
    outcome: StepOutcome, event: RunEvent, shared: bool
) -> None:
    done = replace(run(id=7), steps=(StepRecord("change", outcome=outcome),))
    assert (SharePictures(7) in after_run(done, (event,))) is shared
