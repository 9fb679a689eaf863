"""Which namespaces a run touches, and so which rules hold for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.app.access import Forbidden
from bot.domain.access_policy import AccessPolicy, ApprovalRule, Role
from bot.domain.actor import Actor, ActorKind
from bot.domain.cluster import DEPLOYMENT, ObjectRef
from bot.domain.parameter import Parameter, ParameterType
from bot.domain.plan import Plan, Question, StepPlan, Target, make_plan
from bot.domain.runbook import Runbook, Step
from tests.support.access import OPEN_TO_ALL, access
from tests.support.clock import FakeClock
from tests.support.examples import ANA, asking, plan_of, run, runbook

BY_NAMESPACE = AccessPolicy(
    roles={Role.RESPONDER: ("*",)},
    environments={"staging": ("*-staging",)},
    rules=(
        ApprovalRule("staging", {}, environments=("staging",)),
        ApprovalRule("strict", {"approver": 2}),
    ),
)


def rule_for(book: Runbook, parameters: dict[str, str], plan: Plan) -> str:
    return access(FakeClock(), BY_NAMESPACE).requirement(book, parameters, plan).rule


def book_of(kind: ParameterType, **arguments: str) -> Runbook:
    """A runbook with one parameter, and one step with these arguments."""
    step = Step("it", "test.step", "Do it", {"value": "${parameters.x}", **arguments})
    parameter = Parameter("x", kind, "What.")
    return replace(runbook(), parameters=(parameter,), steps=(step,), verification=())


def plan_with(*namespaces: str) -> Plan:
    targets = tuple(
        Target(ObjectRef(DEPLOYMENT, namespace, "x"), "uid", "spec") for namespace in namespaces
    )
    return make_plan("digest", {}, {"it": StepPlan("Does it.", targets=targets)})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ParameterType.WORKLOAD, "web{}/x"),
        (ParameterType.SERVICE, "web{}/x"),
        (ParameterType.OBJECT, "web{}/x"),
        (ParameterType.NAMESPACE, "web{}"),
    ],
)
def test_a_parameter_names_a_namespace(kind: ParameterType, value: str) -> None:
    book = book_of(kind)
    assert rule_for(book, {"x": value.format("-staging")}, plan_with()) == "staging"
    assert rule_for(book, {"x": value.format("")}, plan_with()) == "strict"


def test_one_that_is_left_empty_names_none() -> None:
    plan = plan_with("web-staging")
    assert rule_for(book_of(ParameterType.NAMESPACE), {"x": ""}, plan) == "staging"


def test_a_target_is_in_its_namespace() -> None:
    book = book_of(ParameterType.STRING)
    assert rule_for(book, {"x": "web-staging"}, plan_with("web-staging")) == "staging"
    assert rule_for(book, {"x": "web-staging"}, plan_with("web-staging", "web")) == (
        "strict, staging"
    )


def test_what_is_in_no_namespace_counts_too() -> None:
    plan = plan_with("", "web-staging")
    assert rule_for(book_of(ParameterType.STRING), {"x": ""}, plan) == "strict, staging"


@pytest.mark.parametrize("named", ["web", "${parameters.x}"])
def test_a_step_may_act_in_a_namespace_in_which_it_has_no_target_yet(named: str) -> None:
    book = book_of(ParameterType.STRING, namespace=named)
    assert rule_for(book, {"x": "web"}, plan_with("web-staging")) == "strict, staging"


STRANGER = Actor(ActorKind.PERSON, "os:1000", "somebody")


def test_who_the_chat_does_not_know_asks_for_nothing_that_needs_approval() -> None:
    rules = access(FakeClock(), BY_NAMESPACE)
    with pytest.raises(Forbidden, match="nobody that the chat knows"):
        rules.requirement_of(run(requested_by=STRANGER), plan_of(runbook()))
    assert rules.requirement_of(run(requested_by=ANA), plan_of(runbook())).needs == {"approver": 2}


def test_nor_for_what_asks_for_approval_on_its_way() -> None:
    rules = access(FakeClock(), OPEN_TO_ALL)
    plain = run(requested_by=STRANGER)
    assert rules.requirement_of(plain, plan_of(runbook())).needs == {}
    waits = asking(Question("Go?", {"approver": 1}, timedelta(hours=1)))
    assert waits.plan is not None
    with pytest.raises(Forbidden, match="nobody that the chat knows"):
        rules.requirement_of(plain, waits.plan)
