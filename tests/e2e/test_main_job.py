"""The whole job, with the real processes: from a real Alertmanager's alert to the timeline.

On the stand-in's cluster and on a real API server alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes import connect
from bot.domain.cluster import ObjectRef
from tests.support.alertmanager import alertmanager
from tests.support.installation import TOKENS, Tocsin, kept
from tests.support.kubernetes import Namespace
from tests.support.vendors import INCIDENTS, Vendors, vendors
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow

FINAL = ("succeeded", "failed", "compensated", "cancelled", "refused", "uncertain")


@dataclass(frozen=True)
class Place:
    """A running Tocsin, its vendors, and a namespace in the cluster on which its runbooks run."""

    tocsin: Tocsin
    vendors: Vendors
    namespace: Namespace

    def type(self, command: str, text: str) -> str:
        """Type a slash command as Ben; the answer's text."""
        typed = self.vendors.slack.command("ben", INCIDENTS, command, text)
        assert typed["ok"], typed
        return str(typed["answer"]["text"])

    def finished_run(self) -> dict[str, Any]:
        """The newest run, once it has ended."""
        runs: list[dict[str, Any]] = eventually(
            lambda: self.tocsin.api("runs?limit=1"), lambda runs: runs[0]["state"] in FINAL
        )
        return runs[0]

    def pods(self, name: str) -> set[str]:
        found = self.namespace.cluster.pods(self.namespace.name, {"app": name})
        return {pod.name for pod in found}

    def images(self, ref: ObjectRef) -> tuple[str, ...]:
        return self.namespace.cluster.deployment(ref).images


