"""The file that keeps the sandbox's state from one start to the next."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

State = dict[str, Any]

PAUSE = 1.0
"""Seconds between two savings, at least."""

_log = structlog.get_logger(__name__)


class StateFile:
    """A JSON object in a file, replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = ""

    def read(self) -> State:
        """What was written last; empty when there is no file.

        Raises:
            ValueError: the file holds something else.
        """
        try:
            state = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        if not isinstance(state, dict):
            raise ValueError("it holds no JSON object")
        return state

    def write(self, state: State) -> None:
        """Replace the content, unless it is the same as last time; only its owner may read it.

        It is not forced to the disk: a power cut may cost the sandbox its state, and forcing
        it every second would slow down the database beside it.
        """
        text = json.dumps(state)
        if text == self._written:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        draft.replace(self._path)
        self._written = text

    def set_aside(self, now: datetime, reason: Exception) -> None:
        """Rename the file, so that it can be looked at and a new one begun."""
        aside = self._path.with_name(f"{self._path.name}.broken-{now:%Y%m%dT%H%M%S}")
        self._path.replace(aside)
        _log.error(
            "the sandbox's state can't be read and was set aside; the sandbox starts afresh",
            file=str(self._path),
            set_aside_as=str(aside),
            reason=f"{type(reason).__name__}: {reason}",
        )


class Saver:
    """Calls `save` in a thread of its own soon after a change, at most once in `PAUSE`."""

    def __init__(self, save: Callable[[], None]) -> None:
        self._save = save
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-saver", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def note_change(self) -> None:
        """Say that there is something to save."""
        self._changed.set()

    def close(self) -> None:
        """Save a last time, and end the thread."""
        self._closed.set()
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._try_to_save()

    def _run(self) -> None:
        while self._changed.wait() and not self._closed.is_set():
            self._changed.clear()
            self._try_to_save()
            self._closed.wait(PAUSE)

    def _try_to_save(self) -> None:
        try:
            self._save()
        except OSError as error:
            self._changed.set()
            _log.error("the sandbox's state was not saved; it is tried again", reason=str(error))
