from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest

from bot.domain.actor import ALERTMANAGER, TOCSIN, Actor
from bot.domain.classify import Severity
from bot.domain.contact import Contact, Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.errors import IllegalTransition, InvalidInput
from bot.domain.escalation import StepsDone
from bot.domain.escalation_policy import EscalationPolicy, default_response_times
from bot.domain.flapping import Flapping
from bot.domain.incident import (
    LONGEST_REASON,
    OVERRIDE_RULE,
    TRANSITIONS,
    Calling,
    Command,
    Incident,
    IncidentState,
    PageState,
    absorb,
    decide,
    flaps_after,
    opening,
    override,
    raising,
    receive,
    rejoins,
    settle,
    ticket,
)
from bot.domain.incident_events import (
    Absorbed,
    Acknowledged,
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
    SeverityOverridden,
    SeverityRaised,
    Suppressed,
    Unacknowledged,
    Unsuppressed,
)
from bot.domain.incident_evolution import evolve, opened
from bot.domain.page_events import (
    Escalated,
    EscalationPlanned,
    FallbackUsed,
    PageAction,
    PageConfirmed,
    PageDelayed,
    PageRefused,
    PageSent,
    ResponseOverdue,
    SecondPageClosed,
    StillOnItAsked,
)
from bot.domain.ticket_events import TicketOpened
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
    assert entered == (TicketOpened(NOW + default_response_times()[level]),)
    assert ticket(after(made, *entered), LATER) == (), "it has one"


@pytest.mark.parametrize(("state", "level"), list(product(IncidentState, Severity)))
@pytest.mark.parametrize("window", [None, 3])
@pytest.mark.parametrize("due", [None, LATER])
def test_a_ticket_is_for_what_is_open_pages_nobody_and_has_none(
    state: IncidentState, level: Severity, window: int | None, due: datetime | None
) -> None:
    start = incident(level, state=state, suppressed_by=window, ticket_due_at=due)
    needed = state in OPEN and not level.pages and window is None and due is None
    assert ticket(start, NOW) == (
        (TicketOpened(NOW + default_response_times()[level]),) if needed else ()
    )


def test_the_pagers_key_is_the_same_for_one_opening_and_another_for_the_next() -> None:
    key, again, later, elsewhere = (
        opening(group, "Title", "Summary", classification(), at).dedup_key
        for group, at in (("g", NOW), ("g", NOW), ("g", LATER), ("h", NOW))
    )
    after_it = opening("g", "Title", "Summary", classification(), NOW, key).dedup_key
    assert key == again
    assert len({key, later, elsewhere, after_it}) == 4
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


@pytest.mark.parametrize(("before", "worst"), list(product(Severity, Severity)))
def test_what_a_person_set_is_never_raised_by_rules(before: Severity, worst: Severity) -> None:
    start = incident(before, overridden_by=ANA)
    assert raising(start, classification(worst)) == ()
    events = receive(start, change(fired=1, firing=2), classification(worst), FLAPPING, LATER)
    assert events == (change(fired=1, firing=2),)


# Coming and going


@pytest.mark.parametrize(("flaps", "minutes"), [(1, 2), (2, 4), (3, 8), (4, 15), (5, 15)])
@pytest.mark.parametrize("state", OPEN)
def test_what_has_come_back_waits_for_quiet_before_it_is_over(
    state: IncidentState, flaps: int, minutes: int
) -> None:
    start = incident(state=state, flaps=flaps)
    until = LATER + timedelta(minutes=minutes)
    events = receive(start, change(resolved=1), None, FLAPPING, LATER)
    assert events == (change(resolved=1), Quieted(until))
    waiting = after(start, *events)
    assert (waiting.state, waiting.quiet_until, waiting.firing) == (state, until, 0)


def test_it_is_over_once_it_was_quiet_for_long_enough_and_not_before() -> None:
    waiting = incident(firing=0, flaps=1, quiet_until=LATER)
    assert settle(waiting, LATER - timedelta(microseconds=1)) == ()
    (event,) = settle(waiting, LATER)
    assert isinstance(event, Resolved)
    over = after(waiting, event)
    assert (over.state, over.quiet_until) == (IncidentState.RESOLVED, None)


