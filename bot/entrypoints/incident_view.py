"""What the page of an incident shows, put together from the use cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.app.attachments import Attachments
from bot.app.follow_ups import FollowUps
from bot.app.incidents import Incidents
from bot.app.maintenance import Maintenance
from bot.app.runs import Runs
from bot.app.why import Explanations
from bot.domain.alert import Alert, AlertStatus
from bot.domain.incident import Incident
from bot.domain.maintenance import Window
from bot.domain.response_clock import (
    confirmation,
    fallback_used,
    named,
    next_call,
    respond_by,
)
from bot.domain.run import Run
from bot.domain.timeline import Entry
from bot.domain.why import Why
from bot.entrypoints.rendering import shared_labels
from bot.ports import Clock

SHOWN_ALERTS = 500
"""Alerts on the page of an incident, those that fire first; the counts tell of all."""

OPEN_ALERTS = 25
"""Alerts that are seen at once; the others are folded away."""

OPEN_ENTRIES = 40
"""Timeline entries that are seen at once, the newest; the earlier ones are folded away."""


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the pages ask."""

    incidents: Incidents
    follow_ups: FollowUps
    maintenance: Maintenance
    runs: Runs
    explanations: Explanations
    clock: Clock
    attachments: Attachments


@dataclass(frozen=True, slots=True)
class Covering:
    """A window that covers some of an incident's alerts; `covered` counts those that fire."""

    window: Window
    covered: int
    suppresses: bool


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident with everything that a person can ask about it."""

    incident: Incident
    why: Why
    alerts: Sequence[Alert]
    shared: Mapping[str, str]
    story: Sequence[Entry]
    runs: Sequence[Run]
    windows: Sequence[Covering]

    @property
    def shown_alerts(self) -> Sequence[Alert]:
        return self.alerts[:OPEN_ALERTS]

    @property
    def folded_alerts(self) -> Sequence[Alert]:
        return self.alerts[OPEN_ALERTS:]

    @property
    def told(self) -> Sequence[Entry]:
        return self.story[-OPEN_ENTRIES:]

    @property
    def folded_story(self) -> Sequence[Entry]:
        return self.story[:-OPEN_ENTRIES]

    @property
    def respond_by(self) -> datetime | None:
        return respond_by(self.incident)

    @property
    def next_call(self) -> str:
        """Who is called next when nobody takes it; empty when nobody is."""
        coming = next_call(self.incident)
        return named(coming.contact) if coming else ""

    @property
    def next_call_at(self) -> datetime | None:
        coming = next_call(self.incident)
        return coming.at if coming else None

    @property
    def page_says(self) -> str:
        """Whether the page is confirmed, and what stood in for it; empty without a page."""
        told = (confirmation(self.incident), fallback_used(self.incident))
        return ", ".join(part for part in told if part)

    def own_labels(self, alert: Alert) -> Mapping[str, str]:
        """The labels that tell the alert from the incident's others."""
        own = {name: value for name, value in alert.labels.items() if name not in self.shared}
        return dict(sorted(own.items()))


def incident_view(ask: UseCases, incident_id: int) -> IncidentView:
    """Raises `NotFound`."""
    incident, story = ask.incidents.timeline(incident_id)
    alerts = [known.alert for known in ask.incidents.alerts(incident_id, SHOWN_ALERTS)]
    alerts.sort(key=lambda one: one.status is not AlertStatus.FIRING)
    runs = sorted({entry.run_id for entry in story if entry.run_id is not None})
    windows = ask.maintenance.newest(everything=True)
    return IncidentView(
        incident,
        ask.explanations.why(incident_id),
        alerts,
        shared_labels([alert.labels for alert in alerts]),
        story,
        [ask.runs.get(number) for number in runs],
        _covering(incident, alerts, windows, ask.clock.now()),
    )


def _covering(
    incident: Incident, alerts: Sequence[Alert], windows: Sequence[Window], now: datetime
) -> Sequence[Covering]:
    """The windows during the incident's life that cover any of its alerts, or all of them."""
    until = incident.resolved_at or now
    found = []
    for window in windows:
        during = window.starts_at <= until and window.ends_at > incident.opened_at
        covered = [one for one in alerts if window.covers(one.labels, one.annotations)]
        suppresses = window.id == incident.suppressed_by
        if suppresses or (during and covered):
            firing = sum(one.status is AlertStatus.FIRING for one in covered)
            found.append(Covering(window, firing, suppresses))
    return found
