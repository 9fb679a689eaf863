"""Any object of a Kubernetes cluster, for the steps that work on whatever a runbook names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.domain.cluster import Marker, ObjectRef
from bot.domain.resource import Manifest, Resource


class Objects(Protocol):
    """The objects of one cluster, custom resources included.

    What doesn't exist raises `NotFound` (a kind that the cluster does not serve, too);
    RBAC's refusals are `PermanentError`s that name the missing permission; a 409 is a
    `Conflict`; an API server that can't be reached is a `TemporaryError`. Each mutation
    writes `marker` as an annotation in the same request and returns the object as the
    server answered it. With `dry_run=True` the server validates, nothing changes.
    """

    def read(self, ref: ObjectRef) -> Resource: ...

    def find(
        self,
        kind: str,
        namespace: str,
        labels: Mapping[str, str],
        *,
        fields: Mapping[str, str] | None = None,
    ) -> Sequence[Resource]:
        """The objects of a kind (`kind_of`) with all these labels, by name.

        An empty namespace stands for every one, and no labels for every object. `fields`
        are a field selector's, such as ``spec.nodeName``: each kind has a few of its own.
        """
        ...

    def create(self, manifest: Manifest, marker: Marker, *, dry_run: bool = False) -> Resource:
        """Make a new object. One of that name with this very marker is returned as it is."""
        ...

    def apply(
        self, manifest: Manifest, marker: Marker, *, version: str = "", dry_run: bool = False
    ) -> Resource:
        """Server-side apply: own exactly the fields that the manifest has.

        A field that somebody else owns and that would change is a `PermanentError` that names
        them; it is never taken by force. With `version` it goes only onto that
        `Resource.version`, and fields that earlier steps of Tocsin own are taken over.
        """
        ...

    def merge(
        self,
        ref: ObjectRef,
        patch: Mapping[str, Any],
        marker: Marker,
        *,
        version: str = "",
        subresource: str = "",
        dry_run: bool = False,
    ) -> Resource:
        """JSON merge patch (RFC 7386); with `version` only onto that `Resource.version`.

        A `subresource`, such as ``status``, takes no annotation: there the marker isn't written.
        """
        ...

    def delete(self, ref: ObjectRef, uid: str, *, dry_run: bool = False) -> None:
        """Delete that very object and, in the background, what it owns; one gone is no error."""
        ...

    def evict(self, pod: ObjectRef, *, dry_run: bool = False) -> None:
        """Ask for a pod's eviction. A budget's refusal is a `TemporaryError`; a pod gone, fine."""
        ...

    def log(
        self, pod: ObjectRef, container: str = "", lines: int = 100, *, previous: bool = False
    ) -> str:
        """The end of a container's log (its only or first one, if none is named).

        With `previous` it is the log of the container before its last restart.
        """
        ...
