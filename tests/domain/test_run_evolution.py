"""Every event in every state of a run and of its step, and where each leads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.domain.approval import Requirement
from bot.domain.errors import IllegalTransition
from bot.domain.plan import Question, StepOutcome
from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import (
    CompensationStarted,
    RunAborted,
    RunApproved,
    RunCancelled,
    RunDelayed,
    RunEvent,
    RunExpired,
    RunFinished,
    RunOverridden,
    RunPaused,
    RunPlanned,
    RunRefused,
    RunRequested,
    RunResumed,
    RunSettled,
    RunStarted,
    RunState,
    StepAnswered,
    StepApproved,
    StepAsked,
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
from tests.support.examples import (
    ANA,
    BEN,
    CHEN,
    NOW,
    RUN_EVENTS,
    approval,
    asking,
    plan_of,
    run,
    runbook,
)

S, T = RunState, StepState
LATER = NOW + timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUESTION = Question("Is the partner told?", {"operations": 1}, HOUR)

UNDER_WAY = {S.RUNNING, S.VERIFYING}
STANDING = {*UNDER_WAY, S.WAITING, S.CANCELLING}
FINAL = {S.SUCCEEDED, S.FAILED, S.COMPENSATED, S.CANCELLED, S.REFUSED, S.UNCERTAIN}
ALLOWED: dict[type[RunEvent], set[RunState]] = {
    RunRequested: set(),  # a run begins as a draft, so nothing is left to evolve
    RunPlanned: {S.PLANNING},
    RunDelayed: {S.PLANNING, S.READY},
    RunRefused: {S.PLANNING, S.READY},
    RunApproved: {S.AWAITING_APPROVAL},
    RunOverridden: {S.AWAITING_APPROVAL},
    RunExpired: {S.AWAITING_APPROVAL, S.READY},
    RunCancelled: {S.PLANNING, S.AWAITING_APPROVAL, S.READY},
    RunPaused: UNDER_WAY,
    RunResumed: {S.WAITING},
    RunAborted: {*UNDER_WAY, S.WAITING},
    RunStarted: {S.READY},
    StepStarted: UNDER_WAY,
    StepAsked: UNDER_WAY,
    StepApproved: {S.WAITING},
    StepAnswered: {S.WAITING},
    StepProgressed: {*STANDING, S.COMPENSATING},
    StepFinished: STANDING,
    StepFailed: STANDING,
    UndoStarted: {S.COMPENSATING},
    UndoFinished: {S.COMPENSATING},
    UndoFailed: {S.COMPENSATING},
    VerificationStarted: {S.RUNNING},
    CompensationStarted: {*UNDER_WAY, S.CANCELLING},
    RunFinished: {S.PLANNING, S.READY, *STANDING, S.COMPENSATING},
    RunSettled: {S.UNCERTAIN},
}
REACHED: dict[type[RunEvent], RunState] = {
    RunPlanned: S.AWAITING_APPROVAL,
    RunRefused: S.REFUSED,
    RunApproved: S.READY,
    RunOverridden: S.READY,
    RunExpired: S.CANCELLED,
    RunCancelled: S.CANCELLED,
    RunPaused: S.WAITING,
    RunResumed: S.RUNNING,
    RunAborted: S.CANCELLING,
    RunStarted: S.RUNNING,
    StepAsked: S.WAITING,
    StepApproved: S.RUNNING,
    StepAnswered: S.RUNNING,
    VerificationStarted: S.VERIFYING,
    CompensationStarted: S.COMPENSATING,
    RunFinished: S.SUCCEEDED,
    RunSettled: S.SUCCEEDED,
}
"""Where an event leads; the others are about a step and leave the run where it is."""

STEP_ALLOWED: dict[type[RunEvent], set[StepState]] = {
    StepStarted: {T.PENDING},
    StepAsked: {T.PENDING},
    StepApproved: {T.ASKED},
    StepAnswered: {T.ASKED},
    StepProgressed: {T.STARTED, T.UNDOING},
    StepFinished: {T.STARTED},
    StepFailed: {T.STARTED},
    UndoStarted: {T.DONE, T.UNDOING},
    UndoFinished: {T.UNDOING},
    UndoFailed: {T.UNDOING},
}
STEP_REACHED: dict[type[RunEvent], StepState] = {
    StepStarted: T.STARTED,
    StepAsked: T.ASKED,
    StepApproved: T.DONE,
    StepAnswered: T.FAILED,
    StepFinished: T.DONE,
    StepFailed: T.FAILED,
    UndoStarted: T.UNDOING,
    UndoFinished: T.UNDONE,
    UndoFailed: T.UNDO_FAILED,
}
"""Where the step is after the example of each event; progress leaves it where it is."""


def start_of(state: RunState, event: RunEvent, step: StepState | None = None) -> Run:
    """A run in that state, whose step is where this event finds one."""
    found = step or min(STEP_ALLOWED.get(type(event), {T.PENDING}))
    waiting = asking(QUESTION)
    steps = tuple(replace(one, state=found) if one.id == "change" else one for one in waiting.steps)
    return replace(waiting, state=state, steps=steps)


PAIRS = [
    pytest.param(state, event, id=f"{state}-{type(event).__name__}")
    for state, event in product(RunState, RUN_EVENTS)
]
STEP_PAIRS = [
    pytest.param(state, event, id=f"{state}-{type(event).__name__}")
    for state, event in product(StepState, RUN_EVENTS)
    if type(event) in STEP_ALLOWED
]


def test_the_tables_have_every_event() -> None:
    assert list(ALLOWED) == [type(event) for event in RUN_EVENTS]


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_every_event_in_every_state(state: RunState, event: RunEvent) -> None:
    start = start_of(state, event)
    if state in ALLOWED[type(event)]:
        assert evolve(start, event, ANA, LATER).state is REACHED.get(type(event), state)
    else:
        with pytest.raises(IllegalTransition, match=f"Run 3 is {state.value.replace('_', ' ')}"):
            evolve(start, event, ANA, LATER)
    assert start == start_of(state, event)


@pytest.mark.parametrize(("state", "event"), STEP_PAIRS)
def test_every_event_of_a_step_in_every_state_of_it(state: StepState, event: RunEvent) -> None:
    start = start_of(min(ALLOWED[type(event)]), event, state)
    if state in STEP_ALLOWED[type(event)]:
        reached = evolve(start, event, ANA, LATER).record("change").state
        assert reached is STEP_REACHED.get(type(event), state)
    else:
        with pytest.raises(IllegalTransition, match=f"Step change of run 3 is {state.value}"):
            evolve(start, event, ANA, LATER)


@pytest.mark.parametrize("state", RunState)
def test_nothing_happens_to_a_run_that_is_over_unless_a_person_settles_it(state: RunState) -> None:
    assert state.final is (state in FINAL)
    possible = {event for event, allowed in ALLOWED.items() if state in allowed}
    settles = {RunSettled} if state is S.UNCERTAIN else set()
    assert state.final is (possible == settles)


# Permission


def planned(needs: dict[str, int] | None = None, *, start_when_planned: bool = False) -> Run:
    """A run of ana's, just planned, that needs these approvals."""
    requirement = Requirement("rule", needs or {}, HOUR)
    asked = run(start_when_planned=start_when_planned)
    return evolve(asked, RunPlanned(plan_of(runbook()), requirement), ANA, NOW)


