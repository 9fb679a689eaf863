"""What a person is told who has to find out how a run ended."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.run import StepState
from bot.domain.run_events import RunState
from bot.domain.run_message import run_message
from bot.domain.run_unclear import what_is_known
from tests.support.examples import NOW, run


def test_a_step_without_an_end_says_what_it_was_to_do_and_where_to_look() -> None:
    plain = run(RunState.UNCERTAIN, result="The runner failed: KeyError('x')")
    steps = tuple(
        replace(one, state=StepState.STARTED, started_at=NOW, progress="1 of 3 pods")
        if one.id == "change"
        else one
        for one in plain.steps
    )
    unclear = replace(plain, steps=steps)
    assert what_is_known(unclear).splitlines() == [
        "Step “Do change” began at 2026-03-01 03:00:00 UTC.",
        "It was to do this: Do change.",
        "Seen last: 1 of 3 pods",
        "Look at deployment/payments/checkout: if the step changed it,"
        " it carries the annotation tocsin/last-step: run-3/change.",
        "Nothing more is done by itself. A new run plans anew, from what is there then.",
        "Once you know: /runbook done 3 WORDS, or /runbook failed 3 WORDS.",
    ]
    assert run_message(unclear).body.startswith(
        "The runner failed: KeyError('x')\nStep “Do change”"
    )


def test_a_run_that_failed_while_it_was_planned_has_no_step_to_look_at() -> None:
    unplanned = replace(run(RunState.PLANNING), state=RunState.UNCERTAIN)
    assert what_is_known(unplanned).splitlines() == [
        "Nothing more is done by itself. A new run plans anew, from what is there then.",
        "Once you know: /runbook done 3 WORDS, or /runbook failed 3 WORDS.",
    ]
