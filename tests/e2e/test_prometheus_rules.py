"""Rules of a real Prometheus, by way of two real Alertmanagers: what fires, flaps, gets worse
and falls silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.alertmanager import Route
from tests.support.prometheus import Prometheus, prometheus
from tests.support.site import Site, site
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

FLAPS = 3


def rule(name: str, expression: str, **labels: str) -> Mapping[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "labels": {"namespace": "payments", "service": "checkout", **labels},
        "annotations": {"summary": "checkout's requests fail or are slow"},
    }


RULES = [
    {"alert": "Watchdog", "expr": "vector(1)", "labels": {"cluster": "c1"}},
    rule("HighErrorRate", "flapping > 0", severity="critical"),
    rule("HighLatency", "worsening > 1", severity="warning"),
    rule("HighLatency", "worsening > 10", severity="critical"),
]


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Site]:
    with site(folder, Route('alertname="Watchdog"', repeat_interval="1s")) as running:
        yield running
        running.tocsin.stop()


@pytest.fixture(scope="module")
def real(folder: Path, running: Site) -> Iterator[Prometheus]:
    addresses = [one.url for one in running.alertmanagers]
    gauges = {"flapping": 0.0, "worsening": 0.0}
    with prometheus(folder / "prometheus", addresses, RULES, gauges) as real:
        yield real


def test_what_flaps_stays_one_incident(running: Site, real: Prometheus) -> None:
    for _ in range(FLAPS + 1):
        real.gauges["flapping"] = 1
        running.incident("HighErrorRate", firing=1, state="triggered")
        real.gauges["flapping"] = 0
        running.incident("HighErrorRate", firing=0)
    incident = running.incident("HighErrorRate", state="resolved", page="resolve")

    story = running.story(incident)
    assert story.count("1 alert fired") == FLAPS + 1
    assert "it flaps, so it stays open until" in story
    shown = running.tocsin.run("incident", "show", str(incident["id"])).stdout
    assert f"came back {FLAPS} times" in shown
    subject = f"incident:{incident['id']}"
    eventually(lambda: running.vendors.said(subject), lambda said: f"back {FLAPS} times" in said)
    assert set(running.pages(incident)) == {"resolved"}
    # It waits for quiet after the first time, so it ends twice at most: no page for every flap.
    told = running.paged(incident)
    assert told == ["trigger", "resolve"] * (len(told) // 2)
    assert len(told) <= 4


def test_what_gets_worse_raises_the_same_incident(running: Site, real: Prometheus) -> None:
    real.gauges["worsening"] = 5
    warned = running.incident("HighLatency", firing=1)
    assert (warned["severity"], warned["page"]) == ("P2", None)
    assert warned["ticket_due_at"]

    real.gauges["worsening"] = 50
    raised = running.incident("HighLatency", firing=2, page="trigger")
    assert (raised["id"], raised["dedup_key"]) == (warned["id"], warned["dedup_key"])
    assert raised["severity"] == "P1"
    assert "SeverityRaised: Raised from P2 to P1." in running.story(raised)

    real.gauges["worsening"] = 0
    ended = running.incident("HighLatency", state="resolved", page="resolve")
    assert running.paged(ended) == ["trigger", "resolve"]


def test_silence_of_the_watchdog_pages_until_it_is_heard_again(
    running: Site, real: Prometheus
) -> None:
    assert not running.incidents("Watchdog")
    real.kill()
    for one in running.alertmanagers:
        one.kill()
    missing = running.incident("TocsinHeartbeatMissing", page="trigger")
    assert "c1" in missing["title"]
    assert "has not been heard" in missing["summary"]

    for one in running.alertmanagers:
        one.start()
    real.start()
    ended = running.incident("TocsinHeartbeatMissing", state="resolved", page="resolve")
    assert running.paged(ended) == ["trigger", "resolve"]
    assert "is heard again" in running.story(ended)
