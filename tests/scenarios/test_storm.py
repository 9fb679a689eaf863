"""A storm: hundreds of groups at once become a handful of incidents, the worst one first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.incident import IncidentState
from bot.domain.storm import STORM_KEY
from tests.support.harness import Harness
from tests.support.webhook import webhook

GROUPS = 300
A_WEBHOOK = 100
MOST = 20
"""Incidents that a storm may make: 14 + 5 of P0 + the storm's own."""


def storm(h: Harness, *last: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Two alerts of each group, a hundred a webhook, and these last of all."""
    alerts = [
        h.firing("Latency", severity="critical", service=f"s{number}", pod=f"s{number}-{pod}")
        for number in range(GROUPS)
        for pod in range(2)
    ]
    alerts = [*alerts[: len(alerts) - len(last)], *last]
    post(h, alerts)
    return alerts


def post(h: Harness, alerts: Sequence[Mapping[str, Any]], **changes: Any) -> None:
    for start in range(0, len(alerts), A_WEBHOOK):
        body = webhook(*alerts[start : start + A_WEBHOOK], **changes)
        assert h.post(json.dumps(body).encode()).status_code == 200


def test_a_storm_makes_few_incidents_pages_and_messages(h: Harness) -> None:
    alerts = storm(h)
    h.fast_forward(minutes=1)
    incidents = h.incidents.newest(limit=1_000)
    assert len(incidents) <= MOST
    assert sum(one.firing for one in incidents) == len(alerts) == 2 * GROUPS
    assert len(h.told_pager()) == len(h.pages()) == len(incidents)
    assert len(h.slack.messages()) == len(incidents)
    updates = sum(call.method == "chat.update" for call in h.vendors.slack.calls)
    assert updates <= 3 * MOST
    (gathered,) = (one for one in incidents if one.group_key == STORM_KEY)
    assert "Alert storm" in gathered.title
    assert gathered.firing >= 2 * (GROUPS - MOST)


def test_the_worst_is_paged_first_though_it_came_last(h: Harness) -> None:
    worst = h.firing("Outage", severity="emergency", service="shop")
    storm(h, worst)
    h.fast_forward(minutes=1)
    first = h.pager.incidents()[0]
    assert first.severity == "critical"
    assert "Outage" in first.summary
    assert len(h.incidents.newest(limit=1_000)) <= MOST


def test_a_p0_in_the_middle_of_a_storm_gets_an_incident_of_its_own(h: Harness) -> None:
    storm(h)
    h.fast_forward(minutes=1)
    h.alert("Outage", severity="emergency", service="shop")
    newest = h.incidents.newest(limit=1)[0]
    assert "Outage" in newest.title
    assert h.pages()[-1] == "triggered"


def test_a_storm_ends_as_it_came(h: Harness) -> None:
    """Whatever became of each alert, its resolution finds it."""
    alerts = storm(h)
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
    h.fast_forward(0.001)  # nothing is worked in before the next is posted
    h.clock.advance(1)
    h.deliver(h.firing("Errors", pod="b"))
    assert (h.incident().firing, h.incident().unseen) == (1, 0)
