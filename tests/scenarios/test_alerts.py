"""What Alertmanager says, and says again, and what becomes of it."""

from __future__ import annotations

from bot.domain.classify import Severity
from bot.domain.incident import IncidentState
from tests.support.harness import Harness, resolved


def test_a_warning_that_turns_critical_is_the_same_incident(h: Harness) -> None:
    """It is raised, it pages once, and its message stays where it is."""
    h.alert("HighErrorRate", severity="warning")
    announced = h.message()
    h.alert("HighErrorRate", severity="critical")
    assert h.incident().severity is Severity.P1
    assert h.told_pager() == [("trigger", 202)]
    assert h.message().ts == announced.ts
    assert "P1 High" in h.message().text
    assert any("Raised from P2 to P1." in line for line in h.timeline())


def test_a_page_that_becomes_worse_raises_its_urgency(h: Harness) -> None:
    """P1 becomes P0: the pager is told again, under the same key."""
    h.alert("HighErrorRate", severity="critical")
    h.alert("HighErrorRate", severity="emergency")
    assert h.told_pager() == [("trigger", 202), ("trigger", 202)]
    (page,) = h.pager.incidents()
    assert page.severity == "critical"


def test_a_ticket_that_somebody_took_pages_when_it_has_to(h: Harness) -> None:
    """Ben took the warning in the afternoon; at night it is critical, and on-call is woken."""
    h.alert("HighErrorRate", severity="warning")
    h.click("Acknowledge", who="ben")
    h.fast_forward(minutes=600)
    h.alert("HighErrorRate", severity="critical")
    assert h.told_pager() == [("trigger", 202)]
    assert h.incident().state is IncidentState.TRIGGERED


def test_a_milder_alert_lowers_nothing(h: Harness) -> None:
    """The critical alert is over, a warning still fires: still P1, until a person says more."""
    h.alert("HighErrorRate", severity="critical", instance="a")
    h.alert("HighErrorRate", severity="warning", instance="b")
    assert h.incident().severity is Severity.P1
    assert h.incident().firing == 2


def test_repeats_and_doubles_change_nothing(h: Harness) -> None:
    """Alertmanager repeats itself, and its twin says everything as well."""
    fired = h.alert("HighErrorRate")
    told, calls = h.timeline(), len(h.vendors.slack.calls)
    h.deliver(fired)
    h.deliver(fired, externalURL="http://alertmanager-2.example")
    h.deliver(fired, fired)
    assert h.timeline() == told
    assert len(h.vendors.slack.calls) == calls
    assert h.told_pager() == [("trigger", 202)]


def test_what_comes_late_changes_nothing(h: Harness) -> None:
    """The resolution overtook the firing: nobody is paged for what is over."""
    fired = h.alert("HighErrorRate", instance="a")
    h.resolve("HighErrorRate")
    h.deliver(fired)
    assert h.incident().state is IncidentState.RESOLVED
    never_seen = {**fired, "fingerprint": "0" * 16}
    h.deliver(resolved(never_seen, h.clock.now().isoformat()))
    h.deliver(never_seen)
    assert [found.id for found in h.incidents.newest()] == [1]


def test_an_alert_that_comes_back_soon_rejoins_its_incident(h: Harness) -> None:
    """Within a quarter of an hour it is the same trouble; after it, it is new."""
    h.alert("HighErrorRate")
    h.click("Acknowledge")
    h.resolve("HighErrorRate")
    h.fast_forward(minutes=14)
    h.alert("HighErrorRate")
    assert [found.id for found in h.incidents.newest()] == [1]
    assert h.incident().state is IncidentState.TRIGGERED
    assert h.incident().acknowledged_by is None
    assert any("Reopened. Its alerts are firing again." in line for line in h.timeline())
    # PagerDuty's incident was resolved, so the same key opens another one: somebody is woken.
    assert [page.status for page in h.pager.incidents()] == ["resolved", "triggered"]
    assert len({page.dedup_key for page in h.pager.incidents()}) == 1

    h.resolve("HighErrorRate")
    h.fast_forward(minutes=2 + 16)
    h.alert("HighErrorRate")
    assert [found.id for found in h.incidents.newest()] == [2, 1]
    assert h.incident(1).state is IncidentState.RESOLVED
    assert [page.status for page in h.pager.incidents()] == ["resolved", "resolved", "triggered"]


def test_an_alert_whose_resolution_never_came_pages_again(h: Harness) -> None:
    """With `send_resolved` off, ana resolves by hand; the next time it fires is the next time."""
    h.alert("HighErrorRate")
    h.click("Resolve")
    h.fast_forward(minutes=60)
    h.alert("HighErrorRate")
    assert h.incident(2).state is IncidentState.TRIGGERED
    assert [page.status for page in h.pager.incidents()] == ["resolved", "triggered"]


def test_an_alert_that_starts_anew_while_it_fires_is_no_news(h: Harness) -> None:
    """Prometheus was restarted: whoever is on it knows already."""
    h.alert("HighErrorRate")
    h.click("Acknowledge")
    told = h.timeline()
    h.alert("HighErrorRate")
    assert h.timeline() == told
    h.resolve("HighErrorRate")
    assert h.incident().state is IncidentState.RESOLVED


def test_the_incident_lasts_as_long_as_one_of_its_alerts(h: Harness) -> None:
    """Three pods complain; it is over when the last one is quiet."""
    pods = [h.alert("PodCrashing", pod=f"checkout-{number}") for number in range(3)]
    for number, pod in enumerate(pods):
        assert h.incident().state is IncidentState.TRIGGERED
        assert h.incident().firing == 3 - number
        h.deliver(resolved(pod, h.clock.now().isoformat()), status="firing")
    assert h.incident().state is IncidentState.RESOLVED


def test_alerts_that_were_left_out_keep_an_incident_open(h: Harness) -> None:
    """Alertmanager sent one of forty: that it is quiet says nothing about the others."""
    fired = h.alert("PodCrashing", pod="checkout-1")
    other = h.alert("PodCrashing", pod="checkout-2")
    over = resolved(fired, h.clock.now().isoformat())
    other_over = resolved(other, h.clock.now().isoformat())
    h.deliver(over, other_over, status="firing", truncatedAlerts=39)
    assert h.incident().state is IncidentState.TRIGGERED
    assert "0 (and 39 left out)" in h.message().text
    last = h.alert("PodCrashing", pod="checkout-3")
    h.deliver(over, other_over, resolved(last, h.clock.now().isoformat()))
    assert h.incident().state is IncidentState.RESOLVED


def test_a_closed_incident_stays_closed(h: Harness) -> None:
    """Its review is done, so what fires again is a new one, however soon."""
    h.alert("HighErrorRate")
    h.click("Resolve")
    h.command("ana", "/incident close 1")
    h.resolve("HighErrorRate")
    h.alert("HighErrorRate")
    assert h.incident(1).state is IncidentState.CLOSED
    assert h.incident(2).state is IncidentState.TRIGGERED
