from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.actor import TOCSIN
from bot.domain.plan import Question, StepOutcome
from bot.domain.run import Run, StepRecord, StepState, blank_records
from bot.domain.run_actions import Begin, MakePlan, Note, Perform, Settle, Undo, next_action
from bot.domain.run_events import (
    CompensationStarted,
    RunAborted,
    RunEvent,
    RunFinished,
    RunPaused,
    RunPlanned,
    RunResumed,
    RunStarted,
    RunState,
    StepAnswered,
    StepAsked,
    StepFailed,
    StepFinished,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)
from bot.domain.run_evolution import evolve
from tests.support.examples import NOW, asking, plan_of, run, runbook

BOOK = runbook(("look", "change", "scale"), ("verify",))
DONE = StepOutcome("Done.")


def after(start: Run, *events: RunEvent) -> Run:
    for event in events:
        start = evolve(start, event, TOCSIN, NOW)
    return start


def ready(reversible: Collection[str] = ()) -> Run:
    """A run that is about to begin; the plan says that these steps can be put back."""
    plan = plan_of(BOOK, tuple(reversible))
    return after(run(runbook=BOOK, start_when_planned=True), RunPlanned(plan))


def done(*steps: str) -> tuple[RunEvent, ...]:
    return tuple(event for one in steps for event in (StepStarted(one), StepFinished(one, DONE)))


def story(
    start: Run, failing: Collection[str] = (), undo_failing: Collection[str] = ()
) -> list[str]:
    """What the runner does from there on, until nothing is left to do."""
    told: list[str] = []
    for _ in range(100):
        match next_action(start):
            case None:
                return [*told, f"{start.state}: {start.result}"]
            case Perform(step, _):
                told.append(f"do {step}")
                failed = StepFailed(step, "Stuck.") if step in failing else None
                start = after(start, StepStarted(step), failed or StepFinished(step, DONE))
            case Undo(step):
                told.append(f"undo {step}")
                failed_undo = UndoFailed(step, "Changed.") if step in undo_failing else None
                start = after(start, UndoStarted(step), failed_undo or UndoFinished(step, DONE))
            case Note(event):
                told.append(type(event).__name__)
                start = after(start, event)
            case Begin():
                told.append("begin")
                start = after(start, RunStarted())
            case Settle(step):
                told.append(f"settle {step}")
                start = after(start, StepFailed(step, "It took no effect."))
            case MakePlan():
                raise AssertionError("it is planned already")
    raise AssertionError(f"it never ends: {told}")


def test_a_new_run_is_planned() -> None:
    assert next_action(run()) == MakePlan()


def test_a_run_does_its_steps_then_verifies() -> None:
    assert story(ready()) == [
        "begin",
        "do look",
        "do change",
        "do scale",
        "VerificationStarted",
        "do verify",
        "RunFinished",
        "succeeded: Done and verified.",
    ]


FIRST = {
    RunState.PLANNING: MakePlan(),
    RunState.READY: Begin(),
    RunState.RUNNING: Perform("look", interrupted=False),
    RunState.VERIFYING: Perform("verify", interrupted=False),
    RunState.CANCELLING: Note(
        RunFinished(RunState.CANCELLED, "Aborted by ana. Nothing was changed.")
    ),
    RunState.COMPENSATING: Note(
        RunFinished(RunState.COMPENSATED, "Stuck. What was changed has been put back.")
    ),
}
"""What is done first in each state; in the others people decide, or it is over."""


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_its_action(state: RunState) -> None:
    found = run(state, aborted=RunAborted("by ana", undo=True), result="Stuck.")
    assert next_action(found) == FIRST.get(state)
    assert (next_action(found) is None) is (
        state.final or state in (RunState.AWAITING_APPROVAL, RunState.WAITING)
    )


@pytest.mark.parametrize("failing", ["look", "change"])
def test_a_step_that_fails_before_anything_can_be_put_back_ends_the_run(failing: str) -> None:
    told = story(ready(reversible=["scale"]), failing=[failing])
    assert told[-3:] == [f"do {failing}", "RunFinished", f"failed: Do {failing} failed: Stuck."]


def test_a_change_that_can_be_put_back_is_put_back() -> None:
    assert story(ready(reversible=["change"]), failing=["verify"])[-4:] == [
        "CompensationStarted",
        "undo change",
        "RunFinished",
        "compensated: Do verify failed: Stuck. What was changed has been put back.",
    ]


def test_the_last_change_is_put_back_first() -> None:
    told = story(ready(reversible=["change", "scale"]), failing=["verify"])
    assert told[-5:-2] == ["CompensationStarted", "undo scale", "undo change"]


def test_the_step_that_failed_is_not_undone() -> None:
    told = story(ready(reversible=["change", "scale"]), failing=["scale"])
    assert [one for one in told if one.startswith("undo")] == ["undo change"]


