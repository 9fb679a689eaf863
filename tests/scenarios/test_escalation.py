"""Escalation: nobody acknowledges, so more people are called, until somebody does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.classify import Severity
from bot.domain.contact import Mention, PagerRoute, pagerduty, slack
from bot.domain.escalation_policy import EscalationRule, EscalationStep
from bot.domain.incident import IncidentState
from bot.domain.page_events import Escalated
from tests.support.harness import Harness

SECOND = pagerduty(PagerRoute.SECONDARY)
ON_CALL, EVERYBODY = slack(Mention.ON_CALL), slack(Mention.CHANNEL)
EMERGENCY = "emergency"
"""The label that makes an alert a P0."""


def steps(h: Harness, since: datetime | None = None) -> list[tuple[str, int]]:
    """Who was called, and how many minutes after the incident opened, or after that moment."""
    with h.store.read() as reader:
        recorded = reader.recorded(incident_id=1)
    start = since or recorded[0].at
    return [
        (one.event.contact.name, int((one.at - start) / timedelta(minutes=1)))
        for one in recorded
        if isinstance(one.event, Escalated) and one.at >= start
    ]


def wait(h: Harness, minutes: float) -> None:
    """Looks that far apart are enough where it is about minutes."""
    for _ in range(int(minutes * 4)):
        h.fast_forward(15)
        h.go_rounds()
    h.settle()


def p0(h: Harness) -> None:
    h.alert("HighErrorRate", severity=EMERGENCY)
    assert h.incident().severity is Severity.P0


def test_a_p0_that_nobody_takes_calls_more_people_after_five_minutes(h: Harness) -> None:
    p0(h)
    h.attend(296)
    assert steps(h) == []
    h.attend(8)
    assert steps(h) == [("secondary", 5), ("on-call", 5)]
    assert h.second_pager.told == [("trigger", h.incident().dedup_key)]
    wait(h, 5.5)
    assert steps(h)[2:] == [("channel", 10)]
    assert any("<!channel>" in str(one.blocks) for one in h.slack.messages())


def test_a_p1_has_fifteen_minutes(h: Harness) -> None:
    h.alert("HighErrorRate")
    wait(h, 14.5)
    assert steps(h) == []
    wait(h, 1)
    assert steps(h) == [("on-call", 15)]
    wait(h, 15)
    assert steps(h)[1:] == [("secondary", 30)]


def test_the_rounds_repeat_as_often_as_the_policy_says_and_then_end(h: Harness) -> None:
    h.alert("HighErrorRate")
    wait(h, 150)
    assert [contact for contact, _ in steps(h)] == ["on-call", "secondary"] * 2


def test_acknowledging_stops_it_and_giving_it_back_starts_it_anew(h: Harness) -> None:
    p0(h)
    wait(h, 6)
    h.click("Acknowledge")
    wait(h, 20)
    assert len(steps(h)) == 2
    h.command("ana", "/incident unack 1")
    given_back = h.clock.now()
    wait(h, 4)
    assert len(steps(h)) == 2
    wait(h, 2)
    assert [contact for contact, _ in steps(h, given_back)] == ["secondary", "on-call"]


def test_whoever_is_silent_for_too_long_is_asked_and_then_others_are_called(h: Harness) -> None:
    """For a P0: asked after 30 minutes, and 5 minutes later it is nobody's."""
    p0(h)
    h.click("Acknowledge")
    wait(h, 29)
    assert not any("was asked" in line for line in h.timeline())
    wait(h, 2)
    assert sum("was asked" in line for line in h.timeline()) == 1
    assert any("Still on it?" in one.text for one in h.slack.messages())
    wait(h, 6)
    assert h.incident().state is IncidentState.TRIGGERED
    assert "Tocsin: Given back; nobody has it now." in h.timeline()
    assert [action for action, _ in h.told_pager()] == ["trigger", "acknowledge", "trigger"]
    wait(h, 6)
    assert [contact for contact, _ in steps(h)] == ["secondary", "on-call"]


def test_whoever_says_something_is_still_on_it(h: Harness) -> None:
    p0(h)
    h.click("Acknowledge")
    wait(h, 32)
    h.command("ana", "/incident note 1 Still looking at the database.")
    wait(h, 20)
    assert h.incident().state is IncidentState.ACKNOWLEDGED
    assert steps(h) == []


def test_a_changed_policy_is_for_the_next_incident(h: Harness) -> None:
    p0(h)
    now_only = EscalationStep(timedelta(minutes=1), EVERYBODY)
    rule = EscalationRule("changed", (Severity.P0,), (now_only,))
    h.routing = replace(h.routing, escalations=(rule,))
    wait(h, 5.5)
    assert [contact for contact, _ in steps(h)] == ["secondary", "on-call"]


def test_a_maintenance_window_stops_it(h: Harness) -> None:
    p0(h)
    wait(h, 6)
    before = steps(h)
    window = h.plan_window("service=checkout", minutes=60)
    wait(h, 20)
    assert steps(h) == before
    assert ("resolve", h.incident().dedup_key) in h.second_pager.told
    h.end_window(window)
    ended = h.clock.now()
    wait(h, 4)
    assert steps(h, ended) == []
    wait(h, 2)
    assert len(steps(h, ended)) == 2


def test_a_response_that_is_overdue_is_said_once(h: Harness) -> None:
    p0(h)
    wait(h, 14)
    assert not any("Nobody responded" in line for line in h.timeline())
    wait(h, 40)
    told = [line for line in h.timeline() if "Nobody responded" in line]
    assert told == ["Tocsin: Nobody responded within the 15 min of a P0."]


def test_a_response_in_time_is_none(h: Harness) -> None:
    p0(h)
    h.click("Acknowledge")
    wait(h, 20)
    assert not any("Nobody responded" in line for line in h.timeline())


def test_the_clock_is_put_forward(h: Harness) -> None:
    """The steps come early; none is left out, none comes twice."""
    p0(h)
    wait(h, 6)
    assert len(steps(h)) == 2
    h.clock.advance(600)
    wait(h, 4)
    assert [contact for contact, _ in steps(h)] == ["secondary", "on-call", "channel"]


def test_repeated_looks_do_no_step_twice(h: Harness) -> None:
    p0(h)
    h.fast_forward(minutes=5)
    for _ in range(20):
        h.go_rounds()
    h.settle()
    for _ in range(20):
        h.go_rounds()
    h.settle()
    assert [contact for contact, _ in steps(h)] == ["secondary", "on-call"]
