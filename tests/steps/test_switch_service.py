from __future__ import annotations

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import PermanentError
from tests.support.step_bench import Bench, Step

KIND = "kubernetes.switch_service"
NAME = "payments/checkout"
ACTIVE = {"app": "checkout", "role": "active"}
STANDBY = {"app": "checkout", "role": "standby"}


@pytest.fixture
def ref(bench: Bench) -> ObjectRef:
    """A Service with one active pod behind it and one standby pod beside it."""
    bench.cluster.set_pod("payments/active-1", ACTIVE)
    bench.cluster.set_pod("payments/standby-1", STANDBY)
    return bench.cluster.add_service(NAME, ACTIVE)


@pytest.fixture
def step(bench: Bench, ref: ObjectRef) -> Step:
    return bench.step(KIND, service=NAME, to="standby")


def test_the_plan_replaces_one_label_and_keeps_the_rest(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    plan = step.plan()
    assert plan.changes == ("- spec.selector.role: active", "+ spec.selector.role: standby")
    assert plan.problems == ()
    assert plan.reversible
    assert [target.ref for target in plan.targets] == [ref]
    assert plan.blast_radius is not None
    assert plan.blast_radius.pods == 1
    assert bench.cluster.changes == []


def test_it_warns_where_fewer_pods_would_carry_the_traffic(bench: Bench, step: Step) -> None:
    bench.cluster.set_pod("payments/active-2", ACTIVE)
    assert step.plan().changes[-1] == "! 1 ready pod will carry what 2 carry now"
    bench.cluster.set_pod("payments/active-2", ACTIVE, ready=False, reason="Pending")
    assert step.plan().changes[-1] == "+ spec.selector.role: standby"


def test_without_ready_pods_on_the_other_side_it_is_not_planned(bench: Bench, step: Step) -> None:
    bench.cluster.set_pod("payments/standby-1", STANDBY, ready=False, reason="Pending")
    assert step.plan().problems == (
        "Ready pods with role=standby: 0, but at least 1 must be. Not ready: standby-1 (Pending).",
    )


def test_more_ready_pods_can_be_asked_for(bench: Bench, ref: ObjectRef) -> None:
    plan = bench.step(KIND, service=NAME, to="standby", minimum_ready="2").plan()
    assert plan.problems == ("Ready pods with role=standby: 1, but at least 2 must be.",)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"to": "active"}, f"Service {NAME} already selects role=active."),
        (
            {"to": "b", "label": "colour"},
            f"Service {NAME} does not select by colour; it selects app=checkout, role=active.",
        ),
    ],
)
def test_a_switch_that_makes_no_sense_is_a_problem(
    bench: Bench, ref: ObjectRef, arguments: dict[str, str], problem: str
) -> None:
    assert bench.step(KIND, service=NAME, **arguments).plan().problems == (problem,)


def test_it_switches_once_however_often_it_is_executed(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    assert step.observe() is None
    first = step.execute()
    assert first.summary == f"Service {NAME} now selects role=standby."
    assert bench.cluster.service(ref).selector == STANDBY
    assert step.observe() == first
    assert step.execute() == first
    assert bench.cluster.changes == ["service/payments/checkout by run-7/it"]


def test_a_standby_that_went_away_since_the_plan_stops_it(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    bench.cluster.set_pod("payments/standby-1", STANDBY, ready=False, reason="OOMKilled")
    with pytest.raises(PermanentError, match="standby-1 \\(OOMKilled\\)"):
        step.execute()
    assert bench.cluster.service(ref).selector == ACTIVE


def test_undoing_puts_the_selector_back_once(bench: Bench, ref: ObjectRef, step: Step) -> None:
    step.plan()
    outcome = step.execute()
    first = step.undo(outcome)
    assert first.summary == f"Service {NAME} selects role=active again."
    assert step.undo(outcome) == first
    assert bench.cluster.service(ref).selector == ACTIVE
    assert len(bench.cluster.changes) == 2


def test_undoing_leaves_somebody_else_s_change_alone(
    bench: Bench, ref: ObjectRef, step: Step
) -> None:
    step.plan()
    outcome = step.execute()
    bench.cluster.select(ref, {"role": "third"})
    with pytest.raises(PermanentError, match="was changed since the switch"):
        step.undo(outcome)
    assert bench.cluster.service(ref).selector == {"role": "third"}
