from __future__ import annotations

import pytest

from bot.domain.errors import PermanentError
from bot.domain.plan import Target
from tests.support.step_bench import Bench, Step

NAME = "payments/checkout"


@pytest.fixture
def step(bench: Bench) -> Step:
    bench.cluster.add_deployment(NAME, ["shop:1"])
    return bench.step("kubernetes.rollout_restart", workload=NAME)


def test_the_plan_shows_the_change_its_target_and_what_it_touches(bench: Bench, step: Step) -> None:
    plan = step.plan()
    seen = bench.cluster.deployments()[0]
    assert plan.problems == ()
    assert plan.changes == (
        "+ spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]: "
        "the time at which the step begins",
    )
    assert plan.targets == (Target(seen.ref, seen.uid, seen.spec_digest),)
    assert plan.blast_radius is not None
    assert plan.blast_radius.pods == 3
    assert not plan.reversible
    assert bench.cluster.changes == []


def test_the_same_plan_is_made_again_later(bench: Bench, step: Step) -> None:
    before = step.plan()
    bench.clock.advance(60)
    assert bench.step("kubernetes.rollout_restart", workload=NAME).plan() == before


@pytest.mark.parametrize(
    ("state", "problem"), [({"paused": True}, "is paused"), ({"desired": 0}, "is scaled to 0")]
)
def test_what_can_t_be_restarted_is_a_problem(
    bench: Bench, step: Step, state: dict[str, object], problem: str
) -> None:
    bench.cluster.edit(bench.cluster.deployments()[0].ref, **state)
    assert problem in " ".join(step.plan().problems)


def test_a_refused_dry_run_is_a_problem(bench: Bench, step: Step) -> None:
    bench.cluster.refusal = PermanentError("we may not patch deployments in payments")
    assert step.plan().problems == ("we may not patch deployments in payments",)


def test_a_missing_deployment_is_a_problem(bench: Bench) -> None:
    plan = bench.step("kubernetes.rollout_restart", workload="payments/nope").plan()
    assert plan.problems == ("There is no deployment/payments/nope.",)


def test_it_restarts_once_however_often_it_is_executed(bench: Bench, step: Step) -> None:
    assert step.observe() is None
    first = step.execute()
    assert first.summary == "Rolling restart of payments/checkout begun: 3 pods to replace."
    assert step.observe() == first
    assert step.execute() == first
    assert bench.cluster.changes == ["deployment/payments/checkout by run-7/it"]


def test_undoing_says_that_there_is_nothing_to_put_back(bench: Bench, step: Step) -> None:
    undone = step.undo(step.execute())
    assert undone.summary.startswith("A restart has nothing to put back")
    assert len(bench.cluster.changes) == 1
