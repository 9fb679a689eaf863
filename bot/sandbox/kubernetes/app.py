"""The stand-in's HTTP side: paths, verbs and bodies, as the Kubernetes API has them.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.domain.merge_patch import merged
from bot.sandbox.kubernetes.cluster import SandboxCluster
from bot.sandbox.kubernetes.control_plane import UNKNOWN
from bot.sandbox.kubernetes.ownership import Applying
from bot.sandbox.kubernetes.patches import json_patch, strategic_merge
from bot.sandbox.kubernetes.refusals import Refusal, read_json, unknown
from bot.sandbox.kubernetes.reviews import answer_review
from bot.sandbox.kubernetes.store import RESOURCES, Json, Resource
from bot.sandbox.kubernetes.subresources import answer_subresource

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
PATH = re.compile(
    r"(?:api|apis/(?P<group>[^/]+))/(?P<version>v[0-9][a-z0-9]*)"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?P<status>/status)?)?"
)
DISCOVERY = re.compile(r"(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)")
LABEL = re.compile(r"[A-Za-z0-9._/-]*")
SERVED = {(one.group, one.version, one.name): one for one in RESOURCES}

VERBS = {
    ("GET", False): "list",
    ("GET", True): "get",
    ("POST", False): "create",
    ("PATCH", True): "patch",
    ("DELETE", True): "delete",
}
"""RBAC's verb for each method, without and with an object's name in the path."""

WRITING = {"create", "patch", "delete"}
PARAMETERS = {
    "list": {"labelSelector", "fieldSelector"},
    "get": set[str](),
    "create": {"dryRun", "fieldManager", "fieldValidation"},
    "patch": {"dryRun", "fieldManager", "fieldValidation", "force"},
    "delete": {"dryRun"},
}
"""The query parameters that each verb knows; with any other, a request is not served."""

PATCHES: Mapping[str, Callable[[Json, Any], Json]] = {
    "application/json-patch+json": json_patch,
    "application/strategic-merge-patch+json": strategic_merge,
    "application/merge-patch+json": merged,
}
APPLY = "application/apply-patch+yaml"
"""Server-side apply; of YAML the stand-in reads what is JSON, too."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is served: RBAC's verb, what it is about, and what came with it."""

    verb: str
    resource: Resource
    namespace: str
    name: str
    parameters: Mapping[str, str]
    content_type: str
    body: bytes
    status: bool
    """Whether it is about the object's status alone, a subresource of custom objects."""


