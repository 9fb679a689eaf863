"""What the webhooks failed to tell, found by comparing with Alertmanager itself.

Two things can be wrong here: an alert is active there and does not fire here (*missed*),
or it fires here and is gone there (*ended*). Neither is concluded from one look, because
Alertmanager tells a change up to `group_interval` after it happened, and neither from a
doubtful one: believing in an end that was none would end a page that people need. So an
absence counts only when every member answered and none has just started (Alertmanager
keeps no alerts over a restart), and only for alerts of an Alertmanager that is known to
be among those asked, because one of its alerts was found there or its external URL is
the address asked. What is silenced or inhibited there is there, so it did not end; and it
is not missed, since nobody is to be told of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.alert import Alert, AlertStatus, Delivery
from bot.domain.dedup import KnownAlert
from bot.domain.observation import Observation, State

GRACE = timedelta(minutes=6)
"""How long a difference must last. A webhook comes up to a `group_interval` after the change
(5 minutes by default), and then a pair's second member waits 15 s for the first, and a
failed request is repeated: one minute for these."""

SETTLED = timedelta(minutes=10)
"""How long a member must have run. Prometheus sends what fires again every minute
(``--rules.alert.resend-delay``); so this bears a Prometheus that is away for some minutes."""

ALERTS_PER_DELIVERY = 100
RECEIVER = "tocsin-reconcile"
"""The receiver in whose name what was found is worked in."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here.

    `receivers` are those in whose name Alertmanager has ever delivered here;
    `is_heartbeat` tells by an alert's labels.
    """

    firing: Sequence[KnownAlert]
    receivers: frozenset[str]
    is_heartbeat: Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a difference must last, and a member must have run."""

    missed: timedelta = GRACE
    ended: timedelta = GRACE
    settled: timedelta = SETTLED


@dataclass(frozen=True, slots=True)
class Memory:
    """Since when each difference is seen, by fingerprint, and which origins are asked."""

    missing_here: Mapping[str, datetime] = field(default_factory=dict)
    missing_there: Mapping[str, datetime] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()


class Verdict(StrEnum):
    """What becomes of an alert, and why."""

    MISSED = "missed"
    ENDED = "ended"
    AGREED = "agreed"
    """It is here and there."""
    NOT_ACTIVE = "not_active"
    """Silenced, inhibited or not yet processed there: nobody is to be told."""
    NOT_OURS = "not_ours"
    """Routed to receivers that have never delivered here."""
    HEARTBEAT = "heartbeat"
    """Its coming by itself is the point, so it is never fetched."""
    NOT_FROM_THERE = "not_from_there"
    """It came another way than from Alertmanager."""
    NOT_ASKED = "not_asked"
    """It came from an Alertmanager that is not known to be among those asked."""
    UNPROVEN = "unproven"
    """Absent, but a member did not answer or has just started."""
    WAITING = "waiting"
    """The ordinary webhook may still come."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`missed` fire there and not here; `ended` are resolutions of what is gone there."""

    missed: tuple[Alert, ...]
    ended: tuple[Alert, ...]
    verdicts: Mapping[Verdict, int]
    memory: Memory


def decide(
    known: Known,
    observation: Observation,
    memory: Memory,
    now: datetime,
    patience: Patience = Patience(),
) -> Decision:
    """Compare what is known with what is there. Read what is known before asking there."""
    asked = memory.asked | _asked(known, observation)
    here = _missing_here(known, observation, memory.missing_here, now)
    there = _missing_there(known, observation, replace(memory, asked=asked), now, patience)
    missed = _lasting(here.since, now, patience.missed)
    lasting = _lasting(there.since, now, patience.ended)
    # One look never ends an alert, however short the patience is.
    ended = {one for one in lasting if there.since[one] == memory.missing_there.get(one)}
    waiting = len(here.since) + len(there.since) - len(missed) - len(ended)
    verdicts = here.verdicts + there.verdicts
    verdicts += Counter(
        {Verdict.MISSED: len(missed), Verdict.ENDED: len(ended), Verdict.WAITING: waiting}
    )
    return Decision(
        tuple(one.alert for one in observation.alerts if one.alert.fingerprint in missed),
        tuple(
            replace(one.alert, status=AlertStatus.RESOLVED, ends_at=there.since[fingerprint])
            for one in known.firing
            if (fingerprint := one.alert.fingerprint) in ended
        ),
        verdicts,
        Memory(here.since, there.since, asked),
    )


