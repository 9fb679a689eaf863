"""How long earlier runs took, by what the runner wrote down of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app.earlier_runs import EarlierRuns
from bot.domain.errors import PermanentError
from bot.domain.run_events import RunState
from tests.support.scripted_runs import Place, book


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


def lengths(place: Place, digest: str = "") -> list[float]:
    wanted = replace(book(), digest=digest) if digest else book()
    return [one.total_seconds() for one in EarlierRuns(place.store).lengths(wanted)]


def run_for(place: Place, seconds: float) -> RunState:
    """A run whose second step takes so long."""
    place.script.meanwhile["execute change"] = lambda: place.clock.advance(seconds)
    return place.go(place.ask().id).state


def test_only_runs_of_that_version_that_went_well_count(place: Place) -> None:
    assert lengths(place) == []
    assert run_for(place, 30) is RunState.SUCCEEDED
    assert run_for(place, 50) is RunState.SUCCEEDED
    place.script.before["execute change"].append(PermanentError("Stuck."))
    assert run_for(place, 1) is not RunState.SUCCEEDED
    assert lengths(place) == [50, 30]
    assert lengths(place, "another digest") == []


def test_their_soak_is_left_out_because_this_one_has_its_own(place: Place) -> None:
    run_for(place, 50)
    with place.store.transaction() as tx:
        ended = tx.run(1)
        assert ended.plan is not None
        assert ended.plan.estimate is not None
        soaked = replace(ended.plan.estimate, soak=timedelta(seconds=30))
        tx.save_run(replace(ended, plan=replace(ended.plan, estimate=soaked)))
    assert lengths(place) == [20]
