"""Serves a sandbox beside a Tocsin that only takes things down, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.addresses import PREFIX, SandboxAddresses
from bot.sandbox.assembly import Sandbox, SandboxParts
from tests.support.serve import serve

SECRET = "5" * 64


@dataclass
class Receiver:
    """What the vendors' stand-ins sent, and how it is answered."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    commands: list[dict[str, str]] = field(default_factory=list)
    presses: list[dict[str, Any]] = field(default_factory=list)
    page_events: list[dict[str, Any]] = field(default_factory=list)
    alert_status: int = 200
    command_answer: dict[str, Any] = field(default_factory=lambda: {"text": "Understood."})
    on_press: Callable[[dict[str, Any]], None] = lambda payload: None

    def forget(self) -> None:
        self.alerts.clear()
        self.authorizations.clear()
        self.commands.clear()
        self.presses.clear()
        self.page_events.clear()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhooks/alertmanager", self._alert, methods=["POST"]),
                Route("/webhooks/pagerduty", self._page_event, methods=["POST"]),
                Route("/slack/events", self._slack, methods=["POST"]),
            ]
        )

    async def _alert(self, request: Request) -> Response:
        self.authorizations.append(request.headers.get("authorization", ""))
        self.alerts.append(json.loads(await request.body()))
        return JSONResponse({"ok": True}, self.alert_status)

    async def _page_event(self, request: Request) -> Response:
        self.page_events.append(json.loads(await request.body()))
        return Response()

    async def _slack(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if "payload" not in form:
            self.commands.append(form)
            return JSONResponse(self.command_answer)
        payload = json.loads(form["payload"])
        self.presses.append(payload)
        await run_in_threadpool(self.on_press, payload)
        return Response()


@dataclass(frozen=True)
class Workspace:
    """A sandbox that is being served; `url` has no slash at the end."""

    url: str
    sandbox: Sandbox
    receiver: Receiver

    @property
    def page(self) -> str:
        return f"{self.url}{PREFIX}/"


@contextmanager
def workspace(
    file: Path, parts: SandboxParts | None = None, token: str | None = None
) -> Iterator[Workspace]:
    """Serve a sandbox that keeps its state in `file`."""
    receiver = Receiver()
    app = receiver.app()
    with serve(app) as url:
        sandbox = Sandbox(
            SandboxAddresses(url, SECRET),
            parts or SandboxParts(),
            file,
            lambda: datetime.now(UTC),
            token,
        )
        app.mount(PREFIX, sandbox.app)
        sandbox.start()
        try:
            yield Workspace(url, sandbox, receiver)
        finally:
            sandbox.close()
