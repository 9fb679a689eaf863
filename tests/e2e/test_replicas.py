"""Two replicas on one PostgreSQL: what one was in the middle of, the other brings to its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from bot.adapters import database
from bot.adapters.durable import ADVANCE
from bot.adapters.kubernetes import connect
from bot.adapters.schema import migrate
from bot.domain.cluster import ObjectRef
from tests.support.databases import postgres_database
from tests.support.gate import Arrival
from tests.support.installation import TIMEOUT, TOKENS, Tocsin, kept
from tests.support.kubernetes import Namespace
from tests.support.place import Place
from tests.support.vendors import Vendors, vendors
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

GONE_AFTER = "6"
"""Seconds; less than the default, so that the test need not wait as long."""

STARTS_WITHIN = 60.0
"""Seconds; two that start at once take twice as long."""

ENDS_WITHIN = 60.0
"""Seconds until a run has ended that lost its runner (issue 5, "Must hold")."""


@dataclass(frozen=True)
class Pair:
    """Two replicas, by name. Slack knows the one that is called first."""

    url: str
    replicas: dict[str, Tocsin]
    vendors: Vendors
    namespace: Namespace

    def restart(self, ref: ObjectRef) -> None:
        place = Place(self.replicas["first"], self.vendors, self.namespace)
        place.type("/restart", f"{ref.namespace}/{ref.name} soak=1s --yes")

    def holder(self) -> str:
        """Who is in the middle of a run."""
        query = "SELECT executor_id FROM dbos.workflow_status WHERE status='PENDING' AND name=%s"
        with psycopg.connect(self.url) as connection:
            ((name,),) = connection.execute(query, [ADVANCE]).fetchall()
        return str(name)

    def changes(self, ref: ObjectRef) -> int:
        return sum(is_change(one, ref) for one in self.vendors.cluster_gate.arrivals)


def is_change(arrival: Arrival, ref: ObjectRef) -> bool:
    is_patch = arrival.method == "PATCH" and arrival.path.endswith(f"/deployments/{ref.name}")
    return is_patch and "dryRun" not in arrival.query


def newest_run(tocsin: Tocsin) -> dict[str, Any]:
    runs: list[dict[str, Any]] = tocsin.api("runs?limit=1")
    return runs[0]


def worker(tocsin: Tocsin) -> str:
    """What the replica's health says of its worker."""
    return str(requests.get(f"{tocsin.url}/healthz", timeout=TIMEOUT).json()["worker"])


@pytest.fixture(scope="module")
def pair(folder: Path) -> Iterator[Pair]:
    """Both run: each is a `tocsin serve` in a folder of its own."""
    (folder / "second").mkdir()
    replicas = {"first": Tocsin(folder), "second": Tocsin(folder / "second")}
    with ExitStack() as stack:
        url = stack.enter_context(postgres_database())
        migrate(database.create(url))
        served = stack.enter_context(vendors(replicas["first"].url, folder))
        for name, one in replicas.items():
            own = {"TOCSIN_REPLICA": name, "TOCSIN_REPLICA_GONE_AFTER": GONE_AFTER}
            one.settings = {**TOKENS, **served.settings, "TOCSIN_DATABASE_URL": url, **own}
            stack.enter_context(kept(one)).launch()
        for one in replicas.values():
            eventually(one.is_ready, patience=STARTS_WITHIN)
        namespace = Namespace.create(connect(served.settings["KUBECONFIG"], None))
        yield Pair(url, replicas, served, namespace)


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["paused", "killed"])
def test_the_run_of_a_replica_that_stopped_is_ended_by_the_other(
    pair: Pair, how: signal.Signals
) -> None:
    ref = pair.namespace.create_deployment(f"shop-{how.name.lower()}", replicas=1)
    pair.namespace.rolled_out(ref)
    gate = pair.vendors.cluster_gate
    with gate.holding(lambda one: is_change(one, ref), takes_effect=True) as hold:
        pair.restart(ref)
        hold.wait()
        stopped = pair.replicas[pair.holder()]
        pid = stopped.child("worker")
        assert pid is not None
        if how is signal.SIGKILL:
            stopped.kill()
        else:
            os.kill(pid, how)
    (other,) = (one for one in pair.replicas.values() if one is not stopped)

    run = eventually(lambda: newest_run(other), lambda it: it["finished_at"], ENDS_WITHIN)

    assert run["state"] == "succeeded", run
    if how is signal.SIGSTOP:
        comes_back(pair, stopped, pid)
    assert pair.namespace.rolled_out(ref).generation == 2
    assert pair.changes(ref) == 1
    assert worker(other) == "ok"


def comes_back(pair: Pair, stopped: Tocsin, pid: int) -> None:
    """It finds that the run is over, and goes on with new work."""
    eventually(lambda: worker(stopped), lambda it: it == "late")
    assert stopped.metric("tocsin_worker_last_seen_seconds") >= float(GONE_AFTER)
    os.kill(pid, signal.SIGCONT)
    eventually(lambda: worker(stopped), lambda it: it == "ok")
    ref = pair.namespace.create_deployment("new", replicas=1)
    pair.namespace.rolled_out(ref)
    before = newest_run(stopped)["id"]
    pair.restart(ref)
    eventually(lambda: newest_run(stopped), lambda it: it["id"] > before and it["finished_at"])
    assert stopped.child("worker") == pid
