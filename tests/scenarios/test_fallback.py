"""The fallback chain: when nothing says that a page has reached anybody, others are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.app import attendance
from bot.app.record import record_incident
from bot.domain.contact import Contact, Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.incident import IncidentState
from bot.domain.page_events import FallbackUsed
from tests.support.harness import Harness

SMS, SECOND, SLACK = notifier("sms"), pagerduty(PagerRoute.SECONDARY), slack(Mention.BY_LEVEL)
EMERGENCY = "emergency"
"""The label that makes an alert a P0."""


@pytest.fixture(autouse=True)
def _chain(h: Harness) -> None:
    """An SMS, then the second pager, then Slack; nobody escalates."""
    h.routing = replace(h.routing, fallback=(SMS, SECOND, SLACK), escalations=())


def swallow(h: Harness) -> None:
    """PagerDuty answers 202 from now on, and loses what it accepted."""

    def lose(event: Mapping[str, Any]) -> str:
        return str(event["dedup_key"])

    h.pager.apply = lose  # type: ignore[method-assign]


def used(h: Harness, incident_id: int = 1) -> list[tuple[Contact, int, bool]]:
    """Who was turned to: after how many seconds, and whether they took it."""
    with h.store.read() as reader:
        events = [one.event for one in reader.recorded(incident_id=incident_id)]
    return [
        (one.contact, round(one.waited), not one.failed)
        for one in events
        if isinstance(one, FallbackUsed)
    ]


def mentions(h: Harness, what: str) -> int:
    """In how many messages everybody in the channel was called."""
    return sum(what in str(one.blocks) for one in h.slack.messages())


def test_pagerduty_is_dark_and_each_contact_is_called_once_a_round(h: Harness) -> None:
    h.pager.fail_next(503, times=500)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(86)
    assert used(h) == []
    h.attend(6)
    ((first, waited, taken),) = used(h)
    assert (first, taken) == (SMS, True)
    assert 90 <= waited <= 95
    # It has to answer soon: the second pager is dark as well, most likely, and comes last.
    h.attend(90)
    assert [contact for contact, *_ in used(h)] == [SMS, SLACK, SECOND]
    assert mentions(h, "<!channel>") == 1
    assert len(h.notifier.sent) == 1
    h.attend(200)
    assert len(used(h)) == 3
    h.attend(80)
    assert [contact for contact, *_ in used(h)][3:4] == [SMS]
    assert any("Nobody was known to be reached after 9" in line for line in h.timeline())


def test_who_acknowledges_in_slack_stops_it(h: Harness) -> None:
    h.pager.fail_next(503, times=500)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(100)
    h.click("Acknowledge")
    h.attend(900)
    assert [contact for contact, *_ in used(h)] == [SMS]


def test_pagerduty_accepts_the_page_and_loses_it(h: Harness) -> None:
    """A 202, and nothing behind it: no webhook ever says that somebody is paged."""
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    assert h.told_pager() == [("trigger", 202)]
    assert h.pager.incidents() == []
    h.attend(160)
    assert [contact for contact, *_ in used(h)] == [SMS, SECOND, SLACK]
    ((_, waited, _), *_) = used(h)
    assert 90 <= waited <= 95
    assert h.second_pager.told == [("trigger", h.incident().dedup_key)]


def test_a_page_that_is_confirmed_needs_nobody_else(h: Harness) -> None:
    h.alert("HighErrorRate", severity=EMERGENCY)
    assert "Tocsin: The page is confirmed by PagerDuty’s webhook." in h.timeline()
    h.attend(900)
    assert used(h) == []
    assert h.second_pager.told == []


def test_a_refused_page_is_not_waited_for(h: Harness) -> None:
    """A wrong routing key is not put right within 90 seconds."""
    h.pager.routing_keys = {"9" * 32}
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(6)
    ((first, waited, _),) = used(h)
    assert (first, waited <= 6) == (SMS, True)


def test_a_contact_that_is_dark_itself_keeps_nobody_waiting(h: Harness) -> None:
    swallow(h)
    h.notifier.dark = True
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(98)
    assert [(contact, taken) for contact, _, taken in used(h)] == [(SMS, False), (SECOND, True)]
    assert any("notifier: sms failed: The gateway does not answer." in it for it in h.timeline())


def test_a_contact_that_breaks_in_an_unforeseen_way_is_passed_over(
    h: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("a bug in a library")

    monkeypatch.setattr(h.notifier, "notify", breaks)
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(98)
    assert [(contact, taken) for contact, _, taken in used(h)] == [(SMS, False), (SECOND, True)]


@pytest.mark.parametrize("command", ["ack", "resolve"])
def test_the_second_pagers_page_is_closed_when_somebody_has_it(h: Harness, command: str) -> None:
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(130)
    key = h.incident().dedup_key
    assert h.second_pager.told == [("trigger", key)]
    h.command("ana", f"/incident {command} 1")
    h.attend(10)
    assert h.second_pager.told == [("trigger", key), ("resolve", key)]
    assert "Tocsin: The page at the second pager was resolved." in h.timeline()
    h.attend(300)
    assert len(h.second_pager.told) == 2


@pytest.mark.parametrize("command", ["ack", "resolve"])
def test_also_when_it_is_dark_at_that_moment(h: Harness, command: str) -> None:
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(130)
    h.second_pager.dark = True
    h.command("ana", f"/incident {command} 1")
    h.attend(120)
    assert len(h.second_pager.told) == 1
    h.second_pager.dark = False
    h.attend(60)
    assert [action for action, _ in h.second_pager.told] == ["trigger", "resolve"]


def test_also_when_it_was_taken_while_the_second_pager_was_called(
    h: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = h.second_pager.trigger

    def taken_meanwhile(page: object) -> None:
        tell(page)  # type: ignore[arg-type]
        h.slack.click("ana", "Acknowledge", "incident:1")

    monkeypatch.setattr(h.second_pager, "trigger", taken_meanwhile)
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(130)
    assert h.incident().state is IncidentState.ACKNOWLEDGED
    assert [action for action, _ in h.second_pager.told] == ["trigger", "resolve"]


def test_a_p1_calls_whoever_is_on_call_and_not_everybody(h: Harness) -> None:
    swallow(h)
    h.alert("HighErrorRate")
    h.attend(160)
    assert [contact for contact, *_ in used(h)] == [SMS, SECOND, SLACK]
    assert mentions(h, "<!channel>") == 0


@pytest.mark.parametrize("minutes", [10, -10])
def test_the_clock_jumps(h: Harness, minutes: int) -> None:
    """Nobody is left asleep, and nobody is called at every look."""
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(20)
    h.clock.advance(minutes * 60)
    h.attend(100)
    contacts = [contact for contact, *_ in used(h)]
    assert contacts == [SMS, SECOND, SLACK]
    h.attend(60)
    assert len(used(h)) == 3


def test_tocsin_was_down_for_an_hour(h: Harness) -> None:
    """Then the chain is gone down as ever: not an hour's rounds in a minute."""
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.down(minutes=60)
    h.attend(40)
    assert [contact for contact, *_ in used(h)] == [SMS, SECOND]


