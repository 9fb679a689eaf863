"""The vendors that are called: who wakes people, where they work, what was measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.graph import Graph, Picture
from bot.domain.message import Message, MessageRef, SharedFile, Subject
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

    def share(self, ref: MessageRef, comment: str, files: Sequence[SharedFile]) -> None:
        """Put the files below the message at `ref`: one reply in its thread."""
        ...

    def shared(self, ref: MessageRef) -> frozenset[str]:
        """The names of the files that we have put below the message.

        Asked before they are put there, because an earlier try may have arrived.
        """
        ...

    def answer(self, response_url: str, message: Message) -> None:
        """Answer a slash command late, to the one who gave it (for 30 minutes)."""
        ...

    def invite(self, channel: str, user: str) -> bool:
        """Invite the person with that id to the channel; False: who is there already.

        Where the chat itself has to be in the channel for that, it joins if it may.
        """
        ...

    def members_of(self, handles: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The user ids in each of these user groups (``@sre``); one that isn't there is empty."""
        ...

    def user_of(self, email: str) -> str | None:
        """The id of the person with that e-mail address, None where nobody has it."""
        ...


class Metrics(Protocol):
    """Queries on what Prometheus has recorded."""

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        """An instant query's vector: labels and value of each sample; `timeout` in seconds."""
        ...


class Graphs(Protocol):
    """Pictures of how what Prometheus has recorded went over time."""

    def draw(self, graph: Graph, timeout: float) -> Picture:
        """The graph, to be read on a phone; `timeout` in seconds is the query's."""
        ...


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """What a GET answered: its status, and the beginning of its body as text."""

    status: int
    text: str = ""


class HealthProbe(Protocol):
    """A look at a service from the outside; only at hosts that are allowed."""

    def check(self, url: str) -> None:
        """Raises `InvalidInput` for an address that won't be asked; asks nobody."""
        ...

    def get(self, url: str, timeout: float) -> HealthAnswer:
        """What a GET of `url` answers; redirects are not followed."""
        ...
