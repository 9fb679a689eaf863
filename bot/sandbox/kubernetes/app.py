"""The stand-in's HTTP side: paths, verbs and bodies, as the Kubernetes API has them.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.kubernetes.cluster import SandboxCluster
from bot.sandbox.kubernetes.patches import json_patch, strategic_merge
from bot.sandbox.kubernetes.refusals import Refusal, unknown
from bot.sandbox.kubernetes.store import RESOURCES, Json, Resource

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
PATH = re.compile(
    r"(?:api|apis/(?P<group>[^/]+))/v1"
    r"(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?"
)
LABEL = re.compile(r"[A-Za-z0-9._/-]*")
SERVED = {(resource.group, resource.name): resource for resource in RESOURCES}

VERBS = {
    ("GET", False): "list",
    ("GET", True): "get",
    ("POST", False): "create",
    ("PATCH", True): "patch",
}
"""RBAC's verb for each method, without and with an object's name in the path."""

WRITING = {"create", "patch"}
PARAMETERS = {
    "list": {"labelSelector"},
    "get": set[str](),
    "create": {"dryRun", "fieldManager"},
    "patch": {"dryRun", "fieldManager"},
}
"""The query parameters that each verb knows; with any other, a request is not served."""

PATCHES: Mapping[str, Callable[[Json, Any], Json]] = {
    "application/json-patch+json": json_patch,
    "application/strategic-merge-patch+json": strategic_merge,
}


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


def kubernetes_app(cluster: SandboxCluster) -> Starlette:
    """Return the API server of `cluster`, to be served by itself or mounted below a prefix."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_answer, cluster, request, body)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


def _answer(cluster: SandboxCluster, request: Request, body: bytes) -> Response:
    try:
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
    resource = SERVED.get((match["group"] or "", match["resource"]))
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
    )
    return call if _is_in_place(call) else None


def _is_in_place(call: Call) -> bool:
    """Whether the verb and the namespace suit the resource: only lists go across namespaces."""
    if call.verb in WRITING and not call.resource.writable:
        return False
    if call.resource.namespaced:
        return bool(call.namespace) or call.verb == "list"
    return not call.namespace


def _serve(cluster: SandboxCluster, call: Call) -> Json:
    match call.verb:
        case "list":
            return _list(cluster, call)
        case "get":
            return cluster.get(call.resource, call.namespace, call.name)
        case "create":
            body = _json(call.body)
            return cluster.create(call.resource, call.namespace, body, dry_run=_dry_run(call))
    return _patch(cluster, call)


def _list(cluster: SandboxCluster, call: Call) -> Json:
    labels = _labels(call.parameters.get("labelSelector", ""))
    items, version = cluster.find(call.resource, call.namespace, labels)
    return {
        "kind": f"{call.resource.kind}List",
        "apiVersion": call.resource.api_version,
        "metadata": {"resourceVersion": version},
        "items": items,
    }


def _patch(cluster: SandboxCluster, call: Call) -> Json:
    if call.content_type not in PATCHES:
        accepted = ", ".join(PATCHES)
        raise Refusal(415, f"415: Unsupported Media Type; the sandbox accepts {accepted}")
    apply, patch = PATCHES[call.content_type], _json(call.body)
    return cluster.change(
        call.resource,
        call.namespace,
        call.name,
        lambda old: apply(old, patch),
        dry_run=_dry_run(call),
    )


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


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
