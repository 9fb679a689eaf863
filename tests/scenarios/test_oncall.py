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


def test_those_on_call_are_invited_to_where_the_incident_is_worked(h: Harness) -> None:
    """Ben never joined the channel, and now it is his night."""
    h.slack.workspace.leave("ben", "#incidents")
    h.go_rounds()
    h.alert("HighErrorRate")
    assert "Tocsin: On call, and invited to the channel: Ben Okafor." in h.timeline()
    h.alert("DiskFillingUp")
    assert not any("invited" in line for line in h.timeline(2))


def test_a_workspace_that_allows_no_invitations_delays_nothing(h: Harness) -> None:
    """The scope is missing: that is said once, and the page goes out as ever."""
    h.slack.workspace.leave("ben", "#incidents")
    h.slack.workspace.fail_next("conversations.invite", "missing_scope", times=20)
    h.go_rounds()
    h.alert("HighErrorRate")
    h.alert("ApiDown", severity="emergency")
    assert h.pages() == ["triggered", "triggered"]
    said = [line for number in (1, 2) for line in h.timeline(number) if "not be invited" in line]
    assert len(said) == 1
    assert "missing_scope" in said[0]


def test_nobody_is_invited_to_a_ticket(h: Harness) -> None:
    h.slack.workspace.leave("ben", "#incidents")
    h.go_rounds()
    h.alert("DiskFillingUp", severity="warning")
    assert not any("invited" in line for line in h.timeline())
