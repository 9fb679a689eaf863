from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from bot.domain.actor import ALERTMANAGER, TOCSIN, Actor
from bot.domain.classify import Severity
from bot.domain.errors import IllegalTransition
from bot.domain.flapping import Flapping
from bot.domain.incident import (
    RESPONSE_TIMES,
    TRANSITIONS,
    Command,
    Incident,
    IncidentState,
    PageState,
    decide,
    evolve,
    opened,
    opening,
    receive,
    rejoins,
    ticket,
)
from bot.domain.incident_events import (
    Acknowledged,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    PageAction,
    PageRefused,
    PageSent,
    Reopened,
    Resolved,
    SeverityRaised,
    TicketOpened,
    Unacknowledged,
)
from tests.support.examples import (
    ANA,
    INCIDENT_EVENTS,
    NOW,
    PAGERDUTY,
    change,
    classification,
    incident,
)

FLAPPING = Flapping()
LATER = NOW + timedelta(minutes=10)
OVER = (IncidentState.RESOLVED, IncidentState.CLOSED)
OPEN = (IncidentState.TRIGGERED, IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED)
MISSING = [pair for pair in product(IncidentState, Command) if pair not in TRANSITIONS]


def after(start: Incident, *events: IncidentEvent) -> Incident:
    for event in events:
        start = evolve(start, event, ANA, LATER)
    return start


# What people do


@pytest.mark.parametrize(("pair", "reached"), TRANSITIONS.items())
def test_every_transition_leads_where_the_table_says(
    pair: tuple[IncidentState, Command], reached: IncidentState
) -> None:
    state, command = pair
    start = incident(state=state)
    assert after(start, *decide(start, command)).state is reached


@pytest.mark.parametrize(("state", "command"), MISSING)
def test_every_other_pair_is_refused_and_changes_nothing(
    state: IncidentState, command: Command
) -> None:
    start = incident(state=state)
    before = incident(state=state)
    with pytest.raises(IllegalTransition, match=rf"INC-7 is .*can’t {command.value} it"):
        decide(start, command)
    assert start == before


def test_the_table_knows_every_state_and_every_command() -> None:
    assert {state for state, _ in TRANSITIONS} == set(IncidentState)
    assert {command for _, command in TRANSITIONS} == set(Command)
    assert set(TRANSITIONS.values()) == set(IncidentState)


def test_a_second_acknowledgement_says_who_has_it() -> None:
    taken = after(incident(), Acknowledged())
    with pytest.raises(IllegalTransition, match="already acknowledged by ana"):
        decide(taken, Command.ACKNOWLEDGE)


@pytest.mark.parametrize("state", IncidentState)
def test_over_is_what_nobody_has_to_act_on(state: IncidentState) -> None:
    assert state.over is (state in OVER)


# Opening


@pytest.mark.parametrize("level", [Severity.P0, Severity.P1])
def test_a_level_that_pages_opens_without_a_ticket(level: Severity) -> None:
    made = opened(1, opening("group", "Title", "Summary", classification(level), NOW), NOW)
    assert ticket(made, NOW) == ()


@pytest.mark.parametrize("level", [Severity.P2, Severity.P3])
def test_a_level_that_does_not_page_enters_a_ticket_due_at_its_response_time(
    level: Severity,
) -> None:
    made = opened(1, opening("group", "Title", "Summary", classification(level), NOW), NOW)
    entered = ticket(made, NOW)
    assert entered == (TicketOpened(NOW + RESPONSE_TIMES[level]),)
    assert ticket(after(made, *entered), LATER) == (), "it has one"


def test_the_pagers_key_is_the_same_for_one_opening_and_another_for_the_next() -> None:
    key, again, later, elsewhere = (
        opening(group, "Title", "Summary", classification(), at).dedup_key
        for group, at in (("g", NOW), ("g", NOW), ("g", LATER), ("h", NOW))
    )
    assert key == again
    assert len({key, later, elsewhere}) == 3
    assert len(key) <= 255


