"""The `Objects` port on the official Kubernetes client: any kind, by its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubernetes.client import ApiClient

from bot.adapters import kubernetes_values as values
from bot.adapters.kubernetes_api import FIELD_MANAGER
from bot.adapters.kubernetes_discovery import Discovery
from bot.adapters.kubernetes_errors import FieldConflict, Request
from bot.adapters.kubernetes_requests import JSON, Call, KubernetesRequests
from bot.adapters.kubernetes_selectors import selector_text
from bot.adapters.kubernetes_values import Json
from bot.domain.cluster import MARKER_ANNOTATION, Marker, ObjectRef, kind_of
from bot.domain.errors import Conflict, InvalidInput, NotFound, PermanentError, TemporaryError
from bot.domain.resource import Manifest, Resource

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
LONGEST_MANAGER = 128


class KubernetesObjects:
    """The objects of the cluster behind `client`; a request is given up after `timeout` s."""

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._requests = KubernetesRequests(client, timeout)
        self._discovery = Discovery(self._requests)

    def read(self, ref: ObjectRef) -> Resource:
        return _resource(ref, self._requests.json(self._call("GET", ref), self._asked("get", ref)))

    def find(
        self,
        kind: str,
        namespace: str,
        labels: Mapping[str, str],
        *,
        fields: Mapping[str, str] | None = None,
    ) -> Sequence[Resource]:
        place = self._discovery.place(kind)
        selectors = {"labelSelector": labels, "fieldSelector": fields or {}}
        query = {name: selector_text(by) for name, by in selectors.items() if by}
        asked = Request("list", place.plural, namespace or None)
        found = self._requests.json(Call("GET", place.path(namespace), query), asked)
        typed = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
        resources = (_resource(_ref(kind, item), {**typed, **item}) for item in found["items"])
        return sorted(resources, key=lambda resource: resource.ref)

    def create(self, manifest: Manifest, marker: Marker, *, dry_run: bool = False) -> Resource:
        ref = ref_of(manifest)
        place = self._discovery.place(ref.kind)
        body = _marked(manifest, marker)
        call = Call("POST", place.path(ref.namespace), _query(dry_run), body)
        try:
            return _resource(ref, self._requests.json(call, self._asked("create", ref)))
        except Conflict as error:
            try:
                there = self.read(ref)
            except NotFound:
                # Not of that name: the server lost a race of its own, such as for a quota.
                raise TemporaryError(str(error)) from error
            if there.marker == str(marker):
                return there
            raise PermanentError(f"{ref} exists already, and this run did not make it") from error

    def apply(
        self, manifest: Manifest, marker: Marker, *, version: str = "", dry_run: bool = False
    ) -> Resource:
        """Apply as a field manager of the step's own.

        One for all steps would make an apply remove what an earlier step applied. What only
        earlier steps own is taken over, as of `version`: they are Tocsin, too.
        """
        body = _at_version(_marked(manifest, marker), version)
        query = {**_query(dry_run), "fieldManager": _field_manager(marker)}
        try:
            return self._applied(body, query)
        except FieldConflict as error:
            if version and all(map(_is_ours, error.managers)):
                return self._applied(body, {**query, "force": "true"})
            owners = ", ".join(sorted(error.managers))
            sentence = f"{ref_of(manifest)} has fields that {owners} set: {error}"
            raise PermanentError(sentence) from error

    def _applied(self, body: Json, query: Mapping[str, str]) -> Resource:
        ref = ref_of(body)
        call = self._call("PATCH", ref, query, body, APPLY)
        return _resource(ref, self._requests.json(call, self._asked("patch", ref)))

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
        body = _at_version(patch if subresource else _marked(patch, marker), version)
        call = Call("PATCH", self._path(ref, subresource), _query(dry_run), body, MERGE)
        return _resource(ref, self._requests.json(call, self._asked("patch", ref, subresource)))

    def delete(self, ref: ObjectRef, uid: str, *, dry_run: bool = False) -> None:
        # In the body, for beside a body the server does not look at the query of a deletion.
        options = {
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
            **({"dryRun": ["All"]} if dry_run else {}),
        }
        call = self._call("DELETE", ref, {}, options)
        try:
            self._requests.json(call, self._asked("delete", ref))
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

    def log(
        self, pod: ObjectRef, container: str = "", lines: int = 100, *, previous: bool = False
    ) -> str:
        chosen = {"container": container, "previous": "true" if previous else ""}
        query = {"tailLines": str(lines), **{name: it for name, it in chosen.items() if it}}
        path = self._discovery.place(pod.kind).path(pod.namespace, pod.name, "log")
        return self._requests.text(
            Call("GET", path, query), Request("get", "pods/log", pod.namespace, pod.name)
        )

    def _asked(self, verb: str, ref: ObjectRef, subresource: str = "") -> Request:
        plural = self._discovery.place(ref.kind).plural
        resource = "/".join(filter(None, (plural, subresource)))
        return Request(verb, resource, ref.namespace or None, ref.name)

    def _call(
        self,
        method: str,
        ref: ObjectRef,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = JSON,
    ) -> Call:
        return Call(method, self._path(ref), query or {}, body, content_type)

    def _path(self, ref: ObjectRef, subresource: str = "") -> str:
        if not ref.name:
            raise InvalidInput(f"The name of the {ref.kind} is missing.")
        return self._discovery.place(ref.kind).path(ref.namespace, ref.name, subresource)


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


def _at_version(manifest: Manifest, version: str) -> dict[str, Any]:
    """The manifest, to be refused by the server if the object has another version."""
    if not version:
        return dict(manifest)
    metadata = {**(manifest.get("metadata") or {}), "resourceVersion": version}
    return {**manifest, "metadata": metadata}


def _field_manager(marker: Marker) -> str:
    """The field manager of a step's apply; the API server takes 128 characters."""
    return f"{FIELD_MANAGER}/{marker}"[:LONGEST_MANAGER]


def _is_ours(manager: str) -> bool:
    return manager == FIELD_MANAGER or manager.startswith(f"{FIELD_MANAGER}/")


def _query(dry_run: bool) -> Mapping[str, str]:
    """What goes with every change; a field that the kind does not have is to be refused.

    Since Kubernetes 1.27 such a field is dropped with no more than a warning unless that is
    asked for, as kubectl does; what is older ignores the question.
    """
    asked = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
    return asked | ({"dryRun": "All"} if dry_run else {})
