from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alert import AlertStatus
from bot.domain.dedup import TOGETHER, News, compare
from bot.domain.heartbeat import (
    Beat,
    Heartbeat,
    beat_of,
    default_heartbeats,
    missing_alert,
    review,
)
from bot.domain.matcher import Matcher, Operator, Place

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LONG_AGO = NOW - timedelta(days=30)
HEARTBEATS = default_heartbeats()
WATCHDOG = {"alertname": "Watchdog", "cluster": "prod-eu-1", "prometheus": "monitoring/a"}
FIRING, RESOLVED = AlertStatus.FIRING, AlertStatus.RESOLVED


def beat(at: datetime = NOW, labels: dict[str, str] = WATCHDOG) -> Beat:
    found = beat_of(HEARTBEATS, labels, at)
    assert found is not None
    return found


def test_the_watchdog_beats_once_for_each_cluster() -> None:
    assert beat() == Beat(
        key="watchdog:cluster=prod-eu-1",
        heartbeat_id="watchdog",
        last_at=NOW,
        silent_for=10 * MINUTE,
        labels={"cluster": "prod-eu-1"},
    )
    assert beat(labels={**WATCHDOG, "prometheus": "monitoring/b"}) == beat()
    assert beat(labels={**WATCHDOG, "cluster": "prod-us-1"}).key != beat().key


def test_a_heartbeat_may_lack_the_labels_that_tell_it_apart() -> None:
    bare = beat(labels={"alertname": "Watchdog"})
    assert (bare.key, bare.labels) == ("watchdog:cluster=", {})


def test_other_alerts_are_no_heartbeats() -> None:
    assert beat_of(HEARTBEATS, {"alertname": "HighErrorRate"}, NOW) is None


def test_the_first_heartbeat_that_matches_wins() -> None:
    any_name = Matcher(Place.LABEL, "alertname", Operator.NOT_EQUAL, "")
    heartbeats = (*HEARTBEATS, Heartbeat("any", (any_name,), MINUTE, ("alertname",)))
    found = [beat_of(heartbeats, {"alertname": name}, NOW) for name in ("Watchdog", "Alive")]
    assert [one and one.key for one in found] == ["watchdog:cluster=", "any:alertname=Alive"]


@pytest.mark.parametrize(
    ("silence", "up", "missing", "silent"),
    [
        (10 * MINUTE, 60 * MINUTE, False, False),
        (10 * MINUTE + timedelta(seconds=1), 60 * MINUTE, False, True),
        (10 * MINUTE + timedelta(seconds=1), 60 * MINUTE, True, False),
        (300 * MINUTE, 10 * MINUTE, False, False),
        (300 * MINUTE, 10 * MINUTE + timedelta(seconds=1), False, True),
    ],
    ids=["in time", "too late", "said already", "Tocsin was down", "down, and a period has passed"],
)
def test_who_has_gone_silent(
    silence: timedelta, up: timedelta, missing: bool, silent: bool
) -> None:
    one = replace(beat(NOW - silence), missing=missing)
    assert review([one], NOW, NOW - up) == ((one,) if silent else ())


@given(st.lists(st.integers(0, 30)), st.integers(0, 30))
def test_only_those_are_reviewed_that_are_silent_for_too_long(minutes: list[int], up: int) -> None:
    beats = [beat(NOW - ago * MINUTE) for ago in minutes]
    found = review(beats, NOW, NOW - up * MINUTE)
    assert [NOW - one.last_at for one in found] == [
        ago * MINUTE for ago in minutes if min(ago, up) > 10
    ]


def test_the_alert_says_in_plain_words_what_may_be_wrong() -> None:
    alert = missing_alert(beat(NOW - 12.5 * MINUTE), NOW, FIRING)
    assert alert.name == "TocsinHeartbeatMissing"
    assert (alert.labels["severity"], alert.labels["service"]) == ("critical", "tocsin")
    assert alert.labels["cluster"] == "prod-eu-1"
    assert alert.summary == (
        "Heartbeat watchdog of cluster prod-eu-1 has not been heard for 12 min: "
        "the monitoring itself may be down, and other alerts may not arrive."
    )
    assert "Last heard at 2026-07-01 02:47:30 UTC" in alert.annotations["description"]
    assert (alert.starts_at, alert.ends_at) == (NOW, None)


def test_without_labels_it_is_named_by_its_id() -> None:
    alert = missing_alert(beat(labels={"alertname": "Watchdog"}), NOW, RESOLVED)
    assert alert.summary == "Heartbeat watchdog is heard again."


def test_one_beat_has_one_fingerprint_and_others_have_others() -> None:
    firing = missing_alert(beat(LONG_AGO), NOW, FIRING)
    resolved = missing_alert(replace(beat(NOW), missing=True), NOW + MINUTE, RESOLVED)
    other = missing_alert(beat(labels={"alertname": "Watchdog"}), NOW, FIRING)
    assert firing.fingerprint == resolved.fingerprint != other.fingerprint


def test_silence_its_end_and_the_next_silence_are_each_news() -> None:
    first = missing_alert(beat(NOW - 11 * MINUTE), NOW, FIRING)
    back = missing_alert(beat(NOW - MINUTE), NOW, RESOLVED)
    second = missing_alert(beat(NOW), NOW + 11 * MINUTE, FIRING)
    assert compare(None, first, TOGETHER) is News.FIRED
    assert compare(first, back, TOGETHER) is News.RESOLVED
    assert compare(back, second, TOGETHER) is News.FIRED


def test_the_labels_that_tell_beats_apart_do_not_hide_what_the_alert_is() -> None:
    heartbeats = (Heartbeat("h", (), MINUTE, ("service", "alertname")),)
    found = beat_of(heartbeats, {"alertname": "Alive", "job": "backup"}, NOW)
    assert found is not None
    alert = missing_alert(found, NOW, FIRING)
    assert (alert.name, alert.labels["service"]) == ("TocsinHeartbeatMissing", "tocsin")
    assert "service backup, alertname Alive" in alert.summary
