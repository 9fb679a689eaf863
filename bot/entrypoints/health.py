"""What a load balancer and Kubernetes ask: are you alive, can you work?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.errors import TemporaryError
from bot.domain.replicas import Pulse
from bot.ports import Store


class Health:
    """GET /healthz (readiness) and GET /live (liveness)."""

    def __init__(
        self, store: Store, inbox_size: Callable[[], int], worker: Callable[[], Pulse]
    ) -> None:
        """`worker` tells whether this replica's worker works."""
        self._store = store
        self._inbox_size = inbox_size
        self._worker = worker

    def ready(self, _request: Request) -> Response:
        """200 while alerts can be taken; says how much waits in the inbox, and for which worker.

        A worker that is late changes nothing about the status: what is taken is kept for it,
        or for another replica's.
        """
        try:
            waiting = self._inbox_size()
            with self._store.read() as reader:
                reader.incidents(limit=1)
        except TemporaryError as error:
            return JSONResponse({"status": "unavailable", "error": str(error)}, status_code=503)
        return JSONResponse({"status": "ok", "inbox": waiting, "worker": self._worker()})

    def live(self, _request: Request) -> Response:
        """200 as long as this process answers at all."""
        return JSONResponse({"status": "ok"})
