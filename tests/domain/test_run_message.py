from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.message import Subject, SubjectKind
from bot.domain.plan import StepOutcome, make_plan
from bot.domain.run import StepRecord, StepState
from bot.domain.run_events import RunState
from bot.domain.run_message import (
    RUN_APPROVE,
    RUN_CANCEL,
    plan_lines,
    plan_message,
    run_line,
    run_message,
)
from tests.support.examples import plan_of, run, runbook

PLANNED = [
    "1. Do look.",
    "2. Do change.",
    "   + annotation",
    "   touches 3 pod(s), 2 of them ready",
    "   behind service(s) checkout",
    "   budget checkout allows 1 disruption(s) now",
    "   autoscaler checkout keeps 3 to 10 pods",
    "   not known: no policy API",
    "3. Do wait.",
    "4. Do verify.",
]


def test_a_plan_says_what_changes_and_whom_it_touches() -> None:
    assert list(plan_lines(plan_of(runbook()))) == PLANNED


def test_a_run_that_waits_for_approval_shows_its_plan_and_two_buttons() -> None:
    waiting = run(RunState.AWAITING_APPROVAL)
    assert waiting.plan is not None
    message = run_message(waiting)
    assert message.subject == Subject(SubjectKind.RUN, 3)
    assert message.headline == "✋ restart@1.0.0 payments/checkout"
    assert message.preformatted == "\n".join(PLANNED)
    value = f"3:{waiting.plan.digest}"
    assert [(one.action, one.value) for one in message.buttons] == [
        (RUN_APPROVE, value),
        (RUN_CANCEL, value),
    ]


@pytest.mark.parametrize("state", [one for one in RunState if one != RunState.AWAITING_APPROVAL])
def test_no_other_state_has_buttons_or_shows_the_plan(state: RunState) -> None:
    message = run_message(run(state))
    assert message.buttons == ()
    assert "+ annotation" not in message.preformatted


def test_a_run_under_way_shows_how_far_it_is() -> None:
    steps = (
        StepRecord("look", StepState.DONE, outcome=StepOutcome("3 pods ready.")),
        StepRecord("change", StepState.STARTED, progress="1 of 3 updated"),
        StepRecord("wait", StepState.FAILED, progress="1 of 3 updated", reason="Stuck."),
        StepRecord("verify"),
    )
    message = run_message(run(RunState.RUNNING, steps=steps))
    assert message.preformatted.splitlines() == [
        "✓ Do look - 3 pods ready.",
        "… Do change - 1 of 3 updated",
        "✗ Do wait - Stuck.",
        "· Do verify",
    ]
    assert message.footer == "Incident INC-7"


def test_every_state_of_a_step_has_its_mark() -> None:
    for state in StepState:
        steps = tuple(StepRecord(one.id, state) for one in run().steps)
        lines = run_message(run(RunState.COMPENSATING, steps=steps)).preformatted.splitlines()
        assert [line[1:] for line in lines] == [" Do look", " Do change", " Do wait", " Do verify"]


@pytest.mark.parametrize("state", RunState)
def test_the_line_says_state_title_and_result(state: RunState) -> None:
    words = state.value.replace("_", " ")
    line = run_line(run(state, result="Because."))
    assert line.endswith(f" run 3 {words}: restart@1.0.0 payments/checkout Because.")


def test_the_result_takes_the_place_of_the_summary() -> None:
    assert run_message(run()).body == "Restart it."
    assert run_message(run(RunState.FAILED, result="Stuck.")).body == "Stuck."


def test_a_run_of_no_incident_names_none() -> None:
    assert run_message(run(incident_id=None)).footer == ""


def test_a_plan_that_nobody_asked_to_run_says_that_nothing_changes() -> None:
    message = plan_message(runbook(), plan_of(runbook()))
    assert message.headline == "📋 Plan of restart@1.0.0"
    assert {one.name: one.value for one in message.fields}["Changes now"] == "nothing"
    assert (message.subject, message.buttons) == (None, ())


def test_a_plan_with_problems_says_that_it_would_be_refused() -> None:
    steps = dict(plan_of(runbook()).steps)
    steps["change"] = replace(steps["change"], problems=("It is paused.",))
    message = plan_message(runbook(), make_plan("digest", {}, steps))
    assert message.body == "It would be refused:\n✗ It is paused."
