"""The stand-in's HTTP side: ``api/<method>`` and ``response/<token>`` below any prefix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.faults import HttpAnswer
from bot.sandbox.slack.workspace import SandboxSlack


def slack_app(workspace: SandboxSlack) -> Starlette:
    """The application; a client's base URL is its address with ``/api/``."""

    async def api(request: Request) -> Response:
        arguments = await _arguments(request)
        if arguments is None:
            return JSONResponse({"ok": False, "error": "invalid_json"})
        token = _bearer(request) or str(arguments.pop("token", ""))
        return _sent(workspace.call(request.path_params["method"], token, arguments))

    async def respond(request: Request) -> Response:
        message = _object(await request.body())
        if message is None:
            return PlainTextResponse("invalid_payload", HTTPStatus.BAD_REQUEST)
        return _redeemed(workspace.respond(request.path_params["token"], message))

    return Starlette(
        routes=[
            Route("/api/{method}", api, methods=["GET", "POST"]),
            Route("/response/{token}", respond, methods=["POST"]),
        ]
    )


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _arguments(request: Request) -> dict[str, Any] | None:
    """The JSON body's, or the query's and the form's; None for JSON that is no object."""
    if "json" in request.headers.get("content-type", ""):
        body = await request.body()
        return _object(body) if body else {}
    form = await request.form()
    return {**request.query_params, **{name: str(value) for name, value in form.items()}}


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = from_json(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _sent(answer: HttpAnswer) -> Response:
    if isinstance(answer.body, str):
        return PlainTextResponse(answer.body, answer.status, answer.headers)
    return JSONResponse(answer.body, answer.status, answer.headers)


def _redeemed(answer: HttpAnswer) -> Response:
    """Response URLs say ``ok``, or refuse with a 404 (Slack's documentation is silent on it)."""
    if isinstance(answer.body, Mapping) and answer.body["ok"]:
        return PlainTextResponse("ok")
    refused = answer.status == HTTPStatus.OK
    return _sent(replace(answer, status=HTTPStatus.NOT_FOUND) if refused else answer)