def test_repeated_looks_call_nobody_twice(h: Harness) -> None:
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(92)
    assert len(h.notifier.sent) == 1
    for _ in range(20):
        h.go_rounds()
    h.settle()
    assert len(h.notifier.sent) == 1


def test_a_policy_that_changes_meanwhile_calls_nobody_twice(h: Harness) -> None:
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(92)
    h.routing = replace(h.routing, fallback=(SLACK, SMS, SECOND))
    h.attend(60)
    assert [contact for contact, *_ in used(h)] == [SMS, SLACK, SECOND]


def test_a_worker_that_dies_between_a_call_and_its_record_calls_once(
    h: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack has the message already, and it is found there before it is posted again."""
    h.routing = replace(h.routing, fallback=(SLACK,))
    lives = record_incident
    deaths: list[FallbackUsed] = []

    def dies(tx: Any, incident: Any, events: Any, actor: Any, now: Any) -> Any:
        if isinstance(events[0], FallbackUsed) and not deaths:
            deaths.append(events[0])
            raise RuntimeError("killed")
        return lives(tx, incident, events, actor, now)

    monkeypatch.setattr(attendance, "record_incident", dies)
    swallow(h)
    h.alert("HighErrorRate", severity=EMERGENCY)
    h.attend(120)
    assert len(deaths) == 1
    assert [contact for contact, *_ in used(h)] == [SLACK]
    assert mentions(h, "<!channel>") == 1
    assert h.failures == ["Attend"]
    h.failures.clear()
    h.attend(330)
    assert mentions(h, "<!channel>") == 2, "the next round is another call"
