"""The message in Slack: one for each incident, whatever happens to Slack."""

from __future__ import annotations

from tests.support.harness import Harness


def posts(h: Harness) -> int:
    """How many messages Slack was asked to post, taken or not."""
    return sum(call.method == "chat.postMessage" for call in h.vendors.slack.calls)


def test_slack_is_down(h: Harness) -> None:
    """The page goes out at once; the message follows later, and says what is so then."""
    h.vendors.slack.fail_next("chat.postMessage", 503, times=20)
    h.vendors.slack.fail_next("conversations.history", 503, times=5)
    h.alert("HighErrorRate")
    assert h.told_pager() == [("trigger", 202)]
    assert h.slack.messages() == []
    h.command("ana", "/incident ack 1")
    h.fast_forward(minutes=30)
    assert "acknowledged by ana" in h.message().text
    assert len(h.slack.messages()) == 1


def test_slack_limits_the_rate(h: Harness) -> None:
    """A 429 says when to come back, and that is respected."""
    h.vendors.slack.fail_next("chat.postMessage", 429, retry_after=30, times=2)
    h.alert("HighErrorRate")
    h.fast_forward(20)
    # The second is the next change's, a second later.
    assert posts(h) == 2
    h.fast_forward(20)
    assert posts(h) == 3
    assert len(h.slack.messages()) == 1


def test_slacks_answer_gets_lost(h: Harness) -> None:
    """It was posted, and nobody knows where: it is found again, not posted twice."""
    h.vendors.slack.fail_next("chat.postMessage", 500, applied=True)
    h.alert("HighErrorRate")
    h.fast_forward(10)
    assert posts(h) == 1
    h.click("Acknowledge")
    assert "acknowledged by ana" in h.message().text


def test_somebody_deletes_the_message(h: Harness) -> None:
    """It is posted anew with the next change, and its buttons work."""
    h.alert("HighErrorRate")
    first = h.message()
    h.slack.delete("incident:1")
    h.command("ana", "/incident ack 1")
    anew = h.message()
    assert anew.ts != first.ts
    h.click("Resolve", who="ben")
    assert h.message().ts == anew.ts
    assert "resolved" in h.message().text


def test_slack_refuses(h: Harness) -> None:
    """A channel that is not there is said on the timeline, and holds up no page."""
    h.vendors.slack.fail_next("chat.postMessage", "is_archived")
    h.alert("HighErrorRate")
    assert h.told_pager() == [("trigger", 202)]
    (line,) = (line for line in h.timeline() if "The chat message was refused" in line)
    assert "is_archived" in line
    h.click("Acknowledge")
    assert "acknowledged by ana" in h.message().text


def test_a_note_and_what_changes_nothing_send_nothing(h: Harness) -> None:
    """What does not change the message is not sent to Slack."""
    h.alert("HighErrorRate")
    calls = len(h.vendors.slack.calls)
    assert "Noted on INC-1." in h.command("ana", "/incident note 1 It’s the database")
    assert len(h.vendors.slack.calls) == calls
    assert "ana: Note: It’s the database" in h.timeline()


def test_a_storm_becomes_few_messages(h: Harness) -> None:
    """Fifty pods fail one after the other: one incident, one page, few updates."""
    for number in range(50):
        h.alert("HighErrorRate", pod=f"checkout-{number}")
    updates = sum(call.method == "chat.update" for call in h.vendors.slack.calls)
    assert posts(h) == 1
    assert updates <= 51
    assert h.incident().firing == 50
    assert h.told_pager() == [("trigger", 202)]
