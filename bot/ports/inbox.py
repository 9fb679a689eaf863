"""What was accepted and is not yet worked in."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol


class Source(StrEnum):
    """Who posted what lies in the inbox."""

    ALERTMANAGER = "alertmanager"
    PAGERDUTY = "pagerduty"
    API = "api"
    """`POST /api/v1/alerts` or `tocsin alert`: a list of alerts, as Alertmanager takes them."""
    RECONCILE = "reconcile"
    """What asking Alertmanager brought to light; a webhook's shape."""
    TOCSIN = "tocsin"
    """What Tocsin has to say about itself, such as that a heartbeat is missing."""


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

    def read(self, limit: int, besides: Sequence[int] = ()) -> Sequence[InboxRow]:
        """The oldest rows, in order; those with the ids `besides` are left out."""
        ...

    def remove(self, ids: Sequence[int]) -> None: ...
