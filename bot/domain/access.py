"""Who may do what to runs (``policy/access.yaml``), and who is who.

Everything here is a decision on values: a person, the policy. What is not allowed is
answered with the reason, never with silence; what the policy does not know is not allowed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.access_policy import APPROVER, EVERYBODY, SHELL, AccessPolicy, Role
from bot.domain.actor import Actor, ActorKind


class RunAction(StrEnum):
    """What people do to runs."""

    PLAN = "plan"
    ASK = "ask for"
    START = "start"
    CALL_OFF = "call off"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    ANSWER = "answer"
    OVERRIDE = "override the approval of"


_RESPONDERS = frozenset({Role.RESPONDER, Role.COMMANDER, Role.ADMIN})
_MAY: Mapping[RunAction, frozenset[Role]] = {
    **dict.fromkeys(RunAction, _RESPONDERS),
    RunAction.PLAN: frozenset(Role),
    RunAction.OVERRIDE: frozenset({Role.COMMANDER, Role.ADMIN}),
}
"""Which roles may do what; an approval is decided by `approval.py`."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, and the chat's user groups (``@sre``) they are in."""

    actor: Actor
    groups: frozenset[str] = frozenset()


def roles_of(policy: AccessPolicy, person: Person) -> frozenset[Role]:
    """The roles that somebody has."""
    return frozenset(
        role for role, members in policy.roles.items() if _is_one(policy, person, members)
    )


def kinds_of(policy: AccessPolicy, person: Person) -> frozenset[str]:
    """The kinds of approval that somebody can give."""
    kinds = {kind for kind, members in policy.kinds.items() if _is_one(policy, person, members)}
    general = {APPROVER} if roles_of(policy, person) & {Role.APPROVER, Role.ADMIN} else set()
    return frozenset(kinds | general)


def refusal(policy: AccessPolicy, person: Person, action: RunAction) -> str | None:
    """Why somebody may not do that to a run; None when they may.

    The policy itself (a schedule, a suggestion) may ask for a run, and nothing else.
    """
    if person.actor.kind is ActorKind.POLICY and action is RunAction.ASK:
        return None
    if roles_of(policy, person) & _MAY[action]:
        return None
    if action is RunAction.OVERRIDE and nobody_overrides(policy):
        return (
            "Nobody may override approvals: write whom you trust with that into"
            " policy/access.yaml, under roles, such as “commander: [U012AB3CD]”."
        )
    roles = " or ".join(sorted(role.value for role in _MAY[action]))
    return (
        f"To {action} a run one has to be {roles} (policy/access.yaml); {person.actor.name} isn’t."
    )


def nobody_overrides(policy: AccessPolicy) -> bool:
    """Whether the policy names nobody who may break the glass."""
    return not any(policy.roles.get(role) for role in _MAY[RunAction.OVERRIDE])


def same_person(policy: AccessPolicy, one: Actor, other: Actor) -> bool:
    """Whether two actors are the same person, wherever they act."""
    return bool(ids_of(policy, one) & ids_of(policy, other))


def unknown_person(policy: AccessPolicy, actor: Actor) -> str | None:
    """Why it can't be told who somebody is in the chat; None when it can.

    Whoever asks for a run in one place could otherwise approve it in the other.
    """
    if not actor.id.startswith(SHELL) or len(ids_of(policy, actor)) > 1:
        return None
    return (
        f"It needs approvals, and {actor.id} on the command line is nobody that the chat knows:"
        " enter them under people in policy/access.yaml, or do it in the chat."
    )


def ids_of(policy: AccessPolicy, actor: Actor) -> frozenset[str]:
    """All ids of one person, in the chat and on the command line."""
    others = (ids for ids in policy.people.values() if actor.id in ids)
    return frozenset({actor.id}.union(*others))


def _is_one(policy: AccessPolicy, person: Person, members: Collection[str]) -> bool:
    """Whether somebody is among the members; only people are, whatever the ids of others."""
    if person.actor.kind is not ActorKind.PERSON:
        return False
    known_as = ids_of(policy, person.actor) | person.groups | {EVERYBODY}
    return bool(known_as & {*members})
