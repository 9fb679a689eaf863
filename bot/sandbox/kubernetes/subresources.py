"""What is below a pod in the stand-in's API: its eviction and its log."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.sandbox.kubernetes.cluster import SandboxCluster
from bot.sandbox.kubernetes.refusals import Refusal, read_json

PATH = re.compile(
    r"api/v1/namespaces/(?P<namespace>[^/]+)/pods/(?P<name>[^/]+)/(?P<what>eviction|log)"
)
METHODS = {"eviction": "POST", "log": "GET"}
EVICTED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def answer_subresource(cluster: SandboxCluster, request: Request, body: bytes) -> Response | None:
    """The answer, or None if something else is asked for.

    Raises:
        Refusal: there is no such pod, or it can't be evicted or has no log now.
    """
    match = PATH.fullmatch(request.path_params["path"])
    if match is None or METHODS[match["what"]] != request.method:
        return None
    namespace, name = match["namespace"], match["name"]
    if match["what"] == "log":
        return _log(cluster, request, namespace, name)
    _require_known(body)
    dry_run = request.query_params.get("dryRun") == "All"
    cluster.evict(namespace, name, dry_run=dry_run)
    return JSONResponse(EVICTED, 201)


def _require_known(body: bytes) -> None:
    """Refuse the version of evictions that Kubernetes dropped in 1.25."""
    version = read_json(body).get("apiVersion")
    if version != "policy/v1":
        raise Refusal(400, f'no kind "Eviction" is registered for version "{version}"')


def _log(cluster: SandboxCluster, request: Request, namespace: str, name: str) -> Response:
    asked = request.query_params
    previous = asked.get("previous") == "true"
    lines = cluster.log(namespace, name, asked.get("container", ""), previous=previous)
    last = int(asked.get("tailLines", len(lines)))
    return PlainTextResponse("".join(f"{line}\n" for line in lines[-last:]))
