"""Whose approval a run needs, and who can give it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.access import (
    Person,
)
from bot.domain.access_policy import AccessPolicy, ApprovalRule, Role
from bot.domain.actor import Actor, ActorKind
from bot.domain.approval import (
    UNCOVERED,
    Approval,
    Asked,
    Wanted,
    approval_by,
    in_words,
    missing,
    requirement,
)
from bot.domain.runbook import Risk
from tests.support.access import SHELL, TEAM, person
from tests.support.examples import ANA, BEN, CHEN, NOW, approval


def rule(name: str, needs: Mapping[str, int], **conditions: object) -> ApprovalRule:
    return ApprovalRule(name, needs, **conditions)  # type: ignore[arg-type]


def asked(*namespaces: str, runbook: str = "restart", risk: Risk = Risk.LOW) -> Asked:
    return Asked(runbook, risk, frozenset(namespaces))


@pytest.mark.parametrize(
    ("conditions", "covered"),
    [
        ({}, True),
        ({"runbooks": ("re*",)}, True),
        ({"runbooks": ("fail*", "drain")}, False),
        ({"risks": (Risk.LOW, Risk.NONE)}, True),
        ({"risks": (Risk.HIGH,)}, False),
        ({"namespaces": ("pay*",)}, True),
        ({"namespaces": ("pay",)}, False),
        ({"environments": ("staging",)}, False),
        ({"environments": ("nowhere",)}, False),
        ({"runbooks": ("restart",), "namespaces": ("web",)}, False),
    ],
)
def test_a_rule_covers_what_all_its_conditions_hold_for(
    conditions: dict[str, object], covered: bool
) -> None:
    policy = replace(TEAM, rules=(rule("it", {}, **conditions),))
    wanted = "it" if covered else UNCOVERED.rule
    assert requirement(policy, asked("payments")).rule == wanted


def test_the_first_rule_that_covers_a_run_holds() -> None:
    staging = rule("staging", {}, environments=("staging",))
    rules = (staging, rule("rest", {"approver": 1}), rule("never", {"security": 9}))
    policy = replace(TEAM, rules=rules)
    assert requirement(policy, asked("web-staging", "dev-1")).rule == "staging"
    assert requirement(policy, asked("web")).needs == {"approver": 1}


def test_what_no_rule_covers_needs_an_approver() -> None:
    assert requirement(TEAM, asked("web")).needs == {"approver": 1}


def test_it_names_who_could_give_each_approval() -> None:
    assert requirement(TEAM, asked("web")).givers == {"approver": ("@leads", "UADMIN")}
    open_to_all = replace(TEAM, roles={Role.APPROVER: ("@leads", "*")})
    assert requirement(open_to_all, asked("web")).givers == {"approver": ("*",)}


def test_it_names_who_could_approve_the_steps_that_ask() -> None:
    steps = replace(asked("web"), kinds=frozenset({"security", "audit"}))
    policy = replace(TEAM, people={"Chen Li": (CHEN.id,)}, kinds={"security": (CHEN.id, "@sec")})
    found = requirement(policy, steps)
    assert found.givers["security"] == ("Chen Li", "@sec")
    assert found.givers["audit"] == ()
    assert found.needs.keys() == requirement(policy, asked("web")).needs.keys()


def test_what_is_in_no_namespace_is_in_no_environment() -> None:
    policy = replace(TEAM, rules=(rule("staging", {}, environments=("staging",)),))
    assert requirement(policy, asked()).rule == UNCOVERED.rule
    assert requirement(policy, asked("", "web-staging")).needs == {"approver": 1}


NAMESPACES = ("a", "b", "c")
NEEDS = st.dictionaries(st.sampled_from(["approver", "security", "operations"]), st.integers(1, 3))
RULES = st.lists(
    st.tuples(NEEDS, st.sets(st.sampled_from(NAMESPACES)), st.integers(1, 9)), max_size=4
)


@given(RULES, st.sets(st.sampled_from(NAMESPACES), min_size=1))
def test_it_needs_what_the_strictest_of_its_namespaces_needs(
    rules: list[tuple[dict[str, int], set[str], int]], touched: set[str]
) -> None:
    policy = AccessPolicy(
        {},
        rules=tuple(
            ApprovalRule(
                f"r{number}", needs, namespaces=tuple(found), valid_for=timedelta(hours=hours)
            )
            for number, (needs, found, hours) in enumerate(rules)
        ),
    )
    together = requirement(policy, asked(*touched))
    alone = [requirement(policy, asked(one)) for one in touched]
    for one in alone:
        assert all(together.needs.get(kind, 0) >= count for kind, count in one.needs.items())
        assert together.valid_for <= one.valid_for
    for kind, count in together.needs.items():
        assert any(one.needs.get(kind) == count for one in alone)
    assert any(one.valid_for == together.valid_for for one in alone)


# What is still missing

KINDS = ("a", "b", "c")
COUNTS = st.dictionaries(st.sampled_from(KINDS), st.integers(0, 2))
CAN_GIVE = st.lists(st.sets(st.sampled_from(KINDS)), max_size=5)


def brute_force(needs: Mapping[str, int], can_give: list[set[str]]) -> int:
    """How many are missing at best: every order in which people could take the places."""
    places = list(Counter(needs).elements())
    padded = [*places, *[""] * len(can_give)]
    fits = (
        sum(kind in gives for kind, gives in zip(order, can_give, strict=False))
        for order in set(permutations(padded, len(can_give)))
    )
    return len(places) - max(fits)


@given(COUNTS, CAN_GIVE)
def test_as_little_is_missing_as_can_be(needs: dict[str, int], can_give: list[set[str]]) -> None:
    approvals = [Approval(BEN, tuple(kinds), NOW) for kinds in can_give]
    lacking = missing(needs, approvals)
    assert sum(lacking.values()) == brute_force(needs, can_give)
    assert all(0 < count <= needs[kind] for kind, count in lacking.items())


def test_many_approvals_of_many_kinds_are_matched_at_once() -> None:
    needs = dict.fromkeys(map(str, range(10)), 10)
    everything = Approval(BEN, tuple(needs), NOW)
    assert missing(needs, [everything] * 99) == {"9": 1}


# An approval


def wanted(*given: Approval, **needs: int) -> Wanted:
    return Wanted(needs, given, ANA)


def refused(who: Person, what: Wanted) -> str:
    decided = approval_by(TEAM, who, what, NOW)
    assert isinstance(decided, str), "it was given"
    return decided


def test_an_approval_has_the_kinds_that_are_needed_and_can_be_given() -> None:
    given = approval_by(TEAM, person(CHEN, "@leads"), wanted(approver=1, security=1), NOW)
    assert given == approval("chen", "approver", "security")


@pytest.mark.parametrize("own", [ANA, SHELL])
def test_nobody_approves_their_own(own: Actor) -> None:
    assert "somebody else has to approve it" in refused(person(own, "@leads"), wanted(approver=1))


def test_nobody_approves_twice() -> None:
    needs = wanted(approval("ben", "approver"), approver=2)
    assert refused(person(BEN, "@leads"), needs) == "ben has approved it already."


def test_who_cannot_give_what_lacks_is_told_what_does() -> None:
    assert refused(person(BEN), wanted(approver=1)) == (
        "It still needs 1 approval (1 approver); ben can’t give that (policy/access.yaml)."
    )
    needs = wanted(approval("chen", "security"), security=1, approver=1)
    assert "1 approval (1 approver)" in refused(person(BEN, "@sec"), needs)


def test_an_approval_that_frees_another_counts() -> None:
    """Chen gave security or operations; ben gives operations only, so chen's is security."""
    first = approval("chen", "operations", "security")
    given = approval_by(TEAM, person(BEN), wanted(first, security=1, operations=1), NOW)
    assert isinstance(given, Approval)
    assert missing({"security": 1, "operations": 1}, [first, given]) == {}


@pytest.mark.parametrize("by_stranger", [True, False])
def test_who_might_be_the_one_who_asked_does_not_approve(by_stranger: bool) -> None:
    stranger = Actor(ActorKind.PERSON, "os:2000", "x")
    asked_by, approves = (ANA, stranger) if by_stranger else (stranger, BEN)
    needs = Wanted({"approver": 1}, (), asked_by)
    assert "is nobody that the chat knows" in refused(person(approves, "@leads"), needs)


def test_needs_in_words() -> None:
    assert in_words({"technical_lead": 1}) == "1 approval (1 technical lead)"
    assert in_words({"b": 2, "a": 1}) == "3 approvals (1 a, 2 b)"
