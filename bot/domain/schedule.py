"""Runs at their times, as the routing policy plans them.

Of each schedule one row is kept: when it is due next. Whoever does what is due writes the
next time down with it, counted from that moment on: so after a downtime one late run is
asked for, not one for each time that was missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.actor import Actor, by_policy
from bot.domain.alert import Alert, AlertStatus, fingerprint_of
from bot.domain.runbook import Risk, Runbook, bind
from bot.domain.stamps import stamp

FAILED_ALERT = "TocsinScheduleFailed"
"""The name of the alert that says that a scheduled run could not be asked for."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a runbook is to be run (a cron expression, in a timezone), and with what.

    `runbook` is a name, for the newest version, or ``name@version``. With `auto` it starts
    by itself whatever its risk, once it has the approvals that it needs.
    """

    id: str
    runbook: str
    cron: str
    timezone: str = "UTC"
    parameters: Mapping[str, str] = field(default_factory=dict)
    auto: bool = False

    @property
    def plan(self) -> str:
        """When it is due, in words."""
        return f"{self.cron} {self.timezone}"

    @property
    def actor(self) -> Actor:
        """Who asks for its runs."""
        return by_policy("schedule", self.id)

    @property
    def words(self) -> tuple[str, ...]:
        """The parameters as a person would type them."""
        return tuple(f"{name}={value}" for name, value in self.parameters.items())

    def starts(self, runbook: Runbook) -> bool:
        """Whether its runs start without anybody, as far as policy leaves that to it."""
        return self.auto or runbook.risk is Risk.NONE

    def check(self, runbook: Runbook) -> None:
        """Raises `InvalidInput` when its parameters don't fit the runbook."""
        bind(runbook, self.words)


@dataclass(frozen=True, slots=True)
class DueTime:
    """When a schedule is due next, by the plan that it had then."""

    schedule: str
    plan: str
    at: datetime


def failure(schedule: Schedule, due_at: datetime, reason: str) -> Alert:
    """The alert about a run that could not be asked for; there is one for each schedule."""
    summary = f"The run of schedule {schedule.id} at {stamp(due_at)} was not asked for: {reason}"
    labels = {
        "alertname": FAILED_ALERT,
        "service": "tocsin",
        "schedule": schedule.id,
        "severity": "warning",
    }
    annotations = {
        "summary": summary,
        "description": "See `tocsin check`; the schedule stands in policy/routing.yaml.",
    }
    return Alert(fingerprint_of(labels), AlertStatus.FIRING, labels, annotations, due_at)


def mended(failed: Alert, now: datetime) -> Alert:
    """The end of that alert."""
    summary = {"summary": "The schedule’s runs are asked for again, or it is gone."}
    return replace(failed, status=AlertStatus.RESOLVED, annotations=summary, ends_at=now)
