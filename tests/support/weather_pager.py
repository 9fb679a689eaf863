"""A pager that things go wrong with: it fails, is slow, lies, and loses and mixes its webhooks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.page import Page, PagerEvent
from tests.support.clock import FakeClock

TIMEOUT = 10.0
"""Seconds after which a request is given up."""
PATIENCE = 90.0
"""Seconds that a 429 asks for."""


class Fault(StrEnum):
    """What goes wrong with one request."""

    ERROR = "500"
    THROTTLED = "429"
    TIMEOUT = "no answer, and nothing done"
    LOST_ANSWER = "done, and no answer"
    SWALLOWED = "202, and nothing done"
    REFUSED = "400"


@dataclass
class Standing:
    """The pager's incident about one page."""

    id: str
    dedup_key: str
    status: str = "triggered"


@dataclass
class WeatherPager:
    """Implements `Pager` as PagerDuty does it: what is open is opened once, what is not, dropped.

    `faults` are for the next requests, one each. `webhooks` wait to be delivered; each is an
    event of the pager's. `check` is called with the key of every trigger that arrives.
    """

    clock: FakeClock
    check: Callable[[str], None] = lambda _key: None
    faults: deque[Fault] = field(default_factory=deque)
    webhooks: deque[PagerEvent] = field(default_factory=deque)
    standing: list[Standing] = field(default_factory=list)
    uncertain: set[str] = field(default_factory=set)
    """Keys of which the pager lied or refused something, or of which Tocsin was not told all."""
    _numbers: count[int] = field(default_factory=lambda: count(1))

    # What Tocsin tells it.

    def trigger(self, page: Page) -> None:
        self.check(page.dedup_key)
        self._take(page.dedup_key, self._triggered)

    def acknowledge(self, dedup_key: str) -> None:
        self._take(dedup_key, lambda key: self._told(key, "acknowledged"))

    def resolve(self, dedup_key: str) -> None:
        self._take(dedup_key, lambda key: self._told(key, "resolved"))

    def _take(self, key: str, do: Callable[[str], None]) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault in (None, Fault.LOST_ANSWER):
            do(key)
        if fault is not None:
            self._answer(fault, key)

    def _answer(self, fault: Fault, key: str) -> None:
        match fault:
            case Fault.SWALLOWED:
                self.uncertain.add(key)
            case Fault.REFUSED:
                self.uncertain.add(key)
                raise PermanentError("PagerDuty answered 400: invalid event")
            case Fault.THROTTLED:
                raise TemporaryError("PagerDuty answered 429: throttled", PATIENCE)
            case Fault.ERROR:
                raise TemporaryError("PagerDuty answered 500: internal server error")
            case _:
                self.clock.advance(TIMEOUT)
                raise TemporaryError("PagerDuty gave no answer")

    def _triggered(self, key: str) -> None:
        if self.open(key) is None:
            incident = Standing(f"Q{next(self._numbers)}", key)
            self.standing.append(incident)
            self._send(incident, "triggered")

    def _told(self, key: str, status: str) -> None:
        incident = self.open(key)
        if incident is not None and incident.status != status:
            self._enter(incident, status)

    # What people do there.

    def do(self, incident: Standing, verb: str) -> bool:
        """Dana does it in the pager's own application, if it can be done."""
        if (incident.status == "resolved") is not (verb == "reopened"):
            return False
        if verb == "reopened" and self.open(incident.dedup_key) is not None:
            return False
        self._enter(incident, verb, "Dana Doe")
        return True

    def _enter(self, incident: Standing, verb: str, by: str = "") -> None:
        again = verb in ("unacknowledged", "reopened")
        incident.status = "triggered" if again else verb
        self._send(incident, verb, by)

    def _send(self, incident: Standing, verb: str, by: str = "") -> None:
        self.webhooks.append(
            PagerEvent(
                event_id=f"E{next(self._numbers)}",
                event_type=f"incident.{verb}",
                occurred_at=self.clock.now(),
                dedup_key=incident.dedup_key,
                actor_name=by,
                actor_id=by,
                incident_id=incident.id,
                by_integration=not by,
            )
        )

    # What can be seen.

    def open(self, key: str) -> Standing | None:
        """The incident that is open for this page."""
        found = (one for one in self.standing if one.dedup_key == key)
        return next((one for one in found if one.status != "resolved"), None)
