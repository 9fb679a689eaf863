"""ClockWatch: when the clock was put back, moves all that waits, so that nothing comes late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.app.attendance import LOOKED_AT
from bot.app.incidents import OPEN
from bot.app.record import record_incident
from bot.domain.actor import TOCSIN
from bot.domain.clock_step import latest_moment, moved_beat, moved_test
from bot.domain.incident_events import ClockPutBack
from bot.ports import SteppedClock, Store, Transaction


def take_up(store: Store, replica: str, clock: SteppedClock) -> None:
    """Go on from what clocks have shown before the start; called once, before all else."""
    with store.read() as reader:
        beats = [one.at for one in reader.replicas() if one.name == replica]
        moments = [latest_moment(one) for one in reader.incidents(OPEN, LOOKED_AT)]
    for seen in (*beats, *moments):
        clock.went_on(seen)


class ClockWatch:
    """One replica's part; for one thread, called every second.

    Where several replicas' clocks are put back at once, each moves what waits: it is early
    then, and not late.
    """

    def __init__(
        self,
        store: Store,
        replica: str,
        clock: SteppedClock,
        others: Sequence[Callable[[timedelta], None]],
        noticed: Callable[[timedelta], None],
    ) -> None:
        """`others` move what waits elsewhere than in the records; they may be asked twice.

        `noticed` is told once of each time that the clock was put back.
        """
        self._store = store
        self._replica = replica
        self._clock = clock
        self._others = others
        self._noticed = noticed

    def look(self) -> None:
        """Move what waits if the clock was put back; what fails is done by the next look."""
        by = self._clock.held()
        if not by:
            return
        for move in self._others:
            move(by)
        self._put_back(by)
        self._noticed(by)

    def _put_back(self, by: timedelta) -> None:
        try:
            with self._store.transaction() as tx:
                # Under the write lock, where others read the clock: nobody writes the old time
                # down after this.
                self._clock.follow(by)
                self._move(tx, by, self._clock.now())
        except BaseException:
            self._clock.follow(-by)
            raise

    def _move(self, tx: Transaction, by: timedelta, now: datetime) -> None:
        for incident in tx.incidents(OPEN, LOOKED_AT):
            record_incident(tx, incident, (ClockPutBack(by),), TOCSIN, now)
        for beat in tx.beats():
            tx.save_beat(moved_beat(beat, by))
        for test in tx.page_tests(limit=1):
            tx.save_page_test(moved_test(test, by))
        # A start after this finds nothing left to move.
        tx.replica_beats(self._replica, now)
