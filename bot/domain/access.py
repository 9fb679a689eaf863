"""Who may do what to runs, and whose approval a run needs (``policy/access.yaml``).

Everything here is a decision on values: a person, the policy, the run. What is not
allowed is answered with the reason, never with silence; what the policy does not know
is not allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.domain.actor import Actor, ActorKind
from bot.domain.runbook import Risk


class Role(StrEnum):
    """What somebody may do; the kinds of approval are beside them (`AccessPolicy.kinds`)."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    COMMANDER = "commander"
    APPROVER = "approver"
    ADMIN = "admin"


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
"""Which roles may do what; an approval is decided by `approval_by`."""

EVERYBODY = "*"
SHELL = "os:"
"""How the ids of operating system users begin (`cli/person.py`)."""

APPROVER = Role.APPROVER.value
"""The kind of approval that whoever has that role gives; others have names of their own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts, and the chat's user groups (``@sre``) they are in."""

    actor: Actor
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Which runs need which approvals; a condition that is empty holds for every run.

    `runbooks`, `namespaces` are patterns such as ``failover-*``; `needs` is how many
    approvals of which kind, none at all for a run that only has to be started.
    """

    id: str
    needs: Mapping[str, int]
    runbooks: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    namespaces: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    valid_for: timedelta = timedelta(hours=1)
    """How long a plan may wait, and an approval holds; the cluster moves on meanwhile."""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The whole policy. Members are user ids, ``@group`` handles, or ``*`` for everybody."""

    roles: Mapping[Role, tuple[str, ...]]
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids that belong to one person, in the chat and on the command line (``os:1000``)."""
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Patterns of the namespaces that belong to each environment."""
    rules: tuple[ApprovalRule, ...] = ()
    digest: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """The user groups that are mentioned."""
        members = (*self.roles.values(), *self.kinds.values())
        return frozenset(one for some in members for one in some if one.startswith("@"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is about, as far as rules look at it."""

    runbook: str
    risk: Risk
    namespaces: frozenset[str]
    kinds: frozenset[str] = frozenset()
    """The kinds of approval that its steps ask for on their way."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a run needs before it may start, as the policy said when it was planned."""

    rule: str
    needs: Mapping[str, int]
    valid_for: timedelta
    givers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By kind, who could give such an approval then; also of the kinds that steps ask for."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's approval, with every kind that they could give then."""

    by: Actor
    kinds: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What approvals are wanted of people, which there are, and who can't give one."""

    needs: Mapping[str, int]
    given: tuple[Approval, ...]
    requested_by: Actor


_Place = tuple[str, int]
"""One of the approvals that are needed: its kind, and its number among those of that kind."""

UNCOVERED = Requirement("no rule covers it", {APPROVER: 1}, timedelta(hours=1))
"""What a run needs that no rule speaks of."""


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


def requirement(policy: AccessPolicy, asked: Asked) -> Requirement:
    """What a run needs: for each namespace that it touches, what the first rule says.

    All of these together, so that no namespace's rule makes up for another's.
    """
    found = [_first_rule(policy, asked, one) for one in sorted(asked.namespaces) or [""]]
    needs: dict[str, int] = {}
    for one in found:
        needs |= {kind: max(count, needs.get(kind, 0)) for kind, count in one.needs.items()}
    names = dict.fromkeys(one.rule for one in found)
    valid_for = min(one.valid_for for one in found)
    givers = {kind: _givers(policy, kind) for kind in sorted(needs.keys() | asked.kinds)}
    return Requirement(", ".join(names), needs, valid_for, givers)


def _givers(policy: AccessPolicy, kind: str) -> tuple[str, ...]:
    """Who can give approvals of that kind: people by their names, where the policy has them."""
    members = policy.kinds.get(kind, ())
    if kind == APPROVER:
        roles = (Role.APPROVER, Role.ADMIN)
        members = (*members, *(one for role in roles for one in policy.roles.get(role, ())))
    if EVERYBODY in members:
        return (EVERYBODY,)
    names = {one: name for name, ids in policy.people.items() for one in ids}
    return tuple(dict.fromkeys(names.get(one, one) for one in members))


def _first_rule(policy: AccessPolicy, asked: Asked, namespace: str) -> Requirement:
    for rule in policy.rules:
        if _covers(rule, asked, namespace, policy.environments):
            return Requirement(rule.id, rule.needs, rule.valid_for)
    return UNCOVERED


def missing(needs: Mapping[str, int], approvals: Sequence[Approval]) -> Mapping[str, int]:
    """The approvals that a run still lacks, by kind; each person counts for one of them.

    Who can give several kinds counts for whichever leaves the least lacking: a maximum
    bipartite matching of approvals to places, found by augmenting paths.
    """
    places = [(kind, number) for kind, count in needs.items() for number in range(count)]
    taken: dict[_Place, Approval] = {}
    for approval in approvals:
        _seat(approval, places, taken, set())
    return dict(Counter(place[0] for place in places if place not in taken))


def _seat(
    approval: Approval, places: Sequence[_Place], taken: dict[_Place, Approval], tried: set[_Place]
) -> bool:
    """Find the approval a place, moving others to another of theirs; whether there is one."""
    for place in places:
        if place[0] in approval.kinds and place not in tried:
            tried.add(place)
            if place not in taken or _seat(taken[place], places, taken, tried):
                taken[place] = approval
                return True
    return False


def approval_by(
    policy: AccessPolicy, person: Person, wanted: Wanted, now: datetime
) -> Approval | str:
    """Somebody's approval of a run, or why they can't give it."""
    actor, needs, given = person.actor, wanted.needs, wanted.given
    stranger = unknown_person(policy, wanted.requested_by) or unknown_person(policy, actor)
    if stranger:
        return stranger
    if same_person(policy, actor, wanted.requested_by):
        return f"{actor.name} asked for this run; somebody else has to approve it."
    if any(same_person(policy, actor, approval.by) for approval in given):
        return f"{actor.name} has approved it already."
    approval = Approval(actor, tuple(sorted(kinds_of(policy, person) & needs.keys())), now)
    lacking = missing(needs, given)
    if sum(missing(needs, (*given, approval)).values()) < sum(lacking.values()):
        return approval
    return f"It still needs {in_words(lacking)}; {actor.name} can’t give that (policy/access.yaml)."


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


def in_words(needs: Mapping[str, int]) -> str:
    """``2 approvals (1 operations, 1 security)``."""
    total = sum(needs.values())
    each = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(needs.items()))
    return f"{total} approval{'' if total == 1 else 's'} ({each})"


def _is_one(policy: AccessPolicy, person: Person, members: Collection[str]) -> bool:
    """Whether somebody is among the members; only people are, whatever the ids of others."""
    if person.actor.kind is not ActorKind.PERSON:
        return False
    known_as = ids_of(policy, person.actor) | person.groups | {EVERYBODY}
    return bool(known_as & {*members})


def _covers(
    rule: ApprovalRule, asked: Asked, namespace: str, environments: Mapping[str, tuple[str, ...]]
) -> bool:
    patterns = tuple(one for name in rule.environments for one in environments.get(name, ()))
    return (
        (not rule.runbooks or _matches(asked.runbook, rule.runbooks))
        and (not rule.risks or asked.risk in rule.risks)
        and (not rule.namespaces or _matches(namespace, rule.namespaces))
        and (not rule.environments or _matches(namespace, patterns))
    )


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
