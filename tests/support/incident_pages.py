"""The pages about incidents, served over a store that a test fills."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from starlette.applications import Starlette

from bot.adapters import database
from bot.adapters.policy import parse_policy
from bot.adapters.policy_versions import SqlPolicyVersions
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.store import SqlStore
from bot.app.attachments import Attachments
from bot.app.follow_ups import FollowUps
from bot.app.incidents import Incidents
from bot.app.maintenance import Maintenance
from bot.app.policy_history import SEVERITY, PolicyHistory
from bot.app.record import open_incident, record_incident
from bot.app.runs import Runs
from bot.app.why import Explanations
from bot.domain.actor import ALERTMANAGER, TOCSIN, Actor
from bot.domain.alert import Alert, AlertStatus
from bot.domain.classify import Policy, classify
from bot.domain.dedup import KnownAlert
from bot.domain.incident import Incident, opening
from bot.domain.incident_events import IncidentEvent, Suppressed
from bot.domain.maintenance import Window
from bot.domain.matcher_text import parse_matcher
from bot.entrypoints.incident_view import UseCases
from bot.entrypoints.pages import Pages, Place
from bot.steps.registry import step_kinds
from tests.support.access import access
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, change
from tests.support.examples import alert as example_alert
from tests.support.serve import serve

REPOSITORY = Path(__file__).resolve().parent.parent.parent

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;amp;",
    "turned \u202e round \x00 here",
    "x" * 300,
)
"""Texts that mean harm, or only look bad."""


@cache
def policy_of(digest: str, text: str) -> Policy:
    return parse_policy(text.encode(), f"policy {digest[:12]}")


@dataclass
class Site:
    """A store, and the use cases on it; `file_digest` is that of the policy file now."""

    store: SqlStore
    clock: FakeClock
    ask: UseCases
    versions: SqlPolicyVersions
    file_digest: str = ""
    policy: Policy | None = None
    _alerts: int = field(default=0)

    @classmethod
    def at(cls, folder: Path) -> Site:
        engine = database.create(sqlite_database(folder))
        store = SqlStore(engine, lambda *_: None)
        clock = FakeClock()
        ask = UseCases(
            Incidents(store, clock),
            FollowUps(store, clock),
            Maintenance(store, clock, silences=False),
            Runs(store, RunbookFolder(REPOSITORY / "runbooks", step_kinds()), access(clock), clock),
            Explanations(store, policy_of),
            clock,
            Attachments(store),
        )
        return cls(store, clock, ask, SqlPolicyVersions(engine))

    @contextmanager
    def served(self, place: Place | None = None) -> Iterator[str]:
        """Serve the pages; yields the address, without a slash at the end."""
        history = PolicyHistory(self.store, self.versions, policy_of, lambda: self.file_digest)
        pages = Pages(self.ask, history, place or Place())
        with serve(Starlette(routes=pages.routes())) as url:
            yield url

    def take_in(self, text: str | None = None) -> str:
        """A policy, the shipped one without a text, comes into force; returns its digest."""
        text = text or (REPOSITORY / "policy" / SEVERITY).read_text()
        self.file_digest = hashlib.sha256(text.encode()).hexdigest()
        with self.store.transaction() as tx:
            tx.keep_policy(self.file_digest, SEVERITY, text, self.clock.now())
        self.policy = policy_of(self.file_digest, text)
        return self.file_digest

    def alert(
        self,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        *,
        resolved: bool = False,
    ) -> Alert:
        """An alert that began to fire ten minutes ago."""
        self._alerts += 1
        plain = example_alert(fingerprint=f"f{self._alerts}")
        began = self.clock.now() - timedelta(minutes=10)
        return replace(
            plain,
            status=AlertStatus.RESOLVED if resolved else AlertStatus.FIRING,
            labels={**plain.labels, "severity": "critical", **(labels or {})},
            annotations={**plain.annotations, **(annotations or {})},
            starts_at=began,
            ends_at=self.clock.now() if resolved else None,
        )

    def incident(self, *alerts: Alert) -> Incident:
        """An incident that opens with these alerts, or with a plain one."""
        given = alerts or (self.alert(),)
        first, now = given[0], self.clock.now()
        assert self.policy is not None, "take a policy in first"
        chosen = classify(self.policy, first.labels, first.annotations)
        opened = opening(f"group {first.fingerprint}", first.name, first.summary, chosen, now)
        with self.store.transaction() as tx:
            firing = sum(one.status is AlertStatus.FIRING for one in given)
            fired = change(fired=len(given), firing=firing)
            incident = open_incident(tx, (opened, fired), ALERTMANAGER, now)
            tx.save_alerts([KnownAlert(one, incident.id) for one in given])
            return incident

    def happens(self, incident_id: int, *events: IncidentEvent, actor: Actor = TOCSIN) -> Incident:
        """Write events down."""
        with self.store.transaction() as tx:
            incident = tx.incident(incident_id)
            return record_incident(tx, incident, events, actor, self.clock.now())

    def window(
        self, *matchers: str, reason: str = "Moving house.", starts_at: datetime | None = None
    ) -> Window:
        """A maintenance window of two hours."""
        parsed = [parse_matcher(one) for one in matchers or ("namespace=payments",)]
        return self.ask.maintenance.plan(parsed, starts_at, timedelta(hours=2), reason, ANA)

    def suppress(self, incident_id: int, window: Window) -> Incident:
        """The window covers all that fires in the incident."""
        return self.happens(incident_id, Suppressed(window.id, window.reason))
