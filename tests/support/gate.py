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
    """Keeps the requests that match from being answered."""

    match: Match
    takes_effect: bool
    arrived: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Wait until a request is held, and has taken effect if it may."""
        assert self.arrived.wait(PATIENCE), f"no such request within {PATIENCE} s"


class Gate:
    """ASGI: passes requests on to `app`, remembers them, and holds those that it is told to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._hold: Hold | None = None
        self.arrivals: list[Arrival] = []

    @contextmanager
    def holding(self, match: Match, *, takes_effect: bool) -> Iterator[Hold]:
        """Give no answer to what matches; only with `takes_effect` does `app` ever see it."""
        hold = self._hold = Hold(match, takes_effect)
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
