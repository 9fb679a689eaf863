"""Which of Alertmanager's alerts are news, whatever order or number they arrive in.

Alertmanager repeats, its HA pairs say everything twice, and deliveries overtake each
other. Of one fingerprint the latest start counts, and a resolution counts for every
start up to its end: so what is known in the end depends on the set of deliveries only,
not on their order or number.

One thing can't be told from the deliveries alone. Where two Prometheus servers see the
same alert and one of them resolves it, Alertmanager says resolved, and then firing
again with the start of before (it merges their spans). Where a sender's clock was put
back, what fires anew begins before the last end. What fires with no older start than
is known, and comes later than `OVERTAKEN` after the end was told, is one of these, and not
a delivery that was overtaken. How long ago the end itself was says nothing: Alertmanager
tells it after its `group_interval`, and what was recorded elsewhere may be of last year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.alert import Alert, AlertStatus

OVERTAKEN = timedelta(minutes=2)
"""How late a delivery may come that others have overtaken: an HA pair's second member
waits 15 s for the first (``--cluster.peer-timeout``), and a request may take a minute."""

TOGETHER = timedelta(0)
"""How far alerts of one delivery come apart."""


class News(StrEnum):
    """What a received alert is, against what was known of its fingerprint."""

    FIRED = "fired"
    RESOLVED = "resolved"
    EXTENDED = "extended"
    """Still firing, and due to end later than was said; recorded, nobody is told."""
    RESTARTED = "restarted"
    """Still firing, with a new start: the same trouble for a person who is on it."""
    RESOLVED_UNSEEN = "resolved_unseen"
    """Resolved, and its firing never arrived: recorded, nobody is told."""
    REPEATED = "repeated"
    LATE = "late"
    """Older than what is known; changes nothing."""

    @property
    def recorded(self) -> bool:
        """Whether what is known of the fingerprint changes."""
        return self not in (News.REPEATED, News.LATE)


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """The last that is known of a fingerprint, and the incident it belongs to.

    `origin` is the external URL of the Alertmanager that told of it, or None when it came
    another way: what no Alertmanager told of is not looked for there. `told_at` is when it
    was told; None on records that are older than this field.
    """

    alert: Alert
    incident_id: int | None
    origin: str | None = None
    told_at: datetime | None = None

    def age(self, now: datetime) -> timedelta:
        """How long this has been known; below zero where what was told later came first."""
        return now - (self.told_at or _end(self.alert))


def compare(known: Alert | None, received: Alert, apart: timedelta) -> News:
    """What `received` is, come `apart` after what is `known` of the same fingerprint."""
    firing = received.status is AlertStatus.FIRING
    if known is None:
        return News.FIRED if firing else News.RESOLVED_UNSEEN
    if known.status is AlertStatus.FIRING:
        return _while_firing(known, received) if firing else _ending(known, received)
    return _after_its_end(known, received, apart) if firing else _ended(known, received)


def _while_firing(known: Alert, received: Alert) -> News:
    if _start(received) != _start(known):
        return News.RESTARTED if _start(received) > _start(known) else News.LATE
    due, now_due = known.ends_at, received.ends_at
    later = due is not None and (now_due is None or now_due > due)
    return News.EXTENDED if later else News.REPEATED


def _ending(known: Alert, received: Alert) -> News:
    return News.RESOLVED if _end(received) >= known.starts_at else News.LATE


def _after_its_end(known: Alert, received: Alert, apart: timedelta) -> News:
    if received.starts_at > _end(known):
        return News.FIRED
    again = _start(received) >= _start(known) and apart > OVERTAKEN
    return News.FIRED if again else News.LATE


def _ended(known: Alert, received: Alert) -> News:
    if received == known:
        return News.REPEATED
    later = (_end(received), received.starts_at) > (_end(known), known.starts_at)
    return News.RESOLVED_UNSEEN if later else News.LATE


def _start(alert: Alert) -> datetime:
    """When it began, in milliseconds: Alertmanager's API tells no finer time than that."""
    return alert.starts_at.replace(microsecond=alert.starts_at.microsecond // 1000 * 1000)


def _end(alert: Alert) -> datetime:
    """When a resolved alert ended; one that does not say so ended when it began."""
    return alert.ends_at or alert.starts_at


@dataclass(slots=True)
class Change:
    """What one delivery changes in one incident; `silent` is recorded, but no news."""

    fired: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)
    restarted: list[Alert] = field(default_factory=list)
    silent: list[Alert] = field(default_factory=list)
    reworded: list[Alert] = field(default_factory=list)
    """Repeats with other annotations, which may call for another level."""

    def everything(self) -> list[Alert]:
        """All alerts to record; what is only reworded stays as it was."""
        return [*self.fired, *self.resolved, *self.restarted, *self.silent]

    def add(self, news: News, alert: Alert) -> None:
        """Put the alert where its news belongs."""
        lists = {
            News.FIRED: self.fired,
            News.RESOLVED: self.resolved,
            News.RESTARTED: self.restarted,
        }
        lists.get(news, self.silent).append(alert)


@dataclass(slots=True)
class Sorted:
    """A delivery's alerts by where they belong."""

    fired: dict[str, list[Alert]] = field(default_factory=dict)
    """By group key: alerts that have just fired."""
    known: dict[int, Change] = field(default_factory=dict)
    """By incident: news of alerts that belong to it already."""
    homeless: list[Alert] = field(default_factory=list)
    """Recorded, and of no incident."""
    news: Counter[News] = field(default_factory=Counter)


def sort(
    alerts: Sequence[Alert],
    known: Mapping[str, KnownAlert],
    group_key: Callable[[Alert], str],
    received_at: datetime,
) -> Sorted:
    """Sort a delivery's alerts; of a fingerprint that occurs twice, what counts in the end."""
    result = Sorted()
    for alert in _latest(alerts):
        before = known.get(alert.fingerprint)
        apart = before.age(received_at) if before else TOGETHER
        news = compare(before.alert if before else None, alert, apart)
        result.news[news] += 1
        home = before.incident_id if before else None
        if before and home is not None and _reworded(news, before.alert, alert):
            result.known.setdefault(home, Change()).reworded.append(alert)
        if not news.recorded:
            continue
        if news is News.FIRED:
            result.fired.setdefault(group_key(alert), []).append(alert)
        elif home is None:
            result.homeless.append(alert)
        else:
            result.known.setdefault(home, Change()).add(news, alert)
    return result


def _reworded(news: News, before: Alert, alert: Alert) -> bool:
    firing = alert.status is AlertStatus.FIRING
    return news is News.REPEATED and firing and before.annotations != alert.annotations


def _latest(alerts: Sequence[Alert]) -> Iterable[Alert]:
    latest: dict[str, Alert] = {}
    for alert in alerts:
        if compare(latest.get(alert.fingerprint), alert, TOGETHER).recorded:
            latest[alert.fingerprint] = alert
    return latest.values()
