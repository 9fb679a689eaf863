"""What runs elsewhere, served anew by the test's process, so that a `Gate` can stand before it."""

from __future__ import annotations

from collections.abc import Callable

import requests
from kubernetes.client import ApiClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
PASSED_ON = ("accept", "content-type")
TIMEOUT = 10.0
"""Seconds for one request."""


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

    return _app(ask)


def way_to(url: str) -> Starlette:
    """The way to the server at `url`; 502 while nobody answers there."""

    def ask(request: Request, body: bytes) -> Response:
        headers = {
            name: request.headers[name]
            for name in (*PASSED_ON, "authorization")
            if name in request.headers
        }
        try:
            answer = requests.request(
                request.method,
                f"{url}{request.url.path}",
                headers=headers,
                data=body,
                timeout=TIMEOUT,
            )
        except requests.RequestException:
            return Response(status_code=502)
        return Response(answer.content, answer.status_code)

    return _app(ask)


def _app(ask: Callable[[Request, bytes], Response]) -> Starlette:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(ask, request, await request.body())

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])
