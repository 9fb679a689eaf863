"""How the Kubernetes adapter takes what a cluster, or something else, answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.kubernetes_values import Json, deployment, is_active, pod
from bot.domain.cluster import DEPLOYMENT, ObjectRef
from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from bot.domain.selectors import includes, selects
from tests.support.kubernetes import marker
from tests.support.serve import serve

REF = ObjectRef(DEPLOYMENT, "payments", "checkout")
SECONDS = 5.0


class Server:
    """Answers every request the same way, and counts them."""

    def __init__(self) -> None:
        self.requests = 0
        self.response = Response()

    def answer(self, status: int, body: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.response = Response(body, status, named, "application/json")

    def app(self) -> Starlette:
        def endpoint(_request: Request) -> Response:
            self.requests += 1
            return self.response

        return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "PATCH"])])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def cluster(server: Server) -> Iterator[KubernetesCluster]:
    with serve(server.app()) as url:
        yield KubernetesCluster(connect(None, url), SECONDS)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_overloaded_server_is_temporary_and_asked_once(
    server: Server, cluster: KubernetesCluster, status: int
) -> None:
    server.answer(status, '{"kind": "Status", "message": "too busy"}', retry_after="7")
    with pytest.raises(TemporaryError, match=r"^too busy$") as refused:
        cluster.deployment(REF)
    assert refused.value.retry_after == 7
    assert server.requests == 1


@pytest.mark.parametrize("header", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", ""])
def test_without_seconds_no_retry_after_is_known(
    server: Server, cluster: KubernetesCluster, header: str
) -> None:
    server.answer(503, "", retry_after=header)
    with pytest.raises(TemporaryError, match=r"^Service Unavailable$") as refused:
        cluster.deployment(REF)
    assert refused.value.retry_after is None


@pytest.mark.parametrize("body", ["<html>Welcome</html>", "[]", "{}", "\xff", ""])
def test_another_kind_of_server_is_not_believed(
    server: Server, cluster: KubernetesCluster, body: str
) -> None:
    server.answer(200, body)
    with pytest.raises(PermanentError, match="What answered is not Kubernetes' API"):
        cluster.deployments()


@pytest.mark.parametrize("body", ["<html>404</html>", "[]", '{"details": null}', '{"details": 1}'])
def test_a_404_that_names_no_object_is_a_missing_api(
    server: Server, cluster: KubernetesCluster, body: str
) -> None:
    server.answer(404, body)
    with pytest.raises(PermanentError, match="This cluster does not serve deployments"):
        cluster.deployment(REF)


def test_a_long_answer_is_told_in_one_short_line(
    server: Server, cluster: KubernetesCluster
) -> None:
    server.answer(400, '{"message": "bad\\n\\tthing ' + "x" * 9000 + '"}', secret="hush")
    with pytest.raises(PermanentError) as refused:
        cluster.deployment(REF)
    sentence = str(refused.value)
    assert ": bad thing xxx" in sentence
    assert "\n" not in sentence
    assert "hush" not in sentence
    assert len(sentence) < 700


def test_a_redirect_is_not_followed(server: Server, cluster: KubernetesCluster) -> None:
    server.answer(302, "", location="/elsewhere")
    with pytest.raises(PermanentError, match="Kubernetes refused to get deployments"):
        cluster.deployment(REF)
    assert server.requests == 1


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        cluster = KubernetesCluster(connect(None, f"http://{host}:{port}"), 0.2)
        with pytest.raises(TemporaryError, match="did not answer in time"):
            cluster.deployment(REF)


def test_a_server_that_was_stopped_is_temporary(server: Server) -> None:
    with serve(server.app()) as url:
        cluster = KubernetesCluster(connect(None, url), SECONDS)
        server.answer(200, '{"kind": "DeploymentList", "items": []}')
        assert cluster.deployments() == ()
    with pytest.raises(TemporaryError, match="Kubernetes can't be reached"):
        cluster.deployments()


@pytest.mark.parametrize("name", ["..", "", "a/b", "-a", "Up", "a?b", "a" * 254, "a\n"])
def test_a_name_that_none_can_have_is_not_sent(
    server: Server, cluster: KubernetesCluster, name: str
) -> None:
    with pytest.raises(InvalidInput, match="can't be the name of a Kubernetes object"):
        cluster.restart(ObjectRef(DEPLOYMENT, "payments", name), marker())
    with pytest.raises(InvalidInput, match="can't be the name of a Kubernetes object"):
        cluster.deployments(name)
    assert server.requests == 0


@pytest.mark.parametrize("selector", [{"app": "a,role!=b"}, {"app in (a)": ""}, {"app": "a=b"}])
def test_a_selector_that_no_label_can_have_is_not_sent(
    server: Server, cluster: KubernetesCluster, selector: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput, match="can't be part of a Kubernetes label"):
        cluster.pods("payments", selector)
    assert server.requests == 0


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", "clusters: 7", "a: b"])
def test_a_kubeconfig_that_can_not_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    kubeconfig = tmp_path / "config"
    if content is not None:
        kubeconfig.write_text(content)
    with pytest.raises(PermanentError, match=f"The kubeconfig {kubeconfig} can't be used"):
        connect(str(kubeconfig), None)


def test_outside_a_pod_there_is_no_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(PermanentError, match="The pod's service account can't be used"):
        connect(None, None)


def test_the_environments_proxy_is_not_between_us_and_the_sandbox(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.answer(200, '{"kind": "DeploymentList", "items": []}')
    with serve(server.app()) as url:
        assert KubernetesCluster(connect(None, url), SECONDS).deployments() == ()


def raw_pod(**status: object) -> Json:
    return {"metadata": {"name": "shop-1"}, "status": status}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, "NotReady"),
        ({"reason": "Evicted", "phase": "Failed"}, "Evicted"),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
                ]
            },
            "Unschedulable",
        ),
        (
            {
                "initContainerStatuses": [
                    {"restartCount": 2, "state": {"terminated": {"reason": "Error"}}}
                ],
                "containerStatuses": [
                    {"restartCount": 0, "state": {"waiting": {"reason": "PodInitializing"}}}
                ],
            },
            "Error",
        ),
        (
            {
                "containerStatuses": [
                    {"restartCount": 1, "state": {"terminated": {"reason": "Completed"}}},
                    {"restartCount": 1, "state": {"terminated": {"reason": "OOMKilled"}}},
                ]
            },
            "OOMKilled",
        ),
        (
            {"conditions": [{"type": "Ready", "status": "False", "reason": "ReadinessGates"}]},
            "ReadinessGates",
        ),
    ],
)
def test_the_most_telling_reason_is_given(status: Json, reason: str) -> None:
    found = pod(raw_pod(**status))
    assert (found.ready, found.reason) == (False, reason)


@pytest.mark.parametrize(
    ("raw", "active"),
    [
        (raw_pod(phase="Running"), True),
        (raw_pod(phase="Failed"), False),
        (raw_pod(phase="Succeeded"), False),
        ({"metadata": {"name": "a", "deletionTimestamp": "2026-03-01T00:00:00Z"}}, False),
    ],
)
def test_pods_that_ended_or_are_going_do_not_count(raw: Json, active: bool) -> None:
    assert is_active(raw) is active


def test_a_deadline_of_the_template_before_says_nothing_of_this_one() -> None:
    condition = {
        "type": "Progressing",
        "reason": "ProgressDeadlineExceeded",
        "lastUpdateTime": "2026-03-01T12:00:00Z",
    }
    fields: Json = {"f:spec": {"f:template": {}}}
    raw: Json = {
        "metadata": {
            "namespace": "payments",
            "name": "checkout",
            "uid": "u",
            "generation": 4,
            "managedFields": [{"time": "2026-03-01T11:00:00Z", "fieldsV1": fields}],
        },
        "spec": {"selector": {}, "template": {"spec": {"containers": []}}},
        "status": {"observedGeneration": 4, "conditions": [condition]},
    }
    assert deployment(raw).deadline_exceeded
    raw["metadata"]["managedFields"].append({"time": "2026-03-01T12:00:00Z", "fieldsV1": fields})
    assert not deployment(raw).deadline_exceeded


LABELS = {"app": "shop", "tier": "web"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (None, False),
        ({}, False),
        ({"app": "shop"}, True),
        ({"app": "shop", "role": "active"}, False),
    ],
)
def test_a_services_selector(selector: dict[str, str] | None, matches: bool) -> None:
    assert includes(selector, LABELS) is matches


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "shop"}}, True),
        ({"matchLabels": {"app": "cart"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["shop"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["shop"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_a_label_selector(selector: Json | None, matches: bool) -> None:
    assert selects(selector, LABELS) is matches
