from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bot.adapters.alertmanager import parse_delivery
from bot.adapters.policy import load_policy
from bot.domain.alert import AlertStatus, fingerprint_of
from bot.domain.classify import classify
from bot.sandbox.alertmanager import SAMPLES, SampleAlert
from tests.support.tocsin import Workspace, workspace

REPOSITORY = Path(__file__).parents[2]
CAPTURED = sorted((REPOSITORY / "tests" / "samples" / "alertmanager").glob("*.json"))
POLICY = REPOSITORY / "policy" / "severity.yaml"

BY_ID = {sample.id: sample for sample in SAMPLES}


@pytest.fixture
def served(tmp_path: Path) -> Any:
    with workspace(tmp_path / "sandbox.json", token="alertmanagers-token") as served:
        yield served


def send(served: Workspace, sample: str, status: str = "firing") -> httpx2.Response:
    asked = {"sample": sample, "status": status}
    return httpx2.post(f"{served.page}workspace/alert", json=asked)


@pytest.mark.parametrize("file", CAPTURED, ids=lambda file: file.stem)
def test_the_fingerprint_is_alertmanagers(file: Path) -> None:
    alerts = json.loads(file.read_text())["body"]["alerts"]

    assert [fingerprint_of(alert["labels"]) for alert in alerts] == [
        alert["fingerprint"] for alert in alerts
    ]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_each_sample_has_the_level_that_its_title_says(sample: SampleAlert) -> None:
    level = classify(load_policy(POLICY), sample.labels, sample.annotations).level

    assert sample.title.startswith(f"{level}: ")


def test_the_samples_have_a_level_each() -> None:
    assert [sample.title[:2] for sample in SAMPLES] == ["P0", "P1", "P2", "P3"]


def test_an_alert_is_sent_as_alertmanager_sends_it(served: Workspace) -> None:
    assert send(served, "high-error-rate").json() == {"ok": True, "new": True}

    (body,) = served.receiver.alerts
    delivery = parse_delivery(json.dumps(body).encode())
    (alert,) = delivery.alerts
    assert (alert.status, alert.ends_at) == (AlertStatus.FIRING, None)
    assert alert.labels == BY_ID["high-error-rate"].labels
    assert alert.annotations == BY_ID["high-error-rate"].annotations
    assert alert.fingerprint == fingerprint_of(alert.labels)
    assert delivery.group_labels.items() <= alert.labels.items()
    assert served.receiver.authorizations == ["Bearer alertmanagers-token"]


def test_an_alert_has_the_fields_of_a_captured_one(served: Workspace) -> None:
    send(served, "service-down")

    captured = json.loads((CAPTURED[0].parent / "firing.json").read_text())["body"]
    (body,) = served.receiver.alerts
    assert body.keys() == captured.keys()
    assert body["alerts"][0].keys() == captured["alerts"][0].keys()
    assert body["alerts"][0]["endsAt"] == captured["alerts"][0]["endsAt"]


def test_an_alert_that_fires_already_is_repeated(served: Workspace) -> None:
    send(served, "service-down")

    assert send(served, "service-down").json() == {"ok": True, "new": False}

    first, second = served.receiver.alerts
    assert first == second


def test_a_resolved_alert_has_the_start_of_the_one_that_fired(served: Workspace) -> None:
    send(served, "service-down")

    send(served, "service-down", "resolved")

    (fired,), (resolved,) = (body["alerts"] for body in served.receiver.alerts)
    assert served.receiver.alerts[1]["status"] == resolved["status"] == "resolved"
    assert resolved["startsAt"] == fired["startsAt"]
    assert resolved["fingerprint"] == fired["fingerprint"]
    assert resolved["endsAt"] >= resolved["startsAt"]


def test_an_alert_that_fires_anew_has_a_new_start(served: Workspace) -> None:
    send(served, "service-down")
    send(served, "service-down", "resolved")

    assert send(served, "service-down").json() == {"ok": True, "new": True}

    starts = [body["alerts"][0]["startsAt"] for body in served.receiver.alerts]
    assert starts[2] > starts[0]


def test_an_alert_that_does_not_fire_can_not_be_resolved(served: Workspace) -> None:
    answer = send(served, "service-down", "resolved")

    assert answer.status_code == 400
    assert answer.json() == {"error": "ServiceDown does not fire; send it first."}
    assert served.receiver.alerts == []


def test_an_alert_that_tocsin_refuses_does_not_fire(served: Workspace) -> None:
    served.receiver.alert_status = 503

    answer = send(served, "service-down")

    assert answer.status_code == 502
    assert answer.json() == {"error": "Tocsin answered the alert with 503."}
    state = httpx2.get(f"{served.page}workspace/state").json()
    assert state["alerts"]["service-down"] is False


def test_an_unknown_sample_is_refused(served: Workspace) -> None:
    answer = send(served, "nothing")

    assert answer.status_code == 400
    assert answer.json() == {"error": "There is no sample alert 'nothing'."}
