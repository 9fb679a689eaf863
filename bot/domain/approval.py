"""Whose approval a run needs by the access policy, which it has, and who can give another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from bot.domain.access import Person, kinds_of, same_person, unknown_person
from bot.domain.access_policy import APPROVER, EVERYBODY, AccessPolicy, ApprovalRule, Role
from bot.domain.actor import Actor
from bot.domain.runbook import Risk


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


def in_words(needs: Mapping[str, int]) -> str:
    """``2 approvals (1 operations, 1 security)``."""
    total = sum(needs.values())
    each = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(needs.items()))
    return f"{total} approval{'' if total == 1 else 's'} ({each})"


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
