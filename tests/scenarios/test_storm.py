"""A storm: hundreds of groups at once become a handful of incidents, the worst one first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.incident import IncidentState
from bot.domain.storm import STORM_KEY
from tests.support.harness import Harness
from tests.support.webhook import webhook

A_WEBHOOK = 100
MOST = 20
"""Incidents that a storm may make: 14 + 5 of P0 + the storm's own."""


def storm(h: Harness, groups: int, *last: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Two alerts of each group, a hundred a webhook, and these last of all."""
    alerts = [
        h.firing("Latency", service=f"s{number}", pod=f"s{number}-{pod}")
        for number in range(groups)
        for pod in range(2)
    ]
    post(h, [*alerts, *last])
    return alerts


def post(h: Harness, alerts: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(alerts), A_WEBHOOK):
        body = webhook(*alerts[start : start + A_WEBHOOK])
        assert h.post(json.dumps(body).encode()).status_code == 200


def test_a_storm_makes_few_incidents_pages_and_messages(h: Harness) -> None:
    """And the worst is paged first, though it came last of all."""
    worst = h.firing("Outage", severity="emergency", service="shop")
    storm(h, 300, worst)
    h.fast_forward(minutes=1)
    incidents = h.incidents.newest(limit=1_000)
    assert len(incidents) <= MOST
    assert sum(one.firing for one in incidents) == 601
    assert len(h.told_pager()) == len(h.pages()) == len(incidents)
    assert len(h.slack.messages()) == len(incidents)
    updates = sum(call.method == "chat.update" for call in h.vendors.slack.calls)
    assert updates <= 3 * MOST
    first = h.pager.incidents()[0]
    assert (first.severity, "Outage" in first.title) == ("critical", True)


def test_what_is_gathered_says_so(h: Harness) -> None:
    storm(h, 40)
    h.fast_forward(minutes=1)
    incidents = h.incidents.newest(limit=1_000)
    (gathered,) = (one for one in incidents if one.group_key == STORM_KEY)
    assert gathered.firing == 2 * (40 - 14)
    assert "Alert storm" in h.message(f"incident:{gathered.id}").text


def test_a_p0_in_the_middle_of_a_storm_gets_an_incident_of_its_own(h: Harness) -> None:
    storm(h, 20)
    h.fast_forward(minutes=1)
    h.alert("Outage", severity="emergency", service="shop")
    newest = h.incidents.newest(limit=1)[0]
    assert "Outage" in newest.title
    assert h.pages() == ["triggered"] * (14 + 1 + 1)


def test_a_storm_of_the_worst_is_bounded_too(h: Harness) -> None:
    """After five more P0 the storm's incident has them, and is paged as one of them."""
    worst = [h.firing("Outage", severity="emergency", service=f"w{number}") for number in range(30)]
    post(h, worst)
    h.fast_forward(minutes=1)
    assert len(h.incidents.newest(limit=1_000)) == MOST
    assert len(h.pages()) == MOST


def test_a_storm_ends_as_it_came(h: Harness) -> None:
    """Whatever became of each alert, its resolution finds it."""
    alerts = storm(h, 20)
    h.fast_forward(minutes=3)
    ended = h.clock.now().isoformat()
    post(h, [{**one, "status": "resolved", "endsAt": ended} for one in alerts])
    h.fast_forward(minutes=1)
    assert {one.state for one in h.incidents.newest(limit=1_000)} == {IncidentState.RESOLVED}
    assert set(h.pages()) == {"resolved"}


def test_a_late_truncated_delivery_says_nothing_any_more(h: Harness) -> None:
    """It was posted first and is worked in last: resolutions wait for what fires."""
    h.deliver(h.firing("Errors", pod="a"), truncatedAlerts=39)
    assert h.incident().unseen == 39
    over = h.resolved("Errors")
    late = webhook(*over, status="firing", truncatedAlerts=39)
    assert h.post(json.dumps(late).encode()).status_code == 200
    h.clock.advance(1)
    h.deliver(h.firing("Errors", pod="b"))
    assert (h.incident().firing, h.incident().unseen) == (1, 0)
