"""Who is on call, asked in Slack."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.contact import Mention, slack
from tests.support.harness import Harness


def test_who_is_on_call_is_answered_a_moment_later(h: Harness) -> None:
    """The listener asks nobody; the worker does, and answers whoever asked, nobody else."""
    at_once = h.command("chen", "/oncall")
    assert "the answer follows here" in at_once
    answer = h.slack.answers("chen")[-1]
    assert "On call for Sandbox service" in answer
    assert "Level 1: Ana Lopez, Sandbox schedule, until " in answer
    assert "Level 2: Ben Okafor, always" in answer
    assert "asked just now" in answer
    assert h.slack.answers("ana") == []


def test_an_answer_is_remembered_for_a_minute_and_says_its_age(h: Harness) -> None:
    """PagerDuty is asked once."""
    h.command("chen", "/oncall")
    h.fast_forward(20)
    h.command("ben", "/oncall")
    asked = [one for one in h.pager.ledger if one.path.endswith("/oncalls")]
    assert len(asked) == 1
    assert "asked 2" in h.slack.answers("ben")[-1]


def test_a_service_is_named_in_any_words(h: Harness) -> None:
    """By its name; a mistake names the nearest."""
    h.command("ana", "/oncall sandbox service")
    assert "Level 1: Ana Lopez" in h.slack.answers("ana")[-1]
    h.command("ana", "/oncall Sandbox servise")
    assert "Did you mean “Sandbox service”?" in h.slack.answers("ana")[-1]
    assert "/oncall SERVICE" in h.command("ana", "/oncall help")


def test_a_pager_that_does_not_answer_is_said(h: Harness) -> None:
    """Nobody waits for an answer that never comes."""
    h.pager.fail_next(503, times=100)
    h.command("ana", "/oncall")
    assert "PagerDuty can’t be reached" in h.slack.answers("ana")[-1]


def test_a_pager_that_refuses_is_said(h: Harness) -> None:
    """With the permission that the token lacks."""
    h.pager.scopes = {"services.read"}
    h.command("ana", "/oncall")
    assert "oncalls.read" in h.slack.answers("ana")[-1]


def test_before_anybody_is_known_those_who_are_active_are_called(h: Harness) -> None:
    """Such as right after a start, with PagerDuty dark."""
    h.routing = replace(h.routing, fallback=(slack(Mention.ON_CALL),), escalations=())
    h.pager.fail_next(503, times=500)
    h.alert("HighErrorRate")
    h.attend(94)
    assert "<!here>" in str(h.slack.messages()[-1].blocks)


def test_those_who_are_known_are_mentioned(h: Harness) -> None:
    """They were looked up before PagerDuty went dark."""
    h.routing = replace(h.routing, fallback=(slack(Mention.ON_CALL),), escalations=())
    h.go_rounds()
    h.pager.fail_next(503, times=500)
    h.alert("HighErrorRate")
    h.attend(94)
    called = str(h.slack.messages()[-1].blocks)
    assert "<@U00000ANA> <@U00000BEN>" in called
    assert "<!here>" not in called
