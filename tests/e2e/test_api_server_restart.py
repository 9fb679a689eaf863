"""Runs whose API server is killed in mid-run and started again: the program itself, no proxy.

The control plane is the test's own, since others could not do without theirs.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes import connect
from bot.domain.run_events import RunState
from bot.entrypoints.worker import RunWorker
from tests.support.boundaries import Boundary, Moment, WatchedRequests, WatchedStore
from tests.support.databases import sqlite_database
from tests.support.kubernetes import Namespace
from tests.support.run_story import WORKLOAD, asked_for, book, run_of, runner, step, store_at

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

OUTAGE = 3.0
"""Seconds until the API server is started again; it needs a few more to be ready."""
TIMEOUT = 1.0
"""Seconds for one request to the API server."""

CHANGED = Boundary(Moment.AFTER, "request: PATCH deployments 1")
STORY = book(
    step("restart", "kubernetes.rollout_restart", workload=WORKLOAD),
    step("wait", "kubernetes.wait_rollout", workload=WORKLOAD, timeout="240s"),
)
"""The cluster's own controllers take their time to find the API server again."""

PORTS = range(18443, 18943, 10)
OFFSETS = (0, 1, 2, 3, -4000, -3999)
"""Where the programs of a control plane listen, from the port that it is given."""


@dataclass(frozen=True)
class ControlPlane:
    """etcd, API server and controllers, whose programs and pids lie in `state`."""

    state: Path

    @property
    def kubeconfig(self) -> str:
        return str(self.state / "admin.kubeconfig")

    def kill_api_server(self) -> list[str]:
        """Returns the command that starts it again."""
        pid = self._pids()["kube-apiserver"]
        command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
        os.kill(pid, signal.SIGKILL)
        return command

    def start_api_server(self, command: list[str]) -> None:
        """Start it, and have it stopped with the others."""
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        pids = self._pids() | {"kube-apiserver": process.pid}
        text = "".join(f"{name} {pid}\n" for name, pid in pids.items())
        (self.state / "pids").write_text(text)

    def restart_api_server(self) -> None:
        """Kill it now, and start it again when the outage is over."""
        command = self.kill_api_server()
        threading.Timer(OUTAGE, self.start_api_server, [command]).start()

    def _pids(self) -> dict[str, int]:
        lines = (self.state / "pids").read_text().splitlines()
        return {name: int(pid) for name, pid in (line.split() for line in lines)}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[ControlPlane]:
    state = tmp_path_factory.mktemp("control-plane")
    port = next(port for port in PORTS if all(is_free(port + offset) for offset in OFFSETS))
    environment = {**os.environ, "STATE": str(state), "PORT": str(port)}
    subprocess.run([shared / "cluster" / "up"], env=environment, check=True)
    yield ControlPlane(state)
    subprocess.run([shared / "cluster" / "down"], env=environment, check=True)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.timeout(300)
def test_a_run_outlasts_it(plane: ControlPlane, tmp_path: Path) -> None:
    namespace = Namespace.create(connect(plane.kubeconfig, None))
    ref = namespace.create_deployment("shop", replicas=1)
    store = store_at(sqlite_database(tmp_path))
    reached: list[Boundary] = []

    def reach(boundary: Boundary) -> None:
        if boundary == CHANGED:
            reached.append(boundary)
            plane.restart_api_server()

    client = connect(plane.kubeconfig, None)
    client.rest_client = WatchedRequests(client.rest_client, reach)  # type: ignore[assignment]
    worker = RunWorker(runner(WatchedStore(store, reach), client, SystemClock(), TIMEOUT))
    run = asked_for(store, STORY, ref.namespace, ref.name)
    while worker.advance(run.id):
        pass
    ended = run_of(store, run.id)
    assert reached == [CHANGED]
    assert ended.state is RunState.SUCCEEDED, ended.result
    assert namespace.cluster.deployment(ref).generation == 2
