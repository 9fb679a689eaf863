"""`kubernetes.drain`: move the pods off a node, as fast as their budgets allow.

Pods are evicted, never deleted, so that a PodDisruptionBudget is always heeded: what it
refuses is asked for again until the timeout. As with `kubectl drain`, the pods of
DaemonSets and the node's own (mirror) pods stay; a pod that nothing makes anew is moved
only if the runbook says so. A drain that fails puts the node back as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from bot.domain.cluster import BlastRadius
from bot.domain.errors import NotFound, PermanentError, TemporaryError
from bot.domain.excerpt import counted
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration, LabelName, LabelValue, ObjectName
from bot.steps.base import MutatingStep, target_of
from bot.steps.cordon import (
    BEFORE,
    CHANGE,
    HERE,
    cordon,
    dry_run,
    is_cordoned,
    node_ref,
    uncordon,
)
from bot.steps.disruption_budgets import budgets_over
from bot.steps.drain_plan import (
    eviction_line,
    guarded_twice,
    movable_pods,
    no_other_node,
    try_evictions,
    unmanaged,
)
from bot.steps.pod_bodies import is_leaving, is_ready
from bot.steps.polling import Look, Patience, watch

_NAMED = 5
"""Pods that are named when not all could be moved; more would bury the sentence."""


class DrainArguments(Arguments):
    """Which node, which of its pods (all, or those with these labels), and how long to wait."""

    node: ObjectName
    labels: dict[LabelName, LabelValue] = Field(default_factory=dict)
    unmanaged: bool = False
    timeout: Duration = "600s"


class Drain(MutatingStep[DrainArguments]):
    """Cordons the node and evicts its pods; undone by taking new pods again."""

    name = "kubernetes.drain"
    arguments = DrainArguments
    decides = frozenset({"uid"})

    def intent(self, arguments: DrainArguments) -> str:
        return (
            f"Drain node {arguments.node}: evict its pods "
            f"as their budgets allow, within {arguments.timeout}."
        )

    def limit(self, arguments: DrainArguments) -> Limit:
        return Patience(arguments.timeout).limit

    def prepare(self, arguments: DrainArguments, context: StepContext) -> StepPlan:
        node = context.objects.read(node_ref(arguments.node))
        pods = _pods(arguments, context)
        budgets = budgets_over(pods, context.objects)
        dry_run(node, context)
        try_evictions(pods, context)
        return StepPlan(
            self.intent(arguments),
            changes=(
                *(() if is_cordoned(node) else (CHANGE,)),
                *(eviction_line(pod, budgets) for pod in pods),
            ),
            problems=(
                *(() if arguments.unmanaged else unmanaged(pods)),
                *guarded_twice(pods, budgets),
                *no_other_node(arguments.node, context),
            ),
            targets=(target_of(node),),
            blast_radius=BlastRadius(
                pods=len(pods),
                ready=sum(is_ready(pod.body) for pod in pods),
                budgets=tuple(budget.value for budget in budgets),
            ),
            decided={"uid": node.uid},
            reversible=True,
        )

    def observe(self, arguments: DrainArguments, context: StepContext) -> StepOutcome | None:
        """What is left on the node tells whether it was drained."""
        node = context.objects.read(node_ref(arguments.node))
        if not is_cordoned(node) or _pods(arguments, context):
            return None
        by = HERE if node.marker == str(context.marker) else BEFORE
        return _outcome(arguments, {"cordoned": by})

    def apply(self, arguments: DrainArguments, context: StepContext) -> StepOutcome:
        cordoned = cordon(arguments.node, context)
        try:
            watch(context, lambda: _look(arguments, context), Patience(arguments.timeout))
        except (PermanentError, NotFound) as error:
            put_back = _put_back(arguments, cordoned, context)
            raise PermanentError(f"{error} {put_back}") from error
        return _outcome(arguments, cordoned)

    def undo(
        self, arguments: DrainArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        sentence = uncordon(arguments.node, outcome.data, context)
        return StepOutcome(f"{sentence} The pods stay where they are now.")


def _pods(arguments: DrainArguments, context: StepContext) -> Sequence[Resource]:
    return movable_pods(arguments.node, arguments.labels, context.objects)


def _look(arguments: DrainArguments, context: StepContext) -> Look:
    _require_same_node(arguments, context)
    pods = _pods(arguments, context)
    refused = {pod.ref: why for pod in pods if (why := _evict(pod, context))}
    line = f"{counted(len(pods), 'pod')} left on node {arguments.node}"
    if not refused:
        return Look(not pods, line)
    waiting = _waiting([pod for pod in pods if pod.ref in refused], context)
    return Look(False, f"{line}; {waiting or next(iter(refused.values()))}")


def _require_same_node(arguments: DrainArguments, context: StepContext) -> None:
    node = context.objects.read(node_ref(arguments.node))
    if node.uid != context.decided["uid"]:
        raise PermanentError(f"Node {arguments.node} was replaced by another one of that name.")
    if not is_cordoned(node):
        raise PermanentError(f"Somebody uncordoned node {arguments.node}, so the drain stops.")


def _evict(pod: Resource, context: StepContext) -> str:
    """Why the pod's eviction was refused for now, or empty."""
    if is_leaving(pod.body):
        return ""
    try:
        context.objects.evict(pod.ref)
    except TemporaryError as error:
        return str(error)
    return ""


def _waiting(pods: Sequence[Resource], context: StepContext) -> str:
    """Which budgets stand in the way; empty if there is none with nothing to give."""
    spent = [str(it) for it in budgets_over(pods, context.objects) if it.allowed == 0]
    return f"waiting for budget {', '.join(spent)}" if spent else ""


def _put_back(arguments: DrainArguments, cordoned: Mapping[str, str], context: StepContext) -> str:
    """What became of the node after a failure, and which pods are still on it."""
    try:
        left = [f"{pod.ref.namespace}/{pod.ref.name}" for pod in _pods(arguments, context)]
        named = ", ".join(left[:_NAMED]) + (" …" if len(left) > _NAMED else "")
        still = f"Still there: {named}. " if left else ""
        return still + uncordon(arguments.node, cordoned, context)
    except (PermanentError, TemporaryError) as error:
        return f"It could not be put back, so look whether it is still cordoned: {error}"


def _outcome(arguments: DrainArguments, cordoned: Mapping[str, str]) -> StepOutcome:
    which = " with the labels" if arguments.labels else ""
    return StepOutcome(
        f"Node {arguments.node} is drained: no pod{which} is left that could be moved.", cordoned
    )
