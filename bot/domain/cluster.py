"""What Tocsin knows of a Kubernetes cluster: snapshots, as values.

A snapshot is what one read returned. `spec_digest` identifies the desired state
(SHA-256 over the canonical JSON of the object's ``spec``, without ``replicas``): unlike
``resourceVersion`` it stays the same while only the status changes, so a plan for
a crash-looping Deployment does not drift by itself (docs/adr/0004).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ObjectKind(StrEnum):
    """The Kubernetes kinds that runbooks touch."""

    DEPLOYMENT = "deployment"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object in the cluster; its text form is ``kind/namespace/name``."""

    kind: ObjectKind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Marker:
    """Who wrote a change: run and step, kept as an annotation on the changed object.

    `at` is the time at which the step began (not the time of the call), so that a
    repeated call writes exactly the same object and changes nothing.
    """

    run: int
    step: str
    at: datetime

    def __str__(self) -> str:
        return f"run-{self.run}/{self.step}"


MARKER_ANNOTATION = "tocsin/last-step"
"""The annotation, on the changed object's metadata, that holds `str(Marker)`."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment as one read returned it; the counts are numbers of pods.

    `selector` holds the labels that its pods must have (matchLabels). `deadline_exceeded`
    speaks of the newest pod template only.
    """

    ref: ObjectRef
    uid: str
    generation: int
    observed_generation: int
    spec_digest: str
    marker: str
    revision: int
    paused: bool
    selector: Mapping[str, str]
    images: tuple[str, ...]
    desired: int
    current: int
    updated: int
    ready: int
    available: int
    deadline_exceeded: bool

    @property
    def rolled_out(self) -> bool:
        """Whether the newest template runs everywhere, by kubectl's own rule.

        Source: kubectl `rollout status` (polymorphichelpers/rollout_status.go):
        generation observed, all replicas updated, no old ones left, all available.
        """
        return (
            self.observed_generation >= self.generation
            and self.updated >= self.desired
            and self.current <= self.updated
            and self.available >= self.updated
        )


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of a Deployment's history (a ReplicaSet it still keeps)."""

    number: int
    name: str
    images: tuple[str, ...]
    created_at: datetime
    current: bool
    template_digest: str
    """Identifies the pod template, leaving out what a restart writes into it: so two
    revisions that only a restart sets apart have the same."""


@dataclass(frozen=True, slots=True)
class Service:
    """A Service as one read returned it."""

    ref: ObjectRef
    uid: str
    spec_digest: str
    marker: str
    selector: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod; `reason` is the first thing that keeps it from being ready, or empty."""

    name: str
    ready: bool
    phase: str
    restarts: int
    reason: str


@dataclass(frozen=True, slots=True)
class DisruptionBudget:
    """A PodDisruptionBudget that selects the pods in question."""

    name: str
    disruptions_allowed: int


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler that targets the workload in question."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What shares the fate of a workload's pods."""

    pods: int
    ready: int
    services: tuple[str, ...] = ()
    budgets: tuple[DisruptionBudget, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    unknown: tuple[str, ...] = ()
    """What could not be read, and why (an API that the cluster lacks, a refusal)."""
