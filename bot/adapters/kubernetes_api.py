"""Reading, listing and patching objects over the Kubernetes client, as plain JSON.

Answers are read as the JSON that the server sent, not through the client's models:
those know only the fields of the client's own Kubernetes release and would drop a
newer one's, from a template that is put back and from a digest that must tell any
change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api, AutoscalingV1Api, CoreV1Api, PolicyV1Api

from bot.adapters.kubernetes_errors import Request, sorted_errors
from bot.adapters.kubernetes_selectors import selector_text
from bot.adapters.kubernetes_values import Json
from bot.domain.cluster import DEPLOYMENT, SERVICE, ObjectRef
from bot.domain.errors import InvalidInput
from bot.domain.selectors import Labels

FIELD_MANAGER = "tocsin"
"""Whom Kubernetes records as the author of a changed field (`metadata.managedFields`)."""

NAME = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
"""A DNS subdomain, as object names are; what isn't one could lead a URL elsewhere."""


class KubernetesApi:
    """The API server behind `client`; a request is given up after `timeout` seconds.

    Every method raises the errors of `sorted_errors`, and `InvalidInput` for a name or
    label that no object can have.
    """

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._timeout = timeout
        apps, core = AppsV1Api(client), CoreV1Api(client)
        policy, autoscaling = PolicyV1Api(client), AutoscalingV1Api(client)
        self._reads = {
            DEPLOYMENT: apps.read_namespaced_deployment,
            SERVICE: core.read_namespaced_service,
        }
        self._patches = {
            DEPLOYMENT: apps.patch_namespaced_deployment,
            SERVICE: core.patch_namespaced_service,
        }
        self._lists = {
            "deployments": apps.list_namespaced_deployment,
            "replicasets": apps.list_namespaced_replica_set,
            "pods": core.list_namespaced_pod,
            "services": core.list_namespaced_service,
            "poddisruptionbudgets": policy.list_namespaced_pod_disruption_budget,
            "horizontalpodautoscalers": autoscaling.list_namespaced_horizontal_pod_autoscaler,
        }
        self._list_all_deployments = apps.list_deployment_for_all_namespaces

    def read(self, ref: ObjectRef) -> Json:
        return self._ask(self._reads[ref.kind], _request("get", ref), **_path(ref))

    def strategic_merge(self, ref: ObjectRef, patch: Json, dry_run: bool) -> Json:
        return self._change(ref, patch, "application/strategic-merge-patch+json", dry_run)

    def json_patch(self, ref: ObjectRef, patch: list[Json], dry_run: bool) -> Json:
        return self._change(ref, patch, "application/json-patch+json", dry_run)

    def find(self, resource: str, namespace: str, selector: Labels) -> list[Json]:
        """List the objects of a namespace whose labels `selector` matches; an empty one, all."""
        return self._items(
            self._lists[resource],
            Request("list", resource, namespace),
            namespace=checked_name(namespace),
            label_selector=selector_text(selector),
        )

    def find_all_deployments(self) -> list[Json]:
        return self._items(self._list_all_deployments, Request("list", "deployments", None))

    def _change(self, ref: ObjectRef, patch: object, content_type: str, dry_run: bool) -> Json:
        return self._ask(
            self._patches[ref.kind],
            _request("patch", ref),
            **_path(ref),
            body=patch,
            dry_run="All" if dry_run else None,
            field_manager=FIELD_MANAGER,
            _content_type=content_type,
        )

    def _items(self, call: Callable[..., Any], request: Request, **arguments: object) -> list[Json]:
        items: list[Json] = self._ask(call, request, **arguments)["items"]
        return items

    def _ask(self, call: Callable[..., Any], request: Request, **arguments: object) -> Json:
        with sorted_errors(request):
            response = call(**arguments, _preload_content=False, _request_timeout=self._timeout)
            return _object(response.data)


def _object(body: bytes) -> Json:
    value = json.loads(body)
    if not isinstance(value, dict) or "apiVersion" not in value:
        raise json.JSONDecodeError("not a Kubernetes object", "", 0)
    return value


def _request(verb: str, ref: ObjectRef) -> Request:
    return Request(verb, f"{ref.kind}s", ref.namespace, ref.name)


def _path(ref: ObjectRef) -> Mapping[str, str]:
    return {"name": checked_name(ref.name), "namespace": checked_name(ref.namespace)}


def checked_name(name: str) -> str:
    """The name itself; raises `InvalidInput` for one that no object can have."""
    if not NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} can't be the name of a Kubernetes object")
    return name
