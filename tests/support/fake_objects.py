"""Objects of any kind in memory; Deployments and Services are those of the `FakeCluster`.

As the API server does, it gives every change a new version and refuses a stale one; what
controllers would then do happens when the test says so (`put`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

from bot.domain.cluster import (
    DEPLOYMENT,
    MARKER_ANNOTATION,
    SERVICE,
    Marker,
    ObjectRef,
    kind_of,
)
from bot.domain.errors import Conflict, NotFound, PermanentError, TemporaryError
from bot.domain.resource import Manifest, Resource
from tests.support.clock import START
from tests.support.fake_cluster import FakeCluster

CREATED = {"metadata": {"creationTimestamp": START.isoformat()}}
"""What the server adds to a new object."""


class FakeObjects:
    """Implements the `Objects` port."""

    def __init__(self, cluster: FakeCluster | None = None) -> None:
        self._cluster = cluster or FakeCluster()
        self._objects: dict[ObjectRef, Resource] = {}
        self._versions = 0
        self.changes: list[str] = []
        """Every change that was really made: verb, object and marker."""
        self.logs: dict[ObjectRef, str] = {}
        self.previous_logs: dict[ObjectRef, str] = {}
        self.unreadable: set[ObjectRef] = set()
        """Pods whose log is not to be had."""
        self.meanwhile: list[Callable[[], object]] = []
        """What others do, one thing just before each apply or merge."""
        self.guarded: set[ObjectRef] = set()
        """Pods whose eviction a budget refuses."""
        self.unevictable: PermanentError | None = None
        """While this is set every eviction is refused with it, as by RBAC."""

    # --- what tests set up -----------------------------------------------------------

    def put(self, manifest: Manifest) -> ObjectRef:
        """Set an object up, or change it behind everybody's back."""
        ref = _ref(manifest)
        self._store(ref, manifest)
        return ref

    def remove(self, ref: ObjectRef) -> None:
        del self._objects[ref]

    # --- the port ----------------------------------------------------------------------

    def read(self, ref: ObjectRef) -> Resource:
        self._fail()
        if ref.kind in (DEPLOYMENT, SERVICE) and ref not in self._objects:
            return self._of_cluster(ref)
        return self._find(ref)

    def find(
        self,
        kind: str,
        namespace: str,
        labels: Mapping[str, str],
        *,
        fields: Mapping[str, str] | None = None,
    ) -> Sequence[Resource]:
        self._fail()
        found = (one for ref, one in sorted(self._objects.items()) if ref.kind == kind)
        inside = (one for one in found if namespace in ("", one.ref.namespace))
        labelled = (one for one in inside if labels.items() <= _labels(one.body).items())
        return [one for one in labelled if _has_fields(one.body, fields or {})]

    def create(self, manifest: Manifest, marker: Marker, *, dry_run: bool = False) -> Resource:
        self._refuse()
        ref = _ref(manifest)
        if ref in self._objects:
            if self._objects[ref].marker == str(marker):
                return self._objects[ref]
            raise PermanentError(f"{ref} exists already, and this run did not make it")
        return self._change("create", ref, merged(CREATED, manifest), marker, dry_run)

    def apply(
        self, manifest: Manifest, marker: Marker, *, version: str = "", dry_run: bool = False
    ) -> Resource:
        self._refuse()
        ref = _ref(manifest)
        if version:
            self._expect(ref, version)
        there = self._objects[ref].body if ref in self._objects else {}
        return self._change("apply", ref, merged(there, manifest), marker, dry_run)

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
        self._refuse()
        there = self._expect(ref, version)
        if subresource:
            return self._change_below(subresource, there, patch, dry_run)
        return self._change("merge", ref, merged(there.body, patch), marker, dry_run)

    def delete(self, ref: ObjectRef, uid: str, *, dry_run: bool = False) -> None:
        self._refuse()
        there = self._objects.get(ref)
        if there is not None and there.uid == uid and not dry_run:
            self.changes.append(f"delete {ref}")
            if not there.body["metadata"].get("finalizers"):
                self.remove(ref)

    def evict(self, pod: ObjectRef, *, dry_run: bool = False) -> None:
        self._refuse()
        if self.unevictable is not None:
            raise self.unevictable
        if pod in self.guarded:
            raise TemporaryError("Cannot evict pod as it would violate the disruption budget.")
        if pod in self._objects and not dry_run:
            self.remove(pod)
            self.changes.append(f"evict {pod}")

    def log(
        self, pod: ObjectRef, container: str = "", lines: int = 100, *, previous: bool = False
    ) -> str:
        self._fail()
        self._find(pod)
        if pod in self.unreadable:
            raise PermanentError("previous terminated container not found")
        logs = self.previous_logs if previous else self.logs
        return "\n".join(logs.get(pod, "").splitlines()[-lines:])

    # -------------------------------------------------------------------------------------

    def _fail(self) -> None:
        if self._cluster.failure is not None:
            raise self._cluster.failure

    def _expect(self, ref: ObjectRef, version: str) -> Resource:
        """The object as it is; `meanwhile` comes in between, as somebody else would."""
        if self.meanwhile:
            self.meanwhile.pop(0)()
        there = self._find(ref)
        if version not in ("", there.version):
            raise Conflict(f"{ref} has been modified; read it again")
        return there

    def _refuse(self) -> None:
        self._fail()
        if self._cluster.refusal is not None:
            raise self._cluster.refusal

    def _find(self, ref: ObjectRef) -> Resource:
        if ref not in self._objects:
            raise NotFound(f"There is no {ref}")
        return self._objects[ref]

    def _of_cluster(self, ref: ObjectRef) -> Resource:
        cluster = self._cluster
        seen = cluster.deployment(ref) if ref.kind == DEPLOYMENT else cluster.service(ref)
        return Resource(ref, seen.uid, "1", seen.spec_digest, seen.marker, {})

    def _change(
        self, verb: str, ref: ObjectRef, body: Manifest, marker: Marker, dry_run: bool
    ) -> Resource:
        marked = merged(body, {"metadata": {"annotations": {MARKER_ANNOTATION: str(marker)}}})
        if dry_run:
            return Resource(ref, "", "", _digest(marked), str(marker), marked)
        self.changes.append(f"{verb} {ref} {marker}")
        return self._store(ref, marked)

    def _change_below(
        self, subresource: str, there: Resource, patch: Mapping[str, Any], dry_run: bool
    ) -> Resource:
        """As the API server does: only the part of the subresource's name is changed."""
        part = {name: value for name, value in patch.items() if name == subresource}
        body = merged(there.body, part)
        if dry_run:
            return Resource(there.ref, "", "", _digest(body), there.marker, body)
        self.changes.append(f"merge {there.ref}/{subresource}")
        return self._store(there.ref, body)

    def _store(self, ref: ObjectRef, body: Manifest) -> Resource:
        self._versions += 1
        uid = self._objects[ref].uid if ref in self._objects else f"uid-{self._versions}"
        annotations = (body.get("metadata") or {}).get("annotations") or {}
        marker = annotations.get(MARKER_ANNOTATION, "")
        stored = Resource(ref, uid, str(self._versions), _digest(body), marker, body)
        self._objects[ref] = stored
        return stored


def _ref(manifest: Manifest) -> ObjectRef:
    metadata = manifest["metadata"]
    kind = kind_of(manifest["apiVersion"], manifest["kind"])
    return ObjectRef(kind, metadata.get("namespace", ""), metadata["name"])


def _has_fields(body: Manifest, fields: Mapping[str, str]) -> bool:
    def value(path: str) -> Any:
        return reduce(lambda inner, key: inner.get(key) or {}, path.split("."), dict(body))

    return all(value(path) == wanted for path, wanted in fields.items())


def _labels(body: Manifest) -> Mapping[str, str]:
    labels: Mapping[str, str] = (body.get("metadata") or {}).get("labels") or {}
    return labels


def merged(old: Any, patch: Any) -> Any:
    """RFC 7386: mappings are merged, None deletes, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(old) if isinstance(old, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _digest(body: Manifest) -> str:
    spec = body.get("spec")
    if isinstance(spec, Mapping):
        state: Any = {name: value for name, value in spec.items() if name != "replicas"}
    else:
        left_out = ("apiVersion", "kind", "metadata", "status")
        state = {name: value for name, value in body.items() if name not in left_out}
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
