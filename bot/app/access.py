"""Who may do what to runs, asked with the policy in force and the chat's user groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.domain.access import Person, RunAction, ids_of, refusal, unknown_person
from bot.domain.access_policy import AccessPolicy
from bot.domain.actor import Actor
from bot.domain.approval import (
    Approval,
    Asked,
    Requirement,
    Wanted,
    approval_by,
    requirement,
)
from bot.domain.errors import InvalidInput
from bot.domain.parameter import ParameterType
from bot.domain.placeholders import Undecided
from bot.domain.plan import Plan
from bot.domain.run import Run
from bot.domain.runbook import Runbook
from bot.ports import Clock, Reader


class Forbidden(InvalidInput):
    """Somebody may not do this; the text says why, and who may."""


class Access:
    """The decisions of `domain/access.py` and `domain/approval.py`, for whoever acts now."""

    def __init__(self, policy: Callable[[], AccessPolicy], clock: Clock) -> None:
        self.policy = policy
        self._clock = clock

    def check(self, reader: Reader, actor: Actor, action: RunAction) -> None:
        """Raises `Forbidden` when somebody may not do that to runs."""
        policy = self.policy()
        reason = refusal(policy, _person(policy, reader, actor), action)
        if reason:
            raise Forbidden(reason)

    def approval(self, reader: Reader, actor: Actor, wanted: Wanted) -> Approval:
        """Somebody's approval of a run or of a step of it. Raises `Forbidden`."""
        policy = self.policy()
        person = _person(policy, reader, actor)
        decided = approval_by(policy, person, wanted, self._clock.now())
        if isinstance(decided, str):
            raise Forbidden(decided)
        return decided

    def requirement_of(self, run: Run, plan: Plan) -> Requirement:
        """The approvals that a run with this plan needs.

        Raises `Forbidden` when who asked for it could approve it under another name.
        """
        policy = self.policy()
        needs = self.requirement(run.runbook, run.parameters, plan)
        reason = unknown_person(policy, run.requested_by)
        if reason and (needs.needs or _asked_by_steps(plan)):
            raise Forbidden(reason)
        return needs

    def requirement(
        self, runbook: Runbook, parameters: Mapping[str, str], plan: Plan
    ) -> Requirement:
        """The approvals that a plan would need."""
        touched = {target.ref.namespace for target in plan.targets}
        # A step may act where it has no target yet: in a namespace that is only named.
        named = _of_parameters(runbook, parameters) | _of_steps(runbook, parameters, plan)
        namespaces = frozenset(touched | (named - {""}))
        asked = Asked(runbook.name, runbook.risk, namespaces, _asked_by_steps(plan))
        return requirement(self.policy(), asked)


def _person(policy: AccessPolicy, reader: Reader, actor: Actor) -> Person:
    groups = (reader.groups_of(one) for one in ids_of(policy, actor))
    return Person(actor, frozenset().union(*groups))


_IN_NAMESPACE = (ParameterType.WORKLOAD, ParameterType.SERVICE, ParameterType.OBJECT)
"""What is written as ``namespace/name``."""


def _of_parameters(runbook: Runbook, parameters: Mapping[str, str]) -> set[str]:
    """The namespaces that parameters name."""
    found = set()
    for parameter in runbook.parameters:
        value = parameters.get(parameter.name, "")
        if parameter.type is ParameterType.NAMESPACE:
            found.add(value)
        elif parameter.type in _IN_NAMESPACE:
            found.add(value.partition("/")[0])
    return found


def _of_steps(runbook: Runbook, parameters: Mapping[str, str], plan: Plan) -> set[str]:
    """The namespaces that steps say they act in, as a job does."""
    decided = {step_id: step.decided for step_id, step in plan.steps.items()}
    found = set()
    for step in (*runbook.steps, *runbook.verification):
        try:
            found.add(runbook.arguments(step, parameters, decided).get("namespace"))
        except Undecided:
            if not plan.problems:
                raise
    return {namespace for namespace in found if isinstance(namespace, str)}


def _asked_by_steps(plan: Plan) -> frozenset[str]:
    """The kinds of approval that its steps ask for on their way."""
    return frozenset(kind for step in plan.steps.values() if step.asks for kind in step.asks.needs)
