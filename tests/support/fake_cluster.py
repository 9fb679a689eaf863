"""A Kubernetes cluster in memory, as far as runbooks need one.

Like the real one it only takes note of a change when it is asked for it; what its
controllers then do happens when the test says so (`settle`, `roll_out`), so that a
test can look at the moments in between. Objects that were not added are not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.domain.cluster import (
    DEPLOYMENT,
    SERVICE,
    BlastRadius,
    Deployment,
    Marker,
    ObjectRef,
    Pod,
    Revision,
    Service,
)
from bot.domain.errors import NotFound, PermanentError, TocsinError
from tests.support.clock import START


@dataclass
class _Workload:
    deployment: Deployment
    revisions: list[Revision]
    template: str
    """The name of the revision whose template is wanted; a restart makes a new one."""


@dataclass
class FakeCluster:
    """Implements the `Cluster` port."""

    changes: list[str] = field(default_factory=list)
    """Every change that was really made: the object and the marker."""
    failure: TocsinError | None = None
    """While this is set every call raises it, as when the API server is away."""
    refusal: PermanentError | None = None
    """While this is set every change is refused with it, as by RBAC."""

    def __post_init__(self) -> None:
        self._workloads: dict[ObjectRef, _Workload] = {}
        self._services: dict[ObjectRef, Service] = {}
        self._pods: dict[tuple[str, str], tuple[Mapping[str, str], Pod]] = {}

    # --- what tests set up -----------------------------------------------------------

    def add_deployment(self, name: str, images: Sequence[str], replicas: int = 3) -> ObjectRef:
        """Add a Deployment `namespace/name`, rolled out, with a revision for each image."""
        ref = _ref(DEPLOYMENT, name)
        revisions = [
            Revision(
                number=number,
                name=f"{ref.name}-rs{number}",
                images=(image,),
                created_at=START - timedelta(days=1) + timedelta(hours=number),
                current=number == len(images),
                template_digest=_digest(image),
            )
            for number, image in enumerate(images, start=1)
        ]
        deployment = Deployment(
            ref=ref,
            uid=f"uid-of-{name}",
            generation=len(images),
            observed_generation=len(images),
            spec_digest="",
            marker="",
            revision=len(images),
            paused=False,
            selector={"app": ref.name},
            images=(images[-1],),
            desired=replicas,
            current=replicas,
            updated=replicas,
            ready=replicas,
            available=replicas,
            deadline_exceeded=False,
        )
        self._workloads[ref] = _Workload(deployment, revisions, revisions[-1].name)
        for number in range(replicas):
            self.set_pod(f"{name}-{number}", {"app": ref.name})
        return ref

    def add_service(self, name: str, selector: Mapping[str, str]) -> ObjectRef:
        ref = _ref(SERVICE, name)
        self._services[ref] = Service(ref, f"uid-of-{name}", _digest(selector), "", selector)
        return ref

    def set_pod(
        self,
        name: str,
        labels: Mapping[str, str],
        *,
        ready: bool = True,
        restarts: int = 0,
        reason: str = "",
    ) -> None:
        """Add or replace the pod `namespace/name`."""
        namespace, _, pod_name = name.partition("/")
        pod = Pod(pod_name, ready, "Running", restarts, reason)
        self._pods[namespace, pod_name] = (labels, pod)

    def edit(self, ref: ObjectRef, **values: object) -> None:
        """Set fields of a Deployment, as if they had been so from the start."""
        workload = self._workload(ref)
        workload.deployment = replace(workload.deployment, **values)  # type: ignore[arg-type]

    def forget_revision(self, ref: ObjectRef, name: str) -> None:
        """Delete the ReplicaSet, as revisionHistoryLimit makes Kubernetes do."""
        workload = self._workload(ref)
        workload.revisions = [kept for kept in workload.revisions if kept.name != name]

    def settle(self, ref: ObjectRef) -> None:
        """Let the controller see the last change: it renumbers the revision it goes to."""
        workload = self._workload(ref)
        newest = max((revision.number for revision in workload.revisions), default=0)
        wanted = next((r for r in workload.revisions if r.name == workload.template), None)
        if wanted is None:
            images = workload.deployment.images
            wanted = Revision(0, workload.template, images, START, False, _digest(*images))
        if not wanted.current:
            others = [r for r in workload.revisions if r.name != wanted.name]
            workload.revisions = [replace(r, current=False) for r in others]
            workload.revisions.append(replace(wanted, number=newest + 1, current=True))
            self.edit(ref, revision=newest + 1)
        self.edit(ref, observed_generation=workload.deployment.generation)

    def roll_out(self, ref: ObjectRef, updated: int | None = None) -> None:
        """Let that many pods be new and available; without a number, all of them."""
        self.settle(ref)
        desired = self._workload(ref).deployment.desired
        done = desired if updated is None else updated
        self.edit(ref, updated=done, available=done, ready=done, current=desired)

    def apply(self, ref: ObjectRef, image: str) -> None:
        """Somebody else brings out another image; it is observed at once."""
        workload = self._workload(ref)
        workload.template = f"{ref.name}-{_digest(image)[:6]}"
        generation = workload.deployment.generation + 1
        self.edit(ref, images=(image,), generation=generation)
        self.settle(ref)

    def select(self, ref: ObjectRef, selector: Mapping[str, str]) -> None:
        """Somebody else changes the Service's selector."""
        self._services[ref] = replace(self.service(ref), selector=selector)

    # --- the port --------------------------------------------------------------------

    def deployment(self, ref: ObjectRef) -> Deployment:
        self._answer()
        workload = self._workload(ref)
        return replace(workload.deployment, spec_digest=_digest(workload.template))

    def deployments(self, namespace: str | None = None) -> Sequence[Deployment]:
        return [self.deployment(r) for r in self._workloads if namespace in (None, r.namespace)]

    def revisions(self, ref: ObjectRef) -> Sequence[Revision]:
        self._answer()
        return sorted(self._workload(ref).revisions, key=lambda r: r.number, reverse=True)

    def restart(self, ref: ObjectRef, marker: Marker, *, dry_run: bool = False) -> Deployment:
        template = f"{ref.name}-restarted-{marker.at:%H%M%S}"
        images = self._workload(ref).deployment.images
        return self._change_template(ref, template, images, marker, dry_run)

    def roll_back(
        self, ref: ObjectRef, revision: int, marker: Marker, *, dry_run: bool = False
    ) -> Deployment:
        if self._workload(ref).deployment.marker == str(marker):
            return self.deployment(ref)
        for kept in self.revisions(ref):
            if kept.number == revision:
                return self._change_template(ref, kept.name, kept.images, marker, dry_run)
        raise NotFound(f"{ref} has no revision {revision}")

    def service(self, ref: ObjectRef) -> Service:
        self._answer()
        if ref not in self._services:
            raise NotFound(f"There is no {ref}.")
        return self._services[ref]

    def switch_service(
        self,
        ref: ObjectRef,
        selector: Mapping[str, str],
        marker: Marker,
        *,
        dry_run: bool = False,
    ) -> Service:
        changed = replace(
            self.service(ref),
            selector=dict(selector),
            spec_digest=_digest(selector),
            marker=str(marker),
        )
        if self._may_change(ref, marker, dry_run):
            self._services[ref] = changed
        return changed

    def pods(self, namespace: str, selector: Mapping[str, str]) -> Sequence[Pod]:
        self._answer()
        return [
            pod
            for (place, _), (labels, pod) in sorted(self._pods.items(), key=lambda item: item[0])
            if place == namespace and selector.items() <= labels.items()
        ]

    def blast_radius(self, namespace: str, selector: Mapping[str, str]) -> BlastRadius:
        pods = self.pods(namespace, selector)
        return BlastRadius(len(pods), sum(pod.ready for pod in pods))

    # --- inside ----------------------------------------------------------------------

    def _answer(self) -> None:
        if self.failure:
            raise self.failure

    def _workload(self, ref: ObjectRef) -> _Workload:
        if ref not in self._workloads:
            raise NotFound(f"There is no {ref}.")
        return self._workloads[ref]

    def _may_change(self, ref: ObjectRef, marker: Marker, dry_run: bool) -> bool:
        if self.refusal:
            raise self.refusal
        if not dry_run:
            self.changes.append(f"{ref} by {marker}")
        return not dry_run

    def _change_template(
        self, ref: ObjectRef, template: str, images: tuple[str, ...], marker: Marker, dry_run: bool
    ) -> Deployment:
        self._answer()
        workload = self._workload(ref)
        deployment = workload.deployment
        if deployment.paused:
            raise PermanentError(f"{ref} is paused")
        changed = template != workload.template
        after = replace(
            deployment,
            marker=str(marker),
            images=images,
            generation=deployment.generation + changed,
            updated=0 if changed else deployment.updated,
            spec_digest=_digest(template),
        )
        if self._may_change(ref, marker, dry_run):
            workload.deployment, workload.template = after, template
        return after


def _ref(kind: str, name: str) -> ObjectRef:
    namespace, _, object_name = name.partition("/")
    return ObjectRef(kind, namespace, object_name)


def _digest(value: object) -> str:
    text = repr(sorted(value.items()) if isinstance(value, Mapping) else value)
    return hashlib.sha256(text.encode()).hexdigest()
