"""`kubernetes.cordon`: keep new pods off a node; those that are there stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.cluster import ObjectRef
from bot.domain.errors import NotFound
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, ObjectName
from bot.steps.base import MutatingStep, target_of

NODE = "node"

HERE, BEFORE = "here", "before"
"""Who cordoned the node, as the outcome's value `cordoned`: this step, or somebody before it."""

CHANGE = "+ spec.unschedulable: true"


class CordonArguments(Arguments):
    """Which node to keep new pods off."""

    node: ObjectName


class Cordon(MutatingStep[CordonArguments]):
    """Cordons a node, as `kubectl cordon` does; undone unless it was cordoned before."""

    name = "kubernetes.cordon"
    arguments = CordonArguments

    def intent(self, arguments: CordonArguments) -> str:
        return f"Cordon node {arguments.node}: no new pods start there, those that run stay."

    def prepare(self, arguments: CordonArguments, context: StepContext) -> StepPlan:
        node = context.objects.read(node_ref(arguments.node))
        dry_run(node, context)
        if is_cordoned(node):
            plan = StepPlan(f"Node {arguments.node} is cordoned already.")
        else:
            plan = StepPlan(self.intent(arguments), changes=(CHANGE,))
        return replace(plan, targets=(target_of(node),), reversible=True)

    def observe(self, arguments: CordonArguments, context: StepContext) -> StepOutcome | None:
        node = context.objects.read(node_ref(arguments.node))
        done = node.marker == str(context.marker)
        return _outcome(arguments.node, {"cordoned": HERE}) if done else None

    def apply(self, arguments: CordonArguments, context: StepContext) -> StepOutcome:
        return _outcome(arguments.node, cordon(arguments.node, context))

    def undo(
        self, arguments: CordonArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        return StepOutcome(uncordon(arguments.node, outcome.data, context))


def node_ref(name: str) -> ObjectRef:
    """The node of that name."""
    return ObjectRef(NODE, "", name)


def is_cordoned(node: Resource) -> bool:
    """Whether no new pods are put on it."""
    return bool(node.body["spec"].get("unschedulable"))


def dry_run(node: Resource, context: StepContext) -> None:
    """Have the server check that the node may be cordoned, or uncordoned."""
    context.objects.merge(node.ref, _unschedulable(True), context.marker, dry_run=True)


def cordon(name: str, context: StepContext) -> Mapping[str, str]:
    """Cordon the node; returns what `uncordon` has to know."""
    node = context.objects.read(node_ref(name))
    if is_cordoned(node):
        return {"cordoned": HERE if node.marker == str(context.marker) else BEFORE}
    context.objects.merge(node.ref, _unschedulable(True), context.marker)
    return {"cordoned": HERE}


def uncordon(name: str, cordoned: Mapping[str, str], context: StepContext) -> str:
    """Take back what `cordon` did; returns a sentence about it."""
    if cordoned.get("cordoned") == BEFORE:
        return f"Node {name} was cordoned before, so it stays so."
    try:
        context.objects.merge(node_ref(name), _unschedulable(None), context.marker)
    except NotFound:
        return f"Node {name} is gone."
    return f"Node {name} takes new pods again."


def _unschedulable(value: bool | None) -> Mapping[str, object]:
    return {"spec": {"unschedulable": value}}


def _outcome(name: str, cordoned: Mapping[str, str]) -> StepOutcome:
    how = "was cordoned before" if cordoned["cordoned"] == BEFORE else "is cordoned"
    return StepOutcome(f"Node {name} {how}.", cordoned)