@pytest.mark.parametrize(
    "start",
    [
        incident(),
        incident(state=IncidentState.RESOLVED, quiet_until=LATER),
        incident(state=IncidentState.CLOSED, quiet_until=LATER),
    ],
)
def test_what_does_not_wait_for_quiet_is_not_settled(start: Incident) -> None:
    assert settle(start, LATER + timedelta(days=1)) == ()


def test_what_fires_while_it_waits_ends_the_wait() -> None:
    waiting = incident(firing=0, flaps=1, quiet_until=LATER)
    again = after(waiting, change(fired=1, firing=1))
    assert (again.quiet_until, again.flaps, again.state) == (None, 2, IncidentState.TRIGGERED)


@pytest.mark.parametrize(
    ("start", "fired", "more"),
    [
        pytest.param(incident(firing=0), 1, 0, id="its first alert"),
        pytest.param(incident(firing=2), 1, 0, id="another alert"),
        pytest.param(incident(firing=0, quiet_until=LATER), 1, 1, id="while it waits for quiet"),
        pytest.param(incident(firing=0, quiet_until=LATER), 9, 1, id="many at once are one"),
        pytest.param(incident(firing=0, quiet_until=LATER), 0, 0, id="a resolution"),
        pytest.param(incident(firing=0, state=IncidentState.RESOLVED), 1, 1, id="after its end"),
        pytest.param(incident(firing=2, state=IncidentState.RESOLVED), 1, 0, id="ended by hand"),
    ],
)
def test_a_flap_is_firing_again_after_all_were_resolved(
    start: Incident, fired: int, more: int
) -> None:
    changed = change(fired=fired, firing=start.firing + fired)
    assert flaps_after(start, changed) == start.flaps + more
    assert after(start, changed).flaps == start.flaps + more


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


@pytest.mark.parametrize("state", IncidentState)
def test_what_was_absorbed_is_never_rejoined(state: IncidentState) -> None:
    assert not rejoins(incident(state=state, absorbed_by=3, resolved_at=NOW), FLAPPING, NOW)


# A person sets the level


@pytest.mark.parametrize(("before", "level"), list(product(Severity, Severity)))
def test_a_person_sets_any_level_and_says_why(before: Severity, level: Severity) -> None:
    events = override(incident(before), level, "  Only one customer.  ")
    assert events == (SeverityOverridden(before, level, "Only one customer."),)
    reached = after(incident(before), *events)
    assert reached.overridden_by == ANA
    assert (reached.severity, reached.classification.rule, reached.classification.reason) == (
        level,
        OVERRIDE_RULE,
        "Only one customer.",
    )
    assert reached.classification.policy_digest == incident(before).classification.policy_digest


@pytest.mark.parametrize("reason", ["", " \n ", "x" * (LONGEST_REASON + 1)])
def test_a_level_without_a_reason_or_with_a_story_is_refused(reason: str) -> None:
    with pytest.raises(InvalidInput):
        override(incident(), Severity.P2, reason)


def test_a_closed_incident_keeps_its_level() -> None:
    with pytest.raises(IllegalTransition, match="INC-7 is closed"):
        override(incident(state=IncidentState.CLOSED), Severity.P2, "Because.")


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize(("before", "level"), list(product(Severity, Severity)))
def test_a_ticket_that_a_person_makes_page_is_nobodys(
    state: IncidentState, before: Severity, level: Severity
) -> None:
    start = incident(before, state=state, acknowledged_by=None if state is OPEN[0] else ANA)
    reached = after(start, *override(start, level, "Because."))
    woken = level.pages and not before.pages
    assert reached.state is (IncidentState.TRIGGERED if woken else state)


def test_a_level_set_by_hand_stays_until_the_incident_is_closed() -> None:
    held = after(incident(), *override(incident(), Severity.P2, "Because."))
    reopened = after(held, Resolved("x"), Reopened("x"))
    assert raising(reopened, classification(Severity.P0)) == ()
    closed = after(reopened, Resolved("x"), Closed())
    assert closed.overridden_by is None
    assert raising(after(closed, Reopened("x")), classification(Severity.P0)) != ()


