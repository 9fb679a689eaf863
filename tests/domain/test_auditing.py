from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.auditing import Finding, FindingReason, PageRecord, audit, needs_page
from bot.domain.classify import Severity
from bot.domain.incident import Incident, IncidentState
from tests.support.examples import NOW, incident

SECOND = timedelta(seconds=1)
PAGE = PageRecord(needed_since=NOW)
SENT = replace(PAGE, sent_at=NOW)
REFUSED = replace(PAGE, refused="Invalid routing key")


def at(seconds: float) -> datetime:
    return NOW + seconds * SECOND


def found(record: PageRecord, seconds: float) -> tuple[Finding, ...]:
    return audit([(incident(Severity.P0), record)], at(seconds))


@pytest.mark.parametrize(
    ("record", "since", "reason"),
    [
        (PAGE, 15, FindingReason.NEVER_SENT),
        (REFUSED, 15, FindingReason.REFUSED),
        (SENT, 90, FindingReason.UNCONFIRMED),
        (replace(SENT, sent_at=at(30)), 120, FindingReason.UNCONFIRMED),
        (replace(PAGE, due_at=at(30)), 90, FindingReason.LATE),
        (replace(SENT, due_at=at(30)), 90, FindingReason.LATE),
        (replace(REFUSED, due_at=at(30)), 90, FindingReason.LATE),
        # A try that was due before the page was needed is late from the need on.
        (replace(PAGE, due_at=at(-500)), 60, FindingReason.LATE),
    ],
)
def test_what_nobody_may_know_of_is_found_with_its_reason_and_since_when(
    record: PageRecord, since: float, reason: FindingReason
) -> None:
    assert found(record, since) == ()
    (finding,) = found(record, since + 30)
    assert finding == Finding(7, reason, at(since))
    assert finding.stood_for(at(since + 30)) == 30 * SECOND


@pytest.mark.parametrize(
    "record",
    [
        replace(SENT, confirmed_at=at(5)),
        replace(SENT, fallback_at=at(95)),
        replace(REFUSED, fallback_at=at(5)),
        replace(PAGE, fallback_at=at(5), due_at=at(9)),
        replace(PAGE, due_at=at(100_000)),
    ],
)
def test_what_somebody_was_told_or_will_be_is_in_order(record: PageRecord) -> None:
    assert found(record, 10_000) == ()


@pytest.mark.parametrize(
    ("watched", "needs"),
    [
        (incident(Severity.P0), True),
        (incident(Severity.P1), True),
        (incident(Severity.P2), False),
        (incident(Severity.P3), False),
        (incident(suppressed_by=3), False),
        *((incident(state=state), state is IncidentState.TRIGGERED) for state in IncidentState),
    ],
)
def test_only_what_must_not_wait_is_looked_at(watched: Incident, needs: bool) -> None:
    assert needs_page(watched) is needs
    assert bool(audit([(watched, PAGE)], at(10_000))) is needs


def test_what_stands_the_longest_comes_first() -> None:
    records = {1: SENT, 2: PAGE, 3: PAGE, 4: replace(SENT, confirmed_at=NOW)}
    watched = [(incident(id=number), record) for number, record in records.items()]
    assert [finding.incident_id for finding in audit(watched, at(500))] == [2, 3, 1]
