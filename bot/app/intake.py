"""Intake: what lies in the inbox becomes incidents.

What waits is judged before it is worked in, so that in a storm the worst comes first. It
is worked in by batches, one transaction a batch; a row that makes its batch fail is tried
alone, so that it holds up no other. Rows leave the inbox only after the transaction that
worked them in, and are recognised if they come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.app.deliveries import Deliveries, Received
from bot.app.pager_events import PagerEvents
from bot.domain.alert import AlertStatus, Delivery
from bot.domain.errors import InvalidInput, TemporaryError
from bot.domain.unreadable import unreadable
from bot.ports import Clock, Counters, Inbox, InboxRow, Source, Store, Transaction

Parse = Callable[[bytes, datetime], Delivery]
"""Makes a delivery of an inbox row's body and the time at which it came. Raises
`InvalidInput`, though what was accepted was checked before."""

WAITING_ROWS = 256
"""Inbox rows that are looked at ahead, to find the worst among them."""

WAITING_ALERTS = 20_000
"""Alerts in those rows, after which no more are read: a bound on memory."""

BATCH_ROWS = 64
"""Rows a transaction; large enough that the commit's fsync is shared."""

BATCH_ALERTS = 1_000
"""Alerts a transaction; small enough that the write lock is held for a fraction of a
second, and that a P0 which comes meanwhile waits no longer than that."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A row that waits: its delivery (None for the pager's news), and how bad it is."""

    row: InboxRow
    received: Received | None
    rank: str

    @property
    def alerts(self) -> int:
        return len(self.received.delivery.alerts) if self.received else 1


STORM_GROUPS = 1
"""Groups of a batch for which facts are asked while more waits behind it: the worst. An answer
may take as long as working in hundreds of alerts."""

PAGER_RANK = "P0"
"""Where the pager's news comes in line: an acknowledgement stops an escalation."""

UNREADABLE_RANK = "P1"
"""Where comes in line what can't be told: it pages."""

LAST_RANK = "P4"
"""Where resolutions come in line: behind the alerts that they may be about."""


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """How what was received is read, by its source, and who works it in.

    `left_out` is called when Alertmanager has left alerts out, which it can be asked for.
    """

    parsers: Mapping[Source, Parse]
    deliveries: Deliveries
    pager_events: PagerEvents
    left_out: Callable[[], None] = lambda: None


class Intake:
    """Works in what was accepted."""

    def __init__(
        self, store: Store, inbox: Inbox, rules: IntakeRules, clock: Clock, counters: Counters
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._parsers = rules.parsers
        self._deliveries = rules.deliveries
        self._pager_events = rules.pager_events
        self._left_out = rules.left_out
        self._clock = clock
        self._counters = counters
        self._waiting: dict[int, _Waiting] = {}

    def drain(self) -> int:
        """Work in one batch; returns how many rows that were (0: the inbox is empty)."""
        self._look_ahead()
        batch = self._worst()
        if batch:
            self._prepare(batch)
            self._work_in(batch)
            self._inbox.remove([one.row.id for one in batch])
            for one in batch:
                del self._waiting[one.row.id]
        return len(batch)

    @property
    def more_waits(self) -> bool:
        """Whether a batch was left waiting that has been looked at already."""
        return bool(self._waiting)

    def _look_ahead(self) -> None:
        """Read and judge what has come since."""
        room = WAITING_ROWS - len(self._waiting)
        waiting_alerts = sum(one.alerts for one in self._waiting.values())
        if room <= 0 or waiting_alerts >= WAITING_ALERTS:
            return
        for row in self._inbox.read(room, besides=list(self._waiting)):
            waiting = self._judged(row)
            self._waiting[row.id] = waiting
            waiting_alerts += waiting.alerts
            if waiting_alerts >= WAITING_ALERTS:
                return

    def _judged(self, row: InboxRow) -> _Waiting:
        if row.source == Source.PAGERDUTY:
            return _Waiting(row, None, PAGER_RANK)
        try:
            received = self._read(row)
            rank = self._rank(received)
        except InvalidInput as problem:
            received, rank = self._unreadable(str(problem)), UNREADABLE_RANK
        except Exception as error:  # Whatever it is, it must hold up no other row.
            received, rank = self._unreadable(f"Reading it failed: {error!r}"), UNREADABLE_RANK
        return _Waiting(row, received, rank)

    def _read(self, row: InboxRow) -> Received:
        at = datetime.fromtimestamp(row.received_at, UTC)
        source = Source(row.source)
        return Received(self._parsers[source](row.body, at), source, at)

    def _rank(self, received: Received) -> str:
        alerts = received.delivery.alerts
        firing = (alert for alert in alerts if alert.status is AlertStatus.FIRING)
        return min((self._deliveries.judge.judge(one).rank for one in firing), default=LAST_RANK)

    def _worst(self) -> Sequence[_Waiting]:
        """The next batch, none of which is better than the rest; the oldest of that.

        A P0 is committed, and so paged, without what is less bad.
        """
        worst = min((one.rank for one in self._waiting.values()), default=LAST_RANK)
        equals = (one for one in self._waiting.values() if one.rank == worst)
        batch: list[_Waiting] = []
        alerts = 0
        for one in sorted(equals, key=lambda one: one.row.id)[:BATCH_ROWS]:
            alerts += one.alerts
            if batch and alerts > BATCH_ALERTS:
                break
            batch.append(one)
        return batch

    def _work_in(self, batch: Sequence[_Waiting]) -> None:
        try:
            self._commit(batch, self._apply)
        except TemporaryError:
            raise
        except Exception as error:
            if len(batch) > 1:
                for one in batch:
                    self._work_in([one])
                return
            received = self._unreadable(f"Working it in failed: {error!r}")
            self._commit(batch, lambda tx, _one, now: self._deliveries.apply(tx, received, now))

    def _prepare(self, batch: Sequence[_Waiting]) -> None:
        """Ask for facts, which must not be done while the write lock is held."""
        received = (one.received for one in batch if one.received)
        alerts = (alert for one in received for alert in one.delivery.alerts)
        behind = len(self._waiting) > len(batch)
        self._deliveries.judge.prepare(alerts, STORM_GROUPS if behind else None)

    def _commit(
        self,
        batch: Sequence[_Waiting],
        work: Callable[[Transaction, _Waiting, datetime], None],
    ) -> None:
        with self._store.transaction() as tx:
            now = self._clock.now()
            for one in batch:
                # The time is part of the key: a new inbox file counts from 1 again.
                if tx.first_time(f"inbox:{one.row.id}:{one.row.received_at}", now):
                    work(tx, one, now)
        # Not before the commit: whoever asks now must find here what did arrive.
        if any(one.received and one.received.delivery.truncated_alerts for one in batch):
            self._left_out()

    def _apply(self, tx: Transaction, one: _Waiting, now: datetime) -> None:
        if one.received is not None:
            self._deliveries.apply(tx, one.received, now)
            return
        reason = self._pager_events.apply(tx, one.row.body, now)
        self._counters.count("pager_events", reason=reason.value)

    def _unreadable(self, problem: str) -> Received:
        now = self._clock.now()
        return Received(unreadable(problem, now), Source.TOCSIN, now)