# Being part of another


@pytest.mark.parametrize(("parents", "childs"), list(product(Severity, Severity)))
def test_a_parent_takes_over_alerts_and_rises_to_its_childs_level(
    parents: Severity, childs: Severity
) -> None:
    parent, child = incident(parents, firing=2), incident(childs, id=8, title="Pods", firing=3)
    taken, *rest = absorb(parent, child)
    assert taken == AlertsTakenOver(8, "Pods", 5)
    raised = [SeverityRaised(parents, classification(childs))]
    assert rest == (raised if childs.worse_than(parents) else [])
    reached = after(parent, taken, *rest)
    assert (reached.firing, reached.severity) == (5, min(parents, childs))


def test_what_is_absorbed_is_over_has_no_alerts_and_is_itself_again_when_reopened() -> None:
    absorbed = after(incident(quiet_until=LATER), Absorbed(3, "NodeDown: n1"))
    assert (absorbed.state, absorbed.absorbed_by, absorbed.firing, absorbed.quiet_until) == (
        IncidentState.RESOLVED,
        3,
        0,
        None,
    )
    assert absorbed.resolved_at == LATER
    assert after(absorbed, Reopened("x")).absorbed_by is None


# What is remembered


def test_the_window_that_covers_it_is_remembered_until_none_does() -> None:
    covered = after(incident(), Suppressed(3, "Moving."), Suppressed(4, "Moving on."))
    assert covered.suppressed_by == 4
    assert after(covered, Unsuppressed("x")).suppressed_by is None


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
    for name in ("id", "group_key", "title", "dedup_key"):
        assert getattr(reached, name) == getattr(start, name)
    assert reached.opened_at == start.opened_at or isinstance(event, ClockPutBack)
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


# Who has to be woken, and what was done about it


SMS, SECOND = notifier("sms"), pagerduty(PagerRoute.SECONDARY)


def called(level: Severity = Severity.P0) -> Incident:
    """Somebody has to be woken since `NOW`."""
    return incident(level, calling=Calling(NOW))


@pytest.mark.parametrize("level", Severity)
def test_from_its_opening_on_somebody_has_to_be_woken_if_its_level_pages(level: Severity) -> None:
    event = opening("g", "Title", "Summary", classification(level), NOW)
    assert opened(1, event, NOW).calling == (Calling(NOW) if level.pages else None)


@pytest.mark.parametrize(
    "event",
    [
        Acknowledged(),
        Mitigated(),
        Resolved("x"),
        Absorbed(3, "x"),
        Suppressed(3, "x"),
        SeverityOverridden(Severity.P0, Severity.P2, "x"),
    ],
)
def test_nobody_has_to_be_once_somebody_has_it_or_it_can_wait(event: IncidentEvent) -> None:
    assert after(called(), event).calling is None


@pytest.mark.parametrize(
    "events",
    [
        (Acknowledged(), Unacknowledged()),
        (Mitigated(), Unacknowledged()),
        (Resolved("x"), Reopened("x")),
        (Suppressed(3, "x"), Unsuppressed("x")),
    ],
)
def test_once_somebody_has_to_be_again_all_that_was_done_counts_no_more(
    events: tuple[IncidentEvent, ...],
) -> None:
    start = after(called(), PageConfirmed("by webhook"), FallbackUsed(SMS, 90), *events)
    assert start.calling == Calling(LATER)


def test_a_raised_ticket_has_to_wake_somebody_and_a_raised_page_goes_on() -> None:
    raised = SeverityRaised(Severity.P2, classification(Severity.P0))
    assert after(incident(Severity.P2), raised).calling == Calling(LATER)
    going_on = after(called(Severity.P1), PageConfirmed("by webhook"), raised)
    assert going_on.calling == Calling(NOW, "by webhook")


