"""The dead man's switch: alerts that always fire, and mean trouble when they stop.

Nothing fires when Prometheus or Alertmanager is down, which looks like a quiet night. So
an alert that always fires, usually `Watchdog`, is sent again and again; it opens no
incident, and when it stays away somebody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alert import Alert, AlertStatus, fingerprint_of
from bot.domain.grouping import all_hold, label_key, label_value
from bot.domain.matcher import Matcher, Operator, Place


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Which alerts are heartbeats; one for each value of the labels in `by`.

    `silent_for` is how long one may stay away: by default 10 minutes, twice Alertmanager's
    default `group_interval`, so that one lost delivery wakes nobody.
    """

    id: str
    matchers: tuple[Matcher, ...]
    silent_for: timedelta = timedelta(minutes=10)
    by: tuple[str, ...] = ("cluster",)


@dataclass(frozen=True, slots=True)
class Beat:
    """The latest beat of one heartbeat, of one cluster for instance.

    `labels` are those that tell it from the others of the same heartbeat. `missing` says
    that it is known to have gone silent, so that this is said once.
    """

    key: str
    heartbeat_id: str
    last_at: datetime
    silent_for: timedelta
    labels: Mapping[str, str]
    missing: bool = False


def beat_of(
    heartbeats: Iterable[Heartbeat], labels: Mapping[str, str], at: datetime
) -> Beat | None:
    """What an alert with these labels, received then, beats; None if it is no heartbeat.

    The first heartbeat that matches wins. Only an alert that fires is a beat: one that is
    resolved says that the other side is stopping.
    """
    for heartbeat in heartbeats:
        if all_hold(heartbeat.matchers, labels):
            return _beat(heartbeat, labels, at)
    return None


def is_heartbeat(heartbeats: Iterable[Heartbeat], labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels is a heartbeat, which opens no incident."""
    return any(all_hold(heartbeat.matchers, labels) for heartbeat in heartbeats)


def _beat(heartbeat: Heartbeat, labels: Mapping[str, str], at: datetime) -> Beat:
    telling = {name: value for name in heartbeat.by if (value := label_value(labels, name))}
    key = f"{heartbeat.id}:{label_key(heartbeat.by, labels)}"
    return Beat(key, heartbeat.id, at, heartbeat.silent_for, telling)


def review(beats: Iterable[Beat], now: datetime, up_since: datetime) -> tuple[Beat, ...]:
    """The beats that have gone silent and are not yet known to have.

    Nobody can hear while Tocsin is down, so a full period is granted after `up_since`,
    when it last began to listen.
    """
    return tuple(
        beat
        for beat in beats
        if not beat.missing and now - max(beat.last_at, up_since) > beat.silent_for
    )


def missing_alert(beat: Beat, now: datetime, status: AlertStatus) -> Alert:
    """The alert that a beat is missing, firing from now on, or resolved now that it is back.

    Its labels depend on which beat it is and on nothing else, so both have one fingerprint.
    """
    labels = {
        **beat.labels,
        "alertname": "TocsinHeartbeatMissing",
        "service": "tocsin",
        "severity": "critical",
        "heartbeat": beat.key,
    }
    firing = status is AlertStatus.FIRING
    annotations = _silence(beat, now) if firing else {"summary": f"{_name(beat)} is heard again."}
    ended = None if firing else now
    return Alert(fingerprint_of(labels), status, labels, annotations, now, ended)


def _silence(beat: Beat, now: datetime) -> Mapping[str, str]:
    minutes = (now - beat.last_at) // timedelta(minutes=1)
    return {
        "summary": (
            f"{_name(beat)} has not been heard for {minutes} min: the monitoring itself may be "
            "down, and other alerts may not arrive."
        ),
        "description": (
            f"Last heard at {beat.last_at:%Y-%m-%d %H:%M:%S} UTC; it may be silent for "
            f"{beat.silent_for // timedelta(seconds=1)} s. See whether Prometheus and Alertmanager "
            "run and reach Tocsin. Until it is heard again, don't take the absence of alerts for "
            "health. (A repeat_interval in Alertmanager that is too long looks the same.)"
        ),
    }


def _name(beat: Beat) -> str:
    where = ", ".join(f"{name} {value}" for name, value in beat.labels.items())
    return f"Heartbeat {beat.heartbeat_id}" + (f" of {where}" if where else "")


def default_heartbeats() -> tuple[Heartbeat, ...]:
    """Those of the shipped ``policy/routing.yaml``: the Watchdog of kube-prometheus."""
    watchdog = Matcher(Place.LABEL, "alertname", Operator.EQUAL, "Watchdog")
    return (Heartbeat("watchdog", (watchdog,)),)
