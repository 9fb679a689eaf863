"""`kubernetes.events`: what the cluster has warned of lately, about a workload and its pods."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.excerpt import counted
from bot.domain.parameter import seconds
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Duration
from bot.steps.base import ReadOnlyStep
from bot.steps.pod_bodies import POD
from bot.steps.selection import SelectionArguments, select
from bot.steps.warnings import Subject, recent_warnings

REPLICA_SET = "replicaset"

_NAMED = 5
"""Reasons that are told; what happens more rarely is only counted."""


class EventsArguments(SelectionArguments):
    """About what, and how far back (Kubernetes itself forgets Events after an hour)."""

    since: Duration = "30m"


class Events(ReadOnlyStep[EventsArguments]):
    """Counts the warnings by reason, and tells the newest of each."""

    name = "kubernetes.events"
    arguments = EventsArguments

    def intent(self, arguments: EventsArguments) -> str:
        return f"Read the warnings of the last {arguments.since} about {arguments.subject}."

    def prepare(self, arguments: EventsArguments, context: StepContext) -> StepPlan:
        select(arguments, context.cluster)
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: EventsArguments, context: StepContext) -> StepOutcome:
        since = context.clock.now() - timedelta(seconds=seconds(arguments.since))
        found = recent_warnings(context.objects, _subject(arguments, context), since)
        total = counted(sum(it.count for it in found), "warning")
        about = f"{total} about {arguments.subject} in the last {arguments.since}"
        if not found:
            return StepOutcome(f"{about}.")
        told = "; ".join(map(str, found[:_NAMED]))
        more = f"; and {len(found) - _NAMED} more reasons" if len(found) > _NAMED else ""
        return StepOutcome(f"{about}: {told}{more}.")


def _subject(arguments: EventsArguments, context: StepContext) -> Subject:
    """The workload, its ReplicaSets and all pods of these, those that are gone included."""
    selection = select(arguments, context.cluster)
    namespace, labels = selection.namespace, selection.selector
    find = context.objects.find
    sets = [it.ref.name for it in find(REPLICA_SET, namespace, labels)]
    pods = [it.ref.name for it in find(POD, namespace, labels)]
    own = (arguments.workload or arguments.service or "").partition("/")[2]
    return Subject(namespace, frozenset({own, *sets, *pods}), tuple(f"{it}-" for it in sets))
