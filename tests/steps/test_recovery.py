"""`recovery.measure`: what it says of the objectives."""

from __future__ import annotations

import pytest

from bot.domain.errors import InvalidInput
from bot.steps.registry import step_kinds
from tests.support.step_bench import Bench

KIND = "recovery.measure"


def _after(bench: Bench, minutes: int) -> str:
    """The time, once so many minutes have passed."""
    bench.clock.advance(minutes * 60)
    return f"{bench.clock.now():%Y-%m-%dT%H:%M:%SZ}"


def test_an_objective_is_met_or_missed_and_fails_nothing(bench: Bench) -> None:
    began = _after(bench, 0)
    bench.clock.advance(7 * 60 + 12)
    met = bench.step(KIND, began=began, rto="15m").execute().summary
    assert met == (
        "Recovered after 7 min 12 s; the objective, 15m, is met. "
        "How much data was lost is not measured."
    )
    missed = bench.step(KIND, began=began, rto="5m").execute().summary
    assert missed.startswith("Recovered after 7 min 12 s; the objective, 5m, is MISSED.")


def test_what_is_lost_counts_from_the_newest_data_to_the_outage(bench: Bench) -> None:
    newest = _after(bench, 0)
    began = _after(bench, 3)
    bench.clock.advance(30)
    step = bench.step(KIND, began=began, rto="15m", data_until=newest, rpo="1m")
    assert step.execute().summary == (
        "Recovered after 30 s; the objective, 15m, is met. "
        "Data lost from the last 3 min 0 s; the objective, 1m, is MISSED."
    )


def test_an_outage_that_is_yet_to_come_is_refused(bench: Bench) -> None:
    step = bench.step(KIND, began="2999-01-01T00:00:00Z", rto="15m")
    assert step.plan().problems == (
        "The outage can't have begun later than now: 2999-01-01T00:00:00Z.",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rpo": "5m"}, "Give data_until and rpo together"),
        ({"data_until": "2026-01-01T00:00:00Z"}, "Give data_until and rpo together"),
        ({"data_until": "2026-01-01T03:00:00Z", "rpo": "5m"}, "must not be later than began"),
        ({"began": "yesterday"}, "a time in UTC"),
    ],
)
def test_what_is_refused(arguments: dict[str, str], sentence: str) -> None:
    given = {"began": "2026-01-01T02:00:00Z", "rto": "15m", **arguments}
    with pytest.raises(InvalidInput, match=sentence):
        step_kinds()[KIND].arguments.read(given)