@pytest.fixture(
    scope="module",
    params=["stand-in", pytest.param("real", marks=pytest.mark.cluster)],
)
def place(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    tocsin = Tocsin(folder)
    with vendors(tocsin.url, folder) as served, kept(tocsin):
        tocsin.settings = {**TOKENS, **served.settings}
        if request.param == "real":
            kubeconfig = os.environ["TOCSIN_TEST_KUBECONFIG"]
            tocsin.settings = {**tocsin.settings, "KUBECONFIG": kubeconfig}
        namespace = Namespace.create(connect(tocsin.settings["KUBECONFIG"], None))
        try:
            tocsin.start()
            yield Place(tocsin, served, namespace)
            tocsin.stop()
        finally:
            if request.param == "real":
                namespace.delete()


def is_told(story: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the story has all that is wanted, in that order."""
    told = iter(story)
    return all(any(part in line for line in told) for part in wanted)


def test_from_an_alert_to_the_timeline(place: Place, tmp_path: Path) -> None:
    tocsin, served = place.tocsin, place.vendors
    shop = place.namespace.create_deployment("checkout", replicas=2)
    place.namespace.rolled_out(shop)
    old_pods = place.pods("checkout")
    labels = {
        "alertname": "HighErrorRate",
        "severity": "critical",
        "namespace": place.namespace.name,
        "service": "checkout",
    }
    summary = "12 % of <!channel> checkout's requests fail"

    with alertmanager(tmp_path, tocsin.url) as real:
        real.fire(labels, summary)
        (page,) = eventually(served.pages)
        (incident,) = tocsin.api("incidents")
        subject, number = f"incident:{incident['id']}", str(incident["id"])
        assert (incident["severity"], incident["rule"]) == ("P1", "critical")
        assert page["dedup_key"] == incident["dedup_key"]
        assert summary in page["title"]

        eventually(lambda: served.said(subject), lambda said: "on-call paged" in said)
        (message,) = served.messages(subject)
        assert "<!channel>" not in str(message)

        click = served.slack.click("ana", INCIDENTS, message["ts"], "incident.acknowledge", number)
        assert click == {"ok": True}
        eventually(lambda: served.pages()[0]["status"], lambda status: status == "acknowledged")

        answer = place.type("/restart", f"{place.namespace.name}/checkout soak=1s --yes")
        assert f"on the timeline of INC-{number}" in answer
        run = place.finished_run()
        assert run["state"] == "succeeded", run
        assert place.namespace.rolled_out(shop).marker
        assert len(place.pods("checkout")) == 2
        assert not place.pods("checkout") & old_pods

        real.resolve(labels, summary)
        eventually(lambda: served.pages()[0]["status"], lambda status: status == "resolved")

    eventually(lambda: served.said(subject), lambda said: "Resolved" in said or "✅" in said)
    (updated,) = served.messages(subject)
    assert updated["ts"] == message["ts"]
    assert updated["edited_ts"]
    assert len(served.pages()) == 1

    eventually(lambda: tocsin.api(f"incidents/{number}")["page"], lambda page: page == "resolve")
    story = tocsin.json("incident", "timeline", number, "--format", "json")
    assert (story["incident"], story["state"]) == (f"INC-{number}", "resolved")
    told = [f"{entry['actor']}: {entry['text']}" for entry in story["entries"]]
    wanted = [
        "Alertmanager: Opened as P1: HighErrorRate: checkout in",
        "Alertmanager: 1 alert fired",
        "Tocsin: The on-call engineer was paged (P1)",
        "ana: Acknowledged.",
        f"ben: Asked for restart@1.0.0 workload={place.namespace.name}/checkout",
        "Tocsin: Planned: 1 change(s).",
        "Tocsin: Started.",
        "Tocsin: Step restart done: Rolling restart of",
        "Tocsin: Step rollout done: Rollout of",
        "Tocsin: All steps done; verifying.",
        "Tocsin: Step ready done:",
        "Tocsin: Ended succeeded. Done and verified.",
        "Alertmanager: 1 alert resolved",
        "Alertmanager: Resolved. All its alerts are resolved.",
        "Tocsin: The pager was told of the resolution",
    ]
    assert is_told(told, wanted), told
    moments = [entry["at"] for entry in story["entries"]]
    assert moments == sorted(moments)

    markdown = tocsin.run("incident", "timeline", number, "--format", "md").stdout.splitlines()
    assert markdown[0] == f"# INC-{number}: HighErrorRate: checkout in {place.namespace.name}"
    rows = [" ".join(row.split(" | ")[1:]) for row in markdown[4:]]
    assert len(rows) == len(told)
    assert is_told(rows, ["Alertmanager Opened as P1", "ana Acknowledged.", "Ended succeeded."])


def test_a_rollback_puts_the_earlier_image_back(place: Place) -> None:
    shop = place.namespace.create_deployment("shop", tag="1.0")
    place.namespace.release(shop, "2.0")
    place.type("/rollback", f"{place.namespace.name}/shop soak=1s --yes")
    run = place.finished_run()
    assert run["state"] == "succeeded", run
    place.namespace.rolled_out(shop)
    assert place.images(shop) == ("registry.example/shop:1.0",)


@pytest.mark.parametrize("bad", ["badimage", "crash"])
def test_a_rollback_to_a_bad_revision_is_put_back(place: Place, bad: str) -> None:
    name = f"shop-{bad}"
    shop = place.namespace.create_deployment(name, tag=bad)
    place.namespace.set_tag(shop, "2.0")
    place.namespace.rolled_out(shop)
    place.type("/rollback", f"{place.namespace.name}/{name} timeout=3s soak=1s --yes")
    run = place.finished_run()
    assert run["state"] == "compensated", run
    assert "What was changed has been put back." in run["result"]
    place.namespace.rolled_out(shop)
    assert place.images(shop) == (f"registry.example/{name}:2.0",)


def test_a_failover_switches_the_service_to_its_standby(place: Place) -> None:
    for name in ("active", "standby"):
        place.namespace.rolled_out(place.namespace.create_deployment(name))
    service = place.namespace.create_service("front", {"app": "active"})
    text = f"{place.namespace.name}/front to=standby label=app soak=1s --yes"
    place.type("/failover", text)
    run = place.finished_run()
    assert run["state"] == "succeeded", run
    assert place.namespace.cluster.service(service).selector == {"app": "standby"}
