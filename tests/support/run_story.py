"""The story of one run, told by a process of its own that may be killed or stopped anywhere.

The process has the real store, runner, steps and client of the API server; only the loop
that drives it is the story's. A process that is started after another one takes the run up
where its record says that it stands.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient

from bot.adapters import database
from bot.adapters.clock import SystemClock
from bot.adapters.http_hosts import AllowedHosts
from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.adapters.store import SqlStore
from bot.app.access import Access
from bot.app.planning import Planner
from bot.app.record import open_run
from bot.app.run_log import RunLog
from bot.app.runner import Runner
from bot.app.step_work import StepWork
from bot.bootstrap.running import Site, Sites, step_contexts
from bot.domain.parameter import Parameter, ParameterType
from bot.domain.run import Run, blank_records
from bot.domain.runbook import Risk, Runbook, Step
from bot.entrypoints.worker import RunWorker
from bot.ports import Clock, Store
from bot.steps.registry import step_kinds
from tests.support.access import OPEN_TO_ALL
from tests.support.boundaries import Boundary, WatchedRequests, WatchedStore
from tests.support.examples import ANA

WORKLOAD, NAMESPACE = "${parameters.workload}", "${parameters.namespace}"
IMAGE = "registry.example/tool:complete"


def step(step_id: str, kind: str, /, **arguments: Any) -> Step:
    """A step of a runbook, titled by its id; `arguments` may hold placeholders."""
    return Step(step_id, kind, f"Do {step_id}", arguments)


WAIT = step("wait", "kubernetes.wait_rollout", workload=WORKLOAD, timeout="60s")
READY = step("ready", "kubernetes.ready_pods", workload=WORKLOAD, soak="0s", timeout="60s")
FAILS = step(
    "fails",
    "kubernetes.wait_condition",
    kind="apps/v1 Deployment",
    object=WORKLOAD,
    path="spec.replicas",
    value=9,
    timeout="1s",
)
"""A verification that never holds, so that everything is put back."""


def book(*steps: Step, verified_by: Step = READY) -> Runbook:
    """A runbook about one workload and its namespace."""
    return Runbook(
        name="story",
        version="1.0.0",
        summary="Does what the test wants.",
        risk=Risk.LOW,
        parameters=(
            Parameter("workload", ParameterType.WORKLOAD, "On what."),
            Parameter("namespace", ParameterType.NAMESPACE, "Where."),
            Parameter("name", ParameterType.NAME, "What its pods are labelled with."),
        ),
        steps=steps,
        verification=(verified_by,),
        text="name: story\n",
        digest="d" * 64,
    )


BOOKS: Mapping[str, Runbook] = {
    "restart": book(step("restart", "kubernetes.rollout_restart", workload=WORKLOAD), WAIT),
    "rollback, undone": book(
        step("rollback", "kubernetes.rollout_undo", workload=WORKLOAD), WAIT, verified_by=FAILS
    ),
    "scale, undone": book(
        step("scale", "kubernetes.scale", workload=WORKLOAD, replicas=2), WAIT, verified_by=FAILS
    ),
    "job, undone": book(
        step("job", "kubernetes.job", namespace=NAMESPACE, image=IMAGE, undo={"image": IMAGE}),
        verified_by=FAILS,
    ),
    "objects": book(
        step(
            "image",
            "kubernetes.set_image",
            workload=WORKLOAD,
            image="registry.example/shop:2.0",
        ),
        step(
            "patch",
            "kubernetes.patch",
            kind="v1 ConfigMap",
            object=WORKLOAD,
            merge={"data": {"host": "b"}},
        ),
        step(
            "switch",
            "kubernetes.switch_service",
            service=WORKLOAD,
            label="app",
            to="${parameters.name}",
        ),
        step("delete", "kubernetes.delete", kind="v1 ConfigMap", object=WORKLOAD),
    ),
}


@dataclass(frozen=True)
class Stage:
    """Where the story takes place; `log` gets a line for each boundary that is reached."""

    database_url: str
    kubeconfig: str
    run_id: int
    log: Path


@dataclass
class Interruption:
    """What becomes of the process at a boundary: SIGKILL ends it, SIGSTOP lets it sleep.

    All boundaries that are reached are written to the file descriptor `log`.
    """

    at: Boundary | None
    how: signal.Signals
    log: int

    def reach(self, boundary: Boundary) -> None:
        os.write(self.log, f"{boundary}\n".encode())
        if boundary == self.at:
            self.at = None
            os.kill(os.getpid(), self.how)
            if self.how is signal.SIGKILL:
                signal.pause()


def tell(stage: Stage, at: Boundary | None, how: signal.Signals) -> None:
    """Take the run to its end, or until `at` is reached; never returns."""
    log = os.open(stage.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    reach = Interruption(at, how, log).reach
    client = connect(stage.kubeconfig, None)
    client.rest_client = WatchedRequests(client.rest_client, reach)  # type: ignore[assignment]
    store = WatchedStore(store_at(stage.database_url), reach)
    worker = RunWorker(runner(store, client, SystemClock()))
    while worker.advance(stage.run_id):
        pass
    os._exit(0)


def runner(store: Store, client: ApiClient, clock: Clock, timeout: float = 10.0) -> Runner:
    """A runner as the worker has it; a request to the API server has `timeout` seconds."""
    kinds = step_kinds()
    site = Site(KubernetesCluster(client, timeout), KubernetesObjects(client, timeout))
    context_for = step_contexts(
        Sites(site, lambda _name: site), clock, None, AllowedHosts.parse("")
    )
    return Runner(
        store,
        site.objects,
        Planner(kinds, context_for),
        StepWork(RunLog(store, clock), kinds, context_for, clock),
        Access(lambda: OPEN_TO_ALL, clock).requirement_of,
        clock,
    )


def store_at(url: str) -> SqlStore:
    """The store at that URL. Nobody does what runs ask for: messages are no part of this."""
    return SqlStore(database.create(url), lambda _connection, _effect, _delay: None)


def asked_for(store: Store, runbook: Runbook, namespace: str, name: str) -> Run:
    """Somebody asks for a run of the runbook, approved in advance, on that Deployment."""
    now = SystemClock().now()
    draft = Run(
        id=0,
        runbook=runbook,
        parameters={"workload": f"{namespace}/{name}", "namespace": namespace, "name": name},
        requested_by=ANA,
        requested_at=now,
        start_when_planned=True,
        steps=blank_records(runbook),
    )
    with store.transaction() as tx:
        return open_run(tx, draft, ANA, now)


def run_of(store: Store, run_id: int) -> Run:
    with store.read() as reader:
        return reader.run(run_id)


def story_of(store: Store, run_id: int) -> list[str]:
    """The names of all that is on record about a run."""
    with store.read() as reader:
        return [type(one.event).__name__ for one in reader.recorded(run_id=run_id)]
