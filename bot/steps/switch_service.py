"""`kubernetes.switch_service`: send a Service's traffic to other pods, such as a standby."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bot.domain.cluster import Service
from bot.domain.errors import PermanentError
from bot.domain.excerpt import counted
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import Cluster, StepContext
from bot.steps.arguments import Arguments, ServiceName, service_ref
from bot.steps.base import MutatingStep, target_of
from bot.steps.selection import selector_of
from bot.steps.words import ready_count, unready


class SwitchServiceArguments(Arguments):
    """Which Service, the selector's label to change, its new value, and what must be ready."""

    service: ServiceName
    to: Annotated[str, Field(min_length=1, max_length=63)]
    label: Annotated[str, Field(min_length=1, max_length=317)] = "role"
    minimum_ready: Annotated[int, Field(ge=1)] = 1


class SwitchService(MutatingStep[SwitchServiceArguments]):
    """Replaces one label of the Service's selector, once pods are ready behind the new one."""

    name = "kubernetes.switch_service"
    arguments = SwitchServiceArguments
    decides = frozenset({"selector", "previous"})

    def intent(self, arguments: SwitchServiceArguments) -> str:
        return (
            f"Send the traffic of Service {arguments.service} "
            f"to the pods with {arguments.label}={arguments.to}."
        )

    def prepare(self, arguments: SwitchServiceArguments, context: StepContext) -> StepPlan:
        ref = service_ref(arguments.service)
        service = context.cluster.service(ref)
        selector = _switched(service, arguments)
        _require_ready(arguments, selector, context.cluster)
        context.cluster.switch_service(ref, selector, context.marker, dry_run=True)
        return StepPlan(
            self.intent(arguments),
            changes=(
                f"- spec.selector.{arguments.label}: {service.selector[arguments.label]}",
                f"+ spec.selector.{arguments.label}: {arguments.to}",
                *_fewer(service, selector, context.cluster),
            ),
            targets=(target_of(service),),
            blast_radius=context.cluster.blast_radius(ref.namespace, selector),
            decided={"selector": _text(selector), "previous": _text(service.selector)},
            reversible=True,
        )

    def observe(
        self, arguments: SwitchServiceArguments, context: StepContext
    ) -> StepOutcome | None:
        service = context.cluster.service(service_ref(arguments.service))
        done = service.marker == str(context.marker)
        return _outcome(arguments, context.decided) if done else None

    def apply(self, arguments: SwitchServiceArguments, context: StepContext) -> StepOutcome:
        """Switch; the pods are looked at again, since a while may have passed since the plan."""
        selector = _selector(context.decided["selector"])
        _require_ready(arguments, selector, context.cluster)
        context.cluster.switch_service(service_ref(arguments.service), selector, context.marker)
        return _outcome(arguments, context.decided)

    def undo(
        self, arguments: SwitchServiceArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        """Put the previous selector back, unless somebody has changed the Service since."""
        ref = service_ref(arguments.service)
        now = dict(context.cluster.service(ref).selector)
        previous = _selector(outcome.data["previous"])
        if now not in (previous, _selector(outcome.data["selector"])):
            raise PermanentError(
                f"Service {arguments.service} was changed since the switch, so it is left as it is."
            )
        if now != previous:
            context.cluster.switch_service(ref, previous, context.marker)
        return StepOutcome(
            f"Service {arguments.service} selects "
            f"{arguments.label}={previous[arguments.label]} again."
        )


def _switched(service: Service, arguments: SwitchServiceArguments) -> Mapping[str, str]:
    selector = selector_of(service)
    if arguments.label not in selector:
        labels = ", ".join(f"{label}={value}" for label, value in sorted(selector.items()))
        raise PermanentError(
            f"Service {arguments.service} does not select by {arguments.label}; "
            f"it selects {labels}."
        )
    if selector[arguments.label] == arguments.to:
        raise PermanentError(
            f"Service {arguments.service} already selects {arguments.label}={arguments.to}."
        )
    return {**selector, arguments.label: arguments.to}


def _require_ready(
    arguments: SwitchServiceArguments, selector: Mapping[str, str], cluster: Cluster
) -> None:
    pods = cluster.pods(service_ref(arguments.service).namespace, selector)
    ready = ready_count(pods)
    if ready < arguments.minimum_ready:
        raise PermanentError(
            f"Ready pods with {arguments.label}={arguments.to}: {ready}, "
            f"but at least {arguments.minimum_ready} must be. {unready(pods)}".rstrip()
        )


def _fewer(service: Service, selector: Mapping[str, str], cluster: Cluster) -> tuple[str, ...]:
    """A warning where fewer pods would carry the traffic than do now."""
    namespace = service.ref.namespace
    now = ready_count(cluster.pods(namespace, service.selector))
    then = ready_count(cluster.pods(namespace, selector))
    if then >= now:
        return ()
    return (f"! {counted(then, 'ready pod')} will carry what {now} carry now",)


def _outcome(arguments: SwitchServiceArguments, decided: Mapping[str, str]) -> StepOutcome:
    return StepOutcome(
        f"Service {arguments.service} now selects {arguments.label}={arguments.to}.",
        data=dict(decided),
    )


def _text(selector: Mapping[str, str]) -> str:
    return json.dumps(dict(selector), sort_keys=True)


def _selector(text: str) -> dict[str, str]:
    return {str(label): str(value) for label, value in json.loads(text).items()}
