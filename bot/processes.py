"""The two processes that the supervisor runs: what each does from start to end."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

from bot import bootstrap
from bot.adapters import database
from bot.adapters.durable import DurableQueue
from bot.adapters.metrics import exposition
from bot.adapters.policy import parse_policy
from bot.adapters.policy_folder import Load, Loaded, PolicyFile
from bot.adapters.store import SqlStore
from bot.bootstrap.policies import parse_routing_for
from bot.domain.errors import InvalidInput, TocsinError
from bot.settings import Settings
from bot.vendors import data_folder, secret, vendors

NICENESS = 5
"""Of the worker: about a third of a contended core. A storm is accepted at full speed and
its pages still go out within seconds."""

SHUTDOWN = 5
"""Seconds that requests under way have to end; the supervisor allows twice as much."""


def prepare(settings: Settings) -> None:
    """Refuse what would stop the worker later; bring the database up to date.

    That is notifiers, a policy, runbooks, a kubeconfig or a folder that can't be used: nobody is to
    find out when the first page does not come.
    """
    # Imported here: each process needs its own part only.
    from bot.adapters.apprise_notifier import AppriseNotifier
    from bot.adapters.schema import migrate

    migrate(database.create(settings.database_url))
    problems = _problems(
        lambda: _writable(data_folder(settings)),
        lambda: AppriseNotifier(secret(settings.notifiers)),
        lambda: _usable(settings, "severity.yaml", parse_policy),
        lambda: _usable(settings, "routing.yaml", parse_routing_for(settings)),
        lambda: _told(bootstrap.core(settings)),
        lambda: bootstrap.site(vendors(settings)),
    )
    if problems:
        raise InvalidInput("\n".join(problems))


def _told(shared: bootstrap.Core) -> None:
    """Say which runbooks can't be used: they are refused alone, and must not stop a page."""
    for problem in shared.library.problems:
        print(f"refused runbook: {problem}", file=sys.stderr)


def _writable(folder: Path) -> None:
    """Make the folder of the worker's lock; beside PostgreSQL nothing else has made it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} can’t be made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK):
        raise InvalidInput(f"{folder} can’t be written to; the worker keeps its lock there.")


def _usable(settings: Settings, name: str, load: Load[Loaded]) -> None:
    """Refuse a policy file that can't be used, unless the one that was used before can."""

    def spare() -> bytes | None:
        # Of the database alone: runbooks that can't be used are another problem.
        engine = database.create(settings.database_url)
        with SqlStore(engine, DurableQueue(engine).enqueue).read() as reader:
            text = reader.last_policy(name)
        return None if text is None else text.encode()

    def keep(_digest: str, _text: str) -> None:
        """The worker keeps it, once it uses it."""

    PolicyFile(settings.policy / name, load, keep, lambda it: print(it, file=sys.stderr), spare)


def _problems(*checks: Callable[[], object]) -> list[str]:
    """What the checks say that is wrong, all of it."""
    problems = []
    for check in checks:
        try:
            check()
        except TocsinError as error:
            problems.append(str(error))
    return problems


def listener(settings: Settings, lifeline: int, wake: int, http: int, metrics: int) -> None:
    """Serve HTTP on the socket `http` and metrics on the socket `metrics`."""
    import uvicorn

    from bot.bootstrap.listener import listener as wired
    from bot.entrypoints.socket_mode import SocketMode

    _die_with_supervisor(lifeline)
    process = wired(settings, wake)
    _serve_metrics(socket.socket(fileno=metrics))
    app_token = process.vendors.slack_app_token
    socket_mode = SocketMode(process.slack.bolt, app_token) if app_token else None
    if socket_mode is not None:
        socket_mode.start()
    config = uvicorn.Config(
        process.app,
        access_log=False,
        log_level="warning",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        # Once it has ended, uvicorn raises the signal again; what follows is still to be done.
        signal.signal(number, server.handle_exit)
    server.run(sockets=[socket.socket(fileno=http)])
    if socket_mode is not None:
        socket_mode.close()
    process.close()


def worker(settings: Settings, lifeline: int, wake: int) -> None:
    """Work in the inbox and do the effects, until SIGTERM."""
    from bot.bootstrap.worker import worker as wired

    _die_with_supervisor(lifeline)
    _lock(data_folder(settings) / f"worker-{settings.replica}.lock")
    process = wired(settings, lambda seconds: _wait(wake, seconds))

    def stop(_number: int, _frame: FrameType | None) -> None:
        process.intake.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Accepting comes first: under load the listener gets the processor before the worker.
    os.nice(NICENESS)
    process.jobs.start()
    process.rounds.start()
    process.intake.run()
    # Jobs under way are not waited for: the next worker takes them up where they are.
    os._exit(0)


def _die_with_supervisor(lifeline: int) -> None:
    def watch() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _lock(path: Path) -> None:
    """Wait until no other worker works on this database; the lock ends with the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _wait(wake: int, seconds: float) -> None:
    readable, _, _ = select.select([wake], [], [], seconds)
    if readable:
        os.read(wake, 65536)


def _serve_metrics(listening: socket.socket) -> None:
    """GET /metrics, in a thread: scrapes are rare and must not wait behind requests."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exposition(folder) if self.path.split("?")[0] == "/metrics" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes are not worth a line each."""

    server = ThreadingHTTPServer(listening.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
