from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.correlation import (
    Correlation,
    CorrelationKey,
    child_keys,
    default_correlations,
    parent_keys,
)
from bot.domain.matcher import Matcher, Operator, Place

WITHIN = timedelta(minutes=5)
DEFAULT = default_correlations()


def role(value: str) -> tuple[Matcher, ...]:
    return (Matcher(Place.LABEL, "role", Operator.EQUAL, value),)


PAIR = Correlation("pair", role("parent"), role("child"), ("a", "b"), WITHIN, also_equal=("c",))
OTHER = Correlation("other", role("parent"), role("child"), ("a",), WITHIN)
texts = st.text(alphabet="xy,=:\\", max_size=4) | st.just("x,b=y")
places = st.fixed_dictionaries({}, optional=dict.fromkeys("abc", texts))


@given(places, places)
def test_they_meet_if_and_only_if_their_labels_are_equal(
    parent: dict[str, str], child: dict[str, str]
) -> None:
    above = parent_keys((PAIR,), {**parent, "role": "parent"})
    below = child_keys((PAIR,), {**child, "role": "child"})
    present = all(labels.get(name) for labels in (parent, child) for name in "ab")
    equal = all(parent.get(name, "") == child.get(name, "") for name in "abc")
    assert bool(set(above) & set(below)) is (present and equal)


def test_a_key_says_which_correlation_and_how_far_apart() -> None:
    labels = {"role": "child", "a": "1", "b": "2"}
    assert child_keys((PAIR, OTHER), labels) == (
        CorrelationKey("pair", "pair:a=1,b=2,c=", WITHIN),
        CorrelationKey("other", "other:a=1", WITHIN),
    )
    assert parent_keys((PAIR, OTHER), labels) == ()


def test_different_correlations_never_meet() -> None:
    labels = {"a": "1", "b": "2"}
    above = parent_keys((PAIR,), {**labels, "role": "parent"})
    below = child_keys((OTHER,), {**labels, "role": "child"})
    assert above
    assert below
    assert not {key.key for key in above} & {key.key for key in below}


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_label_that_has_to_be_equal_has_to_be_there(name: str) -> None:
    labels = {"a": "1", "b": "2", name: ""}
    assert parent_keys((PAIR,), {**labels, "role": "parent"}) == ()
    assert child_keys((PAIR,), {**labels, "role": "child"}) == ()


@pytest.mark.parametrize(
    "name",
    [
        "KubeNodeNotReady",
        "KubernetesNodeNotReady",
        "KubeNodeUnreachable",
        "K8sNodeDown",
        "NodeDown",
        "node_down",
        "NODE_IS_DOWN",
        "WorkerNodeDown",
    ],
)
def test_a_node_that_is_down_takes_its_pods_along(name: str) -> None:
    node = {"alertname": name, "node": "worker-3", "cluster": "c1"}
    pod = {"alertname": "PodCrashLooping", "node": "worker-3", "pod": "web-1", "cluster": "c1"}
    keys = parent_keys(DEFAULT, node)
    assert keys == child_keys(DEFAULT, pod)
    assert [key.correlation for key in keys] == ["node-down"]


def test_a_node_in_another_cluster_does_not() -> None:
    node = {"alertname": "NodeDown", "node": "worker-3", "cluster": "c1"}
    pod = {"alertname": "PodCrashLooping", "node": "worker-3", "pod": "web-1"}
    assert parent_keys(DEFAULT, node) != child_keys(DEFAULT, pod) != ()


def test_what_tells_of_the_node_is_no_child_of_it_whichever_pod_measured_it() -> None:
    node = {"alertname": "KubeNodeNotReady", "node": "worker-3", "pod": "kube-state-metrics-0"}
    assert child_keys(DEFAULT, node) == ()
    assert len(parent_keys(DEFAULT, node)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "MySQLGaleraNodeNotReady",
        "ClickHouseNodeDown",
        "RedisClusterNodeDown",
        "NodeExporterDown",
        "NodeDiskSlowdown",
        "NodeCooldown",
        "NodeDownscaled",
        "KubeNodeReadinessFlapping",
    ],
)
def test_what_only_sounds_like_a_node_that_is_down_absorbs_nothing(name: str) -> None:
    assert parent_keys(DEFAULT, {"alertname": name, "node": "worker-3"}) == ()


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "PodCrashLooping", "pod": "web-1"},
        {"alertname": "DiskFull", "node": "worker-3"},
    ],
)
def test_without_node_and_pod_nothing_is_absorbed(labels: dict[str, str]) -> None:
    assert child_keys(DEFAULT, labels) == ()
