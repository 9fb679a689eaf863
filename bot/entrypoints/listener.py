"""The listener's HTTP application: which path is answered by what.

The two webhooks come first and bypass everything else, because an alert's way in must
be short; the rest is an ordinary Starlette application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Listener:
    """ASGI: exact paths of `webhooks` first, then `others`."""

    def __init__(self, webhooks: Mapping[str, Application], others: Application) -> None:
        self._webhooks = webhooks
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or the server's lifespan messages."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        await self._webhooks.get(path, self._others)(scope, receive, send)


def pages(routes: Sequence[BaseRoute], api: Application) -> Starlette:
    """Everything that is not a webhook; `api` answers what no route does."""
    return Starlette(routes=[*routes, Mount("/", app=api)])
