"""What `Cluster` promises, held by the stand-in and by a real API server alike.

In both, an image's tag says what its pods do: `crash`, `badimage`, `notready`; any
other becomes ready.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from kubernetes.client import ApiClient

from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_api import KubernetesApi
from bot.domain.cluster import Autoscaler, DisruptionBudget, ObjectRef
from bot.domain.errors import Conflict, NotFound, PermanentError, TemporaryError
from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from tests.support.kubernetes import SECONDS, Namespace, eventually, marker
from tests.support.serve import serve

SHOP = {"app": "shop"}


@dataclass(frozen=True)
class Target:
    """A cluster to test against, and how a namespace is made and left in it."""

    client: ApiClient
    made: Callable[[ApiClient], AbstractContextManager[Namespace]]


@contextmanager
def sandbox() -> Iterator[ApiClient]:
    cluster = SandboxCluster(lambda: datetime.now(UTC), ready_after=0.1)
    with serve(kubernetes_app(cluster)) as url:
        yield connect(None, url)
    assert not cluster.unknown_requests


@contextmanager
def real() -> Iterator[ApiClient]:
    yield connect(os.environ["TOCSIN_TEST_KUBECONFIG"], None)


@contextmanager
def forgotten(client: ApiClient) -> Iterator[Namespace]:
    """A namespace in the stand-in, which is forgotten as a whole."""
    yield Namespace.create(client)


@contextmanager
def deleted(client: ApiClient) -> Iterator[Namespace]:
    """A namespace in a real cluster, which outlives the tests."""
    namespace = Namespace.create(client)
    yield namespace
    namespace.delete()


SANDBOX = pytest.param((sandbox, forgotten), id="sandbox")
REAL = pytest.param((real, deleted), id="real", marks=pytest.mark.cluster)


@pytest.fixture(scope="module", params=[SANDBOX, REAL])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    connected, made = request.param
    with connected() as client:
        yield Target(client, made)


@pytest.fixture
def namespace(target: Target) -> Iterator[Namespace]:
    with target.made(target.client) as namespace:
        yield namespace


@pytest.fixture
def real_namespace() -> Iterator[Namespace]:
    with real() as client, deleted(client) as namespace:
        yield namespace


def resource_version(api: KubernetesApi, ref: ObjectRef) -> str:
    return str(api.read(ref)["metadata"]["resourceVersion"])


def test_a_deployment_is_read_as_it_is(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0", replicas=2)
    found = namespace.rolled_out(ref)
    assert found.ref == ref
    assert found.uid
    assert (found.generation, found.observed_generation, found.revision) == (1, 1, 1)
    assert found.images == ("registry.example/shop:1.0",)
    assert found.selector == SHOP
    assert (found.desired, found.current, found.updated) == (2, 2, 2)
    assert (found.ready, found.available) == (2, 2)
    assert (found.paused, found.deadline_exceeded, found.marker) == (False, False, "")


def test_deployments_are_listed_in_a_namespace_and_in_all(namespace: Namespace) -> None:
    refs = {namespace.create_deployment("cart"), namespace.create_deployment("shop")}
    assert {it.ref for it in namespace.cluster.deployments(namespace.name)} == refs
    assert {it.ref for it in namespace.cluster.deployments()} > refs


def test_the_digest_tells_changes_of_the_spec_only(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="notready")
    digest = namespace.cluster.deployment(ref).spec_digest
    observed = eventually(lambda: namespace.cluster.deployment(ref), lambda it: it.updated == 2)
    assert observed.spec_digest == digest
    namespace.set_tag(ref, "1.1")
    assert namespace.cluster.deployment(ref).spec_digest != digest


def test_a_restart_replaces_every_pod(namespace: Namespace) -> None:
    ref = namespace.create_deployment()
    namespace.rolled_out(ref)
    before = {pod.name for pod in namespace.cluster.pods(namespace.name, SHOP)}
    restarted = namespace.cluster.restart(ref, marker("restart", run=7))
    assert restarted.marker == "run-7/restart"
    assert not restarted.rolled_out
    assert namespace.rolled_out(ref).revision == 2
    after = {pod.name for pod in namespace.cluster.pods(namespace.name, SHOP)}
    assert len(after) == 2
    assert not after & before


def test_a_repeated_restart_is_one_rollout(namespace: Namespace) -> None:
    ref = namespace.create_deployment()
    namespace.rolled_out(ref)
    step = marker("restart")
    first = namespace.cluster.restart(ref, step)
    repeated = namespace.cluster.restart(ref, step)
    assert (repeated.generation, repeated.spec_digest) == (first.generation, first.spec_digest)
    assert namespace.rolled_out(ref).revision == 2
    late = namespace.cluster.restart(ref, step)
    assert late.rolled_out
    assert len(namespace.cluster.revisions(ref)) == 2


def test_a_later_restart_is_another_rollout(namespace: Namespace) -> None:
    ref = namespace.create_deployment()
    namespace.rolled_out(ref)
    namespace.cluster.restart(ref, marker(run=1))
    namespace.rolled_out(ref)
    namespace.cluster.restart(ref, marker(run=2))
    assert namespace.rolled_out(ref).revision == 3


def test_dry_runs_answer_and_change_nothing(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    service = namespace.create_service("shop", SHOP)
    namespace.release(ref, "1.1")
    api, cluster = KubernetesApi(namespace.client, SECONDS), namespace.cluster
    versions = [resource_version(api, it) for it in (ref, service)]
    before = cluster.deployment(ref)

    restarted = cluster.restart(ref, marker("restart"), dry_run=True)
    rolled_back = cluster.roll_back(ref, 1, marker("roll-back"), dry_run=True)
    switched = cluster.switch_service(service, {"app": "other"}, marker("switch"), dry_run=True)

    assert restarted.marker == "run-1/restart"
    assert restarted.spec_digest != before.spec_digest
    assert rolled_back.images == ("registry.example/shop:1.0",)
    assert switched.selector == {"app": "other"}
    assert [resource_version(api, it) for it in (ref, service)] == versions
    assert cluster.deployment(ref) == before


def test_the_history_is_told_newest_first(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    namespace.release(ref, "1.1", "1.2")
    history = namespace.cluster.revisions(ref)
    assert [it.number for it in history] == [3, 2, 1]
    assert [it.images[0].rpartition(":")[2] for it in history] == ["1.2", "1.1", "1.0"]
    assert [it.current for it in history] == [True, False, False]
    assert all(it.name.startswith("shop-") for it in history)
    assert abs((datetime.now(UTC) - history[0].created_at).total_seconds()) < 60


def test_a_restart_makes_a_revision_with_the_same_template(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    namespace.release(ref, "1.1")
    namespace.cluster.restart(ref, marker("restart"))
    namespace.rolled_out(ref)
    restarted, released, first = namespace.cluster.revisions(ref)
    assert restarted.template_digest == released.template_digest
    assert released.template_digest != first.template_digest


def test_the_history_is_the_deployments_own(namespace: Namespace) -> None:
    ref = namespace.create_deployment("shop")
    lookalike = namespace.create_deployment("shop-two")
    namespace.rolled_out(ref)
    namespace.rolled_out(lookalike)
    assert len(namespace.cluster.revisions(ref)) == 1


def test_rolling_back_brings_the_old_template_back(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    digest = namespace.rolled_out(ref).spec_digest
    namespace.release(ref, "1.1")
    answer = namespace.cluster.roll_back(ref, 1, marker("undo", run=9))
    assert answer.images == ("registry.example/shop:1.0",)
    done = namespace.rolled_out(ref)
    assert (done.revision, done.marker, done.spec_digest) == (3, "run-9/undo", digest)
    assert [it.number for it in namespace.cluster.revisions(ref)] == [3, 2]


def test_a_repeated_roll_back_is_one_rollout(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    namespace.release(ref, "1.1")
    step = marker("undo")
    namespace.cluster.roll_back(ref, 1, step)
    done = namespace.rolled_out(ref)
    assert namespace.cluster.roll_back(ref, 1, step) == done


def test_an_unknown_revision_names_those_there_are(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    namespace.release(ref, "1.1")
    with pytest.raises(NotFound, match=r"/shop has no revision 7; there are: 1, 2$"):
        namespace.cluster.roll_back(ref, 7, marker())


def test_without_history_there_is_nothing_to_roll_back_to(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0", revisionHistoryLimit=0)
    namespace.release(ref, "1.1")
    history = eventually(lambda: namespace.cluster.revisions(ref), lambda it: len(it) == 1)
    assert history[0].current
    with pytest.raises(NotFound, match="there are: 2"):
        namespace.cluster.roll_back(ref, 1, marker())


def test_a_paused_deployment_is_left_alone(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0")
    namespace.release(ref, "1.1")
    namespace.patch_deployment(ref, {"spec": {"paused": True}})
    assert namespace.cluster.deployment(ref).paused
    with pytest.raises(PermanentError, match="/shop is paused; resume it"):
        namespace.cluster.roll_back(ref, 1, marker())
    with pytest.raises(PermanentError, match="/shop is paused; resume it"):
        namespace.cluster.restart(ref, marker())
    assert namespace.cluster.deployment(ref).marker == ""


def test_a_service_is_switched_exactly(namespace: Namespace) -> None:
    ref = namespace.create_service("shop", {"app": "shop", "role": "active"})
    before = namespace.cluster.service(ref)
    assert (before.selector, before.marker) == ({"app": "shop", "role": "active"}, "")
    switched = namespace.cluster.switch_service(ref, {"track": "standby"}, marker("switch"))
    assert (switched.selector, switched.marker) == ({"track": "standby"}, "run-1/switch")
    assert switched.uid == before.uid
    assert switched.spec_digest != before.spec_digest
    assert namespace.cluster.service(ref) == switched


def test_a_repeated_switch_changes_nothing(namespace: Namespace) -> None:
    ref = namespace.create_service("shop", SHOP)
    step = marker("switch")
    switched = namespace.cluster.switch_service(ref, {"app": "standby"}, step)
    assert namespace.cluster.switch_service(ref, {"app": "standby"}, step) == switched


def test_a_switch_keeps_other_annotations(namespace: Namespace) -> None:
    ref = namespace.create_service("shop", SHOP)
    api = KubernetesApi(namespace.client, SECONDS)
    api.strategic_merge(ref, {"metadata": {"annotations": {"team": "payments"}}}, dry_run=False)
    namespace.cluster.switch_service(ref, {"app": "standby"}, marker("switch"))
    annotations = api.read(ref)["metadata"]["annotations"]
    assert annotations == {"team": "payments", "tocsin/last-step": "run-1/switch"}


def test_ready_pods_have_no_reason(namespace: Namespace) -> None:
    namespace.rolled_out(namespace.create_deployment("shop"))
    namespace.create_deployment("cart")
    pods = namespace.cluster.pods(namespace.name, SHOP)
    assert [(pod.ready, pod.phase, pod.restarts, pod.reason) for pod in pods] == [
        (True, "Running", 0, "")
    ] * 2
    assert [pod.name for pod in pods] == sorted(pod.name for pod in pods)
    assert all(pod.name.startswith("shop-") for pod in pods)


@pytest.mark.parametrize(
    ("tag", "phase", "reason"),
    [
        ("crash", "Running", "CrashLoopBackOff"),
        ("badimage", "Pending", "ImagePullBackOff"),
        ("notready", "Running", "ContainersNotReady"),
    ],
)
def test_a_pod_says_why_it_is_not_ready(
    namespace: Namespace, tag: str, phase: str, reason: str
) -> None:
    namespace.create_deployment(tag=tag, replicas=1)
    (pod,) = eventually(
        lambda: namespace.cluster.pods(namespace.name, SHOP),
        lambda pods: [(pod.phase, pod.reason) for pod in pods] == [(phase, reason)],
    )
    assert not pod.ready
    assert bool(pod.restarts) == (tag == "crash")


def test_no_selector_means_no_pods(namespace: Namespace) -> None:
    namespace.rolled_out(namespace.create_deployment())
    assert namespace.cluster.pods(namespace.name, {}) == ()


def test_the_blast_radius_names_what_shares_the_pods_fate(namespace: Namespace) -> None:
    ref = namespace.create_deployment("shop", replicas=3)
    namespace.create_deployment("cart")
    namespace.create_service("front", SHOP)
    namespace.create_service("narrower", {**SHOP, "role": "active"})
    namespace.create_service("unrelated", {"app": "cart"})
    namespace.create_autoscaler("shop-scaler", "shop")
    namespace.create_autoscaler("cart-scaler", "cart")
    has_budgets = namespace.create_budget("shop-budget", SHOP)
    namespace.rolled_out(ref)

    radius = namespace.cluster.blast_radius(namespace.name, SHOP)

    assert (radius.pods, radius.ready) == (3, 3)
    assert radius.services == ("front",)
    assert radius.autoscalers == (Autoscaler("shop-scaler", 2, 5),)
    if has_budgets:
        assert radius.budgets == (DisruptionBudget("shop-budget", 1),)
        assert radius.unknown == ()
    else:
        assert radius.unknown == ("This cluster does not serve poddisruptionbudgets",)


def test_without_pods_the_selector_finds_what_depends_on_it(namespace: Namespace) -> None:
    namespace.create_deployment(replicas=0)
    namespace.create_service("front", SHOP)
    radius = namespace.cluster.blast_radius(namespace.name, SHOP)
    assert (radius.pods, radius.services) == (0, ("front",))


def test_what_does_not_exist_is_named(namespace: Namespace) -> None:
    cluster = namespace.cluster
    missing = f"There is no shop among the deployments in namespace {namespace.name}"
    with pytest.raises(NotFound, match=missing):
        cluster.deployment(namespace.deployment("shop"))
    with pytest.raises(NotFound, match=missing):
        cluster.restart(namespace.deployment("shop"), marker())
    with pytest.raises(NotFound, match=missing):
        cluster.revisions(namespace.deployment("shop"))
    with pytest.raises(NotFound, match="There is no shop among the services"):
        cluster.switch_service(namespace.service("shop"), SHOP, marker())
    assert cluster.pods("no-such-namespace", SHOP) == ()


def test_a_rollout_takes_its_time_and_ends(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0", replicas=3)
    namespace.rolled_out(ref)
    namespace.set_tag(ref, "1.1")
    assert not namespace.cluster.deployment(ref).rolled_out
    done = namespace.rolled_out(ref)
    assert (done.updated, done.current, done.available) == (3, 3, 3)


def test_a_stuck_rollout_is_told_and_undone(namespace: Namespace) -> None:
    ref = namespace.create_deployment(tag="1.0", replicas=3, progressDeadlineSeconds=1)
    namespace.release(ref, "1.1")
    namespace.set_tag(ref, "notready")
    read = lambda: namespace.cluster.deployment(ref)  # noqa: E731
    stuck = eventually(read, lambda it: it.deadline_exceeded)
    assert not stuck.rolled_out
    assert stuck.available >= 3

    namespace.patch_deployment(ref, {"spec": {"progressDeadlineSeconds": 60}})
    namespace.cluster.roll_back(ref, 1, marker())
    # What is told of the old rollout must not be taken for the new one's end.
    done = eventually(read, lambda it: it.rolled_out or it.deadline_exceeded)
    assert done.rolled_out
    assert done.images == ("registry.example/shop:1.0",)


def test_a_change_of_something_that_changed_is_a_conflict(namespace: Namespace) -> None:
    ref = namespace.create_service("shop", SHOP)
    api = KubernetesApi(namespace.client, SECONDS)
    read = resource_version(api, ref)
    namespace.cluster.switch_service(ref, {"app": "other"}, marker("other"))
    patch = [{"op": "replace", "path": "/metadata/resourceVersion", "value": read}]
    with pytest.raises(Conflict, match="the object has been modified"):
        api.json_patch(ref, patch, dry_run=False)
    with pytest.raises(Conflict, match="the object has been modified"):
        api.strategic_merge(ref, {"metadata": {"resourceVersion": read}}, dry_run=False)


def test_an_invalid_change_is_refused_in_the_servers_words(namespace: Namespace) -> None:
    ref = namespace.create_deployment()
    patch = {"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}}
    with pytest.raises(PermanentError) as refused:
        KubernetesApi(namespace.client, SECONDS).strategic_merge(ref, patch, dry_run=False)
    sentence = str(refused.value)
    assert sentence.startswith("Kubernetes refused to patch deployments shop in namespace test-")
    assert "`selector` does not match template `labels`" in sentence
    assert "\n" not in sentence


def test_a_json_patch_that_fits_nothing_is_refused(namespace: Namespace) -> None:
    ref = namespace.create_deployment()
    patch = [{"op": "replace", "path": "/spec/no/such", "value": 1}]
    with pytest.raises(PermanentError, match="rejected our request due to an error in our"):
        KubernetesApi(namespace.client, SECONDS).json_patch(ref, patch, dry_run=False)


def test_a_server_that_is_gone_is_temporary(target: Target) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        _, port = closed.getsockname()
        scheme = target.client.configuration.host.partition(":")[0]
        gone = connect(None, f"{scheme}://127.0.0.1:{port}")
        with pytest.raises(TemporaryError, match="Kubernetes can't be reached"):
            KubernetesCluster(gone, SECONDS).deployments()


def impersonating(user: str, namespace: Namespace) -> KubernetesCluster:
    client = ApiClient(namespace.client.configuration, "Impersonate-User", user)
    return KubernetesCluster(client, SECONDS)


@pytest.mark.cluster
def test_a_missing_permission_is_named(real_namespace: Namespace) -> None:
    ref = real_namespace.create_deployment()
    with pytest.raises(PermanentError) as refused:
        impersonating("nobody", real_namespace).deployment(ref)
    place = f"deployments shop in namespace {real_namespace.name}"
    assert str(refused.value).startswith(f"Kubernetes does not let us get {place}: ")
    assert 'cannot get resource "deployments" in API group "apps"' in str(refused.value)


@pytest.mark.cluster
def test_what_may_not_be_read_of_the_blast_radius_is_unknown(real_namespace: Namespace) -> None:
    real_namespace.rolled_out(real_namespace.create_deployment())
    nobody = impersonating("nobody", real_namespace)
    radius = nobody.blast_radius(real_namespace.name, SHOP)
    assert (radius.pods, radius.services) == (0, ())
    assert len(radius.unknown) == 5
    assert radius.unknown[0].startswith("Kubernetes does not let us list pods in namespace")


@pytest.mark.cluster
def test_refused_credentials_are_said(real_namespace: Namespace) -> None:
    configuration = real_namespace.client.configuration
    configuration.cert_file = configuration.key_file = None
    anonymous = KubernetesCluster(ApiClient(configuration), SECONDS)
    with pytest.raises(PermanentError, match="Kubernetes refused the credentials: Unauthorized"):
        anonymous.deployments()


@pytest.mark.cluster
def test_a_certificate_that_is_not_trusted_is_permanent(real_namespace: Namespace) -> None:
    untrusting = connect(None, real_namespace.client.configuration.host)
    with pytest.raises(PermanentError, match=r"No secure connection to Kubernetes: .*certificate"):
        KubernetesCluster(untrusting, SECONDS).deployments()
