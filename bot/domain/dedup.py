"""Which of Alertmanager's alerts are news, whatever order or number they arrive in.

Alertmanager repeats, its HA pairs say everything twice, and deliveries overtake each
other. Of one fingerprint the latest ``startsAt`` counts, and of one ``startsAt`` the
resolution counts: so what is known in the end depends on the set of deliveries only,
not on their order or number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.alert import Alert, AlertStatus


class News(StrEnum):
    """What a received alert is, against what was known of its fingerprint."""

    FIRED = "fired"
    RESOLVED = "resolved"
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
    """The last that is known of a fingerprint, and the incident it belongs to."""

    alert: Alert
    incident_id: int | None


def compare(known: Alert | None, received: Alert) -> News:
    """What `received` is, given what is `known` of the same fingerprint."""
    firing = received.status is AlertStatus.FIRING
    if known is None:
        return News.FIRED if firing else News.RESOLVED_UNSEEN
    if received.starts_at < known.starts_at:
        return News.LATE
    was_firing = known.status is AlertStatus.FIRING
    if received.starts_at == known.starts_at:
        return _same_start(was_firing, firing)
    if firing:
        return News.RESTARTED if was_firing else News.FIRED
    return News.RESOLVED if was_firing else News.RESOLVED_UNSEEN


def _same_start(was_firing: bool, firing: bool) -> News:
    if was_firing and not firing:
        return News.RESOLVED
    if firing and not was_firing:
        return News.LATE
    return News.REPEATED


@dataclass(slots=True)
class Change:
    """What one delivery changes in one incident; `silent` is recorded, but no news."""

    fired: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)
    restarted: list[Alert] = field(default_factory=list)
    silent: list[Alert] = field(default_factory=list)

    def everything(self) -> list[Alert]:
        """All alerts to record."""
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
    group_key: Callable[[Mapping[str, str]], str],
) -> Sorted:
    """Sort a delivery's alerts; of a fingerprint that occurs twice, what counts in the end."""
    result = Sorted()
    for alert in _latest(alerts):
        before = known.get(alert.fingerprint)
        news = compare(before.alert if before else None, alert)
        result.news[news] += 1
        if not news.recorded:
            continue
        home = before.incident_id if before else None
        if news is News.FIRED:
            result.fired.setdefault(group_key(alert.labels), []).append(alert)
        elif home is None:
            result.homeless.append(alert)
        else:
            result.known.setdefault(home, Change()).add(news, alert)
    return result


def _latest(alerts: Sequence[Alert]) -> Iterable[Alert]:
    latest: dict[str, Alert] = {}
    for alert in alerts:
        if compare(latest.get(alert.fingerprint), alert).recorded:
            latest[alert.fingerprint] = alert
    return latest.values()
