"""The pager: who is told what, when everything goes wrong, too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.incident import IncidentState
from bot.domain.storm import StormLimits
from tests.support.harness import Harness


def test_pagerduty_is_down_for_an_hour(h: Harness) -> None:
    """Every page is tried until it is taken, and in the end there is exactly one."""
    h.pager.fail_next(503, times=60)
    h.alert("HighErrorRate")
    assert "on its way" in h.message().text
    h.fast_forward(minutes=50)
    assert h.pager.incidents() == []
    h.fast_forward(minutes=15)
    assert h.told_pager() == [("trigger", 503)] * 60 + [("trigger", 202)]
    assert len(h.pager.incidents()) == 1
    assert "on-call paged" in h.message().text
    delays = [line for line in h.timeline() if "The page failed (try" in line]
    assert len(delays) == 10 + 5
    assert h.queue.waiting() == []


def test_pagerduty_asks_for_patience(h: Harness) -> None:
    """A 429 says when to come back, and that is respected."""
    h.pager.fail_next(429, retry_after=90)
    h.alert("HighErrorRate")
    h.fast_forward(80)
    assert h.told_pager() == [("trigger", 429)]
    h.fast_forward(15)
    assert h.told_pager() == [("trigger", 429), ("trigger", 202)]


def test_pagerdutys_answer_gets_lost(h: Harness) -> None:
    """It was taken, and nobody knows: it is said again, and is still one page."""
    h.pager.lose_response_next()
    h.alert("HighErrorRate")
    h.fast_forward(10)
    assert [action for action, _ in h.told_pager()] == ["trigger", "trigger"]
    assert len(h.pager.incidents()) == 1


@pytest.mark.slow
def test_a_thousand_answers_get_lost(h: Harness) -> None:
    """Of many incidents' pages, again and again: there is one page for each."""
    incidents, times = 25, 40
    h.routing = replace(h.routing, storm=StormLimits(incidents=1_000))
    h.pager.lose_response_next(incidents * times)
    h.deliver(*(h.firing(f"Alert{number}") for number in range(incidents)))
    h.fast_forward(minutes=2 * times)
    told = [status for _, status in h.told_pager()]
    assert (told.count(None), told.count(202)) == (incidents * times, incidents)
    keys = [page.dedup_key for page in h.pager.incidents()]
    assert len(set(keys)) == len(keys) == incidents


def test_pagerduty_refuses(h: Harness) -> None:
    """A wrong routing key is said where people look, and is not tried again and again."""
    h.pager.routing_keys = {"9" * 32}
    h.alert("HighErrorRate")
    h.fast_forward(minutes=60)
    assert h.told_pager() == [("trigger", 400)] * 2
    assert "REFUSED: " in h.message().text
    assert "Invalid routing key" in h.message().text
    (line,) = (line for line in h.timeline() if "The page was refused" in line)
    assert "Invalid routing key" in line


def test_pagerduty_can_not_use_the_page_and_takes_its_smallest_form(h: Harness) -> None:
    """A 400 for something in it wakes the engineer nevertheless, with fewer words."""
    h.pager.fail_next(400)
    h.alert("HighErrorRate")
    assert h.told_pager() == [("trigger", 400), ("trigger", 202)]
    assert h.pages() == ["triggered"]
    full, small = (one.body for one in h.pager.ledger if one.path.endswith("/v2/enqueue"))
    assert small["dedup_key"] == full["dedup_key"]
    assert set(full["payload"]) > set(small["payload"]) == {"summary", "severity", "source"}
    assert "custom_details" in full["payload"]
    assert not {"links", "images", "client", "client_url"} & set(small)
    (line,) = (line for line in h.timeline() if "in its smallest form" in line)
    assert "PagerDuty answered 400" in line
    assert "REFUSED" not in h.message().text


def test_nor_does_it_take_that(h: Harness) -> None:
    """Then the fallback chain is next, at once, and the story says why."""
    h.pager.fail_next(400, times=2)
    h.alert("HighErrorRate")
    h.attend(4)
    assert h.told_pager() == [("trigger", 400)] * 2
    (line,) = (line for line in h.timeline() if "The page was refused" in line)
    assert "(in its smallest form, too)" in line
    assert any("pagerduty: secondary was called" in line for line in h.timeline())


def test_what_was_refused_is_paged_when_it_comes_back(h: Harness) -> None:
    """The key was put right meanwhile: the refusal of the last time is no reason any more."""
    h.pager.routing_keys = {"9" * 32}
    h.alert("HighErrorRate")
    h.resolve("HighErrorRate")
    h.pager.routing_keys = None
    h.alert("HighErrorRate")
    (page,) = h.pager.incidents()
    assert page.status == "triggered"


def test_a_page_that_comes_too_late_is_not_sent(h: Harness) -> None:
    """While PagerDuty was down, ana resolved it: nobody is woken for what is over."""
    h.pager.fail_next(503, times=3)
    h.alert("HighErrorRate")
    h.command("ana", "/incident resolve 1")
    h.fast_forward(minutes=10)
    assert h.pager.incidents() == []
    assert [action for action, status in h.told_pager() if status == 202] == ["resolve"]
    assert h.queue.waiting() == []


def test_what_was_acknowledged_before_the_page_went_out_pages_nobody(h: Harness) -> None:
    """Ben saw the message first."""
    h.pager.fail_next(503, times=3)
    h.alert("HighErrorRate")
    h.click("Acknowledge", who="ben")
    h.fast_forward(minutes=10)
    assert h.pager.incidents() == []
    assert "on-call paged" not in h.message().text


def test_an_acknowledgement_in_pagerduty_shows_here(h: Harness) -> None:
    """With the person's name, and it is not told back to PagerDuty."""
    h.alert("HighErrorRate")
    (page,) = h.pager.incidents()
    h.pager.acknowledge(page.id, "Dana Doe")
    h.settle()
    assert "acknowledged by Dana Doe" in h.message().text
    assert "Dana Doe: Acknowledged." in h.timeline()
    assert h.told_pager() == [("trigger", 202)]


def test_a_resolution_in_pagerduty_shows_here(h: Harness) -> None:
    """And it is not told back either; what fires later under the same key pages again."""
    h.alert("HighErrorRate")
    (page,) = h.pager.incidents()
    h.pager.resolve(page.id, "Dana Doe")
    h.settle()
    assert h.incident().state is IncidentState.RESOLVED
    assert h.told_pager() == [("trigger", 202)]
    h.alert("HighErrorRate", instance="another")
    assert h.told_pager() == [("trigger", 202), ("trigger", 202)]
    assert h.incident().state is IncidentState.TRIGGERED


def test_giving_it_back_pages_again(h: Harness) -> None:
    """Ana took it and can't go on: it is nobody's, and the pager hears so."""
    h.alert("HighErrorRate")
    h.click("Acknowledge")
    h.command("ana", "/incident unack 1")
    assert h.incident().state is IncidentState.TRIGGERED
    assert [action for action, _ in h.told_pager()] == ["trigger", "acknowledge", "trigger"]
