"""The load generator: what it sends is real, bounded, on this machine, and counted right."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bench.floor import Floor, Mode
from bench.loadgen import Load, Target, bodies, measure
from bot.adapters.alertmanager import check_delivery, parse_delivery
from bot.adapters.inbox import Inbox
from bot.entrypoints.webhooks import AlertmanagerWebhook
from tests.support.serve import serve

SHORT = Load(alerts=3, connections=4, seconds=0.2)


def test_no_two_webhooks_have_an_alert_in_common() -> None:
    deliveries = [parse_delivery(body) for body in itertools.islice(bodies(alerts=3), 50)]

    fingerprints = {alert.fingerprint for delivery in deliveries for alert in delivery.alerts}
    assert len(fingerprints) == 150
    assert len({delivery.group_key for delivery in deliveries}) == 50


def test_what_it_counts_as_accepted_was_kept(tmp_path: Path) -> None:
    inbox = Inbox(f"sqlite:///{tmp_path}/tocsin.db")
    with serve(
        AlertmanagerWebhook(inbox, "token", check_delivery, lambda result: None, str.encode)
    ) as url:
        measurement = measure(Target(url, {"authorization": "Bearer token"}), SHORT)
        without_token = measure(Target(url), SHORT)

    assert measurement.accepted == inbox.size() > 0
    assert measurement.refused == 0
    assert 0 < measurement.p50_ms <= measurement.p99_ms
    assert without_token.accepted == 0
    assert without_token.refused > 0
    inbox.close()


@pytest.mark.parametrize("mode", Mode)
def test_the_floors_accept_the_same(tmp_path: Path, mode: Mode) -> None:
    with serve(Floor(mode, str(tmp_path / "floor.db"))) as url:
        measurement = measure(Target(url), SHORT)

    assert measurement.accepted > 0
    assert measurement.refused == 0


@pytest.mark.parametrize("url", ["http://192.0.2.1/", "http://example.test/", "http:///"])
def test_only_this_machine_is_put_under_load(url: str) -> None:
    with pytest.raises(ValueError, match=r"not on this machine|not appear to be"):
        measure(Target(url), SHORT)


@pytest.mark.parametrize(("connections", "seconds"), [(0, 1), (257, 1), (1, 0), (1, 61)])
def test_a_load_is_bounded(connections: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        Load(alerts=1, connections=connections, seconds=seconds)
