"""Schedules: asks for the runs that the policy plans, each at its time and once.

A run and the time of the next are written down together, so whatever crashes in between,
and however many replicas look, it is one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.app.heartbeats import own
from bot.app.policies import Put
from bot.app.runs import Runs
from bot.domain.errors import InvalidInput
from bot.domain.schedule import FAILED_ALERT, DueTime, Schedule, failure, mended
from bot.ports import Clock, Store, Transaction
from bot.ports.schedule import NextAfter


class Schedules:
    """Keeps the times of all schedules."""

    def __init__(
        self,
        store: Store,
        runs: Runs,
        schedules: Callable[[], Sequence[Schedule]],
        next_after: NextAfter,
        put: Put,
        clock: Clock,
    ) -> None:
        """`put` keeps an alert where intake finds it."""
        self._store = store
        self._runs = runs
        self._schedules = schedules
        self._next_after = next_after
        self._put = put
        self._clock = clock

    def look(self) -> None:
        """Do what is due; called every few seconds."""
        schedules, now = self._schedules(), self._clock.now()
        with self._store.read() as reader:
            known = {due.schedule: due for due in reader.due_times()}
        for schedule in schedules:
            due = known.pop(schedule.id, None)
            if due is None or due.plan != schedule.plan:
                self._save(schedule, due, now)
            elif due.at <= now:
                self._turn(schedule, due, now)
        for forgotten in known:
            self._forget(forgotten)

    def _turn(self, schedule: Schedule, due: DueTime, now: datetime) -> None:
        """Ask for the run, unless another replica was faster; say so when it can't be."""
        try:
            start = schedule.starts(self._runs.check(schedule.runbook, schedule.words))
        except InvalidInput as error:
            self._put(own(failure(schedule, due.at, str(error))))
            self._save(schedule, due, now)
            return
        with self._store.transaction() as tx:
            if _due_time(tx, schedule.id) != due:
                return
            words, actor = schedule.words, schedule.actor
            self._runs.ask(tx, schedule.runbook, words, actor, start_when_planned=start)
            tx.save_due_time(self._next(schedule, now))
        self._mend(schedule.id)

    def _save(self, schedule: Schedule, known: DueTime | None, now: datetime) -> None:
        """Write down when it is due by the plan that it has now."""
        with self._store.transaction() as tx:
            if _due_time(tx, schedule.id) == known:
                tx.save_due_time(self._next(schedule, now))

    def _next(self, schedule: Schedule, now: datetime) -> DueTime:
        at = self._next_after(schedule.cron, schedule.timezone, now)
        return DueTime(schedule.id, schedule.plan, at)

    def _forget(self, schedule_id: str) -> None:
        """What comes due while the policy does not name it is not made up for."""
        self._mend(schedule_id)
        with self._store.transaction() as tx:
            tx.forget_due_time(schedule_id)

    def _mend(self, schedule_id: str) -> None:
        """The end of the alert about the schedule, if it fires."""
        with self._store.read() as reader:
            firing = [one.alert for one in reader.firing_alerts()]
        for alert in firing:
            if alert.name == FAILED_ALERT and alert.labels.get("schedule") == schedule_id:
                self._put(own(mended(alert, self._clock.now())))


def _due_time(tx: Transaction, schedule_id: str) -> DueTime | None:
    return next((one for one in tx.due_times() if one.schedule == schedule_id), None)
