"""Two real Alertmanagers that know nothing of each other deliver to one Tocsin.

Whatever comes twice, late or not at all: one problem is one incident and one page, and
in the end Tocsin knows what they know.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.alertmanager import Route
from tests.support.databases import postgres_database
from tests.support.gate import Arrival
from tests.support.site import Site, site
from tests.support.vendors import INCIDENTS
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

SUMMARY = "12 % of checkout's requests fail"
LEARNED = "Learned by asking Alertmanager"
REPEATED = Route('repeats="yes"', repeat_interval="1s")
SHORTENED = Route('shortened="yes"', max_alerts=1)

SERVICES, INSTANCES = 12, 25

Incidents = Sequence[Mapping[str, Any]]


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Site]:
    with site(folder, REPEATED, SHORTENED) as running:
        yield running
        running.tocsin.stop()


def labels(name: str, **others: str) -> Mapping[str, str]:
    """Those of an alert that pages."""
    return {
        "alertname": name,
        "severity": "critical",
        "namespace": "payments",
        "service": "checkout",
        **others,
    }


def anything(_arrival: Arrival) -> bool:
    return True


def fire(running: Site, *some: Mapping[str, str], starts_at: datetime | None = None) -> None:
    """Tell both Alertmanagers, as one Prometheus does."""
    for one in running.alertmanagers:
        one.send(some, SUMMARY, starts_at or one.began)


def resolve(running: Site, *some: Mapping[str, str], starts_at: datetime | None = None) -> None:
    ended = datetime.now(UTC)
    for one in running.alertmanagers:
        one.send(some, SUMMARY, starts_at or one.began, ended)


@contextmanager
def lost(running: Site, webhooks: int = 1) -> Iterator[None]:
    """Lose so many webhooks of each before it is over."""
    with ExitStack() as stack:
        losses = [stack.enter_context(gate.losing(anything)) for gate in running.gates]
        yield
        eventually(lambda: [len(some) for some in losses], lambda each: min(each) >= webhooks)


def check_told_once(running: Site, name: str) -> None:
    """It came and went, and the on-call engineer was told once of both."""
    incident = running.incident(name, state="resolved", page="resolve")
    assert running.paged(incident) == ["trigger", "resolve"]
    assert running.pages(incident) == ["resolved"]
    assert set(running.alerts(incident).values()) == {"resolved"}


def test_what_two_tell_again_and_again_is_one_incident(running: Site) -> None:
    noisy = labels("Repeated", repeats="yes")
    fire(running, noisy)
    running.incident("Repeated", page="trigger")
    before = [len(gate.arrivals) for gate in running.gates]
    eventually(
        lambda: [len(gate.arrivals) for gate in running.gates],
        lambda now: all(after > count + 1 for count, after in zip(before, now, strict=True)),
    )
    resolve(running, noisy)
    check_told_once(running, "Repeated")


def test_what_one_tells_late_changes_nothing(running: Site) -> None:
    overtaken = labels("FiringLate")
    with running.gates[1].delaying(anything) as delayed:
        fire(running, overtaken)
        delayed.wait()
        running.incident("FiringLate", page="trigger")
        resolve(running, overtaken)
        running.incident("FiringLate", state="resolved", page="resolve")
        before = len(running.gates[1].arrivals)
    # What was delayed is followed by the resolution.
    eventually(lambda: len(running.gates[1].arrivals) > before)
    running.worked_in()
    check_told_once(running, "FiringLate")


def test_a_late_resolution_does_not_end_what_fires_anew(running: Site) -> None:
    again = labels("ResolvedLate")
    fire(running, again)
    incident = running.incident("ResolvedLate", page="trigger", firing=1)
    eventually(lambda: running.alertmanagers[1].holds("ResolvedLate"))
    with running.gates[1].delaying(anything) as delayed:
        resolve(running, again)
        delayed.wait()
        running.incident("ResolvedLate", state="resolved", page="resolve")
        anew = datetime.now(UTC)
        fire(running, again, starts_at=anew)
        running.incident("ResolvedLate", state="triggered", page="trigger")
        before = len(running.gates[1].arrivals)
    # What was delayed is followed by what fires.
    eventually(lambda: len(running.gates[1].arrivals) > before)
    running.worked_in()
    assert running.incident("ResolvedLate")["firing"] == 1
    resolve(running, again, starts_at=anew)
    running.incident("ResolvedLate", state="resolved", page="resolve")
    assert running.paged(incident) == ["trigger", "resolve"] * 2
    assert running.story(incident).count("1 alert resolved") == 2


def test_a_resolution_that_was_lost_is_found_by_asking(running: Site) -> None:
    unheard = labels("ResolutionLost")
    fire(running, unheard)
    running.incident("ResolutionLost", page="trigger")
    with lost(running):
        resolve(running, unheard)
    check_told_once(running, "ResolutionLost")
    assert f"1 alert resolved: {SUMMARY}. 0 firing now. {LEARNED}" in story_of(
        running, "ResolutionLost"
    )


def test_an_alert_that_was_lost_is_found_by_asking(running: Site) -> None:
    unheard = labels("FiringLost")
    with lost(running):
        fire(running, unheard)
    running.incident("FiringLost", page="trigger")
    assert f"1 alert fired: {SUMMARY}. 1 firing now. {LEARNED}" in story_of(running, "FiringLost")
    resolve(running, unheard)
    check_told_once(running, "FiringLost")


def test_what_happened_while_it_was_down_is_found_by_asking(running: Site) -> None:
    ended, began = labels("EndedMeanwhile"), labels("BeganMeanwhile")
    fire(running, ended)
    running.incident("EndedMeanwhile", page="trigger")
    running.tocsin.kill()
    with lost(running, webhooks=2):
        fire(running, began)
        resolve(running, ended)
    running.tocsin.start()
    running.incident("BeganMeanwhile", page="trigger")
    check_told_once(running, "EndedMeanwhile")
    for name in ("EndedMeanwhile", "BeganMeanwhile"):
        assert LEARNED in story_of(running, name)
    resolve(running, began)
    check_told_once(running, "BeganMeanwhile")


def test_alerts_that_a_webhook_left_out_are_fetched(running: Site) -> None:
    some = [labels("Shortened", shortened="yes", instance=f"i-{number}") for number in range(5)]
    check_fetched(running, some)
    resolve(running, *some)
    check_told_once(running, "Shortened")


def check_fetched(running: Site, some: Sequence[Mapping[str, str]]) -> None:
    running.alertmanagers[0].send(some, SUMMARY, datetime.now(UTC))
    incident = running.incident("Shortened", page="trigger", firing=len(some))
    assert set(running.alerts(incident)) == running.alertmanagers[0].holds("Shortened")
    assert "more that Alertmanager left out" in running.story(incident)
    assert LEARNED in running.story(incident)
    assert running.paged(incident) == ["trigger"]


def test_a_silence_from_an_incident_is_one_in_alertmanager(running: Site) -> None:
    fire(running, labels("Silenced"))
    incident = running.incident("Silenced", page="trigger")
    typed = running.vendors.slack.command(
        "ben", INCIDENTS, "/incident", f"silence {incident['id']} 2h being deployed"
    )
    assert typed["ok"], typed
    running.incident("Silenced", page="resolve", state="triggered")
    for one in running.alertmanagers:
        (silence,) = eventually(one.silences)
        matched = {matcher["name"]: matcher["value"] for matcher in silence["matchers"]}
        assert matched == {
            "alertname": "Silenced",
            "namespace": "payments",
            "service": "checkout",
        }
        assert "being deployed" in silence["comment"]
    eventually(lambda: "Silenced in Alertmanager until" in running.story(incident))

    (window,) = running.tocsin.json("maintenance", "list", "--json")
    running.tocsin.json("maintenance", "end", window["reference"], "--json")
    for one in running.alertmanagers:
        eventually(one.silences, lambda left: not left)
    running.incident("Silenced", page="trigger")
    resolve(running, labels("Silenced"))
    running.incident("Silenced", state="resolved", page="resolve")
    assert running.paged(incident) == ["trigger", "resolve"] * 2


@pytest.mark.timeout(300)
def test_killed_while_both_deliver_it_forgets_nothing(running: Site) -> None:
    storm = [
        labels("Storm", service=f"shop{service}", instance=f"i-{instance}")
        for service in range(SERVICES)
        for instance in range(INSTANCES)
    ]
    check_killed(running, storm)

    with delivering(running, storm, resolved=True):
        running.tocsin.restart()
    over = storm_incidents(
        running, lambda some: all(one["page"] == "resolve" for one in some), firing=0
    )
    assert {one["state"] for one in over} == {"resolved"}
    check_paged_once(running, storm, "resolved")


def check_killed(running: Site, storm: Sequence[Mapping[str, str]]) -> None:
    """Kill it while all that fires, and again while it starts; nothing is lost."""
    dice = random.Random(20263)
    with delivering(running, storm, resolved=False):
        time.sleep(dice.uniform(0.0, 1.0))
        running.tocsin.kill()
        running.tocsin.launch()
        time.sleep(dice.uniform(0.0, 4.0))
        running.tocsin.restart()
    held = running.alertmanagers[0].holds("Storm")
    assert len(held) == len(storm)
    assert running.alertmanagers[1].holds("Storm") == held
    incidents = storm_incidents(
        running, lambda some: all(one["page"] == "trigger" for one in some), firing=len(storm)
    )
    known = {alert for one in incidents for alert in running.alerts(one)}
    assert known == held
    check_paged_once(running, storm, "triggered")


def check_paged_once(running: Site, storm: Sequence[Mapping[str, str]], status: str) -> None:
    """Each service has one incident, and it has one page, of that status."""
    incidents = running.incidents("Storm")
    assert len(incidents) == len({one["service"] for one in storm})
    for incident in incidents:
        assert running.pages(incident) == [status]


def storm_incidents(running: Site, wanted: Callable[[Incidents], bool], firing: int) -> Incidents:
    """The incidents of the storm, once they are as wanted, and so many alerts fire in them."""
    return eventually(
        lambda: running.incidents("Storm"),
        lambda some: sum(one["firing"] for one in some) == firing and wanted(some),
    )


@contextmanager
def delivering(
    running: Site, storm: Sequence[Mapping[str, str]], *, resolved: bool
) -> Iterator[None]:
    """Meanwhile Prometheus tells both of a service every 50 ms."""
    with ThreadPoolExecutor(1) as prometheus:
        sent = prometheus.submit(send_slowly, running, storm, resolved)
        yield
        sent.result()


def send_slowly(running: Site, storm: Sequence[Mapping[str, str]], resolved: bool) -> None:
    tell = resolve if resolved else fire
    for service in sorted({one["service"] for one in storm}):
        tell(running, *(one for one in storm if one["service"] == service))
        time.sleep(0.05)


def story_of(running: Site, name: str) -> str:
    return running.story(running.incident(name))


@pytest.mark.timeout(300)
def test_on_postgresql_as_well(tmp_path: Path) -> None:
    settings = {"TOCSIN_RECONCILE_GRACE": "360"}  # so that only a webhook brings about a look
    with (
        postgres_database() as url,
        site(tmp_path, SHORTENED, TOCSIN_DATABASE_URL=url, **settings) as running,
    ):
        some = [labels("Shortened", shortened="yes", instance=f"i-{number}") for number in range(5)]
        check_fetched(running, some)
        test_what_one_tells_late_changes_nothing(running)
        storm = [labels("Storm", service=f"shop{n % 4}", instance=f"i-{n}") for n in range(40)]
        check_killed(running, storm)
        running.tocsin.stop()
