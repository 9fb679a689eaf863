"""Reading, listing and patching what runbooks name in words: Deployments and what is around them.

Requests are made by path and not by the client's typed methods. Those take a second of the
program's start to import, and their models know only the fields of the client's own Kubernetes
release: they would drop a newer one's, from a template that is put back and from a digest that
must tell any change.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubernetes.client import ApiClient

from bot.adapters.kubernetes_discovery import Place, checked_name
from bot.adapters.kubernetes_errors import Request
from bot.adapters.kubernetes_requests import Call, KubernetesRequests
from bot.adapters.kubernetes_selectors import selector_text
from bot.adapters.kubernetes_values import Json
from bot.domain.cluster import ObjectRef
from bot.domain.selectors import Labels

FIELD_MANAGER = "tocsin"
"""Whom Kubernetes records as the author of a changed field (`metadata.managedFields`)."""

_BASES = {
    "deployments": "/apis/apps/v1",
    "replicasets": "/apis/apps/v1",
    "pods": "/api/v1",
    "services": "/api/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v1",
}
"""Where the API server keeps each resource."""


class KubernetesApi:
    """The API server behind `client`; a request is given up after `timeout` seconds.

    Every method raises the errors of `sorted_errors`, and `InvalidInput` for a name or
    label that no object can have.
    """

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._requests = KubernetesRequests(client, timeout)

    def read(self, ref: ObjectRef) -> Json:
        return self._requests.json(Call("GET", _path(ref)), _request("get", ref))

    def strategic_merge(self, ref: ObjectRef, patch: Json, dry_run: bool) -> Json:
        return self._change(ref, patch, "application/strategic-merge-patch+json", dry_run)

    def json_patch(self, ref: ObjectRef, patch: list[Json], dry_run: bool) -> Json:
        return self._change(ref, patch, "application/json-patch+json", dry_run)

    def find(self, resource: str, namespace: str, selector: Labels) -> list[Json]:
        """List the objects of a namespace whose labels `selector` matches; an empty one, all."""
        query = {"labelSelector": selector_text(selector)} if selector else {}
        return self._items(resource, checked_name(namespace), query)

    def find_all_deployments(self) -> list[Json]:
        return self._items("deployments", None, {})

    def _change(self, ref: ObjectRef, patch: object, content_type: str, dry_run: bool) -> Json:
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        call = Call("PATCH", _path(ref), query, patch, content_type)
        return self._requests.json(call, _request("patch", ref))

    def _items(self, resource: str, namespace: str | None, query: Mapping[str, str]) -> list[Json]:
        call = Call("GET", _place(resource).path(namespace or ""), query)
        asked = Request("list", resource, namespace)
        items: list[Json] = self._requests.json(call, asked)["items"]
        return items


def _place(resource: str) -> Place:
    return Place(_BASES[resource], resource, namespaced=True)


def _path(ref: ObjectRef) -> str:
    return _place(f"{ref.kind}s").path(ref.namespace, checked_name(ref.name))


def _request(verb: str, ref: ObjectRef) -> Request:
    return Request(verb, f"{ref.kind}s", ref.namespace, ref.name)
