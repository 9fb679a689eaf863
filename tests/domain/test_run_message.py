from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.approval import Requirement
from bot.domain.message import Subject, SubjectKind
from bot.domain.plan import Attachment, Estimate, Question, StepOutcome, make_plan
from bot.domain.plan_text import plan_lines
from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import RunState
from bot.domain.run_message import plan_message, run_line, run_message
from tests.support.examples import BEN, NOW, approval, asking, plan_of, run, runbook

GIVERS = {"approver": ("*",), "security": ("@sec", "U0DAN")}
NEEDS = Requirement("high-risk", {"approver": 1, "security": 1}, timedelta(minutes=90), GIVERS)
NO_NEEDS = Requirement("low-risk", {}, timedelta(hours=1))
NOTHING = timedelta(0)

PLANNED = list(plan_lines(plan_of(runbook())))


def shown(run: Run) -> list[str]:
    """The buttons: what each does, and its value."""
    return [f"{one.label}: {one.action} {one.value}" for one in run_message(run).buttons]


def test_a_run_that_waits_to_be_started_shows_its_plan_and_two_buttons() -> None:
    waiting = run(RunState.AWAITING_APPROVAL)
    assert waiting.plan is not None
    message = run_message(waiting)
    assert message.subject == Subject(SubjectKind.RUN, 3)
    assert message.headline == "✋ restart@1.0.0 payments/checkout"
    assert message.preformatted == "\n".join(PLANNED)
    value = f"3:{waiting.plan.digest}"
    assert shown(waiting) == [f"Run it: run.approve {value}", f"Call it off: run.cancel {value}"]
    assert "Nobody has to approve it" in message.body


def test_a_run_that_needs_approvals_says_which_are_there_and_which_lack() -> None:
    waiting = run(RunState.AWAITING_APPROVAL, requirement=NEEDS, planned_at=NOW)
    assert shown(waiting)[0].startswith("Approve: run.approve ")
    assert run_message(waiting).body == (
        "Restart it.\nOnly step 2 of 4 changes something."
        "\nIt needs 2 approvals (1 approver, 1 security) by others than ana"
        " (rule high-risk); the plan holds until 01 Mar 04:30 UTC."
        "\nWho can approve: everybody (approver); @sec, U0DAN (security)."
    )
    half = replace(waiting, approvals=(approval("ben", "security"),))
    assert "It needs 1 approval (1 approver)" in run_message(half).body
    assert "Approved by ben.\nWho can approve: everybody (approver)." in run_message(half).body


def test_what_nobody_can_approve_says_so() -> None:
    needs = replace(NEEDS, givers={"approver": ("*",), "security": ()})
    waiting = run(RunState.AWAITING_APPROVAL, requirement=needs)
    assert "nobody (security)" in run_message(waiting).body


HOLD = ["Abort and undo: run.abort", "Stop here: run.stop"]


@pytest.mark.parametrize("state", [one for one in RunState if one != RunState.AWAITING_APPROVAL])
def test_what_can_be_done_to_a_run_in_each_state(state: RunState) -> None:
    first = {
        RunState.RUNNING: ["Pause: run.pause"],
        RunState.VERIFYING: ["Pause: run.pause"],
        RunState.WAITING: ["Go on: run.resume"],
    }
    wanted = [*first[state], *HOLD] if state in first else []
    assert shown(run(state)) == [f"{one} 3:" for one in wanted]
    assert "+ annotation" not in run_message(run(state)).preformatted


@pytest.mark.parametrize(("needs", "label"), [({}, "Done"), ({"operations": 1}, "Approve")])
def test_a_step_of_people_shows_its_question(needs: dict[str, int], label: str) -> None:
    waiting = asking(Question("Is the partner told?", needs, timedelta(hours=4)))
    answers = [f"{label}: run.done", "It can’t be done: run.failed"]
    assert shown(waiting) == [f"{one} 3:change" for one in (*answers, *HOLD)]
    said = "\nIt needs 1 approval (1 operations) by others than ana." if needs else ""
    assert run_message(waiting).body == f"Is the partner told?{said}"


def test_a_step_that_asks_for_approval_names_who_can_give_it() -> None:
    question = Question("Delete it?", {"operations": 1}, timedelta(hours=4))
    needs = replace(NO_NEEDS, givers={"operations": ("@ops", "Dan Doe")})
    body = run_message(asking(question, requirement=needs)).body
    assert body.endswith("\nWho can approve: @ops, Dan Doe (operations).")


def test_a_run_that_was_planned_without_rules_is_not_let_go() -> None:
    old = run(RunState.AWAITING_APPROVAL, requirement=None)
    assert [one.partition(":")[0] for one in shown(old)] == ["Call it off"]
    assert "ask for it anew" in run_message(old).body


