"""Rounds: what is looked at again and again, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

import structlog

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """Something to look at `every` so many seconds; `first` seconds after the start."""

    name: str
    every: float
    look: Callable[[], object]
    first: float = 0.0


class Rounds:
    """Goes the rounds, each in a thread of its own: a slow one keeps no other waiting."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = rounds
        self._stopping = Event()

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for one in self._rounds:
            Thread(target=self._go, args=(one,), name=one.name, daemon=True).start()

    def stop(self) -> None:
        """Begin no further round."""
        self._stopping.set()

    def _go(self, one: Round) -> None:
        pause = one.first
        while not self._stopping.wait(pause):
            pause = one.every
            try:
                one.look()
            except Exception:
                _log.exception("a round failed", round=one.name)
