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

DEPLOYMENT, SERVICE = "deployment", "service"

_SHORT: Mapping[str, str] = {
    DEPLOYMENT: "apps/v1",
    SERVICE: "v1",
    "statefulset": "apps/v1",
    "daemonset": "apps/v1",
    "replicaset": "apps/v1",
    "pod": "v1",
    "node": "v1",
    "namespace": "v1",
    "configmap": "v1",
    "secret": "v1",
    "event": "v1",
    "persistentvolumeclaim": "v1",
    "job": "batch/v1",
}
"""Kinds that are named by one word, with their API group and version."""


def kind_of(api_version: str, kind: str) -> str:
    """How an `ObjectRef` names a kind: ``deployment``, or ``cluster.v1.postgresql.cnpg.io``.

    The long form is kubectl's own: kind, version, group, in lower case.
    """
    word = kind.lower()
    if _SHORT.get(word) == api_version:
        return word
    group, _, version = api_version.rpartition("/")
    return ".".join(filter(None, (word, version, group)))


def api_version_of(kind: str) -> str:
    """The API group and version of a kind that `kind_of` named: ``postgresql.cnpg.io/v1``."""
    word, _, rest = kind.partition(".")
    if not rest:
        return _SHORT[word]
    version, _, group = rest.partition(".")
    return f"{group}/{version}" if group else version


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Names one object; its text form is ``kind/namespace/name``.

    `kind` is what `kind_of` says; `namespace` is empty for what has none, such as a node;
    `cluster` is what a step calls the cluster it is in, empty for the one that is configured.
    """

    kind: str
    namespace: str
    name: str
    cluster: str = ""

    def __str__(self) -> str:
        path = "/".join(filter(None, (self.kind, self.namespace, self.name)))
        return f"{self.cluster}:{path}" if self.cluster else path


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
