"""How bad alerts are, by the policy in force and the facts that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.app.facts import FactReader
from bot.app.judging import Judge
from bot.domain.alert import AlertStatus
from bot.domain.classify import Policy, Rule, Severity
from bot.domain.facts import Comparison, Fact
from tests.support.clock import FakeClock
from tests.support.core import POLICY, firing

READY = Fact("not-ready", "Share.", 'ready{service="${service}"}', timeout=0.5, cache=0.0)
HALF_DOWN = Rule(
    "half-down",
    Severity.P0,
    "Half of it is down.",
    facts=(Comparison("not-ready", ">=", 0.5),),
    needs=frozenset({"not-ready"}),
)
FLAPS = Rule("flaps", Severity.P1, "It flaps.", facts=(Comparison("flaps", ">=", 3),))
MANY = Rule("many", Severity.P0, "There are many.", facts=(Comparison("firing", ">=", 10),))


class Measured:
    """Implements the `Metrics` port: one number for everything."""

    def __init__(self, value: float) -> None:
        self.value = value
        self.asked: list[str] = []

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        self.asked.append(expression)
        return [({}, self.value)]


def with_rules(*rules: Rule, digest: str = "digest") -> Policy:
    facts = (READY,) if HALF_DOWN in rules else ()
    return replace(POLICY, rules=(*rules, *POLICY.rules), digest=digest, facts=facts)


def judge_of(policy: Policy, metrics: Measured | None = None) -> Judge:
    return Judge(lambda: policy, FactReader(metrics, FakeClock()))


def test_the_worst_of_several_alerts_counts() -> None:
    judge = judge_of(POLICY)
    alerts = [firing("a", "P2"), firing("b", "P0"), firing("c", "P3")]
    assert judge.worst(alerts).alert == alerts[1]
    assert judge.worst(alerts).rank == "P0"


def test_how_many_fire_and_how_often_it_flapped_counts() -> None:
    judge = judge_of(with_rules(FLAPS, MANY))
    latency = [firing("Latency", "P3")]
    assert judge.worst(latency).rank == "P3"
    assert judge.worst(latency, firing=1, flaps=3).rank == "P1"
    assert judge.worst(latency, firing=10, flaps=0).rank == "P0"
    assert judge.judge(latency[0]).rank == "P3"


def test_facts_are_asked_once_for_each_group_that_fires() -> None:
    metrics = Measured(0.6)
    judge = judge_of(with_rules(HALF_DOWN), metrics)
    shop = [firing("Latency", "P2", pod=pod, service="shop") for pod in "abc"]
    cart = firing("Latency", "P2", service="cart")
    over = replace(firing("Latency", "P2", service="ads"), status=AlertStatus.RESOLVED)
    assert judge.prepare([*shop, cart, over])
    assert sorted(metrics.asked) == ['ready{service="cart"}', 'ready{service="shop"}']
    assert judge.worst(shop).rank == "P0"
    assert judge.depends_on_facts(shop)
    assert not judge.depends_on_facts([over])


def test_in_a_storm_facts_are_asked_about_the_worst_groups_and_no_guess_lowers_the_others() -> None:
    metrics = Measured(0.6)
    judge = judge_of(with_rules(HALF_DOWN), metrics)
    shop, cart = firing("Latency", "P2", service="shop"), firing("Latency", "P1", service="cart")
    assert judge.prepare([shop, cart], groups=1)
    assert metrics.asked == ['ready{service="cart"}']
    assert [judge.judge(one).rank for one in (cart, shop)] == ["P0", "P2"]
    assert judge.depends_on_facts([shop])
    assert judge.has_put_off([shop, cart])
    assert not judge.has_put_off([cart])
    assert judge.prepare([shop, cart])
    assert judge.judge(shop).rank == "P0"
    assert not judge.has_put_off([shop])


def test_facts_of_the_last_time_are_not_those_of_now() -> None:
    metrics = Measured(0.6)
    judge = judge_of(with_rules(HALF_DOWN), metrics)
    shop = firing("Latency", "P2", service="shop")
    judge.prepare([shop])
    assert judge.judge(shop).rank == "P0"
    metrics.value = 0.1
    judge.prepare([shop])
    assert judge.judge(shop).rank == "P2"


def test_nobody_is_asked_where_no_rule_wants_to_know_or_nobody_can_answer() -> None:
    metrics = Measured(0.6)
    shop = firing("Latency", "P2", service="shop")
    assert not judge_of(POLICY, metrics).prepare([shop])
    assert metrics.asked == []
    assert not judge_of(with_rules(HALF_DOWN)).prepare([shop])


def test_an_alert_is_judged_anew_when_the_policy_or_its_words_change() -> None:
    policies = [with_rules()]
    judge = Judge(lambda: policies[-1], FactReader(None, FakeClock()))
    latency = firing("Latency", "P3")
    assert judge.judge(latency) is judge.judge(latency)
    policies.append(replace(POLICY, rules=(), digest="another"))
    assert judge.judge(latency).rank == "P1"
    reworded = replace(latency, annotations={"summary": "Worse."})
    assert judge.judge(reworded).alert is reworded
