"""Stops a request at a chosen moment, so that a test can kill whoever sent it just then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Arrival:
    """A request that came in."""

    method: str
    path: str
    query: Mapping[str, str]


Match = Callable[[Arrival], bool]


@dataclass
class Hold:
    """Keeps the requests that match; nobody hears of them any more."""

    match: Match
    takes_effect: bool
    arrived: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Until a request is held, and has taken effect if it is meant to."""
        assert self.arrived.wait(PATIENCE), f"no such request within {PATIENCE} s"


class Gate:
    """ASGI: passes requests on to `app`, remembers them, and holds those that it is told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._hold: Hold | None = None
        self.arrivals: list[Arrival] = []

    @contextmanager
    def losing_requests(self, match: Match) -> Iterator[Hold]:
        """Hold what matches before it takes effect; it never will."""
        with self._holding(Hold(match, takes_effect=False)) as hold:
            yield hold

    @contextmanager
    def losing_answers(self, match: Match) -> Iterator[Hold]:
        """Let what matches take effect, and hold its answer; it is never given."""
        with self._holding(Hold(match, takes_effect=True)) as hold:
            yield hold

    @contextmanager
    def _holding(self, hold: Hold) -> Iterator[Hold]:
        self._hold = hold
        try:
            yield hold
        finally:
            self._hold = None
            hold.over.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        query = dict(QueryParams(scope["query_string"]))
        arrival = Arrival(scope["method"], scope["path"], query)
        self.arrivals.append(arrival)
        hold = self._hold
        if hold is None or not hold.match(arrival):
            await self._app(scope, receive, send)
            return
        if hold.takes_effect:
            await self._app(scope, receive, _unsent)
        hold.arrived.set()
        await asyncio.to_thread(hold.over.wait)


async def _unsent(_message: MutableMapping[str, Any]) -> None:
    """An answer that nobody gets."""
