"""The boundaries that a crash can fall on: each commit and each request, before and after it.

The ports are wrapped, not changed: `reach` is called at each boundary, and may kill the
process or raise. A commit is named by the events that it writes down, or else by the effects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast
from urllib.parse import urlsplit

from bot.domain.effects import Effect
from bot.domain.page import Page
from bot.domain.page_events import PageDelayed, PageRefused, PageSent
from bot.domain.run_events import (
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
)
from bot.domain.timeline import Event
from bot.ports import Inbox, InboxRow, Pager, Reader, Store, Transaction


class Moment(StrEnum):
    """On which side of the boundary."""

    BEFORE = "before"
    UNDER_WAY = "under way"
    """A request was taken, and its answer has not come."""
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Boundary:
    """A moment at which something has just become true, or has just not."""

    moment: Moment
    name: str

    def __str__(self) -> str:
        return f"{self.moment} {self.name}"


Reach = Callable[[Boundary], None]
OF_A_STEP = (
    StepStarted
    | StepProgressed
    | StepFinished
    | StepFailed
    | UndoStarted
    | UndoFinished
    | UndoFailed
)


@contextmanager
def crossing(reach: Reach, name: str) -> Iterator[None]:
    """Reach the boundary of that name on its one side, do it, and reach it on the other."""
    reach(Boundary(Moment.BEFORE, name))
    yield
    reach(Boundary(Moment.AFTER, name))


class _Writes:
    """A transaction that remembers what it writes down; all else is `transaction`'s own."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._events: list[str] = []
        self._effects: list[str] = []

    @property
    def name(self) -> str:
        return " + ".join(dict.fromkeys(self._events or self._effects)) or "nothing"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def append(self, event: Event, *arguments: Any, **named: Any) -> None:
        self._transaction.append(event, *arguments, **named)
        self._events.append(_said(event))

    def enqueue(self, effect: Effect, delay: float = 0.0) -> None:
        self._transaction.enqueue(effect, delay)
        self._effects.append(f"{type(effect).__name__} asked for")

    def begin(self, effect: Effect) -> None:
        self._transaction.begin(effect)
        self._effects.append(f"{type(effect).__name__} begun")


def _said(event: Event) -> str:
    name = type(event).__name__
    if isinstance(event, PageSent | PageDelayed | PageRefused):
        return f"{name} ({event.action})"
    if isinstance(event, OF_A_STEP):
        return f"{name} ({event.step})"
    return name


@dataclass(frozen=True)
class WatchedStore:
    """Implements `Store`; each commit is a boundary."""

    store: Store
    reach: Reach

    def read(self) -> AbstractContextManager[Reader]:
        return self.store.read()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.store.transaction() as transaction:
            writes = _Writes(transaction)
            yield cast(Transaction, writes)
            name = f"commit: {writes.name}"
            self.reach(Boundary(Moment.BEFORE, name))
        self.reach(Boundary(Moment.AFTER, name))


@dataclass(frozen=True)
class WatchedPager:
    """Implements `Pager`; each request is a boundary, behind the answer."""

    pager: Pager
    reach: Reach
    name: str = "pager"

    def trigger(self, page: Page) -> None:
        with crossing(self.reach, f"{self.name}: trigger"):
            self.pager.trigger(page)

    def acknowledge(self, dedup_key: str) -> None:
        with crossing(self.reach, f"{self.name}: acknowledge"):
            self.pager.acknowledge(dedup_key)

    def resolve(self, dedup_key: str) -> None:
        with crossing(self.reach, f"{self.name}: resolve"):
            self.pager.resolve(dedup_key)


@dataclass(frozen=True)
class WatchedInbox:
    """Implements `Inbox`; what is kept and what is removed is committed."""

    inbox: Inbox
    reach: Reach

    def read(self, limit: int, besides: Sequence[int] = ()) -> Sequence[InboxRow]:
        return self.inbox.read(limit, besides)

    def remove(self, ids: Sequence[int]) -> None:
        with crossing(self.reach, "inbox: removed"):
            self.inbox.remove(ids)


@dataclass
class WatchedRequests:
    """The REST client of a Kubernetes client; each request that changes something is a boundary.

    It is named by its method, its resource, and how many of that name there were.
    """

    rest: Any
    reach: Reach
    _counted: Counter[str] = field(default_factory=Counter)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rest, name)

    def request(self, method: str, url: str, **sent: Any) -> Any:
        if method == "GET" or "dryRun" in str((url, sent.get("body"))):
            return self.rest.request(method, url, **sent)
        name = f"{method} {_resource(url)}"
        self._counted[name] += 1
        with crossing(self.reach, f"request: {name} {self._counted[name]}"):
            return self.rest.request(method, url, **sent)


def _resource(url: str) -> str:
    """The plural of what lies under that URL, in a namespace or in none."""
    path = urlsplit(url).path
    _, _, inside = path.partition("/namespaces/")
    if inside:
        return inside.split("/")[1]
    return path.split("/")[3 if path.startswith("/api/") else 4]
