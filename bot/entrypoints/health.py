"""What a load balancer and Kubernetes ask: are you alive, can you work?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.errors import TemporaryError
from bot.ports import Store


class Health:
    """GET /healthz (readiness) and GET /live (liveness)."""

    def __init__(self, store: Store, inbox_size: Callable[[], int]) -> None:
        self._store = store
        self._inbox_size = inbox_size

    def ready(self, _request: Request) -> Response:
        """200 while database and inbox can be reached; says how much waits in the inbox."""
        try:
            waiting = self._inbox_size()
            with self._store.read() as reader:
                reader.incidents(limit=1)
        except TemporaryError as error:
            return JSONResponse({"status": "unavailable", "error": str(error)}, status_code=503)
        return JSONResponse({"status": "ok", "inbox": waiting})

    def live(self, _request: Request) -> Response:
        """200 as long as this process answers at all."""
        return JSONResponse({"status": "ok"})
