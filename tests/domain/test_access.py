"""Who may do what, and whose approval a run needs."""

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
    EVERYBODY,
    UNCOVERED,
    AccessPolicy,
    Approval,
    ApprovalRule,
    Asked,
    Person,
    Role,
    RunAction,
    Wanted,
    approval_by,
    in_words,
    kinds_of,
    missing,
    refusal,
    requirement,
    roles_of,
    same_person,
    unknown_person,
)
from bot.domain.actor import Actor, ActorKind, by_policy
from bot.domain.runbook import Risk
from tests.support.examples import ANA, BEN, CHEN, NOW, approval

SHELL = Actor(ActorKind.PERSON, "os:1000", "ana")
HOUR = timedelta(hours=1)
POLICY = AccessPolicy(
    roles={
        Role.VIEWER: ("*",),
        Role.RESPONDER: ("@sre", ANA.id),
        Role.COMMANDER: (BEN.id,),
        Role.APPROVER: ("@leads",),
        Role.ADMIN: ("UADMIN",),
    },
    people={"ana": (ANA.id, SHELL.id)},
    kinds={"security": ("@sec", CHEN.id), "operations": ("*",)},
    environments={"staging": ("*-staging", "dev-?")},
)


def person(actor: Actor = BEN, *groups: str) -> Person:
    return Person(actor, frozenset(groups))


# Who somebody is


def test_roles_come_by_id_by_group_and_to_everybody() -> None:
    assert roles_of(POLICY, person(CHEN)) == {Role.VIEWER}
    assert roles_of(POLICY, person(CHEN, "@sre")) == {Role.VIEWER, Role.RESPONDER}
    assert roles_of(POLICY, person(BEN, "@other")) == {Role.VIEWER, Role.COMMANDER}


def test_one_person_has_their_roles_everywhere() -> None:
    assert Role.RESPONDER in roles_of(POLICY, person(SHELL))
    assert same_person(POLICY, ANA, SHELL)
    assert not same_person(POLICY, ANA, BEN)


def test_kinds_of_approval_have_members_of_their_own() -> None:
    assert kinds_of(POLICY, person(CHEN)) == {"security", "operations"}
    assert kinds_of(POLICY, person(BEN, "@leads")) == {"approver", "operations"}
    assert kinds_of(POLICY, person(Actor(ActorKind.PERSON, "UADMIN", "root"))) >= {"approver"}


def test_the_groups_that_are_mentioned_are_those_to_be_read() -> None:
    assert POLICY.groups == {"@sre", "@leads", "@sec"}


def test_who_is_unknown_to_the_chat_could_be_anybody() -> None:
    stranger = Actor(ActorKind.PERSON, "os:2000", "x")
    assert "os:2000 on the command line is nobody" in (unknown_person(POLICY, stranger) or "")
    assert unknown_person(POLICY, SHELL) is None
    assert unknown_person(POLICY, ANA) is None


# Who may do what

RESPONDERS = {Role.RESPONDER, Role.COMMANDER, Role.ADMIN}
MAY = {
    RunAction.PLAN: set(Role),
    RunAction.ASK: RESPONDERS,
    RunAction.START: RESPONDERS,
    RunAction.CALL_OFF: RESPONDERS,
    RunAction.PAUSE: RESPONDERS,
    RunAction.RESUME: RESPONDERS,
    RunAction.ABORT: RESPONDERS,
    RunAction.ANSWER: RESPONDERS,
    RunAction.OVERRIDE: {Role.COMMANDER, Role.ADMIN},
}


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("action", RunAction)
def test_every_action_has_its_roles(action: RunAction, role: Role | None) -> None:
    policy = AccessPolicy({Role.COMMANDER: (CHEN.id,), **({role: (BEN.id,)} if role else {})})
    reason = refusal(policy, person(BEN), action)
    if role in MAY[action]:
        assert reason is None
    else:
        assert reason is not None
        assert f"To {action} a run one has to be" in reason
        assert "ben isn’t" in reason


