"""The stand-in for Kubernetes: rollouts under a clock that the test moves, and its HTTP side."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from bot.sandbox.kubernetes.patches import json_patch, strategic_merge
from bot.sandbox.kubernetes.refusals import Refusal
from bot.sandbox.kubernetes.store import BUDGETS, DEPLOYMENTS, PODS, REPLICA_SETS, SERVICES, Json

DEPLOYMENT_PATH = "/apis/apps/v1/namespaces/web/deployments/shop"
MERGE = {"content-type": "application/strategic-merge-patch+json"}


class World:
    """A cluster whose pods take a second, in which a test moves the time."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.cluster = SandboxCluster(lambda: self.time, ready_after=1)

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def create(self, tag: str = "1.0", replicas: int = 3, **spec: Any) -> None:
        labels = {"app": "shop"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers(tag)}}
        body = {
            "metadata": {"name": "shop"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": template,
                **spec,
            },
        }
        self.cluster.create(DEPLOYMENTS, "web", body)

    def patch(self, patch: Json) -> Json:
        return self.cluster.change(
            DEPLOYMENTS, "web", "shop", lambda old: strategic_merge(old, patch)
        )

    def release(self, tag: str) -> Json:
        return self.patch({"spec": {"template": {"spec": {"containers": containers(tag)}}}})

    @property
    def deployment(self) -> Json:
        return self.cluster.get(DEPLOYMENTS, "web", "shop")

    @property
    def counts(self) -> tuple[int, int, int]:
        """Pods in all, those with the newest template, and those that are ready."""
        status = self.deployment["status"]
        return status["replicas"], status["updatedReplicas"], status["readyReplicas"]

    @property
    def progress(self) -> tuple[str, str]:
        conditions = self.deployment["status"]["conditions"]
        (condition,) = (item for item in conditions if item["type"] == "Progressing")
        return condition["status"], condition["reason"]

    @property
    def pods(self) -> list[Json]:
        return self.cluster.find(PODS, "web", {"app": "shop"})[0]

    @property
    def revisions(self) -> dict[str, int]:
        """How many pods each revision's ReplicaSet wants."""
        found, _ = self.cluster.find(REPLICA_SETS, "web", {"app": "shop"})
        key = "deployment.kubernetes.io/revision"
        return {it["metadata"]["annotations"][key]: it["spec"]["replicas"] for it in found}


def containers(tag: str) -> list[Json]:
    return [{"name": "shop", "image": f"registry.example/shop:{tag}"}]


@pytest.fixture
def world() -> World:
    return World()


def test_new_pods_become_ready_after_their_time(world: World) -> None:
    world.create()
    assert world.counts == (3, 3, 0)
    assert world.progress == ("True", "ReplicaSetUpdated")
    world.pass_seconds(0.99)
    assert world.counts == (3, 3, 0)
    world.pass_seconds(0.01)
    assert world.counts == (3, 3, 3)
    assert world.progress == ("True", "NewReplicaSetAvailable")


def test_a_rollout_goes_pod_by_pod(world: World) -> None:
    world.create("1.0")
    world.pass_seconds(1)
    world.release("1.1")
    seen = []
    for _ in range(4):
        seen.append(world.counts)
        world.pass_seconds(1)
    assert seen == [(4, 1, 3), (4, 2, 3), (4, 3, 3), (3, 3, 3)]
    assert world.revisions == {"1": 0, "2": 3}


def test_looking_once_or_often_makes_no_difference(world: World) -> None:
    world.create("1.0")
    world.pass_seconds(1)
    world.release("1.1")
    watched = SandboxCluster.load(world.cluster.dump(), lambda: world.time)
    unwatched = SandboxCluster.load(world.cluster.dump(), lambda: world.time)
    for _ in range(50):
        world.pass_seconds(0.1)
        watched.get(DEPLOYMENTS, "web", "shop")
    one, other = (it.get(DEPLOYMENTS, "web", "shop") for it in (watched, unwatched))
    assert one["status"] == other["status"]
    assert one["status"]["updatedReplicas"] == 3


def test_a_change_is_answered_before_the_controller_acts(world: World) -> None:
    world.create()
    world.pass_seconds(1)
    answered = world.release("1.1")
    assert (answered["metadata"]["generation"], answered["status"]["observedGeneration"]) == (2, 1)
    assert world.deployment["status"]["observedGeneration"] == 2