def test_a_try_that_failed_says_when_the_next_one_is() -> None:
    delayed = after(called(), PageDelayed(PageAction.TRIGGER, "It timed out.", 1, 4.5))
    assert delayed.calling == Calling(NOW, retry_at=LATER + timedelta(seconds=4.5))
    for told in (
        PageSent(PageAction.TRIGGER, Severity.P0),
        PageRefused(PageAction.TRIGGER, "x"),
    ):
        assert after(delayed, told).calling == Calling(NOW)


def test_how_far_the_fallback_chain_was_gone_down_is_counted() -> None:
    used = after(called(), FallbackUsed(SMS, 90, "It is dark."))
    assert used.calling == Calling(NOW, contacts_used=1)
    assert after(used, FallbackUsed(SMS, 91)).calling == Calling(
        NOW, contacts_used=2, fallback_at=LATER
    )


def test_what_is_told_late_of_a_call_wakes_nobody_anew() -> None:
    """Somebody took it while the contact was being called."""
    taken = after(called(), Acknowledged(), FallbackUsed(SMS, 90), PageConfirmed("by webhook"))
    assert taken.calling is None


@pytest.mark.parametrize(
    ("contact", "failed", "stands"),
    [(SECOND, "", True), (SECOND, "No answer.", True), (SMS, "", False)],
)
def test_a_page_at_the_second_pager_is_remembered_until_it_is_closed(
    contact: Contact, failed: str, stands: bool
) -> None:
    for event in (FallbackUsed(contact, 90, failed), Escalated(contact, Severity.P0, 1, failed)):
        paged = after(called(), event)
        assert paged.second_page is stands
        assert after(paged, FallbackUsed(SMS, 120)).second_page is stands
        assert not after(paged, SecondPageClosed()).second_page


def test_the_plan_and_the_times_are_those_of_its_opening() -> None:
    plan = EscalationPolicy().plan({})
    times = dict.fromkeys(Severity, timedelta(minutes=3))
    planned = after(called(), EscalationPlanned(plan, times))
    assert (planned.response.plan, planned.response.times) == (plan, times)


def test_what_was_done_for_an_answer_is_remembered() -> None:
    step = Escalated(slack(Mention.CHANNEL), Severity.P0, 3)
    response = after(called(), step, StillOnItAsked(), ResponseOverdue(Severity.P0, timedelta(0)))
    assert response.response.done == StepsDone(Severity.P0, 3, LATER)
    assert (response.response.asked_at, response.response.overdue) == (LATER, True)


@pytest.mark.parametrize("actor", [ANA, PAGERDUTY, ALERTMANAGER, TOCSIN])
def test_only_people_are_heard_of(actor: Actor) -> None:
    heard = evolve(called(), NoteAdded("Looking."), actor, LATER).response.heard_at
    assert heard == (LATER if actor in (ANA, PAGERDUTY) else None)


def test_the_first_response_is_the_first_one() -> None:
    first = evolve(called(), Acknowledged(), ANA, NOW)
    assert after(first, Unacknowledged(), Mitigated()).response.first_at == NOW


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (IncidentState.ACKNOWLEDGED, Unacknowledged()),
        (IncidentState.RESOLVED, Reopened("Somebody did, in PagerDuty.")),
    ],
)
def test_a_page_that_is_opened_again_at_the_pager_is_known_to_stand(
    state: IncidentState, event: IncidentEvent
) -> None:
    start = incident(state=state, page=PageState(PageAction.ACKNOWLEDGE, Severity.P1))
    again = evolve(start, event, PAGERDUTY, LATER)
    assert again.calling is not None
    assert again.calling.confirmed_by
    by_us = evolve(start, event, ANA, LATER)
    assert by_us.calling is not None
    assert by_us.calling.confirmed_by == ""


def test_whoever_sets_the_level_is_on_it() -> None:
    overridden = SeverityOverridden(Severity.P1, Severity.P0, "All customers.")
    assert evolve(incident(), overridden, ANA, LATER).response.heard_at == LATER
    assert evolve(incident(), change(fired=1), ALERTMANAGER, LATER).response.heard_at is None
