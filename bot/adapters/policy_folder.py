"""A policy file that is read again while Tocsin runs.

Whoever runs the worker looks at it now and then. A change is taken in when two looks in
a row found the same content, because an editor or a copy may be at work in between, and
half a policy may well be a valid one. What is valid is kept by its digest and then
replaces the old policy in one step; what is not is refused, and the old one stays.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bot.adapters.yaml_lines import LARGEST
from bot.domain.errors import InvalidInput

Loaded = TypeVar("Loaded")

Load = Callable[[bytes, str], Loaded]
"""Reads a file's bytes; the text is the file's name, for the `InvalidInput` that it raises."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What was found: the file's bytes, or why it can't be read."""

    data: bytes = b""
    problem: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


class PolicyFile(Generic[Loaded]):
    """The last valid content of a file; may be used by several threads at once."""

    def __init__(
        self,
        path: Path,
        load: Load[Loaded],
        keep: Callable[[str, str], None],
        refused: Callable[[str], None],
        spare: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        """Read the file at once; raises `InvalidInput` when there is no valid one to begin with.

        `keep` is called with the SHA-256 and the text of each version before it is used, and
        again when an old one comes back; `refused` with what is wrong, once for each
        content that can't be used. `spare` gives the version that was used before the start,
        if there was one: a start in the middle of the night is no time to refuse to work.
        """
        self._path = path
        self._load = load
        self._keep = keep
        self._refused = refused
        self._lock = threading.Lock()
        self._content = self._seen = self._read()
        self._current = self._first(spare)

    @property
    def current(self) -> Loaded:
        """The last valid policy."""
        return self._current

    def look(self) -> bool:
        """Read the file again; whether `current` has changed by it.

        What `keep` raises goes through: the old policy stays, and the next look tries again.
        """
        with self._lock:
            found = self._read()
            settled, self._seen = found == self._seen, found
            if not settled or found == self._content:
                return False
            try:
                self._current = self._valid(found)
            except InvalidInput as error:
                self._refused(f"{error}\nThe policy that was valid before stays in use.")
                self._content = found
                return False
            self._content = found
            return True

    def _first(self, spare: Callable[[], bytes | None]) -> Loaded:
        try:
            return self._valid(self._content)
        except InvalidInput as error:
            old = spare()
            if old is None:
                raise
            self._refused(f"{error}\nThe policy that was in use before the start is used.")
            return self._load(old, str(self._path))

    def _read(self) -> _Content:
        try:
            with self._path.open("rb") as file:
                return _Content(file.read(LARGEST + 1))
        except OSError as error:
            return _Content(problem=f"{self._path}:1: {error.strerror}.")

    def _valid(self, content: _Content) -> Loaded:
        if content.problem:
            raise InvalidInput(content.problem)
        loaded = self._load(content.data, str(self._path))
        self._keep(content.digest, content.data.decode("utf-8"))
        return loaded