def kubernetes_app(cluster: SandboxCluster) -> Starlette:
    """Return the API server of `cluster`, to be served by itself or mounted below a prefix."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, cluster, request, body)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


def _answer(cluster: SandboxCluster, request: Request, body: bytes) -> Response:
    try:
        group = DISCOVERY.fullmatch(request.path_params["path"])
        if group and request.method == "GET":
            return JSONResponse(_served(group["group"] or "", group["version"]))
        answered = answer_review(request, body) or answer_subresource(cluster, request, body)
        if answered is not None:
            return answered
        call = _read_call(request, body)
        if call is None:
            cluster.unknown_requests.append(f"{request.method} {_address(request)}")
            raise unknown()
        return JSONResponse(_serve(cluster, call), 201 if call.verb == "create" else 200)
    except Refusal as refusal:
        return JSONResponse(refusal.status(), refusal.code)


def _address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/{request.path_params['path']}{query}"


def _read_call(request: Request, body: bytes) -> Call | None:
    """Tell what is asked for, or None when it is not served."""
    match = PATH.fullmatch(request.path_params["path"])
    if match is None:
        return None
    namespace, name = match["namespace"] or "", match["name"] or ""
    resource = SERVED.get((match["group"] or "", match["version"], match["resource"]))
    verb = VERBS.get((request.method, bool(name)))
    if resource is None or verb is None or not request.query_params.keys() <= PARAMETERS[verb]:
        return None
    call = Call(
        verb=verb,
        resource=resource,
        namespace=namespace,
        name=name,
        parameters=request.query_params,
        content_type=request.headers.get("content-type", ""),
        body=body,
        status=match["status"] is not None,
    )
    return call if _is_in_place(call) else None


def _is_in_place(call: Call) -> bool:
    """Whether the verb and the namespace suit the resource: only lists go across namespaces."""
    if call.verb in WRITING and not call.resource.writable:
        return False
    if call.status and not (call.resource.custom and call.verb == "patch"):
        return False
    if call.resource.namespaced:
        return bool(call.namespace) or call.verb == "list"
    return not call.namespace


def _served(group: str, version: str) -> Json:
    """The kinds that are served, as an `APIResourceList`."""
    resources = [one for one in RESOURCES if (one.group, one.version) == (group, version)]
    if not resources:
        raise unknown()
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": resources[0].api_version,
        "resources": [
            {"name": one.name, "kind": one.kind, "namespaced": one.namespaced} for one in resources
        ],
    }


def _serve(cluster: SandboxCluster, call: Call) -> Json:
    match call.verb:
        case "list":
            return _list(cluster, call)
        case "get":
            return cluster.get(call.resource, call.namespace, call.name)
        case "create":
            return _create(cluster, call)
        case "delete":
            return _delete(cluster, call)
    return _patch(cluster, call)


def _list(cluster: SandboxCluster, call: Call) -> Json:
    labels = _labels(call.parameters.get("labelSelector", ""))
    fields = _labels(call.parameters.get("fieldSelector", ""))
    items, version = cluster.find(call.resource, call.namespace, labels)
    return {
        "kind": f"{call.resource.kind}List",
        "apiVersion": call.resource.api_version,
        "metadata": {"resourceVersion": version},
        "items": [item for item in items if _has_fields(item, fields)],
    }


def _has_fields(item: Json, fields: Mapping[str, str]) -> bool:
    """Whether a field selector matches, such as ``spec.nodeName``."""

    def value(path: str) -> Any:
        return reduce(lambda inner, key: inner.get(key) or {}, path.split("."), item)

    return all(value(path) == wanted for path, wanted in fields.items())


def _create(cluster: SandboxCluster, call: Call) -> Json:
    return cluster.create(
        call.resource,
        call.namespace,
        read_json(call.body),
        manager=_manager(call),
        dry_run=_dry_run(call),
    )


def _delete(cluster: SandboxCluster, call: Call) -> Json:
    """Delete by the options in the body; as in the real server, the query then counts nothing."""
    options = read_json(call.body) if call.body else {}
    uid = (options.get("preconditions") or {}).get("uid", "")
    dry_run = options.get("dryRun") == ["All"] if call.body else _dry_run(call)
    return cluster.delete(call.resource, call.namespace, call.name, uid, dry_run=dry_run)


def _apply(cluster: SandboxCluster, call: Call) -> Json:
    by = Applying(_manager(call), force=call.parameters.get("force") == "true")
    manifest = read_json(call.body)
    return cluster.apply(call.resource, call.namespace, manifest, by, dry_run=_dry_run(call))


def _manager(call: Call) -> str:
    return call.parameters.get("fieldManager", UNKNOWN)


def _patch(cluster: SandboxCluster, call: Call) -> Json:
    if call.content_type == APPLY:
        return _apply(cluster, call)
    if call.content_type not in PATCHES:
        accepted = ", ".join((*PATCHES, APPLY))
        raise Refusal(415, f"415: Unsupported Media Type; the sandbox accepts {accepted}")
    apply, patch = PATCHES[call.content_type], read_json(call.body)

    def change(old: Json) -> Json:
        new = apply(old, patch)
        return _with_status(old, new) if call.status else new

    return cluster.change(
        call.resource,
        call.namespace,
        call.name,
        change,
        manager=_manager(call),
        dry_run=_dry_run(call),
    )


def _with_status(old: Json, new: Json) -> Json:
    """The old object with the new one's status, based on the version that the new one is."""
    version = {"resourceVersion": new["metadata"]["resourceVersion"]}
    return {**old, "metadata": old["metadata"] | version, "status": new.get("status", {})}


def _dry_run(call: Call) -> bool:
    value = call.parameters.get("dryRun")
    if value not in (None, "All"):
        raise Refusal(422, f'dryRun: Unsupported value: "{value}": supported values: "All"')
    return value == "All"


def _labels(selector: str) -> Json:
    """Read a label selector; of its operators, the stand-in knows ``=`` only."""
    labels = {}
    for requirement in filter(None, selector.split(",")):
        key, equals, value = requirement.partition("=")
        if not equals or not LABEL.fullmatch(key) or not LABEL.fullmatch(value):
            raise Refusal(400, f"unable to parse requirement: {requirement}")
        labels[key] = value
    return labels
