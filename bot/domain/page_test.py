"""A test of the way of a page at its time: when it is due, and what came of it.

One row is one test. It waits for its time, runs until its page is confirmed or takes too
long, and is over then. The next is planned only when it is over, from that moment on: so
after a downtime one late test is made, not one for each time that was missed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.alert import Alert, AlertStatus, fingerprint_of
from bot.domain.stamps import stamp

FAILED_ALERT = "TocsinPageTestFailed"
"""The name of the alert that says that a test page did not arrive."""


@dataclass(frozen=True, slots=True)
class PageTestPlan:
    """When tests are due (a cron expression, in a timezone), and how long a page may take."""

    schedule: str
    timezone: str = "UTC"
    confirm_within: timedelta = timedelta(minutes=5)

    def __str__(self) -> str:
        return f"{self.schedule} {self.timezone}"


class PageTestState(StrEnum):
    """How far a test is."""

    WAITING = "waiting"
    RUNNING = "running"
    ARRIVED = "arrived"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether it has its result."""
        return self in (PageTestState.ARRIVED, PageTestState.FAILED)


@dataclass(frozen=True, slots=True)
class PageTest:
    """A test. `id` is 0 until it is saved; `plan` is the plan by which it is due, in words.

    `result` says how the page was confirmed, or what kept it.
    """

    id: int
    plan: str
    due_at: datetime
    state: PageTestState = PageTestState.WAITING
    confirm_by: datetime | None = None
    ended_at: datetime | None = None
    incident_id: int | None = None
    result: str = ""

    @property
    def namespace(self) -> str:
        """That of its alert, which no other test has."""
        return f"page-test-{self.id}"

    def begun(self, plan: PageTestPlan, now: datetime) -> PageTest:
        """The test, running from now on."""
        return replace(self, state=PageTestState.RUNNING, confirm_by=now + plan.confirm_within)

    def late(self, now: datetime) -> bool:
        """Whether its page has taken too long."""
        return self.confirm_by is not None and now >= self.confirm_by


def failure(test: PageTest) -> Alert:
    """The alert about a test page that did not arrive; there is one for all of them."""
    summary = f"The test page of {stamp(test.due_at)} did not arrive: {test.result}"
    description = (
        "A real page would not have arrived either, or nobody would know. See what is missing, "
        "and then try `tocsin page test`."
    )
    annotations = {"summary": summary, "description": description}
    labels = {"alertname": FAILED_ALERT, "service": "tocsin", "severity": "critical"}
    since = test.confirm_by or test.due_at
    return Alert(fingerprint_of(labels), AlertStatus.FIRING, labels, annotations, since)


def mended(failed: Alert, now: datetime) -> Alert:
    """The end of that alert."""
    summary = {"summary": "Test pages arrive again."}
    return replace(failed, status=AlertStatus.RESOLVED, annotations=summary, ends_at=now)
