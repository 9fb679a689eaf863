from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.findings import LOOKED, TOTAL, report
from bot.domain.plan import StepOutcome
from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import RunState
from bot.domain.run_message import run_message
from bot.domain.runbook import Risk
from tests.support.examples import run, runbook


def looked(state: RunState = RunState.SUCCEEDED, risk: Risk = Risk.NONE, **found: str) -> Run:
    """A run whose steps have found that."""
    steps = tuple(
        StepRecord(one.id, StepState.DONE, outcome=StepOutcome(found[one.id]))
        if one.id in found
        else one
        for one in run().steps
    )
    book = replace(runbook(), risk=risk)
    return run(state, runbook=book, steps=steps, result="Done and verified.")


def test_a_run_that_only_looked_shows_what_it_found() -> None:
    message = run_message(looked(look="2 of 3 pods ready.", change="1 change:\nsomebody edited"))
    assert message.body == (
        f"{LOOKED}\n▪ Do look\n2 of 3 pods ready.\n▪ Do change\n1 change:\nsomebody edited"
    )
    assert message.preformatted == ""


@pytest.mark.parametrize(
    "other",
    [
        looked(risk=Risk.LOW, look="2 of 3 pods ready."),
        looked(RunState.VERIFYING, look="2 of 3 pods ready."),
    ],
)
def test_one_that_changes_things_or_goes_on_shows_its_steps(other: Run) -> None:
    message = run_message(other)
    assert message.preformatted.startswith("✓ Do look - 2 of 3 pods ready.")
    assert "▪" not in message.body


def test_what_failed_is_said_before_what_was_found() -> None:
    failed = replace(looked(RunState.FAILED, look="3 pods."), result="Do wait failed: too old.")
    assert run_message(failed).body == "Do wait failed: too old.\n▪ Do look\n3 pods."


def test_the_longest_findings_are_cut_so_that_all_fit() -> None:
    lines = "\n".join(f"line {number} of the log" for number in range(500))
    text = report(looked(look=lines, change="x" * 5_000, wait="short", verify="also short"))
    assert len(text) <= TOTAL + len(LOOKED) + 1
    assert "▪ Do wait\nshort\n▪ Do verify\nalso short" in text
    first = text.partition("▪ Do change")[0].splitlines()
    assert first[-2].endswith("of the log")
    assert first[-1] == "…"
    assert "xxx…" in text


def test_a_run_that_found_nothing_has_only_its_result() -> None:
    assert run_message(looked(RunState.FAILED)).body == "Done and verified."
