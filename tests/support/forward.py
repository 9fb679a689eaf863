"""A real API server, served anew by the test's process, so that a `Gate` can stand before it."""

from __future__ import annotations

from kubernetes.client import ApiClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PASSED_ON = ("accept", "content-type")


def forwarded(client: ApiClient) -> Starlette:
    """All that `client` may do, over plain http and without its credentials."""

    def ask(request: Request, body: bytes) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        answer = client.rest_client.pool_manager.request(
            request.method,
            f"{client.configuration.host}{request.url.path}{query}",
            headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
            body=body or None,
        )
        return Response(answer.data, answer.status, media_type=answer.headers["content-type"])

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(ask, request, await request.body())

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])
