"""Runs, and the events of runs and incidents, in their order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest

from bot.adapters.store import SqlStore
from bot.domain.incident_events import NoteAdded
from bot.domain.plan import StepOutcome
from bot.domain.run import StepState
from bot.domain.run_events import RunPlanned, RunState
from bot.domain.run_evolution import evolve
from bot.domain.timeline import Event, Recorded
from tests.support.examples import ANA, EVENTS, NOW, PAGERDUTY, plan_of, run, runbook
from tests.support.stores import HOSTILE, LATER


def test_a_run_comes_back_with_its_runbook_plan_and_steps(store: SqlStore) -> None:
    with store.transaction() as tx:
        made = tx.new_run(run(id=0))
        planned = evolve(made, RunPlanned(plan_of(runbook(), ("change",))), ANA, LATER)
        steps = (
            replace(planned.steps[0], state=StepState.DONE, outcome=StepOutcome("Ok", {"a": "b"})),
            *planned.steps[1:],
        )
        full = replace(planned, steps=steps, approved_by=ANA, result=HOSTILE, finished_at=LATER)
        tx.save_run(full)
    with store.read() as reader:
        found = reader.run(made.id)
    assert found == full
    assert found.plan is not None
    assert list(found.plan.steps) == ["look", "change", "wait", "verify"]


def test_runs_are_listed_the_newest_first(store: SqlStore) -> None:
    with store.transaction() as tx:
        one, two = (tx.new_run(run(state)) for state in (RunState.RUNNING, RunState.FAILED))
    with store.read() as reader:
        assert [found.id for found in reader.runs()] == [two.id, one.id]
        assert list(reader.runs([RunState.RUNNING])) == [one]


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_comes_back_as_it_was_written(store: SqlStore, kind: type[Event]) -> None:
    with store.transaction() as tx:
        tx.append(EVENTS[kind], PAGERDUTY, NOW, incident_id=4, run_id=5)
    with store.read() as reader:
        assert reader.recorded(incident_id=4) == [
            Recorded(1, NOW, PAGERDUTY, EVENTS[kind], incident_id=4, run_id=5)
        ]


def test_events_are_told_in_the_order_in_which_they_were_written(store: SqlStore) -> None:
    notes = [NoteAdded(str(number)) for number in range(20)]
    with store.transaction() as tx:
        for number, note in enumerate(notes):
            # Clocks may go back; the order of writing counts.
            tx.append(note, ANA, NOW - timedelta(seconds=number), incident_id=1, run_id=number % 2)
        tx.append(NoteAdded("other"), ANA, NOW, incident_id=2)
    with store.read() as reader:
        told = reader.recorded(incident_id=1)
        assert [one.event for one in told] == notes
        assert [one.id for one in told] == sorted(one.id for one in told)
        assert [one.event for one in reader.recorded(run_id=1)] == notes[1::2]
