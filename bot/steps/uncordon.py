"""`kubernetes.uncordon`: let a node take new pods again, as after its maintenance."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.errors import NotFound
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.base import MutatingStep, target_of
from bot.steps.cordon import CordonArguments, cordon, dry_run, is_cordoned, node_ref, uncordon
from bot.steps.object_change import NO_CHANGE

UNCORDONED, HERE, BEFORE = "uncordoned", "here", "before"
"""The outcome's value: who uncordoned the node, this step or somebody before it."""

CHANGE = "- spec.unschedulable: true"


class Uncordon(MutatingStep[CordonArguments]):
    """Uncordons a node, as `kubectl uncordon` does; undone unless it took pods before."""

    name = "kubernetes.uncordon"
    arguments = CordonArguments

    def intent(self, arguments: CordonArguments) -> str:
        return f"Uncordon node {arguments.node}: it takes new pods again."

    def prepare(self, arguments: CordonArguments, context: StepContext) -> StepPlan:
        node = context.objects.read(node_ref(arguments.node))
        dry_run(node, context)
        if is_cordoned(node):
            plan = StepPlan(self.intent(arguments), changes=(CHANGE,))
        else:
            plan = StepPlan(self.intent(arguments), changes=(NO_CHANGE,), as_wanted=True)
        return replace(plan, targets=(target_of(node),), reversible=True)

    def observe(self, arguments: CordonArguments, context: StepContext) -> StepOutcome | None:
        node = context.objects.read(node_ref(arguments.node))
        if node.marker != str(context.marker):
            return None
        return StepOutcome(f"Node {arguments.node} takes new pods again.", {UNCORDONED: HERE})

    def apply(self, arguments: CordonArguments, context: StepContext) -> StepOutcome:
        name = arguments.node
        if not is_cordoned(context.objects.read(node_ref(name))):
            return StepOutcome(f"Node {name} took new pods before.", {UNCORDONED: BEFORE})
        return StepOutcome(uncordon(name, {}, context), {UNCORDONED: HERE})

    def undo(
        self, arguments: CordonArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        name = arguments.node
        if outcome.data.get(UNCORDONED) == BEFORE:
            return StepOutcome(f"Node {name} took new pods before, so it still does.")
        try:
            cordon(name, context)
        except NotFound:
            return StepOutcome(f"Node {name} is gone.")
        return StepOutcome(f"Node {name} is cordoned again.")
