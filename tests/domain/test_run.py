from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.approval import Requirement
from bot.domain.errors import IllegalTransition
from bot.domain.plan import Question
from bot.domain.run import Run, StepRecord, StepState, blank_records
from bot.domain.run_events import RunState
from tests.support.examples import NOW, approval, asking, run, runbook

HOUR = timedelta(hours=1)
NEEDS = Requirement("high-risk", {"approver": 1, "security": 1}, HOUR)


def test_a_run_begins_with_a_blank_record_for_every_step_in_order() -> None:
    assert blank_records(runbook()) == tuple(map(StepRecord, ("look", "change", "wait", "verify")))


def test_the_title_names_runbook_and_target() -> None:
    assert run().title == "restart@1.0.0 payments/checkout"
    without: Run = run(parameters={})
    assert without.title == "restart@1.0.0"


def test_what_is_missing_is_what_was_required_less_what_was_given() -> None:
    waiting = run(RunState.AWAITING_APPROVAL, requirement=NEEDS)
    assert waiting.missing == {"approver": 1, "security": 1}
    assert replace(waiting, approvals=(approval("ben", "security"),)).missing == {"approver": 1}
    assert run(RunState.AWAITING_APPROVAL).missing == {}


def test_a_plan_waits_as_long_as_its_rule_says() -> None:
    waiting = run(RunState.AWAITING_APPROVAL, requirement=NEEDS, planned_at=NOW)
    assert waiting.deadline == NOW + HOUR
    assert replace(waiting, state=RunState.READY).deadline is None


def test_a_question_waits_as_long_as_its_step_says() -> None:
    waiting = asking(Question("Is it told?", {}, timedelta(hours=4)))
    assert waiting.asked == waiting.record("change")
    assert waiting.deadline == NOW + timedelta(hours=4)


@pytest.mark.parametrize("state", [one for one in RunState if one is not RunState.WAITING])
def test_a_question_is_over_when_the_run_waits_no_more(state: RunState) -> None:
    over = replace(asking(Question("Is it told?", {}, HOUR)), state=state, requirement=None)
    assert (over.asked, over.deadline) == (None, None)


def test_a_run_that_was_paused_waits_for_no_answer_and_without_end() -> None:
    assert (run(RunState.WAITING).asked, run(RunState.WAITING).deadline) == (None, None)


def test_only_a_step_of_people_has_a_question() -> None:
    with pytest.raises(IllegalTransition, match="Step look of run 3 asks nobody"):
        asking(Question("Is it told?", {}, HOUR)).question("look")


def test_every_step_has_one_record() -> None:
    waiting = asking(Question("Is it told?", {}, HOUR))
    assert [one.state for one in waiting.steps].count(StepState.ASKED) == 1
