"""An installation of Tocsin: the real processes, in a folder of their own."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.support.waiting import eventually

REPOSITORY = Path(__file__).resolve().parent.parent.parent

API_TOKEN = "e2e-api-token"
WEBHOOK_TOKEN = "e2e-webhook-token"

TIMEOUT = 10.0
"""Seconds for one request."""
STOPS_WITHIN = 15.0
"""Seconds from SIGTERM until all processes are gone."""

LOG = "tocsin.log"
TOKENS = {"TOCSIN_API_TOKEN": API_TOKEN, "TOCSIN_WEBHOOK_TOKEN": WEBHOOK_TOKEN}


def free_port() -> int:
    """A port that nobody has, from below those that the system gives to outgoing connections.

    So it stays free while Tocsin is down between two starts.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there is no free port")


@dataclass
class Tocsin:
    """`tocsin serve` on ports of its own; `settings` are environment variables.

    Of the test's own environment it sees nothing but the path to programs.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    _supervisor: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """All that its processes said."""
        return self.folder / LOG

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(self.folder),
            "TOCSIN_RUNBOOKS": str(REPOSITORY / "runbooks"),
            "TOCSIN_POLICY": str(REPOSITORY / "policy"),
            "TOCSIN_DATABASE_URL": f"sqlite:///{self.folder / 'tocsin.db'}",
            "TOCSIN_PORT": str(self.port),
            "TOCSIN_METRICS_PORT": str(self.metrics_port),
            **self.settings,
        }

    def start(self) -> None:
        """Start it, and wait until it says that it can work."""
        self.launch()
        eventually(self.is_ready)

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        with self.log.open("ab") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def is_ready(self) -> bool:
        assert self.supervisor.poll() is None, f"it ended:\n{self.log.read_text()}"
        try:
            return requests.get(f"{self.url}/healthz", timeout=TIMEOUT).ok
        except requests.RequestException:
            return False

    @property
    def running(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    @property
    def supervisor(self) -> subprocess.Popen[bytes]:
        assert self._supervisor is not None, "it was not started"
        return self._supervisor

    def kill(self) -> None:
        """SIGKILL the supervisor, nobody else; its children must then end by themselves."""
        children = self.children()
        self.supervisor.kill()
        self.supervisor.wait()
        eventually(lambda: [pid for pid in children if alive(pid)], lambda left: not left)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def kill_child(self, name: str) -> None:
        """SIGKILL the worker or the listener alone, and wait until another one runs."""
        before = eventually(lambda: self.child(name))
        assert before is not None
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self.child(name), lambda pid: pid not in (None, before))

    def child(self, name: str) -> int | None:
        """The pid of the worker or the listener, if it runs now."""
        named = (pid for pid in self.children() if name in _arguments(pid))
        return next(named, None)

    def children(self) -> list[int]:
        """The pids of the supervisor's processes."""
        return [pid for pid in _pids() if _parent(pid) == self.supervisor.pid and alive(pid)]

    def stop(self) -> None:
        """SIGTERM: it must end well and soon, and leave nobody behind."""
        children = self.children()
        self.supervisor.send_signal(signal.SIGTERM)
        assert self.supervisor.wait(STOPS_WITHIN) == 0
        left = [pid for pid in children if alive(pid)]
        assert not left, f"it left these processes behind: {left}"

    def end(self) -> None:
        """Make sure that none of its processes is left, however the test went."""
        if self.running:
            children = self.children()
            self.supervisor.kill()
            self.supervisor.wait()
            for pid in filter(alive, children):
                os.kill(pid, signal.SIGKILL)

    # What one asks of it.

    def post(self, body: Mapping[str, Any]) -> requests.Response:
        """Deliver a webhook as Alertmanager does."""
        return requests.post(
            f"{self.url}/webhooks/alertmanager",
            json=body,
            headers={"Authorization": f"Bearer {WEBHOOK_TOKEN}"},
            timeout=TIMEOUT,
        )

    def api(self, path: str) -> Any:
        """What ``/api/v1/PATH`` answers."""
        answer = requests.get(
            f"{self.url}/api/v1/{path}",
            headers={"Authorization": f"Bearer {API_TOKEN}"},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        return answer.json()

    def metric(self, sample: str) -> float:
        """The value of a sample such as ``tocsin_alerts_total{news="fired"}``; 0 without one."""
        text = requests.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=TIMEOUT).text
        values = (line.rpartition(" ") for line in text.splitlines())
        return next((float(value) for name, _, value in values if name == sample), 0.0)

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run ``tocsin ARGUMENTS`` with the same settings, or other ones."""
        return command_line(*arguments, folder=self.folder, **{**self.environment, **settings})

    def json(self, *arguments: str) -> Any:
        """What ``tocsin ARGUMENTS`` prints, which must be JSON."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@contextmanager
def kept(tocsin: Tocsin) -> Iterator[Tocsin]:
    """See to it that in the end nothing of `tocsin` is left."""
    try:
        yield tocsin
    finally:
        tocsin.end()


def command_line(
    *arguments: str, folder: Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run ``tocsin ARGUMENTS`` in `folder`, with these settings and no others."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), **settings}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet reaped does not."""
    return _stat(pid)[:1] not in ([], ["Z"], ["X"])


def state_of(pid: int) -> str:
    """What the process does: ``S`` waits, ``T`` is stopped, … (proc(5)); empty without one."""
    return "".join(_stat(pid)[:1])


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int:
    return int((_stat(pid)[1:2] or ["0"])[0])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []
