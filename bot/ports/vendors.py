"""The vendors that are called: who wakes people, where they work, what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain.message import Message, MessageRef, Subject
from bot.domain.page import Page


class Pager(Protocol):
    """Who wakes people. All three calls are idempotent at the receiver by `dedup_key`."""

    def trigger(self, page: Page) -> None:
        """Open the page, or repeat it with a new summary or severity."""
        ...

    def acknowledge(self, dedup_key: str) -> None: ...

    def resolve(self, dedup_key: str) -> None: ...


class Chat(Protocol):
    """Where people work the incident. A channel may be given by name (`#incidents`) or id."""

    def post(self, channel: str, message: Message) -> MessageRef: ...

    def update(self, ref: MessageRef, message: Message) -> None:
        """Replace the message that stands at `ref`."""
        ...

    def find(self, channel: str, subject: Subject, since: datetime) -> MessageRef | None:
        """The message about `subject` that was posted at or after `since`, if it is there.

        Asked before a post is repeated, because the first try may have arrived.
        """
        ...

    def answer(self, response_url: str, message: Message) -> None:
        """Answer a slash command late, to the one who gave it (for 30 minutes)."""
        ...

    def user_of(self, email: str) -> str | None:
        """The id of the person with that e-mail address, None where nobody has it."""
        ...


class Metrics(Protocol):
    """Queries on what Prometheus has recorded."""

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        """An instant query's vector: labels and value of each sample; `timeout` in seconds."""
        ...


class HealthProbe(Protocol):
    """A look at a service from the outside."""

    def status(self, url: str, timeout: float) -> int:
        """The HTTP status that a GET of `url` answers; redirects are not followed."""
        ...