@dataclass(slots=True)
class _Difference:
    """Since when alerts are on one side only, and why others are no difference."""

    since: dict[str, datetime] = field(default_factory=dict)
    verdicts: Counter[Verdict] = field(default_factory=Counter)


def _asked(known: Known, observation: Observation) -> frozenset[str]:
    there = {one.alert.fingerprint for one in observation.alerts}
    origins = (one.origin for one in known.firing if one.alert.fingerprint in there)
    return frozenset(
        {_plain(origin) for origin in origins if origin is not None}
        | {_plain(member.url) for member in observation.members}
    )


def _plain(url: str) -> str:
    return url.rstrip("/")


def _missing_here(
    known: Known, observation: Observation, before: Mapping[str, datetime], now: datetime
) -> _Difference:
    here = {one.alert.fingerprint for one in known.firing}
    difference = _Difference()
    for one in observation.alerts:
        fingerprint = one.alert.fingerprint
        if fingerprint in here:
            continue
        if one.state is not State.ACTIVE:
            difference.verdicts[Verdict.NOT_ACTIVE] += 1
        elif not one.receivers & known.receivers:
            difference.verdicts[Verdict.NOT_OURS] += 1
        elif known.is_heartbeat(one.alert.labels):
            difference.verdicts[Verdict.HEARTBEAT] += 1
        else:
            difference.since[fingerprint] = before.get(fingerprint, now)
    return difference


def _missing_there(
    known: Known, observation: Observation, memory: Memory, now: datetime, patience: Patience
) -> _Difference:
    there = {one.alert.fingerprint for one in observation.alerts}
    proven = all(member.settled(patience.settled) for member in observation.members)
    difference = _Difference()
    for one in known.firing:
        fingerprint, origin = one.alert.fingerprint, one.origin
        if fingerprint in there:
            difference.verdicts[Verdict.AGREED] += 1
        elif origin is None:
            difference.verdicts[Verdict.NOT_FROM_THERE] += 1
        elif _plain(origin) not in memory.asked:
            difference.verdicts[Verdict.NOT_ASKED] += 1
        elif not proven:
            difference.verdicts[Verdict.UNPROVEN] += 1
        else:
            since = memory.missing_there.get(fingerprint, now)
            # What has started anew since then has been there in between.
            difference.since[fingerprint] = since if since >= one.alert.starts_at else now
    return difference


def _lasting(since: Mapping[str, datetime], now: datetime, patience: timedelta) -> set[str]:
    return {fingerprint for fingerprint, moment in since.items() if now - moment >= patience}


def expired(known: Sequence[KnownAlert], now: datetime) -> tuple[Alert, ...]:
    """Resolutions of posted alerts that were to fire until a moment that has passed.

    So does Alertmanager with what is posted to it and not refreshed (its API's `endsAt`).
    """
    posted = (one.alert for one in known if one.origin is None)
    return tuple(
        replace(alert, status=AlertStatus.RESOLVED)
        for alert in posted
        if alert.status is AlertStatus.FIRING and alert.ends_at and alert.ends_at <= now
    )


class Finding(StrEnum):
    """Why a delivery was made here; it is the delivery's group key."""

    MISSED = "tocsin-reconcile/missed"
    ENDED = "tocsin-reconcile/ended"
    EXPIRED = "tocsin-reconcile/expired"

    @property
    def note(self) -> str:
        """How it came to be known, for the timeline."""
        if self is Finding.EXPIRED:
            return "It was posted with an end, which has passed."
        return "Learned by asking Alertmanager; no webhook told it."


def deliveries(finding: Finding, alerts: Sequence[Alert], external_url: str) -> Iterable[Delivery]:
    """Bring what was found into deliveries, so that it is worked in as all others are."""
    status = AlertStatus.FIRING if finding is Finding.MISSED else AlertStatus.RESOLVED
    for start in range(0, len(alerts), ALERTS_PER_DELIVERY):
        some = tuple(alerts[start : start + ALERTS_PER_DELIVERY])
        yield Delivery(RECEIVER, status, finding.value, {}, some, external_url)
