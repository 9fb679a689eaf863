"""Reconcile: ask Alertmanager what it holds, and work in what its webhooks failed to tell.

Which Alertmanagers are known to be asked is kept over a restart: one whose external URL is
not the address asked is known by its alerts alone, and the last of them may have ended while
Tocsin was down. Since when a difference is seen begins anew: that costs the grace once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.domain.alert import Alert, Delivery
from bot.domain.observation import Observation
from bot.domain.reconcile import (
    Decision,
    Finding,
    Known,
    Memory,
    Patience,
    decide,
    deliveries,
    expired,
)
from bot.ports import AlertSource, Clock, Store


class Reconciler:
    """Compares with Alertmanager; for one thread.

    `put` keeps a delivery durably where intake finds it, so that what is found here goes
    the way of all alerts. `is_heartbeat` tells by an alert's labels. `source` is None
    where no Alertmanager is configured: then only posted alerts expire.
    """

    def __init__(
        self,
        store: Store,
        source: AlertSource | None,
        put: Callable[[Delivery], None],
        is_heartbeat: Callable[[Mapping[str, str]], bool],
        clock: Clock,
        patience: Patience = Patience(),  # noqa: B008  (frozen)
    ) -> None:
        self._store = store
        self._source = source
        self._put = put
        self._is_heartbeat = is_heartbeat
        self._clock = clock
        self._patience = patience
        self._memory = Memory()

    def round(self, *, truncated: bool = False) -> Decision | None:
        """Compare once; None without an Alertmanager.

        With `truncated` (a delivery left alerts out) no webhook is waited for. Raises
        `TemporaryError` or `PermanentError` when Alertmanager can't be asked or what was
        found can't be kept; nothing is concluded then, and the next round starts anew.
        """
        known = self._known()
        self._keep(Finding.EXPIRED, expired(known.firing, self._clock.now()))
        if self._source is None:
            return None
        observation = self._source.alerts()
        patience = replace(self._patience, missed=timedelta(0)) if truncated else self._patience
        memory = self._remembered(observation)
        decision = decide(known, observation, memory, self._clock.now(), patience)
        self._keep(Finding.MISSED, decision.missed, _address(observation))
        self._keep(Finding.ENDED, decision.ended)
        self._memory = decision.memory
        self._remember(observation, decision.memory.asked - memory.asked)
        return decision

    def _known(self) -> Known:
        with self._store.read() as reader:
            return Known(reader.firing_alerts(), reader.receivers(), self._is_heartbeat)

    def _remembered(self, observation: Observation) -> Memory:
        """The memory, with the origins that were found before the start or by another replica."""
        with self._store.read() as reader:
            asked = reader.asked_origins(_members(observation))
        return replace(self._memory, asked=self._memory.asked | asked)

    def _remember(self, observation: Observation, found: Collection[str]) -> None:
        if found:
            with self._store.transaction() as tx:
                tx.save_asked_origins(_members(observation), found)

    def _keep(self, finding: Finding, alerts: Sequence[Alert], external_url: str = "") -> None:
        for delivery in deliveries(finding, alerts, external_url):
            self._put(delivery)


def _members(observation: Observation) -> Sequence[str]:
    return [member.url for member in observation.members]


def _address(observation: Observation) -> str:
    """The address of a member that answered: whose what it holds is from now on."""
    return next(member.url for member in observation.members if not member.problem)
