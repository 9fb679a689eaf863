"""Replicas: who works on one database, and who is gone for good.

Each replica's worker raises a counter, its beat. Whoever looks compares the counters with
those of the look before, and no clock is read: a replica is gone when the observer looked
`SILENT_LOOKS` times, and beat itself each time, while the other's counter stood still. So
clocks may differ, and whatever held the observer up as well (a database that was away, a
machine that slept) counts as one look, however long it took.

Gone can be wrong: a replica that was paused comes back. Taking over is made to bear that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

SILENT_LOOKS = 6
"""Looks without a new beat after which a replica is gone: one beat may be late, or two, when
others hold the write lock; not six."""


@dataclass(frozen=True, slots=True)
class Replica:
    """What is written down about one.

    `at` is when it beat last, by its own clock: for people, and for forgetting it.
    `taken_by` names the replica that took over its jobs since then.
    """

    name: str
    beat: int
    at: datetime
    taken_by: str = ""


class Pulse(StrEnum):
    """What an observer can say of a replica's worker."""

    OK = "ok"
    LATE = "late"
    UNKNOWN = "unknown"
    """It was not seen to beat, and not looked at for long enough either."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A beat that an observer has seen, and how many of its looks ago it saw it first."""

    beat: int
    looks: int = 0
    moved: bool = False
    """Whether another beat was seen before it."""

    @property
    def pulse(self) -> Pulse:
        """Late is gone, as far as the observer can tell."""
        if self.looks >= SILENT_LOOKS:
            return Pulse.LATE
        return Pulse.OK if self.moved else Pulse.UNKNOWN


Watch = Mapping[str, Sighting]
"""What an observer has seen, by the replica's name."""


def look(before: Watch, beats: Mapping[str, int]) -> Watch:
    """What has been seen after one look more, which found these beats."""
    return {name: _seen(before.get(name), beat) for name, beat in beats.items()}


def _seen(before: Sighting | None, beat: int) -> Sighting:
    if before is None:
        return Sighting(beat)
    if before.beat != beat:
        return Sighting(beat, moved=True)
    return replace(before, looks=before.looks + 1)


def left_alone(replicas: Sequence[Replica], watch: Watch, observer: str) -> Sequence[Replica]:
    """The replicas that are gone and whose jobs are the observer's to take over.

    Those that it took over already stay its own: what it could not do then, it does now.
    Those of another replica are taken over from it when that is gone itself.
    """
    gone = {one for one, seen in watch.items() if seen.pulse is Pulse.LATE} - {observer}
    others = {one.name for one in replicas} - gone - {observer}
    return [one for one in replicas if one.name in gone and one.taken_by not in others]
