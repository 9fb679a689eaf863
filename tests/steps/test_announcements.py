"""What steps say, they only hand on: the bench has neither chat nor pager."""

from __future__ import annotations

import pytest

from bot.domain.errors import InvalidInput
from bot.domain.plan import Announcement, Audience
from tests.support.step_bench import Bench

HOSTILE = "<!channel> *it* is <https://evil.example|down> & out"


@pytest.mark.parametrize("channel", ["", "#payments", "C0123456789", "payments-on-call"])
def test_a_message_is_handed_on_as_it_is(bench: Bench, channel: str) -> None:
    step = bench.step("slack.message", text=HOSTILE, channel=channel)
    plan = step.plan()
    assert plan.problems == ()
    assert plan.summary == f"Say in {channel or 'the channel of the run'}: {HOSTILE}"
    assert step.execute().announcements == (Announcement(Audience.CHAT, HOSTILE, channel),)


@pytest.mark.parametrize(
    ("text", "channel"),
    [("", ""), (" \n", ""), ("x" * 3_000, ""), ("hello", "#a b"), ("hello", "<!channel>")],
)
def test_what_can_not_be_said_is_refused(bench: Bench, text: str, channel: str) -> None:
    with pytest.raises(InvalidInput):
        bench.step("slack.message", text=text, channel=channel)


def test_a_note_is_for_the_pager(bench: Bench) -> None:
    bench.incident_id = 4
    step = bench.step("pagerduty.note", text="Failed over.")
    assert step.plan().problems == ()
    assert step.execute().announcements == (Announcement(Audience.PAGER, "Failed over."),)


def test_without_an_incident_there_is_no_page_to_note_it_on(bench: Bench) -> None:
    assert bench.step("pagerduty.note", text="Failed over.").plan().problems == (
        "the run belongs to no incident, so there is none at the pager to write a note on",
    )
