from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from bot.adapters.kubernetes import KubernetesCluster, connect
from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.prometheus import PrometheusMetrics
from bot.adapters.slack import SlackChat
from bot.domain.classify import Severity
from bot.domain.cluster import DEPLOYMENT, Marker, ObjectRef
from bot.domain.errors import PermanentError
from bot.domain.message import Message
from bot.domain.page import Page
from bot.sandbox.addresses import SandboxAddresses
from bot.sandbox.assembly import Sandbox, SandboxParts
from tests.support.tocsin import SECRET, Workspace, workspace

PAGE = Page("key", "It is down", Severity.P1, "checkout", datetime(2026, 1, 31, tzinfo=UTC))
CHECKOUT = ObjectRef(DEPLOYMENT, "payments", "checkout")
DEADLINE = 10.0

VENDORS = ("slack", "pagerduty", "kubernetes", "prometheus")


def addresses(served: Workspace) -> SandboxAddresses:
    return SandboxAddresses(served.url, SECRET)


def chat(served: Workspace) -> SlackChat:
    return SlackChat(addresses(served).slack_token, addresses(served).slack_api_url)


def state(served: Workspace) -> dict[str, Any]:
    shown: dict[str, Any] = httpx2.get(f"{served.page}workspace/state").json()
    return shown


def texts(served: Workspace, channel: int = 0) -> list[str]:
    messages = state(served)["slack"]["channels"][channel]["messages"]
    return [message["text"] for message in messages]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline, f"it did not come true in {DEADLINE} s"
        time.sleep(0.02)


# What is where


def test_the_real_adapters_reach_every_stand_in_by_its_address(tmp_path: Path) -> None:
    with workspace(tmp_path / "sandbox.json") as served:
        where = addresses(served)
        chat(served).post("#incidents", Message("It is down"))
        pager = PagerDutyPager(where.pagerduty_routing_key, where.pagerduty_events_url)
        pager.trigger(PAGE)
        cluster = KubernetesCluster(connect(None, where.kubernetes_url), 5.0)

        assert cluster.deployment(CHECKOUT).desired == 3
        assert PrometheusMetrics(where.prometheus_url).query("up", 5.0) == []
        assert texts(served) == ["It is down"]
        (incident,) = state(served)["pagerduty"]["incidents"]
        assert (incident["status"], incident["dedup_key"]) == ("triggered", PAGE.dedup_key)


def test_a_token_of_another_installation_is_refused(tmp_path: Path) -> None:
    with workspace(tmp_path / "sandbox.json") as served:
        other = replace(addresses(served), secret="6" * 64)

        with pytest.raises(PermanentError, match="invalid_auth"):
            SlackChat(other.slack_token, other.slack_api_url).post("#incidents", Message("x"))
        with pytest.raises(PermanentError, match="PagerDuty answered 400"):
            PagerDutyPager(other.pagerduty_routing_key, other.pagerduty_events_url).trigger(PAGE)


def test_what_people_do_in_the_pager_reaches_tocsin(tmp_path: Path) -> None:
    with workspace(tmp_path / "sandbox.json") as served:
        where = addresses(served)
        PagerDutyPager(where.pagerduty_routing_key, where.pagerduty_events_url).trigger(PAGE)
        (incident,) = state(served)["pagerduty"]["incidents"]
        asked = {"incident_id": incident["id"], "action": "acknowledge", "user": "Ana Lopez"}

        assert httpx2.post(f"{served.page}workspace/page", json=asked).status_code == 200

        events = served.receiver.page_events
        eventually(lambda: len(events) == 2)
        assert [event["event"]["event_type"] for event in events] == [
            "incident.triggered",
            "incident.acknowledged",
        ]
        assert events[1]["event"]["agent"]["summary"] == "Ana Lopez"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_real_vendor_is_neither_served_nor_shown(tmp_path: Path, vendor: str) -> None:
    parts = replace(SandboxParts(), **{vendor: False})
    with workspace(tmp_path / "sandbox.json", parts) as served:
        shown = state(served)

        assert shown[vendor] is None
        assert all(shown[other] is not None for other in VENDORS if other != vendor)
        assert httpx2.get(f"{served.page}{vendor}/").status_code == 404