def test_an_opened_incident_is_what_its_event_says() -> None:
    event = IncidentOpened("group", "Title", "Summary", classification(), "key")
    made = opened(12, event, NOW)
    assert (made.reference, made.state, made.severity) == (
        "INC-12",
        IncidentState.TRIGGERED,
        Severity.P1,
    )
    assert (made.group_key, made.title, made.summary) == ("group", "Title", "Summary")
    assert (made.dedup_key, made.opened_at, made.page) == ("key", NOW, None)


# What alerts do


@pytest.mark.parametrize(("before", "worst"), list(product(Severity, Severity)))
def test_alerts_raise_the_severity_and_never_lower_it(before: Severity, worst: Severity) -> None:
    changed = change(fired=1, firing=2)
    events = receive(incident(before), changed, classification(worst), FLAPPING, LATER)
    raised = [event for event in events if isinstance(event, SeverityRaised)]
    if int(worst[1]) < int(before[1]):
        assert raised == [SeverityRaised(before, classification(worst))]
        assert after(incident(before), *events).severity is worst
    else:
        assert raised == []
        assert after(incident(before), *events).severity is before


@pytest.mark.parametrize("state", OVER)
def test_alerts_that_fire_again_reopen(state: IncidentState) -> None:
    start = incident(state=state, acknowledged_by=ANA, resolved_at=NOW)
    events = receive(start, change(fired=1, firing=1), classification(), FLAPPING, LATER)
    reopened = after(start, *events)
    assert [type(event) for event in events[1:]] == [Reopened]
    assert reopened.state is IncidentState.TRIGGERED
    assert (reopened.resolved_at, reopened.acknowledged_by, reopened.acknowledged_at) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize("state", OPEN)
def test_the_last_alert_resolved_resolves_the_incident(state: IncidentState) -> None:
    start = incident(state=state)
    events = receive(start, change(resolved=1, firing=0), None, FLAPPING, LATER)
    assert events == (change(resolved=1), Resolved("All its alerts are resolved."))
    resolved = after(start, *events)
    assert (resolved.state, resolved.resolved_at) == (IncidentState.RESOLVED, LATER)


@pytest.mark.parametrize(
    ("resolved", "firing", "unseen", "state"),
    [
        pytest.param(1, 1, 0, IncidentState.TRIGGERED, id="one still fires"),
        pytest.param(1, 0, 2, IncidentState.TRIGGERED, id="Alertmanager left some out"),
        pytest.param(0, 0, 0, IncidentState.TRIGGERED, id="nothing was resolved"),
        pytest.param(1, 0, 0, IncidentState.RESOLVED, id="it is resolved already"),
        pytest.param(1, 0, 0, IncidentState.CLOSED, id="it is closed already"),
    ],
)
def test_otherwise_alerts_resolve_nothing(
    resolved: int, firing: int, unseen: int, state: IncidentState
) -> None:
    changed = change(resolved=resolved, firing=firing, unseen=unseen)
    assert receive(incident(state=state), changed, None, FLAPPING, LATER) == (changed,)


def test_the_counts_are_those_of_the_last_change() -> None:
    changed = after(incident(), change(fired=1, firing=3, unseen=2))
    assert (changed.firing, changed.unseen) == (3, 2)


@pytest.mark.parametrize("state", [IncidentState.ACKNOWLEDGED, IncidentState.MITIGATED])
@pytest.mark.parametrize(("before", "worst"), list(product(Severity, Severity)))
def test_a_ticket_that_somebody_took_is_nobodys_once_it_has_to_page(
    state: IncidentState, before: Severity, worst: Severity
) -> None:
    start = incident(before, state=state, acknowledged_by=ANA)
    changed = change(fired=1, firing=2)
    reached = after(start, *receive(start, changed, classification(worst), FLAPPING, LATER))
    if worst.pages and not before.pages:
        assert (reached.state, reached.acknowledged_by) == (IncidentState.TRIGGERED, None)
    else:
        assert (reached.state, reached.acknowledged_by) == (state, ANA)


