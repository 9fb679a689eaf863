"""The servers that are measured, each a process group that can be paused."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.floor import Mode
from bench.loadgen import Target

REPOSITORY = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 20
TOKEN = "bench"


@dataclass(frozen=True, slots=True)
class Server:
    """What to start, and where it then takes webhooks."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        return Target(self.url, self.headers)


def tocsin(folder: Path, **environment: str) -> Server:
    """All of Tocsin, with the sandbox for vendors that `environment` does not name."""
    port = free_port()
    return Server(
        name="tocsin",
        command=(sys.executable, "-m", "bot", "serve"),
        environment={
            "TOCSIN_SANDBOX": "1",
            "TOCSIN_DATABASE_URL": f"sqlite:///{folder}/tocsin.db",
            "TOCSIN_PORT": str(port),
            "TOCSIN_METRICS_PORT": str(free_port()),
            "TOCSIN_WEBHOOK_TOKEN": TOKEN,
            **environment,
        },
        url=f"http://127.0.0.1:{port}/webhooks/alertmanager",
        headers={"authorization": f"Bearer {TOKEN}"},
    )


def listener(folder: Path) -> Server:
    """The webhook and its inbox with nothing beside them."""
    environment = {
        "TOCSIN_DATABASE_URL": f"sqlite:///{folder}/listener.db",
        "TOCSIN_WEBHOOK_TOKEN": TOKEN,
    }
    headers = {"authorization": f"Bearer {TOKEN}"}
    return _uvicorn("listener", "bench.listener:app", environment, headers)


def floor(mode: Mode, folder: Path) -> Server:
    """The yardstick, see `bench.floor`."""
    environment = {"FLOOR_MODE": mode.value, "FLOOR_DATABASE": f"{folder}/{mode}.db"}
    return _uvicorn(mode.value, "bench.floor:app", environment, {})


def _uvicorn(
    name: str, factory: str, environment: Mapping[str, str], headers: Mapping[str, str]
) -> Server:
    port = free_port()
    command = (
        *(sys.executable, "-m", "uvicorn", "--factory", factory),
        *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http", "httptools"),
        *("--lifespan", "off", "--no-access-log", "--log-level", "warning"),
    )
    return Server(name, command, environment, f"http://127.0.0.1:{port}/", headers)


class Running:
    """A started server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._process = _started(server)

    def restart(self) -> None:
        """SIGKILL all its processes and start it again; waits for nothing."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = _started(self.server)

    def child(self, name: str) -> int:
        """The process that runs that part of Tocsin, as soon as there is one."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for process in _group(self._process.pid):
                if name in _arguments(process):
                    return process
            time.sleep(0.05)
        raise RuntimeError(f"{self.server.name} has no {name}")

    def pause(self) -> None:
        """Stop all its processes, so that they take nothing of the machine."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def memory(self) -> float:
        """MiB that its processes hold, shared pages counted once (Linux' PSS)."""
        return sum(map(_proportional_set, _group(self._process.pid))) / 1024

    def stop(self) -> None:
        """End them; at once if they don't end by themselves in time."""
        self.resume()
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def wait_until_it_listens(self) -> None:
        """Raises `RuntimeError` when it ends before, or takes too long."""
        address = urlsplit(self.server.url)
        deadline = time.monotonic() + START_SECONDS
        while not _listens(address.hostname, address.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.server.name} did not start: {self.server.command}")
            time.sleep(0.05)


def _started(server: Server) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        server.command,
        cwd=REPOSITORY,
        env=os.environ | server.environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _arguments(process: int) -> Sequence[str]:
    """What the process was started with; empty when it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return ()


def _group(group: int) -> Iterator[int]:
    """The processes of that group."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(ProcessLookupError):
                if os.getpgid(int(entry.name)) == group:
                    yield int(entry.name)


def _proportional_set(process: int) -> int:
    """KiB that the process holds, its part of what it shares included; 0 when it has ended."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """Start the server, wait until it listens, and stop it in the end."""
    started = Running(server)
    try:
        started.wait_until_it_listens()
        yield started
    finally:
        started.stop()


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(host: str | None, port: int | None) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
