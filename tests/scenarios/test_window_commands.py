"""Windows, silences, levels set by hand and explanations, as people ask for them in Slack."""

from __future__ import annotations

import pytest

from bot.domain.classify import Severity
from tests.support.harness import Harness

PAYMENTS = {"namespace": "payments", "service": "checkout"}


def told(h: Harness) -> list[str]:
    """What the pager was told to do."""
    return [action for action, _ in h.told_pager()]


def test_what_fires_in_a_window_wakes_nobody_until_it_is_ended(h: Harness) -> None:
    """The incident is there, the window names it, and when it ends the page goes out."""
    planned = h.command("ana", "/maintenance add 2h namespace=payments Don’t panic: “upgrade”")
    assert "MW-1 active: Don’t panic: " in planned
    assert "UTC" in planned
    h.alert("HighErrorRate", **PAYMENTS)
    assert told(h) == []
    held_back = h.command("ben", "/incident show 1")
    assert "held back by MW-1" in held_back
    assert "MW-1 covers it until" in held_back
    shown = h.command("ben", "/maintenance show MW-1")
    assert "Hides 1 incident" in shown
    assert "INC-1 P1 triggered" in shown
    why = h.command("ben", "/incident why 1")
    assert "Nobody was paged." in why
    assert "MW-1 covered it since" in why
    assert "MW-1 has ended" in h.command("ana", "/maintenance end 1")
    assert told(h) == ["trigger"]
    assert "on-call paged" in h.message().text
    over = h.command("ben", "/maintenance show 1")
    assert "MW-1 over" in over
    assert "Hid 1 incident" in over
    assert "ended early by ana" in over


def test_a_window_ends_a_page_under_way_and_what_still_fires_pages_after_it(h: Harness) -> None:
    """Somebody is being woken for the work that somebody else does."""
    h.alert("HighErrorRate", **PAYMENTS)
    h.command("ana", "/maintenance add 30m namespace=payments service=~“checkout|cart” Upgrade")
    assert told(h) == ["trigger", "resolve"]
    assert "ended by MW-1" in h.message().text
    h.fast_forward(minutes=31)
    assert told(h).count("trigger") == 2


def test_a_window_that_begins_later(h: Harness) -> None:
    """Until then people are woken as ever."""
    planned = h.command("ana", "/maintenance add 1h in=30m namespace=payments Upgrade")
    assert "MW-1 planned: Upgrade" in planned
    assert "MW-1 planned" in h.command("ben", "/maintenance list")
    h.alert("HighErrorRate", **PAYMENTS)
    assert told(h) == ["trigger"]
    h.fast_forward(minutes=31)
    assert h.incident().suppressed_by == 1
    assert "MW-1 active" in h.command("ben", "/maintenance list")
    h.fast_forward(minutes=61)
    assert "none" in h.command("ben", "/maintenance list")
    assert "MW-1 over" in h.command("ben", "/maintenance list all")


def test_what_no_matcher_covers_pages_as_ever(h: Harness) -> None:
    h.command("ana", "/maintenance add 1h namespace=payments service!=checkout Upgrade")
    h.alert("HighErrorRate", **PAYMENTS)
    assert told(h) == ["trigger"]
    assert "Hides" not in h.command("ana", "/maintenance show 1")


def test_an_incident_is_silenced(h: Harness) -> None:
    """Its alerts, and others of the same kind in the same place, wake nobody for a while."""
    h.alert("HighErrorRate", **PAYMENTS)
    said = h.command("ana", "/incident silence INC-1 2h")
    assert "MW-1 active: Silenced from INC-1." in said
    assert "Made from" in said
    assert 'alertname="HighErrorRate"' in said
    assert told(h) == ["trigger", "resolve"]


def test_a_label_can_hold_anything_and_its_silence_is_found_again(h: Harness) -> None:
    """What nobody can read back would stop every other window, and intake with them."""
    h.alert('Say "no" \\n', **PAYMENTS)
    h.command("ana", "/incident silence 1 2h")
    assert "MW-1 active" in h.command("ana", "/maintenance list")
    assert h.incident().suppressed_by == 1
    h.alert("HighErrorRate", namespace="search", service="api")
    assert told(h)[-1] == "trigger"


