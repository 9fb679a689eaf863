"""Stops a request at a chosen moment, delays it or loses it, as a network does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import Response
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
    """Keeps the requests that match from being answered.

    In the end, with `passed_on`, they take their way after all; else they get no answer.
    """

    match: Match
    takes_effect: bool = False
    passed_on: bool = False
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
        self._lost: tuple[Match, list[Arrival]] | None = None
        self.arrivals: list[Arrival] = []

    @contextmanager
    def holding(self, match: Match, *, takes_effect: bool) -> Iterator[Hold]:
        """Give no answer to what matches; only with `takes_effect` does `app` ever see it."""
        with self._held(Hold(match, takes_effect)) as hold:
            yield hold

    @contextmanager
    def delaying(self, match: Match) -> Iterator[Hold]:
        """Pass on what matches when this is over, and not before."""
        with self._held(Hold(match, passed_on=True)) as hold:
            yield hold

    @contextmanager
    def losing(self, match: Match) -> Iterator[list[Arrival]]:
        """Answer what matches with 200, without `app` ever seeing it; yields what was lost."""
        self._lost = match, []
        try:
            yield self._lost[1]
        finally:
            self._lost = None

    @contextmanager
    def _held(self, hold: Hold) -> Iterator[Hold]:
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
        if self._lost is not None and self._lost[0](arrival):
            self._lost[1].append(arrival)
            await Response()(scope, receive, send)
            return
        hold = self._hold
        if hold is None or not hold.match(arrival):
            await self._app(scope, receive, send)
            return
        if hold.takes_effect:
            await self._app(scope, receive, _unsent)
        hold.arrived.set()
        await asyncio.to_thread(hold.over.wait)
        if hold.passed_on:
            await self._app(scope, receive, send)


async def _unsent(_message: MutableMapping[str, Any]) -> None:
    """An answer that nobody gets."""
