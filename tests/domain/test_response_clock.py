from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.classify import Severity
from bot.domain.contact import Contact, Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.escalation import StepsDone
from bot.domain.escalation_policy import EscalationPolicy
from bot.domain.incident import Calling, Incident, IncidentState, PageState, Response
from bot.domain.page_events import PageAction
from bot.domain.response_clock import (
    NextCall,
    confirmation,
    fallback_used,
    named,
    next_call,
    respond_by,
)
from tests.support.examples import ANA, NOW, incident

MINUTE = timedelta(minutes=1)
PAGED = PageState(PageAction.TRIGGER, Severity.P0, at=NOW)
PLANNED = Response(plan=EscalationPolicy().plan({}))


def called(calling: Calling | None = None, **changes: Any) -> Incident:
    """A paged P0 with the shipped escalation."""
    plain = incident(Severity.P0, page=PAGED, calling=calling or Calling(NOW), response=PLANNED)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("level", "minutes"),
    [(Severity.P0, 15), (Severity.P1, 60), (Severity.P2, 240), (Severity.P3, 1440)],
)
def test_somebody_must_respond_within_the_time_of_the_level(level: Severity, minutes: int) -> None:
    assert respond_by(incident(level)) == NOW + minutes * MINUTE


@pytest.mark.parametrize(
    "changes",
    [
        {"state": IncidentState.ACKNOWLEDGED},
        {"state": IncidentState.RESOLVED},
        {"suppressed_by": 3},
        {"response": Response(first_at=NOW)},
    ],
)
def test_nobody_must_respond_where_somebody_has_or_need_not(changes: dict[str, Any]) -> None:
    assert respond_by(incident(**changes)) is None


def test_the_next_call_is_the_first_step_that_was_not_done() -> None:
    second = pagerduty(PagerRoute.SECONDARY)
    assert next_call(called()) == NextCall(NOW + 5 * MINUTE, second)
    done = replace(PLANNED, done=StepsDone(Severity.P0, 2, NOW + 6 * MINUTE))
    channel = slack(Mention.CHANNEL)
    assert next_call(called(response=done)) == NextCall(NOW + 11 * MINUTE, channel)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": IncidentState.ACKNOWLEDGED, "acknowledged_by": ANA},
        {"state": IncidentState.RESOLVED},
        {"suppressed_by": 3},
        {"response": Response()},
        {"response": replace(PLANNED, done=StepsDone(Severity.P0, 12, NOW))},
    ],
)
def test_nobody_is_called_where_no_step_is_ahead(changes: dict[str, Any]) -> None:
    assert next_call(called(**changes)) is None


def test_whether_the_page_is_confirmed() -> None:
    assert confirmation(called()) == "not confirmed yet"
    confirmed = Calling(NOW, confirmed_by="by PagerDuty’s webhook")
    assert confirmation(called(confirmed)) == "confirmed by PagerDuty’s webhook"
    assert confirmation(called(page=None)) == ""
    assert confirmation(called(page=replace(PAGED, refused="Invalid key"))) == ""
    assert confirmation(incident(page=PAGED, state=IncidentState.ACKNOWLEDGED)) == ""


@pytest.mark.parametrize(
    ("calling", "said"),
    [
        (Calling(NOW), ""),
        (Calling(NOW, contacts_used=1, fallback_at=NOW), "fallback: 1 contact tried"),
        (Calling(NOW, contacts_used=2), "fallback: 2 contacts tried, none was reached"),
    ],
)
def test_how_far_the_fallback_chain_went(calling: Calling, said: str) -> None:
    assert fallback_used(called(calling)) == said
    assert fallback_used(incident()) == ""


@pytest.mark.parametrize(
    ("contact", "name"),
    [
        (pagerduty(PagerRoute.PRIMARY), "PagerDuty"),
        (pagerduty(PagerRoute.SECONDARY), "PagerDuty’s second key"),
        (slack(Mention.CHANNEL), "the whole channel in Slack"),
        (slack(Mention.ON_CALL), "who is on call, in Slack"),
        (notifier("channel"), "the notifier channel"),
    ],
)
def test_contacts_have_names_for_people(contact: Contact, name: str) -> None:
    assert named(contact) == name
