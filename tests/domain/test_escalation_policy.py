from __future__ import annotations

from datetime import timedelta

import pytest

from bot.adapters.codec import dump, load
from bot.domain.classify import Severity
from bot.domain.contact import notifier
from bot.domain.escalation_policy import (
    EscalationPlan,
    EscalationPolicy,
    EscalationRule,
    EscalationStep,
    default_response_times,
)
from bot.domain.matcher_text import parse_matcher

MINUTE = timedelta(minutes=1)
P0, P1, P2 = Severity.P0, Severity.P1, Severity.P2


def rule(name: str, *levels: Severity, match: str = "") -> EscalationRule:
    matchers = (parse_matcher(match),) if match else ()
    return EscalationRule(name, levels, (EscalationStep(MINUTE, notifier(name)),), matchers)


def rules_of(plan: EscalationPlan) -> dict[Severity, str]:
    return {level: escalation.rule for level, escalation in plan.by_level.items()}


def test_for_each_level_the_first_rule_that_fits_counts() -> None:
    payments = rule("payments", P0, match='service="payments"')
    policy = EscalationPolicy((payments, rule("all", P0, P1), rule("late", P1, P2)))
    assert rules_of(policy.plan({"service": "payments"})) == {P0: "payments", P1: "all", P2: "late"}
    assert rules_of(policy.plan({"service": "x"})) == {P0: "all", P1: "all", P2: "late"}


def test_without_a_rule_that_fits_there_is_nothing_to_climb() -> None:
    assert EscalationPolicy((rule("a", P0, match='x="y"'),)).plan({}) == EscalationPlan()


@pytest.mark.parametrize(("level", "minutes"), [(P0, 5), (P1, 15)])
def test_by_default_a_page_that_nobody_takes_escalates(level: Severity, minutes: int) -> None:
    escalation = EscalationPolicy().plan({}).by_level[level]
    assert escalation.steps[0].after == minutes * MINUTE
    assert escalation.answer_within == minutes * MINUTE


def test_the_response_times_are_those_of_the_levels() -> None:
    times = default_response_times()
    assert [times[level] / MINUTE for level in Severity] == [15, 60, 240, 1440]


def test_a_plan_is_kept_as_json() -> None:
    plan = EscalationPolicy().plan({})
    assert load(dump(plan), EscalationPlan) == plan


def test_the_contacts_are_those_of_all_steps() -> None:
    policy = EscalationPolicy((rule("a", P0), rule("b", P1)))
    assert list(policy.contacts()) == [notifier("a"), notifier("b")]
