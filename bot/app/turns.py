"""Turns: of what concerns one thing, one at a time within a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from weakref import WeakValueDictionary


class _Turn:
    """Whose turn it is; forgotten when nobody waits for it."""

    def __init__(self) -> None:
        self.lock = Lock()


class Turns:
    """A lock for each key that is in use. Keys share nothing."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[int, _Turn] = WeakValueDictionary()
        self._guard = Lock()

    @contextmanager
    def of(self, key: int) -> Iterator[None]:
        """Wait for one's turn, and have it until the end of the block."""
        with self._guard:
            turn = self._turns.setdefault(key, _Turn())
        with turn.lock:
            yield