def test_the_same_template_again_changes_nothing(world: World) -> None:
    world.create("1.0")
    world.pass_seconds(1)
    before = world.deployment
    world.release("1.0")
    assert world.deployment == before
    assert world.revisions == {"1": 3}


def test_an_annotation_is_a_new_generation_but_no_rollout(world: World) -> None:
    world.create()
    world.pass_seconds(1)
    world.patch({"metadata": {"annotations": {"team": "web"}}})
    assert world.deployment["metadata"]["generation"] == 2
    assert world.revisions == {"1": 3}


def test_an_old_template_gets_a_new_revision(world: World) -> None:
    world.create("1.0")
    world.release("1.1")
    world.release("1.0")
    world.pass_seconds(10)
    assert world.revisions == {"2": 0, "3": 3}
    assert world.deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


@pytest.mark.parametrize(
    ("tag", "reason", "restarts"),
    [("crash", "CrashLoopBackOff", 3), ("badimage", "ImagePullBackOff", 0)],
)
def test_a_bad_release_gets_stuck_beside_the_old_one(
    world: World, tag: str, reason: str, restarts: int
) -> None:
    world.create("1.0", progressDeadlineSeconds=60)
    world.pass_seconds(1)
    world.release(tag)
    world.pass_seconds(60)
    assert world.counts == (4, 1, 3)
    assert world.progress == ("True", "ReplicaSetUpdated")
    world.pass_seconds(1)
    assert world.progress == ("False", "ProgressDeadlineExceeded")
    (status,) = (
        pod["status"]["containerStatuses"][0]
        for pod in world.pods
        if pod["spec"]["containers"] == containers(tag)
    )
    assert status["state"] == {"waiting": {"reason": reason}}
    assert status["restartCount"] == restarts


def test_rolling_a_bad_release_back_helps_at_once(world: World) -> None:
    world.create("1.0", progressDeadlineSeconds=60)
    world.pass_seconds(1)
    world.release("crash")
    world.pass_seconds(100)
    world.release("1.0")
    assert world.counts == (3, 3, 3)
    assert world.progress == ("True", "NewReplicaSetAvailable")


def test_a_crashing_pod_is_restarted_ever_more_slowly(world: World) -> None:
    world.create("crash", replicas=1)
    restarts = []
    for _ in range(3):
        world.pass_seconds(1000)
        restarts.append(world.pods[0]["status"]["containerStatuses"][0]["restartCount"])
    # 5 pauses of 10, 20, 40, 80 and 160 s, then one every 300 s
    assert restarts == [8, 11, 14]


def test_a_slow_pod_takes_ten_seconds(world: World) -> None:
    world.create("slow", replicas=1)
    world.pass_seconds(9.9)
    assert world.counts == (1, 1, 0)
    world.pass_seconds(0.1)
    assert world.counts == (1, 1, 1)


def test_nothing_rolls_while_paused(world: World) -> None:
    world.create("1.0")
    world.pass_seconds(1)
    world.patch({"spec": {"paused": True}})
    world.release("1.1")
    world.pass_seconds(10)
    assert world.progress == ("Unknown", "DeploymentPaused")
    assert world.revisions == {"1": 3}
    world.patch({"spec": {"paused": None}})
    world.pass_seconds(10)
    assert world.revisions == {"1": 0, "2": 3}
    assert world.progress == ("True", "NewReplicaSetAvailable")


def test_only_so_many_revisions_are_kept(world: World) -> None:
    world.create("1.0", revisionHistoryLimit=1)
    for tag in ("1.1", "1.2", "1.3"):
        world.release(tag)
        world.pass_seconds(10)
    assert world.revisions == {"3": 0, "4": 3}


def test_scaling_creates_and_removes_pods(world: World) -> None:
    world.create(replicas=1)
    world.pass_seconds(1)
    world.patch({"spec": {"replicas": 4}})
    assert world.counts == (4, 4, 1)
    world.patch({"spec": {"replicas": 1}})
    assert world.counts == (1, 1, 1)


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [({"minAvailable": 2}, 1), ({"maxUnavailable": 2}, 2), ({"minAvailable": "50%"}, 1)],
)
def test_a_budget_counts_ready_pods(world: World, spec: Json, allowed: int) -> None:
    world.create(replicas=3)
    selector = {"selector": {"matchLabels": {"app": "shop"}}}
    world.cluster.create(
        BUDGETS, "web", {"metadata": {"name": "shop"}, "spec": {**spec, **selector}}
    )
    budget = world.cluster.get(BUDGETS, "web", "shop")
    assert budget["status"]["disruptionsAllowed"] == 0
    world.pass_seconds(1)
    budget = world.cluster.get(BUDGETS, "web", "shop")
    assert budget["status"]["disruptionsAllowed"] == allowed