def test_a_plan_waits_for_somebody_to_start_it() -> None:
    waiting = planned()
    assert (waiting.state, waiting.approved_by, waiting.planned_at) == (
        S.AWAITING_APPROVAL,
        None,
        NOW,
    )
    started = evolve(waiting, RunApproved("digest"), BEN, LATER)
    assert (started.state, started.approved_by, started.approved_at) == (S.READY, BEN, LATER)


def test_a_plan_that_was_approved_in_advance_is_ready_where_nobody_has_to_approve() -> None:
    ready = planned(start_when_planned=True)
    assert (ready.state, ready.approved_by) == (S.READY, ANA)
    waiting = planned({"approver": 1}, start_when_planned=True)
    assert (waiting.state, waiting.approved_by) == (S.AWAITING_APPROVAL, None)


def test_the_last_approval_that_is_needed_lets_it_run() -> None:
    first = evolve(planned({"a": 1, "b": 1}), RunApproved("digest", ("a", "b")), BEN, NOW)
    assert (first.state, sum(first.missing.values())) == (S.AWAITING_APPROVAL, 1)
    second = evolve(first, RunApproved("digest", ("a",)), CHEN, LATER)
    assert (second.state, second.approved_by, second.missing) == (S.READY, CHEN, {})
    assert [one.by for one in second.approvals] == [BEN, CHEN]


