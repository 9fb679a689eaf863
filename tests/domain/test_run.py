from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from bot.domain.errors import IllegalTransition
from bot.domain.plan import StepOutcome
from bot.domain.run import Run, StepRecord, StepState, blank_records
from bot.domain.run_events import (
    CompensationStarted,
    RunApproved,
    RunCancelled,
    RunEvent,
    RunFinished,
    RunPlanned,
    RunRefused,
    RunRequested,
    RunStarted,
    RunState,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)
from bot.domain.run_evolution import evolve
from tests.support.examples import ANA, BEN, NOW, RUN_EVENTS, plan_of, run, runbook

S = RunState
LATER = NOW + timedelta(minutes=1)
BUSY = {S.RUNNING, S.VERIFYING}
NOT_FINAL = {S.PLANNING, S.AWAITING_APPROVAL, S.READY, *BUSY, S.COMPENSATING}
ALLOWED: dict[type[RunEvent], set[RunState]] = {
    RunRequested: set(),  # a run begins as a draft, so nothing is left to evolve
    RunPlanned: {S.PLANNING},
    RunRefused: {S.PLANNING, S.READY},
    RunApproved: {S.AWAITING_APPROVAL},
    RunCancelled: {S.PLANNING, S.AWAITING_APPROVAL},
    RunStarted: {S.READY},
    StepStarted: BUSY,
    StepProgressed: {*BUSY, S.COMPENSATING},
    StepFinished: BUSY,
    StepFailed: BUSY,
    UndoStarted: {S.COMPENSATING},
    UndoFinished: {S.COMPENSATING},
    UndoFailed: {S.COMPENSATING},
    VerificationStarted: {S.RUNNING},
    CompensationStarted: BUSY,
    RunFinished: NOT_FINAL - {S.AWAITING_APPROVAL},
}
REACHED = {
    RunPlanned: S.AWAITING_APPROVAL,
    RunRefused: S.REFUSED,
    RunApproved: S.READY,
    RunCancelled: S.CANCELLED,
    RunStarted: S.RUNNING,
    VerificationStarted: S.VERIFYING,
    CompensationStarted: S.COMPENSATING,
    RunFinished: S.SUCCEEDED,
}
"""Where an event leads; the others are about a step and leave the run where it is."""

PAIRS = [
    pytest.param(state, event, id=f"{state}-{type(event).__name__}")
    for state, event in product(RunState, RUN_EVENTS)
]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_event_in_every_state(state: RunState, event: RunEvent) -> None:
    start = run(state)
    if state in ALLOWED[type(event)]:
        assert evolve(start, event, ANA, LATER).state is REACHED.get(type(event), state)
    else:
        with pytest.raises(IllegalTransition, match=f"Run 3 is {state}"):
            evolve(start, event, ANA, LATER)
    assert start == run(state)


@pytest.mark.parametrize("state", RunState)
def test_nothing_happens_to_a_run_that_is_over(state: RunState) -> None:
    assert state.final is (state not in NOT_FINAL)
    assert state.final is all(state not in allowed for allowed in ALLOWED.values())


def test_a_plan_waits_for_somebody_to_approve_it() -> None:
    planned = evolve(run(), RunPlanned(plan_of(runbook())), ANA, LATER)
    assert (planned.state, planned.approved_by) == (S.AWAITING_APPROVAL, None)
    approved = evolve(planned, RunApproved("digest"), BEN, LATER)
    assert (approved.state, approved.approved_by) == (S.READY, BEN)


def test_a_plan_that_was_approved_in_advance_is_ready() -> None:
    planned = evolve(run(start_when_planned=True), RunPlanned(plan_of(runbook())), BEN, LATER)
    assert (planned.state, planned.approved_by) == (S.READY, ANA)


@pytest.mark.parametrize(
    ("state", "event", "result"),
    [
        (S.READY, RunRefused(("It is paused.", "It is gone.")), "It is paused. It is gone."),
        (S.PLANNING, RunCancelled(), "Called off by ben."),
        (S.VERIFYING, RunFinished(S.SUCCEEDED, "Done and verified."), "Done and verified."),
    ],
)
def test_the_end_says_why_and_when(state: RunState, event: RunEvent, result: str) -> None:
    over = evolve(run(state), event, BEN, LATER)
    assert (over.result, over.finished_at) == (result, LATER)


OUTCOME = StepOutcome("Restarted.", {"revision": "2"})


@pytest.mark.parametrize(
    ("state", "event", "record"),
    [
        (S.RUNNING, StepStarted("change"), {"state": StepState.STARTED, "started_at": LATER}),
        (S.RUNNING, StepProgressed("change", "1 of 3"), {"progress": "1 of 3"}),
        (
            S.RUNNING,
            StepFinished("change", OUTCOME),
            {"state": StepState.DONE, "outcome": OUTCOME},
        ),
        (
            S.RUNNING,
            StepFailed("change", "Stuck."),
            {"state": StepState.FAILED, "reason": "Stuck."},
        ),
        (
            S.COMPENSATING,
            UndoStarted("change"),
            {"state": StepState.UNDOING, "started_at": LATER},
        ),
        (S.COMPENSATING, UndoFinished("change", OUTCOME), {"state": StepState.UNDONE}),
        (
            S.COMPENSATING,
            UndoFailed("change", "Changed."),
            {"state": StepState.UNDO_FAILED, "reason": "Changed."},
        ),
    ],
)
def test_a_steps_event_changes_its_record_only(
    state: RunState, event: RunEvent, record: dict[str, object]
) -> None:
    reached = evolve(run(state), event, ANA, LATER)
    assert reached.record("change") == StepRecord("change", **record)  # type: ignore[arg-type]
    others = [one for one in reached.steps if one.id != "change"]
    assert others == [StepRecord("look"), StepRecord("wait"), StepRecord("verify")]


def test_an_undo_that_is_done_keeps_what_the_step_had_done() -> None:
    done = evolve(run(S.RUNNING), StepFinished("change", OUTCOME), ANA, LATER)
    undoing = evolve(done, CompensationStarted("x"), ANA, LATER)
    undone = evolve(undoing, UndoFinished("change", StepOutcome("Put back.")), ANA, LATER)
    assert undone.record("change").outcome == OUTCOME


def test_a_run_begins_with_a_blank_record_for_every_step_in_order() -> None:
    assert blank_records(runbook()) == tuple(map(StepRecord, ("look", "change", "wait", "verify")))


def test_the_title_names_runbook_and_target() -> None:
    assert run().title == "restart@1.0.0 payments/checkout"
    without: Run = run(parameters={})
    assert without.title == "restart@1.0.0"
