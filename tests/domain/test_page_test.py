from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.alert import AlertStatus
from bot.domain.page_test import PageTest, PageTestPlan, PageTestState, failure, mended
from tests.support.examples import NOW

PLAN = PageTestPlan("0 10 * * 1", "Europe/Berlin", timedelta(minutes=2))
WAITING = PageTest(3, str(PLAN), NOW)
RUNNING = WAITING.begun(PLAN, NOW)


def test_each_test_has_a_namespace_of_its_own() -> None:
    assert WAITING.namespace != replace(WAITING, id=4).namespace


@pytest.mark.parametrize(("minutes", "late"), [(0, False), (1.99, False), (2, True), (500, True)])
def test_a_page_has_its_time(minutes: float, late: bool) -> None:
    assert RUNNING.state is PageTestState.RUNNING
    assert RUNNING.late(NOW + timedelta(minutes=minutes)) is late
    assert not WAITING.late(NOW + timedelta(days=9))


def test_a_failure_is_one_alert_however_often_it_is_told() -> None:
    """Whoever dies after telling tells it again; the next failure is news of the same kind."""
    failed = replace(RUNNING, state=PageTestState.FAILED, result="Nobody is paged.")
    later = replace(failed, id=4, confirm_by=NOW + timedelta(days=7))
    assert failure(failed) == failure(failed)
    assert failure(failed).fingerprint == failure(later).fingerprint
    assert failure(failed).starts_at != failure(later).starts_at
    assert "Nobody is paged." in failure(failed).summary


def test_its_end_is_the_same_alert() -> None:
    fired = failure(replace(RUNNING, state=PageTestState.FAILED))
    end = mended(fired, NOW)
    assert (end.status, end.ends_at) == (AlertStatus.RESOLVED, NOW)
    assert (end.fingerprint, end.starts_at) == (fired.fingerprint, fired.starts_at)
