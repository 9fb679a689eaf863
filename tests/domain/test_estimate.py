from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.actor import TOCSIN
from bot.domain.estimate import estimate, lasted
from bot.domain.plan import Estimate, Limit, Question, StepOutcome, StepPlan, make_plan
from bot.domain.run_events import (
    RunApproved,
    RunEvent,
    RunFinished,
    RunPaused,
    RunPlanned,
    RunResumed,
    RunSettled,
    RunStarted,
    RunState,
    StepAnswered,
    StepApproved,
    StepAsked,
    StepFinished,
    StepStarted,
)
from bot.domain.timeline import Recorded
from tests.support.examples import NOW, plan_of, runbook

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LOOK = StepPlan("Look.")
WAIT = StepPlan("Wait.", limit=Limit(10 * MINUTE))
SOAK = StepPlan("Check.", limit=Limit(2 * MINUTE, MINUTE))
ASK = StepPlan("Ask.", asks=Question("Go?", {}, 4 * HOUR))


def test_limits_soak_and_the_patience_with_people_are_added_up() -> None:
    assert estimate([LOOK, WAIT, SOAK, ASK, ASK], ()) == Estimate(12 * MINUTE, MINUTE, 8 * HOUR)


def test_what_is_usual_is_the_middle_of_earlier_runs_and_this_soak() -> None:
    earlier = [5 * SECOND, 9 * HOUR, 7 * SECOND]
    assert estimate([SOAK], earlier).usual == MINUTE + 7 * SECOND
    assert estimate([SOAK], earlier).earlier == 3
    assert estimate([SOAK], earlier[:2]).usual == MINUTE + 5 * SECOND


def test_an_estimate_is_no_part_of_what_is_approved() -> None:
    steps = {"wait": WAIT}
    other = {"wait": replace(WAIT, limit=Limit(HOUR))}
    assert make_plan("digest", {}, steps).digest == make_plan("digest", {}, other).digest


def story(*events: tuple[int, RunEvent]) -> list[Recorded]:
    """What happened, and how many seconds after what happened before it."""
    at, told = NOW, []
    for number, (seconds, event) in enumerate(events):
        at += seconds * SECOND
        told.append(Recorded(number, at, TOCSIN, event, run_id=3))
    return told


DONE = StepOutcome("Done.")
BEGIN = ((0, RunPlanned(plan_of(runbook()))), (900, RunApproved("digest")), (2, RunStarted()))
END = (1, RunFinished(RunState.SUCCEEDED, "Done and verified."))


def test_a_run_lasts_from_its_start_to_its_end() -> None:
    told = story(*BEGIN, (1, StepStarted("change")), (30, StepFinished("change", DONE)), END)
    assert lasted(told) == 32 * SECOND


def test_what_is_waited_for_people_is_not_the_run_s() -> None:
    told = story(
        *BEGIN,
        (1, StepAsked("look", "Go?", {}, HOUR)),
        (500, StepAnswered("look", done=True)),
        (1, StepAsked("change", "Go?", {"approver": 2}, HOUR)),
        (500, StepApproved("change", ("approver",))),
        (500, StepApproved("change", ("approver",))),
        END,
    )
    assert lasted(told) == 3 * SECOND


def test_in_a_pause_only_the_step_under_way_takes_its_time() -> None:
    told = story(
        *BEGIN,
        (1, StepStarted("change")),
        (4, RunPaused()),
        (20, StepFinished("change", DONE)),
        (900, RunResumed()),
        END,
    )
    assert lasted(told) == 26 * SECOND


def test_how_long_people_look_for_the_end_of_an_uncertain_run_does_not_count() -> None:
    unclear = (5, RunFinished(RunState.UNCERTAIN, "It may have taken effect."))
    assert lasted(story(*BEGIN, unclear, (900, RunSettled(True, "It is done.")))) == 5 * SECOND
