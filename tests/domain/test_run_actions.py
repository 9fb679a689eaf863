from __future__ import annotations

from collections.abc import Collection

import pytest

from bot.domain.actor import TOCSIN
from bot.domain.plan import StepOutcome
from bot.domain.run import Run, StepState
from bot.domain.run_actions import Begin, MakePlan, Note, Perform, Undo, next_action
from bot.domain.run_events import (
    CompensationStarted,
    RunEvent,
    RunFinished,
    RunPlanned,
    RunStarted,
    RunState,
    StepFailed,
    StepFinished,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)
from bot.domain.run_evolution import evolve
from tests.support.examples import NOW, plan_of, run, runbook

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


@pytest.mark.parametrize(
    "state", [RunState.AWAITING_APPROVAL, *(state for state in RunState if state.final)]
)
def test_while_people_decide_there_is_nothing_to_do(state: RunState) -> None:
    assert next_action(run(state)) is None


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
