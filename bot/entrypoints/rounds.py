"""Rounds: what is looked at again and again, beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread

import structlog

from bot.domain.errors import TemporaryError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """Something to `look` at every so many seconds, `first` seconds after the start.

    Whoever sets `wake` has it looked at once, at once, by `woken`.
    """

    name: str
    every: float
    look: Callable[[], object]
    first: float = 0.0
    woken: Callable[[], object] | None = None
    wake: Event = field(default_factory=Event)


class Rounds:
    """Goes the rounds, each in a thread of its own: a slow one keeps no other waiting."""

    def __init__(self, rounds: Sequence[Round]) -> None:
        self._rounds = rounds
        self._stopping = False

    def start(self) -> None:
        """Begin; the threads end with the process."""
        for one in self._rounds:
            Thread(target=self._go, args=(one,), name=one.name, daemon=True).start()

    def stop(self) -> None:
        """Begin no further round."""
        self._stopping = True
        for one in self._rounds:
            one.wake.set()

    def _go(self, one: Round) -> None:
        pause = one.first
        while True:
            woken = one.wake.wait(pause)
            if self._stopping:
                return
            one.wake.clear()
            pause = one.every
            try:
                (one.woken if woken and one.woken else one.look)()
            except TemporaryError as error:
                _log.warning("a round failed, the next may not", round=one.name, why=str(error))
            except Exception:
                _log.exception("a round failed", round=one.name)
