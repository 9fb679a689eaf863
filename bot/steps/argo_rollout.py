"""A Rollout of Argo Rollouts as steps see it: where it stands, and what it is said to be.

Source: argoproj/argo-rollouts, pkg/apis/rollouts/v1alpha1/types.go and, for the phase,
utils/rollout/rolloututil.go (`GetRolloutPhase`). Releases before 1.0, which don't write their
phase down, are not supported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.cluster import BlastRadius, ObjectRef, kind_of
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Workload

ROLLOUT = kind_of("argoproj.io/v1alpha1", "Rollout")

HEALTHY, DEGRADED, PAUSED, PROGRESSING = "Healthy", "Degraded", "Paused", "Progressing"
"""The phases of a Rollout."""


class RolloutArguments(Arguments):
    """Which Rollout, as namespace/name."""

    rollout: Workload


@dataclass(frozen=True, slots=True)
class Rollout:
    """A Rollout as one read returned it."""

    resource: Resource

    @property
    def name(self) -> str:
        return f"Rollout {self.resource.ref.namespace}/{self.resource.ref.name}"

    @property
    def spec(self) -> Mapping[str, Any]:
        return self.resource.body.get("spec") or {}

    @property
    def status(self) -> Mapping[str, Any]:
        return self.resource.body.get("status") or {}

    @property
    def canary(self) -> Mapping[str, Any] | None:
        """The canary strategy; None for a blue-green one."""
        strategy: Mapping[str, Any] = self.spec.get("strategy") or {}
        return None if "blueGreen" in strategy else strategy.get("canary") or {}

    @property
    def step_index(self) -> int | None:
        """The canary step it is at, from 0; None without steps."""
        if not self.steps:
            return None
        return int(self.status.get("currentStepIndex") or 0)

    @property
    def steps(self) -> int:
        """How many steps the canary has."""
        return len((self.canary or {}).get("steps") or ())

    @property
    def held(self) -> bool:
        """Whether somebody has paused it by hand."""
        return bool(self.spec.get("paused"))

    @property
    def pauses(self) -> tuple[str, ...]:
        """Why its controller has paused it."""
        return tuple(str(one["reason"]) for one in self.status.get("pauseConditions") or ())

    @property
    def aborted(self) -> bool:
        return bool(self.status.get("abort"))

    @property
    def newest(self) -> str:
        """The pod template's hash that is wanted."""
        return str(self.status.get("currentPodHash", ""))

    @property
    def stable(self) -> str:
        """The pod template's hash that was last promoted in full."""
        return str(self.status.get("stableRS", ""))

    @property
    def fully_promoted(self) -> bool:
        return self.newest == self.stable

    @property
    def observed(self) -> bool:
        """Whether the controller has seen the newest spec; it writes the generation as text."""
        seen = str(self.status.get("observedGeneration", ""))
        generation = int((self.resource.body.get("metadata") or {}).get("generation") or 0)
        return not seen.isdecimal() or int(seen) >= generation

    @property
    def unpausing(self) -> bool:
        """Whether it was promoted, and its controller has not noticed yet."""
        return bool(self.status.get("controllerPause")) and not self.pauses

    @property
    def selector(self) -> Mapping[str, str]:
        return (self.spec.get("selector") or {}).get("matchLabels") or {}

    @property
    def phase(self) -> tuple[str, str]:
        """The phase and its message, as `kubectl argo rollouts status` says them."""
        if not self.observed:
            return PROGRESSING, "the controller has not yet seen the newest spec"
        if self.unpausing:
            return PROGRESSING, "waiting for the rollout to go on"
        said = str(self.status.get("phase") or PROGRESSING)
        return said, str(self.status.get("message") or "")


def rollout_ref(rollout: str) -> ObjectRef:
    """The Rollout that ``namespace/name`` means."""
    namespace, _, name = rollout.partition("/")
    return ObjectRef(ROLLOUT, namespace, name)


def read_rollout(rollout: str, context: StepContext) -> Rollout:
    """The Rollout as it is now. Raises what `Objects.read` raises."""
    return Rollout(context.objects.read(rollout_ref(rollout)))


def blast_radius_of(rollout: Rollout, context: StepContext) -> BlastRadius | None:
    """What shares the fate of its pods; None where it names none by labels."""
    if not rollout.selector:
        return None
    return context.cluster.blast_radius(rollout.resource.ref.namespace, rollout.selector)
