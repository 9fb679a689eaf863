"""The Role that is shipped: enough for the shipped runbooks, and for nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client import ApiClient, ApiException, CoreV1Api
from sqlalchemy import Engine

from bot.adapters import database
from bot.adapters.clock import SystemClock
from bot.adapters.http_hosts import AllowedHosts
from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.adapters.runbooks import RunbookFolder
from bot.adapters.store import SqlStore
from bot.app.planning import Planner
from bot.app.run_log import RunLog
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.app.step_work import StepWork
from bot.bootstrap.running import Site, Sites, step_contexts
from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.steps.registry import step_kinds
from tests.support.access import access
from tests.support.databases import sqlite_database
from tests.support.examples import ANA
from tests.support.kubernetes import SECONDS, Namespace
from tests.support.service_account import ServiceAccount, in_force, shipped_rules, without

pytestmark = pytest.mark.cluster

LIBRARY = RunbookFolder(Path(__file__).resolve().parent.parent.parent / "runbooks", step_kinds())


@pytest.fixture(scope="module")
def admin() -> ApiClient:
    return connect(os.environ["TOCSIN_TEST_KUBECONFIG"], None)


@pytest.fixture
def namespace(admin: ApiClient) -> Iterator[Namespace]:
    made = Namespace.create(admin)
    yield made
    made.delete()


@pytest.fixture
def account(admin: ApiClient, namespace: Namespace) -> ApiClient:
    """Signed in with exactly the Role from `deploy/`."""
    made = ServiceAccount.create(admin, namespace.name, shipped_rules()).client
    in_force(made, namespace.name)
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = database.create(sqlite_database(tmp_path))
    yield made
    made.dispose()


@dataclass(frozen=True)
class Operator:
    """Runs runbooks on the cluster as whom `client` is signed in."""

    client: ApiClient
    engine: Engine

    def run(self, runbook: str, *words: str) -> Run:
        """Ask for a run that starts when it is planned, and see it to its end."""
        store, clock, kinds = SqlStore(self.engine, lambda *_: None), SystemClock(), step_kinds()
        there = Site(
            KubernetesCluster(self.client, SECONDS), KubernetesObjects(self.client, SECONDS)
        )
        contexts = step_contexts(
            Sites(there, lambda _name: there), clock, None, AllowedHosts.parse("127.0.0.1")
        )
        allowed = access(clock)
        runs = Runs(store, LIBRARY, allowed, clock)
        work = StepWork(RunLog(store, clock), kinds, contexts, clock)
        planner = Planner(kinds, contexts)
        runner = Runner(store, there.objects, planner, work, allowed.requirement_of, clock)
        asked = runs.request(runbook, words, ANA, start_when_planned=True)
        while runner.advance(asked.id):
            pass
        return runs.get(asked.id)


def succeeded(run: Run) -> bool:
    """It did, and its plan saw all that it touches, as far as the cluster has such things."""
    assert run.plan is not None
    seen = [step.blast_radius for step in run.plan.steps.values() if step.blast_radius]
    unknown = [text for one in seen for text in one.unknown if "does not serve" not in text]
    assert seen
    assert unknown == []
    assert (run.state, run.result) == (RunState.SUCCEEDED, "Done and verified.")
    return True


def test_it_is_enough_to_restart(namespace: Namespace, account: ApiClient, engine: Engine) -> None:
    shop = namespace.create_deployment()
    namespace.create_service("shop", {"app": "shop"})
    namespace.create_budget("shop", {"app": "shop"})
    namespace.create_autoscaler("shop", "shop")
    before = namespace.rolled_out(shop).revision
    run = Operator(account, engine).run("restart", f"{namespace.name}/shop", "soak=1s")
    assert succeeded(run)
    assert namespace.rolled_out(shop).revision == before + 1


def test_it_is_enough_to_roll_back(
    namespace: Namespace, account: ApiClient, engine: Engine
) -> None:
    shop = namespace.create_deployment()
    namespace.release(shop, "1.1")
    run = Operator(account, engine).run("rollback", f"{namespace.name}/shop", "soak=1s")
    assert succeeded(run)
    assert namespace.rolled_out(shop).images == ("registry.example/shop:1.0",)


def test_it_is_enough_to_fail_over(
    namespace: Namespace, account: ApiClient, engine: Engine
) -> None:
    shop = namespace.create_deployment(replicas=1)
    namespace.rolled_out(shop)
    service = namespace.create_service("shop", {"app": "other"})
    words = (f"{namespace.name}/shop", "label=app", "to=shop", "soak=1s")
    run = Operator(account, engine).run("failover", *words)
    assert succeeded(run)
    assert namespace.cluster.service(service).selector["app"] == "shop"


Call = Callable[[Any, str], object]
OUTSIDE: Mapping[str, Call] = {
    "delete the namespace": lambda core, name: core.delete_namespace(name),
    "read a Secret": lambda core, name: core.read_namespaced_secret("token", name),
    "list Secrets": lambda core, name: core.list_namespaced_secret(name),
    "read a ConfigMap": lambda core, name: core.read_namespaced_config_map("any", name),
    "make a pod": lambda core, name: core.create_namespaced_pod(name, {}),
    "delete pods": lambda core, name: core.delete_collection_namespaced_pod(name),
    "enter a pod": lambda core, name: core.connect_get_namespaced_pod_exec("any", name),
    "delete a Service": lambda core, name: core.delete_namespaced_service("any", name),
    "change a node": lambda core, _name: core.patch_node("any", {}),
    "look into another namespace": lambda core, _name: core.list_namespaced_pod("kube-system"),
    "make itself a token": lambda core, name: core.create_namespaced_service_account_token(
        "tocsin", name, {"spec": {}}
    ),
}


def test_it_is_not_enough_for_anything_else(namespace: Namespace, account: ApiClient) -> None:
    core, allowed = CoreV1Api(account), []
    for what, call in OUTSIDE.items():
        try:
            call(core, namespace.name)
        except ApiException as error:
            if error.status == 403:
                continue
        allowed.append(what)
    assert allowed == []


@pytest.mark.parametrize(
    ("runbook", "resource", "verb", "said"),
    [
        ("restart", "deployments", "patch", "patch deployments"),
        ("restart", "deployments", "get", "get deployments"),
        ("restart", "pods", "list", "list pods"),
        ("rollback", "replicasets", "list", "list replicasets"),
        ("failover", "services", "patch", "patch services"),
    ],
)
def test_a_permission_that_is_missing_is_named_and_nothing_is_changed(
    admin: ApiClient,
    namespace: Namespace,
    engine: Engine,
    runbook: str,
    resource: str,
    verb: str,
    said: str,
) -> None:
    shop = namespace.create_deployment(replicas=1)
    namespace.create_service("shop", {"app": "other"})
    before = namespace.release(shop, "1.1")
    rules = without(shipped_rules(), resource, verb)
    account = ServiceAccount.create(admin, namespace.name, rules).client
    in_force(account, namespace.name)
    words = ("label=app", "to=shop") if runbook == "failover" else ()
    run = Operator(account, engine).run(runbook, f"{namespace.name}/shop", *words)
    assert run.state is RunState.REFUSED
    assert said in run.result
    assert namespace.rolled_out(shop).revision == before.revision
