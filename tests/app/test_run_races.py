"""Two runners that take the same run at the same moment, again and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import event

from bot.app.runner import Runner
from bot.domain.actor import Actor
from bot.domain.errors import InvalidInput
from bot.domain.run_events import RunApproved, RunState, StepFinished
from tests.support.examples import ANA, BEN, CHEN
from tests.support.nightly import NIGHTLY
from tests.support.scripted_runs import Place

RACES = 1_000 if NIGHTLY else 150
PATIENCE = 30.0
"""Seconds that one waits at the start for the other."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_runners_do_everything_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    # No machine dies here, so nobody has to wait for the disk.
    event.listen(place.engine, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))
    start = Barrier(2, timeout=PATIENCE)

    def race(runner: Runner, run_id: int) -> None:
        start.wait()
        while runner.advance(run_id):
            pass

    with ThreadPoolExecutor(2) as threads:
        for number in range(1, RACES + 1):
            place.ask()
            runners = (place.runner, place.another_runner())
            list(threads.map(race, runners, (number, number)))
            assert place.runs.get(number).state is RunState.SUCCEEDED
    assert place.script.changes == [f"run-{number}/change" for number in range(1, RACES + 1)]
    for number in range(1, RACES + 1):
        assert finished(place, number) == {"look": 1, "change": 1, "verify": 1}
    place.engine.dispose()


def finished(place: Place, run_id: int) -> Counter[str]:
    """How often each step was written down as done."""
    with place.store.read() as reader:
        events = [one.event for one in reader.recorded(run_id=run_id)]
    return Counter(one.step for one in events if isinstance(one, StepFinished))


def test_of_people_who_press_at_once_one_lets_it_run(tmp_path: Path) -> None:
    place = Place(tmp_path)
    start = Barrier(3, timeout=PATIENCE)

    def press(act: Callable[[int, Actor], object], actor: Actor) -> None:
        start.wait()
        with suppress(InvalidInput):
            act(1, actor)

    place.ask(approved=False)
    place.go()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(press, [place.runs.approve] * 3, (ANA, BEN, CHEN)))
    with place.store.read() as reader:
        events = [one.event for one in reader.recorded(run_id=1)]
    assert sum(isinstance(one, RunApproved) for one in events) == 1
    place.engine.dispose()