# Rejoining


@pytest.mark.parametrize("state", OPEN)
def test_whatever_fires_joins_an_open_incident(state: IncidentState) -> None:
    assert rejoins(incident(state=state), FLAPPING, NOW + timedelta(days=30))


def test_a_resolved_incident_is_rejoined_within_the_window_only() -> None:
    resolved = incident(state=IncidentState.RESOLVED, resolved_at=NOW)
    assert rejoins(resolved, FLAPPING, NOW + FLAPPING.rejoin)
    assert not rejoins(resolved, FLAPPING, NOW + FLAPPING.rejoin + timedelta(microseconds=1))


def test_a_closed_incident_is_never_rejoined() -> None:
    assert not rejoins(incident(state=IncidentState.CLOSED, resolved_at=NOW), FLAPPING, NOW)


# What is remembered


def test_an_acknowledgement_remembers_who_and_when() -> None:
    taken = after(incident(), Acknowledged())
    assert (taken.acknowledged_by, taken.acknowledged_at) == (ANA, LATER)
    given_back = after(taken, Unacknowledged())
    assert (given_back.acknowledged_by, given_back.acknowledged_at) == (None, None)


def test_closing_keeps_when_it_was_resolved() -> None:
    closed = after(incident(), Mitigated(), Resolved("x"), Closed())
    assert (closed.state, closed.resolved_at) == (IncidentState.CLOSED, LATER)


def test_a_page_is_remembered_as_it_was_told() -> None:
    sent = after(incident(), PageSent(PageAction.TRIGGER, Severity.P0))
    assert sent.page == PageState(PageAction.TRIGGER, Severity.P0)
    refused = after(sent, PageRefused(PageAction.RESOLVE, "Invalid routing key"))
    assert refused.page == PageState(PageAction.RESOLVE, Severity.P1, "Invalid routing key")


@pytest.mark.parametrize("event", INCIDENT_EVENTS, ids=lambda event: type(event).__name__)
def test_no_event_changes_what_an_incident_is_recognised_by(event: IncidentEvent) -> None:
    start = incident()
    reached = evolve(start, event, TOCSIN, LATER)
    for name in ("id", "group_key", "title", "dedup_key", "opened_at"):
        assert getattr(reached, name) == getattr(start, name)
    assert start == incident()


# No echo: what the pager told us, it need not be told


SAID = {
    Command.ACKNOWLEDGE: PageAction.ACKNOWLEDGE,
    Command.UNACKNOWLEDGE: PageAction.TRIGGER,
    Command.RESOLVE: PageAction.RESOLVE,
    Command.REOPEN: PageAction.TRIGGER,
}


def told_otherwise(command: Command) -> PageState:
    """The pager was told last what differs from the command's own verb."""
    said = SAID.get(command, PageAction.TRIGGER)
    other = next(action for action in PageAction if action is not said)
    return PageState(other, Severity.P0)


@pytest.mark.parametrize(("state", "command"), TRANSITIONS)
def test_what_the_pager_says_counts_as_told(state: IncidentState, command: Command) -> None:
    told = told_otherwise(command)
    start = incident(state=state, page=told)
    (event,) = decide(start, command)
    by_pager = evolve(start, event, PAGERDUTY, LATER).page
    assert by_pager == (PageState(SAID[command], Severity.P1) if command in SAID else told)


@pytest.mark.parametrize(("state", "command"), TRANSITIONS)
@pytest.mark.parametrize("actor", [ANA, ALERTMANAGER])
def test_what_others_say_does_not(state: IncidentState, command: Command, actor: Actor) -> None:
    told = told_otherwise(command)
    start = incident(state=state, page=told)
    (event,) = decide(start, command)
    assert evolve(start, event, actor, LATER).page == told
