"""The stand-in's HTTP side, below any prefix: methods, response URLs, files in and out."""

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

from bot.domain.errors import NotFound
from bot.domain.plan import PICTURE
from bot.sandbox.slack.faults import HttpAnswer
from bot.sandbox.slack.files import UPLOAD_PATH
from bot.sandbox.slack.workspace import FILE_PATH, SandboxSlack

PNG = b"\x89PNG\r\n\x1a\n"
"""How every PNG begins (W3C, "Portable Network Graphics", 5.2)."""


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

    async def upload(request: Request) -> Response:
        content = await request.body()
        return _uploaded(workspace.upload(request.path_params["file"], content))

    async def file(request: Request) -> Response:
        try:
            content = workspace.file(request.path_params["file"])
        except NotFound as error:
            return PlainTextResponse(str(error), HTTPStatus.NOT_FOUND)
        # Nothing but a picture is ever shown: other files could run as scripts in a browser.
        kind = PICTURE if content.startswith(PNG) else "application/octet-stream"
        return Response(content, media_type=kind, headers={"X-Content-Type-Options": "nosniff"})

    return Starlette(
        routes=[
            Route(f"{UPLOAD_PATH}{{file}}", upload, methods=["POST"]),
            Route(f"{FILE_PATH}{{file}}", file, methods=["GET"]),
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


def _uploaded(answer: HttpAnswer) -> Response:
    """Upload URLs answer in plain text."""
    if not isinstance(answer.body, Mapping):
        return _sent(answer)
    if answer.body["ok"]:
        return PlainTextResponse("OK")
    error = str(answer.body["error"])
    refused = HTTPStatus.NOT_FOUND if error == "file_not_found" else HTTPStatus.BAD_REQUEST
    return PlainTextResponse(error, refused)


def _redeemed(answer: HttpAnswer) -> Response:
    """Response URLs say ``ok``, or refuse with a 404 (Slack's documentation is silent on it)."""
    if isinstance(answer.body, Mapping) and answer.body["ok"]:
        return PlainTextResponse("ok")
    refused = answer.status == HTTPStatus.OK
    return _sent(replace(answer, status=HTTPStatus.NOT_FOUND) if refused else answer)
