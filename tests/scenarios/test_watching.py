"""What is watched beside alerts: heartbeats, what was posted with an end, the policy's file."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from tests.support.harness import Harness

# Heartbeats


def beat(h: Harness) -> None:
    h.alert("Watchdog", severity="none", cluster="c1")


def test_a_watchdog_opens_no_incident(h: Harness) -> None:
    beat(h)
    h.watch(minutes=9)
    beat(h)
    h.resolve("Watchdog")
    assert h.incidents.newest() == []
    assert not [one for one in h.vendors.slack.calls if one.method.startswith("chat.")]


def test_a_watchdog_that_falls_silent_pages_once_and_its_return_ends_it(h: Harness) -> None:
    beat(h)
    h.watch(minutes=9)
    assert h.incidents.newest() == []
    h.watch(minutes=2)
    assert h.pages() == ["triggered"]
    assert "Heartbeat watchdog of cluster c1" in h.message().text
    h.watch(minutes=20)
    assert h.pages() == ["triggered"]
    beat(h)
    assert h.incident().state is IncidentState.RESOLVED
    assert h.pages() == ["resolved"]


def test_a_second_silence_pages_again(h: Harness) -> None:
    for pages in (1, 2):
        beat(h)
        h.watch(minutes=40)
        assert len(h.pages()) == pages
        assert h.pages()[-1] == "triggered"


def test_while_tocsin_was_down_nobody_could_hear(h: Harness) -> None:
    """After its start the other side has as long as ever."""
    beat(h)
    h.down(minutes=60)
    h.watch(minutes=9)
    assert h.incidents.newest() == []
    h.watch(minutes=2)
    assert h.pages() == ["triggered"]


def test_what_never_came_is_not_missed(h: Harness) -> None:
    h.watch(minutes=30)
    assert h.incidents.newest() == []


# Posted alerts


LABELS = {"alertname": "BackupFailed", "severity": "critical", "service": "backup"}


def test_a_posted_alert_fires_until_its_end(h: Harness) -> None:
    ends_at = h.clock.now() + timedelta(minutes=10)
    h.post_alert(LABELS, endsAt=ends_at.isoformat())
    assert h.incident().state is IncidentState.TRIGGERED
    h.watch(minutes=8)
    assert h.incident().state is IncidentState.TRIGGERED
    h.watch(minutes=4)
    assert h.incident().state is IncidentState.RESOLVED
    assert any("posted with an end" in line for line in h.timeline())


def test_a_posted_alert_without_an_end_fires_until_it_is_resolved(h: Harness) -> None:
    h.post_alert(LABELS)
    h.watch(minutes=30)
    assert h.incident().state is IncidentState.TRIGGERED
    h.post_alert(LABELS, endsAt=h.clock.now().isoformat())
    assert h.incident().state is IncidentState.RESOLVED


# The policy's file


def test_a_policy_that_becomes_invalid_is_refused_and_the_old_one_stays(h: Harness) -> None:
    """Somebody is told by a ticket, which is done when the file is valid again."""
    valid = h.policy_file.read_bytes()
    h.change_policy(valid.replace(b"default: P1", b"default: P7"))
    refused = h.incident()
    assert refused.severity is Severity.P2
    assert "TocsinPolicyRefused" in refused.title
    assert refused.ticket_due_at is not None
    h.alert()
    assert h.incident(2).severity is Severity.P1
    h.change_policy(valid)
    assert h.incident().state is IncidentState.RESOLVED


def test_a_policy_that_was_invalid_for_a_moment_leaves_nothing_open(h: Harness) -> None:
    """It is valid again before anybody has worked in that it was not."""
    valid = h.policy_file.read_bytes()
    h.policy_file.write_bytes(b"rules: [")
    h.go_rounds()
    h.go_rounds()
    h.change_policy(valid)
    assert h.incident().state is IncidentState.RESOLVED


EVERYTHING_IS_P0 = b"""
default: P0
rules:
  - id: info
    level: P3
    reason: It is information.
    match: ['severity="info"']
"""


def test_a_new_policy_is_in_force_at_once(h: Harness) -> None:
    valid = h.policy_file.read_bytes()
    h.change_policy(EVERYTHING_IS_P0)
    h.alert(severity="warning")
    assert h.incident().severity is Severity.P0
    h.change_policy(valid)
    h.alert("Latency", severity="warning")
    assert h.incident(2).severity is Severity.P2
