"""An Application of Argo CD as steps see it.

Source: argoproj/argo-cd, pkg/apis/application/v1alpha1/types.go. The Application has no status
subresource: its spec, the operation that is asked for and the marker go into one patch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.resource import Manifest, Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Workload

APPLICATION = kind_of("argoproj.io/v1alpha1", "Application")

SUSPENDED = "tocsin/suspended-automation"
"""The annotation in which the automation that was switched off is kept, as JSON."""


class ApplicationArguments(Arguments):
    """Which Application, as namespace/name (the namespace is mostly ``argocd``)."""

    application: Workload


@dataclass(frozen=True, slots=True)
class Application:
    """An Application as one read returned it."""

    resource: Resource

    @property
    def name(self) -> str:
        return f"Application {self.resource.ref.namespace}/{self.resource.ref.name}"

    @property
    def status(self) -> Mapping[str, Any]:
        return self.resource.body.get("status") or {}

    @property
    def sync_policy(self) -> Mapping[str, Any]:
        return (self.resource.body.get("spec") or {}).get("syncPolicy") or {}

    @property
    def automation(self) -> Mapping[str, Any] | None:
        """`spec.syncPolicy.automated`; None where nothing is synced by itself."""
        automated: Mapping[str, Any] | None = self.sync_policy.get("automated")
        return automated

    @property
    def automated(self) -> bool:
        """Whether it is synced by itself; `enabled: false` switches that off too (Argo CD 3)."""
        return self.automation is not None and self.automation.get("enabled") is not False

    @property
    def kept(self) -> Mapping[str, Any] | None:
        """The automation that a step switched off, and nobody has switched on since."""
        annotations = self.resource.body["metadata"].get("annotations") or {}
        text = annotations.get(SUSPENDED)
        return None if text is None else automation_in(text)

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """What was deployed, the newest last."""
        return self.status.get("history") or ()

    @property
    def operating(self) -> bool:
        """Whether an operation is asked for or under way."""
        running = (self.status.get("operationState") or {}).get("phase") == "Running"
        return bool(self.resource.body.get("operation")) or running

    @property
    def warnings(self) -> tuple[str, ...]:
        """Who may put the spec back, for the plan."""
        owners = self.resource.body["metadata"].get("ownerReferences") or ()
        return tuple(
            f"! {owner['kind']} {owner['name']} makes this Application and may put it back"
            for owner in owners
            if owner["kind"] == "ApplicationSet"
        )


def automation_in(text: str) -> Mapping[str, Any] | None:
    """The automation that a text holds; None for one that was damaged."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def application_ref(application: str) -> ObjectRef:
    """The Application that ``namespace/name`` means."""
    namespace, _, name = application.partition("/")
    return ObjectRef(APPLICATION, namespace, name)


def read_application(application: str, context: StepContext) -> Application:
    """The Application as it is now. Raises what `Objects.read` raises."""
    return Application(context.objects.read(application_ref(application)))


def switched_off(automation: Mapping[str, Any]) -> Manifest:
    """The patch that switches the automation off, and keeps it for later."""
    return {
        "metadata": {"annotations": {SUSPENDED: json.dumps(automation, sort_keys=True)}},
        "spec": {"syncPolicy": {"automated": None}},
    }


def switched_on(automation: Mapping[str, Any]) -> Manifest:
    """The patch that switches the automation on, and forgets that it was off."""
    return {
        "metadata": {"annotations": {SUSPENDED: None}},
        "spec": {"syncPolicy": {"automated": {"enabled": None, **automation}}},
    }


def shown(automation: Mapping[str, Any]) -> str:
    """The automation, for the plan."""
    return f"spec.syncPolicy.automated: {json.dumps(automation, sort_keys=True)}"