def test_breaking_the_glass_keeps_who_and_why() -> None:
    ready = evolve(planned({"a": 2}), RunOverridden("Nobody is awake.", {"a": 2}), BEN, LATER)
    assert (ready.state, ready.overridden) == (S.READY, "Nobody is awake.")
    assert (ready.approved_by, ready.approvals) == (BEN, ())


# Pause, resume, abort


@pytest.mark.parametrize("state", sorted(UNDER_WAY))
def test_a_pause_ends_where_it_began(state: RunState) -> None:
    paused = evolve(run(state), RunPaused(), ANA, LATER)
    assert paused.paused_in is state
    resumed = evolve(paused, RunResumed(), BEN, LATER)
    assert (resumed.state, resumed.paused_in) == (state, None)


def test_a_step_that_is_under_way_ends_within_the_pause() -> None:
    started = evolve(run(S.RUNNING), StepStarted("change"), ANA, NOW)
    paused = evolve(started, RunPaused(), ANA, LATER)
    done = evolve(paused, StepFinished("change", OUTCOME), ANA, LATER)
    assert (done.state, done.record("change").state) == (S.WAITING, T.DONE)
    failed = evolve(paused, StepFailed("change", "Stuck."), ANA, LATER)
    assert (failed.state, failed.record("change").state) == (S.WAITING, T.FAILED)


def test_a_question_can_t_be_passed_over() -> None:
    with pytest.raises(IllegalTransition, match="waits for an answer to its step change"):
        evolve(asking(QUESTION), RunResumed(), ANA, LATER)


def test_an_abort_while_it_waits_ends_the_question() -> None:
    aborted = evolve(asking(QUESTION), RunAborted("by ana", undo=True), ANA, LATER)
    assert (aborted.state, aborted.asked, aborted.paused_in) == (S.CANCELLING, None, None)
    assert aborted.aborted == RunAborted("by ana", undo=True)


# Questions


def test_a_question_that_needs_several_waits_for_all() -> None:
    waiting = asking(Question("Go?", {"operations": 2}, HOUR))
    first = evolve(waiting, StepApproved("change", ("operations",)), BEN, LATER)
    assert (first.state, first.record("change").state) == (S.WAITING, T.ASKED)
    second = evolve(first, StepApproved("change", ("operations",)), CHEN, LATER)
    assert (second.state, second.paused_in) == (S.RUNNING, None)
    outcome = second.record("change").outcome
    assert outcome is not None
    assert outcome.summary == "Approved by ben and chen."


@pytest.mark.parametrize("state", sorted(UNDER_WAY))
def test_an_answer_lets_the_run_go_on_where_it_asked(state: RunState) -> None:
    event = StepAsked("change", "Is it told?", {}, HOUR)
    asked = evolve(replace(run(state), plan=asking(Question("?", {}, HOUR)).plan), event, ANA, NOW)
    assert (asked.state, asked.paused_in) == (S.WAITING, state)
    for done, reached in ((True, T.DONE), (False, T.FAILED)):
        answered = evolve(asked, StepAnswered("change", done), BEN, LATER)
        assert (answered.state, answered.record("change").state) == (state, reached)


@pytest.mark.parametrize(
    ("done", "words", "said"),
    [
        (True, "", "ben says that it is done."),
        (True, "They know.", "ben: They know."),
        (False, "", "ben could not"),
        (False, "Nobody answers.", "ben could not: Nobody answers."),
    ],
)
def test_an_answer_says_whose_it_is(done: bool, words: str, said: str) -> None:
    waiting = asking(Question("Is it told?", {}, HOUR))
    record = evolve(waiting, StepAnswered("change", done, words), BEN, LATER).record("change")
    assert (record.outcome.summary if record.outcome else record.reason) == said


