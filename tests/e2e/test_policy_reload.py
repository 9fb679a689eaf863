"""Policies that change under a running Tocsin, and alerts that scripts hand it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.installation import API_TOKEN, TIMEOUT, Tocsin
from tests.support.policies import policies
from tests.support.vendors import Vendors
from tests.support.waiting import eventually
from tests.support.webhook import alert, webhook

pytestmark = pytest.mark.slow

RULES = "\nrules:\n"
OWN_RULE = f"""{RULES}
  - id: e2e
    level: P1
    reason: The test says so.
    match: ['severity="e2e"']
"""
MISTAKE = "P7"


@dataclass
class Place:
    """A running Tocsin, its vendors, and its severity policy."""

    tocsin: Tocsin
    vendors: Vendors
    policy: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def replace(self, old: str, new: str) -> None:
        """Change the policy's text where it reads so."""
        text = self.policy.read_text()
        assert old in text
        self.policy.write_text(text.replace(old, new, 1))

    def digest(self) -> str:
        """Of the file as it is."""
        return sha256(self.policy.read_bytes()).hexdigest()

    def classified(self, severity: str = "e2e") -> dict[str, Any]:
        """What becomes of an alert that never fired before."""
        name = f"Alert{next(self.numbers)}"
        assert self.tocsin.post(webhook(alert(name, severity=severity))).status_code == 200
        return self.incident(name)

    def incident(self, name: str, **wanted: object) -> dict[str, Any]:
        """The only incident about alerts of that name, once it is as wanted."""
        (found,) = eventually(
            lambda: self.incidents(name),
            lambda some: len(some) == 1 and wanted.items() <= some[0].items(),
        )
        return found

    def incidents(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.tocsin.api("incidents?limit=500")
        return [one for one in found if one["title"].startswith(f"{name}:")]

    def pages(self, incident: Mapping[str, Any]) -> list[str]:
        key = incident["dedup_key"]
        return [page["status"] for page in self.vendors.pages() if page["dedup_key"] == key]


@pytest.fixture(scope="module")
def place(folder: Path, tocsin: Tocsin, served: Vendors) -> Iterator[Place]:
    copy = policies(folder)
    tocsin.settings = {
        **tocsin.settings,
        "TOCSIN_POLICY": str(copy),
        "TOCSIN_RECONCILE_EVERY": "0.5",
    }
    tocsin.start()
    yield Place(tocsin, served, copy / "severity.yaml")
    tocsin.stop()


def test_a_changed_policy_is_in_force_without_a_restart(place: Place) -> None:
    before = place.classified()
    assert (before["rule"] == "e2e", before["policy_digest"]) == (False, place.digest())

    place.replace(RULES, OWN_RULE)
    after = eventually(place.classified, lambda incident: incident["rule"] == "e2e")
    assert (after["severity"], after["policy_digest"]) == ("P1", place.digest())


def test_a_policy_with_a_mistake_is_refused_loudly_and_the_old_one_stays(place: Place) -> None:
    valid = place.digest()
    place.replace("level: P1", f"level: {MISTAKE}")
    lines = place.policy.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if MISTAKE in text)
    refused = place.incident("TocsinPolicyRefused", state="triggered")
    assert f"severity.yaml:{line}: " in refused["summary"]
    check_valid_one_is_used(place, valid)

    place.tocsin.kill_child("worker")
    check_valid_one_is_used(place, valid)
    place.tocsin.restart()
    check_valid_one_is_used(place, valid)
    assert place.incident("TocsinPolicyRefused")["state"] == "triggered"

    place.replace(f"level: {MISTAKE}", "level: P1")
    place.incident("TocsinPolicyRefused", state="resolved")


def check_valid_one_is_used(place: Place, digest: str) -> None:
    incident = place.classified()
    assert (incident["rule"], incident["policy_digest"]) == ("e2e", digest)
    eventually(lambda: place.pages(incident), lambda pages: pages == ["triggered"])


def posted(name: str, **times: datetime) -> Mapping[str, object]:
    """An alert as Alertmanager's API takes it."""
    moments = {key: moment.isoformat() for key, moment in times.items()}
    return {"labels": alert(name)["labels"], "annotations": {"summary": name}, **moments}


def test_alerts_from_a_file_page_and_resolve(place: Place, tmp_path: Path) -> None:
    began = datetime.now(UTC)
    hand_in(place, tmp_path, [posted("FromFile", startsAt=began)])
    incident = place.incident("FromFile", page="trigger")

    hand_in(place, tmp_path, [posted("FromFile", startsAt=began, endsAt=datetime.now(UTC))])
    place.incident("FromFile", state="resolved", page="resolve")
    assert place.pages(incident) == ["resolved"]


def hand_in(place: Place, folder: Path, alerts: Sequence[Mapping[str, object]]) -> None:
    file = folder / "alerts.json"
    file.write_text(json.dumps(alerts))
    told = place.tocsin.json("alert", str(file), "--json")
    assert len(told["accepted"]) == len(alerts)


def test_alerts_that_are_posted_page_and_resolve(place: Place) -> None:
    began = datetime.now(UTC)
    post(place, posted("Posted", startsAt=began), posted("Expiring", endsAt=soon()))
    incidents = [place.incident(name, page="trigger") for name in ("Posted", "Expiring")]

    post(place, posted("Posted", startsAt=began, endsAt=datetime.now(UTC)))
    place.incident("Posted", state="resolved", page="resolve")
    # Nobody posts that this one has ended: it was said before.
    expired = place.incident("Expiring", state="resolved", page="resolve")
    assert [place.pages(incident) for incident in incidents] == [["resolved"]] * 2
    story = place.tocsin.api(f"incidents/{expired['id']}/timeline")
    assert any("posted with an end" in entry["text"] for entry in story)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=3)


def post(place: Place, *alerts: Mapping[str, object]) -> None:
    answer = requests.post(
        f"{place.tocsin.url}/api/v1/alerts",
        data=json.dumps(alerts),
        headers={"Authorization": f"Bearer {API_TOKEN}"},
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
