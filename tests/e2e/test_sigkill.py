"""SIGKILL at the worst moments and at random ones: no page is lost, and none is sent twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import requests

from tests.support.gate import Arrival
from tests.support.installation import TIMEOUT, Tocsin
from tests.support.locks import locked
from tests.support.nightly import NIGHTLY
from tests.support.vendors import Vendors
from tests.support.waiting import PATIENCE, eventually
from tests.support.webhook import alert, webhook

pytestmark = pytest.mark.slow

ROUNDS = 10 if NIGHTLY else 3
"""In each third it is killed a second time, while it starts."""
BURST = 8
"""Alerts that are being delivered while it is killed."""
SEVERITIES = ("critical", "warning")
"""Every other one pages."""


@pytest.fixture(autouse=True)
def _running(tocsin: Tocsin) -> None:
    if not tocsin.running:
        tocsin.start()


def inbox_size(tocsin: Tocsin) -> int:
    """How many deliveries are accepted and not yet worked in."""
    return int(requests.get(f"{tocsin.url}/healthz", timeout=TIMEOUT).json()["inbox"])


def is_event(arrival: Arrival) -> bool:
    return arrival.path == "/v2/enqueue"


def is_post(arrival: Arrival) -> bool:
    return arrival.path == "/api/chat.postMessage"


def incidents_of(tocsin: Tocsin, title: str) -> list[dict[str, Any]]:
    """The incidents whose titles begin so."""
    everything: list[dict[str, Any]] = tocsin.api("incidents?limit=500")
    return [incident for incident in everything if incident["title"].startswith(title)]


def check_told_once(tocsin: Tocsin, served: Vendors, name: str) -> None:
    """The alert has one incident, one page and one message, and all of it is recorded."""
    (incident,) = eventually(
        lambda: incidents_of(tocsin, name), lambda found: found and found[0]["page"] == "trigger"
    )
    assert incident["state"] == "triggered"
    subject = f"incident:{incident['id']}"
    eventually(lambda: served.said(subject), lambda said: "on-call paged" in said)
    assert len(served.messages(subject)) == 1
    pages = [page for page in served.pages() if page["dedup_key"] == incident["dedup_key"]]
    assert [page["status"] for page in pages] == ["triggered"]
    kinds = eventually(
        lambda: story(tocsin, incident["id"]), lambda kinds: kinds["MessagePosted"] == 1
    )
    assert (kinds["IncidentOpened"], kinds["PageSent"]) == (1, 1)


def story(tocsin: Tocsin, incident_id: int) -> Mapping[str, int]:
    """How many events of each kind the timeline has."""
    return Counter(entry["kind"] for entry in tocsin.api(f"incidents/{incident_id}/timeline"))


def asked_of_pagerduty(served: Vendors, name: str) -> list[str]:
    """What reached PagerDuty about the alert; all of it must bear the same key."""
    bodies = [received.body for received in served.pagerduty.ledger]
    triggers = [body for body in bodies if name in body.get("payload", {}).get("summary", "")]
    assert len({body["dedup_key"] for body in triggers}) <= 1
    return [body["event_action"] for body in triggers]


def test_killed_before_the_alert_was_worked_in(tocsin: Tocsin, served: Vendors) -> None:
    assert tocsin.post(webhook(alert("Warmup"))).status_code == 200
    eventually(lambda: incidents_of(tocsin, "Warmup"))  # the worker is at work
    with locked(tocsin.folder / "tocsin.db"):
        assert tocsin.post(webhook(alert("Unread"))).status_code == 200
        until = time.monotonic() + 1.0
        while time.monotonic() < until:  # in which the worker tries, and must not let go of it
            assert inbox_size(tocsin) == 1
        tocsin.kill()
    assert not any("Unread" in page["title"] for page in served.pages())
    tocsin.start()
    check_told_once(tocsin, served, "Unread")


@pytest.mark.parametrize("arrives", [False, True])
def test_killed_while_it_pages_and_posts(tocsin: Tocsin, served: Vendors, arrives: bool) -> None:
    name = "BothArrive" if arrives else "BothAreLost"
    with (
        served.pagerduty_gate.holding(is_event, takes_effect=arrives) as page,
        served.slack_gate.holding(is_post, takes_effect=arrives) as post,
    ):
        assert tocsin.post(webhook(alert(name))).status_code == 200
        page.wait()
        post.wait()
        tocsin.kill()
    assert asked_of_pagerduty(served, name) == ["trigger"] * arrives
    tocsin.start()
    check_told_once(tocsin, served, name)
    assert asked_of_pagerduty(served, name) == ["trigger"] * (1 + arrives)


@pytest.mark.timeout(300)
def test_killed_at_random_moments(tocsin: Tocsin, served: Vendors) -> None:
    dice = random.Random(20261)
    for number in range(ROUNDS):
        eventually(lambda: inbox_size(tocsin) == 0)  # the worker is at work
        with delivering(tocsin, f"Round{number}"):
            time.sleep(dice.uniform(0.0, 0.6))
            tocsin.kill()
            if number % 3 == 2:
                tocsin.launch()
                time.sleep(dice.uniform(0.0, 4.0))
                tocsin.kill()
            tocsin.start()
    for number in range(ROUNDS):
        check_all_told_once(tocsin, served, f"Round{number}")


@pytest.mark.parametrize("child", ["worker", "listener"])
def test_a_process_that_is_killed_comes_back(tocsin: Tocsin, served: Vendors, child: str) -> None:
    dice = random.Random(child)
    supervisor = tocsin.supervisor.pid
    with delivering(tocsin, child):
        for _ in range(2):
            time.sleep(dice.uniform(0.0, 0.5))
            tocsin.kill_child(child)
    check_all_told_once(tocsin, served, child)
    assert tocsin.supervisor.pid == supervisor
    assert tocsin.supervisor.poll() is None


def test_in_the_end_it_stops_as_ever(tocsin: Tocsin) -> None:
    eventually(tocsin.is_ready)
    tocsin.stop()


@contextmanager
def delivering(tocsin: Tocsin, name: str) -> Iterator[None]:
    """Meanwhile deliver a burst of alerts; go on when all of them were answered 200."""
    bodies = [
        webhook(alert(name, service=f"shop{number}", severity=SEVERITIES[number % 2]))
        for number in range(BURST)
    ]
    with ThreadPoolExecutor(1) as sender:
        delivered = [sender.submit(deliver, tocsin, body) for body in bodies]
        yield
        for delivery in delivered:
            delivery.result()


def deliver(tocsin: Tocsin, body: Mapping[str, Any]) -> None:
    """As Alertmanager does: again and again, until it is answered 200."""
    deadline = time.monotonic() + PATIENCE
    while not is_accepted(tocsin, body):
        assert time.monotonic() < deadline, "nobody accepts the alert"
        time.sleep(0.05)


def is_accepted(tocsin: Tocsin, body: Mapping[str, Any]) -> bool:
    try:
        return tocsin.post(body).status_code == 200
    except requests.RequestException:
        return False


def check_all_told_once(tocsin: Tocsin, served: Vendors, name: str) -> None:
    """Each alert of a burst has one incident and one message; each P1 one page."""
    incidents = eventually(lambda: incidents_of(tocsin, f"{name}:"), are_complete)
    assert len({incident["title"] for incident in incidents}) == BURST
    pages = Counter(page["dedup_key"] for page in served.pages())
    for incident in incidents:
        assert pages[incident["dedup_key"]] == (incident["severity"] == "P1")
        subject = f"incident:{incident['id']}"
        eventually(partial(served.said, subject))
        assert len(served.messages(subject)) == 1


def are_complete(incidents: Sequence[Mapping[str, Any]]) -> bool:
    told = all(one["page"] == "trigger" for one in incidents if one["severity"] == "P1")
    return told and len(incidents) == BURST
