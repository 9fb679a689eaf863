"""Keeps other web pages and other names away from the sandbox.

A page that somebody has open in the same browser could otherwise press the sandbox's
buttons: by a request across origins (told by ``Origin``), or by a name of its own that
it lets point at this machine ("DNS rebinding", told by ``Host``).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OnlyThisMachine:
    """ASGI middleware: 403 for other hosts than this machine, and for other origins.

    `base_url` is the address that Tocsin was told to listen on; its host is accepted, too.
    """

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url
        self._own_host = host_of(urlsplit(base_url).netloc)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        problem = self._problem(scope) if scope["type"] == "http" else ""
        if problem:
            await JSONResponse({"error": problem}, 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        netloc = headers.get("host", "")
        host = host_of(netloc)
        if not is_loopback(host) and host != self._own_host:
            return f"The sandbox is for this machine only; open {self._base_url}/sandbox/."
        if headers.get("origin", own := f"{scope['scheme']}://{netloc}") != own:
            return "The sandbox takes no requests from other web pages."
        return ""


def host_of(netloc: str) -> str:
    """The host of ``host:port``, in lower case; empty when there is none."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine and can't be made to name another."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
