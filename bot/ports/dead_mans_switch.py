"""A dead man's switch outside: somebody who is told again and again that Tocsin watches."""

from __future__ import annotations

from typing import Protocol


class DeadMansSwitch(Protocol):
    """Raises an alarm of its own when it is not told for long."""

    def ping(self) -> None:
        """Tell it once. Raises `TemporaryError` or `PermanentError`."""
        ...
