from __future__ import annotations

import pytest

from bot.domain.cluster import Marker, ObjectRef
from bot.domain.errors import PermanentError, TemporaryError
from tests.support.step_bench import Bench, Step

NAME = "payments/checkout"
KIND = "kubernetes.rollout_undo"


@pytest.fixture
def ref(bench: Bench) -> ObjectRef:
    """A Deployment with three revisions, of which the third runs."""
    return bench.cluster.add_deployment(NAME, ["shop:1", "shop:2", "shop:3"])


@pytest.fixture
def step(bench: Bench, ref: ObjectRef) -> Step:
    return bench.step(KIND, workload=NAME)


def images(bench: Bench, ref: ObjectRef) -> tuple[str, ...]:
    return bench.cluster.deployment(ref).images


def test_previous_is_resolved_when_it_is_planned(bench: Bench, step: Step) -> None:
    plan = step.plan()
    assert plan.summary == f"Roll Deployment {NAME} back from revision 3 to revision 2."
    assert plan.changes == ("- image: shop:3", "+ image: shop:2")
    assert plan.decided["revision"] == "2"
    assert plan.reversible
    assert plan.problems == ()
    assert bench.cluster.changes == []


def test_a_revision_can_be_given_by_its_number(bench: Bench, ref: ObjectRef) -> None:
    step = bench.step(KIND, workload=NAME, revision="1")
    assert step.plan().decided["revision"] == "1"
    step.execute()
    assert images(bench, ref) == ("shop:1",)


def test_previous_skips_what_only_a_restart_made(bench: Bench, ref: ObjectRef) -> None:
    bench.cluster.restart(ref, Marker(1, "restart", bench.clock.now()))
    bench.cluster.settle(ref)
    plan = bench.step(KIND, workload=NAME).plan()
    assert plan.decided["revision"] == "2"
    assert plan.changes == ("- image: shop:3", "+ image: shop:2")


def test_without_anything_different_previous_is_the_last_one(bench: Bench) -> None:
    ref = bench.cluster.add_deployment("web/api", ["api:1"])
    bench.cluster.restart(ref, Marker(1, "restart", bench.clock.now()))
    bench.cluster.settle(ref)
    assert bench.step(KIND, workload="web/api").plan().decided["revision"] == "1"


def test_going_back_to_the_same_images_is_said(bench: Bench, ref: ObjectRef) -> None:
    bench.cluster.restart(ref, Marker(1, "restart", bench.clock.now()))
    bench.cluster.settle(ref)
    plan = bench.step(KIND, workload=NAME, revision="3").plan()
    assert plan.changes == (
        "the images stay the same: only other parts of the pod template change",
        "the revisions that are kept: 4 is shop:3; 3 is shop:3; 2 is shop:2; 1 is shop:1",
    )


@pytest.mark.parametrize(
    ("revision", "problem"),
    [
        ("3", "Revision 3 is the one that runs now."),
        ("8", "Revision 8 is not kept any more; there are: 1, 2."),
    ],
)
def test_a_revision_that_can_t_be_gone_back_to_is_a_problem(
    bench: Bench, ref: ObjectRef, revision: str, problem: str
) -> None:
    assert bench.step(KIND, workload=NAME, revision=revision).plan().problems == (problem,)


def test_without_an_earlier_revision_the_problem_names_the_likely_cause(bench: Bench) -> None:
    bench.cluster.add_deployment("payments/new", ["shop:1"])
    (problem,) = bench.step(KIND, workload="payments/new").plan().problems
    assert "revisionHistoryLimit" in problem


def test_a_paused_deployment_is_a_problem(bench: Bench, ref: ObjectRef, step: Step) -> None:
    bench.cluster.edit(ref, paused=True)
    assert step.plan().problems == (f"Deployment {NAME} is paused; resume it first.",)


def test_it_rolls_back_once_however_often_it_is_executed(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    assert step.observe() is None
    first = step.execute()
    bench.cluster.settle(ref)  # revision 2 is revision 4 now
    assert step.observe() == first
    assert step.execute() == first
    assert bench.cluster.changes == ["deployment/payments/checkout by run-7/it"]
    assert images(bench, ref) == ("shop:2",)


def test_what_was_planned_is_what_runs_though_it_was_renumbered(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    other = Marker(1, "other", bench.clock.now())
    for revision in (2, 3):  # there and back: shop:2 is revision 4, shop:3 is revision 5
        bench.cluster.roll_back(ref, revision, other)
        bench.cluster.settle(ref)
        other = Marker(2, "other", bench.clock.now())
    step.execute()
    assert images(bench, ref) == ("shop:2",)


def test_a_revision_that_is_gone_by_then_fails_it(bench: Bench, ref: ObjectRef, step: Step) -> None:
    step.plan()
    bench.cluster.forget_revision(ref, "checkout-rs2")
    with pytest.raises(PermanentError, match="ReplicaSet checkout-rs2 is gone"):
        step.execute()
    assert bench.cluster.changes == []


def test_undoing_puts_back_what_ran_before(bench: Bench, ref: ObjectRef, step: Step) -> None:
    step.plan()
    outcome = step.execute()
    bench.cluster.settle(ref)
    undone = step.undo(outcome)
    assert undone.summary == (
        f"{NAME} is set back to what ran before the rollback (then revision 3)."
    )
    assert images(bench, ref) == ("shop:3",)


def test_what_was_observed_can_be_undone_like_what_was_executed(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    step.execute()
    bench.cluster.settle(ref)
    observed = step.observe()
    assert observed is not None
    step.undo(observed)
    assert images(bench, ref) == ("shop:3",)


def test_undoing_twice_changes_once(bench: Bench, ref: ObjectRef, step: Step) -> None:
    step.plan()
    outcome = step.execute()
    bench.cluster.settle(ref)
    first = step.undo(outcome)
    bench.cluster.settle(ref)
    assert step.undo(outcome) == first
    assert len(bench.cluster.changes) == 2


def test_undoing_waits_until_the_rollback_was_seen(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    outcome = step.execute()
    with pytest.raises(TemporaryError, match="not yet seen"):
        step.undo(outcome)
    assert images(bench, ref) == ("shop:2",)


def test_undoing_leaves_somebody_else_s_change_alone(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    outcome = step.execute()
    bench.cluster.settle(ref)
    bench.cluster.apply(ref, "shop:4")
    with pytest.raises(PermanentError, match="was changed since the rollback"):
        step.undo(outcome)
    assert images(bench, ref) == ("shop:4",)