# What is kept


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with workspace(file) as served:
        chat(served).post("#incidents", Message("It is down"))
        where = addresses(served)
        PagerDutyPager(where.pagerduty_routing_key, where.pagerduty_events_url).trigger(PAGE)
        marker = Marker(1, "restart", datetime.now(UTC))
        cluster = KubernetesCluster(connect(None, where.kubernetes_url), 5.0)
        cluster.restart(CHECKOUT, marker)
        asked = {"sample": "service-down", "status": "firing"}
        httpx2.post(f"{served.page}workspace/alert", json=asked).raise_for_status()
        before = state(served)

    with workspace(file) as served:
        after = state(served)

        assert after["slack"] == before["slack"]
        assert after["alerts"] == before["alerts"] | {"service-down": True}
        assert [incident["dedup_key"] for incident in after["pagerduty"]["incidents"]] == ["key"]
        cluster = KubernetesCluster(connect(None, addresses(served).kubernetes_url), 5.0)
        assert cluster.deployment(CHECKOUT).marker == "run-1/restart"


def test_a_change_is_saved_soon_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with workspace(file) as served:
        chat(served).post("#incidents", Message("It is down"))

        eventually(lambda: file.exists() and "It is down" in file.read_text())
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_looking_saves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with workspace(file) as served:
        state(served)
        chat(served).post("#incidents", Message("It is down"))
        eventually(file.exists)
        written = file.stat().st_mtime_ns

        state(served)

        assert file.stat().st_mtime_ns == written


def test_the_state_of_a_vendor_outlasts_the_time_in_which_it_is_real(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with workspace(file) as served:
        chat(served).post("#general", Message("Hello"))

    with workspace(file, SandboxParts(slack=False)) as served:
        assert state(served)["slack"] is None

    with workspace(file) as served:
        assert texts(served, channel=1) == ["Hello"]


BROKEN = {
    "cut short": '{"slack": {"users"',
    "no object": "[]",
    "not text": "\udcff",
    "a part of another kind": '{"slack": 7}',
    "a part that lacks something": '{"pagerduty": {}}',
    "a cluster without objects": '{"kubernetes": {"objects": 3}}',
    "an alert of another kind": '{"alertmanager": [1]}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_set_aside(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sandbox.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))

    with capture_logs() as logged, workspace(file) as served:
        assert texts(served) == []
        assert len(state(served)["kubernetes"]["deployments"]) == 4

    (line,) = [line for line in logged if line["log_level"] == "error"]
    assert line["file"] == str(file)
    aside = Path(line["set_aside_as"])
    assert aside.read_bytes() == content.encode("utf-8", "surrogateescape")
    assert "slack" in json.loads(file.read_text())


def test_a_disk_that_takes_nothing_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    in_the_way = tmp_path / "sandbox.json.new"
    in_the_way.mkdir()
    with capture_logs() as logged, workspace(file) as served:
        chat(served).post("#incidents", Message("It is down"))
        eventually(lambda: any(line["log_level"] == "error" for line in logged))
        assert not file.exists()

        in_the_way.rmdir()

        eventually(lambda: file.exists() and "It is down" in file.read_text())


def test_closing_saves_what_was_not_saved_yet(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    sandbox = Sandbox(
        SandboxAddresses("http://127.0.0.1:9", SECRET),
        SandboxParts(),
        file,
        lambda: datetime.now(UTC),
    )
    assert sandbox.stand_ins.slack is not None
    sandbox.stand_ins.slack.say("ana", "#general", "Good night")

    sandbox.close()

    assert "Good night" in file.read_text()
