"""The Kubernetes cluster on which runbooks run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.cluster import BlastRadius, Deployment, Marker, ObjectRef, Pod, Revision, Service


class Cluster(Protocol):
    """A Kubernetes cluster, in the words of runbooks.

    Objects that don't exist raise `NotFound`; RBAC's refusals are `PermanentError`s
    that name the missing permission; a 409 is a `Conflict`. Each mutation writes
    `marker` as an annotation in the same request, and returns the object as the
    server answered it. With `dry_run=True` the server validates, nothing changes.
    """

    def deployment(self, ref: ObjectRef) -> Deployment: ...

    def deployments(self, namespace: str | None = None) -> Sequence[Deployment]:
        """All Deployments, of one namespace or of every one."""
        ...

    def revisions(self, ref: ObjectRef) -> Sequence[Revision]:
        """The history that is still there, newest first."""
        ...

    def restart(self, ref: ObjectRef, marker: Marker, *, dry_run: bool = False) -> Deployment:
        """Start a rolling restart, as `kubectl rollout restart` does.

        Sets ``kubectl.kubernetes.io/restartedAt`` on the pod template to `marker.at`. A
        paused Deployment is a `PermanentError`.
        """
        ...

    def roll_back(
        self, ref: ObjectRef, revision: int, marker: Marker, *, dry_run: bool = False
    ) -> Deployment:
        """Re-apply the pod template of `revision`, as `kubectl rollout undo` does.

        A Deployment that has this `marker` already was rolled back, and is left as it is
        (its revisions have other numbers since). A paused one is a `PermanentError`.
        """
        ...

    def service(self, ref: ObjectRef) -> Service: ...

    def switch_service(
        self,
        ref: ObjectRef,
        selector: Mapping[str, str],
        marker: Marker,
        *,
        dry_run: bool = False,
    ) -> Service:
        """Replace the Service's selector by exactly `selector`."""
        ...

    def pods(self, namespace: str, selector: Mapping[str, str]) -> Sequence[Pod]:
        """The pods that all of `selector`'s labels match, by name; an empty one matches none.

        Pods that have ended or are being deleted do not count, as in Kubernetes' controllers.
        """
        ...

    def blast_radius(self, namespace: str, selector: Mapping[str, str]) -> BlastRadius:
        """Pods, budgets, autoscalers and Services that a change to these pods touches.

        What the cluster refuses to show or does not serve is in `unknown`.
        """
        ...