def test_a_word_is_no_approval() -> None:
    with pytest.raises(IllegalTransition, match="Step change of run 3 needs approvals"):
        evolve(asking(QUESTION), StepAnswered("change", done=True), BEN, LATER)


# The end


@pytest.mark.parametrize(
    ("state", "event", "result"),
    [
        (S.READY, RunRefused(("It is paused.", "It is gone.")), "It is paused. It is gone."),
        (S.PLANNING, RunCancelled(), "Called off by ben."),
        (S.AWAITING_APPROVAL, RunExpired(), "Nobody let it run in time."),
        (S.VERIFYING, RunFinished(S.SUCCEEDED, "Done and verified."), "Done and verified."),
    ],
)
def test_the_end_says_why_and_when(state: RunState, event: RunEvent, result: str) -> None:
    over = evolve(run(state), event, BEN, LATER)
    assert (over.result, over.finished_at) == (result, LATER)


def test_whoever_found_out_says_how_an_uncertain_run_ended() -> None:
    unclear = run(S.UNCERTAIN, result="The runner failed.")
    failed = evolve(unclear, RunSettled(done=False, words="Nothing was restarted."), BEN, LATER)
    assert failed.state is S.FAILED
    assert failed.result == "The runner failed. ben found out: Nothing was restarted."


# Steps

OUTCOME = StepOutcome("Restarted.", {"revision": "2"})


@pytest.mark.parametrize(
    ("state", "before", "event", "record"),
    [
        (S.RUNNING, T.PENDING, StepStarted("change"), {"started_at": LATER}),
        (S.RUNNING, T.STARTED, StepProgressed("change", "1 of 3"), {"progress": "1 of 3"}),
        (S.RUNNING, T.STARTED, StepFinished("change", OUTCOME), {"outcome": OUTCOME}),
        (S.RUNNING, T.STARTED, StepFailed("change", "Stuck."), {"reason": "Stuck."}),
        (S.COMPENSATING, T.DONE, UndoStarted("change"), {"started_at": LATER}),
        (S.COMPENSATING, T.UNDOING, UndoFinished("change", OUTCOME), {}),
        (S.COMPENSATING, T.UNDOING, UndoFailed("change", "Changed."), {"reason": "Changed."}),
    ],
)
def test_a_steps_event_changes_its_record_only(
    state: RunState, before: StepState, event: RunEvent, record: dict[str, object]
) -> None:
    steps = tuple(replace(one, state=before) if one.id == "change" else one for one in run().steps)
    reached = evolve(run(state, steps=steps), event, ANA, LATER)
    after = STEP_REACHED.get(type(event), before)
    assert reached.record("change") == StepRecord("change", after, **record)  # type: ignore[arg-type]
    others = [one for one in reached.steps if one.id != "change"]
    assert others == [StepRecord("look"), StepRecord("wait"), StepRecord("verify")]


def test_an_undo_that_is_done_keeps_what_the_step_had_done() -> None:
    start = run(S.RUNNING)
    for event in (
        StepStarted("change"),
        StepFinished("change", OUTCOME),
        CompensationStarted("x"),
        UndoStarted("change"),
        UndoFinished("change", StepOutcome("Put back.")),
    ):
        start = evolve(start, event, ANA, LATER)
    assert start.record("change").outcome == OUTCOME


def test_approvals_are_kept_with_their_kinds_and_times() -> None:
    first = evolve(planned({"a": 1, "b": 1}), RunApproved("digest", ("a",)), BEN, NOW)
    assert first.approvals == (approval("ben", "a"),)


@pytest.mark.parametrize(
    "event",
    [
        RunPlanned(plan_of(runbook(), ("change",))),
        RunRefused(("It is gone.",)),
        RunCancelled(),
        RunFinished(S.UNCERTAIN, "The runner failed."),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_delay_is_told_only_while_it_lasts(event: RunEvent) -> None:
    late = evolve(run(), RunDelayed("API server away"), ANA, NOW)
    assert late.delay == "API server away"
    assert evolve(late, event, ANA, LATER).delay == ""