def test_while_nobody_may_break_the_glass_it_is_said_what_to_write() -> None:
    everybody = (EVERYBODY,)
    policy = AccessPolicy({Role.RESPONDER: everybody, Role.COMMANDER: (), Role.APPROVER: everybody})
    reason = refusal(policy, person(BEN), RunAction.OVERRIDE) or ""
    assert "policy/access.yaml, under roles, such as “commander: [U012AB3CD]”" in reason
    assert refusal(policy, person(BEN), RunAction.START) is None
    listed = replace(policy, roles={**policy.roles, Role.ADMIN: (CHEN.id,)})
    assert "ben isn’t" in (refusal(listed, person(BEN), RunAction.OVERRIDE) or "")


def test_an_empty_policy_lets_nobody_do_anything() -> None:
    assert all(refusal(AccessPolicy({}), person(), action) for action in RunAction)


# What a run needs


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
    policy = replace(POLICY, rules=(rule("it", {}, **conditions),))
    wanted = "it" if covered else UNCOVERED.rule
    assert requirement(policy, asked("payments")).rule == wanted


def test_the_first_rule_that_covers_a_run_holds() -> None:
    staging = rule("staging", {}, environments=("staging",))
    rules = (staging, rule("rest", {"approver": 1}), rule("never", {"security": 9}))
    policy = replace(POLICY, rules=rules)
    assert requirement(policy, asked("web-staging", "dev-1")).rule == "staging"
    assert requirement(policy, asked("web")).needs == {"approver": 1}


def test_what_no_rule_covers_needs_an_approver() -> None:
    assert requirement(POLICY, asked("web")).needs == {"approver": 1}


def test_it_names_who_could_give_each_approval() -> None:
    assert requirement(POLICY, asked("web")).givers == {"approver": ("@leads", "UADMIN")}
    open_to_all = replace(POLICY, roles={Role.APPROVER: ("@leads", "*")})
    assert requirement(open_to_all, asked("web")).givers == {"approver": ("*",)}


def test_it_names_who_could_approve_the_steps_that_ask() -> None:
    steps = replace(asked("web"), kinds=frozenset({"security", "audit"}))
    policy = replace(POLICY, people={"Chen Li": (CHEN.id,)}, kinds={"security": (CHEN.id, "@sec")})
    found = requirement(policy, steps)
    assert found.givers["security"] == ("Chen Li", "@sec")
    assert found.givers["audit"] == ()
    assert found.needs.keys() == requirement(policy, asked("web")).needs.keys()


def test_what_is_in_no_namespace_is_in_no_environment() -> None:
    policy = replace(POLICY, rules=(rule("staging", {}, environments=("staging",)),))
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
    decided = approval_by(POLICY, who, what, NOW)
    assert isinstance(decided, str), "it was given"
    return decided


def test_an_approval_has_the_kinds_that_are_needed_and_can_be_given() -> None:
    given = approval_by(POLICY, person(CHEN, "@leads"), wanted(approver=1, security=1), NOW)
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
    given = approval_by(POLICY, person(BEN), wanted(first, security=1, operations=1), NOW)
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


# What asks by itself


SCHEDULE = by_policy("schedule", "nightly")


def test_the_policy_may_ask_for_runs_and_do_nothing_else_to_them() -> None:
    allowed = [one for one in RunAction if refusal(POLICY, Person(SCHEDULE), one) is None]
    assert allowed == [RunAction.ASK]


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind is not ActorKind.POLICY])
def test_nobody_gets_in_under_a_schedules_name(kind: ActorKind) -> None:
    stranger = Actor(kind, SCHEDULE.id, SCHEDULE.name)
    assert refusal(POLICY, Person(stranger), RunAction.ASK) is not None


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind is not ActorKind.PERSON])
def test_only_people_have_roles_and_approve(kind: ActorKind) -> None:
    """Even where the policy names everybody, or that very id."""
    actor = Actor(kind, "schedule:nightly", "Schedule nightly")
    everybody = ("*", actor.id, "@sre")
    policy = AccessPolicy(
        roles=dict.fromkeys(Role, everybody),
        people={"nightly": (actor.id, ANA.id)},
        kinds={"security": everybody},
    )
    someone = Person(actor, frozenset({"@sre"}))
    assert (roles_of(policy, someone), kinds_of(policy, someone)) == (frozenset(), frozenset())
    wanted = Wanted({"approver": 1, "security": 1}, (), BEN)
    assert isinstance(approval_by(policy, someone, wanted, NOW), str)
