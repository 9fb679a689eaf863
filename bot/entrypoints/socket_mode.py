"""Socket Mode: Tocsin calls Slack and keeps the line open, so it needs no public address."""

from __future__ import annotations

from threading import Thread

import stamina
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

LONGEST_PAUSE = 30.0
"""Seconds between two tries to reach Slack, after the first few quick ones."""


class SocketMode:
    """The connection. Slack being away delays this connection, and nothing else."""

    def __init__(self, bolt: App, app_token: str) -> None:
        self._handler = SocketModeHandler(bolt, app_token, web_client=bolt.client)

    def start(self) -> None:
        """Connect in the background, for as long as it takes; then it stays connected."""
        Thread(target=self._connect, name="socket-mode", daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        self._handler.close()  # type: ignore[no-untyped-call]

    def _connect(self) -> None:
        for attempt in stamina.retry_context(
            on=Exception, attempts=None, timeout=None, wait_max=LONGEST_PAUSE
        ):
            with attempt:
                self._handler.connect()  # type: ignore[no-untyped-call]
