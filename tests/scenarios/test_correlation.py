"""A node is down, and so are its pods: one problem, whichever is heard of first."""

from __future__ import annotations

from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from tests.support.harness import Harness

NODE = {"node": "n1", "service": "node-exporter", "namespace": "monitoring"}


def open_ids(h: Harness) -> list[int]:
    return [one.id for one in h.incidents.newest(only_open=True)]


def test_pods_after_their_node_join_its_incident(h: Harness) -> None:
    """They open nothing, page nobody, and raise the level that they are worse than."""
    h.alert("NodeDown", **NODE)
    h.alert("Latency", pod="checkout-1", node="n1")
    h.alert("Errors", severity="emergency", pod="cart-1", node="n1", service="cart")
    assert open_ids(h) == [1]
    assert (h.incident().firing, h.incident().severity) == (3, Severity.P0)
    assert len(h.pages()) == 1
    assert len(h.slack.messages()) == 1


def test_pods_before_their_node_are_absorbed(h: Harness) -> None:
    """Their pages end, and the node's incident has their alerts and their level."""
    h.alert("Latency", pod="checkout-1", node="n1")
    h.alert("Errors", severity="emergency", pod="cart-1", node="n1", service="cart")
    assert h.pages() == ["triggered", "triggered"]
    h.fast_forward(minutes=5)
    h.alert("NodeDown", severity="warning", **NODE)
    assert open_ids(h) == [3]
    assert (h.incident(3).firing, h.incident(3).severity) == (3, Severity.P0)
    assert h.pages() == ["resolved", "resolved", "triggered"]
    assert "resolved, part of INC-3" in h.message("incident:1").text
    assert any("Took over the alerts of INC-2" in line for line in h.timeline(3))
    assert {one.alert.labels["alertname"] for one in h.incidents.alerts(3)} == {
        "NodeDown",
        "Latency",
        "Errors",
    }


def test_it_is_over_when_the_node_and_all_its_pods_are(h: Harness) -> None:
    h.alert("Latency", pod="checkout-1", node="n1")
    h.alert("NodeDown", **NODE)
    h.resolve("NodeDown")
    assert (h.incident(2).state, h.incident(2).firing) == (IncidentState.TRIGGERED, 1)
    h.resolve("Latency")
    assert h.incident(2).state is IncidentState.RESOLVED
    assert set(h.pages()) == {"resolved"}


def test_a_group_that_fires_elsewhere_too_is_not_absorbed(h: Harness) -> None:
    """The same alert of a pod on another node is no consequence of this one."""
    h.alert("Latency", pod="checkout-1", node="n1")
    h.alert("Latency", pod="checkout-2", node="n2")
    h.alert("NodeDown", **NODE)
    assert open_ids(h) == [2, 1]
    assert h.incident(1).firing == 2


def test_the_group_of_what_was_absorbed_still_pages_for_another_node(h: Harness) -> None:
    """The pods of n1 belong to NodeDown; that one of n2 fails is news."""
    h.alert("Latency", pod="checkout-1", node="n1")
    h.alert("NodeDown", **NODE)
    h.alert("Latency", pod="checkout-2", node="n2")
    assert open_ids(h) == [3, 2]
    assert h.pages() == ["resolved", "triggered", "triggered"]


def test_a_pod_that_comes_back_much_later_is_still_a_part_of_its_node(h: Harness) -> None:
    """The window is about what happens at the same time; this belonged together already."""
    h.alert("Latency", pod="checkout-1", node="n1")
    h.alert("NodeDown", **NODE)
    h.resolve("Latency")
    h.fast_forward(minutes=60)
    h.alert("Latency", pod="checkout-1", node="n1")
    assert open_ids(h) == [2]
    assert h.incident(2).firing == 2


def test_what_somebody_has_taken_is_not_taken_away(h: Harness) -> None:
    h.alert("Latency", pod="checkout-1", node="n1")
    h.click("Acknowledge")
    h.alert("NodeDown", **NODE)
    assert open_ids(h) == [2, 1]
    assert h.incident(1).acknowledged_by is not None


def test_a_pod_that_failed_long_before_is_another_problem(h: Harness) -> None:
    h.alert("Latency", pod="checkout-1", node="n1")
    h.fast_forward(minutes=16)
    h.alert("NodeDown", **NODE)
    assert open_ids(h) == [2, 1]


def test_a_node_and_its_pods_in_one_delivery_are_one_incident(h: Harness) -> None:
    """Alertmanager groups by node, and the node is the worst of them: it is looked at first."""
    node = h.firing("NodeDown", severity="emergency", **NODE)
    pods = [h.firing("Latency", pod=f"a-{n}", node="n1", service=f"s{n}") for n in range(3)]
    h.deliver(node, *pods)
    (home,) = h.incidents.newest(only_open=True)
    assert (home.title.partition(":")[0], home.firing) == ("NodeDown", 4)
    assert h.pages() == ["triggered"]
    assert len(h.slack.messages()) == 1


def test_a_pod_that_recovers_in_the_delivery_that_brings_its_node(h: Harness) -> None:
    """It belongs to its own incident still, which is over; the node's counts what fires."""
    h.alert("Latency", pod="checkout-1", node="n1")
    gone = h.resolved("Latency")
    h.deliver(h.firing("NodeDown", **NODE), *gone)
    assert h.incident(1).state is IncidentState.RESOLVED
    assert h.incident(2).firing == 1
