"""Replicas: says that this one works, and takes over the jobs of those that are gone.

What a replica had begun stays its own in the queues until it comes back. One that does not
come back would leave its runs and pages undone for ever, so the others watch it.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.replicas import Pulse, Watch, left_alone, look
from bot.ports import Clock, Store


class Replicas:
    """A worker's part; for one thread, called every few seconds."""

    def __init__(
        self, store: Store, name: str, take_over: Callable[[str], object], clock: Clock
    ) -> None:
        """`take_over` has the jobs that a replica had begun done by others; it may be repeated."""
        self._store = store
        self._name = name
        self._take_over = take_over
        self._clock = clock
        self._watch: Watch = {}

    def round(self) -> None:
        """Beat, look at the others, and take over the jobs of those that are gone.

        All is read and claimed in one transaction, and writers are serialised: of several
        observers one has the claim, and none has it of a replica that beat meanwhile. A
        claim whose jobs could not be taken over is worked off by the next round, or by
        whoever takes over from this replica.
        """
        with self._store.transaction() as tx:
            tx.replica_beats(self._name, self._clock.now())
            replicas = tx.replicas()
            watch = look(self._watch, {one.name: one.beat for one in replicas})
            gone = left_alone(replicas, watch, self._name)
            for one in gone:
                tx.claim_replica(one.name, self._name)
        self._watch = watch
        for one in gone:
            self._take_over(one.name)


class WorkerWatch:
    """Watches one replica's worker from outside of it; `round` is for one thread."""

    def __init__(
        self, store: Store, name: str, every: float, last_seen: Callable[[float], None]
    ) -> None:
        """`last_seen` is told the seconds since a beat was seen; `every` are those of a round."""
        self._store = store
        self._name = name
        self._every = every
        self._last_seen = last_seen
        self._watch: Watch = {}

    def round(self) -> None:
        """Look once; a worker that has never beaten stands at 0."""
        with self._store.read() as reader:
            beats = {one.name: one.beat for one in reader.replicas()}
        self._watch = look(self._watch, {self._name: beats.get(self._name, 0)})
        self._last_seen(self._watch[self._name].looks * self._every)

    def pulse(self) -> Pulse:
        """Whether the worker works, by the looks so far."""
        seen = self._watch.get(self._name)
        return Pulse.UNKNOWN if seen is None else seen.pulse
