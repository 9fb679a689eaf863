"""Who may do what, and who is who."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.access import (
    Person,
    RunAction,
    kinds_of,
    refusal,
    roles_of,
    same_person,
    unknown_person,
)
from bot.domain.access_policy import EVERYBODY, AccessPolicy, Role
from bot.domain.actor import Actor, ActorKind, by_policy
from bot.domain.approval import (
    Wanted,
    approval_by,
)
from tests.support.access import SHELL, TEAM, person
from tests.support.examples import ANA, BEN, CHEN, NOW

# Who somebody is


def test_roles_come_by_id_by_group_and_to_everybody() -> None:
    assert roles_of(TEAM, person(CHEN)) == {Role.VIEWER}
    assert roles_of(TEAM, person(CHEN, "@sre")) == {Role.VIEWER, Role.RESPONDER}
    assert roles_of(TEAM, person(BEN, "@other")) == {Role.VIEWER, Role.COMMANDER}


def test_one_person_has_their_roles_everywhere() -> None:
    assert Role.RESPONDER in roles_of(TEAM, person(SHELL))
    assert same_person(TEAM, ANA, SHELL)
    assert not same_person(TEAM, ANA, BEN)


def test_kinds_of_approval_have_members_of_their_own() -> None:
    assert kinds_of(TEAM, person(CHEN)) == {"security", "operations"}
    assert kinds_of(TEAM, person(BEN, "@leads")) == {"approver", "operations"}
    assert kinds_of(TEAM, person(Actor(ActorKind.PERSON, "UADMIN", "root"))) >= {"approver"}


def test_the_groups_that_are_mentioned_are_those_to_be_read() -> None:
    assert TEAM.groups == {"@sre", "@leads", "@sec"}


def test_who_is_unknown_to_the_chat_could_be_anybody() -> None:
    stranger = Actor(ActorKind.PERSON, "os:2000", "x")
    assert "os:2000 on the command line is nobody" in (unknown_person(TEAM, stranger) or "")
    assert unknown_person(TEAM, SHELL) is None
    assert unknown_person(TEAM, ANA) is None


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


# What asks by itself


SCHEDULE = by_policy("schedule", "nightly")


def test_the_policy_may_ask_for_runs_and_do_nothing_else_to_them() -> None:
    allowed = [one for one in RunAction if refusal(TEAM, Person(SCHEDULE), one) is None]
    assert allowed == [RunAction.ASK]


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind is not ActorKind.POLICY])
def test_nobody_gets_in_under_a_schedules_name(kind: ActorKind) -> None:
    stranger = Actor(kind, SCHEDULE.id, SCHEDULE.name)
    assert refusal(TEAM, Person(stranger), RunAction.ASK) is not None


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
