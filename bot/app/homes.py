"""Homes: which incident an alert that fires belongs to.

In this order: the parent that a correlation finds, the group's latest incident while it
may be rejoined, a new one; and while a storm opens too many of those, the storm's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from bot.app.judging import Judgement
from bot.app.record import open_incident, record_incident
from bot.app.suppression import suppressing
from bot.domain import incident as incidents
from bot.domain.actor import ALERTMANAGER
from bot.domain.alert import Alert
from bot.domain.correlation import CorrelationKey, child_keys, parent_keys
from bot.domain.grouping import group_title
from bot.domain.incident import Incident, IncidentState
from bot.domain.incident_events import Absorbed, IncidentEvent
from bot.domain.maintenance import Window
from bot.domain.page_events import EscalationPlanned
from bot.domain.routing import RoutingPolicy
from bot.domain.storm import STORM_KEY, Home, storm_home, storm_summary, storm_title
from bot.ports import Counters, Relation, Role, Transaction

OF_PARENT = "incident:"
"""How the key begins of alerts that a correlation sends to a parent; its id follows. Keys
made of labels hold a ``=``, this doesn't."""


class Homes:
    """Finds homes, and opens them, within one transaction."""

    def __init__(
        self, tx: Transaction, routing: RoutingPolicy, counters: Counters, now: datetime
    ) -> None:
        self._tx = tx
        self._routing = routing
        self._counters = counters
        self._now = now
        self._child_keys: Mapping[str, Sequence[CorrelationKey]] = {}
        self._parents: Mapping[str, Incident] = {}

    @cached_property
    def windows(self) -> Sequence[Window]:
        """The maintenance windows that have not ended."""
        return self._tx.windows(ending_after=self._now)

    def expect(self, alerts: Sequence[Alert]) -> None:
        """Look up the parents that these alerts may have, all at once.

        Only about these alerts anything can be asked later.
        """
        correlations = self._routing.correlations
        self._child_keys = {one.fingerprint: child_keys(correlations, one.labels) for one in alerts}
        wanted = {key.key: key for keys in self._child_keys.values() for key in keys}
        found = self._tx.related(list(wanted), Role.PARENT) if wanted else {}
        parents = {key: self._open(wanted[key], related) for key, related in found.items()}
        self._parents = {key: parent for key, parent in parents.items() if parent is not None}

    def key(self, alert: Alert) -> str:
        """What alerts must share to have one home."""
        for key in self._child_keys[alert.fingerprint]:
            if key.key in self._parents:
                return f"{OF_PARENT}{self._parents[key.key].id}"
        return self._routing.grouping.key(alert.labels)

    def home(self, key: str, worst: Judgement, alerts: Sequence[Alert]) -> Incident:
        """The incident for these alerts, which share the key; opened if there is none."""
        if key.startswith(OF_PARENT):
            return self._tx.incident(int(key.removeprefix(OF_PARENT)))
        latest = self._tx.latest_incident(key)
        if latest is not None and latest.absorbed_by is not None:
            parent = self._tx.incident(latest.absorbed_by)
            if not parent.state.over and self._all_children(alerts, parent):
                return parent
        if latest is not None and incidents.rejoins(latest, self._routing.flapping, self._now):
            return latest
        return self._new(key, worst, alerts)

    def are_parents(self, alerts: Sequence[Alert]) -> bool:
        """Whether other incidents may be found to be a part of the one with these alerts."""
        return any(parent_keys(self._routing.correlations, one.labels) for one in alerts)

    def relate(self, incident: Incident, alerts: Sequence[Alert]) -> Incident:
        """Remember what the alerts relate the incident to, and take in what is part of it."""
        correlations = self._routing.correlations
        children = {key for one in alerts for key in self._child_keys[one.fingerprint]}
        parents = {key for one in alerts for key in parent_keys(correlations, one.labels)}
        self._tx.relate(
            [
                Relation(key.key, role, incident.id, self._now)
                for role, keys in ((Role.CHILD, children), (Role.PARENT, parents))
                for key in keys
            ]
        )
        for key in sorted(parents, key=lambda one: one.key):
            incident = self._absorb_children(incident, key)
        return incident

    def _new(self, key: str, worst: Judgement, alerts: Sequence[Alert]) -> Incident:
        limits = self._routing.storm
        opened = self._tx.openings(STORM_KEY, limits.incidents + limits.critical)
        title = group_title(worst.alert.labels)
        level = worst.classification.level
        if storm_home(opened, level, self._now, limits) is Home.OWN:
            return self._opened(key, title, worst.alert.summary, worst, alerts)
        storm = self._tx.latest_incident(STORM_KEY)
        if storm is not None and incidents.rejoins(storm, self._routing.flapping, self._now):
            return storm
        summary = storm_summary(title, limits)
        return self._opened(STORM_KEY, storm_title(limits), summary, worst, alerts)

    def _opened(
        self, key: str, title: str, summary: str, worst: Judgement, alerts: Sequence[Alert]
    ) -> Incident:
        latest = self._tx.latest_incident(key)
        previous = latest.dedup_key if latest is not None else ""
        opening = incidents.opening(key, title, summary, worst.classification, self._now, previous)
        self._counters.count("incidents", severity=worst.classification.level.value)
        hushed = suppressing(None, alerts, self.windows, self._now)
        routing = self._routing
        plan = routing.escalation.plan(worst.alert.labels)
        planned = EscalationPlanned(plan, routing.response_times)
        others: tuple[IncidentEvent, ...] = (planned, *hushed)
        return open_incident(self._tx, (opening, *others), ALERTMANAGER, self._now)

    def _open(self, key: CorrelationKey, related: Sequence[Relation]) -> Incident | None:
        """The newest of these incidents that is open and near enough in time."""
        for relation in related:
            if self._now - relation.at <= key.within:
                incident = self._tx.incident(relation.incident_id)
                if not incident.state.over:
                    return incident
        return None

    def _all_children(self, alerts: Sequence[Alert], parent: Incident) -> bool:
        """Whether all of these would belong to the parent, had they come in time."""
        keys = [self._child_keys[one.fingerprint] for one in alerts]
        related = self._tx.related([key.key for each in keys for key in each], Role.PARENT)
        return all(
            any(one.incident_id == parent.id for key in each for one in related.get(key.key, ()))
            for each in keys
        )

    def _absorb_children(self, parent: Incident, key: CorrelationKey) -> Incident:
        """Take in the incidents that are wholly a part of this one, and that nobody has."""
        related = self._tx.related([key.key], Role.CHILD).get(key.key, ())
        near = {one.incident_id for one in related if self._now - one.at <= key.within}
        for incident_id in sorted(near - {parent.id}):
            child = self._tx.incident(incident_id)
            if child.state is IncidentState.TRIGGERED and self._is_part(child, key):
                parent = self._absorb(parent, child)
        return parent

    def _is_part(self, child: Incident, key: CorrelationKey) -> bool:
        correlations = self._routing.correlations
        firing = self._tx.firing_alerts(child.id)
        return bool(firing) and all(
            key in child_keys(correlations, one.alert.labels) for one in firing
        )

    def _absorb(self, parent: Incident, child: Incident) -> Incident:
        firing = self._tx.firing_alerts(child.id)
        self._tx.save_alerts([replace(one, incident_id=parent.id) for one in firing])
        events = incidents.absorb(parent, child)
        absorbed = (Absorbed(parent.id, parent.title),)
        record_incident(self._tx, child, absorbed, ALERTMANAGER, self._now)
        return record_incident(self._tx, parent, events, ALERTMANAGER, self._now)
