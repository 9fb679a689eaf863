"""The `Objects` port on the official Kubernetes client: any kind, by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes.client import ApiClient

from bot.adapters import kubernetes_values as values
from bot.adapters.kubernetes_api import FIELD_MANAGER
from bot.adapters.kubernetes_discovery import Discovery
from bot.adapters.kubernetes_errors import Request
from bot.adapters.kubernetes_requests import JSON, Call, KubernetesRequests
from bot.adapters.kubernetes_selectors import selector_text
from bot.adapters.kubernetes_values import Json
from bot.domain.cluster import MARKER_ANNOTATION, Marker, ObjectRef, kind_of
from bot.domain.errors import Conflict, InvalidInput, NotFound, PermanentError
from bot.domain.resource import Manifest, Resource

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


class KubernetesObjects:
    """The objects of the cluster behind `client`; a request is given up after `timeout` s."""

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._requests = KubernetesRequests(client, timeout)
        self._discovery = Discovery(self._requests)

    def read(self, ref: ObjectRef) -> Resource:
        return _resource(ref, self._requests.json(self._call("GET", ref), _asked("get", ref)))

    def find(self, kind: str, namespace: str, labels: Mapping[str, str]) -> Sequence[Resource]:
        place = self._discovery.place(kind)
        query = {"labelSelector": selector_text(labels)} if labels else {}
        asked = Request("list", place.plural, namespace or None)
        found = self._requests.json(Call("GET", place.path(namespace), query), asked)
        resources = (_resource(_ref(kind, item), item) for item in found["items"])
        return sorted(resources, key=lambda resource: resource.ref)

    def create(self, manifest: Manifest, marker: Marker, *, dry_run: bool = False) -> Resource:
        ref = ref_of(manifest)
        place = self._discovery.place(ref.kind)
        body = _marked(manifest, marker)
        call = Call("POST", place.path(ref.namespace), _query(dry_run), body)
        try:
            return _resource(ref, self._requests.json(call, _asked("create", ref)))
        except Conflict as error:
            there = self.read(ref)
            if there.marker == str(marker):
                return there
            raise PermanentError(f"{ref} exists already, and this run did not make it") from error

    def apply(self, manifest: Manifest, marker: Marker, *, dry_run: bool = False) -> Resource:
        ref = ref_of(manifest)
        call = self._call("PATCH", ref, _query(dry_run), _marked(manifest, marker), APPLY)
        try:
            return _resource(ref, self._requests.json(call, _asked("patch", ref)))
        except Conflict as error:
            raise PermanentError(f"{ref} can't be applied: {error}") from error

    def merge(
        self,
        ref: ObjectRef,
        patch: Mapping[str, Any],
        marker: Marker,
        *,
        version: str = "",
        dry_run: bool = False,
    ) -> Resource:
        body = _marked(patch, marker)
        if version:
            body["metadata"]["resourceVersion"] = version
        call = self._call("PATCH", ref, _query(dry_run), body, MERGE)
        return _resource(ref, self._requests.json(call, _asked("patch", ref)))

    def delete(self, ref: ObjectRef, uid: str, *, dry_run: bool = False) -> None:
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        call = self._call("DELETE", ref, _query(dry_run), options)
        try:
            self._requests.json(call, _asked("delete", ref))
        except (NotFound, Conflict):
            # Gone, or another object of that name by now: the one that was meant is gone.
            return

    def evict(self, pod: ObjectRef, *, dry_run: bool = False) -> None:
        body = {"kind": "Eviction", "metadata": {"name": pod.name, "namespace": pod.namespace}}
        path = self._discovery.place(pod.kind).path(pod.namespace, pod.name, "eviction")
        for api_version in ("policy/v1", "policy/v1beta1"):  # the latter before Kubernetes 1.22
            eviction = {"apiVersion": api_version, **body}
            call = Call("POST", path, _query(dry_run), eviction)
            try:
                self._requests.json(call, Request("create", "pods/eviction", pod.namespace))
            except NotFound:
                return
            except PermanentError as error:
                if "no kind" not in str(error):
                    raise
            else:
                return

    def log(self, pod: ObjectRef, container: str = "", lines: int = 100) -> str:
        query = {"tailLines": str(lines)} | ({"container": container} if container else {})
        path = self._discovery.place(pod.kind).path(pod.namespace, pod.name, "log")
        return self._requests.text(
            Call("GET", path, query), Request("get", "pods/log", pod.namespace, pod.name)
        )

    def _call(
        self,
        method: str,
        ref: ObjectRef,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
    ) -> Call:
        path = self._discovery.place(ref.kind).path(ref.namespace, ref.name)
        return Call(method, path, query or {}, body, content_type)


def ref_of(manifest: Manifest) -> ObjectRef:
    """Which object a manifest is about; `InvalidInput` when it does not say."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        raise InvalidInput("metadata.name is missing in the manifest.")
    for field in ("apiVersion", "kind"):
        if not isinstance(manifest.get(field), str):
            raise InvalidInput(f"{field} is missing in the manifest.")
    kind = kind_of(manifest["apiVersion"], manifest["kind"])
    return ObjectRef(kind, str(metadata.get("namespace", "")), metadata["name"])


def _ref(kind: str, raw: Json) -> ObjectRef:
    return ObjectRef(kind, raw["metadata"].get("namespace", ""), values.name_of(raw))


def _resource(ref: ObjectRef, raw: Json) -> Resource:
    metadata = raw["metadata"]
    return Resource(
        ref,
        metadata.get("uid", ""),
        metadata.get("resourceVersion", ""),
        values.spec_digest(raw),
        values.marker_of(raw),
        raw,
    )


def _marked(manifest: Manifest, marker: Marker) -> dict[str, Any]:
    metadata = dict(manifest.get("metadata") or {})
    annotations = {**(metadata.get("annotations") or {}), MARKER_ANNOTATION: str(marker)}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def _query(dry_run: bool) -> Mapping[str, str]:
    return {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})


def _asked(verb: str, ref: ObjectRef) -> Request:
    return Request(verb, f"{ref.kind}s", ref.namespace or None, ref.name)
