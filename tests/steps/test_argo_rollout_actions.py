"""Abort, promote and retry: what is written is what the kubectl plugin writes."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError
from tests.support.gitops import BLUE_GREEN, NEWEST, STABLE, canary, paused, rollout
from tests.support.step_bench import Bench, Step

NAME = "shop/shop"
ABORT, PROMOTE, RETRY = "argo.rollout_abort", "argo.rollout_promote", "argo.rollout_retry"


def put(bench: Bench, strategy: Any, status: Any, **spec: Any) -> ObjectRef:
    return bench.objects.put(rollout(strategy, status, **spec))


def status(bench: Bench, ref: ObjectRef) -> Any:
    return bench.objects.read(ref).body["status"]


def planned(bench: Bench, kind: str, **arguments: Any) -> Step:
    step = bench.step(kind, rollout=NAME, **arguments)
    assert step.plan().problems == ()
    return step


@pytest.mark.parametrize("strategy", [canary(), BLUE_GREEN])
def test_an_abort_is_written_into_the_status(bench: Bench, strategy: Any) -> None:
    ref = put(bench, strategy, paused("CanaryPauseStep", currentStepIndex=1))
    step = planned(bench, ABORT)
    assert step.execute().summary == "The update of Rollout shop/shop is aborted."
    assert status(bench, ref)["abort"] is True
    assert bench.objects.changes == [f"merge {ref} run-7/it", f"merge {ref}/status"]


def test_the_plan_of_an_abort_tells_the_change_and_changes_nothing(bench: Bench) -> None:
    ref = put(bench, canary(), paused("CanaryPauseStep", currentStepIndex=1))
    plan = bench.step(ABORT, rollout=NAME).plan()
    assert plan.summary == (
        "Abort the update of Rollout shop/shop: back to its stable version. "
        "Now: Paused, step 1 of 4 (CanaryPauseStep)."
    )
    assert plan.changes == ("+ status.abort: true",)
    assert [target.ref for target in plan.targets] == [ref]
    assert not plan.reversible
    assert bench.objects.changes == []


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({"abort": True}, "Rollout shop/shop is aborted already."),
        ({"currentPodHash": STABLE}, "Rollout shop/shop is fully promoted, so"),
    ],
)
def test_what_can_not_be_aborted_is_not_planned(bench: Bench, found: Any, problem: str) -> None:
    put(bench, canary(), found)
    (said,) = bench.step(ABORT, rollout=NAME).plan().problems
    assert said.startswith(problem)


def test_a_rollout_that_is_promoted_in_the_meantime_is_not_aborted(bench: Bench) -> None:
    put(bench, canary(), {})
    step = planned(bench, ABORT)
    put(bench, canary(), {"stableRS": NEWEST})
    with pytest.raises(PermanentError, match="fully promoted"):
        step.execute()
    assert bench.objects.changes == []


def test_a_retry_takes_the_abort_back_and_its_undo_aborts_again(bench: Bench) -> None:
    ref = put(bench, canary(), {"abort": True})
    step = planned(bench, RETRY)
    outcome = step.execute()
    assert status(bench, ref)["abort"] is False
    step.undo(outcome)
    assert status(bench, ref)["abort"] is True


def test_what_is_not_aborted_is_not_retried(bench: Bench) -> None:
    put(bench, canary(), {})
    assert bench.step(RETRY, rollout=NAME).plan().problems == ("Rollout shop/shop is not aborted.",)


@pytest.mark.parametrize(
    ("strategy", "before", "spec", "written"),
    [
        (canary(), paused("CanaryPauseStep", currentStepIndex=1), {}, {"currentStepIndex": 1}),
        (BLUE_GREEN, paused("BlueGreenPause"), {}, {}),
        (canary(), {"currentStepIndex": 1}, {}, {"currentStepIndex": 2}),
        (canary(2), {"currentStepIndex": 2}, {}, {"currentStepIndex": 2}),
        (canary(), {"currentStepIndex": 1}, {"paused": True}, {"currentStepIndex": 2}),
        (
            canary(),
            paused(
                "InconclusiveAnalysisRun",
                currentStepIndex=1,
                canary={"currentStepAnalysisRunStatus": {"status": "Inconclusive"}},
            ),
            {},
            {"currentStepIndex": 2, "controllerPause": False},
        ),
    ],
)
def test_a_promotion_writes_what_the_plugin_writes(
    bench: Bench, strategy: Any, before: Any, spec: Any, written: Any
) -> None:
    ref = put(bench, strategy, before, **spec)
    planned(bench, PROMOTE).execute()
    after = bench.objects.read(ref).body
    assert "pauseConditions" not in after["status"]
    assert {**after["status"], **written} == after["status"]
    assert after["spec"].get("paused", False) is False


def test_a_full_promotion_skips_all_that_is_left(bench: Bench) -> None:
    ref = put(bench, canary(), paused("CanaryPauseStep"), paused=True)
    step = planned(bench, PROMOTE, full=True)
    assert step.execute().summary == "Rollout shop/shop is promoted in full."
    assert status(bench, ref)["promoteFull"] is True
    assert bench.objects.read(ref).body["spec"]["paused"] is False


@pytest.mark.parametrize(
    ("strategy", "found", "problem"),
    [
        (BLUE_GREEN, {}, "waits for nothing that could be promoted"),
        (canary(), {"abort": True}, "argo.rollout_retry starts its update again"),
    ],
)
def test_what_can_not_be_promoted_is_not_planned(
    bench: Bench, strategy: Any, found: Any, problem: str
) -> None:
    put(bench, strategy, found)
    (said,) = bench.step(PROMOTE, rollout=NAME).plan().problems
    assert problem in said


def test_a_rollout_that_went_on_by_itself_is_not_promoted_past_its_next_pause(
    bench: Bench,
) -> None:
    ref = put(bench, canary(), paused("CanaryPauseStep", currentStepIndex=1))
    step = planned(bench, PROMOTE)
    put(bench, canary(), paused("CanaryPauseStep", currentStepIndex=3))
    with pytest.raises(PermanentError, match="has moved on since it was planned"):
        step.execute()
    assert status(bench, ref)["pauseConditions"]


@pytest.mark.parametrize("spec", [{}, {"paused": True}])
def test_a_promotion_that_was_interrupted_half_way_does_the_rest_once(
    bench: Bench, spec: Any
) -> None:
    before = paused("CanaryPauseStep", currentStepIndex=1)
    ref = put(bench, canary(), before, **spec)
    step = planned(bench, PROMOTE)
    released = {"spec": {"paused": False}} if spec else {}
    bench.objects.merge(ref, released, step.context.marker)
    assert step.observe() is None
    step.execute()
    assert "pauseConditions" not in status(bench, ref)
    changes = list(bench.objects.changes)
    put_back = bench.objects.read(ref).body
    bench.objects.put({**put_back, "status": {**put_back["status"], "currentStepIndex": 2}})
    assert step.execute().summary == "Rollout shop/shop is promoted."
    assert bench.objects.changes == changes


@pytest.mark.parametrize("kind", [ABORT, PROMOTE])
def test_neither_is_put_back_by_itself(bench: Bench, kind: str) -> None:
    put(bench, canary(), paused("CanaryPauseStep"))
    step = planned(bench, kind)
    with pytest.raises(PermanentError, match="is not put back"):
        step.undo(step.execute())