def test_a_person_lowers_a_level_and_rules_leave_it_alone(h: Harness) -> None:
    """Until the incident is closed."""
    h.alert("HighErrorRate", **PAYMENTS)
    said = h.command("ana", "/incident severity 1 p3 It’s only a test")
    assert "INC-1: P1 → P3, set by ana" in said
    assert told(h) == ["trigger", "resolve"]
    assert "It’s only a test (set by " in h.message().text
    assert "ended; ticket, due" in h.message().text
    h.alert("HighErrorRate", instance="b", **PAYMENTS)
    assert h.incident().severity is Severity.P3
    why = h.command("ben", "/incident why 1")
    assert "Why INC-1 is P3" in why
    assert "ana set it to P3: It’s only a test" in why
    assert "ana: P1 → P3" in why
    assert "The on-call engineer was paged:" in why


def test_a_person_raises_a_level(h: Harness) -> None:
    h.alert("DiskFillingUp", severity="warning", **PAYMENTS)
    assert told(h) == []
    assert "P2 → P0, set by ana" in h.command("ana", "/incident severity 1 P0 It takes all down")
    assert told(h) == ["trigger"]


def test_why_names_rule_policy_alert_and_the_rules_that_lost(h: Harness) -> None:
    """As well when it is over."""
    h.alert("HighErrorRate", **PAYMENTS)
    decided = h.incident().classification
    for _ in range(2):
        why = h.command("ana", "/incident why 1")
        assert "Why INC-1 is P1" in why
        for words in (decided.reason, decided.rule, decided.policy_digest[:12]):
            assert words in why
        for words in ("HighErrorRate (", "Seen on the alert", "Rules that lost", "after it"):
            assert words in why
        assert "perhaps" not in why
        h.resolve("HighErrorRate")
        h.fast_forward(minutes=15)
    assert h.incident().state.over


def test_why_is_answered_by_the_policy_that_decided(h: Harness) -> None:
    """Though another one is in force since."""
    h.alert("HighErrorRate", **PAYMENTS)
    h.policy_file.write_text(
        "default: P1\nrules:\n  - {id: all, level: P3, reason: All is fine.}\n"
    )
    h.fast_forward(minutes=5)
    why = h.command("ana", "/incident why 1")
    assert h.incident().classification.rule in why
    assert "Rules that lost" in why
    assert "All is fine" not in why


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("/maintenance add", ["How long is missing", "/maintenance add DURATION"]),
        ("/maintenance add 2h Upgrade", ["needs a matcher", "namespace=payments"]),
        ("/maintenance add 2h namespace=~.* Upgrade", ["needs a matcher"]),
        ("/maintenance add 2h namespace=payments", ["Say why, after the matchers"]),
        ("/maintenance add 2h namespace = payments Upgrade", ["is not a matcher"]),
        ("/maintenance add 0m namespace=payments Upgrade", ["give a later end"]),
        ("/maintenance add 5w namespace=payments Upgrade", ["longer than 31 days"]),
        ("/maintenance add 2h from=tonight a=b Upgrade", ["“tonight” is no time"]),
        ("/maintenance add 2h from=2999-01-01T00:00Z a=b Upgrade", ["more than a year ahead"]),
        ("/maintenance show 9", ["There is no maintenance window MW-9."]),
        ("/maintenance end 9", ["There is no maintenance window MW-9."]),
        ("/incident silence 1", ["How long is missing"]),
        ("/incident silence 9 2h", ["There is no incident INC-9."]),
        ("/incident severity 1 P2", ["Say why INC-1 is P2, after the level."]),
        ("/incident severity 1 bad x", ["“bad” is no level; write P0, P1, P2 or P3."]),
        ("/incident why 9", ["There is no incident INC-9."]),
    ],
)
def test_mistakes_are_answered_with_the_way_out(h: Harness, typed: str, answers: list[str]) -> None:
    """Nothing is done."""
    h.alert("HighErrorRate", **PAYMENTS)
    before = h.timeline()
    answer = h.command("ana", typed)
    for words in answers:
        assert words in answer
    assert h.timeline() == before
    assert h.maintenance.newest(everything=True) == []
