"""PagerDuty takes requests and never answers: somebody hears of a P0 within 95 seconds.

A try that is due is in order, so the dead man's switch outside is told all the while.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.support.gate import Gate
from tests.support.installation import TOKENS, Tocsin, kept
from tests.support.serve import serve
from tests.support.vendors import Vendors, vendors
from tests.support.waiting import eventually
from tests.support.webhook import alert, webhook

LIMIT = 95.0
"""Seconds from the webhook's 200 until the fallback is sent."""


def called(served: Vendors) -> list[str]:
    """The messages that call everybody in the channel."""
    channels = served.slack.overview()["channels"]
    messages = [str(one["blocks"]) for channel in channels for one in channel["messages"]]
    return [one for one in messages if "<!channel>" in one]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_pagerduty_is_a_black_hole(tmp_path: Path) -> None:
    tocsin = Tocsin(tmp_path)
    switch = Gate(Starlette(routes=[Route("/ping", lambda _: Response())]))
    with vendors(tocsin.url, tmp_path) as served, serve(switch) as url, kept(tocsin):
        records = {
            "PAGERDUTY_API_TOKEN": "e2e-token",
            "PAGERDUTY_API_URL": served.settings["PAGERDUTY_EVENTS_URL"],
        }
        heartbeat = {"TOCSIN_HEARTBEAT_URL": f"{url}/ping"}
        tocsin.settings = {**TOKENS, **served.settings, **records, **heartbeat}
        tocsin.start()
        with served.pagerduty_gate.holding(lambda _: True, takes_effect=False):
            assert tocsin.post(webhook(alert("Outage", severity="emergency"))).ok
            accepted = time.monotonic()
            (message,) = eventually(lambda: called(served), patience=LIMIT)
            waited = time.monotonic() - accepted
        assert "Nobody is known to have been reached by the page" in message
        assert 90 <= waited <= LIMIT
        assert {(one.method, one.path) for one in switch.arrivals} == {("GET", "/ping")}
        assert tocsin.metric('tocsin_audits_total{result="clean"}') >= 1
