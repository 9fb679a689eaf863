from __future__ import annotations

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import NotFound, PermanentError
from bot.domain.plan import StepOutcome
from bot.steps.object_change import NO_CHANGE
from tests.support.node_objects import node
from tests.support.step_bench import Bench, Step

NODE = ObjectRef("node", "", "node-1")


@pytest.fixture
def step(bench: Bench) -> Step:
    bench.objects.put(node("node-1", unschedulable=True))
    return bench.step("kubernetes.uncordon", node="node-1")


def is_cordoned(bench: Bench) -> bool:
    return bool(bench.objects.read(NODE).body["spec"].get("unschedulable"))


def test_the_plan_shows_the_change_and_makes_none(bench: Bench, step: Step) -> None:
    plan = step.plan()
    assert plan.changes == ("- spec.unschedulable: true",)
    assert [target.ref for target in plan.targets] == [NODE]
    assert plan.reversible
    assert (plan.problems, bench.objects.changes) == ((), [])


def test_it_uncordons_once_and_its_undo_takes_that_back(bench: Bench, step: Step) -> None:
    assert step.observe() is None
    outcome = step.execute()
    assert outcome.summary == "Node node-1 takes new pods again."
    assert not is_cordoned(bench)
    assert step.observe() == step.execute() == outcome
    assert step.undo(outcome).summary == "Node node-1 is cordoned again."
    assert is_cordoned(bench)
    assert len(bench.objects.changes) == 2


def test_a_node_that_took_pods_before_still_does(bench: Bench) -> None:
    bench.objects.put(node("node-1"))
    step = bench.step("kubernetes.uncordon", node="node-1")
    plan = step.plan()
    assert (plan.changes, plan.as_wanted) == ((NO_CHANGE,), True)
    outcome = step.execute()
    assert outcome.summary == "Node node-1 took new pods before."
    assert "still does" in step.undo(outcome).summary
    assert not is_cordoned(bench)
    assert bench.objects.changes == []


def test_a_node_that_is_gone_is_a_problem_and_nothing_to_undo(bench: Bench, step: Step) -> None:
    outcome = step.execute()
    bench.objects.remove(NODE)
    assert step.plan().problems == ("There is no node/node-1",)
    with pytest.raises(NotFound):
        step.execute()
    assert step.undo(outcome) == StepOutcome("Node node-1 is gone.")


def test_what_may_not_be_done_is_a_problem(bench: Bench, step: Step) -> None:
    bench.cluster.refusal = PermanentError("we may not patch nodes")
    assert step.plan().problems == ("we may not patch nodes",)
