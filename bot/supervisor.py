"""`tocsin serve`: two processes, the listener and the worker, kept alive.

They are apart so that working in alerts never slows down accepting them, and so that a
crash of one is no crash of the other. The supervisor holds the listening sockets (a
listener that starts anew loses no connection that waits), two pipes, and nothing else:

- *wake*: the listener writes a byte after a commit, the worker waits on it;
- *lifeline*: nobody writes to it; it closes when the supervisor dies, however it dies,
  and then both children end at once, so that a new supervisor finds nobody at work.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

import structlog

from bot.domain.errors import InvalidInput
from bot.settings import Settings

GRACE = 10.0
"""Seconds that a child has to end by itself; Kubernetes allows 30 for the whole."""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds before a child that died is started again; doubled while it keeps dying."""

HEALTHY = 30.0
"""Seconds after which a child counts as healthy, and the pause begins anew."""

_PYTHON = (sys.executable, "-m", "bot", "process")

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Child:
    name: str
    arguments: tuple[str, ...]
    descriptors: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Starts the children and starts them again until it is told to stop."""

    settings: Settings
    announce: Callable[[Settings, int, int], None]
    """Called once with the two ports, when both listen."""
    _stopping: bool = field(default=False, init=False)

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT. Raises `InvalidInput` when a port is taken."""
        listening = bind(self.settings.host, self.settings.port)
        metrics = bind(self.settings.host, self.settings.metrics_port)
        wake_read, wake_write = os.pipe()
        lifeline, lifeline_end = os.pipe()
        os.set_blocking(wake_write, False)
        children = (
            _child("worker", lifeline, wake_read),
            _child("listener", lifeline, wake_write, listening.fileno(), metrics.fileno()),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with tempfile.TemporaryDirectory(prefix="tocsin-metrics-") as folder:
            environment = {
                **os.environ,
                "PROMETHEUS_MULTIPROC_DIR": folder,
                # Port 0 means any free port: the children must know which one it became.
                "TOCSIN_PORT": str(_port(listening)),
                "TOCSIN_METRICS_PORT": str(_port(metrics)),
            }
            try:
                self.announce(self.settings, _port(listening), _port(metrics))
                while not self._stopping:
                    for child in children:
                        _keep_alive(child, environment)
                    time.sleep(0.05)
            finally:
                _end(children)
                os.close(lifeline_end)
        return 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def prepare() -> bool:
    """Prepare files and database, in a process of its own; returns whether that went well.

    The supervisor lives as long as its children and needs none of what this imports.
    """
    return subprocess.run([*_PYTHON, "prepare"], check=False).returncode == 0  # noqa: S603


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. A port that a dying predecessor still holds is waited for."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + 5.0
    while True:
        try:
            bound.bind((host, port))
            bound.listen(2048)
            return bound
        except OSError as error:
            if time.monotonic() > deadline:
                raise InvalidInput(
                    f"Port {port} on {host} can’t be had ({error.strerror}); "
                    "end what listens there, or set TOCSIN_PORT or TOCSIN_METRICS_PORT."
                ) from error
            time.sleep(0.05)


def _port(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def _child(name: str, *descriptors: int) -> _Child:
    return _Child(name, tuple(str(number) for number in descriptors), descriptors)


def _keep_alive(child: _Child, environment: dict[str, str]) -> None:
    now = time.monotonic()
    if child.process is not None and child.process.poll() is not None:
        lived = now - child.started
        child.pause = FIRST_PAUSE if lived > HEALTHY else min(child.pause * 2, LONGEST_PAUSE)
        child.due = now + child.pause
        _log.error("a process died", process=child.name, code=child.process.returncode)
        child.process = None
    if child.process is None and now >= child.due:
        child.started = now
        child.process = subprocess.Popen(  # noqa: S603
            [*_PYTHON, child.name, *child.arguments],
            pass_fds=child.descriptors,
            env=environment,
        )


def _end(children: tuple[_Child, ...]) -> None:
    """Ask the children to end, the listener first; after `GRACE` they are killed."""
    running = [child.process for child in reversed(children) if child.process is not None]
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
