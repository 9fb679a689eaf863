from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.blocks import render
from bot.domain.cluster import BlastRadius
from bot.domain.message import Message
from bot.domain.plan import Estimate, Plan, Question, StepPlan, make_plan
from bot.domain.plan_text import (
    EXCERPT,
    blast_lines,
    estimated,
    outline,
    plan_excerpt,
    plan_lines,
    undo_lines,
)
from tests.support.examples import plan_of, runbook

NONE = timedelta(0)


def plan(*steps: StepPlan) -> Plan:
    return make_plan("digest", {}, {f"step-{number}": one for number, one in enumerate(steps)})


def test_a_plan_says_what_changes_whom_it_touches_and_what_stays() -> None:
    assert plan_lines(plan_of(runbook())) == [
        "1. Do look.",
        "2. Do change.",
        "   + annotation",
        "   touches 3 pods, 2 of them ready",
        "   behind service checkout",
        "   disruption budget checkout lets 1 more pod go down now",
        "   autoscaler checkout keeps 3 to 10 pods",
        "   not known: no policy API",
        "   stays if a later step or check fails",
        "3. Do wait.",
        "4. Do verify.",
    ]


def test_it_says_what_would_be_put_back() -> None:
    change = StepPlan("Change it.", changes=("+ a: 1",), reversible=True)
    assert undo_lines(change) == ("is put back if a later step or check fails",)
    assert undo_lines(replace(change, changes=())) == ()


def test_it_says_which_steps_change_something() -> None:
    look, change = StepPlan("Look."), StepPlan("Change.", changes=("+ a: 1",))
    assert outline(plan(look)) == "None of its steps changes anything."
    assert outline(plan(look, change)) == "Only step 2 of 2 changes something."
    assert outline(plan(change, look, change)) == "Only steps 1, 3 of 3 change something."


def test_a_step_with_nothing_left_to_change_is_not_counted_as_a_change() -> None:
    change = StepPlan("Change.", changes=("+ a: 1",), reversible=True)
    done = replace(change, changes=("nothing changes",), as_wanted=True)
    assert outline(plan(change, done)) == (
        "Only step 1 of 2 changes something; 1 is already as wanted."
    )
    assert outline(plan(done, done)) == (
        "None of its steps changes anything; 2 are already as wanted."
    )
    assert plan_lines(plan(done)) == ["1. Change.", "   nothing changes"]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (None, ""),
        (Estimate(NONE, NONE, NONE), "takes a few seconds: none of its steps waits."),
        (
            Estimate(timedelta(seconds=750), timedelta(seconds=60), NONE),
            "takes at most 12 min 30 s (the steps’ time limits), soak of 1 min included.",
        ),
        (
            Estimate(timedelta(minutes=12), NONE, timedelta(hours=8), timedelta(seconds=39.2), 7),
            "usually takes about 40 s (7 earlier runs), at most 12 min (the steps’ time limits)."
            " People’s answers are waited for 8 h at most, besides.",
        ),
        (
            Estimate(NONE, NONE, NONE, timedelta(seconds=3), 1),
            "usually takes about 3 s (1 earlier run).",
        ),
    ],
)
def test_it_says_how_long_it_takes(known: Estimate | None, said: str) -> None:
    assert estimated(known) == (f"It {said}" if said else "")


def test_a_step_of_people_says_whose_answer_it_waits_for() -> None:
    asks = Question("Go?", {"security": 1}, timedelta(hours=4))
    waits = StepPlan("Wait for approval: Go?", asks=asks)
    givers = {"security": ("@sec", "ana", "ben", "chen", "dan", "eve", "flo")}
    assert plan_lines(plan(waits), givers) == [
        "1. Wait for approval: Go?",
        "   waits up to 4 h for 1 approval (1 security), not of whoever asked for the run",
        "   who can approve: @sec, ana, ben, chen, dan and 2 more (security)",
    ]
    by_hand = replace(waits, asks=replace(asks, needs={}))
    assert plan_excerpt(plan(by_hand))[1:] == [
        "   waits up to 4 h for a word that it is done",
    ]


def test_who_is_touched_is_said_in_words() -> None:
    assert blast_lines(None) == ()
    assert blast_lines(BlastRadius(0, 0)) == ["touches 0 pods"]
    assert blast_lines(BlastRadius(1, 1, ("a", "b"))) == [
        "touches 1 pod, all ready",
        "behind services a, b",
    ]


def test_a_plan_that_fits_is_shown_whole() -> None:
    assert plan_excerpt(plan_of(runbook()), "/runs/3") == plan_lines(plan_of(runbook()))


def test_of_a_long_plan_every_step_is_shown_and_what_is_left_out_is_counted() -> None:
    changes = tuple(f"+ spec.field_{number}: {'x' * 40}" for number in range(90))
    steps = [StepPlan(f"Change object {number}.", changes) for number in range(6)]
    lines = plan_excerpt(plan(*steps), "/runs/3")
    assert [f"{number}. Change object {number - 1}." for number in range(1, 7)] == [
        line for line in lines if not line.startswith(" ")
    ]
    shown = sum(line.startswith("   + ") for line in lines) // 6
    assert lines.count(f"   … {90 - shown} more lines: /runs/3") == 6
    assert sum(map(len, lines)) <= EXCERPT


def test_a_long_line_is_cut() -> None:
    (_, change, _) = plan_excerpt(plan(StepPlan("Change it.", ("+ data: " + "x" * 5_000,))))
    assert len(change) == 200
    assert change.endswith("x…")


HOSTILE = st.text(st.sampled_from("&<>`*\u202e\n+- xyz"), max_size=300)
STEPS = st.builds(
    StepPlan,
    summary=HOSTILE,
    changes=st.lists(HOSTILE, max_size=60).map(tuple),
    reversible=st.booleans(),
)


@given(st.lists(STEPS, min_size=1, max_size=30))
def test_whatever_a_plan_says_slack_takes_it_and_what_is_missing_is_said(
    steps: list[StepPlan],
) -> None:
    lines = "\n".join(plan_excerpt(plan(*steps), "/runs/3"))
    blocks, _ = render(Message("Plan", preformatted=lines, whole="/runs/3"))
    code = blocks[1]["text"]["text"]
    assert len(code) <= 3_000
    assert len(blocks) <= 50
    missing = lines.strip("\n").count("\n") + 1 - (code.count("\n") - 1)
    assert missing <= 0 or re.search(r"… \d+ more lines?: /runs/3", code)


def test_a_step_is_told_by_its_title_then_by_what_it_would_do() -> None:
    titled = StepPlan("Scale payments/checkout to 0 pods.", title="Stop all writes")
    same = StepPlan("Look.", title="Look.")
    plan = make_plan("digest", {}, {"stop": titled, "look": same, "old": StepPlan("Waits.")})
    assert list(plan_lines(plan)) == [
        "1. Stop all writes",
        "   Scale payments/checkout to 0 pods.",
        "2. Look.",
        "3. Waits.",
    ]
