"""Where a rehearsal falls short of what was expected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.plan import StepOutcome
from bot.domain.rehearsal import Expectation, named, shortfalls
from bot.domain.resource import Manifest
from bot.domain.run import Run, StepState
from bot.domain.run_events import RunState
from tests.support.examples import run

SHOP = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"namespace": "web", "name": "shop"},
    "spec": {"replicas": 3, "paused": True},
}


@pytest.fixture
def failed() -> Run:
    plain = run(RunState.FAILED)
    look, change, *rest = plain.steps
    done = replace(look, state=StepState.DONE, outcome=StepOutcome("2 of 3 pods ready."))
    broken = replace(change, state=StepState.FAILED, reason="it was forbidden")
    return replace(plain, steps=(done, broken, *rest), result="Change it failed.")


def _told(run: Run, expected: Expectation, there: Manifest | None = None) -> list[str]:
    return list(shortfalls(expected, run, lambda _manifest: there))


def test_what_went_as_expected_says_nothing(failed: Run) -> None:
    expected = Expectation(
        RunState.FAILED,
        steps={"look": StepState.DONE, "change": StepState.FAILED, "wait": StepState.PENDING},
        says=("2 of 3", "forbidden", "Change it failed"),
        objects=({**SHOP, "spec": {"replicas": 3}},),
    )
    assert _told(failed, expected, SHOP) == []


def test_another_end_is_said_with_its_reason(failed: Run) -> None:
    (told,) = _told(failed, Expectation(RunState.SUCCEEDED))
    assert told == "it ended failed, not succeeded: Change it failed."


def test_a_step_that_went_another_way_is_said_with_its_reason(failed: Run) -> None:
    steps = {"change": StepState.DONE, "look": StepState.UNDONE, "leap": StepState.DONE}
    assert _told(failed, Expectation(RunState.FAILED, steps)) == [
        "step change is failed, not done: it was forbidden",
        "step look is done, not undone: 2 of 3 pods ready.",
        "there is no step leap",
    ]


def test_a_text_that_nobody_said_is_named_with_what_was_said(failed: Run) -> None:
    (told,) = _told(failed, Expectation(RunState.FAILED, says=("out of memory",)))
    assert told.startswith("nowhere is it said that “out of memory”")
    assert "it was forbidden" in told


def test_an_object_is_compared_by_the_fields_that_are_named(failed: Run) -> None:
    wanted = {**SHOP, "spec": {"replicas": 5}}
    (told,) = _told(failed, Expectation(RunState.FAILED, objects=(wanted,)), SHOP)
    assert told.startswith("Deployment web/shop is not as expected: ")
    assert "'replicas': 3" in told
    assert "paused" not in told


def test_an_object_may_have_to_be_there_or_not(failed: Run) -> None:
    assert _told(failed, Expectation(RunState.FAILED, objects=(SHOP,))) == [
        "Deployment web/shop is not there"
    ]
    assert _told(failed, Expectation(RunState.FAILED, absent=(SHOP,)), SHOP) == [
        "Deployment web/shop is there"
    ]
    assert _told(failed, Expectation(RunState.FAILED, absent=(SHOP,))) == []


def test_what_is_in_no_namespace_has_only_a_name() -> None:
    assert named({"kind": "Node", "metadata": {"name": "node-1"}}) == "Node node-1"
