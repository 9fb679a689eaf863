"""What was accepted and is not yet worked in."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol


class Source(StrEnum):
    """Who posted what lies in the inbox."""

    ALERTMANAGER = "alertmanager"
    PAGERDUTY = "pagerduty"


class InboxRow(Protocol):
    """A delivery as it was received; `received_at` is in epoch seconds."""

    @property
    def id(self) -> int: ...
    @property
    def source(self) -> str: ...
    @property
    def received_at(self) -> float: ...
    @property
    def body(self) -> bytes: ...


class Inbox(Protocol):
    """What was accepted and is not yet worked in."""

    def read(self, limit: int) -> Sequence[InboxRow]:
        """The oldest rows, in order."""
        ...

    def remove(self, ids: Sequence[int]) -> None: ...