def test_a_dumped_cluster_goes_on_where_it_was(world: World) -> None:
    world.create("1.0")
    world.pass_seconds(1)
    world.release("1.1")
    dumped = json.loads(json.dumps(world.cluster.dump()))
    world.pass_seconds(3600)
    world.cluster = SandboxCluster.load(dumped, lambda: world.time)
    assert world.counts == (3, 3, 3)
    assert world.deployment["metadata"]["uid"] in json.dumps(dumped)


def test_the_demo_workspace(world: World) -> None:
    rows = {row["name"]: row for row in world.cluster.overview()}
    assert list(rows) == ["checkout", "checkout-standby", "broken", "frontend"]
    assert rows["checkout"] == {
        "namespace": "payments",
        "name": "checkout",
        "image": "registry.example/checkout:1.9.0",
        "ready": 3,
        "desired": 3,
        "revision": 3,
        "rolling": False,
        "problem": "",
        "selector": {"app": "checkout", "role": "active"},
        "services": ["checkout"],
    }
    assert rows["checkout-standby"]["services"] == []
    assert rows["broken"]["rolling"]
    assert rows["broken"]["problem"] == "CrashLoopBackOff"


def test_the_overview_shows_whom_a_service_sends_traffic_to(world: World) -> None:
    patch = [{"op": "replace", "path": "/spec/selector/role", "value": "standby"}]
    world.cluster.change(SERVICES, "payments", "checkout", lambda old: json_patch(old, patch))
    services = {row["name"]: row["services"] for row in world.cluster.overview()}
    assert (services["checkout"], services["checkout-standby"]) == ([], ["checkout"])


def test_json_patches() -> None:
    document = {"a": {"x/y": 1}, "list": [1, 3]}
    operations: list[Json] = [
        {"op": "test", "path": "/a/x~1y", "value": 1},
        {"op": "replace", "path": "/a/x~1y", "value": 2},
        {"op": "add", "path": "/list/1", "value": 2},
        {"op": "add", "path": "/list/-", "value": 4},
        {"op": "add", "path": "/b", "value": {}},
        {"op": "remove", "path": "/list/0"},
    ]
    assert json_patch(document, operations) == {"a": {"x/y": 2}, "list": [2, 3, 4], "b": {}}
    assert document == {"a": {"x/y": 1}, "list": [1, 3]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "replace", "path": "/missing", "value": 2},
        {"op": "remove", "path": "/a/b"},
        {"op": "copy", "path": "/a", "from": "/b"},
        {"path": "/a"},
        "add",
    ],
)
def test_a_json_patch_that_fails_is_refused(operation: Any) -> None:
    with pytest.raises(Refusal, match="the server rejected our request"):
        json_patch({"a": 1}, [operation])


def test_strategic_merge_goes_into_named_lists() -> None:
    old = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}], "gone": 1}
    patch = {"containers": [{"name": "b", "image": "2"}], "gone": None}
    assert strategic_merge(old, patch) == {
        "containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]
    }


@pytest.fixture
def http(world: World) -> TestClient:
    world.create()
    return TestClient(kubernetes_app(world.cluster))


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/apis/batch/v1/namespaces/web/cronjobs"),
        ("GET", "/version"),
        ("PUT", DEPLOYMENT_PATH),
        ("GET", f"{DEPLOYMENT_PATH}/scale"),
        ("GET", "/apis/apps/v1/namespaces/web/deployments?watch=1"),
        ("POST", "/api/v1/namespaces/web/events"),
        ("GET", "/api/v1/namespaces/web/namespaces"),
        ("POST", "/apis/apps/v1/deployments"),
    ],
)
def test_what_is_not_served_is_not_found_and_recorded(
    world: World, http: TestClient, method: str, address: str
) -> None:
    answer = http.request(method, address)
    assert answer.status_code == 404
    status = answer.json()
    assert (status["kind"], status["reason"], status["details"]) == ("Status", "NotFound", {})
    assert list(world.cluster.unknown_requests) == [f"{method} {address}"]