def test_a_plan_says_how_long_it_takes() -> None:
    took = Estimate(timedelta(minutes=12), NOTHING, NOTHING, timedelta(seconds=40), 7)
    plan = replace(plan_of(runbook()), estimate=took)
    said = "It usually takes about 40 s (7 earlier runs), at most 12 min (the steps’ time limits)."
    assert said in run_message(run(RunState.AWAITING_APPROVAL, plan=plan)).body.splitlines()
    assert said in plan_message(runbook(), plan, NO_NEEDS).body.splitlines()


@pytest.mark.parametrize("state", [RunState.READY, RunState.RUNNING, RunState.SUCCEEDED])
def test_a_broken_glass_is_seen_as_long_as_the_run(state: RunState) -> None:
    broken = run(state, overridden="Nobody is awake.", approved_by=BEN)
    first, *_ = run_message(broken).body.splitlines()
    assert first == "🚨 Approval overridden by ben: Nobody is awake."


def test_a_pause_says_that_somebody_has_to_end_it() -> None:
    assert "until somebody lets it go on" in run_message(run(RunState.WAITING)).body


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
    message = plan_message(runbook(), plan_of(runbook()), NO_NEEDS)
    assert message.headline == "📋 Plan of restart@1.0.0"
    said = {one.name: one.value for one in message.fields}
    assert (said["Changes now"], said["To run it"]) == ("nothing", "no approval")
    assert (message.subject, message.buttons) == (None, ())


def test_a_plan_with_problems_says_that_it_would_be_refused() -> None:
    steps = dict(plan_of(runbook()).steps)
    steps["change"] = replace(steps["change"], problems=("It is paused.",))
    message = plan_message(runbook(), make_plan("digest", {}, steps), NO_NEEDS)
    assert message.body == "It would be refused:\n✗ It is paused."


def test_a_plan_says_whose_approval_a_run_would_need() -> None:
    message = plan_message(runbook(), plan_of(runbook()), NEEDS)
    said = {one.name: one.value for one in message.fields}
    assert said["To run it"] == "2 approvals (1 approver, 1 security), rule high-risk"
    assert said["Who can approve"] == (
        "everybody (approver); @sec, U0DAN (security); not whoever asks for it"
    )


URL = "https://tocsin.example/"
GRAPH = Attachment("graph.png", "image/png", id=4)
LOG = Attachment("job.log", "text/plain", id=5)
DRAWING = Attachment("graph.svg", "image/svg+xml", id=6)


def test_it_links_to_its_page_and_to_what_its_steps_made() -> None:
    outcome = StepOutcome("Done.", attachments=(GRAPH, LOG, DRAWING))
    steps = (StepRecord("look", StepState.DONE, outcome=outcome),)
    pages = run_message(run(RunState.RUNNING, steps=steps), URL).pages
    assert [(one.label, one.link.url) for one in pages] == [
        ("Everything about this run", "https://tocsin.example/runs/3"),
        ("📎 graph.png", "https://tocsin.example/attachments/4"),
        ("📎 job.log", "https://tocsin.example/attachments/5"),
    ]


def test_without_a_public_address_it_links_nowhere_and_still_says_where_it_is() -> None:
    message = run_message(run(RunState.RUNNING))
    assert (message.pages, message.whole) == ((), "/runs/3")


def test_a_plan_that_waits_says_for_what_and_can_be_called_off() -> None:
    late = run_message(run(delay="Kubernetes can't be reached."))
    assert late.body.endswith("tried again: Kubernetes can't be reached.")
    assert [one.action for one in late.buttons] == ["run.cancel"]
    assert run_message(run()).buttons == ()


def test_a_plan_shows_the_parameters_that_have_a_value() -> None:
    waiting = run(RunState.AWAITING_APPROVAL, parameters={"workload": "a/b", "url": ""})
    said = {one.name: one.value for one in run_message(waiting).fields}
    assert said["Parameters"] == "workload=a/b"


def test_a_step_takes_one_line_however_much_it_said() -> None:
    outcome = StepOutcome("It failed; the end of its log:\n" + "line\n" * 500)
    steps = (StepRecord("look", StepState.DONE, outcome=outcome), StepRecord("change"))
    first, second = run_message(run(RunState.RUNNING, steps=steps)).preformatted.splitlines()
    assert (len(first), second) == (200, "· Do change")


def test_a_runbook_that_is_deprecated_says_so_in_its_plan_and_its_run() -> None:
    old = replace(runbook(), deprecated="Use restart@1.1.0.")
    assert "is deprecated: Use restart@1.1.0." in plan_message(old, plan_of(old), NO_NEEDS).body
    assert "is deprecated: Use restart@1.1.0." in run_message(replace(run(), runbook=old)).body
