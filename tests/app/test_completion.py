from __future__ import annotations

import pytest

from bot.app.completion import Completion
from bot.domain.parameter import Parameter, ParameterType
from bot.domain.runbook import Risk, Runbook
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_objects import FakeObjects

PARAMETERS = {
    type_: Parameter(str(type_), type_, "It.", values=("b", "a")) for type_ in ParameterType
}
RUNBOOK = Runbook(
    name="rollback",
    version="1.0.0",
    summary="",
    risk=Risk.LOW,
    parameters=tuple(PARAMETERS.values()),
    steps=(),
    verification=(),
    text="",
    digest="",
)


@pytest.fixture
def completion() -> Completion:
    cluster = FakeCluster()
    cluster.add_deployment("payments/checkout", ["shop:1", "shop:2"])
    cluster.add_deployment("billing/api", ["api:1"])
    objects = FakeObjects(cluster)
    for name in ("payments", "billing"):
        objects.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    service = {"apiVersion": "v1", "kind": "Service", "spec": {}}
    objects.put({**service, "metadata": {"name": "checkout", "namespace": "payments"}})
    return Completion(cluster, objects)


@pytest.mark.parametrize(
    ("type_", "given", "expected"),
    [
        (ParameterType.WORKLOAD, {}, ["billing/api", "payments/checkout"]),
        (ParameterType.SERVICE, {}, ["payments/checkout"]),
        (ParameterType.NAMESPACE, {}, ["billing", "payments"]),
        (ParameterType.ENUM, {}, ["b", "a"]),
        (ParameterType.REVISION, {"workload": "payments/checkout"}, ["previous", "1"]),
        (ParameterType.REVISION, {}, []),
        (ParameterType.STRING, {}, []),
    ],
)
def test_candidates_are_what_the_cluster_has(
    completion: Completion, type_: ParameterType, given: dict[str, str], expected: list[str]
) -> None:
    assert list(completion.candidates(RUNBOOK, PARAMETERS[type_], given)) == expected