def test_what_cannot_be_put_back_leaves_the_run_uncertain() -> None:
    told = story(ready(["change", "scale"]), failing=["verify"], undo_failing=["scale"])
    assert told[-3:] == [
        "undo scale",
        "RunFinished",
        "uncertain: Do verify failed: Stuck. Putting it back failed too: Changed.",
    ]


# A runner died


def test_a_step_whose_outcome_nobody_wrote_down_was_interrupted() -> None:
    interrupted = after(ready(), RunStarted(), *done("look"), StepStarted("change"))
    assert next_action(interrupted) == Perform("change", interrupted=True)


def test_a_step_that_did_not_begin_was_not() -> None:
    assert next_action(after(ready(), RunStarted(), *done("look"))) == Perform(
        "change", interrupted=False
    )


def test_what_is_done_is_not_done_again() -> None:
    steps = after(ready(), RunStarted(), *done("look", "change", "scale"))
    assert next_action(steps) == Note(VerificationStarted())
    verified = after(steps, VerificationStarted(), *done("verify"))
    assert next_action(verified) == Note(RunFinished(RunState.SUCCEEDED, "Done and verified."))


def test_an_interrupted_undo_is_done_again() -> None:
    undoing = after(
        ready(reversible=["change"]),
        RunStarted(),
        *done("look", "change"),
        CompensationStarted("x"),
        UndoStarted("change"),
    )
    assert undoing.record("change").state is StepState.UNDOING
    assert next_action(undoing) == Undo("change")


# People


def test_a_step_of_people_is_asked_and_not_done() -> None:
    question = Question("Is the partner told?", {"operations": 1}, timedelta(hours=4))
    waiting = asking(question)
    assert next_action(waiting) is None
    told = StepRecord("look", StepState.DONE)
    due = replace(waiting, state=RunState.RUNNING, steps=(told, *blank_records(runbook())[1:]))
    assert next_action(due) == Note(
        StepAsked("change", "Is the partner told?", {"operations": 1}, timedelta(hours=4))
    )


def test_what_people_could_not_do_fails_the_run() -> None:
    waiting = asking(Question("Is the partner told?", {}, timedelta(hours=4)))
    done = replace(waiting, steps=(StepRecord("look", StepState.DONE), *waiting.steps[1:]))
    failed = after(done, StepAnswered("change", done=False, words="No."))
    reason = "Do change failed: Tocsin could not: No."
    assert next_action(failed) == Note(RunFinished(RunState.FAILED, reason))


def test_a_run_goes_on_after_a_pause_where_it_was() -> None:
    paused = after(ready(), RunStarted(), *done("look"), RunPaused())
    assert next_action(paused) is None
    assert next_action(after(paused, RunResumed())) == Perform("change", interrupted=False)


def test_a_step_that_failed_within_a_pause_fails_the_run_after_it() -> None:
    started = after(ready(), RunStarted(), *done("look"), StepStarted("change"))
    paused = after(started, RunPaused(), StepFailed("change", "Stuck."), RunResumed())
    assert next_action(paused) == Note(RunFinished(RunState.FAILED, "Do change failed: Stuck."))


# Abort


def aborted(*events: RunEvent, undo: bool = True, reversible: Collection[str] = ()) -> Run:
    return after(ready(reversible), RunStarted(), *events, RunAborted("by ana", undo))


def test_an_abort_puts_back_what_was_changed() -> None:
    told = story(aborted(*done("look", "change"), reversible=["change"]))
    assert told == [
        "CompensationStarted",
        "undo change",
        "RunFinished",
        "compensated: Aborted by ana. What was changed has been put back.",
    ]


def test_a_stop_leaves_what_was_changed_and_names_it() -> None:
    told = story(aborted(*done("look", "change"), undo=False, reversible=["change"]))
    assert told[-1] == "cancelled: Aborted by ana. What these steps changed stays: change."


def test_an_abort_names_what_cannot_be_put_back() -> None:
    told = story(aborted(*done("look", "change")))
    assert told[-1] == "cancelled: Aborted by ana. What these steps changed stays: change."


@pytest.mark.parametrize("undo", [True, False])
def test_an_abort_finds_out_first_what_an_interrupted_step_did(undo: bool) -> None:
    start = aborted(*done("look"), StepStarted("change"), undo=undo, reversible=["change"])
    assert next_action(start) == Settle("change")
    assert story(start) == [
        "settle change",
        "RunFinished",
        "cancelled: Aborted by ana. Do change failed: It took no effect.",
    ]
    took_effect = after(start, StepFinished("change", DONE))
    assert ("undo change" in story(took_effect)) is undo


def test_an_abort_of_a_verification_puts_back_too() -> None:
    events = (*done("look", "change", "scale"), VerificationStarted())
    told = story(aborted(*events, reversible=["change", "scale"]))
    assert told[1:3] == ["undo scale", "undo change"]
