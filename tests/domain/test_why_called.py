from __future__ import annotations

from datetime import timedelta

from bot.domain.actor import TOCSIN
from bot.domain.classify import Severity
from bot.domain.contact import Mention, notifier, slack
from bot.domain.escalation_policy import EscalationPolicy
from bot.domain.incident import Calling, Incident, PageState, Response
from bot.domain.incident_events import IncidentEvent
from bot.domain.page_events import (
    Escalated,
    FallbackUsed,
    PageAction,
    PageConfirmed,
    PageSent,
    ResponseOverdue,
    StillOnItAsked,
)
from bot.domain.timeline import Recorded
from bot.domain.why_called import why_called
from tests.support.examples import NOW, incident

PAGED = PageState(PageAction.TRIGGER, Severity.P0, at=NOW)
PLANNED = Response(plan=EscalationPolicy().plan({}))
CALLED = incident(Severity.P0, page=PAGED, calling=Calling(NOW), response=PLANNED)


def story(about: Incident, *events: IncidentEvent) -> list[str]:
    """What is said after these events, one a minute."""
    recorded = [
        Recorded(number, NOW + timedelta(minutes=number), TOCSIN, event, 7)
        for number, event in enumerate(events)
    ]
    return list(why_called(about, recorded))


def test_a_page_that_nothing_has_confirmed() -> None:
    assert story(CALLED, PageSent(PageAction.TRIGGER, Severity.P0)) == [
        "Nothing has confirmed yet that the page stands at the pager.",
        "Somebody must respond by 01 Mar 03:15:00 UTC.",
        "If nobody takes it by 01 Mar 03:05:00 UTC, PagerDuty’s second key will be called.",
    ]


def test_all_who_were_called_are_named_with_the_reason() -> None:
    overdue = incident(Severity.P0, response=Response(overdue=True))
    said = story(
        overdue,
        FallbackUsed(notifier("sms"), 92.5, "It timed out."),
        PageConfirmed("by PagerDuty’s webhook"),
        Escalated(slack(Mention.CHANNEL), Severity.P0, 3),
        ResponseOverdue(Severity.P0, timedelta(minutes=15)),
        StillOnItAsked(),
    )
    assert said == [
        "01 Mar 03:00:00 UTC: the page was not known to have arrived after 92 s, so "
        "the notifier sms was tried, in vain: It timed out.",
        "The page was confirmed by PagerDuty’s webhook, 01 Mar 03:01:00 UTC.",
        "01 Mar 03:02:00 UTC: nobody had taken it, so step 3 of its P0 escalation was due; "
        "the whole channel in Slack was called.",
        "01 Mar 03:03:00 UTC: the 15 min of a P0 were over; nobody responded.",
        "01 Mar 03:04:00 UTC: whoever took it was asked whether they are still on it.",
    ]


def test_the_latest_calls_are_named_and_the_others_counted() -> None:
    calls = [Escalated(slack(Mention.ON_CALL), Severity.P0, number) for number in range(1, 10)]
    said = story(incident(response=Response(overdue=True)), *calls)
    assert said[0] == "3 earlier calls are on the timeline."
    assert len(said) == 7
    assert "step 9" in said[-1]
