"""Who may do what to runs, asked with the policy in force and the chat's user groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.domain import access
from bot.domain.access import (
    AccessPolicy,
    Approval,
    Asked,
    Person,
    Requirement,
    RunAction,
    Wanted,
)
from bot.domain.actor import Actor
from bot.domain.errors import InvalidInput
from bot.domain.parameter import ParameterType
from bot.domain.plan import Plan
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.ports import Clock, Reader


class Forbidden(InvalidInput):
    """Somebody may not do this; the text says why, and who may."""


class Access:
    """The decisions of `domain/access.py`, for whoever acts now."""

    def __init__(self, policy: Callable[[], AccessPolicy], clock: Clock) -> None:
        self.policy = policy
        self._clock = clock

    def check(self, reader: Reader, actor: Actor, action: RunAction) -> None:
        """Raises `Forbidden` when somebody may not do that to runs."""
        policy = self.policy()
        reason = access.refusal(policy, _person(reader, actor), action)
        if reason:
            raise Forbidden(reason)

    def approval(self, reader: Reader, actor: Actor, wanted: Wanted) -> Approval:
        """Somebody's approval of a run or of a step of it. Raises `Forbidden`."""
        person = _person(reader, actor)
        decided = access.approval_by(self.policy(), person, wanted, self._clock.now())
        if isinstance(decided, str):
            raise Forbidden(decided)
        return decided

    def requirement_of(self, run: Run, plan: Plan) -> Requirement:
        """The approvals that a run with this plan needs. Raises `InvalidInput`."""
        policy = self.policy()
        needs = self.requirement(run.runbook, run.parameters, plan)
        reason = access.unknown_person(policy, run.requested_by) if needs.needs else None
        if reason:
            raise Forbidden(reason)
        return needs

    def requirement(
        self, runbook: Runbook, parameters: Mapping[str, str], plan: Plan
    ) -> Requirement:
        """The approvals that a plan would need."""
        touched = {target.ref.namespace for target in plan.targets}
        named = _namespaces(runbook, parameters)
        asked = Asked(runbook.name, runbook.risk, frozenset(touched | named))
        return access.requirement(self.policy(), asked)


def _person(reader: Reader, actor: Actor) -> Person:
    return Person(actor, reader.groups_of(actor.id))


_IN_NAMESPACE = (ParameterType.WORKLOAD, ParameterType.SERVICE)


def _namespaces(runbook: Runbook, parameters: Mapping[str, str]) -> set[str]:
    """The namespaces that the parameters name: a step may act there that has no target yet."""
    found = set()
    for parameter in runbook.parameters:
        value = parameters.get(parameter.name, "")
        if parameter.type is ParameterType.NAMESPACE:
            found.add(value)
        elif parameter.type in _IN_NAMESPACE:
            found.add(value.partition("/")[0])
    return found
