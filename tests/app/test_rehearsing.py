"""A rehearsal's way: asked for, done, its questions answered as the rehearsal says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app.rehearsing import ASKER, Rehearsing, rehearsal_policy
from bot.app.runs import Runs
from bot.domain.errors import PermanentError
from bot.domain.plan import Question
from bot.domain.rehearsal import START
from bot.domain.run import Run, StepState
from bot.domain.run_events import RunState
from bot.domain.runbook import Runbook
from tests.support.scripted_runs import Place, book


class _OneBook:
    """Implements `RunbookLibrary` with a single runbook, in which people are asked."""

    def names(self) -> list[str]:
        return ["restart"]

    def versions(self, name: str) -> list[str]:
        return ["1.0.0"]

    def get(self, reference: str) -> Runbook:
        return book(asks=True)


class World:
    """A place, and what the rehearsal was told of its moments."""

    def __init__(self, folder: Path) -> None:
        self.place = Place(folder)
        self.place.policy = rehearsal_policy(frozenset({"security"}))
        self.moments: list[str] = []

    def play(self, **answers: bool) -> Run:
        place = self.place
        runs = Runs(place.store, _OneBook(), place.access, place.clock)
        rehearsing = Rehearsing(runs, place.runner, self.moments.append, answers)
        return rehearsing.play("restart", {"workload": "payments/checkout"})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.place.engine.dispose()


def test_questions_are_answered_with_yes_unless_the_rehearsal_says_no(world: World) -> None:
    run = world.play()
    assert run.state is RunState.SUCCEEDED
    assert run.requested_by == ASKER
    assert world.moments == [START]
    outcome = run.record("ask").outcome
    assert outcome is not None
    assert outcome.summary == "Approver 1 says that it is done."


def test_a_no_is_the_step_s_failure(world: World) -> None:
    run = world.play(ask=False)
    assert run.state is RunState.FAILED
    assert run.record("change").state is StepState.PENDING


def test_approvals_come_from_as_many_people_as_are_needed(world: World) -> None:
    world.place.script.question = Question("Go?", {"security": 2}, timedelta(hours=4))
    run = world.play()
    assert run.state is RunState.SUCCEEDED
    approved = run.record("ask").approvals
    assert [one.by.name for one in approved] == ["Approver 1", "Approver 2"]


def test_a_refused_run_never_begins(world: World) -> None:
    world.place.script.before["plan change"] = [PermanentError("it is paused")]
    run = world.play()
    assert (run.state, run.result) == (RunState.REFUSED, "it is paused")
    assert world.moments == []
