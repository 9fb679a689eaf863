from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.attendance import (
    escalation_state,
    leaves_second_page,
    overdue,
    page_record,
    taken_by_pager,
)
from bot.domain.auditing import PageRecord
from bot.domain.classify import Severity
from bot.domain.escalation import Attention, StepsDone
from bot.domain.incident import Calling, Incident, IncidentState, PageState, Response
from bot.domain.page_events import PageAction, ResponseOverdue
from tests.support.examples import NOW, incident

TRIGGER = PageState(PageAction.TRIGGER, Severity.P1, at=NOW)
REFUSED = replace(TRIGGER, refused="Invalid routing key")
CALLED = incident(calling=Calling(NOW))
STATE = IncidentState


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("changes", "attention"),
    [
        ({}, Attention.NOBODY),
        ({"state": STATE.ACKNOWLEDGED}, Attention.TAKEN),
        ({"state": STATE.MITIGATED}, Attention.TAKEN),
        ({"state": STATE.RESOLVED}, Attention.OVER),
        ({"state": STATE.CLOSED}, Attention.OVER),
        ({"suppressed_by": 3}, Attention.SUPPRESSED),
        ({"suppressed_by": 3, "state": STATE.ACKNOWLEDGED}, Attention.SUPPRESSED),
        ({"suppressed_by": 3, "state": STATE.RESOLVED}, Attention.OVER),
    ],
)
def test_whose_attention_an_incident_has(changes: dict[str, Any], attention: Attention) -> None:
    assert escalation_state(incident(**changes)).attention is attention


def test_the_escalations_clock_starts_when_somebody_has_to_be_woken() -> None:
    called = incident(calling=Calling(at(7)), acknowledged_at=at(3))
    assert escalation_state(called).since == at(7)


@pytest.mark.parametrize(
    ("taken", "since"),
    [
        (incident(state=STATE.ACKNOWLEDGED, acknowledged_at=at(3)), at(3)),
        (incident(state=STATE.MITIGATED, response=Response(heard_at=at(4))), at(4)),
        (incident(Severity.P3), NOW),
    ],
)
def test_or_when_somebody_took_it(taken: Incident, since: datetime) -> None:
    assert escalation_state(taken).since == since


def test_what_is_known_of_the_steps_is_handed_on() -> None:
    done = StepsDone(Severity.P1, 2, at(5))
    response = Response(done=done, heard_at=at(1), asked_at=at(2))
    state = escalation_state(incident(response=response))
    assert (state.level, state.done) == (Severity.P1, done)
    assert (state.heard_at, state.asked_at) == (at(1), at(2))


@pytest.mark.parametrize(
    ("level", "minutes"),
    [(Severity.P0, 15), (Severity.P1, 60), (Severity.P2, 240), (Severity.P3, 1440)],
)
def test_a_response_is_overdue_after_its_levels_time(level: Severity, minutes: int) -> None:
    said = ResponseOverdue(level, timedelta(minutes=minutes))
    assert overdue(incident(level), at(minutes)) == ()
    assert overdue(incident(level), at(minutes + 1)) == (said,)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": STATE.RESOLVED},
        {"state": STATE.CLOSED},
        {"suppressed_by": 3},
        {"response": Response(overdue=True)},
        {"response": Response(first_at=NOW)},
    ],
)
def test_it_is_not_where_nobody_has_to_respond_or_it_was_said(changes: dict[str, Any]) -> None:
    assert overdue(incident(**changes), at(100_000)) == ()


def test_what_was_hidden_for_hours_is_not_late_at_once() -> None:
    unhidden = incident(calling=Calling(at(300)))
    assert overdue(unhidden, at(301)) == ()
    assert overdue(unhidden, at(361)) != ()


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"page": TRIGGER}, True),
        ({"page": None}, False),
        ({"page": REFUSED}, False),
        ({"page": replace(TRIGGER, at=at(-1))}, False),
        ({"page": replace(TRIGGER, at=None)}, False),
        ({"page": replace(TRIGGER, action=PageAction.RESOLVE)}, False),
        ({"page": TRIGGER, "calling": Calling(NOW, "by webhook")}, False),
        ({"page": TRIGGER, "calling": None}, False),
    ],
)
def test_whether_the_pager_accepted_the_page_that_is_needed(
    changes: dict[str, Any], taken: bool
) -> None:
    assert taken_by_pager(replace(CALLED, **changes)) is taken


def test_a_second_page_is_left_when_nobody_has_to_be_woken() -> None:
    assert not leaves_second_page(incident())
    assert not leaves_second_page(incident(second_page=True))
    assert leaves_second_page(incident(second_page=True, state=STATE.ACKNOWLEDGED))
    assert leaves_second_page(incident(second_page=True, suppressed_by=3))
    assert not leaves_second_page(incident(state=STATE.ACKNOWLEDGED))


@pytest.mark.parametrize(
    ("changes", "record"),
    [
        ({}, PageRecord(NOW)),
        ({"page": TRIGGER}, PageRecord(NOW, sent_at=NOW)),
        ({"page": replace(TRIGGER, at=at(-1))}, PageRecord(NOW)),
        ({"page": REFUSED}, PageRecord(NOW, refused="Invalid routing key")),
        ({"page": replace(REFUSED, at=at(-1))}, PageRecord(NOW)),
        ({"page": replace(REFUSED, action=PageAction.RESOLVE)}, PageRecord(NOW)),
        ({"calling": Calling(NOW, "by webhook")}, PageRecord(NOW, confirmed_at=NOW)),
        ({"calling": Calling(NOW, retry_at=at(1))}, PageRecord(NOW, due_at=at(1))),
        ({"calling": Calling(NOW, fallback_at=at(2))}, PageRecord(NOW, fallback_at=at(2))),
    ],
)
def test_what_is_written_down_about_the_page(changes: dict[str, Any], record: PageRecord) -> None:
    assert page_record(replace(CALLED, **changes)) == record


def test_a_fallback_that_is_due_is_a_try_that_is_due() -> None:
    assert page_record(CALLED, at(2)) == PageRecord(NOW, due_at=at(2))


def test_nothing_is_where_nobody_has_to_be_woken() -> None:
    assert page_record(incident(page=TRIGGER)) is None
