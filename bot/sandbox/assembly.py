"""The sandbox put together: the stand-ins, their file, and the page that shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.sandbox.addresses import SandboxAddresses, SandboxParts
from bot.sandbox.page import page_app
from bot.sandbox.stand_ins import StandIns, Surroundings, stand_ins
from bot.sandbox.state_file import Saver, State, StateFile
from bot.sandbox.this_machine import OnlyThisMachine

__all__ = ["Sandbox", "SandboxParts"]


class Sandbox:
    """The stand-ins for the vendors in `parts`, with the state that `file` has kept.

    `app` is to be mounted at `addresses.PREFIX`. `now` gives the time, in UTC;
    `alertmanager_token` is the bearer token that Tocsin wants from Alertmanager, if any.
    A file that can't be read is set aside, and the sandbox starts afresh.
    """

    def __init__(
        self,
        addresses: SandboxAddresses,
        parts: SandboxParts,
        file: Path,
        now: Callable[[], datetime],
        alertmanager_token: str | None = None,
    ) -> None:
        self._file = StateFile(file)
        self._saver = Saver(self._save)
        self._restored, self.stand_ins = _restored(
            self._file, parts, Surroundings(addresses, now, alertmanager_token)
        )
        self.app = Starlette(
            routes=[*self.stand_ins.mounts(), Mount("/", page_app(self.stand_ins))],
            middleware=[
                Middleware(OnlyThisMachine, base_url=addresses.base_url),
                Middleware(_OnChange, tell=self._saver.note_change),
            ],
        )

    def start(self) -> None:
        """Begin to save what changes, at most a second late."""
        self._saver.start()

    def close(self) -> None:
        """Let go of everything, and save a last time."""
        self.stand_ins.close()
        self._saver.close()

    def _save(self) -> None:
        """Write the state, and keep that of vendors which are the real ones for now."""
        self._file.write(self._restored | self.stand_ins.dump())


def _restored(file: StateFile, parts: SandboxParts, around: Surroundings) -> tuple[State, StandIns]:
    """The state that was kept, and the stand-ins in it."""
    try:
        state = file.read()
        return state, stand_ins(parts, around, state)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        file.set_aside(around.now(), error)
        return {}, stand_ins(parts, around, {})


class _OnChange:
    """ASGI middleware: tells of each request that may have changed something."""

    def __init__(self, app: ASGIApp, tell: Callable[[], None]) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope.get("method") not in ("GET", "HEAD"):
                self._tell()