@pytest.mark.parametrize(
    ("headers", "content", "code", "reason"),
    [
        ({"content-type": "application/yaml"}, "{}", 415, "UnsupportedMediaType"),
        ({}, "{}", 415, "UnsupportedMediaType"),
        (MERGE, "{", 400, "BadRequest"),
        (MERGE, "7", 400, "BadRequest"),
        (MERGE, '{"spec": {"template": 7}}', 400, "BadRequest"),
        (MERGE, '{"spec": {"template": {"spec": {"volumes": []}}}}', 400, "BadRequest"),
        (MERGE, '{"spec": {"$patch": "replace"}}', 400, "BadRequest"),
        (MERGE, '{"spec": {"replicas": -1}}', 422, "Invalid"),
        (MERGE, '{"spec": {"selector": {"matchLabels": {"x": "y"}}}}', 422, "Invalid"),
        (MERGE, '{"metadata": {"uid": "other"}}', 422, "Invalid"),
        (MERGE, '{"metadata": {"resourceVersion": "1"}}', 409, "Conflict"),
    ],
)
def test_a_bad_patch_is_refused_and_changes_nothing(
    world: World, http: TestClient, headers: dict[str, str], content: str, code: int, reason: str
) -> None:
    before = world.deployment
    answer = http.patch(DEPLOYMENT_PATH, headers=headers, content=content)
    assert answer.status_code == code
    status = answer.json()
    assert (status["kind"], status["reason"], status["code"]) == ("Status", reason, code)
    assert world.deployment == before


def test_a_dry_run_changes_nothing(world: World, http: TestClient) -> None:
    before = world.cluster.dump()
    merge = {"spec": {"replicas": 5}}
    address = f"{DEPLOYMENT_PATH}?dryRun=All&fieldManager=test"
    answer = http.patch(address, headers=MERGE, json=merge)
    assert answer.json()["spec"]["replicas"] == 5
    created = http.post("/api/v1/namespaces?dryRun=All", json={"metadata": {"name": "new"}})
    assert created.status_code == 201
    assert world.cluster.dump() == before
    refused = http.patch(f"{DEPLOYMENT_PATH}?dryRun=Some", headers=MERGE, json=merge)
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("namespace", "body", "code", "message"),
    [
        ("web", {"metadata": {"name": "broken"}}, 409, 'services "broken" already exists'),
        ("nowhere", {"metadata": {"name": "new"}}, 404, 'namespaces "nowhere" not found'),
        ("web", {}, 422, "metadata.name: Required value"),
        ("web", [], 422, "metadata.name: Required value"),
    ],
)
def test_what_can_not_be_created(
    http: TestClient, namespace: str, body: Any, code: int, message: str
) -> None:
    answer = http.post(f"/api/v1/namespaces/{namespace}/services", json=body)
    assert answer.status_code == code
    assert message in answer.json()["message"]


def test_a_list_has_its_kind_and_what_the_selector_asks_for(http: TestClient) -> None:
    found = http.get("/api/v1/pods?labelSelector=app%3Dcheckout,role%3Dstandby").json()
    assert (found["kind"], found["apiVersion"], len(found["items"])) == ("PodList", "v1", 2)
    refused = http.get("/api/v1/pods?labelSelector=app+in+(checkout)")
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")


def test_it_can_be_mounted_below_a_prefix(world: World) -> None:
    app = Starlette(routes=[Mount("/sandbox/kubernetes", kubernetes_app(world.cluster))])
    http = TestClient(app)
    found = http.get("/sandbox/kubernetes/apis/apps/v1/namespaces/web/deployments").json()
    assert [item["metadata"]["name"] for item in found["items"]] == ["broken", "frontend"]
    assert http.get("/sandbox/kubernetes/healthz").status_code == 404
    assert list(world.cluster.unknown_requests) == ["GET /healthz"]


def test_the_status_of_a_custom_object_is_changed_by_itself(world: World, http: TestClient) -> None:
    body = {"metadata": {"name": "shop"}, "spec": {"replicas": 2}, "status": {"phase": "Paused"}}
    path = "/apis/argoproj.io/v1alpha1/namespaces/web/rollouts"
    created = http.post(path, json=body).json()
    merge = {"content-type": "application/merge-patch+json"}
    patch = {"spec": {"replicas": 9}, "status": {"abort": True}}
    changed = http.patch(f"{path}/shop/status", json=patch, headers=merge).json()
    assert changed["spec"] == {"replicas": 2}
    assert changed["status"] == {"phase": "Paused", "abort": True}
    stale = {"metadata": {"resourceVersion": created["metadata"]["resourceVersion"]}, "status": {}}
    assert http.patch(f"{path}/shop/status", json=stale, headers=merge).status_code == 409
    assert http.get(f"{path}/shop/status").status_code == 404
