"""Declarations: incidents that people open."""

from __future__ import annotations

from collections.abc import Callable

from bot.app.record import open_incident
from bot.domain.actor import Actor
from bot.domain.declaration import Declaration, checked, declared, declared_key
from bot.domain.errors import InvalidInput
from bot.domain.incident import Incident
from bot.domain.page_events import EscalationPlanned
from bot.domain.routing import RoutingPolicy
from bot.ports import Clock, Counters, Reader, Store

ROUTING = "routing.yaml"
"""The policy file that says whom an incident escalates to."""

RoutingOf = Callable[[str], RoutingPolicy]
"""The routing policy of a text; raises `InvalidInput` where the text is no policy now."""


class Declarations:
    """Opens incidents by hand, from wherever people ask for it."""

    def __init__(
        self, store: Store, routing_of: RoutingOf, clock: Clock, counters: Counters
    ) -> None:
        self._store = store
        self._routing_of = routing_of
        self._clock = clock
        self._counters = counters

    def declare(self, declaration: Declaration, token: str, actor: Actor) -> Incident:
        """Open the incident, or return the one that the same `token` opened before.

        `token` is one for each time that somebody asks, and a repeated request has the same;
        an empty one is nobody's. Raises `InvalidInput` for a title or a service that can't be used.
        """
        wanted, now = checked(declaration), self._clock.now()
        key = declared_key(wanted, token or f"{actor.id} {now.isoformat()}")
        with self._store.transaction() as tx:
            known = tx.latest_incident(key)
            if known is not None:
                return known
            routing = self._routing(tx)
            labels = {"service": wanted.service} if wanted.service else {}
            planned = EscalationPlanned(routing.escalation.plan(labels), routing.response_times)
            opened = declared(wanted, key, actor, now)
            incident = open_incident(tx, (opened, planned), actor, now)
        self._counters.count("incidents", severity=wanted.level.value)
        return incident

    def _routing(self, reader: Reader) -> RoutingPolicy:
        """The policy in force: the worker keeps the text of the one that it took in last."""
        text = reader.last_policy(ROUTING)
        try:
            return RoutingPolicy() if text is None else self._routing_of(text)
        except InvalidInput:
            # One that only an older release could read is no reason to page nobody.
            return RoutingPolicy()
