from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.alert import AlertStatus
from bot.domain.classify import Severity
from bot.domain.grouping import Grouping, group_title
from bot.domain.incident import Calling, Incident, IncidentState, PageState
from bot.domain.page_events import PageAction
from bot.domain.synthetic_page import NOBODY_TAKES_IT, Arrival, arrival, synthetic_alert
from tests.support.examples import NOW, incident

group_key = Grouping().key
ALERT = synthetic_alert("page-test-1", NOW)
SENT = PageState(PageAction.TRIGGER, Severity.P1, at=NOW)


def paged(**changes: Any) -> Incident:
    given = {"group_key": group_key(ALERT.labels), "calling": Calling(NOW), **changes}
    return incident(**given)


def test_a_test_is_titled_as_one_and_has_a_group_of_its_own() -> None:
    another = synthetic_alert("page-test-2", NOW)
    assert group_title(ALERT.labels) == "TocsinPageTest: tocsin in page-test-1"
    assert ALERT.summary.startswith("TEST ")
    assert group_key(ALERT.labels) != group_key(another.labels)
    assert ALERT.fingerprint != another.fingerprint


def test_its_end_is_the_same_alert() -> None:
    end = synthetic_alert("page-test-1", NOW, NOW + timedelta(seconds=9))
    assert (ALERT.status, end.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert (end.fingerprint, end.starts_at) == (ALERT.fingerprint, ALERT.starts_at)


@pytest.mark.parametrize(
    ("found", "by"),
    [
        (paged(calling=Calling(NOW, "by webhook")), "by webhook"),
        (
            paged(calling=None, state=IncidentState.ACKNOWLEDGED),
            "by a person: it is acknowledged",
        ),
        (paged(calling=None, state=IncidentState.RESOLVED), "by a person: it is resolved"),
    ],
)
def test_a_page_that_arrived(found: Incident, by: str) -> None:
    assert arrival(found, ALERT) == Arrival(confirmed=by)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, NOBODY_TAKES_IT),
        (incident(calling=Calling(NOW, "by webhook")), "It became a part of INC-7 ("),
        (paged(calling=None, suppressed_by=3), "Nobody is paged: a maintenance window covers"),
        (paged(calling=None, classification=incident(Severity.P3).classification), "a ticket"),
        (paged(), "The page was not sent"),
        (paged(calling=Calling(NOW, retry_at=NOW)), "the next try is at 03:00:00 UTC."),
        (paged(page=SENT), "no webhook came (PAGERDUTY_WEBHOOK_SECRET)"),
        (
            paged(page=PageState(PageAction.TRIGGER, Severity.P1, "Invalid routing key", NOW)),
            "The pager refused it: Invalid routing key",
        ),
    ],
)
def test_what_is_missing(found: Incident | None, says: str) -> None:
    told = arrival(found, ALERT)
    assert told.confirmed == ""
    assert says in told.missing
