"""The workspace page: the sandbox as a person sees it, and what they can do there.

Reading it is ``GET workspace/state``; each button is a ``POST workspace/…`` with a JSON
object. What people do in Slack is a request back to Tocsin, which takes up to three
seconds; hence the threads.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.domain.errors import InvalidInput, TemporaryError
from bot.sandbox.actions import Alert, Click, Command, Json, Page, WorkspaceActions
from bot.sandbox.alertmanager import SAMPLES
from bot.sandbox.stand_ins import StandIns

MAX_BODY = 64 * 1024
"""Bytes of a request to the page; the longest command is far shorter."""

WEB = str(files("bot") / "web")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Asked = TypeVar("Asked", bound=BaseModel)


def page_app(shown: StandIns) -> Starlette:
    """The application; all addresses on the page are relative to where it is mounted."""
    html = _html()
    actions = WorkspaceActions(shown)

    async def page(_request: Request) -> Response:
        return HTMLResponse(html)

    def state(_request: Request) -> Response:
        return JSONResponse(shown.overview())

    return Starlette(
        routes=[
            Route("/", page),
            Route("/workspace/state", state),
            _post("/workspace/command", Command, actions.command),
            _post("/workspace/click", Click, actions.click),
            _post("/workspace/page", Page, actions.page),
            _post("/workspace/alert", Alert, actions.alert),
            Mount("/static", StaticFiles(directory=f"{WEB}/static")),
        ],
        middleware=[Middleware(_WithHeaders)],
    )


def _html() -> str:
    environment = Environment(
        loader=FileSystemLoader(f"{WEB}/templates"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("workspace.html").render(samples=SAMPLES)


def _post(path: str, model: type[Asked], act: Callable[[Asked], Json]) -> Route:
    async def endpoint(request: Request) -> Response:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            # A form of another page could send the other types without asking the browser.
            return _refused(403, "Send the header Content-Type: application/json.")
        body = await _body(request)
        if body is None:
            return _refused(400, f"The body must have at most {MAX_BODY:,} bytes.")
        try:
            return JSONResponse(await run_in_threadpool(act, model.model_validate_json(body)))
        except ValidationError as error:
            return _refused(400, _sentence(error))
        except InvalidInput as error:
            return _refused(400, str(error))
        except TemporaryError as error:
            return _refused(502, str(error))

    return Route(path, endpoint, methods=["POST"])


async def _body(request: Request) -> bytes | None:
    """The body, or None when it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def _refused(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)


def _sentence(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "The body"
    return f"{field}: {first['msg']}."


class _WithHeaders:
    """ASGI middleware: puts `HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)
